"""Paths as a page shows them that is passed on: nothing of the disk it was made on but the last name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_ABSOLUTE = re.compile(r"(?:/|~|[A-Za-z]:[\\/]|\\\\)")


def shorten(value: Any) -> Any:
    """Shorten absolute paths in a text, a list or an object: relative to the working directory, or ``…/NAME``.

    An option as ``--data=/home/me/rooms`` keeps its name.
    """
    if isinstance(value, dict):
        return {key: shorten(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shorten(item) for item in value]
    if not isinstance(value, str):
        return value
    option, equals, path = value.partition("=")
    if equals and option.startswith("-") and _ABSOLUTE.match(path):
        return f"{option}={shorten(path)}"
    if not _ABSOLUTE.match(value):
        return value
    if Path(value).is_relative_to(Path.cwd()) and Path(value) != Path.cwd():
        return str(Path(value).relative_to(Path.cwd()))
    name = re.split(r"[/\\]", value.rstrip("/\\"))[-1]
    return f"…/{name}"
