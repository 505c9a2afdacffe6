"""Several processes that train one network: ``torchrun --nproc-per-node 2 -m trainer repeat ...``.

Each process trains on its part of every batch; gradients and losses are averaged over all, so all hold the same
network. Only the first process writes. Without torchrun there is one process, and nothing here does anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import distributed


def rank() -> int:
    """The number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


@contextmanager
def group(device: torch.device) -> Iterator[None]:
    """The group of all processes that torchrun started; gloo on the CPU, NCCL on GPUs."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        distributed.destroy_process_group()


def local_device(name: str) -> str:
    """The GPU of this process where torchrun started several on one machine."""
    number = os.environ.get("LOCAL_RANK")
    return f"cuda:{number}" if name == "cuda" and number is not None else name


def barrier() -> None:
    """Wait until all processes are here."""
    if world() > 1:
        distributed.barrier()


def mean(values: torch.Tensor) -> torch.Tensor:
    """The mean of a tensor over all processes."""
    if world() > 1:
        values = values.detach().clone()
        distributed.all_reduce(values)
        values /= world()
    return values


def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Give all processes the mean of their gradients, in one message."""
    if world() == 1:
        return
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    for parameter in trained:
        if parameter.grad is None:  # a part of the network that this process's images did not use
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in trained if parameter.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= world()
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(part.view(gradient.shape))
