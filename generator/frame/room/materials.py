"""What props in indoor scenes are made of, in numbers: plain, mottled, tiled, woven, wooden, shining, faces.

:mod:`generator.blender.scene.materials` makes Blender's materials of them.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace
from typing import Annotated, Literal, TypeAlias, get_args

import numpy as np
from pydantic import Discriminator

from generator.hand.vectors import Color, Fraction, NotNegative, Sizes, within
from generator.maths import Triple, log_uniform, triple
from generator.mesh.skin_color import base
from generator.objects.surfaces import Surface

Texture = Literal["Noise", "Voronoi", "Brick", "Checker", "Wave"]
_TEXTURES: tuple[Texture, ...] = get_args(Texture)
_DETAILS = {"Noise": ("Detail", "Distortion", "Roughness"), "Voronoi": ("Detail", "Roughness"),
            "Wave": ("Detail", "Distortion")}  # fmt: skip
"""What else can be said of a texture, by Blender's names; in the order of being drawn."""
_DETAIL_RANGES = {"Detail": (1, 4), "Distortion": (0, 3), "Roughness": (0.4, 0.8)}


@dataclass(frozen=True)
class Pattern:
    """A texture over a prop.

    :param texture: the end of the name of Blender's texture node.
    :param rotation: radians; ``scale``: per metre, or per size of a prop that is scaled.
    :param details: further inputs of the texture by name.
    :param second: linear RGB where the texture is 1.
    :param start: up to which value of the texture the first color lasts, 0..0.5.
    :param bump: how strongly it stands out, 0..1; None where it is flat.
    """

    texture: Texture
    rotation: Triple
    scale: Sizes
    details: dict[str, float]
    second: Color
    start: Annotated[float, within(0, 0.5)]
    bump: Fraction | None


@dataclass(frozen=True)
class Everyday:
    """The material of a table, a wall, a box or a sleeve; without a pattern it has one color, linear RGB."""

    kind: Literal["everyday"]
    roughness: Fraction
    metallic: bool
    color: Color
    pattern: Pattern | None


@dataclass(frozen=True)
class Plain:
    """One color, lighter and darker by up to a fraction.

    :param color: linear RGB.
    :param scale: of what is lighter or darker, per metre or per size of the prop.
    :param uneven: the fraction.
    :param bump_height: height of its folds, metres.
    """

    kind: Literal["plain"]
    color: Color
    roughness: Fraction
    scale: NotNegative
    uneven: Fraction
    bump_height: NotNegative = 0.0


@dataclass(frozen=True)
class Wood:
    """Boards beside each other with a grain.

    :param direction: of the boards, radians.
    :param scale: of all of it.
    :param stretch: of the grain; ``distortion``: how far it is bent.
    :param color: linear RGB; ``dark``: the fraction of it where the grain is darkest.
    :param board: length and width of a board.
    :param gap: between two boards.
    :param other: how much darker every second board is, a fraction.
    """

    kind: Literal["wood"]
    roughness: Fraction
    direction: float
    scale: NotNegative
    stretch: Sizes
    distortion: NotNegative
    color: Color
    dark: Fraction
    board: tuple[NotNegative, NotNegative]
    gap: NotNegative
    other: Fraction


@dataclass(frozen=True)
class Glow:
    """A lamp, a screen or a window in the light: a tint, linear RGB, and its strength."""

    kind: Literal["glow"]
    tint: Color
    strength: NotNegative


@dataclass(frozen=True)
class Face:
    """The skin of a head.

    :param skin: of all of it.
    :param lips: linear RGB; ``dark``: that of brows and beard.
    :param brow: how dense the brows are, 0..1; ``beard``: the beard, 0 for none; ``scalp``: the scalp.
    """

    kind: Literal["face"]
    skin: Plain
    lips: Color
    dark: Color
    brow: Fraction
    beard: Fraction
    scalp: Fraction


@dataclass(frozen=True)
class Hair:
    """What grows on a head, in strands from its crown down.

    :param color: linear RGB.
    :param strands: how many stand beside each other, per radian about the head's axis.
    :param uneven: by which fraction strands are lighter and darker.
    """

    kind: Literal["hair"]
    color: Color
    roughness: Fraction
    strands: NotNegative
    uneven: Fraction


