"""People around a hand: whoever stands behind it in clothes, and heads, limbs and things in the colours of skin.

None of them has a hand to be found, and none is part of a mask.
"""

from __future__ import annotations

import numpy as np

from generator.frame.room import materials
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Material, cloth, flesh
from generator.frame.room.shapes import Shape
from generator.frame.room.things import Things
from generator.frame.room.transforms import rotation_to, transform
from generator.maths import rotation_about

EYE, EYE_SIZE = np.array([0.031, -0.082, -0.003]), np.array([0.028, 0.022, 0.0125])
"""Where the eye on +X is in a head, and its size, metres."""
IRIS, IRIS_SIZE = np.array([0.031, -0.0912, -0.003]), np.array([0.0115, 0.006, 0.0115])
EAR = np.array([0.073, 0.012, -0.008])
"""Where the ear on +X is, metres."""


def person(things: Things, rng: np.random.Generator, view: View) -> None:
    """Somebody behind the hand: near enough to fill much of the image with clothes, or across a table."""
    gap = np.exp(rng.uniform(np.log(0.02), np.log(1.5)))
    depth = view.behind(0.15) + gap + 0.13
    center = view.point(rng.uniform(0.15, 0.85), rng.uniform(0.2, 1.1), depth)
    upright = rng.normal(0, 0.15)
    frame = _upright(upright, rng.uniform(-0.5, 0.5))
    clothes, tone = cloth(rng), rng.uniform()
    things.add("block", clothes, transform(frame, center, np.array([0.44, 0.26, 0.74]) * rng.uniform(0.9, 1.1)))
    for side in (-1, 1):
        shoulder = center + frame @ [side * 0.2, 0.0, 0.2]
        elbow = shoulder + frame @ [side * rng.uniform(0.0, 0.15), rng.uniform(-0.1, 0.05), -0.28]
        limb(things, clothes, shoulder, elbow, 0.055)
        if rng.random() < 0.5:
            limb(things, flesh(rng, tone), elbow, elbow + frame @ [side * 0.05, 0.05, -0.22], 0.04)
    limb(things, flesh(rng, tone), center + frame @ [0, 0, 0.3], center + frame @ [0, 0, 0.5], 0.06)
    head(things, rng, center + frame @ [0, -0.02, 0.56], tone, upright)


def trunk(
    things: Things,
    rng: np.random.Generator,
    clothes: Material,
    axes: np.ndarray,
    center: np.ndarray,
    tone: float,
) -> None:
    """Somebody without arms.

    :param axes: (3, 3), columns to the side, backwards and up; ``center`` (3,): between the shoulders, metres.
    """
    size = np.array([0.4, 0.24, 0.7]) * rng.uniform(0.9, 1.1)
    things.add("block", clothes, transform(axes, center - axes @ [0.0, 0.0, 0.27], size))
    limb(things, flesh(rng, tone), center + axes @ [0, 0, 0.02], center + axes @ [0, 0, 0.2], 0.055)
    head(things, rng, center + axes @ [0, -0.02, 0.27], tone, rng.normal(0, 0.12))


def head(things: Things, rng: np.random.Generator, center: np.ndarray, tone: float, upright: float) -> None:
    """A head that looks to the camera more often than elsewhere: face, eyes, ears, hair."""
    turned = rng.normal(0, 0.5) if rng.random() < 0.75 else rng.uniform(-np.pi, np.pi)
    frame = _upright(upright, turned) @ rotation_about(0, -rng.normal(0.15, 0.25))  # nodding
    frame = frame * np.exp(rng.normal(0, 0.05, 3))  # wider, deeper, higher
    colour = materials.skin_color(rng, tone)
    dark = np.array([1.0, rng.uniform(0.5, 0.9), rng.uniform(0.3, 0.9)]) * np.exp(rng.uniform(-5, -1))

    def put(shape: Shape, material: Material, place: np.ndarray, size: np.ndarray | float = 1.0) -> None:
        things.add(shape, material, transform(frame, center + frame @ place, size))

    put("head", materials.face(rng, colour, dark), np.zeros(3))
    ears = materials.plain(rng, np.clip(colour * [1.1, 0.95, 0.9], 0, 1), roughness=0.5, uneven=0.05)
    for side in (-1, 1):
        put("ear", ears, EAR * [side, 1, 1], np.array([side, 1, 1]) * rng.uniform(0.85, 1.15))
    shut = rng.random() < 0.15
    eye = ears if shut else materials.plain(rng, np.full(3, rng.uniform(0.3, 0.6)))
    iris = eye if shut else materials.plain(rng, np.array([1.0, 0.7, 0.5]) * rng.uniform(0.005, 0.08))
    for side in (-1, 1):
        put("ball", eye, EYE * [side, 1, 1], EYE_SIZE)
        put("ball", iris, IRIS * [side, 1, 1], IRIS_SIZE)
    if rng.random() < 0.88:
        hair = materials.plain(rng, dark, roughness=rng.uniform(0.35, 0.8), relief=0.004, uneven=0.5)
        put("hair", hair, np.zeros(3))
        if rng.random() < 0.35:  # long
            length = rng.uniform(0.25, 0.45)
            put("block", hair, np.array([0, 0.05, 0.08 - length / 2]), np.array([0.17, 0.11, length]))


def distract(things: Things, rng: np.random.Generator, view: View) -> None:
    """A few heads, limbs and lumps in the colours of skin beside and behind the hand."""
    for _ in range(int(rng.integers(1, 5))):
        kind, tone, radius = rng.random(), rng.uniform(), 0.15
        back = view.behind(0.0) + np.exp(rng.uniform(np.log(0.02), np.log(0.8)))
        across, down = rng.uniform(size=2)
        center = view.point(across, down, back)
        if kind < 0.45:
            center[1] += 0.12
            if view.clear(center, radius):
                head(things, rng, center, tone, rng.normal(0, 0.4))
        elif kind < 0.65:  # across the image, from edge to edge
            half = np.array([np.cos(a := rng.uniform(0, np.pi)), rng.uniform(-0.4, 0.4), np.sin(a)]) * 1.2
            center[1] += 0.06
            if view.clear(center, 0.05, half):
                limb(things, flesh(rng, tone), center - half, center + half, rng.uniform(0.02, 0.05))
        else:
            size = np.exp(rng.uniform(np.log(0.02), np.log(0.2), 3))
            if view.clear(center, float(size.max()) / 2):
                rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
                things.add("ball", flesh(rng, tone), transform(rotation, center, size))


def limb(things: Things, material: Material, start: np.ndarray, end: np.ndarray, radius: float) -> None:
    """Put a rounded tube between two points into the scene."""
    length = float(np.linalg.norm(end - start))
    rotation = rotation_to((end - start) / length, 0.0)
    things.add("tube", material, transform(rotation, (start + end) / 2, np.array([2 * radius, 2 * radius, length])))
    for joint in (start, end):
        things.add("ball", material, transform(rotation, joint, 2 * radius))


def _upright(roll: float, turned: float) -> np.ndarray:
    """Axes (3, 3) of a person who faces the camera (-Y), turned about the vertical, then in the image's plane."""
    return rotation_about(1, roll) @ rotation_about(2, turned)
