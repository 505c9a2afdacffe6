"""What one hand of a frame looks like: proportions, skin, glove, rings; drawn from (seed, frame, hand)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from generator.frame.settings import RenderSettings
from generator.hand.anatomy import MEAN, HandShape
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

    tone: float = 0.5
    shape: HandShape = MEAN
    skin: SkinLook | None = None
    glove: Glove | None = None
    rings: tuple[Ring, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.tone <= 1:
            raise ValueError(f"tone is from 0 to 1, not {self.tone}")


def draw_hand_look(
    settings: RenderSettings, frame: int, tone: float, shape: HandShape, hand: int = 0, own: bool = True
) -> HandLook:
    """Draw the look of one of a frame's hands.

    :param hand: its number in the frame.
    :param own: whether it is the first hand's person's: then both have the same skin and gloves.
    """
    person = 0 if own else hand
    rng = stream(settings.seed, frame, "glove", person)
    some = rng.random() < SOME
    glove = (
        Glove.random(rng, "random" if settings.glove == "some" else settings.glove) if _gloved(settings, some) else None
    )
    if glove:
        glove = over_another(stream(settings.seed, frame, "glove", person, 1), glove)
    if glove and hand:
        glove = replace(glove, seed=glove.seed + hand)  # the other of the pair: the same, but for its folds
    skin = None
    if settings.kind.own_skin and settings.rig is None:
        adorned = ADORNED if settings.adornments == "random" else 0.0
        skin = SkinLook.random(stream(settings.seed, frame, "skin", person), tone, adorned)
        if shape.of_child:
            skin = skin.of_child()
    bare = glove is None or glove.fingers < 1
    rings = (
        draw_rings(stream(settings.seed, frame, "rings", hand))
        if settings.adornments == "random" and bare and skin and not shape.of_child
        else ()
    )
    return HandLook(tone, shape, skin, glove, rings)


def _gloved(settings: RenderSettings, some: bool) -> bool:
    return some if settings.glove == "some" else settings.glove != "none"
