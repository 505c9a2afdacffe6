"""What the window knows of the processes that render for it: how far they are, what they said, how they ended."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, Generic, TypeVar, cast

from generator.pipeline.gui_messages import MARK, PreviewNews, PreviewTask, RunNews, RunTask
from handforge.text import duration

from . import background_process, render_settings, viewport_ui

_KEPT = 40
"""Lines of a process's output that are kept to be shown if it fails."""

Task = TypeVar("Task")
News = TypeVar("News")


class Child(Generic[Task, News]):
    """A process in the background that is told tasks and tells news, as :mod:`generator.pipeline.gui_messages` says.

    It ends when its standard input does: by :meth:`stop`, or because this Blender has ended, however that came.
    """

    def __init__(self, kind: str) -> None:
        self._log: deque[str] = deque(maxlen=_KEPT)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            background_process.command(kind),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            creationflags=background_process.NO_CONSOLE,
        )
        self._stdin = cast(IO[str], self._process.stdin)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        news = cast(IO[str], self._process.stdout)
        with news:  # closed here: whoever closes it elsewhere waits for this thread
            for line in news:
                self._lines.put(line)

    def tell(self, task: Task) -> None:
        """Tell it what to do."""
        self._stdin.write(json.dumps(task) + "\n")
        self._stdin.flush()

    def running(self) -> bool:
        """Whether it still runs; if not, all that it has told is there."""
        if self._process.poll() is None:
            return True
        self._reader.join(1)
        return False

    def news(self) -> list[News]:
        """What it has told since it was asked last."""
        found = []
        while not self._lines.empty():
            line = self._lines.get()
            if line.startswith(MARK):
                found.append(json.loads(line.removeprefix(MARK)))
            elif line.strip():
                self._log.append(line.rstrip())
        return found

    @property
    def log(self) -> str:
        """The last lines of what else it has printed."""
        return "\n".join(self._log)

    @property
    def last_words(self) -> str:
        """Why it ended, if it did not say so itself."""
        lines = [line for line in self._log if not line.startswith("Blender quit")]
        return f"the process ended with exit code {self._process.returncode}: {' / '.join(lines[-2:]) or 'no output'}"

    def stop(self) -> None:
        """End it."""
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            self._stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Job(Child[RunTask, RunNews]):
    """A rendering run, and what it has told so far; once stopped, its folder can be continued."""

    def __init__(self, task: RunTask) -> None:
        self.done, self.total, self.error, self.finished = 0, 0, "", False
        self.out = Path(task["out"])
        self._started: tuple[float, int] | None = None
        super().__init__(background_process.RUN)
        self.tell(task)

    def poll(self) -> bool:
        """Take what it has told; whether it still runs."""
        running = self.running()
        for news in self.news():
            self._take(news)
        if not running and not self.finished and not self.error:
            self.error = f"Rendering failed: {self.last_words}"
        return running

    def _take(self, news: RunNews) -> None:
        self.error = render_settings.in_words_of_the_panel(news.get("error", self.error))
        self.finished |= "out" in news
        if "done" in news:
            self.done, self.total = news["done"], news["total"]
            self._started = self._started or (time.monotonic(), self.done)

    @property
    def where_stopped(self) -> str:
        """What there is to say of it once it was stopped."""
        return f"Stopped at {self.done:,} of {self.total:,}; Generate continues" if self.total else "Stopped"

    @property
    def text(self) -> str:
        """How far it is, with the time left."""
        if not self.total or self._started is None:
            return "starting"
        begun, already = self._started
        rate = (self.done - already) / max(time.monotonic() - begun, 1e-3)
        if not rate:
            return f"{self.done:,} of {self.total:,}"
        return f"{self.done:,} of {self.total:,}, {rate:.1f}/s, {duration((self.total - self.done) / rate)} left"


class Board:
    """What the panel knows of rendering: the job that runs, and how the last one ended."""

    job: Job | None = None
    message = ""
    failed = False
    log = ""
    out: Path | None = None

    @classmethod
    def tell(cls, message: str, failed: bool = False, log: str = "") -> None:
        """Show a message in the panel."""
        cls.message, cls.failed, cls.log = message, failed, log
        viewport_ui.redraw()

    @classmethod
    def forget(cls) -> None:
        """Another file was opened: what was said is not about it."""
        if cls.job is None:
            cls.message, cls.failed, cls.log, cls.out = "", False, "", None


class Preview:
    """The process that renders single images, kept open between them, and the image that is waited for."""

    child: Child[PreviewTask, PreviewNews] | None = None
    waiting = False
    message = ""

    @classmethod
    def ask(cls, task: PreviewTask) -> None:
        """Have an image rendered."""
        if cls.child is not None and not cls.child.running():
            cls.stop()
        if cls.child is None:
            cls.child = Child(background_process.PREVIEW)
        cls.child.tell(task)
        cls.waiting, cls.message = True, ""

    @classmethod
    def poll(cls) -> PreviewNews | None:
        """What it has told, None before it has; a process that ended tells an error."""
        if cls.child is None:
            return {"error": "Stopped"}
        running = cls.child.running()
        news = cls.child.news()
        if news:
            cls.waiting = False
            return news[-1]
        if not running:
            words = cls.child.last_words
            cls.stop()
            return {"error": f"Rendering failed: {words}"}
        return None

    @classmethod
    def stop(cls) -> None:
        """End the process."""
        if cls.child is not None:
            cls.child.stop()
        cls.child, cls.waiting, cls.message = None, False, ""
