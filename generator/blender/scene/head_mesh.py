"""A head: the most frequent object in photographs that has skin and is no hand.

Sculpted from ellipsoids whose edges are filled, as rays from its centre meet their surface; an ear likewise. Lengths
are millimetres; a head faces -Y, Z is up. It is about an adult's: 150 wide, 200 deep, 215 high.
"""

from __future__ import annotations

import functools
from typing import Any

import bpy
import numpy as np

from generator.blender import attributes
from generator.blender.rig import fill
from generator.blender.scene import materials
from generator.blender.scene.nodes import NodeGraph, Socket
from generator.frame.room.materials import Face, Hair
from generator.maths import grid_triangles, smoothstep, triple
from generator.mesh.sdf import smooth_min

_SCALP, _BROW, _BEARD, _LIPS = "scalp", "brow", "beard", "lips"
"""Point attributes, 0 to 1: where hair grows, and the red of the lips."""

# Centre x, y, z; half of width, depth, height; over how many millimetres it is joined to what is there. On both sides.
_HEAD = [
    ((0, 8, 28), (74, 92, 80), 0),  # cranium
    ((0, -30, -16), (60, 57, 74), 50),  # face
    ((0, -42, -62), (44, 44, 38), 50),  # jaw
    ((0, -76, -88), (20, 15, 16), 34),  # chin
    ((46, -46, -18), (20, 26, 24), 40),  # cheekbone
    ((42, -18, -56), (16, 28, 28), 44),  # corner of the jaw
    ((27, -76, 14), (26, 13, 9), 22),  # brow
    ((0, -93, -10), (8, 13, 27), 14),  # bridge of the nose
    ((0, -105, -29), (11.5, 12, 10.5), 11),  # its tip
    ((12, -97, -32.5), (7, 9.5, 7), 7),  # its wings
    ((0, -82, -62), (28, 14, 22), 28),  # the teeth behind the lips
    ((7, -97, -57), (16, 6, 4.6), 5),  # upper lip
    ((0, -96, -66.5), (18, 7, 5.6), 6),  # lower lip
]
_HOLLOWS = [((31, -97, -3), (18, 18, 12), 16), ((0, -104, -61.4), (23, 8, 1.2), 3)]  # eyes, mouth
_EAR = [((0, 0, 0), (9, 19, 31), 0), ((0, -3, -24), (7, 10, 12), 8)]
_EAR_HOLLOWS = [((12, 3, 3), (9, 11, 17), 5), ((10, -1, 14), (6, 4, 14), 4)]  # of a right ear, whose outside is +X


def face(one: Face) -> bpy.types.Material:
    """Skin with brows, lips and perhaps a beard."""
    graph = materials.plain(one.skin)
    shader = next(node for node in graph.tree.nodes if node.type == "BSDF_PRINCIPLED")
    seen = shader.inputs["Base Color"].links[0].from_socket
    parts = ((_LIPS, one.lips, 0.8), (_BROW, one.dark, one.brow), (_BEARD, one.dark, one.beard))
    for mark, other, fraction in parts:
        seen = graph.mix(graph.times(graph.attribute(mark), fraction), seen, other)
    if one.scalp:  # at the hairline single strands are seen
        ragged = graph.math("ADD", graph.attribute(_SCALP), graph.ramp(_strands(graph, 60.0), 0.2, 1.2))
        seen = graph.mix(graph.times(graph.ramp(ragged, 0.5, 0.9), one.scalp), seen, one.dark)
    graph.feed(shader.inputs["Base Color"], seen)
    return graph.material


def hair_material(one: Hair) -> bpy.types.Material:
    """Strands that lie beside each other from the crown down."""
    graph = NodeGraph(materials.new("hair"))
    shader = materials.principled(graph, one.roughness)
    strands = _strands(graph, one.strands)
    lighter, darker = (np.clip(np.array(one.color) * (1 + by), 0, 1) for by in (one.uneven, -one.uneven))
    colors = triple(darker), triple(lighter)
    graph.feed(shader.inputs["Base Color"], graph.color_ramp(strands, colors, (0.3, 0.7)))
    graph.feed(shader.inputs["Normal"], graph.bump(strands, 0.003))
    return graph.material


def _strands(graph: NodeGraph, each: float) -> Socket:
    """Noise, 0..1, that changes ``each`` times a radian around the crown and little from there down."""
    place = graph.vector_math("SUBTRACT", graph.add("TexCoord").outputs["Object"], (0.0, 0.02, 0.0))
    around = graph.vector_math("NORMALIZE", graph.vector_math("MULTIPLY", place, (1.0, 1.0, 0.0)))
    moved = graph.vector_math("ADD", graph.scaled(around, each), graph.scaled(place, 8.0))
    return graph.noise(moved, 1.0, 2.0, 0.3)


def _ellipsoid(points: np.ndarray, center: tuple[float, ...], half: tuple[float, ...]) -> np.ndarray:
    """About the distance of points (N, 3) from its surface."""
    at = (points - center) / half
    size = np.linalg.norm(at, axis=1) + 1e-9
    return size * (size - 1) / (np.linalg.norm(at / half, axis=1) + 1e-9)


