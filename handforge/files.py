"""Files and folders that appear whole or not at all, by hand: the package atomicwrites is no longer kept up."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import itertools
import json
import math
import os
import platform
import re
import secrets
import shlex
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handforge.errors import HandforgeError

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where nothing more can be written: the disk is full, or the user's part of it."""


class FolderError(HandforgeError):
    """An output folder cannot be used; the text says why and what to do."""


class DiskFullError(FolderError):
    """A disk has less room than what is to be written needs."""


def system_text(error: OSError, output: str | Path = "the output") -> str:
    """What the system refuses, with the file or folder, and what to do where the disk is full.

    :param output: what is written, where the error names no file.
    """
    if error.errno in DISK_FULL:
        where = error.filename2 or error.filename or output  # of a copy, the second one is written
        return f"{where}: the disk is full; make room, or write elsewhere"
    return f"{error.filename or output}: {error.strerror}" if error.strerror else str(error)


def write_atomic(path: Path, data: bytes, sync: bool = True) -> None:
    """Write a file so that it is either whole or not there, also after a kill or on a full disk.

    A link is followed, and what is not a regular file, as a pipe, is written to as it is; so is a file that is open
    already, as ``/dev/stdout``, behind what it holds. A file that is replaced keeps its mode.

    :param sync: wait until it is on the disk, so that this also holds after a power cut.
    """
    if (number := open_file_number(path)) is not None:
        sys.stdout.flush()
        with os.fdopen(os.dup(number), "wb") as file:
            file.write(data)
        return
    if path.exists() and not (path.is_file() or path.is_dir()):  # /dev/null, a pipe
        path.write_bytes(data)
        return
    path = path.resolve() if path.is_symlink() else path
    temporary = path.with_name(f"{_begin(path)}{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:  # x: not through a file or link that somebody has put there
            if path.is_file() and hasattr(os, "fchmod"):  # not on Windows
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        if not isinstance(error, FileExistsError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and (error.filename is None or error.filename == str(temporary)):
            error.filename = str(path)  # write() does not say which file it is, and nobody knows the temporary one
        raise


def open_file_number(path: Path) -> int | None:
    """The number under which this process has the file open that a path as ``/dev/stdout`` means; None for others.

    Such a file may be a regular one (``> log.txt``), which may hold what was written before, so it is not replaced.
    """
    named = re.fullmatch(r"/dev/std(out|err)|/(?:dev|proc/self)/fd/(\d+)", str(path))
    if named is None or not path.exists():
        return None
    return int(named[2] or {"out": 1, "err": 2}[named[1]])


def _begin(path: Path) -> str:
    """What the name of a file's temporary one begins with; cut, as file systems know no names above 255 bytes."""
    kept = os.fsencode(path.name)[: 255 - len("..01234567.tmp")]
    return f".{kept.decode(errors='ignore')}."


STALE = 3600.0
"""Seconds after which a temporary file belongs to a write that was killed."""


def remove_stale(path: Path) -> None:
    """Remove what killed writes of a file have left beside it."""
    for leftover in path.parent.glob(f"{glob.escape(_begin(path))}*.tmp"):
        with contextlib.suppress(OSError):  # removed by another process, or another user's
            if time.time() - leftover.lstat().st_mtime > STALE:
                shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()


def utf8_name(path: Path | str) -> str:
    """A file's name or path as text that every file can hold: bytes of it that are not UTF-8 as ``%E9``."""
    return re.sub("[\udc80-\udcff]", lambda found: f"%{ord(found[0]) - 0xDC00:02X}", str(path))


LONGEST_STEM = 250
"""Bytes of a file's name without its ending, as ``.json``, at most: file systems know no names above 255."""


def short_name(name: str, longest: int = LONGEST_STEM) -> str:
    """A file's name that file systems take; one that is too long ends with a hash of it in place of the rest.

    :param name: a stem, without folders.
    :param longest: bytes that it may have.
    """
    data = name.encode()
    if len(data) <= longest:
        return name
    return f"{data[: longest - 9].decode(errors='ignore')}_{hashlib.sha256(data).hexdigest()[:8]}"


def distinct_names(names: Iterable[str]) -> list[str]:
    """The names in their order, one that an earlier name is already, with a number behind it: ``a``, ``a_2``, ``a_3``.

    Names that differ in capitals only count as the same, as some disks do not tell them apart.
    """
    taken: set[str] = set()
    distinct = []
    for base in names:
        name, tries = base, itertools.count(2)
        while name.lower() in taken:
            name = f"{base}_{next(tries)}"
        taken.add(name.lower())
        distinct.append(name)
    return distinct


def files_below(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """The files of a folder and of those in it with one of some endings, as ``.jpg``, in the order of their names.

    Hidden ones, as ``._name.jpg``, are left out, and what is no regular file.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    return [path for path in found if not path.name.startswith(".") and path.is_file()]


def digest(folder: Path, paths: Iterable[Path]) -> str:
    """SHA-256 of the names of files below a folder, and of their contents; their order counts."""
    found = hashlib.sha256()
    for path in paths:
        found.update(os.fsencode(path.relative_to(folder).as_posix()) + b"\0")
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def dump_json(value: Any) -> bytes:
    """JSON as all our files have it: readable, newline at the end, no NaN."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def nearest_existing(path: Path) -> Path:
    """The path, absolute, or the nearest folder above it that is there."""
    whole = path.absolute()
    return next((one for one in (whole, *whole.parents) if one.exists()), whole)


def free_bytes(folder: Path) -> int:
    """The bytes that are free on the disk that a folder is, or will be, on."""
    return shutil.disk_usage(nearest_existing(folder)).free


def require_writable(folder: Path) -> None:
    """Refuse an output folder before any work that would be lost; nothing is made.

    :raises FolderError: if it, or what it would be made in, takes no file, or is a file.
    """
    nearest = nearest_existing(folder)
    if nearest == folder.absolute() and not nearest.is_dir():
        raise FolderError(f"{folder} is a file; give a folder")
    within = "" if nearest == folder.absolute() else f" in {nearest}"
    if not nearest.is_dir():
        raise FolderError(f"{folder} cannot be made{within}, which is a file; give another folder")
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise FolderError(f"nothing can be written into {folder} ({error.strerror}{within})") from None


def require_space(folder: Path, needed: int, what: str) -> None:
    """Refuse to begin what cannot be finished on the disk that an output folder is, or will be, on.

    :param needed: bytes.
    :param what: what they are for, as ``"the run's networks"``.
    :raises DiskFullError: if fewer are free.
    """
    free = free_bytes(folder)
    if free < needed:
        left, wanted = free // 10**6, math.ceil(needed / 10**6)  # never the same number
        raise DiskFullError(
            f"the disk of {folder} has {left:,} MB left, {what} needs {wanted:,} MB; make room, or write elsewhere"
        )


_UNFINISHED = ".unfinished.tmp"
_LOCK = ".lock.tmp"


_SUFFIXES_OF_FILES = (
    *(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".mp4", ".avi", ".mov", ".mkv"),
    *(".json", ".csv", ".txt", ".xml", ".toml", ".html", ".zip", ".safetensors", ".onnx", ".pt"),
)


def require_folder(folder: Path) -> None:
    """Refuse an output folder as :func:`require_writable`, and one whose name is a file's: whoever gives it expects
    that file.

    :raises FolderError: if its ending is one of a file, and no such folder is there; and as :func:`require_writable`.
    """
    if folder.suffix.lower() in _SUFFIXES_OF_FILES and not folder.exists():
        raise FolderError(
            f"{folder} is a file's name, and what is written is a folder; give one without {folder.suffix}"
        )
    require_writable(folder)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder for one command; a process that is killed holds it no longer.

    It is made where it is not there, and is gone again if nothing is in it at the end.

    :raises FolderError: at once, if it is a file or has a file's name, or another process holds it, and which.
    """
    require_folder(folder)
    with _made(folder), _lock(folder / _LOCK, folder):
        for leftover in folder.glob(".*.tmp"):  # of a killed command: nobody else writes here now
            if re.search(r"\.[0-9a-f]{8}\.tmp$", leftover.name):
                leftover.unlink(missing_ok=True)
        yield


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; what of them is new and empty at the end is gone again."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # not empty
            for path in new:
                path.rmdir()


WAIT = 10.0
"""Seconds for which :func:`file_lock` waits: a file is written in much less."""


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a file while it is read, changed and written back, so that no other process's change is lost.

    :raises FolderError: if another process holds it for more than :data:`WAIT` seconds, and which.
    """
    with _lock(path.with_name(f".{path.name}{_LOCK}"), path, WAIT):
        yield


@contextmanager
def _lock(path: Path, held: Path, wait: float = 0.0) -> Iterator[None]:
    from filelock import FileLock, Timeout  # here: Blender's extension comes without it, and writes no such folders

    lock = FileLock(path, timeout=wait)
    try:
        lock.acquire()
    except Timeout:
        try:
            holder = path.read_text().strip() or "another process"
        except OSError:
            holder = "another process"
        other = "" if wait else ", or give another folder"
        raise FolderError(f"{held} is being written by {holder}; wait for it{other}") from None
    except OSError as error:
        error.filename = str(held)  # nobody knows the lock's
        raise
    command = utf8_name(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:3]]))
    try:
        try:
            path.write_text(f"process {os.getpid()} on {platform.node()} ({command})\n")
        except OSError as error:  # the disk is full
            error.filename = str(held)
            raise
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


