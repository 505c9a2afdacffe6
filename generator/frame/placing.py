"""Subjects of images without a hand: their matrices, and a camera that has them in its image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np

from generator.hand.camera import Camera
from generator.maths import log_uniform, transformed

FILL = 0.35, 1.3
"""Range of a subject's longest extent, as a fraction of the image's shorter side."""

NEAREST = 0.1
"""Metres between the lens and what is nearest to it."""

Matrix = tuple[tuple[float, ...], ...]


class _Placed(Protocol):
    """A frozen dataclass with a (4, 4) matrix from its own axes to the scene's."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def matrix(self) -> Matrix: ...


Placed = TypeVar("Placed", bound=_Placed)


def moved(points: np.ndarray, matrix: Matrix) -> np.ndarray:
    """Points (N, 3) by a matrix (4, 4)."""
    return transformed(points, np.array(matrix))


def matrix_of(rotation: np.ndarray, place: np.ndarray) -> Matrix:
    """The matrix that rotates by ``rotation`` (3, 3), then moves by ``place`` (3,)."""
    rows = np.eye(4)
    rows[:3, :3], rows[:3, 3] = rotation, place
    return tuple(tuple(round(float(value), 9) for value in row) for row in rows)


def shifted(one: Placed, shift: np.ndarray) -> Placed:
    """A subject moved by ``shift`` (3,)."""
    rows = np.array(one.matrix)
    return replace(one, matrix=matrix_of(rows[:3, :3], rows[:3, 3] + shift))


def frame_subject(
    rng: np.random.Generator, camera: Camera, points: np.ndarray, fill: tuple[float, float] = FILL
) -> tuple[Camera, np.ndarray]:
    """A distance at which points (N, 3) fill their part of the image, and the shift (3,) that puts them into it.

    :param fill: range of their longest extent, as a fraction of the image's shorter side.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    extent = float(np.linalg.norm((high - low)[[0, 2]]))
    filled = log_uniform(rng, *fill)
    focal = camera.matrix[0, 0]
    distance = max(focal * extent / (filled * min(camera.width, camera.height)), NEAREST + 0.6 * (high - low)[1])
    half = np.array([camera.width, camera.height]) / 2 / focal * distance
    across, along = rng.uniform(-1, 1, 2) * np.maximum(half - 0.45 * (high - low)[[0, 2]], 0.12 * half)
    return replace(camera, distance=float(distance)), np.array([across, 0.0, along]) - (low + high) / 2


def in_front(camera: Camera, points: np.ndarray) -> bool:
    """Whether all points (N, 3) are at least :data:`NEAREST` before the lens."""
    return bool((camera.to_camera(points)[:, 2] > NEAREST).all())


def around_lens(camera: Camera, points: np.ndarray) -> bool:
    """Whether no point (N, 3) is nearer than :data:`NEAREST` to the lens; they may be beside or behind it."""
    return bool((np.linalg.norm(camera.to_camera(points), axis=1) > NEAREST).all())


def pixels_outside(camera: Camera, points: np.ndarray) -> float:
    """By how many pixels the nearest of points (N, 3) is outside the image; negative inside.

    Points behind the camera are outside without end.
    """
    x, y, depth = camera.project(points).T
    away = np.maximum(
        np.abs(x - camera.width / 2) - camera.width / 2, np.abs(y - camera.height / 2) - camera.height / 2
    )
    return float(np.min(np.where(depth > 0, away, np.inf)))
