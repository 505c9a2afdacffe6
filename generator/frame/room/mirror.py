"""A mirror behind a hand, on a wall or a table, in which it is seen a second time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generator.frame.room import materials
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Material, Mirror
from generator.frame.room.props import Prop, SceneProps
from generator.frame.room.transforms import rotation_to, transform
from generator.maths import log_uniform

FRACTION = 0.05
"""Of the images with hands seen from near, where surroundings are drawn at all; there is not always a place for it."""

_TRIES = 60
_THICK = 0.004
_CELLS = 24
"""Cells across the image, in which a reflection that is hidden by an arm is looked for."""


@dataclass(frozen=True)
class Plane:
    """A mirror's plane: unit normal (3,), and how far from the scene's origin it is along that, metres."""

    normal: np.ndarray
    offset: float

    def reflect(self, points: np.ndarray) -> np.ndarray:
        """Where scene points (N, 3) are seen in the mirror."""
        return np.asarray(points - 2 * (points @ self.normal - self.offset)[:, None] * self.normal)

    def crossed(self, start: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Where the lines from a point (3,) to others (N, 3) cross it, (N, 3)."""
        way = ends - start
        return np.asarray(start + ((self.offset - start @ self.normal) / (way @ self.normal))[:, None] * way)


def plane_of(props: Sequence[Prop], made_of: Sequence[Material]) -> Plane | None:
    """The plane of the first mirror among props; None without one."""
    for prop in props:
        if isinstance(made_of[prop.material], Mirror):
            matrix = np.array(prop.matrix)
            along = matrix[:3, 2]
            normal = along / np.linalg.norm(along)
            return Plane(normal, float(normal @ (matrix[:3, 3] + along / 2)))
    return None


def put_behind(props: SceneProps, rng: np.random.Generator, view: View) -> bool:
    """Put a mirror, and the wall or table that it is on, behind the arms; False where no hand would be seen in it.

    No arm's end is in the mirror, where it would be seen that the arm ends.
    """
    for _ in range(_TRIES):
        normal, gap = _facing(rng), log_uniform(rng, 0.01, 0.3)
        plane = Plane(normal, float((view.arm @ normal).min()) - gap)
        rotation = rotation_to(normal, np.pi / 2 + rng.normal(0, 0.1))
        eye = view.camera.position
        if eye @ normal - plane.offset < 0.05:
            continue
        hand = plane.crossed(eye, plane.reflect(view.one_hand(rng)))
        center, size = hand.mean(axis=0), rng.uniform(0.2, 0.9, 2)
        center = center + rotation @ np.append(rng.normal(0, 0.15, 2) * size, 0.0)
        if not _shows(view, plane, rotation, center, size, hand):
            continue
        rotated = transform(rotation, center - normal * _THICK / 2, np.array([*size, _THICK]))
        props.add("box", materials.mirror(rng), rotated)
        if rng.random() < 0.5:
            edge = transform(rotation, center - normal * 0.012, np.array([*(size + rng.uniform(0.01, 0.06)), 0.02]))
            props.add("box", materials.surface(rng), edge)
        props.table(rng, view, normal, center - normal * 0.02, int(rng.integers(0, 6)))
        return True
    return False


def _shows(
    view: View, plane: Plane, rotation: np.ndarray, center: np.ndarray, size: np.ndarray, hand: np.ndarray
) -> bool:
    """Whether most of a hand is seen in a mirror, beside the arms, and no arm's end.

    :param rotation: (3, 3), the mirror's axes; ``size``: (2,) along the first two, metres.
    :param hand: (N, 3), where the hand's points are seen on the mirror.
    """
    eye = view.camera.position

    def seen(points: np.ndarray) -> np.ndarray:
        x, y, depth = view.camera.project(points).T
        inside = (x > 0) & (x < view.camera.width) & (y > 0) & (y < view.camera.height) & (depth > 0)
        return np.asarray(inside & (np.abs((points - center) @ rotation[:, :2]) < size / 2).all(axis=1))

    visible = seen(hand)
    if visible.mean() < 0.6:
        return False
    taken = {*map(tuple, _cells(view, view.arm))}
    free = [tuple(cell) not in taken for cell in _cells(view, hand[visible])]
    if np.mean(free) < 0.5:
        return False
    for owner in np.unique(view.owner[view.hand]):
        own = view.owner == owner
        wrist = view.arm[own & view.hand].mean(axis=0)
        arm = view.arm[own & ~view.hand]
        if not len(arm):
            continue
        far = np.linalg.norm(arm - wrist, axis=1)
        ends = arm[far > np.quantile(far, 0.9)]
        if seen(plane.crossed(eye, plane.reflect(ends))).any():
            return False
    return True


def _cells(view: View, points: np.ndarray) -> np.ndarray:
    """The cells of the image, (N, 2) int, that points are seen in."""
    return np.asarray(view.camera.project(points)[:, :2] / view.camera.width * _CELLS).astype(int)


def _facing(rng: np.random.Generator) -> np.ndarray:
    """The normal (3,) of a wall that is seen at a slant, or of a table that is seen from above."""
    slant = np.radians(rng.uniform(25, 75) if rng.random() < 0.5 else rng.normal(0, 10))
    side = np.radians(rng.uniform(10, 60) * rng.choice([-1, 1]) if abs(slant) < 0.4 else rng.normal(0, 12))
    return np.array([np.sin(side) * np.cos(slant), -np.cos(side) * np.cos(slant), np.sin(slant)])
