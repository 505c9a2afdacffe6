"""Bare feet of images without a hand: how they are held, what their skin shows, and where the camera is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from generator.frame.placing import (
    FILL,
    Matrix,
    frame_subject,
    in_front,
    matrix_of,
    moved,
    pixels_outside,
    shifted,
)
from generator.hand.camera import Camera
from generator.maths import Triple, rotation_about, rounded
from generator.mesh import foot, skin_color
from generator.mesh.foot import FootPose, FootShape
from generator.mesh.limb_skin import LimbSkin
from generator.mesh.skin_color import Patch

_TRIES = 60

_FOCUS = {"foot": None, "toes": (-0.01, 0.21, 0.015), "heel": (0.0, 0.02, 0.03), "ankle": (0.0, 0.05, 0.09),
          "shin": (0.0, 0.07, 0.25), "knee": (0.0, 0.1, 0.47)}  # fmt: skip
"""What a photograph in a clinic is of, in the mean foot's axes, metres; None: of the whole foot."""


_LOADED = (((0.0, 0.025, -0.01), 0.034), ((-0.03, 0.185, -0.01), 0.022), ((0.025, 0.165, -0.01), 0.026),
           ((-0.026, 0.235, 0.0), 0.013))  # fmt: skip
"""Where a sole is pressed to the ground and redder for it, and how far around, in the mean foot's axes, metres."""


@dataclass(frozen=True)
class PlacedFoot:
    """A bare foot with its leg.

    :param side: ``right`` or ``left``.
    :param tone: skin tone, 0..1.
    :param polish: linear RGB of painted nails; None for bare ones.
    :param matrix: (4, 4), from the foot's axes to the scene's.
    :param patches: redness, wounds and plasters on the skin.
    """

    side: str
    shape: FootShape
    pose: FootPose
    tone: float
    polish: Triple | None
    matrix: Matrix
    skin: LimbSkin
    patches: tuple[Patch, ...] = ()

    def vertices(self) -> np.ndarray:
        """The mesh's vertices in scene axes, (V, 3) metres."""
        points = foot.posed(foot.build(), self.shape, self.pose)
        return moved(points * [-1, 1, 1] if self.side == "left" else points, self.matrix)

    def colors(self) -> np.ndarray:
        """The color of each vertex without that of the nails, (V, 3) float32 linear RGB."""
        mesh = foot.build()
        bare = replace(mesh, nail=np.zeros_like(mesh.nail))
        return skin_color.patched(mesh.vertices, skin_color.colours(bare, self.tone), self.patches)

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
    """One foot or the two of a person: on the ground seen from above, soles to the camera, or from anywhere.

    :param clinic: on the sheet of a bed, whole or from near, more often with wounds.
    """
    shape, tone = FootShape.random(rng), float(rng.uniform())
    polish = rounded(rng.uniform(0.0, 0.8, 3)) if rng.random() < (0.04 if clinic else 0.2) else None
    sides = ("right", "left") if rng.random() < (0.2 if clinic else 0.55) else (str(rng.choice(["right", "left"])),)
    focus = _FOCUS[str(rng.choice(list(_FOCUS), p=[0.5, 0.12, 0.08, 0.16, 0.08, 0.06]))] if clinic else None
    patches, skin = _skin(rng, tone, focus, 0.75 if clinic else 0.1), LimbSkin.random(rng, worn=clinic)
    plain = patches[: len(_LOADED) + 1]  # without the wounds
    best, found = -np.inf, None
    for _ in range(_TRIES):
        turn, view = _foot_view(rng, clinic)
        apart = rng.uniform(0.06, 0.14) if len(sides) == 2 else 0.0
        feet = [_foot(rng, side, view, turn, apart) for side in sides]
        placed = tuple(
            PlacedFoot(side, shape, pose, tone, polish, matrix, skin, patches if number == 0 else plain)
            for number, (side, (pose, matrix)) in enumerate(zip(sides, feet, strict=True))
        )
        meshes = [one.vertices() for one in placed]
        lens, shift = frame_subject(rng, camera, _subject(meshes, focus), (0.7, 1.9) if clinic else FILL)
        ends = np.concatenate([points[foot.is_end()] for points in meshes]) + shift
        beyond = min(pixels_outside(lens, ends), 20.0) if in_front(lens, np.concatenate(meshes) + shift) else -1e6
        if beyond > best:
            ground = _ground(rng, view, turn, [points + shift for points in meshes], clinic)
            best, found = beyond, (lens, tuple(shifted(one, shift) for one in placed), ground)
        if beyond > 0:
            break
    assert found is not None
    return found


