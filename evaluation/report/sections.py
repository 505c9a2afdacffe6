"""The report's scores, curves, tables and training."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from evaluation import tables
from evaluation.metrics.by_category import CategoryMetrics, category_metrics
from evaluation.metrics.compare import compare
from evaluation.metrics.curves import Curve, curve
from evaluation.metrics.extended_metrics import ExtendedMetrics, extended_metrics
from evaluation.metrics.matching import Match, MatchOptions, match_all
from evaluation.metrics.paper_metrics import DetectionMetrics, paper_metrics, with_ap
from evaluation.metrics.results import is_number
from evaluation.metrics.scope import SAME_HANDS
from evaluation.paper.cases import PAPER_IOU, case_table, changed, our_results
from evaluation.paper.published import SYNTHETIC, Case
from evaluation.records import plain
from evaluation.report import figures
from evaluation.runs.paths import shorten
from evaluation.runs.run_folder import Predicted, Run
from evaluation.tables import Table
from handforge.csv_text import csv_text
from handforge.dataset import Dataset
from handforge.run_records import RecipePart

SESSION_COLUMNS = {
    "session": "session",
    "subset": "subset",
    "images": "images",
    "epochs": "epochs",
    "steps": "steps",
    "layers": "layers",
    "lr": "learning rate",
    "average_loss": "average loss",
    "validation_loss": "validation loss",
    "saturation_step": "saturated at step",
    "saturation_share": "of its steps",
}
"""Columns of the table of sessions, by the keys of ``run.json``."""

FACTS: Final = ("data", "real", "replicate", "seed", "precision", "versions", "git", "handforge")
"""Further keys of ``run.json`` that the report shows."""


@dataclass(frozen=True)
class Scored:
    """One predictions folder with ground truth, scored."""

    label: str
    predicted: Predicted
    dataset: Dataset
    score: DetectionMetrics
    details: ExtendedMetrics
    curve: Curve
    matches: list[Match]
    categories: CategoryMetrics | None


def measure(label: str, predicted: Predicted, options: MatchOptions) -> Scored:
    """Score a predictions folder that has ground truth."""
    assert predicted.dataset is not None
    images = predicted.images
    matches = match_all(images, options)
    details = extended_metrics(images, matches, options)
    return Scored(
        label=label,
        predicted=predicted,
        dataset=predicted.dataset,
        score=with_ap(paper_metrics(images, options), details.coco),
        details=details,
        curve=curve(images, options.iou),
        matches=matches,
        categories=category_metrics(images, predicted.categories, options),
    )


def paper_cases(scored: list[Scored]) -> tuple[Case, ...]:
    """The paper's cases that stand below the scores: none where nothing is scored, or other objects than hands are."""
    return SYNTHETIC if scored and _of_hands(scored) else ()


def _of_hands(scored: list[Scored]) -> bool:
    return all(SAME_HANDS.issuperset(item.predicted.categories) for item in scored)


def score_table(scored: list[Scored]) -> Table:
    """The scores, with the paper's cases below them."""
    table = tables.score_table([(item.label, item.score) for item in scored], _of_hands(scored))
    further = ["–"] * (len(table.columns) - 11)
    cases = paper_cases(scored)
    table.rows.extend([f"{case.name} of the paper, on {case.input}", *case.cells(), *further] for case in cases)
    return table