@dataclass(frozen=True)
class OfObject:
    """What an object by code is made of."""

    kind: Literal["object"]
    surface: Surface


@dataclass(frozen=True)
class Glass:
    """Clear glass: what is behind is seen where it would be without, and is part of masks as it would be.

    :param tint: the light that each of its surfaces lets through, linear RGB.
    :param shine: how strongly it reflects the environment, as a factor on what smooth glass does.
    :param smears: how much of the light smears take and scatter where they are thickest, 0..1.
    :param scale: of the smears, per metre.
    """

    kind: Literal["glass"]
    tint: Color
    shine: NotNegative
    smears: Fraction
    scale: NotNegative


@dataclass(frozen=True)
class Mirror:
    """A mirror: the light that it reflects, linear RGB."""

    kind: Literal["mirror"]
    tint: Color


Material: TypeAlias = Annotated[
    Everyday | Plain | Wood | Glow | Face | Hair | OfObject | Glass | Mirror, Discriminator("kind")
]


def everyday(rng: np.random.Generator) -> Everyday:
    """The material of a table, a wall, a box or a sleeve."""
    roughness, metallic = float(rng.uniform(0.25, 0.95)), bool(rng.random() < 0.06)
    first = _color(rng)
    if rng.random() < 0.3:
        return Everyday("everyday", roughness, metallic, first, None)
    rotation = triple(rng.uniform(0, np.pi, 3))
    size = log_uniform(rng, 2, 60)
    stretch = (1, 1, 1) if rng.random() < 0.6 else (1, rng.uniform(0.05, 0.3), 1)  # grain runs one way
    texture = _TEXTURES[int(rng.integers(len(_TEXTURES)))]
    details = {name: float(rng.uniform(*_DETAIL_RANGES[name])) for name in _DETAILS.get(texture, ())}
    second = _color(rng) if rng.random() < 0.4 else triple(np.clip(np.array(first) * rng.uniform(0.3, 1.8), 0, 1))
    start = float(rng.uniform(0, 0.5))
    bump = float(rng.uniform(0.1, 0.6)) if rng.random() < 0.5 else None
    pattern = Pattern(texture, rotation, triple(size * np.array(stretch)), details, second, start, bump)
    return Everyday("everyday", roughness, metallic, first, pattern)


def plain(
    rng: np.random.Generator,
    color: np.ndarray,
    roughness: float | None = None,
    bump_height: float = 0.0,
    uneven: float = 0.25,
) -> Plain:
    """One linear RGB color (3,), lighter and darker by up to ``uneven``, with folds ``bump_height`` metres high."""
    matte = float(rng.uniform(0.3, 0.95)) if roughness is None else roughness
    scale = float(rng.uniform(3, 25))
    return Plain("plain", triple(color), float(matte), scale, float(rng.uniform(0, uneven)), float(bump_height))


def sheet(rng: np.random.Generator) -> Plain:
    """A bed's sheet, a towel or a pad: white, or of a pale or hospital color, in folds."""
    value, tint = rng.uniform(0.55, 0.9), rng.uniform(0, 0.12, 3)
    if rng.random() < 0.25:
        value, tint = rng.uniform(0.2, 0.6), rng.uniform(0, 1) * np.array([0.6, 0.2, 0.0])  # blue or green
    return plain(rng, value * (1 - tint), roughness=0.95, bump_height=rng.uniform(0.001, 0.004), uneven=0.1)


def strong(rng: np.random.Generator) -> Plain:
    """One strong color, as often of orange, red and brown as of all others."""
    hue = rng.uniform(0.0, 0.13) if rng.random() < 0.5 else rng.uniform()
    color = colorsys.hsv_to_rgb(hue, rng.uniform(0.6, 1), rng.uniform(0.35, 0.95))
    return plain(rng, np.array(color) ** 2.2)


