"""Blender's materials of everyday objects, procedural, as :mod:`generator.frame.room.materials` says."""

from __future__ import annotations

import bpy
import numpy as np

from generator.blender.scene.nodes import NodeGraph, Value
from generator.frame.room.lamps import Lamps
from generator.frame.room.materials import Everyday, Glass, Glow, Mirror, Plain, Wood
from generator.maths import Triple
from generator.objects.surfaces import Surface


def new(name: str) -> bpy.types.Material:
    """An empty material with nodes."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # Blender 4; later ones warn when told what they always do
        material.use_nodes = True
    material.node_tree.nodes.clear()
    return material


def everyday(one: Everyday) -> bpy.types.Material:
    """The material of a table, a wall, a box or a sleeve."""
    material = new("everyday")
    tree = material.node_tree
    shader = principled(tree, one.roughness)
    shader.inputs["Metallic"].default_value = float(one.metallic)
    if one.pattern is None:
        shader.inputs["Base Color"].default_value = (*one.color, 1)
        return material
    place, scale = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
    tree.links.new(place.outputs["Object"], scale.inputs["Vector"])
    scale.inputs["Rotation"].default_value = one.pattern.rotation
    scale.inputs["Scale"].default_value = one.pattern.scale
    pattern = tree.nodes.new(f"ShaderNodeTex{one.pattern.texture}")
    tree.links.new(scale.outputs["Vector"], pattern.inputs["Vector"])
    for name, value in one.pattern.details.items():
        if name in pattern.inputs:
            pattern.inputs[name].default_value = value
    factor = pattern.outputs.get("Fac") or pattern.outputs.get("Factor") or pattern.outputs[0]
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    for stop, color in zip(ramp.color_ramp.elements, (one.color, one.pattern.second), strict=True):
        stop.color = (*color, 1)
    ramp.color_ramp.elements[0].position = one.pattern.start
    tree.links.new(factor, ramp.inputs[0])
    tree.links.new(ramp.outputs[0], shader.inputs["Base Color"])
    if one.pattern.bump is not None:
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value = one.pattern.bump
        bump.inputs["Distance"].default_value = 0.003
        tree.links.new(factor, bump.inputs["Height"])
        tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    return material


def plain(one: Plain) -> bpy.types.Material:
    """One color, uneven."""
    material = new("plain")
    tree = material.node_tree
    shader = principled(tree, one.roughness) if one.roughness < _MATTE else _diffuse(tree)
    noise, ramp = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = one.scale, 3.0
    tree.links.new(tree.nodes.new("ShaderNodeTexCoord").outputs["Object"], noise.inputs["Vector"])
    for stop, fraction in zip(ramp.color_ramp.elements, (1 - one.uneven, 1 + one.uneven), strict=True):
        stop.color = (*np.clip(np.asarray(one.color) * fraction, 0, 1).tolist(), 1)
    tree.links.new(noise.outputs[0], ramp.inputs[0])
    tree.links.new(ramp.outputs[0], shader.inputs[0])
    if one.bump_height:
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 1.0, one.bump_height
        tree.links.new(noise.outputs[0], bump.inputs["Height"])
        tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    return material


_MATTE = 0.85
"""From which roughness on something does not shine, and takes less time."""


def _diffuse(tree: bpy.types.NodeTree) -> bpy.types.Node:
    shader = tree.nodes.new("ShaderNodeBsdfDiffuse")
    tree.links.new(shader.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    return shader


def matte(color: Triple) -> bpy.types.Material:
    """Paint of one linear RGB color that does not shine: what walls have, which fill images, and fast."""
    material = new("matte")
    _diffuse(material.node_tree).inputs[0].default_value = (*color, 1)
    return material


def wood(one: Wood) -> bpy.types.Material:
    """Boards beside each other with a grain."""
    material = new("wood")
    tree = material.node_tree
    shader = principled(tree, one.roughness)
    place, scale, planks = (tree.nodes.new(f"ShaderNode{name}") for name in ("TexCoord", "Mapping", "TexBrick"))
    tree.links.new(place.outputs["Object"], scale.inputs["Vector"])
    scale.inputs["Rotation"].default_value = (0.0, 0.0, one.direction)
    scale.inputs["Scale"].default_value = [one.scale] * 3
    grain, stretch, ramp = (tree.nodes.new(f"ShaderNode{name}") for name in ("TexNoise", "Mapping", "ValToRGB"))
    tree.links.new(scale.outputs["Vector"], stretch.inputs["Vector"])
    stretch.inputs["Scale"].default_value = one.stretch
    tree.links.new(stretch.outputs["Vector"], grain.inputs["Vector"])
    grain.inputs["Detail"].default_value, grain.inputs["Distortion"].default_value = 3.0, one.distortion
    for stop, fraction in zip(ramp.color_ramp.elements, (one.dark, 1.1), strict=True):
        stop.color = (*np.clip(np.array(one.color) * fraction, 0, 1).tolist(), 1)
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.3, 0.7
    tree.links.new(grain.outputs[0], ramp.inputs[0])
    tree.links.new(scale.outputs["Vector"], planks.inputs["Vector"])
    long, wide = one.board
    for name, value in (("Brick Width", long), ("Row Height", wide), ("Scale", 2.0), ("Mortar Size", one.gap)):
        planks.inputs[name].default_value = value
    planks.inputs["Mortar"].default_value = (0.02, 0.015, 0.01, 1)
    for name, fraction in (("Color1", 1.0), ("Color2", one.other)):
        mixed = tree.nodes.new("ShaderNodeVectorMath")
        mixed.operation, mixed.inputs[1].default_value = "MULTIPLY", (fraction, fraction, fraction)
        tree.links.new(ramp.outputs[0], mixed.inputs[0])
        tree.links.new(mixed.outputs[0], planks.inputs[name])
    tree.links.new(planks.outputs["Color"], shader.inputs["Base Color"])
    return material


def glow(one: Glow) -> bpy.types.Material:
    """A lamp, a screen or a window in the light."""
    material = new("glow")
    material.cycles.emission_sampling = "NONE"  # it is seen; the light is that of the environment and the sun
    shader = principled(material.node_tree, roughness=0.5)
    shader.inputs["Emission Color"].default_value = (*one.tint, 1)
    shader.inputs["Emission Strength"].default_value = one.strength
    return material


def glass(one: Glass, lamps: Lamps) -> bpy.types.Material:
    """Clear glass that reflects the environment.

    No ray is bent and none is reflected at random: what it reflects is added, so that passes show what is behind it
    without noise.
    """
    graph = NodeGraph(new("glass"))
    graph.material.cycles.emission_sampling = "NONE"  # it shows light and sends out none
    place = graph.add("TexCoord")
    rotated = graph.add("Mapping", Vector=place.outputs["Reflection"], Rotation=(-lamps.down, 0.0, lamps.rotation))
    room = graph.add("TexEnvironment", Vector=rotated.outputs[0])
    room.image = bpy.data.images[f"{lamps.environment}.exr"]
    fresnel = graph.add("LayerWeight", Blend=1 / 3).outputs["Fresnel"]  # of glass, whose index of refraction is 1.5
    light = graph.scaled(room.outputs["Color"], graph.times(fresnel, one.shine * lamps.strength))
    clear: Value = one.tint
    if one.smears:
        wiped = graph.noise(
            graph.mapped(place.outputs["Object"], (one.scale, 0.2 * one.scale, one.scale)), 1.0, 3.0, 1.5
        )
        smear = graph.times(graph.ramp(wiped, 0.45, 0.75), one.smears)
        clear = graph.scaled(one.tint, graph.math("SUBTRACT", 1.0, smear))
        light = graph.sum(light, graph.scaled((1.0, 1.0, 1.0), graph.times(smear, 0.35 * lamps.strength)))
    through = graph.add("BsdfTransparent", Color=clear)
    shine = graph.add("Emission", Color=light)
    both = graph.add("AddShader")
    graph.feed(both.inputs[0], through.outputs[0])
    graph.feed(both.inputs[1], shine.outputs[0])
    graph.add("OutputMaterial", Surface=both.outputs[0])
    return graph.material


def mirror(one: Mirror, name: str) -> bpy.types.Material:
    """A mirror that rays pass as if it were a window to the world behind it: passes show what it reflects.

    :param name: of the render pass that is 1 where it is.
    """
    graph = NodeGraph(new("mirror"))
    surface = graph.add("NewGeometry")
    back = graph.add("VectorMath", Vector=surface.outputs["Incoming"])
    back.operation = "SCALE"
    back.inputs["Scale"].default_value = -1.0
    reflected = graph.add("VectorMath")
    reflected.operation = "REFLECT"
    graph.feed(reflected.inputs[0], back.outputs[0])
    graph.feed(reflected.inputs[1], surface.outputs["Normal"])
    portal = graph.add("BsdfRayPortal", Color=one.tint, Direction=reflected.outputs[0])
    graph.add("OutputMaterial", Surface=portal.outputs[0])
    graph.add("OutputAOV", Value=1.0).aov_name = name
    return graph.material


def surface(one: Surface) -> bpy.types.Material:
    """The material of an object's surface."""
    material = new(one.kind)
    tree = material.node_tree
    shader = principled(tree, one.roughness)
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
    texture, stretch, bump_height = _PATTERNS[one.kind]
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
    if bump_height:
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 0.7, bump_height
        tree.links.new(value, bump.inputs["Height"])
        tree.links.new(bump.outputs[0], shader.inputs["Normal"])


def principled(tree: bpy.types.NodeTree, roughness: float) -> bpy.types.Node:
    """A new principled shader that is the material's surface."""
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    shader.inputs["Roughness"].default_value = roughness
    tree.links.new(shader.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    return shader
