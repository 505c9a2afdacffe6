"""The hand's skin as the zero set of a smooth function, sculpted from rounded limbs around the bones of the mean hand.

Feet (:mod:`generator.mesh.foot`) are sculpted of the same limbs.

A limb is a straight axis with a cross-section that changes along it: half a superellipse to the back and half to the
palm. Limbs are joined by a smooth minimum. Inside this room lengths are millimetres. The sections are chosen by eye:
wrist 57 x 40 mm, palm 84 x 29 mm, fingers 16-20 mm broad at the middle joint.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from generator.hand.anatomy import BONES, LONG_FINGERS, Skeleton, skeleton


@dataclass(frozen=True)
class Limb:
    """A rounded solid around a straight axis.

    :param origin: (3,) mm, where the axis starts counting.
    :param frame: (3, 3), columns side, back, length.
    :param stations: (n, 4) rows of position along the axis, half-width, height to the back, height to the palm, mm.
    :param caps: how far the rounded ends reach beyond the first and the last station, mm.
    :param power: 2 for elliptical sections, more for squarer ones.
    """

    origin: np.ndarray
    frame: np.ndarray
    stations: np.ndarray
    caps: tuple[float, float]
    power: float = 2.0

    @classmethod
    def between(
        cls,
        start: ArrayLike,
        end: ArrayLike,
        stations: Sequence[tuple[float, ...]],
        caps: tuple[float, float],
        up: tuple[float, float, float] = (0.0, 1.0, 0.0),
        power: float = 2.0,
    ) -> Limb:
        """A limb from one point (3,) to another.

        :param stations: as of :class:`Limb`; their positions are fractions of the way.
        :param up: the direction of its back.
        """
        a, b = np.asarray(start, float), np.asarray(end, float)
        length = float(np.linalg.norm(b - a))
        along = (b - a) / length
        side = np.cross(up, along)
        side /= np.linalg.norm(side)
        table = np.array(stations, float)
        table[:, 0] *= length
        return cls(a, np.stack([side, np.cross(along, side), along], axis=1), table, caps, power)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance in mm of points (N, 3), right to first order near the surface; negative inside."""
        side, back, along = ((points - self.origin) @ self.frame).T
        first, last = self.stations[0, 0], self.stations[-1, 0]
        width, up, down = _sections(self.stations, np.clip(along, first, last))
        beyond = np.where(along < first, first - along, np.maximum(along - last, 0.0))
        cap = np.where(along < first, self.caps[0], self.caps[1])
        height = np.where(back > 0, up, down)
        n = self.power
        ratios = np.abs(np.stack([side / width, back / height, beyond / cap])) + 1e-6
        total = (ratios**n).sum(axis=0) ** (1 / n)
        slope = np.sqrt(((ratios ** (n - 1) / np.stack([width, height, cap])) ** 2).sum(axis=0)) * total ** (1 - n)
        return np.maximum((total - 1) / slope, -np.minimum(width, height))


