"""Objects of the size and kind that people hold, each drawn from a generator into an :class:`ObjectModel`.

Z is an object's long axis; the origin lies in the centre of where it is held. Sizes are those of objects as sold, by
eye.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from generator.maths import log_uniform, rotation_about
from generator.objects import surfaces
from generator.objects.solids import Box, Lathe, Part, Tube, at
from generator.objects.surfaces import Surface


@dataclass(frozen=True)
class ObjectModel:
    """An object.

    :param parts: in metres.
    :param surfaces: what the parts are made of.
    :param grasps: the types of grasp that hold it, where :data:`generator.objects.grasps.TYPES` does not know its kind.
    :param flat: whether its thickness, along Y, is what fingers close on.
    """

    kind: str
    parts: tuple[Part, ...]
    surfaces: tuple[Surface, ...]
    grasps: tuple[str, ...] = ()
    flat: bool = False


def _cylinder(radius: float, low: float, high: float, surface: int, sides: int = 36) -> Part:
    return Part(Lathe(((radius, low), (radius, high)), sides), surface)


def phone(rng: np.random.Generator) -> ObjectModel:
    """A mobile phone: case, screen, camera bump."""
    wide, high, thick = rng.uniform(0.066, 0.079), rng.uniform(0.138, 0.166), rng.uniform(0.0075, 0.012)
    screen = Box((wide - 0.005, 0.0006, high - 0.007), 0.0002)
    lens = Box((0.026, 0.002, 0.026), 0.0009)
    parts = (
        Part(Box((wide, thick, high), min(0.4 * thick, 0.004)), 0),
        Part(screen, 1, at(y=-thick / 2)),
        Part(lens, 2, at(-wide / 2 + 0.02, thick / 2, high / 2 - 0.021)),
    )
    return ObjectModel("phone", parts, (surfaces.plastic(rng), surfaces.screen(rng), surfaces.plastic(rng)))


def pen(rng: np.random.Generator) -> ObjectModel:
    """A pen or pencil with a point down and a cap or clip; held near its point."""
    radius, length = rng.uniform(0.0035, 0.006), rng.uniform(0.13, 0.18)
    low = -rng.uniform(0.03, 0.045)
    body = Lathe(((0.0004, low), (radius * 0.9, low + 0.022), (radius, low + 0.03), (radius, low + length)), 20)
    cap = _cylinder(radius * 1.08, low + length * rng.uniform(0.55, 0.9), low + length + 0.001, 1, 20)
    clip = Part(Box((0.002, 0.0015, 0.035), 0.0005), 2, at(y=radius * 1.2, z=low + length - 0.02))
    body_surface = surfaces.wood(rng) if rng.random() < 0.2 else surfaces.plastic(rng)
    return ObjectModel("pen", (Part(body, 0), cap, clip), (body_surface, surfaces.plastic(rng), surfaces.metal(rng)))


def cup(rng: np.random.Generator) -> ObjectModel:
    """A cup or mug with a handle."""
    radius, high = rng.uniform(0.033, 0.046), rng.uniform(0.07, 0.115)
    foot, wall = radius * rng.uniform(0.65, 1.0), 0.003
    outline = ((foot, -high / 2), (radius, high / 2), (radius - wall, high / 2), (foot - wall, 0.008 - high / 2))
    reach, tall = rng.uniform(0.022, 0.034), high * rng.uniform(0.3, 0.38)
    angle = np.linspace(-np.pi / 2, np.pi / 2, 9)
    loop = tuple((float(radius * 0.9 + reach * np.cos(a)), 0.0, float(tall * np.sin(a))) for a in angle)
    handle = Tube(loop, (rng.uniform(0.0035, 0.006),) * 9, 1.3)
    drink = _cylinder(radius - 1.6 * wall, high * rng.uniform(-0.2, 0.3), high * rng.uniform(0.3, 0.42), 1)
    liquid = surfaces.of_hues(rng, "plain", (0.04, 0.13), (0.3, 0.9), (0.1, 0.9), (0.02, 0.2))
    parts = (Part(Lathe(outline), 0), Part(handle, 0), drink)
    return ObjectModel("cup", parts, (surfaces.label(rng) if rng.random() < 0.3 else surfaces.plastic(rng), liquid))


def bottle(rng: np.random.Generator) -> ObjectModel:
    """A bottle with a neck, a cap and a label."""
    radius, high = rng.uniform(0.028, 0.042), rng.uniform(0.16, 0.28)
    neck, shoulder = rng.uniform(0.011, 0.016), rng.uniform(0.55, 0.78) * high
    low = -0.4 * high
    top = low + high
    body = ((radius * 0.92, low), (radius, low + 0.01), (radius, low + shoulder), (radius * 0.8, low + shoulder + 0.02))
    outline = (*body, (neck, low + shoulder + 0.045), (neck, top))
    cap = _cylinder(neck * 1.12, top - 0.012, top + 0.008, 1)
    paper = _cylinder(radius * 1.006, low + shoulder * 0.25, low + shoulder * rng.uniform(0.6, 0.9), 2)
    wall = surfaces.glass(rng) if rng.random() < 0.5 else surfaces.plastic(rng)
    return ObjectModel(
        "bottle", (Part(Lathe(outline), 0), cap, paper), (wall, surfaces.plastic(rng), surfaces.label(rng))
    )


def tumbler(rng: np.random.Generator) -> ObjectModel:
    """A drinking glass or paper cup."""
    top, foot, high = rng.uniform(0.032, 0.043), rng.uniform(0.024, 0.036), rng.uniform(0.085, 0.15)
    outline = ((foot, -high / 2), (top, high / 2), (top - 0.002, high / 2), (foot - 0.002, 0.006 - high / 2))
    drink = Lathe(((foot - 0.0025, 0.007 - high / 2), (0.5 * (top + foot), high * rng.uniform(0.0, 0.3))))
    wall = surfaces.glass(rng) if rng.random() < 0.6 else surfaces.label(rng)
    liquid = surfaces.of_hues(rng, "plain", (0.0, 0.15), (0.1, 0.95), (0.2, 0.95), (0.02, 0.2))
    return ObjectModel("tumbler", (Part(Lathe(outline), 0), Part(drink, 1)), (wall, liquid))


def hammer(rng: np.random.Generator) -> ObjectModel:
    """A hammer; held at its handle."""
    length, grip = rng.uniform(0.25, 0.33), rng.uniform(0.013, 0.017)
    low, head = -0.06, -0.06 + length
    handle = Lathe(((grip * 0.9, low), (grip, low + 0.05), (grip * 0.95, low + 0.1), (grip * 0.65, head)), 20)
    block = Part(Box((rng.uniform(0.085, 0.125), 0.026, 0.026), 0.003), 1, at(0.005, 0, head))
    face = Part(Lathe(((0.014, 0.0), (0.014, 0.03)), 20), 1, at(0.05, 0, head, rotation_about(1, np.pi / 2)))
    return ObjectModel(
        "hammer",
        (Part(handle, 0), block, face),
        (surfaces.wood(rng) if rng.random() < 0.6 else surfaces.plastic(rng), surfaces.metal(rng)),
    )


def screwdriver(rng: np.random.Generator) -> ObjectModel:
    """A screwdriver; held at its handle."""
    grip, length, shaft = rng.uniform(0.011, 0.017), rng.uniform(0.08, 0.11), rng.uniform(0.07, 0.16)
    low = -length / 2
    outline = ((grip * 0.7, low), (grip, low + 0.012), (grip, low + length * 0.7), (grip * 0.7, low + length * 0.85),
               (grip * 0.85, low + length))  # fmt: skip
    rod = _cylinder(rng.uniform(0.002, 0.004), low + length, low + length + shaft, 1, 16)
    return ObjectModel("screwdriver", (Part(Lathe(outline, 12), 0), rod), (surfaces.plastic(rng), surfaces.metal(rng)))


def syringe(rng: np.random.Generator) -> ObjectModel:
    """A syringe with its plunger drawn out, flange and needle."""
    radius, length, out = rng.uniform(0.005, 0.011), rng.uniform(0.06, 0.1), rng.uniform(0.01, 0.05)
    low = -length / 2
    parts = (
        _cylinder(radius, low, low + length, 0, 24),
        _cylinder(radius * 0.86, low + 0.002, low + length * rng.uniform(0.3, 0.8), 2, 24),
        Part(Box((radius * 4.2, radius * 1.6, 0.002), 0.0008), 0, at(z=low + length)),
        _cylinder(radius * 0.5, low + length, low + length + out, 1, 12),
        _cylinder(radius * 1.1, low + length + out, low + length + out + 0.002, 1, 24),
        _cylinder(0.0025, low - 0.01, low, 0, 12),
        _cylinder(0.0005, low - rng.uniform(0.03, 0.05), low - 0.01, 3, 8),
    )
    liquid = surfaces.of_hues(rng, "plain", (0, 1), (0.0, 0.6), (0.5, 0.95), (0.02, 0.2))
    return ObjectModel("syringe", parts, (surfaces.glass(rng), surfaces.plastic(rng), liquid, surfaces.metal(rng)))


def ball(rng: np.random.Generator) -> ObjectModel:
    """A ball, from a table tennis ball to a softball."""
    radius = log_uniform(rng, 0.02, 0.048)
    return ObjectModel(
        "ball", (Part(_globe(radius), 0),), (surfaces.label(rng) if rng.random() < 0.4 else surfaces.plastic(rng),)
    )


def _globe(radius: float, high: float = 1.0, dimple: float = 0.0) -> Lathe:
    """A ball, squeezed along Z, with a dimple at its poles as an apple has it."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 25)
    rings = np.stack([np.cos(angle), np.sin(angle) * high], axis=1) * radius
    rings[:, 1] -= dimple * radius * np.sign(angle) * np.exp(-((rings[:, 0] / (0.35 * radius)) ** 2))
    return Lathe(tuple((max(float(r), 0.0), float(z)) for r, z in rings), 40)


