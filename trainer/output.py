"""Output folders that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trainer.errors import OutputError


@contextmanager
def whole_folder(out: Path, mark: str) -> Iterator[Path]:
    """A temporary folder beside ``out`` that takes its place when the block ends without an error.

    :param mark: name of a file by which an earlier output of the same command is known; its files are then replaced
        one by one, and others in the folder stay. The mark is empty meanwhile.
    :raises OutputError: if ``out`` holds something else.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; give a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / mark).is_file():
        raise OutputError(f"{out} is not empty and was not made by this command; give a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if not out.exists():  # an empty folder may be a mount, which nothing can replace
            temporary.replace(out)
            return
        (out / mark).write_bytes(b"")
        files = (path for path in temporary.rglob("*") if path.is_file())
        for file in sorted(files, key=lambda path: (path.name == mark, path)):
            goal = out / file.relative_to(temporary)
            goal.parent.mkdir(parents=True, exist_ok=True)
            file.replace(goal)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
