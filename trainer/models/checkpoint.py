"""Weights on disk: safetensors, with a JSON beside them that says what they are. A file is only ever data.

``network.safetensors`` holds the tensors under their names in the model; ``network.json``::

    {"format": "handforge-network-1", "task": "segmentation", "architecture": {...}, "images": {...},
     "recipe": name, "seed": n, "sessions": [...]}         # the history that led to these weights

The state of an unfinished run is one safetensors file too (weights as ``network.NAME``, what the optimiser keeps of a
weight as ``optimizer.KEY.NAME``), its position in the file's own metadata, so that both change at once.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from handforge.files import dump_json, write_atomic
from trainer.config.old_names import description_with_new_names
from trainer.errors import CheckpointError

FORMAT = "handforge-network-1"
NETWORK = "network.safetensors"
STATE = "state.safetensors"
SESSIONS = "sessions"


def _file(path: Path) -> Path:
    """The weights file meant by a run folder or a file."""
    return path / NETWORK if path.is_dir() else path


def session_network(run: Path, number: int) -> Path:
    """Where a run keeps the network of a session, counted from 1."""
    return run / SESSIONS / f"{number:02d}.safetensors"


def session_numbers(run: Path) -> list[int]:
    """The sessions whose networks a run has kept, in order."""
    files = (run / SESSIONS).glob("*.safetensors")
    return sorted(int(file.stem) for file in files if file.stem.isdecimal())


def session_file(path: Path, session: int | str) -> Path:
    """The weights of a session of a run.

    :param path: a run folder; or a weights file, which is one session's: then ``session`` is ``best``.
    :param session: ``best``, ``last``, or a number from 1.
    :raises CheckpointError: if the run has no such session, or has not kept its network.
    """
    if session == "best":
        return path
    kept = session_numbers(path)
    number = (kept[-1] if kept else 0) if session == "last" else int(session)
    if number not in kept:
        there = f"it has kept those of {', '.join(map(str, kept))}" if kept else "it has kept none"
        raise CheckpointError(f"{path} has no network of session {session}; {there} (train with --keep)")
    return session_network(path, number)


def is_ours(path: Path) -> bool:
    """Whether a run folder or weights file has our description beside it."""
    return _file(path).with_suffix(".json").is_file()


def write_network(path: Path, weights: dict[str, torch.Tensor], description: dict[str, Any]) -> None:
    """Write weights and the description beside them, each atomically; ``path`` is the ``.safetensors`` file."""
    text = dump_json({"format": FORMAT, **description})
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, safetensors.torch.save(_plain(weights)))
    write_atomic(path.with_suffix(".json"), text)


def _plain(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().to("cpu", memory_format=torch.contiguous_format) for name, tensor in weights.items()}


def read_description(path: Path) -> dict[str, Any]:
    """What a run's network, or a weights file, is.

    :raises CheckpointError: if there is none, or it is not in our form.
    """
    file = _file(path)
    if not file.is_file():
        hint = "give a run folder or .safetensors file"
        if path.is_dir():
            begun = (path / "run.json").is_file()
            hint = "the run has not finished a session yet" if begun else f"{path} is no run folder"
        raise CheckpointError(f"{file} is missing; {hint}")
    beside = file.with_suffix(".json")
    try:
        description = json.loads(beside.read_bytes())
        if description["format"] != FORMAT:
            raise CheckpointError(f"{beside} is in the form {description['format']!r}, not {FORMAT!r}")
        description = description_with_new_names(description)
        for key in ("architecture", "images"):
            if not isinstance(description[key], dict):
                raise KeyError(key)
        return description
    except FileNotFoundError:
        raise CheckpointError(f"{beside} is missing; the weights need the description written with them") from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{beside} describes no network ({error!r})") from None


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's network or of a ``.safetensors`` file.

    :raises CheckpointError: if the file is missing or damaged, or a value is NaN or infinite: such a network finds
        nothing, in silence.
    """
    file = _file(path)
    try:
        weights = safetensors.torch.load_file(file)
        if bad := [name for name, tensor in weights.items() if not tensor.isfinite().all()]:
            raise CheckpointError(
                f"{file} has values that are NaN or infinite, in {bad[0]} and {len(bad) - 1} more; its training "
                "diverged, or the file is damaged"
            )
        return weights
    except FileNotFoundError:
        raise CheckpointError(f"{file} is missing; give a run folder or .safetensors file") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} is damaged or no safetensors file ({error})") from None


def read_foreign(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a weights file that is not ours: ``.safetensors``, or torchvision's ``.pth`` as pure data.

    :raises CheckpointError: if it is missing, damaged, or holds anything but tensors by name.
    """
    if path.suffix == ".safetensors":
        return read_weights(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is no run folder: it holds no network.json")
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; init is coco, imagenet, none, a run folder or a weights file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # the unpickler raises whatever a damaged or unsafe file leads it to
        raise CheckpointError(f"{path} holds no plain weights ({str(error).splitlines()[0]})") from None
    if not isinstance(state, dict) or not all(isinstance(t, torch.Tensor) for t in state.values()):
        raise CheckpointError(f"{path} holds no weights by name")
    return state


def write_state(path: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, position: dict[str, Any]) -> None:
    """Write where a run stands: weights, optimiser, and ``position`` (plain JSON), in one atomic file."""
    tensors = {f"network.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, kept in optimizer.state.get(parameter, {}).items():
            if kept is not None:
                tensors[f"optimizer.{key}.{name}"] = kept
    write_atomic(path, safetensors.torch.save(_plain(tensors), metadata={"position": json.dumps(position)}))


def read_state(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Position, weights, and what the optimiser keeps (``KEY.NAME``), of an unfinished run.

    :raises CheckpointError: if the file is damaged.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            position = json.loads(file.metadata()["position"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        parts: dict[str, dict[str, torch.Tensor]] = {"network": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            parts[kind][rest] = tensor
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); start the run anew in another folder") from None
    return position, parts["network"], parts["optimizer"]


def set_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer, kept: dict[str, torch.Tensor]) -> None:
    """Give an optimiser what it kept of each weight: SGD and Muon a momentum, AdamW its step and two moments."""
    parameters = dict(model.named_parameters())
    for key_and_name, tensor in kept.items():
        key, _, name = key_and_name.partition(".")
        parameter = parameters[name]
        if tensor.shape == parameter.shape:  # laid out in memory as the weight is
            tensor = torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(tensor)
        optimizer.state[parameter][key] = tensor.to(parameter.device)  # AdamW's step, too
