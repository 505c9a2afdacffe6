"""The report: one HTML file that needs nothing else, from the run folders of the trainer."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from evaluation.metrics.matching import MatchOptions
from evaluation.metrics.scope import Scope
from evaluation.paper.published import SYNTHETIC
from evaluation.report import gallery, sections, tables
from evaluation.report.runs import load_runs, plain
from evaluation.report.sections import Scored
from handforge.files import write_atomic

MOST_CARDS = 500
"""Images in the gallery, over all runs and sets."""

MOST_BYTES = 6_000_000
"""What the gallery's thumbnails may weigh together; base64 makes it a third more."""


def write_report(folders: Sequence[Path], out: Path, options: MatchOptions, scope: Scope) -> int:
    """Read the run folders, score their predictions, write the page, and return how many sets were scored.

    :raises ResultsError: as :func:`evaluation.report.runs.load_runs`.
    :raises DatasetError: if a predicted dataset or one of its images is missing or damaged.
    """
    runs = load_runs(folders, scope)
    scored = [
        sections.measure(f"{run.name}: {found.name}" if len(runs) > 1 else found.name, found, options)
        for run in runs
        for found in run.predictions
        if found.dataset is not None
    ]
    page = (
        _environment()
        .get_template("report.html")
        .render(
            runs=[sections.training(run, number) for number, run in enumerate(runs)],
            together=sections.trainings_together(runs),
            scores=sections.score_table(scored),
            scored=scored,
            paper=SYNTHETIC,
            charts=sections.charts(scored, options.iou),
            tables=sections.further_tables(runs, scored, options),
            unscored=[(run.name, p.name, p.record) for run in runs for p in run.predictions if p.dataset is None],
            cards=_cards(scored),
            pictures=sum(len(item.matches) for item in scored),
            colors=gallery.COLORS,
            size=(gallery.WIDTH, gallery.HEIGHT),
            options=options,
            region=scope.region,
        )
    )
    write_atomic(out, page.encode())
    return len(scored)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        plain=plain, number=tables.text, interval=tables.interval, csv_link=csv_link, place=place
    )
    return environment


def csv_link(content: str) -> str:
    """The address of a CSV file that the page itself holds."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(content.encode()).decode("ascii")


def place(path: str) -> str:
    """A path as it is best read: from here, if it lies below here."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else path


def _cards(scored: list[Scored]) -> list[gallery.Card]:
    if not scored:
        return []
    most = MOST_CARDS // len(scored)
    count = sum(min(most, len(item.matches)) for item in scored)
    made = []
    columns = (TextColumn("images of the report"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=count)
        for item in scored:
            limits = (most, MOST_BYTES // max(count, 1))
            for card in gallery.cards(item.dataset, item.predicted.images, item.matches, item.label, *limits):
                made.append(card)
                progress.advance(task)
    return sorted(made, key=lambda card: card.quality)
