"""A bare foot with its leg: the part of the body whose toes are nearest to fingers, and which is no hand.

Sculpted as the hand is (:mod:`generator.mesh.sdf`), from rounded limbs joined by a smooth minimum, meshed once, then
bent by a few angles. Axes of a right foot that stands on the ground: +X to the little toe, +Y from heel to toes, +Z up,
the heel's back in Y = 0, the sole in Z = 0. Inside the sculpture lengths are millimetres, outside metres.

The mean foot is about 254 mm long and 99 broad at the ball, between the means of men (271, 102) and women (246, 93) in
the US Army's survey of 2012 (ANSUR II); girths and the toes are chosen by eye.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from generator.maths import smoothstep
from generator.mesh import mesh_file
from generator.mesh.sdf import Limb, smooth_min
from generator.mesh.skin_weights import edges, neighbour_mean

TOES = ("hallux", "second", "third", "fourth", "fifth")
"""From the great toe to the little one."""

ANKLE = np.array([0.0, 52.0, 78.0])
KNEE_Z = 470.0
"""Heights above the sole, mm: ANSUR II's lateral malleolus and mid-knee, rounded."""
TOP_Z = 900.0
"""Where the thigh ends, mm."""

_BALL = np.array([(-34, 186, 17), (-14, 194, 15), (4, 188, 13), (21, 176, 12), (36, 160, 11)], float)
"""Joints where the toes begin, (5, 3) mm."""
_MIDDLE = np.array([(-31, 222, 13), (-9.5, 222, 17), (9, 212, 16), (25.5, 198, 15), (39.5, 180, 13)], float)
"""The toes' first joints."""
_TIP = np.array([(-27, 244, 10), (-6.5, 244, 8), (12, 233, 8), (28, 217, 7.5), (40.5, 198, 7)], float)
"""The middle of the toes' tips."""
_BREADTH = np.array([14.0, 9.2, 8.7, 8.4, 8.6])
"""Half the breadth of each toe, mm."""


@dataclass(frozen=True)
class FootShape:
    """How one person's foot differs from the mean one: factors, 1.0 everywhere for the mean."""

    length: float = 1.0
    """Of the whole, in all directions."""
    width: float = 1.0
    """Of the foot from side to side, beyond ``length``."""
    girth: float = 1.0
    """Of the leg, beyond ``length``."""
    toes: float = 1.0
    """Of the toes' length, beyond ``length``."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> FootShape:
        """An adult's foot: length varies by 6 %, as men's and women's together do in ANSUR II, the rest by eye."""
        length, width, girth, toes = np.exp(np.clip(rng.standard_normal(4), -2.2, 2.2) * [0.06, 0.04, 0.12, 0.08])
        return cls(float(length), float(width), float(girth), float(toes))


@dataclass(frozen=True)
class FootPose:
    """How a foot is held, radians.

    :param ankle: how far the toes point down; negative is up to the shin.
    :param turn: how far the sole looks to the other foot (inversion).
    :param knee: how far the knee is bent.
    :param toes: (5,) how far each toe is bent down, from the great one on; negative is up.
    :param spread: (5,) how far each toe is moved to the little toe's side.
    """

    ankle: float = 0.0
    turn: float = 0.0
    knee: float = 0.0
    toes: tuple[float, ...] = (0.0,) * 5
    spread: tuple[float, ...] = (0.0,) * 5

    @classmethod
    def random(cls, rng: np.random.Generator) -> FootPose:
        """Within what ankles, knees and toes do at rest; neighbouring toes bend alike."""
        curl = rng.normal(0.0, 0.22)
        toes = np.clip(curl + rng.normal(0.0, 0.1, 5) + [rng.normal(0, 0.2), 0, 0, 0, 0], -0.7, 0.8)
        spread = rng.uniform(-0.02, 0.06) * np.array([-1.6, -0.6, 0.1, 0.7, 1.4]) + rng.normal(0, 0.025, 5)
        return cls(
            ankle=float(rng.uniform(-0.25, 0.75)),
            turn=float(rng.normal(0.0, 0.15)),
            knee=float(rng.uniform(0.0, 2.0)) if rng.random() < 0.5 else 0.0,
            toes=tuple(toes.round(4).tolist()),
            spread=tuple(spread.round(4).tolist()),
        )