def wood(rng: np.random.Generator, metres: float = 1.0) -> Wood:
    """Boards beside each other with a grain, pale to dark, for a prop of about this size."""
    roughness = float(rng.uniform(0.25, 0.8))
    direction = float(rng.choice([0, np.pi / 2]) + rng.normal(0, 0.05))
    scale = metres * log_uniform(rng, 0.7, 6)
    stretch = (float(rng.uniform(0.5, 2)), float(rng.uniform(10, 40)), float(rng.uniform(10, 40)))
    distortion = float(rng.uniform(0, 1.5))
    color = colorsys.hsv_to_rgb(rng.uniform(0.02, 0.11), rng.uniform(0.25, 0.75), rng.uniform(0.25, 0.9))
    dark = float(rng.uniform(0.4, 0.9))
    board = (float(rng.uniform(2, 8)), float(rng.uniform(0.3, 1)))
    gap, other = float(rng.choice([0.0, 0.005, 0.015])), float(rng.uniform(0.6, 1.0))
    linear = triple(np.array(color) ** 2.2)
    return Wood("wood", roughness, direction, scale, stretch, distortion, linear, dark, board, gap, other)


def paint(rng: np.random.Generator) -> Plain | Wood | Everyday:
    """What covers a wall: mostly white, grey or a pale color."""
    if rng.random() < 0.15:
        return surface(rng)
    value, pale = rng.uniform(0.35, 0.95), rng.uniform(0, 0.08 if rng.random() < 0.6 else 0.35)
    return plain(rng, np.array(colorsys.hsv_to_rgb(rng.uniform(), pale, value)) ** 2.2, 0.9, uneven=0.05)


def ground(rng: np.random.Generator, metres: float, *, outside: bool) -> Plain | Wood | Everyday:
    """What one stands or lies on: boards, tiles, carpet or stone; ``outside`` also sand and grass.

    :param metres: size of the plane.
    """
    kind = rng.random() if outside else rng.uniform(0, 0.83)
    if kind < 0.35:
        return _boards(rng, metres)
    if kind < 0.55:
        return _tiles(rng, metres)
    grain, bump_height, uneven = log_uniform(rng, 40, 400), 0.003, 0.3
    if kind < 0.7:  # carpet, a blanket
        color = np.array(colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(0, 0.5), rng.uniform(0.15, 0.85))) ** 2.2
    elif kind < 0.83:  # stone, concrete, asphalt
        color = rng.uniform(0.05, 0.5) * np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.8, 1.0)])
        grain, bump_height = 0.2 * grain, 0.001
    elif kind < 0.93:  # sand
        color, bump_height = (
            rng.uniform(0.3, 0.65) * np.array([1.0, rng.uniform(0.72, 0.88), rng.uniform(0.4, 0.7)]),
            0.012,
        )
    else:  # grass
        color, uneven = np.array([rng.uniform(0.05, 0.2), 0.2, 0.02]), 0.7
    return replace(plain(rng, color, 0.9, bump_height if outside else 0.0, uneven), scale=metres * grain)


def _boards(rng: np.random.Generator, metres: float) -> Wood:
    """A floor of wood or of what looks like it: boards 6 to 20 cm wide and 0.4 to 2 m long."""
    made = wood(rng, metres)
    color = np.array(colorsys.hsv_to_rgb(rng.uniform(0.04, 0.1), rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.8))) ** 2.2
    board = (float(rng.uniform(0.8, 4)), float(rng.uniform(0.12, 0.4)))
    return replace(made, scale=metres, color=triple(color), board=board, gap=float(rng.choice([0.0, 0.002, 0.006])))


def _tiles(rng: np.random.Generator, metres: float) -> Everyday:
    """Tiles 5 to 60 cm long in their joints."""
    value = rng.uniform(0.15, 0.85)
    tile = np.array(colorsys.hsv_to_rgb(rng.uniform(0.02, 0.15), rng.uniform(0, 0.4), value)) ** 2.2
    length, high = log_uniform(rng, 0.05, 0.6), float(rng.choice([1.0, 1.0, 0.5]))
    joint = triple(np.clip(tile * rng.uniform(0.3, 1.4), 0, 1))
    details = {"Scale": 1.0, "Brick Width": 1.0, "Row Height": high, "Mortar Size": float(rng.uniform(0.008, 0.03))}
    pattern = Pattern("Brick", (0.0, 0.0, 0.0), triple(np.full(3, metres / length)), details, joint, 0.0, None)
    return Everyday("everyday", float(rng.uniform(0.15, 0.7)), metallic=False, color=triple(tile), pattern=pattern)


