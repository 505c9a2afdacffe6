"""Precision, recall and F1 over all scores, and the paper's metrics over IoU thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.matching import ImageEval, Match, MatchOptions, match_all
from evaluation.metrics.paper_metrics import PaperMetrics, paper_metrics

SWEEP = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""The IoU thresholds of a sweep; the paper's, which it does not state, lies below 0.5."""


@dataclass(frozen=True)
class Curve:
    """Precision, recall and F1 when every prediction from a score up counts; arrays of shape (K,), scores falling."""

    scores: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def curve(images: Sequence[ImageEval], iou_threshold: float) -> Curve:
    """Compute the curve of a results file, a point for each distinct score. Recall is 0 where there is no object.

    Predictions are matched in falling score, so the matches above any score are the same as when only those count.
    """
    matches = match_all(images, MatchOptions(iou_threshold, 0.0))
    counted = [_counted(image, match) for image, match in zip(images, matches, strict=True)]
    scores, matched = np.concatenate([np.zeros((2, 0)), *counted], axis=1)
    order = np.argsort(-scores, kind="stable")
    scores, tp = scores[order], np.cumsum(matched[order])
    last = np.flatnonzero(np.append(np.diff(scores) != 0, True)) if len(scores) else np.zeros(0, int)
    objects = sum(len(image.ground_truth) for image in images)
    tp, count = tp[last], last + 1
    return Curve(scores[last], tp / count, tp / max(objects, 1), 2 * tp / (count + objects))


def _counted(image: ImageEval, match: Match) -> np.ndarray:
    """(2, K) scores of the predictions that count, and 1 where they match; those in crowd regions are left out."""
    matched = [prediction for prediction, _ in match.true_positives]
    scores = image.scores[[*matched, *match.false_positives]] if len(image.predictions) else np.zeros(0)
    return np.stack([scores, np.arange(len(scores)) < len(matched)])


def sweep(images: Sequence[ImageEval], score_threshold: float) -> list[PaperMetrics]:
    """Compute the paper's metrics at every IoU threshold of :data:`SWEEP`."""
    return [paper_metrics(images, MatchOptions(iou, score_threshold)) for iou in SWEEP]
