"""Images without a hand, as numbers: which feet, arms and objects one shows, where they are, and the camera.

What a network that met hands alone takes for hands: bare feet and legs, bare arms whose hand is outside the image,
faces, food, leather and wood, dolls, empty gloves, objects that stand about. All of a scene is drawn from (seed,
frame); nothing of Blender, so that any engine can render it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated

import numpy as np

from generator.frame import feet
from generator.frame.elbow import MOST, Elbow
from generator.frame.feet import PlacedFoot
from generator.frame.placing import (
    Matrix,
    frame_subject,
    in_front,
    matrix_of,
    moved,
    pixels_outside,
    shifted,
)
from generator.frame.settings import RenderSettings
from generator.hand.camera import Camera
from generator.hand.vectors import Fraction, NotNegative, Number, Side, one_of
from generator.maths import Triple, log_uniform, rotation_about, rounded
from generator.mesh import hand_mesh
from generator.mesh.limb_skin import LimbSkin
from generator.objects import lookalikes, makers, own_objects
from generator.objects.catalog import ObjectModel
from handforge.rng import stream

KINDS: dict[str, float] = {"feet": 0.46, "arms": 0.08, "people": 0.13, "food": 0.09, "objects": 0.18, "interior": 0.06}
"""What an image without a hand shows, and the fraction of such images that show it."""

_TRIES = 60


@dataclass(frozen=True)
class PlacedArm:
    """A bare arm without its hand, which is outside the image.

    :param girth: factor of its thickness.
    :param tone: skin tone, 0..1.
    :param matrix: (4, 4), from the hand's axes in the bind pose to the scene's.
    """

    side: Side
    elbow: Elbow
    girth: NotNegative
    tone: Fraction
    matrix: Matrix
    skin: LimbSkin

    def vertices(self) -> np.ndarray:
        """The vertices of :func:`arm_mesh` in scene axes, (V, 3) metres."""
        points = self.elbow.bend(arm_mesh()[0] * [self.girth, self.girth, 1.0])
        return moved(points * [-1, 1, 1] if self.side == "left" else points, self.matrix)


@dataclass(frozen=True)
class PlacedObject:
    """An object made by code.

    :param maker: its kind.
    :param seed: what it is drawn from.
    :param matrix: (4, 4), from the object's axes to the scene's.
    """

    maker: makers.Kind
    seed: Number
    matrix: Matrix

    def model(self) -> ObjectModel:
        """The object in its own axes."""
        return makers.make(self.maker, self.seed)

    def vertices(self) -> np.ndarray:
        """The mesh's vertices in scene axes, (V, 3) metres."""
        return moved(makers.mesh(self.maker, self.seed)[0], self.matrix)


@dataclass(frozen=True)
class EmptyScene:
    """An image without a hand.

    :param kind: what it shows; people and furniture are drawn with its surroundings.
    :param ground: unit normal (3,) and a point (3,) of what the subjects stand or lie on; None for any background.
    :param clinic: whether the ground is a sheet on a bed in a dark room, lit by the camera's flash.
    """

    kind: Annotated[str, one_of(KINDS)]
    camera: Camera
    feet: tuple[PlacedFoot, ...] = ()
    arms: tuple[PlacedArm, ...] = ()
    objects: tuple[PlacedObject, ...] = ()
    ground: tuple[Triple, Triple] | None = None
    clinic: bool = False

    def points(self) -> np.ndarray:
        """Points (N, 3) of all subjects, which nothing else may touch; without a subject, the origin."""
        subjects: list[PlacedFoot | PlacedArm | PlacedObject] = [*self.feet, *self.arms, *self.objects]
        return np.concatenate([one.vertices() for one in subjects]) if subjects else np.zeros((1, 3))


# ---------------------------------------------------------------- meshes


@lru_cache(maxsize=1)
def arm_mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mean arm above the wrist, straight: vertices (V, 3) m, faces (F, 3), and the hand mesh's vertex of each."""
    mesh = hand_mesh.build()
    kept = mesh.faces[(mesh.wrist_distance[mesh.faces] < -0.002).all(axis=1)]
    used, index = np.unique(kept, return_inverse=True)
    return mesh.vertices[used].astype(float), index.reshape(-1, 3).astype(np.int32), used


