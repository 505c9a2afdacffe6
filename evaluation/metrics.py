"""The paper's numbers (Dadgar & Brunnett, VISAPP 2023): mean IoU, Acc, F1, TPH, TtlHnd, from counts a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evaluation.ap import average_precision
from evaluation.matching import Match, Picture, match

IOU_THRESHOLD = 0.5
"""A prediction finds a hand when their masks' IoU is at least this. The paper does not state its own."""

SCORE_THRESHOLD = 0.5
"""Predictions below this score are left out of everything but AP, which is about all scores."""


@dataclass(frozen=True)
class Tally:
    """What was found, picture by picture: five arrays of shape (N,).

    :param hands: true hands.
    :param tp: hands found.
    :param fp: false predictions.
    :param iou_sum: sum of the IoU of the hands found.
    :param top: 1 where the prediction with the highest score of the picture found a hand, else 0.
    """

    hands: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    iou_sum: np.ndarray
    top: np.ndarray


@dataclass(frozen=True)
class Score:
    """The numbers of one results file.

    ``hands`` is the paper's TtlHnd; ``mean_iou`` is over the true positives and None without one; ``acc`` is
    TP/(TP+FP+FN) and ``f1`` 2TP/(2TP+FP+FN), both None where there is neither a hand nor a prediction; ``tph`` counts
    the true positives that have the highest score of their picture; ``ap`` is COCO's AP over IoU 0.50:0.95 and ``ap50``
    that at IoU 0.50, None without a hand.
    """

    hands: int
    tp: int
    fp: int
    fn: int
    mean_iou: float | None
    acc: float | None
    f1: float | None
    tph: int
    ap: float | None
    ap50: float | None
    iou_threshold: float
    score_threshold: float

    def as_json(self) -> dict[str, Any]:
        """What ``score --json`` writes."""
        return asdict(self)


def tally(pictures: Sequence[Picture], matches: Sequence[Match]) -> Tally:
    """Count every picture's match."""
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


def rates(hands: Any, tp: Any, fp: Any, iou_sum: Any) -> tuple[Any, Any, Any]:
    """Mean IoU, Acc and F1 of sums over pictures; numbers or arrays alike, NaN where there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_iou = np.divide(iou_sum, tp)
        acc = np.divide(tp, hands + fp)
        f1 = np.divide(2 * tp, hands + tp + fp)
    return mean_iou, acc, f1


def score(
    pictures: Sequence[Picture], iou_threshold: float = IOU_THRESHOLD, score_threshold: float = SCORE_THRESHOLD
) -> Score:
    """The numbers of a results file at one IoU and one score threshold."""
    counts = tally(pictures, [match(picture, iou_threshold, score_threshold) for picture in pictures])
    hands, tp, fp = int(counts.hands.sum()), int(counts.tp.sum()), int(counts.fp.sum())
    mean_iou, acc, f1 = (
        None if np.isnan(value) else float(value) for value in rates(hands, tp, fp, counts.iou_sum.sum())
    )
    ap = average_precision(pictures)
    return Score(
        hands=hands,
        tp=tp,
        fp=fp,
        fn=hands - tp,
        mean_iou=mean_iou,
        acc=acc,
        f1=f1,
        tph=int(counts.top.sum()),
        ap=ap["ap"],
        ap50=ap["ap50"],
        iou_threshold=iou_threshold,
        score_threshold=score_threshold,
    )
