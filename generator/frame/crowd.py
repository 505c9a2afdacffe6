"""Frames with several people, or seen through one's own eyes: two to eight hands, small ones, arms that have a body.

People are placed first, then where their hands are; two bones reach from the shoulder to the wrist, and the 28 numbers
follow from the forearm's direction. All is drawn from (seed, frame); nothing of Blender. Vectors are in scene axes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from generator.frame.elbow import MOST, PLACE, Elbow
from generator.frame.second_hand import draw_fingers
from generator.frame.settings import RenderSettings
from generator.hand import pose
from generator.hand.anatomy import Skeleton
from generator.hand.camera import SENSOR_MM, Camera
from generator.hand.kinematics import PosedSkeleton
from generator.hand.vectors import Fraction, Number, Side, one_of
from generator.maths import Triple, log_uniform, rotation_about, rounded
from handforge.rng import stream

UPPER_ARM = 0.30
"""Metres from shoulder to elbow (Drillis & Contini 1966: 0.186 of 1.70 m, rounded down)."""

SHOULDER = 0.19
"""Metres from the spine to a shoulder."""

SMALLEST = 0.04
"""The least length of a hand as a fraction of the image's longer side."""

HAND = 0.19
"""Length of a hand in metres."""

MOST_PEOPLE = 4
_TRIES = 30
_OF_OTHERS, _OF_OWN = ((0.14, 0.42), (-0.4, 0.1)), ((0.22, 0.48), (-0.3, 0.18))
"""Ranges of how far a wrist is before its shoulder, and above it, metres: other people's, and one's own."""
_NEAREST = 0.16


@dataclass(frozen=True)
class SeenHand:
    """A hand of one of the people.

    :param person: the number of its person.
    :param pose: (28,) that of a right hand, of which a left one is the mirror image; metres and radians.
    :param shoulder: (3,) metres.
    """

    person: Number
    side: Side
    pose: tuple[float, ...]
    elbow: Elbow
    shoulder: Triple


@dataclass(frozen=True)
class Person:
    """A person who is seen.

    :param center: (3,) between the shoulders, metres.
    :param axes: (3, 3) columns: to the person's left as the camera sees it (X), backwards (Y), up (Z).
    :param tone: skin tone, 0..1.
    """

    center: Triple
    axes: tuple[Triple, Triple, Triple]
    tone: Fraction


@dataclass(frozen=True)
class Crowd:
    """The people of a frame.

    :param persons: those whose bodies are seen; in an egocentric view the hands of person 0 have none.
    :param table: unit normal (3,) and a point (3,) of a table below the hands; None without one.
    """

    kind: Annotated[str, one_of(("people", "egocentric"))]
    camera: Camera
    persons: tuple[Person, ...]
    hands: tuple[SeenHand, ...]
    table: tuple[Triple, Triple] | None


def draw_crowd(settings: RenderSettings, frame: int, fingers: np.ndarray, hand: Skeleton, tone: float) -> Crowd | None:
    """The people of a frame; None in those that show one or two hands from near.

    :param fingers: v7..v28 (22,) of the first hand; the others' are drawn.
    :param tone: the first person's skin tone, 0..1; everyone's where the settings name one.
    """
    rng = stream(settings.seed, frame, "crowd")
    chance = rng.random()
    if chance >= settings.crowd + settings.egocentric:
        return None
    draw = _people if chance < settings.crowd else _egocentric
    for _ in range(_TRIES):
        if found := draw(rng, settings.resolution, fingers, hand, tone):
            return found if settings.skin_tone == "random" else _of_tone(found, tone)
    return None


def _of_tone(group: Crowd, tone: float) -> Crowd:
    return replace(group, persons=tuple(replace(person, tone=tone) for person in group.persons))


