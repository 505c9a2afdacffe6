"""Bending a mesh by its bones in numpy, for what has no Blender: dual quaternions, as its "preserve volume" does it."""

from __future__ import annotations

import numpy as np


def skin(vertices: np.ndarray, weights: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """The vertices of a posed mesh.

    Dual quaternion linear blending (Kavan et al., Skinning with Dual Quaternions, I3D 2007).

    :param vertices: (V, 3) in the bind pose.
    :param weights: (V, B), rows sum to 1.
    :param transforms: (B, 4, 4) rigid, bind pose to posed (:func:`generator.hand.kinematics.transforms`).
    :returns: (V, 3) float64.
    """
    real, dual = _dual_quaternions(transforms)
    real_by_vertex, dual_by_vertex = _blend(weights, real, dual)
    norm = np.linalg.norm(real_by_vertex, axis=1, keepdims=True)
    real_by_vertex, dual_by_vertex = real_by_vertex / norm, dual_by_vertex / norm
    w, q = real_by_vertex[:, :1], real_by_vertex[:, 1:]
    dual_w, dual_q = dual_by_vertex[:, :1], dual_by_vertex[:, 1:]
    rotated = vertices + 2 * np.cross(q, np.cross(q, vertices) + w * vertices)
    return rotated + 2 * (w * dual_q - dual_w * q + np.cross(q, dual_q))


def _blend(weights: np.ndarray, real: np.ndarray, dual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted sums, each quaternion on the side of the vertex's heaviest bone (q and -q are one rotation)."""
    pivot = real[np.argmax(weights, axis=1)]
    signed = weights * np.where(pivot @ real.T < 0, -1.0, 1.0)
    return signed @ real, signed @ dual


def _dual_quaternions(transforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    real = np.array([_quaternion(matrix[:3, :3]) for matrix in transforms])
    shift = transforms[:, :3, 3]
    w, q = real[:, :1], real[:, 1:]
    dual = 0.5 * np.concatenate([-(shift * q).sum(axis=1, keepdims=True), w * shift + np.cross(shift, q)], axis=1)
    return real, dual


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """w, x, y, z of a rotation matrix: the eigenvector of the greatest eigenvalue (Bar-Itzhack 2000)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    matrix = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    return np.linalg.eigh(matrix)[1][:, -1]
