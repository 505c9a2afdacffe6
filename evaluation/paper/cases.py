"""The paper's cases with ours beside them, and ablations: the same recipe with one thing changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation.metrics.bootstrap import sampled
from evaluation.metrics.by_category import of_category
from evaluation.metrics.classification import Classified
from evaluation.metrics.compare import Row, compare
from evaluation.metrics.matching import MatchOptions
from evaluation.metrics.paper_metrics import PaperMetrics, paper_metrics
from evaluation.paper.paper_types import flags
from evaluation.paper.published import CASES, Case
from evaluation.records import ResultsError, plain
from evaluation.runs.paths import shorten
from evaluation.runs.run_folder import Predicted, Run
from evaluation.tables import RATES, Table, signed, text

PAPER_IMAGES = 45_000
"""Synthetic images the paper trained on, at least."""

PAPER_IOU = 0.3
"""The paper's likely IoU threshold, which it does not state.

Its C11 has a mean IoU of true positives of 0.452 and C3 one of 0.483, and no true positive lies below the threshold: it
is below 0.452, so not the usual 0.5. IoUs of one test set spread by 0.15 and more about their mean; 0.3 is the highest
round threshold that leaves C11 that room, and so the strictest one that explains all cases.
"""


@dataclass(frozen=True)
class Ours:
    """One of our results.

    :param case: the name of the paper's case it stands for, or the recipe's name where it is none of them.
    :param type: A to R, or ``?``.
    :param at_paper_iou: the same at :data:`PAPER_IOU`.
    :param differs: what is not as in the paper.
    """

    case: str
    type: str
    metrics: PaperMetrics
    at_paper_iou: PaperMetrics
    differs: list[str]


def our_results(run: Run, options: MatchOptions) -> list[Ours]:
    """Return every scored predictions folder of a run, by the paper's case it stands for.

    A run stands for the case of its recipe's name (``c1``, ``c1-resnet50``). Of the cases that test this network, it is
    the one whose input the predictions folder is named after (``predictions/vid1``), else the recipe's own.
    """
    found = []
    for predicted in run.predictions:
        if predicted.dataset is not None:
            case = _case(run, predicted.name)
            measured = paper_metrics(predicted.images, options)
            at_paper_iou = paper_metrics(predicted.images, replace(options, iou=PAPER_IOU))
            name = case.name if case else run.recipe.get("name", run.name)
            known = flags(run.recipe, len(run.record["sessions"]), run.real, predicted.dataset)
            letter = known.letter if run.is_training else "?"
            differs = [*_differences(run, predicted, case, measured.hands), *predicted.notes]
            found.append(Ours(name, letter, measured, at_paper_iou, differs))
    return found


def _case(run: Run, predictions: str) -> Case | None:
    named = re.match(r"(c\d+)(-|$)", str(run.recipe.get("name", "")).lower())
    if not named:
        return None
    network = named.group(1).upper()
    of_network = [case for case in CASES if (case.network or case.name) == network]
    for case in of_network:
        if case.input.lower() == predictions.lower():
            return case
    return next((case for case in of_network if case.name == network), None)


def _differences(run: Run, predicted: Predicted, case: Case | None, hands: int) -> list[str]:
    network, real = run.recipe.get("network") or {}, run.real
    images = sum(data.get("images") or 0 for data in run.data)
    found = []
    if case is None or predicted.name.lower() != case.input.lower():
        found.append(f"on {predicted.name}, {hands} hands")
    elif hands != case.hands:
        found.append(f"{hands} hands")
    if case is not None and case.name in ("C2", "C5") and run.command[:1] == ["train"]:
        found.append("one session, not ten")
    if network.get("task", "segmentation") != "segmentation":
        found.append(f"task {network['task']}")
    if network.get("backbone", "resnet101") != "resnet101":
        found.append(str(network["backbone"]))
    if network.get("init", "imagenet") != "imagenet" and not (run.recipe.get("init_from") or run.recipe.get("after")):
        found.append("from scratch" if network["init"] == "none" else f"from {Path(str(network['init'])).name}")
    if 0 < images < PAPER_IMAGES:
        found.append(f"{images} synthetic images")
    if run.recipe.get("real") and not real:
        found.append("no real images")
    elif real:
        found.append(f"real images: {', '.join(Path(str(folder.get('path'))).name for folder in real)}")
    return found


def case_table(ours: Sequence[Ours], options: MatchOptions) -> Table:
    """The paper's cases, ours beside them (``not run`` where there is none), and our further results below."""
    columns = (
        *("case", "on", "paper: IoU", "Acc", "F1"),
        *(name for iou in (options.iou, PAPER_IOU) for name in (f"ours at {iou:g}: IoU", "Acc", "F1")),
        *("type", "note"),
    )
    rows = []
    for case in CASES:
        printed = [case.name, case.input, *case.cells()[4:7]]
        matching = [item for item in ours if item.case == case.name]
        rows += [[*printed, *_cells(item)] for item in matching] or [[*printed, "not run", *["–"] * 7]]
    names = {case.name for case in CASES}
    rows += [[item.case, "–", "–", "–", "–", *_cells(item)] for item in ours if item.case not in names]
    return Table("the paper's cases", columns, rows, left=2, notes=12)


