"""Finger rings: what one is like, and its mesh around the mean hand's finger in the bind pose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from generator.hand.anatomy import BONES, HandShape, skeleton
from generator.hand.pose import FINGERS
from generator.hand.vectors import Color, Fraction, NotNegative, one_of
from generator.maths import log_uniform
from generator.mesh import hand_mesh
from generator.mesh.gloves import linear_rgb
from generator.mesh.hand_chart import hand_chart

_AROUND = 40
_METALS = ("d9b45a", "d9b45a", "e0c080", "d8d8d6", "c9c9cc", "d99a80", "8a8a8e", "2a2a2c")
_STONES = ("f4f6ff", "c2142c", "1f3fa8", "1f8f5a", "141416", "8a5fc0", "3aa6b0")


@dataclass(frozen=True)
class Ring:
    """A ring, decided; its fields are plain JSON values.

    :param place: along the first phalanx, 0 at the MCP joint to 1.
    :param width: along the finger, ``thickness`` off it, metres.
    :param color: linear RGB of the metal; ``roughness`` 0 mirror to 1.
    :param stone: radius of a stone on the finger's back, metres; 0 is none; ``stone_color`` linear RGB.
    """

    finger: Annotated[str, one_of(FINGERS)]
    place: Fraction
    width: NotNegative
    thickness: NotNegative
    color: Color
    roughness: Fraction
    stone: NotNegative
    stone_color: Color

    @property
    def bone(self) -> int:
        """Of :data:`generator.hand.anatomy.BONES`: what it moves with."""
        return BONES.index(f"{self.finger}_proximal")

    @classmethod
    def random(cls, rng: np.random.Generator) -> Ring:
        """Draw a ring, most often on the ring finger."""
        finger = FINGERS[int(rng.choice(5, p=[0.12, 0.45, 0.2, 0.15, 0.08]))]
        stone = float(rng.uniform(0.0015, 0.0045)) if rng.random() < 0.35 else 0.0
        return cls(
            finger=finger,
            place=float(rng.uniform(0.42, 0.62)),
            width=log_uniform(rng, 0.0015, 0.008),
            thickness=float(rng.uniform(0.0009, 0.002)),
            color=linear_rgb(_METALS[int(rng.integers(len(_METALS)))]),
            roughness=float(rng.uniform(0.08, 0.4)),
            stone=stone,
            stone_color=linear_rgb(_STONES[int(rng.integers(len(_STONES)))]),
        )


WORN = 0.22
"""Fraction of the hands that wear rings, where some do."""


def draw_rings(rng: np.random.Generator) -> tuple[Ring, ...]:
    """Draw the rings of a hand: one to three, no two on the same finger; on most hands none."""
    wears, count = rng.random() < WORN, 1 + int(rng.choice(3, p=[0.7, 0.2, 0.1]))
    drawn = {ring.finger: ring for ring in (Ring.random(rng) for _ in range(count))}
    return tuple(drawn.values()) if wears else ()


def ring_mesh(ring: Ring, shape: HandShape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) m in the bind pose of a hand of this shape, triangles (F, 3), and which are the stone's, (F,)."""
    chart, digit = hand_chart(), FINGERS.index(ring.finger)
    place = ring.place * chart.joints[digit][0]
    near = (chart.digit == digit) & (np.abs(chart.along - place) < 3.0)
    side, back = chart.side[near], chart.back[near]
    center = np.array([(side.max() + side.min()) / 2, (back.max() + back.min()) / 2])
    half = np.array([np.ptp(side), np.ptp(back)]) / 2 + 0.1
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    profile = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    out = 1000 * ring.thickness * (0.35 + 0.65 * np.sqrt(np.maximum(np.sin(profile), 0)) - 0.9 * (np.sin(profile) < 0))
    along = place + 500 * ring.width * np.cos(profile)
    round_ = center + (half + out[:, None, None]) * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    local = np.concatenate([round_, np.broadcast_to(along[:, None, None], (*round_.shape[:2], 1))], axis=-1)
    index = np.arange(len(profile) * _AROUND).reshape(len(profile), _AROUND)
    b, d = np.roll(index, -1, 0), np.roll(index, -1, 1)
    c = np.roll(b, -1, 1)
    faces = np.concatenate([np.stack([index, c, d], -1).reshape(-1, 3), np.stack([index, b, c], -1).reshape(-1, 3)])
    points, stone = local.reshape(-1, 3), np.zeros(len(faces), bool)
    if ring.stone:
        gem, gem_faces = _gem(1000 * ring.stone)
        top = np.array([center[0], center[1] + half[1] + 1000 * ring.thickness, place])
        points = np.concatenate([points, gem + top])
        faces = np.concatenate([faces, gem_faces + len(local.reshape(-1, 3))])
        stone = np.concatenate([stone, np.ones(len(gem_faces), bool)])
    bones = skeleton()
    rest = points / 1000 @ bones.frames[ring.bone].T + bones.heads[ring.bone]
    weight = np.zeros((len(rest), len(BONES)))
    weight[:, ring.bone] = 1
    return hand_mesh.reshape(rest, weight, shape), faces, stone


def _gem(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A cut stone: a table, a girdle of eight corners, a point below."""
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = np.stack([np.cos(angle), np.zeros(8), np.sin(angle)], axis=1)
    up = np.array([0.0, 1.0, 0.0])
    points = radius * np.concatenate([0.6 * ring + 0.55 * up, ring + 0.2 * up, [0.55 * up, -0.6 * up]])
    i, j = np.arange(8), (np.arange(8) + 1) % 8
    top, table, girdle, foot = np.full(8, 16), i, i + 8, np.full(8, 17)
    rows = [(top, j, table), (table, j, girdle), (j, j + 8, girdle), (girdle, j + 8, foot)]
    return points, np.concatenate([np.stack(row, axis=1) for row in rows])
