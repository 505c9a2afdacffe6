"""The material of skin in indoor scenes: made once for each kind of drawing on it, then set to one person's skin."""

from __future__ import annotations

import functools

import bpy
import numpy as np

from generator.blender.rig import COLOR, WRIST_DISTANCE
from generator.blender.scene import materials
from generator.blender.scene.nodes import NodeGraph, Socket
from generator.mesh.skin_look import SkinLook

REST, ROUGHNESS, BUMPS, VEIN, NAIL, DRAWING, BAND, HAIR = (
    *("rest", "skin_roughness", "skin_relief", "skin_vein", "skin_nail", "skin_drawing", "skin_band", "skin_hair"),
)
"""Point attributes: place in the bind pose (metres), and those of :class:`generator.mesh.skin_look.SkinMaps`."""

LIMB = "skin_limb"
"""The point attribute of :meth:`generator.mesh.limb_skin.LimbSkin.marks`."""

LIMB_SURFACE = "skin_limb_surface"
"""The point attribute of hair, wounds and calluses, each 0..1."""

ARM_PASSES = ("arm", "second_arm", *(f"arm_{number}" for number in range(3, 9)))
"""The render passes (AOVs) of the skin of up to eight arms, with a channel for each :class:`Region`."""

WRINKLED = 0.5
"""The age from which skin is wrinkled, of 0 (child) to 1 (old)."""

_NAIL_LENGTH = 0.0125
"""Of a nail from its root to where the finger ends, metres; its free edge is drawn on that."""


class SkinMaterials:
    """The materials of a run's bare hands.

    :param name: of the render pass that says where the hand is.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._made = functools.cache(self._make)

    def material(self, look: SkinLook) -> bpy.types.Material:
        """The material of one person's skin; it replaces that of the last skin with the same kind of drawing."""
        graph = self._made(look.drawing, look.band != "none", look.age > WRINKLED, look.hair > 0)
        tell_skin(graph, look)
        return graph.material

    def _make(self, drawing: str, band: bool, wrinkled: bool, hairy: bool) -> NodeGraph:
        graph = NodeGraph(materials.new("skin"))
        graph.add("OutputMaterial", Surface=skin_shader(graph, drawing, band, wrinkled, hairy))
        region_pass(graph, self._name)
        return graph


def tell_skin(graph: NodeGraph, look: SkinLook) -> None:
    """Set what :func:`skin_shader` leaves open to one person's skin."""
    pink, pale = (0.72, 0.44, 0.37), (0.74, 0.62, 0.52)
    graph.tell(
        veins=max(look.age - 0.1, 0.0),
        polished=float(look.polish is not None),
        polish=look.polish or pink,
        nail_bed=pink,
        nail_free=pale,
        nail_own=0.5 - 0.25 * look.tone,
        nail_edge=1.0 - 2.0 * min(look.nail, 0.004) / _NAIL_LENGTH,
    )
    if "hair" in graph.values:
        graph.tell(hair=look.hair, hair_color=look.hair_color)
    if "wrinkles" in graph.values:
        graph.tell(wrinkles=(look.age - WRINKLED) / (1 - WRINKLED))
    if "ink" in graph.values:
        graph.tell(ink=look.ink)
    if "band" in graph.values:
        graph.tell(band=look.band_color)


