"""COCO's average precision and recall of masks, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import Any

from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.matching import Picture
from generator.dataset import CATEGORY_ID

NAMES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100")
"""The first nine of COCO's twelve figures: AP, then AR with at most 1, 10 and 100 predictions a picture."""


def average_precision(pictures: Sequence[Picture]) -> dict[str, float | None]:
    """The figures of :data:`NAMES`, over all scores; None where no true hand is of that kind.

    AP is over IoU 0.50:0.05:0.95; small, medium and large hands have less than 32², less than 96², and more pixels.
    """
    truth = [(picture.image, code) for picture in pictures for code in picture.truth]
    found = [(picture.image, p.code, p.score) for picture in pictures for p in picture.predictions]
    images = [picture.image for picture in pictures]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(
            _coco(images, [_annotation(image, code) for image, code in truth]),
            _coco(images, [{**_annotation(image, code), "score": score} for image, code, score in found]),
            "segm",
        )
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {name: float(value) if value >= 0 else None for name, value in zip(NAMES, evaluation.stats, strict=False)}


def _annotation(image: dict[str, Any], code: dict[str, Any]) -> dict[str, Any]:
    return {
        "image_id": image["id"],
        "category_id": CATEGORY_ID,
        "iscrowd": 0,
        "area": int(rle.area(code)),
        "segmentation": code,
    }


def _coco(images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> COCO:
    coco = COCO()
    coco.dataset = {
        "images": [{key: image[key] for key in ("id", "width", "height")} for image in images],
        "annotations": [{"id": number, **annotation} for number, annotation in enumerate(annotations, start=1)],
        "categories": [{"id": CATEGORY_ID, "name": "hand"}],
    }
    coco.createIndex()
    return coco
