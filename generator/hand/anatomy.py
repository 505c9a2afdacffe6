"""The skeleton of the built-in right hand: bones, joint axes, and how people's hands differ.

Lengths of metacarpals and phalanges and the soft tissue beyond the last bone are the means that Buryanov & Kotiuk
measured on radiographs of 66 adults (Proportions of Hand Segments, Int. J. Morphol. 28(3):755-758, 2010, Table I).
Where the bones stand in the palm, the girths and the thumb's directions are chosen by eye, so that the silhouette fits
photographs.

Within 5 % the skin has the means of the 4,082 men and 1,986 women of the US Army's survey of 2012 (ANSUR II): hand
length 189.3 mm, breadth 85.0, wrist circumference 169. The fingers are slimmer than soldiers': at the PIP joint the
index finger is 19.2 mm broad and 58 in circumference, that of men in Greiner's Hand Anthropometry of U.S. Army
Personnel (1991) 23.0 and 68.4, on hands 90.4 mm broad.

Axes as in :mod:`generator.hand.pose`: +X radial, +Y dorsal, +Z distal; metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import lru_cache

import numpy as np

from generator.hand.pose import FINGER_SLICE, FINGERS, NAMES
from handforge.dataset import KEYPOINTS

LONG_FINGERS = FINGERS[:4]
"""Little, ring, middle, index."""

BONES: tuple[str, ...] = (
    "forearm",
    "hand",
    *(f"{finger}_{part}" for finger in LONG_FINGERS for part in ("metacarpal", "proximal", "middle", "distal")),
    *(f"thumb_{part}" for part in ("metacarpal", "proximal", "distal")),
)
"""The 21 bones; a parent always stands before its children."""

FOREARM_LENGTH = 0.45
"""Metres from the wrist to the model's end: longer than a forearm, so that ordinary framing never shows the end."""

BONE_LENGTHS_MM: dict[str, tuple[float, ...]] = {
    "little": (53.69, 32.74, 18.11, 15.96),
    "ring": (58.00, 41.37, 25.65, 17.30),
    "middle": (64.60, 44.63, 26.33, 17.40),
    "index": (68.12, 39.78, 22.38, 15.82),
    "thumb": (46.22, 31.57, 21.67),
}
"""Metacarpal and phalanges, proximal to distal; Buryanov & Kotiuk 2010, Table I."""

TIP_MM: dict[str, float] = {"little": 3.73, "ring": 3.95, "middle": 3.95, "index": 3.84, "thumb": 5.67}
"""Soft tissue beyond the distal phalanx; Buryanov & Kotiuk 2010, Table I."""

# By eye: base and head of each metacarpal across and through the palm (x, y), how far the base lies from the wrist
# (z), mm.
_METACARPAL_MM: dict[str, tuple[tuple[float, float, float], tuple[float, float]]] = {
    "little": ((-15.0, -1.0, 25.5), (-35.0, -2.5)),
    "ring": ((-7.5, 1.5, 28.5), (-17.5, 1.5)),
    "middle": ((1.5, 2.5, 30.5), (2.5, 3.0)),
    "index": ((11.0, 1.5, 27.5), (23.5, 1.0)),
}
_THUMB_BASE_MM = (19.0, -9.0, 19.0)

# By eye: directions in the bind pose, degrees, to the thumb's side in the palm's plane, then out of it to the front.
_SPREAD_DEG = {"little": -11.0, "ring": -4.0, "middle": 0.5, "index": 5.0}
_THUMB_DEG = ((44.0, 16.0), (36.0, 13.0), (32.0, 12.0))

# By eye: how far a digit is rolled about its length: the back of the thumb looks to the radial side, and more so at its
# base, where the saddle joint's flexion sweeps it across the palm and its abduction lifts it to the front. That flexion
# also turns the thumb's pad towards the fingers (pronation): its axis leans towards the wrist by the fraction below.
_ROLL_DEG = {"little": -5.0, "ring": -2.0, "middle": 0.0, "index": 3.0, "thumb": 52.0}
_THUMB_BASE_ROLL_DEG = 68.0
_THUMB_PRONATION = 0.7

