"""Depthwise convolutions for training on a CPU: the same sums as oneDNN's in bfloat16, backwards several times as fast.

Of depthwise convolutions in bfloat16, oneDNN 3.x computes the gradient of 5x5 filters 3 to 6 times, and the gradient of
the input at stride 2 2 to 20 times as slowly as in float32. These layers are a small part of EfficientNet's arithmetic,
but were a fourth of a whole Mask R-CNN's step (docs/experiments/cost_of_imagenet.md). Here they compute in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


class DepthwiseInFloat32(TorchFunctionMode):
    """While this is entered, the depthwise convolutions on the CPU that gain by it compute in float32."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is not torch.conv2d or not is_slow(*args, **(kwargs or {})):
            return func(*args, **(kwargs or {}))
        image, *rest = args
        with torch.autocast("cpu", enabled=False):
            return func(image.float(), *rest, **(kwargs or {})).to(image.dtype)


def is_slow(
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> bool:
    """Whether a convolution, as torch calls it, is a depthwise one on the CPU with large filters or a stride."""
    depthwise = image.device.type == "cpu" and 1 < groups == image.shape[1]
    return depthwise and (max(weight.shape[2:]) >= 5 or max(stride if isinstance(stride, tuple) else (stride,)) > 1)
