"""An arm bent at the elbow, for images that show more of it than the hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from generator.frame.settings import RenderSettings
from generator.hand.anatomy import FOREARM_LENGTH
from generator.hand.vectors import NotNegative, within
from handforge.rng import stream

PLACE = 0.26
"""Distance from wrist to elbow, metres: what lies beyond is the upper arm."""

_ROUND = 0.05
"""Half the length of the bend along the arm, metres."""

BENT = 0.6
"""Fraction of the arms that are bent where the elbow is random."""

MOST = 1.9
"""Largest angle of a bend, radians."""


@dataclass(frozen=True)
class Elbow:
    """How an arm is bent.

    :param angle: between forearm and the line of the upper arm, radians; 0 is a straight arm, and 2 at most.
    :param about: where the upper arm turns to, as an angle in the bind pose's XY plane, radians.
    :param reach: how far the arm's end is from the wrist along the arm, metres: what lies beyond the bend is stretched
        to it from the model's :data:`generator.hand.anatomy.FOREARM_LENGTH`.
    """

    angle: Annotated[float, within(0, 2)] = 0.0
    about: float = 0.0
    reach: NotNegative = FOREARM_LENGTH

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
        rotation = np.clip((along - start) / (2 * _ROUND), 0, 1) * self.angle
        beyond = np.maximum(along - start - 2 * _ROUND, 0)
        inward = points @ toward
        sin, cos = np.sin(rotation), np.cos(rotation)
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


def draw_elbow(settings: RenderSettings, frame: int, arm: int = 0) -> Elbow:
    """Draw the elbow of one of a frame's arms that are seen from near."""
    rng = stream(settings.seed, frame, "elbow", arm)
    bent, angle, about = rng.random() < BENT, float(rng.uniform(0.3, MOST)), float(rng.uniform(-np.pi, np.pi))
    return Elbow(angle, about) if settings.elbow == "random" and settings.kind.bent_arms and bent else STRAIGHT