def _both_sides(part: tuple[Any, ...], points: np.ndarray) -> np.ndarray:
    (x, y, z), half, _ = part
    near = np.where(points[:, :1] * [1, 0, 0] < 0, points * [-1, 1, 1], points) if x else points
    return _ellipsoid(near, (x, y, z), half)


def _solid(points: np.ndarray, parts: list[tuple[Any, ...]], hollows: list[tuple[Any, ...]]) -> np.ndarray:
    """Below 0 inside."""
    found = _ellipsoid(points, *parts[0][:2])
    for part in parts[1:]:
        found = smooth_min(found, _both_sides(part, points), part[2])
    for part in hollows:
        found = -smooth_min(-found, _both_sides(part, points), part[2])
    return found


def _sculpt(
    parts: list[tuple[Any, ...]], hollows: list[tuple[Any, ...]], columns: int, rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points (V, 3) on the solid's surface, mm, as rays from its centre meet it, and triangles (F, 3)."""
    fraction = np.arange(columns) / columns
    around = 2 * np.pi * fraction + 0.9 * np.sin(2 * np.pi * fraction)  # twice as many where the face is
    down = np.pi * (np.arange(rows) + 0.5) / rows
    up, rotation = np.meshgrid(down, around + np.pi / 2, indexing="ij")
    rays = np.stack([np.sin(up) * np.cos(rotation), np.sin(up) * np.sin(rotation), np.cos(up)], -1).reshape(-1, 3)
    low, high = np.zeros(len(rays)), np.full(len(rays), 200.0)
    for _ in range(24):
        center = (low + high) / 2
        inside = _solid(rays * center[:, None], parts, hollows) < 0
        low, high = np.where(inside, center, low), np.where(inside, high, center)
    points = np.vstack([rays * low[:, None], [[0, 0, 0]] * 2])
    top, bottom = len(rays), len(rays) + 1
    points[top], points[bottom] = points[:columns].mean(0), points[top - columns : top].mean(0)
    index = np.arange(rows * columns).reshape(rows, columns)
    first, last = index[0], index[-1]
    faces = [
        grid_triangles(index, closed=True),
        np.stack([np.full(columns, top), first, np.roll(first, -1)], 1),
        np.stack([np.full(columns, bottom), np.roll(last, -1), last], 1),
    ]  # fmt: skip
    return points, np.concatenate(faces)


def _above_hairline(points: np.ndarray) -> np.ndarray:
    """How far above the hairline, mm: high on the forehead, past the temples, behind the ears down to the nape."""
    x, y, z = points.T
    line = np.interp(y, [-100, -75, -55, -20, 5, 30, 60, 110], [66, 62, 50, 22, 8, -20, -48, -60])
    return np.asarray(z - line - 2 * np.sin(0.21 * x + 0.1 * y) - 1.5 * np.sin(0.5 * x + 0.3 * y))


@functools.cache
def _shape() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    points, faces = _sculpt(_HEAD, _HOLLOWS, 120, 96)
    x, y, z = points.T
    side = abs(x)

    def step(value: np.ndarray, width: float) -> np.ndarray:
        return np.clip(value / width + 0.5, 0, 1)

    upper, lower = (_both_sides(part, points) for part in _HEAD[-2:])
    lips = np.minimum(upper, lower)
    jaw = step(-38 - z - 0.25 * np.maximum(side - 25, 0), 14) * step(25 - y, 20) * step(z + 118, 10)
    arch = 15 - (side - 30) ** 2 / 60
    marks = {
        _SCALP: step(_above_hairline(points) - 3, 16),
        _BROW: step(3.2 - abs(z - arch), 2) * step(17 - abs(side - 31), 6) * (y < -50),
        _LIPS: step(-lips, 2.0) * (y < -60),
        _BEARD: jaw * (1 - step(-lips, 3.0)),
    }
    return points, faces, marks


def mesh() -> bpy.types.Mesh:
    """A head, its centre in the origin."""
    points, faces, marks = _shape()
    return _mesh("head", points, faces, marks)


def hair() -> bpy.types.Mesh:
    """What grows on the scalp, as a shell around the head."""
    points, faces, _ = _shape()
    x, y, z = points.T
    locks = np.sin(0.11 * x + 0.05 * y + 2 * np.sin(0.04 * z)) + np.sin(0.13 * y - 0.09 * z + 2 * np.sin(0.05 * x))
    full = np.clip((z + 20) / 90, 0, 1) * np.clip(1 - y / 200, 0, 1)
    thick = smoothstep(_above_hairline(points), -4, 26) * (13 + 7 * full + 2.5 * locks) - 2
    return _mesh("hair", points * (1 + thick / np.linalg.norm(points, axis=1))[:, None], faces, {})


def ear() -> bpy.types.Mesh:
    """A right ear, seen from +X."""
    return _mesh("ear", *_sculpt(_EAR, _EAR_HOLLOWS, 56, 44), {})


SHAPES = {"head": mesh, "hair": hair, "ear": ear}
"""Functions that make the meshes: in metres, with an empty material slot."""


def _mesh(name: str, points: np.ndarray, faces: np.ndarray, marks: dict[str, np.ndarray]) -> bpy.types.Mesh:
    data = bpy.data.meshes.new(name)
    fill(data, points / 1000, faces.astype(np.int32))
    for mark, values in marks.items():
        attributes.write(data, mark, values)
    data.materials.append(None)
    return data
