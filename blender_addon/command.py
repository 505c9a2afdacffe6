"""``blender -b --command handforge ...``: the words of handforge, inside Blender's own program."""

from __future__ import annotations

import signal
from typing import Any

import bpy

from generator.pipeline import workers

from . import background_process

NAME = "handforge"

_registered: list[Any] = []


def _run(arguments: list[str]) -> int:
    """Run handforge with these arguments; its exit code."""
    from generator.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)  # Blender leaves Python's Ctrl-C off
    try:
        main(args=list(arguments), prog_name=NAME)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def register() -> None:
    """Add the command; inside Blender's program, workers are Blenders too."""
    _registered.append(bpy.utils.register_cli_command(NAME, _run))
    if background_process.inside_blender():
        workers.launch = background_process.launch


def unregister() -> None:
    """Take it away again."""
    workers.launch = workers.spawn
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())
