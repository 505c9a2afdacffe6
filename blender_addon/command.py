"""``blender -b --command hand_generator ...``: the words of hand-generator, inside Blender's own program."""

from __future__ import annotations

import signal

import bpy

from generator.pipeline import gui_job, workers

from . import hosting

NAME = "hand_generator"

_registered: list = []


def _run(arguments: list[str]) -> int:
    """hand-generator with these arguments; its exit code."""
    from generator.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)  # Blender leaves Python's Ctrl-C off
    try:
        main(args=list(arguments), prog_name=NAME)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0


def _job(_arguments: list[str]) -> int:
    return gui_job.main()


def _worker(_arguments: list[str]) -> int:
    hosting.work()
    return 0


def register() -> None:
    """Add the commands; inside Blender's program, workers are Blenders too."""
    for name, run in ((NAME, _run), (hosting.JOB, _job), (hosting.WORKER, _worker)):
        _registered.append(bpy.utils.register_cli_command(name, run))
    if hosting.inside_blender():
        workers.launch = hosting.launch


def unregister() -> None:
    """The reverse."""
    workers.launch = workers.spawn
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())
