"""A room around hands: a floor, walls and a ceiling that let the light in, and furniture that stands where it can.

Whatever stands does so upright: on the floor, on other furniture, or it hangs on a wall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.frame.room import furniture, materials
from generator.frame.room.arm_view import View
from generator.frame.room.props import SceneProps
from generator.frame.room.transforms import transform
from generator.maths import log_uniform, rotation_about

_EYE_LEVEL = 0.9, 1.6
"""How high the camera is above the floor where nothing else says it, metres."""
_WALL = 0.1
"""Thickness of walls, metres."""


@dataclass(frozen=True)
class _Walls:
    """Where a room ends.

    :param axes: (3, 3), columns to the side, away from the camera, up.
    :param low: (3,) the room's corner along these axes, metres; ``high``: the opposite one; the floor is ``low[2]``.
    """

    axes: np.ndarray
    low: np.ndarray
    high: np.ndarray


def fill_room(props: SceneProps, rng: np.random.Generator, view: View) -> None:
    """Put a floor, furniture behind hands and people, near or far, and mostly walls and a ceiling around all."""
    walls = _measure(props, rng, view)
    props.ground = float(walls.low[2])
    props.floor_below(rng, view)
    closed = bool(rng.random() < 0.7)
    for _ in range(int(rng.integers(1, 7))):
        _furnish(props, rng, view, walls, closed=closed)
    if closed:
        _enclose(props, rng, walls)
        for _ in range(int(rng.choice([0, 1, 1, 2, 3]))):
            _hang(props, rng, view, walls)


def _measure(props: SceneProps, rng: np.random.Generator, view: View) -> _Walls:
    up = props.up
    ahead = np.array([0.0, 1.0, 0.0]) - up[1] * up
    ahead /= np.linalg.norm(ahead)
    axes = np.stack([np.cross(ahead, up), ahead, up], axis=1) @ rotation_about(2, rng.normal(0, 0.3))
    eye = view.camera.position
    inside = [view.arm, eye[None]]
    for body in props.bodies:
        inside += [body[:, :3] - body[:, 3:], body[:, :3] + body[:, 3:]]
    local = np.concatenate(inside) @ axes
    far = log_uniform(rng, 0.5, 4.0)
    low = local.min(axis=0) - rng.uniform([0.4, 0.5, 0.02], [3.0, 2.0, 0.3])
    high = local.max(axis=0) + np.array([rng.uniform(0.4, 3.0), far, 0.2])
    if props.ground is not None:
        low[2] = props.ground
    else:
        low[2] = min(low[2], eye @ up - rng.uniform(*_EYE_LEVEL))
    high[2] = max(high[2], low[2] + rng.uniform(2.2, 3.4))
    return _Walls(axes, low, high)


def _furnish(props: SceneProps, rng: np.random.Generator, view: View, walls: _Walls, *, closed: bool) -> None:
    """A piece of furniture on the floor behind all hands and people, and small props on it; none without a place."""
    made = furniture.draw_large(rng)
    size = made.high - made.low
    behind = max(view.behind(0.1), props.behind(view))
    room = float(walls.high[1] - walls.low[1])
    place = view.point(rng.uniform(-0.1, 1.1), 0.5, behind + rng.uniform(0.2, 1.0) * min(room, 4.0)) @ walls.axes
    if closed and rng.random() < 0.6:
        yaw, low, high = 0.0, made.low, made.high
        place[1] = walls.high[1] - high[1] - 0.005  # at the wall
    else:
        yaw, high = rng.normal(0, 0.8), np.full(3, np.hypot(*np.maximum(-made.low, made.high)[:2]))
        low = -high
    if (walls.high - walls.low < high - low)[:2].any():
        return
    place[:2] = np.clip(place, walls.low - low, walls.high - high)[:2]
    place[2] = walls.low[2] - made.low[2]
    rotation = walls.axes @ rotation_about(2, yaw)
    center = walls.axes @ place
    wide = float(np.hypot(*size[:2])) / 2
    heights = np.linspace(min(wide, size[2] / 2), max(size[2] - wide, size[2] / 2), 3) + 0.002
    foot = center + rotation @ [*((made.low + made.high) / 2)[:2], made.low[2]]
    balls = np.array([[*(foot + walls.axes[:, 2] * height), min(wide, size[2] / 2)] for height in heights])
    depth = view.camera.to_camera(balls[:, :3])[:, 2].min() - wide
    if depth < behind - 0.02 or not props.free(view, balls):
        return
    props.assemble(made.parts, transform(rotation, center, 1.0))
    if not made.flat:
        return
    for _ in range(int(rng.integers(0, 4))):
        small = furniture.draw_small(rng)
        half = (small.high - small.low)[0] / 2
        if 2 * half < size[0]:
            aside = rng.uniform(-0.5, 0.5) * (size[0] - 2 * half)
            on = center + rotation @ [aside - (small.low + small.high)[0] / 2, 0.0, made.high[2] - small.low[2]]
            if view.clear(on, half):
                props.assemble(small.parts, transform(rotation, on, 1.0))


def _enclose(props: SceneProps, rng: np.random.Generator, walls: _Walls) -> None:
    """The wall behind, in part of the rooms those beside, a ceiling with lamps, a skirting board."""
    paint, (low, high) = materials.paint(rng), (walls.low.copy(), walls.high.copy())
    for side in range(2):
        if rng.random() < 0.4:  # out of sight
            (low if side == 0 else high)[0] += 3.0 * (2 * side - 1)
    skirting = materials.surface(rng) if rng.random() < 0.5 else None
    _slab(props, walls, paint, [low[0], high[1], low[2]], [high[0], high[1] + _WALL, high[2]])
    _slab(props, walls, paint, [low[0] - _WALL, low[1], low[2]], [low[0], high[1], high[2]])
    _slab(props, walls, paint, [high[0], low[1], low[2]], [high[0] + _WALL, high[1], high[2]])
    if skirting:
        _slab(props, walls, skirting, [low[0], high[1] - 0.004, low[2]], [high[0], high[1], low[2] + 0.08])
    white = materials.plain(rng, np.full(3, rng.uniform(0.5, 0.85)), 0.9, uneven=0.04)
    _slab(props, walls, white, [low[0], low[1], high[2]], [high[0], high[1], high[2] + _WALL])
    if rng.random() < 0.5:
        lamp, wide, long = materials.glow(rng), rng.uniform(0.1, 0.6), rng.uniform(0.3, 1.2)
        for x in np.arange(low[0] + 0.4, high[0] - long, long + rng.uniform(0.6, 1.5))[:3]:
            y = float(rng.uniform(low[1], high[1] - wide))
            _slab(props, walls, lamp, [x, y, high[2] - 0.03], [x + long, y + wide, high[2]])


def _slab(props: SceneProps, walls: _Walls, material: materials.Material, low: list[float], high: list[float]) -> None:
    """A box that no light is kept out by, from one corner to the opposite one along the room's axes."""
    start, end = np.array(low), np.array(high)
    props.add("wall", material, transform(walls.axes, walls.axes @ (start + end) / 2, end - start))


def _hang(props: SceneProps, rng: np.random.Generator, view: View, walls: _Walls) -> None:
    """An image, a window or a screen on the wall behind."""
    made = furniture.draw_hung(rng)
    depth = view.behind(0.1) + rng.uniform(0, 1) * (walls.high[1] - walls.low[1])
    place = view.point(rng.uniform(0.0, 1.0), 0.5, depth) @ walls.axes
    place[1] = walls.high[1] - made.high[1]
    place[2] = walls.low[2] + rng.uniform(1.1, 1.9)
    if walls.low[0] < place[0] + made.low[0] and place[0] + made.high[0] < walls.high[0]:
        props.assemble(made.parts, transform(walls.axes, walls.axes @ place, 1.0))
