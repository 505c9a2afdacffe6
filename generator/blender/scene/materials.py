"""Blender's materials of everyday objects, procedural, as :mod:`generator.frame.room.materials` says."""

from __future__ import annotations

import bpy
import numpy as np

from generator.blender.scene.nodes import NodeGraph, Value
from generator.frame.room.lamps import Lamps
from generator.frame.room.materials import Everyday, Glass, Glow, Mirror, Plain, Wood
from generator.maths import Triple, triple
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
    graph = NodeGraph(new("everyday"))
    shader = principled(graph, one.roughness, Metallic=float(one.metallic))
    pattern = one.pattern
    if pattern is None:
        graph.feed(shader.inputs["Base Color"], one.color)
        return graph.material
    place = graph.add("TexCoord").outputs["Object"]
    mapped = graph.add("Mapping", Vector=place, Rotation=pattern.rotation, Scale=pattern.scale)
    texture = graph.add(f"Tex{pattern.texture}", Vector=mapped.outputs[0])
    for name, value in pattern.details.items():
        if name in texture.inputs:
            graph.feed(texture.inputs[name], value)
    factor = texture.outputs.get("Fac") or texture.outputs.get("Factor") or texture.outputs[0]
    color = graph.color_ramp(factor, (one.color, pattern.second), (pattern.start, 1.0))
    graph.feed(shader.inputs["Base Color"], color)
    if pattern.bump is not None:
        graph.feed(shader.inputs["Normal"], graph.bump(factor, 0.003, pattern.bump))
    return graph.material


def plain(one: Plain) -> NodeGraph:
    """One color, uneven; the shader's first input has it."""
    graph = NodeGraph(new("plain"))
    shader = principled(graph, one.roughness) if one.roughness < _MATTE else _diffuse(graph)
    noise = graph.noise(graph.add("TexCoord").outputs["Object"], one.scale, 3.0)
    colors = _times(one.color, 1 - one.uneven), _times(one.color, 1 + one.uneven)
    graph.feed(shader.inputs[0], graph.color_ramp(noise, colors))
    if one.bump_height:
        graph.feed(shader.inputs["Normal"], graph.bump(noise, one.bump_height))
    return graph


_MATTE = 0.85
"""From which roughness on something does not shine, and takes less time."""


def _times(color: Triple, factor: float) -> Triple:
    """A color made lighter or darker, 0..1."""
    return triple(np.clip(np.array(color) * factor, 0, 1))


def principled(graph: NodeGraph, roughness: float, **inputs: Value) -> bpy.types.Node:
    """A new principled shader that is the material's surface."""
    return _surfaced(graph, graph.add("BsdfPrincipled", Roughness=roughness, **inputs))


def _diffuse(graph: NodeGraph) -> bpy.types.Node:
    return _surfaced(graph, graph.add("BsdfDiffuse"))


def _surfaced(graph: NodeGraph, shader: bpy.types.Node) -> bpy.types.Node:
    graph.add("OutputMaterial", Surface=shader.outputs[0])
    return shader


def matte(color: Triple) -> bpy.types.Material:
    """Paint of one linear RGB color that does not shine: what walls have, which fill images, and fast."""
    graph = NodeGraph(new("matte"))
    graph.feed(_diffuse(graph).inputs[0], color)
    return graph.material


def wood(one: Wood) -> bpy.types.Material:
    """Boards beside each other with a grain."""
    graph = NodeGraph(new("wood"))
    shader = principled(graph, one.roughness)
    place = graph.add("TexCoord").outputs["Object"]
    boards = graph.add("Mapping", Vector=place, Rotation=(0.0, 0.0, one.direction), Scale=(one.scale,) * 3).outputs[0]
    grain = graph.noise(graph.mapped(boards, one.stretch), _GRAIN, 3.0, one.distortion)
    color = graph.color_ramp(grain, (_times(one.color, one.dark), _times(one.color, 1.1)), (0.3, 0.7))
    first, second = (graph.tinted(color, (fraction,) * 3) for fraction in (1.0, one.other))
    planks = graph.add("TexBrick", Vector=boards, Scale=2.0, Color1=first, Color2=second, Mortar=(0.02, 0.015, 0.01))
    long, wide = one.board
    for name, value in (("Brick Width", long), ("Row Height", wide), ("Mortar Size", one.gap)):
        graph.feed(planks.inputs[name], value)
    graph.feed(shader.inputs["Base Color"], planks.outputs["Color"])
    return graph.material


_GRAIN = 5.0
"""Scale of the grain of wood, beside that of its boards."""


