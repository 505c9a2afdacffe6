"""Render the pose as it is: image, mask overlay and annotation in an image editor, at once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import bpy

from generator.frame import settings
from generator.pipeline.gui_messages import PreviewNews

from .. import hand, render_settings, viewport_ui
from ..background_job import Preview
from .common import OfHand, reported

RECORD = "Hand annotation.json"
"""The text that a rendered pose becomes, beside the images."""

_EVERY = 0.1
"""Seconds between two looks at the process."""


class RenderPose(OfHand, bpy.types.Operator):
    """Render this pose with the settings below, whether it is plausible or not: image, mask and annotation"""

    bl_idname = "handforge.render_pose"
    bl_label = "Render This Pose"
    bl_options = {"REGISTER"}  # noqa: RUF012  the result comes later

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Ask for it; one image at a time.

        A button that a poll greys meanwhile would stay grey until the mouse leaves it.
        """
        if Preview.waiting:
            self.report({"INFO"}, "An image is being rendered")
            return {"CANCELLED"}
        armature, scene = hand.active(context), context.scene
        asked = render_settings.task(scene, armature)
        shown = {name: value for name, value in asked["overrides"].items() if name not in ("pose_set", "count")}
        settings.load(Path(asked["settings"]), shown, asked["defaults"])  # what is wrong is said now
        Preview.ask(
            {
                "settings": asked["settings"],
                "overrides": shown,
                "defaults": asked["defaults"],
                "pose": hand.pose(armature).tolist(),
                "number": scene.handforge.preview_number,
                "out": str(Path(bpy.app.tempdir) / "hand_preview"),
            }
        )
        bpy.app.timers.register(_look, first_interval=_EVERY, persistent=True)
        return {"FINISHED"}


def _look() -> float | None:
    news = Preview.poll()
    if news is None:
        return _EVERY
    if "error" in news:
        Preview.message = render_settings.in_words_of_the_panel(news["error"])
    else:
        _take(news)
    viewport_ui.redraw()
    viewport_ui.redraw_status()
    return None


def _take(news: PreviewNews) -> None:
    """Have image, overlay and record in the .blend file, and show one."""
    viewport_ui.loaded(viewport_ui.IMAGE, news["image"])
    viewport_ui.loaded(viewport_ui.OVERLAY, news["overlay"])
    viewport_ui.text(RECORD, json.dumps(json.loads(Path(news["record"]).read_text("utf-8")), indent=1))
    viewport_ui.show_preview(bpy.context.scene)


def wait() -> None:
    """Stay until the image is there; for scripts."""
    while _look() is not None:
        time.sleep(_EVERY)


def unregister() -> None:
    """End the process."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    Preview.stop()


CLASSES = (RenderPose,)
