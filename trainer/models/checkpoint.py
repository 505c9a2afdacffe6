"""Weights on disk: safetensors, with a JSON beside them that says what they are. A file is only ever data.

``network.safetensors`` holds the tensors under their names in the model; ``network.json``::

    {"format": "handforge-network-1", "task": "segmentation", "architecture": {...}, "images": {...},
     "recipe": name, "seed": n, "sessions": [...],         # the history that led to these weights
     "weights_sha256": "..."}                              # of the safetensors file, so that no other is taken for it

The state of an unfinished run is one safetensors file too (weights as ``network.NAME``, what the optimiser keeps of a
weight as ``optimizer.KEY.NAME``), its position in the file's own metadata, so that both change at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, cast

import safetensors
import safetensors.torch
import torch

from handforge.files import dump_json, write_atomic
from handforge.parse import is_lfs_pointer, lfs_text, parse_json
from handforge.run_records import SessionRecord
from trainer.config.description import NetworkDescription, description_problems
from trainer.config.old_names import description_with_new_names
from trainer.config.recipe import LayerWord
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


def delete_session_network(run: Path, number: int) -> None:
    """Delete the network of a session and its description."""
    file = session_network(run, number)
    file.with_suffix(".json").unlink(missing_ok=True)
    file.unlink()


def session_file(path: Path, session: int | str) -> Path:
    """The weights of a session of a run.

    :param path: a run folder; or a weights file, which is one session's: then ``session`` is ``best``.
    :param session: ``best``, ``last``, or a number from 1.
    :raises CheckpointError: if the run has no such session, or has not kept its network.
    """
    if session == "best":
        return path
    if session != "last" and type(session) is not int:
        raise CheckpointError(f"session is best, last or the number of a session, from 1, not {session!r}")
    if path.is_file():
        raise CheckpointError(f"{path} is the network of one session; --session is for a run folder")
    if not path.exists():
        raise CheckpointError(f"{path} is missing; give a run folder")
    kept = session_numbers(path)
    number = (kept[-1] if kept else 0) if session == "last" else session
    if number not in kept:
        there = f"it has kept those of {', '.join(map(str, kept))}" if kept else "it has kept none"
        raise CheckpointError(f"{path} has no network of session {session}; {there} (as its --keep says)")
    return session_network(path, number)


def is_ours(path: Path) -> bool:
    """Whether a run folder or weights file has our description beside it."""
    file = _file(path)
    return file.suffix == ".safetensors" and file.with_suffix(".json").is_file()


def write_network(path: Path, weights: dict[str, torch.Tensor], description: NetworkDescription) -> None:
    """Write weights and the description beside them, each atomically; ``path`` is the ``.safetensors`` file.

    The description has the weights' SHA-256: where a kill between the two leaves an older one, :func:`read_weights`
    refuses the pair.
    """
    content = safetensors.torch.save(_plain(weights))
    text = dump_json({"format": FORMAT, **description, "weights_sha256": hashlib.sha256(content).hexdigest()})
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, content)
    write_atomic(path.with_suffix(".json"), text)


def _plain(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().to("cpu", memory_format=torch.contiguous_format) for name, tensor in weights.items()}


def read_description(path: Path) -> NetworkDescription:
    """What a run's network, or a weights file, is.

    :raises CheckpointError: if there is none, it is not in our form, or a value is out of its range.
    """
    file = _file(path)
    if not file.is_file():
        hint = "give a run folder or .safetensors file"
        if path.is_dir():
            begun = (path / "run.json").is_file()
            hint = "the run has not finished a session yet" if begun else f"{path} is not a run folder"
        raise CheckpointError(f"{file} is missing; {hint}")
    if file.suffix != ".safetensors":
        raise CheckpointError(f"{file} is not a .safetensors file; give one, or a run folder")
    beside = file.with_suffix(".json")
    try:
        description = parse_json(beside.read_bytes(), beside, CheckpointError)
    except FileNotFoundError:
        raise CheckpointError(f"{beside} is missing; the weights need the description written with them") from None
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise CheckpointError(f"{beside} does not describe a network (its format is not {FORMAT!r})")
    description = description_with_new_names(description)
    for key in ("architecture", "images"):
        if not isinstance(description.get(key), dict):
            raise CheckpointError(f"{beside} does not describe a network ({key} is not there)")
    sessions = description.get("sessions") or []
    if not isinstance(sessions, list) or not all(isinstance(one, dict) for one in sessions):
        raise CheckpointError(f"{beside} does not describe a network (its sessions are no list of objects)")
    if problems := description_problems(description["architecture"], description["images"]):
        raise CheckpointError(f"{beside} describes a network that cannot be built: {'; '.join(problems)}")
    return cast("NetworkDescription", description)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a run's network or of a ``.safetensors`` file.

    :raises CheckpointError: if the file is missing or damaged, a value is out of range (:func:`implausible`), or our
        description beside it is of other weights.
    """
    file = _file(path)
    if is_lfs_pointer(file):
        raise CheckpointError(lfs_text(file))
    try:
        weights = safetensors.torch.load_file(file)
    except FileNotFoundError:
        raise CheckpointError(f"{file} is missing; give a run folder or .safetensors file") from None
    except (safetensors.SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} is damaged or not a safetensors file ({error})") from None
    check_plausible(weights, file)
    if stated := _sha256_beside(file):
        with file.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != stated:
                raise CheckpointError(
                    f"{file} has other weights than {file.with_suffix('.json').name} beside it describes, as after a "
                    "command that was killed while it wrote the two; run that command again, or copy both files anew"
                )
    return weights