def _cells(item: Ours) -> list[str]:
    rates = [text(getattr(metrics, rate)) for metrics in (item.metrics, item.at_paper_iou) for rate in RATES]
    return [*rates, item.type, ", ".join(item.differs) or "–"]


def ablation_table(runs: Sequence[Run], options: MatchOptions) -> Table:
    """Runs that predicted the same datasets: what was changed against the first run, and its effect.

    A dataset of several categories has further rows for each of them; classifiers of images have top-1 for F1.

    :raises ResultsError: if there is no second run, or no dataset that the first and another run predicted
        in the same categories.
    """
    if len(runs) < 2:
        raise ResultsError("an ablation needs at least two runs: the one to compare with, and others")
    columns = ("on", "run", "note", "IoU", "Acc", "F1", "AP", "F1 by", "from", "to", "over")
    rows = _classified_rows(runs)
    if rows:
        return Table(
            "ablation",
            ("on", "run", "note", "top-1", "recall", "top-1 by", "from", "to", "over"),
            rows,
            left=3,
            notes=2,
        )
    for predicted in runs[0].predictions:
        named = _same_dataset(runs, predicted)
        if len(named) > 1:
            changes = ["–", *(changed(runs[0], run) for run, _ in named[1:])]
            compared = {predicted.name: [(run.name, p.images) for run, p in named]}
            if len(predicted.categories) > 1:
                compared |= {
                    f"{predicted.name}: {name}": [(run.name, of_category(p.images, name)) for run, p in named]
                    for name in predicted.categories
                }
            for on, images in compared.items():
                scored = zip(compare(images, options), changes, strict=True)
                rows += [_ablation_row(on, row, change) for row, change in scored]
    if not rows:
        raise ResultsError(
            f"{runs[0].folder} and the other runs predicted no dataset in common, of the same categories (--category "
            "chooses one)"
        )
    return Table("ablation", columns, rows, left=3, notes=2)


def _classified_rows(runs: Sequence[Run]) -> list[list[str]]:
    """What :func:`ablation_table` has of runs that predicted the classes of the same images."""
    rows = []
    for predicted in runs[0].predictions:
        if (base := predicted.classified) is None:
            continue
        others: list[tuple[Run, Classified]] = []
        for run in runs[1:]:
            same = [p.classified for p in run.predictions if p.classified and p.dataset_id == predicted.dataset_id]
            others += [(run, found) for found in same[:1]]
        if others:
            rows.append([predicted.name, runs[0].name, "–", text(base.top1), text(base.mean_recall), *["–"] * 4])
        for run, found in others:
            figures = [text(found.top1), text(found.mean_recall)]
            by = [*signed(found.rise(base)), sampled(found.group)]
            rows.append([predicted.name, run.name, changed(runs[0], run), *figures, *by])
    return rows


def _same_dataset(runs: Sequence[Run], predicted: Predicted) -> list[tuple[Run, Predicted]]:
    """The first predictions of each run that are of the same dataset as ``predicted``, the first run's, and scored in
    the same categories.
    """
    found = [(runs[0], predicted)] if predicted.dataset else []
    for run in runs[1:]:
        same = [p for p in run.predictions if p.dataset and predicted.dataset and p.dataset.id == predicted.dataset.id]
        found += [(run, p) for p in same if p.categories == predicted.categories][:1]
    return found


def _ablation_row(name: str, row: Row, change: str) -> list[str]:
    score = row.score
    figures = [text(value) for value in (*(getattr(score, rate) for rate in RATES), score.ap)]
    by = ["–"] * 4 if row.differences is None else [*signed(row.differences["f1"]), row.intervals_over]
    return [name, row.name, change, *figures, *by]


def changed(base: Run, other: Run) -> str:
    """Name what differs in recipe, data and command of two runs; of predictions alone nothing of that is known."""
    if not (base.is_training and other.is_training):
        return "not known"
    first, second = _flat(_what(base)), _flat(_what(other))
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    changes = ((key, shorten(first.get(key)), shorten(second.get(key))) for key in keys)
    return "; ".join(f"{key}: {plain(before)} → {plain(after)}" for key, before, after in changes) or "nothing"


def _ids(record: Any) -> Any:
    """The id of a dataset that a run's record names, or of each of several."""
    return [_ids(each) for each in record] if isinstance(record, list) else (record or {}).get("id")


def _what(run: Run) -> dict[str, Any]:
    record = run.record
    recipe = {key: value for key, value in run.recipe.items() if key not in ("name", "about", "description")}
    datasets = {key: _ids(record.get(key)) for key in ("data", "real")}
    return {
        **recipe,
        **datasets,
        "replicate": record.get("replicate"),
        "seed": record.get("seed"),
        "command": run.command[0] if run.command else None,
    }


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested settings as ``network.backbone: resnet50``; entries of a list count from 1."""
    if isinstance(value, dict):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(str(number), item) for number, item in enumerate(value, start=1)]
    else:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in items:
        flat.update(_flat(item, f"{prefix}.{key}" if prefix else key))
    return flat
