"""An external armature as the hand: its bones rotated, and read, through a map (:mod:`generator.rigs.bone_map`)."""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from generator.blender import rig_file
from generator.rigs import bone_map, external_rig
from handforge.files import write_atomic

KEY = "handforge_map"
"""The armature's custom property with its bones' names by the built-in hand's, as JSON."""


def names(armature: bpy.types.Object) -> dict[str, str] | None:
    """Its bones' names by the built-in hand's; None for the built-in hand."""
    return json.loads(armature[KEY]) if KEY in armature else None


def take(armature: bpy.types.Object, bones: dict[str, str]) -> None:
    """Make an armature a hand.

    :raises RigMapError: if it has not the bones that the map names.
    """
    for external in bones.values():
        if external not in armature.data.bones:
            raise bone_map.no_bone(armature.name, external, armature.data.bones.keys())
    _fit(armature, bones)
    armature[KEY] = json.dumps(bones)


def hand_over(armature: bpy.types.Object) -> Path:
    """Write the hand for a rendering process; the file.

    :raises RigMapError: if the armature moves no mesh.
    """
    path = Path(bpy.app.tempdir) / "rig.npz"
    write_atomic(path, external_rig.dump(*rig_file.hand(armature, _mapped(armature))))
    return path


def side(armature: bpy.types.Object, bones: dict[str, str]) -> str:
    """``right`` or ``left``, as it stands in the scene."""
    mirrored = armature.matrix_world.determinant() < 0
    return ("left", "right")[(_fit(armature, bones).side == "right") != mirrored]


def axes(armature: bpy.types.Object, bones: dict[str, str]) -> np.ndarray:
    """From a hand's axes, metres from the wrist, to the armature's in the bind pose, (4, 4)."""
    found = _fit(armature, bones)
    result = np.eye(4)
    result[:3, :3] = found.whole / _scale(armature)
    if found.side == "left":
        result[:, 0] *= -1  # a left hand's axes are those that a right one has
    result[:3, 3] = found.heads[0]
    return result


def _mapped(armature: bpy.types.Object) -> dict[str, str]:
    """:func:`names` of an armature that is no built-in hand."""
    bones = names(armature)
    assert bones is not None, f"{armature.name} is a built-in hand"
    return bones


def _rest(armature: bpy.types.Object, bones: dict[str, str]) -> np.ndarray:
    return np.array([armature.data.bones[external].matrix_local for external in bones.values()])


def _fit(armature: bpy.types.Object, bones: dict[str, str]) -> bone_map.Fit:
    heads = _rest(armature, bones)[:, :3, 3]
    if "forearm" in bones:  # where it meets the hand
        heads[list(bones).index("forearm")] = heads[list(bones).index("hand")]
    return bone_map.fit(dict(zip(bones, heads, strict=True)))


def _parents(armature: bpy.types.Object, bones: dict[str, str]) -> list[int]:
    """For each mapped bone the nearest of them that Blender moves it with; -1 if there is none."""
    order = list(bones.values())
    found = []
    for external in order:
        parents = [bone.name for bone in armature.data.bones[external].parent_recursive]
        found.append(next((order.index(name) for name in parents if name in order), -1))
    return found


def set_pose(armature: bpy.types.Object, pose: np.ndarray) -> None:
    """Move its bones as a pose says: (28,), metres and radians."""
    bones = _mapped(armature)
    within = np.concatenate([pose[:3] / _scale(armature), pose[3:]])
    rest, moved = _rest(armature, bones), _fit(armature, bones).transforms(within)
    for external, parent, at_rest, own in zip(bones.values(), _parents(armature, bones), rest, moved, strict=True):
        carried = np.linalg.inv(moved[parent]) if parent >= 0 else np.eye(4)
        basis = np.linalg.inv(at_rest) @ carried @ own @ at_rest
        armature.pose.bones[external].matrix_basis = Matrix(basis.tolist())


def read(
    armature: bpy.types.Object, posed: bpy.types.bpy_prop_collection, near: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How the built-in hand's 21 bones would be rotated, (21, 3, 3), and the wrist's shift, (3,) metres.

    :param posed: the pose's bones as Blender has evaluated them.
    :param near: the pose it had.
    """
    bones = _mapped(armature)
    matrices = np.array([rigid(posed[external].matrix) for external in bones.values()])
    rotations, shift = _fit(armature, bones).joints(matrices @ np.linalg.inv(_rest(armature, bones)), near)
    return rotations, shift * _scale(armature)


def rigid(matrix: Matrix) -> Matrix:
    """What moves and rotates in a matrix (4, 4), without its scale."""
    location, rotation, _ = matrix.decompose()
    return Matrix.LocRotScale(location, rotation, None)


def _scale(armature: bpy.types.Object) -> float:
    """Metres in the scene a unit of the armature's own; files in centimetres come in with 0.01."""
    return float(np.mean(np.abs(armature.matrix_world.to_scale())))
