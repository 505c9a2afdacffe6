"""An external rigged hand in place of the built-in one: skeleton and mesh in the built-in hand's bind pose and size.

Without Blender; :mod:`generator.blender.rig_file` reads rigs' files. An .npz file (:func:`dump`) holds such a hand
ready-made.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from generator.hand import pose
from generator.hand.anatomy import BONES, Skeleton, skeleton
from generator.hand.pose import FINGERS
from generator.maths import smoothstep
from generator.mesh import skinning
from generator.mesh.hand_mesh import HandMesh, vertex_normals
from generator.mesh.skin_weights import segment_distance
from generator.rigs.bone_map import Fit, RigMapError
from handforge.dataset import KEYPOINTS

_BUILT_IN = skeleton()

_CHAIN = ("hand", "middle_proximal", "middle_middle", "middle_distal")
"""From wrist to the last joint of the middle finger: what makes a hand's size."""


def hand(fit: Fit, vertices: np.ndarray, faces: np.ndarray, weights: np.ndarray) -> tuple[Skeleton, HandMesh]:
    """A rigged hand, laid into the built-in bind pose, its wrist in the origin, and scaled to the mean hand's size.

    A left hand is mirrored: a right one is returned.

    :param vertices: (V, 3) in the armature's own bind pose and axes, of any unit.
    :param faces: (F, 3), of a closed mesh, counter-clockwise seen from outside.
    :param weights: (V, 21) by the bones of :data:`generator.hand.anatomy.BONES`, rows sum to 1.
    """
    faces = faces if fit.side == "right" else faces[:, ::-1]
    moved = fit.transforms(pose.bind())
    by_bone = np.tile(np.eye(4), (len(BONES), 1, 1))
    for index, name in enumerate(fit.names):
        if name in BONES:
            by_bone[BONES.index(name)] = moved[index]
    joints = np.einsum("bij,bj->bi", moved[:, :3, :3], fit.heads) + moved[:, :3, 3]
    found = dict(zip(fit.names, joints, strict=True))
    size = _length(dict(zip(BONES, _BUILT_IN.heads, strict=True))) / _length(found)

    def placed(points: np.ndarray) -> np.ndarray:
        return size * (points - found["hand"]) @ fit.whole

    skin = placed(skinning.skin(vertices, weights, by_bone)).astype(np.float32)
    nothing = np.zeros(len(skin), np.float32)
    mesh = HandMesh(
        vertices=skin,
        faces=faces.astype(np.int32),
        weights=weights.astype(np.float32),
        wrist_distance=skin[:, 2],
        palm=_palm(skin, faces),
        crease=nothing,
        nail=nothing,
    )
    bones = _skeleton({name: placed(point) for name, point in found.items()})
    return replace(bones, radii=_radii(bones, mesh)), mesh


_BONES = ("heads", "tails", "radii", "keypoints")


def dump(bones: Skeleton, mesh: HandMesh) -> bytes:
    """The .npz file that :func:`read` reads; the same hand gives the same bytes."""
    buffer = io.BytesIO()
    np.savez(
        buffer,
        **{name: getattr(bones, name) for name in _BONES},
        **{name: getattr(mesh, name) for name in HandMesh.__dataclass_fields__},
    )
    return buffer.getvalue()


def read(path: Path) -> tuple[Skeleton, HandMesh]:
    """The hand in an .npz file.

    :raises RigMapError: if it is not an external rig.
    """
    try:
        with np.load(path) as arrays:
            mesh = HandMesh(**{name: arrays[name] for name in HandMesh.__dataclass_fields__})
            return replace(_BUILT_IN, **{name: arrays[name] for name in _BONES}), mesh
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RigMapError(f"{path} holds no hand ({error})") from None


def _length(joints: dict[str, np.ndarray]) -> float:
    """From the wrist along the middle finger."""
    return float(np.linalg.norm(np.diff([joints[name] for name in _CHAIN], axis=0), axis=1).sum())


def _skeleton(found: dict[str, np.ndarray]) -> Skeleton:
    """The built-in skeleton with the joints that were found; the others stay where they are."""
    heads, tails = _BUILT_IN.heads.copy(), _BUILT_IN.tails.copy()
    for index, name in enumerate(BONES):
        if name in found and name != "forearm":
            heads[index] = found[name]
    tails[1] = heads[BONES.index("middle_metacarpal")]
    for index, parent in enumerate(_BUILT_IN.parents.tolist()):
        if parent > 1:
            tails[parent] = heads[index]
    for finger in FINGERS:
        last = BONES.index(f"{finger}_distal")
        tails[last] = found.get(f"{finger}_tip", heads[last] + _BUILT_IN.tails[last] - _BUILT_IN.heads[last])
    tips = np.array([name.endswith("_tip") for name in KEYPOINTS])
    bones = _BUILT_IN.keypoint_bones
    keypoints = np.where(tips[:, None], tails[bones], heads[bones])
    return replace(_BUILT_IN, heads=heads, tails=tails, keypoints=keypoints)


def _radii(bones: Skeleton, mesh: HandMesh) -> np.ndarray:
    """The built-in hand's radii, (21, 2) metres, or more where the skin that a bone moves stands farther from it."""
    radii = bones.radii.copy()
    for index in range(1, len(BONES)):
        own = mesh.vertices[mesh.weights[:, index] > 0.5]
        if len(own):
            thick = np.quantile(segment_distance(own, bones.heads[index], bones.tails[index]), 0.9)
            radii[index] = np.maximum(radii[index], thick)
    return radii


def _palm(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """What faces the palm's side of the hand, (V,) 0..1: the paler skin."""
    facing = np.clip((0.3 - vertex_normals(vertices, faces)[:, 1]) / 0.6, 0, 1)
    beyond_wrist = np.clip((vertices[:, 2] + 0.018) / 0.027, 0, 1)
    return smoothstep(facing * beyond_wrist, 0.0, 1.0).astype(np.float32)
