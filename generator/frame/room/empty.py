"""What is around the subjects of an image without a hand: what they stand on, people, walls, rooms."""

from __future__ import annotations

import numpy as np

from generator.frame.empty_scene import EmptyScene
from generator.frame.room import furniture, materials, people
from generator.frame.room.arm_view import View
from generator.frame.room.things import Things
from generator.frame.room.transforms import rotation_to, transform
from generator.objects import surfaces


def fill_scene(things: Things, rng: np.random.Generator, scene: EmptyScene, view: View, *, alone: bool) -> None:
    """Put all but the subjects into the scene.

    :param alone: without what is behind them, for which an image of its own stands.
    """
    if scene.kind == "people":
        _people(things, rng, view)
    if alone:
        return
    if scene.ground is not None:
        normal, point = (np.array(part) for part in scene.ground)
        if scene.clinic or (scene.kind == "feet" and rng.random() < 0.15):
            things.sheet(rng, normal, point)
        elif scene.kind == "feet":
            things.ground_under(rng, normal, point)
        else:
            things.floor(rng, normal, point)
        if rng.random() < (0.8 if scene.clinic else 0.5):
            things.fill_room(rng, view)
    elif scene.kind == "people":
        if rng.random() < 0.6:
            things.wall(
                rng,
                view,
                materials.cloth(rng) if rng.random() < 0.5 else materials.everyday(rng),
                rng.uniform(1.2, 3.0),
            )
        if rng.random() < 0.5:
            things.fill_room(rng, view)
    elif scene.kind == "interior":
        _interior(things, rng, view)
    else:
        _behind(things, rng, view)
    if scene.kind not in ("interior", "food") and not scene.clinic and rng.random() < 0.25:
        people.distract(things, rng, view)


def _behind(things: Things, rng: np.random.Generator, view: View) -> None:
    """A sheet, a table, a wall, a room."""
    kind = rng.random()
    if kind < 0.35:
        things.furnish(rng, view, materials.cloth(rng) if rng.random() < 0.5 else None)
    elif kind < 0.6:
        things.wall(rng, view, materials.cloth(rng), float(np.exp(rng.uniform(np.log(0.02), np.log(1.5)))))
    if kind > 0.5:
        things.fill_room(rng, view)


def _people(things: Things, rng: np.random.Generator, view: View) -> None:
    """One to four persons whose hands are not seen, near and far."""
    for _ in range(int(rng.choice([1, 1, 2, 3, 4]))):
        if rng.random() < 0.6:
            people.person(things, rng, view)
        else:
            depth = view.camera.distance * rng.uniform(0.8, 2.0) + 0.15
            people.beside(things, rng, view, depth, float(rng.uniform()))


def _interior(things: Things, rng: np.random.Generator, view: View) -> None:
    """A piece of furniture, or wood, leather and cloth from near, that fills the image."""
    camera = view.camera
    across = camera.distance / camera.matrix[0, 0] * camera.width
    if rng.random() < 0.35:
        covers = (surfaces.leather, surfaces.wood, surfaces.leather, surfaces.label)
        cover = materials.OfObject("object", covers[rng.integers(len(covers))](rng))
        slant = np.array([rng.normal(0, 0.4), -1.0, rng.normal(0.3, 0.4)])
        things.floor(rng, slant / np.linalg.norm(slant), np.zeros(3), cover)
        return
    for number in range(int(rng.integers(1, 4))):
        size = across * float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))
        center = view.point(rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), camera.distance + 0.3 * size + 0.3 * number)
        facing = rotation_to(np.array([0.0, 0.0, 1.0]), np.pi / 2 + rng.normal(0, 0.4))
        things.assemble(furniture.piece(rng), transform(facing, center, size))
    things.wall(rng, view, materials.surface(rng), float(rng.uniform(1.0, 2.5)) * across)
