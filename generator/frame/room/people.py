"""People around a hand: whoever stands or sits behind it in clothes, and limbs and objects in the colours of skin.

None of them has a hand to be found, and none is part of a mask.
"""

from __future__ import annotations

import numpy as np

from generator.frame.room import materials
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Material, cloth, flesh
from generator.frame.room.props import SceneProps
from generator.frame.room.shapes import Shape
from generator.frame.room.transforms import rotation_to, transform
from generator.maths import log_uniform, rotation_about, triple
from generator.mesh import person_mesh
from generator.mesh.skin_color import hair_color

EYE, EYE_SIZE = np.array([0.031, -0.082, -0.003]), np.array([0.028, 0.022, 0.0125])
"""Where the eye on +X is in a head, and its size, metres."""
IRIS, IRIS_SIZE = np.array([0.031, -0.0912, -0.003]), np.array([0.0115, 0.006, 0.0115])
EAR = np.array([0.073, 0.012, -0.008])
"""Where the ear on +X is, metres."""

SLEEVE = np.array([0.18, 0.004, -0.012])
"""Where the sleeve on +X begins, metres from between the shoulders; so are all places of a body below."""
TALL = {False: 1.45, True: 1.03}
"""How high shoulders are above the soles, by whether somebody sits, metres."""
LAP = -0.45
"""How high the lap of somebody who sits is, metres from the shoulders."""
_HEAD, _HIP, _POCKET = np.array([0.0, -0.03, 0.222]), np.array([0.09, 0.0, -0.62]), np.array([0.13, -0.055, -0.53])
_STANDING = (_HIP, np.array([0.1, -0.01, -1.0]), np.array([0.11, 0.03, -1.37]))
_SITTING = (np.array([0.09, -0.04, -0.56]), np.array([0.12, -0.45, -0.55]), np.array([0.12, -0.43, -0.95]))
"""Hip, knee and ankle on +X."""

_TRUNK = ((0, -0.03, 0.23, 0.14), (0.11, 0, -0.08, 0.14), (0.2, 0, -0.03, 0.08), (0.08, 0, -0.3, 0.13),
          (0.09, 0, -0.53, 0.13), (0.27, 0.05, -0.28, 0.07))  # fmt: skip
_LEGS = {
    False: ((0.1, 0, -0.78, 0.09), (0.1, 0, -0.95, 0.08), (0.1, 0.01, -1.12, 0.07), (0.11, 0, -1.3, 0.07)),
    True: ((0.11, -0.2, -0.56, 0.1), (0.12, -0.38, -0.56, 0.1), (0.12, -0.44, -0.75, 0.08), (0.12, -0.46, -0.93, 0.08),
           (0.1, 0, -0.8, 0.16)),
}  # fmt: skip
"""Balls that a body is within: X, which is on both sides, Y, Z and radius; legs by whether they sit."""


_LIMBS: tuple[tuple[Shape, Shape, float, float], ...] = (
    ("upper arm", "forearm", 0.048, 0.83),
    ("thigh", "shank", 0.088, 0.64),
)
"""Bare limbs: the radius of the upper part where it is thickest, metres, and that of the lower one to it."""
_TRIES = 16


def balls(axes: np.ndarray, center: np.ndarray, *, sits: bool) -> np.ndarray:
    """Balls (N, 4) that somebody's body is within, scene points and radii, metres; :func:`dressed` says where it is."""
    right = np.array(_TRUNK + _LEGS[sits])
    both = np.concatenate([right, right * [-1, 1, 1, 1]])
    return np.column_stack([center + both[:, :3] @ axes.T, both[:, 3]])


