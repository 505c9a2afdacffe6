"""Predictions without ground truth: images with the outlines of what is detected, coloured by category."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.metrics.prediction_record import IMAGE_KEYS, IMAGES, numbered_categories
from evaluation.metrics.results import is_number
from evaluation.records import read_objects
from evaluation.report import gallery
from evaluation.runs.run_folder import Predicted
from handforge.dataset import CATEGORIES, DatasetError, read_image, to_rle
from handforge.dataset.coco_types import ImageRecord, ResultRecord

PALETTE = ("#2f9bff", "#ff6a1a", "#00c48c", "#ff3df0", "#f2c200", "#8f7bff", "#00c2d1", "#c98b5a")
"""Colours of categories, in the order of their ids."""


@dataclass(frozen=True)
class Photograph:
    """One image with its detections.

    :param count: the number of detections shown.
    :param score: the highest score, None without a detection.
    :param source: the image as a ``data:`` address.
    """

    group: str
    name: str
    count: int
    score: float | None
    source: str


@dataclass(frozen=True)
class UnscoredSet:
    """The images of one predictions folder.

    :param total: the number of images that were predicted.
    :param colors: of each category that occurs, by name.
    """

    label: str
    total: int
    photographs: list[Photograph]
    colors: dict[str, str]


def draw_unscored(label: str, predicted: Predicted, min_score: float, most: int, most_bytes: int) -> UnscoredSet | None:
    """Draw the images of a predictions folder that has no ground truth.

    :param min_score: detections below this score are not shown.
    :param most: number of images at most: half with the highest, half with the lowest scores.
    :returns: None where there is nothing to show: a video, a camera, results without masks, images that are gone.
    :raises ResultsError: if the folder's results are damaged.
    """
    source, names = Path(predicted.source), predicted.folder / IMAGES
    if not names.is_file() or not source.exists():
        return None
    records: list[ImageRecord] = read_objects(names, IMAGE_KEYS)
    results: list[ResultRecord] = read_objects(predicted.folder / "results.json", ("image_id", "category_id", "score"))
    if any("segmentation" not in result for result in results):
        return None
    by_image: dict[int, list[ResultRecord]] = {record["id"]: [] for record in records}
    for result in results:
        if is_number(result["score"]) and result["score"] >= min_score and result["image_id"] in by_image:
            by_image[result["image_id"]].append(result)
    best = [max((result["score"] for result in by_image[record["id"]]), default=-1.0) for record in records]
    kinds = sorted({result["category_id"] for found in by_image.values() for result in found}, key=str)
    colors = {kind: PALETTE[number % len(PALETTE)] for number, kind in enumerate(kinds)}
    shown = []
    for index in sorted(gallery.choose(best, most), key=lambda index: -best[index]):
        record, found = records[index], by_image[records[index]["id"]]
        address = _draw(source, record, [(result, colors[result["category_id"]]) for result in found], most_bytes)
        if address:
            score = best[index] if found else None
            shown.append(Photograph(label, Path(str(record["file_name"])).name, len(found), score, address))
    learned: dict[Any, str] = dict(numbered_categories(predicted.folder)) or {**CATEGORIES}
    named = {learned.get(kind, f"category {kind}"): color for kind, color in colors.items()}
    return UnscoredSet(label, len(records), shown, named) if shown else None


def _draw(source: Path, record: ImageRecord, found: list[tuple[ResultRecord, str]], most_bytes: int) -> str:
    """The image with outlines as a ``data:`` address; empty where it is gone or is not what was predicted."""
    name = Path(str(record["file_name"]))
    path = source / name if source.is_dir() else source
    if name.is_absolute() or ".." in name.parts:
        return ""
    try:
        pixels = read_image(path)
        height, width = pixels.shape[:2]
        outlines = [(to_rle(result["segmentation"], height, width), color) for result, color in found]
    except DatasetError:
        return ""
    return gallery.address(gallery.outlined(pixels, outlines, (0, 0, width, height)), most_bytes)
