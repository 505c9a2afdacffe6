"""Hands that hold objects: fingers close from an open hand until each touches, by signed distance.

Types are those of the GRASP taxonomy (Feix et al., The GRASP Taxonomy of Human Grasp Types, IEEE Transactions on
Human-Machine Systems 46(1), 2016). An object is placed against the palm, or between thumb and fingers; then every digit
closes by itself, and where one of its bones touches, the joints up to that bone stay and the others go on. A grasp
counts only if the skin of no part of the hand is in the object by more than :data:`DEPTH` and at least two parts touch
it, of which one is thumb or palm (for a hook: two fingers).

Points and matrices are in the axes of the bind pose, where the wrist is the origin; an object moves with the bone
``hand``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.hand import kinematics, plausibility, pose
from generator.hand.anatomy import BONES, Skeleton
from generator.hand.kinematics import PosedSkeleton
from generator.hand.vectors import Number
from generator.mesh import skinning
from generator.mesh.hand_mesh import HandMesh
from generator.objects import makers, solids
from generator.objects.catalog import ObjectModel

DEPTH = 0.002
"""How deep skin may be in an object, metres: finger pulp yields by as much under a light touch (Serina et al. 1997)."""

TOUCH = 0.0015
"""Parts of the hand nearer to an object than this touch it, metres."""

TYPES: dict[str, tuple[str, ...]] = {
    "phone": ("parallel extension", "prismatic 4 finger"),
    "pen": ("writing tripod", "tripod"),
    "cup": ("medium wrap",),
    "bottle": ("medium wrap", "prismatic 4 finger"),
    "tumbler": ("medium wrap", "prismatic 4 finger"),
    "hammer": ("medium wrap",),
    "screwdriver": ("medium wrap", "index finger extension"),
    "syringe": ("tripod", "prismatic 4 finger"),
    "ball": ("power sphere", "tripod", "prismatic 4 finger"),
    "book": ("parallel extension",),
    "bag": ("fixed hook",),
    "fork": ("lateral", "tripod", "writing tripod"),
    "spoon": ("lateral", "tripod", "writing tripod"),
    "knife": ("index finger extension", "medium wrap", "lateral"),
    "fruit": ("power sphere", "prismatic 4 finger"),
    "banana": ("medium wrap", "prismatic 4 finger"),
    "remote": ("parallel extension", "medium wrap"),
    "brush": ("writing tripod", "lateral"),
}
"""How people hold what :data:`generator.objects.catalog.HELD` makes."""

_SAMPLES = 14
_TRIES = 10
_CHAINS = tuple(
    tuple(BONES.index(f"{finger}_{part}") for part in parts)
    for finger in pose.FINGERS
    for parts in ((("metacarpal", "proximal", "distal") if finger == "thumb" else ("proximal", "middle", "distal")),)
)
_DIGITS = tuple(bone for chain in _CHAINS for bone in chain)
_PALM = tuple(BONES.index(name) for name in ("hand", *(f"{f}_metacarpal" for f in pose.FINGERS[:4])))
_LEVEL = np.array([*([0, 0, 1, 2] * 4), 0, 0, 1, 2])
"""Which bone of its digit each of v9..v28 moves first."""


@dataclass(frozen=True)
class Grasp:
    """A hand that holds an object.

    :param kind: the object's; ``seed`` is what it is drawn from.
    :param type: of the taxonomy.
    :param fingers: v9..v28 (20,), radians.
    :param matrix: (4, 4), from the object's axes to those of the bind pose.
    :param contacts: the digits that touch it, and ``palm``.
    :param depth: how deep the skin is in it, metres.
    """

    kind: makers.Kind
    seed: Number
    type: str
    fingers: tuple[float, ...]
    matrix: tuple[tuple[float, ...], ...]
    contacts: tuple[str, ...]
    depth: float

    def model(self) -> ObjectModel:
        """The object in its own axes."""
        return makers.make(self.kind, self.seed)

    def in_pose(self, one: np.ndarray) -> np.ndarray:
        """The pose (28,) with the fingers of the grasp."""
        held = one.copy()
        held[8:] = self.fingers
        return held

    def placed(self, hand: PosedSkeleton) -> np.ndarray:
        """The matrix (4, 4) from the object's axes to the scene's for a right hand in its pose."""
        return hand.transforms[BONES.index("hand")] @ np.array(self.matrix)


def draw(
    rng: np.random.Generator, mesh: HandMesh, hand: Skeleton, kind: str | None = None, own: tuple[str, ...] = ()
) -> Grasp | None:
    """A grasp of an object of this kind, or of any; None if in some tries none was found.

    :param own: kinds of the user's own objects, which are every second one.
    """
    surface = _Surface(mesh, hand)
    for _ in range(_TRIES):
        what = kind or str(rng.choice(own if own and rng.random() < 0.5 else list(TYPES)))
        seed = int(rng.integers(2**31))
        type_ = str(rng.choice(list(makers.make(what, seed).grasps or TYPES[what])))
        if found := _try(rng, surface, what, seed, type_):
            return found
    return None


class _Surface:
    """Points of a hand's skin by the bone that moves them most, and all of them for the last check."""

    def __init__(self, mesh: HandMesh, hand: Skeleton) -> None:
        self.hand = hand
        owner = mesh.weights.argmax(axis=1)
        self.by_bone: dict[int, np.ndarray] = {}
        for bone in (*_PALM, *_DIGITS):
            mine = np.flatnonzero((owner == bone) & (mesh.nail < 0.5))
            self.by_bone[bone] = mesh.vertices[mine[:: max(1, len(mine) // 48)]].astype(float)
        some = np.flatnonzero(mesh.wrist_distance > -0.25)  # no object passes through the forearm either
        self.points, self.weights, self.owner = mesh.vertices[some].astype(float), mesh.weights[some], owner[some]

    def nearest(self, poses: np.ndarray, bones: tuple[int, ...], model: _Placed) -> np.ndarray:
        """The least distance of each bone's skin from the object, (N, bones) metres, as rigid pieces."""
        moved = kinematics.transforms(poses, self.hand)[:, list(bones)]
        clouds = [self.by_bone[bone] for bone in bones]
        points = [
            (cloud @ moved[:, number, :3, :3].transpose(0, 2, 1) + moved[:, number, None, :3, 3]).reshape(-1, 3)
            for number, cloud in enumerate(clouds)
        ]
        apart = model.distance(np.concatenate(points))
        ends = np.cumsum([len(part) for part in points])[:-1]
        return np.stack([np.min(part.reshape(len(poses), -1), axis=1) for part in np.split(apart, ends)], axis=1)

    def measure(self, one: np.ndarray, model: _Placed) -> tuple[float, tuple[str, ...]]:
        """How deep the skin of a pose (28,) is in the object, metres, and what touches it."""
        skin = skinning.skin(self.points, self.weights, kinematics.transforms(one, self.hand))
        apart = model.distance(skin)
        parts = {"palm": _PALM, **dict(zip(pose.FINGERS, _CHAINS, strict=True))}
        touching = [name for name, bones in parts.items() if apart[np.isin(self.owner, bones)].min() < TOUCH]
        return float(max(-apart.min(), 0.0)), tuple(touching)


@dataclass(frozen=True)
class _Placed:
    """An object somewhere at the hand."""

    model: ObjectModel
    rotation: np.ndarray
    place: np.ndarray

    def distance(self, points: np.ndarray) -> np.ndarray:
        return solids.distance(self.model.parts, (points - self.place) @ self.rotation)


def _pose(fingers: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(8), fingers])


def _degrees(long: tuple[float, float, float], thumb: tuple[float, float, float, float], spread: float) -> np.ndarray:
    """v9..v28 of alike long fingers (MCP, PIP, DIP flexion) and a thumb, all in degrees; ``spread`` between fingers."""
    rows = [(long[0], spread * place, long[1], long[2]) for place in (-1.5, -0.5, 0.3, 1.2)]
    return np.radians([*np.ravel(rows), *thumb])


def _axes(along: np.ndarray, thin: np.ndarray) -> np.ndarray:
    """A rotation (3, 3) that takes Z to ``along`` and Y as near to ``thin`` as it can be."""
    z = along / np.linalg.norm(along)
    y = thin - (thin @ z) * z
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z], axis=1)


