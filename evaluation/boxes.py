"""Boxes and keypoints: COCO's average precision of results that hold no masks, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.category import Scope, annotations_of, true_category
from evaluation.results import BESIDE_MASKS, ResultsError, checked_score, read_entries
from generator.dataset import CATEGORY_ID, KEYPOINTS, Dataset

NAMES = {
    "boxes": ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100"),
    "keypoints": ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar20", "ar20_50", "ar20_75"),
}
"""COCO's figures in its order: AP over all thresholds, at 0.5 and 0.75, by size, then AR."""
SIGMAS = (
    *(0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024),
    *(0.022, 0.026, 0.017, 0.021, 0.021, 0.032, 0.020, 0.019, 0.022, 0.031),
)
"""How far people differ who mark a hand's joints, as a share of its size (Jin et al. 2020, COCO-WholeBody)."""


def score(dataset: Dataset, results: str | Path, of: str, category: str | None = None) -> dict[str, float | int | None]:
    """The figures of :data:`NAMES` and ``hands``; None where no true hand is of that kind.

    A keypoint similarity (OKS) stands where boxes have their IoU; its size is the root of the true mask's area.

    :param of: ``boxes`` or ``keypoints``.
    :param category: that of the truth, as for masks; all results are compared with it.
    :raises ResultsError: as :func:`evaluation.results.load_results`, or if the truth has no boxes or keypoints.
    :raises DatasetError: as :func:`evaluation.category.true_category`.
    """
    kind = BESIDE_MASKS[of]
    name, _ = true_category(dataset, Scope(category=category))
    told = {image["id"]: annotations_of(dataset, image, name) for image in dataset}
    hands = [annotation for annotations in told.values() for annotation in annotations or []]
    for hand in hands:
        if kind not in hand or "bbox" not in hand:
            raise ResultsError(f"{dataset.path}: annotation {hand.get('id')} has no {kind}; {of} cannot be scored")
    found = [_checked(entry, kind, where) for where, entry in read_entries(results, dataset, kind)]
    found = [entry for entry in found if told[entry["image_id"]] is not None]  # of others nobody knows what is true
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(_coco(dataset, hands), _coco(dataset, found), kind)
        evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = zip(NAMES[of], evaluation.stats, strict=False)
    return {"hands": len(hands), **{name: float(value) if value >= 0 else None for name, value in values}}


def _checked(entry: dict[str, Any], kind: str, where: str) -> dict[str, Any]:
    values, count = entry[kind], 4 if kind == "bbox" else 3 * len(KEYPOINTS)
    numbers = isinstance(values, list) and all(isinstance(v, int | float) and math.isfinite(v) for v in values)
    if not numbers or len(values) != count:
        raise ResultsError(f"{where}: {kind} must be {count} numbers")
    area = values[2] * values[3] if kind == "bbox" else np.ptp(values[0::3]) * np.ptp(values[1::3])
    return {"image_id": entry["image_id"], kind: values, "score": checked_score(entry, where), "area": float(area)}


def _coco(dataset: Dataset, annotations: list[dict[str, Any]]) -> COCO:
    coco = COCO()
    coco.dataset = {
        "images": [{key: image[key] for key in ("id", "width", "height")} for image in dataset],
        "annotations": [{**_complete(a), "id": number} for number, a in enumerate(annotations, start=1)],
        "categories": [{"id": CATEGORY_ID, "name": "hand"}],
    }
    coco.createIndex()
    return coco


def _complete(annotation: dict[str, Any]) -> dict[str, Any]:
    """An annotation with all that COCOeval reads."""
    box = annotation.get("bbox", (0, 0, 0, 0))
    visible = sum(v > 0 for v in annotation.get("keypoints", ())[2::3])
    more = {"category_id": CATEGORY_ID, "iscrowd": 0, "num_keypoints": visible}
    return {"area": box[2] * box[3], **annotation, **more}