def book(rng: np.random.Generator) -> ObjectModel:
    """A closed book, held at its spine's middle."""
    wide, high, thick = rng.uniform(0.1, 0.17), rng.uniform(0.16, 0.25), rng.uniform(0.008, 0.035)
    pages = Part(Box((wide - 0.006, thick - 0.003, high - 0.008), 0.0006), 1, at(-0.001))
    parts = [pages]
    for side in (-1, 1):
        parts.append(Part(Box((wide, 0.002, high), 0.0006), 0, at(y=side * (thick / 2 - 0.001))))
    parts.append(Part(Box((0.002, thick, high), 0.0006), 0, at(wide / 2 - 0.001)))
    paper = surfaces.of_hues(rng, "plain", (0.1, 0.15), (0.02, 0.2), (0.7, 0.97), (0.7, 0.95))
    return ObjectModel("book", tuple(parts), (surfaces.label(rng), paper))


def bag(rng: np.random.Generator) -> ObjectModel:
    """A bag that hangs from its handle, by which it is held."""
    thick, wide, deep = rng.uniform(0.004, 0.008), rng.uniform(0.2, 0.34), rng.uniform(0.06, 0.14)
    high, drop = rng.uniform(0.2, 0.34), rng.uniform(0.08, 0.14)
    angle = np.linspace(0, np.pi, 13)
    loop = tuple((float(0.35 * wide * np.cos(a)), 0.0, float(drop * (np.sin(a) ** 0.6 - 1))) for a in angle)
    rotated = at(rotation=rotation_about(2, np.pi / 2))
    sack = Part(Box((deep, wide, high), 0.02), 1, at(z=-drop - high / 2))
    return ObjectModel(
        "bag",
        (Part(Tube(loop, (thick,) * 13), 0, rotated), sack),
        (surfaces.leather(rng), surfaces.leather(rng) if rng.random() < 0.5 else surfaces.label(rng)),
    )