def _people(
    rng: np.random.Generator, size: tuple[int, int], fingers: np.ndarray, hand: Skeleton, tone: float
) -> Crowd | None:
    """One to four persons who face the camera or each other, near or far."""
    camera = Camera(*size, 1.0, log_uniform(rng, 22.0, 55.0))
    focal, longer = camera.matrix[0, 0], max(size)
    farthest = focal * HAND / (SMALLEST * longer)
    camera = Camera(*size, log_uniform(rng, 0.3 * farthest, 0.8 * farthest), camera.focal_mm)
    tilt = rotation_about(0, rng.uniform(-0.1, 0.7)) @ rotation_about(1, rng.normal(0, 0.06))
    count = int(rng.integers(1, MOST_PEOPLE + 1))
    across = camera.distance / focal * size[0]
    places = (np.arange(count) + 0.5) / count - 0.5 + rng.normal(0, 0.06, count)
    persons: list[Person] = []
    hands = _Hands(rng, camera, hand)
    for number, place in enumerate(places.tolist()):
        forward = 0.0 if not number else rng.uniform(-0.1, 0.25) * camera.distance
        center = np.array([place * across, forward, 0.0]) + tilt @ [0.0, 0.0, rng.normal(0.12, 0.08)]
        rotated = tilt @ rotation_about(2, rng.normal(0, 0.35) + 0.5 * place)
        skin = tone if not number else float(rng.uniform())
        persons.append(Person(rounded(center), _rows(rotated), skin))
        sides = ["right", "left"] if rng.random() < 0.75 else [str(rng.choice(["right", "left"]))]
        for side in sides:
            own = fingers if not hands.seen else _other_fingers(rng, hand)
            hands.reach(number, side, center, rotated, own, *_OF_OTHERS)
    return _crowd(rng, "people", camera, persons, hands.seen, tilt)


def _egocentric(
    rng: np.random.Generator, size: tuple[int, int], fingers: np.ndarray, hand: Skeleton, tone: float
) -> Crowd | None:
    """One's own hands, seen by a camera at the head with a wide or a fisheye lens; sometimes somebody opposite."""
    fisheye = bool(rng.random() < 0.5)
    half = np.radians(rng.uniform(90, 140) if fisheye else rng.uniform(70, 120)) / 2
    focal = SENSOR_MM / 2 / (half if fisheye else np.tan(half))
    camera = Camera(*size, float(rng.uniform(0.4, 0.6)), float(focal), fisheye)
    tilt = rotation_about(0, rng.uniform(0.0, 0.9)) @ rotation_about(1, rng.normal(0, 0.08))
    eye = camera.position
    facing = tilt @ rotation_about(2, np.pi)  # looks away from the camera
    center = eye + facing @ [0.0, 0.05, -0.2]
    hands = _Hands(rng, camera, hand)
    for side in ("right", "left") if rng.random() < 0.75 else (str(rng.choice(["right", "left"])),):
        own = fingers if not hands.seen else _other_fingers(rng, hand)
        hands.reach(0, side, center, facing, own, *_OF_OWN)
    persons = []
    if rng.random() < 0.3:
        there, rotated = (
            tilt @ [rng.normal(0, 0.2), rng.uniform(0.4, 0.9), 0.05],
            tilt @ rotation_about(2, rng.normal(0, 0.3)),
        )
        persons.append(Person(rounded(there), _rows(rotated), float(rng.uniform())))
        for side in ("right", "left"):
            hands.reach(1, side, there, rotated, _other_fingers(rng, hand), *_OF_OTHERS)
    return _crowd(rng, "egocentric", camera, persons, hands.seen, tilt)


def _crowd(
    rng: np.random.Generator, kind: str, camera: Camera, persons: list[Person], hands: list[SeenHand], tilt: np.ndarray
) -> Crowd | None:
    if not hands or hands[0].person:
        return None
    up = tilt @ [0.0, 0.0, 1.0]
    wrists = np.array([np.array(one.pose[:3]) * ([-1, 1, 1] if one.side == "left" else [1, 1, 1]) for one in hands])
    lowest = wrists[int(np.argmin(wrists @ up))]
    table = (rounded(up), rounded(lowest - rng.uniform(0.06, 0.2) * up)) if rng.random() < 0.75 else None
    return Crowd(kind, camera, tuple(persons), tuple(hands), table)