# By eye: girth as a radius in mm at the digit's joints, from MCP to tip (thumb: CMC to tip).
_RADII_MM: dict[str, tuple[float, ...]] = {
    "little": (9.0, 7.8, 6.9, 5.2),
    "ring": (10.0, 8.9, 7.7, 6.0),
    "middle": (10.6, 9.3, 8.1, 6.3),
    "index": (10.4, 9.1, 7.9, 6.1),
    "thumb": (13.0, 11.5, 10.0, 7.0),
}
_PALM_RADIUS_MM = (12.5, 12.0)
_FOREARM_RADIUS_MM = (48.0, 25.0)


@dataclass(frozen=True)
class HandShape:
    """How one person's hand differs from the mean one: factors, 1.0 everywhere for the mean hand."""

    length: float = 1.0
    """Of everything along the hand."""
    width: float = 1.0
    """Of palm, wrist and forearm from side to side."""
    thickness: float = 1.0
    """Of palm, wrist and forearm from back to front."""
    finger_length: float = 1.0
    """Of the five digits, beyond ``length``."""
    finger_thickness: float = 1.0
    """Of the digits' girth."""
    little: float = 1.0
    """Length of one digit beyond ``finger_length``; likewise the next four."""
    ring: float = 1.0
    middle: float = 1.0
    index: float = 1.0
    thumb: float = 1.0

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not 0.5 <= value <= 2.0:
                raise ValueError(f"the hand's {item.name} is {value}; it is a factor between 0.5 and 2, 1 for the mean")

    @classmethod
    def random(cls, rng: np.random.Generator) -> HandShape:
        """An adult's hand drawn from ``rng``.

        Hand length varies by 6 %, as that of men and women together in ANSUR II does. The rest is approximate: breadth
        follows length with a correlation of about 0.8, single digits vary by 2-3 % beyond that. Draws end at 2.2
        standard deviations.
        """
        draw = np.clip(rng.standard_normal(10), -2.2, 2.2)
        size = 0.06 * draw[0]
        build = 0.035 * draw[1]
        return cls(
            length=float(np.exp(size)),
            width=float(np.exp(0.9 * size + build + 0.025 * draw[2])),
            thickness=float(np.exp(0.9 * size + build + 0.05 * draw[3])),
            finger_length=float(np.exp(0.025 * draw[4])),
            finger_thickness=float(np.exp(0.9 * size + build + 0.04 * draw[5])),
            little=float(np.exp(0.03 * draw[6])),
            ring=float(np.exp(0.02 * draw[7])),
            index=float(np.exp(0.02 * draw[8])),
            thumb=float(np.exp(0.03 * draw[9])),
        )

    @classmethod
    def child(cls, rng: np.random.Generator) -> HandShape:
        """A hand of a child of 3 to 10 years.

        It is 0.6 to 0.83 times as long as the mean adult's (Snyder et al. 1977, UM-HSRI-77-17: 110 to 155 mm), and
        plumper: palm and fingers are broader and thicker for their length, by eye after photographs.
        """
        size = rng.uniform(0.6, 0.83)
        plump = 1 + (0.9 - size) * rng.uniform(0.4, 0.8)
        return cls(
            length=float(size),
            width=float(size * plump * rng.uniform(0.97, 1.03)),
            thickness=float(size * plump * rng.uniform(1.0, 1.08)),
            finger_length=float(rng.uniform(0.9, 0.98)),
            finger_thickness=float(size * plump * rng.uniform(1.02, 1.12)),
        )

    @property
    def of_child(self) -> bool:
        """Whether it is shorter than adults' hands are."""
        return self.length < 0.85


MEAN = HandShape()
"""The mean hand."""