def _foot(rng: np.random.Generator, side: str, view: str, turn: np.ndarray, apart: float) -> tuple[FootPose, Matrix]:
    """How one foot is held, and where it is beside the other."""
    pose = FootPose.random(rng)
    if view == "standing":
        toes = tuple(min(toe, 0.08) for toe in pose.toes)  # not through the ground
        pose = replace(pose, ankle=float(rng.uniform(-0.2, 0.3)), turn=0.0, toes=toes, claw=min(pose.claw, 0.4))
    elif view == "lying":
        pose = replace(pose, knee=min(pose.knee, 0.3))
    sign = 1 if side == "right" else -1
    place = turn @ [sign * apart, rng.normal(0, 0.05) * (apart > 0), 0.0]
    return pose, matrix_of(turn @ rotation_about(2, -sign * rng.normal(0.12, 0.12)), place)


def _foot_view(rng: np.random.Generator, clinic: bool) -> tuple[np.ndarray, str]:
    """How a foot is turned to the camera (3, 3): ``standing`` on the ground, ``lying`` with its sole to it, or any."""
    view = rng.random()
    if view < (0.2 if clinic else 0.45):  # on the ground, seen from above
        return rotation_about(0, rng.uniform(0.2, 1.45)) @ rotation_about(2, rng.uniform(-np.pi, np.pi)), "standing"
    if view < (0.65 if clinic else 0.75):  # somebody lies, the sole is to the camera
        turn = rotation_about(1, np.pi + rng.normal(0, 0.5)) @ rotation_about(0, -np.pi / 2 + rng.normal(0, 0.45))
        turn = turn @ rotation_about(2, rng.normal(0, 0.3))
        return (rotation_about(1, rng.uniform(-np.pi, np.pi)) @ turn if rng.random() < 0.2 else turn), "lying"
    turn = rotation_about(1, rng.normal(0, 0.5)) @ rotation_about(0, rng.uniform(-0.2, 0.6))
    return turn @ rotation_about(2, rng.uniform(-np.pi, np.pi)), "any"


def _subject(meshes: list[np.ndarray], focus: Triple | None) -> np.ndarray:
    """What the camera has in its image: the feet, or what is within 8 cm of the first one's focus, (N, 3)."""
    mesh = foot.build()
    if focus is None:
        return np.concatenate([points[mesh.ankle > 0.5] for points in meshes])
    return meshes[0][np.linalg.norm(mesh.vertices - focus, axis=1) < 0.08]


def _ground(
    rng: np.random.Generator, view: str, turn: np.ndarray, meshes: list[np.ndarray], clinic: bool
) -> tuple[Triple, Triple] | None:
    """Normal and a point of the plane that feet stand on; in a clinic also of the sheet that they lie on or before."""
    points = np.concatenate(meshes)
    if view == "standing":
        normal = turn @ [0.0, 0.0, 1.0]
    elif clinic:
        slant = rng.uniform(-0.05, 0.35) if view == "lying" else rng.uniform(0.3, 1.3)
        normal = np.array([0.0, -np.sin(slant), np.cos(slant)])
    else:
        return None
    middle = points[np.tile(foot.build().ankle > 0.5, len(meshes))].mean(axis=0)
    return rounded(normal), rounded(middle + (np.min(points @ normal) - middle @ normal) * normal)


def _skin(rng: np.random.Generator, tone: float, focus: Triple | None, wounded: float) -> tuple[Patch, ...]:
    """Redness of all of it, then, with this probability, one to three wounds, scabs, bruises or plasters."""
    mesh, base = foot.build(), skin_color.base(tone)
    red = rounded(np.clip(base * [1.12, 0.68, 0.66], 0, 1))
    warm, load = rounded(np.clip(base * [1.12, 0.8, 0.66], 0, 1)), float(rng.uniform(0.0, 0.8))
    near = np.flatnonzero(mesh.vertices[:, 2] < 0.15 if focus is None else
                          np.linalg.norm(mesh.vertices - (focus or (0, 0, 0)), axis=1) < 0.06)  # fmt: skip
    toes = np.flatnonzero(mesh.vertices[:, 1] > 0.17)
    flushed = mesh.vertices[rng.choice(toes if rng.random() < 0.5 else near)]
    patches = [Patch(place, size, warm, load) for place, size in _LOADED]
    patches.append(Patch(rounded(flushed), float(rng.uniform(0.03, 0.12)), red, float(rng.uniform(0.0, 0.8))))
    if rng.random() >= wounded:
        return tuple(patches)
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        place, size = (
            rounded(mesh.vertices[rng.choice(near)]),
            float(np.exp(rng.uniform(*np.log((0.006, 0.018))))),
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
