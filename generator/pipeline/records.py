"""The frames of a run that are done, one line of JSON each, in a file of its own for every writer."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any, TypedDict

from generator.errors import RunError
from handforge import dataset
from handforge.dataset.coco_types import FrameRecord
from handforge.files import write_atomic
from handforge.text import quoted

PARTIAL = ".partial"
"""The folder, in a run's, of what only an unfinished run needs."""


class Entry(TypedDict):
    """A line of a file of records."""

    number: int
    record: FrameRecord
    files: dict[str, int]
    """The size in bytes of each, by its path in the folder."""


class Records:
    """A writer's own file of records in a run's folder."""

    def __init__(self, out: Path) -> None:
        self._out = out
        handle, _ = tempfile.mkstemp(".jsonl", "records-", out / PARTIAL)
        self._file = os.fdopen(handle, "wb", buffering=0)

    def add(self, number: int, record: FrameRecord, files: dict[str, bytes]) -> None:
        """Write a frame's files, by their paths in the folder, and then, in one write, that it is done.

        Nothing waits for the disk here: after a power cut a file may be shorter than its record says, and then the
        frame counts as not done.
        """
        for path, data in files.items():
            write_atomic(self._out / path, data, sync=False)
        entry: Entry = {"number": number, "record": record, "files": {path: len(data) for path, data in files.items()}}
        line = b"\n" + json.dumps(entry).encode() + b"\n"  # not joined to one that was cut short
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_records(out: Path) -> dict[int, FrameRecord]:
    """The records of the frames that are done, by number."""
    return {number: entry["record"] for number, entry in entries(out).items()}


def entries(out: Path) -> dict[int, Entry]:
    """What :meth:`Records.add` wrote, by number.

    A line cut short by a kill or a full disk is no entry, nor is one whose files are not there in full.

    :raises RunError: if one names a file outside the run's folders, as no run does.
    """
    found: dict[int, Entry] = {}
    for path in sorted((out / PARTIAL).glob("records-*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if not _is_entry(entry):
                continue
            for name in entry["files"]:
                _check_name(name, path)
            if all(_whole(out, name, size) for name, size in entry["files"].items()):
                found[entry["number"]] = entry
    return found


def _is_entry(entry: Any) -> bool:
    """Whether an entry is what :meth:`Records.add` writes, as far as finishing a run depends on it."""
    try:
        image, annotations = entry["record"]["image"], entry["record"]["annotations"]
        named = isinstance(entry["files"], dict) and f"images/{image['file_name']}" in entry["files"]
        sized = all(type(image[side]) is int for side in ("width", "height"))
        listed = all(type(a["category_id"]) is int and a["iscrowd"] in (0, 1) and "area" in a for a in annotations)
        return type(entry["number"]) is int and entry["number"] >= 0 and named and sized and listed
    except (TypeError, KeyError):
        return False


def _check_name(name: str, source: Path) -> None:
    folder, _, file = name.partition("/")
    if folder not in ("images", "masks", *dataset.GROUND_TRUTH_MAPS) or Path(file).name != file or file == "..":
        raise RunError(
            f"{source} names the file {name!r}, which is not in the run's folders; somebody has edited it: delete it, "
            "and render its frames again"
        )


def _whole(out: Path, name: str, size: int) -> bool:
    try:
        return (out / name).stat().st_size == size
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False


_SHARD = "shard-{}-of-{}"
"""A file of this name, empty, says that a shard was begun here."""
MOST_SHARDS = 100_000


def mark_shard(out: Path, shard: tuple[int, int]) -> None:
    """Note that a shard is rendered into a run's folder, so that those that are missing can be named."""
    if shard != (1, 1):
        (out / PARTIAL / _SHARD.format(*shard)).touch()


def marks(out: Path) -> list[Path]:
    """The marks of :func:`mark_shard`."""
    return sorted((out / PARTIAL).glob(_SHARD.format("*", "*")))


def remedy(out: Path, missing: list[int]) -> str:
    """Say which shards the missing frames are of, and what to do."""
    totals = {mark.name.rpartition("-")[2] for mark in marks(out)} & {str(number) for number in range(1, MOST_SHARDS)}
    if len(totals) != 1:
        return f"render them: the same handforge render command again, or the missing --shard, and merge {out}"
    total = int(*totals)
    shards = sorted({number % total + 1 for number in missing})
    names = ", ".join(f"{shard}/{total}" for shard in shards)
    return (
        f"{'shard' if len(shards) == 1 else 'shards'} {names} {'is' if len(shards) == 1 else 'are'} not complete: "
        f"render with --shard {shards[0]}/{total}, or name its folder after handforge dataset merge {quoted(out)}"
    )
