"""The built-in hand's mesh: marched once from the implicit skin, then bent to each person's shape by its bones."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import platformdirs

from generator.hand import anatomy
from generator.hand.anatomy import BONES, MEAN, HandShape, Skeleton, skeleton
from generator.mesh import meshing, sdf, skin_features, skin_weights
from generator.mesh.sdf import Skin
from handforge.files import write_atomic

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


def build(shape: HandShape = MEAN) -> HandMesh:
    """The mesh of a hand of this shape.

    The mean hand is meshed once (some seconds) and kept in the user's cache folder; other shapes are made from it
    without meshing, so all have the same faces and weights.
    """
    base = _base()
    moved = reshape(base.vertices.astype(float), base.weights.astype(float), shape)
    return HandMesh(
        vertices=moved.astype(np.float32),
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


# ---------------------------------------------------------------- the cache


def _mesh() -> HandMesh:
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


def cache_path() -> Path:
    """Where the mean hand is kept: a name that changes with whatever makes it."""
    parts = [np.__version__]
    parts += [Path(str(module.__file__)).read_text() for module in (anatomy, sdf, skin_features, meshing, skin_weights)]
    parts.append(Path(__file__).read_text())
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return Path(platformdirs.user_cache_dir("handforge", appauthor=False)) / f"hand-{digest}.npz"


SHIPPED = Path(__file__).with_name("hand.npz")
"""The mean hand beside the code, as in the extension for Blender; elsewhere it is meshed and cached."""


@lru_cache(maxsize=1)
def _base() -> HandMesh:
    path = cache_path()
    for stored in (SHIPPED, path):
        try:
            with np.load(io.BytesIO(stored.read_bytes())) as arrays:
                return HandMesh(**{name: arrays[name] for name in HandMesh.__dataclass_fields__})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass  # not there, or damaged: make it
    mesh = _mesh()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, _npz(mesh))
    except OSError:
        pass  # a machine without a writable cache folder meshes each time
    return mesh


def mean_hand() -> bytes:
    """The file that :data:`SHIPPED` is."""
    return _npz(_base())


def _npz(mesh: HandMesh) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **{name: getattr(mesh, name) for name in HandMesh.__dataclass_fields__})
    return buffer.getvalue()
