"""A part of a sweep, coarser or narrower, and its map over v4 and v5, for looking at in a window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from generator.hand import pose, pose_sets, sweep
from generator.hand.plausibility import RULES
from generator.hand.plausibility_plot import COLORS

FULL = (-180, 178)
"""First and last angle of the whole sweep, degrees."""

MARK = (20, 120, 255)
PAPER, INK = (250, 250, 248), (49, 67, 92)

COLOR_WORDS = dict(zip(("", *RULES), ("white", "violet", "red", "grey", "dark blue", "yellow"), strict=True))
"""What the map's colours are called, by reason."""


@dataclass(frozen=True)
class Part:
    """Poses of a sweep over a grid of v4 (slow) and v5 (fast).

    :param name: the set they are from.
    :param frames: the index of each in its set, (N,) int.
    :param poses: (N, 28).
    :param shape: how many v4 and v5, whose product is N.
    """

    name: str
    frames: np.ndarray
    poses: np.ndarray
    shape: tuple[int, int]


def part(name: str, step: int = sweep.STEP_DEGREES, v4: tuple[int, int] = FULL, v5: tuple[int, int] = FULL) -> Part:
    """The poses of ``l2`` or ``l11`` whose v4 and v5 lie in a range, every ``step`` degrees from its start.

    :param step: a multiple of the sweep's own 2 degrees.
    :raises PoseError: if the step is not one of the sweep's, no pose is in the range, or there is no such set.
    """
    if step < 1 or step % sweep.STEP_DEGREES:
        raise pose_sets.PoseError(f"the step is a multiple of {sweep.STEP_DEGREES} degrees, not {step}")
    poses = pose_sets.poses(name)
    angles = np.arange(-180, 180, sweep.STEP_DEGREES)
    rows, columns = (_within(angles, limits, step) for limits in (v4, v5))
    if not len(rows) or not len(columns):
        raise pose_sets.PoseError(f"no pose of {name} has v4 in {v4[0]}..{v4[1]} and v5 in {v5[0]}..{v5[1]} degrees")
    frames = (rows[:, None] * len(angles) + columns).ravel()
    return Part(name, frames, poses[frames], (len(rows), len(columns)))


def _within(angles: np.ndarray, limits: tuple[int, int], step: int) -> np.ndarray:
    inside = np.flatnonzero((angles >= limits[0]) & (angles <= limits[1]))
    return inside[:: step // sweep.STEP_DEGREES]


def counts(reasons: np.ndarray) -> dict[str, int]:
    """How many poses are kept (``""``) and dropped for each reason, in the rules' order; those that occur."""
    found = {reason: int((reasons == reason).sum()) for reason in ("", *RULES)}
    return {reason: number for reason, number in found.items() if number or not reason}


def image(some: Part, reasons: np.ndarray, marked: np.ndarray | None = None, scale: int = 4) -> np.ndarray:
    """The map, (rows * scale, columns * scale, 3) uint8: v4 upwards, v5 to the right, each pose in its reason's colour.

    :param marked: a pose (28,) whose v4 and v5 get a cross hair.
    """
    palette = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in COLORS], np.uint8)
    codes = np.select([reasons == rule for rule in RULES], range(1, len(RULES) + 1), 0)
    cells = palette[codes.reshape(some.shape)]
    pixels = np.repeat(np.repeat(cells, scale, axis=0), scale, axis=1)
    if marked is not None:
        for axis, place in enumerate(_nearest(some, marked)):
            center = place * scale + scale // 4
            np.moveaxis(pixels, axis, 0)[center : center + max(1, scale // 2)] = MARK
    return pixels[::-1]


LEFT, BELOW, RIGHT = 96, 64, 32
"""Pixels beside and below a map for its axes, and to the right for the last number."""


def with_axes(some: Part, pixels: np.ndarray) -> np.ndarray:
    """A map of :func:`image` with its axes: degrees of v4 to the left, of v5 below; ends and every 90 degrees."""
    height, width = pixels.shape[:2]
    sheet = Image.new("RGB", (LEFT + width + RIGHT, RIGHT + height + BELOW), PAPER)
    sheet.paste(Image.fromarray(pixels), (LEFT, RIGHT))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(22)
    first, last = (np.degrees(some.poses[i, [pose.V4, pose.V5]]).round().astype(int) for i in (0, -1))
    for value in _ticks(first[1], last[1]):
        x = LEFT + (value - first[1]) / max(1, last[1] - first[1]) * (width - 1)
        pen.line((x, RIGHT + height, x, RIGHT + height + 5), INK)
        pen.text((x, RIGHT + height + 7), f"{value}°", INK, font, "ma")
    for value in _ticks(first[0], last[0]):
        y = RIGHT + height - 1 - (value - first[0]) / max(1, last[0] - first[0]) * (height - 1)
        pen.line((LEFT - 5, y, LEFT - 1, y), INK)
        pen.text((LEFT - 8, y), f"{value}°", INK, font, "rm")
    pen.text((LEFT + width / 2, RIGHT + height + BELOW - 4), "v5", INK, font, "ms")
    pen.text((6, RIGHT + height / 2), "v4", INK, font, "lm")
    return np.asarray(sheet)


def _ticks(first: int, last: int) -> list[int]:
    """The ends of an axis and the multiples of 90 between that are apart from them."""
    gap = (last - first) / 8
    return sorted({first, last, *(v for v in range(-180, 181, 90) if first + gap < v < last - gap)})


def pose_at(some: Part, x: float, y: float, scale: int) -> np.ndarray:
    """The pose (28,) at a place of the map with axes, 0..1 from its lower left corner; beside the map the nearest.

    :param scale: as :func:`image` was given.
    """
    rows, columns = some.shape
    across = (x * (LEFT + columns * scale + RIGHT) - LEFT) / scale
    up = (y * (RIGHT + rows * scale + BELOW) - BELOW) / scale
    return some.poses[int(np.clip(up, 0, rows - 1)) * columns + int(np.clip(across, 0, columns - 1))]


def _nearest(some: Part, one: np.ndarray) -> tuple[int, int]:
    """Row and column of the grid that come nearest to a pose's v4 and v5."""
    grid = some.poses[:, [pose.V4, pose.V5]].reshape(*some.shape, 2)
    apart = [axis - one[v] for axis, v in ((grid[:, 0, 0], pose.V4), (grid[0, :, 1], pose.V5))]
    row, column = (int(np.abs((a + np.pi) % (2 * np.pi) - np.pi).argmin()) for a in apart)
    return row, column
