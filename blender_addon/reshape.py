"""Proportions, side and skin tone of the built-in hand: changed as a whole, or not at all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np

from generator.blender import attributes, rig
from generator.hand import anatomy
from generator.hand.anatomy import BONES
from generator.mesh import hand_mesh, skin_color

from . import bones, external_rig, hand, verdict

APPLIED = "handforge_shape"
"""The armature's custom property with the proportions, side and tone that bones and skin have, as JSON."""

CHOICES = (*hand.SHAPE, "side", "tone")
"""The properties that make the built-in hand's shape and look."""


def changed(props: Any) -> None:
    """Apply what was set in the panel; if that cannot be, say so in the panel and set it back."""
    armature = props.id_data
    if not hand.is_hand(armature) or hand.is_busy(armature):
        return
    try:
        apply(armature)
    except hand.HandError as error:
        _set_back(armature)
        verdict.notice(armature, str(error))


def choose(armature: bpy.types.Object, shape: anatomy.HandShape) -> None:
    """Give the hand other proportions.

    :raises HandError: if its bones or its skin cannot be changed; nothing is changed then.
    """
    with hand.quietly(armature):
        for name in hand.SHAPE:
            setattr(armature.handforge, name, getattr(shape, name))
    try:
        apply(armature)
    except hand.HandError:
        _set_back(armature)
        raise


def _set_back(armature: bpy.types.Object) -> None:
    with hand.quietly(armature):
        for name, value in _applied(armature).items():
            setattr(armature.handforge, name, value)


def _applied(armature: bpy.types.Object) -> dict[str, float | str]:
    """What was given to bones and skin last, by the names of :data:`CHOICES`."""
    return json.loads(armature[APPLIED]) if APPLIED in armature else {}


def apply(armature: bpy.types.Object, restore: bool = False) -> None:
    """Give bones and skin what the panel says; the pose stays.

    :param restore: also where the panel says what was applied last: the bones were changed by other means.
    :raises HandError: if it cannot be done; bones and skin are as they were then.
    """
    wanted, had = {name: getattr(armature.handforge, name) for name in CHOICES}, _applied(armature)
    if external_rig.names(armature):
        hand.remember(armature, APPLIED, wanted)
        return
    reshaped = restore or any(wanted[name] != had.get(name) for name in (*hand.SHAPE, "side"))
    mesh, flesh = hand_mesh.build(hand.shape(armature)), hand.skin_of(armature)
    _check(armature, flesh, mesh, reshaped)
    if reshaped:
        with hand.quietly(armature):
            _move_joints(armature, hand.shape(armature), wanted["side"])
            bones.set_pose(armature, hand.pose(armature))
        if flesh:
            _move_skin(flesh, mesh, wanted["side"], flip=wanted["side"] != had.get("side", "right"))
    if flesh:
        rig.paint(flesh, skin_color.colors(mesh, wanted["tone"]))
        if wanted["tone"] != had.get("tone"):
            _tint(flesh, wanted["tone"])
        flesh.data.update()
    hand.remember(armature, APPLIED, wanted)
    verdict.notice(armature, "")
    verdict.later(armature)


def _check(
    armature: bpy.types.Object, flesh: bpy.types.Object | None, mesh: hand_mesh.HandMesh, reshaped: bool
) -> None:
    what = "Proportions and side" if reshaped else "Skin tone"
    if armature.library or armature.data.library or (flesh and flesh.data.library):
        raise hand.HandError(f"{what} belong to the file that the hand is linked from: change them there")
    if missing := hand.missing_bone(armature):
        raise hand.HandError(missing)
    if (reshaped and armature.data.users > 1) or (flesh and flesh.data.users > 1):
        raise hand.HandError("This hand shares its data with a linked duplicate (Alt-D): press Make Single User first")
    if flesh and flesh.mode != "OBJECT":
        raise hand.HandError(f"Leave {flesh.mode.replace('_', ' ').capitalize()} mode of {flesh.name} first")
    if flesh and len(flesh.data.vertices) != len(mesh.vertices):
        raise hand.HandError(
            f"{flesh.name} has {len(flesh.data.vertices):,} vertices instead of {len(mesh.vertices):,}, as it was "
            f"edited: undo that to change {what.lower()}"
        )


def _tint(flesh: bpy.types.Object, tone: float) -> None:
    """Colour the skin in solid shading, too; a material that others have as well, as duplicates do, is copied first."""
    for slot in flesh.material_slots:
        if slot.material is not None and slot.material.library is None:
            if slot.material.users - slot.material.use_fake_user > 1:
                slot.material = slot.material.copy()
            slot.material.diffuse_color = (*skin_color.base(tone).tolist(), 1.0)


def _move_skin(flesh: bpy.types.Object, mesh: hand_mesh.HandMesh, side: str, flip: bool) -> None:
    vertices = mesh.vertices * np.array([-1, 1, 1], np.float32) if side == "left" else mesh.vertices
    attributes.write(flesh.data, "position", vertices)
    attributes.write(flesh.data, rig.WRIST_DISTANCE, mesh.wrist_distance)
    if flip:
        flesh.data.flip_normals()


def _move_joints(armature: bpy.types.Object, shape: anatomy.HandShape, side: str) -> None:
    """Set the bones' ends, which Blender allows in edit mode alone."""
    skeleton, mirror = anatomy.skeleton(shape), hand.mirror(side)[:3, :3]
    ends = zip(BONES, (skeleton.heads @ mirror).tolist(), (skeleton.tails @ mirror).tolist(), strict=True)
    with _edit_mode(armature):
        for name, head, tail in ends:
            bone = armature.data.edit_bones[name]
            bone.head, bone.tail = head, tail


@contextlib.contextmanager
def _edit_mode(armature: bpy.types.Object) -> Iterator[None]:
    """Edit mode of an armature, also of one that is hidden or in no collection that the view layer has."""
    layer, scene = bpy.context.view_layer, bpy.context.scene
    excluded = layer.objects.get(armature.name) != armature
    if excluded:
        scene.collection.objects.link(armature)
    before, mode = layer.objects.active, armature.mode
    unseen, hidden = armature.hide_viewport, armature.hide_get()
    armature.hide_viewport = False
    armature.hide_set(False)
    other = before.mode if before is not armature and before is not None else "OBJECT"
    if other != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    layer.objects.active = armature
    try:
        bpy.ops.object.mode_set(mode="EDIT")
        yield
    finally:
        bpy.ops.object.mode_set(mode="OBJECT" if excluded else mode)
        layer.objects.active = before
        if other != "OBJECT":
            bpy.ops.object.mode_set(mode=other)
        armature.hide_set(hidden)
        armature.hide_viewport = unseen
        if excluded:
            scene.collection.objects.unlink(armature)
