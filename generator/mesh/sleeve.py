"""A sleeve around the forearm: a tube of cloth, from somewhere below the wrist to beyond the elbow."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from generator.hand.vectors import NotNegative, Number, Vector
from generator.maths import grid_triangles

SHORTEST_ARM = 0.22
"""Metres of forearm that a sleeve needs: an external rig with less goes bare."""

TUCKED = 0.5
"""Fraction of the sleeves on gloved arms whose start is under the glove's cuff; over the others the sleeve lies."""

SLEEVED = 0.6
"""Fraction of arms that have a sleeve, where some have."""


@dataclass(frozen=True)
class Sleeve:
    """What a sleeve is like.

    :param start: where its cuff is, metres from the wrist; negative, as it lies on the forearm.
    :param loose: how far it stands off the skin, metres.
    :param color: linear RGB (3,).
    :param folds: the seed of its folds.
    """

    start: float
    loose: NotNegative
    color: Vector
    folds: Number

    @classmethod
    def random(cls, rng: np.random.Generator) -> Sleeve:
        """Draw a sleeve of any color and length."""
        start, loose = cut(rng)
        hue, saturation, value = rng.uniform(), rng.uniform(0, 0.8), rng.uniform(0.08, 0.95)
        color = np.array(colorsys.hsv_to_rgb(hue, saturation, value)) ** 2.2
        return cls(start, loose, color, int(rng.integers(2**31)))


_RINGS = 28
"""Number of rings of vertices, from one end to the other."""
Folds = tuple[tuple[float, float], ...]
"""Of each ring where its three bulges are, radians, and how far it is shifted along the arm, metres."""

RING = 5
"""The arm's radius at a place is measured by one vertex more than these at least."""


def cut(rng: np.random.Generator) -> tuple[float, float]:
    """Draw where a sleeve starts, and how loose it is: metres, as of :class:`Sleeve`."""
    return -rng.uniform(0.015, 0.2), rng.uniform(0.003, 0.014)


def has_arm(rest: np.ndarray) -> bool:
    """Whether there is enough of a forearm to wear something: vertices (N, 3) in the bind pose, metres."""
    return bool(rest[:, 2].min() <= -SHORTEST_ARM)


def draw_folds(rng: np.random.Generator, even: bool = False) -> Folds:
    """The folds of a sleeve; one whose rings are ``even`` has them in parallel planes."""
    return tuple((float(rng.uniform(0, 7)), 0.0 if even else float(rng.normal(0, 0.001))) for _ in range(_RINGS))


def tube(
    rest: np.ndarray,
    start: float,
    loose: float,
    folds: Folds,
    end: float | None = None,
    *,
    tucked: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """A sleeve's vertices (V, 3) in the bind pose, metres, and its triangles (F, 3).

    :param rest: (N, 3), the arm's vertices in the bind pose, at least :data:`SHORTEST_ARM` of forearm.
    :param folds: of :func:`draw_folds`; a ring of vertices for each.
    :param end: where its other end is, metres from the wrist as ``start``; None is beyond the arm's.
    :param tucked: whether it starts under a glove's cuff: close to the skin, and as loose as it is 5 cm on.
    """
    levels = np.linspace(start, rest[:, 2].min() - 0.02 if end is None else end, len(folds))
    around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    rings: list[np.ndarray] = []
    for z, (phase, shift) in zip(levels, folds, strict=True):
        apart = np.abs(rest[:, 2] - z)
        # The arm of an external rig may have no vertex so near: then the nearest ring of them.
        near = rest[apart < max(0.02, 1.01 * np.partition(apart, RING)[RING])] if z > rest[:, 2].min() else rings[-1]
        low, high = near.min(axis=0), near.max(axis=0)
        off = loose * min(1.0, 0.05 + (start - z) / 0.05) if tucked else loose
        radius = (high - low)[:2] / 2 + off * (1 + 0.3 * np.sin(phase + 3 * around)[:, None])
        center = ((high + low) / 2)[:2]
        ring = center + radius * np.stack([np.cos(around), np.sin(around)], axis=-1)
        rings.append(np.column_stack([ring, np.full(len(around), z + shift)]))
    inside = rings[0] * [0.8, 0.8, 1] - [0, 0, 0.01]  # the cuff's thickness
    vertices = np.concatenate([inside, *rings])
    index = np.arange(len(vertices)).reshape(-1, len(around))
    return vertices, grid_triangles(index, closed=True)