def glow(one: Glow) -> bpy.types.Material:
    """A lamp, a screen or a window in the light."""
    graph = NodeGraph(new("glow"))
    graph.material.cycles.emission_sampling = "NONE"  # it is seen; the light is that of the environment and the sun
    principled(graph, 0.5, Emission_Color=one.tint, Emission_Strength=one.strength)
    return graph.material


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
        scattered = graph.scaled((1.0, 1.0, 1.0), graph.times(smear, 0.35 * lamps.strength))
        light = graph.vector_math("ADD", light, scattered)
    through, shine = graph.add("BsdfTransparent", Color=clear), graph.add("Emission", Color=light)
    graph.add("OutputMaterial", Surface=graph.add_shaders(through.outputs[0], shine.outputs[0]))
    return graph.material


def mirror(one: Mirror, name: str) -> bpy.types.Material:
    """A mirror that rays pass as if it were a window to the world behind it: passes show what it reflects.

    :param name: of the render pass that is 1 where it is.
    """
    graph = NodeGraph(new("mirror"))
    surface = graph.add("NewGeometry")
    incoming = graph.scaled(surface.outputs["Incoming"], -1.0)
    reflected = graph.vector_math("REFLECT", incoming, surface.outputs["Normal"])
    portal = graph.add("BsdfRayPortal", Color=one.tint, Direction=reflected)
    graph.add("OutputMaterial", Surface=portal.outputs[0])
    graph.write_pass(name, Value=1.0)
    return graph.material


def surface(one: Surface) -> NodeGraph:
    """The material of an object's surface."""
    graph = NodeGraph(new(one.kind))
    if one.kind == "glass":
        _clear(graph, one)
        return graph
    shader = principled(graph, one.roughness, Base_Color=one.color, Metallic=float(one.kind == "metal"))
    if one.kind == "skin":
        graph.feed(shader.inputs["Subsurface Weight"], 0.1)
        graph.feed(shader.inputs["Subsurface Scale"], 0.005)
    if one.kind in _PATTERNS:
        _pattern(graph, shader, one)
    return graph


def _clear(graph: NodeGraph, one: Surface) -> None:
    """Clear glass without bent rays or noise, so that passes show what is behind it: a tint, and bright edges."""
    tint = triple(0.6 + 0.4 * np.array(one.color))
    rim = graph.times(graph.add("LayerWeight", Blend=0.25).outputs["Facing"], 0.5)
    through, shine = graph.add("BsdfTransparent", Color=tint), graph.add("Emission", Strength=rim)
    graph.add("OutputMaterial", Surface=graph.add_shaders(through.outputs[0], shine.outputs[0]))


_PATTERNS = {
    "wood": ("TexNoise", (1.0, 12.0, 1.0), 0.0),
    "leather": ("TexVoronoi", (1.0, 1.0, 1.0), 0.0008),
    "print": ("TexVoronoi", (1.0, 1.0, 0.5), 0.0),
    "glow": ("TexVoronoi", (1.0, 1.0, 1.0), 0.0),
    "mottled": ("TexNoise", (1.0, 1.0, 1.0), 0.0),
    "peel": ("TexNoise", (8.0, 8.0, 8.0), 0.0004),
    "crumb": ("TexNoise", (2.0, 2.0, 2.0), 0.002),
    "knit": ("TexVoronoi", (1.0, 1.0, 1.0), 0.003),
}
"""Of a kind of surface: the texture, how it is stretched, and how high its bumps are, metres."""


def _pattern(graph: NodeGraph, shader: bpy.types.Node, one: Surface) -> None:
    """Two colours, and bumps, after a texture in the object's own axes."""
    texture, (x, y, z), bump_height = _PATTERNS[one.kind]
    place = graph.add("TexCoord").outputs["Object"]
    stretched = graph.mapped(place, (one.scale * x, one.scale * y, one.scale * z))
    pattern = graph.add(texture, Vector=stretched, Scale=1.0, Detail=3.0)
    if one.kind in ("print", "glow"):  # areas of one colour each
        value = pattern.outputs["Color"]
        color = graph.color_ramp(value, (one.color, one.second), (0.3, 0.7), "CONSTANT")
    elif one.kind in ("leather", "knit"):  # one colour, darker in its grooves
        value = pattern.outputs[0]
        color = graph.color_ramp(value, (_times(one.color, 0.6), one.color), (0.0, 0.3))
    else:
        value = pattern.outputs[0]
        color = graph.color_ramp(value, (one.color, one.second), (0.3, 0.7))
    graph.feed(shader.inputs["Base Color"], color)
    if one.kind == "glow":
        graph.feed(shader.inputs["Emission Color"], color)
        graph.feed(shader.inputs["Emission Strength"], 1.0)
    if bump_height:
        graph.feed(shader.inputs["Normal"], graph.bump(value, bump_height, 0.7))
