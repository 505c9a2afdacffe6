"""The folder of a study, read: ``handforge study`` trains its runs and makes their predictions.

::

    DIR/study.json                        question, claim, primary measures, seeds, tests, arms
    DIR/ARM/seedN/                        a run folder
    DIR/ARM/seedN/predictions/TEST-03/    results of session 3's network, and score.json, which is made here
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.metrics import classification, paper_metrics
from evaluation.metrics.matching import MatchOptions, load
from evaluation.metrics.scope import Scope
from evaluation.records import ResultsError, check_kinds, read_json
from evaluation.runs.run_folder import read_losses, read_record
from handforge.dataset import Dataset
from handforge.files import dump_json, write_atomic
from handforge.run_records import SessionRecord, StudyRecord, TestPart

FORMAT = "handforge-study-1"
MASK_MEASURES = {"f1": "F1", "mean_iou": "IoU", "acc": "Acc", "ap": "AP", "ap50": "AP50"}
CLASS_MEASURES = {"top1": "top-1"}
LOSS_MEASURES = {"validation_loss": "validation loss", "average_loss": "average loss"}
MEASURES = {**MASK_MEASURES, **CLASS_MEASURES, **LOSS_MEASURES}
"""Measures by their keys; those of a test are the better the higher, losses the better the lower."""


@dataclass(frozen=True)
class Measure:
    """A figure of a run.

    :param test: the test it is measured on; None for a loss.
    :param network: ``last``, or ``best`` by average loss.
    """

    measure: str
    test: str | None = None
    network: str = "last"

    @property
    def lower_is_better(self) -> bool:
        """Whether it is a loss."""
        return self.measure in LOSS_MEASURES

    def __str__(self) -> str:
        on = f" on {self.test}" if self.test else ""
        return f"{MEASURES[self.measure]}{on} ({self.network} network)"


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    :param sessions: as ``run.json`` has them.
    :param best: the number, from 1, of the session with the least average loss.
    :param losses: the loss of every step of each session, shape (steps,).
    :param scores: by test and session's number, the measures of its network; a missing session's was not tested.
    """

    arm: str
    seed: int
    sessions: list[SessionRecord]
    best: int
    losses: list[np.ndarray]
    scores: dict[str, dict[int, dict[str, float | None]]]

    def value(self, wanted: Measure) -> float | None:
        """A measure of this run; None where it is undefined (a mean IoU without a true positive) or was not made."""
        return self.of_session(wanted, len(self.sessions) if wanted.network == "last" else self.best)

    def of_session(self, wanted: Measure, number: int) -> float | None:
        """The same of any session's network."""
        if wanted.test is None:
            session: Any = self.sessions[number - 1]
            return session.get(wanted.measure)
        return self.scores[wanted.test].get(number, {}).get(wanted.measure)


@dataclass(frozen=True)
class StudyResults:
    """A study, as far as it is done.

    :param plan: what ``study.json`` says.
    :param runs: the finished ones by arm and seed.
    :param missing: the others.
    """

    plan: StudyRecord
    runs: dict[tuple[str, int], RunResult]
    missing: list[tuple[str, int]]

    @property
    def arms(self) -> list[str]:
        """The arms' names, in the study's order."""
        return list(self.plan["arms"])

    @property
    def primary(self) -> list[Measure]:
        """The measures that the claim is judged by."""
        return [Measure(**measure) for measure in self.plan["primary"]]

    def of(self, arm: str) -> list[RunResult]:
        """The finished runs of an arm, in the order of the seeds."""
        return [self.runs[arm, seed] for seed in self.plan["seeds"] if (arm, seed) in self.runs]

    def values(self, arm: str, wanted: Measure) -> list[float]:
        """A measure of an arm's runs; undefined ones left out."""
        found = (run.value(wanted) for run in self.of(arm))
        return [value for value in found if value is not None]

    def saturation(self, arm: str) -> tuple[list[float], int, int]:
        """At which fraction of its steps each session of an arm that saturates does so; how many do so prematurely; and
        the number of all sessions.
        """
        sessions = [session for run in self.of(arm) for session in run.sessions]
        fractions = [share for session in sessions if (share := session.get("saturation_share")) is not None]
        return fractions, sum(bool(session.get("premature")) for session in sessions), len(sessions)

    def pairs(self, arm: str, against: str, wanted: Measure) -> list[tuple[int, float, float]]:
        """(seed, value of the arm, value of the other), of all seeds that have both."""
        found = []
        for seed in self.plan["seeds"]:
            one, other = self.runs.get((arm, seed)), self.runs.get((against, seed))
            value = one.value(wanted) if one else None
            counterpart = other.value(wanted) if other else None
            if value is not None and counterpart is not None:
                found.append((seed, value, counterpart))
        return found


