"""Which image of a dataset a result belongs to.

COCO says it by the dataset's own id. Other tools write a file name instead, its stem, or the number that the stem is
(Ultralytics: ``000017.jpg`` becomes 17); a name that a result states is trusted more than its number.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from pycocotools import mask as rle

from handforge.dataset import Dataset, DatasetError, to_rle

LOOKED_AT = 200
"""Results that are compared with the ground truth where a number may be an id or a file's."""


def resolve(
    records: Sequence[dict[str, Any]], dataset: Dataset, file_names: dict[Any, str], trusted: bool
) -> tuple[list[int | None], list[str]]:
    """Return the dataset's image id of every result, None where it has no such image, and notes on how.

    :param records: with an ``image_id`` each, an int or a text.
    :param file_names: the file names that the results file itself states, by its own image ids.
    :param trusted: the ids are known to be this dataset's.
    """
    ids = {image["id"] for image in dataset}
    if trusted:
        found: list[int | None] = [r["image_id"] if r["image_id"] in ids else None for r in records]
        return found, _left_out(records, found, dataset)
    by_name = _by_name(dataset)
    named = [_stated_name(record, file_names) for record in records]
    numbers = [record["image_id"] for record, name in zip(records, named, strict=True) if name is None]
    by_number, note = _number_reading(numbers, records, dataset, ids)
    found = [
        by_number.get(record["image_id"]) if name is None else _look_up(name, by_name, ids)
        for record, name in zip(records, named, strict=True)
    ]
    ours = [record["image_id"] for record in records]
    notes = ["results are matched with images by file name"] if any(named) and ours != found else []
    return found, [*notes, *note, *_left_out(records, found, dataset)]


def _stated_name(record: dict[str, Any], file_names: dict[Any, str]) -> str | None:
    stated = record.get("file_name", file_names.get(record["image_id"]))
    if isinstance(stated, str) and stated:
        return stated
    return record["image_id"] if isinstance(record["image_id"], str) else None


def _by_name(dataset: Dataset) -> dict[str, int]:
    """Image ids by file name, by its last part and by its stem, as far as these are unique."""
    found: dict[str, int] = {}
    forms: tuple[Callable[[PurePosixPath], str], ...] = (lambda path: path.stem, lambda path: path.name, str)
    for form in forms:
        names = [(form(PurePosixPath(_composed(image["file_name"]))), image["id"]) for image in dataset]
        counts = Counter(name for name, _ in names)
        found |= {name: image_id for name, image_id in names if counts[name] == 1}
    return found


def _composed(name: str) -> str:
    """A name as composed Unicode; a Mac's file system decomposes it."""
    return unicodedata.normalize("NFC", name)


def _look_up(name: str, by_name: dict[str, int], ids: set[int]) -> int | None:
    path = PurePosixPath(_composed(name).replace("\\", "/"))
    for form in (str(path), path.name, path.stem):
        if form in by_name:
            return by_name[form]
    return int(name) if name.isascii() and name.isdigit() and len(name) < 19 and int(name) in ids else None


def _number_reading(
    numbers: list[int], records: Sequence[dict[str, Any]], dataset: Dataset, ids: set[int]
) -> tuple[dict[int, int], list[str]]:
    """Read numbers as ids or as the numbers of file names, whichever more of them are.

    Where all may be both, the reading counts under which predictions lie on annotated objects.
    """
    as_ids = {number: number for number in ids}
    stems = [(PurePosixPath(image["file_name"]).stem, image["id"]) for image in dataset]
    as_stems = {int(stem): image_id for stem, image_id in stems if stem.isascii() and stem.isdigit() and len(stem) < 19}
    by_id, by_stem = (sum(number in reading for number in numbers) for reading in (as_ids, as_stems))
    if by_id > by_stem or not by_stem or all(as_stems.get(number) == number for number in numbers):
        return as_ids, []
    if by_id == by_stem and _overlap(records, dataset, as_ids) >= _overlap(records, dataset, as_stems):
        return as_ids, ["image ids of the results are taken as the dataset's; they are numbers of file names, too"]
    return as_stems, ["image ids of the results are numbers of file names, and matched as these"]


def _overlap(records: Sequence[dict[str, Any]], dataset: Dataset, reading: dict[int, int]) -> float:
    """The mean IoU of results' boxes with the annotated box they overlap most, under a reading of their image ids."""
    images = {image["id"]: image for image in dataset}
    values = []
    for record in records[:LOOKED_AT]:
        image = images.get(reading.get(record["image_id"], -1))
        if image is None:
            continue
        try:
            box = record.get("bbox") or rle.toBbox(to_rle(record["segmentation"], image["height"], image["width"]))
            there = [dataset.points(annotation, "bbox", (4,)) for annotation in dataset.annotations(image)]
            boxes = np.array([found for found in there if found is not None])
            placed = np.array(box, float).reshape(1, 4)
            overlaps = rle.iou(placed, boxes, [0] * len(boxes)) if len(boxes) else np.zeros(1)
            values.append(float(np.max(overlaps)))
        except (DatasetError, KeyError, TypeError, ValueError):
            values.append(0.0)  # a mask of another size than its image, for one
    return float(np.mean(values)) if values else 0.0


def _left_out(records: Sequence[dict[str, Any]], found: list[int | None], dataset: Dataset) -> list[str]:
    missing = [record["image_id"] for record, image_id in zip(records, found, strict=True) if image_id is None]
    if not missing:
        return []
    return [
        f"{len(missing)} results for {len(set(missing))} images that {dataset.folder.name} does not hold are left out"
    ]