def fork(rng: np.random.Generator) -> ObjectModel:
    """A fork."""
    parts = _cutlery_handle(rng)
    for x in (-0.0075, -0.0025, 0.0025, 0.0075):
        parts.append(
            Part(Tube(((x, 0, 0.105), (x, -0.002, 0.125), (x, 0.003, 0.15)), (0.0014, 0.0014, 0.0007), sides=8))
        )
    parts.append(Part(Tube(((0, 0, 0.06), (0, 0, 0.1)), (0.003, 0.0105), 0.22)))
    return ObjectModel("fork", tuple(parts), (surfaces.metal(rng), surfaces.wood(rng)))


def spoon(rng: np.random.Generator) -> ObjectModel:
    """A spoon."""
    wide = rng.uniform(0.015, 0.022)
    bowl = Tube(((0, 0, 0.08), (0, 0.002, 0.11), (0, 0.0, 0.128)), (0.004, wide, wide * 0.7), 0.22)
    return ObjectModel("spoon", (*_cutlery_handle(rng), Part(bowl)), (surfaces.metal(rng), surfaces.wood(rng)))


def knife(rng: np.random.Generator) -> ObjectModel:
    """A table or kitchen knife."""
    blade, wide = rng.uniform(0.08, 0.17), rng.uniform(0.008, 0.018)
    edge = Tube(((0, 0, 0.06), (0, 0, 0.06 + blade * 0.8), (wide * 0.5, 0, 0.06 + blade)), (wide, wide, 0.002), 0.1)
    handle = Part(Tube(((0, 0, -0.05), (0, 0, 0.055)), (0.011, 0.0095), 0.7), 1)
    return ObjectModel(
        "knife",
        (Part(edge), handle),
        (surfaces.metal(rng), surfaces.wood(rng) if rng.random() < 0.4 else surfaces.plastic(rng)),
    )


