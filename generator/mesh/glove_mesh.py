"""What a glove does to the hand's surface: it hides folds and nails, stands off the skin, and ends in a cuff.

All is worked out on the mean hand in the bind pose and bent to other shapes as the hand is. The surface keeps the
hand's vertices, so that weights and faces are the hand's, and the cuff's ring-shaped rows are added behind them: every
glove has the same faces and weights. Inside this room lengths are millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from generator.hand.anatomy import BONES, skeleton
from generator.hand.pose import FINGERS
from generator.maths import grid_triangles, smoothstep
from generator.mesh import hand_mesh, skin_weights
from generator.mesh.gloves import Glove
from generator.mesh.hand_chart import hand_chart, knuckles

AROUND = 72
"""Vertices of the cuff in each of its rows."""
_FIXED = np.array([3.0, 0.0, -3.0, -6.0, -9.0, -12.0, -16.0, -20.0, -25.0, -30.0])
"""Rows of the cuff that stand at the same place in every glove, so that its weights are the same; mm from the wrist."""
_STRETCHED, _LIP = 12, 3
_UNDER = 5
"""Of the stretched rows, those that are the cuff of a glove under this one, where there is one."""
_LONGEST = 200.0
_EDGE = 1.6
"""Over how many millimetres a glove's edge rises from the skin."""


@dataclass(frozen=True)
class GloveMesh:
    """The surface of a gloved mean hand; N = hand's vertices + the cuff's."""

    vertices: np.ndarray
    """(N, 3) float32, metres, bind pose."""
    faces: np.ndarray
    """(F, 3) int32; the same for every glove."""
    weights: np.ndarray
    """(N, 21) float32; the same for every glove."""
    cover: np.ndarray
    """(N,) float32 mm: how far inside the glove's edge a point is; negative on bare skin."""
    patch: np.ndarray
    """(N,) float32 mm: how far inside the glove's patch a point is; negative outside."""
    seam: np.ndarray
    """(N,) float32 mm: distance from the nearest seam, 100 without one."""
    shade: np.ndarray
    """(N,) float32: what folds and dirt leave of the glove's color."""
    cuff: np.ndarray
    """(N,) bool: whether a vertex is the cuff's."""
    under: np.ndarray
    """(N,) bool: whether a vertex is the cuff's of the glove under it."""


@dataclass(frozen=True)
class _Cuff:
    """The arm's outline where cuffs are: rows from the palm to the elbow."""

    levels: np.ndarray
    """(L,) mm from the wrist crease."""
    center: np.ndarray
    """(L, 2)."""
    radius: np.ndarray
    """(L, AROUND)."""
    weights: np.ndarray
    """(rows, 21): of every row of a cuff."""


def wear(glove: Glove) -> GloveMesh:
    """The surface of the mean hand in a glove."""
    hand, chart = hand_mesh.build(), hand_chart()
    rng = np.random.default_rng(glove.seed)
    cover = _cover(glove, rng)
    patch = _patch(glove, rng)
    seam = _seam(glove)
    base, normals = _smoothed(glove.smoothing)
    on = smoothstep(cover, 0.0, _EDGE)
    folds = _folds(glove, rng)
    height = 1000 * glove.thickness + folds
    if glove.patch == "knuckles":
        height = height + np.clip(patch, 0, 3.0) * 1.3
    height = height + 0.5 * np.exp(-((seam / 0.8) ** 2)) * min(1000 * glove.thickness, 1.5)
    moved = chart.rest + on[:, None] * (base - chart.rest + height[:, None] * normals + _longer(glove))
    rows = _cuff_rows(glove, rng)
    count = len(rows)
    shade = _shade(glove, rng, folds)
    return GloveMesh(
        vertices=(np.concatenate([moved, rows]) / 1000).astype(np.float32),
        faces=_faces(),
        weights=_weights(),
        cover=np.concatenate([cover, np.full(count, 50.0)]).astype(np.float32),
        patch=np.concatenate([patch, np.full(count, -50.0)]).astype(np.float32),
        seam=np.concatenate([seam, np.full(count, 100.0)]).astype(np.float32),
        shade=np.concatenate([shade, _cuff_shade(glove, rng, rows)]).astype(np.float32),
        cuff=np.arange(len(hand.vertices) + count) >= len(hand.vertices),
        under=(np.arange(len(hand.vertices) + count) >= len(hand.vertices) + _own_rows(glove) * AROUND)
        & (glove.under is not None),
    )


