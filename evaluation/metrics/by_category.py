"""Metrics of each category, their mean, and which categories are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from evaluation.metrics.matching import ImageEval, MatchOptions, match_any_category
from evaluation.metrics.paper_metrics import DetectionMetrics, score

MEANS = ("mean_iou", "acc", "f1", "ap", "ap50")
"""Metrics whose mean over categories is of use."""


def of_category(images: Sequence[ImageEval], name: str) -> list[ImageEval]:
    """Keep ground truth, predictions and crowds of one category of every image."""
    return [_of_category(image, name) for image in images]


def _of_category(image: ImageEval, name: str) -> ImageEval:
    objects = [index for index, category in enumerate(image.categories) if category == name]
    predictions = [index for index, prediction in enumerate(image.predictions) if prediction.category == name]
    return ImageEval(
        image=image.image,
        ground_truth=[image.ground_truth[index] for index in objects],
        categories=[name] * len(objects),
        predictions=[image.predictions[index] for index in predictions],
        iou=image.iou[np.ix_(predictions, objects)],
        crowds=[crowd for crowd in image.crowds if crowd.category == name],
    )


def by_category(
    images: Sequence[ImageEval], categories: Sequence[str], options: MatchOptions
) -> dict[str, DetectionMetrics]:
    """Score each category by itself. Those that are neither annotated nor predicted are left out."""
    there = {name for image in images for name in image.categories}
    there |= {prediction.category for image in images for prediction in image.predictions}
    return {name: score(of_category(images, name), options) for name in categories if name in there}


def mean(categories: Mapping[str, DetectionMetrics]) -> dict[str, float | None]:
    """Compute the mean of :data:`MEANS` over the categories that have objects, and there over those that have it."""
    found = {}
    for name in MEANS:
        values = [getattr(metrics, name) for metrics in categories.values() if metrics.hands]
        known = [value for value in values if value is not None]
        found[name] = float(np.mean(known)) if known else None
    return found


@dataclass(frozen=True)
class Confusion:
    """Which category is predicted for which.

    :param categories: K names, the order of both axes.
    :param counts: (K + 1, K + 1): rows are annotated, columns predicted. The last row counts predictions that match no
        object, the last column objects that no prediction matches.
    """

    categories: list[str]
    counts: list[list[int]]


def confusion(images: Sequence[ImageEval], categories: Sequence[str], options: MatchOptions) -> Confusion:
    """Match objects and predictions by their masks alone, and count their categories."""
    index = {name: number for number, name in enumerate(categories)}
    last = len(index)
    counts = np.zeros((last + 1, last + 1), int)
    for image in images:
        match = match_any_category(image, options)
        for prediction, truth in match.true_positives:
            counts[index[image.categories[truth]], index[image.predictions[prediction].category]] += 1
        for prediction in match.false_positives:
            counts[last, index[image.predictions[prediction].category]] += 1
        for truth in match.false_negatives:
            counts[index[image.categories[truth]], last] += 1
    return Confusion(list(index), counts.tolist())


@dataclass(frozen=True)
class CategoryMetrics:
    """Several categories of one results file.

    :param categories: by name, in the dataset's order.
    :param mean: :func:`mean` over them.
    :param confusion: between them.
    """

    categories: dict[str, DetectionMetrics]
    mean: dict[str, float | None]
    confusion: Confusion

    def to_json(self) -> dict[str, object]:
        """Return it as ``score --json`` has it."""
        rows = {
            name: {field.name: getattr(metrics, field.name) for field in fields(metrics)}
            for name, metrics in self.categories.items()
        }
        return {"categories": rows, "mean": self.mean, "confusion": vars(self.confusion)}


def category_metrics(
    images: Sequence[ImageEval], categories: Sequence[str], options: MatchOptions
) -> CategoryMetrics | None:
    """Score each of several categories; None where there is one."""
    if len(categories) < 2:
        return None
    found = by_category(images, categories, options)
    return CategoryMetrics(found, mean(found), confusion(images, list(found), options))
