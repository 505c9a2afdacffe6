"""All metrics beyond the paper's, in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as rle

from evaluation.metrics.average_precision import evaluated, figures, ranked
from evaluation.metrics.bootstrap import intervals, sampled
from evaluation.metrics.boundary import mean_boundary_iou
from evaluation.metrics.curves import sweep
from evaluation.metrics.error_types import Errors, SizeRow, by_size, errors
from evaluation.metrics.matching import ImageEval, Match, MatchOptions
from evaluation.metrics.paper_metrics import PaperMetrics, tally


@dataclass(frozen=True)
class ExtendedMetrics:
    """The field's metrics of a results file.

    :param coco: AP and AR by the names of :data:`evaluation.metrics.average_precision.NAMES`.
    :param intervals: 95 % interval of ``mean_iou``, ``acc``, ``f1`` and ``ap``.
    :param intervals_over: :func:`evaluation.metrics.bootstrap.sampled`.
    :param boundary_iou: mean over the true positives, None without one.
    :param image_iou: :func:`image_iou`.
    :param errors: kinds of error.
    :param sizes: recall by size.
    :param sweep: the paper's metrics over IoU thresholds.
    """

    coco: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    intervals_over: str
    boundary_iou: float | None
    image_iou: float | None
    errors: Errors
    sizes: list[SizeRow]
    sweep: list[PaperMetrics]


def extended_metrics(images: Sequence[ImageEval], matches: Sequence[Match], options: MatchOptions) -> ExtendedMetrics:
    """Compute all of them; ``matches`` are those at the two thresholds."""
    evaluation, counts = evaluated(images), tally(images, matches)
    return ExtendedMetrics(
        coco=figures(evaluation),
        intervals=intervals(counts, ranked(evaluation)),
        intervals_over=sampled(counts.group),
        boundary_iou=mean_boundary_iou(images, matches),
        image_iou=image_iou(images, options.score),
        errors=errors(images, matches, options.iou),
        sizes=by_size(images, matches),
        sweep=sweep(images, options.score),
    )


def image_iou(images: Sequence[ImageEval], score_threshold: float) -> float | None:
    """Compute the IoU of all predicted with all annotated pixels of an image, as semantic segmentation is measured.

    Pixels of crowd regions that are of no object do not count. The mean over the images with an object or a prediction
    elsewhere; None without such an image.
    """
    values = []
    for image in images:
        predicted = [prediction.code for prediction in image.predictions if prediction.score >= score_threshold]
        found, there, crowd = (
            rle.decode(rle.merge(codes)).astype(bool) if codes else np.zeros((1, 1), bool)
            for codes in (predicted, image.ground_truth, [crowd.code for crowd in image.crowds])
        )
        found = found & (there | ~crowd)
        if union := int(np.count_nonzero(found | there)):
            values.append(int(np.count_nonzero(found & there)) / union)
    return float(np.mean(values)) if values else None
