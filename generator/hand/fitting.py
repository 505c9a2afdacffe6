"""Fit a pose to joints seen in an image or known in space: bounded least squares in numpy, as Blender has no scipy.

An image alone leaves depth open, so that fingers prefer what people's do: little bent, the last joint with the middle
one. The solver is Levenberg and Marquardt's with bounds by projection: numbers at a limit that would leave it stay.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from generator.hand import inverse_kinematics, kinematics, pose
from generator.hand.anatomy import BONES, Skeleton
from generator.hand.camera import Camera
from generator.hand.pose_presets import PRESETS
from handforge.dataset import KEYPOINTS
from handforge.errors import HandforgeError
from handforge.parse import parse_json

DIP_OF_PIP = 0.55
"""A finger's last joint bends by about half of what its middle one does, as in the presets."""

_PALM = [0, 5, 9, 13, 17]
"""Wrist and knuckles among the joints: what moves with the hand as a whole."""
_FINGERS = slice(pose.GROUPS["L3"].start, pose.SIZE)
_PIP = [index for index, name in enumerate(pose.NAMES) if name.endswith("pip_flexion")]
_PRIOR, _COUPLING = 0.01, 0.02
"""Weights, per radian, beside errors that are fractions of the hand's size."""
_LENGTH = 0.19
"""Metres of a hand, to make errors in space fractions of it."""
_FEWEST = 4


class JointsError(HandforgeError):
    """Joints that no pose can be fitted to; the text says what was expected."""


@dataclass(frozen=True)
class Joints:
    """The 21 joints of one hand in the order of :data:`handforge.dataset.KEYPOINTS`; NaN where one is not known.

    :param image: (21, 2) pixels, x to the right, y down; or None.
    :param space: (21, 3) metres, x to the right, y down, z away from the camera, from any origin; or None.
    """

    image: np.ndarray | None = None
    space: np.ndarray | None = None

    def mirrored(self, width: int) -> Joints:
        """Those of the other hand's, in the image seen in a mirror."""
        image = None if self.image is None else self.image * [-1, 1] + [width, 0]
        return Joints(image, None if self.space is None else self.space * [-1, 1, 1])


@dataclass(frozen=True)
class Fit:
    """A fitted pose.

    :param pose: (28,), metres and radians.
    :param errors: (21,) how far each joint is from where it was seen: pixels, or metres where no image was given; NaN
        for joints that were not given.
    :param unit: ``px`` or ``mm``, that of :attr:`text`.
    """

    pose: np.ndarray
    errors: np.ndarray
    unit: str

    @property
    def text(self) -> str:
        """How good the fit is, in words."""
        errors = self.errors * (1 if self.unit == "px" else 1000)
        worst = int(np.nanargmax(errors))
        return (
            f"joints are {np.nanmean(errors):.1f} {self.unit} off on average, "
            f"{KEYPOINTS[worst].replace('_', ' ')} most: {errors[worst]:.1f}"
        )


def fit(joints: Joints, camera: Camera, skeleton: Skeleton) -> Fit:
    """The pose that comes nearest to joints of a right hand.

    :param camera: that took the image.
    :raises JointsError: if there are too few joints, or they all lie in one point.
    """
    joints = _checked(joints)

    def residuals(poses: np.ndarray) -> np.ndarray:
        points = kinematics.keypoints(poses, skeleton)
        parts = [_PRIOR * (poses[:, _FINGERS] - PRESETS["relaxed"][_FINGERS] * 0.5)]
        parts.append(_COUPLING * (poses[:, [i + 1 for i in _PIP]] - DIP_OF_PIP * poses[:, _PIP]))
        if joints.image is not None:
            parts.append(_image_errors(points, joints.image, camera).reshape(len(poses), -1))
        if joints.space is not None:
            parts.append(_space_errors(points, joints.space).reshape(len(poses), -1))
        return np.concatenate(parts, axis=1)

    starts = [_solve(residuals, start, 12) for start in _starts(joints, camera, skeleton)]
    tried = [_solve(residuals, start, 80) for start, _ in sorted(starts, key=lambda found: found[1])[:3]]
    best = min(tried, key=lambda found: found[1])[0]
    points = kinematics.keypoints(best, skeleton)
    if joints.image is not None:
        errors = np.linalg.norm(camera.project(points)[:, :2] - joints.image, axis=1)
        return Fit(best, errors, "px")
    assert joints.space is not None
    return Fit(best, np.linalg.norm(_space_errors(points[None], joints.space)[0], axis=1) * _LENGTH, "mm")