@dataclass(frozen=True)
class FootMesh:
    """A closed triangle mesh of a right foot with its leg, standing; metres. Its marks are those of a hand's mesh."""

    vertices: np.ndarray
    """(V, 3) float32."""
    faces: np.ndarray
    """(F, 3) int32, counter-clockwise seen from outside."""
    palm: np.ndarray
    """(V,) float32, 1 on the sole, 0 on the back."""
    crease: np.ndarray
    """(V,) float32, 1 in the folds of the toes and of the sole."""
    nail: np.ndarray
    """(V,) float32, 1 on the nails."""
    toe: np.ndarray
    """(V, 5) float32, how much of each toe's bend a vertex follows at its joint with the ball."""
    end: np.ndarray
    """(V, 5) float32, the same at the toe's first joint."""
    ankle: np.ndarray
    """(V,) float32, 1 on the foot, 0 on the leg."""


SHIPPED = Path(__file__).with_name("foot.npz")
"""The mean foot, which :mod:`generator.mesh.build_meshes` writes."""


def _limb(
    a: ArrayLike,
    b: ArrayLike,
    up: tuple[float, float, float],
    stations: Sequence[tuple[float, ...]],
    caps: tuple[float, float],
) -> Limb:
    """A limb between two points; ``up`` is its back; stations are (fraction of the way, half-width, up, down)."""
    start, way = np.asarray(a, float), np.asarray(b, float) - np.asarray(a, float)
    length = float(np.linalg.norm(way))
    along = way / length
    side = np.cross(up, along)
    side /= np.linalg.norm(side)
    table = np.array(stations, float)
    table[:, 0] *= length
    return Limb(start, np.stack([side, np.cross(along, side), along], axis=1), table, caps, power=2.2)


_UP = (0.0, 0.0, 1.0)
_FRONT = (0.0, 1.0, 0.0)


def _body() -> list[tuple[float, Limb]]:
    """All but the toes, each with the radius of its join."""
    heel = _limb((1, 30, 36), (1, 62, 38), _UP, [(0, 26, 26, 35), (1, 27, 34, 36)], (29, 30))
    parts = [(0.0, heel)]
    bases = [(-16, 96, 38), (-8, 98, 42), (2, 96, 40), (12, 90, 34), (22, 82, 26)]
    downs = [(22, 19, 17), (28, 21, 15), (28, 21, 13), (24, 19, 12), (20, 16, 11)]
    for base, ball, down in zip(bases, _BALL, downs, strict=True):
        wide = 15.5 if base is bases[0] else 12.5
        parts.append(
            (
                14.0,
                _limb(
                    base,
                    ball,
                    _UP,
                    [(0, wide, 25, down[0]), (0.5, wide, 17, down[1]), (1, wide, 10.5, down[2])],
                    (14, 23),  # beyond the joint: the web between the toes reaches half along their first bones
                ),
            )
        )
    parts += [
        (10.0, _limb((-33, 180, 17), (-36, 186, 17), _UP, [(0, 15, 14, 17), (1, 15, 14, 17)], (14, 13))),  # ball
        (16.0, _limb((30, 60, 22), (40, 150, 14), _UP, [(0, 13, 14, 21), (0.5, 13, 10, 15), (1, 10, 9, 13)], (14, 10))),
        (20.0, _limb((-1, 60, 78), (-5, 122, 56), _UP, [(0, 27, 22, 30), (1, 24, 13, 25)], (18, 24))),  # instep
        (
            20.0,
            _limb((0, 34, 50), (0, 42, 140), _FRONT, [(0, 22, 20, 20), (1, 22, 20, 18)], (14, 20)),
        ),  # before the tendon
        (14.0, _limb((0, 11, 52), (0, 22, 150), _FRONT, [(0, 9, 14, 8), (0.4, 7, 14, 6), (1, 9, 12, 7)], (14, 20))),
    ]
    leg = [
        (0.0, 31, 34, 33), (0.035, 29, 34, 36), (0.08, 29, 35, 38), (0.16, 36, 38, 48), (0.26, 46, 42, 66),
        (0.36, 50, 46, 74), (0.44, 49, 52, 66), (0.48, 51, 56, 56), (0.53, 52, 54, 54), (0.62, 60, 66, 62),
        (0.8, 74, 82, 76), (1.0, 84, 92, 88),
    ]  # fmt: skip
    parts.append((18.0, _limb((0, 56, 76), (6, 66, TOP_Z), _FRONT, leg, (26, 20))))
    parts.append((12.0, _limb((-29, 60, 80), (-30, 62, 92), _FRONT, [(0, 8, 12, 12), (1, 8, 12, 12)], (10, 16))))
    parts.append((12.0, _limb((30, 46, 68), (29, 48, 84), _FRONT, [(0, 8, 10, 10), (1, 8, 10, 10)], (11, 16))))
    parts.append((14.0, _limb((4, 112, 452), (5, 116, 486), _FRONT, [(0, 22, 10, 12), (1, 24, 10, 12)], (16, 20))))
    return parts


