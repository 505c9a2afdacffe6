"""Solids with a signed distance by formula, exact or of first order; trimesh measures it to meshes.

Surfaces of revolution, boxes, tubes, and their triangle meshes.

Lengths are metres. A distance is negative inside. Meshes are (V, 3) float vertices and (F, 3) int32 triangles,
counter-clockwise seen from outside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from generator.maths import grid_triangles, transformed

Mesh = tuple[np.ndarray, np.ndarray]


class Solid(Protocol):
    """What all solids can do."""

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance of points (N, 3), (N,)."""
        ...

    def mesh(self) -> Mesh:
        """Its surface."""
        ...


@dataclass(frozen=True)
class Lathe:
    """A surface of revolution about Z.

    :param profile: ((radius, z), ...) from the bottom of the axis over the outside to its top; radii >= 0. The ends are
        joined to the axis. A profile may turn back, as a cup's does on its inside.
    """

    profile: tuple[tuple[float, float], ...]
    sides: int = 36

    def _closed(self) -> np.ndarray:
        outline = np.array(self.profile, float)
        first, last = outline[0], outline[-1]
        ends = [np.array([[0.0, first[1]]])] if first[0] > 0 else []
        tail = [np.array([[0.0, last[1]]])] if last[0] > 0 else []
        return np.concatenate([*ends, outline, *tail])

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Exact: that of the half plane's polygon."""
        flat = np.stack([np.hypot(points[:, 0], points[:, 1]), points[:, 2]], axis=1)
        outline = self._closed()
        a, b = outline[:-1], outline[1:]
        way = b - a
        fraction = np.einsum("nsk,sk->ns", flat[:, None] - a, way) / np.maximum((way**2).sum(1), 1e-18)
        near = a + np.clip(fraction, 0, 1)[..., None] * way
        apart = np.linalg.norm(flat[:, None] - near, axis=-1).min(axis=1)
        # Even-odd rule over the outline closed along the axis, which no ray to the outside meets.
        x, y = flat[:, None, 0], flat[:, None, 1]
        crosses = (a[:, 1] > y) != (b[:, 1] > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = a[:, 0] + (y - a[:, 1]) / (b[:, 1] - a[:, 1]) * way[:, 0]
        inside = (crosses & (x < at)).sum(axis=1) % 2 == 1
        return np.where(inside, -apart, apart)

    def mesh(self) -> Mesh:
        """Rings, with the profile's corners drawn narrow so that smooth shading keeps them."""
        rings = _cornered(self._closed())
        inner = rings[1:-1] if len(rings) > 2 else rings
        angle = np.arange(self.sides) / self.sides * 2 * np.pi
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        body = np.concatenate([np.column_stack([r * circle, np.full(self.sides, z)]) for r, z in inner])
        vertices = np.concatenate([body, [[0, 0, rings[0, 1]], [0, 0, rings[-1, 1]]]])
        faces = [_around(len(inner), self.sides)]
        bottom, top = len(body), len(body) + 1
        first, last = np.arange(self.sides), np.arange(self.sides) + (len(inner) - 1) * self.sides
        faces.append(np.stack([np.full(self.sides, bottom), np.roll(first, -1), first], axis=1))
        faces.append(np.stack([np.full(self.sides, top), last, np.roll(last, -1)], axis=1))
        return vertices, np.concatenate(faces).astype(np.int32)


_CORNER = 0.0012
"""Metres to both sides of a sharp corner between which it is rounded, at most."""


def _cornered(outline: np.ndarray) -> np.ndarray:
    """The outline with two points in place of each sharp corner, and both ends on the axis."""
    points = [outline[0]]
    for before, here, after in zip(outline[:-2], outline[1:-1], outline[2:], strict=True):
        one, two = before - here, after - here
        lengths = np.linalg.norm(one), np.linalg.norm(two)
        if min(lengths) < 1e-9:
            continue
        cosine = one @ two / (lengths[0] * lengths[1])
        if cosine > -0.9:
            points += [
                here + one / lengths[0] * min(_CORNER, 0.3 * lengths[0]),
                here + two / lengths[1] * min(_CORNER, 0.3 * lengths[1]),
            ]
        else:
            points.append(here)
    return np.array([*points, outline[-1]])


def _around(rings: int, sides: int) -> np.ndarray:
    """Triangles between rings of vertices one above the other."""
    return grid_triangles(np.arange(rings * sides).reshape(rings, sides), closed=True, flipped=True)


@dataclass(frozen=True)
class Box:
    """A box around the origin with rounded edges.

    :param size: its three lengths.
    :param radius: of the edges, less than half the least length.
    """

    size: tuple[float, float, float]
    radius: float = 0.001

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Exact."""
        beyond = np.abs(points) - (np.array(self.size) / 2 - self.radius)
        outside = np.linalg.norm(np.maximum(beyond, 0), axis=1)
        return outside + np.minimum(beyond.max(axis=1), 0) - self.radius

    def mesh(self) -> Mesh:
        """Six grids with points at the roundings."""
        half = np.array(self.size) / 2
        inner = half - self.radius
        bend = np.tan(np.linspace(0, np.pi / 4, 3)) * self.radius
        ticks = [np.concatenate([-(i + bend)[::-1], i + bend]) for i in inner]
        vertices, faces, count = [], [], 0
        for axis in range(3):
            u, v = (axis + 1) % 3, (axis + 2) % 3
            for sign in (-1, 1):
                grid = np.zeros((len(ticks[u]), len(ticks[v]), 3))
                grid[..., u], grid[..., v] = np.meshgrid(ticks[u], ticks[v], indexing="ij")
                grid[..., axis] = sign * half[axis]
                rows, columns = grid.shape[:2]
                index = np.arange(rows * columns).reshape(rows, columns) + count
                quads = grid_triangles(index)
                faces.append(quads if sign > 0 else quads[:, ::-1])
                flat = grid.reshape(-1, 3)
                core = np.clip(flat, -inner, inner)
                out = flat - core
                vertices.append(core + self.radius * out / np.linalg.norm(out, axis=1, keepdims=True))
                count += rows * columns
        points = np.concatenate(vertices)
        _, first, back = np.unique(points.round(9), axis=0, return_index=True, return_inverse=True)
        return points[first], back.reshape(-1)[np.concatenate(faces)].astype(np.int32)


@dataclass(frozen=True)
class Tube:
    """A round rod along a line of points, with rounded ends.

    :param points: ((x, y, z), ...), two at least.
    :param radii: of the rod at each.
    :param flat: factor of its thickness along Y, for blades and ribbons.
    """

    points: tuple[tuple[float, float, float], ...]
    radii: tuple[float, ...]
    flat: float = 1.0
    sides: int = 20

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Exact for a round rod whose radius does not change, else of first order near its surface."""
        squeezed = np.asarray(points, float) / [1, self.flat, 1]
        line, radii = np.array(self.points) / [1, self.flat, 1], np.array(self.radii)
        found = np.full(len(squeezed), np.inf)
        for a, b, first, last in zip(line[:-1], line[1:], radii[:-1], radii[1:], strict=True):
            fraction = np.clip((squeezed - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-18), 0, 1)
            away = squeezed - a - fraction[:, None] * (b - a)
            radius, apart = first + fraction * (last - first), np.linalg.norm(away, axis=1)
            slope = np.linalg.norm(away / [1, self.flat, 1], axis=1) / np.maximum(apart, 1e-12)
            found = np.minimum(found, (apart - radius) / np.where(apart > 1e-9, slope, 1.0))
        return found

    def mesh(self) -> Mesh:
        """Rings square to the line, and half balls at its ends."""
        line, radii = np.array(self.points, float) / [1, self.flat, 1], np.array(self.radii, float)
        along = np.gradient(line, axis=0)
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
        caps = np.linspace(0, np.pi / 2, 5)[:-1]
        centers = [line[0] - along[0] * radii[0] * np.cos(a) for a in caps]
        sizes = [max(radii[0] * np.sin(a), 1e-6) for a in caps]
        ways = [along[0]] * len(caps)
        centers += list(line)
        sizes += list(radii)
        ways += list(along)
        centers += [line[-1] + along[-1] * radii[-1] * np.cos(a) for a in caps[::-1]]
        sizes += [max(radii[-1] * np.sin(a), 1e-6) for a in caps[::-1]]
        ways += [along[-1]] * len(caps)
        side = np.cross(along[0], [0.0, 1.0, 0.0])
        if np.linalg.norm(side) < 0.1:
            side = np.cross(along[0], [1.0, 0.0, 0.0])
        angle = np.arange(self.sides) / self.sides * 2 * np.pi
        rings = []
        for center, size, way in zip(centers, sizes, ways, strict=True):
            side = side - (side @ way) * way  # carried along the line without twist
            side /= np.linalg.norm(side)
            up = np.cross(way, side)
            rings.append(center + size * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * up))
        vertices = np.concatenate(rings) * [1, self.flat, 1]
        return vertices, _around(len(rings), self.sides).astype(np.int32)


