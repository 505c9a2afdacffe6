"""Materials of gloves: made once for each pair of finishes, then told a glove's colors."""

from __future__ import annotations

import functools

import bpy

from generator.blender.rig import COLOR
from generator.blender.scene import materials
from generator.blender.scene.nodes import NodeGraph, Socket
from generator.blender.scene.skin_material import REST, region_pass, skin_shader, tell_skin
from generator.mesh.gloves import Glove
from generator.mesh.skin_look import SkinLook

COVER, PATCH, SEAM, SHADE, CUFF, UNDER = (
    *("glove_cover", "glove_patch", "glove_seam", "glove_shade", "glove_cuff", "glove_under"),
)
"""Point attributes: those of :class:`generator.mesh.glove_mesh.GloveMesh`."""

_SEAM_MM = 0.7


class GloveMaterials:
    """The materials of a run's gloves.

    :param name: of the render pass that says where the hand is.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._made = functools.cache(self._make)

    def material(self, glove: Glove, look: SkinLook) -> bpy.types.Material:
        """The material of one glove, on the skin it leaves bare too; the last one's of the same finishes changes."""
        graph = self._made(
            glove.finish, glove.patch_finish if glove.patch != "none" else None, glove.print_color is not None
        )
        graph.tell(
            main=glove.color, cuff=glove.cuff_color, opacity=glove.opacity, roughness=glove.roughness,
            patch=glove.patch_color, patch_roughness=glove.patch_roughness, under=glove.under or glove.cuff_color,
        )  # fmt: skip
        if glove.print_color is not None:
            graph.tell(print=glove.print_color)
        tell_skin(graph, look)
        return graph.material

    def _make(self, finish: str, patch_finish: str | None, printed: bool) -> NodeGraph:
        graph = NodeGraph(materials.new("glove"))
        graph.color("patch"), graph.number("patch_roughness")
        place = graph.attribute(REST, "Vector")
        seam = graph.math("LESS_THAN", graph.attribute(SEAM), _SEAM_MM)
        shade = graph.math("SUBTRACT", graph.attribute(SHADE), graph.times(seam, 0.3))
        main = graph.color("main")
        if printed:
            main = graph.mix(_print(graph, place), main, graph.color("print"))
        cuff = graph.mix(graph.attribute(UNDER), graph.color("cuff"), graph.color("under"))
        shell = graph.scaled(graph.mix(graph.attribute(CUFF), main, cuff), shade)
        seen = graph.mix(graph.number("opacity"), graph.attribute(COLOR, "Color"), shell)
        cloth = _shader(graph, finish, seen, graph.number("roughness"), place)
        if patch_finish is not None:
            inside = graph.math("GREATER_THAN", graph.attribute(PATCH), 0.0)
            color = graph.scaled(graph.color("patch"), shade)
            other = _shader(graph, patch_finish, color, graph.number("patch_roughness"), place)
            cloth = graph.mix_shaders(inside, cloth, other)
        covered = graph.math("GREATER_THAN", graph.attribute(COVER), 0.0)
        graph.add("OutputMaterial", Surface=graph.mix_shaders(covered, skin_shader(graph), cloth))
        region_pass(graph, self._name)
        return graph


def _print(graph: NodeGraph, place: Socket) -> Socket:
    """Lines of what looks like letters on the back of the hand, 1 where they are."""
    x, y, z = graph.apart(place)
    inside = graph.times(graph.math("GREATER_THAN", y, 0.004), graph.math("COMPARE", x, -0.006, 0.019))
    inside = graph.times(inside, graph.math("COMPARE", z, 0.052, 0.013))
    line = graph.ramp(graph.wave(place, "Z", 0.0085, 0.0), 0.45, 0.5)
    letters = graph.ramp(graph.noise(graph.mapped(place, (420.0, 60.0, 170.0)), 1.0, 0.0), 0.48, 0.52)
    return graph.times(graph.times(inside, line), letters)


def _shader(graph: NodeGraph, finish: str, color: Socket, roughness: Socket, place: Socket) -> Socket:
    height, metres = _bumps(graph, finish, place)
    shader = graph.add("BsdfPrincipled", Base_Color=color, Roughness=roughness, Normal=graph.bump(height, metres))
    if finish in ("wool", "fabric", "knit"):
        shader.inputs["Sheen Weight"].default_value = 0.25
        shader.inputs["Specular IOR Level"].default_value = 0.15
    return shader.outputs[0]


def _bumps(graph: NodeGraph, finish: str, place: Socket) -> tuple[Socket, float]:
    """A height 0..1 and how many metres that is."""
    if finish in ("knit", "wool"):
        wide, high, metres = (0.0017, 0.0013, 0.0002) if finish == "knit" else (0.0036, 0.0028, 0.0005)
        return graph.times(graph.wave(place, "X", wide), graph.wave(place, "Z", high)), metres
    if finish == "leather":
        cells = graph.add("TexVoronoi", Vector=place, Scale=420.0).outputs["Distance"]
        return graph.math("ADD", cells, graph.noise(place, 60.0, 2.0)), 0.0005
    if finish == "rubber":
        drawn = graph.noise(graph.mapped(place, (150.0, 150.0, 32.0), 0.25), 1.0)
        creases = graph.lines(graph.noise(graph.mapped(place, (45.0, 45.0, 190.0), 0.25), 1.0, 2.0), 0.06)
        loose = graph.ramp(graph.noise(place, 30.0), 0.4, 0.65)  # tight skin has none
        return graph.math("MULTIPLY_ADD", graph.times(creases, loose), 0.9, graph.times(drawn, 0.6)), 0.0025
    return graph.noise(place, 260.0, 3.0), 0.0010
