"""Generate images in the background, and what goes with that."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy

from .. import hand, render_settings, viewport_ui
from ..background_job import Board, Job, Preview
from .common import FileError, reported, require

SHEET = "Hand contact sheet"
"""The image with the contact sheet."""

_EVERY = 0.25
"""Seconds between two looks at the process."""


def _look() -> float | None:
    """Look at the job; the timer's next interval, None when there is nothing more to see."""
    job = Board.job
    if job is None:
        return None
    if job.poll():
        viewport_ui.redraw()
        viewport_ui.redraw_status()
        return _EVERY
    Board.job = None
    viewport_ui.redraw_status()
    job.stop()
    if job.error:
        Board.tell(job.error, failed=True, log=job.log)
    else:
        Board.out = job.out
        Board.tell(f"{job.out} is complete")
        viewport_ui.show(viewport_ui.loaded(SHEET, str(job.out / "preview.jpg")))
    return None


def _fields_can_be_used(operator: Any, scene: bpy.types.Scene) -> bool:
    problems = render_settings.problems(scene)
    return require(operator, not problems, "; ".join(problems))


class Generate(bpy.types.Operator):
    """Render images, masks and COCO annotations in the background; Blender can be used meanwhile"""

    bl_idname = "handforge.generate"
    bl_label = "Generate"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One job at a time, and fields that can be used."""
        return require(cls, Board.job is None, "Images are being rendered") and _fields_can_be_used(cls, context.scene)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Start the job; the panel shows the rest."""
        Board.tell("")
        Board.job = Job(render_settings.task(context.scene, hand.active(context)))
        bpy.app.timers.register(_look, first_interval=_EVERY, persistent=True)  # also when another file is opened
        return {"FINISHED"}


class Cancel(bpy.types.Operator):
    """Stop rendering; what is done stays, and Generate with the same settings continues"""

    bl_idname = "handforge.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """There has to be a job."""
        return require(cls, Board.job is not None, "No images are being rendered")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Stop the job."""
        if (job := Board.job) is not None:
            Board.job = None
            job.stop()
            Board.out = job.out
            Board.tell(job.where_stopped)
        return {"FINISHED"}


class OpenFolder(bpy.types.Operator):
    """Open the folder of images in the system's file browser"""

    bl_idname = "handforge.open_folder"
    bl_label = "Open Folder"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it."""
        panel = context.scene.handforge
        if not panel.out:
            raise FileError("Folder: choose one")
        folder = Path(render_settings.absolute(panel.out))
        if not folder.is_dir():
            raise FileError(f"Folder: {folder} is not there yet; Generate makes it")
        bpy.ops.wm.path_open(filepath=str(folder))
        return {"FINISHED"}


class CopyCommand(bpy.types.Operator):
    """Copy the handforge command that renders the same, for a terminal or a cluster"""

    bl_idname = "handforge.copy_command"
    bl_label = "Copy as Command"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Fields that can be used."""
        return _fields_can_be_used(cls, context.scene)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put it on the clipboard; a file of settings that it needs becomes a text of the .blend file."""
        line, settings = render_settings.as_command(context.scene, hand.active(context))
        context.window_manager.clipboard = line
        if not settings:
            self.report({"INFO"}, line)
            return {"FINISHED"}
        name = "hand settings.toml"
        viewport_ui.text(name, settings)
        where = render_settings.beside(render_settings.absolute(context.scene.handforge.out), ".toml")
        self.report({"INFO"}, f"Save the text {name!r} as {where} first: {line}")
        return {"FINISHED"}


class ShowLog(bpy.types.Operator):
    """Show what the failed process has printed, in a text editor"""

    bl_idname = "handforge.show_log"
    bl_label = "Show Log"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """There has to be one."""
        return require(cls, bool(Board.log), "Rendering has not failed")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put it into a text of the .blend file, and open that in a window."""
        _show_text(context, viewport_ui.text("hand rendering log", Board.log))
        return {"FINISHED"}


class Guide(bpy.types.Operator):
    """Open the guide to the add-on in a text editor"""

    bl_idname = "handforge.guide"
    bl_label = "Guide"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load it, and show it."""
        guide = Path(__file__).parents[1] / "guide.md"
        _show_text(context, viewport_ui.text("hand guide", guide.read_text("utf-8")))
        return {"FINISHED"}


def _show_text(context: bpy.types.Context, text: bpy.types.Text) -> None:
    """Open a text from its beginning in a window of its own."""
    text.cursor_set(0)
    if not bpy.app.background:
        bpy.ops.wm.window_new()
        area = context.window_manager.windows[-1].screen.areas[0]
        area.type = "TEXT_EDITOR"
        area.spaces.active.text = text
        area.spaces.active.show_word_wrap = True


def wait() -> None:
    """Stay until the job has ended; for scripts."""
    while _look() is not None:
        time.sleep(_EVERY)


@bpy.app.handlers.persistent
def _other_file(*_: object) -> None:
    Board.forget()
    Preview.message = ""


def register() -> None:
    """Watch for other files."""
    bpy.app.handlers.load_post.append(_other_file)


def unregister() -> None:
    """End a job that runs; its folder can be continued."""
    bpy.app.handlers.load_post.remove(_other_file)
    if Board.job is not None:
        Board.job.stop()
        print(f"Rendering into {Board.job.out}: {Board.job.where_stopped}")  # the window is gone when Blender quits
        Board.job = None
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    Board.forget()


CLASSES = (Generate, Cancel, OpenFolder, CopyCommand, ShowLog, Guide)
