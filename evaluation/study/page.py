"""The page of a study, one HTML file that needs nothing else, and its numbers as JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from evaluation import tables as metric_tables
from evaluation.report.page import environment
from evaluation.runs.paths import shorten
from evaluation.study import figures, tables
from evaluation.study.conclusion import Comparison, conclusion, judged, papers_figure
from evaluation.study.results import Measure, StudyResults
from evaluation.study.selection import choices
from handforge.files import dump_json, write_atomic


def write_page(study: StudyResults, folder: Path) -> list[str]:
    """Write ``report.html`` and ``report.json`` into a study's folder, and return the sentences of the conclusion."""
    found, chosen = judged(study), choices(study)
    words = conclusion(study, found, chosen)
    tests: list[str | None] = [*study.plan["tests"], None]
    shown = [
        (table, note)
        for test in tests
        for table, note in (
            (tables.arms_table(study, test), "Mean over seeds ± sample standard deviation."),
            (
                tables.differences_table(study, test),
                "Paired by seed, with 95 % intervals (Student's t); above 0 the arm is the better one, also in a loss. "
                "* excludes 0. One seed has no interval, nor has a gain that is the same with all seeds. Many "
                "intervals stand here, one by one: about one in twenty excludes 0 by chance alone.",
            ),
        )
    ]
    page = environment().get_template("study.html")
    content = page.render(
        plan=study.plan,
        missing=study.missing,
        total=len(study.runs) + len(study.missing),
        words=words,
        primary=[str(measure) for measure in study.primary],
        fig2=_fig2(study),
        differences=[
            (str(m), figures.differences(tables.comparisons(study, m), f"gain in {m}")) for m in study.primary
        ],
        tables=shown,
        choice=tables.choice_table(chosen),
        saturation=tables.saturation_table(study),
        curves=_curves(study),
        recipes={arm: shorten(described["recipe"]) for arm, described in study.plan["arms"].items()},
        meanings=metric_tables.COLUMNS,
        size=(1, 1),
    )
    write_atomic(folder / "report.html", content.encode())
    write_atomic(folder / "report.json", dump_json(_numbers(study, found, words, chosen)))
    return words


def _pair(study: StudyResults, arm: str, against: str) -> bool:
    return bool(study.of(arm) and study.of(against))


def _fig2(study: StudyResults) -> list[tuple[str, str]]:
    """The two halves of the paper's Fig. 2 for the claim: (title, image)."""
    names = study.plan["claim"]["arm"], study.plan["claim"]["against"]
    if not _pair(study, *names):
        return []
    runs = study.of(names[0]), study.of(names[1])
    return [
        ("Average losses", figures.average_losses(*runs, names)),
        ("Batch losses", figures.batch_losses(*runs, names)),
    ]


def _curves(study: StudyResults) -> list[tuple[str, str]]:
    """The batch losses of each arm beside its counterpart's."""
    pairs = [(arm, d["against"]) for arm, d in study.plan["arms"].items() if d["against"] != arm]
    return [
        (arm, figures.batch_losses(study.of(arm), study.of(against), (arm, against)))
        for arm, against in pairs
        if _pair(study, arm, against)
    ]


def _numbers(study: StudyResults, found: list[Comparison], words: list[str], chosen: list[Any]) -> dict[str, Any]:
    """What ``report.json`` says."""
    claim = study.plan["claim"]
    measures = [measure for test in [*study.plan["tests"], None] for measure in tables.measures_of(study, test)]
    best = papers_figure(study, claim["arm"], claim["against"])
    return {
        "conclusion": words,
        "claim": claim,
        "primary": [{**asdict(each), "verdict": each.verdict, "pairs": _pairs(study, each)} for each in found],
        "paper": None if best is None else {"over_whole": asdict(best[0]), "over_last_steps": asdict(best[1])},
        "secondary": [
            {**asdict(each), "verdict": each.verdict} for m in measures for each in tables.comparisons(study, m)
        ],
        "selection": [asdict(choice) for choice in chosen],
        "values": {arm: [_of_run(study, arm, seed, measures) for seed in study.plan["seeds"]] for arm in study.arms},
        "missing": [{"arm": arm, "seed": seed} for arm, seed in study.missing],
    }


def _pairs(study: StudyResults, found: Comparison) -> list[dict[str, float]]:
    pairs = study.pairs(found.arm, found.against, found.measure)
    return [{"seed": seed, "arm": one, "against": other} for seed, one, other in pairs]


def _of_run(study: StudyResults, arm: str, seed: int, measures: list[Measure]) -> dict[str, Any]:
    run = study.runs.get((arm, seed))
    return {"seed": seed, **({str(m): run.value(m) for m in measures} if run else {})}
