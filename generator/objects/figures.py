"""Figures and wear with the shapes and colours of people: dolls, bears, mannequins, shoes, leather seats."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from generator.maths import log_uniform, rotation_about
from generator.mesh.skin_color import base
from generator.objects import surfaces
from generator.objects.catalog import ObjectModel
from generator.objects.solids import Box, Lathe, Part, Tube, at
from generator.objects.surfaces import Surface


def _oval(x: float, y: float, z: float, wide: float, high: float, surface: int = 0) -> Part:
    """An ellipsoid around (x, y, z), round about Z."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 15)
    outline = tuple((float(wide * max(np.cos(a), 0.0)), float(high * np.sin(a))) for a in angle)
    return Part(Lathe(outline, 24), surface, at(x, y, z))


def _limb(*points: tuple[float, float, float], thick: float, end: float | None = None, surface: int = 0) -> Part:
    radii = np.linspace(thick, thick if end is None else end, len(points))
    return Part(Tube(tuple(points), tuple(radii.tolist())), surface)


def _skin(rng: np.random.Generator) -> Surface:
    """The skin of a doll or a mannequin, of any tone."""
    color = base(float(rng.uniform())) * rng.uniform(0.9, 1.1, 3)
    red, green, blue = (float(round(part, 5)) for part in np.clip(color, 0, 1))
    return Surface(
        "skin", (red, green, blue), (red * 0.9, green * 0.8, blue * 0.8), float(rng.uniform(0.25, 0.6)), 40.0
    )


def bear(rng: np.random.Generator) -> ObjectModel:
    """A teddy bear, rabbit or other plush animal that sits."""
    fur = surfaces.of_hues(rng, "knit", (0.03, 0.11), (0.2, 0.7), (0.3, 0.95), (0.8, 1.0), (150, 400))
    if rng.random() < 0.3:
        fur = surfaces.of_hues(rng, "knit", (0, 1), (0.1, 0.6), (0.4, 0.95), (0.8, 1.0), (150, 400))
    ears, limb = rng.uniform(0.02, 0.09), rng.uniform(0.018, 0.026)
    parts = [_oval(0, 0, 0.07, 0.06, 0.07), _oval(0, 0, 0.17, 0.05, 0.048), _oval(0, -0.045, 0.16, 0.02, 0.018, 1)]
    for side in (-1, 1):
        parts.append(_limb((side * 0.032, 0, 0.21), (side * 0.04, 0, 0.2 + ears), thick=0.016, end=0.012))
        parts.append(
            _limb((side * 0.05, -0.01, 0.11), (side * 0.09, -0.05, 0.08 + rng.uniform(-0.03, 0.05)), thick=limb)
        )
        parts.append(_limb((side * 0.035, -0.02, 0.025), (side * 0.06, -0.1, 0.025), thick=limb * 1.15))
        parts.append(_oval(side * 0.018, -0.042, 0.185, 0.005, 0.005, 2))
    return ObjectModel(
        "bear",
        tuple(parts),
        (fur, surfaces.of_hues(rng, "knit", (0.05, 0.12), (0.1, 0.4), (0.6, 0.95)), surfaces.plastic(rng)),
    )


def doll(rng: np.random.Generator) -> ObjectModel:
    """A doll or figurine: head, trunk, limbs whose ends are round."""
    skin, dress = _skin(rng), surfaces.label(rng) if rng.random() < 0.5 else surfaces.plastic(rng)
    lift = [rng.uniform(-0.06, 0.12) for _ in range(2)]
    parts = [
        _oval(0, 0, 0.26, 0.035, 0.036),
        Part(Tube(((0, 0, 0.1), (0, 0, 0.2)), (0.045, 0.03), 0.7), 1),
        _oval(0, 0.006, 0.275, 0.038, 0.036, 2),
    ]
    for side, up in zip((-1, 1), lift, strict=True):
        parts.append(
            _limb(
                (side * 0.032, 0, 0.2),
                (side * 0.07, -0.01, 0.17 + up),
                (side * 0.09, -0.03, 0.15 + 1.6 * up),
                thick=0.011,
                end=0.009,
            )
        )
        parts.append(
            _limb((side * 0.02, 0, 0.1), (side * 0.025, -0.005, 0.05), (side * 0.03, 0, 0.0), thick=0.016, end=0.01)
        )
    return ObjectModel(
        "doll", tuple(parts), (skin, dress, surfaces.of_hues(rng, "knit", (0.0, 0.12), (0.2, 0.8), (0.05, 0.7)))
    )


