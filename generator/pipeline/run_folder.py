"""A run's folder while it is being made: whose it is, and finishing it.

Until a run is finished its folder holds ``.partial/``: ``run.json`` says what is being made, and one
``records-*.jsonl`` a writer holds the frames that are done. A frame is done when its record is; its image and mask
were written before. Records are appended one line at a time, and put together once, when the last frame is done.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from generator.errors import RunError
from generator.frame.settings import PATHS, RenderSettings, load, upgrade
from generator.hand.plausibility import PoseCounts
from generator.objects import categories
from generator.pipeline.records import PARTIAL, read_records, remedy
from handforge import dataset
from handforge.dataset import contact_sheet
from handforge.files import dump_json, write_atomic
from handforge.parse import parse_json

_OLD = ".partial.old"
"""The same where the run is finished, until it is removed."""


def is_finished(out: Path) -> bool:
    """Whether a folder holds a finished run."""
    return (out / "dataset.json").exists() and not (out / PARTIAL).exists()


class RunState(TypedDict):
    """What the folder keeps of a run: what makes two runs the same, and what dataset.json says beyond that."""

    settings: dict[str, Any]
    """Their JSON; files and folders by their names."""
    poses_sha256: str
    backgrounds_sha256: NotRequired[str]
    """Of what the settings name, as the next two."""
    objects_sha256: NotRequired[str]
    rig_sha256: NotRequired[str]
    versions: dict[str, str]
    frames: NotRequired[int]
    """How many; while it is unfinished."""
    counts: dict[str, PoseCounts]
    """By pose set."""


# ---------------------------------------------------------------- whose folder it is


def is_unfinished(out: Path) -> bool:
    """Whether a folder holds a run that was begun and is not finished."""
    return (out / PARTIAL / "run.json").exists()


def named(settings: RenderSettings) -> dict[str, Any]:
    """The settings as the folder has them; files and folders by their names, wherever they lie."""
    paths = {name: getattr(settings, name) for name in PATHS}
    return settings.to_json() | {name: Path(path).name for name, path in paths.items() if path is not None}


def check(out: Path, settings: RenderSettings) -> None:
    """Refuse a folder that holds something other than a run of these settings.

    :raises RunError: naming the folder and the difference.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise RunError(f"{out} is a file; give a folder for --out")
    stored = state(out)
    if stored is None and any(path.name != PARTIAL for path in out.iterdir()):
        raise RunError(f"{out} is not empty and holds no rendering run; give a new or empty folder for --out")
    if stored is not None:
        _compare(out, stored["settings"], named(settings), _SAME_SETTINGS)


def check_sources(out: Path, sources: Mapping[str, str]) -> None:
    """Refuse a folder whose run was made of other poses, backgrounds or another rig, by the digests of those.

    :raises RunError: naming what differs.
    """
    stored: Mapping[str, object] = state(out) or {}
    _compare(out, {name: stored.get(name) for name in sources}, sources, "give another folder for --out")


def state(out: Path) -> RunState | None:
    """What a folder says of the run that it holds, finished or not; None if it holds none."""
    for path in (out / PARTIAL / "run.json", out / "dataset.json"):
        if path.exists():
            stored = parse_json(path.read_bytes(), path, RunError)
            if not isinstance(stored, dict) or "poses_sha256" not in stored:
                if path.name == "dataset.json":  # of a dataset that was not rendered
                    return None
                raise RunError(f"{path} does not describe a run; somebody has edited it: give another folder for --out")
            return _checked(cast("RunState", stored), path)
    return None


def begun(out: Path) -> RunState:
    """What the folder of an unfinished run says of it.

    :raises RunError: if it is finished.
    """
    run = state(out)
    if run is None or "frames" not in run:
        raise RunError(f"{out} was finished by another process that rendered into it; it is complete")
    return run


MOST_FRAMES = 10_000_000


