"""Things of an indoor scene, where they stand, and of what: drawn, and recorded one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.frame.room import furniture, materials
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Material
from generator.frame.room.shapes import Shape, drawn
from generator.frame.room.transforms import rotation_to, transform
from generator.maths import rotation_about
from generator.mesh import sheet
from handforge.rng import StreamState, state_of

PLANE_SIZE = 8.0
"""Metres: to the horizon, as far as an image can tell."""

Matrix = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Thing:
    """One shape.

    :param shape: box, ball, tube (along Z), block (a rounded box), tumbler (open to +Z), each of size 1; a part of a
        head; a bed's sheet; or a drape, cloth of size 1 along X and Y that lies as high as it says along Z.
    :param material: its number among the scene's materials.
    :param matrix: (4, 4), to scene axes, metres.
    :param folds: where the random numbers of a sheet's folds begin; None of other shapes.
    :param heights: of a drape, metres: a row from side to side after the other; None of other shapes.
    """

    shape: Shape
    material: int
    matrix: Matrix
    folds: StreamState | None = None
    heights: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if (self.shape == "drape") != (self.heights is not None):
            raise ValueError("heights are a drape's, which needs them")
        if self.heights is not None and (len(self.heights) < 2 or {len(self.heights[0])} != {*map(len, self.heights)}):
            raise ValueError("the heights of a drape are two rows at least, all of the same length")


class Things:
    """The things of one frame and their materials, each in the order of being drawn."""

    def __init__(self) -> None:
        self.things: list[Thing] = []
        self._materials: dict[int, tuple[int, Material]] = {}

    @property
    def materials(self) -> tuple[Material, ...]:
        """What the numbers of materials stand for."""
        return tuple(material for _, material in self._materials.values())

    def number(self, material: Material) -> int:
        """The number of a material; the same for the same object."""
        return self._materials.setdefault(id(material), (len(self._materials), material))[0]

    def add(
        self,
        shape: Shape,
        material: Material,
        matrix: np.ndarray,
        folds: StreamState | None = None,
        heights: tuple[tuple[float, ...], ...] | None = None,
    ) -> None:
        """Add a shape by a (4, 4) matrix."""
        self.things.append(Thing(shape, self.number(material), rows(matrix), folds, heights))

    def assemble(self, parts: list[furniture.Part], matrix: np.ndarray) -> None:
        """Add a piece of furniture by a (4, 4) matrix."""
        for part in parts:
            self.add(part.shape, part.material, matrix @ part.matrix)

    def furnish(self, rng: np.random.Generator, view: View, material: Material | None = None, more: int = 0) -> None:
        """Put a table or wall behind the hand, of this material or of any, and up to 10 things and ``more`` on it.

        Or nothing at all.
        """
        if rng.random() < 0.12:
            return  # the hand in front of the world's image alone
        normal = _facing(rng)
        offset = float((view.arm @ normal).min() - np.exp(rng.uniform(np.log(0.002), np.log(0.4))))
        rotation = rotation_to(normal, rng.uniform(0, 2 * np.pi))
        self._plane(rng, rotation, normal * offset, material)
        for _ in range(int(rng.integers(0, 11)) + more):
            self._object(rng, rotation, normal, offset, view)

    def sheet(self, rng: np.random.Generator, normal: np.ndarray, point: np.ndarray) -> None:
        """A bed's sheet about a point of a plane with this unit normal."""
        folds = state_of(rng)
        sheet.sheet(rng)
        turn = rotation_to(normal, rng.uniform(0, 2 * np.pi))
        self.add("sheet", materials.sheet(rng), transform(turn, point, np.ones(3)), folds)

    def floor(
        self,
        rng: np.random.Generator,
        normal: np.ndarray,
        point: np.ndarray,
        material: Material | None = None,
    ) -> None:
        """A plane through a point with this unit normal, of this material or of any."""
        self._plane(rng, rotation_to(normal, rng.uniform(0, 2 * np.pi)), point, material)

    def table(self, rng: np.random.Generator, view: View, normal: np.ndarray, point: np.ndarray, count: int) -> None:
        """A plane through a point with this unit normal, and up to so many things on it where no arm is."""
        rotation = rotation_to(normal, rng.uniform(0, 2 * np.pi))
        self._plane(rng, rotation, point)
        for _ in range(count):
            self._object(rng, rotation, normal, float(point @ normal), view)

    def wall(self, rng: np.random.Generator, view: View, material: Material, gap: float) -> None:
        """A plane ``gap`` metres behind the arm, turned a little: it fills the image, or is a board there."""
        normal = np.array([np.sin(a := rng.normal(0, 0.2)), -np.cos(a), 0.0])
        depth = view.behind(0.1) + gap
        center = np.array([0.0, depth - view.camera.distance, 0.0])
        self._plane(rng, rotation_to(normal, rng.uniform(0, 2 * np.pi)), center, material)

    def fill_room(self, rng: np.random.Generator, view: View) -> None:
        """Furniture behind the hand, near or far, and often a wall behind that."""
        back = view.behind(0.1)
        far = float(np.exp(rng.uniform(np.log(0.5), np.log(4.0))))
        if rng.random() < 0.7:
            self.wall(rng, view, materials.surface(rng), far)
        roll = rng.normal(0, 0.15)
        for _ in range(int(rng.integers(2, 12))):
            depth = back + far * rng.uniform(0.1, 0.9)
            across = depth / view.camera.matrix[0, 0] * view.camera.width  # of the image, metres
            size = across * np.exp(rng.uniform(np.log(0.12), np.log(0.9)))
            center = view.point(rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), depth)
            if view.clear(center, size / 2):
                lean = np.array([np.sin(roll), rng.normal(0, 0.2), np.cos(roll)])
                facing = rotation_to(lean / np.linalg.norm(lean), np.pi / 2 + rng.normal(0, 0.6))  # us
                self.assemble(furniture.piece(rng), transform(facing, center, size))

    def _plane(
        self,
        rng: np.random.Generator,
        rotation: np.ndarray,
        center: np.ndarray,
        material: Material | None = None,
    ) -> None:
        """A table top or a wall: a box whose front is the plane; in part of the images its edge is in sight."""
        size = np.array([PLANE_SIZE, PLANE_SIZE, 0.04])
        shift = np.zeros(3)
        if rng.random() < 0.6:
            size[:2] = rng.uniform(0.5, 1.6, 2)
            shift[:2] = rng.uniform(-0.35, 0.35, 2) * size[:2]
        self.add(
            "box",
            material or self._top(rng),
            transform(rotation, center + rotation @ (shift - [0, 0, size[2] / 2]), size),
        )

    @staticmethod
    def _top(rng: np.random.Generator) -> Material:
        return materials.wood(rng, PLANE_SIZE) if rng.random() < 0.3 else materials.everyday(rng)

    def _object(
        self,
        rng: np.random.Generator,
        rotation: np.ndarray,
        normal: np.ndarray,
        offset: float,
        view: View,
    ) -> None:
        """A box, ball, tube or piece that stands on the plane somewhere in the image, where the arm is not."""
        composed = rng.random() < 0.35
        size = np.exp(rng.uniform(np.log(0.015), np.log(0.22), 3))
        if composed:
            size[:] = np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
        shape = drawn(rng, "box", "box", "ball", "tube")
        if shape == "ball":
            size[:] = size[0]
        angle = rng.uniform(0, 2 * np.pi)
        pixel = rng.uniform(size=2) * [view.camera.width, view.camera.height]
        ray = np.array(
            [(pixel[0] - view.camera.width / 2), view.camera.matrix[0, 0], (view.camera.height / 2 - pixel[1])]
        )
        eye = np.array([0.0, -view.camera.distance, 0.0])
        reach = (offset - eye @ normal) / (ray @ normal)
        foot = eye + reach * ray
        center = foot + normal * size[2] / 2
        radius = np.linalg.norm(size) / 2
        if reach <= 0 or reach * view.camera.matrix[0, 0] > 4 or (center - eye) @ [0, 1, 0] < 2 * radius:
            return
        if np.linalg.norm(view.arm - center, axis=1).min() < radius + 0.004:
            return
        matrix = transform(rotation @ rotation_about(2, angle), center, size)
        if composed:
            self.assemble(furniture.piece(rng), matrix)
        else:
            self.add(shape, materials.everyday(rng), matrix)


def rows(matrix: np.ndarray) -> Matrix:
    """A (4, 4) matrix as numbers for JSON."""
    return tuple(tuple(row) for row in np.asarray(matrix, float).tolist())


def _facing(rng: np.random.Generator) -> np.ndarray:
    """The normal of a plane behind the hand, (3,): a table seen from above or at a slant, or a wall."""
    slant = np.radians(rng.uniform(0, 68) if rng.random() < 0.7 else rng.uniform(-15, 15))
    side = np.radians(rng.normal(0, 12))
    return np.array([np.sin(side) * np.cos(slant), -np.cos(side) * np.cos(slant), np.sin(slant)])