def _toe(number: int) -> list[Limb]:
    ball, middle, tip, wide = _BALL[number], _MIDDLE[number], _TIP[number], _BREADTH[number]
    up = (0.05 * (number - 2), 0.0, 1.0)
    if number == 0:
        first = [(0, 1.0, 0.85, 0.95), (0.5, 0.93, 0.72, 0.8), (1, 1.0, 0.72, 0.72)]
        last = [(0, 1.0, 0.72, 0.72), (0.5, 1.04, 0.66, 0.74), (1, 0.9, 0.5, 0.7)]
    else:
        first = [(0, 1.0, 1.0, 1.0), (0.5, 0.86, 0.8, 0.8), (1, 0.92, 0.86, 0.8)]
        last = [(0, 0.92, 0.86, 0.8), (0.45, 0.9, 0.78, 0.8), (1, 0.98, 0.76, 0.95)]
    scaled = [[(p, w * wide, u * wide, d * wide) for p, w, u, d in rows] for rows in (first, last)]
    return [
        _limb(ball, middle, up, scaled[0], (5, 4)),
        _limb(middle, tip, up, scaled[1], (4, 0.75 * wide)),
    ]


class Sculpture:
    """The function whose zero set is the mean foot's skin."""

    def __init__(self) -> None:
        self.body = _body()
        self.toes = [_toe(number) for number in range(5)]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Distance in mm of points (N, 3) mm, right to first order near the skin; negative inside."""
        body = self.body[0][1].distance(points)
        for radius, part in self.body[1:]:
            body = smooth_min(body, part.distance(points), radius)
        body = -smooth_min(-body, points[:, 2] + 1.0, 8.0)  # the sole is flat where it stands
        result = body
        for first, last in self.toes:
            toe = smooth_min(first.distance(points), last.distance(points), 3.5)
            result = smooth_min(result, smooth_min(body, toe, 8.0), 0.8)
        return result

    def gradient(self, points: np.ndarray, values: np.ndarray) -> np.ndarray:
        """(N, 3), by differences over 0.05 mm from the ``values`` (N,) at the points."""
        return np.stack([self(points + step) - values for step in 0.05 * np.eye(3)], axis=1) / 0.05

    def toe_of(self, points: np.ndarray) -> np.ndarray:
        """Which toe's limbs each point lies on or nearest to, (N,)."""
        return np.argmin([np.minimum(a.distance(points), b.distance(points)) for a, b in self.toes], axis=0)


def _spacing(z: np.ndarray) -> np.ndarray:
    """Grid spacing in mm by height: fine at the toes, coarse along the leg."""
    return np.interp(z, [0, 40, 110, 200, 900], [2.1, 2.1, 4.5, 9.0, 11.0])