def glow(rng: np.random.Generator) -> Glow:
    """A lamp, a screen or a window in the light."""
    tint = 1 - rng.uniform(0, 0.3) * np.array([0, 0.4, 1] if rng.random() < 0.5 else [1, 0.4, 0])
    return Glow("glow", triple(tint), log_uniform(rng, 0.5, 6))


def glass(rng: np.random.Generator) -> Glass:
    """Glass of a pane or a vessel: mostly as good as colorless, clean or smeared."""
    tint = 1 - rng.uniform(0.005, 0.05) - rng.uniform(0, 0.05) * np.array([1.0, 0.2, 0.6])
    if rng.random() < 0.15:  # bottles, sunglasses, a car's window
        tint = 1 - rng.uniform(0.1, 0.35, 3)
    shine, smears = log_uniform(rng, 0.5, 2.5), 0.0
    if rng.random() < 0.5:
        smears = float(rng.uniform(0.05, 0.35))
    return Glass("glass", triple(tint), shine, smears, float(rng.uniform(4, 30)))


def mirror(rng: np.random.Generator) -> Mirror:
    """Silvered glass, as good as colorless."""
    return Mirror("mirror", triple(0.95 - rng.uniform(0, 0.12) * np.array([1.0, 0.3, 0.7])))


def surface(rng: np.random.Generator) -> Plain | Wood | Everyday:
    """What furniture and the props on it are made of: plain as often as not, wood, metal, paint."""
    kind = rng.random()
    if kind < 0.45:
        return plain(rng, np.array(_color(rng)), uneven=0.1)
    if kind < 0.65:
        return wood(rng)
    return strong(rng) if kind < 0.75 else everyday(rng)


def flesh(rng: np.random.Generator, tone: float) -> Plain:
    """Skin of a tone from 0 to 1."""
    return plain(rng, skin_color(rng, tone), roughness=0.5, uneven=0.08)


def skin_color(rng: np.random.Generator, tone: float) -> np.ndarray:
    """The linear RGB (3,) of a person's skin, of a tone from 0 to 1."""
    return base(tone) * rng.uniform(0.9, 1.1, 3)


def face(rng: np.random.Generator, color: np.ndarray, dark: Triple, scalp: float) -> Face:
    """Skin of a linear RGB color (3,) with brows, lips, and on part of the heads a beard, as dark as the hair."""
    skin = plain(rng, color, roughness=0.5, uneven=0.08)
    lips = np.clip(color * [0.85, 0.45, 0.5] * rng.uniform(0.7, 1.5), 0, 1)
    beard = float(rng.uniform(0.15, 1.0)) if rng.random() < 0.35 else 0.0
    return Face("face", skin, triple(lips), dark, float(rng.uniform(0.4, 1.0)), beard, scalp)


def hair(rng: np.random.Generator, color: Triple) -> Hair:
    """Hair of a linear RGB color, fine or in locks."""
    strands, uneven = log_uniform(rng, 12, 60), float(rng.uniform(0.2, 0.6))
    return Hair("hair", color, float(rng.uniform(0.35, 0.8)), strands, uneven)


def cloth(rng: np.random.Generator) -> Everyday | Plain:
    """Clothes: often black, white, grey or dark; plain, or with a pattern."""
    if rng.random() < 0.35:
        return everyday(rng)
    value = log_uniform(rng, 0.008, 0.8)
    tint = 1 + rng.uniform(-1, 1, 3) * (0.08 if rng.random() < 0.6 else 0.7)
    return plain(rng, np.clip(value * tint, 0, 0.9), roughness=0.95, bump_height=0.02)


def _color(rng: np.random.Generator) -> Triple:
    """Linear RGB: mostly muted, some strong, some of wood, and some near the hues of skin, which are the hard ones."""
    kind = rng.random()
    if kind < 0.2:
        hue, saturation, value = rng.uniform(), rng.uniform(0.6, 1), rng.uniform(0.3, 0.95)
    elif kind < 0.45:
        hue, saturation, value = rng.uniform(0.02, 0.11), rng.uniform(0.3, 0.75), rng.uniform(0.15, 0.85)
    else:
        hue, saturation, value = rng.uniform(), rng.uniform(0, 0.35), rng.uniform(0.08, 0.95)
    return triple(np.array(colorsys.hsv_to_rgb(hue, saturation, value)) ** 2.2)
