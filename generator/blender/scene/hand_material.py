"""What the hands of an indoor scene are made of, skin or glove, and the rings that they wear."""

from __future__ import annotations

import functools

import bpy
import numpy as np

from generator.blender import rig
from generator.blender.region import Region
from generator.blender.rig import Rig
from generator.blender.scene import materials
from generator.blender.scene.glove_material import GloveMaterials
from generator.blender.scene.nodes import NodeGraph
from generator.blender.scene.props import Props
from generator.blender.scene.skin_material import SkinMaterials, plain_skin
from generator.frame.hand_look import HandLook
from generator.hand.anatomy import HandShape
from generator.mesh.rings import Ring, ring_mesh
from generator.mesh.skin_look import SkinLook


class HandMaterials:
    """The materials of one hand of every frame.

    :param name: of the render pass that says where the hand is.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._plain = functools.cache(lambda: plain_skin(name))
        self._skins, self._gloves = SkinMaterials(name), GloveMaterials(name)

    def material(self, look: HandLook) -> bpy.types.Material:
        """The material of a hand that looks so; the same one changes with each look."""
        if look.glove is not None:
            return self._gloves.material(look.glove, look.skin or SkinLook(look.tone))
        return self._plain() if look.skin is None else self._skins.material(look.skin)


def put_on(props: Props, hand: Rig, ring: Ring, shape: HandShape, name: str) -> None:
    """Put a ring on the posed hand, as a part of what the render pass ``name`` says is the hand."""
    vertices, faces, stone = ring_mesh(ring, shape)
    metal = _polished(ring.color, ring.roughness, 1.0, name)
    made_of = [metal, _polished(ring.stone_color, 0.05, 0.0, name)] if ring.stone else [metal]
    props.add_mesh(vertices, faces, made_of, rig.bone_motion(hand, ring.bone), stone.astype(np.int32))


def _polished(color: tuple[float, float, float], roughness: float, metallic: float, name: str) -> bpy.types.Material:
    graph = NodeGraph(materials.new("ring"))
    shader = graph.add("BsdfPrincipled", Base_Color=color, Roughness=roughness, Metallic=metallic)
    graph.add("OutputMaterial", Surface=shader.outputs[0])
    graph.write_pass(name, Color=tuple(float(region == Region.HAND) for region in Region))
    return graph.material
