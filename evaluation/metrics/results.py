"""A COCO results file, checked against the ground truth it is scored with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycocotools import mask as rle

from evaluation.metrics.image_ids import resolve
from evaluation.metrics.prediction_record import check_origin, numbered_categories, predicted_files
from evaluation.records import ResultsError, kind_of, read_json
from handforge.dataset import CATEGORIES, Dataset, DatasetError, to_rle
from handforge.dataset.coco_types import ImageRecord, RleCode

BESIDE_MASKS = {"boxes": "bbox", "keypoints": "keypoints"}
"""What results may hold beside masks, and COCO's name of it."""


@dataclass(frozen=True)
class Prediction:
    """One predicted object.

    :param code: its mask as compressed RLE, of its image's size, with at least one pixel.
    :param score: 0 to 1.
    :param category: its category's name.
    """

    code: RleCode
    score: float
    category: str


@dataclass(frozen=True)
class Results:
    """A results file, read.

    :param predictions: by image id, highest score first (equal scores in the file's order); every image has a list.
    :param notes: how results were matched with images, where that is not by COCO's ids, and what was left out.
    """

    predictions: dict[int, list[Prediction]]
    notes: list[str]


@dataclass(frozen=True)
class Entry:
    """One result.

    :param where: file and place, in words.
    :param image_id: of the dataset.
    :param category: its name.
    :param score: 0 to 1.
    :param record: the whole result, as it stands in the file.
    """

    where: str
    image_id: int
    category: str
    score: float
    record: dict[str, Any]


def load_results(path: str | Path, dataset: Dataset) -> Results:
    """Read the predicted masks of each image.

    :param path: as :func:`read_entries`.
    :raises ResultsError: as :func:`read_entries`, or if a mask has no pixel or another size than its image.
    """
    images = {image["id"]: image for image in dataset}
    predictions: dict[int, list[Prediction]] = {image_id: [] for image_id in images}
    entries, notes = read_entries(path, dataset, "segmentation")
    for entry in entries:
        predictions[entry.image_id].append(_prediction(entry, images[entry.image_id]))
    for found in predictions.values():
        found.sort(key=lambda prediction: -prediction.score)
    return Results(predictions, notes)


def read_entries(path: str | Path, dataset: Dataset, needed: str) -> tuple[list[Entry], list[str]]:
    """Return the results of a file that belong to images of a dataset, and notes as :class:`Results` has them.

    :param path: a COCO results file: a JSON list of ``{"image_id", "category_id", "segmentation", "score"}``, the same
        one to a line, or a COCO object whose ``annotations`` are that; or the folder that ``handforge predict``
        wrote, whose record says which dataset was predicted, or which files, and the categories of the network, among
        them those that the dataset does not list. A ``category_id`` may be the category's name.
    :param needed: the key that holds the prediction: ``segmentation``, ``bbox`` or ``keypoints``.
    :raises ResultsError: naming the file and the result, if it is not such a file, if it belongs to other images, or
        if a result lacks a key, has a category that the dataset does not list, a score outside 0 to 1, or an id that
        stands twice.
    """
    path, hint = Path(path), "run handforge predict, or give another tool's COCO results file"
    if (path / "run.json").is_file():
        hint = f"{path} is a run; give its predictions, {path}/predictions/NAME, or to score also --session last"
    if path.is_dir():
        path = path / "results.json"
    content = read_json(path, hint, lines=True)
    records, file_names, categories = _parts(content, path)
    trusted = check_origin(path.parent, dataset)
    known = _categories(dataset) | {
        key: name for key, name in categories.items() if name in _categories(dataset).values()
    }
    known |= {number: name for number, name in numbered_categories(path.parent) if isinstance(number, int)}
    if not trusted:
        file_names = predicted_files(path.parent) | file_names
    seen: set[Any] = set()
    for number, record in enumerate(records, start=1):
        where = f"{path}: result {number} of {len(records)}"
        if not isinstance(record, dict):
            raise ResultsError(f"{where} is {kind_of(record)}, not an object")
        for key in ("image_id", "category_id"):
            value = record.get(key)
            if isinstance(value, float) and value.is_integer():  # tools that keep tables write 7 as 7.0
                record[key] = int(value)
        _check_keys(record, needed, where)
        _check_id(record, seen, where)
    image_ids, notes = resolve(records, dataset, file_names, trusted)
    if records and not any(image_id is not None for image_id in image_ids):
        raise ResultsError(
            f"{path}: result 1 of {len(records)} is for image {records[0]['image_id']!r}, and no image of the results "
            f"is in {dataset.folder}; give the dataset that these results were predicted for"
        )
    entries = []
    for number, (record, image_id) in enumerate(zip(records, image_ids, strict=True), start=1):
        if image_id is not None:
            where = f"{path}: result {number} of {len(records)}"
            entries.append(Entry(where, image_id, _category(record, known, where), _score(record, where), record))
    return entries, notes


