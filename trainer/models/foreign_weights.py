"""Weights files that are not ours, as torchvision, its training references and other frameworks write them.

Only data is read: torch's unpickler for weights refuses everything that could run code. Beyond torch's own list it may
build :class:`argparse.Namespace`, which holds the options of torchvision's references and runs nothing.
"""

from __future__ import annotations

import argparse
import pickle
import re
import warnings
from pathlib import Path
from typing import Any

import torch

from handforge.parse import is_lfs_pointer, lfs_text
from trainer.errors import CheckpointError
from trainer.models import checkpoint

WRAPPERS = ("model", "state_dict", "model_state_dict", "model_state", "network", "net", "weights")
"""Under which of these keys a training's checkpoint holds the weights, beside its optimiser and epoch."""
PREFIXES = ("module.", "_orig_mod.", "model.")
"""What DataParallel, torch.compile and Lightning put before every name."""
_MAGIC = (b"PK\x03\x04", b"\x80")
"""Begin of a zip archive, which torch has written since version 1.6, and of a pickle."""


def read_foreign(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors by name of a weights file that is not ours: ``.safetensors``, or PyTorch's ``.pth``.

    A checkpoint that wraps its weights (:data:`WRAPPERS`) gives those; what stands before every name
    (:data:`PREFIXES`) is taken off.

    :raises CheckpointError: if it is missing, damaged, or holds anything but plain weights.
    """
    if path.is_dir():
        raise CheckpointError(f"{path} is not a run folder: it holds no network.json")
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; init is coco, imagenet, none, shipped, a run or a weights file")
    if path.suffix == ".safetensors":
        return _named(checkpoint.read_weights(path))
    weights = _named(_unwrapped(_unpickled(path), path))
    checkpoint.check_plausible(weights, path)
    return weights


def _unpickled(path: Path) -> Any:
    if is_lfs_pointer(path):
        raise CheckpointError(lfs_text(path))
    with path.open("rb") as file:
        begin = file.read(4)
    if not begin:
        raise CheckpointError(f"{path} is empty; fetch it again")
    if not begin.startswith(_MAGIC):
        raise CheckpointError(f"{path} is not a weights file; init takes .safetensors, or PyTorch's .pth or .pt")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of older pickles
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:  # its text advises to run the file's code
        held = re.search(r"GLOBAL (\S+)", str(error))
        if held:
            raise CheckpointError(
                f"{path} holds no plain weights but also {held[1]}, which could run code and is not read; save "
                "model.state_dict() alone"
            ) from None
        raise CheckpointError(f"{path} holds no plain weights, or is damaged") from None
    except Exception as error:  # the reader raises whatever a damaged file leads it to
        if "TorchScript" in str(error):
            raise CheckpointError(f"{path} is an exported network (TorchScript); give the run it was made of") from None
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise CheckpointError(f"{path} is damaged ({reason:.200})") from None


def _unwrapped(found: Any, path: Path) -> dict[str, torch.Tensor]:
    for _ in range(3):  # {"model": {"state_dict": ...}}
        if isinstance(found, dict) and found and all(isinstance(value, torch.Tensor) for value in found.values()):
            if all(isinstance(name, str) for name in found):
                return found
            break
        inner = [found[key] for key in WRAPPERS if key in found] if isinstance(found, dict) else []
        if not inner:
            break
        found = inner[0]
    raise CheckpointError(f"{path} holds no weights by name, nor any under {', '.join(WRAPPERS)}")


def _named(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights without what stands before every name."""
    while prefix := next((one for one in PREFIXES if weights and all(n.startswith(one) for n in weights)), None):
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return weights
