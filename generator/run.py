"""A rendering run: which frames, into which folder, by which workers; continued wherever it was stopped.

A run's folder holds ``.partial/`` until it is finished: ``run.json`` says what is being made, and one
``records-*.jsonl`` a worker holds the frames that are done. A frame is done when its record is; its picture and mask
were on disk before. Records are appended one line at a time, and put together once, when the last frame is done.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from generator import __version__, dataset, plausibility, preview, surface, sweep
from generator.camera import Camera
from generator.settings import RenderSettings
from generator.workers import Item, Workers

PARTIAL = ".partial"

Progress = Callable[[int, int], None]
"""Told the number of frames done and of all frames, whenever some more are done."""


class RunError(ValueError):
    """A run that cannot be started or went wrong; the text names the folder and what to do."""


@dataclass(frozen=True)
class Plan:
    """The frames of a run.

    :param settings: the run's.
    :param poses: the pose of each frame, with its set and its index there.
    :param counts: per set ``{"poses": n, "kept": n, "dropped": {reason: n}}``.
    """

    settings: RenderSettings
    poses: sweep.PoseSet
    counts: dict[str, Any]

    def item(self, number: int) -> Item:
        """One frame as the workers take it."""
        meta = {"set": self.poses.names[number], "frame": int(self.poses.frames[number])}
        return Item(number, self.poses.poses[number], meta)


def plan(settings: RenderSettings) -> Plan:
    """Choose the frames: ``count`` poses spread evenly over the plausible ones of the set.

    :raises ValueError: if the set does not exist, none of its poses is plausible, or fewer are than asked for.
    """
    chosen = sweep.select(settings.set)
    distance = 1.0 if isinstance(settings.distance, str) else settings.distance
    reasons = plausibility.judge(chosen.poses, camera=Camera(*settings.size, distance, settings.focal_mm))
    kept = np.flatnonzero(reasons == "")
    count = len(kept) if settings.count is None else settings.count
    if not len(kept):
        raise RunError(
            f"none of the {len(chosen):,} poses of {settings.set} is plausible; hand-generator poses says why"
        )
    if count > len(kept):
        raise RunError(f"{settings.set} has {len(kept):,} plausible poses, {count:,} were asked for; lower --count")
    picked = kept[np.arange(count) * len(kept) // count]
    return Plan(settings, chosen.take(picked), _counts(chosen, reasons))


def _counts(chosen: sweep.PoseSet, reasons: np.ndarray) -> dict[str, Any]:
    names = np.array(chosen.names)
    counts = {}
    for name in dict.fromkeys(chosen.names):
        found, numbers = np.unique(reasons[names == name], return_counts=True)
        by_reason = dict(zip(found.tolist(), numbers.tolist(), strict=True))
        kept = by_reason.pop("", 0)
        counts[name] = {"poses": int((names == name).sum()), "kept": kept, "dropped": by_reason}
    return counts


def render(settings: RenderSettings, out: Path, workers: int, progress: Progress) -> bool:
    """Render a dataset into ``out``, or what is missing of it.

    The finished folder's bytes depend on the settings alone: not on the number of workers, nor on how often and where
    the run was stopped.

    :returns: False if it was finished already.
    :raises ValueError: if ``out`` is not ours or holds another run, or the run cannot be done.
    """
    _check_folder(out, settings)
    if is_finished(out):
        return False
    frames = plan(settings)
    surface.build()  # meshed here once if it is in no cache yet, rather than in each worker
    with Workers(workers, len(frames.poses)) as crew:
        settings, blender = crew.start(settings)
        frames = replace(frames, settings=settings)
        _claim(out, frames, blender)
        done = read_records(out)
        todo = [number for number in range(len(frames.poses)) if number not in done]
        progress(len(done), len(frames.poses))
        for finished in crew.render(out, (frames.item(number) for number in todo)):
            progress(len(done) + finished, len(frames.poses))
    finish(out, frames, blender)
    return True


def is_finished(out: Path) -> bool:
    """Whether a folder holds a finished run."""
    return (out / "dataset.json").exists() and not (out / PARTIAL).exists()


def read_records(out: Path) -> dict[int, dict[str, Any]]:
    """The records of the frames that are done, by number. A line cut short by a kill or a full disk is no record."""
    records = {}
    for path in sorted((out / PARTIAL).glob("records-*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
                records[entry["number"]] = entry["record"]
            except (ValueError, TypeError, KeyError):
                continue
    return records


def finish(out: Path, frames: Plan, blender: str) -> None:
    """Put the records together and remove what only an unfinished run needs.

    :raises RunError: if a frame is missing.
    """
    records = read_records(out)
    missing = [number for number in range(len(frames.poses)) if number not in records]
    if missing:
        raise RunError(f"{out}: {len(missing):,} frames are missing (the first is {missing[0]}); render them first")
    info = {**_identity(frames, blender), "counts": frames.counts}
    dataset.assemble(out, (records[number] for number in range(len(frames.poses))), info)
    preview.write(out)
    for folder in (out, out / "images", out / "masks"):
        for leftover in folder.glob(".*.tmp"):  # of a writer that was killed
            leftover.unlink()
    shutil.rmtree(out / PARTIAL)


# ---------------------------------------------------------------- whose folder it is


def _identity(frames: Plan, blender: str) -> dict[str, Any]:
    """What makes two runs the same."""
    return {
        "settings": _named(frames.settings),
        "poses_sha256": hashlib.sha256(frames.poses.poses.tobytes()).hexdigest(),
        "versions": {"handforge": __version__, "blender": blender},
    }


def _named(settings: RenderSettings) -> dict[str, Any]:
    """The settings as the folder has them; a file of poses by its name, wherever it lies."""
    return {**settings.to_json(), "set": Path(settings.set).name}


def _check_folder(out: Path, settings: RenderSettings) -> None:
    """Refuse a folder that is not ours, or that holds a run of other settings."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise RunError(f"{out} is a file; give a folder for --out")
    stored = _stored(out)
    if stored is None and any(path.name != PARTIAL for path in out.iterdir()):
        raise RunError(f"{out} is not empty and holds no rendering run; give a new or empty folder for --out")
    if stored is not None:
        _compare(out, stored["settings"], _named(settings), _SAME_SETTINGS)


