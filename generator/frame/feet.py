"""Bare feet of images without a hand: how they are held, what their skin shows, and where the camera is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from generator.frame.foot_wear import Sandal, Trousers
from generator.frame.placing import (
    Matrix,
    around_lens,
    frame_subject,
    matrix_of,
    moved,
    pixels_outside,
    shifted,
)
from generator.hand.camera import Camera
from generator.hand.vectors import Color, Fraction, Side
from generator.maths import Triple, log_uniform, rotation_about, rounded
from generator.mesh import foot, skin_color
from generator.mesh.foot import FootPose, FootShape
from generator.mesh.limb_skin import LimbSkin
from generator.mesh.skin_color import Patch

_TRIES = 60

_FOCUS = {"foot": None, "toes": (-0.01, 0.21, 0.015), "heel": (0.0, 0.02, 0.03), "ankle": (0.0, 0.05, 0.09),
          "shin": (0.0, 0.07, 0.25), "knee": (0.0, 0.1, 0.47)}  # fmt: skip
"""What a photograph is of, in the mean foot's axes, metres; None: of the whole foot."""

_VIEWS = {True: {"standing": 0.2, "lying": 0.6, "any": 0.2},
          False: {"own": 0.3, "lying": 0.25, "resting": 0.15, "standing": 0.2, "any": 0.1}}  # fmt: skip
"""How feet are photographed, in a clinic (True) and elsewhere, and how often: one's ``own`` from above, ``lying`` with
the soles to the camera, ``resting`` before somebody who lies, ``standing`` as others see them, or from ``any`` side."""
_STANDING = ("own", "standing")
"""Views of feet that stand on the ground."""

_FILL = {True: (0.7, 1.9), False: (0.4, 1.6)}
"""Range of the longest extent of what a photograph is of, as a fraction of the image's shorter side, by clinic."""


_LOADED = (((0.0, 0.025, -0.01), 0.034), ((-0.03, 0.185, -0.01), 0.022), ((0.025, 0.165, -0.01), 0.026),
           ((-0.026, 0.235, 0.0), 0.013))  # fmt: skip
"""Where a sole is pressed to the ground and redder for it, and how far around, in the mean foot's axes, metres."""


_SOLE, _PALE = np.array([0.62, 0.4, 0.27], np.float32), 0.4
"""Linear RGB of thick skin without pigment, and how much nearer to it the darkest soles are than palms."""