@dataclass(frozen=True)
class Part:
    """A solid in an object.

    :param solid: the solid, around its own origin.
    :param surface: which of the object's surfaces it has.
    :param matrix: (4, 4) where it is in the object; rigid.
    """

    solid: Solid
    surface: int = 0
    matrix: np.ndarray = field(default_factory=lambda: np.eye(4))

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance of points (N, 3) of the object."""
        return self.solid.distance((points - self.matrix[:3, 3]) @ self.matrix[:3, :3])

    def mesh(self) -> Mesh:
        """The part's surface in the object."""
        vertices, faces = self.solid.mesh()
        return transformed(vertices, self.matrix), faces


def at(x: float = 0.0, y: float = 0.0, z: float = 0.0, rotation: np.ndarray | None = None) -> np.ndarray:
    """The (4, 4) matrix that turns (3, 3), then moves."""
    matrix = np.eye(4)
    if rotation is not None:
        matrix[:3, :3] = rotation
    matrix[:3, 3] = x, y, z
    return matrix


def distance(parts: tuple[Part, ...], points: np.ndarray) -> np.ndarray:
    """Signed distance of points (N, 3) from all parts together, (N,)."""
    return np.min([part.distance(points) for part in parts], axis=0)


def mesh(parts: tuple[Part, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All parts as one mesh: vertices (V, 3), triangles (F, 3) int32, and each triangle's surface (F,) int32."""
    vertices, faces, surfaces, count = [], [], [], 0
    for part in parts:
        points, triangles = part.mesh()
        vertices.append(points)
        faces.append(triangles + count)
        surfaces.append(np.full(len(triangles), part.surface, np.int32))
        count += len(points)
    return np.concatenate(vertices), np.concatenate(faces).astype(np.int32), np.concatenate(surfaces)
