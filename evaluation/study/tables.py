"""The study's numbers as tables of text."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.study.conclusion import Comparison, compare, number
from evaluation.study.results import CLASS_MEASURES, MEASURES, Measure, StudyResults
from evaluation.study.selection import Choice
from evaluation.study.statistics import Interval, spread
from evaluation.tables import Table

SHOWN = ("f1", "mean_iou", "ap")
"""Of masks; of classes all there are."""


def measures_of(study: StudyResults, test: str | None) -> list[Measure]:
    """The measures shown of a test, or of the training where it is None."""
    if test is None:
        return [
            Measure("average_loss", network="best"),
            Measure("validation_loss"),
            Measure("validation_loss", None, "best"),
        ]
    networks = ("last",) if study.plan["tests"][test]["networks"] == "last" else ("last", "best")
    shown = tuple(CLASS_MEASURES) if study.plan["tests"][test]["classes"] else SHOWN
    return [Measure(name, test, network) for network in networks for name in shown]


def heading(measure: Measure) -> str:
    """A column's heading."""
    return f"{MEASURES[measure.measure]}, {measure.network}"


def arms_table(study: StudyResults, test: str | None) -> Table:
    """Each arm: its budget and the mean of each measure over seeds, with the sample standard deviation."""
    measures = measures_of(study, test)
    rows = []
    for arm, described in study.plan["arms"].items():
        values = [study.values(arm, measure) for measure in measures]
        cells = [_spread(spread(each)) for each in values]
        budget = [str(described["sessions"]), str(described["steps"]), f"{described['images_seen']:,}"]
        rows.append([arm, f"{len(study.of(arm))} of {len(study.plan['seeds'])}", *budget, *cells])
    columns = ("arm", "runs", "sessions", "steps", "images seen", *map(heading, measures))
    return Table("training" if test is None else f"test {test}", columns, rows)


def _spread(found: tuple[float, float | None] | None) -> str:
    if found is None:
        return "–"
    mean, deviation = found
    return f"{mean:.3f}" if deviation is None else f"{mean:.3f} ± {deviation:.3f}"


def comparisons(study: StudyResults, measure: Measure) -> list[Comparison]:
    """Every arm beside the one that it is compared with."""
    arms = study.plan["arms"].items()
    return [compare(study, arm, d["against"], measure, 0.95) for arm, d in arms if d["against"] != arm]


def differences_table(study: StudyResults, test: str | None) -> Table:
    """Each arm's gain over its counterpart in each measure, paired by seed, with the 95 % interval."""
    measures = measures_of(study, test)
    by_measure = [comparisons(study, measure) for measure in measures]
    rows = [
        [found[0].arm, found[0].against, *(interval(each.gain) for each in found)]
        for found in zip(*by_measure, strict=True)
    ]
    title = f"gain over its counterpart, {'training' if test is None else f'test {test}'}"
    return Table(title, ("arm", "against", *map(heading, measures)), rows, left=2)


def interval(gain: Interval | None) -> str:
    """``+0.012 [+0.003, +0.021]``, with a star where the interval excludes 0; the mean alone where there is none."""
    if gain is None:
        return "–"
    if gain.low is None or gain.high is None:
        return number(gain.mean)
    return f"{number(gain.mean)} [{number(gain.low)}, {number(gain.high)}]{' *' if gain.sign else ''}"


def choice_table(found: Sequence[Choice]) -> Table:
    """What the choice of a session brings."""
    rows = [
        [
            each.arm,
            str(Measure(each.measure, each.test)).removesuffix(" (last network)"),
            *map(interval, (each.over_last, each.over_random)),
        ]
        for each in found
    ]
    return Table("choice of a session", ("arm", "measure", "over the last", "over one at random"), rows, left=2)


def saturation_table(study: StudyResults) -> Table:
    """Where each arm's sessions saturate."""
    rows = []
    for arm in study.arms:
        fractions, early, count = study.saturation(arm)
        rows.append([arm, _spread(spread(fractions)), f"{early} of {count}"])
    return Table("saturation", ("arm", "at which part of a session", "premature"), rows)
