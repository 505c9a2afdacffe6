"""Key the pose; a CSV file of poses as keyframes, and keyframes as such a file."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.props import IntProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from generator.hand import pose_sets
from handforge.files import write_atomic

from .. import animation, hand
from .common import OfHand, chosen_file, reported


class KeyPose(OfHand, bpy.types.Operator):
    """Insert keyframes for all 28 sliders at the current frame"""

    bl_idname = "handforge.key_pose"
    bl_label = "Key Hand Pose"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Key them."""
        animation.key(hand.active(context), context.scene.frame_current)
        return {"FINISHED"}


class PosesToKeyframes(OfHand, ImportHelper, bpy.types.Operator):
    """Make keyframes of a CSV file of poses: a new action, one pose after the other from the current frame"""

    bl_idname = "handforge.poses_to_keyframes"
    bl_label = "Poses to Keyframes"

    filename_ext = ".csv"
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})
    step: IntProperty(name="Frames a Pose", description="Frames from one pose to the next", min=1, default=1)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the file, and key what it holds."""
        path, scene = chosen_file(self), context.scene
        loaded = pose_sets.load(path).poses
        animation.write(hand.active(context), path.stem, loaded, scene.frame_current, self.step)
        scene.frame_end = max(scene.frame_end, scene.frame_current + self.step * (len(loaded) - 1))
        scene.frame_set(scene.frame_current)
        return {"FINISHED"}


class KeyframesToPoses(OfHand, ExportHelper, bpy.types.Operator):
    """Save the pose at every keyframe to a CSV file of poses"""

    bl_idname = "handforge.keyframes_to_poses"
    bl_label = "Keyframes to Poses"
    bl_options = {"REGISTER"}  # noqa: RUF012  nothing in Blender changes

    filename_ext = ".csv"
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file."""
        path, armature = chosen_file(self), hand.active(context)
        frames = animation.keyed_frames(armature)
        if not frames:
            raise hand.HandError("The hand has no keyframes: set some with Key Hand Pose first")
        some = animation.read(armature, frames, context.scene)
        write_atomic(path, pose_sets.dump(pose_sets.PoseSet((path.stem,) * len(frames), np.array(frames), some)))
        self.report({"INFO"}, f"{path} holds {len(frames)} poses")
        return {"FINISHED"}


CLASSES = (KeyPose, PosesToKeyframes, KeyframesToPoses)
