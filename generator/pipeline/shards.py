"""Rendering in shards, as for job arrays, and putting them together."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from generator.errors import RunError
from generator.pipeline import run_folder
from generator.pipeline.records import PARTIAL, Entry, Records, entries, marks, read_records
from handforge.files import require_writable
from handforge.text import quoted


def merge(out: Path, parts: list[Path]) -> None:
    """Finish a run that was rendered in shards: into one folder, or into several that are copied together.

    :param out: where all of it goes; new, or one that shards were rendered into.
    :param parts: the folders of the other shards; they stay as they are.
    :raises RunError: if a folder holds no unfinished run, they are of different runs, or frames are missing.
    """
    started = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if not started and not parts:
        raise RunError(f"{out} holds no shard; name the folder that the shards were rendered into, or theirs after it")
    if started and run_folder.is_finished(out):
        run_folder.remove_leftovers(out)
        hint = f"; to join datasets, name a new folder before them: dataset merge NEW {out} ..." if parts else ""
        raise RunError(f"{out} is complete already{hint}")
    require_writable(out)
    folders = [*([out] if started else []), *parts]
    for part in folders:
        if not part.exists():
            raise RunError(f"{part} is missing")
        if run_folder.is_finished(part):
            raise RunError(
                f"{part} is no shard but a whole dataset; to join datasets, give a new folder and two or more"
            )
        if not run_folder.is_unfinished(part):
            raise RunError(f"{part} holds no shard; render one with: handforge render --shard I/N --out {quoted(part)}")
    runs = {part: run_folder.begun(part) for part in folders}
    for part in folders[1:]:
        if differences := run_folder.differences(runs[folders[0]], runs[part]):
            raise RunError(
                f"{part} holds a shard of another run than {folders[0]}: {differences}; render it again with "
                "the same settings"
            )
    frames = {part: entries(part) for part in folders}  # whatever is wrong with one is known before any is copied
    for part in parts:
        run_folder.claim(out, runs[part])
        _copy(part, frames[part], out)
    run_folder.finish(out)


def _copy(part: Path, frames: dict[int, Entry], out: Path) -> None:
    """Copy the frames of one folder to another, each file before its record."""
    have = read_records(out)
    with closing(Records(out)) as records:
        for number, entry in frames.items():
            if number not in have:
                records.add(number, entry["record"], {path: (part / path).read_bytes() for path in entry["files"]})
    for mark in marks(part):
        (out / PARTIAL / mark.name).touch()
