"""What bending does to the surface of a hand beyond turning it: knuckles stand out, pads bulge, folds sink in.

Skinning alone bends a finger like a hose. Each joint has a shape of its own, an offset of the vertices in the bind pose
that grows with its flexion (pose space deformation: Lewis et al., SIGGRAPH 2000). Amounts are chosen by eye after
photographs of fists and bent fingers. Inside this room lengths are millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from generator.hand import pose
from generator.hand.anatomy import BONES, skeleton
from generator.hand.pose import FINGERS
from generator.maths import smoothstep
from generator.mesh import hand_mesh
from generator.mesh.hand_chart import HandChart, hand_chart, knuckles
from generator.mesh.sdf import HALF_BREADTH

FULL = np.radians(90.0)
"""The flexion at which a shape is complete."""


@dataclass(frozen=True)
class _Shape:
    """The offset of some vertices at full flexion of the joint at ``angle`` of the pose."""

    angle: int
    vertices: np.ndarray
    offset: np.ndarray


def bend_offsets(one: np.ndarray) -> np.ndarray:
    """How the mean hand's vertices move in the bind pose for a pose (28,): (V, 3) metres."""
    result = np.zeros_like(hand_chart().rest)
    for shape in _shapes():
        fraction = np.clip(one[shape.angle] / FULL, 0.0, 1.2)
        if fraction > 0:
            result[shape.vertices] += fraction * fraction * (3 - 2 * min(fraction, 1.0)) * shape.offset
    return result / 1000


@lru_cache(maxsize=1)
def _shapes() -> tuple[_Shape, ...]:
    chart = hand_chart()
    normals = hand_mesh.vertex_normals(chart.rest, hand_mesh.build().faces)
    shapes = []
    for digit, finger in enumerate(FINGERS):
        first, size = pose.FINGER_SLICE[finger].start, HALF_BREADTH[finger] / 9.6
        if finger == "thumb":
            heights = {0: _thenar(chart), 2: 0.7 * _joint(chart, digit, 0.0)}
            heights[3] = _joint(chart, digit, chart.joints[digit][0])
        else:
            pip, dip = chart.joints[digit][:2]
            heights = {0: _knuckle(chart, digit), 2: _joint(chart, digit, pip), 3: 0.6 * _joint(chart, digit, dip)}
        for angle, height in heights.items():
            used = np.flatnonzero(np.abs(height) > 0.02)
            shapes.append(_Shape(first + angle, used, size * height[used, None] * normals[used]))
    return tuple(shapes)


def _joint(chart: HandChart, digit: int, place: float) -> np.ndarray:
    """Heights over the skin, (V,), at a bent finger joint."""
    on = chart.digit == digit
    from_joint, half = chart.along - place, HALF_BREADTH[FINGERS[digit]]
    rear, front = smoothstep(chart.back, 0.0, 0.55 * half), smoothstep(chart.back, 0.0, -0.55 * half)
    aside = smoothstep(np.abs(chart.side), 0.45 * half, 0.9 * half)
    bone = 1.3 * _bell(from_joint, 4.5) - 0.5 * (_bell(from_joint - 10, 4.5) + _bell(from_joint + 10, 4.5))
    pads = 1.2 * (_bell(from_joint - 7.5, 4.0) + _bell(from_joint + 8.5, 4.5)) - 1.1 * _bell(from_joint, 2.4)
    return on * (rear * bone + front * pads + 0.6 * aside * _bell(from_joint, 5.0))


def _knuckle(chart: HandChart, digit: int) -> np.ndarray:
    """Heights where a finger bends against the palm: its knuckle, the valleys beside it, the pads in front."""
    x, y, z = chart.rest.T
    all_ = knuckles()
    center = all_[digit]
    rear, front = smoothstep(y, 2.0, 7.0), smoothstep(y, -4.0, -9.0)
    flat = np.hypot(x - center[0], z - center[2])
    height = 2.2 * rear * _bell(flat, 6.5)
    for other in all_[[n for n in (digit - 1, digit + 1) if 0 <= n < 4]]:
        valley = (center + other) / 2
        height -= 0.8 * rear * _bell(x - valley[0], 3.5) * _bell(z - valley[2] + 3, 8.0)
    tendon = _bell(x - center[0] * (0.45 + 0.55 * np.clip(z / center[2], 0, 1)), 3.0)
    height -= 0.7 * rear * tendon * smoothstep(z, 25, 45) * smoothstep(z, center[2] - 8, center[2] - 20)
    height += 1.3 * front * _bell(x - center[0], 8.0) * _bell(z - center[2] + 6, 6.0)
    on = chart.digit == digit
    return height + on * 1.2 * smoothstep(chart.back, 0.0, -5.0) * _bell(chart.along - 16, 7.0)


def _thenar(chart: HandChart) -> np.ndarray:
    """The ball of the thumb, which shortens as the thumb crosses the palm."""
    bones = skeleton()
    metacarpal = BONES.index("thumb_metacarpal")
    center = 1000 * (0.5 * bones.heads[metacarpal] + 0.5 * bones.tails[metacarpal]) + [-6.0, -10.0, 0.0]
    return 3.0 * _bell(np.linalg.norm(chart.rest - center, axis=1), 17.0) * (chart.rest[:, 1] < 0)


def _bell(values: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-((values / width) ** 2))
