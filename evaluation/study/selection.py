"""What choosing the session with the least average loss brings, beside the last one and one drawn at random.

The least of ten averages is low by luck too: by as much the choice looks better than it is. What it is worth shows on
images that had no part in it: the validation images and the tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.study.results import CLASS_MEASURES, Measure, RunResult, StudyResults
from evaluation.study.statistics import Interval, mean_interval


@dataclass(frozen=True)
class Choice:
    """The gain of the choice in one measure, over the seeds; above 0 the chosen session is the better one.

    :param over_last: over the last session.
    :param over_random: over the mean of all sessions, which is what one drawn at random has; None where not all of them
        were tested.
    """

    arm: str
    measure: str
    test: str | None
    over_last: Interval | None
    over_random: Interval | None


def choices(study: StudyResults) -> list[Choice]:
    """The gain in average loss (by which was chosen), validation loss and tests, for each arm of several sessions."""
    wanted = [Measure("average_loss"), Measure("validation_loss")]
    for name, test in study.plan["tests"].items():
        wanted += [Measure(measure, name) for measure in (CLASS_MEASURES if test["classes"] else ("f1", "mean_iou"))]
    found = []
    for arm in study.arms:
        runs = [run for run in study.of(arm) if len(run.sessions) > 1]
        for measure in wanted if runs else ():
            last = [gain for run in runs if (gain := _over_last(run, measure)) is not None]
            anyone = [gain for run in runs if (gain := _over_random(run, measure)) is not None]
            if last:
                found.append(Choice(arm, measure.measure, measure.test, mean_interval(last), mean_interval(anyone)))
    return found


def _sign(measure: Measure) -> float:
    return -1.0 if measure.lower_is_better else 1.0


def _over_last(run: RunResult, measure: Measure) -> float | None:
    best, last = run.of_session(measure, run.best), run.of_session(measure, len(run.sessions))
    return None if best is None or last is None else _sign(measure) * (best - last)


def _over_random(run: RunResult, measure: Measure) -> float | None:
    values = [run.of_session(measure, number) for number in range(1, len(run.sessions) + 1)]
    best = values[run.best - 1]
    known = [value for value in values if value is not None]
    if best is None or len(known) < len(values):
        return None
    return _sign(measure) * (best - float(np.mean(known)))
