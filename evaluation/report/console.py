"""The tables on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from evaluation.metrics.compare import Row
from evaluation.metrics.detection_metrics import DetectionMetrics
from evaluation.metrics.extended_metrics import ExtendedMetrics
from evaluation.metrics.matching import Loaded
from evaluation.report import tables


def print_table(table: tables.Table) -> None:
    """One table; a column of notes stands below it, numbered."""
    notes: list[str] = []
    shown = RichTable(
        title=table.title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )
    for number, column in enumerate(table.columns):
        shown.add_column(column, justify="left" if number < table.left else "right", overflow="fold")
    for row in table.rows:
        shown.add_row(*(_noted(cell, notes) if number == table.notes else cell for number, cell in enumerate(row)))
    Console(markup=False, emoji=False).print(shown)  # names are shown as they are
    for number, note in enumerate(notes, start=1):
        print(f"({number}) {note}")


def _noted(cell: str, notes: list[str]) -> str:
    if cell == "–":
        return cell
    if cell not in notes:
        notes.append(cell)
    return f"({notes.index(cell) + 1})"


def print_score(score: DetectionMetrics, loaded: Loaded) -> None:
    """One score, and what has to be known of it."""
    print(f"{loaded.category}, IoU ≥ {score.iou_threshold:g}, score ≥ {score.score_threshold:g} (AP: all scores)")
    for note in loaded.notes:
        print(f"Note: {note}")
    print_table(tables.score_table([("", score)]).unlabelled())


def print_figures(of: str, figures: Mapping[str, float | int | None]) -> None:
    """Figures by their names, in one row."""
    names = tuple(name.upper() if name != "hands" else name for name in figures)
    print_table(tables.Table(of, names, [[tables.text(value) for value in figures.values()]], left=0))


def print_details(found: ExtendedMetrics) -> None:
    """Everything else about it."""
    for make in (
        tables.interval_table,
        tables.sweep_table,
        tables.coco_table,
        tables.outline_table,
        tables.error_table,
        tables.size_table,
    ):
        print_table(make([("", found)]).unlabelled())


def print_comparison(rows: Sequence[Row], notes: Sequence[Sequence[str]]) -> None:
    """Several scores with the notes of each, and their differences to the first.

    The files are numbered, as their paths may be long.
    """
    for number, (row, said) in enumerate(zip(rows, notes, strict=True), start=1):
        print("\n   Note: ".join([f"{number}: {row.name}", *said]))
    numbered = [(f"{number}", row) for number, row in enumerate(rows, start=1)]
    print_table(tables.score_table([(label, row.score) for label, row in numbered]))
    if len(rows) > 1:
        print_table(tables.difference_table(numbered))
