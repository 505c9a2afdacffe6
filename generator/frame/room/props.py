"""Props of an indoor scene: their shapes, places and materials, drawn and recorded one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from generator.frame.room import furniture, materials
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Material
from generator.frame.room.shapes import OF_SIZE_1, Shape, pick
from generator.frame.room.transforms import rotation_to, transform
from generator.maths import log_uniform, rotation_about
from generator.mesh import sheet
from handforge.rng import StreamState, state_of

PLANE_SIZE = 8.0
"""Metres: to the horizon, as far as an image can tell."""

_THICK, _LEG = 0.04, 0.68
_ENDLESS = np.array([PLANE_SIZE, PLANE_SIZE, _THICK])
"""Metres that a table top is thick and its legs are long where nothing else says it; a plane without an end."""
_CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))
LEVEL = 0.26
"""Up in the normal of what props stand on: with less, it is a wall, or a table seen from straight above."""

Matrix = tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True)
class Prop:
    """One shape.

    :param shape: box, ball, tube (along Z), block (a rounded box), tumbler (open to +Z), each of size 1; a part of a
        head; a bed's sheet; or a drape, cloth of size 1 along X and Y that lies as high as it says along Z.
    :param material: its number among the scene's materials.
    :param matrix: (4, 4), to scene axes, metres.
    :param folds: where the random numbers of a sheet's folds begin; None of other shapes.
    :param heights: of a drape, metres: a row from side to side after the other; None of other shapes.
    :param variant: which folds a shirt, hips or a sleeve have.
    """

    shape: Shape
    material: int
    matrix: Matrix
    folds: StreamState | None = None
    heights: tuple[tuple[float, ...], ...] | None = None
    variant: int = 0

    def __post_init__(self) -> None:
        if (self.shape == "drape") != (self.heights is not None):
            raise ValueError("heights are a drape's, which needs them")
        if self.heights is not None and (len(self.heights) < 2 or {len(self.heights[0])} != {*map(len, self.heights)}):
            raise ValueError("the heights of a drape are two rows at least, all of the same length")


class SceneProps:
    """The props of one frame and their materials, each in the order of being drawn."""

    def __init__(self) -> None:
        self.props: list[Prop] = []
        self.bodies: list[np.ndarray] = []
        """Balls (N, 4) that people's bodies are within: scene points and radii, metres."""
        self.up = np.array([0.0, 0.0, 1.0])
        """The normal (3,) of what props stand on; that of the image where there is only a wall."""
        self.ground: float | None = None
        """How high what people and furniture stand on is along that normal, metres from the origin; None if nothing
        does."""
        self.floored = False
        """Whether there is a floor to be seen."""
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
        variant: int = 0,
    ) -> None:
        """Add a shape by a (4, 4) matrix."""
        self.props.append(Prop(shape, self.number(material), rows(matrix), folds, heights, variant))

    def assemble(self, parts: list[furniture.Part], matrix: np.ndarray) -> None:
        """Add a piece of furniture by a (4, 4) matrix."""
        for part in parts:
            self.add(part.shape, part.material, matrix @ part.matrix)

    def free(self, view: View, balls: np.ndarray) -> bool:
        """Whether balls (N, 4), scene points and radii in metres, touch no arm, no camera, no body and no prop."""
        eye = view.camera.position
        if not all(self._clear(ball[:3], ball[3]) for ball in balls):
            return False
        points = np.vstack([view.arm[::4], eye])
        if (np.linalg.norm(points[:, None] - balls[:, :3], axis=-1) < balls[:, 3] + 0.02).any():
            return False
        matrices = [np.array(prop.matrix) for prop in self.props if prop.shape in OF_SIZE_1]
        if not matrices:
            return True
        into = np.linalg.inv(matrices)
        local = balls[:, :3] @ into[:, :3, :3].transpose(0, 2, 1) + into[:, None, :3, 3]
        margin = balls[:, 3:] * np.linalg.norm(into[:, :3, :3], axis=2)[:, None]
        return not (np.abs(local) < 0.5 + margin).all(axis=-1).any()

    def _clear(self, center: np.ndarray, radius: float) -> bool:
        """Whether a ball touches no body."""
        return all((np.linalg.norm(body[:, :3] - center, axis=1) > body[:, 3] + radius).all() for body in self.bodies)

    def furnish(self, rng: np.random.Generator, view: View, material: Material | None = None, more: int = 0) -> bool:
        """Put a table or wall behind the hand, of this material or of any, and up to 10 props and ``more`` on it.

        Or nothing at all.

        :returns: whether a room could be around it: not where a wall is behind the hand.
        """
        if rng.random() < 0.12:
            return True  # the hand in front of the world's image alone
        normal = _facing(rng)
        offset = float((view.arm @ normal).min() - log_uniform(rng, 0.002, 0.4))
        self.table(rng, view, normal, normal * offset, int(rng.integers(0, 11)) + more, material)
        return bool(normal[2] > LEVEL)

    def sheet(self, rng: np.random.Generator, normal: np.ndarray, point: np.ndarray) -> None:
        """A bed's sheet about a point of a plane with this unit normal."""
        folds = state_of(rng)
        sheet.sheet(rng)  # for what is drawn after it: its mesh is made when it is rendered
        rotation = rotation_to(normal, rng.uniform(0, 2 * np.pi))
        self.add("sheet", materials.sheet(rng), transform(rotation, point, np.ones(3)), folds)

    def slab(self, rng: np.random.Generator, normal: np.ndarray, point: np.ndarray, material: Material) -> None:
        """A plane without an end in sight, through a point with this unit normal."""
        self._top_of(rng, rotation_to(normal, rng.uniform(0, 2 * np.pi)), point, _ENDLESS, material)

    def ground_under(self, rng: np.random.Generator, normal: np.ndarray, point: np.ndarray) -> None:
        """Ground without an end in sight, inside or outside, through a point with this unit normal."""
        self.slab(rng, normal, point, materials.ground(rng, PLANE_SIZE, outside=True))
        if normal[2] > LEVEL:
            self.up, self.ground, self.floored = normal, float(normal @ point), True

    def table(
        self,
        rng: np.random.Generator,
        view: View,
        normal: np.ndarray,
        point: np.ndarray,
        count: int,
        material: Material | None = None,
    ) -> None:
        """Put a table or wall into the scene, and up to ``count`` props on it where no arm is.

        In part of the images a table's edge is in sight; a wall's never is.

        :param normal: (3,) its unit normal; ``point``: (3,) metres, a point of it.
        :param material: None for any.
        """
        rotation, level = rotation_to(normal, rng.uniform(0, 2 * np.pi)), bool(normal[2] > LEVEL)
        size, shift = _ENDLESS.copy(), np.zeros(3)
        if level and rng.random() < 0.6:
            size[:2] = rng.uniform(0.5, 1.6, 2)
            shift[:2] = rng.uniform(-0.35, 0.35, 2) * size[:2]
        top = self._top_of(rng, rotation, point + rotation @ shift, size, material)
        if level:
            self._stand(rng, top, view)
        for _ in range(count):
            self._object(rng, rotation, normal, top, view)

    def desk(
        self,
        rng: np.random.Generator,
        view: View,
        rotation: np.ndarray,
        center: np.ndarray,
        size: np.ndarray,
        count: int,
    ) -> None:
        """A table top, and up to so many props on it.

        :param rotation: (3, 3), its axes, the last one up.
        :param center: (3,), the centre of its upper side; ``size``: (2,) metres.
        """
        top = self._top_of(rng, rotation, center, np.array([*size, _THICK]), None)
        self._stand(rng, top, view)
        for _ in range(count):
            self._object(rng, rotation, rotation[:, 2], top, view)

    def lay_floor(self, rng: np.random.Generator, up: np.ndarray, level: float) -> None:
        """A floor without an end in sight, for people and furniture.

        :param up: (3,) its unit normal; ``level``: metres along it from the origin.
        """
        self.up, self.ground, self.floored = up, level, True
        made_of = materials.ground(rng, PLANE_SIZE, outside=False)
        self.slab(rng, up, up * level, made_of)

    def floor_below(self, rng: np.random.Generator, view: View) -> None:
        """A floor below people and furniture that stand on none yet, unless it would cut an arm."""
        if self.ground is None or self.floored:
            return
        if self.ground < float((view.arm @ self.up).min()) - 0.01:
            self.lay_floor(rng, self.up, self.ground)

    def wall(self, rng: np.random.Generator, view: View, material: Material, gap: float) -> None:
        """A plane ``gap`` metres behind the arm, turned a little: it fills the image."""
        normal = np.array([np.sin(a := rng.normal(0, 0.2)), -np.cos(a), 0.0])
        depth = max(view.behind(0.1), self.behind(view)) + gap
        self.slab(rng, normal, np.array([0.0, depth - view.camera.distance, 0.0]), material)

    def _top_of(
        self,
        rng: np.random.Generator,
        rotation: np.ndarray,
        center: np.ndarray,
        size: np.ndarray,
        material: Material | None,
    ) -> np.ndarray:
        matrix = transform(rotation, center - rotation[:, 2] * size[2] / 2, size)
        self.add("box", material or self._top(rng), matrix)
        return matrix

    def _stand(self, rng: np.random.Generator, top: np.ndarray, view: View) -> None:
        """Give a table top, whose matrix (4, 4) this is, legs and a floor; one without an end is a floor."""
        size = np.linalg.norm(top[:3, :3], axis=0)
        rotation = top[:3, :3] / size
        self.up = up = rotation[:, 2]
        height = float(up @ top[:3, 3])
        if size[0] > 0.99 * PLANE_SIZE:
            if self.ground is None:
                self.ground, self.floored = height + _THICK / 2, True
            return
        made_of = self.props[-1]
        if self.ground is None:
            self.lay_floor(rng, up, min(height - _THICK / 2 - _LEG, float((view.arm @ up).min()) - 0.02))
        assert self.ground is not None
        leg = height - _THICK / 2 - self.ground
        for x, y in _CORNERS:
            corner = np.array([x * (size[0] / 2 - 0.05), y * (size[1] / 2 - 0.05), -(_THICK + leg) / 2])
            place = transform(rotation, top[:3, 3] + rotation @ corner, np.array([0.05, 0.05, leg]))
            self.props.append(replace(made_of, matrix=rows(place)))

    def behind(self, view: View) -> float:
        """The depth behind all bodies that are seen; 0 without any."""
        if not self.bodies:
            return 0.0
        balls = np.concatenate(self.bodies)
        x, y, depth = view.camera.project(balls[:, :3]).T
        seen = (depth > 0) & (np.abs(x / view.camera.width - 0.5) < 0.7) & (np.abs(y / view.camera.height - 0.5) < 0.7)
        return float((depth + balls[:, 3])[seen].max(initial=0.0))

    @staticmethod
    def _top(rng: np.random.Generator) -> Material:
        kind = rng.random()
        if kind < 0.3:
            return materials.wood(rng, PLANE_SIZE)
        return materials.paint(rng) if kind < 0.5 else materials.everyday(rng)

    def _object(
        self,
        rng: np.random.Generator,
        rotation: np.ndarray,
        normal: np.ndarray,
        top: np.ndarray,
        view: View,
    ) -> None:
        """A box, ball, tube or piece that stands on a table somewhere in the image, where the arm is not.

        :param top: the table's matrix (4, 4).
        """
        offset = float((top[:3, 3] + top[:3, 2] / 2) @ normal)
        composed = rng.random() < 0.35
        size = np.exp(rng.uniform(np.log(0.015), np.log(0.22), 3))
        if composed:
            size[:] = log_uniform(rng, 0.08, 0.5)
        shape = pick(rng, "box", "box", "ball", "tube")
        if shape == "ball":
            size[:] = size[0]
        angle = rng.uniform(0, 2 * np.pi)
        pixel = rng.uniform(size=2) * [view.camera.width, view.camera.height]
        ray = np.array(
            [(pixel[0] - view.camera.width / 2), view.camera.matrix[0, 0], (view.camera.height / 2 - pixel[1])]
        )
        eye = view.camera.position
        reach = (offset - eye @ normal) / (ray @ normal)
        foot = eye + reach * ray
        center = foot + normal * size[2] / 2
        radius = np.linalg.norm(size) / 2
        if reach <= 0 or reach * view.camera.matrix[0, 0] > 4 or (center - eye) @ [0, 1, 0] < 2 * radius:
            return
        if (np.abs(np.linalg.solve(top, np.append(foot, 1.0))[:2]) > 0.5).any():  # beyond its edge
            return
        if np.linalg.norm(view.arm - center, axis=1).min() < radius + 0.004 or not self._clear(center, float(radius)):
            return
        matrix = transform(rotation @ rotation_about(2, angle), center, size)
        if composed:
            parts = furniture.piece(rng)
            lowest = float(furniture.extent(parts)[0][2])
            self.assemble(parts, transform(rotation @ rotation_about(2, angle), foot - normal * lowest * size[2], size))
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