def _march(skin: Sculpture) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) mm and faces of the zero set, from two grids that overlap: the foot's is fine and long."""
    from skimage.measure import marching_cubes  # where the mesh is shipped, scikit-image is not needed

    rows = [-8.0]
    while rows[-1] < TOP_Z + 40:
        rows.append(rows[-1] + float(_spacing(np.array(rows[-1]))))
    heights, spacing = np.array(rows), _spacing(np.array(rows))
    # The leg is thinner than the foot is long, so that the columns that follow the spacing stay around its middle.
    across, through = np.arange(-28, 30), np.arange(-38, 102)
    x, y, row = np.meshgrid(across, through, np.arange(len(rows)), indexing="ij")
    centre = 66.0
    points = np.stack([x * spacing[row], centre + y * spacing[row], heights[row]], axis=-1)
    values = np.full(x.size, 50.0)
    flat = points.reshape(-1, 3)
    near = (abs(flat[:, 1] - 60) < 120) | (flat[:, 2] < 110)  # nothing of the leg is farther off
    values[near] = skin(flat[near])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # scikit-image 0.26 with numpy 2.5
        corners, faces, _, _ = marching_cubes(values.reshape(x.shape) / spacing[row], 0.0, gradient_direction="descent")
    wide = np.interp(corners[:, 2], np.arange(len(rows)), spacing)
    height = np.interp(corners[:, 2], np.arange(len(rows)), heights)
    vertices = np.stack([(corners[:, 0] + across[0]) * wide, centre + (corners[:, 1] + through[0]) * wide, height], 1)
    return vertices, faces.astype(np.int32)


def _normals(vertices: np.ndarray, skin: Sculpture) -> np.ndarray:
    slope = skin.gradient(vertices, skin(vertices))
    return slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-9)


def _project(vertices: np.ndarray, skin: Sculpture, rounds: int) -> np.ndarray:
    """Newton steps onto the zero set."""
    for _ in range(rounds):
        values = skin(vertices)
        slope = skin.gradient(vertices, values)
        step = np.clip(values / np.maximum((slope**2).sum(axis=1), 0.25), -1.0, 1.0)
        vertices = vertices - step[:, None] * slope
    return vertices


