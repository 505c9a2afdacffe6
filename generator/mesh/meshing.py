"""Meshing implicit surfaces: marching cubes and even triangles; of the mean hand also folds and nails in relief.

Lengths are millimetres.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from generator.hand.anatomy import FOREARM_LENGTH
from generator.mesh.sdf import HALF_BREADTH, ImplicitSurface, Skin
from generator.mesh.skin_features import Fold, Marks, folds, mark, nail_outlines
from generator.mesh.skin_weights import digit as digit_of
from generator.mesh.skin_weights import edges, neighbour_mean

_CREASE_DEPTH, _GROOVE_DEPTH, _NAIL_HEIGHT = 0.40, 0.15, 0.20


def mesh(skin: Skin) -> tuple[np.ndarray, np.ndarray, Marks]:
    """The skin's closed mesh, (V, 3) mm and (F, 3) int32, and its marks."""
    vertices, faces = march(skin, _spacing, (-1000.0 * FOREARM_LENGTH - 30.0, 200.0), ((-31, 46), (-22, 14)))
    smooth = project(relax(project(vertices, skin, 3), faces, skin, 5), skin, 2)
    digit = digit_of(smooth, skin)
    drawn = project(_draw_to_lines(smooth, digit, skin), skin, 2)
    marks = mark(drawn, digit, HALF_BREADTH)
    raised = _NAIL_HEIGHT * marks.nail - _GROOVE_DEPTH * marks.groove - _CREASE_DEPTH * marks.crease
    raised_points = drawn + raised[:, None] * normals(drawn, skin)
    return _unfolded(smooth, raised_points, faces), faces, marks


def _face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    normals = np.cross(b - a, c - a)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def _unfolded(before: np.ndarray, after: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The vertices moved from ``before`` to ``after``, but only part of the way where a triangle would turn over."""
    original, fraction = _face_normals(before, faces), np.ones(len(before))
    for _ in range(6):
        moved = before + fraction[:, None] * (after - before)
        rotated = (_face_normals(moved, faces) * original).sum(axis=1) < 0.5
        fraction[np.unique(faces[rotated])] *= 0.6
    return before + fraction[:, None] * (after - before)


def _spacing(z: np.ndarray) -> np.ndarray:
    """Grid spacing in mm by height: fine in the fingers, coarse along the forearm."""
    return np.interp(z, [-450, -150, -25, 5, 70, 100], [11, 11, 3.4, 2.5, 2.5, 1.85])


def march(
    surface: Callable[[np.ndarray], np.ndarray],
    spacing: Callable[[np.ndarray], np.ndarray],
    heights: tuple[float, float],
    columns: tuple[tuple[int, int], tuple[int, int]],
    center: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) mm and faces (F, 3) int32 of a zero set, on a grid as fine at each height as its spacing.

    :param surface: distances (N,) of points (N, 3), mm, as an :class:`~generator.mesh.sdf.ImplicitSurface` gives them.
    :param spacing: of the grid at heights (Z), mm.
    :param heights: the least and about the greatest Z of the grid, mm.
    :param columns: first and last of the grid along X and Y, the last excluded, counted from X = 0 and Y = ``center``.
    """
    from skimage.measure import marching_cubes  # where the mesh is shipped, scikit-image is not needed

    rows = [heights[0]]
    while rows[-1] < heights[1]:
        rows.append(rows[-1] + float(spacing(np.array(rows[-1]))))
    z, step = np.array(rows), spacing(np.array(rows))
    across, through = (np.arange(*ends) for ends in columns)
    x, y, row = np.meshgrid(across, through, np.arange(len(rows)), indexing="ij")
    points = np.stack([x * step[row], center + y * step[row], z[row]], axis=-1)
    values = surface(points.reshape(-1, 3)).reshape(x.shape) / step[row]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # scikit-image 0.26 with numpy 2.5
        corners, faces, _, _ = marching_cubes(values, 0.0, gradient_direction="descent")
    wide = np.interp(corners[:, 2], np.arange(len(rows)), step)
    height = np.interp(corners[:, 2], np.arange(len(rows)), z)
    vertices = np.stack([(corners[:, 0] + across[0]) * wide, center + (corners[:, 1] + through[0]) * wide, height], 1)
    return vertices, faces.astype(np.int32)


def normals(vertices: np.ndarray, surface: ImplicitSurface) -> np.ndarray:
    """Unit normals (V, 3) at vertices (V, 3) on a surface."""
    slope = surface.gradient(vertices, surface(vertices))
    return slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)


def project(vertices: np.ndarray, surface: ImplicitSurface, rounds: int) -> np.ndarray:
    """Vertices (V, 3) mm moved onto a surface by steps of Newton's method, of 1 mm at most."""
    for _ in range(rounds):
        values = surface(vertices)
        slope = surface.gradient(vertices, values)
        step = values / np.maximum((slope**2).sum(axis=1), 0.25)
        vertices = vertices - np.clip(step, -1.0, 1.0)[:, None] * slope
    return vertices


def relax(vertices: np.ndarray, faces: np.ndarray, surface: ImplicitSurface, rounds: int) -> np.ndarray:
    """Even triangles: each vertex slides along a surface towards the mean of its neighbours."""
    pairs = edges(faces)
    for _ in range(rounds):
        normal = normals(vertices, surface)
        pull = neighbour_mean(vertices, pairs) - vertices
        pull -= (pull * normal).sum(axis=1, keepdims=True) * normal
        vertices = project(vertices + 0.5 * pull, surface, 1)
    return vertices


def _lines(points: np.ndarray, digit: np.ndarray) -> list[Fold]:
    return [*folds(points, digit, HALF_BREADTH), *nail_outlines(points, digit, HALF_BREADTH)]


def _draw_to_lines(vertices: np.ndarray, digit: np.ndarray, skin: Skin) -> np.ndarray:
    """Vertices gather at folds and nail edges, so that these come out as sharp as a mesh of this size can show them."""
    here = _lines(vertices, digit)
    ahead = [_lines(vertices + step, digit) for step in 0.05 * np.eye(3)]
    normal = normals(vertices, skin)
    move, closest = np.zeros_like(vertices), np.ones(len(vertices))
    for number, line in enumerate(here):
        slope = np.stack([(step[number].distance - line.distance) / 0.05 for step in ahead], axis=1)
        slope -= (slope * normal).sum(axis=1, keepdims=True) * normal
        slope /= np.maximum((slope**2).sum(axis=1, keepdims=True), 0.25)
        fraction = line.distance / line.reach
        near = (fraction < closest) & (line.where > 0.05)
        pull = line.where * (line.distance - line.reach * fraction**3)
        move[near] = -(pull[:, None] * slope)[near]
        closest[near] = fraction[near]
    return vertices + move * np.minimum(1, 1.2 / np.maximum(np.linalg.norm(move, axis=1, keepdims=True), 1e-9))
