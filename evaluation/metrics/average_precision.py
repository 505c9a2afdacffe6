"""COCO's average precision and recall of masks, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.metrics.matching import ImageEval
from handforge.dataset.coco_types import ImageRecord, RleCode

NAMES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100")
"""The first nine of COCO's twelve figures: AP, then AR with at most 1, 10 and 100 predictions an image."""

RECALLS = np.linspace(0, 1, 101)
"""Where COCO reads off the precision."""


@dataclass(frozen=True)
class Ranked:
    """All predictions of one category in falling score, with pycocotools' matches.

    :param owner: (D,) int, the index of each prediction's image.
    :param true_positives: for each IoU threshold the indices of the predictions that match, rising.
    :param objects: (N,) int, the annotated objects of each image.
    :param ignored: for each IoU threshold the indices of the predictions in crowd regions; none where it is empty.
    """

    owner: np.ndarray
    true_positives: list[np.ndarray]
    objects: np.ndarray
    ignored: tuple[np.ndarray, ...] = ()


def average_precision(images: Sequence[ImageEval]) -> dict[str, float | None]:
    """Compute the figures of :data:`NAMES`, over all scores; None where no annotated object is of that kind.

    AP is over IoU 0.50:0.05:0.95 and the mean over categories; small, medium and large objects have less than 32², less
    than 96², and more pixels.
    """
    return figures(evaluated(images))


def evaluated(images: Sequence[ImageEval]) -> COCOeval:
    """Have pycocotools match all images."""
    names = sorted(
        {name for image in images for name in image.categories}
        | {prediction.category for image in images for prediction in image.predictions}
    ) or ["hand"]
    ids = {name: number for number, name in enumerate(names, start=1)}
    annotated = [
        _entry(image, code, ids[name])
        for image in images
        for code, name in zip(image.ground_truth, image.categories, strict=True)
    ]
    annotated += [
        {**_entry(image, crowd.code, ids[crowd.category]), "iscrowd": 1}
        for image in images
        for crowd in image.crowds
        if crowd.category in ids
    ]
    predicted: list[CocoEntry] = [
        {**_entry(image, p.code, ids[p.category]), "score": p.score} for image in images for p in image.predictions
    ]
    records = [image.image for image in images]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(coco_of(records, annotated, names), coco_of(records, predicted, names), "segm")
        evaluation.evaluate()
    return evaluation


def figures(evaluation: COCOeval, names: tuple[str, ...] = NAMES) -> dict[str, float | None]:
    """Return COCO's figures by their names, in its order; None where no annotated object is of that kind."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
        evaluation.summarize()
    return {name: float(value) if value >= 0 else None for name, value in zip(names, evaluation.stats, strict=False)}


def ranked(evaluation: COCOeval) -> list[Ranked]:
    """Return the matches of each category, of objects of all sizes and at most 100 predictions an image."""
    images = len(evaluation.params.imgIds)
    of_category = images * len(evaluation.params.areaRng)  # of each category, all sizes come first
    starts = range(0, len(evaluation.evalImgs), of_category)
    return [_ranked(evaluation.evalImgs[start : start + images]) for start in starts]


def _ranked(cells: list[dict[str, Any] | None]) -> Ranked:
    scores = [np.array(cell["dtScores"] if cell else [], float) for cell in cells]  # None: nothing there
    order = np.argsort(-np.concatenate(scores), kind="stable")

    def joined(name: str) -> np.ndarray:
        parts = [np.asarray(cell[name]) for cell in cells if cell] or [np.zeros((1, 0))]
        return np.concatenate(parts, axis=1)[:, order].astype(bool)

    matched, ignored = joined("dtMatches"), joined("dtIgnore")
    return Ranked(
        owner=np.repeat(np.arange(len(cells)), [len(values) for values in scores])[order],
        true_positives=[np.flatnonzero(row) for row in matched & ~ignored],
        objects=np.array([int((np.asarray(cell["gtIgnore"]) == 0).sum()) if cell else 0 for cell in cells]),
        ignored=tuple(np.flatnonzero(row) for row in ignored) if ignored.any() else (),
    )


def weighted_ap(categories: Sequence[Ranked], times: np.ndarray) -> float:
    """Compute AP where each image is there a number of times; NaN without an object.

    :param categories: of each category; the mean over those with objects is returned.
    :param times: (N,) int; all 1 gives pycocotools' AP.
    """
    values = [value for value in (_weighted(category, times) for category in categories) if not np.isnan(value)]
    return float(np.mean(values)) if values else np.nan


def _weighted(found: Ranked, times: np.ndarray) -> float:
    objects = float((found.objects * times).sum())
    if not objects:
        return np.nan
    weight = times[found.owner]
    count = np.cumsum(weight)
    values = []
    for number, matched in enumerate(found.true_positives):
        if found.ignored:
            counted = weight.copy()
            counted[found.ignored[number]] = 0
            count = np.cumsum(counted)
        # Recall rises, and the best precision from there on lies, only where a prediction matches.
        values.append(_interpolated(np.cumsum(weight[matched]), count[matched], objects))
    return float(np.mean(values))


def _interpolated(matched: np.ndarray, count: np.ndarray, objects: float) -> float:
    """The mean precision at the 101 recalls; ``matched`` of the first ``count`` predictions match, (K,) each."""
    precision = np.maximum.accumulate((matched / np.maximum(count, 1))[::-1])[::-1]
    return float(np.append(precision, 0.0)[np.searchsorted(matched / objects, RECALLS)].mean())


class CocoEntry(TypedDict, total=False):
    """What COCOeval reads of an annotation or a result."""

    image_id: int
    category_id: int
    iscrowd: int
    area: float
    segmentation: RleCode
    bbox: list[float]
    keypoints: list[float]
    num_keypoints: int
    score: float


def _entry(image: ImageEval, code: RleCode, category_id: int) -> CocoEntry:
    return {
        "image_id": image.image["id"],
        "category_id": category_id,
        "area": int(rle.area(code)),
        "segmentation": code,
    }


def coco_of(images: Iterable[ImageRecord], entries: Iterable[CocoEntry], names: Sequence[str]) -> COCO:
    """Make pycocotools' object of images' records and annotations, or results.

    :param names: of the categories, whose ids count from 1.
    """
    coco = COCO()
    coco.dataset = {
        "images": [{key: image[key] for key in ("id", "width", "height")} for image in images],
        "annotations": [{"id": number, "iscrowd": 0, **entry} for number, entry in enumerate(entries, start=1)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, start=1)],
    }
    coco.createIndex()
    return coco
