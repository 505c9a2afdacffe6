"""What engines return, and what they share: the box around the hand, the light's formula, colour, coverage."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from generator.blender.posed_frame import PosedFrame
from generator.blender.region import Region
from generator.frame.frame_spec import FrameSpec
from generator.hand.camera import Camera

WRAP = 0.4
"""How far the light reaches around the hand: shade = ambient + (1 - ambient) max(0, (n.l + WRAP) / (1 + WRAP)).
Wrapped diffuse light without shadows, as the paper's images have it."""

MARGIN = 2
"""Pixels drawn around the hand's outermost vertex."""

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in the image, half-open."""


@dataclass(frozen=True)
class RenderLayers:
    """The part of an image that a hand is in; all around it is the plain background.

    :param box: where it is in the image.
    :param image: (y1 - y0, x1 - x0, 3) uint8, sRGB, on the background.
    :param hand: (y1 - y0, x1 - x0) float, 0..1: how much of a pixel this :class:`Region` covers.
    :param forearm: the same of the bare forearm.
    :param cloth: the same of a sleeve, 0 in indoor scenes, whose sleeves are props; the three add up to 1 at most.
    """

    box: Box
    image: np.ndarray
    hand: np.ndarray
    forearm: np.ndarray
    cloth: np.ndarray | float = 0.0

    def covered(self, *regions: Region) -> np.ndarray:
        """How much of a pixel some regions cover together, (y1 - y0, x1 - x0) float, 0..1."""
        return functools.reduce(np.add, (getattr(self, region.label) for region in regions))


@dataclass(frozen=True)
class FrameLayers:
    """A whole frame, rendered.

    :param image: (H, W, 3) uint8, sRGB, as it is stored.
    :param arms: where each of the frame's arms is; with what stands before an arm cut out.
    :param reflections: where each is in a mirror, in the same order; none without a mirror.
    :param objects: (H, W) int, which annotated object each pixel shows, from 1; None where none is asked for.
    """

    image: np.ndarray
    arms: tuple[RenderLayers, ...] = ()
    reflections: tuple[RenderLayers, ...] = ()
    objects: np.ndarray | None = None


class Engine(Protocol):
    """Renders frames."""

    def decide(self, frame: PosedFrame) -> FrameSpec:
        """The frame with what can only be decided once its hands are posed."""
        ...

    def render(self, frame: PosedFrame) -> FrameLayers:
        """Render a frame."""
        ...


def box_around(points: np.ndarray, camera: Camera) -> Box:
    """The box of pixels, inside the image, around scene points (V, 3); of no area where none is in the image."""
    x, y, depth = camera.to_camera(points).T
    if depth.min() < 0.01:
        return 0, 0, camera.width, camera.height
    size, focal = np.array([camera.width, camera.height]), camera.matrix[0, 0]
    low, high = (np.array([f(x / depth), f(y / depth)]) * focal + size / 2 for f in (np.min, np.max))
    (x0, y0), (x1, y1) = (np.clip(np.floor(v), 0, size).astype(int).tolist() for v in (low - MARGIN, high + MARGIN + 1))
    return x0, y0, x1, y1


def nothing() -> RenderLayers:
    """The drawing of a hand that is not in the image."""
    return RenderLayers((0, 0, 0, 0), np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0)), np.zeros((0, 0)))
