"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation import tables
from evaluation.metrics.box_keypoint_ap import PlaceMetrics
from evaluation.metrics.by_category import CategoryMetrics
from evaluation.metrics.classification import Classified
from evaluation.metrics.compare import Row
from evaluation.metrics.extended_metrics import ExtendedMetrics
from evaluation.metrics.matching import Loaded
from evaluation.metrics.paper_metrics import DetectionMetrics
from evaluation.metrics.scope import SAME_HANDS
from handforge.console import echo
from handforge.text import counted
from handforge.text_table import print_columns


def print_table(table: tables.Table) -> None:
    """Print one table. A column of notes stands below it, numbered."""
    notes: list[str] = []
    rows = [
        [_noted(cell, notes) if number == table.notes else cell for number, cell in enumerate(row)]
        for row in table.rows
    ]
    print_columns(table.columns, rows, table.left, table.title)
    for number, note in enumerate(notes, start=1):
        echo(f"({number}) {note}")


def _noted(cell: str, notes: list[str]) -> str:
    if cell == "–":
        return cell
    if cell not in notes:
        notes.append(cell)
    return f"({notes.index(cell) + 1})"


def print_score(score: DetectionMetrics, loaded: Loaded, categories: CategoryMetrics | None) -> None:
    """Print one score, with the notes that belong to it."""
    scored = ", ".join(loaded.categories)
    echo(f"{scored}, IoU ≥ {score.iou_threshold:g}, score ≥ {score.score_threshold:g} (AP: all scores)")
    for note in loaded.notes:
        echo(f"Note: {note}")
    hands = SAME_HANDS.issuperset(loaded.categories)
    print_table(tables.score_table([("", score)], hands).unlabelled())
    if score.images_without_hands:
        echo(
            f"In {counted(score.images_without_hands, 'image')} without annotations (empty) there are "
            f"{tables.text(score.false_positives_per_empty_image)} false positives per image."
        )
    if categories:
        print_table(tables.category_table([("", categories)]).unlabelled())
        print_table(tables.confusion_table("", categories.confusion))


def print_classified(found: Classified) -> None:
    """Print scored classes of images."""
    for note in found.notes:
        echo(f"Note: {note}")
    classes, confused = (table for table, _ in tables.classification_tables("", found))
    print_table(classes.unlabelled())
    print_table(confused)


def print_class_comparison(named: Sequence[tuple[str, Classified]]) -> None:
    """Print several scored classifications, numbered, with their differences to the first."""
    for number, (name, found) in enumerate(named, start=1):
        echo("\n   Note: ".join([f"{number}: {name}", *found.notes]))
    numbered = [(f"{number}", found) for number, (_, found) in enumerate(named, start=1)]
    print_table(tables.class_score_table(numbered))
    if len(named) > 1:
        print_table(tables.class_difference_table(numbered))


def print_figures(of: str, metrics: PlaceMetrics) -> None:
    """Print notes, figures by their names in one row, and a row for each of several categories."""
    rows = {**metrics.categories, "mean": metrics.figures} if metrics.categories else {"": metrics.figures}
    for note in metrics.notes:
        echo(f"Note: {note}")
    counted = "hands" if SAME_HANDS.issuperset(metrics.scored) else "objects"
    columns = ("", *(name.upper() if name != "hands" else counted for name in metrics.figures))
    cells = [[label, *(tables.text(row[name]) for name in metrics.figures)] for label, row in rows.items()]
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
        echo("\n   Note: ".join([f"{number}: {row.name}", *one.notes]))
    numbered = [(f"{number}", row) for number, row in enumerate(rows, start=1)]
    hands = all(SAME_HANDS.issuperset(one.categories) for one in loaded)
    print_table(tables.score_table([(label, row.score) for label, row in numbered], hands))
    by_category = [(f"{number}", found) for number, found in enumerate(categories, start=1) if found]
    if by_category:
        print_table(tables.category_table(by_category))
    if len(rows) > 1:
        print_table(tables.difference_table(numbered))
