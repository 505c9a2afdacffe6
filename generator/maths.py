"""Small maths that several parts need."""

from __future__ import annotations

import numpy as np

Triple = tuple[float, float, float]


def triple(values: np.ndarray) -> Triple:
    """Three numbers as plain ones, for JSON."""
    x, y, z = np.asarray(values).tolist()
    return x, y, z


def rounded(values: np.ndarray) -> Triple:
    """Three numbers as plain ones, to a billionth."""
    x, y, z = (round(float(value), 9) for value in values)
    return x, y, z


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform between those of ``low`` and ``high``, both above 0."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def srgb_to_linear(values: np.ndarray) -> np.ndarray:
    """The linear light of sRGB values, both 0..1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 at ``low``, 1 at ``high`` (which may be the lesser), smooth between, constant beyond."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def rotation_about(axis: int, angle: float) -> np.ndarray:
    """A rotation (3, 3) by radians about X, Y or Z (0, 1, 2), from the axis after it to the one after that."""
    rotation = np.eye(3)
    one, two = (axis + 1) % 3, (axis + 2) % 3
    rotation[one, one] = rotation[two, two] = np.cos(angle)
    rotation[two, one], rotation[one, two] = np.sin(angle), -np.sin(angle)
    return rotation


def transformed(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (..., 3) rotated, scaled and moved by a matrix (4, 4)."""
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def grid_triangles(index: np.ndarray, *, closed: bool = False, flipped: bool = False) -> np.ndarray:
    """Two triangles for every cell of a grid of vertices, (F, 3).

    :param index: (R, C), the vertices' numbers; corners go from row to row first, then from column to column.
    :param closed: whether the last column is joined to the first.
    :param flipped: whether the triangles look to the other side.
    """
    grid = np.column_stack([index, index[:, 0]]) if closed else index
    a, b, c, d = (part.ravel() for part in (grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]))
    halves = ((a, d, c), (a, c, b)) if flipped else ((a, b, c), (a, c, d))
    return np.concatenate([np.stack(half, axis=1) for half in halves])