def _cutlery_handle(rng: np.random.Generator) -> list[Part]:
    wide = rng.uniform(0.006, 0.009)
    surface = int(rng.random() < 0.25)
    return [
        Part(Tube(((0, 0, -0.07), (0, 0, -0.02), (0, 0, 0.03)), (wide, wide * 0.8, 0.004), 0.45), surface),
        Part(Tube(((0, 0, 0.02), (0, 0, 0.07)), (0.003, 0.0028), 0.7)),
    ]


def fruit(rng: np.random.Generator) -> ObjectModel:
    """An apple, orange, peach, lemon, tomato or pear."""
    which = int(rng.integers(5))
    radius = float(rng.uniform(0.028, 0.044))
    hues = [
        ((0.95, 1.28), (0.5, 0.95)),
        ((0.05, 0.1), (0.8, 1.0)),
        ((0.02, 0.1), (0.3, 0.75)),
        ((0.12, 0.16), (0.6, 0.95)),
        ((0.98, 1.03), (0.8, 1.0)),
    ]
    (hue, saturation), kind = hues[which], ("mottled", "peel", "mottled", "peel", "plain")[which]
    skin = surfaces.of_hues(rng, kind, hue, saturation, (0.45, 0.95), (0.15, 0.5))
    high = (0.92, 0.96, 1.0, 1.25, 0.85)[which]
    body = Part(_globe(radius, high, (0.28, 0.06, 0.15, -0.12, 0.12)[which]), 0)
    stalk = Part(Tube(((0, 0, 0.6 * radius), (0.002, 0, radius * high + 0.008)), (0.0014, 0.0018), sides=8), 1)
    return ObjectModel("fruit", (body, stalk), (skin, surfaces.wood(rng)))


def banana(rng: np.random.Generator) -> ObjectModel:
    """A banana: yellow, green or going brown."""
    length, thick = rng.uniform(0.13, 0.19), rng.uniform(0.014, 0.019)
    bend = rng.uniform(0.6, 1.2)
    angle = np.linspace(-bend, bend, 11)
    radius = length / (2 * bend)
    line = tuple((float(radius * (np.cos(a) - 1)), 0.0, float(radius * np.sin(a))) for a in angle)
    wide = thick * np.interp(np.abs(angle) / bend, [0, 0.6, 0.85, 1], [1, 0.95, 0.6, 0.3])
    skin = surfaces.of_hues(rng, "mottled", (0.09, 0.19), (0.55, 0.95), (0.5, 0.95))
    return ObjectModel("banana", (Part(Tube(line, tuple(wide.tolist()), sides=7)),), (skin,))


def remote(rng: np.random.Generator) -> ObjectModel:
    """A remote control with rows of buttons."""
    wide, high, thick = rng.uniform(0.036, 0.052), rng.uniform(0.14, 0.2), rng.uniform(0.014, 0.022)
    parts = [Part(Box((wide, thick, high), 0.004))]
    columns, rows = 3, int(rng.integers(4, 9))
    for row in range(rows):
        for column in range(columns):
            x, z = (column - 1) * wide / 3.6, high * (0.42 - 0.7 * row / rows)
            parts.append(Part(Box((0.007, 0.002, 0.005), 0.0008), 1, at(x, -thick / 2, z)))
    return ObjectModel("remote", tuple(parts), (surfaces.plastic(rng), surfaces.plastic(rng)))


def brush(rng: np.random.Generator) -> ObjectModel:
    """A toothbrush or paint brush."""
    length = rng.uniform(0.15, 0.2)
    handle = Tube(((0, 0, -0.07), (0, 0, 0.0), (0, 0.002, length - 0.1)), (0.0055, 0.0065, 0.004), 0.8)
    hair = Part(Box((0.009, 0.013, 0.028), 0.002), 1, at(y=-0.008, z=length - 0.105))
    return ObjectModel("brush", (Part(handle), hair), (surfaces.plastic(rng), surfaces.plastic(rng)))


HELD: dict[str, Callable[[np.random.Generator], ObjectModel]] = {
    make.__name__: make
    for make in (phone, pen, cup, bottle, tumbler, hammer, screwdriver, syringe, ball, book, bag, fork, spoon, knife,
                 fruit, banana, remote, brush)
}  # fmt: skip
"""Functions that draw an object of each kind."""