def _try(rng: np.random.Generator, surface: _Surface, kind: str, seed: int, type_: str) -> Grasp | None:
    model = makers.make(kind, seed)
    if type_ in ("medium wrap", "power sphere", "index finger extension", "fixed hook"):
        start, end, placed = _on_palm(rng, surface, model, type_)
    elif type_ == "lateral":
        start, end, placed = _beside_index(rng, surface, model)
    else:
        start, end, placed = _between_tips(rng, surface, model, type_)
    if placed is None:
        return None
    fingers = _close(surface, start, end, placed)
    if fingers is None:
        return None
    one = _pose(fingers)
    depth, contacts = surface.measure(one, placed)
    if (
        not _holds(type_, set(contacts))
        or depth > DEPTH
        or plausibility.judge(one[None], surface.hand)[0] in ("joint limit", "self-collision")
    ):
        return None
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = placed.rotation, placed.place
    rows = tuple(tuple(round(float(value), 9) for value in row) for row in matrix)
    return Grasp(kind, seed, type_, tuple(fingers.round(6).tolist()), rows, contacts, round(depth, 6))


def _holds(type_: str, contacts: set[str]) -> bool:
    """Whether what touches an object can hold it: fingers against thumb or palm; two of a wrap, two of a hook alone."""
    fingers = contacts - {"thumb", "palm"}
    if type_ == "fixed hook":
        return len(fingers) >= 2
    wrap = type_ in ("medium wrap", "power sphere")
    return (
        len(fingers) >= (2 if wrap else 1) and bool({"thumb", "palm"} & contacts) and (not wrap or len(contacts) >= 3)
    )


