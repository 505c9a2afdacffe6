"""What one hand of a frame looks like: proportions, skin, glove, rings; drawn from (seed, frame, hand)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from generator.frame.settings import RenderSettings
from generator.hand.anatomy import MEAN, HandShape
from generator.hand.vectors import Fraction
from generator.mesh.gloves import Glove, over_another
from generator.mesh.rings import Ring, draw_rings
from generator.mesh.skin_look import SkinLook
from handforge.rng import stream

SOME = 1 / 8
"""Fraction of the hands in gloves where the setting is ``some``."""

ADORNED = 0.3
"""Fraction of the hands that are adorned; see :meth:`generator.mesh.skin_look.SkinLook.random`."""


@dataclass(frozen=True)
class HandLook:
    """A hand's appearance, decided; all that is in it are plain JSON values.

    :param skin: None where it has the plain colors of its tone: before plain backgrounds, and of external rigs.
    """

    tone: Fraction = 0.5
    shape: HandShape = MEAN
    skin: SkinLook | None = None
    glove: Glove | None = None
    rings: tuple[Ring, ...] = ()


def draw_hand_look(
    settings: RenderSettings, frame: int, tone: float, shape: HandShape, hand: int = 0, person: int = 0
) -> HandLook:
    """Draw the look of one of a frame's hands.

    :param hand: its number in the frame, which no other has; its rings and its glove's folds are drawn from it.
    :param person: whose it is, by the number of that person's first hand; skin and gloves are drawn from it.
    """
    rng, glove = stream(settings.seed, frame, "glove", person), None
    if {"none": False, "some": rng.random() < SOME}.get(settings.glove, True):
        one = Glove.random(rng, "random" if settings.glove == "some" else settings.glove)
        glove = over_another(stream(settings.seed, frame, "glove", person, 1), one)
        glove = replace(glove, seed=glove.seed + hand)
    skin = None
    if settings.kind.own_skin and settings.rig is None:
        adorned = ADORNED if settings.adornments == "random" else 0.0
        skin = SkinLook.random(stream(settings.seed, frame, "skin", person), tone, adorned)
        if shape.of_child:
            skin = skin.of_child()
    rings: tuple[Ring, ...] = ()
    bare = glove is None or glove.fingers < 1
    if settings.adornments == "random" and bare and skin and not shape.of_child:
        rings = draw_rings(stream(settings.seed, frame, "rings", hand))
    return HandLook(tone, shape, skin, glove, rings)
