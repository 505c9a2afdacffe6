"""COCO's average precision and recall of masks, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.metrics.matching import ImageEval
from handforge.dataset import CATEGORY_ID

NAMES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100")
"""The first nine of COCO's twelve figures: AP, then AR with at most 1, 10 and 100 predictions an image."""

RECALLS = np.linspace(0, 1, 101)
"""Where COCO reads off the precision."""


@dataclass(frozen=True)
class Ranked:
    """All predictions in falling score, with pycocotools' matches.

    :param owner: (D,) int, the index of each prediction's image.
    :param right: for each IoU threshold, which of the predictions found a hand: their indices, rising.
    :param hands: (N,) int, the true hands of each image.
    """

    owner: np.ndarray
    right: list[np.ndarray]
    hands: np.ndarray


def average_precision(pictures: Sequence[ImageEval]) -> dict[str, float | None]:
    """The figures of :data:`NAMES`, over all scores; None where no true hand is of that kind.

    AP is over IoU 0.50:0.05:0.95; small, medium and large hands have less than 32², less than 96², and more pixels.
    """
    return figures(evaluated(pictures))


def evaluated(pictures: Sequence[ImageEval]) -> COCOeval:
    """Images, each with its matches, as pycocotools evaluates them."""
    truth = [(picture.image, code) for picture in pictures for code in picture.truth]
    found = [(picture.image, p.code, p.score) for picture in pictures for p in picture.predictions]
    images = [picture.image for picture in pictures]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(
            coco_of(images, [_annotation(image, code) for image, code in truth]),
            coco_of(images, [{**_annotation(image, code), "score": score} for image, code, score in found]),
            "segm",
        )
        evaluation.evaluate()
    return evaluation


def figures(evaluation: COCOeval, names: tuple[str, ...] = NAMES) -> dict[str, float | None]:
    """What is evaluated as COCO's numbers, by their names in its order; None where no true hand is of that kind."""
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.accumulate()
        evaluation.summarize()
    return {name: float(value) if value >= 0 else None for name, value in zip(names, evaluation.stats, strict=False)}


def ranked(evaluation: COCOeval) -> Ranked:
    """The matches of what is evaluated, of hands of all sizes and at most 100 predictions an image."""
    cells = evaluation.evalImgs[: len(evaluation.params.imgIds)]  # all sizes come first; None: nothing there
    scores = [np.array(cell["dtScores"] if cell else [], float) for cell in cells]
    order = np.argsort(-np.concatenate(scores), kind="stable")
    right = np.concatenate([cell["dtMatches"] for cell in cells if cell] or [np.zeros((1, 0))], axis=1)[:, order] > 0
    return Ranked(
        owner=np.repeat(np.arange(len(cells)), [len(values) for values in scores])[order],
        right=[np.flatnonzero(row) for row in right],
        hands=np.array([len(cell["gtIds"]) if cell else 0 for cell in cells]),
    )


def weighted_ap(found: Ranked, times: np.ndarray) -> float:
    """AP where each image is there so many times; NaN without a hand.

    :param times: (N,) int; all 1 gives pycocotools' AP.
    """
    hands = float((found.hands * times).sum())
    if not hands:
        return np.nan
    weight = times[found.owner]
    count = np.cumsum(weight)
    # Recall rises, and the best precision from there on lies, only where a prediction is right.
    return float(np.mean([_interpolated(np.cumsum(weight[right]), count[right], hands) for right in found.right]))


def _interpolated(right: np.ndarray, count: np.ndarray, hands: float) -> float:
    """The mean precision at the 101 recalls: of the first so many predictions, so many are right; (K,) each."""
    precision = np.maximum.accumulate((right / np.maximum(count, 1))[::-1])[::-1]
    return float(np.append(precision, 0.0)[np.searchsorted(right / hands, RECALLS)].mean())


def _annotation(image: dict[str, Any], code: dict[str, Any]) -> dict[str, Any]:
    return {"image_id": image["id"], "area": int(rle.area(code)), "segmentation": code}


def coco_of(images: Iterable[dict[str, Any]], annotations: list[dict[str, Any]]) -> COCO:
    """Images' records and annotations, or results, of one category as pycocotools holds them."""
    coco = COCO()
    coco.dataset = {
        "images": [{key: image[key] for key in ("id", "width", "height")} for image in images],
        "annotations": [
            {"id": number, "category_id": CATEGORY_ID, "iscrowd": 0, **annotation}
            for number, annotation in enumerate(annotations, start=1)
        ],
        "categories": [{"id": CATEGORY_ID, "name": "hand"}],
    }
    coco.createIndex()
    return coco