def skin_shader(
    graph: NodeGraph, drawing: str = "none", band: bool = False, wrinkled: bool = False, hairy: bool = True
) -> Socket:
    """Skin with this kind of drawing, and with plasters, tape or markers if there is a ``band``; ``wrinkled`` with
    age, and ``hairy`` or not.
    """
    place, color = graph.attribute(REST, "Vector"), graph.attribute(COLOR, "Color")
    near = graph.times(graph.ramp(graph.attribute(VEIN), 2.6, 0.5), graph.number("veins"))
    color = graph.mix(graph.times(near, 0.45), color, graph.tinted(color, (0.72, 0.90, 1.02)))
    if hairy:
        hairs = graph.times(graph.attribute(HAIR), graph.number("hair"))
        color = graph.mix(graph.times(_strokes(graph, place), hairs), color, graph.color("hair_color"))
    fine = graph.add("TexVoronoi", Vector=place, Scale=520.0).outputs["Distance"]
    bumps = graph.times(graph.math("ADD", fine, graph.noise(place, 210.0, 2.0)), graph.attribute(BUMPS))
    height = graph.math("ADD", graph.times(bumps, 0.30), near)
    if wrinkled:
        folds = graph.times(_wrinkles(graph, place), graph.times(graph.attribute(BUMPS), graph.number("wrinkles")))
        color = graph.mix(graph.times(folds, 0.22), color, graph.tinted(color, (0.70, 0.55, 0.50)))
        height = graph.math("MULTIPLY_ADD", folds, -0.4, height)
    roughness = graph.attribute(ROUGHNESS)
    if drawing != "none":
        fraction = _drawing(graph, drawing, place)
        color = graph.mix(fraction, color, graph.color("ink"))
        roughness = graph.between(fraction, roughness, 0.6 if drawing == "dirt" else 0.45)
    if band:
        on = graph.ramp(graph.attribute(BAND), 0.0, 0.25)
        color = graph.mix(on, color, graph.color("band"))
        roughness = graph.between(on, roughness, 0.75)
        height = graph.math("ADD", height, on)
    color, roughness, bare = _nails(graph, color, roughness)
    shader = graph.add(
        "BsdfPrincipled",
        Base_Color=color,
        Roughness=roughness,
        Normal=graph.bump(height, 0.0008),
        Subsurface_Weight=graph.times(bare, 0.28),
        Subsurface_Radius=(1.0, 0.38, 0.2),
        Subsurface_Scale=0.004,
    )
    shader.subsurface_method = "BURLEY"
    return shader.outputs[0]


def plain_skin(name: str = ARM_PASSES[0]) -> bpy.types.Material:
    """Skin of nothing but the mesh's colors and bump mapping.

    :param name: of the render pass that says where the hand is.
    """
    graph = NodeGraph(materials.new("skin"))
    bumps = graph.bump(graph.noise(graph.add("TexCoord").outputs["Object"], 900.0, 2.0), 0.001, 0.25)
    color = graph.attribute(COLOR, "Color")
    shader = graph.add("BsdfPrincipled", Base_Color=color, Roughness=0.5, Normal=bumps)
    graph.add("OutputMaterial", Surface=shader.outputs[0])
    region_pass(graph, name)
    return graph.material


