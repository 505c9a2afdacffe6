"""Camera of a frame, and its pose as that camera sees it: fixed, random, or close as people photograph hands."""

from __future__ import annotations

import numpy as np

from generator.frame.elbow import STRAIGHT, Elbow
from generator.frame.settings import RenderSettings
from generator.hand import pose
from generator.hand.anatomy import BONES, Skeleton
from generator.hand.camera import SENSOR_MM, Camera
from generator.hand.kinematics import PosedSkeleton
from generator.maths import log_uniform, transformed
from handforge.rng import stream

EDGE = 0.04
"""How near a joint may come to the image's edge where the framing is random, as a fraction of the image's size."""

NEAREST, FARTHEST = 0.45, 1.1
"""Range of a random distance, metres."""

CLEAR = 0.25
"""How far in front of the camera the whole arm stays where the framing is random, metres."""

FILL = 0.2, 1.1
"""Range of the hand's longest extent where the framing is close, as a fraction of the image's shorter side."""

FOCAL = 26.0, 75.0
"""Range of a random focal length, millimetres."""

_LEAN = -0.4, 0.8
"""Where the framing is close: how far the arm leans to the camera and away from it, as a sine."""

SPARE = 0.12
"""How far in front of the camera the whole arm stays where the framing is close, metres."""

_NEAREST_CLOSE = 0.2
_TRIES = 60
_ROTATION = pose.NAMES.index("forearm_y")


def draw_framing(
    settings: RenderSettings, frame: int, one: np.ndarray, hand: Skeleton, bent: Elbow
) -> tuple[Camera, PosedSkeleton]:
    """Draw the camera of a frame, and its pose (28,) ``one`` as that camera sees it.

    A fixed framing leaves the pose as it is. A random one rotates it about the viewing axis (v6) and moves it in the
    image plane (v1, v3) to where all its joints are inside the image. A close one changes its lean (v4), too; the arm's
    end is outside the image, and fingers may be.

    :param bent: how the arm is.
    """
    width, height = settings.resolution
    focal = _focal(settings, frame)
    if settings.framing == "fixed":
        return Camera(width, height, float(settings.distance), focal), PosedSkeleton(one, hand)
    if settings.framing == "close":
        return _close(settings, frame, one, hand, bent, focal)
    rng = stream(settings.seed, frame, "framing")
    one = one.copy()
    one[_ROTATION] = rng.uniform(-np.pi, np.pi)
    fraction = rng.uniform(size=2)
    posed = PosedSkeleton(one, hand)
    nearest = max(NEAREST, CLEAR - float(arm_end(posed)[1]))
    camera = Camera(width, height, rng.uniform(nearest, max(FARTHEST, nearest)), focal)
    for _ in range(40):  # step back until the hand fits
        low, high = wrist_range(camera, posed)
        if (low <= high).all():
            break
        camera = Camera(width, height, camera.distance * 1.05, focal)
    return camera, posed.at(low + fraction * np.maximum(high - low, 0))


def _focal(settings: RenderSettings, frame: int) -> float:
    """Focal length in millimetres; random: uniform over the logarithm of :data:`FOCAL`."""
    if not isinstance(settings.focal_mm, str):
        return float(settings.focal_mm)
    return log_uniform(stream(settings.seed, frame, "focal length"), *FOCAL)


def _close(
    settings: RenderSettings, frame: int, one: np.ndarray, hand: Skeleton, bent: Elbow, focal: float
) -> tuple[Camera, PosedSkeleton]:
    """A hand that fills its fraction of the image, with an arm that comes from outside."""
    rng = stream(settings.seed, frame, "close framing")
    width, height = settings.resolution
    one = one.copy()
    one[pose.V4] = limit_lean(one[pose.V4])
    fill = log_uniform(rng, *FILL)
    edge = EDGE if rng.random() < 0.75 else -0.12 * fill
    best = -np.inf, Camera(width, height), PosedSkeleton(one, hand)
    for _ in range(_TRIES):
        rotated = one.copy()
        rotated[_ROTATION] = rng.uniform(-np.pi, np.pi)
        fraction = rng.uniform(size=2)
        posed = PosedSkeleton(rotated, hand)
        joints = posed.keypoints[:, [0, 2]]
        extent = np.linalg.norm(joints[:, None] - joints[None], axis=-1).max()
        distance = focal / SENSOR_MM * width * extent / (fill * min(width, height))
        distance = max(distance, _NEAREST_CLOSE, SPARE - float(arm_end(posed, bent)[1]))
        camera = Camera(width, height, distance, focal)
        low, high = wrist_range(camera, posed, edge)
        moved = posed.at(np.where(low < high, low + fraction * (high - low), (low + high) / 2))
        beyond = pixels_beyond_edge(camera, moved, bent)
        if beyond > best[0]:
            best = beyond, camera, moved
        if beyond > 0:
            break
    return best[1], best[2]


def limit_lean(v4: float) -> float:
    """Move v4 (radians) to the angle on the same side of the vertical whose sine, the arm's lean, is within
    :data:`_LEAN`.
    """
    sine = np.interp(np.sin(v4), [-1, 1], _LEAN)
    return float(np.arcsin(sine) if np.cos(v4) >= 0 else np.pi - np.arcsin(sine))


def arm_end(posed: PosedSkeleton, bent: Elbow = STRAIGHT) -> np.ndarray:
    """Far end of the arm's axis in scene axes, (3,) metres."""
    if bent.angle == 0:
        return posed.capsules[0][BONES.index("forearm")]
    return arm_axis(posed, bent, np.ones(1))[0]


def arm_axis(posed: PosedSkeleton, bent: Elbow, fraction: np.ndarray) -> np.ndarray:
    """Points on the arm's axis, (N, 3) metres, at these fractions (N,) of the way from the wrist to its end."""
    forearm, hand = BONES.index("forearm"), posed.skeleton
    rest = hand.tails[forearm] + fraction[:, None] * (hand.heads[forearm] - hand.tails[forearm])
    return transformed(bent.bend(rest), posed.transforms[forearm])


def pixels_beyond_edge(camera: Camera, posed: PosedSkeleton, bent: Elbow = STRAIGHT) -> float:
    """Distance in pixels from the image's edge to the arm's end, outside it; negative where the end is in sight."""
    x, y, depth = camera.project(arm_end(posed, bent))
    radius = posed.skeleton.radii[BONES.index("forearm"), 0] * camera.matrix[0, 0] / depth
    beyond = max(abs(x - camera.width / 2) - camera.width / 2, abs(y - camera.height / 2) - camera.height / 2)
    return float(beyond - radius)


def wrist_range(camera: Camera, posed: PosedSkeleton, edge: float = EDGE) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest X and Z of the wrist, (2,) metres each, with which all joints are inside the image."""
    joints, wrist = posed.keypoints, posed.pose[:3]
    depth = joints[:, 1] + camera.distance
    focal = camera.matrix[0, 0]
    half = np.array([camera.width, camera.height]) * (0.5 - edge) / focal * depth[:, None]
    offset = (joints - wrist)[:, [0, 2]]
    return (-half - offset).max(axis=0), (half - offset).min(axis=0)
