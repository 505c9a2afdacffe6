"""An arm bent at the elbow, for images that show more of it than the hand. Nothing of Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.frame.settings import RenderSettings
from generator.hand.anatomy import FOREARM_LENGTH
from handforge.rng import stream

PLACE = 0.26
"""How far the elbow is from the wrist, metres: what lies beyond is the upper arm."""

_ROUND = 0.05
"""How far the bend reaches to both sides of it, metres."""

BENT = 0.6
"""The share of arms that are bent where the elbow is varied."""

MOST = 1.9
"""Radians."""


@dataclass(frozen=True)
class Elbow:
    """How an arm is bent.

    :param angle: between forearm and the line of the upper arm, radians; 0 is a straight arm, and less than 2.
    :param about: where the upper arm turns to, as an angle in the bind pose's XY plane, radians.
    :param reach: how far the arm's end is from the wrist along the arm, metres: what lies beyond the bend is stretched
        to it from the model's :data:`generator.hand.anatomy.FOREARM_LENGTH`.
    """

    angle: float = 0.0
    about: float = 0.0
    reach: float = FOREARM_LENGTH

    def bend(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of a straight arm in the bind pose, which lies along -Z from the wrist, as they are bent.

        The axis runs through an arc, and what is around it stays square to it.
        """
        points = self._stretched(points)
        if self.angle == 0:
            return points
        toward = np.array([np.cos(self.about), np.sin(self.about), 0.0])
        start, radius = PLACE - _ROUND, 2 * _ROUND / self.angle
        along = -points[:, 2]
        turn = np.clip((along - start) / (2 * _ROUND), 0, 1) * self.angle
        beyond = np.maximum(along - start - 2 * _ROUND, 0)
        inward = points @ toward
        sin, cos = np.sin(turn), np.cos(turn)
        aside = radius * (1 - cos) + beyond * sin + inward * cos
        down = np.minimum(along, start) + radius * sin + beyond * cos - inward * sin
        return points + (aside - inward)[:, None] * toward + (along - down)[:, None] * [0.0, 0.0, 1.0]

    def _stretched(self, points: np.ndarray) -> np.ndarray:
        if self.reach == FOREARM_LENGTH:
            return points
        end = PLACE + _ROUND  # of the bend
        beyond = np.maximum(-points[:, 2] - end, 0)
        further = beyond * ((self.reach - end) / (FOREARM_LENGTH - end) - 1)
        return points - further[:, None] * [0.0, 0.0, 1.0]


STRAIGHT = Elbow()
"""An arm as long as the model's, not bent."""


def elbow(settings: RenderSettings, frame: int, arm: int = 0) -> Elbow:
    """The elbow of a frame's first or second arm."""
    rng = stream(settings.seed, frame, "elbow", arm)
    bent, angle, about = rng.random() < BENT, float(rng.uniform(0.3, MOST)), float(rng.uniform(-np.pi, np.pi))
    return Elbow(angle, about) if settings.elbow == "random" and settings.scene == "indoor" and bent else STRAIGHT
