"""Glass before the hand: a pane, as of a window or a screen, or a drinking glass. Masks are what they were without."""

from __future__ import annotations

import numpy as np

from generator.frame.room import materials
from generator.frame.room.arm_view import View
from generator.frame.room.props import PLANE_SIZE, SceneProps
from generator.frame.room.transforms import rotation_to, transform
from generator.maths import log_uniform

FRACTION = 0.06
"""Of the images with hands, where occluders before the hand are drawn at all."""

_TRIES = 12
_NEAREST = 0.04
"""Metres between the lens and glass."""


def put_before(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """Put a pane or a drinking glass between the camera and the hands; nothing where there is no place for it."""
    for _ in range(_TRIES):
        if _pane(props, rng, view) if rng.random() < 0.6 else _tumbler(props, rng, view):
            return


def _pane(props: SceneProps, rng: np.random.Generator, view: View) -> bool:
    """A pane before all of the arms that is in the image: larger than it, or a plate whose edges are in sight."""
    normal = np.array([rng.normal(0, 0.25), -1.0, rng.normal(0, 0.25)])
    normal /= np.linalg.norm(normal)
    seen = view.arm[view.inside(0.2)]
    if not len(seen):
        return False
    gap, thick = log_uniform(rng, 0.004, 0.25), rng.uniform(0.002, 0.008)
    offset = float((seen @ normal).max()) + gap + thick / 2
    eye = view.camera.position
    if float(eye @ normal) - offset < _NEAREST:
        return False
    ahead = view.one_hand(rng).mean(axis=0) - eye
    center = eye + (offset - eye @ normal) / (ahead @ normal) * ahead
    size = np.array([PLANE_SIZE, PLANE_SIZE, thick])
    rotation = rotation_to(normal, 0.0)
    if rng.random() < 0.4:
        size[:2] = rng.uniform(0.12, 0.5, 2)
        center = center + rotation @ np.append(rng.normal(0, 0.25, 2) * size[:2], 0.0)
        rotation = rotation @ rotation_to(np.array([0.0, 0.0, 1.0]), rng.normal(0, 0.15))
    props.add("box", materials.glass(rng), transform(rotation, center, size))
    return True


def _tumbler(props: SceneProps, rng: np.random.Generator, view: View) -> bool:
    """A drinking glass, a beaker or a jar, nearly upright in the image; False if it would touch an arm."""
    wide, high = rng.uniform(0.055, 0.1), rng.uniform(0.08, 0.2)
    hand = view.one_hand(rng)
    eye = view.camera.position
    target = hand[rng.integers(len(hand))]
    center = eye + (target - eye) * (1 - log_uniform(rng, 0.1, 0.5))
    up = np.array([rng.normal(0, 0.12), rng.uniform(-0.7, 0.1), 1.0])
    up /= np.linalg.norm(up)
    if center[1] + view.camera.distance < _NEAREST + wide or not view.clear(center, wide / 2, up * high / 2):
        return False
    rotation = rotation_to(up, rng.uniform(0, 2 * np.pi))
    props.add("tumbler", materials.glass(rng), transform(rotation, center, np.array([wide, wide, high])))
    return True
