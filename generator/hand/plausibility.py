"""Why a pose is kept or not. Five rules, each with a threshold that means something outside this program.

1. ``joint limit``: an angle lies outside the range of its joint (:data:`generator.hand.pose.LIMITS`).
2. ``self-collision``: two parts of the hand stand in each other by more than :data:`FLESH`.
3. ``out of reach``: no right arm of a person who faces the camera can hold its forearm so (:func:`reachable`).
4. ``hidden``: the forearm hides more than :data:`HIDDEN_FRACTION` of the hand's joints from the camera.
5. ``cut``: a joint of the hand falls outside the image.

All functions take poses of shape (N, 28) as :mod:`generator.hand.pose` defines them and work on all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypedDict

import numpy as np

from generator.hand import kinematics, pose
from generator.hand.anatomy import BONES, Skeleton, skeleton
from generator.hand.camera import Camera

RULES = ("joint limit", "self-collision", "out of reach", "hidden", "cut")
"""The reasons a pose is dropped for; a pose that breaks several has the first."""
RULES_VERSION = 1
"""Raised whenever a verdict changes: kept verdicts (:mod:`generator.pipeline.judged`) are of one version."""

FLESH = 0.004
"""How far two parts may overlap, metres: both give way by about 2 mm where they touch (finger pulp yields by 2 mm
under a light touch, Serina et al., J. Biomech. 30, 1997)."""

HIDDEN_FRACTION = 0.5
"""A person would not annotate a hand of which the forearm hides more than half of the joints."""

# The arm. Ranges in degrees: American Academy of Orthopaedic Surgeons, Joint Motion (1965); the elbow's as measured in
# 109 men (Boone & Azen, J. Bone Joint Surg. 61-A, 1979: 142.9), as there the flesh of both halves of the arm meets.
ELBOW_FLEXION = 143.0
PRONATION, SUPINATION = 80.0, 80.0
SHOULDER_INWARD, SHOULDER_OUTWARD = 70.0, 90.0
STRAIGHT = 5.0
"""An elbow bent by less, in degrees, is straight: in which plane it bends cannot be told."""
SHOULDER_CONE = 100.0
"""Half-angle of the cone the upper arm can point in, about the direction halfway between forward and sideways and
half as much downwards: everything but straight back and far across the chest."""
FACING = 30.0
"""The person's chest faces the camera within this angle to either side."""
UPPER_ARM, FOREARM = 0.30, 0.27
"""Segment lengths in metres of a person 1.70 m tall (Drillis & Contini 1966: 0.186 and 0.146 of the stature, to the
wrist), rounded; they decide only whether the wrist is in front of the chest."""


# ---------------------------------------------------------------- 1. joint limits


def limit_excess(poses: np.ndarray) -> np.ndarray:
    """How far each number lies outside its range, (N, 28), radians or metres; 0 inside."""
    low, high = pose.LIMITS.T
    excess = np.maximum(np.maximum(low - poses, poses - high), 0.0)
    return np.where(excess > 1e-9, excess, 0.0)


# ---------------------------------------------------------------- 2. self-collision

_POSES_AT_ONCE = 64
"""So few that what is worked out of all their pairs of bones stays in the processor's cache."""


