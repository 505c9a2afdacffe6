"""What a session's frozen stages make of an image, kept: without augmentation it is the same at every step.

The stages before everything that is trained run without gradients in any case. Here each image also goes through
them only once, as far as memory allows. An image goes through alone, not with its batch, so that what comes out does
not depend on what was kept, and a run that is continued computes what the unbroken one did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from trainer.data.images import memory_bytes
from trainer.models.backbones import Body, body_of

MEMORY_FRACTION = 0.1
"""Fraction of the machine's memory, or of the GPU's free memory, that kept features may take."""

Features = dict[str, torch.Tensor]


class FeatureCache(Body):
    """A backbone's body whose frozen first stages see an image once: the same modules, by the same names.

    :param body: the body whose place it takes.
    :ivar numbers: the numbers of the images that come next, in the batch's order.
    """

    def __init__(self, body: Body, free_bytes: int) -> None:
        super().__init__(body, body.return_layers)
        self.numbers: Sequence[int] = ()
        trained = [any(weight.requires_grad for weight in module.parameters()) for module in body.values()]
        first = trained.index(True) if any(trained) else len(trained)
        while first and list(body)[first - 1] not in self.return_layers:  # the rest goes on from a map that is returned
            first -= 1
        self._frozen, self._rest = list(body.items())[:first], list(body.items())[first:]
        self._free_bytes = free_bytes
        self._kept: dict[tuple[int, ...], Features] = {}

    @property
    def useful(self) -> bool:
        """Whether there is something to keep: a whole stage."""
        return bool(self._frozen)

    def forward(self, x: torch.Tensor) -> Features:
        """All stages' outputs of the (B, 3, H, W) images in :attr:`numbers`."""
        alone = [self._of(number, x[i : i + 1]) for i, number in enumerate(self.numbers)]
        out = {name: torch.cat([features[name] for features in alone]) for name in alone[0]}
        x = next(reversed(out.values()))
        for name, module in self._rest:
            x = module(x)
            if name in self.return_layers:
                out[self.return_layers[name]] = x
        return out

    def _of(self, number: int, x: torch.Tensor) -> Features:
        key = (number, *x.shape[2:])  # a batch pads its images to the largest
        if key in self._kept:
            return self._kept[key]
        features = {}
        for name, module in self._frozen:
            x = module(x)
            if name in self.return_layers:
                features[self.return_layers[name]] = _as_convolved(x.detach())
        size = sum(tensor.nbytes for tensor in features.values())
        if size <= self._free_bytes:
            self._free_bytes -= size
            self._kept[key] = features
        return features


def _as_convolved(x: torch.Tensor) -> torch.Tensor:
    """Features in the type that autocast gives the convolutions that come next: half as large, perhaps."""
    kind = x.device.type
    return x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x


@contextmanager
def reused(model: nn.Module) -> Iterator[FeatureCache | None]:
    """Let the network reuse what its frozen stages made of an image; None where there is nothing to reuse."""
    body = body_of(model)
    stages = FeatureCache(body, _free_bytes(next(model.parameters()).device))
    if not stages.useful:
        yield None
        return
    model.set_submodule("backbone.body", stages)
    try:
        yield stages
    finally:
        model.set_submodule("backbone.body", body)


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(MEMORY_FRACTION * torch.cuda.mem_get_info(device)[0])
    return int(MEMORY_FRACTION * memory_bytes())
