"""Light, background, skin tone, handedness and sleeve of one frame, drawn from (seed, frame)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.frame import light
from generator.frame.settings import RenderSettings
from generator.hand.anatomy import HandShape
from generator.hand.vectors import Fraction, Number, Side, Vector
from generator.mesh.sleeve import SLEEVED, Sleeve
from handforge.rng import stream

SHAPES = 16
"""Number of different adults' hands in a run with a random shape."""

CHILDREN, CHILD = 4, 0.08
"""Number of different children's hands in it, where hands have a skin of their own; and how many frames show one."""


@dataclass(frozen=True)
class FrameLook:
    """What is the same for all hands of a frame: light, background, and what hands are drawn from.

    Shape, tone and side are what :class:`generator.frame.frame_spec.HandSpec` is drawn from; a drawn frame has
    each hand's own there.

    :param shape: number of the hand's proportions, 0 to :data:`SHAPES` - 1, from there on a child's, for
        :func:`hand_shape`; None: the run's only ones.
    :param tone: skin tone, 0..1.
    :param light: unit vector (3,) from the hand to the light, scene axes.
    :param light_color: linear RGB (3,).
    :param ambient: fraction of the light that comes from everywhere, 0..1.
    :param background: linear RGB (3,) of what is behind the hand.
    :param sleeve: None for a bare arm; indoor scenes have sleeves of their own.
    """

    shape: Number | None
    tone: Fraction
    light: Vector
    light_color: Vector
    ambient: Fraction
    background: Vector
    side: Side = "right"
    sleeve: Sleeve | None = None

    def __post_init__(self) -> None:
        if any(vector.shape != (3,) for vector in (self.light, self.light_color, self.background)):
            raise ValueError("light, light_color and background are three numbers each")
        if not 0.99 < np.linalg.norm(self.light) < 1.01:
            raise ValueError("light is a vector of length 1")
        for name in ("light_color", "background"):
            if (low := getattr(self, name).min()) < 0:
                raise ValueError(f"{name} is of numbers of 0 or more, not {low:g}")


def hand_shape(settings: RenderSettings, shape: int | None = None) -> HandShape:
    """Proportions of one of the run's hands; of its only one, where the shape is not random."""
    if shape is not None:
        draw = HandShape.random if shape < SHAPES else HandShape.child
        return draw(stream(settings.seed, shape, "shape"))
    return settings.shape if isinstance(settings.shape, HandShape) else HandShape()


def draw_frame_look(settings: RenderSettings, frame: int) -> FrameLook:
    """Draw the look of a frame. All draws are made whatever the settings, so that no setting changes another."""
    rng = stream(settings.seed, frame, "look")
    shape = int(rng.integers(SHAPES))
    tone = float(rng.uniform(0, 1))
    direction, color, ambient = light.draw(rng)
    paper = np.clip(rng.uniform(0.72, 1.0) * (1 + rng.uniform(-0.04, 0.04, 3)), 0, 1)
    if settings.light == "front":
        direction, color, ambient = light.FRONT
    young = stream(settings.seed, frame, "child")
    if settings.kind.own_skin and young.random() < CHILD:
        shape = SHAPES + int(young.integers(CHILDREN))
    return FrameLook(
        shape=shape if settings.shape == "random" and settings.rig is None else None,
        tone=tone if isinstance(settings.skin_tone, str) else float(settings.skin_tone),
        light=direction,
        light_color=color,
        ambient=ambient,
        background=paper if settings.background == "random" else np.ones(3),
        side=_handedness(settings, frame),
        sleeve=_sleeve(settings, frame),
    )


def _handedness(settings: RenderSettings, frame: int) -> str:
    if settings.handedness != "random":
        return settings.handedness
    return "left" if stream(settings.seed, frame, "handedness").random() < 0.5 else "right"


def _sleeve(settings: RenderSettings, frame: int) -> Sleeve | None:
    rng = stream(settings.seed, frame, "sleeve")
    return Sleeve.random(rng) if settings.sleeve == "random" and rng.random() < SLEEVED else None