def _checked(joints: Joints) -> Joints:
    """The joints that a pose can be fitted to; those in space are left out where the image alone says something.

    :raises JointsError: as :func:`fit`.
    """
    image, space = joints.image, joints.space
    if image is None and space is None:
        raise JointsError("there are no joints")
    if image is not None:
        known = image[np.isfinite(image).all(axis=1)]
        if len(known) < _FEWEST:
            raise JointsError(f"a pose needs {_FEWEST} joints or more")
        if not np.ptp(known, axis=0).any():
            raise JointsError("all joints lie in one point of the image, which shows no pose")
    palm = None if space is None else space[_PALM]
    if palm is None or (np.isfinite(palm).all() and np.ptp(palm, axis=0).any()):
        return joints
    if image is None:
        raise JointsError("joints in space show a pose if the wrist and all four knuckles are there and apart")
    return Joints(image)


def reach(one: np.ndarray, finger: str, target: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The pose whose fingertip comes nearest to a point; the other fingers and the arm stay.

    :param one: (28,), the pose before.
    :param target: (3,) metres, scene axes.
    """
    tip, free = KEYPOINTS.index(f"{finger}_tip"), pose.FINGER_SLICE[finger]
    dip = free.start + 3 if finger != "thumb" else None

    def residuals(poses: np.ndarray) -> np.ndarray:
        found = [(kinematics.keypoints(poses, skeleton)[:, tip] - target) / _LENGTH]
        found.append(0.002 * (poses[:, free] - one[free]))
        if dip is not None:
            found.append(0.005 * (poses[:, dip : dip + 1] - DIP_OF_PIP * poses[:, dip - 1 : dip]))
        return np.concatenate(found, axis=1)

    return _solve(residuals, one, 25, np.arange(pose.SIZE)[free])[0]


def _image_errors(points: np.ndarray, seen: np.ndarray, camera: Camera) -> np.ndarray:
    """(N, 21, 2): fractions of the hand's size in the image; 0 where a joint was not seen."""
    size = np.nanmax(np.nanmax(seen, axis=0) - np.nanmin(seen, axis=0))
    return np.nan_to_num((camera.project(points)[..., :2] - seen) / size)


def _space_errors(points: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(N, 21, 3): fractions of a hand's length, whatever the origin and the size of the hand that was measured."""
    known = np.stack([known[:, 0], known[:, 2], -known[:, 1]], axis=1)  # scene axes
    here, there = points - points[:, _PALM].mean(axis=1, keepdims=True), known - known[_PALM].mean(axis=0)
    scale = np.linalg.norm(here[:, _PALM], axis=(1, 2)) / np.linalg.norm(there[_PALM])
    return np.nan_to_num((here - scale[:, None, None] * there) / _LENGTH)


def _starts(joints: Joints, camera: Camera, skeleton: Skeleton) -> list[np.ndarray]:
    """Poses to start from: the palm's rotation in space, or where an image leaves that open, some all around."""
    if joints.space is not None and np.isfinite(joints.space[_PALM]).all():
        rotations = [_palm_rotation(joints.space, skeleton)]
    else:
        angles = np.radians([(x, z) for x in (-45, 0, 45) for z in (0, 90, 180, 270)])
        rotations = [
            kinematics.axis_rotation(np.array([1.0, 0, 0]), np.array([x]))[0]
            @ kinematics.axis_rotation(np.array([0, 0, 1.0]), np.array([z]))[0]
            for x, z in angles
        ]
    found = []
    for rotation, fingers in itertools.product(rotations, ("relaxed", "fist")):
        turns = np.tile(np.eye(3), (len(BONES), 1, 1))
        turns[0] = rotation
        start = PRESETS[fingers].copy()
        start[3:6] = inverse_kinematics.pose(turns, np.zeros(3), skeleton, pose.bind())[3:6]
        found.append(start if joints.image is None else _placed(start, joints.image, camera, skeleton))
    return found


def _palm_rotation(known: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The rotation of the palm (Kabsch 1976) from the bind pose, (3, 3)."""
    there = np.stack([known[:, 0], known[:, 2], -known[:, 1]], axis=1)[_PALM]
    here = skeleton.keypoints[_PALM]
    u, _, vt = np.linalg.svd((there - there.mean(axis=0)).T @ (here - here.mean(axis=0)))
    return u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt


def _placed(start: np.ndarray, seen: np.ndarray, camera: Camera, skeleton: Skeleton) -> np.ndarray:
    """A pose rotated in the image, moved to the joints' place and to the depth of their size."""
    known = np.isfinite(seen).all(axis=1)
    target = seen[known] - seen[known].mean(axis=0)
    for _ in range(2):
        points = camera.project(kinematics.keypoints(start, skeleton))[known, :2]
        here = points - points.mean(axis=0)
        rotation = np.arctan2(
            here[:, 0] @ target[:, 1] - here[:, 1] @ target[:, 0], (here * target).sum()
        )  # clockwise in the image, as y points down there
        start[5] = (start[5] + rotation + np.pi) % (2 * np.pi) - np.pi
        points = camera.project(kinematics.keypoints(start, skeleton))[known, :2]
        size = np.linalg.norm(points - points.mean(axis=0)) / max(np.linalg.norm(target), 1e-9)
        depth = np.clip((camera.distance + start[1]) * size, 0.2, 1.9)
        start[1] = np.clip(depth - camera.distance, *pose.LIMITS[1])
        points = camera.project(kinematics.keypoints(start, skeleton))[known, :2]
        shift = (seen[known].mean(axis=0) - points.mean(axis=0)) * depth / camera.matrix[0, 0]
        start[[0, 2]] = np.clip(start[[0, 2]] + shift * [1, -1], -1, 1)
    return start


def _solve(
    residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray, steps: int, free: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """Minimize the sum of squares within the limits: the pose (28,) and that sum.

    :param residuals: (N, 28) to (N, M).
    :param free: the numbers that may change; all by default.
    """
    free = np.arange(pose.SIZE) if free is None else free
    low, high = pose.LIMITS[free].T
    best = start.copy()
    best[free] = np.clip(best[free], low, high)
    here, damping = residuals(best[None])[0], 1e-3
    cost = float(here @ here)
    for _ in range(steps):
        moved = np.tile(best, (len(free), 1))
        moved[np.arange(len(free)), free] += 1e-6
        slope = ((residuals(moved) - here) / 1e-6).T
        gradient = slope.T @ here
        at_limit = ((best[free] <= low) & (gradient > 0)) | ((best[free] >= high) & (gradient < 0))
        loose = np.flatnonzero(~at_limit)
        normal = slope[:, loose].T @ slope[:, loose]
        before = cost
        for _ in range(8):
            damped = normal + damping * np.diag(normal.diagonal() + 1e-9)
            tried = best.copy()
            step = np.linalg.solve(damped, -gradient[loose])
            tried[free[loose]] = np.clip(best[free[loose]] + step, low[loose], high[loose])
            there = residuals(tried[None])[0]
            if there @ there < cost:
                best, here, cost, damping = tried, there, float(there @ there), damping / 4
                break
            damping *= 5
        if before - cost < 1e-9 * max(before, 1e-12):
            break
    return best, cost


# ---------------------------------------------------------------- files of joints


def read_joints(path: Path, size: tuple[int, int]) -> Joints:
    """The first hand in a JSON file: MediaPipe's landmarks, COCO keypoints, or a list of 21 points.

    :param size: of the image, to scale what lies between 0 and 1, as MediaPipe has it.
    :raises JointsError: if there are no 21 joints in it.
    """
    try:
        content = parse_json(path.read_bytes(), path, JointsError)
    except OSError as error:
        raise JointsError(f"{path} cannot be read ({error.strerror})") from None
    world = _find(content, "world_landmarks", "hand_world_landmarks", "multi_hand_world_landmarks", "keypoints_3d")
    flat = _find(content, "landmarks", "hand_landmarks", "multi_hand_landmarks", "keypoints")
    image, space = _points(flat or (content if world is None else None)), _points(world, in_space=True)
    if image is None and space is None:
        raise JointsError(f"{path} holds no 21 joints of a hand: neither MediaPipe's landmarks nor COCO keypoints")
    if image is not None:
        image = image[:, :2]
        if np.nanmax(np.abs(image)) <= 2:
            image = image * size
    return Joints(image, space)


def _find(content: Any, *names: str) -> Any:
    """The value of the first of these keys anywhere in JSON."""
    if isinstance(content, dict):
        for name in names:
            if name in content:
                return content[name]
        return next((found for value in content.values() if (found := _find(value, *names)) is not None), None)
    if isinstance(content, list):
        return next((found for value in content if (found := _find(value, *names)) is not None), None)
    return None


def _points(value: Any, *, in_space: bool = False) -> np.ndarray | None:
    """21 points as (21, 2) or (21, 3) float64, NaN where COCO says that one is not known; None if it is no such.

    :param in_space: those alone that have three coordinates.
    """
    while isinstance(value, list | dict):
        if isinstance(value, dict):
            value = next((part for part in value.values() if isinstance(part, list | dict)), None)
        elif len(value) == 3 * len(KEYPOINTS) and all(isinstance(part, int | float) for part in value):
            points = np.array([min(max(part, -1e9), 1e9) for part in value], float).reshape(-1, 3)
            coco = not in_space and np.isin(points[:, 2], (0, 1, 2)).all()
            return np.where(points[:, 2:] > 0, points[:, :2], np.nan) if coco else points
        elif len(value) == len(KEYPOINTS):
            try:
                rows = [[p[k] for k in "xyz" if k in p] if isinstance(p, dict) else list(p) for p in value]
                points = np.array(rows, float)
            except (TypeError, ValueError, OverflowError):
                return None
            return points if points.ndim == 2 and points.shape[1] in ((3,) if in_space else (2, 3)) else None
        else:
            value = value[0] if value else None
    return None
