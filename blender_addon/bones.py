"""The bones of a hand, the built-in one or an external one: posed from the 28 numbers, and read back."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from generator.hand import anatomy, inverse_kinematics, kinematics
from generator.hand.anatomy import BONES

from . import external_rig, hand

_SAME = 1e-5
"""Bones rotated or moved by less than this, radians or metres, have not been touched."""


def set_pose(armature: bpy.types.Object, pose: np.ndarray) -> None:
    """Rotate the bones as a pose (28,), metres and radians, says."""
    if external_rig.names(armature):
        external_rig.set_pose(armature, pose)
        return
    for name, matrix in local(armature, pose).items():
        armature.pose.bones[name].matrix_basis = matrix


def local(armature: bpy.types.Object, pose: np.ndarray) -> dict[str, Matrix]:
    """What each bone of a built-in hand does by itself in a pose (28,), as Blender's ``matrix_basis``."""
    skeleton = anatomy.skeleton(hand.shape(armature))
    moved, rest = hand.sided(kinematics.transforms(pose, skeleton), armature), _rest(armature)
    above = np.where((skeleton.parents < 0)[:, None, None], np.eye(4), moved[skeleton.parents])
    basis = np.linalg.inv(rest) @ np.linalg.inv(above) @ moved @ rest
    return {name: Matrix(matrix) for name, matrix in zip(BONES, basis.tolist(), strict=True)}


def read(armature: bpy.types.Object, graph: bpy.types.Depsgraph) -> np.ndarray | None:
    """The pose that comes nearest to the bones as Blender has evaluated them; None if they are where its pose says.

    What keyframes, drivers and constraints do to the bones is part of it.
    """
    kept, skeleton = hand.pose(armature), anatomy.skeleton(hand.shape(armature))
    posed = armature.evaluated_get(graph).pose.bones
    if external_rig.names(armature):
        rotations, shift = external_rig.read(armature, posed, kept)
    else:
        matrices = np.array([external_rig.rigid(posed[name].matrix) for name in BONES])
        moved = hand.sided(matrices @ np.linalg.inv(_rest(armature)), armature)
        rotations, shift = relative(moved, skeleton.parents), moved[0, :3, 3]  # the forearm rotates about the origin
    expected = relative(kinematics.transforms(kept, skeleton), skeleton.parents)
    if np.abs(rotations - expected).max() < _SAME and np.abs(shift - kept[:3]).max() < _SAME:
        return None
    return inverse_kinematics.pose(rotations, shift, skeleton, kept)


def held(armature: bpy.types.Object) -> bool:
    """Whether a constraint may hold a bone."""
    return any(not one.mute and one.influence for bone in armature.pose.bones for one in bone.constraints)


def lock(armature: bpy.types.Object) -> None:
    """Leave movable what the 28 numbers move."""
    for name, dofs in zip(BONES, anatomy.skeleton().dofs, strict=True):
        bone = armature.pose.bones[name]
        bone.lock_location = [name != "forearm"] * 3
        bone.lock_scale = [True] * 3
        bone.lock_rotation = [not dofs] * 3
        bone.lock_rotation_w = not dofs


def _rest(armature: bpy.types.Object) -> np.ndarray:
    return np.array([armature.data.bones[name].matrix_local for name in BONES])


def relative(moved: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Each bone's rotation relative to its parent's, (N, 3, 3), of transforms (N, 4, 4)."""
    above = np.where((parents < 0)[:, None, None], np.eye(4), moved[parents])[:, :3, :3]
    return above.transpose(0, 2, 1) @ moved[:, :3, :3]