@lru_cache(maxsize=16)
def _smoothed(rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean hand without its folds and nails, (V, 3) mm, as full as before, and its normals."""
    hand, chart = hand_mesh.build(), hand_chart()
    pairs = skin_weights.edges(hand.faces)
    smooth = chart.rest
    for _ in range(rounds):
        smooth = 0.4 * smooth + 0.6 * skin_weights.neighbour_mean(smooth, pairs)
    normals = hand_mesh.vertex_normals(smooth, hand.faces)
    lost = ((chart.rest - smooth) * normals).sum(axis=1)  # smoothing shrinks: give back what is not a fold
    for _ in range(max(rounds // 2, 3)):
        lost = 0.4 * lost + 0.6 * skin_weights.neighbour_mean(lost[:, None], pairs)[:, 0]
    return smooth + np.maximum(lost, 0)[:, None] * normals, normals


def _cover(glove: Glove, rng: np.random.Generator) -> np.ndarray:
    chart = hand_chart()
    inside = chart.rest[:, 2] + max(1000 * glove.cuff - 6.0, 4.0)
    if glove.fingers >= 1:
        return inside
    for digit, places in enumerate(chart.joints):
        cut = glove.fingers * places[-1] + rng.normal(0, 1.2)
        on = chart.digit == digit
        inside[on] = np.minimum(inside[on], cut - chart.along[on])
    return inside


def _patch(glove: Glove, rng: np.random.Generator) -> np.ndarray:
    chart = hand_chart()
    x, y, z = chart.rest.T
    on_digit = chart.digit >= 0
    uneven = 0.8 * _waves(rng, (8.0, 30.0))
    palm = np.where(on_digit, -chart.back - 0.5, np.minimum(-y - 2.0, z + 4.0)) + uneven
    if glove.patch == "palm":
        return palm
    if glove.patch == "dip":
        return np.maximum(palm, rng.uniform(8, 26) - chart.to_tip + 2 * uneven)
    if glove.patch == "back":
        return np.where(on_digit, -20.0, np.minimum(y + 1.0, 26 - np.linalg.norm([x + 5, z - 49], ord=4, axis=0)))
    if glove.patch == "knuckles":
        flat = np.linalg.norm((chart.rest[:, None] - knuckles())[..., [0, 2]] / [1.0, 1.25], axis=-1).min(axis=1)
        guard = np.minimum(10.5 - flat, y + 2.0)
        pad = np.minimum(8.0 - np.abs(chart.along - 21.0), np.minimum(chart.back - 2.0, 7.0 - np.abs(chart.side)))
        return np.where(on_digit, np.maximum(guard, np.where(chart.digit < 4, pad, -20.0)), guard)
    return np.full(len(x), -50.0)


def _seam(glove: Glove) -> np.ndarray:
    """Along both sides of every finger, and around the palm's edge."""
    chart = hand_chart()
    if not glove.seam:
        return np.full(len(chart.rest), 100.0)
    edge = np.where(chart.digit >= 0, np.abs(chart.back + 0.5), np.abs(chart.rest[:, 1] + 2.0))
    return np.where(chart.rest[:, 2] > -8, edge, 100.0)


def _longer(glove: Glove) -> np.ndarray:
    """(V, 3) how the tips move away from the fingers."""
    chart = hand_chart()
    reach = np.clip(1 - chart.to_tip / 22.0, 0, 1)
    return (1000 * glove.tip * reach**1.5)[:, None] * _digit_directions()


@lru_cache(maxsize=1)
def _digit_directions() -> np.ndarray:
    bones, chart = skeleton(), hand_chart()
    result = np.zeros_like(chart.rest)
    for digit, finger in enumerate(FINGERS):
        result[chart.digit == digit] = bones.frames[BONES.index(f"{finger}_distal")][:, 2]
    return result


def _folds(glove: Glove, rng: np.random.Generator) -> np.ndarray:
    """Folds across the joints, more of them on the inner side, and uneven cloth; (V,) mm."""
    chart = hand_chart()
    height = 0.45 * _waves(rng, (9.0, 32.0))
    for digit, places in enumerate(chart.joints):
        on = np.flatnonzero(chart.digit == digit)
        along, back = chart.along[on], chart.back[on]
        inner = np.clip(0.55 - back / 14.0, 0.15, 1.0)
        for place in (0.0, *places[:-1]):
            length, phase, skew = rng.uniform(5.0, 9.0), rng.uniform(0, 6.3), rng.normal(0, 0.25)
            near = rng.uniform(0.2, 1.1) * np.exp(-(((along - place) / rng.uniform(4, 9)) ** 2))
            height[on] += near * inner * np.sin(2 * np.pi * (along + skew * chart.side[on]) / length + phase)
    x, _, z = chart.rest.T
    wrist = np.exp(-(((z - 2) / 14.0) ** 2))
    height = height + 0.8 * wrist * np.sin(z * rng.uniform(0.6, 1.1) + x * rng.normal(0, 0.08) + rng.uniform(0, 6.3))
    return 1000 * glove.wrinkle * height


def _shade(glove: Glove, rng: np.random.Generator, folds: np.ndarray) -> np.ndarray:
    """Dark in the folds and where it is dirty: on the pads and the palm first."""
    chart = hand_chart()
    deep = 1 - 0.12 * np.clip(-folds / max(1000 * glove.wrinkle, 0.05), 0, 1)
    used = np.where(chart.digit >= 0, -chart.back / 6.0, -chart.rest[:, 1] / 12.0)
    uneven = 0.6 * _waves(rng, (5.0, 14.0)) + 0.5 * _waves(rng, (20.0, 60.0))
    stains = np.clip(0.4 * uneven + 0.6 * np.clip(used, -1, 1) + glove.dirt - 0.6, 0, 1)
    return deep * (1 - 0.8 * glove.dirt * stains)


def _waves(rng: np.random.Generator, lengths: tuple[float, float], count: int = 10) -> np.ndarray:
    """Smooth irregularity about -1..1, (V,), of these wavelengths in mm."""
    rest = hand_chart().rest
    directions = rng.normal(size=(3, count))
    directions *= 2 * np.pi / (np.linalg.norm(directions, axis=0) * rng.uniform(*lengths, count))
    phases = rng.uniform(0, 2 * np.pi, count)
    return np.sin((rest @ directions + phases).astype(np.float32)).sum(axis=1) / np.sqrt(count)


# ---------------------------------------------------------------- the cuff


@lru_cache(maxsize=1)
def _arm() -> _Cuff:
    hand = hand_mesh.build()
    rest = hand.vertices.astype(float) * 1000
    levels = np.concatenate([_FIXED, np.arange(-36.0, -_LONGEST - 1, -6.0)])
    angles = np.linspace(-np.pi, np.pi, AROUND, endpoint=False)
    centers, radii, moved = [], [], []
    for level in levels:
        near = np.abs(rest[:, 2] - level) < np.interp(-level, [0, 60, 200], [3.0, 7.0, 14.0])
        points = rest[near]
        center = (points.min(axis=0) + points.max(axis=0))[:2] / 2
        offset = points[:, :2] - center
        angle, radius = np.arctan2(offset[:, 1], offset[:, 0]), np.linalg.norm(offset, axis=1)
        apart = np.abs((angle[None] - angles[:, None] + np.pi) % (2 * np.pi) - np.pi)
        reach = np.where(apart < 0.15, radius, 0.0).max(axis=1)  # over what stands out most, as a cuff lies
        reach = np.where(reach > 0, reach, radius[apart.argmin(axis=1)])
        centers.append(center)
        radii.append((np.roll(reach, 1) + 2 * reach + np.roll(reach, -1)) / 4)
        moved.append(hand.weights[near].mean(axis=0))
    two = np.zeros((len(levels), len(BONES)))  # the rows at the wrist follow the hand, the others the forearm alone
    two[:, 1] = np.where(levels > -30, 1 - np.array(moved)[:, 0], 0.0)
    two[:, 0] = 1 - two[:, 1]
    rows = np.concatenate([two[: len(_FIXED)], np.tile(two[-1], (_STRETCHED + _LIP, 1))])
    return _Cuff(levels, np.array(centers), np.array(radii), rows)


def _outline(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Center (L, 2) and radius (L, AROUND) of the arm at levels, mm from the wrist."""
    arm = _arm()
    order = np.argsort(arm.levels)
    table = np.concatenate([arm.center, arm.radius], axis=1)[order]
    values = np.stack([np.interp(levels, arm.levels[order], column) for column in table.T], axis=1)
    return values[:, :2], values[:, 2:]


def _cuff_rows(glove: Glove, rng: np.random.Generator) -> np.ndarray:
    """The cuff's vertices, row after row from the palm to its end, then the lip turned inwards; (rows * AROUND, 3)."""
    end = -min(1000 * glove.cuff, _LONGEST)
    own = _own_rows(glove)
    levels = np.concatenate([_FIXED, np.linspace(_FIXED[-1], min(end, _FIXED[-1]), own - len(_FIXED) + 1)[1:]])
    levels = np.maximum(levels, end)
    if glove.under is not None:
        levels = np.append(levels, np.linspace(end - 0.3, max(end - 1000 * glove.under_cuff, -_LONGEST), _UNDER))
    center, radius = _outline(levels)
    fraction = np.clip((levels[0] - levels) / (levels[0] - end), 0, 1)[:, None]
    angles = np.linspace(-np.pi, np.pi, AROUND, endpoint=False)
    opening = fraction**1.5
    ripple = sum(
        rng.normal(0, 0.5 / k) * np.sin(k * angles + rng.uniform(0, 6.3) + rng.normal(0, 1.5) * fraction)
        for k in range(2, 7)
    )
    loose = 1000 * glove.slack * np.minimum(1, 3 * fraction) * (1 + 0.5 * ripple * np.sqrt(fraction))
    across = 1000 * glove.wrinkle * 0.7 * np.sin(levels * rng.uniform(0.5, 1.2) + rng.uniform(0, 6.3))[:, None]
    stands = (
        1000 * glove.thickness
        + 0.25
        + np.maximum(loose, 0)
        + opening * glove.flare * min(1.0, 12.5 * glove.cuff) * radius
    )
    if glove.finish == "rubber":  # one skin: the cuff comes out of the hand's surface without an edge
        stands[:6] -= np.array([[2.4], [1.8], [1.2], [0.7], [0.3], [0.1]])
    skin = radius
    radius = radius + stands + across * np.minimum(1, 4 * fraction) * (1 - 0.8 * (fraction > 0.97))
    if glove.under is not None:
        radius[own - 2 : own] += 0.35  # its bead
        tight = skin[own:] + 0.3 + 0.25 * across[own:] + 0.2 * np.abs(ripple[own:])
        radius[own:] = np.minimum(tight, radius[own - 1] - 0.6)
    radius[-2:] += 0.25 if glove.finish == "rubber" else 0.0  # the bead
    edge = levels[:, None] + fraction**8 * np.minimum(1.5 * ripple, 4.0)
    if glove.under is not None:  # the one edge as it is, and from there to the other
        way = np.linspace(0, 1, _UNDER)[:, None]
        edge[own:] = edge[own - 1] - 0.3 + way * (edge[-1] - edge[own - 1] + 0.3)
    thick = max(1000 * glove.thickness, 0.5)
    inner = radius[np.abs(levels - levels[-1] - 12).argmin()] - thick - 0.8
    lip_r = np.stack([radius[-1] - 0.3 * thick, radius[-1] - thick, np.minimum(inner, radius[-1] - thick)])
    lip_z = np.stack([edge[-1] - 0.4 * thick, edge[-1] + 0.2, edge[-1] + 12.0])
    radius, edge = np.concatenate([radius, lip_r]), np.concatenate([edge, lip_z])
    center = np.concatenate([center, np.tile(center[-1], (_LIP, 1))])
    x = center[:, :1] + radius * np.cos(angles)
    y = center[:, 1:] + radius * np.sin(angles)
    return np.stack([x, y, edge], axis=-1).reshape(-1, 3)


def _own_rows(glove: Glove) -> int:
    """How many rows of the cuff, without the lip, are not another glove's."""
    rows = len(_FIXED) + _STRETCHED
    return rows - _UNDER if glove.under is not None else rows


def _cuff_shade(glove: Glove, rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    inside = np.arange(len(rows)) >= len(rows) - AROUND
    return np.where(inside, 0.5, 1.0) * (1 - 0.3 * glove.dirt * rng.uniform())


@lru_cache(maxsize=1)
def _faces() -> np.ndarray:
    hand, rows = hand_mesh.build(), len(_FIXED) + _STRETCHED + _LIP
    index = np.arange(rows * AROUND).reshape(rows, AROUND) + len(hand.vertices)
    return np.concatenate([hand.faces, grid_triangles(index, closed=True).astype(np.int32)])


@lru_cache(maxsize=1)
def _weights() -> np.ndarray:
    return np.concatenate([hand_mesh.build().weights, np.repeat(_arm().weights, AROUND, axis=0)]).astype(np.float32)
