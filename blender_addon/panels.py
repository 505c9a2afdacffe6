"""The panel "Hand" in the 3D View's sidebar."""

from __future__ import annotations

import textwrap

import bpy

from generator.hand import pose, sweep_map
from generator.hand.pose_presets import PRESETS
from handforge.errors import HandforgeError

from . import foreign, generating, hand, operators, sweeping
from .properties import GROUP_WORDS, SHAPE

_CLOSED = ("L1", "L5_1", "L5_2", "L5_3")
"""Groups that are closed at first, so that the panel fits a window."""

_WIDTH = 32
"""Characters of a message that fit a line of the sidebar."""


class Sidebar:
    """Common to the panels: where they are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Hand"


def _wrapped(layout: bpy.types.UILayout, text: str, icon: str, alert: bool = False, lines: int = 0) -> None:
    """A text over as many lines as it needs, but at least ``lines``, so that what is below does not jump."""
    column = layout.column(align=True)
    column.alert = alert
    wrapped = textwrap.wrap(text, _WIDTH)
    for number, line in enumerate(wrapped + [""] * (lines - len(wrapped))):
        column.label(text=line, icon=icon if number == 0 else "BLANK1")


class HANDFORGE_PT_hand(Sidebar, bpy.types.Panel):
    """The hand: its verdict and its 28 sliders."""

    bl_label = "Hand"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        layout.operator("handforge.add_hand", icon="ADD")
        if operators.UseArmature.poll(context):
            layout.operator("handforge.use_armature", icon="ARMATURE_DATA")
        armature = hand.active(context)
        if armature is None:
            return
        props = armature.handforge
        box = layout.box()
        if props.reason:
            _wrapped(box, f"{props.reason}: {props.verdict}", "ERROR", alert=True, lines=3)
        else:
            _wrapped(box, props.verdict.capitalize(), "CHECKMARK", lines=3)
        self._presets(layout)
        for group, words in GROUP_WORDS.items():
            self._group(layout, props, group, words)
        row = layout.row(align=True)
        row.operator("handforge.reset", text="Reset all", icon="LOOP_BACK").group = "ALL"
        row.operator("handforge.load_pose", text="Load", icon="IMPORT")
        row.operator("handforge.save_pose", text="Save", icon="EXPORT")

    @staticmethod
    def _presets(layout: bpy.types.UILayout) -> None:
        header, body = layout.panel("handforge_presets")
        header.label(text="Presets")
        if body:
            grid = body.grid_flow(row_major=True, columns=4, even_columns=True, align=True)
            for name in PRESETS:
                grid.operator("handforge.preset", text=name.replace("_", " ")).name = name

    @staticmethod
    def _group(layout: bpy.types.UILayout, props: bpy.types.PropertyGroup, group: str, words: str) -> None:
        header, body = layout.panel(f"handforge_{group}", default_closed=group in _CLOSED)
        header.label(text=f"{words} ({group})")
        header.operator("handforge.reset", text="", icon="LOOP_BACK", emboss=False).group = group
        if body:
            column = body.column(align=True)
            for name in pose.NAMES[pose.GROUPS[group]]:
                column.prop(props, name, slider=True)


class HANDFORGE_PT_shape(Sidebar, bpy.types.Panel):
    """Side, shape and skin."""

    bl_label = "Side, shape and skin"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is a hand of our own."""
        armature = hand.active(context)
        return armature is not None and foreign.names(armature) is None

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        props = hand.active(context).handforge
        layout.row().prop(props, "side", expand=True)
        layout.prop(props, "tone", slider=True)
        layout.label(text="Times the mean hand's")
        column = layout.column(align=True)
        for name in SHAPE:
            column.prop(props, name, slider=True)
        row = layout.row(align=True)
        row.operator("handforge.mean_shape")
        row.operator("handforge.random_shape")


class HANDFORGE_PT_sweep(Sidebar, bpy.types.Panel):
    """The sweep."""

    bl_label = "Sweep"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        scene = context.scene
        props = scene.handforge
        layout.row().prop(props, "sweep", expand=True)
        layout.prop(props, "step")
        layout.prop(props, "v4")
        layout.prop(props, "v5")
        try:
            layout.label(text=f"{len(sweeping.chosen(scene).poses):,} poses")
        except HandforgeError as error:
            _wrapped(layout, str(error), "ERROR", alert=True)
            return
        layout.operator("handforge.sweep_to_timeline", depress=props.scrub, icon="TIME")
        layout.operator("handforge.judge_sweep", icon="IMAGE_DATA")
        counts = sweeping.counts(scene, hand.active(context))
        if counts:
            column = layout.column(align=True)
            for reason, number in counts.items():
                column.label(text=f"{number:,} {reason or 'kept'} ({sweep_map.COLOUR_WORDS[reason]})")
            column.label(text="on the map: v4 upwards, v5 to the right")


class HANDFORGE_PT_generate(Sidebar, bpy.types.Panel):
    """Generate."""

    bl_label = "Generate"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        props = context.scene.handforge
        job = generating.Board.job
        if job is not None:
            layout.progress(factor=job.done / max(job.total, 1), text=job.text)
            layout.operator("handforge.cancel", icon="CANCEL")
            return
        layout.use_property_split, layout.use_property_decorate = True, False
        layout.prop(props, "poses")
        if props.poses == "file":
            layout.prop(props, "file")
        layout.prop(props, "settings")
        if props.settings == "file":
            layout.prop(props, "settings_file")
        for name in ("count", "seed", "size", "engine", "format", "mask", "workers", "out"):
            layout.prop(props, name)
        layout.operator("handforge.generate", icon="RENDER_STILL")
        if generating.Board.message:
            icon = "ERROR" if generating.Board.failed else "INFO"
            _wrapped(layout, generating.Board.message, icon, alert=generating.Board.failed)


_CLASSES = (HANDFORGE_PT_hand, HANDFORGE_PT_shape, HANDFORGE_PT_sweep, HANDFORGE_PT_generate)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