@dataclass(frozen=True)
class Skeleton:
    """Bones and joints of one hand in the bind pose, scene axes, metres."""

    heads: np.ndarray
    """(21, 3): where a bone turns, except the forearm, which turns about its tail, the wrist (the origin)."""
    tails: np.ndarray
    """(21, 3)."""
    parents: np.ndarray
    """(21,) int, -1 for the forearm."""
    frames: np.ndarray
    """(21, 3, 3): columns are the unit vectors side (flexion axis, radial), back (dorsal) and length of each bone."""
    radii: np.ndarray
    """(21, 2): of a tapered capsule around head and tail."""
    dofs: tuple[tuple[tuple[int, np.ndarray], ...], ...]
    """Per bone (pose index, unit axis) in the order they multiply; the forearm's are v6, v4, v5."""
    keypoints: np.ndarray = field(repr=False)
    """(21, 3): the joints of :data:`handforge.dataset.KEYPOINTS`."""
    keypoint_bones: np.ndarray = field(repr=False)
    """(21,) int: the bone each keypoint moves with."""


def _direction(radial_deg: float, palmar_deg: float) -> np.ndarray:
    radial, palmar = np.radians([radial_deg, palmar_deg])
    return np.array([np.sin(radial) * np.cos(palmar), -np.sin(palmar), np.cos(radial) * np.cos(palmar)])


def _frame(length: np.ndarray, roll_deg: float) -> np.ndarray:
    """Columns side, back, length of a bone whose back is rotated from dorsal to radial by ``roll_deg``."""
    length = length / np.linalg.norm(length)
    side = np.cross([0.0, 1.0, 0.0], length)
    side /= np.linalg.norm(side)
    back = np.cross(length, side)
    roll = np.radians(roll_deg)
    side, back = np.cos(roll) * side - np.sin(roll) * back, np.cos(roll) * back + np.sin(roll) * side
    return np.stack([side, back, length], axis=1)


def _long_finger(finger: str, shape: HandShape) -> tuple[np.ndarray, list[np.ndarray]]:
    """Joints from the metacarpal's base to the tip, (5, 3) m, and the four bones' frames."""
    base, (head_x, head_y) = (np.array(part) for part in _METACARPAL_MM[finger])
    metacarpal, *phalanges = BONE_LENGTHS_MM[finger]
    across = (head_x - base[0]) ** 2 + (head_y - base[1]) ** 2
    head = np.array([head_x, head_y, base[2] + np.sqrt(metacarpal**2 - across)])
    palm_scale = np.array([shape.width, shape.thickness, shape.length])
    joints = [base * palm_scale, head * palm_scale]
    phalanges[-1] += TIP_MM[finger]
    direction = _direction(_SPREAD_DEG[finger], 0.0)
    for length in phalanges:
        joints.append(joints[-1] + direction * length * _digit_scale(finger, shape))
    roll = _ROLL_DEG[finger]
    frames = [_frame(joints[1] - joints[0], roll)] + [_frame(direction, roll)] * 3
    return np.array(joints) / 1000.0, frames


def _thumb(shape: HandShape) -> tuple[np.ndarray, list[np.ndarray]]:
    lengths = list(BONE_LENGTHS_MM["thumb"])
    lengths[-1] += TIP_MM["thumb"]
    joints = [np.array(_THUMB_BASE_MM) * [shape.width, shape.thickness, shape.length]]
    frames = []
    for length, degrees in zip(lengths, _THUMB_DEG, strict=True):
        direction = _direction(*degrees)
        joints.append(joints[-1] + direction * length * _digit_scale("thumb", shape))
        frames.append(_frame(direction, _ROLL_DEG["thumb"]))
    return np.array(joints) / 1000.0, frames


def _digit_scale(finger: str, shape: HandShape) -> float:
    return shape.length * shape.finger_length * getattr(shape, finger)