# ---------------------------------------------------------------- drawing a scene


def is_empty(settings: RenderSettings, frame: int) -> bool:
    """Whether a frame has no hand: each is drawn by itself, with the probability ``empty``."""
    return bool(stream(settings.seed, frame, "empty").random() < settings.empty)


def draw_empty_scene(settings: RenderSettings, frame: int) -> EmptyScene:
    """The scene of a frame without a hand."""
    rng = stream(settings.seed, frame, "empty scene")
    kind = str(rng.choice(list(KINDS), p=np.array(list(KINDS.values())) / sum(KINDS.values())))
    kind = kind if settings.empty_kind == "any" else settings.empty_kind
    camera = Camera(*settings.resolution, 1.0, log_uniform(rng, 24.0, 75.0))
    if kind == "objects":
        own = own_objects.open_objects(settings.objects)
        return _objects(rng, camera, settings.chosen_objects, tuple(own.by_kind) if own else ())
    draw = {"feet": _feet, "arms": _arms, "food": _food}.get(kind)
    if draw is None:
        return EmptyScene(kind, replace(camera, distance=log_uniform(rng, 0.35, 1.6)))
    return draw(rng, camera)


def _feet(rng: np.random.Generator, camera: Camera) -> EmptyScene:
    """One foot or the two of a person; every second time in a clinic, as photographs for a record show them."""
    clinic = bool(rng.random() < 0.5)
    lens, placed, ground = feet.draw_feet(rng, camera, clinic)
    return EmptyScene("feet", lens, placed, ground=ground, clinic=clinic)


def _arms(rng: np.random.Generator, camera: Camera) -> EmptyScene:
    """One to three arms that cross the image, or a bent elbow in it, with the wrists outside."""
    tone, skin, focal = float(rng.uniform()), LimbSkin.random(rng), camera.matrix[0, 0]
    distance = max(0.3, focal * 0.3 * float(rng.uniform(0.6, 1.1)) / max(camera.width, camera.height))
    lens = replace(camera, distance=distance)
    along_arm = arm_mesh()[0][:, 2]
    ends = (along_arm < along_arm.min() + 0.02) | (along_arm > along_arm.max() - 0.006)
    half = np.array([lens.width, lens.height]) / 2 / focal * distance
    arms: list[PlacedArm] = []
    taken: list[np.ndarray] = []
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        if rng.random() < 0.3:
            tone, skin = float(rng.uniform()), LimbSkin.random(rng)
        for _ in range(_TRIES):
            bent = Elbow(float(rng.uniform(0.3, MOST)), float(rng.uniform(-np.pi, np.pi)))
            rotation = rotation_about(1, rng.uniform(-np.pi, np.pi)) @ rotation_about(0, rng.normal(0, 0.3))
            rotation = rotation @ rotation_about(2, rng.uniform(-np.pi, np.pi))
            elbow, side = bent if rng.random() < 0.5 else Elbow(), str(rng.choice(["right", "left"]))
            one = PlacedArm(
                side, elbow, float(np.exp(rng.normal(0, 0.1))), tone, matrix_of(rotation, np.zeros(3)), skin
            )
            points = one.vertices()
            center = points[np.argmin(np.abs(along_arm - rng.uniform(-0.32, -0.1)))]
            across, along = rng.uniform(-0.8, 0.8, 2) * half
            shift = np.array([across, rng.uniform(0.0, 0.12), along]) - center
            points = points + shift
            near = [np.linalg.norm(points[::25, None] - other[None, ::25], axis=-1).min() for other in taken]
            if in_front(lens, points) and pixels_outside(lens, points[ends]) > 0 and min(near, default=1.0) > 0.035:
                arms.append(shifted(one, shift))
                taken.append(points)
                break
    return EmptyScene("arms", lens, arms=tuple(arms))