def person(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """Somebody behind the hand: near enough to fill much of the image with clothes, or across a table."""
    gap = log_uniform(rng, 0.02, 1.5)
    depth = view.behind(0.15) + gap + 0.13
    across, down = rng.uniform(0.15, 0.85), rng.uniform(0.2, 1.1)
    axes, sits = _on(props.up, rng.normal(0, 0.01), rng.uniform(-0.5, 0.5)), bool(rng.random() < 0.3)
    for step in range(10):
        center = _standing(props, view.point(across, down, depth + 0.1 * step) + axes @ [0.0, 0.0, 0.2], sits)
        if props.free(view, balls(axes, center, sits=sits)):
            dressed(props, rng, cloth(rng), axes, center, rng.uniform(), sits=sits)
            return


def dressed(
    props: SceneProps,
    rng: np.random.Generator,
    clothes: Material,
    axes: np.ndarray,
    center: np.ndarray,
    tone: float,
    *,
    sits: bool,
    pocketed: tuple[int, ...] = (-1, 1),
    bare: bool | None = None,
    tall: float | None = None,
) -> None:
    """Somebody in clothes, without the hands, which are in pockets.

    :param clothes: of the trunk.
    :param axes: (3, 3), columns to the side, backwards and up.
    :param center: (3,), between the shoulders, metres.
    :param pocketed: signs of X on whose side there is an arm at all.
    :param bare: whether forearms are bare; None to draw it.
    :param tall: how high the shoulders are above the soles, metres; None for :data:`TALL`.
    """
    props.bodies.append(balls(axes, center, sits=sits))
    if props.ground is None:
        props.ground = float((center - axes[:, 2] * (TALL[sits] if tall is None else tall)) @ props.up)
    color = materials.skin_color(rng, tone)
    skin = materials.plain(rng, color, roughness=0.5, uneven=0.08)
    size = rng.uniform([0.94, 0.92, 0.97], [1.06, 1.16, 1.03])

    variant = int(rng.integers(person_mesh.VARIANTS))
    props.add("shirt", clothes, transform(axes, center, size), variant=variant)
    props.add("neck", skin, transform(axes, center, size))
    below = -(TALL[sits] if tall is None else tall)
    _below(props, rng, axes * size, center, below / size[2], sits=sits)
    bare = rng.random() < 0.5 if bare is None else bare
    for side in pocketed:
        shoulder = center + axes @ (SLEEVE * [side, 1, 1])
        elbow = shoulder + axes @ [side * rng.uniform(0.04, 0.1), rng.uniform(0.03, 0.09), -0.28]
        pocket = center + (axes * size) @ (_POCKET * [side, 1, 1])
        if bare:
            limb(props, "upper arm", skin, shoulder, elbow, 0.048)
            sleeve(props, rng, clothes, shoulder, shoulder + 0.6 * (elbow - shoulder), 0.064)
            limb(props, "forearm", skin, elbow, pocket, 0.041)
        else:
            sleeve(props, rng, clothes, shoulder, elbow, 0.06)
            sleeve(props, rng, clothes, elbow, pocket, 0.047)
    rotation = np.clip(rng.normal(0, 0.35), -1.0, 1.0)
    lean = rotation_about(1, np.clip(rng.normal(0, 0.12), -0.3, 0.3)) @ rotation_about(2, rotation)
    head(props, rng, axes @ lean, center + axes @ _HEAD, color, tone)


def _below(
    props: SceneProps, rng: np.random.Generator, axes: np.ndarray, center: np.ndarray, sole: float, *, sits: bool
) -> None:
    """Trousers and shoes, and a stool where somebody ``sits``.

    :param axes: (3, 3), as long as the body is large.
    :param sole: how high the soles are from the shoulders, along the last axis.
    """
    trousers = cloth(rng)
    shoes = materials.plain(rng, np.full(3, np.exp(rng.uniform(-5, -0.5))), uneven=0.05)
    props.add("hips", trousers, transform(axes, center, 1.0), variant=int(rng.integers(person_mesh.VARIANTS)))
    for side in (-1, 1):
        joints = np.array(_SITTING if sits else _STANDING) * [side, 1, 1]
        fixed = joints[1 if sits else 0, 2]
        longer = (sole + 0.08 - fixed) / (joints[2, 2] - fixed)  # what is below the hip, or the knee of who sits
        joints[1:, 2] = fixed + (joints[1:, 2] - fixed) * longer
        hip, knee, ankle = center + joints @ axes.T
        sleeve(props, rng, trousers, hip, knee, 0.092)
        sleeve(props, rng, trousers, knee, ankle, 0.068)
        props.add("block", shoes, transform(axes, ankle + axes @ [0.0, -0.06, -0.03], np.array([0.1, 0.28, 0.1])))
    if sits:
        seat = materials.surface(rng)
        leg = -0.7 - sole
        for place, size in ((-0.685, (0.42, 0.42, 0.05)), (-0.7 - leg / 2, (0.06, 0.06, leg))):
            props.add("box", seat, transform(axes, center + axes @ [0, -0.03, place], np.array(size)))


def head(
    props: SceneProps,
    rng: np.random.Generator,
    rotated: np.ndarray,
    center: np.ndarray,
    color: np.ndarray,
    tone: float,
) -> None:
    """A head: face, eyes, ears, hair.

    :param rotated: (3, 3), columns to its side, backwards and up; it nods beside.
    :param color: of its skin, linear RGB (3,), of this tone.
    """
    frame = rotated @ rotation_about(0, -np.clip(rng.normal(0.1, 0.2), -0.3, 0.5))  # nodding
    frame = frame * np.exp(rng.normal(0, 0.05, 3))  # wider, deeper, higher
    dark, haired = hair_color(rng, tone), rng.random() < 0.88
    if rng.random() < 0.15:  # grey with age
        dark = triple(np.array([1.0, 0.97, 0.92]) * rng.uniform(0.15, 0.6))

    def put(shape: Shape, material: Material, place: np.ndarray, size: np.ndarray | float = 1.0) -> None:
        props.add(shape, material, transform(frame, center + frame @ place, size))

    put("head", materials.face(rng, color, dark, 0.9 if haired else float(rng.choice([0.0, 0.3]))), np.zeros(3))
    ears = materials.plain(rng, np.clip(color * [1.1, 0.95, 0.9], 0, 1), roughness=0.5, uneven=0.05)
    for side in (-1, 1):
        put("ear", ears, EAR * [side, 1, 1], np.array([side, 1, 1]) * rng.uniform(0.85, 1.15))
    shut = rng.random() < 0.15
    eye = ears if shut else materials.plain(rng, np.full(3, rng.uniform(0.3, 0.6)))
    iris = eye if shut else materials.plain(rng, np.array([1.0, 0.7, 0.5]) * rng.uniform(0.005, 0.08))
    for side in (-1, 1):
        put("ball", eye, EYE * [side, 1, 1], EYE_SIZE)
        put("ball", iris, IRIS * [side, 1, 1], IRIS_SIZE)
    if haired:
        hair = materials.hair(rng, dark)
        put("hair", hair, np.zeros(3))
        if rng.random() < 0.35:
            put("long hair", hair, np.zeros(3), np.array([1.0, 1.0, rng.uniform(0.16, 0.4)]))


def distract(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """A few people, limbs and lumps in the colours of skin beside and behind the hand."""
    for _ in range(int(rng.integers(1, 5))):
        kind, tone = rng.random(), rng.uniform()
        back = view.behind(0.0) + log_uniform(rng, 0.02, 0.8)
        across, down = rng.uniform(size=2)
        center = view.point(across, down, back)
        if kind < 0.5:
            beside(props, rng, view, back, tone)
        elif kind < 0.8:  # across the image, from edge to edge, bent in it
            across_image = view.camera.width * back / view.camera.matrix[0, 0]
            half = np.array([np.cos(a := rng.uniform(0, np.pi)), rng.uniform(-0.4, 0.4), np.sin(a)])
            half *= max(0.3, 0.75 * across_image)
            center[1] += 0.06
            other = rotation_about(1, rng.uniform(-0.8, 0.8)) @ half
            ways = (-half / 2, other / 2)
            upper, lower, radius, thinner = _LIMBS[int(rng.integers(len(_LIMBS)))]
            radius *= float(rng.uniform(0.75, 1.15))
            if all(view.clear(center + way, radius, way) for way in ways):
                skin = flesh(rng, tone)
                limb(props, upper, skin, center - half, center, radius)
                limb(props, lower, skin, center, center + other, thinner * radius)
        else:
            size = np.exp(rng.uniform(np.log(0.02), np.log(0.2), 3))
            if view.clear(center, float(size.max()) / 2):
                rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
                props.add("ball", flesh(rng, tone), transform(rotation, center, size))


def beside(props: SceneProps, rng: np.random.Generator, view: View, depth: float, tone: float) -> None:
    """Somebody whose head is somewhere in the image, at this depth or farther, where there is room for all of a body.

    Whoever is there looks to the camera more often than elsewhere, and stands on what props stand on.
    """
    for step in range(_TRIES):
        rotated = rng.normal(0, 0.5) if rng.random() < 0.75 else rng.uniform(-np.pi, np.pi)
        axes, sits = _on(props.up, rng.normal(0, 0.01), rotated), bool(rng.random() < 0.3)
        across, down = rng.uniform([0.02, 0.05], [0.98, 0.85])
        center = _standing(props, view.point(across, down, depth + 0.2 + 0.06 * step) - axes @ _HEAD, sits)
        if props.free(view, balls(axes, center, sits=sits)):
            dressed(props, rng, cloth(rng), axes, center, tone, sits=sits)
            return


def _standing(props: SceneProps, center: np.ndarray, sits: bool) -> np.ndarray:
    """Where somebody's shoulders are who is there, on the ground if there is one."""
    if props.ground is None:
        return center
    return np.asarray(center + props.up * (props.ground + TALL[sits] - center @ props.up))


def limb(
    props: SceneProps, shape: Shape, material: Material, start: np.ndarray, end: np.ndarray, radius: float
) -> None:
    """Put a bare part of an arm or a leg between two joints into the scene, of a radius where it is thickest."""
    props.add(shape, material, _between(start, end, radius))


def sleeve(
    props: SceneProps, rng: np.random.Generator, material: Material, start: np.ndarray, end: np.ndarray, radius: float
) -> None:
    """Put cloth around a part of an arm or a leg between two joints into the scene; no two have the same folds."""
    props.add("sleeve", material, _between(start, end, radius), variant=int(rng.integers(2**16)))


def _between(start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    length = float(np.linalg.norm(end - start))
    rotation = rotation_to((end - start) / length, 0.0)
    return transform(rotation, (start + end) / 2, np.array([2 * radius, 2 * radius, length]))


def _on(up: np.ndarray, roll: float, rotated: float) -> np.ndarray:
    """Axes (3, 3) of somebody who faces the camera (-Y), turned about the vertical, then in the image's plane.

    :param up: (3,) the vertical.
    """
    side = np.cross([0.0, 1.0, 0.0], up)
    side /= np.linalg.norm(side)
    return rotation_about(1, roll) @ np.stack([side, np.cross(up, side), up], axis=1) @ rotation_about(2, rotated)