def _sections(stations: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Half-width and the two heights at positions along the axis, (3, N): a smoothed line through the stations."""
    fine = np.linspace(stations[0, 0], stations[-1, 0], 257)
    kernel = np.hanning(35)[1:-1]
    result = []
    for column in stations[:, 1:].T:
        values = np.pad(np.interp(fine, stations[:, 0], column), 16, mode="reflect", reflect_type="odd")
        result.append(np.interp(along, fine, np.convolve(values, kernel / kernel.sum(), mode="valid")))
    return np.array(result)


class ImplicitSurface(ABC):
    """The zero set of a function of points in space."""

    @abstractmethod
    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Distance in mm of points (N, 3) mm, right to first order near the surface; negative inside."""

    def gradient(self, points: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(N, 3), by differences over 0.05 mm from the ``values`` (N,) at the points."""
        return np.stack([self(points + step) - values for step in 0.05 * np.eye(3)], axis=1) / 0.05


def smooth_min(a: np.ndarray, b: np.ndarray, radius: float) -> np.ndarray:
    """The lesser of two distances, with the edge between the two solids filled over ``radius`` mm."""
    overlap = np.maximum(radius - np.abs(a - b), 0.0) / radius
    return np.minimum(a, b) - overlap**3 * radius / 6


# ---------------------------------------------------------------- sections, mm

# z; half-width, back, palm: elbow side to carpus.
_ARM = np.array(
    [
        (-450, 45, 42, 40), (-260, 43, 40, 38), (-180, 40, 35, 35), (-120, 35.5, 29, 30), (-70, 31, 23.5, 24.5),
        (-35, 28.7, 20.5, 21), (-8, 28.2, 19.0, 20), (6, 28.5, 17.5, 20), (20, 28.5, 15.5, 19), (32, 28, 14, 17),
    ],
    float,
)  # fmt: skip

# Fraction of the metacarpal; half-width, back, palm for a middle finger.
_RAY = np.array([(-0.05, 9.5, 9.5, 15), (0.5, 10.3, 7.4, 14.0), (0.85, 11.6, 7.4, 13.0), (1.05, 11.6, 7.6, 13.0)])

# Phalanx + fraction; factors of the finger's half-breadth at the PIP joint.
_FINGER = np.array(
    [
        (-0.10, 1.00, 0.98, 0.95), (0.08, 1.03, 1.00, 1.02), (0.25, 1.03, 0.91, 1.08), (0.50, 1.00, 0.85, 1.08),
        (0.78, 0.97, 0.87, 1.00), (1.00, 1.03, 0.98, 0.86), (1.22, 0.97, 0.90, 0.92), (1.50, 0.91, 0.78, 0.97),
        (1.78, 0.87, 0.76, 0.88), (2.00, 0.90, 0.77, 0.75), (2.16, 0.86, 0.71, 0.82), (2.38, 0.84, 0.64, 0.88),
        (2.54, 0.80, 0.58, 0.84),
    ]
)  # fmt: skip
HALF_BREADTH = {"little": 8.0, "ring": 9.0, "middle": 9.6, "index": 9.5, "thumb": 11.0}
"""Half the breadth of each digit at its PIP joint (thumb: IP), mm."""

_THENAR = np.array([(0, 11, 9, 13.5), (0.5, 11.5, 9, 16), (1, 11.5, 10, 12.0)])

_THUMB_PROXIMAL = np.array(
    [(-0.25, 1.10, 1.00, 1.12), (0.0, 1.10, 1.04, 1.10), (0.3, 0.97, 0.88, 1.02), (0.58, 0.90, 0.80, 0.98),
     (0.85, 0.97, 0.86, 0.88), (1.0, 1.01, 0.90, 0.82)]
)  # fmt: skip
_THUMB_DISTAL = np.array(
    [(0.0, 1.01, 0.88, 0.80), (0.15, 0.98, 0.78, 0.86), (0.36, 1.00, 0.68, 0.95), (0.55, 0.94, 0.58, 0.90)]
)  # fmt: skip


def _at(bones: Skeleton, name: str) -> tuple[np.ndarray, np.ndarray, float]:
    index = BONES.index(name)
    head, tail = bones.heads[index] * 1000, bones.tails[index] * 1000
    return head, bones.frames[index], float(np.linalg.norm(tail - head))


def _finger(bones: Skeleton, finger: str) -> Limb:
    origin, frame, proximal = _at(bones, f"{finger}_proximal")
    lengths = [proximal, _at(bones, f"{finger}_middle")[2], _at(bones, f"{finger}_distal")[2]]
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    table = _FINGER.copy()
    table[:, 0] = np.interp(table[:, 0], [-1, 0, 1, 2, 3], [-lengths[0], *ends])
    table[:, 1:] *= HALF_BREADTH[finger]
    return Limb(origin, frame, table, (6.0, ends[-1] - table[-1, 0]), power=2.2)


def _ray(bones: Skeleton, finger: str) -> Limb:
    origin, frame, length = _at(bones, f"{finger}_metacarpal")
    table = _RAY * [length, *[HALF_BREADTH[finger] / 9.6] * 2, 1.0]
    return Limb(origin, frame, table, (6.0, 9.0), power=2.2)


def _web(bones: Skeleton, a: str, b: str) -> Limb:
    (origin_a, frame_a, length_a), (origin_b, frame_b, length_b) = (_at(bones, f"{f}_proximal") for f in (a, b))
    center = (origin_a + origin_b) / 2
    along = frame_a[:, 2] + frame_b[:, 2]
    reach = 0.36 * (length_a + length_b) / 2
    end = center + along / np.linalg.norm(along) * reach
    forward = np.array([0.0, -3.0, 0.0])
    return Limb.between(
        center + forward, end + forward,
        [(-0.4, 9, 7, 9.5), (0.5, 9, 5, 8), (1.0, 9, 3.0, 5.0)], (5, 4),
    )  # fmt: skip


def _thumb_part(bones: Skeleton, part: str) -> Limb:
    origin, frame, length = _at(bones, f"thumb_{part}")
    table = (_THUMB_PROXIMAL if part == "proximal" else _THUMB_DISTAL).copy()
    table[:, 0] *= length
    table[:, 1:] *= HALF_BREADTH["thumb"]
    end = length - table[-1, 0] if part == "distal" else 5.0
    return Limb(origin, frame, table, (5.0, end), power=2.2)


def _tendon(bones: Skeleton, finger: str) -> Limb:
    """The ridge of the extensor tendon on the back of the hand, from the wrist to the knuckle."""
    base, frame, length = _at(bones, f"{finger}_metacarpal")
    knuckle = base + frame @ [0, 6.6, length]
    return Limb.between(
        (0.45 * base[0], 9.5, 24), knuckle, [(0, 2.0, 1.6, 2), (0.5, 2.2, 2.3, 2), (1, 3.0, 3.2, 3)], (6, 3)
    )


def _knuckle(bones: Skeleton, finger: str) -> Limb:
    base, frame, length = _at(bones, f"{finger}_metacarpal")
    size = HALF_BREADTH[finger] / 9.6
    stations = np.array([(length - 2, 6.5, 8.4, 5), (length + 2, 6.5, 8.4, 5)]) * [1, size, size, size]
    return Limb(base + frame[:, 1] * 2.2, frame, stations, (8.0, 8.0))


def _thumb_base(bones: Skeleton) -> list[tuple[float, Limb]]:
    """Thenar, the web to the index finger, and the muscle between their metacarpals."""
    base, frame, length = _at(bones, "thumb_metacarpal")
    far, near, mcp = (base + frame[:, 2] * fraction * length for fraction in (0.62, 0.40, 1.0))
    pad = [(0, 9, 8, 8), (0.45, 13, 12, 12), (1, 9, 9, 8)]
    return [
        (12.0, Limb(base, frame, _THENAR * [length, 1, 1, 1], (9, 6))),
        (12.0, Limb.between((13, -11, 8), mcp - np.array([6, 4, 6]), pad, (8, 7))),
        (12.0, Limb.between(far, (17, -4, 66), [(0, 7, 7, 7), (1, 7, 7, 7)], (7, 7))),
        (12.0, Limb.between(near, (12, -4, 52), [(0, 9, 9, 9), (1, 9, 9, 9)], (8, 8))),
        (12.0, Limb.between((19, -3, 34), (28, -1, 84), [(0, 7, 6, 8), (0.5, 8, 7, 9), (1, 6, 6, 7)], (8, 8))),
    ]


def _palm(bones: Skeleton) -> list[tuple[float, Limb]]:
    """Everything but the digits, in the order in which it is joined, each with the radius of its join."""
    ulna = Limb.between((-18, 9.6, -24), (-19, 10.8, -9), [(0, 7, 7, 6), (1, 8, 9.0, 6)], (12, 9))
    heel = [(0, 10, 9, 9), (0.5, 14.5, 11, 12), (1, 9.5, 9, 9)]
    return [
        (0.0, Limb(np.zeros(3), np.eye(3), _ARM, (20.0, 14.0), power=2.3)),
        *((10.0, _ray(bones, finger)) for finger in LONG_FINGERS),
        *((6.0, _web(bones, a, b)) for a, b in pairwise(LONG_FINGERS)),
        *((4.0, _tendon(bones, finger)) for finger in LONG_FINGERS),
        *((4.0, _knuckle(bones, finger)) for finger in LONG_FINGERS),
        (12.0, ulna),
        (12.0, Limb.between((-19, -9, 6), (-33, -7, 64), heel, (10, 10))),
        *_thumb_base(bones),
    ]


class Skin(ImplicitSurface):
    """The mean hand's skin."""

    def __init__(self) -> None:
        bones = skeleton()
        self.palm = _palm(bones)
        self.fingers = [_finger(bones, finger) for finger in LONG_FINGERS]
        self.thumb = [_thumb_part(bones, part) for part in ("proximal", "distal")]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """As of :class:`ImplicitSurface`."""
        palm = self.palm[0][1].distance(points)
        for radius, part in self.palm[1:]:
            palm = smooth_min(palm, part.distance(points), radius)
        thumb = smooth_min(self.thumb[0].distance(points), self.thumb[1].distance(points), 4.0)
        result = smooth_min(palm, thumb, 9.0)
        for finger in self.fingers:
            # Each finger grows out of the palm, but the fingers are hardly joined to one another.
            result = smooth_min(result, smooth_min(palm, finger.distance(points), 7.0), 1.0)
        return result
