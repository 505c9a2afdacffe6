"""The sheet on a bed as a mesh: creased, and hanging down at two sides."""

from __future__ import annotations

import numpy as np

from generator.maths import grid_triangles, log_uniform

_STEP = 0.008
"""Metres between two points."""
_EDGE = 0.03
"""Radius of the bed's edges, metres."""


def sheet(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A sheet about the origin in the plane Z = 0: vertices (V, 3) metres, faces (F, 3) int32, which look to +Z.

    Its folds rise up to 2 cm and sink up to 1 cm.
    """
    half, reach = rng.uniform(0.25, 0.55), rng.uniform(0.55, 0.8)
    across, along = np.arange(-half - 0.25, half + 0.25, _STEP), np.arange(-reach, reach, _STEP)
    x, y = np.meshgrid(across, along, indexing="ij")
    height = np.zeros(x.shape)
    for _ in range(int(rng.integers(40, 160))):
        rotation, bend = rng.uniform(0, np.pi), rng.normal(0, 2.0)
        a, b = x - rng.normal(0, 0.6 * half), y - rng.normal(0, 0.5 * reach)
        on, off = a * np.cos(rotation) + b * np.sin(rotation), b * np.cos(rotation) - a * np.sin(rotation)
        off = off + bend * on**2
        wide, length = log_uniform(rng, 0.004, 0.025), rng.uniform(0.03, 0.25)
        height += rng.uniform(0.3, 1.0) * wide * np.exp(-np.sqrt((off / wide) ** 2 + 0.1) - (on / length) ** 2)
    height = np.clip(height - height.mean(), -0.01, 0.02)
    over = np.maximum(np.abs(x) - half, 0.0)
    angle = np.minimum(over / _EDGE, np.pi / 2)
    side = np.sign(x) * (np.minimum(np.abs(x), half) + (_EDGE + height) * np.sin(angle))
    low = _EDGE * (1 - np.cos(angle)) + np.maximum(over - _EDGE * np.pi / 2, 0.0)
    vertices = np.stack([side, y, height * np.cos(angle) - low], axis=-1).reshape(-1, 3)
    faces = grid_triangles(np.arange(x.size).reshape(x.shape))
    shift = [rng.uniform(-0.7, 0.7) * half, rng.uniform(-0.4, 0.4) * reach, 0.0]
    return vertices + shift, faces.astype(np.int32)


def drape(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cloth of these heights (R, C) over a square of size 1: vertices (R * C, 3), row by row, and triangles (F, 3)."""
    rows, columns = heights.shape
    y, x = np.meshgrid(np.linspace(-0.5, 0.5, rows), np.linspace(-0.5, 0.5, columns), indexing="ij")
    vertices = np.stack([x, y, heights], axis=-1).reshape(-1, 3)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    near, far = first + 1, first + columns
    faces = np.concatenate([np.stack([first, near, far], 1), np.stack([near, far + 1, far], 1)])
    return vertices, faces.astype(np.int32)
