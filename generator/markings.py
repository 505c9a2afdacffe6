"""What colours the skin: where the palm ends, where it folds, where the nails are.

The places of creases and nails are chosen by eye after photographs of hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from generator.anatomy import BONES, FINGERS, skeleton

# The palm's three great creases and the wrist's two, as lines of (x, z) in mm on the palmar side, with their depth.
_PALM_LINES: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (1.0, ((31, 75), (22, 73), (12, 66), (4, 54), (0, 40), (1, 24), (6, 10))),  # around the thenar
    (0.8, ((31, 76), (20, 77), (6, 73), (-10, 66), (-24, 54))),  # proximal transverse
    (0.9, ((-46, 66), (-36, 71), (-24, 77), (-10, 82), (2, 89), (10, 99))),  # distal transverse
    (0.8, ((-32, 1), (-12, -1.5), (8, -1.0), (30, 3))),  # wrist
    (0.5, ((-30, -9), (-8, -11), (12, -10), (28, -7))),
)


@dataclass(frozen=True)
class Marks:
    """Each (V,) float32 in 0..1; see :class:`generator.surface.HandMesh`."""

    palm: np.ndarray
    crease: np.ndarray
    nail: np.ndarray


@dataclass(frozen=True)
class _Ray:
    """Points in the frame of one digit: position along it from the MCP joint, to the side, to the back, mm."""

    along: np.ndarray
    side: np.ndarray
    back: np.ndarray
    joints: tuple[float, ...]
    """Where PIP, DIP (thumb: IP) and the tip are along the digit."""
    breadth: float
    """Half the digit's breadth at the PIP joint."""


def mark(vertices: np.ndarray, digit: np.ndarray, breadth: dict[str, float]) -> Marks:
    """The marks at points (V, 3) mm of the mean hand's skin.

    :param digit: (V,) which digit each point belongs to, by its place in :data:`generator.pose.FINGERS`.
    :param breadth: half the breadth of each digit at its middle joint, mm.
    """
    palm = _soft(vertices[:, 1], 1.0, -7.0) * _soft(vertices[:, 2], -6.0, 4.0)
    crease = _palm_creases(vertices)
    nail = np.zeros(len(vertices))
    for number, finger in enumerate(FINGERS):
        ray = _ray(vertices, finger, breadth[finger])
        on = digit == number
        beyond = on * _soft(ray.along, -2.0, 12.0) if finger != "thumb" else on * _soft(ray.along, -22.0, -6.0)
        palm = palm * (1 - beyond) + beyond * _digit_palm(ray)
        crease = np.maximum(crease, on * _digit_creases(ray, finger))
        nail = np.maximum(nail, on * nail_plate(ray.along, ray.side, ray.back, ray.joints[-1], ray.breadth))
    crease = np.clip(crease, 0, 1) * (1 - nail)
    return Marks((palm * (1 - nail)).astype(np.float32), crease.astype(np.float32), nail.astype(np.float32))


def _soft(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 at ``low``, 1 at ``high`` (which may be the lesser), smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _ray(vertices: np.ndarray, finger: str, breadth: float) -> _Ray:
    bones = skeleton()
    chain = [i for i, name in enumerate(BONES) if name.startswith(finger) and not name.endswith("metacarpal")]
    heads, tails = bones.heads[chain] * 1000, bones.tails[chain] * 1000
    ends = np.cumsum(np.linalg.norm(tails - heads, axis=1))
    starts = ends - np.linalg.norm(tails - heads, axis=1)
    local = [(vertices - head) @ bones.frames[bone] for head, bone in zip(heads, chain, strict=True)]
    along = local[0][:, 2].copy()
    side, back = local[0][:, 0].copy(), local[0][:, 1].copy()
    for points, start in zip(local[1:], starts[1:], strict=True):  # the thumb's bones are not in one line
        beyond = points[:, 2] > 0
        along[beyond], side[beyond], back[beyond] = points[beyond, 2] + start, points[beyond, 0], points[beyond, 1]
    return _Ray(along, side, back, tuple(ends), breadth)


def _digit_palm(ray: _Ray) -> np.ndarray:
    """The hairless skin reaches to the middle of the digit's side, and around its tip up to the nail."""
    border = 3.0 * _soft(ray.along, ray.joints[-1] - 14, ray.joints[-1] - 2)
    return _soft(ray.back - border, 1.5, -3.5)


def _digit_creases(ray: _Ray, finger: str) -> np.ndarray:
    front, rear = _soft(ray.back, 0.5, -3.0), _soft(ray.back, 1.5, 5.0)
    bow = 0.02 * ray.side**2
    lines: list[tuple[float, float, np.ndarray]] = []
    if finger == "thumb":
        ip = ray.joints[0]
        lines += [(ip - 1.0, 1.0, front), (ip + 2.0, 0.5, front), (-2.0, 0.6, front)]
        wrinkled = [(ip, 1.0)]
    else:
        pip, dip = ray.joints[0], ray.joints[1]
        lines += [(pip - 2.2, 1.0, front), (pip + 1.2, 0.8, front), (dip - 1.0, 1.0, front)]
        lines += [(0.47 * pip, 0.9, front), (0.47 * pip + 3.0, 0.5, front)]
        wrinkled = [(pip, 1.0), (dip, 0.7)]
    for joint, strength in wrinkled:
        lines += [(joint + offset, 0.55 * strength, rear) for offset in (-5.0, -1.7, 1.7, 4.6)]
    result = np.zeros(len(ray.along))
    for place, depth, where in lines:
        result = np.maximum(result, depth * where * np.exp(-(((ray.along - place + bow * 0.3) / 1.0) ** 2)))
    for joint, strength in wrinkled:  # the skin over the knuckle is darker all over
        patch = np.exp(-(((ray.along - joint) / 6.0) ** 2) - (ray.side / (0.8 * ray.breadth)) ** 2)
        result = np.maximum(result, 0.3 * strength * patch * rear)
    return result


def nail_plate(
    along: np.ndarray, side: np.ndarray, back: np.ndarray, tip: float, breadth: float, edge: float = 0.9
) -> np.ndarray:
    """1 on a nail, falling to 0 over ``edge`` mm: a rectangle with round ends, a little longer than broad."""
    half_width, length = 0.62 * breadth, 1.28 * breadth
    middle = tip - 0.13 * breadth - length / 2
    radius = 0.75 * half_width
    outside = np.stack([np.abs(side) - half_width + radius, np.abs(along - middle) - length / 2 + radius], axis=0)
    distance = np.linalg.norm(np.maximum(outside, 0), axis=0) + np.minimum(outside.max(axis=0), 0) - radius
    return _soft(distance, edge / 2, -edge / 2) * (back > 0)


def _palm_creases(vertices: np.ndarray) -> np.ndarray:
    result = np.zeros(len(vertices))
    front = _soft(vertices[:, 1], -4.0, -9.0)
    for depth, line in _PALM_LINES:
        points = _rounded(np.array(line, float))
        distance = np.full(len(vertices), np.inf)
        for a, b in pairwise(points):
            distance = np.minimum(distance, _line_distance(vertices[:, [0, 2]], a, b))
        result = np.maximum(result, depth * front * np.exp(-((distance / 1.1) ** 2)))
    return result


def _line_distance(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    along = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
    return np.linalg.norm(points - a - along[:, None] * (b - a), axis=1)


def _rounded(line: np.ndarray) -> np.ndarray:
    """The line with its corners cut twice (Chaikin)."""
    for _ in range(2):
        near, far = 0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]
        line = np.concatenate([line[:1], np.stack([near, far], axis=1).reshape(-1, 2), line[-1:]])
    return line
