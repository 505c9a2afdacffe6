"""A bare foot with its leg: the part of the body whose toes are nearest to fingers, and which is no hand.

Sculpted as the hand is (:mod:`generator.mesh.sdf`), from rounded limbs joined by a smooth minimum, meshed once, then
bent by a few angles. Axes of a right foot that stands on the ground: +X to the little toe, +Y from heel to toes, +Z up,
the heel's back in Y = 0, the sole in Z = 0. Inside the sculpture lengths are millimetres, outside metres.

The mean foot is about 254 mm long and 99 broad at the ball, between the means of men (271, 102) and women (246, 93) in
the US Army's survey of 2012 (ANSUR II); its girths at ankle, calf and knee are about the means of 507 adults in Heinz
et al. 2003 (Journal of Statistics Education 11, 2): 22.2, 36.1 and 36.2 cm. The rest is chosen by eye.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from generator.hand.vectors import NotNegative
from generator.maths import Triple, smoothstep
from generator.mesh import mesh_file, meshing
from generator.mesh.sdf import ImplicitSurface, Limb, smooth_min
from generator.mesh.skin_weights import edges, neighbour_mean

ANKLE = np.array([0.0, 52.0, 78.0])
KNEE_Z = 470.0
"""Heights above the sole, mm: ANSUR II's lateral malleolus and mid-knee, rounded."""
TOP_Z = 900.0
"""Where the thigh ends, mm."""

_BALL = np.array([(-33, 186, 17), (-13, 194, 15), (5, 188, 13), (21, 176, 12), (36, 161, 11)], float)
"""Joints where the toes begin, (5, 3) mm."""
_CENTER = np.array([(-30, 222, 13.5), (-8, 221, 18), (9.5, 212, 17), (25, 198, 16), (38.5, 181, 14)], float)
"""The toes' first joints."""
_TIP = np.array([(-25.5, 242, 11), (-4.5, 241, 9), (12.5, 229, 8.5), (27, 213, 8), (38.5, 195, 8)], float)
"""The middle of the toes' tips."""
_BREADTH = np.array([14.8, 9.9, 9.5, 9.3, 9.4])
"""Half the breadth of each toe, mm."""


@dataclass(frozen=True)
class FootShape:
    """How one person's foot differs from the mean one: factors, 1.0 everywhere for the mean."""

    length: NotNegative = 1.0
    """Of the whole, in all directions."""
    width: NotNegative = 1.0
    """Of the foot from side to side, beyond ``length``."""
    girth: NotNegative = 1.0
    """Of the leg, beyond ``length``."""
    toes: NotNegative = 1.0
    """Of the toes' length, beyond ``length``."""
    hallux: NotNegative = 1.0
    """Of the great toe's length, beyond ``toes``."""
    valgus: float = 0.0
    """Radians, not a factor: how far the great toe leans to the others, and its joint stands out; 0 in the mean."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> FootShape:
        """Draw a person's foot.

        Adults' length varies by 6 %, as men's and women's together do in ANSUR II, the rest by eye.

        The great toe is the longest of 69 % of feet, the second of 22 %, and 9 % are square (Viladot 1973, Orthopedic
        Clinics of North America 4, 165-178). One in eight is a child's: shorter, plump, with short toes.
        """
        length, width, girth, toes = np.exp(np.clip(rng.standard_normal(4), -2.2, 2.2) * [0.06, 0.04, 0.12, 0.08])
        hallux, valgus = (
            np.exp(np.clip(rng.normal(0.01, 0.1), -0.22, 0.24)),
            np.clip(rng.normal(0.02, 0.12), -0.12, 0.4),
        )
        if rng.random() < 0.125:
            small = rng.uniform(0.5, 0.85)
            length, width, toes = length * small, width * (1.25 - 0.2 * small), toes * 0.85
            girth, valgus = girth * (1.2 - 0.2 * small), 0.0
        return cls(*(float(part) for part in (length, width, girth, toes, hallux, valgus)))


@dataclass(frozen=True)
class FootPose:
    """How a foot is held, radians.

    :param ankle: how far the toes point down; negative is up to the shin.
    :param rotation: how far the sole looks to the other foot (inversion).
    :param knee: how far the knee is bent.
    :param toes: (5,) how far each toe is bent down, from the great one on; negative is up.
    :param spread: (5,) how far each toe is moved to the little toe's side.
    :param claw: how far the first joints of the four small toes are bent beyond ``toes`` while their bases rise.
    """

    ankle: float = 0.0
    rotation: float = 0.0
    knee: float = 0.0
    toes: tuple[float, ...] = (0.0,) * 5
    spread: tuple[float, ...] = (0.0,) * 5
    claw: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> FootPose:
        """Draw how a foot is held at rest; neighbouring toes bend alike."""
        curl = rng.normal(0.0, 0.22)
        toes = np.clip(curl + rng.normal(0.0, 0.1, 5) + [rng.normal(0, 0.2), 0, 0, 0, 0], -0.7, 0.8)
        apart = rng.uniform(0.03, 0.1) if rng.random() < 0.15 else rng.uniform(-0.03, 0.015)
        spread = apart * np.array([-1.6, -0.6, 0.1, 0.7, 1.4]) + rng.normal(0, 0.012, 5)
        return cls(
            ankle=float(rng.uniform(-0.25, 0.75)),
            rotation=float(rng.normal(0.0, 0.15)),
            knee=float(rng.uniform(0.0, 2.0)) if rng.random() < 0.5 else 0.0,
            toes=tuple(toes.round(4).tolist()),
            spread=tuple(spread.round(4).tolist()),
            claw=float(rng.uniform(0.1, 0.9)) if rng.random() < 0.4 else 0.0,
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
    nail_map: np.ndarray
    """(V, 3) float32, as :attr:`generator.mesh.skin_look.SkinMaps.nail`: across, along, and mm outside the nail."""
    toe: np.ndarray
    """(V, 5) float32, how much of each toe's bend a vertex follows at its joint with the ball."""
    end: np.ndarray
    """(V, 5) float32, the same at the toe's first joint."""
    ankle: np.ndarray
    """(V,) float32, 1 on the foot, 0 on the leg."""


