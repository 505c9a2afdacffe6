"""A rendering run for a program with a window: told what to do on standard input, it tells how far it is on output.

The first line of standard input is JSON: ``{"settings": PRESET_OR_FILE, "overrides": {...}, "defaults": {...},
"out": DIR, "workers": N}``, the first three as :func:`generator.frame.settings.load` takes them. The run ends when
standard
input does, so it never outlives the program that started it; the same job later continues it. Of the lines of output,
those that start with :data:`MARK` are JSON: ``{"done": n, "total": m}``, and last ``{"out": DIR}`` or
``{"error": TEXT}``.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from pathlib import Path
from typing import Any

from handforge.errors import HandforgeError

MARK = "handforge: "
"""Before each line of ours; whatever else is printed is Blender's."""


def main() -> int:
    """Do the job that standard input states; the exit code is 0, or 2 if it cannot be done."""
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        _render(**task)
    except HandforgeError as error:
        tell({"error": str(error)})
        return 2
    except OSError as error:
        said = [str(part) for part in (error.filename, error.strerror) if part]
        tell({"error": ": ".join(said) or str(error)})
        return 2
    tell({"out": task["out"]})
    return 0


def _render(settings: str, overrides: dict[str, Any], defaults: dict[str, Any], out: str, workers: int) -> None:
    from generator.frame import settings as reader
    from generator.pipeline import run

    run.render(
        reader.load(Path(settings), overrides, defaults),
        Path(out),
        workers,
        lambda done, total: tell({"done": done, "total": total}),
    )


def tell(what: dict[str, Any]) -> None:
    """Print a line for the program with the window."""
    print(MARK + json.dumps(what), flush=True)


def _end_with_input() -> None:
    """Wait for the end of standard input. A run may be cut off anywhere, and its workers end with it."""
    while sys.stdin.readline():
        pass
    for worker in multiprocessing.active_children():
        worker.terminate()  # it would finish its frames first
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
