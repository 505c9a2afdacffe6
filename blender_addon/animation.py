"""Poses as keyframes of a hand's sliders, and back: whole actions at once, in all versions of Blender."""

from __future__ import annotations

import bpy
import numpy as np

from generator.hand import pose as poses

from . import hand

PATHS = tuple(f"handforge.{name}" for name in poses.NAMES)
"""The sliders as keyframes name them."""


def key(armature: bpy.types.Object, frame: float) -> None:
    """Key the whole pose: all 28 sliders at one frame."""
    for path in PATHS:
        armature.keyframe_insert(path, frame=frame, group="Hand")


def write(armature: bpy.types.Object, name: str, some: np.ndarray, first: int = 1, step: int = 1) -> bpy.types.Action:
    """Give a hand a new action with a pose every ``step`` frames.

    :param some: (N, 28), metres and radians.
    :returns: the action; one that the hand had stays in the file.
    """
    data = armature.animation_data or armature.animation_data_create()
    if data.action is not None:
        data.action.use_fake_user = True
    action = bpy.data.actions.new(name)
    data.action = action
    frames = first + step * np.arange(len(some))
    for path, values in zip(PATHS, some.T, strict=True):
        points = curve(action, armature, path).keyframe_points
        points.add(len(some))
        points.foreach_set("co", np.stack([frames, values], axis=1).astype(np.float32).ravel())
        points.foreach_set("interpolation", np.full(len(some), _LINEAR, np.int32))
    for made in curves(armature):
        made.update()
    return action


_LINEAR = 1
"""Blender's number of linear interpolation."""


def curve(
    action: bpy.types.Action, armature: bpy.types.Object, path: str, index: int = 0, group: str = "Hand"
) -> bpy.types.FCurve:
    """The action's curve of a property, made if need be; the action is the armature's."""
    if hasattr(action, "fcurve_ensure_for_datablock"):  # 5.0 and newer
        return action.fcurve_ensure_for_datablock(armature, path, index=index, group_name=group)
    return action.fcurves.find(path, index=index) or action.fcurves.new(path, index=index, action_group=group)


def curves(armature: bpy.types.Object) -> list[bpy.types.FCurve]:
    """The curves of the hand's action."""
    data = armature.animation_data
    if data is None or data.action is None:
        return []
    if hasattr(data.action, "fcurves"):
        return list(data.action.fcurves)
    slot = data.action_slot
    bags = [s.channelbag(slot) for layer in data.action.layers for s in layer.strips] if slot else []
    return [made for bag in bags if bag for made in bag.fcurves]


def keyed_frames(armature: bpy.types.Object) -> list[int]:
    """The frames at which a slider or a bone is keyed."""
    found = set()
    for made in curves(armature):
        if made.data_path in PATHS or made.data_path.startswith("pose.bones"):
            found |= {round(point.co[0]) for point in made.keyframe_points}
    return sorted(found)


def read(armature: bpy.types.Object, frames: list[int], scene: bpy.types.Scene) -> np.ndarray:
    """The poses at these frames, (N, 28), with all that keyframes, drivers and constraints do."""
    now = scene.frame_current
    found = []
    try:
        for frame in frames:
            scene.frame_set(frame)
            found.append(hand.pose(armature))
    finally:
        scene.frame_set(now)
    return np.array(found).reshape(-1, poses.SIZE)
