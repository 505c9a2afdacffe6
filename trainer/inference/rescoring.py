"""Scores on which a second network has its say: one that gives every pixel a class, see :mod:`trainer.models.semantic`.

A network of regions judges a hand by what is in its box, one of pixels by each pixel and what is around it. They err in
different places, so what only one of them takes for a hand is less likely to be one. A score becomes the geometric mean
of itself and of the probability, mean over the hand's mask, that the pixels are a hand's: both are probabilities of the
same thing, and what both are sure of stays sure.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from trainer.inference.detections import Detection


def rescore(hands: list[Detection], classes: np.ndarray) -> list[Detection]:
    """The hands with their new scores, best first.

    :param hands: with masks (H, W).
    :param classes: (2, H, W) float, what the second network gives: the probabilities of background and hand.
    """
    weighed = [replace(hand, score=math.sqrt(hand.score * float(classes[1][hand.mask].mean()))) for hand in hands]
    return sorted(weighed, key=lambda hand: -hand.score)