def _on_palm(
    rng: np.random.Generator, surface: _Surface, model: ObjectModel, type_: str
) -> tuple[np.ndarray, np.ndarray, _Placed | None]:
    """An object against the palm, or for a hook against the fingers, its long axis across; all digits wrap it."""
    hook, sphere = type_ == "fixed hook", type_ == "power sphere"
    start = _degrees((12, 12, 6), (-22, 8, 0, 0), rng.uniform(3, 7) if sphere else 1.0)
    thin = _grip_size(model).min() < 0.02  # then the hand is nearly a fist
    end = _degrees((86, 100, 58), (30, 17, 4, 52) if thin else (50, 24, 45, 60), 3.0 if sphere else 0.0)
    if type_ == "index finger extension":
        end[12:16] = np.radians([rng.uniform(20, 40), 0, rng.uniform(6, 16), 6])
    if hook:
        start = _degrees((8, 25, 10), (0, 0, 5, 5), 0.5)
        end = _degrees((45, 100, 70), (8, 4, 12, 14), 0.0)
    lean = np.radians(rng.normal(0 if hook else 18, 7))
    across = np.array([np.cos(lean), 0.0, np.sin(lean)])  # from the heel of the hand to the index finger
    if hook:  # the handle runs along Y, and what hangs from it is beyond the fingertips
        rotation = _axes(np.array([0.0, 0.0, -1.0]), across)
        center = np.array([rng.normal(0, 0.004), -0.1, 0.118 + rng.normal(0, 0.004)])
    else:
        flip = 1.0 if rng.random() < 0.85 else -1.0
        front = np.array([rng.normal(0, 0.4), -1.0, rng.normal(0, 0.4)])
        rotation = _axes(flip * across, np.cross(flip * across, front))
        deep = rng.normal(0.076, 0.004)
        center = np.array([rng.normal(0.002, 0.005), -0.14, deep])
    placed = _slide(surface, _pose(start), model, rotation, center, np.array([0.0, 1.0, 0.0]))
    return start, end, placed


