"""Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/): every weight matrix moves equally far along
all its directions. A network from scratch learns in about half of AdamW's steps (docs/experiments/muon.md).

The momentum of a matrix is replaced by the nearest one with orthonormal rows, found by five Newton-Schulz steps. A
convolution's weights are a matrix of one row an output. torch's own Muon takes no convolutions, and treats matrices
whole, which takes several times longer; here they are cut into blocks of rows and learn as well.
Norms, biases, the layer that sees the colours and those that decide are AdamW's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from handforge.dataset import KEYPOINTS

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of x, x^3 and x^5; they bring singular values of 0.001 to 1 near 1 in five steps (Jordan et al.)."""
STEPS = 5
RMS = 0.2
"""Root mean square of a step's changes at learning rate 1, as AdamW's (Liu et al. 2025, arXiv 2502.16982, section
2.2), so that one learning rate and weight decay suit both."""
BLOCK_ROWS = 64
"""Rows that are made orthonormal together."""


class Muon(torch.optim.AdamW):
    """See the module's text. It keeps ``momentum`` of what is a matrix, and AdamW's three of everything else.

    :param precision: what the Newton-Schulz steps compute in; they bear bfloat16.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, weight_decay: float, precision: torch.dtype
    ) -> None:
        self.precision = precision
        split = [
            {**group, "params": [p for p in parameters if is_matrix(p) == matrices], "matrices": matrices}
            for group, parameters in [(group, list(group["params"])) for group in groups]
            for matrices in (True, False)
        ]
        super().__init__(split, lr=lr, weight_decay=weight_decay, fused=True)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step; the gradients of the matrices are gone afterwards.

        :param closure: is not called.
        """
        for group in self.param_groups:
            if group["matrices"]:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        self._move(parameter, group["lr"], group["weight_decay"])
                        parameter.grad = None  # so that AdamW passes it by
        super().step()

    def _move(self, parameter: torch.Tensor, lr: float, weight_decay: float) -> None:
        gradient = parameter.grad
        assert gradient is not None
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        momentum = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        ahead = gradient.lerp(momentum, MOMENTUM).flatten(1)  # Nesterov's
        upright = ahead.shape[0] > ahead.shape[1]
        change = orthonormal(ahead.T if upright else ahead, self.precision)
        change = (change.T if upright else change).reshape(parameter.shape).to(parameter.dtype)
        parameter.mul_(1 - lr * weight_decay).add_(change, alpha=-lr * RMS * max(ahead.shape) ** 0.5)


def is_matrix(parameter: torch.Tensor) -> bool:
    """Whether Muon trains it: no norm or bias, not from three colours, and not to a few classes, boxes or joints.

    (The layer for joints is a transposed convolution: its second side is what it decides.)
    """
    return parameter.ndim >= 2 and parameter.shape[0] >= 16 and parameter.shape[1] not in (3, len(KEYPOINTS))


def orthonormal(matrix: torch.Tensor, precision: torch.dtype = torch.float32) -> torch.Tensor:
    """(R, C), R <= C, with rows about orthonormal (singular values of 0.7 to 1.2) in each block of rows.

    :param matrix: of any scale; :data:`BLOCK_ROWS` rows are a block where R is a multiple of it, else all are one.
    """
    rows, columns = matrix.shape
    blocks = rows // BLOCK_ROWS if rows % BLOCK_ROWS == 0 else 1
    x = matrix.reshape(blocks, rows // blocks, columns).to(precision)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.reshape(rows, columns)
