"""Camera, rendering of the current pose, the sweep, and generating images."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from generator.hand import sweep_map
from handforge.errors import HandforgeError

from .. import camera_object, hand, render_settings, sweep_view
from ..background_job import Board
from ..viewport_ui import title, wrapped
from .common import CLOSED, Sidebar, split

CAMERA = ("distance", "focal_mm")
"""Settings of the camera, beside the hand's camera."""

SCENE = {
    "Fraction of Images With": (*render_settings.FRACTIONS, "empty_kind"),
    "Hands": ("num_hands", "glove", "adornments", "sleeve", "elbow"),
    "Surroundings": (
        *("scene", "environment", "background", "backgrounds", "distractors", "occluders"),
        *("objects", "object_annotations"),
    ),
    "Light and Sensor": ("light", "exposure", "sensor"),
}
"""Settings of the scene by subject."""


class HANDFORGE_PT_camera(Sidebar, bpy.types.Panel):
    """The generator's camera."""

    bl_label = "Camera"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout, armature = self.layout, hand.active(context)
        layout.operator("handforge.add_camera", text="Look Through", icon="CAMERA_DATA")
        camera = camera_object.of(armature) if armature else None
        if camera is not None and camera_object.is_moved(camera):
            wrapped(layout, "The camera was moved: images are still taken from its old place", "INFO")
            layout.operator("handforge.take_over_camera", icon="CHECKMARK")
        layout.operator("handforge.take_over_view", icon="VIEW3D")
        _fields(split(layout), context.scene.handforge, CAMERA)


class HANDFORGE_PT_photo(Sidebar, bpy.types.Panel):
    """A photograph to be matched."""

    bl_label = "Match a Photograph"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        column = self.layout.column()
        column.operator("handforge.load_photo", icon="IMAGE_BACKGROUND")
        column.operator("handforge.click_joints", icon="RESTRICT_SELECT_OFF")
        column.operator("handforge.fit_file", icon="FILE")
        if text := context.scene.handforge.fit:
            wrapped(column, render_settings.in_words_of_the_panel(text), "INFO")


class HANDFORGE_PT_sweep(Sidebar, bpy.types.Panel):
    """The sweep."""

    bl_label = "Sweep"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout, scene = self.layout, context.scene
        props = scene.handforge
        layout.row().prop(props, "sweep", expand=True)
        column = split(layout)
        for name in ("step", "v4", "v5"):
            column.prop(props, name)
        try:
            layout.label(text=f"{len(sweep_view.chosen(scene).poses):,} poses")
        except HandforgeError as error:
            wrapped(layout, render_settings.in_words_of_the_panel(str(error)), "ERROR", alert=True)
        row = layout.row(align=True)
        row.operator("handforge.sweep_to_timeline", icon="ACTION")
        if props.before[1]:
            row.operator("handforge.sweep_off", text="", icon="X")
        layout.operator("handforge.judge_sweep", icon="IMAGE_DATA")
        counts = sweep_view.counts(scene, hand.active(context))
        if counts:
            column = layout.column(align=True)
            for reason, number in counts.items():
                words = f"{number:,} {reason or 'kept'} ({sweep_map.COLOR_WORDS[reason]})"
                column.label(text=words[0].upper() + words[1:])
            layout.operator("handforge.pose_from_map", icon="RESTRICT_SELECT_OFF")


class HANDFORGE_PT_generate(Sidebar, bpy.types.Panel):
    """Generate."""

    bl_label = "Generate"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it: how far it is, or what to render and the button."""
        layout, props = self.layout, context.scene.handforge
        job = Board.job
        if job is not None:
            layout.progress(factor=job.done / max(job.total, 1), text=job.text.capitalize())
            layout.operator("handforge.cancel", icon="CANCEL")
            wrapped(layout, "Quitting Blender stops it; Generate with the same settings continues", "INFO")
            return
        column = split(layout)
        column.prop(props, "poses")
        if props.poses == "file":
            column.prop(props, "file")
        for name in ("settings", "settings_file", "count", "out"):
            if name != "settings_file" or props.settings == "file":
                column.prop(props, name)
        problems = render_settings.problems(context.scene)
        for problem in problems:
            wrapped(layout, problem, "ERROR", alert=True)
        layout.operator("handforge.generate", icon="RENDER_ANIMATION")
        if Board.message:
            wrapped(layout, Board.message, "ERROR" if Board.failed else "INFO", alert=Board.failed)
        elif stopped := render_settings.unfinished(context.scene):
            wrapped(layout, stopped, "INFO")
        column = layout.column(align=True)
        if Board.log:
            column.operator("handforge.show_log", icon="TEXT")
        column.operator("handforge.open_folder", icon="FILE_FOLDER")
        column.operator("handforge.copy_command", icon="COPYDOWN")


class OfGenerate(Sidebar):
    """Common to the settings below Generate."""

    bl_parent_id = "HANDFORGE_PT_generate"
    bl_options = CLOSED


class HANDFORGE_PT_image(OfGenerate, bpy.types.Panel):
    """Size, engine, mask."""

    bl_label = "Image and Ground Truth"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        column, props = split(self.layout), context.scene.handforge
        for name in ("size", "format", "engine", "samples", "seed", "workers", "mask"):
            column.prop(props, name)
        column.column().prop(props, "truth")
        column.prop(props, "preview_number")
        column.row().prop(props, "preview_shows", expand=True)


class HANDFORGE_PT_scene(OfGenerate, bpy.types.Panel):
    """What is randomized."""

    bl_label = "Scene"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        for words, names in SCENE.items():
            header, body = self.layout.panel(f"handforge_{words}", default_closed=True)
            header.label(text=words)
            if body:
                _fields(split(body), context.scene.handforge, names)


def _fields(column: bpy.types.UILayout, props: bpy.types.PropertyGroup, names: Iterable[str]) -> None:
    """Settings: a word, a number or a path."""
    for name in names:
        word = getattr(props, f"set_{name}", None)
        if word is not None:
            column.prop(props, f"set_{name}", text=title(name))
        if word in (None, render_settings.FIXED):
            column.prop(props, name)  # a number is below its choice


CLASSES = (
    HANDFORGE_PT_camera,
    HANDFORGE_PT_photo,
    HANDFORGE_PT_generate,
    HANDFORGE_PT_image,
    HANDFORGE_PT_scene,
    HANDFORGE_PT_sweep,
)
