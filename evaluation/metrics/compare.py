"""Several results of one dataset side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.metrics.average_precision import Ranked, evaluated, figures, ranked
from evaluation.metrics.bootstrap import differences
from evaluation.metrics.detection_metrics import DetectionMetrics, Tally, match_all, paper_metrics, tally, with_ap
from evaluation.metrics.matching import ImageEval


@dataclass(frozen=True)
class Row:
    """One results file.

    :param name: its path.
    :param differences: to the first row, by :func:`evaluation.metrics.bootstrap.differences`; None in the first row
        itself.
    """

    name: str
    score: DetectionMetrics
    differences: dict[str, tuple[float, float, float] | None] | None


def compare(
    named: Sequence[tuple[str, Sequence[ImageEval]]], iou_threshold: float, score_threshold: float
) -> list[Row]:
    """Score each results file, given as its name and its images of one dataset, and compare it with the first."""
    first: tuple[Tally, Ranked] | None = None
    rows = []
    for name, pictures in named:
        evaluation = evaluated(pictures)
        found = with_ap(paper_metrics(pictures, iou_threshold, score_threshold), figures(evaluation))
        counts = tally(pictures, match_all(pictures, iou_threshold, score_threshold)), ranked(evaluation)
        rows.append(Row(name, found, differences(*first, *counts) if first else None))
        first = first or counts
    return rows
