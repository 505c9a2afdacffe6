"""What colours the skin: where the palm ends, where it folds, where the nails are.

The places of folds and nails are chosen by eye after photographs of hands. Lengths are millimetres.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from generator.hand.anatomy import BONES, skeleton
from generator.hand.pose import FINGERS
from generator.maths import smoothstep
from generator.mesh.skin_weights import segment_distance

# The palm's three great creases and the wrist's two, as lines of (x, z) on the palmar side, with their depth.
_PALM_LINES: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (1.0, ((34, 75), (24, 74), (13, 67), (4, 55), (-1, 40), (0, 24), (5, 9))),  # around the thenar
    (0.7, ((34, 76), (20, 77), (6, 73), (-10, 66), (-26, 53))),  # proximal transverse
    (0.9, ((-48, 66), (-38, 70), (-25, 76), (-10, 81), (3, 88), (11, 100))),  # distal transverse
    (0.5, ((-34, 2), (-12, -1.0), (8, -0.5), (32, 4))),  # wrist
    (0.25, ((-30, -8), (-8, -10.5), (12, -9.5), (28, -6))),
)
_FOLD_WIDTH = 0.75
_FADING = (-0.12, 0.3)
"""Where along a line, as a fraction of it, it would begin and where it is at its full depth."""
_FOREARM_PALM = 0.4
"""How much of the palm's colour the inside of the forearm keeps below the wrist."""

# The same for the back of each joint: offsets of the wrinkles along the digit, and their depth.
_WRINKLES = {"pip": ((-4.6, 0.4), (-1.2, 0.8), (2.2, 0.65), (5.4, 0.35)), "dip": ((-1.7, 0.5), (1.7, 0.45))}


@dataclass(frozen=True)
class Marks:
    """Each (V,) float32 in 0..1; see :class:`generator.mesh.hand_mesh.HandMesh`."""

    palm: np.ndarray
    crease: np.ndarray
    nail: np.ndarray
    groove: np.ndarray
    """The fold of skin around a nail."""


@dataclass(frozen=True)
class Fold:
    """A line on the skin: (V,) distance from it, how much of it there is at each point, and its depth 0..1."""

    distance: np.ndarray
    where: np.ndarray
    depth: float
    reach: float
    """How far the mesh may be drawn towards it."""


@dataclass(frozen=True)
class DigitRay:
    """Points in the frame of one digit, (V,) mm each: along it from the MCP joint, to the side, to the back."""

    along: np.ndarray
    side: np.ndarray
    back: np.ndarray
    joints: tuple[float, ...]
    """Where PIP, DIP (thumb: IP) and the tip are along the digit."""
    breadth: float
    """Half the digit's breadth at the PIP joint."""

    @property
    def nail(self) -> tuple[float, float, float]:
        """Half the width and half the length of the digit's nail, and how far along the digit its centre is."""
        half_length = 0.68 * self.breadth
        return 0.60 * self.breadth, half_length, self.joints[-1] - 0.16 * self.breadth - half_length


def mark(vertices: np.ndarray, digit: np.ndarray, breadth: dict[str, float]) -> Marks:
    """The marks at points (V, 3) of the mean hand's skin.

    :param digit: (V,) which digit each point belongs to, by its place in :data:`generator.hand.pose.FINGERS`.
    :param breadth: half the breadth of each digit at its middle joint.
    """
    to_wrist, to_elbow = smoothstep(vertices[:, 2], -34.0, 14.0), smoothstep(vertices[:, 2], -150.0, -30.0)
    palm = smoothstep(vertices[:, 1], 1.0, -7.0) * ((1 - _FOREARM_PALM) * to_wrist + _FOREARM_PALM * to_elbow)
    crease, nail, groove = np.zeros((3, len(vertices)))
    for fold in folds(vertices, digit, breadth):
        crease = np.maximum(crease, fold.depth * fold.where * np.exp(-((fold.distance / _FOLD_WIDTH) ** 2)))
    for number, finger in enumerate(FINGERS):
        ray = digit_ray(vertices, finger, breadth[finger])
        on = digit == number
        beyond = on * (smoothstep(ray.along, -2.0, 12.0) if finger != "thumb" else smoothstep(ray.along, -22.0, -6.0))
        palm = palm * (1 - beyond) + beyond * _digit_palm(ray)
        crease = np.maximum(crease, on * _dark_knuckles(ray, finger))
        outside = nail_distance(ray)
        upper = on * smoothstep(ray.back, 0.0, 2.0)
        nail = np.maximum(nail, upper * smoothstep(outside, 0.4, -0.5))
        groove = np.maximum(groove, upper * np.exp(-((outside / 0.45) ** 2)))
    crease = np.clip(np.maximum(crease * (1 - nail), 0.4 * groove), 0, 1)
    palm = palm * (1 - nail)
    return Marks(*(values.astype(np.float32) for values in (palm, crease, nail, groove)))


