"""Kinds of scenes: all that depends on whether hands are drawn alone or indoors, before Blender draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EngineName = Literal["auto", "raster", "cycles", "eevee", "workbench"]


@dataclass(frozen=True)
class SceneKind:
    """What a kind of scene has.

    :param engines: those that draw it, the fastest first.
    :param one_space: hands and props stand in one space, where one may hide another; else each hand is drawn by
        itself.
    :param bent_arms: arms are bent as the settings say; else one alone leads straight out of the image where it can.
    :param own_skin: every hand has a skin of its own; else the plain colors of its tone.
    :param photographed: each image is exposed, blurred and stored as by a camera; else the setting ``sensor`` decides.
    """

    engines: tuple[EngineName, ...]
    one_space: bool = False
    bent_arms: bool = False
    own_skin: bool = False
    photographed: bool = False


KINDS = {
    "plain": SceneKind(("raster", "cycles", "eevee", "workbench")),
    "indoor": SceneKind(("cycles",), one_space=True, bent_arms=True, own_skin=True, photographed=True),
}
"""By the words of the setting ``scene``."""