@contextmanager
def new_folder(out: Path, mark: str = "annotations.json", replaces: Sequence[str] = ()) -> Iterator[Path]:
    """A temporary folder whose content is in ``out`` when the block ends without an error.

    What a kill leaves of it, the next call for ``out`` removes.

    :param mark: name of the file that comes last. By it an earlier output of the same command is known, and it is
        empty while that is replaced.
    :param replaces: names of files and folders, beside the mark, that such an output may hold. Others in the folder
        stay. Empty: an earlier output is not replaced but refused.
    :raises FolderError: if ``out`` holds something else or has a file's name, or another process writes it.
    :raises OSError: naming ``out``, if the disk is full, or what is written into the temporary folder cannot be.
    """
    require_folder(out)
    goal = out.resolve()  # a link stays one, and "." has a name
    # A folder that is there may be a mount, which nothing can replace, and to which nothing outside can be moved.
    lock = goal / _LOCK if goal.is_dir() else goal.with_name(f".{goal.name}{_LOCK}")
    with _made(goal.parent), _lock(lock, out):
        yield from _filled(goal, out, mark, replaces)


@contextmanager
def _named_as(out: Path, temporary: Path) -> Iterator[None]:
    """Let errors of writing name the folder that was asked for: what is written lies in one that is gone again.

    Copying names the file that it reads, and writing often none.
    """
    try:
        yield
    except OSError as error:
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        if error.errno in DISK_FULL or any(Path(name).is_relative_to(temporary) for name in names):
            error.filename, error.filename2 = str(out), None
        raise


def _filled(goal: Path, out: Path, mark: str, replaces: Sequence[str]) -> Iterator[Path]:
    """What :func:`new_folder` does while it holds the lock."""
    used = goal.is_dir() and any(path.name not in (_UNFINISHED, _LOCK) for path in goal.iterdir())
    if used and not replaces:
        raise FolderError(f"{out} is there already; give a new folder")
    if used and not (goal / mark).is_file():
        raise FolderError(f"{out} is not empty and was not made by this command; give a new folder")
    temporary = goal / _UNFINISHED if goal.is_dir() else goal.with_name(f".{goal.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        with _named_as(out, temporary):
            yield temporary
        if temporary.parent != goal:
            temporary.replace(goal)
            return
        if used:
            (goal / mark).write_bytes(b"")
        for old in (goal / name for name in replaces):
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        for path in sorted(temporary.iterdir(), key=lambda path: (path.name == mark, path.name)):
            path.replace(goal / path.name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
