"""Processes that render frames: each has one Blender, takes a few frames at a time, and records what it finished."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from generator.frame.frame_spec import FrameSpec
from generator.frame.settings import RenderSettings
from generator.objects import categories
from generator.pipeline.records import Records
from handforge import dataset
from handforge.dataset.coco_types import ImageMeta
from handforge.errors import HandforgeError

BATCH = 4
"""Frames given to a worker at a time: what is lost at most when it is killed."""

CRASHES = tuple(-number for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL))
"""Exit codes of a process that has crashed; too little memory has another."""

NOT_STARTED = 1
"""Exit code of a process that multiprocessing cannot start, as the owner's script cannot be imported; it says why."""

FRAMES_A_WORKER = 20
"""Starting a Blender takes about as long as rendering this many frames."""


class WorkerError(HandforgeError):
    """A worker was lost; the text says what to do."""


@dataclass(frozen=True)
class Item:
    """A frame to render: its number in the run, its pose (28,), and what is known of the pose."""

    number: int
    pose: np.ndarray
    meta: ImageMeta


class Renderer:
    """What one worker does: a Blender scene, and the file it appends its records to.

    :raises EngineError: if the engine cannot run here.
    """

    def __init__(self, settings: RenderSettings) -> None:
        os.environ.setdefault("LP_NUM_THREADS", "0")  # software OpenGL in the worker's own thread
        _spare_a_full_disk()
        from generator.blender.engines import registry

        self.settings = replace(settings, engine=registry.choose(settings))
        self.blender = registry.version()
        from generator.blender.frame_renderer import FrameRenderer

        self._frames = FrameRenderer(self.settings)
        self._records: Records | None = None

    def frame(self, item: Item) -> dataset.Sample:
        """Render one frame."""
        return self._frames.frame(item.number, item.pose, item.meta)

    def decide(self, item: Item) -> FrameSpec:
        """Decide one frame, also what depends on the surface of its posed hands."""
        return self._frames.decide(item.number, item.pose)

    def render_spec(self, spec: FrameSpec, meta: ImageMeta) -> dataset.Sample:
        """Render a frame that is decided already."""
        return self._frames.render(spec, meta)

    def render(self, out: Path, items: list[Item]) -> int:
        """Render some frames into a run's folder; their number."""
        if self._records is None:
            self._records = Records(out)
        kinds = categories.of_run(self.settings.object_annotations)
        for item in items:
            self._records.add(item.number, *dataset.encode_sample(self.frame(item), self.settings.format, kinds))
        return len(items)


SHADER_CACHE_BYTES = 100_000_000


def _spare_a_full_disk() -> None:
    """Let Mesa compile its shaders anew where its cache has no room: writing to a full disk would end the process."""
    cache = Path(os.environ.get("MESA_SHADER_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    while not cache.exists() and cache != cache.parent:
        cache = cache.parent
    if shutil.disk_usage(cache).free < SHADER_CACHE_BYTES:
        os.environ["MESA_SHADER_CACHE_DISABLE"] = "true"


def spawn(count: int) -> dict[Connection, Any]:
    """Start workers in Python processes: the pipe to each, and its process."""
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        pipes[ours] = process
    return pipes


launch: Callable[[int], dict[Connection, Any]] = spawn
"""How workers are started. Inside Blender's own program, which multiprocessing cannot start, the add-on sets its way;
what it returns for a process has the words of multiprocessing.Process."""


class Workers:
    """Renderers in processes of their own. As a context manager, ends them all on the way out.

    :param count: how many, at most; a short run starts fewer.
    """

    def __init__(self, count: int, frames: int) -> None:
        self._pipes = launch(max(1, min(count, frames // FRAMES_A_WORKER)))
        self._files: list[str] = []
        self._started = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        for pipe, process in self._pipes.items():
            pipe.close()
            if error[0] is not None:
                process.terminate()
        for process in self._pipes.values():
            process.join(5)
            process.kill()

    def start(self, settings: RenderSettings) -> tuple[RenderSettings, str]:
        """Start Blender in each; the settings with the engine they chose, and Blender's version."""
        self._files = [name for name in (settings.rig, settings.objects) if name is not None]
        for pipe in self._pipes:
            _send(pipe, settings)
        answers = [self._receive(pipe) for pipe in self._pipes]
        self._started = True
        return answers[0]

    def render(self, out: Path, items: Iterable[Item]) -> Iterator[int]:
        """Render frames into a run's folder; yields how many are done, whenever some more are.

        :raises WorkerError: if a worker is lost; whatever else a worker raises is raised here, with its traceback.
        """
        items = iter(items)
        busy = [pipe for pipe in self._pipes if _give(pipe, out, items)]
        done = 0
        while busy:
            for pipe in wait(busy):
                assert isinstance(pipe, Connection)
                done += self._receive(pipe)
                if not _give(pipe, out, items):
                    busy.remove(pipe)
            yield done

    def _receive(self, pipe: Connection) -> Any:
        try:
            answer = pipe.recv()
        except (EOFError, ConnectionError):
            process = self._pipes[pipe]
            process.join(5)
            if process.exitcode == NOT_STARTED and not self._started:
                raise WorkerError(
                    "a worker could not start, for the reason above: workers import the script that renders, so it has "
                    'to be a file, not the standard input, and to render below if __name__ == "__main__":'
                ) from None
            if process.exitcode in CRASHES and self._files:
                raise WorkerError(
                    f"Blender crashed in a worker (exit code {process.exitcode}), most often at a damaged file: open "
                    f"{' and '.join(self._files)} in Blender, and save it anew; what is done is kept"
                ) from None
            raise WorkerError(
                f"a worker ended unexpectedly (exit code {process.exitcode}; -9 is most often too little memory); what "
                "is done is kept: run the same command again, with fewer --workers if it recurs"
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _give(pipe: Connection, out: Path, items: Iterator[Item]) -> bool:
    batch = list(islice(items, BATCH))
    if batch:
        _send(pipe, (out, batch))
    return bool(batch)


def _send(pipe: Connection, content: object) -> None:
    with contextlib.suppress(ConnectionError):  # of a worker that has ended, which is said where its answer is awaited
        pipe.send(content)


def serve(pipe: Connection) -> None:
    """A worker's life: settings first, then batches, until the pipe is closed (also by its owner's death)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the owner, who ends its workers
    signal.signal(signal.SIGTERM, _end)
    try:
        renderer = Renderer(pipe.recv())
        pipe.send((renderer.settings, renderer.blender))
        while True:
            pipe.send(renderer.render(*pipe.recv()))
    except (EOFError, ConnectionError):
        return
    except Exception as error:  # whatever it is, the owner raises it, and says where it came from
        error.add_note(traceback.format_exc())
        with contextlib.suppress(ConnectionError):  # by then another worker's may have ended the owner
            pipe.send(error)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it ends by itself


def _end(*_: Any) -> None:
    """End as a program does that is done, so that Blender removes its temporary folder."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit()
