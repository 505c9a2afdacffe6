"""The parts that clothed people are put together from: shirt, hips, neck, limbs and long hair.

Lofted from rounded sections, once; clothes have folds. Lengths are metres. Shirt, hips and neck share their axes: X to
the side, -Y where the person looks, Z up, the origin between the shoulder joints, which are at X = +-0.19.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from generator.maths import grid_triangles, smoothstep

Mesh = tuple[np.ndarray, np.ndarray]
"""Vertices (V, 3) metres and triangles (F, 3) int32, closed, that look outwards."""

VARIANTS = 12
"""How many shirts and trousers differ in their folds."""

Part = Literal["upper arm", "forearm", "thigh", "shank"]

_GIRTHS: dict[Part, tuple[tuple[float, float], ...]] = {
    "upper arm": ((0.0, 30.0), (0.3, 30.2), (0.55, 31.2), (0.85, 26.0), (1.0, 25.4)),
    "forearm": ((0.0, 25.4), (0.22, 25.9), (0.5, 22.5), (0.75, 18.6), (0.92, 16.2), (1.0, 16.1)),
    "thigh": ((0.0, 56.9), (0.5, 48.0), (0.85, 38.0), (1.0, 36.2)),
    "shank": ((0.0, 36.2), (0.13, 33.5), (0.33, 36.1), (0.6, 29.0), (0.86, 22.2), (1.0, 22.8)),
}
"""Girths of limbs, cm, by the fraction of the way from the upper joint to the lower one. The greatest of upper arm
(flexed), forearm, thigh and calf, and those of wrist, knee and ankle, are the means of 507 adults in Heinz et al. 2003
(Journal of Statistics Education 11, 2); what is between is by eye."""

# Height; half of width and depth, the centre's Y. From the hem over chest and shoulders to the collar.
_SHIRT = np.array(
    [
        (-0.56, 0.176, 0.130, 0.000), (-0.50, 0.174, 0.128, -0.002), (-0.43, 0.166, 0.120, -0.004),
        (-0.36, 0.160, 0.114, -0.004), (-0.26, 0.165, 0.118, -0.004), (-0.17, 0.178, 0.125, -0.004),
        (-0.10, 0.194, 0.120, 0.000), (-0.04, 0.212, 0.110, 0.004), (0.00, 0.222, 0.102, 0.006),
        (0.03, 0.218, 0.096, 0.008), (0.058, 0.188, 0.086, 0.010), (0.076, 0.142, 0.080, 0.010),
        (0.087, 0.102, 0.074, 0.010), (0.096, 0.078, 0.070, 0.009), (0.104, 0.066, 0.066, 0.008),
    ]
)  # fmt: skip
_HIPS = np.array(
    [
        (-0.76, 0.020, 0.030, 0.006), (-0.75, 0.080, 0.060, 0.006), (-0.72, 0.140, 0.090, 0.008),
        (-0.67, 0.170, 0.116, 0.010), (-0.60, 0.172, 0.124, 0.010), (-0.54, 0.168, 0.120, 0.004),
        (-0.48, 0.158, 0.108, 0.000),
    ]
)  # fmt: skip
_NECK = np.array(
    [
        (0.00, 0.090, 0.070, 0.012), (0.05, 0.072, 0.064, 0.010), (0.09, 0.058, 0.060, 0.006),
        (0.13, 0.054, 0.058, -0.004), (0.17, 0.053, 0.058, -0.014), (0.21, 0.050, 0.056, -0.020),
    ]
)  # fmt: skip
# Long hair hangs from the crown of a head, whose centre is the origin, as far as 1 below it: height; half of width and
# depth, the centre's Y, and how far it reaches around from the back, radians.
_LONG_HAIR = np.array(
    [
        (0.12, 0.070, 0.088, 0.010, 1.75), (-0.06, 0.091, 0.109, 0.012, 1.75), (-0.25, 0.095, 0.102, 0.020, 1.65),
        (-0.50, 0.100, 0.082, 0.034, 1.55), (-0.80, 0.102, 0.074, 0.042, 1.45), (-1.00, 0.086, 0.062, 0.046, 1.3),
    ]
)  # fmt: skip


def _loft(rings: np.ndarray) -> Mesh:
    """A closed mesh through rings (R, C, 3) that run anticlockwise, seen from where the last one is."""
    count, around = rings.shape[:2]
    points = np.concatenate([rings.reshape(-1, 3), rings[[0, -1]].mean(axis=1)])
    index = np.arange(count * around).reshape(count, around)
    low, high = np.full(around, count * around), np.full(around, count * around + 1)
    first, last = index[0], index[-1]
    faces = [
        grid_triangles(index, closed=True, flipped=True),
        np.stack([low, np.roll(first, -1), first], 1), np.stack([high, last, np.roll(last, -1)], 1),
    ]  # fmt: skip
    return points, np.concatenate(faces).astype(np.int32)


def _rows(table: np.ndarray, count: int) -> np.ndarray:
    """So many rows of a table, evenly from its first to its last, without its kinks."""
    fine = np.linspace(table[0, 0], table[-1, 0], count)
    rows = np.stack([fine, *(np.interp(fine, table[:, 0], column) for column in table[:, 1:].T)], axis=1)
    for _ in range(3):
        rows[1:-1, 1:] = (rows[:-2, 1:] + 2 * rows[1:-1, 1:] + rows[2:, 1:]) / 4
    return rows


def _rings(rows: np.ndarray, around: int, power: float) -> np.ndarray:
    """Rings (R, C, 3) of superelliptic sections: height; half of width and depth, the centre's Y."""
    angle = 2 * np.pi * np.arange(around) / around
    cos, sin = (np.sign(part) * np.abs(part) ** (2 / power) for part in (np.cos(angle), np.sin(angle)))
    z, wide, deep, center = (column[:, None] for column in rows.T)
    return np.stack([wide * cos, center + deep * sin, z + 0 * cos], axis=-1)


