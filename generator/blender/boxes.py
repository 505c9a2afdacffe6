"""Few boxes around all that triangles cover, so that Cycles has few rays to send where nothing is."""

from __future__ import annotations

import numpy as np

from generator.blender.drawing import Box
from generator.camera import Camera

CELL = 4
"""Pixels, wide and high, that are drawn or left out together."""
MARGIN = 1
"""Pixels around a triangle, for what Blender rounds otherwise."""
WORTH_A_CUT = 6000
"""Empty pixels that take Cycles about as long as to begin another render."""


def around(points: np.ndarray, faces: np.ndarray, camera: Camera, box: Box) -> list[Box]:
    """Boxes inside a box that hold all triangles in it, and have no pixel in common.

    :param points: (V, 3), as :func:`generator.blender.cycles.flattened` gives them.
    :param faces: (F, 3), triangles of points.
    """
    left, top, right, bottom = box
    return [
        (left + x0 * CELL, top + y0 * CELL, min(left + x1 * CELL, right), min(top + y1 * CELL, bottom))
        for x0, y0, x1, y1 in _cut(_covered(points, faces, camera, box))
    ]


def _covered(points: np.ndarray, faces: np.ndarray, camera: Camera, box: Box) -> np.ndarray:
    """The cells of a box, (rows, columns) bool, in which triangles may lie: all those of the box about each."""
    ends, sizes = [], []
    for axis, focal, size, start, end in (
        (0, camera.matrix[0, 0], camera.width, *box[::2]),
        (2, -camera.matrix[0, 0], camera.height, *box[1::2]),
    ):
        at = points[:, axis] * focal + (size / 2 - start)
        a, b, c = (at.take(corner) for corner in faces.T)
        low, high = np.minimum(np.minimum(a, b), c) - MARGIN, np.maximum(np.maximum(a, b), c) + MARGIN
        cells = -(-(end - start) // CELL)
        sizes.append(cells + 1)
        ends.append([np.clip(cell, 0, cells).astype(int) for cell in (low // CELL, high // CELL + 1)])
    (x0, x1), (y0, y1) = ends
    width, height = sizes
    steps = np.zeros(width * height, int)  # a box is the sum, along both axes, of a step at each of its corners
    for x, y, sign in ((x0, y0, 1), (x1, y1, 1), (x0, y1, -1), (x1, y0, -1)):
        steps += sign * np.bincount(y * width + x, minlength=len(steps))
    return steps.reshape(height, width).cumsum(0).cumsum(1)[:-1, :-1] > 0


def _cut(cells: np.ndarray) -> list[Box]:
    """Boxes that hold all of the cells (rows, columns) bool: one, or those of two parts, if that saves enough."""
    rows, columns = np.flatnonzero(cells.any(1)), np.flatnonzero(cells.any(0))
    if not len(rows):
        return []
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    cells = cells[top:bottom, left:right]
    (down, row), (across, column) = _best(cells), _best(cells.T)
    if (cells.size - min(down, across)) * CELL**2 < WORTH_A_CUT:
        return [(left, top, right, bottom)]
    if down <= across:
        parts = [(cells[:row], 0, 0), (cells[row:], 0, row)]
    else:
        parts = [(cells[:, :column], 0, 0), (cells[:, column:], column, 0)]
    return [
        (left + x + x0, top + y + y0, left + x + x1, top + y + y1)
        for part, x, y in parts
        for x0, y0, x1, y1 in _cut(part)
    ]


def _best(cells: np.ndarray) -> tuple[int, int]:
    """The row at which a cut leaves the smallest two boxes above and below it: their area, and the row."""
    rows, columns = cells.shape
    some = cells.any(1)
    first = np.where(some, cells.argmax(1), columns)
    last = np.where(some, columns - cells[:, ::-1].argmax(1), 0)
    both = _areas(some, first, last)[:-1] + _areas(some[::-1], first[::-1], last[::-1])[-2::-1]
    return (int(both.min()), int(both.argmin()) + 1) if rows > 1 else (cells.size, 0)


def _areas(some: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """How large a box is around all that is in the first row, in the first two, and so on; some is in the first."""
    high = np.maximum.accumulate(np.where(some, np.arange(1, len(some) + 1), 0))
    return high * (np.maximum.accumulate(last) - np.minimum.accumulate(first))
