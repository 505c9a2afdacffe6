"""Set the pose: reset, presets, files of poses; and the proportions."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from generator.hand import anatomy, pose, pose_sets
from generator.hand.pose_presets import PRESETS
from handforge.files import write_atomic
from handforge.text import counted

from .. import hand, reshape, sync
from ..properties.choice_texts import explained
from ..properties.hand import GROUP_WORDS
from .common import OfBuiltInHand, OfHand, chosen_file, reported

_GROUPS = [
    ("ALL", "Everything", "All 28 sliders"),
    *((group, words, f"The sliders of {words}") for group, words in GROUP_WORDS.items()),
]

_FINGERS = slice(pose.GROUPS["L3"].start, None)
"""What a preset sets: wrist and fingers. The bind pose is the exception, it sets everything."""

PRESET_TEXTS = {
    "bind": "Everything back to zero: fingers straight, palm to the camera",
    "open": "An open hand, fingers a little apart",
    "flat": "A flat hand, fingers together",
    "relaxed": "A hand at rest, fingers half bent",
    "fist": "A closed fist",
    "point": "The index finger points",
    "pinch": "Thumb and index finger about to pick something up",
    "ok": "Thumb and index finger form a ring",
    "key": "A key held between thumb and index finger's side",
    "oppose": "The thumb meets the little finger",
    "one": "The index finger counts one",
    "two": "Index and middle finger count two",
    "three": "Index, middle and ring finger count three",
    "four": "All fingers but the thumb count four",
    "five": "All fingers spread wide",
    "thumb_up": "A fist with the thumb up",
    "horns": "Index and little finger stretched",
    "call": "Thumb and little finger stretched, as a telephone",
    "claw": "Fingers bent at their middle and last joints",
    "hook": "Fingers bent as around a handle",
    "grasp": "A hand around a glass",
}


class Reset(OfHand, bpy.types.Operator):
    """Set a group of sliders back to zero"""

    bl_idname = "handforge.reset"
    bl_label = "Reset Pose"

    group: EnumProperty(name="Group", description="Which sliders", items=_GROUPS)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The tooltip."""
        words = GROUP_WORDS.get(properties.group)
        return f"Set {words.lower() if words else 'all 28 sliders'} back to zero"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Reset the group."""
        armature = hand.active(context)
        values = hand.pose(armature)
        values[pose.GROUPS.get(self.group, slice(None))] = 0.0
        sync.put(armature, values)
        return {"FINISHED"}


class Preset(OfHand, bpy.types.Operator):
    """Set wrist and fingers to a pose; the arm stays"""

    bl_idname = "handforge.preset"
    bl_label = "Hand Pose Preset"

    name: EnumProperty(name="Pose", items=explained(PRESETS, PRESET_TEXTS))

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The tooltip."""
        return PRESET_TEXTS[properties.name]

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the pose."""
        armature = hand.active(context)
        values = hand.pose(armature)
        part = slice(None) if self.name == "bind" else _FINGERS
        values[part] = PRESETS[self.name][part]
        sync.put(armature, values)
        return {"FINISHED"}


class RandomShape(OfBuiltInHand, bpy.types.Operator):
    """Give the hand the proportions of an adult, drawn at random"""

    bl_idname = "handforge.random_shape"
    bl_label = "Another Person"

    seed: IntProperty(name="Seed", description="Another seed draws another person", min=0)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Draw with a new seed; the operator's panel can change it."""
        self.seed = int(np.random.default_rng().integers(10_000))
        return self.execute(context)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the shape."""
        reshape.choose(hand.active(context), anatomy.HandShape.random(np.random.default_rng(self.seed)))
        return {"FINISHED"}


class MeanShape(OfBuiltInHand, bpy.types.Operator):
    """Give the hand the mean proportions"""

    bl_idname = "handforge.mean_shape"
    bl_label = "Mean Hand"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take the shape."""
        reshape.choose(hand.active(context), anatomy.MEAN)
        return {"FINISHED"}


class SavePose(OfHand, ExportHelper, bpy.types.Operator):
    """Save the pose to a CSV file, as handforge render --set FILE takes it"""

    bl_idname = "handforge.save_pose"
    bl_label = "Save Hand Pose"
    bl_options = {"REGISTER"}  # noqa: RUF012  nothing in Blender changes

    filename_ext = ".csv"
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})
    append: BoolProperty(name="Add to the File", description="Keep the poses that it holds", default=False)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the file."""
        path = chosen_file(self)
        names: tuple[str, ...] = (path.stem,)
        frames, saved = [0], [hand.pose(hand.active(context))]
        if self.append and path.exists():
            kept = pose_sets.load(path)
            own = [frame for name, frame in zip(kept.names, kept.frames, strict=True) if name == path.stem]
            names, frames = (*kept.names, *names), [*kept.frames, max(own, default=-1) + 1]
            saved = [*kept.poses, *saved]
        write_atomic(path, pose_sets.dump(pose_sets.PoseSet(names, np.array(frames), np.array(saved))))
        self.report({"INFO"}, f"{path} holds {counted(len(saved), 'pose')}")
        return {"FINISHED"}


class LoadPose(OfHand, ImportHelper, bpy.types.Operator):
    """Take a pose from a CSV file of poses"""

    bl_idname = "handforge.load_pose"
    bl_label = "Load Hand Pose"

    filename_ext = ".csv"
    filter_glob: StringProperty(default="*.csv", options={"HIDDEN"})
    number: IntProperty(name="Pose", description="Which of the file's poses, from 1", min=1, default=1)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the file."""
        path = chosen_file(self)
        loaded = pose_sets.load(path).poses
        if self.number > len(loaded):
            raise pose_sets.PoseError(f"{path} holds {len(loaded)} poses, there is no number {self.number}")
        sync.put(hand.active(context), loaded[self.number - 1])
        return {"FINISHED"}


CLASSES = (Reset, Preset, RandomShape, MeanShape, SavePose, LoadPose)
