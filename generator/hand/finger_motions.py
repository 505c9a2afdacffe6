"""Curl and spread of a finger: one number from 0 to 1 that moves several of its angles together."""

from __future__ import annotations

import numpy as np

from generator.hand import pose
from generator.hand.fitting import DIP_OF_PIP

MOTIONS = ("curl", "spread")
"""Curl goes from a straight finger to one that is bent as far as its joints go; spread from the little finger's side to
the thumb's, and for the thumb from the palm's plane to its front."""


def fraction(one: np.ndarray, finger: str, motion: str) -> float:
    """How far along a motion a finger is: the mean of its joints, but for the last, which may follow another.

    0 to 1, or a little less for a finger that is bent backwards.

    :param one: (28,), a pose.
    """
    numbers, low, high = _range(finger, motion)
    if finger != "thumb":
        numbers, low, high = numbers[:2], low[:2], high[:2]
    return float(((one[numbers] - low) / (high - low)).mean())


def moved(one: np.ndarray, finger: str, motion: str, to: float, coupled: bool = True) -> np.ndarray:
    """The pose with a finger that far along a motion; what its joints differ in shrinks towards both ends.

    :param one: (28,), the pose before.
    :param to: 0 to 1; beyond is taken for the nearer of them.
    :param coupled: whether the last joint bends with the middle one, as people's do.
    """
    numbers, low, high = _range(finger, motion)
    here, there, result = fraction(one, finger, motion), min(max(to, 0.0), 1.0), one.copy()
    if there == here:
        return result
    end, part = (high, (there - here) / (1 - here)) if there > here else (low, (here - there) / here)
    result[numbers] = np.clip(one[numbers] + (end - one[numbers]) * part, *pose.LIMITS[numbers].T)
    if motion == "curl" and finger != "thumb" and coupled:
        result[numbers[2]] = DIP_OF_PIP * result[numbers[1]]
    return result


def _range(finger: str, motion: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The numbers that a motion moves, and from where to where."""
    own = pose.FINGER_SLICE[finger]
    ending = "_flexion" if motion == "curl" else "_abduction"
    numbers = np.array([i for i in range(own.start, own.stop) if pose.NAMES[i].endswith(ending)])
    low, high = pose.LIMITS[numbers].T
    return numbers, np.zeros(len(numbers)) if motion == "curl" else low, high
