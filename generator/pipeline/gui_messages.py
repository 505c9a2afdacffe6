"""What a program with a window and the processes that render for it tell each other: JSON, a line each.

A process is told its tasks on standard input and ends when that does, so it never outlives the program. Its own lines
start with :data:`MARK`; whatever else it prints is Blender's.
"""

from __future__ import annotations

import json
from typing import Any, TypedDict

from handforge.errors import HandforgeError

MARK = "handforge: "


class Task(TypedDict):
    """What images are to be like, and where to put them."""

    settings: str
    """A preset or a file, as the next two :func:`generator.frame.settings.load` takes it."""
    overrides: dict[str, Any]
    defaults: dict[str, Any]
    out: str


class RunTask(Task):
    """A run to render."""

    workers: int


class PreviewTask(Task):
    """An image to render."""

    pose: list[float]
    """28 numbers, metres and radians."""
    number: int
    """Of the frame."""


class RunNews(TypedDict, total=False):
    """How a run is getting on."""

    done: int
    """How many images, of ``total``."""
    total: int
    out: str
    """Its folder, once it is complete."""
    error: str
    """Why it cannot be done."""


class PreviewNews(TypedDict, total=False):
    """What has become of an image: its files, or an error."""

    image: str
    overlay: str
    record: str
    """The COCO file."""
    error: str


EXPECTED = (HandforgeError, OSError, ModuleNotFoundError)
"""What ends a task and is told in words; anything else is a fault of the program."""


def reason(error: Exception) -> str:
    """One of :data:`EXPECTED` in words."""
    if isinstance(error, ModuleNotFoundError):  # Blender has fewer libraries than a terminal
        return f"{error.name} is not installed here; render from a terminal (pip install 'handforge[all]')"
    if isinstance(error, OSError):
        return ": ".join(str(part) for part in (error.filename, error.strerror) if part) or str(error)
    return str(error)


def tell(news: RunNews | PreviewNews) -> None:
    """Print a line for the program with the window."""
    print(MARK + json.dumps(news), flush=True)