def _checked(stored: RunState, path: Path) -> RunState:
    """What a run's file says, its settings by their present names.

    :raises RunError: if a value cannot be of a run.
    """
    try:
        stored = {**stored, "settings": named(load(None, upgrade(stored["settings"])))}  # with those that are newer
        names = [stored["poses_sha256"], *stored.get("versions", {}).values()]
        frames, counts = stored.get("frames", 1), stored.get("counts", {})
        if not all(isinstance(name, str) for name in names):
            raise ValueError("poses_sha256 and versions are not texts")
        if type(frames) is not int or not 1 <= frames <= MOST_FRAMES or not isinstance(counts, dict):
            raise ValueError("frames is not a number of frames, or counts is no table")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}); give another folder for --out") from None
    return stored


def claim(out: Path, run: RunState) -> None:
    """Make the run's folders, or see that what is there is this very run.

    :raises RunError: naming the difference, if it is another.
    """
    stored = state(out)
    if stored is not None:
        _same(out, stored, run)
    (out / PARTIAL).mkdir(parents=True, exist_ok=True)
    write_atomic(out / PARTIAL / "run.json", dump_json(run))
    for name in _folders(run):  # last: a folder without run.json is nobody's
        (out / name).mkdir(exist_ok=True)


def _folders(run: RunState) -> list[str]:
    """Folders of a run's images and ground-truth maps."""
    return [
        "images",
        "masks",
        *(name for name in dataset.GROUND_TRUTH_MAPS if name in run["settings"].get("ground_truth", "").split(",")),
    ]


_SAME_SETTINGS = "give the same settings to continue it, or another folder for --out"


_DIGESTS = {name: f"{name}_sha256" for name in ("poses", "backgrounds", "objects", "rig")}


def _same(out: Path, stored: RunState, run: RunState) -> None:
    _compare(out, stored["settings"], run["settings"], _SAME_SETTINGS)
    _compare(out, _made_of(stored), _made_of(run), "give another folder for --out")


def _made_of(run: RunState) -> dict[str, object]:
    return {**{name: run.get(key) for name, key in _DIGESTS.items()}, **run.get("versions", {})}


def differences(one: RunState, other: RunState) -> str:
    """What two runs differ in, as ``seed is 0 there and 1 here``; empty if they are the same."""
    first, second = ({**run["settings"], **_made_of(run)} for run in (one, other))
    return _differing(first, second, "{} is {!r} there and {!r} here")


def _compare(out: Path, stored: Mapping[str, object], asked: Mapping[str, object], what_to_do: str) -> None:
    if differing := _differing(stored, asked, "{} was {!r}, now {!r}"):
        raise RunError(f"{out} holds another run: {differing}; {what_to_do}")


def _differing(one: Mapping[str, object], other: Mapping[str, object], text: str) -> str:
    return ", ".join(
        text.format(name, one[name], other.get(name))
        for name in one
        if one[name] != other.get(name) and (name, other.get(name)) != ("engine", "auto")
    )


# ---------------------------------------------------------------- the end of a run


def finish(out: Path) -> None:
    """Put the records together and remove what only an unfinished run needs.

    :raises RunError: if a frame is missing, or another process has finished the run meanwhile.
    """
    run = begun(out)
    records = read_records(out)
    count = run.pop("frames")
    missing = [number for number in range(count) if number not in records]
    if missing:
        text = f"{len(missing):,} of {count:,} frames are missing, the first is {missing[0]}"
        raise RunError(f"{out}: {text}; {remedy(out, missing)}")
    if hasattr(os, "sync"):  # not on Windows
        os.sync()
    inorder = [records[number] for number in range(count)]
    kinds = categories.used(inorder) if run["settings"].get("object_annotations") else None
    dataset.assemble(out, inorder, {**run}, kinds)
    contact_sheet.write(out)
    for path in (out, *(out / name for name in _folders(run))):
        for leftover in path.glob(".*.tmp"):  # of a writer that was killed
            leftover.unlink()
    (out / PARTIAL).rename(out / _OLD)  # at once: without its run.json it would be nobody's
    remove_leftovers(out)


def remove_leftovers(out: Path) -> None:
    """Remove what a finished run leaves when it is killed at its very end."""
    shutil.rmtree(out / _OLD, ignore_errors=True)
