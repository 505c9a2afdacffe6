"""Menus, which F3 searches where the mouse is; the verdict in the 3D View's header; progress in the status bar."""

from __future__ import annotations

import bpy

from generator.hand.pose_presets import PRESETS

from .. import hand
from ..background_job import Board, Preview
from ..viewport_ui import title


class HANDFORGE_MT_add(bpy.types.Menu):
    """Add > Hand."""

    bl_label = "Hand"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw it."""
        for side in ("right", "left"):
            self.layout.operator("handforge.add_hand", text=f"{side.capitalize()} Hand", icon="VIEW_PAN").side = side


class HANDFORGE_MT_presets(bpy.types.Menu):
    """Hand > Presets."""

    bl_label = "Hand Pose Presets"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw it."""
        for name in PRESETS:
            self.layout.operator("handforge.preset", text=title(name)).name = name


class HANDFORGE_MT_hand(bpy.types.Menu):
    """All that can be done with a hand."""

    bl_label = "Hand"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw it."""
        layout = self.layout
        layout.menu("HANDFORGE_MT_presets", text="Presets")
        layout.operator("handforge.reset").group = "ALL"
        layout.operator("handforge.key_pose")
        for group in (
            ("load_pose", "save_pose", "poses_to_keyframes", "keyframes_to_poses"),
            ("save_asset", "presets_to_assets", "poses_to_library", "guess_bones", "use_armature"),
            ("random_shape", "mean_shape", "make_single_user", "restore_bones"),
            ("fingertips", "load_photo", "click_joints", "fit_file"),
            ("add_camera", "take_over_camera", "take_over_view", "render_pose"),
            ("sweep_to_timeline", "sweep_off", "judge_sweep", "pose_from_map"),
            ("generate", "cancel", "open_folder", "copy_command", "guide"),
        ):
            layout.separator()
            for name in group:
                layout.operator(f"handforge.{name}")


def _add_menu(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.menu("HANDFORGE_MT_add", icon="VIEW_PAN")


def _hand_menu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    if hand.active(context) is not None:
        self.layout.menu("HANDFORGE_MT_hand")


def _verdict(self: bpy.types.Header, context: bpy.types.Context) -> None:
    armature = hand.active(context)
    if armature is None:
        return
    reason = armature.handforge.reason
    row = self.layout.row()
    row.alert = bool(reason)
    row.label(text=reason.capitalize() or "Plausible", icon="ERROR" if reason else "CHECKMARK")


def _progress(self: bpy.types.Header, _context: bpy.types.Context) -> None:
    if Board.job is not None:
        job, row = Board.job, self.layout.row()
        row.ui_units_x = 15  # as wide as the text gets
        row.progress(factor=job.done / max(job.total, 1), text=f"Hands: {job.text}")
    elif Preview.waiting:
        self.layout.label(text="Rendering the hand", icon="RENDER_STILL")


CLASSES = (HANDFORGE_MT_add, HANDFORGE_MT_presets, HANDFORGE_MT_hand)

_DRAWN = (
    ("VIEW3D_MT_add", _add_menu),
    ("VIEW3D_MT_mesh_add", _add_menu),
    ("VIEW3D_MT_armature_add", _add_menu),
    ("VIEW3D_MT_editor_menus", _hand_menu),
    ("IMAGE_MT_editor_menus", _hand_menu),
    ("VIEW3D_HT_header", _verdict),
    ("STATUSBAR_HT_header", _progress),
)


def register() -> None:
    """Add what is drawn in Blender's own menus and headers."""
    for name, draw in _DRAWN:
        getattr(bpy.types, name).append(draw)


def unregister() -> None:
    """Take it away again."""
    for name, draw in _DRAWN:
        getattr(bpy.types, name).remove(draw)
