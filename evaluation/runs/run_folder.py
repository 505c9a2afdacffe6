"""A run folder of the trainer, read: what was trained on what and how, the losses, and the predictions.

::

    RUN/run.json                     command, seed, recipe, data, versions, sessions, best session
    RUN/losses.csv                   session, step (from 1 in each session), loss and its parts
    RUN/predictions/NAME/            predict.json (which images) and results.json (COCO results)
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np

from evaluation.metrics import classification
from evaluation.metrics.classification import Classified
from evaluation.metrics.matching import ImageEval, load
from evaluation.metrics.prediction_record import NAME, read_prediction
from evaluation.metrics.scope import Scope
from evaluation.records import ResultsError, check_kinds, check_text, read_json
from evaluation.runs.sessions import made_by, session_number
from handforge.dataset import Dataset
from handforge.run_records import DatasetPart, RecipePart, RunRecord
from handforge.text import quoted

REMEDY = "give one that handforge train, repeat or predict wrote"
"""Remedy where a folder is not a run folder."""


@dataclass(frozen=True)
class Predicted:
    """One predictions folder.

    :param name: its folder's name.
    :param source: the folder or file of the images.
    :param dataset_id: of the dataset that was predicted; None where none was.
    :param task: the network's, None where nothing says it.
    :param dataset: the ground truth, or None where there is none, or none that predictions can be matched with.
    :param images: ground truth and predictions of every image; empty without ground truth.
    :param categories: the names of the scored categories.
    :param notes: as :class:`evaluation.metrics.matching.Loaded`.
    :param classified: predicted classes of whole images, scored; None for any other task.
    """

    name: str
    folder: Path
    source: str
    dataset_id: str | None
    task: str | None
    dataset: Dataset | None = None
    images: list[ImageEval] = field(default_factory=list)
    categories: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)
    classified: Classified | None = None


@dataclass(frozen=True)
class Run:
    """One run folder.

    :param name: what it is called: the last part of its path, or as many as tell it from runs of that name.
    :param record: what ``run.json`` says.
    :param losses: for each session in its order, the loss of every step, shape (steps,); empty if nothing was trained.
    :param predictions: in the order of their names.
    """

    name: str
    folder: Path
    record: RunRecord
    losses: dict[int, np.ndarray]
    predictions: list[Predicted]

    @property
    def is_training(self) -> bool:
        """Whether it is a run folder, and not a folder of predictions by itself."""
        return "recipe" in self.record

    @property
    def recipe(self) -> RecipePart:
        """The recipe, resolved; empty where nothing is known of it."""
        return self.record.get("recipe") or {}

    @property
    def data(self) -> list[DatasetPart]:
        """The datasets that it was trained on."""
        return _listed(self.record.get("data"))

    @property
    def real(self) -> list[DatasetPart]:
        """Those of real images beside them."""
        return _listed(self.record.get("real"))

    @property
    def command(self) -> list[str]:
        """The words of the command line that trained; none where they are not known."""
        return self.record.get("command") or []


def load_runs(folders: Sequence[Path], scope: Scope, session: int | str | None = None) -> list[Run]:
    """Read run folders. Errors as :func:`load_run`."""
    return [load_run(folder, name, scope, session) for folder, name in zip(folders, _names(folders), strict=True)]


def _names(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of paths that tell those of one name apart."""
    parts = [folder.resolve().parts for folder in folders]
    lengths = [1] * len(parts)
    while True:
        names = ["/".join(path[-length:]) for path, length in zip(parts, lengths, strict=True)]
        doubled = [names.count(name) > 1 and len(path) > n for name, path, n in zip(names, parts, lengths, strict=True)]
        if not any(doubled):
            return names
        lengths = [length + more for length, more in zip(lengths, doubled, strict=True)]


