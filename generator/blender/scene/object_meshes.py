"""Objects by code, bare feet and arms as Blender meshes with their materials."""

from __future__ import annotations

import bpy
import numpy as np

from generator.blender import attributes
from generator.blender.rig import COLOR
from generator.blender.scene import materials, skin_material
from generator.blender.scene.nodes import NodeGraph
from generator.blender.scene.props import Props
from generator.frame import foot_wear
from generator.frame.empty_scene import EmptyScene, PlacedArm, PlacedObject, arm_mesh
from generator.frame.feet import PlacedFoot
from generator.frame.held_object import HeldObject
from generator.mesh import foot, hand_mesh, skin_color
from generator.mesh.limb_skin import LimbSkin
from generator.objects import makers, own_objects
from generator.objects.surfaces import Surface


def put_subjects(props: Props, scene: EmptyScene, skin: NodeGraph) -> None:
    """Put what an image without a hand shows into the scene, but what is around it.

    :param skin: the material of bare skin, :func:`generator.blender.scene.skin_material.limb_skin`.
    """
    for one in scene.feet:
        put_foot(props, one, skin)
    for arm in scene.arms:
        put_arm(props, arm, skin)
    for index, obj in enumerate(scene.objects, start=1):
        put_object(props, obj, index)


def put_object(props: Props, placed: PlacedObject, index: int) -> None:
    """Put an object into the scene, with its number in the pass of objects."""
    if own_objects.is_own(placed.maker):
        props.add_own(own_objects.find(placed.maker), np.array(placed.matrix))
        return
    vertices, faces, surfaces = makers.mesh(placed.maker, placed.seed)
    made = [materials.surface(one).material for one in placed.model().surfaces]
    props.add_mesh(vertices, faces, made, np.array(placed.matrix), surfaces, index=index)


HELD_PASS = "held"
"""The render pass (AOV) that is 1 where a hand's object is; through clear glass, too."""


def put_held(props: Props, held: HeldObject) -> None:
    """Put an object into a hand."""
    if own_objects.is_own(held.model.kind):
        mirror = np.diag([-1.0 if held.mirrored else 1.0, 1.0, 1.0, 1.0])
        props.add_own(own_objects.find(held.model.kind), mirror @ held.matrix)
        return
    vertices, faces, surfaces = held.mesh()
    made = [materials.surface(one) for one in held.model.surfaces]
    for graph in made:
        graph.write_pass(HELD_PASS, Value=1.0)
    props.add_mesh(vertices, faces, [graph.material for graph in made], np.eye(4), surfaces)


def put_foot(props: Props, placed: PlacedFoot, skin: NodeGraph) -> None:
    """Put a bare foot with its leg, and what they wear, into the scene."""
    mesh, points = foot.build(), placed.posed()
    skin_material.tell_toenails(skin, placed.tone, placed.polish, placed.skin.age)
    data = _put_skin(props, placed.placed(points), mesh.faces, placed.colors(), skin.material, placed.side == "left")
    _mark(data, placed.skin, mesh.vertices, mesh.palm, placed.surface(), mesh.nail_map)
    footwear: list[tuple[foot_wear.Mesh, Surface]] = []
    if (sandal := placed.sandal) is not None:
        footwear += [(foot_wear.sole(points, sandal), sandal.sole), (foot_wear.straps(points, sandal), sandal.strap)]
    if placed.trousers is not None:
        footwear.append((foot_wear.trouser_leg(points, placed.trousers), placed.trousers.cloth))
    for (vertices, faces), surface in footwear:
        props.add_mesh(placed.placed(vertices), faces, [materials.surface(surface).material], np.eye(4))


def put_arm(props: Props, placed: PlacedArm, skin: NodeGraph) -> None:
    """Put a bare arm without its hand into the scene."""
    _, faces, used = arm_mesh()
    colors = skin_color.colors(hand_mesh.build(), placed.tone)[used]
    data = _put_skin(props, placed.vertices(), faces, colors, skin.material, placed.side == "left")
    plain, no_nail = np.zeros((len(used), 3)), np.tile([0.0, 0.0, 9.0], (len(used), 1))
    _mark(data, placed.skin, arm_mesh()[0], np.zeros(len(used)), plain, no_nail)


def _put_skin(
    props: Props, vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray, skin: bpy.types.Material, mirrored: bool
) -> bpy.types.Mesh:
    data = props.add_mesh(vertices, faces[:, ::-1] if mirrored else faces, [skin], np.eye(4), keep_materials=True)
    attributes.write(data, COLOR, attributes.opaque(colors))
    return data


def _mark(
    data: bpy.types.Mesh,
    skin: LimbSkin,
    vertices: np.ndarray,
    sole: np.ndarray,
    surface: np.ndarray,
    nail: np.ndarray,
) -> None:
    for name, values in (
        (skin_material.REST, skin.rest(vertices)),
        (skin_material.LIMB, skin.marks(sole)),
        (skin_material.LIMB_SURFACE, surface),
        (skin_material.NAIL, nail),
    ):
        attributes.write(data, name, values)