def folds(vertices: np.ndarray, digit: np.ndarray, breadth: dict[str, float]) -> Iterator[Fold]:
    """The creases of palm, wrist and digits at points (V, 3); parameters as for :func:`mark`."""
    front = smoothstep(vertices[:, 1], -4.0, -9.0)
    for depth, line in _PALM_LINES:
        points = _rounded(np.array(line, float))
        distances = np.array([segment_distance(vertices[:, [0, 2]], a, b) for a, b in pairwise(points)])
        fraction = distances.argmin(axis=0) / (len(distances) - 1)  # how far along the line the nearest part of it is
        fading = smoothstep(fraction, *_FADING) * smoothstep(1 - fraction, *_FADING)
        yield Fold(distances.min(axis=0), front * fading, depth, 2.2)
    for number, finger in enumerate(FINGERS):
        ray = digit_ray(vertices, finger, breadth[finger])
        for fold in _digit_folds(ray, finger):
            yield Fold(fold.distance, fold.where * (digit == number), fold.depth, fold.reach)


def nail_outlines(vertices: np.ndarray, digit: np.ndarray, breadth: dict[str, float]) -> Iterator[Fold]:
    """The edges of the nails, in the form of folds; parameters as for :func:`mark`."""
    for number, finger in enumerate(FINGERS):
        ray = digit_ray(vertices, finger, breadth[finger])
        yield Fold(np.abs(nail_distance(ray)), (digit == number) * smoothstep(ray.back, 0.0, 2.0), 1.0, 2.2)


def digit_ray(vertices: np.ndarray, finger: str, breadth: float) -> DigitRay:
    """Points (V, 3) of the mean hand's skin in the frame of a digit; ``breadth``: half of its own at the PIP joint."""
    bones = skeleton()
    chain = [i for i, name in enumerate(BONES) if name.startswith(finger) and not name.endswith("metacarpal")]
    heads, tails = bones.heads[chain] * 1000, bones.tails[chain] * 1000
    ends = np.cumsum(np.linalg.norm(tails - heads, axis=1))
    starts = ends - np.linalg.norm(tails - heads, axis=1)
    local = [(vertices - head) @ bones.frames[bone] for head, bone in zip(heads, chain, strict=True)]
    side, back, along = local[0].T.copy()
    for points, start in zip(local[1:], starts[1:], strict=True):  # the thumb's bones are not in one line
        beyond = points[:, 2] > 0
        side[beyond], back[beyond], along[beyond] = points[beyond].T + np.array([[0], [0], [start]])
    return DigitRay(along, side, back, tuple(ends), breadth)


def _digit_palm(ray: DigitRay) -> np.ndarray:
    """The hairless skin reaches to the middle of the digit's side, and around its tip up to the nail."""
    border = 3.0 * smoothstep(ray.along, ray.joints[-1] - 14, ray.joints[-1] - 2)
    return smoothstep(ray.back - border, 1.5, -3.5)


def _joints(ray: DigitRay, finger: str) -> list[tuple[str, float, float]]:
    """Which wrinkles lie at which joint, and how strong they are."""
    if finger == "thumb":
        return [("pip", ray.joints[0], 0.9)]
    return [("pip", ray.joints[0], 1.0), ("dip", ray.joints[1], 0.7)]


def _digit_folds(ray: DigitRay, finger: str) -> Iterator[Fold]:
    front, rear = smoothstep(ray.back, 0.5, -3.0), smoothstep(ray.back, 1.5, 5.0)
    front = front * smoothstep(np.abs(ray.side), 1.4 * ray.breadth, 1.1 * ray.breadth)
    bow = 0.006 * ray.side**2
    if finger == "thumb":
        lines = [(ray.joints[0] - 1.0, 1.0), (ray.joints[0] + 3.0, 0.5), (-2.0, 0.7)]
    else:
        pip, dip = ray.joints[:2]
        lines = [(pip - 2.4, 1.0), (pip + 1.5, 0.55), (dip - 1.0, 1.0), (0.47 * pip, 0.9)]
    for place, depth in lines:
        yield Fold(np.abs(ray.along - place + bow), front, depth, 1.9)
    narrow = 1 - 0.45 * (ray.side / ray.breadth) ** 2  # the wrinkles of a joint draw together at its sides
    for kind, joint, strength in _joints(ray, finger):
        for offset, depth in _WRINKLES[kind]:
            yield Fold(np.abs(ray.along - joint - offset * narrow), rear, depth * strength, 1.5)


def _dark_knuckles(ray: DigitRay, finger: str) -> np.ndarray:
    """The skin over a joint is darker all over."""
    result = np.zeros(len(ray.along))
    for _, joint, strength in _joints(ray, finger):
        patch = np.exp(-(((ray.along - joint) / 6.0) ** 2) - (ray.side / (0.8 * ray.breadth)) ** 2)
        result = np.maximum(result, 0.35 * strength * patch * smoothstep(ray.back, 1.5, 5.0))
    return result


def nail_distance(ray: DigitRay) -> np.ndarray:
    """How far outside the nail a point lies: a rounded rectangle, a little longer than broad, seen from the back."""
    half_width, half_length, center = ray.nail
    radius = 0.75 * half_width
    corner = np.stack(
        [np.abs(ray.side) - half_width + radius, np.abs(ray.along - center) - half_length + radius], axis=0
    )
    return np.linalg.norm(np.maximum(corner, 0), axis=0) + np.minimum(corner.max(axis=0), 0) - radius


def _rounded(line: np.ndarray) -> np.ndarray:
    """The line with its corners cut twice (Chaikin)."""
    for _ in range(2):
        near, far = 0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]
        line = np.concatenate([line[:1], np.stack([near, far], axis=1).reshape(-1, 2), line[-1:]])
    return line
