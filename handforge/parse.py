"""Parse JSON and TOML of unknown origin: whatever a file holds, one sentence says what is wrong with it."""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handforge.errors import HandforgeError

_LFS = b"version https://git-lfs.github.com/spec/"


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file is what Git keeps in place of a large one, until ``git lfs pull`` fetches that."""
    try:
        with path.open("rb") as file:
            return file.read(len(_LFS)) == _LFS
    except OSError:
        return False


def lfs_text(path: Path) -> str:
    """Say of a file that it is such a pointer, and what to do."""
    return f"{path} is a Git-LFS pointer, not the file itself; fetch it with: git lfs pull"


def nothing_in(path: Path) -> str | None:
    """Say that a file has no content of its own, for what reads it would say something else: it is empty, or such a
    pointer. None where it has.
    """
    if path.is_file() and not path.stat().st_size:
        return f"{path} is empty"
    return lfs_text(path) if is_lfs_pointer(path) else None


def parse_json(content: bytes, path: Path, error: type[HandforgeError] = HandforgeError, constants: bool = True) -> Any:
    """Parse the content of a JSON file.

    :param path: the file's, for messages.
    :param error: raised, naming the file, if it is not JSON, nested too deeply, or holds a whole number of thousands
        of digits.
    :param constants: take NaN and Infinity, which are not JSON, but which many tools write.
    """
    constant = float if constants else _refuse
    return _parsed(lambda: json.loads(content, parse_constant=constant), content, path, "JSON", error)


def parse_toml(content: bytes, path: Path, error: type[HandforgeError] = HandforgeError) -> dict[str, Any]:
    """Parse the content of a TOML file. Errors as :func:`parse_json`."""
    found: dict[str, Any] = _parsed(lambda: tomllib.loads(content.decode("utf-8-sig")), content, path, "TOML", error)
    return found


def _parsed(parse: Callable[[], Any], content: bytes, path: Path, kind: str, error: type[HandforgeError]) -> Any:
    if content.startswith(_LFS):
        raise error(lfs_text(path))
    try:
        return parse()
    except RecursionError:
        raise error(f"{path} is not valid {kind} (it is nested too deeply)") from None
    except UnicodeDecodeError as wrong:
        raise error(f"{path} is not valid {kind} (byte {wrong.start} is not UTF-8)") from None
    except ValueError as wrong:
        digits = "int_max_str_digits" in str(wrong)  # Python's advice is for programmers
        text = f"a number has more than {sys.get_int_max_str_digits()} digits" if digits else wrong
        raise error(f"{path} is not valid {kind} ({text})") from None


def _refuse(constant: str) -> float:
    raise ValueError(f"it holds {constant}, which JSON does not have")