def mannequin(rng: np.random.Generator) -> ObjectModel:
    """A shop's mannequin or tailor's dummy, whose arms end above the wrist."""
    skin = (
        _skin(rng)
        if rng.random() < 0.4
        else surfaces.of_hues(rng, "plain", (0.05, 0.12), (0.0, 0.35), (0.5, 0.97), (0.2, 0.7))
    )
    parts = [
        Part(Tube(((0, 0, 0.0), (0, 0, 0.18), (0, 0, 0.42), (0, 0, 0.5)), (0.15, 0.12, 0.17, 0.13), 0.62)),
        _limb((0, 0, 0.5), (0, 0, 0.6), thick=0.055),
    ]
    if rng.random() < 0.6:
        parts.append(_oval(0, -0.01, 0.7, 0.075, 0.11))
    for side in (-1, 1):
        if rng.random() < 0.6:
            parts.append(
                _limb(
                    (side * 0.18, 0, 0.47), (side * 0.24, 0.02, 0.22), (side * 0.25, -0.04, 0.02), thick=0.05, end=0.033
                )
            )
    return ObjectModel("mannequin", tuple(parts), (skin,))


def puppet(rng: np.random.Generator) -> ObjectModel:
    """An artist's jointed figure of wood, or a robot of plastic and metal."""
    body = surfaces.wood(rng) if rng.random() < 0.6 else surfaces.plastic(rng)
    joint = body if rng.random() < 0.5 else surfaces.metal(rng)
    parts = [
        _limb((0, 0, 0.17), (0, 0, 0.24), thick=0.026, end=0.034),
        _limb((0, 0, 0.12), (0, 0, 0.13), thick=0.028),
        _limb((0, 0, 0.3), (0, 0, 0.33), thick=0.022, end=0.026),
    ]
    parts.append(_limb((0, 0, 0.26), (0, 0, 0.3), thick=0.008, surface=1))
    for side in (-1, 1):
        for start, (a, b, thick) in zip(
            ((side * 0.045, 0.0, 0.24), (side * 0.018, 0.0, 0.1)),
            ((0.07, 0.065, 0.011), (0.09, 0.085, 0.014)),
            strict=True,
        ):
            place = np.array(start)
            for length in (a, b):
                way = np.array([side * rng.uniform(0.0, 0.7), rng.normal(0, 0.4), -1.0])
                way /= np.linalg.norm(way)
                end = place + length * way
                parts.append(
                    _limb(
                        tuple((place + 0.012 * way).tolist()),
                        tuple((end - 0.012 * way).tolist()),
                        thick=thick,
                        end=0.75 * thick,
                    )
                )
                parts.append(_limb(tuple(end.tolist()), tuple((end + 0.001).tolist()), thick=0.75 * thick, surface=1))
                place = end
    return ObjectModel("puppet", tuple(parts), (body, joint))


def shoe(rng: np.random.Generator) -> ObjectModel:
    """A shoe, boot or slipper; Y is forward, Z up."""
    upper = surfaces.leather(rng) if rng.random() < 0.7 else surfaces.label(rng)
    high = log_uniform(rng, 0.07, 0.25)
    parts = [
        Part(
            Tube(((0, 0, -0.09), (0, 0, 0.0), (0, 0, 0.12)), (0.034, 0.036, 0.042), 0.9),
            0,
            at(z=0.045, rotation=rotation_about(0, -np.pi / 2)),
        ),
        Part(Lathe(((0.034, 0.03), (0.038, high), (0.034, high), (0.032, 0.04)), 28), 0, at(y=-0.06)),
        Part(Box((0.085, 0.28, 0.022), 0.009), 1, at(y=0.018, z=0.011)),
    ]
    for row in range(5):
        line = ((-0.018, 0.0, 0.0), (0.018, 0.0, 0.0))
        parts.append(Part(Tube(line, (0.0025, 0.0025), sides=8), 2, at(y=-0.01 + 0.018 * row, z=0.09 - 0.006 * row)))
    return ObjectModel("shoe", tuple(parts), (upper, surfaces.plastic(rng), surfaces.plastic(rng)))


def seat(rng: np.random.Generator) -> ObjectModel:
    """A leather or cloth seat with cushions, seen from near."""
    cover = surfaces.leather(rng) if rng.random() < 0.7 else surfaces.label(rng)
    wide, count = rng.uniform(0.5, 0.75), int(rng.integers(1, 4))
    parts = []
    for number in range(count):
        x = (number - (count - 1) / 2) * wide
        parts.append(Part(Box((wide * 0.98, 0.55, 0.16), 0.06), 0, at(x, 0, 0.08)))
        parts.append(Part(Box((wide * 0.98, 0.16, 0.45), 0.06), 0, at(x, 0.3, 0.38, rotation_about(0, -0.15))))
    for side in (-1, 1):
        parts.append(Part(Box((0.16, 0.6, 0.34), 0.07), 0, at(side * (count * wide / 2 + 0.07), 0, 0.16)))
    return ObjectModel("seat", tuple(parts), (cover,))


FIGURES: tuple[Callable[[np.random.Generator], ObjectModel], ...] = (bear, doll, mannequin, puppet, shoe, seat)