def _slide(
    surface: _Surface, one: np.ndarray, model: ObjectModel, rotation: np.ndarray, center: np.ndarray, way: np.ndarray
) -> _Placed | None:
    """Move an object from ``center`` along ``way`` until it touches the hand; None if it does not, or touches there."""
    bones, moved = tuple(surface.by_bone), 0.0
    for _ in range(24):
        placed = _Placed(model, rotation, center + moved * way)
        apart = float(surface.nearest(one[None], bones, placed).min())
        if apart < 0.0006:
            return placed if moved else None
        moved += 0.9 * apart
        if moved > 0.2:
            break
    return None


def _grip_size(model: ObjectModel) -> np.ndarray:
    """How far the object reaches along X and Y where it is held, (2,) metres."""
    vertices = solids.mesh(model.parts)[0]
    near = vertices[np.abs(vertices[:, 2]) < max(0.015, np.abs(vertices[:, 2]).min() + 1e-6)]
    extents = near if len(near) > 6 else vertices
    return np.asarray(np.ptp(extents[:, :2], axis=0))


_TIP_FINGERS = {"tripod": ("index", "middle"), "writing tripod": ("index", "middle")}
"""The fingers opposite the thumb, by type of grasp; of the others all four."""


def _between_tips(
    rng: np.random.Generator, surface: _Surface, model: ObjectModel, type_: str
) -> tuple[np.ndarray, np.ndarray, _Placed | None]:
    """An object between the thumb's tip and those of some fingers, which then close on it."""
    flat = type_ == "parallel extension"
    used = _TIP_FINGERS.get(type_, pose.FINGERS[:4])
    # By search over poses of the mean hand: where thumb and fingertips meet.
    if flat:
        open_, shut = _degrees((22, 6, 3), (4, 34, 0, 0), 1.0), _degrees((76, 25, 12), (45, 30, 5, 30), 0.0)
    elif len(used) > 2:
        open_, shut = _degrees((2, 14, 7), (-12, 46, 0, 0), 1.0), _degrees((75, 40, 20), (36, 30, 24, 30), 0.0)
    else:
        open_, shut = _degrees((10, 18, 9), (0, 36, 0, 0), 1.0), _degrees((70, 48, 24), (32, 22, 20, 24), 0.0)
    for number, finger in enumerate(pose.FINGERS[:4]):
        if finger not in used:  # out of the way, half closed
            rest = np.radians([rng.uniform(45, 70), 0, rng.uniform(50, 80), 35])
            open_[4 * number : 4 * number + 4] = shut[4 * number : 4 * number + 4] = rest
    size = _grip_size(model)
    thick = float(size[1] if _is_flat(model) else size.min())
    tips = [BONES.index(f"{finger}_distal") for finger in used]
    fractions = np.linspace(0, 1, 40)
    poses = np.array([_pose(open_ + fraction * (shut - open_)) for fraction in fractions])
    thumb, fingers = _pads(poses, surface, [BONES.index("thumb_distal")]), _pads(poses, surface, tips)
    gap = np.linalg.norm(thumb - fingers, axis=1)
    wide = np.flatnonzero(gap > thick + 0.021)
    for at in wide[::-1][:: max(1, len(wide) // 4)][:4].tolist():
        way = (thumb[at] - fingers[at]) / gap[at]
        place = (thumb[at] + fingers[at]) / 2
        if type_ == "writing tripod":  # over the web between thumb and index finger
            along = np.array([0.042, 0.01, 0.068]) + rng.normal(0, [0.008, 0.008, 0.012]) - place
        else:
            along = rng.choice([-1.0, 1.0]) * np.array([0.0, 0.0, 1.0] if flat else [1.0, 0.0, 0.0])
            along = along + rng.normal(0, 0.25, 3)
        rotation = _axes(along - (along @ way) * way, way)
        start = open_ + fractions[at] * (shut - open_)
        for _ in range(4):  # to where it is as far from the thumb as from the fingers
            apart = surface.nearest(_pose(start)[None], _DIGITS, _Placed(model, rotation, place))[0]
            from_fingers, from_thumb = float(np.min(apart[:12])), float(np.min(apart[12:]))
            if min(from_fingers, from_thumb) > -0.0005:
                return start, shut, _Placed(model, rotation, place)
            place = place + way * (from_thumb - from_fingers) / 2
    return open_, shut, None


def _is_flat(model: ObjectModel) -> bool:
    """Whether an object is thin along Y."""
    return model.flat or model.kind in ("phone", "book", "remote", "fork", "spoon", "knife", "brush")


def _pads(poses: np.ndarray, surface: _Surface, bones: list[int]) -> np.ndarray:
    """The mean of the last phalanges' middles, (N, 3)."""
    hand = surface.hand
    centers = [hand.heads[bone] * 0.35 + hand.tails[bone] * 0.65 for bone in bones]
    moved = kinematics.transforms(poses, hand)
    places = [
        np.einsum("nij,j->ni", moved[:, bone, :3, :3], center) + moved[:, bone, :3, 3]
        for bone, center in zip(bones, centers, strict=True)
    ]
    return np.asarray(np.mean(places, axis=0))


def _beside_index(
    rng: np.random.Generator, surface: _Surface, model: ObjectModel
) -> tuple[np.ndarray, np.ndarray, _Placed | None]:
    """A thin object between the thumb's pad and the side of the bent index finger (lateral, as a key is held)."""
    start = _degrees((55, 70, 38), (0, 2, 0, 0), 0.0)
    end = start.copy()
    end[16:] = np.radians([48, -4, 35, 30])
    moved = kinematics.transforms(_pose(start), surface.hand)
    bone = BONES.index("index_middle")
    side = moved[bone, :3, :3] @ surface.hand.frames[bone]
    center = moved[bone, :3, :3] @ ((surface.hand.heads[bone] + surface.hand.tails[bone]) / 2) + moved[bone, :3, 3]
    rotation = _axes(side[:, 2] + rng.normal(0, 0.2, 3), side[:, 0])
    placed = _slide(surface, _pose(start), model, rotation, center + 0.06 * side[:, 0], -side[:, 0])
    return start, end, placed


def _close(surface: _Surface, start: np.ndarray, end: np.ndarray, model: _Placed) -> np.ndarray | None:
    """v9..v28 after each digit has closed from ``start`` towards ``end``; None if one starts in the object."""
    fraction = np.zeros(20)
    reached, level = np.zeros(5), np.zeros(5, int)
    if surface.nearest(_pose(start)[None], _DIGITS, model).min() < -0.0008:
        return None
    digit = np.repeat(np.arange(5), 4)
    for _ in range(4):
        active = level < 3
        if not active.any():
            break
        low, high = reached.copy(), np.ones(5)
        blocked = np.full(5, -1)
        for _ in range(2):  # then finer
            steps = low + np.linspace(0, 1, _SAMPLES)[:, None] * (high - low)  # (samples, digits)
            free = active[digit] & (level[digit] <= _LEVEL)
            fractions = np.where(free, steps[:, digit], fraction)
            apart = surface.nearest(np.array([_pose(start + s * (end - start)) for s in fractions]), _DIGITS, model)
            apart = apart.reshape(_SAMPLES, 5, 3)
            counted = np.where(np.arange(3) >= level[:, None], apart, np.inf)
            inside = counted.min(axis=2) < -0.0002
            for number in np.flatnonzero(active):
                hits = np.flatnonzero(inside[:, number])
                if len(hits):
                    first = int(hits[0])
                    blocked[number] = int(counted[first, number].argmin())
                    low[number], high[number] = steps[max(first - 1, 0), number], steps[first, number]
                else:
                    low[number] = high[number]
        reached = np.where(active, low, reached)
        fraction = np.where(active[digit] & (level[digit] <= _LEVEL), reached[digit], fraction)
        level = np.where(active, np.where(blocked >= 0, blocked + 1, 3), level)
    return start + fraction * (end - start)
