"""The processes that render in the background: Blender's own program, or Python where Blender is a module of it.

They need nothing of the user's preferences, so they run before the add-on was saved there: Blender starts with its
factory settings, and finds the add-on where it lies (:mod:`.background_main`). Python's multiprocessing cannot start
Blender's program, so workers inside it are started here and connect back.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import threading
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import IO, cast

import bpy

from generator.pipeline import gui_job, gui_preview, workers

RUN, PREVIEW, WORKER = "handforge_run", "handforge_preview", "handforge_worker"
"""What a process is for: :mod:`generator.pipeline.gui_job`, :mod:`generator.pipeline.gui_preview`, or one of the
former's workers."""

NO_CONSOLE = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""Windows would open a console for each process."""


def inside_blender() -> bool:
    """Whether this is Blender's program, not Python with Blender as a module."""
    return bool(bpy.app.binary_path)


def command(kind: str) -> list[str]:
    """The command line of a process of a kind."""
    if not inside_blender():
        module = {RUN: gui_job, PREVIEW: gui_preview}[kind]
        return [sys.executable, "-m", module.__name__]
    start = [bpy.app.binary_path, "--background", "--factory-startup", "--python-exit-code", "2"]
    script = str(Path(__file__).with_name("background_main.py"))
    return [*start, "--python", script, "--", kind, __package__, *filter(None, sys.path)]


def main(kind: str) -> int:
    """Be a process of a kind, inside Blender's program; the exit code."""
    workers.launch = launch
    if kind == WORKER:
        _work()
        return 0
    return {RUN: gui_job, PREVIEW: gui_preview}[kind].main()


class Process:
    """A worker's process, with the words of multiprocessing.Process."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._popen = popen

    @property
    def exitcode(self) -> int | None:
        """As of multiprocessing.Process."""
        return self._popen.poll()

    def join(self, timeout: float | None = None) -> None:
        """As of multiprocessing.Process."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)

    def terminate(self) -> None:
        """As of multiprocessing.Process."""
        self._popen.terminate()

    def kill(self) -> None:
        """As of multiprocessing.Process."""
        self._popen.kill()


def launch(count: int) -> dict[Connection, Process]:
    """Start workers in Blenders of their own, as :data:`generator.pipeline.workers.launch` does.

    :raises workers.WorkerError: if one ends before it has connected.
    """
    key = secrets.token_bytes(32)
    with Listener(("127.0.0.1", 0), backlog=count, authkey=key) as listener:
        started = [_start(listener.address, key, number) for number in range(count)]
        try:
            return dict(_accept(listener, started) for _ in started)
        except (EOFError, OSError, AuthenticationError) as error:
            for process in started:
                process.kill()
            raise workers.WorkerError("a Blender for rendering ended before it began; see the terminal") from error


def _start(address: tuple[str, int], key: bytes, number: int) -> Process:
    popen = subprocess.Popen(
        command(WORKER), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, creationflags=NO_CONSOLE
    )
    with cast(IO[str], popen.stdin) as told:
        told.write(json.dumps({"port": address[1], "key": key.hex(), "number": number}) + "\n")
    threading.Thread(target=_watch, args=(popen, address), daemon=True).start()
    return Process(popen)


def _watch(popen: subprocess.Popen[str], address: tuple[str, int]) -> None:
    """When the process has ended, knock, so that nobody waits for it; later nobody listens any more."""
    popen.wait()
    with contextlib.suppress(OSError):
        socket.create_connection(address, timeout=1).close()


def _accept(listener: Listener, started: list[Process]) -> tuple[Connection, Process]:
    pipe = listener.accept()
    return pipe, started[pipe.recv()]


def _work() -> None:
    """Be the worker that :func:`launch` started."""
    task = json.loads(sys.stdin.readline())
    pipe = Client(("127.0.0.1", task["port"]), authkey=bytes.fromhex(task["key"]))
    pipe.send(task["number"])
    workers.serve(pipe)
