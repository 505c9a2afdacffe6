"""Metrics as tables of text, for the terminal, the report and CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.metrics.average_precision import NAMES as COCO_NAMES
from evaluation.metrics.bootstrap import Difference, sampled
from evaluation.metrics.by_category import CategoryMetrics, Confusion
from evaluation.metrics.classification import Classified
from evaluation.metrics.compare import Row
from evaluation.metrics.extended_metrics import ExtendedMetrics
from evaluation.metrics.paper_metrics import DetectionMetrics
from handforge.csv_text import csv_text

RATES = {"mean_iou": "IoU", "acc": "Acc", "f1": "F1"}
"""Column headings of the paper's rates."""

INTERVALS = {**RATES, "ap": "AP"}
"""Column headings of the metrics that have intervals."""

DIFFERENCES = "differences to the first, with 95 % intervals"
DIFFERENCE_COLUMNS = ("", "", "difference", "from", "to", "over")

COLUMNS = {
    "hands": "annotated hands (the paper's TtlHnd)",
    "objects": "annotated objects of the scored categories",
    "TP": "true positives: hands with a prediction of enough IoU, matched one-to-one in falling score",
    "FP": "false positives: predictions that match no hand, or one that is taken",
    "FN": "false negatives: hands without a prediction",
    "IoU": "mean IoU of the masks of true positives, intersection over union",
    "Acc": "TP / (TP + FP + FN)",
    "F1": "2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall",
    "TPH": "true positives with the highest score of their image; as many as images with hands, at best",
    "AP": "COCO's average precision, mean over IoU 0.50 to 0.95, all scores and categories",
    "AP50": "COCO's average precision at IoU 0.50",
    "AP75": "COCO's average precision at IoU 0.75",
    "AP s": "AP of objects of less than 32² pixels",
    "AP m": "AP of objects of 32² to 96² pixels",
    "AP l": "AP of objects of more than 96² pixels",
    "AR1": "average recall with at most 1 prediction an image",
    "AR10": "average recall with at most 10 predictions an image",
    "AR100": "average recall with at most 100 predictions an image",
    "empty": "images in which no hand is annotated",
    "FP/empty": "false positives per image without a hand",
    "IoU ≥": "the IoU threshold of a true positive",
    "boundary IoU": "mean IoU of the masks' rims, over true positives",
    "image IoU": "IoU of all predicted with all annotated pixels, mean over images",
    "FP duplicate": "on a hand that a prediction with a higher score has matched",
    "FP outline": "on a hand, but below the IoU threshold",
    "FP category": "on an object of another category",
    "FP background": "on no hand",
    "FN outline": "hands with a false positive on them",
    "FN missed": "hands with no prediction on them",
    "over": "what intervals are over: images, or where the dataset says which belong together, as those of a video or "
    "person, groups of them",
    "type": "of the training and test images, A to R: A without real images, B the same trained repetitively, C to R "
    "by what of the real images is annotated and how similar they are to the test set",
    "subset": "the part of the training images that the session trained on",
    "layers": "the layers that the session trained: all, or stage 3, 4, 5 and up, or the heads alone",
    "saturated at step": "the step after which the loss no longer fell",
    "of its steps": "that step as a fraction of the session's",
}
"""What columns mean, for the report's headings and legend."""


