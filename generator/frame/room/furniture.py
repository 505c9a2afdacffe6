"""What stands in rooms and is made of several parts: shelves, slats, boards, books, bottles, plants, toys, lamps.

Rows of parallel edges, rounded rods side by side and objects in warm colours are what a network that met only single
boxes and balls takes for fingers and for skin. Each piece fits about into a ball of diameter 1 m around the origin,
upright along Z, its front to -Y.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from generator.frame.room import materials
from generator.frame.room.materials import Material
from generator.frame.room.shapes import Shape, pick
from generator.frame.room.transforms import transform
from generator.maths import log_uniform, rotation_about


@dataclass(frozen=True)
class Part:
    """One shape of :meth:`generator.frame.room.props.SceneProps.add` in a piece, with its (4, 4) matrix there."""

    shape: Shape
    material: Material
    matrix: np.ndarray


@dataclass(frozen=True)
class Piece:
    """A piece of furniture of its own size.

    :param low: (3,) its corner, metres in its axes; ``high``: the opposite one.
    :param flat: whether props can stand on it.
    """

    parts: list[Part]
    low: np.ndarray
    high: np.ndarray
    flat: bool = False


def piece(rng: np.random.Generator) -> list[Part]:
    """Draw a piece of any kind, as its parts."""
    return PIECES[rng.integers(len(PIECES))](rng)


_CORNERS = np.array([[x, y, z, 2] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2


def extent(parts: list[Part]) -> tuple[np.ndarray, np.ndarray]:
    """The corners (3,) with the least and the greatest coordinates of a piece in its axes."""
    corners = np.concatenate([_CORNERS @ part.matrix[:3].T for part in parts])
    return corners.min(axis=0), corners.max(axis=0)


def _sized(parts: list[Part], high: float, flat: bool = False) -> Piece:
    """A piece scaled to a height in metres."""
    low, top = extent(parts)
    factor = high / (top[2] - low[2])
    scale = np.diag([factor, factor, factor, 1.0])
    return Piece([Part(one.shape, one.material, scale @ one.matrix) for one in parts], factor * low, factor * top, flat)


def draw_large(rng: np.random.Generator) -> Piece:
    """Draw a piece that stands on a floor, as high as such pieces are."""
    made = _LARGE[rng.integers(len(_LARGE))]
    low, high = _HIGH[made]
    return _sized(made(rng), float(rng.uniform(low, high)), made is _cabinet)


def draw_small(rng: np.random.Generator) -> Piece:
    """Draw a piece that stands on furniture, 0.1 to 0.35 m high."""
    return _sized(_SMALL[rng.integers(len(_SMALL))](rng), float(rng.uniform(0.1, 0.35)))


def draw_hung(rng: np.random.Generator) -> Piece:
    """Draw an image, a window or a screen, 0.25 to 1 m high."""
    return _sized(_frame(rng), float(rng.uniform(0.25, 1.0)))


def _part(
    shape: Shape,
    material: Material,
    center: tuple[float, float, float],
    size: tuple[float, float, float],
    rotation: np.ndarray | None = None,
) -> Part:
    return Part(
        shape, material, transform(np.eye(3) if rotation is None else rotation, np.array(center), np.array(size))
    )


def _slats(rng: np.random.Generator) -> list[Part]:
    """A row of parallel bars or rods: blinds, a ladder, a radiator, a grille, a pallet."""
    material, count = materials.surface(rng), int(rng.integers(4, 15))
    shape, pitch = pick(rng, "box", "box", "tube", "block"), 0.8 / count
    thick, deep = pitch * rng.uniform(0.3, 0.95), pitch * rng.uniform(0.2, 1.0)
    length, lean = rng.uniform(0.3, 0.75), rng.normal(0, 0.15)
    flat = rng.random() < 0.6
    parts = []
    for place in np.arange(count) * pitch - 0.4 + pitch / 2:
        along = length * (1 + rng.normal(0, 0.02))
        size = (thick, deep, along)  # upright
        rotation = rotation_about(1, np.pi / 2 + lean if flat else lean)
        parts.append(_part(shape, material, (0.0, 0.0, place) if flat else (place, 0.0, 0.0), size, rotation))
    if rng.random() < 0.5:
        rail = material if rng.random() < 0.7 else materials.surface(rng)
        for side in (-0.5, 0.5):
            center = (side * length, 0.0, 0.0) if flat else (0.0, 0.0, side * length)
            size, rotation = (0.04, deep * 1.3 + 0.01, 0.85), rotation_about(1, 0.0 if flat else np.pi / 2)
            parts.append(_part("box", rail, center, size, rotation))
    if rng.random() < 0.4:
        back = materials.surface(rng)
        parts.append(_part("box", back, (0, deep + 0.02, 0), (0.9, 0.02, 0.85)))
    return parts


def _shelf(rng: np.random.Generator) -> list[Part]:
    """Boards one above the other, with props on them."""
    material, rows = materials.surface(rng), int(rng.integers(2, 5))
    wide, deep, thick = rng.uniform(0.5, 0.9), rng.uniform(0.15, 0.3), rng.uniform(0.012, 0.04)
    heights = np.linspace(-0.42, 0.42, rows + 1)
    parts = [_part("box", material, (0, 0, z), (wide, deep, thick)) for z in heights]
    if rng.random() < 0.7:
        parts += [_part("box", material, (s * wide / 2, 0, 0), (thick, deep, 0.86)) for s in (-1, 1)]
    if rng.random() < 0.6:
        parts.append(_part("box", materials.surface(rng), (0, deep / 2, 0), (wide, 0.01, 0.86)))
    clearance = heights[1] - heights[0] - thick
    for floor in heights[:-1]:
        left = -wide / 2 + thick
        while left < wide / 2 - 0.1:
            size = float(rng.uniform(0.05, 0.18))
            tall = min(float(rng.uniform(0.5, 1.5)) * size, 0.95 * clearance)
            shape = pick(rng, "box", "tube", "ball", "block")
            center = (left + size / 2, rng.uniform(-0.3, 0.1) * deep, floor + thick / 2 + tall / 2)
            if rng.random() < 0.75:
                parts.append(_part(shape, materials.surface(rng), center, (size, min(size, deep), tall)))
            left += size * rng.uniform(1.0, 1.6)
    return parts


def _books(rng: np.random.Generator) -> list[Part]:
    """A row of books or folders, some of them leaning."""
    parts: list[Part] = []
    left, tall = -0.45, rng.uniform(0.3, 0.6)
    while left < 0.4:
        thick, high = rng.uniform(0.02, 0.09), tall * rng.uniform(0.75, 1.0)
        lean = rng.normal(0, 0.12) if rng.random() < 0.25 else 0.0
        center = (left + thick / 2, rng.uniform(-0.02, 0.02), high / 2 - 0.3)
        parts.append(_part("box", materials.surface(rng), center, (thick, 0.3, high), rotation_about(1, lean)))
        left += thick * 1.05 + abs(lean) * 0.1
    return parts


def _stack(rng: np.random.Generator) -> list[Part]:
    """Boards, boxes or plates in a pile, each turned a little."""
    alike = materials.surface(rng) if rng.random() < 0.6 else None
    parts: list[Part] = []
    shape, top = pick(rng, "box", "box", "tube"), -0.4
    wide, deep = rng.uniform(0.3, 0.8), rng.uniform(0.1, 0.5)
    thin = log_uniform(rng, 0.015, 0.15)
    while top < 0.3 and len(parts) < 12:
        high, rotation = thin * rng.uniform(0.7, 1.3), rotation_about(2, rng.normal(0, 0.12))
        center = (rng.normal(0, 0.03), rng.normal(0, 0.03), top + high / 2)
        size = (wide * rng.uniform(0.8, 1.05), (wide if shape == "tube" else deep) * rng.uniform(0.8, 1.05), high)
        parts.append(_part(shape, alike or materials.surface(rng), center, size, rotation))
        top += high
    return parts


def _bottle(rng: np.random.Generator) -> list[Part]:
    """A bottle, jar or cup with a cap and a label, or two or three of them."""
    parts = []
    for place in np.linspace(-0.25, 0.25, 3)[: rng.integers(1, 4)]:
        thick, high, body = rng.uniform(0.12, 0.24), rng.uniform(0.3, 0.6), materials.surface(rng)
        parts.append(_part("tube", body, (place, 0, high / 2 - 0.4), (thick, thick, high)))
        if rng.random() < 0.7:
            neck, tall = thick * rng.uniform(0.3, 0.8), rng.uniform(0.05, 0.15)
            parts.append(_part("ball", body, (place, 0, high - 0.4), (thick, thick, thick * 0.7)))
            parts.append(_part("tube", materials.surface(rng), (place, 0, high + tall - 0.4), (neck, neck, tall)))
        if rng.random() < 0.6:
            label, wide = materials.surface(rng), thick * 1.02
            parts.append(_part("tube", label, (place, 0, high * rng.uniform(0.3, 0.6) - 0.4), (wide, wide, high * 0.4)))
    return parts


def _rods(rng: np.random.Generator) -> list[Part]:
    """Rods, stalks or leaves that spread from a pot or lie beside each other: pens, cutlery, plants, fruit."""
    material, count = materials.surface(rng), int(rng.integers(3, 12))
    shape = pick(rng, "tube", "ball", "block")
    spread, bright = rng.uniform(0.05, 0.9), rng.random() < 0.3
    thick, length = log_uniform(rng, 0.02, 0.12), rng.uniform(0.3, 0.7)
    parts: list[Part] = []
    for _ in range(count):
        direction = np.array([rng.normal(0, spread), rng.normal(0, spread), 1.0])
        direction /= np.linalg.norm(direction)
        side = np.cross(direction, [0.0, 1.0, 0.0])
        side /= np.linalg.norm(side)
        rotation = np.stack([side, np.cross(direction, side), direction], axis=1)
        long, flat = length * rng.uniform(0.6, 1.0), thick * rng.uniform(0.3, 1.0)
        foot = np.array([rng.normal(0, 0.05), rng.normal(0, 0.05), -0.3])
        own = materials.surface(rng) if bright and parts else material
        parts.append(_part(shape, own, tuple(foot + direction * long / 2), (thick, flat, long), rotation))
    if rng.random() < 0.6:
        wide, high = rng.uniform(0.15, 0.3), rng.uniform(0.15, 0.35)
        parts.append(_part("tube", materials.surface(rng), (0, 0, high / 2 - 0.45), (wide, wide, high)))
    return parts


def _cabinet(rng: np.random.Generator) -> list[Part]:
    """A case with a grid of doors, drawers, panes or images, with handles or none."""
    columns, rows = (int(n) for n in rng.integers(1, 5, 2))
    body, front = materials.surface(rng), materials.surface(rng)
    wide, high, gap = rng.uniform(0.3, 0.85), rng.uniform(0.3, 0.85), rng.uniform(0.005, 0.04)
    parts = [_part("box", body, (0, 0, 0), (wide, 0.3, high))]
    knob = materials.surface(rng) if rng.random() < 0.6 else None
    for column in range(columns):
        for row in range(rows):
            x, z = ((column + 0.5) / columns - 0.5) * wide, ((row + 0.5) / rows - 0.5) * high
            parts.append(_part("box", front, (x, -0.15, z), (wide / columns - gap, 0.02, high / rows - gap)))
            if knob:
                parts.append(_part("block", knob, (x, -0.175, z), (0.03, 0.02, 0.08 * high)))
    return parts


def _toy(rng: np.random.Generator) -> list[Part]:
    """A tower or house of strongly coloured blocks, with a roof or none."""
    parts: list[Part] = []
    floor = -0.42
    for _ in range(rng.integers(2, 6)):
        size = (rng.uniform(0.15, 0.6), rng.uniform(0.1, 0.3), rng.uniform(0.06, 0.2))
        shape = pick(rng, "box", "block", "tube")
        center = (rng.normal(0, 0.05), rng.normal(0, 0.03), floor + size[2] / 2)
        parts.append(_part(shape, materials.strong(rng), center, size))
        floor += size[2]
    if rng.random() < 0.6:
        roof, length = materials.strong(rng), rng.uniform(0.3, 0.5)
        for side in (-1, 1):
            center = (side * length * 0.36, 0, floor + length * 0.25)
            parts.append(
                _part("box", roof, center, (length, 0.35, 0.04), rotation_about(1, side * rng.uniform(0.5, 0.8)))
            )
    return parts


def _frame(rng: np.random.Generator) -> list[Part]:
    """An image, window, screen or lamp: a pane in a frame."""
    wide, high, bar = rng.uniform(0.25, 0.9), rng.uniform(0.15, 0.8), rng.uniform(0.01, 0.06)
    pane = materials.glow(rng) if rng.random() < 0.35 else materials.surface(rng)
    parts = [_part("box", pane, (0, 0, 0), (wide, 0.02, high))]
    edge = materials.surface(rng)
    for side in (-1, 1):
        parts.append(_part("box", edge, (side * wide / 2, -0.01, 0), (bar, 0.04, high + bar)))
        parts.append(_part("box", edge, (0, -0.01, side * high / 2), (wide + bar, 0.04, bar)))
    for place in np.linspace(-0.5, 0.5, int(rng.integers(2, 5)))[1:-1]:
        parts.append(_part("box", edge, (place * wide, -0.01, 0), (bar / 2, 0.03, high)))
    return parts


def _seat(rng: np.random.Generator) -> list[Part]:
    """A chair, stool or small table."""
    material, legs = materials.surface(rng), materials.surface(rng)
    wide, thick, seat = rng.uniform(0.35, 0.6), rng.uniform(0.02, 0.07), rng.uniform(-0.1, 0.2)
    parts = [_part(pick(rng, "box", "block", "tube"), material, (0, 0, seat), (wide, wide, thick))]
    leg = rng.uniform(0.015, 0.05)
    for x in (-0.42, 0.42):
        for y in (-0.42, 0.42):
            size = (leg, leg, seat + 0.5)
            parts.append(_part("tube", legs, (x * wide, y * wide, (seat - 0.5) / 2), size))
    if rng.random() < 0.6:
        high = rng.uniform(0.15, 0.35)
        parts.append(_part("block", material, (0, 0.45 * wide, seat + 0.1 + high / 2), (wide, 0.04, high)))
    return parts


PIECES: tuple[Callable[[np.random.Generator], list[Part]], ...] = (
    *(_slats, _slats, _shelf, _books, _stack, _bottle, _rods, _rods),
    *(_cabinet, _toy, _frame, _seat),
)
"""All kinds, as often as they are drawn."""

_HIGH = {_slats: (0.5, 1.7), _shelf: (0.8, 2.1), _cabinet: (0.6, 2.0), _seat: (0.6, 1.0), _rods: (0.3, 1.5)}
"""How high what stands on floors is, metres."""
_LARGE = (_slats, _shelf, _shelf, _cabinet, _cabinet, _cabinet, _seat, _seat, _seat, _rods)
_SMALL = (_books, _stack, _bottle, _toy, _rods)