SHIPPED = Path(__file__).with_name("foot.npz")
"""The mean foot, which :mod:`generator.mesh.build_meshes` writes."""


_UP = (0.0, 0.0, 1.0)
_FRONT = (0.0, 1.0, 0.0)


def _limb(
    a: ArrayLike, b: ArrayLike, up: Triple, stations: Sequence[tuple[float, ...]], caps: tuple[float, float]
) -> Limb:
    return Limb.between(a, b, stations, caps, up, power=2.2)


def _body() -> list[tuple[float, Limb]]:
    """All but the toes, each with the radius of its join."""
    heel = _limb((1, 30, 36), (1, 62, 38), _UP, [(0, 26, 26, 35), (1, 27, 34, 36)], (29, 30))
    parts = [(0.0, heel)]
    bases = [(-15, 92, 38), (-8, 98, 42), (2, 96, 40), (11, 88, 34), (18, 78, 28)]
    downs = [(22, 19, 17), (28, 21, 15), (28, 21, 13), (24, 19, 12), (22, 17, 11)]
    for base, ball, down in zip(bases, _BALL, downs, strict=True):
        wide = 15.5 if base is bases[0] else 12.5
        rows = [(0, wide, 25, down[0]), (0.5, wide, 17, down[1]), (1, wide, 10.5, down[2])]
        # Beyond the joint: the web between the toes reaches half along their first bones.
        parts.append((16.0, _limb(base, ball, _UP, rows, (20, 23))))
    instep = [(0, 27, 22, 30), (0.45, 24, 15, 26), (0.8, 20, 8, 20), (1, 17, 3, 14)]
    shaft = [(0, 22, 20, 20), (1, 20, 16, 16)]
    tendon = [(0, 10, 14, 8), (0.4, 7.5, 14, 6), (1, 10, 8, 8)]
    parts += [
        (12.0, _limb((-34, 178, 17), (-36, 186, 17), _UP, [(0, 15, 14, 17), (1, 15, 14, 17)], (16, 13))),  # ball
        (20.0, _limb((16, 46, 24), (38, 148, 14), _UP, [(0, 15, 15, 22), (0.5, 14, 11, 16), (1, 11, 9, 13)], (20, 12))),
        (24.0, _limb((-1, 58, 78), (-8, 150, 40), _UP, instep, (20, 22))),
        (26.0, _limb((0, 34, 50), (0, 46, 150), _FRONT, shaft, (14, 40))),  # before the tendon
        (18.0, _limb((0, 11, 52), (0, 26, 170), _FRONT, tendon, (14, 40))),
    ]
    leg = [
        (0.0, 30, 33, 33), (0.035, 28.5, 33, 36), (0.08, 29, 35, 38), (0.16, 36, 38, 50), (0.24, 46, 42, 70),
        (0.32, 52, 46, 81), (0.375, 50, 47, 73), (0.43, 47.5, 51, 55), (0.48, 53, 60, 57), (0.53, 53, 55, 55),
        (0.62, 60, 66, 62),
        (0.8, 74, 82, 76), (1.0, 84, 92, 88),
    ]  # fmt: skip
    ankle = [(0, 9, 12, 12), (1, 8, 12, 12)]
    parts += [
        (26.0, _limb((0, 56, 76), (6, 66, TOP_Z), _FRONT, leg, (26, 20))),
        (16.0, _limb((-25, 58, 78), (-26, 61, 92), _FRONT, ankle, (11, 24))),
        (16.0, _limb((26, 46, 66), (26, 49, 82), _FRONT, ankle, (12, 24))),
        (20.0, _limb((4, 108, 452), (5, 112, 486), _FRONT, [(0, 22, 10, 12), (1, 24, 10, 12)], (20, 24))),
    ]
    return parts


