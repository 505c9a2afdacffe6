"""A COCO results file, checked against the truth it is to be measured with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycocotools import mask as rle

from handforge.dataset import CATEGORIES, Dataset, DatasetError, to_rle
from handforge.errors import HandforgeError

BESIDE_MASKS = {"boxes": "bbox", "keypoints": "keypoints"}
"""What results may hold beside masks, and COCO's name of it."""


class ResultsError(HandforgeError):
    """Something is wrong with a results file or a run folder; the text says what, where, and the remedy."""


@dataclass(frozen=True)
class Prediction:
    """One predicted hand.

    :param code: its mask as compressed RLE, of its image's size, with at least one pixel.
    :param score: 0 to 1.
    :param category: what it covers, one of :data:`handforge.dataset.CATEGORIES`.
    """

    code: dict[str, Any]
    score: float
    category: str


def load_results(path: str | Path, dataset: Dataset) -> dict[int, list[Prediction]]:
    """The predictions of each image by image id, highest score first (equal scores in the file's order).

    :param path: a COCO results file: a JSON list of ``{"image_id", "category_id", "segmentation", "score"}``; or the
        folder that ``hand-trainer predict`` wrote, whose record says which dataset was predicted.
    :raises ResultsError: naming the file and the entry, if it is no such file, if it belongs to other images, or if
        an entry has no pixel, another size than its image, a score outside 0 to 1, or an id that stands twice.
    """
    images = {image["id"]: image for image in dataset}
    found: dict[int, list[Prediction]] = {image_id: [] for image_id in images}
    for where, entry in read_entries(path, dataset, "segmentation"):
        image, category = images[entry["image_id"]], category_of(entry, where, dataset)
        found[image["id"]].append(_prediction(entry, image, category, f"{where} ({image['file_name']})"))
    for predictions in found.values():
        predictions.sort(key=lambda prediction: -prediction.score)
    return found


def read_entries(path: str | Path, dataset: Dataset, needed: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries of a results file and where each stands, in words. Errors as :func:`load_results`.

    :param needed: the key that says what was found: ``segmentation``, ``bbox`` or ``keypoints``.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "results.json"
    entries = read_json(path, "run hand-trainer predict, or give another tool's COCO results file")
    if not isinstance(entries, list):
        raise ResultsError(f"{path} is no COCO results file: it must hold a list, not {kind_of(entries)}")
    check_origin(path.parent, dataset)
    images = {image["id"] for image in dataset}
    seen: set[Any] = set()
    for number, entry in enumerate(entries, start=1):
        where = f"{path}: result {number} of {len(entries)}"
        if not isinstance(entry, dict):
            raise ResultsError(f"{where} is {kind_of(entry)}, not an object")
        _check_image(entry, images, needed, where, dataset)
        _check_id(entry, seen, where)
        yield where, entry


def read_json(path: Path, remedy: str) -> Any:
    """What a JSON file holds.

    :raises ResultsError: if it is missing (with the remedy) or no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ResultsError(f"{path} is missing; {remedy}") from None
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is no valid JSON ({error})") from None


def check_origin(folder: Path, dataset: Dataset) -> None:
    """Refuse a predictions folder whose ``predict.json`` names another dataset.

    :raises ResultsError: if the dataset's id is not the one that was predicted.
    """
    if not (folder / "predict.json").is_file():
        return
    record = read_json(folder / "predict.json", "")
    predicted = record.get("dataset_id") if isinstance(record, dict) else None
    if predicted is not None and predicted != dataset.id:
        raise ResultsError(
            f"{folder} was predicted for other images: dataset {predicted}, and {dataset.folder} is {dataset.id}; "
            "give the dataset it was made from, or run hand-trainer predict again"
        )


def kind_of(value: Any) -> str:
    """What a value out of a JSON file is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _check_image(entry: dict[str, Any], images: set[int], needed: str, where: str, dataset: Dataset) -> None:
    for key in ("image_id", "category_id", needed, "score"):
        if key not in entry:
            others = [name for name, kind in BESIDE_MASKS.items() if kind in entry]
            hint = f"; score --of {others[-1]} measures what it has" if key == needed and others else ""
            raise ResultsError(f'{where} has no "{key}"{hint}')
    image_id = entry["image_id"]
    if not isinstance(image_id, int) or isinstance(image_id, bool) or image_id not in images:
        raise ResultsError(
            f"{where} is for image {image_id!r}, which {dataset.folder} does not hold; "
            "give the dataset that these results were predicted for"
        )


def category_of(entry: dict[str, Any], where: str, dataset: Dataset) -> str:
    """The category of an entry by its id in the truth, or by its id in ours where the truth does not have it.

    :raises ResultsError: if it is none of :data:`handforge.dataset.CATEGORIES`.
    """
    known = {**CATEGORIES, **dataset.categories}
    category_id = entry["category_id"]
    name = known.get(category_id, "") if isinstance(category_id, int) else ""
    if name not in CATEGORIES.values():
        hands = " or ".join(f"{key} ({name})" for key, name in known.items() if name in CATEGORIES.values())
        raise ResultsError(f"{where} has the category {category_id!r}; hands are {hands}, leave the others out")
    return name


def _check_id(entry: dict[str, Any], seen: set[Any], where: str) -> None:
    if "id" not in entry:
        return
    identity = entry["id"]
    if isinstance(identity, dict | list) or identity in seen:
        raise ResultsError(f"{where} has the id {identity!r}, which stands twice or is none; ids must differ")
    seen.add(identity)


def _prediction(entry: dict[str, Any], image: dict[str, Any], category: str, where: str) -> Prediction:
    score = checked_score(entry, where)
    try:
        code = to_rle(entry["segmentation"], image["height"], image["width"])
    except DatasetError as error:
        raise ResultsError(f"{where}: {error}") from error
    if rle.area(code) == 0:
        raise ResultsError(f"{where}: the mask has no pixel; leave such results out")
    return Prediction(code, score, category)


def is_number(value: Any) -> bool:
    """Whether a value out of a JSON file is a number to calculate with: no NaN, and none beyond all sizes."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def checked_score(entry: dict[str, Any], where: str) -> float:
    """The score of an entry.

    :raises ResultsError: if it is no number from 0 to 1.
    """
    score = entry["score"]
    if not is_number(score):
        raise ResultsError(f"{where} has the score {score!r}; a score is a number from 0 to 1")
    if not 0 <= score <= 1:
        raise ResultsError(f"{where} has the score {score!r}; scores go from 0 to 1, scale them first")
    return float(score)