def _food(rng: np.random.Generator, camera: Camera) -> EmptyScene:
    """One to three dishes, and cutlery, glasses and fruit around them, on a table seen from above or at a slant."""
    beside = rng.choice(["fork", "knife", "spoon", "tumbler", "cup", "bottle", "fruit", "banana"], rng.integers(0, 5))
    names = ["dish"] * int(rng.choice([1, 1, 2, 3])) + [str(name) for name in beside]
    return _on_table(rng, camera, "food", names, rng.uniform(0.5, 1.5), 0.14)


_LARGE = ("mannequin", "seat")


def _objects(rng: np.random.Generator, camera: Camera, chosen: tuple[str, ...], own: tuple[str, ...]) -> EmptyScene:
    """Objects that people hold, figures, shoes, empty gloves, objects with tines, on a table or a floor.

    :param chosen: the only kinds that are drawn, each as often as the others; none: all of them.
    :param own: kinds of the user's own, which every second object is of.
    """
    alike = [maker.__name__ for maker in lookalikes.LOOKALIKES]
    small = [name for name in chosen or makers.MAKERS if name not in _LARGE]
    often = ["bear", "doll", "puppet", "shoe", "shoe", *_LARGE, *alike, *["glove"] * 10]
    one = str(rng.choice(chosen or [*small, *often]))
    names = [one] * (1 if one in _LARGE else int(rng.choice([1, 1, 2, 3])))
    names += [str(name) for name in rng.choice(small, rng.integers(0, 7) if small else 0)]
    if own:
        names = [str(rng.choice(own)) if rng.random() < 0.5 else name for name in names]
    return _on_table(rng, camera, "objects", names, rng.uniform(0.05, 1.3), 0.45 if one in _LARGE else 0.12)


_UPRIGHT = {"cup", "bottle", "tumbler", "bear", "doll", "mannequin", "puppet", "shoe", "seat", "dish", "fruit", "ball"}
"""Objects that stand on a table more often than they lie."""
_FLAT = {"glove", "comb", "rake", "scissors", "peg", "branch", "carrots", "fork", "spoon"}
"""Objects that do not lie on their edge."""


def _on_table(
    rng: np.random.Generator, camera: Camera, kind: str, names: list[str], tilt: float, apart: float
) -> EmptyScene:
    """Objects on a plane.

    :param names: of their makers; the first is what the camera looks at.
    :param tilt: of the plane to the camera, radians; 0 is seen edge-on.
    :param apart: about how far the objects lie from each other, metres.
    """
    table = rotation_about(1, rng.normal(0, 0.15)) @ rotation_about(0, tilt)
    placed: list[PlacedObject] = []
    taken: list[tuple[np.ndarray, float]] = []
    for name in names:
        seed, upright = int(rng.integers(2**31)), name in _UPRIGHT and rng.random() < 0.9
        side = float(rng.choice([0.0, np.pi])) if name in _FLAT else float(rng.choice([0.0, np.pi / 2]))
        lying = rotation_about(0, np.pi / 2) @ rotation_about(2, side)
        rotation = rotation_about(2, rng.uniform(-np.pi, np.pi)) @ (np.eye(3) if upright else lying)
        laid = makers.mesh(name, seed)[0] @ rotation.T
        center = (laid.min(axis=0) + laid.max(axis=0))[:2] / 2
        radius = float(np.max(np.linalg.norm(laid[:, :2] - center, axis=1)))
        for attempt in range(20):
            spot = rng.normal(0, apart * (1 + 0.1 * attempt), 2) if taken else np.zeros(2)
            if all(np.linalg.norm(spot - other) > radius + size for other, size in taken):
                taken.append((spot, radius))
                place = table @ np.array([*(spot - center), -np.min(laid[:, 2])])
                placed.append(PlacedObject(name, seed, matrix_of(table @ rotation, place)))
                break
    lens, shift = frame_subject(rng, camera, placed[0].vertices())
    objects = tuple(one for one in (shifted(one, shift) for one in placed) if in_front(lens, one.vertices()))
    return EmptyScene(kind, lens, objects=objects, ground=(rounded(table @ [0.0, 0.0, 1.0]), rounded(shift)))