def _sole(points: np.ndarray) -> np.ndarray:
    """Height in mm, (N,), that the sole does not reach below: what stands on the ground, and the arch between."""
    x, y = points[:, 0], points[:, 1]
    arch = 17.0 * np.exp(-(((x + 34) / 26) ** 2) - ((y - 104) / 38) ** 2)
    waist = 2.5 * np.exp(-(((y - 105) / 40) ** 2))
    valley = 1.2 * np.exp(-(((x + 17) / 5) ** 2) - ((y - 182) / 22) ** 2)
    round_edge = 0.0012 * np.clip(np.abs(x + 4 - 0.06 * (y - 100)) - 22, 0, None) ** 2
    return np.asarray(-1.0 + arch + waist + valley + np.minimum(round_edge * 2.2, 6.0))


def _toe(number: int) -> list[Limb]:
    ball, center, tip, wide = _BALL[number], _CENTER[number], _TIP[number], _BREADTH[number]
    up = (0.05 * (number - 2), 0.0, 1.0)
    if number == 0:
        first = [(0, 1.0, 0.85, 0.95), (0.5, 0.88, 0.7, 0.78), (1, 0.98, 0.72, 0.76)]
        last = [(0, 0.98, 0.72, 0.76), (0.5, 1.05, 0.62, 0.86), (1, 0.92, 0.46, 0.72)]
    else:
        first = [(0, 1.0, 1.0, 1.0), (0.5, 0.78, 0.76, 0.74), (1, 0.88, 0.84, 0.76)]
        last = [(0, 0.88, 0.84, 0.76), (0.5, 0.92, 0.7, 0.9), (1, 1.04, 0.62, 1.06)]
    scaled = [[(p, w * wide, u * wide, d * wide) for p, w, u, d in rows] for rows in (first, last)]
    return [
        _limb(ball, center, up, scaled[0], (5, 4)),
        _limb(center, tip, up, scaled[1], (4, 0.78 * wide)),
    ]


class Sculpture(ImplicitSurface):
    """The mean foot's skin."""

    def __init__(self) -> None:
        self.body = _body()
        self.toes = [_toe(number) for number in range(5)]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """As of :class:`~generator.mesh.sdf.ImplicitSurface`."""
        body = self.body[0][1].distance(points)
        for radius, part in self.body[1:]:
            body = smooth_min(body, part.distance(points), radius)
        body = -smooth_min(-body, points[:, 2] - _sole(points), 10.0)
        result = body
        for first, last in self.toes:
            toe = smooth_min(first.distance(points), last.distance(points), 5.0)
            result = smooth_min(result, smooth_min(body, toe, 9.0), 0.8)
        return result

    def toe_of(self, points: np.ndarray) -> np.ndarray:
        """Which toe's limbs each point lies on or nearest to, (N,)."""
        return np.argmin([np.minimum(a.distance(points), b.distance(points)) for a, b in self.toes], axis=0)


