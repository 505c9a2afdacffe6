"""Where bones and joints are for many poses at once, in numpy: Blender poses one at a time, and has no scipy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce

import numpy as np

from generator.hand.anatomy import Skeleton
from generator.hand.pose import SIZE, TRANSLATION


def transforms(poses: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """How each bone has moved from the bind pose.

    :param poses: (28,) or (N, 28), metres and radians.
    :returns: (21, 4, 4) or (N, 21, 4, 4) float64, bind pose to posed in scene axes; identities for the bind pose.
    :raises ValueError: if the last axis is not 28 long.
    """
    poses = np.asarray(poses, float)
    if poses.ndim not in (1, 2) or poses.shape[-1] != SIZE:
        raise ValueError(f"poses are (28,) or (N, 28), not {poses.shape}")
    batch = np.atleast_2d(poses)
    result = np.zeros((len(batch), len(skeleton.heads), 4, 4))
    for bone, parent in enumerate(skeleton.parents):
        pivot = skeleton.tails[bone] if parent < 0 else skeleton.heads[bone]
        local = _about(pivot, _rotation(batch, skeleton.dofs[bone]))
        if parent < 0:
            local[:, :3, 3] += batch[:, TRANSLATION]
            result[:, bone] = local
        else:
            result[:, bone] = result[:, parent] @ local
    return result if poses.ndim == 2 else result[0]


def keypoints(poses: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The 21 joints of :data:`handforge.dataset.KEYPOINTS`: (21, 3) or (N, 21, 3), scene axes, metres."""
    return _joints(transforms(poses, skeleton), skeleton)


def _joints(moved: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    moved = moved[..., skeleton.keypoint_bones, :, :]
    return np.einsum("...kij,kj->...ki", moved[..., :3, :3], skeleton.keypoints) + moved[..., :3, 3]


def capsules(poses: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Heads and tails of the posed bones, each (21, 3) or (N, 21, 3) m; their radii are ``skeleton.radii``."""
    return _ends(transforms(poses, skeleton), skeleton)


def _ends(moved: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    rotation, shift = moved[..., :3, :3], moved[..., :3, 3]
    heads = np.einsum("...bij,bj->...bi", rotation, skeleton.heads) + shift
    return heads, np.einsum("...bij,bj->...bi", rotation, skeleton.tails) + shift


@dataclass(frozen=True, eq=False)
class PosedSkeleton:
    """A skeleton in one pose, worked out once.

    :param pose: (28,), metres and radians.
    """

    pose: np.ndarray
    skeleton: Skeleton

    @cached_property
    def transforms(self) -> np.ndarray:
        """As :func:`transforms`, (21, 4, 4)."""
        return transforms(self.pose, self.skeleton)

    @cached_property
    def keypoints(self) -> np.ndarray:
        """As :func:`keypoints`, (21, 3)."""
        return _joints(self.transforms, self.skeleton)

    @cached_property
    def capsules(self) -> tuple[np.ndarray, np.ndarray]:
        """As :func:`capsules`, (21, 3) each."""
        return _ends(self.transforms, self.skeleton)

    def at(self, wrist_xz: np.ndarray) -> PosedSkeleton:
        """The same with its wrist elsewhere across and up (v1, v3), (2,) metres."""
        moved = self.pose.copy()
        moved[[0, 2]] = wrist_xz
        return PosedSkeleton(moved, self.skeleton)


def axis_rotation(axis: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rodrigues' formula: (N, 3, 3) turns by ``angles`` (N,), radians, about a unit axis (3,)."""
    identity, cross, squared = _cross(*axis.tolist())
    sin, cos = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return identity + sin * cross + (1.0 - cos) * squared


@lru_cache(1024)
def _cross(x: float, y: float, z: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The identity, the matrix of the cross product with an axis, and its square."""
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3), cross, cross @ cross


def _rotation(poses: np.ndarray, dofs: tuple[tuple[int, np.ndarray], ...]) -> np.ndarray:
    turns = [axis_rotation(axis, poses[:, index]) for index, axis in dofs]
    return reduce(np.matmul, turns) if turns else np.broadcast_to(np.eye(3), (len(poses), 3, 3))


def _about(pivot: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """The 4x4 of turning about a point that stays."""
    result = np.zeros((len(rotation), 4, 4))
    result[:, :3, :3] = rotation
    result[:, :3, 3] = pivot - rotation @ pivot
    result[:, 3, 3] = 1.0
    return result
