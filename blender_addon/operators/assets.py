"""Poses as assets."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from generator.hand.pose_presets import PRESETS

from .. import asset_library, hand, pose_assets
from ..viewport_ui import title
from .common import OfBuiltInHand, reported
from .pose import PRESET_TEXTS


class SaveAsset(OfBuiltInHand, bpy.types.Operator):
    """Make an asset of wrist and fingers, with a thumbnail; saved with this file, which may lie in an asset library"""

    bl_idname = "handforge.save_asset"
    bl_label = "Pose to Asset"

    name: StringProperty(name="Name", default="Pose")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for its name."""
        return context.window_manager.invoke_props_dialog(self)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it."""
        armature = hand.active(context)
        pose_assets.make(armature, self.name, hand.pose(armature), "")
        return {"FINISHED"}


class PresetsToAssets(OfBuiltInHand, bpy.types.Operator):
    """Make assets of all presets, with thumbnails: apply them from the asset browser, mixed or in part"""

    bl_idname = "handforge.presets_to_assets"
    bl_label = "Presets to Assets"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make them."""
        armature = hand.active(context)
        for name, pose in PRESETS.items():
            pose_assets.make(armature, title(name), pose, PRESET_TEXTS[name])
        self.report({"INFO"}, f"{len(PRESETS)} poses are in the asset browser, under Current File")
        return {"FINISHED"}


class PosesToLibrary(OfBuiltInHand, bpy.types.Operator):
    """Write presets, signs and grasps with thumbnails into a folder that the asset browser of every file shows"""

    bl_idname = "handforge.poses_to_library"
    bl_label = "Poses to Asset Library"
    bl_options = {"REGISTER"}  # noqa: RUF012  nothing in the file changes

    directory: StringProperty(
        name="Folder", description="Where the library goes", subtype="DIR_PATH", options={"SKIP_SAVE"}
    )
    filter_folder: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the folder."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        folder = Path(bpy.path.abspath(self.directory))
        if not self.directory or not folder.is_dir():
            raise hand.HandError(f"{self.directory!r} is not a folder: choose one for the asset library")
        path = asset_library.write(hand.active(context), folder)
        self.report({"INFO"}, f"{path} is in the asset browser, under {pose_assets.CATALOG}")
        return {"FINISHED"}


CLASSES = (SaveAsset, PresetsToAssets, PosesToLibrary)