def further_tables(runs: list[Run], scored: list[Scored], options: MatchOptions) -> list[tuple[Table, str]]:
    """The further tables, each with its explanation."""
    if not scored:
        return []
    ours = [row for run in runs if run.is_training for row in our_results(run, options)]
    named = [(item.label, item.details) for item in scored]
    found = [
        (
            tables.error_table(named),
            "False positives: duplicate (on a hand that a prediction with a higher score has matched), outline (on a "
            "hand, but below the IoU threshold), background (on none). False negatives: outline (with a false positive "
            "on the hand), missed (without).",
        ),
        (
            tables.size_table(named),
            "Size: the side of a square of the hand's area over that of the image's; tiny below 0.1, small below "
            "0.2, medium below 0.4.",
        ),
        (
            tables.coco_table(named),
            "AR: average recall with at most 1, 10, 100 predictions an image; s, m, l: COCO's sizes.",
        ),
        (
            tables.outline_table(named),
            "Boundary IoU: of the masks' rims, over true positives. Image IoU: of all predicted "
            "with all annotated pixels.",
        ),
        (tables.sweep_table(named), "The same predictions at other IoU thresholds."),
    ]
    if ours:
        paper = (
            case_table(ours, options),
            "A run stands for the case its recipe is named after. The paper does not state its IoU threshold; it is "
            f"below 0.452, the mean IoU of its C11, and {PAPER_IOU:g} is the highest round one that leaves room for "
            "IoUs to spread. Type: A without real images, B the same trained repetitively, C to R with real images by "
            "what is annotated and how similar they are to the test set.",
        )
        found.append(paper)
    return [*_categories(scored), *_changes(runs), *_differences(scored, options), *found]


def _categories(scored: list[Scored]) -> list[tuple[Table, str]]:
    """Metrics of each category, and confusion between them, where there are several."""
    named = [(item.label, item.categories) for item in scored if item.categories]
    if not named:
        return []
    confused = "Matched by masks alone. Last row: predictions on no object; last column: objects without a prediction."
    return [
        (tables.category_table(named), "Each category by itself, and the mean over those with objects."),
        *((tables.confusion_table(label, found.confusion), confused) for label, found in named),
    ]


def _changes(runs: list[Run]) -> list[tuple[Table, str]]:
    """Differences between the recipes and data of several runs."""
    runs = [run for run in runs if run.is_training]
    if len(runs) < 2:
        return []
    rows = [[run.name, changed(runs[0], run)] for run in runs[1:]]
    return [(Table("what was changed", ("run", "changed"), rows, left=2), f"Against {runs[0].name}.")]


def _differences(scored: list[Scored], options: MatchOptions) -> list[tuple[Table, str]]:
    """Paired differences for every dataset that was predicted more than once, in the same categories."""
    by_dataset: dict[tuple[str, ...], list[Scored]] = {}
    for item in scored:
        by_dataset.setdefault((item.dataset.id, *item.predicted.categories), []).append(item)
    found = []
    for items in by_dataset.values():
        if len(items) > 1:
            rows = compare([(item.label, item.predicted.images) for item in items], options)
            table = tables.difference_table([(row.name, row) for row in rows])
            note = (
                f"To {items[0].label}, paired image by image. Intervals are over images, or groups of them. "
                "An interval that excludes 0 is significant at the 5 % level."
            )
            found.append((table, note))
    return found


def charts(scored: list[Scored], iou_threshold: float) -> list[tuple[str, str, str]]:
    """(title, image address, CSV) of the curves."""
    if not scored:
        return []
    at = f"IoU ≥ {iou_threshold:g}"
    points = [
        [item.label, *(f"{value:.5f}" for value in point)]
        for item in scored
        for point in zip(item.curve.scores, item.curve.precision, item.curve.recall, item.curve.f1, strict=True)
    ]
    content = csv_text([("set", "score", "precision", "recall", "f1"), *points])
    drawn = [item for item in scored if len(item.curve.scores)]
    sweeps = tables.sweep_table([(item.label, item.details) for item in scored]).csv()
    recall = figures.lines([(i.label, i.curve.recall, i.curve.precision) for i in drawn], "recall", "precision")
    f1 = figures.lines([(i.label, i.curve.scores, i.curve.f1) for i in drawn], "score", "F1")
    sweep = figures.lines([_sweep_line(item) for item in scored], "IoU threshold", "F1")
    return [
        (f"precision and recall, {at}", recall, content),
        (f"F1 by score threshold, {at}", f1, content),
        ("F1 by IoU threshold", sweep, sweeps),
    ]


def _sweep_line(item: Scored) -> tuple[str, np.ndarray, np.ndarray]:
    rows = item.details.sweep
    return item.label, np.array([n.iou_threshold for n in rows]), np.array([n.f1 or 0.0 for n in rows])


