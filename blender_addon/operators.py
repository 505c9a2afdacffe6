"""The panel's buttons for one hand: add, reset, presets, shapes, files of poses."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from generator.hand import anatomy, pose, pose_sets
from generator.hand.pose_presets import PRESETS
from generator.rigs import bone_map
from handforge.errors import HandforgeError
from handforge.files import write_atomic

from . import foreign, hand, screen
from .properties import GROUP_WORDS, SHAPE, items

_GROUPS = [("ALL", "Everything", ""), *((group, words, "") for group, words in GROUP_WORDS.items())]

_FINGERS = slice(pose.GROUPS["L3"].start, None)
"""What a preset sets: wrist and fingers. The bind pose is the exception, it sets everything."""


class Undoable:
    """Common to what changes the scene."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender reads a plain set


class OfHand(Undoable):
    """Common to what changes a hand: there has to be one."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a hand to work on."""
        if hand.active(context) is not None:
            return True
        cls.poll_message_set("Add a hand, or select one of several")
        return False


class AddHand(Undoable, bpy.types.Operator):
    """Add the built-in hand, ready to be posed."""

    bl_idname = "handforge.add_hand"
    bl_label = "Add hand"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it and go to pose mode."""
        layer = context.view_layer
        if layer.objects.active and layer.objects.active.mode != "OBJECT":
            bpy.ops.object.mode_set(mode="OBJECT")
        for thing in layer.objects:
            thing.select_set(False)
        armature = hand.add(context)
        armature.select_set(True)
        layer.objects.active = armature
        bpy.ops.object.mode_set(mode="POSE")
        if context.space_data and context.space_data.type == "VIEW_3D":
            screen.look_at_hand(context)
        return {"FINISHED"}


class UseArmature(Undoable, ImportHelper, bpy.types.Operator):
    """Take the active armature as the hand; a map file says which of its bones is which."""

    bl_idname = "handforge.use_armature"
    bl_label = "Use this armature"

    filename_ext = ".toml"
    filter_glob: StringProperty(default="*.toml", options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """An armature that is no hand yet."""
        chosen = context.view_layer.objects.active
        return chosen is not None and chosen.type == "ARMATURE" and not hand.is_hand(chosen)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the map and take its bind pose."""
        armature = context.view_layer.objects.active
        try:
            foreign.take(armature, bone_map.load(Path(bpy.path.abspath(self.filepath))))
        except HandforgeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        hand.put(armature, pose.bind())
        return {"FINISHED"}


class Reset(OfHand, bpy.types.Operator):
    """Take a group of numbers back to zero."""

    bl_idname = "handforge.reset"
    bl_label = "Reset"

    group: EnumProperty(name="Group", items=_GROUPS)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reset the group."""
        armature = hand.active(context)
        values = hand.pose(armature)
        values[pose.GROUPS.get(self.group, slice(None))] = 0.0
        hand.put(armature, values)
        return {"FINISHED"}


class Preset(OfHand, bpy.types.Operator):
    """Take a pose of wrist and fingers; the arm stays. The bind pose sets the arm back too."""

    bl_idname = "handforge.preset"
    bl_label = "Preset"

    name: EnumProperty(name="Pose", items=items(*PRESETS))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the pose."""
        armature = hand.active(context)
        values = hand.pose(armature)
        part = slice(None) if self.name == "bind" else _FINGERS
        values[part] = PRESETS[self.name][part]
        hand.put(armature, values)
        return {"FINISHED"}


class OfOurHand(OfHand):
    """Common to what changes the proportions, which somebody's own armature keeps."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a hand of ours to work on."""
        if not super().poll(context):
            return False
        if foreign.names(hand.active(context)) is None:
            return True
        cls.poll_message_set("An armature of your own keeps its proportions")
        return False


class RandomShape(OfOurHand, bpy.types.Operator):
    """Give the hand an adult's proportions, drawn from a seed."""

    bl_idname = "handforge.random_shape"
    bl_label = "Another person"

    seed: IntProperty(name="Seed", min=0)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Draw with a new seed; the operator's panel can change it."""
        self.seed = int(np.random.default_rng().integers(10_000))
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the shape."""
        _take_shape(hand.active(context), anatomy.HandShape.random(np.random.default_rng(self.seed)))
        return {"FINISHED"}


class MeanShape(OfOurHand, bpy.types.Operator):
    """Give the hand the mean proportions."""

    bl_idname = "handforge.mean_shape"
    bl_label = "Mean hand"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the shape."""
        _take_shape(hand.active(context), anatomy.MEAN)
        return {"FINISHED"}


def _take_shape(armature: bpy.types.Object, shape: anatomy.HandShape) -> None:
    with hand.one_reshaping(armature):
        for name in SHAPE:
            setattr(armature.handforge, name, getattr(shape, name))


class SavePose(OfHand, ExportHelper, bpy.types.Operator):
    """Save the pose as a file of poses, as hand-generator render --set FILE takes it."""

    bl_idname = "handforge.save_pose"
    bl_label = "Save pose"
    bl_options = {"REGISTER"}  # noqa: RUF012  nothing in Blender changes

    filename_ext = ".csv"
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})
    append: BoolProperty(name="Add to the file", description="Keep the poses that it holds", default=False)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file."""
        path = Path(bpy.path.abspath(self.filepath))
        names, frames, saved = (path.stem,), [0], [hand.pose(hand.active(context))]
        try:
            if self.append and path.exists():
                kept = pose_sets.load(path)
                own = [frame for name, frame in zip(kept.names, kept.frames, strict=True) if name == path.stem]
                names, frames = (*kept.names, *names), [*kept.frames, max(own, default=-1) + 1]
                saved = [*kept.poses, *saved]
            write_atomic(path, pose_sets.dump(pose_sets.PoseSet(names, np.array(frames), np.array(saved))))
        except (HandforgeError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{path} holds {len(saved)} pose{'s' if len(saved) > 1 else ''}")
        return {"FINISHED"}


class LoadPose(OfHand, ImportHelper, bpy.types.Operator):
    """Take a pose from a file of poses."""

    bl_idname = "handforge.load_pose"
    bl_label = "Load pose"

    filename_ext = ".csv"
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})
    number: IntProperty(name="Pose", description="Which of the file's poses, from 1", min=1, default=1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the file."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            loaded = pose_sets.load(path).poses
        except (HandforgeError, OSError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if self.number > len(loaded):
            self.report({"ERROR"}, f"{path} holds {len(loaded)} poses, there is no number {self.number}")
            return {"CANCELLED"}
        hand.put(hand.active(context), loaded[self.number - 1])
        return {"FINISHED"}


_CLASSES = (AddHand, UseArmature, Reset, Preset, RandomShape, MeanShape, SavePose, LoadPose)

register, unregister = bpy.utils.register_classes_factory(_CLASSES)
