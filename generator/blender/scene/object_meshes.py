"""Objects by code, bare feet and arms as Blender meshes with their materials."""

from __future__ import annotations

import bpy
import numpy as np

from generator.blender.rig import COLOUR
from generator.blender.scene import materials, skin_material
from generator.blender.scene.nodes import NodeGraph
from generator.blender.scene.props import Props
from generator.frame.empty_scene import PlacedArm, PlacedThing, arm_mesh, mesh_of
from generator.frame.feet import PlacedFoot
from generator.frame.held_object import HeldObject
from generator.mesh import foot, hand_mesh, skin_color
from generator.mesh.limb_skin import LimbSkin
from generator.objects import own_objects
from generator.objects.surfaces import Surface


def put_object(props: Props, placed: PlacedThing, index: int) -> None:
    """Put an object into the scene, with its number in the pass of objects."""
    if own_objects.is_own(placed.maker):
        props.add_own(own_objects.find(placed.maker), np.array(placed.matrix))
        return
    vertices, faces, surfaces = mesh_of(placed.maker, placed.seed)
    made = [surface(one) for one in placed.thing().surfaces]
    props.add_mesh(vertices, faces, made, np.array(placed.matrix), surfaces, index=index)


def put_held(props: Props, held: HeldObject, index: int) -> None:
    """Put an object into a hand, with its number in the pass of objects."""
    if own_objects.is_own(held.thing.kind):
        mirror = np.diag([-1.0 if held.mirrored else 1.0, 1.0, 1.0, 1.0])
        props.add_own(own_objects.find(held.thing.kind), mirror @ held.matrix)
        return
    vertices, faces, surfaces = held.mesh()
    props.add_mesh(vertices, faces, [surface(one) for one in held.thing.surfaces], np.eye(4), surfaces, index=index)


def put_foot(props: Props, placed: PlacedFoot, skin: NodeGraph) -> None:
    """Put a bare foot with its leg into the scene."""
    mesh = foot.build()
    skin_material.tell_toenails(skin, placed.tone, placed.polish, placed.skin.age)
    data = _put_skin(props, placed.vertices(), mesh.faces, placed.colors(), skin.material, placed.side == "left")
    _mark(data, placed.skin, mesh.vertices, mesh.palm, placed.surface(), mesh.nail_map)


def put_arm(props: Props, placed: PlacedArm, skin: NodeGraph) -> None:
    """Put a bare arm without its hand into the scene."""
    _, faces, used = arm_mesh()
    colors = skin_color.colours(hand_mesh.build(), placed.tone)[used]
    data = _put_skin(props, placed.vertices(), faces, colors, skin.material, placed.side == "left")
    plain, no_nail = np.zeros((len(used), 3)), np.tile([0.0, 0.0, 9.0], (len(used), 1))
    _mark(data, placed.skin, arm_mesh()[0], np.zeros(len(used)), plain, no_nail)


