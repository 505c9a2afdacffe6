"""Predictions without ground truth: images and frames of videos with outlines of what is detected, by category."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.metrics.prediction_record import IMAGE_KEYS, IMAGES, numbered_categories
from evaluation.metrics.results import is_number
from evaluation.records import read_objects
from evaluation.report import gallery
from evaluation.runs.run_folder import Predicted
from handforge.dataset import CATEGORIES, DatasetError, read_image, to_rle, video
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
    :param photographs: images, highest score first, then frames of each video, in their order.
    :param chosen: how these were chosen, where they are not all.
    :param colors: of each category that occurs, by name.
    """

    label: str
    total: int
    photographs: list[Photograph]
    chosen: str
    colors: dict[str, str]


def draw_unscored(label: str, predicted: Predicted, min_score: float, most: int, most_bytes: int) -> UnscoredSet | None:
    """Draw the images of a predictions folder that has no ground truth.

    :param min_score: detections below this score are not shown.
    :param most: number of images at most, as many of each video as of all other images: of these half with the
        highest, half with the lowest scores, of a video evenly spread.
    :returns: None where there is nothing to show: a camera, results without masks, images that are gone.
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
    best = {key: max((result["score"] for result in found), default=-1.0) for key, found in by_image.items()}
    kinds = sorted({result["category_id"] for found in by_image.values() for result in found}, key=str)
    colors = {kind: PALETTE[number % len(PALETTE)] for number, kind in enumerate(kinds)}
    photographs = [record for record in records if "video" not in record]
    videos: dict[str, list[ImageRecord]] = {}
    for record in records:
        if "video" in record:
            videos.setdefault(str(record["video"]), []).append(record)
    each = max(1, most // max(1, len(videos) + bool(photographs)))
    drawn = [_photographs(source, photographs, best, each)]
    drawn += [_frames(source, name, frames, each) for name, frames in videos.items()]
    shown = []
    for record, pixels in islice(chain.from_iterable(drawn), most):
        found = by_image[record["id"]]
        address = _outlined(pixels, [(result, colors[result["category_id"]]) for result in found], most_bytes)
        if address:
            score = best[record["id"]] if found else None
            shown.append(Photograph(label, Path(str(record["file_name"])).name, len(found), score, address))
    chosen = ["those with the highest and the lowest scores"] if photographs else []
    chosen += ["frames evenly spread over each video"] if videos else []
    learned: dict[Any, str] = dict(numbered_categories(predicted.folder)) or {**CATEGORIES}
    named = {learned.get(kind, f"category {kind}"): color for kind, color in colors.items()}
    return UnscoredSet(label, len(records), shown, " and ".join(chosen), named) if shown else None


_Drawn = Iterator[tuple[ImageRecord, np.ndarray]]
"""Images with their pixels, (H, W, 3) uint8 RGB; those that are gone or cannot be read are left out."""


def _photographs(source: Path, records: list[ImageRecord], best: dict[int, float], most: int) -> _Drawn:
    """Images of a source with the highest and the lowest scores, highest first."""
    scores = [best[record["id"]] for record in records]
    for index in sorted(gallery.choose(scores, most), key=lambda index: -scores[index]):
        with suppress(DatasetError):
            yield records[index], read_image(_path(source, str(records[index]["file_name"])))


def _frames(source: Path, name: str, records: list[ImageRecord], most: int) -> _Drawn:
    """Frames of a source's video, evenly spread; ``records`` are those of its first frames, each of one."""
    wanted = set(np.linspace(0, len(records) - 1, min(most, len(records))).astype(int).tolist())
    with suppress(DatasetError):
        frames = video.open_video(_path(source, name)).read()
        for number, (record, (_, pixels)) in enumerate(zip(records, frames, strict=False)):
            if number in wanted:
                yield record, pixels


def _path(source: Path, name: str) -> Path:
    """An image or video of a source.

    :raises DatasetError: if it would lie elsewhere.
    """
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DatasetError(f"{name} does not lie in {source}")
    return source / name if source.is_dir() else source


def _outlined(pixels: np.ndarray, found: list[tuple[ResultRecord, str]], most_bytes: int) -> str:
    """An image with outlines as a ``data:`` address; empty where it is not what was predicted."""
    height, width = pixels.shape[:2]
    try:
        outlines = [(to_rle(result["segmentation"], height, width), color) for result, color in found]
    except DatasetError:
        return ""
    return gallery.address(gallery.outlined(pixels, outlines, (0, 0, width, height)), most_bytes)
