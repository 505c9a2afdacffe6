"""Hands before a plain background or an image: each drawn by itself, then put together."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Protocol

import numpy as np

from generator.blender.engines.render_layers import FrameLayers, RenderLayers
from generator.blender.posed_frame import PosedFrame, Stage
from generator.blender.region import Region
from generator.blender.rig import PosedSurface, Rig
from generator.frame import camera_effects
from generator.frame.camera_effects import srgb
from generator.frame.elbow import STRAIGHT, Elbow
from generator.frame.frame_look import FrameLook
from generator.frame.frame_spec import FrameSpec
from generator.frame.settings import RenderSettings
from generator.hand.camera import Camera


class ArmDrawer(Protocol):
    """Draws a posed and painted hand; nothing of it is random."""

    def draw(
        self, rig: Rig, surface: PosedSurface, camera: Camera, look: FrameLook, elbow: Elbow = STRAIGHT
    ) -> RenderLayers:
        """Draw a rig by its present ``surface``, and the sleeve of the look on its arm, bent so."""
        ...


class PlainScene:
    """Renders with one of the engines that draw hands; see the module's text."""

    def __init__(self, settings: RenderSettings, stage: Stage, drawer: ArmDrawer) -> None:
        self.drawer, self._stage = drawer, stage
        self._backgrounds = Path(settings.backgrounds or "")

    def decide(self, frame: PosedFrame) -> FrameSpec:
        """The frame as it is: nothing depends on how hands are posed."""
        return frame.spec

    def render(self, frame: PosedFrame) -> FrameLayers:
        """Draw a frame with hands."""
        spec, drawings = frame.spec, []
        for arm in frame.arms:
            self._stage.show(arm.rig)
            drawings.append(self.drawer.draw(arm.rig, arm.surface, spec.camera, spec.look, arm.elbow))
        if spec.backdrop is None:
            image = _compose(drawings, spec.camera, spec.look)
        else:
            image = _before(spec.backdrop.read(self._backgrounds, (spec.camera.width, spec.camera.height)), drawings)
        if spec.sensor is not None:
            image = camera_effects.apply_sensor(image, spec.sensor)
        return FrameLayers(image, tuple(drawings))


def _compose(drawings: list[RenderLayers], camera: Camera, look: FrameLook) -> np.ndarray:
    """The whole image, (H, W, 3) uint8, of hands that do not overlap."""
    image = _plain(camera.width, camera.height, *srgb(look.background).tolist()).copy()
    for number, drawing in enumerate(drawings):
        x0, y0, x1, y1 = drawing.box
        drawn_at = np.s_[:, :] if not number else drawing.covered(*Region) > 0
        image[y0:y1, x0:x1][drawn_at] = drawing.image[drawn_at]
    return image


@functools.lru_cache(1)
def _plain(width: int, height: int, *rgb: int) -> np.ndarray:
    return np.tile(np.array(rgb, np.uint8), (height, width, 1))


def _before(background: np.ndarray, drawings: list[RenderLayers]) -> np.ndarray:
    """The whole image, (H, W, 3) uint8, of hands drawn on black before an image."""
    image = background.copy()
    for drawing in drawings:
        x0, y0, x1, y1 = drawing.box
        alpha = np.minimum(drawing.covered(*Region), 1)
        image[y0:y1, x0:x1] = srgb(
            camera_effects.composite(camera_effects.linear(drawing.image), alpha, image[y0:y1, x0:x1])
        )
    return image
