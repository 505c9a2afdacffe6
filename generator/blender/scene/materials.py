"""Materials of everyday things, procedural: plain, mottled, tiled, woven, wooden. Drawn from a generator."""

from __future__ import annotations

import colorsys

import bpy
import numpy as np

_PATTERNS = (
    "ShaderNodeTexNoise",
    "ShaderNodeTexVoronoi",
    "ShaderNodeTexBrick",
    "ShaderNodeTexChecker",
    "ShaderNodeTexWave",
)


def new(name: str) -> bpy.types.Material:
    """An empty material with nodes."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:  # Blender 4; later ones warn when told what they always do
        material.use_nodes = True
    material.node_tree.nodes.clear()
    return material


def everyday(rng: np.random.Generator) -> bpy.types.Material:
    """The material of a table, a wall, a box or a sleeve."""
    material = new("everyday")
    tree = material.node_tree
    shader = principled(tree, roughness=rng.uniform(0.25, 0.95))
    shader.inputs["Metallic"].default_value = float(rng.random() < 0.06)
    first = _colour(rng)
    if rng.random() < 0.3:
        shader.inputs["Base Color"].default_value = (*first, 1)
        return material
    place, scale = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
    tree.links.new(place.outputs["Object"], scale.inputs["Vector"])
    scale.inputs["Rotation"].default_value = rng.uniform(0, np.pi, 3).tolist()
    size = np.exp(rng.uniform(np.log(2), np.log(60)))
    stretch = (1, 1, 1) if rng.random() < 0.6 else (1, rng.uniform(0.05, 0.3), 1)  # grain runs one way
    scale.inputs["Scale"].default_value = (size * np.array(stretch)).tolist()
    pattern = tree.nodes.new(str(rng.choice(_PATTERNS)))
    tree.links.new(scale.outputs["Vector"], pattern.inputs["Vector"])
    for socket, low, high in (("Detail", 1, 4), ("Distortion", 0, 3), ("Roughness", 0.4, 0.8)):
        if socket in pattern.inputs:
            pattern.inputs[socket].default_value = rng.uniform(low, high)
    factor = pattern.outputs.get("Fac") or pattern.outputs.get("Factor") or pattern.outputs[0]
    ramp = tree.nodes.new("ShaderNodeValToRGB")
    second = _colour(rng) if rng.random() < 0.4 else np.clip(np.array(first) * rng.uniform(0.3, 1.8), 0, 1).tolist()
    for stop, colour in zip(ramp.color_ramp.elements, (first, second), strict=True):
        stop.color = (*colour, 1)
    ramp.color_ramp.elements[0].position = rng.uniform(0, 0.5)
    tree.links.new(factor, ramp.inputs[0])
    tree.links.new(ramp.outputs[0], shader.inputs["Base Color"])
    if rng.random() < 0.5:
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value = rng.uniform(0.1, 0.6)
        bump.inputs["Distance"].default_value = 0.003
        tree.links.new(factor, bump.inputs["Height"])
        tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    return material


def plain(
    rng: np.random.Generator,
    colour: np.ndarray,
    roughness: float | None = None,
    relief: float = 0.0,
    uneven: float = 0.25,
) -> bpy.types.Material:
    """One linear RGB colour, lighter and darker by up to ``uneven``, with folds that stand ``relief`` metres high."""
    material = new("plain")
    tree = material.node_tree
    shader = principled(tree, rng.uniform(0.3, 0.95) if roughness is None else roughness)
    noise, ramp = tree.nodes.new("ShaderNodeTexNoise"), tree.nodes.new("ShaderNodeValToRGB")
    noise.inputs["Scale"].default_value, noise.inputs["Detail"].default_value = rng.uniform(3, 25), 3.0
    tree.links.new(tree.nodes.new("ShaderNodeTexCoord").outputs["Object"], noise.inputs["Vector"])
    spread = rng.uniform(0, uneven)
    for stop, fraction in zip(ramp.color_ramp.elements, (1 - spread, 1 + spread), strict=True):
        stop.color = (*np.clip(np.asarray(colour) * fraction, 0, 1).tolist(), 1)
    tree.links.new(noise.outputs[0], ramp.inputs[0])
    tree.links.new(ramp.outputs[0], shader.inputs["Base Color"])
    if relief:
        bump = tree.nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value, bump.inputs["Distance"].default_value = 1.0, relief
        tree.links.new(noise.outputs[0], bump.inputs["Height"])
        tree.links.new(bump.outputs[0], shader.inputs["Normal"])
    return material


def sheet(rng: np.random.Generator) -> bpy.types.Material:
    """A bed's sheet, a towel or a pad: white, or of a pale or hospital color, in folds."""
    value, tint = rng.uniform(0.55, 0.9), rng.uniform(0, 0.12, 3)
    if rng.random() < 0.25:
        value, tint = rng.uniform(0.2, 0.6), rng.uniform(0, 1) * np.array([0.6, 0.2, 0.0])  # blue or green
    return plain(rng, value * (1 - tint), roughness=0.95, relief=rng.uniform(0.001, 0.004), uneven=0.1)


