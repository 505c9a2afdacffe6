"""The paper's numbers (Dadgar & Brunnett, VISAPP 2023): mean IoU, Acc, F1, TPH, TtlHnd, from counts an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.metrics import thresholds
from evaluation.metrics.average_precision import average_precision
from evaluation.metrics.matching import ImageEval, Match, match


@dataclass(frozen=True)
class Tally:
    """What was found, image by image: five float arrays of shape (N,).

    :param hands: true hands.
    :param tp: hands found.
    :param fp: false predictions.
    :param iou_sum: sum of the IoU of the hands found.
    :param top: 1 where the prediction with the highest score of the image found a hand, else 0.
    """

    hands: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    iou_sum: np.ndarray
    top: np.ndarray


@dataclass(frozen=True)
class PaperMetrics:
    """The paper's numbers at one IoU and one score threshold.

    ``hands`` is the paper's TtlHnd; ``mean_iou`` is over the true positives and None without one; ``acc`` is
    TP/(TP+FP+FN) and ``f1`` 2TP/(2TP+FP+FN), both None where there is neither a hand nor a prediction; ``tph`` counts
    the true positives that have the highest score of their image (of equal scores the first one of the file).
    """

    hands: int
    tp: int
    fp: int
    fn: int
    mean_iou: float | None
    acc: float | None
    f1: float | None
    tph: int
    iou_threshold: float
    score_threshold: float


@dataclass(frozen=True)
class DetectionMetrics(PaperMetrics):
    """The same with COCO's AP over IoU 0.50:0.95, and that at IoU 0.50; None without a hand."""

    ap: float | None
    ap50: float | None


def tally(pictures: Sequence[ImageEval], matches: Sequence[Match]) -> Tally:
    """Count every image's match."""
    rows = [
        (
            len(picture.truth),
            len(found.found),
            len(found.false),
            sum(picture.iou[pair] for pair in found.found),
            bool(found.found) and found.found[0][0] == 0,
        )
        for picture, found in zip(pictures, matches, strict=True)
    ]
    hands, tp, fp, iou_sum, top = np.array(rows, float).reshape(-1, 5).T
    return Tally(hands, tp, fp, iou_sum, top)


def rates(hands: Any, tp: Any, fp: Any, iou_sum: Any) -> dict[str, Any]:
    """``mean_iou``, ``acc`` and ``f1`` of sums over images, numbers or arrays; NaN where that is 0 / 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "mean_iou": np.divide(iou_sum, tp),
            "acc": np.divide(tp, hands + fp),
            "f1": np.divide(2 * tp, hands + tp + fp),
        }


def match_all(pictures: Sequence[ImageEval], iou_threshold: float, score_threshold: float) -> list[Match]:
    """Every image's :func:`evaluation.metrics.matching.match`."""
    return [match(picture, iou_threshold, score_threshold) for picture in pictures]


def paper_metrics(pictures: Sequence[ImageEval], iou_threshold: float, score_threshold: float) -> PaperMetrics:
    """The paper's numbers of a results file."""
    counts = tally(pictures, match_all(pictures, iou_threshold, score_threshold))
    hands, tp, fp = int(counts.hands.sum()), int(counts.tp.sum()), int(counts.fp.sum())
    found = rates(hands, tp, fp, counts.iou_sum.sum())
    return PaperMetrics(
        hands=hands,
        tp=tp,
        fp=fp,
        fn=hands - tp,
        **{name: None if np.isnan(value) else float(value) for name, value in found.items()},
        tph=int(counts.top.sum()),
        iou_threshold=iou_threshold,
        score_threshold=score_threshold,
    )


def score(
    pictures: Sequence[ImageEval], iou_threshold: float = thresholds.IOU, score_threshold: float = thresholds.SCORE
) -> DetectionMetrics:
    """The paper's numbers and AP of a results file."""
    return with_ap(paper_metrics(pictures, iou_threshold, score_threshold), average_precision(pictures))


def with_ap(found: PaperMetrics, coco: dict[str, float | None]) -> DetectionMetrics:
    """The paper's numbers, and AP out of :func:`evaluation.metrics.average_precision.average_precision`'s figures."""
    return DetectionMetrics(**vars(found), ap=coco["ap"], ap50=coco["ap50"])
