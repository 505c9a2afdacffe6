"""The built-in hand's mesh: marched once from the implicit skin, then bent to each person's shape by its bones."""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import platformdirs

from generator import anatomy, implicit, markings, weights
from generator.anatomy import BONES, FOREARM_LENGTH, MEAN, HandShape, Skeleton, skeleton
from generator.dataset import write_atomic
from generator.implicit import Skin

MM = 1000.0


@dataclass(frozen=True)
class HandMesh:
    """A closed triangle mesh of a right hand with forearm in the bind pose, scene axes."""

    vertices: np.ndarray
    """(V, 3) float32, metres."""
    faces: np.ndarray
    """(F, 3) int32, counter-clockwise seen from outside."""
    weights: np.ndarray
    """(V, 21) float32 in the order of :data:`generator.anatomy.BONES`; rows sum to 1, at most four nonzero."""
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


# ---------------------------------------------------------------- meshing the mean hand


def _spacing(z: np.ndarray) -> np.ndarray:
    """Grid spacing in mm by height: fine in the fingers, coarse along the forearm."""
    return np.interp(z, [-450, -150, -25, 5, 70, 100], [11, 11, 3.4, 2.5, 2.5, 1.85])


def _march(skin: Skin) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) mm and faces of the zero set, on a grid that widens with its spacing from row to row."""
    from skimage.measure import marching_cubes  # where the mesh is shipped, scikit-image is not needed

    rows = [-MM * FOREARM_LENGTH - 30.0]
    while rows[-1] < 200:
        rows.append(rows[-1] + float(_spacing(np.array(rows[-1]))))
    heights, spacing = np.array(rows), _spacing(np.array(rows))
    across, through = np.arange(-31, 46), np.arange(-22, 14)
    x, y, row = np.meshgrid(across, through, np.arange(len(rows)), indexing="ij")
    points = np.stack([x * spacing[row], y * spacing[row], heights[row]], axis=-1)
    values = skin(points.reshape(-1, 3)).reshape(x.shape) / spacing[row]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # scikit-image 0.26 with numpy 2.5
        corners, faces, _, _ = marching_cubes(values, 0.0, gradient_direction="descent")
    wide = np.interp(corners[:, 2], np.arange(len(rows)), spacing)
    height = np.interp(corners[:, 2], np.arange(len(rows)), heights)
    vertices = np.stack([(corners[:, 0] + across[0]) * wide, (corners[:, 1] + through[0]) * wide, height], axis=1)
    return vertices, faces.astype(np.int32)


def _normals(vertices: np.ndarray, skin: Skin) -> np.ndarray:
    slope = skin.gradient(vertices, skin(vertices))
    return slope / np.linalg.norm(slope, axis=1, keepdims=True)


def _project(vertices: np.ndarray, skin: Skin, rounds: int) -> np.ndarray:
    """Newton steps onto the zero set."""
    for _ in range(rounds):
        values = skin(vertices)
        slope = skin.gradient(vertices, values)
        step = values / np.maximum((slope**2).sum(axis=1), 0.25)
        vertices = vertices - np.clip(step, -1.0, 1.0)[:, None] * slope
    return vertices


def _relax(vertices: np.ndarray, faces: np.ndarray, skin: Skin, rounds: int = 5) -> np.ndarray:
    """Even triangles: each vertex slides along the skin towards the middle of its neighbours."""
    pairs = weights.edges(faces)
    for _ in range(rounds):
        normal = _normals(vertices, skin)
        pull = weights.neighbour_mean(vertices, pairs) - vertices
        pull -= (pull * normal).sum(axis=1, keepdims=True) * normal
        vertices = _project(vertices + 0.5 * pull, skin, 1)
    return vertices


def _lines(points: np.ndarray, digit: np.ndarray) -> list[markings.Fold]:
    breadth = implicit.HALF_BREADTH
    return [*markings.folds(points, digit, breadth), *markings.nail_outlines(points, digit, breadth)]


def _draw_to_lines(vertices: np.ndarray, digit: np.ndarray, skin: Skin) -> np.ndarray:
    """Vertices gather at folds and nail edges, so that these come out as sharp as a mesh of this size can show them."""
    here = _lines(vertices, digit)
    ahead = [_lines(vertices + step, digit) for step in 0.05 * np.eye(3)]
    normal = _normals(vertices, skin)
    move, closest = np.zeros_like(vertices), np.ones(len(vertices))
    for number, line in enumerate(here):
        slope = np.stack([(step[number].distance - line.distance) / 0.05 for step in ahead], axis=1)
        slope -= (slope * normal).sum(axis=1, keepdims=True) * normal
        slope /= np.maximum((slope**2).sum(axis=1, keepdims=True), 0.25)
        share = line.distance / line.reach
        near = (share < closest) & (line.where > 0.05)
        pull = line.where * (line.distance - line.reach * share**3)
        move[near] = -(pull[:, None] * slope)[near]
        closest[near] = share[near]
    return vertices + move * np.minimum(1, 1.2 / np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9))


_CREASE_DEPTH, _GROOVE_DEPTH, _NAIL_HEIGHT = 0.40, 0.15, 0.20


def _mesh() -> HandMesh:
    skin = Skin()
    vertices, faces = _march(skin)
    vertices = _project(_relax(_project(vertices, skin, 3), faces, skin), skin, 2)
    digit = weights.digit(vertices, skin)
    vertices = _project(_draw_to_lines(vertices, digit, skin), skin, 2)
    marks = markings.mark(vertices, digit, implicit.HALF_BREADTH)
    raised = _NAIL_HEIGHT * marks.nail - _GROOVE_DEPTH * marks.groove - _CREASE_DEPTH * marks.crease
    vertices = vertices + raised[:, None] * _normals(vertices, skin)
    return HandMesh(
        vertices=(vertices / MM).astype(np.float32),
        faces=faces,
        weights=weights.weights(vertices, faces, skin),
        wrist_distance=(vertices[:, 2] / MM).astype(np.float32),
        palm=weights.diffuse(marks.palm[:, None], faces, 4)[:, 0].astype(np.float32),
        crease=marks.crease,
        nail=marks.nail,
    )


# ---------------------------------------------------------------- the cache


def cache_path() -> Path:
    """Where the mean hand is kept: a name that changes with whatever makes it."""
    parts = [np.__version__]
    parts += [Path(str(module.__file__)).read_text() for module in (anatomy, implicit, markings, weights)]
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
