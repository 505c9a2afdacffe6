"""The tiles that Cycles renders: few boxes around all triangles, so that few rays are sent.

Empty pixels need no rays. Pixels at an outline need all samples. Where a pixel shows nothing but smooth skin, as inside
the forearm, every sample finds the same, and one is enough.
"""

from __future__ import annotations

import numpy as np

from generator.blender.engines.render_layers import Box
from generator.hand.camera import Camera

CELL = 4
"""Pixels, wide and high, that are drawn or left out together."""
MARGIN = 1
"""Pixels around a triangle, for what Blender rounds otherwise."""
WORTH_A_CUT = 4500
"""Empty pixels that take Cycles about as long as to begin another render."""
WORTH_SMOOTH = 6000
"""Smooth pixels in one box from which on it is worth a render of its own, and those of what is left around it."""


def around(points: np.ndarray, faces: np.ndarray, ends: np.ndarray, camera: Camera, box: Box) -> list[tuple[Box, bool]]:
    """Boxes inside a box that hold all triangles in it, and have no pixel in common.

    :param points: (V, 3), as :func:`generator.blender.engines.cycles.flattened` gives them.
    :param faces: (F, 3), triangles of points.
    :param ends: (F,) bool, triangles on which what is seen may begin or end: :func:`outlines` and others.
    :returns: of each whether it is smooth: none of these is in it.
    """
    bounds, shape = _bounds(points, faces, camera, box)
    cells = _covered(bounds, shape)
    left, top, right, bottom = box
    return [
        ((left + x0 * CELL, top + y0 * CELL, min(left + x1 * CELL, right), min(top + y1 * CELL, bottom)), smooth)
        for (x0, y0, x1, y1), smooth in _plan(cells, cells & ~_covered(bounds[:, ends], shape))
    ]


def _plan(cells: np.ndarray, smooth: np.ndarray) -> list[tuple[Box, bool]]:
    """Boxes of cells, and whether they are smooth: the largest that is, and what is above, below and beside it."""
    left, top, right, bottom = _largest(smooth) if smooth.sum() * CELL**2 >= WORTH_SMOOTH else (0, 0, 0, 0)
    if (right - left) * (bottom - top) * CELL**2 < WORTH_SMOOTH:
        return [(part, False) for part in _cut(cells)]
    found = [((left, top, right, bottom), True)]
    rows, columns = cells.shape
    for x0, y0, x1, y1 in (
        (0, 0, columns, top),
        (0, bottom, columns, rows),
        (0, top, left, bottom),
        (right, top, columns, bottom),
    ):
        if x0 < x1 and y0 < y1:
            for (a, b, c, d), kind in _plan(cells[y0:y1, x0:x1], smooth[y0:y1, x0:x1]):
                found.append(((x0 + a, y0 + b, x0 + c, y0 + d), kind))
    return found


def facing(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Which triangles have their corners counter-clockwise as the camera sees them, (F,) bool.

    :param points: (V, 3), as :func:`generator.blender.engines.cycles.flattened` gives them.
    """
    a, b, c = faces.T
    across, up = points[:, 0], points[:, 2]
    right, rise = ([axis.take(corner) - axis.take(a) for corner in (b, c)] for axis in (across, up))
    return right[0] * rise[1] > right[1] * rise[0]


def corners(faces: np.ndarray, count: int) -> np.ndarray:
    """Which of ``count`` points any of the triangles has, (V,) bool."""
    return np.bincount(faces.ravel(), minlength=count) > 0


def outlines(faces: np.ndarray, front: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """Which triangles lie at an outline, (F,) bool: those with a point where front meets back, or of the rim.

    :param front: (F,) bool, the triangles seen from the front.
    :param rim: (V,) bool, as :func:`rim` finds it.
    """
    a, b, c = faces.T
    at_outline = (corners(faces[front], len(rim)) & corners(faces[~front], len(rim))) | rim
    return at_outline.take(a) | at_outline.take(b) | at_outline.take(c)


def rim(faces: np.ndarray, count: int) -> np.ndarray:
    """Which of ``count`` points lie on an edge of one triangle only, where a surface that is not closed ends; bool."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64), axis=1)
    _, first, times = np.unique(edges @ [count, 1], return_index=True, return_counts=True)
    found = np.zeros(count, bool)
    found[edges[first[times == 1]]] = True
    return found


def _bounds(points: np.ndarray, faces: np.ndarray, camera: Camera, box: Box) -> tuple[np.ndarray, tuple[int, int]]:
    """The cells of a box in which each triangle may lie: x0, y0, x1, y1 (4, F); and its rows and columns."""
    ends, sizes = [], []
    for axis, focal, size, start, end in (
        (0, camera.matrix[0, 0], camera.width, *box[::2]),
        (2, -camera.matrix[0, 0], camera.height, *box[1::2]),
    ):
        at = (points[:, axis] * float(focal) + (size / 2 - start)) / CELL  # NumPy's float64 would make all of it that
        a, b, c = (at.take(corner) for corner in faces.T)
        low = np.minimum(np.minimum(a, b), c) - MARGIN / CELL
        high = np.maximum(np.maximum(a, b), c) + (MARGIN / CELL + 1)
        cells = -(-(end - start) // CELL)
        sizes.append(cells)
        ends.append([np.clip(cell, 0, cells).astype(int) for cell in (low, high)])
    (x0, x1), (y0, y1) = ends
    return np.stack([x0, y0, x1, y1]), (sizes[1], sizes[0])


def _covered(bounds: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The cells, (rows, columns) bool, inside any of the bounds (4, F)."""
    x0, y0, x1, y1 = bounds
    height, width = shape[0] + 1, shape[1] + 1
    steps = np.zeros(width * height, int)  # a box is the sum, along both axes, of a step at each of its corners
    for x, y, sign in ((x0, y0, 1), (x1, y1, 1), (x0, y1, -1), (x1, y0, -1)):
        steps += sign * np.bincount(y * width + x, minlength=len(steps))
    return steps.reshape(height, width).cumsum(0).cumsum(1)[:-1, :-1] > 0


def _largest(cells: np.ndarray) -> Box:
    """The largest box with nothing but such cells (rows, columns) bool; of no area where there is none.

    Looks from each column to the right: 2 ms in the paper's framing, little beside the rays where a hand fills it, too.
    """
    rows, columns = cells.shape
    above = np.arange(1, rows + 1)[:, None]
    high = above - np.maximum.accumulate(np.where(cells, 0, above), axis=0)  # cells up from here, this one included
    best, area = (0, 0, 0, 0), 0
    for left in range(columns):
        if high[:, left:].sum(axis=1).max() <= area:
            break
        lowest = np.minimum.accumulate(high[:, left:], axis=1)
        areas = lowest * np.arange(1, columns - left + 1)
        if (largest := int(areas.max())) > area:
            row, wide = (int(n) for n in np.unravel_index(np.argmax(areas), areas.shape))
            best, area = (left, row + 1 - int(lowest[row, wide]), left + wide + 1, row + 1), largest
    return best


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
    """Area of the box around the cells of the first row, the first two rows, and so on; the first is not empty."""
    high = np.maximum.accumulate(np.where(some, np.arange(1, len(some) + 1), 0))
    return high * (np.maximum.accumulate(last) - np.minimum.accumulate(first))
