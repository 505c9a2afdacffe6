"""Where props stand: rotations and the matrices that scale, turn and move a shape of size 1."""

from __future__ import annotations

import numpy as np

from generator.maths import rotation_about


def rotation_to(normal: np.ndarray, angle: float) -> np.ndarray:
    """A rotation (3, 3) whose third column is the unit vector ``normal``, turned about it by radians."""
    helper = np.array([1.0, 0.0, 0.0]) if abs(normal[0]) < 0.9 else np.array([0.0, 0.0, 1.0])
    first = np.cross(helper, normal)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first), normal], axis=1) @ rotation_about(2, angle)


def transform(rotation: np.ndarray, center: np.ndarray, size: np.ndarray | float) -> np.ndarray:
    """The matrix (4, 4) of a shape that is scaled along its axes, turned (3, 3), then moved to ``center`` (3,)."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation * size, center
    return matrix