def trainings_together(runs: list[Run]) -> list[tuple[str, str, str]]:
    """(title, image address, CSV) of the losses of several runs together, as in the paper's Fig. 2; nothing for one.

    Runs that have finished no session, and predictions by themselves, are left out.
    """
    runs = [run for run in runs if _averages(run) and run.losses]
    averages = [(run.name, _averages(run)) for run in runs]
    losses = [(run.name, np.concatenate(list(run.losses.values()))) for run in runs]
    drawn = [(name, values[np.isfinite(values)]) for name, values in losses if np.isfinite(values).any()]
    if len(drawn) < 2:
        return []
    rows = [(name, number, value) for name, values in averages for number, value in enumerate(values, start=1)]
    steps = [(name, step, value) for name, values in losses for step, value in enumerate(values, start=1)]
    return [
        (
            "Average loss by session",
            figures.averages_together(averages),
            csv_text([("run", "session", "average loss"), *rows]),
        ),
        ("Loss", figures.losses_together(drawn), csv_text([("run", "step", "loss"), *steps])),
    ]


def _averages(run: Run) -> list[float]:
    """The average loss of each session; empty if one has none."""
    values = [session.get("average_loss", math.nan) for session in run.record["sessions"]]
    return values if all(map(is_number, values)) else []


@dataclass(frozen=True)
class Training:
    """What the page shows of how a run was trained.

    :param command: the command line, to be pasted.
    :param facts: names and values, as text.
    :param recipe: resolved.
    :param curves: the losses as an image's address, empty without any; ``losses``: as CSV.
    :param bars: the average losses of the sessions as an image's address, empty for one session.
    :param best: which row of ``sessions`` is the session whose network was kept; None where that is not known.
    """

    name: str
    command: str
    facts: list[tuple[str, str]]
    recipe: RecipePart
    curves: str
    losses: str
    bars: str
    sessions: Table
    best: int | None


def training(run: Run) -> Training:
    """Collect what the page shows of how a run was trained."""
    record = run.record
    sessions = record["sessions"]
    saturation: dict[Any, Any] = {session.get("session"): session.get("saturation_step") for session in sessions}
    losses = {session: values[np.isfinite(values)] for session, values in run.losses.items()}
    losses = {session: values for session, values in losses.items() if len(values)}
    shown = [key for key in SESSION_COLUMNS if any(session.get(key) is not None for session in sessions)]
    rows = [[plain(session.get(key)) for key in shown] for session in sessions]
    best = next((i for i, s in enumerate(sessions) if s.get("session") == record.get("best_session")), None)
    averages = _averages(run)
    steps = [(session, step, value) for session, values in run.losses.items() for step, value in enumerate(values, 1)]
    facts = ((key, plain(shorten(record[key]))) for key in FACTS if record.get(key) is not None)
    return Training(
        name=run.name,
        command=_command(run.command),
        facts=[*_time(record.get("seconds"), record.get("machine")), *facts],
        recipe=shorten(run.recipe),
        curves=figures.loss_curves(losses, saturation) if losses else "",
        losses=csv_text([("session", "step", "loss"), *steps]),
        bars=figures.session_bars(averages, best) if len(averages) > 1 else "",
        sessions=Table("sessions", tuple(SESSION_COLUMNS[key] for key in shown), rows, left=0),
        best=best,
    )


def _time(seconds: float | None, machine: str | None) -> list[tuple[str, str]]:
    """Training time and machine, as far as the run recorded them."""
    found = []
    if is_number(seconds):
        minutes = round(float(seconds or 0) / 60)
        hours = f"{minutes // 60} h " if minutes > 59 else ""
        found.append(("training time", f"{hours}{minutes % 60} min"))
    return [*found, ("machine", plain(machine))] if machine else found


def _command(words: list[str]) -> str:
    words = shorten(words)
    return shlex.join(["handforge", *(words[1:] if words[:1] == ["hand-trainer"] else words)])