def limb_skin() -> NodeGraph:
    """Skin of feet and bare arms, which :class:`generator.mesh.limb_skin.LimbSkin` tells apart."""
    graph = NodeGraph(materials.new("limb skin"))
    place, color = graph.attribute(REST, "Vector"), graph.attribute(COLOR, "Color")
    sole, age, blood = graph.apart(graph.attribute(LIMB, "Vector"))
    hair, wet, callus = graph.apart(graph.attribute(LIMB_SURFACE, "Vector"))
    broad = graph.noise(place, 45.0, 3.0)
    color = graph.mix(graph.times(graph.ramp(broad, 0.42, 0.68), blood), color, graph.tinted(color, (0.96, 0.58, 0.54)))
    grain = graph.noise(place, 230.0, 2.0)
    color = graph.mix(
        graph.times(graph.ramp(grain, 0.56, 0.72), graph.times(blood, 0.6)),
        color,
        graph.tinted(color, (0.75, 0.52, 0.46)),
    )
    color = graph.mix(graph.times(callus, 0.6), color, graph.tinted(color, (1.08, 1.02, 0.78)))
    back = graph.times(age, graph.math("SUBTRACT", 1.0, sole))
    vein = graph.lines(graph.noise(place, 14.0, 1.0, 0.6), 0.03)
    vein = graph.times(graph.times(vein, graph.ramp(broad, 0.45, 0.6)), back)
    color = graph.mix(graph.times(vein, 0.35), color, graph.tinted(color, (0.70, 0.86, 1.0)))
    folds = _folds(graph, place, broad, sole, age)
    color = graph.mix(graph.times(folds, 0.2), color, graph.tinted(color, (0.72, 0.54, 0.48)))
    color = graph.mix(graph.times(_strokes(graph, place), hair), color, (0.03, 0.02, 0.015))
    color = graph.mix(graph.times(wet, graph.ramp(grain, 0.5, 0.62)), color, graph.tinted(color, (0.45, 0.3, 0.3)))
    slough = graph.times(graph.times(wet, 0.5), graph.ramp(grain, 0.44, 0.36))
    color = graph.mix(slough, color, (0.6, 0.42, 0.18))
    roughness = graph.between(sole, graph.between(broad, 0.34, 0.66), 0.66)
    color, roughness, bare = _nails(graph, color, graph.between(wet, roughness, 0.12))
    height = graph.math("MULTIPLY_ADD", grain, graph.between(age, 0.3, 0.8), graph.times(vein, 0.6))
    height = graph.math("MULTIPLY_ADD", wet, -2.0, graph.math("MULTIPLY_ADD", folds, -0.3, height))
    height = graph.math("MULTIPLY_ADD", bare, -0.6, height)
    shader = graph.add(
        "BsdfPrincipled",
        Base_Color=color,
        Roughness=roughness,
        Normal=graph.bump(height, 0.0009),
        Subsurface_Weight=graph.times(bare, 0.22),
        Subsurface_Radius=(1.0, 0.38, 0.2),
        Subsurface_Scale=0.004,
    )
    shader.subsurface_method = "BURLEY"
    graph.add("OutputMaterial", Surface=shader.outputs[0])
    return graph


def _wrinkles(graph: NodeGraph, place: Socket) -> Socket:
    """Thin folds of old skin, 0..1: most run across the hand, some at a slant."""
    across = graph.lines(graph.noise(graph.mapped(place, (42.0, 110.0, 210.0), 0.15), 1.0, 1.0, 0.9), 0.05)
    aslant = graph.lines(graph.noise(graph.mapped(place, (150.0, 75.0, 95.0), 0.7), 1.0, 1.0, 0.7), 0.035)
    return graph.math("MAXIMUM", across, graph.times(aslant, 0.7))


def _strokes(graph: NodeGraph, place: Socket) -> Socket:
    """Hairs along the limb, 0..1."""
    return graph.ramp(graph.noise(graph.mapped(place, (1300.0, 1300.0, 60.0)), 1.0, 1.0), 0.58, 0.72)


def tell_toenails(graph: NodeGraph, tone: float, polish: tuple[float, float, float] | None, age: float) -> None:
    """Set the nails of :func:`limb_skin` to one person's: they grow thick and yellow with age."""
    young, old = np.array([0.72, 0.44, 0.37]), np.array([0.58, 0.42, 0.22])
    bed = (young + age**2 * (old - young)).tolist()
    graph.tell(
        polished=float(polish is not None),
        polish=polish or (0.0, 0.0, 0.0),
        nail_bed=tuple(bed),
        nail_free=(0.74, 0.64, 0.46),
        nail_own=0.5 - 0.25 * tone,
        nail_edge=0.78,
    )


def _folds(graph: NodeGraph, place: Socket, broad: Socket, sole: Socket, age: Socket) -> Socket:
    """Soft ripples across the limb, on a sole at a slant, 0..1: here more, there less, and deep on old soles."""
    ripples = graph.noise(graph.mapped(place, (26.0, 120.0, 95.0), 0.4), 1.0, 1.0, 0.6)
    soft = graph.ramp(graph.math("ABSOLUTE", graph.math("SUBTRACT", ripples, 0.5)), 0.07, 0.0)
    deep = graph.times(graph.math("MULTIPLY_ADD", age, 0.8, 0.2), graph.math("MULTIPLY_ADD", sole, 0.6, 0.4))
    return graph.times(graph.times(soft, graph.ramp(broad, 0.3, 0.62)), deep)