def _spacing(z: np.ndarray) -> np.ndarray:
    """Grid spacing in mm by height: fine at the toes, coarse along the leg."""
    return np.interp(z, [0, 40, 110, 200, 900], [2.1, 2.1, 4.5, 9.0, 11.0])


def _distance_nearby(skin: Sculpture, points: np.ndarray) -> np.ndarray:
    """The skin's distance where it can be, 50 mm elsewhere, which is quicker: a leg is thinner than a foot is long."""
    values = np.full(len(points), 50.0)
    near = (abs(points[:, 1] - 60) < 120) | (points[:, 2] < 110)
    values[near] = skin(points[near])
    return values


def _on_toe(points: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Of points (N, 3): mm along the toe from its joint with the ball, and mm to the side."""
    ball, center, tip = _BALL[number], _CENTER[number], _TIP[number]
    first, last = center - ball, tip - center
    pip = np.linalg.norm(first)
    along = (points - ball) @ (first / pip)
    beyond = (points - center) @ (last / np.linalg.norm(last))
    side = np.cross(last, _UP)
    return np.where(beyond > 0, pip + beyond, np.minimum(along, pip)), (points - tip) @ (side / np.linalg.norm(side))


def make_mean_foot() -> FootMesh:
    """Mesh the mean foot from its implicit skin; takes some seconds and scikit-image."""
    skin = Sculpture()
    nearby = partial(_distance_nearby, skin)
    vertices, faces = meshing.march(nearby, _spacing, (-8.0, TOP_Z + 40), ((-28, 30), (-38, 102)), 66.0)
    vertices = meshing.relax(meshing.project(vertices, skin, 3), faces, skin, 3)
    normal, pairs = meshing.normals(vertices, skin), edges(faces)
    owner = skin.toe_of(vertices)
    count = len(vertices)
    toe, end, nail, crease = np.zeros((count, 5)), np.zeros((count, 5)), np.zeros(count), np.zeros(count)
    nail_map = np.tile([0.0, 0.0, 9.0], (count, 1))
    for number in range(5):
        along, side = _on_toe(vertices, number)
        mine = (owner == number) & (vertices[:, 1] > _BALL[number, 1] - 12)
        pip = float(np.linalg.norm(_CENTER[number] - _BALL[number]))
        length = pip + float(np.linalg.norm(_TIP[number] - _CENTER[number])) + 0.78 * _BREADTH[number]
        toe[:, number] = mine * smoothstep(along, -5, 9)
        end[:, number] = mine * smoothstep(along, pip - 4, pip + 4)
        wide = _BREADTH[number]
        back = mine & (normal[:, 2] > 0.25)
        long, half = (8.0, 0.58 * wide) if number == 0 else (5.6 - 0.5 * number, (0.62 - 0.04 * number) * wide)
        from_middle = along - (length - long - (2.2 if number == 0 else 1.2))
        beyond = np.maximum(np.abs(np.stack([side, from_middle])) - np.array([[half - 2.0], [long - 2.0]]), 0)
        outside = np.hypot(*beyond) - 2.0 + 8.0 * smoothstep(normal[:, 2], 0.35, 0.1)
        nail_map[mine] = np.stack([side / half, from_middle / long, outside], axis=1)[mine]
        nail += mine * smoothstep(outside, 0.6, -0.6)
        folds = (pip - 2.0, pip + 2.0) if number else (pip - 2.5, pip, pip + 2.5)
        for place in folds:
            crease += back * 0.6 * np.exp(-(((along - place) / 0.9) ** 2)) * smoothstep(wide - abs(side), 0, 4)
        under = mine & (normal[:, 2] < 0.2)
        crease += under * 0.7 * np.exp(-(((along - (2.0 if number else 8.0)) / 1.4) ** 2))
    x, y, z = vertices.T
    heel = (y < 60) & (z > 6) & (z < 30)
    crease += heel * 0.25 * np.exp(-(((z - 16 - 3 * np.sin(x / 9)) / 1.2) ** 2))
    ankle = 1 - smoothstep(z + 0.35 * (y - ANKLE[1]) * (y < ANKLE[1]), 46, 136)
    diffused = np.concatenate([toe, end, ankle[:, None]], axis=1)
    for _ in range(5):
        diffused = 0.5 * diffused + 0.5 * neighbour_mean(diffused, pairs)
    sole = (1 - smoothstep(z + 14 * normal[:, 2], 4, 17)) * smoothstep(-normal[:, 2] + 0.75, 0, 0.9)
    raised = 0.35 * np.clip(nail, 0, 1) - 0.35 * np.clip(crease, 0, 1)
    vertices = vertices + raised[:, None] * normal
    marks = [np.clip(mark, 0, 1).astype(np.float32) for mark in (sole, crease, nail)]
    marks.append(nail_map.astype(np.float32))
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


@lru_cache(maxsize=1)
def hairiness() -> np.ndarray:
    """Where hair grows on a foot and its leg, 0..1, (V,): on the shin and the calf, less on the thigh and the back."""
    mesh = build()
    z = mesh.vertices[:, 2]
    leg = smoothstep(z, 0.09, 0.17) * (1 - 0.7 * smoothstep(z, 0.4, 0.5))
    return np.asarray((leg + 0.25 * (1 - leg)) * (1 - smoothstep(mesh.palm, 0.0, 0.2)))


@lru_cache(maxsize=1)
def rubbed() -> np.ndarray:
    """Where a foot has calluses, 0..1, (V,): around the heel, under the ball, and on the great toe's side."""
    mesh = build()
    places = [(-0.036, 0.186, 0.0, 0.016), (0.036, 0.163, 0.0, 0.012), (-0.002, 0.19, 0.0, 0.014),
              (-0.036, 0.225, 0.006, 0.012), (-0.02, 0.012, 0.006, 0.02), (0.0, 0.004, 0.008, 0.022),
              (0.022, 0.014, 0.006, 0.02)]  # fmt: skip
    near = [np.exp(-(np.linalg.norm(mesh.vertices - p[:3], axis=1) ** 2) / p[3] ** 2) for p in np.array(places)]
    return np.asarray(np.clip(np.sum(near, axis=0), 0, 1) * mesh.palm)


def _rotate(points: np.ndarray, pivot: np.ndarray, axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
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
    out = np.exp(-(np.linalg.norm(points - [-0.046, 0.188, 0.02], axis=1) ** 2) / 0.017**2)
    points[:, 0] -= 0.02 * shape.valgus * out
    for number in range(5):
        ball, center, tip = (part[number] / 1000 for part in (_BALL, _CENTER, _TIP))
        along = tip - ball
        side = np.cross(along, _UP)
        longer = shape.toes * (shape.hallux if number == 0 else 1.0) - 1
        mine = np.flatnonzero((mesh.toe[:, number] > 0) | (mesh.end[:, number] > 0))
        on_base, on_end, own = mesh.toe[mine, number], mesh.end[mine, number], points[mine]
        own = own + longer * on_base[:, None] * ((own - ball) @ along / (along @ along))[:, None] * along
        claw = pose.claw if number else 0.0
        end, base = 0.8 * pose.toes[number] + claw, pose.toes[number] - 0.45 * claw
        aside = pose.spread[number] + (shape.valgus if number == 0 else 0.35 * max(shape.valgus, 0.0))
        own = _rotate(own, center + longer * (center - ball), side, -end * on_end)
        own = _rotate(own, ball, side, -base * on_base)
        points[mine] = _rotate(own, ball, np.array(_UP), -aside * on_base)
    leg = 1 - mesh.ankle
    wide = 1 + (shape.width - 1) * mesh.ankle
    thick = 1 + (shape.girth - 1) * leg * np.clip((points[:, 2] - 0.1) / 0.1, 0, 1)
    points = points * np.stack([wide * thick, np.ones(len(points)), np.ones(len(points))], axis=1)
    points[:, 1] = 0.06 + (points[:, 1] - 0.06) * thick
    bent = smoothstep(points[:, 2], KNEE_Z / 1000 - 0.05, KNEE_Z / 1000 + 0.06)
    points = _rotate(points, np.array([0.0, 0.045, KNEE_Z / 1000]), np.array([1.0, 0.0, 0.0]), pose.knee * bent)
    pivot = ANKLE / 1000
    points = _rotate(points, pivot, np.array([1.0, 0.0, 0.0]), pose.ankle * leg)
    points = _rotate(points, pivot, np.array([0.0, 1.0, 0.0]), pose.rotation * leg)
    return points * shape.length
