"""A rendering run for a program with a window: told a :class:`~generator.pipeline.gui_messages.RunTask`, it tells how
far it is, and last its folder or an error. Where it was stopped, the same task later continues it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from pathlib import Path

from generator.pipeline.gui_messages import EXPECTED, RunTask, reason, tell


def main() -> int:
    """Do the job that standard input states; the exit code is 0, or 2 if it cannot be done."""
    task: RunTask = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        _render(task)
    except EXPECTED as error:
        tell({"error": reason(error)})
        return 2
    tell({"out": task["out"]})
    return 0


def _render(task: RunTask) -> None:
    from generator.frame import settings
    from generator.pipeline import run

    run.render(
        settings.load(Path(task["settings"]), task["overrides"], task["defaults"]),
        Path(task["out"]),
        task["workers"],
        lambda done, total: tell({"done": done, "total": total}),
    )


def _end_with_input() -> None:
    """Wait for the end of standard input. A run may be cut off anywhere, and its workers end with it."""
    while sys.stdin.readline():
        pass
    for worker in multiprocessing.active_children():
        worker.terminate()  # it would finish its frames first
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
