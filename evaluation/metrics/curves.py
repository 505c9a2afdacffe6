"""Precision, recall and F1 over all scores, and the paper's numbers over IoU thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.detection_metrics import PaperMetrics, match_all, paper_metrics
from evaluation.metrics.matching import ImageEval

SWEEP = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The IoU thresholds of a sweep; the paper's, which it does not state, lies below 0.5."""


@dataclass(frozen=True)
class Curve:
    """Precision, recall and F1 when every prediction from a score up counts; arrays of shape (K,), scores falling."""

    scores: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def curve(pictures: Sequence[ImageEval], iou_threshold: float) -> Curve:
    """The curve of a results file; one point a distinct score. Recall is 0 where there is no hand.

    Predictions are matched in falling score, so the matches above any score are the same as when only those count.
    """
    matches = match_all(pictures, iou_threshold, 0.0)
    scores = np.concatenate([picture.scores for picture in pictures])
    right = np.concatenate([_right(len(p.predictions), m.found) for p, m in zip(pictures, matches, strict=True)])
    order = np.argsort(-scores, kind="stable")
    scores, tp = scores[order], np.cumsum(right[order])
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.zeros(0, int)
    hands = sum(len(picture.truth) for picture in pictures)
    found, count = tp[last], last + 1
    return Curve(scores[last], found / count, found / max(hands, 1), 2 * found / (count + hands))


def _right(count: int, found: list[tuple[int, int]]) -> np.ndarray:
    right = np.zeros(count)
    right[[prediction for prediction, _ in found]] = 1
    return right


def sweep(pictures: Sequence[ImageEval], score_threshold: float) -> list[PaperMetrics]:
    """The paper's numbers at every IoU threshold of :data:`SWEEP`."""
    return [paper_metrics(pictures, iou, score_threshold) for iou in SWEEP]
