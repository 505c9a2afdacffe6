"""Pictures from the window: a process in the background renders them, the panel shows how far it is."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import bpy

from generator.pipeline.gui_job import MARK
from handforge.errors import HandforgeError

from . import hand, hosting, screen
from .properties import task

SHEET = "Hand preview"
"""The picture with the contact sheet."""

_EVERY = 0.25
"""Seconds between two looks at the process."""


class Job:
    """A rendering process, and what it has told so far.

    It ends when its standard input does: by :meth:`stop`, or because this Blender has ended, however that came.
    """

    def __init__(self, task: dict[str, Any]) -> None:
        self.done, self.total, self.error, self.finished = 0, 0, "", False
        self.out = Path(task["out"])
        self._started: tuple[float, int] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            hosting.job(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            creationflags=hosting.NO_CONSOLE,
        )
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._process.stdout as told:  # closed here: whoever closes it elsewhere waits for this thread
            for line in told:
                self._lines.put(line)

    def poll(self) -> bool:
        """Take what it has told; whether it still runs."""
        running = self._process.poll() is None
        if not running:
            self._reader.join(1)
        last = ""
        while not self._lines.empty():
            line = self._lines.get()
            if line.startswith(MARK):
                self._take(json.loads(line.removeprefix(MARK)))
            else:
                last = line.strip() or last
        if not running and not self.finished and not self.error:
            self.error = f"rendering ended with exit code {self._process.returncode}. {last}".strip()
        return running

    def _take(self, told: dict[str, Any]) -> None:
        self.error = told.get("error", self.error)
        self.finished |= "out" in told
        if "done" in told:
            self.done, self.total = told["done"], told["total"]
            self._started = self._started or (time.monotonic(), self.done)

    @property
    def text(self) -> str:
        """How far it is, with the time left."""
        if not self.total:
            return "starting"
        begun, already = self._started
        rate = (self.done - already) / max(time.monotonic() - begun, 1e-3)
        if not rate:
            return f"{self.done:,} of {self.total:,}"
        left = int((self.total - self.done) / rate)
        return f"{self.done:,} of {self.total:,}, {rate:.1f}/s, {left // 60}:{left % 60:02} left"

    def stop(self) -> None:
        """End it; its folder can be continued."""
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Board:
    """What the panel knows of rendering: the job that runs, and how the last one ended."""

    job: Job | None = None
    message = ""
    failed = False

    @classmethod
    def tell(cls, message: str, failed: bool = False) -> None:
        """Show a message in the panel."""
        cls.message, cls.failed = message, failed
        screen.redraw()


def _look() -> float | None:
    """Look at the job; the timer's next interval, None when there is nothing more to see."""
    job = Board.job
    if job is None:
        return None
    if job.poll():
        screen.redraw()
        return _EVERY
    Board.job = None
    job.stop()
    if job.error:
        Board.tell(job.error, failed=True)
    else:
        Board.tell(f"{job.out} is complete")
        _show_sheet(job.out / "preview.jpg")
    return None


def _show_sheet(path: Path) -> None:
    old = bpy.data.images.get(SHEET)
    if old is not None:
        bpy.data.images.remove(old)
    sheet = bpy.data.images.load(str(path))
    sheet.name = SHEET
    screen.show(sheet)


def wait() -> None:
    """Stay until the job has ended; for scripts."""
    while _look() is not None:
        time.sleep(_EVERY)


class Generate(bpy.types.Operator):
    """Render pictures with masks and annotations in the background."""

    bl_idname = "handforge.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One job at a time."""
        return Board.job is None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the job; the panel shows the rest."""
        try:
            asked = task(context.scene.handforge, hand.active(context))
        except HandforgeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not Path(asked["out"]).is_absolute():
            self.report({"ERROR"}, "Save the .blend file first, or give a full path for the folder")
            return {"CANCELLED"}
        Board.tell("")
        Board.job = Job(asked)
        bpy.app.timers.register(_look, first_interval=_EVERY, persistent=True)  # also when another file is opened
        return {"FINISHED"}


class Cancel(bpy.types.Operator):
    """Stop rendering; what is done stays, and Generate with the same settings continues."""

    bl_idname = "handforge.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """There has to be a job."""
        return Board.job is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stop the job."""
        job, Board.job = Board.job, None
        job.stop()
        Board.tell(f"stopped at {job.done:,} of {job.total:,}; Generate continues" if job.total else "stopped")
        return {"FINISHED"}


_CLASSES = (Generate, Cancel)


def register() -> None:
    """Add the buttons."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away; a job that runs is stopped."""
    if Board.job is not None:
        Board.job.stop()
        Board.job = None
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    Board.message = ""
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
