"""Everything that is measured beyond the paper's numbers, in one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as rle

from evaluation.metrics.average_precision import evaluated, figures, ranked
from evaluation.metrics.bootstrap import intervals
from evaluation.metrics.boundary import mean_boundary_iou
from evaluation.metrics.curves import sweep
from evaluation.metrics.detection_metrics import PaperMetrics, tally
from evaluation.metrics.error_types import Errors, SizeRow, by_size, errors
from evaluation.metrics.matching import ImageEval, Match


@dataclass(frozen=True)
class ExtendedMetrics:
    """The field's numbers of a results file.

    :param coco: AP and AR by the names of :data:`evaluation.metrics.average_precision.NAMES`.
    :param intervals: 95 % interval of ``mean_iou``, ``acc``, ``f1`` and ``ap``.
    :param boundary_iou: mean over the hands found, None without one.
    :param picture_iou: :func:`picture_iou`.
    :param errors: kinds of error.
    :param sizes: hands by size.
    :param sweep: the paper's numbers over IoU thresholds.
    """

    coco: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]
    boundary_iou: float | None
    picture_iou: float | None
    errors: Errors
    sizes: list[SizeRow]
    sweep: list[PaperMetrics]


def extended_metrics(
    pictures: Sequence[ImageEval], matches: Sequence[Match], iou_threshold: float, score_threshold: float
) -> ExtendedMetrics:
    """Measure everything; ``matches`` are those at the two thresholds."""
    evaluation = evaluated(pictures)
    return ExtendedMetrics(
        coco=figures(evaluation),
        intervals=intervals(tally(pictures, matches), ranked(evaluation)),
        boundary_iou=mean_boundary_iou(pictures, matches),
        picture_iou=picture_iou(pictures, score_threshold),
        errors=errors(pictures, matches, iou_threshold),
        sizes=by_size(pictures, matches),
        sweep=sweep(pictures, score_threshold),
    )


def picture_iou(pictures: Sequence[ImageEval], score_threshold: float) -> float | None:
    """The IoU of all predicted with all true pixels of an image, as methods without instances are measured.

    The mean over the images in which there is a hand or a prediction; None where there is none.
    """
    values = []
    for picture in pictures:
        found = [prediction.code for prediction in picture.predictions if prediction.score >= score_threshold]
        if found and picture.truth:
            values.append(float(rle.iou([rle.merge(found)], [rle.merge(picture.truth)], [0])[0, 0]))
        elif found or picture.truth:
            values.append(0.0)
    return float(np.mean(values)) if values else None
