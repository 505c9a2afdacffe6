"""A pocket that a hand is in: the cloth behind it, and cloth that lies over a part of its fingers."""

from __future__ import annotations

import numpy as np

from generator.frame.room import materials
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Plain
from generator.frame.room.props import SceneProps
from generator.frame.room.transforms import transform

FRACTION = 0.1
"""Of the images of one hand that holds nothing, where surroundings are drawn at all; not every hand has a place."""

_NODES = 32
_THICK, _HEM = 0.003, 0.014
"""Metres that the cloth stands off what is under it, and that its opening is turned over."""
_SLACK = 0.016
"""Metres to the sides that cloth bridges."""


def put_around(props: SceneProps, rng: np.random.Generator, view: View) -> bool:
    """Put the fingers of the only hand into a pocket; False where they or the arm are not as in one."""
    hand, arm = view.arm[view.hand], view.arm[~view.hand]
    if not len(arm):
        return False
    to_arm = np.linalg.norm(hand - arm.mean(axis=0), axis=1)
    wrist = hand[to_arm < np.quantile(to_arm, 0.05)].mean(axis=0)
    down = hand.mean(axis=0) - wrist
    down /= np.linalg.norm(down)
    out = np.array([0.0, -1.0, 0.0]) + down[1] * down
    if np.linalg.norm(out) < 0.7:  # it points at the camera or away from it
        return False
    out /= np.linalg.norm(out)
    axes = np.stack([np.cross(down, out), down, out], axis=1)
    local, other = hand @ axes, arm @ axes
    body = float(min(local[:, 2].min(), other[:, 2].min())) - _THICK
    start = float(np.quantile(local[:, 1], rng.uniform(0.25, 0.7)))
    inside = local[local[:, 1] > start]
    low = inside[:, :2].min(axis=0) - [rng.uniform(0.02, 0.05), 0.0]
    high = inside[:, :2].max(axis=0) + rng.uniform(0.02, 0.05, 2)
    low[1] = start
    crosses = ((other[:, :2] > low) & (other[:, :2] < high)).all(axis=1).any()
    if crosses or inside[:, 2].min() - body > 0.05 or np.ptp(inside[:, 2]) > 0.11:
        return False
    heights = _drape(inside, low, high, body)
    color, center, size = materials.cloth(rng).color, (low + high) / 2, high - low
    wide, grain, uneven = rng.uniform(0.8, 1.6, 2), rng.uniform(15, 60), rng.uniform(0.0, 0.25)
    behind = np.array([*(center + rng.normal(0, 0.08, 2)), body - 0.02])
    garment, cloth = (
        Plain("plain", color, 0.95, float(grain * across), float(uneven), 0.003) for across in (wide[0], size[0])
    )
    props.add("box", garment, transform(axes, axes @ behind, np.array([*wide, 0.04])))
    place = transform(axes, axes @ np.array([*center, body]), np.array([*size, 1.0]))
    props.add("drape", cloth, place, heights=tuple(tuple(row) for row in heights.tolist()))
    return True


def _drape(points: np.ndarray, low: np.ndarray, high: np.ndarray, body: float) -> np.ndarray:
    """How high above the body cloth lies over points (N, 3), sewn on at three sides, (nodes down, nodes across) m.

    :param low: (2,) the cloth's least place across and down, metres; ``high``: its greatest.
    """
    across, down = (np.linspace(a, b, _NODES) for a, b in zip(low, high, strict=True))
    apart = np.abs(points[:, 0] - across[:, None]), np.abs(points[:, 1] - down[:, None])
    rise = points[:, 2] - body + _THICK

    def over(reach: tuple[float, float]) -> np.ndarray:
        rows = []
        for far in apart[1]:
            near = (far < reach[1]) & (apart[0] < reach[0])
            rows.append(np.where(near, rise, _THICK).max(axis=1))
        return np.array(rows)

    loose = np.pad(over((_SLACK, _SLACK)), ((0, 8), (8, 8)), constant_values=_THICK)
    loose = np.pad(loose, ((8, 0), (0, 0)), mode="edge")
    for axis, step in ((0, down[1] - down[0]), (1, across[1] - across[0])):
        kernel = np.exp(-((np.arange(-8, 9) * step / 0.008) ** 2) / 2)
        loose = np.apply_along_axis(np.convolve, axis, loose, kernel / kernel.sum(), mode="same")
    tight = over((1.01 * (across[1] - across[0]), 1.01 * (down[1] - down[0])))
    heights = np.maximum(loose[8:-8, 8:-8], tight)
    heights[down - low[1] < _HEM] += 0.0015
    return np.asarray(heights.round(5))
