"""The paper's metrics (Dadgar & Brunnett, VISAPP 2023): mean IoU, Acc, F1, TPH, TtlHnd, from counts an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.average_precision import average_precision
from evaluation.metrics.matching import ImageEval, Match, MatchOptions, match_all
from handforge.dataset import group_numbers


@dataclass(frozen=True)
class Tally:
    """Counts image by image: arrays of shape (N,), float but for the group.

    :param group: int, which images belong together, as :func:`handforge.dataset.groups.group_numbers` has it.
    :param hands: annotated hands (or objects of the scored categories).
    :param tp: true positives.
    :param fp: false positives.
    :param iou_sum: sum of the IoU of the true positives.
    :param top: 1 where the prediction with the highest score of the image is a true positive, else 0.
    :param empty: 1 where nothing is annotated, else 0.
    """

    group: np.ndarray
    hands: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    iou_sum: np.ndarray
    top: np.ndarray
    empty: np.ndarray


Counts = np.ndarray | float
"""A number, or one for each of several sets of images."""


@dataclass(frozen=True)
class PaperMetrics:
    """The paper's metrics at one IoU and one score threshold.

    :param hands: annotated hands, the paper's TtlHnd; where other categories are scored, their objects.
    :param tp: true positives.
    :param fp: false positives.
    :param fn: false negatives.
    :param mean_iou: over the true positives; None without one.
    :param acc: TP / (TP + FP + FN); None where there is neither a hand nor a prediction.
    :param f1: 2 TP / (2 TP + FP + FN); None likewise.
    :param tph: true positives that have the highest score of their image (of equal scores the file's first one).
    :param images_without_hands: images in which nothing is annotated.
    :param false_positives_per_empty_image: mean number of false positives in these; None without such an image.
    :param iou_threshold: a prediction is a true positive from this mask IoU on.
    :param score_threshold: predictions below this score do not count.
    """

    hands: int
    tp: int
    fp: int
    fn: int
    mean_iou: float | None
    acc: float | None
    f1: float | None
    tph: int
    images_without_hands: int
    false_positives_per_empty_image: float | None
    iou_threshold: float
    score_threshold: float


@dataclass(frozen=True)
class DetectionMetrics(PaperMetrics):
    """The paper's metrics and COCO's AP, over all scores.

    :param ap: over IoU 0.50:0.95; None without a hand.
    :param ap50: at IoU 0.50; None without a hand.
    """

    ap: float | None
    ap50: float | None


def tally(images: Sequence[ImageEval], matches: Sequence[Match]) -> Tally:
    """Count every image's match."""
    rows = [
        (
            len(image.ground_truth),
            len(match.true_positives),
            len(match.false_positives),
            sum(image.iou[pair] for pair in match.true_positives),
            bool(match.true_positives) and match.true_positives[0][0] == 0,
            image.empty,
        )
        for image, match in zip(images, matches, strict=True)
    ]
    return Tally(group_numbers(image.image for image in images), *np.array(rows, float).reshape(-1, 6).T)


def rates(hands: Counts, tp: Counts, fp: Counts, iou_sum: Counts) -> dict[str, np.ndarray]:
    """Compute ``mean_iou``, ``acc`` and ``f1`` of sums over images, numbers or arrays; NaN where that is 0 / 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "mean_iou": np.divide(iou_sum, tp),
            "acc": np.divide(tp, hands + fp),
            "f1": np.divide(2 * tp, hands + tp + fp),
        }


def paper_metrics(images: Sequence[ImageEval], options: MatchOptions) -> PaperMetrics:
    """Compute the paper's metrics of a results file."""
    counts = tally(images, match_all(images, options))
    hands, tp, fp = int(counts.hands.sum()), int(counts.tp.sum()), int(counts.fp.sum())
    empty = int(counts.empty.sum())
    found = rates(hands, tp, fp, float(counts.iou_sum.sum()))
    return PaperMetrics(
        hands=hands,
        tp=tp,
        fp=fp,
        fn=hands - tp,
        **{name: None if np.isnan(value) else float(value) for name, value in found.items()},
        tph=int(counts.top.sum()),
        images_without_hands=empty,
        false_positives_per_empty_image=float((counts.fp * counts.empty).sum() / empty) if empty else None,
        iou_threshold=options.iou,
        score_threshold=options.score,
    )


def score(images: Sequence[ImageEval], options: MatchOptions | None = None) -> DetectionMetrics:
    """Compute the paper's metrics and AP of a results file."""
    return with_ap(paper_metrics(images, options or MatchOptions()), average_precision(images))


def with_ap(metrics: PaperMetrics, coco: dict[str, float | None]) -> DetectionMetrics:
    """Add AP out of :func:`evaluation.metrics.average_precision.average_precision`'s figures."""
    return DetectionMetrics(**vars(metrics), ap=coco["ap"], ap50=coco["ap50"])
