"""An arm that never ends in the image: where its end would be in sight, the upper arm leads out of it."""

from __future__ import annotations

from functools import cache

import numpy as np

from generator.frame.elbow import PLACE, STRAIGHT, Elbow
from generator.frame.framing import SPARE, pixels_beyond_edge
from generator.hand.anatomy import BONES, Skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton
from generator.maths import transformed

REACHES = (STRAIGHT.reach, 0.62, 0.85)
"""Metres from the wrist to the ends of the arms that are tried; the longest leaves any ordinary image."""

_FOREARM = BONES.index("forearm")
_ANGLES = np.arange(0.3, 1.95, 0.2).round(2).tolist()
_ABOUT = np.linspace(-np.pi, np.pi, 12, endpoint=False).tolist()


def reach_out(camera: Camera, posed: PosedSkeleton) -> Elbow:
    """The elbow with which an arm leaves the image and hides no more of its hand: straight if it does so by itself.

    :param posed: the hand as the camera sees it.
    :returns: of the elbows that will do, one that is bent least; if none will, the one that comes nearest.
    """
    if pixels_beyond_edge(camera, posed) > 0:
        return STRAIGHT
    elbows, rest = _candidates()
    hand = posed.skeleton
    axes = camera.project(transformed(rest, posed.transforms[_FOREARM]))
    joints = camera.project(posed.keypoints)
    hidden = _hidden(axes, joints, camera, hand)
    possible = (axes[..., 2].min(axis=1) >= SPARE) & (hidden <= hidden[0])
    if not possible.any():
        return STRAIGHT
    beyond = np.where(possible, _beyond(axes[:, -1], camera, hand), -np.inf)
    return elbows[int(np.argmax(beyond > 0 if (beyond > 0).any() else beyond))]


@cache
def _candidates() -> tuple[list[Elbow], np.ndarray]:
    """Elbows from the straight one on, and the axes of the upper arms in the bind pose, (K, 12, 3) metres."""
    bends = [(0.0, 0.0), *((angle, about) for angle in _ANGLES for about in _ABOUT)]
    elbows = [Elbow(angle, about, reach) for angle, about in bends for reach in REACHES]
    along = np.zeros((12, 3))
    along[:, 2] = -np.linspace(PLACE, STRAIGHT.reach, 12)
    return elbows, np.stack([bent.bend(along) for bent in elbows])


def _radii(depth: np.ndarray, camera: Camera, hand: Skeleton) -> np.ndarray:
    return hand.radii[_FOREARM, 0] * camera.matrix[0, 0] / np.maximum(depth, SPARE)


def _beyond(ends: np.ndarray, camera: Camera, hand: Skeleton) -> np.ndarray:
    """By how many pixels the arms' ends, (K, 3) in pixels and depth, are outside the image, (K,)."""
    size = np.array([camera.width, camera.height])
    return (np.abs(ends[:, :2] - size / 2) - size / 2).max(axis=1) - _radii(ends[:, 2], camera, hand)


def _hidden(axes: np.ndarray, joints: np.ndarray, camera: Camera, hand: Skeleton) -> np.ndarray:
    """How many of the hand's joints the upper arms, (K, N, 3) in pixels and depth, stand before, (K,)."""
    apart = np.linalg.norm(axes[:, :, None, :2] - joints[:, :2], axis=-1)
    before = axes[:, :, None, 2] < joints[:, 2]
    return ((apart < _radii(axes[..., 2], camera, hand)[..., None]) & before).any(axis=1).sum(axis=1)
