"""What bare feet wear all the same: sandals, whose soles and straps leave the toes bare, and the legs of trousers.

Straps and trousers are the foot's own skin, moved outwards, so that they follow every foot however it is held. Places
are in the mean foot's axes (:mod:`generator.mesh.foot`), metres.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from generator.hand.vectors import NotNegative
from generator.mesh import foot
from generator.mesh.hand_mesh import vertex_normals
from generator.mesh.skin_weights import segment_distance
from generator.objects.surfaces import Surface, leather, of_hues, plastic

Mesh = tuple[np.ndarray, np.ndarray]
"""Vertices (V, 3) metres and triangles (F, 3) int32."""

Straps = Literal["thong", "slide", "crossed", "buckled"]
_THONG = ((-0.018, 0.205, 0.02), (-0.045, 0.125, 0.02), (0.045, 0.115, 0.02))
"""Between which points a thong lies: the gap beside the great toe, and both sides of the foot."""
_MARGIN = 0.007
"""How far a sandal's sole reaches beyond the foot's, metres."""


@dataclass(frozen=True)
class Sandal:
    """A sandal.

    :param thickness: of its sole, metres.
    """

    straps: Straps
    thickness: NotNegative
    sole: Surface
    strap: Surface

    @classmethod
    def random(cls, rng: np.random.Generator) -> Sandal:
        """Draw a sandal; flip-flops are of rubber."""
        straps: Straps = get_args(Straps)[rng.choice(4, p=[0.4, 0.25, 0.15, 0.2])]
        rubber = straps == "thong" or rng.random() < 0.4
        strap = plastic(rng) if rubber else leather(rng)
        return cls(straps, float(rng.uniform(0.01, 0.028)), strap if rng.random() < 0.4 else plastic(rng), strap)


@dataclass(frozen=True)
class Trousers:
    """The leg of trousers, down to a height above the sole.

    :param hem: that height, metres.
    :param loose: how far the cloth stands off the leg, metres.
    """

    hem: NotNegative
    loose: NotNegative
    cloth: Surface

    @classmethod
    def random(cls, rng: np.random.Generator) -> Trousers:
        """Draw a leg of trousers, every second one of jeans, down to the ankle or to above the knee."""
        hue, saturation = ((0.56, 0.64), (0.2, 0.7)) if rng.random() < 0.5 else ((0.0, 1.0), (0.0, 0.4))
        cloth = of_hues(rng, "mottled", hue, saturation, (0.08, 0.7), (0.85, 0.95), (300.0, 900.0))
        red, green, blue = (0.8 * part for part in cloth.color)
        hem = float(rng.choice([rng.uniform(0.1, 0.2), rng.uniform(0.2, 0.56)]))
        return cls(hem, float(rng.uniform(0.004, 0.02)), replace(cloth, second=(red, green, blue)))


def sole(points: np.ndarray, sandal: Sandal) -> Mesh:
    """The sole below a foot whose vertices are ``points`` (V, 3), before it is moved to its place."""
    mesh = foot.build()
    low = points[(mesh.ankle > 0.5) & (mesh.vertices[:, 2] < 0.025)]
    along = np.linspace(low[:, 1].min(), low[:, 1].max(), 24)
    near = [low[np.abs(low[:, 1] - y) < 0.012, 0] for y in along]
    left, right = (np.array([side(row) for row in near]) for side in (np.min, np.max))
    for _ in range(3):
        for edge in (left, right):
            edge[1:-1] = (edge[:-2] + 2 * edge[1:-1] + edge[2:]) / 4
    outline = np.concatenate([np.stack([right, along], 1), np.stack([left, along], 1)[::-1]])
    center = outline.mean(axis=0)
    away = outline - center
    outline = center + away * (1 + _MARGIN / np.linalg.norm(away, axis=1, keepdims=True))
    top = points[mesh.ankle > 0.5, 2].min() + 0.0015
    count = len(outline)
    rim = [np.column_stack([outline, np.full(count, z)]) for z in (top - sandal.thickness, top)]
    ends = [[*center, top - sandal.thickness], [*center, top]]
    i, j = np.arange(count), (np.arange(count) + 1) % count
    faces = [(i, j, j + count), (i, j + count, i + count), (j, i, np.full(count, 2 * count)),
             (i + count, j + count, np.full(count, 2 * count + 1))]  # fmt: skip
    return np.concatenate([*rim, ends]), np.concatenate([np.stack(row, 1) for row in faces]).astype(np.int32)


def straps(points: np.ndarray, sandal: Sandal) -> Mesh:
    """The straps over a foot whose vertices are ``points`` (V, 3)."""
    mesh = foot.build()
    x, y, z = mesh.vertices.T
    match sandal.straps:
        case "thong":
            gap, *sides = (np.array(place) for place in _THONG)
            on = np.min([segment_distance(mesh.vertices[:, :2], gap[:2], side[:2]) for side in sides], axis=0) < 0.007
        case "slide":
            on = np.abs(y - 0.15 + 0.25 * x) < 0.03
        case "crossed":
            on = np.abs(np.abs(x + 0.003) * 0.9 - np.abs(y - 0.15)) < 0.011
        case "buckled":
            on = (np.abs(y - 0.165 + 0.25 * x) < 0.011) | (np.abs(z - 0.075 - 0.4 * (y - 0.05)) < 0.009)
    return _shell(points, on & (mesh.palm < 0.3) & (z > 0.0) & (z < 0.11), np.full(len(x), 0.0025))


def trouser_leg(points: np.ndarray, trousers: Trousers) -> Mesh:
    """The trousers' leg around a leg whose vertices are ``points`` (V, 3)."""
    x, y, z = foot.build().vertices.T
    folds = np.sin(60 * z + 2 * np.sin(40 * x)) * np.sin(45 * y + 25 * z)
    return _shell(points, z > trousers.hem, trousers.loose * (1 + 0.35 * folds))


def _shell(points: np.ndarray, covered: np.ndarray, off: np.ndarray) -> Mesh:
    """The skin of a foot where it is ``covered`` (V,) bool, moved outwards by ``off`` (V,) metres, with an edge."""
    faces = foot.build().faces
    normal = vertex_normals(points, faces)
    chosen = faces[covered[faces].all(axis=1)]
    sides = chosen[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    _, first, times = np.unique(np.sort(sides, axis=1), axis=0, return_index=True, return_counts=True)
    start, end = sides[first[times == 1]].T
    count = len(points)
    edge = np.concatenate([np.stack([end, start, start + count], 1), np.stack([end, start + count, end + count], 1)])
    used, index = np.unique(np.concatenate([chosen, edge]), return_inverse=True)
    return np.concatenate([points + off[:, None] * normal, points])[used], index.reshape(-1, 3).astype(np.int32)
