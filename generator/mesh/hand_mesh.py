"""The built-in hand's mesh: a file of the package, bent to each person's shape by its bones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from generator.hand.anatomy import BONES, MEAN, HandShape, Skeleton, skeleton
from generator.mesh import mesh_file, meshing, skin_weights
from generator.mesh.sdf import Skin

MM = 1000.0


@dataclass(frozen=True)
class HandMesh:
    """A closed triangle mesh of a right hand with forearm in the bind pose, scene axes."""

    vertices: np.ndarray
    """(V, 3) float32, metres."""
    faces: np.ndarray
    """(F, 3) int32, counter-clockwise seen from outside."""
    weights: np.ndarray
    """(V, 21) float32 in the order of :data:`generator.hand.anatomy.BONES`; rows sum to 1, at most four nonzero."""
    wrist_distance: np.ndarray
    """(V,) float32, metres along the arm from the wrist crease: + on the hand, - on the forearm."""
    palm: np.ndarray
    """(V,) float32, 1 on the hairless palmar skin, 0 on the back."""
    crease: np.ndarray
    """(V,) float32, 1 in the flexion creases and in the folds over the knuckles."""
    nail: np.ndarray
    """(V,) float32, 1 on the nails."""


@lru_cache(maxsize=32)
def build(shape: HandShape = MEAN) -> HandMesh:
    """Make the mesh of a hand of this shape from that of the mean hand: all have the same faces and weights.

    :returns: one object for all callers; its vertices are read-only.
    """
    base = _base()
    moved = reshape(base.vertices.astype(float), base.weights.astype(float), shape)
    vertices = moved.astype(np.float32)
    vertices.flags.writeable = False
    return HandMesh(
        vertices=vertices,
        faces=base.faces,
        weights=base.weights,
        wrist_distance=np.where(base.wrist_distance > 0, shape.length, 1.0).astype(np.float32) * base.wrist_distance,
        palm=base.palm,
        crease=base.crease,
        nail=base.nail,
    )


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3) of vertices (V, 3): those of the triangles around each, the large ones counting more."""
    a, b, c = (vertices[faces[:, corner]].astype(float) for corner in range(3))
    across, normals = np.cross(b - a, c - a), np.zeros((len(vertices), 3))
    for corner in range(3):
        np.add.at(normals, faces[:, corner], across)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def reshape(vertices: np.ndarray, weight: np.ndarray, shape: HandShape) -> np.ndarray:
    """The mean hand's vertices (V, 3) m moved to another shape: every bone stretches what it carries."""
    mean, other = skeleton(), skeleton(shape)
    result = np.zeros_like(vertices)
    for bone, name in enumerate(BONES):
        used = weight[:, bone] > 0
        moved = _stretch(vertices[used], mean, other, bone, name, shape)
        result[used] += weight[used, bone, None] * moved
    return result


def _stretch(points: np.ndarray, mean: Skeleton, other: Skeleton, bone: int, name: str, shape: HandShape) -> np.ndarray:
    if name == "forearm":
        return points * [shape.width, shape.thickness, 1.0]
    if name == "hand" or (name.endswith("metacarpal") and not name.startswith("thumb")):
        return points * [shape.width, shape.thickness, shape.length]
    length = np.linalg.norm(other.tails[bone] - other.heads[bone]) / np.linalg.norm(mean.tails[bone] - mean.heads[bone])
    frame = mean.frames[bone]
    scale = frame * [shape.finger_thickness, shape.finger_thickness, length] @ frame.T
    return (points - mean.heads[bone]) @ scale.T + other.heads[bone]


# ---------------------------------------------------------------- the mean hand


SHIPPED = Path(__file__).with_name("hand.npz")
"""The mean hand, which :mod:`generator.mesh.build_meshes` writes."""


@lru_cache(maxsize=1)
def _base() -> HandMesh:
    return HandMesh(**mesh_file.read(SHIPPED))


def make_mean_hand() -> HandMesh:
    """Mesh the mean hand from its implicit skin; takes some seconds and scikit-image."""
    function = Skin()
    vertices, faces, marks = meshing.mesh(function)
    return HandMesh(
        vertices=(vertices / MM).astype(np.float32),
        faces=faces,
        weights=skin_weights.weights(vertices, faces, function),
        wrist_distance=(vertices[:, 2] / MM).astype(np.float32),
        palm=skin_weights.diffuse(marks.palm[:, None], faces, 4)[:, 0].astype(np.float32),
        crease=marks.crease,
        nail=marks.nail,
    )