def _put_skin(
    props: Props, vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray, skin: bpy.types.Material, mirrored: bool
) -> bpy.types.Mesh:
    data = props.add_mesh(vertices, faces[:, ::-1] if mirrored else faces, [skin], np.eye(4), keep_materials=True)
    rgba = np.ones((len(colors), 4), np.float32)
    rgba[:, :3] = colors
    data.attributes.new(COLOUR, "FLOAT_COLOR", "POINT").data.foreach_set("color", rgba.ravel())
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
        data.attributes.new(name, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", values.astype(np.float32).ravel())


def surface(one: Surface) -> bpy.types.Material:
    """The material of an object's surface."""
    material = materials.new(one.kind)
    tree = material.node_tree
    shader = materials.principled(tree, one.roughness)
    shader.inputs["Base Color"].default_value = (*one.color, 1)
    if one.kind == "metal":
        shader.inputs["Metallic"].default_value = 1.0
    elif one.kind == "glass":
        _glass(tree, one)
    elif one.kind in ("skin", "plain"):
        shader.inputs["Subsurface Weight"].default_value = 0.1 if one.kind == "skin" else 0.0
        shader.inputs["Subsurface Scale"].default_value = 0.005
    if one.kind in _PATTERNS:
        _pattern(tree, shader, one)
    return material


def _glass(tree: bpy.types.NodeTree, one: Surface) -> None:
    """Clear glass without bent rays or noise, so that passes show what is behind it: a tint, and bright edges."""
    clear, shine, both = (tree.nodes.new(f"ShaderNode{name}") for name in ("BsdfTransparent", "Emission", "AddShader"))
    clear.inputs["Color"].default_value = (*(0.6 + 0.4 * part for part in one.color), 1)
    rim, much = tree.nodes.new("ShaderNodeLayerWeight"), tree.nodes.new("ShaderNodeMath")
    rim.inputs["Blend"].default_value = 0.25
    much.operation, much.inputs[1].default_value = "MULTIPLY", 0.5
    tree.links.new(rim.outputs["Facing"], much.inputs[0])
    tree.links.new(much.outputs[0], shine.inputs["Strength"])
    tree.links.new(clear.outputs[0], both.inputs[0])
    tree.links.new(shine.outputs[0], both.inputs[1])
    out = next(node for node in tree.nodes if node.type == "OUTPUT_MATERIAL")
    tree.links.new(both.outputs[0], out.inputs["Surface"])


_PATTERNS = {
    "wood": ("ShaderNodeTexNoise", (1.0, 12.0, 1.0), 0.0),
    "leather": ("ShaderNodeTexVoronoi", (1.0, 1.0, 1.0), 0.0008),
    "print": ("ShaderNodeTexVoronoi", (1.0, 1.0, 0.5), 0.0),
    "glow": ("ShaderNodeTexVoronoi", (1.0, 1.0, 1.0), 0.0),
    "mottled": ("ShaderNodeTexNoise", (1.0, 1.0, 1.0), 0.0),
    "peel": ("ShaderNodeTexNoise", (8.0, 8.0, 8.0), 0.0004),
    "crumb": ("ShaderNodeTexNoise", (2.0, 2.0, 2.0), 0.002),
    "knit": ("ShaderNodeTexVoronoi", (1.0, 1.0, 1.0), 0.003),
}
"""Of a kind of surface: the texture, how it is stretched, and how high its relief is, metres."""


def _pattern(tree: bpy.types.NodeTree, shader: bpy.types.Node, one: Surface) -> None:
    """Two colours, and bumps, after a texture in the object's own axes."""
    texture, stretch, relief = _PATTERNS[one.kind]
    place, scale = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
    scale.inputs["Scale"].default_value = [one.scale * axis for axis in stretch]
    tree.links.new(place.outputs["Object"], scale.inputs["Vector"])
    pattern, ramp = tree.nodes.new(texture), tree.nodes.new("ShaderNodeValToRGB")
    pattern.inputs["Scale"].default_value = 1.0
    if "Detail" in pattern.inputs:
        pattern.inputs["Detail"].default_value = 3.0
    tree.links.new(scale.outputs["Vector"], pattern.inputs["Vector"])
    blocks = one.kind in ("print", "glow")
    value = pattern.outputs["Color"] if blocks else pattern.outputs[0]
    ramp.color_ramp.interpolation = "CONSTANT" if blocks else "LINEAR"
    for stop, color, at in zip(ramp.color_ramp.elements, (one.color, one.second), (0.3, 0.7), strict=True):
        stop.color, stop.position = (*color, 1), at
    if one.kind in ("leather", "knit"):  # one colour, darker in its grooves
        ramp.color_ramp.elements[0].color = (*(0.6 * part for part in one.color), 1)
        ramp.color_ramp.elements[1].color = (*one.color, 1)
        ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.0, 0.3
    tree.links.new(value, ramp.inputs[0])
    tree.links.new(ramp.outputs[0], shader.inputs["Base Color"])
    if one.kind == "glow":
        tree.links.new(ramp.outputs[0], shader.inputs["Emission Color"])
        shader.inputs["Emission Strength"].default_value = 1.0
    if relief:
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.7, relief
        tree.links.new(value, bump.inputs["Height"])
        tree.links.new(bump.outputs[0], shader.inputs["Normal"])
