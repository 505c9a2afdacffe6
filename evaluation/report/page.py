"""The report: one HTML file that needs nothing else, from the run folders of the trainer."""

from __future__ import annotations

import base64
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from evaluation import tables
from evaluation.metrics.matching import MatchOptions
from evaluation.metrics.scope import Scope
from evaluation.records import plain
from evaluation.report import gallery, photographs, sections
from evaluation.report.sections import Scored
from evaluation.runs.paths import shorten
from evaluation.runs.run_folder import Predicted, load_runs
from handforge.files import write_atomic
from handforge.progress import progress as progress_bar

MOST_CARDS = 500
"""Images in the gallery, over all runs and sets."""

MOST_BYTES = 9_000_000
"""What all thumbnails may weigh together; base64 makes it a third more."""

MOST_PHOTOGRAPHS = 60
"""Images shown of each set without ground truth."""


def write_report(
    folders: Sequence[Path], out: Path, options: MatchOptions, scope: Scope, session: int | str | None = None
) -> int:
    """Read the run folders, score their predictions, write the page, and return the number of scored sets.

    :param session: show predictions by this session's network only; None: all.
    :raises ResultsError: as :func:`evaluation.runs.run_folder.load_runs`.
    :raises DatasetError: if a predicted dataset or one of its images is missing or damaged.
    """
    runs = load_runs(folders, scope, session)
    named = [(f"{run.name}: {p.name}" if len(runs) > 1 else p.name, p) for run in runs for p in run.predictions]
    scored = [sections.measure(label, found, options) for label, found in named if found.dataset is not None]
    classified = [(label, found.classified) for label, found in named if found.classified is not None]
    unscored = [(label, found) for label, found in named if found.dataset is None and found.classified is None]
    scores = sections.score_table(scored)
    shown_tables = [table for label, found in classified for table in tables.classification_tables(label, found)]
    shown_tables += sections.further_tables(runs, scored, options)
    trainings = [sections.training(run) for run in runs if run.is_training]
    explained = [table for table, _ in shown_tables] + [training.sessions for training in trainings]
    headings = {column for table in [*([scores] if scored else []), *explained] for column in table.columns}
    page = (
        environment()
        .get_template("report.html")
        .render(
            title=", ".join(run.name for run in runs),
            runs=trainings,
            together=sections.trainings_together(runs),
            scores=scores,
            scored=scored,
            paper=sections.paper_cases(scored),
            charts=sections.charts(scored, options.iou),
            tables=shown_tables,
            classified=classified,
            unscored=unscored,
            photographs=_photographs(unscored, options.score),
            cards=_cards(scored),
            images=sum(len(item.matches) for item in scored),
            colors=gallery.COLORS,
            size=(gallery.WIDTH, gallery.HEIGHT),
            options=options,
            region=scope.region,
            meanings=tables.COLUMNS,
            legend=[(name, meaning) for name, meaning in tables.COLUMNS.items() if name in headings],
        )
    )
    write_atomic(out, page.encode())
    return len(scored) + len(classified)


@cache
def environment() -> Environment:
    """The templates' environment, which keeps each template once it has been compiled."""
    made = Environment(
        loader=PackageLoader("evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(plain=plain, number=tables.text, interval=tables.interval, csv_link=csv_link, shorten=shorten)
    return made


def _photographs(unscored: list[tuple[str, Predicted]], min_score: float) -> list[photographs.UnscoredSet]:
    limits = (MOST_PHOTOGRAPHS, MOST_BYTES // MOST_CARDS * 2)
    found = (photographs.draw_unscored(label, predicted, min_score, *limits) for label, predicted in unscored)
    return [one for one in found if one]


def csv_link(content: str) -> str:
    """Return the ``data:`` address of a CSV file, which the page itself holds."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(content.encode()).decode("ascii")


def _cards(scored: list[Scored]) -> list[gallery.Card]:
    if not scored:
        return []
    most = MOST_CARDS // len(scored)
    count = sum(min(most, len(item.matches)) for item in scored)
    made = []
    with progress_bar(unit="images", disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("images of the report", total=count)
        for item in scored:
            limits = (most, MOST_BYTES // max(count, 1))
            for card in gallery.cards(item.dataset, item.predicted.images, item.matches, item.label, *limits):
                made.append(card)
                progress.advance(task)
    return sorted(made, key=lambda card: card.quality)
