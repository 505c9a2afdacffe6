"""What engines return, and what they share: the box around the hand, the light's formula, colour, coverage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from generator.blender.rig import Posed, Rig
from generator.camera import Camera
from generator.look import Look

WRAP = 0.4
"""How far the light reaches around the hand: shade = ambient + (1 - ambient) max(0, (n.l + WRAP) / (1 + WRAP)).
Wrapped diffuse light without shadows, as the paper's pictures have it."""

MARGIN = 2
"""Pixels drawn around the hand's outermost vertex."""
WORTH_A_CUT = 5000
"""Empty pixels that take Cycles about as long as to begin another render, 5 ms."""

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in the picture, half-open."""


@dataclass(frozen=True)
class Drawing:
    """The part of a picture that a hand is in; all around it is the plain background.

    :param box: where it is in the picture.
    :param picture: (y1 - y0, x1 - x0, 3) uint8, sRGB, on the background.
    :param hand: (y1 - y0, x1 - x0) float, 0..1: how much of a pixel the hand covers.
    :param forearm: the same of the forearm.
    :param cloth: the same of a sleeve; the three add up to 1 at most. Rooms do not tell theirs from the rest.
    """

    box: Box
    picture: np.ndarray
    hand: np.ndarray
    forearm: np.ndarray
    cloth: np.ndarray | float = 0.0


class Engine(Protocol):
    """Draws a posed and painted hand."""

    name: str

    def draw(self, rig: Rig, posed: Posed, camera: Camera, look: Look, frame: int) -> Drawing:
        """Draw one frame of the rig, whose present surface is ``posed``; the frame's number keys what is random."""
        ...


def box_around(points: np.ndarray, camera: Camera) -> Box:
    """The box of pixels, inside the picture, around scene points (V, 3); of no area where none is in the picture."""
    x, y, depth = camera.to_camera(points).T
    if depth.min() < 0.01:
        return 0, 0, camera.width, camera.height
    size, focal = np.array([camera.width, camera.height]), camera.matrix[0, 0]
    low, high = (np.array([f(x / depth), f(y / depth)]) * focal + size / 2 for f in (np.min, np.max))
    (x0, y0), (x1, y1) = (np.clip(np.floor(v), 0, size).astype(int).tolist() for v in (low - MARGIN, high + MARGIN + 1))
    return x0, y0, x1, y1


def pieces(points: np.ndarray, faces: np.ndarray, camera: Camera, box: Box) -> list[Box]:
    """A box as :func:`box_around` gives it, cut by rows into narrower ones that still hold everything.

    An arm is narrower than its hand: half of one box is empty, and rays that hit nothing cost half of those that do.

    :param points: (V, 3) in scene axes.
    :param faces: (F, 3), triangles of points.
    """
    x, y, depth = camera.to_camera(points).T
    if depth.min() < 0.01:
        return [box]
    left, top, right, bottom = box
    scale = camera.matrix[0, 0] / depth
    column = x * scale + camera.width / 2
    row = np.clip(y * scale + camera.height / 2 - top, 0, bottom - top - 1).astype(int)
    a, b, c = (row.take(corner) for corner in faces.T)
    reach = int(max(abs(a - b).max(), abs(b - c).max(), abs(c - a).max()))
    low, high = np.full(bottom - top, float(right)), np.full(bottom - top, float(left))
    np.minimum.at(low, row, column)
    np.maximum.at(high, row, column)
    # A row also shows triangles whose points lie above and below it.
    around = 2 * (reach + MARGIN) + 1
    low, high = (np.pad(end, around // 2, "edge") for end in (low, high))
    low = np.lib.stride_tricks.sliding_window_view(low, around).min(-1)
    high = np.lib.stride_tricks.sliding_window_view(high, around).max(-1)
    low = np.clip(np.floor(low - MARGIN), left, right).astype(int)
    high = np.clip(np.floor(high + MARGIN + 1), low, right).astype(int)
    return [
        (int(low[first:last].min()), top + first, int(high[first:last].max()), top + last)
        for first, last in _cut(low, high, 0, bottom - top)
    ]


def _cut(low: np.ndarray, high: np.ndarray, first: int, last: int) -> list[tuple[int, int]]:
    """The rows from ``first`` to ``last`` in parts, as long as a cut saves enough."""
    above = _widths(low[first:last], high[first:last])
    below = _widths(low[first:last][::-1], high[first:last][::-1])[::-1]
    rows = np.arange(1, last - first)
    area = above[:-1] * rows + below[1:] * rows[::-1]
    if not len(area) or above[-1] * (last - first) - np.min(area) < WORTH_A_CUT:
        return [(first, last)]
    at = first + 1 + int(np.argmin(area))
    return _cut(low, high, first, at) + _cut(low, high, at, last)


def _widths(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How wide a box around the first row is, the first two, and so on."""
    return np.asarray(np.maximum.accumulate(high) - np.minimum.accumulate(low))


def nothing(camera: Camera) -> Drawing:
    """The drawing of a hand that is not in the picture."""
    return Drawing((0, 0, 0, 0), np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0)), np.zeros((0, 0)))
