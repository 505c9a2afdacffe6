"""The numbers as people read them, the paper's rows among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.metrics import Score


@dataclass(frozen=True)
class PaperCase:
    """A row of the tables of Dadgar & Brunnett (VISAPP 2023, doi 10.5220/0011658900003417).

    ``iou``, ``acc`` and ``f1`` are None where the paper prints NAN; ``tph`` is None where it prints none.
    """

    case: str
    input: str
    hands: int
    training: str
    iou: float | None
    acc: float | None
    f1: float | None
    tph: int | None = None


PAPER: tuple[PaperCase, ...] = (
    PaperCase("C1", "Img1", 100, "synthetic only; one training of 5 epochs x 1000 steps, 4+", 0.837, 0.862, 0.926, 100),
    PaperCase("C2", "Img1", 100, "synthetic only; 10 repetitions, at most 5 epochs each", 0.89, 0.855, 0.922, 100),
)
"""The paper's cases that were trained on nothing but synthetic pictures and tested on photographs."""

COLUMNS = ("hands", "TP", "FP", "FN", "IoU", "Acc", "F1", "TPH", "AP", "AP50")


def cells(score: Score) -> list[str]:
    """A score as text, in the order of :data:`COLUMNS`."""
    values: list[Any] = [score.hands, score.tp, score.fp, score.fn, score.mean_iou, score.acc, score.f1]
    return [text(value) for value in [*values, score.tph, score.ap, score.ap50]]


def paper_cells(case: PaperCase) -> list[str]:
    """A row of the paper in the order of :data:`COLUMNS`; what it does not print is a dash."""
    nan = ["NAN" if value is None else text(value) for value in (case.iou, case.acc, case.f1)]
    return [str(case.hands), "–", "–", "–", *nan, text(case.tph), "–", "–"]


def text(value: Any) -> str:
    """A number as the tables show it: counts as they are, figures with three decimals, None as a dash."""
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value}"


def print_score(score: Score) -> None:
    """One score as a table on the screen."""
    table = Table(title=f"IoU ≥ {score.iou_threshold:g}, score ≥ {score.score_threshold:g} (AP: all scores)")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    table.add_row(*cells(score))
    Console().print(table)
