"""What is around the subjects of an image without a hand: what they stand on, people, walls, rooms."""

from __future__ import annotations

import numpy as np

from generator.frame.empty_scene import EmptyScene
from generator.frame.room import materials, people, rooms
from generator.frame.room.arm_view import View
from generator.frame.room.props import LEVEL, SceneProps
from generator.maths import log_uniform
from generator.objects import surfaces


def fill_scene(props: SceneProps, rng: np.random.Generator, scene: EmptyScene, view: View, *, alone: bool) -> None:
    """Put all but the subjects into the scene.

    :param alone: without what is behind them, for which an image of its own stands.
    """
    if scene.kind == "people":
        _people(props, rng, view)
    if alone:
        return
    level = True
    if scene.ground is not None:
        normal, point = (np.array(part) for part in scene.ground)
        level = normal[2] > LEVEL
        if scene.clinic or (scene.kind == "feet" and rng.random() < 0.15):
            props.sheet(rng, normal, point)
            props.up = normal if level else props.up
        elif scene.kind == "feet":
            props.ground_under(rng, normal, point)
        else:
            props.table(rng, view, normal, point, 0)
        if level and rng.random() < 0.8:
            rooms.fill_room(props, rng, view)
    elif scene.kind == "people":
        if rng.random() < 0.8:
            rooms.fill_room(props, rng, view)
    elif scene.kind == "interior":
        _interior(props, rng, view)
    else:
        _behind(props, rng, view)
    if level and scene.kind not in ("interior", "food") and not scene.clinic and rng.random() < 0.25:
        people.distract(props, rng, view)
    props.floor_below(rng, view)


def _behind(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """A sheet, a table, a wall, a room."""
    kind, around = rng.random(), True
    if kind < 0.35:
        around = props.furnish(rng, view, materials.cloth(rng) if rng.random() < 0.5 else None)
    elif kind < 0.6:
        props.wall(rng, view, materials.cloth(rng), log_uniform(rng, 0.02, 1.5))
        around = False
    if around and kind > 0.2:
        rooms.fill_room(props, rng, view)


def _people(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """One to four persons whose hands are not seen, near and far."""
    for _ in range(int(rng.choice([1, 1, 2, 3, 4]))):
        if rng.random() < 0.6:
            people.person(props, rng, view)
        else:
            depth = view.camera.distance * rng.uniform(0.8, 2.0) + 0.15
            people.beside(props, rng, view, depth, float(rng.uniform()))


def _interior(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """A room, or wood, leather and cloth from near, that fills the image."""
    if rng.random() < 0.35:
        covers = (surfaces.leather, surfaces.wood, surfaces.leather, surfaces.label)
        cover = materials.OfObject("object", covers[rng.integers(len(covers))](rng))
        slant = np.array([rng.normal(0, 0.4), -1.0, rng.normal(0.3, 0.4)])
        props.slab(rng, slant / np.linalg.norm(slant), np.zeros(3), cover)
        return
    rooms.fill_room(props, rng, view)
