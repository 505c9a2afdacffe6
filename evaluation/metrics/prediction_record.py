"""What ``predict.json`` says of the predictions beside it: of which images they are, and by what network."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from evaluation.records import ResultsError, check_kinds, check_text, read_json, read_objects
from handforge.dataset import Dataset
from handforge.run_records import PredictionRecord

NAME = "predict.json"
IMAGES = "images.json"
IMAGE_KEYS = ("id", "file_name", "width", "height")
"""What every entry of ``images.json`` has."""


def read_prediction(folder: Path) -> PredictionRecord:
    """Read ``predict.json`` of a predictions folder.

    :raises ResultsError: if there is none, or it is not a record of a prediction.
    """
    path = folder / NAME
    remedy = "the prediction was not finished; run handforge predict again, or remove its folder"
    if path.is_file() and not path.stat().st_size:
        raise ResultsError(f"{path} is empty; {remedy}")
    record = read_json(path, remedy)
    if not isinstance(record, dict) or not isinstance(record.get("source"), str):
        raise ResultsError(f'{path} is not a record of a prediction: it has no "source"')
    check_text(path, record)
    check_kinds(path, PredictionRecord, record, "prediction")
    return cast("PredictionRecord", record)


def record_beside(results: str | Path) -> PredictionRecord | None:
    """Read the ``predict.json`` of a folder of predictions, or beside a file in it; None where there is none.

    :raises ResultsError: if it is not a record of a prediction.
    """
    folder = Path(results) if Path(results).is_dir() else Path(results).parent
    return read_prediction(folder) if (folder / NAME).is_file() else None


def check_origin(folder: Path, dataset: Dataset) -> bool:
    """Return whether a predictions folder's ``predict.json`` names this dataset.

    :raises ResultsError: if it names another one.
    """
    record = record_beside(folder)
    predicted = record.get("dataset_id") if record else None
    if predicted is not None and predicted != dataset.id:
        raise ResultsError(
            f"{folder} was predicted for other images: dataset {predicted}, and {dataset.folder} is {dataset.id}; "
            "give the dataset it was made from, or run handforge predict again"
        )
    return predicted is not None


def predicted_files(folder: Path) -> dict[int, str]:
    """Return the file name of each image of a predictions folder whose images are of no dataset, by its id.

    Empty where the images are those of a dataset, or where nothing says them.

    :raises ResultsError: if ``images.json`` is damaged, or the record beside it is not one of a prediction.
    """
    record, path = record_beside(folder), folder / IMAGES
    if record is None or record.get("dataset_id") is not None or not path.is_file():
        return {}
    return {image["id"]: str(image["file_name"]) for image in read_objects(path, IMAGE_KEYS)}


def predicted_task(results: str | Path) -> str | None:
    """Return the task of the network that made predictions; None where nothing says it.

    :param results: a folder of predictions, or a file in it.
    """
    record = record_beside(results)
    return record.get("task") if record else None


def learned_categories(results: str | Path) -> tuple[str, ...]:
    """Return the names of the categories of the network that made predictions; none where nothing says them.

    :param results: a folder of predictions, or a file in it.
    """
    return tuple(name for _, name in numbered_categories(results))


def numbered_categories(results: str | Path) -> list[tuple[int, str]]:
    """Return the id in the results and the name of each category of the network that made predictions; none where
    nothing says them.

    :param results: a folder of predictions, or a file in it.
    """
    record = record_beside(results)
    return [(one["id"], one["name"]) for one in record.get("categories", [])] if record else []
