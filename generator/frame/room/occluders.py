"""Props before the hand or in it: pencils, cords, cups, cards. The mask is what is still seen of the hand."""

from __future__ import annotations

import numpy as np

from generator.frame.room import materials
from generator.frame.room.arm_view import View
from generator.frame.room.props import SceneProps
from generator.frame.room.shapes import Shape, pick
from generator.frame.room.transforms import rotation_to, transform
from generator.maths import log_uniform

MOST = 0.45
"""The fraction of the hand that one prop may hide, about."""

_TRIES = 12


def cover(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """Put one to three props between the camera and the hand."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        for _ in range(_TRIES):
            if _try(props, rng, view):
                break


def hold(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """Put a prop into the hand: one that passes through palm and fingers as much as it is gripped by them."""
    thick = log_uniform(rng, 0.008, 0.06)
    shape = pick(rng, "tube", "tube", "box", "block", "ball")
    size = np.array([thick, thick * (1 if shape in ("tube", "ball") else rng.uniform(0.3, 1)), thick])
    if shape != "ball":
        size[2] = rng.uniform(0.05, 0.22)
    center = view.one_hand(rng).mean(axis=0) + rng.normal(0, 0.015, 3)
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    matrix = transform(rotation_to(direction, rng.uniform(0, 2 * np.pi)), center, size)
    props.add(shape, materials.surface(rng), matrix)


def _try(props: SceneProps, rng: np.random.Generator, view: View) -> bool:
    """Draw one prop; False if it would touch the arm, hide too much, or hide nothing."""
    shape, size = _size(rng)
    target = view.arm[view.hand][rng.integers(view.hand.sum())]
    eye = view.camera.position
    nearer = log_uniform(rng, 0.02, 0.2)
    center = eye + (target - eye) * (1 - nearer) + rng.normal(0, 0.3, 3) * min(size[0], 0.05)
    direction = rng.normal(size=3) * [1.0, 0.35, 1.0]
    direction /= np.linalg.norm(direction)
    half = direction * size[2] / 2
    radius = float(np.hypot(*size[:2])) / 2 if shape == "box" else size[0] / 2
    hidden = _hidden(view, center, radius, half)
    if not view.clear(center, radius, half) or not 0.01 < hidden < MOST:
        return False
    matrix = transform(rotation_to(direction, rng.uniform(0, 2 * np.pi)), center, size)
    props.add(shape, materials.everyday(rng), matrix)
    return True


def _size(rng: np.random.Generator) -> tuple[Shape, np.ndarray]:
    """A shape and its size (3,) in metres, the last along its axis."""
    kind = rng.random()
    if kind < 0.5:  # pencil, rod
        thick = rng.uniform(0.005, 0.014)
        return "tube", np.array([thick, thick, rng.uniform(0.1, 0.3)])
    if kind < 0.65:  # cord
        thick = rng.uniform(0.002, 0.005)
        return "tube", np.array([thick, thick, 1.5])
    if kind < 0.85:  # cup, bottle
        thick = rng.uniform(0.05, 0.09)
        return "tube", np.array([thick, thick, rng.uniform(0.08, 0.22)])
    return "box", np.array([rng.uniform(0.04, 0.09), 0.002, rng.uniform(0.06, 0.15)])


def _hidden(view: View, center: np.ndarray, radius: float, half: np.ndarray) -> float:
    """About which fraction of the hand's surface lies behind a rod of this half axis, as the camera sees it."""
    hand = view.camera.to_camera(view.arm[view.hand][::7])
    ends = view.camera.to_camera(np.array([center - half, center + half]))
    if ends[:, 2].min() < 0.05:
        return 1.0
    flat, (a, b) = hand[:, :2] / hand[:, 2:], ends[:, :2] / ends[:, 2:]
    along = np.clip((flat - a) @ (b - a) / max((b - a) @ (b - a), 1e-12), 0, 1)
    apart = np.linalg.norm(flat - (a + along[:, None] * (b - a)), axis=1)
    return float((apart < radius / ends[:, 2].mean()).mean())
