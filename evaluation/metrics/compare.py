"""Several results of one dataset side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.metrics.average_precision import Ranked, evaluated, figures, ranked
from evaluation.metrics.bootstrap import Difference, differences, sampled
from evaluation.metrics.matching import ImageEval, MatchOptions, match_all
from evaluation.metrics.paper_metrics import DetectionMetrics, Tally, paper_metrics, tally, with_ap


@dataclass(frozen=True)
class Row:
    """One results file.

    :param name: its path.
    :param differences: to the first row, by :func:`evaluation.metrics.bootstrap.differences`; None in the first row
        itself.
    :param intervals_over: :func:`evaluation.metrics.bootstrap.sampled`.
    """

    name: str
    score: DetectionMetrics
    differences: dict[str, Difference | None] | None
    intervals_over: str


def compare(named: Sequence[tuple[str, Sequence[ImageEval]]], options: MatchOptions) -> list[Row]:
    """Score each results file, given as its name and its images of one dataset, and compare it with the first."""
    first: tuple[Tally, list[Ranked]] | None = None
    rows = []
    for name, images in named:
        evaluation = evaluated(images)
        metrics = with_ap(paper_metrics(images, options), figures(evaluation))
        counts = tally(images, match_all(images, options)), ranked(evaluation)
        rows.append(Row(name, metrics, differences(*first, *counts) if first else None, sampled(counts[0].group)))
        first = first or counts
    return rows
