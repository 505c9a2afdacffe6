"""Where a results file goes wrong: kinds of error, and hands by size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as rle

from evaluation.metrics.matching import ImageEval, Match

TOUCH = 0.1
"""A prediction belongs to a hand, if badly, from this IoU on; below it, it lies on the background. As TIDE has it."""

SIZES = (("tiny", 0.0), ("small", 0.1), ("medium", 0.2), ("large", 0.4))
"""Sizes of hands by the side of a square of the mask's area over that of the image's: name and lower end."""


@dataclass(frozen=True)
class Errors:
    """What the false predictions and the hands not found are, after TIDE (Bolya et al., ECCV 2020).

    :param duplicate: false predictions that would have found a hand, had a higher-scoring one not done so.
    :param localisation: false predictions that overlap a hand, but by less than the IoU threshold.
    :param background: false predictions that overlap no hand by :data:`TOUCH`. These three make up the FP.
    :param outlined_badly: hands not found that a false prediction overlaps by :data:`TOUCH` or more.
    :param missed: hands not found that nothing overlaps so. These two make up the FN.
    """

    duplicate: int
    localisation: int
    background: int
    outlined_badly: int
    missed: int


def errors(pictures: Sequence[ImageEval], matches: Sequence[Match], iou_threshold: float) -> Errors:
    """Sort the errors of a results file."""
    counts = np.zeros(5, int)
    for picture, match in zip(pictures, matches, strict=True):
        highest = picture.iou[match.false].max(axis=1, initial=0.0)
        duplicate, background = highest >= iou_threshold, highest < min(TOUCH, iou_threshold)
        touched = picture.iou[np.ix_(match.false, match.missed)].max(axis=0, initial=0.0) >= TOUCH
        counts += (
            duplicate.sum(),
            (~duplicate & ~background).sum(),
            background.sum(),
            touched.sum(),
            (~touched).sum(),
        )
    return Errors(*(int(count) for count in counts))


@dataclass(frozen=True)
class SizeRow:
    """Hands of one size: how many there are, how many were found, and the mean IoU of those (None without one)."""

    name: str
    hands: int
    found: int
    mean_iou: float | None


def by_size(pictures: Sequence[ImageEval], matches: Sequence[Match]) -> list[SizeRow]:
    """The hands of each of :data:`SIZES`; a false prediction has no hand's size, so there is no precision here."""
    overlaps: dict[str, list[float]] = {name: [] for name, _ in SIZES}
    counts = dict.fromkeys(overlaps, 0)
    for picture, match in zip(pictures, matches, strict=True):
        sizes = [size_of(code) for code in picture.truth]
        for size in sizes:
            counts[size] += 1
        for prediction, hand in match.found:
            overlaps[sizes[hand]].append(float(picture.iou[prediction, hand]))
    return [
        SizeRow(name, counts[name], len(values), float(np.mean(values)) if values else None)
        for name, values in overlaps.items()
    ]


def relative_size(code: dict) -> float:
    """The side of a square of the mask's area over that of the image's, 0 to 1."""
    height, width = code["size"]
    return float(np.sqrt(rle.area(code) / (height * width)))


def size_of(code: dict) -> str:
    """Which of :data:`SIZES` a mask has."""
    side = relative_size(code)
    return next(name for name, least in reversed(SIZES) if side >= least)
