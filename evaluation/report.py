"""The report: one HTML file that needs nothing else, from the run folders of the trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evaluation import figures, gallery
from evaluation.matching import Match, match
from evaluation.metrics import Score, score
from evaluation.paper import SYNTHETIC
from evaluation.runs import Predicted, Run, load_run, plain
from evaluation.tables import COLUMNS, cells, text
from generator.dataset import Dataset, write_atomic

MOST_CARDS = 500
"""Pictures in the gallery, over all runs and sets."""

MOST_BYTES = 6_500_000
"""What the gallery's thumbnails may weigh together; base64 makes it a third more."""

SESSION_COLUMNS = {
    "session": "session",
    "subset": "subset",
    "images": "pictures",
    "epochs": "epochs",
    "steps": "steps",
    "layers": "layers",
    "lr": "learning rate",
    "average_loss": "average loss",
    "validation_loss": "validation loss",
    "saturation_step": "saturated at step",
}
"""What ``run.json`` says of a session, and what the report calls it."""

FACTS = ("seed", "versions", "git", "handforge")
"""What else of ``run.json`` the report shows."""


@dataclass(frozen=True)
class Scored:
    """One predictions folder with truth, scored."""

    label: str
    predicted: Predicted
    dataset: Dataset
    score: Score
    matches: list[Match]


def write_report(folders: Sequence[Path], out: Path, iou_threshold: float, score_threshold: float, region: str) -> int:
    """Read the run folders, score their predictions, write the page, and return how many sets were scored.

    :raises ResultsError: as :func:`evaluation.runs.load_run`.
    :raises DatasetError: if a predicted dataset or one of its pictures is missing or damaged.
    """
    runs = [load_run(folder, region) for folder in folders]
    scored = [
        _score(run, predicted, predicted.dataset, len(runs) > 1, iou_threshold, score_threshold)
        for run in runs
        for predicted in run.predictions
        if predicted.dataset is not None
    ]
    page = (
        _environment()
        .get_template("report.html")
        .render(
            runs=[_run(run, number) for number, run in enumerate(runs)],
            columns=COLUMNS,
            paper=[(case, case.cells()) for case in SYNTHETIC],
            rows=[(item.label, item.predicted.record, cells(item.score)) for item in scored],
            unscored=[(run.name, p.name, p.record) for run in runs for p in run.predictions if p.dataset is None],
            cards=_cards(scored),
            pictures=sum(len(item.matches) for item in scored),
            colours=gallery.COLOURS,
            size=(gallery.WIDTH, gallery.HEIGHT),
            iou_threshold=iou_threshold,
            score_threshold=score_threshold,
        )
    )
    write_atomic(out, page.encode())
    return len(scored)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(plain=plain, number=text)
    return environment


def _score(
    run: Run, predicted: Predicted, dataset: Dataset, several: bool, iou_threshold: float, score_threshold: float
) -> Scored:
    return Scored(
        label=f"{run.name}: {predicted.name}" if several else predicted.name,
        predicted=predicted,
        dataset=dataset,
        score=score(predicted.pictures, iou_threshold, score_threshold),
        matches=[match(picture, iou_threshold, score_threshold) for picture in predicted.pictures],
    )


def _run(run: Run, number: int) -> dict[str, Any]:
    record = run.record
    saturation = {session.get("session"): session.get("saturation_step") for session in record["sessions"]}
    losses = {session: values[np.isfinite(values)] for session, values in run.losses.items()}
    losses = {session: values for session, values in losses.items() if len(values)}
    shown = [key for key in SESSION_COLUMNS if any(session.get(key) is not None for session in record["sessions"])]
    return {
        "name": run.name,
        "record": record,
        "command": " ".join(map(str, record.get("command") or [])),
        "curves": figures.loss_curves(losses, saturation, f"losses{number}") if losses else "",
        "columns": [SESSION_COLUMNS[key] for key in shown],
        "sessions": [
            (session.get("session") == record.get("best_session"), [plain(session.get(key)) for key in shown])
            for session in record["sessions"]
        ],
        "facts": [
            (key, plain(record[key])) for key in ("seed", "versions", "git", "handforge") if record.get(key) is not None
        ],
    }


def _cards(scored: list[Scored]) -> list[gallery.Card]:
    if not scored:
        return []
    most = MOST_CARDS // len(scored)
    count = sum(min(most, len(item.matches)) for item in scored)
    made = []
    columns = (TextColumn("pictures of the report"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=count)
        for item in scored:
            for card in gallery.cards(
                item.dataset, item.predicted.pictures, item.matches, item.label, most, MOST_BYTES // max(count, 1)
            ):
                made.append(card)
                progress.advance(task)
    return sorted(made, key=lambda card: card.quality)