def strong(rng: np.random.Generator) -> bpy.types.Material:
    """One strong colour, as often of orange, red and brown as of all others."""
    hue = rng.uniform(0.0, 0.13) if rng.random() < 0.5 else rng.uniform()
    colour = colorsys.hsv_to_rgb(hue, rng.uniform(0.6, 1), rng.uniform(0.35, 0.95))
    return plain(rng, np.array(colour) ** 2.2)


def wood(rng: np.random.Generator, metres: float = 1.0) -> bpy.types.Material:
    """Boards beside each other with a grain, pale to dark, for a thing of about this size."""
    material = new("wood")
    tree = material.node_tree
    shader = principled(tree, roughness=rng.uniform(0.25, 0.8))
    place, scale, planks = (tree.nodes.new(f"ShaderNode{name}") for name in ("TexCoord", "Mapping", "TexBrick"))
    tree.links.new(place.outputs["Object"], scale.inputs["Vector"])
    scale.inputs["Rotation"].default_value = (0.0, 0.0, rng.choice([0, np.pi / 2]) + rng.normal(0, 0.05))
    scale.inputs["Scale"].default_value = [metres * float(np.exp(rng.uniform(np.log(0.7), np.log(6))))] * 3
    grain, stretch, ramp = (tree.nodes.new(f"ShaderNode{name}") for name in ("TexNoise", "Mapping", "ValToRGB"))
    tree.links.new(scale.outputs["Vector"], stretch.inputs["Vector"])
    stretch.inputs["Scale"].default_value = (rng.uniform(0.5, 2), rng.uniform(10, 40), rng.uniform(10, 40))
    tree.links.new(stretch.outputs["Vector"], grain.inputs["Vector"])
    grain.inputs["Detail"].default_value, grain.inputs["Distortion"].default_value = 3.0, rng.uniform(0, 1.5)
    colour = np.array(colorsys.hsv_to_rgb(rng.uniform(0.02, 0.11), rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.9)))
    for stop, fraction in zip(ramp.color_ramp.elements, (rng.uniform(0.4, 0.9), 1.1), strict=True):
        stop.color = (*np.clip(colour**2.2 * fraction, 0, 1).tolist(), 1)
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[1].position = 0.3, 0.7
    tree.links.new(grain.outputs[0], ramp.inputs[0])
    tree.links.new(scale.outputs["Vector"], planks.inputs["Vector"])
    for name, value in (("Brick Width", rng.uniform(2, 8)), ("Row Height", rng.uniform(0.3, 1)), ("Scale", 2.0)):
        planks.inputs[name].default_value = value
    planks.inputs["Mortar Size"].default_value = rng.choice([0.0, 0.005, 0.015])
    planks.inputs["Mortar"].default_value = (0.02, 0.015, 0.01, 1)
    for name, fraction in (("Color1", 1.0), ("Color2", rng.uniform(0.6, 1.0))):
        mixed = tree.nodes.new("ShaderNodeVectorMath")
        mixed.operation, mixed.inputs[1].default_value = "MULTIPLY", (fraction, fraction, fraction)
        tree.links.new(ramp.outputs[0], mixed.inputs[0])
        tree.links.new(mixed.outputs[0], planks.inputs[name])
    tree.links.new(planks.outputs["Color"], shader.inputs["Base Color"])
    return material


def glow(rng: np.random.Generator) -> bpy.types.Material:
    """A lamp, a screen or a window in the light."""
    material = new("glow")
    shader = principled(material.node_tree, roughness=0.5)
    tint = 1 - rng.uniform(0, 0.3) * np.array([0, 0.4, 1] if rng.random() < 0.5 else [1, 0.4, 0])
    shader.inputs["Emission Color"].default_value = (*tint.tolist(), 1)
    shader.inputs["Emission Strength"].default_value = float(np.exp(rng.uniform(np.log(0.5), np.log(6))))
    return material


def surface(rng: np.random.Generator) -> bpy.types.Material:
    """What furniture and the things on it are made of: plain as often as not, wood, metal, paint."""
    kind = rng.random()
    if kind < 0.45:
        return plain(rng, np.array(_colour(rng)), uneven=0.1)
    if kind < 0.65:
        return wood(rng)
    return strong(rng) if kind < 0.75 else everyday(rng)


def principled(tree: bpy.types.NodeTree, roughness: float) -> bpy.types.Node:
    """A new principled shader that is the material's surface."""
    shader = tree.nodes.new("ShaderNodeBsdfPrincipled")
    shader.inputs["Roughness"].default_value = roughness
    tree.links.new(shader.outputs[0], tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    return shader


def _colour(rng: np.random.Generator) -> list[float]:
    """Linear RGB: mostly muted, some strong, some of wood, and some near the hues of skin, which are the hard ones."""
    kind = rng.random()
    if kind < 0.2:
        hue, saturation, value = rng.uniform(), rng.uniform(0.6, 1), rng.uniform(0.3, 0.95)
    elif kind < 0.45:
        hue, saturation, value = rng.uniform(0.02, 0.11), rng.uniform(0.3, 0.75), rng.uniform(0.15, 0.85)
    else:
        hue, saturation, value = rng.uniform(), rng.uniform(0, 0.35), rng.uniform(0.08, 0.95)
    return (np.array(colorsys.hsv_to_rgb(hue, saturation, value)) ** 2.2).tolist()
