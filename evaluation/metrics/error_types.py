"""Kinds of error, and recall by size, from our matches: TIDE's package matches anew and asks for OpenCV and pandas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as rle

from evaluation.metrics.matching import ImageEval, Match
from handforge.dataset.coco_types import RleCode

TOUCH = 0.1
"""IoU from which a false positive is a badly outlined object; below it, it lies on the background (TIDE's t_b)."""

SIZES = (("tiny", 0.0), ("small", 0.1), ("medium", 0.2), ("large", 0.4))
"""Sizes by the side of a square of the mask's area over that of the image's: name and lower end."""


@dataclass(frozen=True)
class Errors:
    """Kinds of false positives and false negatives, after TIDE (Bolya et al., ECCV 2020).

    :param duplicate: false positives on an object that a prediction with a higher score has matched.
    :param localisation: false positives that overlap an object by less than the IoU threshold.
    :param background: false positives that overlap no object by :data:`TOUCH`.
    :param outlined_badly: false negatives that a false positive overlaps by :data:`TOUCH` or more.
    :param missed: the other false negatives.
    :param classification: false positives that would match an object of another category.
    """

    duplicate: int
    localisation: int
    background: int
    outlined_badly: int
    missed: int
    classification: int = 0


def errors(images: Sequence[ImageEval], matches: Sequence[Match], iou_threshold: float) -> Errors:
    """Sort the errors of a results file."""
    counts = np.zeros(6, int)
    for image, match in zip(images, matches, strict=True):
        same = np.where(image.same_category, image.iou, 0.0)
        highest = same[match.false_positives].max(axis=1, initial=0.0)
        duplicate = highest >= iou_threshold
        classification = ~duplicate & (image.iou[match.false_positives].max(axis=1, initial=0.0) >= iou_threshold)
        background = (highest < min(TOUCH, iou_threshold)) & ~classification
        touched = same[np.ix_(match.false_positives, match.false_negatives)].max(axis=0, initial=0.0) >= TOUCH
        counts += (
            duplicate.sum(),
            (~duplicate & ~classification & ~background).sum(),
            background.sum(),
            touched.sum(),
            (~touched).sum(),
            classification.sum(),
        )
    return Errors(*(int(count) for count in counts))


@dataclass(frozen=True)
class SizeRow:
    """Objects of one size: their number, the true positives among them, and the mean IoU of those (None without)."""

    name: str
    hands: int
    true_positives: int
    mean_iou: float | None


def by_size(images: Sequence[ImageEval], matches: Sequence[Match]) -> list[SizeRow]:
    """Count the objects of each of :data:`SIZES`; a false positive has no object's size, so there is no precision."""
    overlaps: dict[str, list[float]] = {name: [] for name, _ in SIZES}
    counts = dict.fromkeys(overlaps, 0)
    for image, match in zip(images, matches, strict=True):
        sizes = [size_of(code) for code in image.ground_truth]
        for size in sizes:
            counts[size] += 1
        for prediction, truth in match.true_positives:
            overlaps[sizes[truth]].append(float(image.iou[prediction, truth]))
    return [
        SizeRow(name, counts[name], len(values), float(np.mean(values)) if values else None)
        for name, values in overlaps.items()
    ]


def relative_size(code: RleCode) -> float:
    """Compute the side of a square of the mask's area over that of the image's, 0 to 1."""
    height, width = code["size"]
    return float(np.sqrt(rle.area(code) / (height * width)))


def size_of(code: RleCode) -> str:
    """Name the one of :data:`SIZES` that a mask has."""
    side = relative_size(code)
    return next(name for name, least in reversed(SIZES) if side >= least)
