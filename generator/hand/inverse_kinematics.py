"""From bones back to the pose, in numpy, as Blender's IK knows no 28 numbers: the angles nearest to how bones are."""

from __future__ import annotations

import numpy as np

from generator.hand.anatomy import Skeleton
from generator.hand.kinematics import axis_rotation
from generator.hand.pose import SIZE, TRANSLATION

_LOCKED = 1e-4
"""Below this cosine of the middle angle, the outer two of three turn about the same line."""


def pose(turns: np.ndarray, shift: np.ndarray, skeleton: Skeleton, near: np.ndarray) -> np.ndarray:
    """The pose of rotated bones; what a joint cannot do (a finger's twist) is left out.

    :param turns: (21, 3, 3), each bone's rotation relative to its parent and its bind pose, scene axes.
    :param shift: (3,) metres, how far the wrist has moved.
    :param near: (28,), decides between equal answers: three angles reach every direction in two ways.
    :returns: (28,), metres and radians, not limited to the joints' ranges.
    """
    result = np.zeros(SIZE)
    result[TRANSLATION] = shift
    for rotation, dofs in zip(turns, skeleton.dofs, strict=True):
        if dofs:
            index = [number for number, _ in dofs]
            result[index] = _angles(rotation, [axis for _, axis in dofs], near[index])
    return result


def _angles(rotation: np.ndarray, axes: list[np.ndarray], near: np.ndarray) -> np.ndarray:
    if len(axes) == 1:
        return np.array([_twist(rotation, axes[0])])
    if len(axes) == 2:
        first, second = axes
        return _three(rotation, (first, second, np.cross(first, second)), near)[:2]
    first = _three(rotation, tuple(axes), near)
    second = first * [1, -1, 1] + np.pi
    return min((_wrapped(first), _wrapped(second)), key=lambda found: np.abs(_wrapped(found - near)).sum())


def _twist(rotation: np.ndarray, axis: np.ndarray) -> float:
    """The angle about a unit axis that comes nearest to a rotation."""
    screw = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    return float(np.arctan2(screw @ axis, np.trace(rotation) - axis @ rotation @ axis))


def _three(rotation: np.ndarray, axes: tuple[np.ndarray, ...], near: np.ndarray) -> np.ndarray:
    """The angles of ``R(a1) @ R(a2) @ R(a3)`` about perpendicular axes, the middle one within a right angle."""
    a1, a2, a3 = axes
    hand = np.sign(a1 @ np.cross(a2, a3))
    image, row = rotation @ a3, a1 @ rotation
    center = np.arcsin(np.clip(hand * image @ a1, -1.0, 1.0))
    if len(near) == 3 and np.cos(center) < _LOCKED:
        image = rotation @ axis_rotation(a3, -near[2:])[0] @ a2
        return np.array([np.arctan2(hand * image @ a3, image @ a2), center, near[2]])
    first = np.arctan2(-hand * image @ a2, image @ a3)
    return np.array([first, center, np.arctan2(-hand * row @ a2, row @ a1)])


def _wrapped(angles: np.ndarray) -> np.ndarray:
    """Angles within half a turn of zero."""
    return (angles + np.pi) % (2 * np.pi) - np.pi