@dataclass(frozen=True)
class PlacedFoot:
    """A bare foot with its leg.

    :param tone: skin tone, 0..1.
    :param polish: linear RGB of painted nails; None for bare ones.
    :param matrix: (4, 4), from the foot's axes to the scene's.
    :param patches: redness, wounds and plasters on the skin.
    :param sandal: None for a foot without one; ``trousers``: None for a bare leg.
    """

    side: Side
    shape: FootShape
    pose: FootPose
    tone: Fraction
    polish: Color | None
    matrix: Matrix
    skin: LimbSkin
    patches: tuple[Patch, ...] = ()
    sandal: Sandal | None = None
    trousers: Trousers | None = None

    def posed(self) -> np.ndarray:
        """The mesh's vertices as those of a right foot in its own axes, (V, 3) metres."""
        return foot.posed(foot.build(), self.shape, self.pose)

    def placed(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of the right foot's axes in scene axes, metres."""
        return moved(points * [-1, 1, 1] if self.side == "left" else points, self.matrix)

    def vertices(self) -> np.ndarray:
        """The mesh's vertices in scene axes, (V, 3) metres."""
        return self.placed(self.posed())

    def colors(self) -> np.ndarray:
        """The color of each vertex without that of the nails, (V, 3) float32 linear RGB."""
        mesh = foot.build()
        bare = replace(mesh, nail=np.zeros_like(mesh.nail))
        colors = skin_color.colors(bare, self.tone)
        colors = colors + _PALE * self.tone * mesh.palm[:, None] * (_SOLE - colors)
        return skin_color.patched(mesh.vertices, colors, self.patches)

    def surface(self) -> np.ndarray:
        """Where there is hair, raw flesh and callus, each 0..1, (V, 3)."""
        points = foot.build().vertices
        wet = [patch.strength * patch.cover(points) for patch in self.patches if patch.wet]
        return np.stack(
            [
                self.skin.hair * foot.hairiness(),
                np.max(wet, axis=0) if wet else np.zeros(len(points)),
                self.skin.callus * foot.rubbed(),
            ],
            axis=1,
        )


Feet = tuple[Camera, tuple[PlacedFoot, ...], tuple[Triple, Triple] | None]
"""A camera, what it sees, and the ground, as :class:`generator.frame.empty_scene.EmptyScene` has them."""


def draw_feet(rng: np.random.Generator, camera: Camera, clinic: bool) -> Feet:
    """One foot or the two of a person, on the ground, at rest or in the air, whole or from near.

    :param clinic: on the sheet of a bed, more often with wounds.
    """
    shape, tone = FootShape.random(rng), float(rng.uniform())
    polish = rounded(rng.uniform(0.0, 0.8, 3)) if rng.random() < (0.04 if clinic else 0.2) else None
    sides = ("right", "left") if rng.random() < (0.2 if clinic else 0.65) else (str(rng.choice(["right", "left"])),)
    parts = [0.5, 0.2, 0.06, 0.14, 0.06, 0.04] if clinic else [0.75, 0.25, 0.0, 0.0, 0.0, 0.0]
    focus = _FOCUS[str(rng.choice(list(_FOCUS), p=parts))]
    patches, skin = _skin(rng, tone, focus, 0.75 if clinic else 0.1), LimbSkin.random(rng, aged=clinic)
    plain = patches[: len(_LOADED) + 1]  # without the wounds
    view = str(rng.choice(list(_VIEWS[clinic]), p=list(_VIEWS[clinic].values())))
    sandal = Sandal.random(rng) if view in _STANDING and not clinic and rng.random() < 0.35 else None
    trousers = Trousers.random(rng) if rng.random() < 0.35 and focus in (None, _FOCUS["toes"]) else None
    best, found = -np.inf, None
    for _ in range(_TRIES):
        rotation = _foot_view(rng, view)
        apart = rng.uniform(0.055, 0.14) if len(sides) == 2 else 0.0
        feet = [_foot(rng, side, view, rotation, apart) for side in sides]
        placed = tuple(
            PlacedFoot(
                side, shape, pose, tone, polish, matrix, skin, patches if not number else plain, sandal, trousers
            )
            for number, (side, (pose, matrix)) in enumerate(zip(sides, feet, strict=True))
        )
        meshes = [one.vertices() for one in placed]
        lens, shift = frame_subject(rng, camera, _subject(meshes, focus), _FILL[clinic])
        ends = np.concatenate([points[foot.is_end()] for points in meshes]) + shift
        clear = around_lens(lens, np.concatenate(meshes) + shift) and not _hidden(
            lens, [points + shift for points in meshes]
        )
        beyond = min(pixels_outside(lens, ends), 20.0) if clear else -1e6
        if beyond > best:
            thick = sandal.thickness if sandal else 0.0
            ground = _ground(rng, view, rotation, [points + shift for points in meshes], clinic, thick)
            best, found = beyond, (lens, tuple(shifted(one, shift) for one in placed), ground)
        if beyond > 0:
            break
    assert found is not None
    return found


def _foot(
    rng: np.random.Generator, side: str, view: str, rotation: np.ndarray, apart: float
) -> tuple[FootPose, Matrix]:
    """How one foot is held, and where it is beside the other."""
    pose = FootPose.random(rng)
    if view in _STANDING:
        toes = tuple(min(toe, 0.08) for toe in pose.toes)  # not through the ground
        pose = replace(pose, ankle=float(rng.uniform(-0.2, 0.3)), rotation=0.0, toes=toes, claw=min(pose.claw, 0.4))
    elif view in ("lying", "resting"):
        pose = replace(pose, knee=min(pose.knee, 0.3), ankle=float(rng.uniform(-0.1, 0.6)))
    sign = 1 if side == "right" else -1
    place = rotation @ [sign * apart, rng.normal(0, 0.05) * (apart > 0), 0.0]
    return pose, matrix_of(rotation @ rotation_about(2, -sign * rng.normal(0.12, 0.12)), place)


def _foot_view(rng: np.random.Generator, view: str) -> np.ndarray:
    """How a foot is turned to the camera (3, 3) in one of :data:`_VIEWS`."""
    if view in ("own", "resting"):  # the leg comes from below the image and from the camera
        tilt = rng.uniform(1.5, 2.1) if view == "own" else rng.uniform(1.45, 2.0)
        return rotation_about(1, rng.normal(0, 0.15)) @ rotation_about(0, tilt) @ rotation_about(2, rng.normal(0, 0.25))
    if view == "standing":
        return rotation_about(0, rng.uniform(0.2, 1.45)) @ rotation_about(2, rng.uniform(-np.pi, np.pi))
    if view == "lying":
        rotation = rotation_about(1, np.pi + rng.normal(0, 0.5)) @ rotation_about(0, -np.pi / 2 + rng.normal(0, 0.45))
        rotation = rotation @ rotation_about(2, rng.normal(0, 0.3))
        return rotation_about(1, rng.uniform(-np.pi, np.pi)) @ rotation if rng.random() < 0.2 else rotation
    rotation = rotation_about(1, rng.normal(0, 0.5)) @ rotation_about(0, rng.uniform(-0.2, 0.6))
    return rotation @ rotation_about(2, rng.uniform(-np.pi, np.pi))


def _hidden(camera: Camera, meshes: list[np.ndarray]) -> bool:
    """Whether the legs of feet hide most of them, in sixteenths of the image's width: they come from the camera."""

    def places(points: np.ndarray) -> set[tuple[int, ...]]:
        x, y, depth = camera.project(points).T
        inside = (depth > 0) & (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
        return set(map(tuple, (np.stack([x, y], 1)[inside] // (camera.width / 16)).astype(int).tolist()))

    on_foot = np.tile(foot.build().ankle > 0.5, len(meshes))
    points = np.concatenate(meshes)
    nearest = camera.to_camera(points[on_foot])[:, 2].min()
    seen, before = places(points[on_foot]), places(points[~on_foot & (camera.to_camera(points)[:, 2] < nearest)])
    return len(seen - before) < 0.6 * len(seen) or not seen


def _subject(meshes: list[np.ndarray], focus: Triple | None) -> np.ndarray:
    """What the camera has in its image: the feet, or what is within 8 cm of the first one's focus, (N, 3)."""
    mesh = foot.build()
    if focus is None:
        return np.concatenate([points[mesh.ankle > 0.5] for points in meshes])
    return meshes[0][np.linalg.norm(mesh.vertices - focus, axis=1) < 0.08]


def _ground(
    rng: np.random.Generator, view: str, rotation: np.ndarray, meshes: list[np.ndarray], clinic: bool, thick: float
) -> tuple[Triple, Triple] | None:
    """Normal and a point of the plane that feet stand on, or that they or their legs lie on; None for one in the air.

    :param thick: of what is between feet and ground, metres.
    """
    points = np.concatenate(meshes)
    if view in _STANDING:
        normal = rotation @ [0.0, 0.0, 1.0]
    elif clinic or rng.random() < 0.85:
        slant = rng.uniform(-0.05, 0.35) if view == "lying" else rng.uniform(0.3, 1.3)
        normal = np.array([0.0, -np.sin(slant), np.cos(slant)])
    else:
        return None
    center = points[np.tile(foot.build().ankle > 0.5, len(meshes))].mean(axis=0)
    return rounded(normal), rounded(center + (np.min(points @ normal) - center @ normal - thick) * normal)


def _skin(rng: np.random.Generator, tone: float, focus: Triple | None, wounded: float) -> tuple[Patch, ...]:
    """Redness of all of it, then, with this probability, one to three wounds, scabs, bruises or plasters."""
    mesh, base = foot.build(), skin_color.base(tone)
    red = rounded(np.clip(base * [1.12, 0.68, 0.66], 0, 1))
    warm, load = rounded(np.clip(base * [1.12, 0.8, 0.66], 0, 1)), float(rng.uniform(0.0, 0.8))
    around = mesh.vertices[:, 2] < 0.15 if focus is None else np.linalg.norm(mesh.vertices - focus, axis=1) < 0.06
    near = np.flatnonzero(around)
    toes = np.flatnonzero(mesh.vertices[:, 1] > 0.17)
    flushed = mesh.vertices[rng.choice(toes if rng.random() < 0.5 else near)]
    patches = [Patch(place, size, warm, load) for place, size in _LOADED]
    patches.append(Patch(rounded(flushed), float(rng.uniform(0.03, 0.12)), red, float(rng.uniform(0.0, 0.8))))
    if rng.random() >= wounded:
        return tuple(patches)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        place, size = (
            rounded(mesh.vertices[rng.choice(near)]),
            log_uniform(rng, 0.006, 0.018),
        )
        kind = rng.random()
        patches.append(Patch(place, 3.0 * size, red, float(rng.uniform(0.3, 0.9))))
        if kind < 0.6:  # an ulcer: a pale or yellow rim, red or black inside
            rim = (0.75, 0.62, 0.42) if rng.random() < 0.6 else rounded(np.clip(base * 1.3, 0, 1))
            inside = ((0.45, 0.05, 0.04), (0.25, 0.03, 0.02), (0.03, 0.02, 0.015), (0.55, 0.4, 0.1))[rng.integers(4)]
            patches += [Patch(place, 1.5 * size, rim, 0.9), Patch(place, size, inside, 0.95, wet=True)]
        elif kind < 0.8:  # a bruise or a stain
            patches.append(Patch(place, 4.0 * size, rounded(base * [0.55, 0.42, 0.5]), float(rng.uniform(0.3, 0.8))))
        else:  # a plaster
            patches.append(Patch(place, 2.2 * size, (0.7, 0.52, 0.4) if rng.random() < 0.5 else (0.8, 0.8, 0.8), 1.0))
    return tuple(patches)
