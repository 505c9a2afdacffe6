"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from evaluation.metrics.by_category import CategoryMetrics
from evaluation.metrics.compare import Row
from evaluation.metrics.detection_metrics import DetectionMetrics
from evaluation.metrics.extended_metrics import ExtendedMetrics
from evaluation.metrics.matching import Loaded
from evaluation.metrics.scope import SAME_HANDS
from evaluation.report import tables

GAP = 2
"""Blanks that a column takes beside its cells; of the last one, those at the table's edges."""


def print_table(table: tables.Table) -> None:
    """Print one table. A column of notes stands below it, numbered.

    On a terminal that is too narrow, further columns follow below the first, so that no number or word is cut. Where
    the output is a file or a pipe, a row is one line.
    """
    notes: list[str] = []
    rows = [
        [_noted(cell, notes) if number == table.notes else cell for number, cell in enumerate(row)]
        for row in table.rows
    ]
    console = Console(markup=False, emoji=False, highlight=False)  # names are shown as they are
    width = console.width if console.is_terminal else 10_000
    console = Console(markup=False, emoji=False, highlight=False, width=width, soft_wrap=not console.is_terminal)
    title: str | None = table.title
    for columns in _parts(table, rows, width):
        shown = RichTable(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for number in columns:
            number_column = number >= table.left
            justify: Literal["left", "right"] = "right" if number_column else "left"
            shown.add_column(table.columns[number], justify=justify, overflow="fold", no_wrap=number_column)
        for row in rows:
            shown.add_row(*(row[number] for number in columns))
        console.print(shown)
        title = None
    for number, note in enumerate(notes, start=1):
        print(f"({number}) {note}")


def _parts(table: tables.Table, rows: Sequence[Sequence[str]], width: int) -> Iterator[list[int]]:
    """Column indices of each part that fits into a width; every part begins with the columns of words."""
    widths = [max(map(len, cells)) + GAP for cells in zip(table.columns, *rows, strict=True)]
    labels = list(range(table.left))
    used, part = sum(widths[: table.left]), list(labels)
    for number in range(table.left, len(widths)):
        if part != labels and used + widths[number] > width:
            yield part
            used, part = sum(widths[: table.left]), list(labels)
        part.append(number)
        used += widths[number]
    yield part


def _noted(cell: str, notes: list[str]) -> str:
    if cell == "–":
        return cell
    if cell not in notes:
        notes.append(cell)
    return f"({notes.index(cell) + 1})"


def print_score(score: DetectionMetrics, loaded: Loaded, categories: CategoryMetrics | None) -> None:
    """Print one score, with the notes that belong to it."""
    scored = ", ".join(loaded.categories)
    print(f"{scored}, IoU ≥ {score.iou_threshold:g}, score ≥ {score.score_threshold:g} (AP: all scores)")
    for note in loaded.notes:
        print(f"Note: {note}")
    hands = SAME_HANDS.issuperset(loaded.categories)
    print_table(tables.score_table([("", score)], hands).unlabelled())
    if score.images_without_hands:
        print(
            f"In {score.images_without_hands} images without annotations (empty) there are "
            f"{tables.text(score.false_positives_per_empty_image)} false positives per image."
        )
    if categories:
        print_table(tables.category_table([("", categories)]).unlabelled())
        print_table(tables.confusion_table("", categories.confusion))


def print_figures(of: str, figures: Mapping[str, Any]) -> None:
    """Print notes, figures by their names in one row, and a row for each of several categories."""
    rows = {**figures.get("categories", {}), "mean": figures} if "categories" in figures else {"": figures}
    for note in figures["notes"]:
        print(f"Note: {note}")
    names = [name for name in figures if name not in ("categories", "notes")]
    columns = ("", *(name.upper() if name != "hands" else name for name in names))
    cells = [[label, *(tables.text(row[name]) for name in names)] for label, row in rows.items()]
    table = tables.Table(of, columns, cells)
    print_table(table if len(rows) > 1 else table.unlabelled())


def print_details(metrics: ExtendedMetrics) -> None:
    """Print all further metrics."""
    for make in (
        tables.interval_table,
        tables.sweep_table,
        tables.coco_table,
        tables.outline_table,
        tables.error_table,
        tables.size_table,
    ):
        print_table(make([("", metrics)]).unlabelled())


def print_comparison(
    rows: Sequence[Row], loaded: Sequence[Loaded], categories: Sequence[CategoryMetrics | None]
) -> None:
    """Print several scores with the notes of each, and their differences to the first.

    The files are numbered, as their paths may be long.
    """
    for number, (row, one) in enumerate(zip(rows, loaded, strict=True), start=1):
        print("\n   Note: ".join([f"{number}: {row.name}", *one.notes]))
    numbered = [(f"{number}", row) for number, row in enumerate(rows, start=1)]
    hands = all(SAME_HANDS.issuperset(one.categories) for one in loaded)
    print_table(tables.score_table([(label, row.score) for label, row in numbered], hands))
    by_category = [(f"{number}", found) for number, found in enumerate(categories, start=1) if found]
    if by_category:
        print_table(tables.category_table(by_category))
    if len(rows) > 1:
        print_table(tables.difference_table(numbered))