def _sha256_beside(file: Path) -> str | None:
    """What our description beside weights says of their bytes; None without one, or where it says nothing."""
    try:
        stated = json.loads(file.with_suffix(".json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return stated.get("weights_sha256") if isinstance(stated, dict) and stated.get("format") == FORMAT else None


MOST = 1e6
"""The largest absolute value of a weight. Those of trained networks, with BatchNorm's statistics, stay below 1e4."""


def implausible(weights: Mapping[str, torch.Tensor]) -> str | None:
    """Say which weights are NaN, infinite or above :data:`MOST`: such a network finds nothing, in silence.

    :returns: None if none are.
    """
    floating = {name: tensor.float() for name, tensor in weights.items() if tensor.is_floating_point()}
    if bad := [name for name, tensor in floating.items() if not tensor.isfinite().all()]:
        return f"values that are NaN or infinite, in {_first(bad)}"
    if bad := [name for name, tensor in floating.items() if tensor.numel() and tensor.abs().max() > MOST]:
        return f"values above {MOST:,.0f}, in {_first(bad)}"
    return None


def _first(names: list[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]


def check_plausible(weights: Mapping[str, torch.Tensor], file: Path) -> None:
    """Refuse what :func:`implausible` finds wrong.

    :raises CheckpointError: naming the file that the weights are of.
    """
    if problem := implausible(weights):
        raise CheckpointError(f"{file} has {problem}; its training diverged, or the file is damaged")


class Position(TypedDict):
    """Where an unfinished run stands."""

    session: int
    """From 1."""
    step: int
    """How many of that session's are done."""
    sessions: list[SessionRecord]
    """Those that are finished."""
    best_session: int | None
    tried: dict[LayerWord, float] | None
    """The loss of each word that ``auto`` tried, once it has."""


def write_state(path: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, position: Position) -> None:
    """Write where a run stands: weights, optimiser, and position, in one atomic file."""
    tensors = {f"network.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        for key, kept in optimizer.state.get(parameter, {}).items():
            if kept is not None:
                tensors[f"optimizer.{key}.{name}"] = kept
    write_atomic(path, safetensors.torch.save(_plain(tensors), metadata={"position": json.dumps(position)}))


def read_state(path: Path) -> tuple[Position, dict[str, torch.Tensor], dict[str, torch.Tensor]]:
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
    """Give an optimiser what it kept of each weight: SGD a momentum, AdamW its step and two moments."""
    parameters = dict(model.named_parameters())
    for key_and_name, tensor in kept.items():
        key, _, name = key_and_name.partition(".")
        parameter = parameters[name]
        if tensor.shape == parameter.shape:  # laid out in memory as the weight is
            tensor = torch.empty_like(parameter, memory_format=torch.preserve_format).copy_(tensor)
        optimizer.state[parameter][key] = tensor.to(parameter.device)  # AdamW's step, too
