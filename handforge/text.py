"""Numbers, times, paths and names as people and shells read them."""

from __future__ import annotations

import shlex
from pathlib import Path


def printable(text: str) -> str:
    """Text for a terminal, of which a file's name may be a part: what would command the terminal is shown escaped."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def quoted(path: Path) -> str:
    """A path as a shell reads it, for a command that is said to be copied."""
    return shlex.quote(str(path))


def counted(number: int, noun: str) -> str:
    """A number of things, as people say it: ``1 image``, ``2 images``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """A length of time as people say it: ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def megabytes(count: float) -> str:
    """Bytes as KB, MB or GB of 1000."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} KB"
