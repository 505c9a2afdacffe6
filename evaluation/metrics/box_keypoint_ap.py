"""Boxes and keypoints: COCO's average precision of results that hold no masks, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.cocoeval import COCOeval

from evaluation.metrics import average_precision
from evaluation.metrics.results import BESIDE_MASKS, ResultsError, category_of, checked_score, is_number, read_entries
from evaluation.metrics.scope import Scope, annotations_of, true_category
from handforge.dataset import KEYPOINTS, Dataset

NAMES = {
    "boxes": average_precision.NAMES,
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
    :raises ResultsError: as :func:`evaluation.metrics.results.load_results`, or if the truth has no boxes or keypoints.
    :raises DatasetError: as :func:`evaluation.metrics.scope.true_category`, or if a box or keypoints are no such
        numbers.
    """
    kind = BESIDE_MASKS[of]
    name, _ = true_category(dataset, Scope(category=category))
    told = {image["id"]: annotations_of(dataset, image, name) for image in dataset}
    hands = [_truth(dataset, annotation, of) for annotations in told.values() for annotation in annotations or []]
    found = [_checked(entry, kind, where, dataset) for where, entry in read_entries(results, dataset, kind)]
    found = [entry for entry in found if told[entry["image_id"]] is not None]  # of others nobody knows what is true
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(
            average_precision.coco_of(dataset, hands), average_precision.coco_of(dataset, found), kind
        )
        evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
        evaluation.evaluate()
    return {"hands": len(hands), **average_precision.figures(evaluation, NAMES[of])}


def _truth(dataset: Dataset, annotation: dict[str, Any], of: str) -> dict[str, Any]:
    """A true hand with all that COCOeval reads."""
    needed = {"bbox": (4,), "keypoints": (len(KEYPOINTS), 3)} if of == "keypoints" else {"bbox": (4,)}
    hand: dict[str, Any] = {"image_id": annotation["image_id"]}
    for name, shape in needed.items():
        values = dataset.points(annotation, name, shape)
        if values is None:
            raise ResultsError(f"{dataset.path}: annotation {annotation['id']} has no {name}; {of} cannot be scored")
        hand[name] = values.ravel().tolist()
    area = dataset.points(annotation, "area", ())
    hand["area"] = hand["bbox"][2] * hand["bbox"][3] if area is None else float(area)
    hand["num_keypoints"] = sum(v > 0 for v in hand.get("keypoints", ())[2::3])
    return hand


def _checked(entry: dict[str, Any], kind: str, where: str, dataset: Dataset) -> dict[str, Any]:
    category_of(entry, where, dataset)
    values, count = entry[kind], 4 if kind == "bbox" else 3 * len(KEYPOINTS)
    if not isinstance(values, list) or not all(map(is_number, values)) or len(values) != count:
        raise ResultsError(f"{where}: {kind} must be {count} numbers")
    area = values[2] * values[3] if kind == "bbox" else np.ptp(values[0::3]) * np.ptp(values[1::3])
    return {"image_id": entry["image_id"], kind: values, "score": checked_score(entry, where), "area": float(area)}
