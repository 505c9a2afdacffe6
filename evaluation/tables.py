"""The numbers as people read them on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from evaluation.ap import NAMES as AP_NAMES
from evaluation.compare import Row
from evaluation.details import Details
from evaluation.metrics import Score

COLUMNS = ("hands", "TP", "FP", "FN", "IoU", "Acc", "F1", "TPH", "AP", "AP50")

NAMES = {"mean_iou": "IoU", "acc": "Acc", "f1": "F1"}
"""What the numbers that have intervals are called."""


def cells(score: Score) -> list[str]:
    """A score as text, in the order of :data:`COLUMNS`."""
    values: list[Any] = [score.hands, score.tp, score.fp, score.fn, score.mean_iou, score.acc, score.f1]
    return [text(value) for value in [*values, score.tph, score.ap, score.ap50]]


def text(value: Any) -> str:
    """A number as the tables show it: counts as they are, figures with three decimals, None as a dash."""
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value}"


def interval(ends: Sequence[float] | None) -> str:
    """An interval as ``0.812–0.861``."""
    return "–" if ends is None else f"{ends[0]:.3f}–{ends[1]:.3f}"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], left: int = 0) -> None:
    """A table on the screen; the first ``left`` columns are texts."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for number, column in enumerate(columns):
        if number < left:
            table.add_column(column, justify="left", overflow="fold")
        else:
            table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def print_score(score: Score) -> None:
    """One score."""
    title = f"IoU ≥ {score.iou_threshold:g}, score ≥ {score.score_threshold:g} (AP: all scores)"
    print_table(title, COLUMNS, [cells(score)])


def print_details(found: Details) -> None:
    """Everything else."""
    values = [interval(found.intervals[name]) for name in NAMES]
    print_table("95 % intervals over pictures", list(NAMES.values()), [values])
    print_table("by IoU threshold", *sweep_table(found))
    print_table("COCO", *coco_table(found))
    print_table("outlines", ("boundary IoU", "IoU a picture"), [[text(found.boundary_iou), text(found.picture_iou)]])
    print_table("errors", *error_table(found), left=2)
    print_table("by size of hand", *size_table(found), left=1)


def print_comparison(rows: Sequence[Row]) -> None:
    """Several scores, and their differences to the first; the files are numbered, as their paths may be long."""
    Console(soft_wrap=True).print("\n".join(f"{number}: {row.name}" for number, row in enumerate(rows, start=1)))
    print_table("side by side", ("", *COLUMNS), [[f"{n}", *cells(row.score)] for n, row in enumerate(rows, start=1)])
    if len(rows) > 1:
        columns, moved = difference_table([(f"{number}", row) for number, row in enumerate(rows, start=1)])
        print_table("differences to 1, with 95 % intervals", columns, moved)


def difference_table(named: Sequence[tuple[str, Row]]) -> tuple[tuple[str, ...], list[list[str]]]:
    """Columns and rows of the paired differences to the first."""
    rows = []
    for label, row in named:
        for name, values in (row.differences or {}).items():
            signed = ["–"] * 3 if values is None else [f"{value:+.3f}" for value in values]
            rows.append([label, NAMES[name], *signed])
    return ("", "", "difference", "from", "to"), rows


def sweep_table(found: Details) -> tuple[tuple[str, ...], list[list[str]]]:
    """Columns and rows of the numbers over IoU thresholds."""
    rows = [(n.tp, n.fp, n.fn, n.mean_iou, n.acc, n.f1, n.tph) for n in found.sweep]
    return ("IoU ≥", *COLUMNS[1:8]), [
        [f"{n.iou_threshold:g}", *map(text, row)] for n, row in zip(found.sweep, rows, strict=True)
    ]


def error_table(found: Details) -> tuple[tuple[str, ...], list[list[str]]]:
    """Columns and rows of the kinds of error."""
    kinds = found.errors
    rows: list[tuple[str, str, int]] = [
        ("FP", "a second prediction of a hand", kinds.duplicate),
        ("FP", "overlaps a hand, but too little", kinds.localisation),
        ("FP", "on the background", kinds.background),
        ("FN", "overlapped, but too little", kinds.outlined_badly),
        ("FN", "missed altogether", kinds.missed),
    ]
    return ("", "what", "count"), [[kind, what, f"{count}"] for kind, what, count in rows]


def size_table(found: Details) -> tuple[tuple[str, ...], list[list[str]]]:
    """Columns and rows of the hands by size."""
    rows = [[row.name, f"{row.hands}", f"{row.found}", text(row.mean_iou)] for row in found.sizes]
    return ("size", "hands", "found", "IoU"), rows


def coco_table(found: Details) -> tuple[tuple[str, ...], list[list[str]]]:
    """Columns and the row of COCO's figures."""
    columns = ("AP", "AP50", "AP75", "AP s", "AP m", "AP l", "AR1", "AR10", "AR100")
    return columns, [[text(found.coco[name]) for name in AP_NAMES]]
