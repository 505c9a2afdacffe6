"""Handles at the fingertips: drag one, and its finger follows within what its joints can do."""

from __future__ import annotations

import bpy
import numpy as np
from bpy.app.handlers import persistent

from generator.hand import anatomy, fitting, kinematics
from generator.hand import pose as poses
from handforge.dataset import KEYPOINTS

from . import external_rig, hand, sync

KEY = "handforge_tip"
"""An empty's custom property with the finger whose tip it is."""

_SAME = 1e-5
"""Metres by which a handle may be beside its tip."""

_SIZE = 0.008


def of(armature: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """The hand's handles by finger."""
    return {child[KEY]: child for child in armature.children if child.type == "EMPTY" and KEY in child}


def add(armature: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """Give a built-in hand its handles, those that it lacks."""
    there = of(armature)
    for finger in poses.FINGERS:
        if finger not in there:
            made = bpy.data.objects.new(f"{finger} tip", None)
            made.empty_display_type, made.empty_display_size, made.show_in_front = "SPHERE", _SIZE, True
            made.lock_rotation = made.lock_scale = (True,) * 3
            made[KEY], made.parent = finger, armature
            hand.open_collection(armature.users_collection, bpy.context.scene).objects.link(made)
            there[finger] = made
    follow(armature)
    return there


def remove(armature: bpy.types.Object) -> None:
    """Take a hand's handles away."""
    for handle in of(armature).values():
        bpy.data.objects.remove(handle)


def follow(armature: bpy.types.Object) -> None:
    """Put the handles to the tips."""
    handles = of(armature)
    if not handles or external_rig.names(armature):
        return
    places = _tips(armature)
    for finger, handle in handles.items():
        if np.abs(np.array(handle.location) - places[finger]).max() > _SAME / 10:
            handle.location = places[finger]


def _tips(armature: bpy.types.Object) -> dict[str, np.ndarray]:
    """Where the tips are in the armature's axes."""
    points = kinematics.keypoints(hand.pose(armature), anatomy.skeleton(hand.shape(armature))) @ _mirror(armature)
    return {finger: points[KEYPOINTS.index(f"{finger}_tip")] for finger in poses.FINGERS}


def _mirror(armature: bpy.types.Object) -> np.ndarray:
    """From a right hand's points to the armature's, (3, 3), and back."""
    return hand.mirror(hand.side(armature))[:3, :3]


def drag(armature: bpy.types.Object, finger: str, place: np.ndarray) -> None:
    """Bend a finger so that its tip comes to a place, (3,) in the armature's axes, or as near as it can.

    :raises HandError: if the hand's bones are not what they were.
    """
    skeleton = anatomy.skeleton(hand.shape(armature))
    sync.put(armature, fitting.reach(hand.pose(armature), finger, place @ _mirror(armature), skeleton))
    follow(armature)


@persistent
def _updated(_scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    for update in graph.updates:
        handle = update.id.original
        if not isinstance(handle, bpy.types.Object) or KEY not in handle or not hand.is_hand(handle.parent):
            continue
        armature, place = handle.parent, np.array(handle.location)
        if hand.locked(armature) or hand.problem(armature):
            continue
        if np.abs(place - _tips(armature)[handle[KEY]]).max() > _SAME:
            drag(armature, handle[KEY], place)


def register() -> None:
    """Watch the handles."""
    bpy.app.handlers.depsgraph_update_post.append(_updated)
    sync.after_pose.append(follow)


def unregister() -> None:
    """Watch them no more."""
    sync.after_pose.remove(follow)
    bpy.app.handlers.depsgraph_update_post.remove(_updated)