def _on_toe(points: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Of points (N, 3): mm along the toe from its joint with the ball, and mm to the side."""
    ball, middle, tip = _BALL[number], _MIDDLE[number], _TIP[number]
    first, last = middle - ball, tip - middle
    pip = np.linalg.norm(first)
    along = (points - ball) @ (first / pip)
    beyond = (points - middle) @ (last / np.linalg.norm(last))
    side = np.cross(last, _UP)
    return np.where(beyond > 0, pip + beyond, np.minimum(along, pip)), (points - tip) @ (side / np.linalg.norm(side))


def make_mean_foot() -> FootMesh:
    skin = Sculpture()
    vertices, faces = _march(skin)
    pairs = edges(faces)
    vertices = _project(vertices, skin, 3)
    for _ in range(3):  # even triangles
        normal = _normals(vertices, skin)
        pull = neighbour_mean(vertices, pairs) - vertices
        pull -= (pull * normal).sum(axis=1, keepdims=True) * normal
        vertices = _project(vertices + 0.5 * pull, skin, 1)
    normal = _normals(vertices, skin)
    owner = skin.toe_of(vertices)
    count = len(vertices)
    toe, end, nail, crease = np.zeros((count, 5)), np.zeros((count, 5)), np.zeros(count), np.zeros(count)
    for number in range(5):
        along, side = _on_toe(vertices, number)
        mine = (owner == number) & (vertices[:, 1] > _BALL[number, 1] - 12)
        pip = float(np.linalg.norm(_MIDDLE[number] - _BALL[number]))
        length = pip + float(np.linalg.norm(_TIP[number] - _MIDDLE[number])) + 0.75 * _BREADTH[number]
        toe[:, number] = mine * smoothstep(along, -5, 9)
        end[:, number] = mine * smoothstep(along, pip - 4, pip + 4)
        wide = _BREADTH[number]
        back = mine & (normal[:, 2] > 0.25)
        near, far = length - (19.5 if number == 0 else 11.5), length - (3.5 if number == 0 else 2.0)
        half = 0.64 * wide
        nail += (
            back
            * smoothstep(along, near, near + 1.5)
            * (1 - smoothstep(along, far, far + 1.2))
            * smoothstep(half - abs(side), 0, 1.4)
        )
        folds = (pip - 2.0, pip + 2.0) if number else (pip - 2.5, pip, pip + 2.5)
        for place in folds:
            crease += back * 0.6 * np.exp(-(((along - place) / 0.9) ** 2)) * smoothstep(wide - abs(side), 0, 4)
        under = mine & (normal[:, 2] < 0.2)
        crease += under * 0.7 * np.exp(-(((along - (2.0 if number else 8.0)) / 1.4) ** 2))
    x, y, z = vertices.T
    heel = (y < 60) & (z > 6) & (z < 30)
    crease += heel * 0.25 * np.exp(-(((z - 16 - 3 * np.sin(x / 9)) / 1.2) ** 2))
    ankle = 1 - smoothstep(z + 0.35 * (y - ANKLE[1]) * (y < ANKLE[1]), 62, 108)
    diffused = np.concatenate([toe, end, ankle[:, None]], axis=1)
    for _ in range(5):
        diffused = 0.5 * diffused + 0.5 * neighbour_mean(diffused, pairs)
    sole = (1 - smoothstep(z + 14 * normal[:, 2], 4, 17)) * smoothstep(-normal[:, 2] + 0.75, 0, 0.9)
    raised = 0.35 * np.clip(nail, 0, 1) - 0.35 * np.clip(crease, 0, 1)
    vertices = vertices + raised[:, None] * normal
    marks = [np.clip(mark, 0, 1).astype(np.float32) for mark in (sole, crease, nail)]
    moved = [part.astype(np.float32) for part in (diffused[:, :5], diffused[:, 5:10], diffused[:, 10])]
    return FootMesh((vertices / 1000).astype(np.float32), faces, *marks, *moved)


@lru_cache(maxsize=1)
def build() -> FootMesh:
    """The mean foot."""
    return FootMesh(**mesh_file.read(SHIPPED))


@lru_cache(maxsize=1)
def is_end() -> np.ndarray:
    """Which vertices are at the thigh's end, (V,) bool."""
    return build().vertices[:, 2] > TOP_Z / 1000 - 0.03


def _turn(points: np.ndarray, pivot: np.ndarray, axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Points (N, 3) turned about an axis through ``pivot`` by an angle of their own each, (N,) radians."""
    axis = axis / np.linalg.norm(axis)
    at = points - pivot
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    along = (at @ axis)[:, None] * axis
    return pivot + along + (at - along) * cos + np.cross(axis, at) * sin


def posed(mesh: FootMesh, shape: FootShape, pose: FootPose) -> np.ndarray:
    """The vertices of a right foot of this shape, held so, (V, 3) metres; a left foot is its mirror image (X to -X).

    The foot stays where it stands, and the leg moves about the ankle; what is bent by little is bent in proportion.
    """
    points = mesh.vertices.astype(float)
    for number in range(5):
        ball, middle, tip = (part[number] / 1000 for part in (_BALL, _MIDDLE, _TIP))
        along = tip - ball
        side = np.cross(along, _UP)
        longer = shape.toes - 1
        points = (
            points + longer * mesh.toe[:, number, None] * ((points - ball) @ along / (along @ along))[:, None] * along
        )
        bend = -pose.toes[number]
        points = _turn(points, middle + longer * (middle - ball), side, 0.8 * bend * mesh.end[:, number])
        points = _turn(points, ball, side, bend * mesh.toe[:, number])
        points = _turn(points, ball, np.array(_UP), -pose.spread[number] * mesh.toe[:, number])
    leg = 1 - mesh.ankle
    wide = 1 + (shape.width - 1) * mesh.ankle
    thick = 1 + (shape.girth - 1) * leg * np.clip((points[:, 2] - 0.1) / 0.1, 0, 1)
    points = points * np.stack([wide * thick, np.ones(len(points)), np.ones(len(points))], axis=1)
    points[:, 1] = 0.06 + (points[:, 1] - 0.06) * thick
    bent = smoothstep(points[:, 2], KNEE_Z / 1000 - 0.05, KNEE_Z / 1000 + 0.06)
    points = _turn(points, np.array([0.0, 0.045, KNEE_Z / 1000]), np.array([1.0, 0.0, 0.0]), pose.knee * bent)
    pivot = ANKLE / 1000
    points = _turn(points, pivot, np.array([1.0, 0.0, 0.0]), pose.ankle * leg)
    points = _turn(points, pivot, np.array([0.0, 1.0, 0.0]), pose.turn * leg)
    return points * shape.length