def _nails(graph: NodeGraph, color: Socket, roughness: Socket) -> tuple[Socket, Socket, Socket]:
    """Nails over the skin's color and roughness, and where there is none of them."""
    across, along, outside = graph.apart(graph.attribute(NAIL, "Vector"))
    on = graph.ramp(outside, 0.12, -0.12)
    bow = graph.math("MULTIPLY_ADD", graph.times(across, across), -0.14, along)
    free = graph.math("GREATER_THAN", bow, graph.number("nail_edge"))
    moon = graph.math("LESS_THAN", graph.math("MULTIPLY_ADD", graph.times(across, across), 0.9, along), -0.62)
    pink, pale = graph.color("nail_bed"), graph.color("nail_free")
    bed = graph.mix(graph.times(moon, 0.35), graph.mix(graph.number("nail_own"), color, pink), pale)
    nail = graph.mix(graph.times(free, graph.math("ADD", graph.number("nail_own"), 0.3)), bed, pale)
    nail = graph.mix(graph.number("polished"), nail, graph.color("polish"))
    fold = graph.times(graph.ramp(outside, 0.9, 0.1), 0.22)
    color = graph.mix(fold, color, graph.tinted(color, (0.55, 0.42, 0.40)))
    gloss = graph.between(graph.number("polished"), 0.30, 0.12)
    return graph.mix(on, color, nail), graph.between(on, roughness, gloss), graph.math("SUBTRACT", 1.0, on)


def _drawing(graph: NodeGraph, kind: str, place: Socket) -> Socket:
    """How much of the ink there is, 0..1."""
    inside = graph.ramp(graph.attribute(DRAWING), 0.0, 0.4)
    if kind == "tattoo":  # outlines, and areas that are filled
        field = graph.noise(place, 45.0, 1.0)
        outline = graph.ramp(graph.math("ABSOLUTE", graph.math("SUBTRACT", field, 0.5)), 0.022, 0.014)
        filled = graph.ramp(graph.noise(place, 70.0, 1.0), 0.60, 0.62)
        return graph.times(graph.times(inside, graph.math("MAXIMUM", outline, filled)), 0.8)
    if kind == "henna":  # rings around flowers' centers, and dots
        flower = graph.add("TexVoronoi", Vector=place, Scale=75.0).outputs["Distance"]
        rings = graph.ramp(graph.math("SINE", graph.times(flower, 38.0)), 0.35, 0.5)
        dots = graph.ramp(graph.add("TexVoronoi", Vector=place, Scale=300.0).outputs["Distance"], 0.26, 0.2)
        return graph.times(graph.times(inside, graph.math("MAXIMUM", rings, dots)), 0.85)
    grain = graph.noise(place, 140.0 if kind == "dirt" else 60.0, 3.0)
    if kind == "dirt":
        return graph.times(
            graph.times(graph.ramp(graph.attribute(DRAWING), -1.0, 4.0), graph.ramp(grain, 0.35, 0.7)), 0.8
        )
    return graph.times(inside, graph.ramp(grain, 0.48, 0.52))


def region_pass(graph: NodeGraph, name: str) -> None:
    """Write to the render pass ``name`` what is seen: the channel of each :class:`Region` is 1 where it is."""
    hand = graph.math("GREATER_THAN", graph.attribute(WRIST_DISTANCE), 0.0)
    both = graph.add("CombineXYZ", X=hand, Y=graph.math("SUBTRACT", 1.0, hand))
    graph.write_pass(name, Color=both.outputs[0])