def _bump(points: np.ndarray, center: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """1 at a place across and up, on both sides alike, falling to 0 around it; points (..., 3)."""
    apart = np.stack([np.abs(points[..., 0]) - center[0], points[..., 2] - center[1]], axis=-1) / size
    return np.asarray(np.exp(-(apart**2).sum(axis=-1)))


def _crease(rings: np.ndarray, count: int, where: np.ndarray, height: float, seed: int) -> np.ndarray:
    """Rings with folds that rise and sink by about ``height`` metres.

    :param where: (R,) how much of them there is, 0 to 1, and whether they run down (0) or across (1), (R, 2).
    """
    rng = np.random.default_rng(seed)
    center = rings.mean(axis=1, keepdims=True)
    out = (rings - center) * [1.0, 1.0, 0.0]
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    rise = np.zeros(rings.shape[:2])
    for _ in range(count):
        row, column = rng.integers(rings.shape[0]), rng.integers(rings.shape[1])
        across = rng.random() < where[row, 1]
        lean = rng.normal(np.pi / 2 if across else 0.0, 0.45)
        off, side = rings - rings[row, column], out[row, column]
        level = off[..., 0] * -side[1] + off[..., 1] * side[0]
        along = off[..., 2] * np.cos(lean) + level * np.sin(lean)
        aside = level * np.cos(lean) - off[..., 2] * np.sin(lean) + rng.normal(0, 2.5) * along**2
        wide, long = rng.uniform(0.009, 0.022), rng.uniform(0.05, 0.13)
        near = (off * side).sum(axis=-1) > -0.08  # not on the other side
        fold = np.exp(-((aside / wide) ** 2) - (along / long) ** 2) - 0.5 * np.exp(
            -(((aside - 1.6 * wide) / wide) ** 2) - (along / long) ** 2
        )
        rise += where[row, 0] * rng.uniform(0.4, 1.0) * fold * near
    return rings + (height * np.clip(rise, -1.0, 1.5))[..., None] * out


@lru_cache(maxsize=VARIANTS)
def shirt(variant: int = 0) -> Mesh:
    """What covers a trunk, with a collar; sleeves begin at the shoulder joints.

    :param variant: which folds it has, below :data:`VARIANTS`.
    """
    rows = _rows(_SHIRT, 72)
    rings = _rings(rows, 96, 2.4)
    front = np.clip(-rings[..., 1] / 0.08, 0, 1)
    rings[..., 1] -= 0.013 * front * _bump(rings, (0.075, -0.12), (0.07, 0.08))  # chest
    rings[..., 1] += 0.010 * (1 - front) * (rings[..., 1] > 0) * _bump(rings, (0.085, -0.07), (0.06, 0.10))
    rings[..., 1] -= 0.012 * (rings[..., 1] > 0) * _bump(rings, (0.0, -0.22), (0.03, 0.22))  # spine
    z = rows[:, 0]
    amount = np.interp(z, [-0.56, -0.50, -0.36, -0.20, -0.05, 0.03, 0.06], [0.7, 1.0, 1.0, 0.6, 0.6, 0.25, 0.0])
    across = np.interp(z, [-0.56, -0.45, -0.34, -0.22], [0.1, 0.6, 0.75, 0.1])
    count, height, pulled = np.random.default_rng((variant, 0x5F)).uniform([60, 0.005, 0.2], [190, 0.011, 1.0])
    rings = _crease(rings, int(count), np.stack([amount, pulled * across], 1), height, 5 + 2 * variant)
    opening = np.clip((rings[..., 2] - 0.03) / 0.07, 0, 1)
    rings[..., 2] -= 0.045 * opening * np.clip(0.4 - rings[..., 1] / 0.11, 0, 1)  # lower in front
    collar, hem = rings[-1], rings[0]
    thick = [collar * [1.03, 1.03, 1] + [0, 0, 0.006], collar * [0.97, 0.97, 1] + [0, 0, 0.007]]
    inside = [collar * [0.85, 0.85, 1] - [0, 0, 0.02]]
    below = [hem * [0.9, 0.9, 1] + [0, 0, 0.06], hem * [0.95, 0.95, 1] - [0, 0, 0.002]]
    return _loft(np.stack([*below, *rings, *thick, *inside]))


@lru_cache(maxsize=VARIANTS)
def hips(variant: int = 0) -> Mesh:
    """What covers the hips, from the waist to between the legs; these begin at X = +-0.09, Z = -0.62.

    :param variant: which folds it has, below :data:`VARIANTS`.
    """
    rings = _rings(_rows(_HIPS, 30), 64, 2.3)
    rings[..., 1] += 0.02 * (rings[..., 1] > 0) * _bump(rings, (0.075, -0.64), (0.07, 0.07))
    return _loft(_crease(rings, 40, np.tile([1.0, 0.6], (30, 1)), 0.006, 6 + 2 * variant))


@lru_cache(maxsize=1)
def neck() -> Mesh:
    """From below the collar to within the head, whose centre is at about (0, -0.03, 0.22)."""
    return _loft(_rings(_rows(_NECK, 16), 40, 2.0))


@lru_cache(maxsize=1)
def long_hair() -> Mesh:
    """What hangs behind and beside a head, of a length of 1."""
    rows = _rows(_LONG_HAIR[::-1], 40)
    fraction = np.linspace(-1, 1, 40)
    rings = []
    for z, wide, deep, center, reach in rows:
        angle = np.pi / 2 + reach * fraction
        strands = 1 + 0.035 * np.sin(19 * angle + 1.5 * np.sin(3 * z)) + 0.02 * np.sin(47 * angle + 4 * z)
        outer = np.stack([wide * np.cos(angle) * strands, center + deep * np.sin(angle) * strands], axis=1)
        inner = np.stack([0.75 * wide * np.cos(angle), center + 0.72 * deep * np.sin(angle)], axis=1)[::-1]
        edge = np.concatenate([outer, inner])
        rings.append(np.column_stack([edge, np.full(len(edge), z)]))
    return _loft(np.array(rings))


def limb(part: Part, radius: float, length: float) -> Mesh:
    """A bare part of an arm or a leg along Z, from its upper joint at -length / 2 to the lower one at length / 2.

    Its ends are rounded beyond the joints, and a forearm is flat at the wrist.

    :param radius: where it is thickest, metres.
    """
    along = np.linspace(0, 1, 26)
    table = np.array(_GIRTHS[part])
    girth = np.interp(along, *table.T)
    for _ in range(2):
        girth[1:-1] = (girth[:-2] + 2 * girth[1:-1] + girth[2:]) / 4
    z, size = _capped(along * length, radius * girth / table[:, 1].max())
    flat = 1 + (0.18 * smoothstep(z / length, 0.3, 1.0) if part == "forearm" else 0 * z)
    return _tube(z - length / 2, np.tile(size[:, None], 32), flat)


def sleeve(radius: float, length: float, variant: int = 0) -> Mesh:
    """Cloth with folds around a part of an arm or a leg, which lies as that of :func:`limb` does; thicker at its start.

    :param variant: which folds it has.
    """
    along = np.linspace(0, length, 26)
    z, size = _capped(along, radius * (1 - 0.24 * along / length))
    first, second, dense, deep = np.random.default_rng((variant, 0x51)).uniform(
        [0, 0, 0.6, 0.03], [6.3, 6.3, 1.5, 0.09]
    )
    angle = 2 * np.pi * np.arange(32) / 32 + first
    t = 9.0 * dense * z[:, None] / 0.25 + second
    wave = 0.5 * np.sin(angle + 1.3 * t + 1.2 * np.sin(2 * angle + 0.7 * t)) + 0.5 * np.sin(2.6 * t - 2 * angle)
    wave = deep * (1 - np.abs(wave)) ** 2 * np.linspace(0.4, 1.0, len(z))[:, None]
    return _tube(z - length / 2, size[:, None] * (1 + wave), np.ones(len(z)))


def _capped(along: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places along a tube and radii (N,) with a rounded end at both sides of those given."""
    cap = np.sin(np.linspace(0.15, 1.0, 5) * np.pi / 2)
    low = np.stack([along[0] - size[0] * np.sqrt(1 - cap**2), size[0] * cap], axis=1)[:-1]
    high = np.stack([along[-1] + size[-1] * np.sqrt(1 - cap**2), size[-1] * cap], axis=1)[-2::-1]
    z, radii = np.concatenate([low, np.stack([along, size], axis=1), high]).T
    return z, radii


def _tube(z: np.ndarray, radii: np.ndarray, flat: np.ndarray) -> Mesh:
    """A closed tube along Z: places (R,), radii (R, C), and how much (R,) it is wider along X and thinner along Y."""
    angle = 2 * np.pi * np.arange(radii.shape[1]) / radii.shape[1]
    x, y = radii * np.cos(angle) * flat[:, None], radii * np.sin(angle) / flat[:, None]
    return _loft(np.stack([x, y, np.tile(z[:, None], radii.shape[1])], axis=-1))
