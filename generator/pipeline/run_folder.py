"""A run's folder while it is being made: whose it is, which frames are done, finishing it, joining several.

Until a run is finished its folder holds ``.partial/``: ``run.json`` says what is being made, and one
``records-*.jsonl`` a writer holds the frames that are done. A frame is done when its record is; its image and mask
were written before. Records are appended one line at a time, and put together once, when the last frame is done.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from generator.frame.settings import PATHS, RenderSettings, upgrade
from generator.objects import categories
from handforge import dataset
from handforge.dataset import contact_sheet
from handforge.errors import HandforgeError
from handforge.files import dump_json, write_atomic

PARTIAL = ".partial"
_OLD = ".partial.old"
"""The same where the run is finished, until it is removed."""


class RunError(HandforgeError):
    """A run that cannot be started or went wrong; the text names the folder and what to do."""


class Records:
    """A writer's own file of records in a run's folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        handle, _ = tempfile.mkstemp(".jsonl", "records-", out / PARTIAL)
        self._file = os.fdopen(handle, "wb", buffering=0)

    def add(self, number: int, record: dict[str, Any], files: dict[str, bytes]) -> None:
        """Write a frame's files, by their paths in the folder, and then, in one write, that it is done.

        Nothing waits for the disk here: after a power cut a file may be shorter than its record says, and then the
        frame counts as not done.
        """
        for path, data in files.items():
            write_atomic(self._out / path, data, sync=False)
        entry = {"number": number, "record": record, "files": {path: len(data) for path, data in files.items()}}
        line = b"\n" + json.dumps(entry).encode() + b"\n"  # not joined to one that was cut short
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_records(out: Path) -> dict[int, dict[str, Any]]:
    """The records of the frames that are done, by number."""
    return {number: entry["record"] for number, entry in _entries(out).items()}


def _entries(out: Path) -> dict[int, dict[str, Any]]:
    """What :meth:`Records.add` wrote, by number.

    A line cut short by a kill or a full disk is no entry, nor is one whose files are not there in full.
    """
    entries = {}
    for path in sorted((out / PARTIAL).glob("records-*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
                number, _ = entry["number"], entry["record"]
                if all(_whole(out, name, size) for name, size in entry["files"].items()):
                    entries[number] = entry
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
    return entries


def _whole(out: Path, name: str, size: int) -> bool:
    try:
        return len(Path(name).parts) == 2 and ".." not in name and (out / name).stat().st_size == size
    except OSError:
        return False


def is_finished(out: Path) -> bool:
    """Whether a folder holds a finished run."""
    return (out / "dataset.json").exists() and not (out / PARTIAL).exists()


# ---------------------------------------------------------------- whose folder it is


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


def check_sources(out: Path, sources: dict[str, Any]) -> None:
    """Refuse a folder whose run was made of other poses, backgrounds or another rig, by the digests of those.

    :raises RunError: naming what differs.
    """
    stored = state(out)
    _compare(out, {name: (stored or {}).get(name) for name in sources}, sources, "give another folder for --out")


def state(out: Path) -> dict[str, Any] | None:
    """What a folder says of the run that it holds, finished or not; None if it holds none."""
    for path in (out / PARTIAL / "run.json", out / "dataset.json"):
        if path.exists():
            try:
                stored = json.loads(path.read_bytes())
            except ValueError as error:
                raise RunError(f"{path} is not valid JSON ({error}); give another folder for --out") from None
            if "poses_sha256" not in stored:
                return None
            return stored | {"settings": upgrade(stored["settings"])}
    return None


def claim(out: Path, run: dict[str, Any]) -> None:
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


def _folders(run: dict[str, Any]) -> list[str]:
    """Folders of a run's images and ground-truth maps."""
    return [
        "images",
        "masks",
        *(name for name in dataset.GROUND_TRUTH_MAPS if name in run["settings"].get("ground_truth", "").split(",")),
    ]


_SAME_SETTINGS = "give the same settings to continue it, or another folder for --out"


def _same(out: Path, stored: dict[str, Any], run: dict[str, Any]) -> None:
    _compare(out, stored["settings"], run["settings"], _SAME_SETTINGS)
    digests = {"poses": "poses_sha256", "backgrounds": "backgrounds_sha256", "rig": "rig_sha256"}
    one, other = ({name: r.get(key) for name, key in digests.items()} | r["versions"] for r in (stored, run))
    _compare(out, one, other, "give another folder for --out")


def _compare(out: Path, stored: dict[str, Any], asked: dict[str, Any], remedy: str) -> None:
    differences = [
        f"{name} was {stored[name]!r}, now {asked.get(name)!r}"
        for name in stored
        if stored[name] != asked.get(name) and (name, asked.get(name)) != ("engine", "auto")
    ]
    if differences:
        raise RunError(f"{out} holds another run: {', '.join(differences)}; {remedy}")


# ---------------------------------------------------------------- the end of a run


def finish(out: Path) -> None:
    """Put the records together and remove what only an unfinished run needs.

    :raises RunError: if a frame is missing, or another process has finished the run meanwhile.
    """
    run = state(out)
    if run is None or "frames" not in run:
        raise RunError(f"{out} was finished by another process that rendered into it; it is complete")
    records = read_records(out)
    count = run.pop("frames")
    missing = [number for number in range(count) if number not in records]
    if missing:
        raise RunError(f"{out}: {len(missing):,} of {count:,} frames are missing, the first is {missing[0]}")
    if hasattr(os, "sync"):  # not on Windows
        os.sync()
    inorder = [records[number] for number in range(count)]
    kinds = categories.used(inorder) if run["settings"].get("object_annotations") else None
    dataset.assemble(out, inorder, run, kinds)
    contact_sheet.write(out)
    for path in (out, *(out / name for name in _folders(run))):
        for leftover in path.glob(".*.tmp"):  # of a writer that was killed
            leftover.unlink()
    (out / PARTIAL).rename(out / _OLD)  # at once: without its run.json it would be nobody's
    remove_leftovers(out)


def remove_leftovers(out: Path) -> None:
    """Remove what a finished run leaves when it is killed at its very end."""
    shutil.rmtree(out / _OLD, ignore_errors=True)


def merge(out: Path, parts: list[Path]) -> None:
    """Finish a run that was rendered in shards: into one folder, or into several that are copied together.

    :param out: where all of it goes; new, or one that shards were rendered into.
    :param parts: the folders of the other shards; they stay as they are.
    :raises RunError: if a folder holds no unfinished run, they are of different runs, or frames are missing.
    """
    started = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if not started and not parts:
        raise RunError(f"{out} holds no shard; name the folder that the shards were rendered into, or theirs after it")
    if started and is_finished(out):
        remove_leftovers(out)
        raise RunError(f"{out} is complete already")
    for part in (*([out] if started else []), *parts):
        if not (part / PARTIAL / "run.json").exists():
            raise RunError(f"{part} holds no shard; render one with: hand-generator render --shard I/N --out {part}")
    for part in parts:
        run = state(part)
        assert run is not None
        claim(out, run)
        _copy(part, out)
    finish(out)


def _copy(part: Path, out: Path) -> None:
    """Copy the frames of one folder to another, each file before its record."""
    have = read_records(out)
    records = Records(out)
    for number, entry in _entries(part).items():
        if number not in have:
            records.add(number, entry["record"], {path: (part / path).read_bytes() for path in entry["files"]})
    records.close()
