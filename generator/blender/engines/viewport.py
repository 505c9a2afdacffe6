"""The engines of Blender's viewport, for machines with a GPU: the light of ``render_layers``, as Cycles draws it."""

from __future__ import annotations

import bpy
import numpy as np

from generator.blender import attributes
from generator.blender.engines import exr
from generator.blender.engines.cycles import LIGHT, Cycles, drawing
from generator.blender.engines.render_layers import Box, RenderLayers
from generator.blender.region import Region
from generator.blender.rig import WRIST_DISTANCE, wrist_distance
from generator.frame.camera_effects import srgb
from generator.frame.frame_look import FrameLook
from generator.hand.camera import Camera

WORKBENCH_SAMPLES = (5, 8, 11, 16, 32)

_MARK = "hand_mark"
"""Point attribute with a channel for the hand, 0.5 at the wrist crease and less on the forearm, and one for cloth."""
_STEEP = 5.0
"""How fast the hand's channel rises, per metre: it is clipped 0.1 m beside the crease."""


class Eevee(Cycles):
    """Renders with EEVEE: Cycles' materials and passes, drawn by the GPU."""

    culls = False

    def _choose(self) -> None:
        render = self._scene.render
        render.engine = "BLENDER_EEVEE" if bpy.app.version >= (5, 0) else "BLENDER_EEVEE_NEXT"
        render.filter_size = 1.0
        self._scene.eevee.taa_render_samples = self._samples

    def _render(self, box: Box, parts: list[tuple[Box, bool]], camera: Camera, look: FrameLook) -> RenderLayers:
        self._aim(camera, box)
        return drawing(exr.render(), box, look)


class Workbench(Cycles):
    """Renders with Workbench, twice: the light that vertices emit, and the region they belong to.

    It has no passes of its own. A pixel is the hand's, the forearm's or a sleeve's as a whole.
    """

    culls = False

    def _choose(self) -> None:
        self._scene.render.engine = "BLENDER_WORKBENCH"
        enough = [n for n in WORKBENCH_SAMPLES if n >= self._samples]
        self._scene.display.render_aa = str((enough or WORKBENCH_SAMPLES[-1:])[0])
        shading = self._scene.display.shading
        shading.light, shading.color_type = "FLAT", "VERTEX"
        shading.show_object_outline = shading.show_cavity = shading.show_shadows = False

    def _render(self, box: Box, parts: list[tuple[Box, bool]], camera: Camera, look: FrameLook) -> RenderLayers:
        self._aim(camera, box)
        meshes = [obj.data for obj in self._seen.objects]
        light, mark = _show(meshes, LIGHT), _show(meshes, _MARK)
        alpha = np.clip(light[..., 3], 0.0, 1.0)
        on_hand, on_cloth = mark[..., Region.HAND] > 0.5 * mark[..., 3], mark[..., Region.CLOTH] >= 0.5 * mark[..., 3]
        image = srgb(light[..., :3] + (1.0 - alpha[..., None]) * look.background)
        return RenderLayers(box, image, alpha * on_hand, alpha * ~(on_hand | on_cloth), alpha * on_cloth)


def _show(meshes: list[bpy.types.Mesh], attribute: str) -> np.ndarray:
    """Render with one of the meshes' attributes as their colour, (H, W, 4)."""
    for mesh in meshes:
        if attribute == _MARK and _MARK not in mesh.attributes:
            _mark(mesh)
        mesh.color_attributes.active_color = mesh.color_attributes[attribute]
    return exr.render()["Combined"]


def _mark(mesh: bpy.types.Mesh) -> None:
    rgba = np.zeros((len(mesh.vertices), 4), np.float32)
    rgba[:, 3] = 1.0
    if WRIST_DISTANCE in mesh.attributes:
        rgba[:, Region.HAND] = np.clip(0.5 + _STEEP * wrist_distance(mesh), 0, 1)
    else:
        rgba[:, Region.CLOTH] = 1.0
    attributes.write(mesh, _MARK, rgba)