@dataclass(frozen=True)
class Table:
    """A table of text.

    :param columns: as many as every row has cells; the first ``left`` of them are words, the others numbers.
    :param notes: the column that is too long for a terminal, if there is one.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    left: int = 1
    notes: int | None = None

    def unlabelled(self) -> Table:
        """Drop the first column, for a single results file."""
        return replace(self, columns=self.columns[1:], rows=[row[1:] for row in self.rows], left=self.left - 1)

    def csv(self) -> str:
        """Write as CSV, with a line of columns; a dash becomes an empty cell."""
        return csv_text([self.columns, *([cell if cell != "–" else "" for cell in row] for row in self.rows)])


def text(value: Any) -> str:
    """Show a value as the tables do: counts as they are, figures with three decimals, None as a dash."""
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value}"


def interval(ends: Sequence[float] | None) -> str:
    """Show an interval as ``0.812–0.861``."""
    return "–" if ends is None else f"{ends[0]:.3f}–{ends[1]:.3f}"


def signed(difference: Difference | None) -> list[str]:
    """Show a difference and the ends of its interval, each with its sign; None as dashes."""
    return ["–" if value is None else f"{value:+.3f}" for value in difference or (None, None, None)]


def score_table(named: Sequence[tuple[str, DetectionMetrics]], hands: bool = True) -> Table:
    """The paper's metrics and AP; false positives in images without hands where there are such images.

    :param hands: whether hands are scored, or objects of other categories.
    """
    columns: tuple[str, ...] = (
        "",
        "hands" if hands else "objects",
        "TP",
        "FP",
        "FN",
        "IoU",
        "Acc",
        "F1",
        "TPH",
        "AP",
        "AP50",
    )
    empty = any(score.images_without_hands for _, score in named)
    rows = []
    for name, s in named:
        values: list[Any] = [s.hands, s.tp, s.fp, s.fn, s.mean_iou, s.acc, s.f1, s.tph, s.ap, s.ap50]
        if empty:
            values += [s.images_without_hands, s.false_positives_per_empty_image]
        rows.append([name, *map(text, values)])
    return Table("scores", (*columns, "empty", "FP/empty") if empty else columns, rows)


def category_table(named: Sequence[tuple[str, CategoryMetrics]]) -> Table:
    """The metrics of each category, and their mean."""
    columns = ("", "category", "objects", "TP", "FP", "FN", "IoU", "Acc", "F1", "AP", "AP50")
    rows = []
    for name, found in named:
        for category, s in found.categories.items():
            values = (s.hands, s.tp, s.fp, s.fn, s.mean_iou, s.acc, s.f1, s.ap, s.ap50)
            rows.append([name, category, *map(text, values)])
        rows.append([name, "mean", "–", "–", "–", "–", *map(text, found.mean.values())])
    return Table("by category", columns, rows, left=2)


def classification_tables(name: str, found: Classified) -> list[tuple[Table, str]]:
    """Top-1 and the figures of each class, and which class is taken for which; each with its explanation."""
    rows = [[name, *map(text, (kind, row.images, row.recall, row.precision))] for kind, row in found.classes.items()]
    rows.append([name, "all, mean recall", *map(text, (found.images, found.mean_recall, None))])
    title = f"classes of images, top-1 {text(found.top1)}{f', {name}' if name else ''}"
    table = Table(title, ("", "class", "images", "recall", "precision"), rows, left=2)
    return [
        (table, "Top-1: the fraction of images whose most probable class is the annotated one."),
        (confusion_table(name, found.confusion), "Last column: images without a prediction."),
    ]


def class_score_table(named: Sequence[tuple[str, Classified]]) -> Table:
    """Top-1 and mean recall of several classifications of the same images, one row each."""
    rows = [[name, *map(text, (found.images, found.top1, found.mean_recall))] for name, found in named]
    return Table("classes of images", ("", "images", "top-1", "mean recall"), rows)


def class_difference_table(named: Sequence[tuple[str, Classified]]) -> Table:
    """Paired differences of top-1 to the first one."""
    (_, first), *others = named
    rows = [[name, "top-1", *signed(found.rise(first)), sampled(found.group)] for name, found in others]
    return Table(DIFFERENCES, DIFFERENCE_COLUMNS, rows, left=2)


def confusion_table(name: str, found: Confusion) -> Table:
    """Which category is predicted for which, one row an annotated category."""
    labels = [*found.categories, *(["nothing"] if any(found.counts[-1]) else [])]
    rows = [[label, *map(str, counts)] for label, counts in zip(labels, found.counts, strict=False)]
    title = f"annotated (rows) and predicted categories{f', {name}' if name else ''}"
    return Table(title, ("", *found.categories, "nothing"), rows)


def interval_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """95 % intervals."""
    rows = [
        [name, *(interval(metrics.intervals[rate]) for rate in INTERVALS), metrics.intervals_over]
        for name, metrics in named
    ]
    return Table("95 % intervals", ("", *INTERVALS.values(), "over"), rows)


def sweep_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """The paper's metrics over IoU thresholds."""
    columns = ("", "IoU ≥", "TP", "FP", "FN", "IoU", "Acc", "F1", "TPH")
    rows = []
    for name, metrics in named:
        for n in metrics.sweep:
            values = map(text, (n.tp, n.fp, n.fn, n.mean_iou, n.acc, n.f1, n.tph))
            rows.append([name, f"{n.iou_threshold:g}", *values])
    return Table("by IoU threshold", columns, rows)


def coco_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """COCO's figures."""
    columns = ("", "AP", "AP50", "AP75", "AP s", "AP m", "AP l", "AR1", "AR10", "AR100")
    rows = [[name, *(text(metrics.coco[figure]) for figure in COCO_NAMES)] for name, metrics in named]
    return Table("COCO", columns, rows)


def outline_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """Boundary IoU, and IoU without instances."""
    rows = [[name, text(metrics.boundary_iou), text(metrics.image_iou)] for name, metrics in named]
    return Table("outlines", ("", "boundary IoU", "image IoU"), rows)


def error_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """Kinds of error; confused categories where there are any."""
    confused = any(metrics.errors.classification for _, metrics in named)
    columns = ("", "FP duplicate", "FP outline", *(("FP category",) if confused else ()), "FP background")
    rows = []
    for name, metrics in named:
        kinds = metrics.errors
        other = [kinds.classification] if confused else []
        counts = (kinds.duplicate, kinds.localisation, *other, kinds.background, kinds.outlined_badly, kinds.missed)
        rows.append([name, *map(text, counts)])
    return Table("errors", (*columns, "FN outline", "FN missed"), rows)


def size_table(named: Sequence[tuple[str, ExtendedMetrics]]) -> Table:
    """Recall by size."""
    rows = [
        [name, size.name, *map(text, (size.hands, size.true_positives, size.mean_iou))]
        for name, metrics in named
        for size in metrics.sizes
        if size.hands
    ]
    return Table("by size of hand", ("", "size", "hands", "TP", "IoU"), rows, left=2)


def difference_table(named: Sequence[tuple[str, Row]]) -> Table:
    """Paired differences to the first results file, one row a metric."""
    rows = []
    for label, row in named:
        for name, values in (row.differences or {}).items():
            rows.append([label, INTERVALS[name], *signed(values), row.intervals_over])
    return Table(DIFFERENCES, DIFFERENCE_COLUMNS, rows, left=2)