def segment_gap(
    p: np.ndarray, q: np.ndarray, r: np.ndarray, s: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The distance of two segments p-q and r-s, and where along each (0..1) they are nearest.

    :param p: shape (..., 3), as q, r and s; neither segment may have the length zero.
    :returns: distance (...), position on p-q, position on r-s. After Ericson, Real-Time Collision Detection (2005).
    """
    d1, d2, w = q - p, s - r, p - r
    a, e, f = (d1 * d1).sum(-1), (d2 * d2).sum(-1), (d2 * w).sum(-1)
    b, c = (d1 * d2).sum(-1), (d1 * w).sum(-1)
    denominator = a * e - b * b
    parallel = denominator < 1e-12 * a * e
    t1 = np.where(parallel, 0.0, np.clip((b * f - c * e) / np.where(parallel, 1.0, denominator), 0.0, 1.0))
    t2 = np.clip((b * t1 + f) / e, 0.0, 1.0)
    t1 = np.clip((b * t2 - c) / a, 0.0, 1.0)
    gap = np.linalg.norm(w + t1[..., None] * d1 - t2[..., None] * d2, axis=-1)
    return gap, t1, t2


@cache
def collision_pairs() -> tuple[tuple[int, int], ...]:
    """The pairs of bones that could meet: parts of different fingers, and fingers with the palm."""

    def index(finger: str, part: str) -> int:
        return BONES.index(f"{finger}_{part}")

    four = pose.FINGERS[:4]
    parts = ("proximal", "middle", "distal")
    pairs = [
        (index(one, a), index(other, b))
        for i, one in enumerate(four)
        for other in four[i + 1 :]
        for a in parts
        for b in parts
    ]
    pairs += [(index("thumb", a), index(f, b)) for a in ("proximal", "distal") for f in four for b in parts]
    pairs += [(index(f, a), index(g, "metacarpal")) for f in four for a in parts[1:] for g in four]
    pairs += [(index("thumb", a), index(f, "metacarpal")) for a in ("proximal", "distal") for f in four]
    return tuple(pairs)


def overlap(poses: np.ndarray, hand: Skeleton) -> np.ndarray:
    """How deep each pair of :func:`collision_pairs` stands in each other, (N, pairs), metres.

    Bones are tapered capsules. Where two already touch in the bind pose (webs, neighbours at the knuckles), only what
    comes on top of that counts. Negative where they are apart.
    """
    return _raw_overlap(poses, hand) - np.maximum(_raw_overlap(pose.bind()[None], hand), 0.0)


def _raw_overlap(poses: np.ndarray, hand: Skeleton) -> np.ndarray:
    heads, tails = kinematics.capsules(poses, hand)
    one, other = np.array(collision_pairs()).T
    depth = np.empty((len(poses), len(one)))
    for start in range(0, len(poses), _POSES_AT_ONCE):
        some = slice(start, start + _POSES_AT_ONCE)
        head, tail = heads[some], tails[some]
        gap, t, u = segment_gap(head[:, one], tail[:, one], head[:, other], tail[:, other])
        radius = hand.radii[one, 0] + t * (hand.radii[one, 1] - hand.radii[one, 0])
        radius += hand.radii[other, 0] + u * (hand.radii[other, 1] - hand.radii[other, 0])
        depth[some] = radius - gap
    return depth


# ---------------------------------------------------------------- 3. reach


def reachable(poses: np.ndarray) -> np.ndarray:
    """Whether an arm can hold its forearm in this direction and rotation, (N,) bool.

    Upper arm directions all over the shoulder's cone and three directions of the chest are tried. With one of them,
    the elbow's flexion, the upper arm's rotation about itself (from where a swing out of hanging takes it) and the
    forearm's rotation from thumb-up must lie in their ranges, and the wrist must be in front of the chest. Where the
    elbow is straight, the last two are one rotation about one axis, and only their sum has a range; an arm that hangs
    straight is beside the chest.
    """
    forearm, palm = _forearms(poses)
    possible = np.zeros(len(poses), bool)
    arms = _upper_arms()
    together = max(1, _AT_ONCE // max(1, len(poses)))  # few poses: many arms at once
    for start in range(0, len(arms), together):
        for to_body in _facings():
            open_ = np.flatnonzero(~possible)
            if not len(open_):
                return possible
            tried = arms[start : start + together, None]
            excess = _arm_excess(tried, forearm[open_] @ to_body.T, palm[open_] @ to_body.T)
            possible[open_] = (excess <= 0).all(axis=0).any(axis=0)
    return possible


def reach_excess(one: np.ndarray) -> tuple[str, float]:
    """The joint that the best arm for this forearm would rotate beyond its range, and by how many degrees.

    :param one: a pose, (28,).
    """
    forearm, palm = _forearms(one[None])
    arms = _upper_arms()[:, None]
    excess = [_arm_excess(arms, forearm @ to_body.T, palm @ to_body.T)[..., 0] for to_body in _facings()]
    nearest = min(np.concatenate(excess, axis=1).T, key=max)
    worst = int(nearest.argmax())
    return ("elbow", "upper arm", "forearm")[worst], float(nearest[worst])


def _forearms(poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where forearm and palm point, (N, 3) each."""
    rotation = kinematics.transforms(poses, skeleton())[:, BONES.index("forearm"), :3, :3]
    return rotation[..., 2], -rotation[..., 1]


def _facings() -> Iterator[np.ndarray]:
    """Rotations from the scene to the body of a person whose chest faces the camera, or a little to either side."""
    for facing in np.radians([0.0, FACING, -FACING]):
        cos, sin = np.cos(facing), np.sin(facing)
        yield np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


_FORWARD, _UP, _OUT = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.array([-1.0, 0.0, 0.0])
"""The body's axes when it faces the camera: forward, up, to its right."""


@cache
def _upper_arms() -> np.ndarray:
    """Directions from shoulder to elbow, evenly over the shoulder's cone, (M, 3)."""
    count = 600  # about 8 degrees apart
    i = np.arange(count) + 0.5
    z, rotation = 1 - 2 * i / count, np.pi * (1 + 5**0.5) * i
    sphere = np.stack([np.sqrt(1 - z * z) * np.cos(rotation), np.sqrt(1 - z * z) * np.sin(rotation), z], axis=-1)
    axis = _FORWARD + _OUT - 0.5 * _UP
    inside = sphere @ axis >= np.cos(np.radians(SHOULDER_CONE)) * np.linalg.norm(axis)
    return np.random.default_rng(0).permutation(sphere[inside])  # any order; a mixed one decides most poses early


def _arm_excess(upper_arm: np.ndarray, forearm: np.ndarray, palm: np.ndarray) -> np.ndarray:
    """How far elbow, upper arm and forearm turn beyond their ranges, (3, M, N) degrees; <= 0 within them.

    Infinite where the wrist is behind the chest, unless the arm hangs straight beside it.

    :param upper_arm: (M, 1, 3); forearm and palm (N, 3); directions in the body's frame.
    """
    bend = _along(forearm, upper_arm)
    elbow = np.degrees(np.arccos(np.clip(bend, -1.0, 1.0))) - ELBOW_FLEXION
    # Where the forearm would point at a right-angled elbow if the upper arm only swung out of hanging.
    swung = _swing(_FORWARD, upper_arm)
    bent = forearm - bend[..., None] * upper_arm
    rotation = np.degrees(np.arctan2(_along(np.cross(swung, bent), upper_arm), _along(bent, swung)))
    # The forearm's turn: 0 with the thumb to the shoulder's side, + supinated (palm there), - pronated.
    supine = bend[..., None] * forearm - upper_arm
    thumb_up = np.cross(supine, forearm)
    roll = np.degrees(np.arctan2((palm * supine).sum(-1), (palm * thumb_up).sum(-1)))
    # A straight arm has no plane of bending: shoulder and forearm turn about the same axis, each by a part of the sum.
    straight = np.linalg.norm(bent, axis=-1) < np.sin(np.radians(STRAIGHT))
    hangs = straight & (forearm @ -_UP >= np.cos(np.radians(STRAIGHT)))
    in_front = UPPER_ARM * (upper_arm @ _FORWARD) + FOREARM * (forearm @ _FORWARD) >= 0.0
    both = np.degrees(np.arctan2(_along(palm, swung), _along(palm, np.cross(swung, upper_arm))))
    shoulder = np.where(straight, 0.0, np.maximum(rotation - SHOULDER_OUTWARD, -SHOULDER_INWARD - rotation))
    outward = np.where(straight, both - SHOULDER_OUTWARD, roll) - SUPINATION
    inward = -PRONATION - np.where(straight, both + SHOULDER_INWARD, roll)
    excess = np.stack([elbow, shoulder, np.maximum(outward, inward)])
    return np.where(in_front | hangs, excess, np.inf)


def _along(vectors: np.ndarray, arms: np.ndarray) -> np.ndarray:
    """Dot products of (..., N, 3) with (M, 1, 3): (M, N)."""
    return (vectors @ arms.swapaxes(-1, -2))[..., 0]


def _swing(vector: np.ndarray, upper_arm: np.ndarray) -> np.ndarray:
    """A vector rotated by the smallest rotation that takes a hanging upper arm to where it is, (M, 1, 3)."""
    hanging = -_UP
    axis, cos = np.cross(hanging, upper_arm), upper_arm @ hanging
    up = (cos < -1 + 1e-9)[..., None]  # straight up: half a turn about the sideways axis
    scale = 1 / np.where(up, 1.0, 1 + cos[..., None])
    return np.where(up, -vector, vector + np.cross(axis, vector) + np.cross(axis, np.cross(axis, vector)) * scale)


# ---------------------------------------------------------------- 4. and 5. the view


def hidden_fraction(poses: np.ndarray, hand: Skeleton, camera: Camera) -> np.ndarray:
    """The fraction of the 19 joints and tips beyond the wrist that the camera sees behind the forearm, (N,)."""
    return _hidden_fraction(*kinematics.capsules(poses, hand), hand, camera)


def _hidden_fraction(heads: np.ndarray, tails: np.ndarray, hand: Skeleton, camera: Camera) -> np.ndarray:
    arm = BONES.index("forearm")
    joints = tails[:, _DIGITS]
    eye = np.broadcast_to(camera.position, joints.shape)
    gap, _, along = segment_gap(eye, joints, heads[:, arm, None], tails[:, arm, None])
    radius = hand.radii[arm, 0] + along * (hand.radii[arm, 1] - hand.radii[arm, 0])
    return (gap < radius).mean(axis=-1)


def outside_px(poses: np.ndarray, hand: Skeleton, camera: Camera) -> np.ndarray:
    """How far the outermost joint lies outside the image, (N,) pixels; infinite behind the camera, <= 0 inside."""
    return _outside_px(kinematics.capsules(poses, hand)[1], camera)


def _outside_px(joints: np.ndarray, camera: Camera) -> np.ndarray:
    x, y, depth = np.moveaxis(camera.project(joints), -1, 0)
    beyond = np.maximum(np.maximum(-x, x - camera.width), np.maximum(-y, y - camera.height))
    return np.where(depth > 0, beyond, np.inf).max(axis=-1)


_DIGITS = slice(2, None)
"""The bones of the five digits: all but forearm and hand."""


# ---------------------------------------------------------------- the verdict


@dataclass(frozen=True)
class Verdict:
    """Whether one pose is plausible, and why not: the first broken rule, in words, and the bones to look at."""

    reason: str
    text: str
    bones: tuple[str, ...] = ()


def judge(poses: np.ndarray, hand: Skeleton | None = None, camera: Camera | None = None) -> np.ndarray:
    """Why each pose is dropped: (N,) of str, one of :data:`RULES`, or ``""`` for a pose that is kept."""
    hand, camera = hand or skeleton(), camera or Camera()
    poses = np.asarray(poses, float)
    broken = np.zeros((len(RULES), len(poses)), bool)
    broken[0] = limit_excess(poses).any(axis=-1)
    broken[2] = ~_by_distinct(poses, slice(3, 6), reachable)
    for start in range(0, len(poses), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        heads, tails = kinematics.capsules(poses[part], hand)
        broken[1, part] = _by_distinct(poses[part], slice(6, 28), lambda p: overlap(p, hand).max(axis=-1) > FLESH)
        broken[3, part] = _hidden_fraction(heads, tails, hand, camera) > HIDDEN_FRACTION
        broken[4, part] = _outside_px(tails, camera) > 0
    return np.where(broken.any(axis=0), np.array(RULES)[broken.argmax(axis=0)], "")


class PoseCounts(TypedDict):
    """How many poses of a set are plausible."""

    poses: int
    """All."""
    kept: int
    dropped: dict[str, int]
    """By :data:`RULES`, each of them, in order."""


def counts(names: Sequence[str], reasons: np.ndarray) -> dict[str, PoseCounts]:
    """How many poses of each set are plausible.

    :param names: the set of each pose, (N,).
    :param reasons: as :func:`judge` gives them, (N,).
    """
    of = np.array(names)
    found: dict[str, PoseCounts] = {}
    for name in dict.fromkeys(names):
        here = reasons[of == name]
        dropped = {rule: int((here == rule).sum()) for rule in RULES}
        found[name] = {"poses": len(here), "kept": int((here == "").sum()), "dropped": dropped}
    return found


_AT_ONCE = 4096
"""Poses worked on together, so that memory stays small."""


def _by_distinct(poses: np.ndarray, columns: slice, test: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The test's result for each pose, worked out once for poses that agree in the columns it depends on."""
    distinct, index = np.unique(poses[:, columns], axis=0, return_inverse=True)
    some = np.zeros((len(distinct), pose.SIZE))
    some[:, columns] = distinct
    return test(some)[index.reshape(-1)]


def explain(one: np.ndarray, hand: Skeleton | None = None, camera: Camera | None = None) -> Verdict:
    """The verdict on one pose, (28,), with the amount by which it breaks the rule."""
    hand, camera = hand or skeleton(), camera or Camera()
    poses = np.asarray(one, float)[None]
    reason = str(judge(poses, hand, camera)[0])
    if reason == "joint limit":
        excess = limit_excess(poses)[0]
        worst = int(excess.argmax())
        amount = f"{excess[worst] * 100:.1f} cm" if worst < 3 else f"{np.degrees(excess[worst]):.1f}°"
        return Verdict(reason, f"{pose.NAMES[worst]} is {amount} outside its range", _bones_of(worst, hand))
    if reason == "self-collision":
        depth = overlap(poses, hand)[0]
        i, j = collision_pairs()[int(depth.argmax())]
        text = f"{_words(i)} and {_words(j)} overlap by {(depth.max() - FLESH) * 1000:.1f} mm too much"
        return Verdict(reason, text, (BONES[i], BONES[j]))
    if reason == "out of reach":
        part, far = reach_excess(poses[0])
        how = "bend" if part == "elbow" else "turn"
        text = f"a person who faces the camera would {how} the {part} {max(far, 1):.0f}° too far"
        return Verdict(reason, text, ("forearm",))
    if reason == "hidden":
        fraction = hidden_fraction(poses, hand, camera)[0]
        return Verdict(
            reason, f"the forearm hides {fraction:.0%} of the hand, at most {HIDDEN_FRACTION:.0%} may be", ("forearm",)
        )
    if reason == "cut":
        far = outside_px(poses, hand, camera)[0]
        beyond = f"the hand reaches {far:.0f} pixels beyond the image's edge"
        return Verdict(reason, beyond if np.isfinite(far) else "part of the hand is behind the camera", ("hand",))
    return Verdict("", "plausible")


def _words(bone: int) -> str:
    return BONES[bone].replace("_", " ")


def _bones_of(index: int, hand: Skeleton) -> tuple[str, ...]:
    return tuple(name for name, dofs in zip(BONES, hand.dofs, strict=True) if any(d[0] == index for d in dofs))