def _dofs(frames: np.ndarray) -> tuple[tuple[tuple[int, np.ndarray], ...], ...]:
    x, y, z = np.eye(3)
    index = {name: NAMES.index(name) for name in NAMES}
    dofs: dict[str, tuple[tuple[int, np.ndarray], ...]] = {name: () for name in BONES}
    dofs["forearm"] = ((index["forearm_y"], y), (index["forearm_x"], x), (index["forearm_z"], z))
    dofs["hand"] = ((index["wrist_flexion"], x), (index["wrist_deviation"], y))
    for finger in LONG_FINGERS:
        flexion, abduction, pip, dip = range(*FINGER_SLICE[finger].indices(len(NAMES)))
        side, back, _ = frames[BONES.index(f"{finger}_proximal")].T
        dofs[f"{finger}_proximal"] = ((flexion, side), (abduction, back))
        dofs[f"{finger}_middle"] = ((pip, side),)
        dofs[f"{finger}_distal"] = ((dip, side),)
    flexion, abduction, mcp, ip = range(*FINGER_SLICE["thumb"].indices(len(NAMES)))
    metacarpal, proximal, distal = (BONES.index(f"thumb_{part}") for part in ("metacarpal", "proximal", "distal"))
    base = _frame(frames[metacarpal][:, 2], _THUMB_BASE_ROLL_DEG)
    sweep = base[:, 0] - _THUMB_PRONATION * base[:, 2]
    dofs["thumb_metacarpal"] = ((flexion, sweep / np.linalg.norm(sweep)), (abduction, base[:, 1]))
    dofs["thumb_proximal"] = ((mcp, frames[proximal][:, 0]),)
    dofs["thumb_distal"] = ((ip, frames[distal][:, 0]),)
    return tuple(dofs[name] for name in BONES)


def _radii(shape: HandShape) -> np.ndarray:
    palm = (shape.width + shape.thickness) / 2
    rows = [np.array(_FOREARM_RADIUS_MM) * palm, np.array(_PALM_RADIUS_MM) * shape.thickness]
    for finger in LONG_FINGERS:
        girth = np.array(_RADII_MM[finger]) * shape.finger_thickness
        rows.append(np.array([_PALM_RADIUS_MM[1] * shape.thickness, girth[0]]))
        rows.extend(np.stack([girth[:-1], girth[1:]], axis=1))
    girth = np.array(_RADII_MM["thumb"]) * shape.finger_thickness
    rows.extend(np.stack([girth[:-1], girth[1:]], axis=1))
    return np.array(rows) / 1000.0


@lru_cache(maxsize=64)
def skeleton(shape: HandShape = MEAN) -> Skeleton:
    """The skeleton of a hand of this shape, in the bind pose; one object for all callers, not to be written to."""
    heads, tails = [np.array([0.0, 0.0, -FOREARM_LENGTH]), np.zeros(3)], [np.zeros(3), np.zeros(3)]
    frames = [np.eye(3), np.eye(3)]
    parents = [-1, 0]
    points: dict[str, tuple[np.ndarray, int]] = {"wrist": (np.zeros(3), 1)}
    for finger in FINGERS:
        joints, bone_frames = _thumb(shape) if finger == "thumb" else _long_finger(finger, shape)
        first = len(heads)
        heads.extend(joints[:-1])
        tails.extend(joints[1:])
        frames.extend(bone_frames)
        parents.extend([1, *range(first, first + len(bone_frames) - 1)])
        if finger == "thumb":
            names = ["cmc", "mcp", "ip"]
        else:
            names, joints, first = ["mcp", "pip", "dip"], joints[1:], first + 1
        for number, name in enumerate(names):
            points[f"{finger}_{name}"] = (joints[number], first + number)
        points[f"{finger}_tip"] = (joints[3], first + 2)
    tails[1] = heads[BONES.index("middle_metacarpal")]
    return Skeleton(
        heads=np.array(heads),
        tails=np.array(tails),
        parents=np.array(parents),
        frames=np.array(frames),
        radii=_radii(shape),
        dofs=_dofs(np.array(frames)),
        keypoints=np.array([points[name][0] for name in KEYPOINTS]),
        keypoint_bones=np.array([points[name][1] for name in KEYPOINTS]),
    )
