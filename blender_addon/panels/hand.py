"""The hand: its verdict, presets, sliders, shape, keyframes and files."""

from __future__ import annotations

import bpy

from generator.hand import pose
from generator.hand.pose_presets import PRESETS

from .. import external_rig, fingertips, hand, verdict
from ..background_job import Preview
from ..operators import add
from ..properties.hand import GROUP_WORDS
from ..viewport_ui import title, wrapped
from .common import CLOSED, Sidebar, split

_OPEN = ("L2",)
"""Groups of sliders that are open at first; fingers are mostly set by presets and dragged bones."""


class HANDFORGE_PT_hand(Sidebar, bpy.types.Panel):
    """The hand: which one, and the verdict on it."""

    bl_label = "Hand"

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """Help."""
        self.layout.operator("handforge.guide", text="", icon="HELP", emboss=False)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        armature = hand.active(context)
        layout.operator("handforge.add_hand", text="Add Hand" if armature is None else "Add Another", icon="ADD")
        if add.own_armature(context) is not None:
            row = layout.row(align=True)
            row.operator("handforge.guess_bones", icon="ARMATURE_DATA")
            row.operator("handforge.use_armature", text="", icon="FILE_FOLDER")
        if armature is None or hand.locked(armature):
            wrapped(layout, hand.why_none(context), "INFO")
            return
        props = armature.handforge
        box = layout.box()
        if props.reason:
            text, icon = f"{props.reason.capitalize()}: {props.verdict}", "ERROR"
        else:
            text, icon = "Plausible: a person can hold it so, and images show all of it", "CHECKMARK"
        wrapped(box, text, icon, alert=bool(props.reason), room_for=verdict.LONGEST)
        if props.notice:
            wrapped(layout, props.notice, "ERROR", alert=True)
        layout.operator(
            "handforge.render_pose",
            text="Rendering" if Preview.waiting else "Render This Pose",
            icon="RENDER_STILL",
        )
        if Preview.message:
            wrapped(layout, Preview.message, "ERROR", alert=True)
        if props.reason == verdict.TROUBLE and external_rig.names(armature) is None:
            layout.operator("handforge.restore_bones", icon="LOOP_BACK")
        if shared := hand.sharing(armature):
            wrapped(layout, f"A linked duplicate (Alt-D) shares {shared}", "INFO")
            layout.operator("handforge.make_single_user", icon="DUPLICATE")


class OfTheHand(Sidebar):
    """Common to the panels below: there has to be a hand."""

    bl_parent_id = "HANDFORGE_PT_hand"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is one that can be changed."""
        return not hand.why_none(context)


class HANDFORGE_PT_presets(OfTheHand, bpy.types.Panel):
    """Poses by name."""

    bl_label = "Presets"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        columns = max(2, int(context.region.width / (75 * context.preferences.system.ui_scale)))
        grid = self.layout.grid_flow(row_major=True, columns=columns, even_columns=True, align=True)
        for name in PRESETS:
            grid.operator("handforge.preset", text=title(name)).name = name


class HANDFORGE_PT_sliders(OfTheHand, bpy.types.Panel):
    """The 28 sliders."""

    bl_label = "Sliders"

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """All of them back to zero, or keyed."""
        row = self.layout.row(align=True)
        row.operator("handforge.key_pose", text="", icon="KEY_HLT", emboss=False)
        row.operator("handforge.reset", text="", icon="LOOP_BACK", emboss=False).group = "ALL"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it."""
        props = hand.chosen(context).handforge
        column = self.layout.column(align=True)
        column.prop(props, "coupled")
        column.prop(props, "limited")
        handles = fingertips.of(hand.active(context))
        words = "Hide Fingertip Handles" if handles else "Show Fingertip Handles"
        self.layout.operator("handforge.fingertips", text=words, icon="EMPTY_DATA", depress=bool(handles))
        for group, words in GROUP_WORDS.items():
            header, body = self.layout.panel(f"handforge_{group}", default_closed=group not in _OPEN)
            header.label(text=words)
            header.operator("handforge.reset", text="", icon="LOOP_BACK", emboss=False).group = group
            if body:
                column = body.column(align=True)
                for name in pose.NAMES[pose.GROUPS[group]]:
                    column.prop(props, name, slider=True)


class HANDFORGE_PT_shape(OfTheHand, bpy.types.Panel):
    """Side, shape and skin."""

    bl_label = "Side, Shape and Skin"
    bl_options = CLOSED

    def draw(self, context: bpy.types.Context) -> None:
        """Draw it; an external armature has a skin tone alone."""
        layout, armature = self.layout, hand.chosen(context)
        props = armature.handforge
        if external_rig.names(armature):
            layout.label(text=f"{hand.side(armature).capitalize()} hand, in its own proportions")
            layout.prop(props, "tone", slider=True)
            return
        layout.row().prop(props, "side", expand=True)
        layout.prop(props, "tone", slider=True)
        layout.label(text="Times the mean hand's:")
        column = layout.column(align=True)
        for name in hand.SHAPE:
            column.prop(props, name, slider=True)
        row = layout.row(align=True)
        row.operator("handforge.mean_shape")
        row.operator("handforge.random_shape")


class HANDFORGE_PT_files(OfTheHand, bpy.types.Panel):
    """Keyframes and files of poses."""

    bl_label = "Keyframes and Files"
    bl_options = CLOSED

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw it."""
        column = split(self.layout)
        column.operator("handforge.key_pose", icon="KEY_HLT")
        row = column.row(align=True)
        row.operator("handforge.load_pose", text="Load Pose", icon="IMPORT")
        row.operator("handforge.save_pose", text="Save Pose", icon="EXPORT")
        column.operator("handforge.poses_to_keyframes", icon="ACTION")
        column.operator("handforge.keyframes_to_poses", icon="FILE_TICK")
        column.operator("handforge.save_asset", icon="ASSET_MANAGER")
        column.operator("handforge.presets_to_assets", icon="ASSET_MANAGER")
        column.operator("handforge.poses_to_library", icon="ASSET_MANAGER")


CLASSES = (HANDFORGE_PT_hand, HANDFORGE_PT_presets, HANDFORGE_PT_sliders, HANDFORGE_PT_shape, HANDFORGE_PT_files)
