"""The hand in the scene: its pose, which sliders and bones share, and the verdict on it.

The pose is kept in the armature as 28 numbers (:mod:`generator.hand.pose`), so that it is saved, copied and undone
with it.
Sliders read and write these; a turned bone is noticed after Blender has evaluated it, and changes them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from generator.blender import rig
from generator.hand import anatomy, inverse_kinematics, kinematics, plausibility
from generator.hand import pose as poses
from generator.hand.anatomy import BONES
from generator.mesh import hand_mesh, skin_color

from . import foreign, screen

KEY = "handforge_pose"
"""The armature's custom property with the 28 numbers."""

OFFENDING = "THEME01"
"""The red of Blender's bone colours."""

_SAME = 1e-5
"""Bones turned or moved by less than this, radians or metres, have not been touched."""

_DELAY = 0.05
"""Seconds from a change to its verdict, so that dragging stays smooth."""


def is_hand(thing: bpy.types.ID | None) -> bool:
    """Whether this is the armature of a hand."""
    return isinstance(thing, bpy.types.Object) and thing.type == "ARMATURE" and KEY in thing


def active(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature of the active object, whether that is it or its skin; otherwise the scene's only hand."""
    chosen = context.view_layer.objects.active
    for thing in (chosen, chosen.parent if chosen else None):
        if is_hand(thing):
            return thing
    hands = [thing for thing in context.scene.objects if is_hand(thing)]
    return hands[0] if len(hands) == 1 else None


def add(context: bpy.types.Context) -> bpy.types.Object:
    """Add a hand in the bind pose; its armature."""
    made = rig.build(anatomy.skeleton(), hand_mesh.build())
    armature = made.armature
    armature.show_in_front = True
    armature.data.display_type = "STICK"
    colours = made.surface.data.color_attributes
    colours.active_color = colours[rig.COLOUR]
    armature[KEY] = poses.bind().tolist()
    _lock(armature)
    paint(armature)
    refresh(armature)
    return armature


def _lock(armature: bpy.types.Object) -> None:
    """Leave movable what the 28 numbers move."""
    for name, dofs in zip(BONES, anatomy.skeleton().dofs, strict=True):
        bone = armature.pose.bones[name]
        bone.lock_location = [name != "forearm"] * 3
        bone.lock_scale = [True] * 3
        bone.lock_rotation = [not dofs] * 3
        bone.lock_rotation_w = not dofs


def skin_of(armature: bpy.types.Object) -> bpy.types.Object | None:
    """Our mesh that the armature moves; None if somebody deleted it, copied the bones alone, or brought their own."""
    if foreign.names(armature):
        return None
    return next((child for child in armature.children if child.type == "MESH"), None)


def shape(armature: bpy.types.Object) -> anatomy.HandShape:
    """The proportions chosen in the panel."""
    chosen = armature.handforge
    return anatomy.HandShape(**{name: getattr(chosen, name) for name in anatomy.HandShape.__dataclass_fields__})


def appearance(armature: bpy.types.Object) -> dict[str, Any]:
    """The hand as settings of :mod:`generator.frame.settings`: shape, skin and side of our own, or somebody's rig.

    :raises RigMapError: if the rig has no mesh.
    """
    if foreign.names(armature):
        return {"rig": str(foreign.hand_over(armature))}
    if skin_of(armature) is None:
        return {}
    chosen = armature.handforge
    factors = {name: round(value, 4) for name, value in asdict(shape(armature)).items()}  # Blender's are of 32 bits
    mean = all(value == 1 for value in factors.values())
    return {"shape": "average" if mean else factors, "skin": round(chosen.tone, 4), "side": chosen.side}


def as_rig(armature: bpy.types.Object) -> rig.Rig:
    """The hand as the generator knows it."""
    rest = np.array([armature.data.bones[bone].matrix_local for bone in BONES])
    return rig.Rig(armature, skin_of(armature), anatomy.skeleton(shape(armature)), rest)


# ---------------------------------------------------------------- the pose


def pose(armature: bpy.types.Object) -> np.ndarray:
    """The pose, (28,), metres and radians."""
    return np.array(armature[KEY], float)


def put(armature: bpy.types.Object, values: np.ndarray) -> None:
    """Take a pose: in the sliders, in the bones, with a verdict soon after."""
    armature[KEY] = _tidy(values).tolist()
    if foreign.names(armature):
        foreign.set_pose(armature, pose(armature))
    else:
        rig.set_pose(as_rig(armature), pose(armature))
    _later(armature)


def _tidy(values: np.ndarray) -> np.ndarray:
    """To a ten-thousandth of a degree or centimetre: Blender's own numbers are no finer."""
    return poses.from_degrees(np.round(poses.to_degrees(values), 4))


def follow(armature: bpy.types.Object) -> None:
    """Take the pose from the bones if somebody turned them, and put them where a hand's joints can hold them."""
    kept, skeleton = pose(armature), anatomy.skeleton(shape(armature))
    turns, shift = foreign.read(armature, kept) if foreign.names(armature) else _bones(as_rig(armature))
    expected = kinematics.transforms(kept, skeleton)
    parents = skeleton.parents
    above = np.where((parents < 0)[:, None, None], np.eye(4), expected[parents])[:, :3, :3]
    same = np.abs(turns - above.transpose(0, 2, 1) @ expected[:, :3, :3]).max() < _SAME
    if not same or np.abs(shift - kept[:3]).max() >= _SAME:
        put(armature, inverse_kinematics.pose(turns, shift, skeleton, kept))


def _bones(hand: rig.Rig) -> tuple[np.ndarray, np.ndarray]:
    """Each bone's own rotation in scene axes, (21, 3, 3), and the wrist's shift, (3,) metres."""
    bones = hand.armature.pose.bones
    basis = np.array([bones[name].matrix_basis for name in BONES])
    turns = np.array([bones[name].matrix_basis.to_quaternion().to_matrix() for name in BONES])
    rest = hand.rest[:, :3, :3]
    forearm = hand.rest[0] @ basis[0] @ np.linalg.inv(hand.rest[0])  # turns about the wrist, the origin
    return rest @ turns @ rest.transpose(0, 2, 1), forearm[:3, 3]


# ---------------------------------------------------------------- shape and skin


_held: set[str] = set()


@contextlib.contextmanager
def one_reshaping(armature: bpy.types.Object) -> Iterator[None]:
    """Change several proportions, and reshape once."""
    _held.add(armature.name)
    try:
        yield
    finally:
        _held.discard(armature.name)
    reshape(armature)


def reshape(armature: bpy.types.Object) -> None:
    """Give the hand the proportions chosen in the panel; the pose stays."""
    if armature.name in _held:
        return
    _move_joints(armature, anatomy.skeleton(shape(armature)))
    if flesh := skin_of(armature):
        mesh = hand_mesh.build(shape(armature))
        flesh.data.attributes["position"].data.foreach_set("vector", mesh.vertices.ravel())
        flesh.data.attributes[rig.REGION].data.foreach_set("value", mesh.wrist_distance)
    paint(armature)
    put(armature, pose(armature))


def _move_joints(armature: bpy.types.Object, skeleton: anatomy.Skeleton) -> None:
    """Set the bones' ends; Blender allows that in edit mode alone, and in sight."""
    layer = bpy.context.view_layer
    before, mode = layer.objects.active, armature.mode
    unseen = armature.hide_viewport
    armature.hide_viewport = False
    if before is not armature and before is not None and before.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    layer.objects.active = armature
    try:
        bpy.ops.object.mode_set(mode="EDIT")
        for name, head, tail in zip(BONES, skeleton.heads, skeleton.tails, strict=True):
            bone = armature.data.edit_bones[name]
            bone.head, bone.tail = head.tolist(), tail.tolist()
    finally:
        bpy.ops.object.mode_set(mode=mode)
        layer.objects.active = before
        armature.hide_viewport = unseen


def paint(armature: bpy.types.Object) -> None:
    """Colour the skin as chosen in the panel."""
    if flesh := skin_of(armature):
        rig.paint(as_rig(armature), skin_color.colours(hand_mesh.build(shape(armature)), armature.handforge.tone))
        flesh.data.update()


def take_side(armature: bpy.types.Object) -> None:
    """Show the right hand, or its mirror image, the left; the 28 numbers are the same."""
    armature.scale.x = -1.0 if armature.handforge.side == "left" else 1.0


# ---------------------------------------------------------------- the verdict

_waiting: set[str] = set()

after_verdict: list[Callable[[], None]] = []
"""Called when verdicts were renewed."""


def _later(armature: bpy.types.Object) -> None:
    """Have the verdict renewed: soon in a window, at once without one."""
    _waiting.add(armature.name)
    if bpy.app.background:
        _judge_waiting()
    elif not bpy.app.timers.is_registered(_judge_waiting):
        bpy.app.timers.register(_judge_waiting, first_interval=_DELAY)


def _judge_waiting() -> None:
    while _waiting:
        armature = bpy.data.objects.get(_waiting.pop())
        if is_hand(armature):
            refresh(armature)
    for call in after_verdict:
        call()
    screen.redraw()


def refresh(armature: bpy.types.Object) -> None:
    """Renew the verdict, and mark the bones it names."""
    verdict = plausibility.explain(pose(armature), anatomy.skeleton(shape(armature)))
    armature.handforge.reason, armature.handforge.verdict = verdict.reason, verdict.text
    names = foreign.names(armature) or dict(zip(BONES, BONES, strict=True))
    for ours, theirs in names.items():
        armature.pose.bones[theirs].color.palette = OFFENDING if ours in verdict.bones else "DEFAULT"


@persistent
def _bones_changed(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    for update in graph.updates:
        thing = update.id.original
        if is_hand(thing) and thing.mode != "EDIT":
            follow(thing)


@persistent
def _frame_changed(scene: bpy.types.Scene, *_: object) -> None:
    """Keyed bones turn without an update of theirs."""
    for thing in scene.objects:
        if is_hand(thing) and thing.mode != "EDIT":
            follow(thing)


@persistent
def _went_back(*_: object) -> None:
    """Undo, redo and opening a file bring back a pose, with the verdict of whenever they were stored."""
    for thing in bpy.data.objects:
        if is_hand(thing):
            _later(thing)


def _handlers() -> tuple[tuple[list, Callable], ...]:
    watched = bpy.app.handlers
    back = [(event, _went_back) for event in (watched.undo_post, watched.redo_post, watched.load_post)]
    return (watched.depsgraph_update_post, _bones_changed), (watched.frame_change_post, _frame_changed), *back


def register() -> None:
    """Watch the bones."""
    for event, call in _handlers():
        event.append(call)


def unregister() -> None:
    """Stop watching."""
    for event, call in _handlers():
        event.remove(call)
    if bpy.app.timers.is_registered(_judge_waiting):
        bpy.app.timers.unregister(_judge_waiting)
    _waiting.clear()