def _parts(content: Any, path: Path) -> tuple[list[Any], dict[Any, str], dict[Any, str]]:
    """Return the results of a file, and the file names and category names that it states by their ids, if it does."""
    if isinstance(content, dict) and "image_id" in content:
        return [content], {}, {}  # newline-delimited JSON of one line
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        return content["annotations"], *(_names(content, *keys) for keys in _NAMES)
    if not isinstance(content, list):
        raise ResultsError(
            f"{path} is not a COCO results file: it must hold a list, or an object with annotations, "
            f"not {kind_of(content)}"
        )
    return content, {}, {}


_NAMES = (("images", "file_name"), ("categories", "name"))


def _names(content: dict[str, Any], key: str, name: str) -> dict[Any, str]:
    records = content.get(key) if isinstance(content.get(key), list) else []
    return {
        record["id"]: record[name]
        for record in records or []
        if isinstance(record, dict) and isinstance(record.get("id"), int | str) and isinstance(record.get(name), str)
    }


def _check_keys(record: dict[str, Any], needed: str, where: str) -> None:
    for key in ("image_id", "category_id", needed, "score"):
        if key not in record:
            others = [name for name, kind in BESIDE_MASKS.items() if kind in record]
            hint = f"; score --of {others[-1]} measures what it has" if key == needed and others else ""
            raise ResultsError(f'{where} has no "{key}"{hint}')
    if isinstance(record["image_id"], bool) or not isinstance(record["image_id"], int | str):
        raise ResultsError(f"{where} has the image_id {record['image_id']!r}; it is an image's id or file name")


def _check_id(record: dict[str, Any], seen: set[Any], where: str) -> None:
    if "id" not in record:
        return
    identity = record["id"]
    if isinstance(identity, dict | list) or identity in seen:
        raise ResultsError(f"{where} has the id {identity!r}, which stands twice or is not one; ids must differ")
    seen.add(identity)


def _categories(dataset: Dataset) -> dict[int, str]:
    """Category names by id; where hands are listed, our own ids of hands hold for those that are not."""
    hands = set(CATEGORIES.values()) & set(dataset.categories.values())
    return {**CATEGORIES, **dataset.categories} if hands else dict(dataset.categories)


def _category(record: dict[str, Any], known: dict[int, str], where: str) -> str:
    category_id = record["category_id"]
    name = known.get(category_id) if isinstance(category_id, int) and not isinstance(category_id, bool) else None
    if isinstance(category_id, str) and category_id.strip() in known.values():
        name = category_id.strip()
    if name is None:
        there = ", ".join(f"{key} ({name})" for key, name in known.items())
        raise ResultsError(
            f"{where} has the category {category_id!r}; the dataset has {there}, leave results of others out"
        )
    return name


def _prediction(entry: Entry, image: ImageRecord) -> Prediction:
    where = f"{entry.where} ({image['file_name']})"
    try:
        code = to_rle(entry.record["segmentation"], image["height"], image["width"])
    except DatasetError as error:
        raise ResultsError(f"{where}: {error}") from error
    if rle.area(code) == 0:
        raise ResultsError(f"{where}: the mask has no pixel; leave such results out")
    return Prediction(code, entry.score, entry.category)


def is_number(value: Any) -> bool:
    """Tell whether a value out of a JSON file is a number to calculate with: not NaN, and below 1e12."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _score(record: dict[str, Any], where: str) -> float:
    score = record["score"]
    if not is_number(score):
        raise ResultsError(f"{where} has the score {score!r}; a score is a number from 0 to 1")
    if not 0 <= score <= 1:
        raise ResultsError(f"{where} has the score {score!r}; scores go from 0 to 1, scale them first")
    return float(score)
