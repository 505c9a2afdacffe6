"""What an object's parts are made of: kinds of surface with their colours, as engines that shade can make them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from generator.hand.vectors import Color, Fraction, NotNegative, one_of
from generator.maths import log_uniform

KINDS = ("plain", "metal", "wood", "leather", "glass", "print", "glow", "mottled", "peel", "crumb", "knit", "skin")
"""``print`` is a label with shapes on it, ``glow`` a screen, ``mottled`` two colours in spots, ``peel`` the dimples of
an orange, ``crumb`` the rough of bread, ``skin`` somebody's or a doll's skin."""


@dataclass(frozen=True)
class Surface:
    """One material of an object.

    :param color: linear RGB.
    :param second: linear RGB of its pattern.
    :param roughness: 0 is a mirror, 1 is matte.
    :param scale: of its pattern, per metre.
    """

    kind: Annotated[str, one_of(KINDS)]
    color: Color
    second: Color = (0.5, 0.5, 0.5)
    roughness: Fraction = 0.5
    scale: NotNegative = 60.0


GREY = Surface("plain", (0.4, 0.4, 0.4))
"""Of what brings materials of its own."""


def hsv(hue: float, saturation: float, value: float) -> tuple[float, float, float]:
    """Linear RGB of a colour as it is seen (sRGB hue, saturation, value)."""
    red, green, blue = (float(round(part**2.2, 5)) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))
    return red, green, blue


def _around(
    rng: np.random.Generator, hue: tuple[float, float], sat: tuple[float, float], val: tuple[float, float]
) -> tuple[float, float, float]:
    return hsv(*(float(rng.uniform(*limits)) for limits in (hue, sat, val)))


def plastic(rng: np.random.Generator) -> Surface:
    """Plastic or paint: black, white, grey, and every colour."""
    kind = rng.random()
    if kind < 0.3:
        color = hsv(float(rng.uniform()), 0.08, float(rng.uniform(0.05, 0.25)))
    elif kind < 0.5:
        color = hsv(float(rng.uniform()), 0.05, float(rng.uniform(0.6, 0.97)))
    else:
        color = _around(rng, (0, 1), (0.4, 0.95), (0.3, 0.95))
    return Surface("plain", color, roughness=float(rng.uniform(0.15, 0.6)))


def metal(rng: np.random.Generator) -> Surface:
    """Steel, chrome, brass, copper."""
    color = (
        hsv(0.1, 0.05, float(rng.uniform(0.55, 0.85)))
        if rng.random() < 0.75
        else _around(rng, (0.06, 0.13), (0.4, 0.6), (0.6, 0.9))
    )
    return Surface("metal", color, roughness=float(rng.uniform(0.1, 0.45)))


def wood(rng: np.random.Generator) -> Surface:
    """Wood from maple to wenge: near the hues of skin."""
    color = _around(rng, (0.03, 0.11), (0.3, 0.75), (0.25, 0.9))
    red, green, blue = (float(round(part * rng.uniform(0.3, 0.75), 5)) for part in color)
    return Surface("wood", color, (red, green, blue), float(rng.uniform(0.3, 0.8)), float(rng.uniform(8, 40)))


def leather(rng: np.random.Generator) -> Surface:
    """Leather: mostly browns, some black and dyed."""
    color = (
        _around(rng, (0.02, 0.1), (0.3, 0.8), (0.15, 0.8))
        if rng.random() < 0.75
        else _around(rng, (0, 1), (0.1, 0.8), (0.05, 0.6))
    )
    return Surface("leather", color, roughness=float(rng.uniform(0.3, 0.7)), scale=float(rng.uniform(80, 300)))


def glass(rng: np.random.Generator) -> Surface:
    """Glass or clear plastic, as good as colourless or tinted."""
    color = (
        hsv(float(rng.uniform()), float(rng.uniform(0, 0.12)), 0.97)
        if rng.random() < 0.6
        else _around(rng, (0.05, 0.6), (0.2, 0.7), (0.4, 0.95))
    )
    return Surface("glass", color, roughness=float(rng.uniform(0.0, 0.12)))


def label(rng: np.random.Generator) -> Surface:
    """A printed label, cover or wrapper."""
    first, second = (_around(rng, (0, 1), (0, 0.9), (0.25, 0.98)) for _ in range(2))
    return Surface("print", first, second, float(rng.uniform(0.25, 0.7)), float(rng.uniform(15, 90)))


def screen(rng: np.random.Generator) -> Surface:
    """A screen, lit or black."""
    if rng.random() < 0.4:
        return Surface("plain", hsv(0.6, 0.1, float(rng.uniform(0.02, 0.1))), roughness=0.08)
    first, second = (_around(rng, (0, 1), (0, 0.7), (0.3, 1.0)) for _ in range(2))
    return Surface("glow", first, second, 0.1, float(rng.uniform(20, 90)))


def of_hues(
    rng: np.random.Generator,
    kind: str,
    hue: tuple[float, float],
    saturation: tuple[float, float],
    value: tuple[float, float],
    roughness: tuple[float, float] = (0.3, 0.8),
    scale: tuple[float, float] = (30.0, 200.0),
) -> Surface:
    """A surface of a kind within limits of hue, saturation and value; its pattern is of the same hues."""
    first, second = (_around(rng, hue, saturation, value) for _ in range(2))
    return Surface(kind, first, second, float(rng.uniform(*roughness)), log_uniform(rng, *scale))
