"""Blender writes to the process's own standard output and error; these calls keep that off the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from generator.errors import EngineError


@contextlib.contextmanager
def redirect_output() -> Iterator[None]:
    """Swallow what is written to file descriptors 1 and 2 inside the block."""
    with Path(os.devnull).open("wb") as sink, contextlib.ExitStack() as stack:
        for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.flush()
            kept = os.dup(number)
            os.dup2(sink.fileno(), number)
            stack.callback(_restore, kept, number)
        yield


def _restore(kept: int, number: int) -> None:
    os.dup2(kept, number)
    os.close(kept)


def load_bpy() -> None:
    """Import bpy for the first time, quietly.

    :raises EngineError: if it cannot be imported, with what to do.
    """
    if "bpy" not in sys.modules:
        # A process started by one that has bpy inherits Blender's own script folders, where another `bpy` lies.
        sys.path[:] = [folder for folder in sys.path if not Path(folder, "addon_utils.py").exists()]
    try:
        with redirect_output():
            import bpy  # noqa: F401
    except ImportError as error:
        raise EngineError(
            f"Blender's Python module cannot be imported ({error}); "
            "install handforge[generator] with Python 3.11 or 3.13"
        ) from error
