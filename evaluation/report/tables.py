"""The numbers as tables of text, for the screen, the report and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.metrics.average_precision import NAMES as COCO_NAMES
from evaluation.metrics.compare import Row
from evaluation.metrics.detection_metrics import DetectionMetrics
from evaluation.metrics.extended_metrics import ExtendedMetrics

RATES = {"mean_iou": "IoU", "acc": "Acc", "f1": "F1"}
"""What the paper's rates are called."""

SURE = {**RATES, "ap": "AP"}
"""What the numbers that have intervals are called."""


@dataclass(frozen=True)
class Table:
    """A table of text.

    :param columns: as many as every row has cells; the first ``left`` of them are words, the others numbers.
    :param notes: the column that is too long for a screen, if there is one.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    left: int = 1
    notes: int | None = None

    def unlabelled(self) -> Table:
        """Without its first column, for a single results file."""
        return replace(self, columns=self.columns[1:], rows=[row[1:] for row in self.rows], left=self.left - 1)

    def csv(self) -> str:
        """As CSV, with a line of columns; a dash becomes an empty cell."""
        return csv_text([self.columns, *([cell if cell != "–" else "" for cell in row] for row in self.rows)])


def csv_text(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as the text of a CSV file."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def text(value: Any) -> str:
    """A number as the tables show it: counts as they are, figures with three decimals, None as a dash."""
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value}"


def interval(ends: Sequence[float] | None) -> str:
    """An interval as ``0.812–0.861``."""
    return "–" if ends is None else f"{ends[0]:.3f}–{ends[1]:.3f}"


def score_table(named: Sequence[tuple[str, DetectionMetrics]]) -> Table:
    """The paper's numbers and AP."""
    columns = ("", "hands", "TP", "FP", "FN", "IoU", "Acc", "F1", "TPH", "AP", "AP50")
    rows = []
    for name, s in named:
        rows.append([name, *map(text, (s.hands, s.tp, s.fp, s.fn, s.mean_iou, s.acc, s.f1, s.tph, s.ap, s.ap50))])
    return Table("scores", columns, rows)


def interval_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """95 % intervals."""
    rows = [[name, *(interval(found.intervals[rate]) for rate in SURE)] for name, found in named]
    return Table("95 % intervals over images", ("", *SURE.values()), rows)


def sweep_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """The paper's numbers over IoU thresholds."""
    columns = ("", "IoU ≥", "TP", "FP", "FN", "IoU", "Acc", "F1", "TPH")
    rows = []
    for name, found in named:
        for n in found.sweep:
            values = map(text, (n.tp, n.fp, n.fn, n.mean_iou, n.acc, n.f1, n.tph))
            rows.append([name, f"{n.iou_threshold:g}", *values])
    return Table("by IoU threshold", columns, rows)


def coco_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """COCO's figures, boundary IoU and the IoU an image."""
    columns = ("", "AP", "AP50", "AP75", "AP s", "AP m", "AP l", "AR1", "AR10", "AR100")
    rows = [[name, *(text(found.coco[figure]) for figure in COCO_NAMES)] for name, found in named]
    return Table("COCO", columns, rows)


def outline_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """Boundary IoU, and IoU without instances."""
    rows = [[name, text(found.boundary_iou), text(found.picture_iou)] for name, found in named]
    return Table("outlines", ("", "boundary IoU", "IoU an image"), rows)


def error_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """Kinds of error."""
    columns = ("", "FP twice", "FP outline", "FP background", "FN outline", "FN missed")
    rows = []
    for name, found in named:
        kinds = found.errors
        counts = (kinds.duplicate, kinds.localisation, kinds.background, kinds.outlined_badly, kinds.missed)
        rows.append([name, *map(text, counts)])
    return Table("errors", columns, rows)


def size_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """Hands by size."""
    rows = [
        [name, size.name, *map(text, (size.hands, size.found, size.mean_iou))]
        for name, found in named
        for size in found.sizes
        if size.hands
    ]
    return Table("by size of hand", ("", "size", "hands", "found", "IoU"), rows, left=2)


def difference_table(named: Sequence[tuple[str, Row]]) -> Table:
    """Paired differences to the first results file, one row a number."""
    rows = []
    for label, row in named:
        for name, values in (row.differences or {}).items():
            signed = ["–"] * 3 if values is None else [f"{value:+.3f}" for value in values]
            rows.append([label, SURE[name], *signed])
    return Table("differences to the first, with 95 % intervals", ("", "", "difference", "from", "to"), rows, left=2)
