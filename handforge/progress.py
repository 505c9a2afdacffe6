"""Progress on standard error: a bar on a terminal, a line a minute in a log file."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

LINE_EVERY = 60.0
"""Progress interval in seconds when the output is not a terminal."""
LOG_AFTER = 10.0
"""Work of at least so many seconds ends with a line there."""
RATE_OVER = 300.0
"""Seconds over which the rate is averaged, so that steps of half a minute each have one, too."""
BAR_FROM, RATE_FROM = 100, 60
"""Columns of a terminal from which the bar and the rate are shown; what is shown is never cut."""


def progress(*, unit: str = "it", disable: bool = False) -> Progress:
    """Make a progress display with a ``note``, rate and time left.

    :param unit: what is counted, as in ``12.3 images/s``.
    :param disable: show none, as also ``--quiet`` does.
    """
    quiet = logging.getLogger("handforge").getEffectiveLevel() > logging.WARNING
    return _Progress(unit, Console(stderr=True), disable or quiet)


@contextlib.contextmanager
def progress_counter(description: str, unit: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show :func:`progress` of one task; the callable takes the number done and the total, None if not known."""
    with progress(unit=unit) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Progress(Progress):
    def __init__(self, unit: str, console: Console, disable: bool) -> None:
        width, self._unit = console.width, unit
        columns: list[ProgressColumn] = [TextColumn("{task.description}"), _Part(_count), _Part(_note)]
        columns[1:1] = [BarColumn()] if width >= BAR_FROM else []
        columns += [_Part(lambda task: _rate(task, unit))] if width >= RATE_FROM else []
        super().__init__(*columns, _Part(_left), console=console, disable=disable, speed_estimate_period=RATE_OVER)
        self._told = self.get_time()

    def add_task(self, description: str, *args: Any, **fields: Any) -> TaskID:
        return super().add_task(description, *args, **{"note": "", **fields})

    def update(self, task_id: TaskID, **values: Any) -> None:
        super().update(task_id, **values)
        if not (self.console.is_interactive or self.disable) and self.get_time() - self._told > LINE_EVERY:
            self._tell()

    def _tell(self, least: float = 0.0) -> None:
        """Write a line for each task on which anything is done, and for so many seconds."""
        self._told = self.get_time()
        for task in self.tasks:
            if task.completed and (task.elapsed or 0.0) >= least:
                times = (_passed(task),) if task.finished else (_passed(task), _left(task))
                parts = (_count(task), _note(task), _rate(task, self._unit), *times)
                self.console.file.write(f"{task.description}: {', '.join(filter(None, parts))}\n")
        self.console.file.flush()

    def start(self) -> None:
        if self.console.is_interactive:
            super().start()

    def stop(self) -> None:
        if self.console.is_interactive:
            super().stop()

    def __exit__(self, kind: Any, *rest: Any) -> None:
        self.live.transient = self.live.transient or kind is not None  # what went wrong is said instead
        if kind is None and not (self.console.is_interactive or self.disable):
            self._tell(LOG_AFTER)
        super().__exit__(kind, *rest)


class _Part(ProgressColumn):
    def __init__(self, text: Callable[[Task], str]) -> None:
        super().__init__()
        self._text = text

    def render(self, task: Task) -> Text:
        """Render the part's text."""
        return Text(self._text(task))


def _count(task: Task) -> str:
    """``12/400``, or ``12`` of a number that is not known."""
    return f"{int(task.completed)}" + (f"/{int(task.total)}" if task.total is not None else "")


def _note(task: Task) -> str:
    return str(task.fields["note"])


def _rate(task: Task, unit: str) -> str:
    speed = task.finished_speed or task.speed
    return rate_text(speed, unit) if speed else ""


def rate_text(speed: float, unit: str) -> str:
    """How many a second, of three digits; a minute, where it is less than one in ten seconds."""
    return f"{speed:.3g} {unit}/s" if speed >= 0.1 else f"{60 * speed:.3g} {unit}/min"


def _passed(task: Task) -> str:
    return f"{_clock(task.elapsed)} passed" if task.elapsed is not None else ""


def _left(task: Task) -> str:
    """The time left; of what is done, the time that it took."""
    if task.finished:
        return _passed(task)
    return f"{_clock(task.time_remaining)} left" if task.time_remaining is not None else ""


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}"
