"""What an image without a hand shows, put into the scene: its subjects, what they stand on, and what is around them."""

from __future__ import annotations

import numpy as np

from generator.blender.scene import furniture, materials, object_meshes, people
from generator.blender.scene.arm_view import View
from generator.blender.scene.nodes import NodeGraph
from generator.blender.scene.props import Props
from generator.blender.scene.transforms import rotation_to, transform
from generator.frame.empty_scene import EmptyScene
from generator.objects import surfaces


def fill_scene(props: Props, rng: np.random.Generator, scene: EmptyScene, skin: NodeGraph, *, alone: bool) -> None:
    """Put all of it into the scene.

    :param skin: the material of bare skin, :func:`generator.blender.scene.skin_material.limb_skin`.
    :param alone: only the subjects, as an image of its own stands for what is behind them.
    """
    for one in scene.feet:
        object_meshes.put_foot(props, one, skin)
    for arm in scene.arms:
        object_meshes.put_arm(props, arm, skin)
    for index, obj in enumerate(scene.things, start=1):
        object_meshes.put_object(props, obj, index)
    points = scene.points()
    view = View(scene.camera, points, np.zeros(len(points), bool), np.zeros(len(points), int))
    if scene.kind == "people":
        _people(props, rng, view)
    if alone:
        return
    if scene.ground is not None:
        normal, point = (np.array(part) for part in scene.ground)
        (props.sheet if scene.clinic else props.floor)(rng, normal, point)
        if rng.random() < (0.8 if scene.clinic else 0.5):
            props.fill_room(rng, view)
    elif scene.kind == "people":
        if rng.random() < 0.6:
            props.wall(
                rng, view, people.cloth(rng) if rng.random() < 0.5 else materials.everyday(rng), rng.uniform(1.2, 3.0)
            )
        if rng.random() < 0.5:
            props.fill_room(rng, view)
    elif scene.kind == "interior":
        _interior(props, rng, view)
    else:
        _behind(props, rng, view)
    if scene.kind not in ("interior", "food") and not scene.clinic and rng.random() < 0.25:
        people.distract(props, rng, view)


def _behind(props: Props, rng: np.random.Generator, view: View) -> None:
    """A sheet, a table, a wall, a room."""
    kind = rng.random()
    if kind < 0.35:
        props.furnish(rng, view, people.cloth(rng) if rng.random() < 0.5 else None)
    elif kind < 0.6:
        props.wall(rng, view, people.cloth(rng), float(np.exp(rng.uniform(np.log(0.02), np.log(1.5)))))
    if kind > 0.5:
        props.fill_room(rng, view)


def _people(props: Props, rng: np.random.Generator, view: View) -> None:
    """One to four persons whose hands are not seen, or heads alone, near and far."""
    for _ in range(int(rng.choice([1, 1, 2, 3, 4]))):
        if rng.random() < 0.6:
            people.person(props, rng, view)
        else:
            depth = view.camera.distance * rng.uniform(0.8, 2.0) + 0.15
            center = view.point(rng.uniform(0.1, 0.9), rng.uniform(0.15, 0.85), depth)
            people.head(props, rng, center, float(rng.uniform()), rng.normal(0, 0.25))


def _interior(props: Props, rng: np.random.Generator, view: View) -> None:
    """A piece of furniture, or wood, leather and cloth from near, that fills the image."""
    camera = view.camera
    across = camera.distance / camera.matrix[0, 0] * camera.width
    if rng.random() < 0.35:
        covers = (surfaces.leather, surfaces.wood, surfaces.leather, surfaces.label)
        cover = object_meshes.surface(covers[rng.integers(len(covers))](rng))
        slant = np.array([rng.normal(0, 0.4), -1.0, rng.normal(0.3, 0.4)])
        props.floor(rng, slant / np.linalg.norm(slant), np.zeros(3), cover)
        return
    for number in range(int(rng.integers(1, 4))):
        size = across * float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))
        center = view.point(rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), camera.distance + 0.3 * size + 0.3 * number)
        facing = rotation_to(np.array([0.0, 0.0, 1.0]), np.pi / 2 + rng.normal(0, 0.4))
        props.assemble(furniture.piece(rng), transform(facing, center, size))
    props.wall(rng, view, materials.surface(rng), float(rng.uniform(1.0, 2.5)) * across)