class _Hands:
    """The hands of a frame while they are drawn, and where their joints are."""

    def __init__(self, rng: np.random.Generator, camera: Camera, skeleton: Skeleton) -> None:
        self.seen: list[SeenHand] = []
        self._joints: list[np.ndarray] = []
        self._rng, self._camera, self._skeleton = rng, camera, skeleton

    def reach(
        self,
        person: int,
        side: str,
        center: np.ndarray,
        axes: np.ndarray,
        fingers: np.ndarray,
        forward: tuple[float, float],
        height: tuple[float, float],
    ) -> None:
        """Add a hand somewhere before a person, in the image and away from the others; none where no try was so.

        :param center: (3,), ``axes``: (3, 3), the person's; a right shoulder is on -X of somebody who faces the camera.
        :param fingers: v7..v28 (22,).
        :param forward: range of how far the wrist is before the shoulder, metres; ``height``: above it.
        """
        rng, camera = self._rng, self._camera
        sign = -1.0 if side == "right" else 1.0
        shoulder = center + axes @ [sign * SHOULDER, 0.0, 0.0]
        mirror = np.array([-sign, 1.0, 1.0])
        for _ in range(_TRIES):
            aside = sign * rng.uniform(-0.22, 0.18)
            wrist = shoulder + axes @ [aside, -rng.uniform(*forward), rng.uniform(*height)]
            elbow = _elbow(rng, shoulder, wrist, axes, sign)
            if elbow is None:
                continue
            one, bent = _pose(rng, shoulder * mirror, elbow * mirror, wrist * mirror, axes, mirror)
            if bent.angle > MOST:
                continue
            one[6:] = fingers
            one = one.round(9)
            joints = PosedSkeleton(one, self._skeleton).keypoints * mirror
            x, y, depth = camera.project(joints).T
            inside = (x > 0) & (x < camera.width) & (y > 0) & (y < camera.height) & (depth > _NEAREST)
            if inside.mean() < 0.7 or (depth < _NEAREST).any():
                continue
            apart = [np.linalg.norm(joints[:, None] - other[None], axis=-1).min() for other in self._joints]
            if min(apart, default=1.0) > 0.035:
                self.seen.append(SeenHand(person, side, tuple(one.tolist()), bent, rounded(shoulder)))
                self._joints.append(joints)
                return


def _elbow(
    rng: np.random.Generator, shoulder: np.ndarray, wrist: np.ndarray, axes: np.ndarray, sign: float
) -> np.ndarray | None:
    """Where the elbow is between the two, hanging down and outwards; None where the arm is too short or too bent."""
    way = wrist - shoulder
    far = float(np.linalg.norm(way))
    if not 0.22 < far < UPPER_ARM + PLACE - 0.01:
        return None
    along = (far**2 + UPPER_ARM**2 - PLACE**2) / (2 * far)
    out = np.sqrt(max(UPPER_ARM**2 - along**2, 0.0))
    down = axes @ np.array([sign * rng.uniform(0.1, 0.9), rng.uniform(-0.2, 0.3), -1.0])
    down -= (down @ way) / far**2 * way
    return np.asarray(shoulder + along / far * way + out * down / np.linalg.norm(down))


def _pose(
    rng: np.random.Generator,
    shoulder: np.ndarray,
    elbow: np.ndarray,
    wrist: np.ndarray,
    axes: np.ndarray,
    mirror: np.ndarray,
) -> tuple[np.ndarray, Elbow]:
    """A right arm's pose (28,) without its fingers, and how it is bent, from where its joints are.

    The thumb points up and to the body's centre, turned by up to some 60 degrees.
    """
    ahead = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    lean = -np.arcsin(np.clip(ahead[1], -1, 1))
    spin = np.arctan2(ahead[0], ahead[2])
    rotation = rotation_about(1, spin) @ rotation_about(0, lean)
    across = rotation.T @ ((axes @ np.array([0.8 * mirror[0], -0.2, 0.6])) * mirror)
    roll = float(np.arctan2(across[1], across[0]) + rng.normal(0, 0.6))
    one = pose.bind()
    one[:3] = wrist
    one[3:6] = lean, (roll + np.pi) % (2 * np.pi) - np.pi, spin
    upper = (rotation @ rotation_about(2, roll)).T @ (shoulder - elbow)
    upper /= np.linalg.norm(upper)
    angle = float(np.arccos(np.clip(-upper[2], -1, 1)))
    return one, Elbow(angle, float(np.arctan2(upper[1], upper[0])), PLACE + UPPER_ARM)


def _other_fingers(rng: np.random.Generator, hand: Skeleton) -> np.ndarray:
    """v7..v28 of a hand at rest or at work."""
    wrist = np.radians(rng.normal(0, [15.0, 6.0]))
    return np.concatenate([wrist, draw_fingers(rng, hand)])


def _rows(rotation: np.ndarray) -> tuple[Triple, Triple, Triple]:
    return rounded(rotation[0]), rounded(rotation[1]), rounded(rotation[2])
