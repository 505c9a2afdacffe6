"""What is eaten, on plates and boards: warm colours, rounded rods side by side, roots that branch as hands do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from generator.maths import rotation_about
from generator.objects import surfaces
from generator.objects.catalog import ObjectModel, banana, fruit
from generator.objects.solids import Box, Lathe, Part, Tube, at
from generator.objects.surfaces import Surface


def _lying(rng: np.random.Generator, spread: float, height: float) -> np.ndarray:
    """Somewhere near the middle, turned about the vertical."""
    angle, x, y = rng.uniform(0, 2 * np.pi), *rng.normal(0, spread, 2)
    return at(float(x), float(y), height, rotation_about(2, angle))


def _arc(length: float, bend: float) -> np.ndarray:
    """Points (9, 3) along an arc of this length, metres, in the XY plane, which turns by ``bend`` radians in all."""
    fraction = np.linspace(-0.5, 0.5, 9)
    if abs(bend) < 1e-3:
        return np.stack([fraction * length, 0 * fraction, 0 * fraction], axis=1)
    radius = length / bend
    return np.stack([radius * np.sin(fraction * bend), radius * (1 - np.cos(fraction * bend)), 0 * fraction], axis=1)


def _tube(line: np.ndarray, radii: np.ndarray) -> Tube:
    return Tube(tuple(map(tuple, line.tolist())), tuple(radii.tolist()), sides=18)


def _golden(rng: np.random.Generator, kind: str) -> Surface:
    return surfaces.of_hues(rng, kind, (0.04, 0.11), (0.45, 0.85), (0.35, 0.9), (0.3, 0.7), (40, 200))


def sausages(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """Two to six sausages side by side, or in a heap."""
    surface = surfaces.of_hues(rng, "mottled", (0.98, 1.08), (0.3, 0.75), (0.3, 0.9), (0.15, 0.5))
    thick, length, bend = rng.uniform(0.007, 0.015), rng.uniform(0.07, 0.15), rng.uniform(-1.2, 1.2)
    angle, made = rng.uniform(0, np.pi), []
    for number in range(int(rng.integers(2, 7))):
        line = _arc(length * rng.uniform(0.85, 1.1), bend + rng.normal(0, 0.15))
        radii = thick * np.interp(np.linspace(-1, 1, 9), [-1, -0.8, 0.8, 1], [0.75, 1, 1, 0.75])
        rotation = rotation_about(2, angle + rng.normal(0, 0.12))
        aside = rotation @ [rng.normal(0, 0.01), (number - 2) * 2.1 * thick, 0]
        made.append((Part(_tube(line, radii), 0, at(aside[0], aside[1], thick, rotation)), surface))
    return made


def pastry(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """One to four filled pastries, rolls or croissants."""
    surface, made = _golden(rng, "crumb" if rng.random() < 0.4 else "mottled"), []
    bend, thick, length = rng.uniform(0, 2.2), rng.uniform(0.014, 0.03), rng.uniform(0.06, 0.12)
    for _ in range(int(rng.integers(1, 5))):
        line = _arc(length, bend)
        fraction = np.linspace(-1, 1, 9)
        bumps = 1 + 0.12 * np.sin(fraction * rng.uniform(6, 12))
        radii = thick * np.maximum(1 - 0.75 * np.abs(fraction) ** 1.6, 0.1) * bumps
        made.append((Part(_tube(line, radii), 0, _lying(rng, 0.04, thick * 0.8)), surface))
    return made


def root(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """Ginger or another root with fingers: the food that is most like a hand."""
    surface = surfaces.of_hues(rng, "mottled", (0.06, 0.11), (0.25, 0.6), (0.5, 0.9), (0.5, 0.9), (60, 250))
    thick = rng.uniform(0.012, 0.02)
    made = [
        (
            Part(
                _tube(_arc(rng.uniform(0.06, 0.1), rng.normal(0, 0.6)), thick * rng.uniform(0.85, 1.2, 9)),
                0,
                at(z=thick),
            ),
            surface,
        )
    ]
    for _ in range(int(rng.integers(3, 7))):
        start = np.array([rng.uniform(-0.04, 0.04), rng.normal(0, 0.006), thick])
        way = np.array([rng.normal(0, 0.5), rng.choice([-1.0, 1.0]), rng.uniform(0, 0.3)])
        way *= rng.uniform(0.025, 0.055) / np.linalg.norm(way)
        line = start + np.linspace(0, 1, 5)[:, None] * way
        made.append((Part(_tube(line, thick * rng.uniform(0.55, 0.9) * rng.uniform(0.9, 1.15, 5))), surface))
    return made


def carrots(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """A bunch of carrots, radishes or asparagus."""
    hue = [(0.04, 0.09), (0.95, 1.0), (0.2, 0.3), (0.1, 0.14)][rng.integers(4)]
    surface = surfaces.of_hues(rng, "plain", hue, (0.4, 0.95), (0.5, 0.95), (0.3, 0.7))
    length, thick, made = rng.uniform(0.08, 0.18), rng.uniform(0.006, 0.014), []
    for _ in range(int(rng.integers(3, 8))):
        radii = thick * np.linspace(1, rng.uniform(0.2, 0.8), 9)
        rotation = rotation_about(2, rng.normal(0, 0.2))
        made.append(
            (
                Part(
                    _tube(_arc(length, rng.normal(0, 0.2)), radii),
                    0,
                    at(rng.normal(0, 0.01), rng.normal(0, 2.2 * thick), thick, rotation),
                ),
                surface,
            )
        )
    return made


def drumsticks(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """Chicken legs or wings, roasted."""
    surface, bone, made = (
        _golden(rng, "crumb"),
        surfaces.of_hues(rng, "plain", (0.08, 0.12), (0.1, 0.3), (0.7, 0.95)),
        [],
    )
    for _ in range(int(rng.integers(1, 5))):
        where, bent = _lying(rng, 0.035, 0.02), rng.uniform(-0.9, 0.9)
        radii = np.interp(np.linspace(0, 1, 9), [0, 0.2, 0.6, 1], [0.012, 0.023, 0.013, 0.008]) * rng.uniform(0.8, 1.2)
        made.append((Part(_tube(_arc(0.09, bent), radii), 0, where), surface))
        tip = _arc(0.12, bent)[-2:]
        made.append((Part(_tube(tip, np.array([0.005, 0.0065])), 1, where), bone))
    return made


def fries(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """A heap of sticks: fries, cheese, breadsticks."""
    surface, made = _golden(rng, "plain"), []
    thick, length = rng.uniform(0.006, 0.011), rng.uniform(0.05, 0.11)
    for _ in range(int(rng.integers(8, 22))):
        rotation = rotation_about(2, rng.uniform(0, np.pi)) @ rotation_about(1, rng.normal(0, 0.15))
        box = Box((length * rng.uniform(0.6, 1.0), thick, thick), 0.0012)
        made.append(
            (
                Part(box, 0, at(rng.normal(0, 0.025), rng.normal(0, 0.025), rng.uniform(thick, 4 * thick), rotation)),
                surface,
            )
        )
    return made


def slices(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """Cake, bread or meat in slices, cubes or rolls."""
    surface = surfaces.of_hues(rng, "crumb", (0, 1) if rng.random() < 0.4 else (0.02, 0.12), (0.2, 0.8), (0.25, 0.95))
    size = rng.uniform(0.03, 0.08, 3)
    size[2] = rng.uniform(0.012, 0.04)
    rolled, made = rng.random() < 0.4, []
    for _ in range(int(rng.integers(1, 6))):
        if rolled:
            shape: Lathe | Box = Lathe(((size[2], -size[0] / 2), (size[2] * 1.02, 0), (size[2], size[0] / 2)))
            place = _lying(rng, 0.035, size[2]) @ at(rotation=rotation_about(1, np.pi / 2))
        else:
            shape, place = Box(tuple(size.tolist()), 0.005), _lying(rng, 0.035, size[2] / 2)
        made.append((Part(shape, 0, place), surface))
    return made


def balls(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """Buns, dumplings, meatballs, cookies, eggs: round and more or less flat."""
    surface = (
        _golden(rng, "crumb")
        if rng.random() < 0.6
        else surfaces.of_hues(rng, "mottled", (0.0, 0.15), (0.02, 0.6), (0.4, 0.97))
    )
    radius, high, made = rng.uniform(0.014, 0.045), rng.uniform(0.3, 1.1), []
    angle = np.linspace(-np.pi / 2, np.pi / 2, 15)
    outline = tuple((float(radius * np.cos(a)), float(radius * high * np.sin(a))) for a in angle)
    for _ in range(int(rng.integers(1, 8))):
        made.append((Part(Lathe(outline), 0, _lying(rng, 1.2 * radius, radius * high)), surface))
    return made


def fruits(rng: np.random.Generator) -> list[tuple[Part, Surface]]:
    """Fruit, or a hand of bananas."""
    made: list[tuple[Part, Surface]] = []
    if rng.random() < 0.5:
        one = banana(rng)
        for number in range(int(rng.integers(2, 6))):
            place = at(
                0, (number - 2) * 0.028, 0.03, rotation_about(2, (number - 2) * 0.12) @ rotation_about(0, np.pi / 2)
            )
            made += [(Part(part.solid, 0, place @ part.matrix), one.surfaces[0]) for part in one.parts]
        return made
    for _ in range(int(rng.integers(1, 5))):
        one = fruit(rng)
        place = _lying(rng, 0.06, 0.035)
        made += [(Part(part.solid, 0, place @ part.matrix), one.surfaces[part.surface]) for part in one.parts]
    return made


FOODS: tuple[Callable[[np.random.Generator], list[tuple[Part, Surface]]], ...] = (
    sausages, pastry, root, carrots, drumsticks, fries, slices, balls, fruits,
)  # fmt: skip


def dish(rng: np.random.Generator) -> ObjectModel:
    """Food on a plate, in a bowl, on a board, or as it is; it lies in the XY plane, Z up."""
    made: list[tuple[Part, Surface]] = []
    kind, high = rng.random(), 0.0
    if kind < 0.6:
        radius, rim = rng.uniform(0.08, 0.15), rng.uniform(0.012, 0.03)
        outline = ((radius * 0.6, 0.0), (radius, rim), (radius, rim + 0.003), (radius * 0.62, 0.004))
        china = (
            surfaces.plastic(rng)
            if rng.random() < 0.35
            else surfaces.of_hues(rng, "plain", (0, 1), (0, 0.1), (0.75, 0.98), (0.1, 0.4))
        )
        made.append((Part(Lathe(outline, 48)), china))
        high = 0.005
    elif kind < 0.85:
        board = surfaces.wood(rng) if rng.random() < 0.7 else surfaces.plastic(rng)
        made.append((Part(Box((rng.uniform(0.18, 0.3), rng.uniform(0.12, 0.2), 0.014), 0.004), 0, at(z=0.007)), board))
        high = 0.014
    for _ in range(1 if rng.random() < 0.6 else 2):
        lifted = at(rng.normal(0, 0.015), rng.normal(0, 0.015), high, rotation_about(2, rng.uniform(0, 2 * np.pi)))
        made += [(Part(p.solid, 0, lifted @ p.matrix), s) for p, s in FOODS[rng.integers(len(FOODS))](rng)]
    return _object_model("dish", made)


def _object_model(kind: str, made: list[tuple[Part, Surface]]) -> ObjectModel:
    kinds = list(dict.fromkeys(surface for _, surface in made))
    return ObjectModel(
        kind, tuple(Part(part.solid, kinds.index(surface), part.matrix) for part, surface in made), tuple(kinds)
    )
