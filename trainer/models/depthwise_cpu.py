"""Depthwise convolutions for training on a CPU: the same sums as oneDNN's in bfloat16, backwards several times as fast.

Of depthwise convolutions in bfloat16, oneDNN 3.x computes the gradient of 5x5 filters 3 to 6 times, and the gradient of
the input at stride 2 2 to 20 times as slowly as in float32. These layers are a small part of EfficientNet's arithmetic,
but were a fourth of a whole Mask R-CNN's step (docs/experiments/cost_of_imagenet.md). Here they compute in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import nn


@contextmanager
def quick(model: nn.Module) -> Iterator[None]:
    """Let the depthwise convolutions of a network on the CPU that gain by it compute in float32."""
    on_cpu = next(model.parameters()).device.type == "cpu"
    slow: list[Any] = [module for module in model.modules() if on_cpu and is_slow(module)]
    for module in slow:
        module.forward = partial(_in_float32, module)
    try:
        yield
    finally:
        for module in slow:
            del module.forward


def is_slow(module: nn.Module) -> bool:
    """Whether a module is a depthwise convolution with large filters or a stride."""
    if not isinstance(module, nn.Conv2d) or module.groups != module.in_channels or module.groups == 1:
        return False
    return max(module.kernel_size) >= 5 or max(module.stride) > 1


def _in_float32(module: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", enabled=False):
        return type(module).forward(module, x.float()).to(x.dtype)