def load_run(folder: Path, name: str, scope: Scope, session: int | str | None = None) -> Run:
    """Read a run folder with its predictions, or a folder of predictions by itself, as a run of which nothing is known.

    :param session: take the predictions by this session's network only: a number, ``best`` or ``last``; None: all.
    :raises ResultsError: if it is not a run folder, or its record, its losses or a predictions folder is damaged, or a
        predicted dataset is gone or no longer the same.
    :raises DatasetError: if a predicted dataset is damaged.
    """
    if not folder.is_dir():
        raise ResultsError(f"{folder} is not a folder; {REMEDY}")
    if session is None and _is_predictions(folder):
        return Run(name, folder, {"sessions": []}, {}, [_predicted(folder, scope)])
    record = read_record(folder / "run.json")
    paths = sorted(path for path in (folder / "predictions").glob("[!.]*") if path.is_dir())
    if session is not None:
        number = session_number(record, session, folder)
        paths = [path for path in paths if made_by(record, read_prediction(path)) == number]
    return Run(name, folder, record, read_losses(folder / "losses.csv"), [_predicted(path, scope) for path in paths])


def _is_predictions(folder: Path) -> bool:
    """Whether it is a folder of predictions by itself, and not a run's."""
    return (folder / NAME).is_file() and not (folder / "run.json").exists()


def read_record(path: Path) -> RunRecord:
    """Read ``run.json``.

    :raises ResultsError: if there is none, or it is damaged.
    """
    if _is_predictions(path.parent):
        raise ResultsError(f"{path.parent} holds predictions by one network; --session is for a run folder")
    record = read_json(path, f"{path.parent} is not a run folder; {REMEDY}")
    if not isinstance(record, dict) or not isinstance(record.get("sessions"), list):
        raise ResultsError(f"{path} is not a record of a run: it lists no sessions")
    check_text(path, record)
    check_kinds(path, RunRecord, record, "run")
    return cast("RunRecord", record)


def _listed(found: DatasetPart | list[DatasetPart] | None) -> list[DatasetPart]:
    return found if isinstance(found, list) else [found] if found else []


def read_losses(path: Path) -> dict[int, np.ndarray]:
    """Read ``losses.csv``: the loss of every step of each session; empty if there is none."""
    sessions: dict[int, list[float]] = {}
    try:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if None in row.values():
                    break  # the row that a killed training was writing
                sessions.setdefault(int(row["session"]), []).append(float(row["loss"]))
    except FileNotFoundError:
        return {}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ResultsError(f"{path} is not a table of losses ({error}) with columns session and loss") from None
    return {session: np.array(values) for session, values in sorted(sessions.items())}


def _predicted(folder: Path, scope: Scope) -> Predicted:
    record = read_prediction(folder)
    found = Predicted(folder.name, folder, record["source"], record.get("dataset_id"), record.get("task"))
    if found.dataset_id is None or found.task in ("detection", "keypoints"):  # nothing to match masks with
        return found
    if not Path(found.source).is_dir():
        raise ResultsError(
            f"{folder} was predicted for the dataset {found.source}, which is gone; "
            "put it back, or remove the predictions' folder"
        )
    dataset = Dataset(found.source)
    if found.task == "classification":
        return replace(found, classified=classification.score(dataset, folder))
    loaded = load(dataset, folder / "results.json", scope)
    return replace(found, dataset=dataset, images=loaded.images, categories=loaded.categories, notes=loaded.notes)


def predictions_of(run: Path, dataset: Dataset, session: int | str) -> Path:
    """The folder of a run's predictions of a dataset by one session's network.

    :raises ResultsError: if there is none, or more than one, or ``run`` is not a run folder.
    """
    record = read_record(run / "run.json")
    number = session_number(record, session, run)
    found = []
    for path in sorted(run.glob("predictions/[!.]*/predict.json")):
        prediction = read_prediction(path.parent)
        if prediction.get("dataset_id") == dataset.id:
            found += [path.parent] if made_by(record, prediction) == number else []
    made = run / f"predictions/{dataset.folder.resolve().name}-{number}"
    if not found:
        raise ResultsError(
            f"{run} has no predictions of {dataset.folder} by the network of session {number}; make them with: "
            f"handforge predict --weights {quoted(run)} --session {number} {quoted(dataset.folder)} "
            f"--out {quoted(made)}"
        )
    if len(found) > 1:
        raise ResultsError(
            f"{run} has several predictions of {dataset.folder} by the network of session {number}; give one of "
            f"{', '.join(str(path) for path in found)} without --session"
        )
    return found[0]
