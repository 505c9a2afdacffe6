"""A second hand beside the first, of the other side and in a pose of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.frame.elbow import Elbow
from generator.frame.framing import SPARE, arm_axis, limit_lean, pixels_beyond_edge, wrist_range
from generator.frame.settings import RenderSettings
from generator.hand import plausibility, pose, sweep
from generator.hand.anatomy import BONES, Skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton
from generator.hand.pose_presets import PRESETS
from handforge.rng import stream

FRACTION = 1 / 2
"""Fraction of the images that have two hands where their number is random."""

OWN = 0.65
"""Probability that the second hand is the same person's: same skin, arm from about the same direction."""

NEAR = 0.6
"""Probability that a second hand of the same person is placed next to the first (indoor scenes), with an arm from up to
120 degrees off."""

SLEEVE = 0.016
"""Largest distance between clothes and arm, metres."""

_TRIES = 80
_SAMPLES = np.linspace(0.0, 1.0, 8)[:, None, None]


@dataclass(frozen=True)
class SecondHand:
    """A second hand.

    :param posed: as of a right hand.
    :param side: ``right`` or ``left``, the other one than the first hand's.
    :param tone: skin tone, 0..1; None for that of the first hand.
    """

    posed: PosedSkeleton
    side: str
    tone: float | None


def draw_second_hand(
    settings: RenderSettings, frame: int, camera: Camera, first: PosedSkeleton, side: str, elbows: tuple[Elbow, Elbow]
) -> SecondHand | None:
    """Draw the second hand of a frame; None where it has none, or if no collision-free placement is found.

    The two do not touch; where each is rendered by itself, they do not overlap in the image either.

    :param first: the first hand as the camera sees it; ``side`` is its side.
    :param elbows: how the first arm is bent, and the second.
    """
    rng = stream(settings.seed, frame, "second hand")
    if settings.num_hands == 1 or (settings.num_hands == "random" and rng.random() >= FRACTION):
        return None
    other = "left" if side == "right" else "right"
    own, tone, fingers = rng.random() < OWN, float(rng.uniform()), draw_fingers(rng, first.skeleton)
    flat = not settings.kind.one_space
    close = own and not flat and rng.random() < NEAR
    taken, girth = _balls(first, side, elbows[0])
    for attempt in range(_TRIES):
        near = close and attempt < _TRIES // 2
        one = _placed(rng, camera, first, fingers, near)
        apart = np.pi * (2 / 3 if near else 1 / 3)
        if own and _between(_direction(one, other), _direction(first, side)) > apart:
            continue
        if settings.framing == "close" and pixels_beyond_edge(camera, one, elbows[1]) <= 0:
            continue
        balls, _ = _balls(one, other, elbows[1])
        if float(np.min(balls[:, 1])) + camera.distance > SPARE and _apart(balls, taken, girth, camera, flat):
            return SecondHand(one, other, None if own or settings.skin_tone != "random" else tone)
    return None


def draw_fingers(rng: np.random.Generator, hand: Skeleton) -> np.ndarray:
    """v9..v28 on the way from one key pose of the sweep to another, no finger inside another."""
    one = np.zeros(pose.SIZE)
    for _ in range(20):
        start, end = (PRESETS[str(name)][8:] for name in rng.choice(sweep.KEY_POSES, 2))
        one[8:] = start + (end - start) * rng.uniform()
        if plausibility.overlap(one[None], hand).max() <= plausibility.FLESH:
            break
    return one[8:]


def _placed(
    rng: np.random.Generator, camera: Camera, first: PosedSkeleton, fingers: np.ndarray, near: bool
) -> PosedSkeleton:
    """A pose with the hand somewhere in the image, about as far away as the first, or ``near`` it."""
    one = np.zeros(pose.SIZE)
    one[8:] = fingers
    one[1] = first.pose[1] + (rng.normal(0.0, 0.05) if near else rng.uniform(-0.08, 0.2))
    rotation, spin = rng.uniform(-np.pi, np.pi, 2)
    one[3:6] = limit_lean(float(rng.uniform(-np.pi, np.pi))), spin, rotation
    placed = PosedSkeleton(one, first.skeleton)
    low, high = wrist_range(camera, placed, 0.04 if rng.random() < 0.5 else -0.03)
    placed = placed.at(low + rng.uniform(size=2) * (high - low))
    if near:
        # The other hand is the mirror image of its 28 numbers where the first is not, and the other way round.
        there = first.keypoints.mean(axis=0) * [-1, 1, 1]
        here = placed.keypoints.mean(axis=0) - placed.pose[:3]
        placed = placed.at(np.clip((there - here)[[0, 2]] + rng.normal(0.0, 0.07, 2), low, high))
    return placed


def _balls(one: PosedSkeleton, side: str, bent: Elbow) -> tuple[np.ndarray, np.ndarray]:
    """Balls that make up the arm: their middles (N, 3) in scene axes, and radii (N,), metres."""
    heads, tails = one.capsules
    centers = heads + (tails - heads) * _SAMPLES
    centers[:, BONES.index("forearm")] = arm_axis(one, bent, 1 - _SAMPLES[:, 0, 0])
    if side == "left":
        centers = centers * [-1, 1, 1]
    start, end = one.skeleton.radii.T
    return centers.reshape(-1, 3), (start + (end - start) * _SAMPLES[..., 0]).reshape(-1)


def _apart(one: np.ndarray, other: np.ndarray, girth: np.ndarray, camera: Camera, flat: bool) -> bool:
    """Whether two arms of the same girth are apart, in space or, if ``flat``, in the image."""
    slack = 0.006
    if flat:
        one, other = camera.project(one), camera.project(other)
        one_girth, girth = ((1.2 * girth + SLEEVE) * camera.matrix[0, 0] / points[:, 2] for points in (one, other))
        one, other, slack = one[:, :2], other[:, :2], 3.0
    else:
        one_girth = girth
    distance = np.linalg.norm(one[:, None] - other[None], axis=-1)
    return bool((distance > one_girth[:, None] + girth[None] + slack).all())


def _direction(one: PosedSkeleton, side: str) -> np.ndarray:
    """Where the arm points to in the image's plane, from elbow to wrist, (2,)."""
    heads, tails = one.capsules
    forearm = BONES.index("forearm")
    along = (tails[forearm] - heads[forearm])[[0, 2]]
    return along * [-1, 1] if side == "left" else along


def _between(one: np.ndarray, other: np.ndarray) -> float:
    """The angle of two directions, radians."""
    return float(np.arccos(np.clip(one @ other / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-12), -1, 1)))