def _stored(out: Path) -> dict[str, Any] | None:
    """The identity that a folder holds; None if there is none."""
    for path in (out / PARTIAL / "run.json", out / "dataset.json"):
        if path.exists():
            try:
                stored = json.loads(path.read_bytes())
            except ValueError as error:
                raise RunError(f"{path} is no valid JSON ({error}); give another folder for --out") from None
            return stored if "poses_sha256" in stored else None
    return None


_SAME_SETTINGS = "give the same settings to continue it, or another folder for --out"


def _compare(out: Path, stored: dict[str, Any], asked: dict[str, Any], remedy: str) -> None:
    differences = [
        f"{name} was {stored[name]!r}, now {asked.get(name)!r}"
        for name in stored
        if stored[name] != asked.get(name) and (name, asked.get(name)) != ("engine", "auto")
    ]
    if differences:
        raise RunError(f"{out} holds another run: {', '.join(differences)}; {remedy}")


def _claim(out: Path, frames: Plan, blender: str) -> None:
    """Make the run's folders, or check that what is there is this very run."""
    identity = _identity(frames, blender)
    path = out / PARTIAL / "run.json"
    if stored := _stored(out):
        _compare(out, stored["settings"], identity["settings"], _SAME_SETTINGS)
        flat = {"poses": identity["poses_sha256"], **identity["versions"]}
        _compare(out, {"poses": stored["poses_sha256"], **stored["versions"]}, flat, "give another folder for --out")
    for folder in (out / "images", out / "masks", path.parent):
        folder.mkdir(parents=True, exist_ok=True)
    dataset.write_atomic(path, dataset.dump_json(identity))
