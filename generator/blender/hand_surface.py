"""A hand's surface in Blender, bare or in a glove, as a hand's look says: its points, colors and other attributes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from generator.blender import attributes, rig
from generator.blender.rig import Rig
from generator.blender.scene import glove_material, skin_material
from generator.frame.hand_look import HandLook
from generator.hand.anatomy import skeleton
from generator.mesh import glove_mesh, hand_mesh, skin_color
from generator.mesh.bend_shapes import bend_offsets
from generator.mesh.glove_mesh import GloveMesh
from generator.mesh.gloves import Glove
from generator.mesh.hand_mesh import HandMesh
from generator.mesh.skin_look import SkinMaps, skin_maps


def paint(hand: Rig, mesh: HandMesh, look: HandLook) -> None:
    """Color a bare hand."""
    if look.skin is None:
        rig.paint(hand.surface, skin_color.colors(mesh, look.tone))
        return
    _paint_skin(hand, skin_maps(look.skin))
    attributes.write(hand.surface.data, skin_material.REST, hand_mesh.build().vertices)


def shape_for(hand: Rig, mesh: HandMesh, look: HandLook, pose: np.ndarray) -> None:
    """Give the surface what bending does to it in this pose (28,), before the bones turn it; less under a glove."""
    offsets = bend_offsets(pose) * (look.shape.width if look.glove is None else 0.6)
    rest = mesh.vertices.copy()
    rest[: len(offsets)] += offsets
    rig.set_rest(hand, rest)


class GlovedHand:
    """A rig whose surface becomes that of any hand in any glove: all have the same faces and weights."""

    def __init__(self, name: str) -> None:
        gloved = glove_mesh.wear(Glove("plain", "fabric", (0.5, 0.5, 0.5)))
        self._rig = rig.build(skeleton(), _hand_mesh(gloved, gloved.vertices, 1.0), name)

    def wear(self, look: HandLook) -> tuple[Rig, HandMesh]:
        """The hand of this look, which has a glove."""
        assert look.glove is not None
        gloved = glove_mesh.wear(look.glove)
        vertices = hand_mesh.reshape(gloved.vertices.astype(float), gloved.weights.astype(float), look.shape)
        mesh = _hand_mesh(gloved, vertices.astype(np.float32), look.shape.length)
        hand = replace(self._rig, skeleton=skeleton(look.shape))
        attributes.write(hand.surface.data, rig.WRIST_DISTANCE, mesh.wrist_distance)
        extra = int(gloved.cuff.sum())
        if look.skin is None:
            bare = skin_color.colors(hand_mesh.build(), look.tone)
            rig.paint(hand.surface, _colors(gloved, look.glove, np.pad(bare, ((0, extra), (0, 0)))))
            attributes.write(hand.surface.data, rig.GRAIN, np.where(gloved.cover > 0, 0.0, 1 - mesh.nail))
            return hand, mesh
        _paint_skin(hand, skin_maps(look.skin), extra)
        values = {
            skin_material.REST: gloved.vertices,
            glove_material.COVER: gloved.cover,
            glove_material.PATCH: gloved.patch,
            glove_material.SEAM: gloved.seam,
            glove_material.SHADE: gloved.shade,
            glove_material.CUFF: gloved.cuff,
            glove_material.UNDER: gloved.under,
        }
        for name, value in values.items():
            attributes.write(hand.surface.data, name, value)
        return hand, mesh


def _paint_skin(hand: Rig, maps: SkinMaps, extra: int = 0) -> None:
    """Write the maps of a skin to the first vertices; the ``extra`` ones behind them are a cuff's."""

    def padded(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values, np.repeat(values[:1], extra, axis=0)]) if extra else values

    rig.paint(hand.surface, padded(maps.color))
    values = {
        skin_material.ROUGHNESS: maps.roughness,
        skin_material.BUMPS: maps.bumps,
        skin_material.VEIN: maps.vein,
        skin_material.NAIL: maps.nail,
        skin_material.DRAWING: maps.drawing,
        skin_material.BAND: maps.band,
        skin_material.HAIR: maps.hair,
    }
    for name, value in values.items():
        attributes.write(hand.surface.data, name, padded(value))


def _colors(gloved: GloveMesh, glove: Glove, skin: np.ndarray) -> np.ndarray:
    """The colors of hand and glove at the vertices, for engines that know no other, (V, 3)."""
    main = np.where(gloved.cuff[:, None], glove.cuff_color, glove.color)
    if glove.under is not None:
        main = np.where(gloved.under[:, None], glove.under, main)
    color = np.where((gloved.patch > 0)[:, None], glove.patch_color, main) * gloved.shade[:, None]
    color = skin + np.where(gloved.cuff, 1.0, glove.opacity)[:, None] * (color - skin)
    return np.where((gloved.cover > 0)[:, None], color, skin)


def _hand_mesh(gloved: GloveMesh, vertices: np.ndarray, length: float) -> HandMesh:
    """A gloved hand as a mesh of a hand, in the bind pose of its own shape."""
    bare = hand_mesh.build()
    extra = int(gloved.cuff.sum())
    distance = np.concatenate([bare.wrist_distance, gloved.vertices[gloved.cuff, 2]])
    palm, crease, nail = (np.pad(values, (0, extra)) for values in (bare.palm, bare.crease, bare.nail))
    scaled = np.where(distance > 0, length, 1.0).astype(np.float32) * distance
    return HandMesh(vertices, gloved.faces, gloved.weights, scaled, palm, crease, nail)
