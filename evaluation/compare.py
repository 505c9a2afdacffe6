"""Several results of one dataset side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.bootstrap import differences
from evaluation.matching import Picture
from evaluation.metrics import Score, Tally, match_all, score, tally


@dataclass(frozen=True)
class Row:
    """One results file.

    :param name: its path.
    :param differences: to the first row, by :func:`evaluation.bootstrap.differences`; None in the first row itself.
    """

    name: str
    score: Score
    differences: dict[str, tuple[float, float, float] | None] | None


def compare(named: Sequence[tuple[str, Sequence[Picture]]], iou_threshold: float, score_threshold: float) -> list[Row]:
    """Score each results file, given as its name and its pictures of one dataset, and compare it with the first."""
    first: Tally | None = None
    rows = []
    for name, pictures in named:
        counts = tally(pictures, match_all(pictures, iou_threshold, score_threshold))
        moved = differences(first, counts) if first is not None else None
        rows.append(Row(name, score(pictures, iou_threshold, score_threshold), moved))
        first = first or counts
    return rows