def read_study(folder: Path, on_scored: Callable[[], None] = lambda: None) -> StudyResults:
    """Read a study's folder and score its predictions, as far as that is not done.

    :param on_scored: called after each predictions folder.
    :raises ResultsError: if it is not a study's folder, or a run or its predictions are damaged.
    :raises DatasetError: if a test's dataset is gone or damaged.
    """
    path = folder / "study.json"
    plan = read_json(path, f"{folder} is not the folder of a study; give one that handforge study wrote")
    _check(path, plan)
    datasets = {name: Dataset(test["data"]) for name, test in plan["tests"].items()}
    for name, test in plan["tests"].items():
        if datasets[name].id != test["id"]:
            raise ResultsError(f"the dataset of the test {name} is another one than was tested; put it back")
    runs, missing = {}, []
    for seed in plan["seeds"]:
        for arm in plan["arms"]:
            found = _run(folder, arm, seed, plan, datasets, on_scored)
            if found:
                runs[arm, seed] = found
            else:
                missing.append((arm, seed))
    return StudyResults(plan, runs, missing)


def _check(path: Path, plan: Any) -> None:
    """Refuse what is not the record of a study, or names arms and measures that there are not."""
    if not isinstance(plan, dict) or "format" not in plan:
        raise ResultsError(f"{path} is not a record of a study; make the study anew")
    if plan["format"] != FORMAT:
        raise ResultsError(f"{path} is of another version ({plan['format']!r}); make the study anew")
    tests = plan.get("tests")
    for test in tests.values() if isinstance(tests, dict) else ():
        if isinstance(test, dict):
            test.setdefault("classes", False)  # folders made before classifiers could be tested
    check_kinds(path, StudyRecord, plan, "study")
    named = [*plan["claim"].values(), *(arm["against"] for arm in plan["arms"].values())]
    unknown = [name for name in named if name not in plan["arms"]]
    unknown += [one["test"] for one in plan["primary"] if one["test"] not in (None, *plan["tests"])]
    unknown += [one["measure"] for one in plan["primary"] if one["measure"] not in MEASURES]
    if unknown:
        raise ResultsError(f"{path} names {unknown[0]!r}, of which it says no more; make the study anew")


def _run(
    folder: Path,
    arm: str,
    seed: int,
    plan: StudyRecord,
    datasets: dict[str, Dataset],
    on_scored: Callable[[], None],
) -> RunResult | None:
    """A finished run with all its tests; None for one that is not."""
    path = folder / arm / f"seed{seed}"
    if not (path / "run.json").is_file():
        return None
    record = read_record(path / "run.json")
    if not record.get("finished") or not record["sessions"]:
        return None
    last, best = len(record["sessions"]), int(record.get("best_session") or 0)
    scores: dict[str, dict[int, dict[str, float | None]]] = {}
    for name, test in plan["tests"].items():
        wanted = {"all": set(range(1, last + 1)), "last and best": {last, best}, "last": {last}}[test["networks"]]
        scores[name] = {}
        for number in sorted(wanted):
            predictions = path / "predictions" / f"{name}-{number:02d}"
            if not (predictions / "predict.json").is_file():
                return None
            scores[name][number] = _score(predictions, datasets[name], test)
            on_scored()
    losses = list(read_losses(path / "losses.csv").values())
    if len(losses) != last or not all(map(len, losses)):
        raise ResultsError(f"{path / 'losses.csv'} has not the losses of the run's {last} sessions")
    return RunResult(arm, seed, record["sessions"], best, losses, scores)


def _score(folder: Path, dataset: Dataset, test: TestPart) -> dict[str, float | None]:
    """The measures of a predictions folder, kept in its ``score.json`` with what they depend on."""
    measures = CLASS_MEASURES if test["classes"] else MASK_MEASURES
    results, kept = folder / "results.json", folder / "score.json"
    options = {key: test[key] for key in ("id", "masks", "region", "score", "iou")}
    of = {"results": hashlib.sha256(results.read_bytes()).hexdigest(), **options}
    try:
        content = json.loads(kept.read_bytes())
        if content["of"] == of:
            return {name: content["scores"][name] for name in measures}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if test["classes"]:
        found = asdict(classification.score(dataset, folder))
    else:
        loaded = load(dataset, folder, Scope(test["region"], test["masks"]))
        found = asdict(paper_metrics.score(loaded.images, MatchOptions(test["iou"], test["score"])))
    scores = {name: found[name] for name in measures}
    write_atomic(kept, dump_json({"of": of, "scores": scores}))
    return scores
