"""COCO's average precision of boxes and keypoints, of results without masks, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pycocotools.cocoeval import COCOeval

from evaluation.metrics import average_precision
from evaluation.metrics.average_precision import CocoEntry
from evaluation.metrics.not_predicted import not_predicted
from evaluation.metrics.prediction_record import learned_categories
from evaluation.metrics.results import BESIDE_MASKS, Entry, is_number, read_entries
from evaluation.metrics.scope import SAME_HANDS, Scope, annotations_of, chosen_categories
from evaluation.records import ResultsError
from handforge.dataset import KEYPOINTS, Category, Dataset
from handforge.dataset.coco_types import AnnotationRecord

NAMES = {
    "boxes": average_precision.NAMES,
    "keypoints": ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar20", "ar20_50", "ar20_75"),
}
"""COCO's figures in its order: AP over all thresholds, at 0.5 and 0.75, by size, then AR."""
SIGMAS = (
    *(0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024),
    *(0.022, 0.026, 0.017, 0.021, 0.021, 0.032, 0.020, 0.019, 0.022, 0.031),
)
"""How far annotators of a hand's joints differ, as a fraction of its size (Jin et al. 2020, COCO-WholeBody)."""

Figures = dict[str, float | int | None]
"""Those of :data:`NAMES`, and ``hands``, how many objects; None where no annotated object is of that kind."""


@dataclass(frozen=True)
class PlaceMetrics:
    """How well boxes or keypoints are predicted.

    :param figures: of several categories, the means over those with objects.
    :param scored: the names of the categories.
    :param notes: what a reader of the figures has to know.
    :param categories: the figures of each of several; empty for one.
    """

    figures: Figures
    scored: tuple[str, ...]
    notes: list[str]
    categories: dict[str, Figures]

    def to_json(self) -> dict[str, object]:
        """As ``score --json`` writes it."""
        content: dict[str, object] = {**self.figures, "scored": self.scored, "notes": self.notes}
        return {**content, "categories": self.categories} if self.categories else content


def score(dataset: Dataset, results: str | Path, of: str, category: str | None = None) -> PlaceMetrics:
    """Compute COCO's figures of boxes or keypoints.

    A keypoint similarity (OKS) stands where boxes have their IoU; its size is the root of the annotated area. Its
    sigmas are :data:`SIGMAS` for 21 keypoints, as of a hand, COCO's for 17, as of a person, and 1 / K for K others.

    :param of: ``boxes`` or ``keypoints``.
    :param category: as :class:`evaluation.metrics.scope.Scope` has it; of
        a hand's way to be outlined, results of both are compared with it.
    :raises ResultsError: as :func:`evaluation.metrics.results.read_entries`, or if the ground truth has no boxes or
        keypoints.
    :raises DatasetError: as :func:`evaluation.metrics.scope.chosen_categories`, or if a box or keypoints are not such
        numbers.
    """
    names, notes = chosen_categories(dataset, Scope(category=category), learned_categories(results))
    annotated = {image["id"]: annotations_of(dataset, image, names) for image in dataset}
    entries, more_notes = read_entries(results, dataset, BESIDE_MASKS[of])
    # Where hands are outlined in the other way nobody knows what is there.
    entries = [entry for entry in entries if annotated[entry.image_id] is not None]
    kinds = [kind for kind in dataset.category_list if kind.name in names] or [Category(1, names[0], KEYPOINTS)]
    rows: dict[str, Figures] = {}
    for kind in kinds:
        of_kind = [a for found in annotated.values() for a in found or [] if dataset.category(a) == kind.name]
        alone = len(kinds) == 1 and kind.name in SAME_HANDS
        taken = SAME_HANDS if alone else {kind.name}
        predicted = [entry for entry in entries if entry.category in taken]
        if of_kind or predicted or len(kinds) == 1:
            rows[kind.name] = _figures(dataset, of_kind, predicted, of, kind)
    notes += [*more_notes, *not_predicted(results, dataset, names)]
    if len(rows) < 2:
        only: Figures = next(iter(rows.values()), {"hands": 0, **dict.fromkeys(NAMES[of])})
        return PlaceMetrics(only, names, notes, {})
    return PlaceMetrics(_mean(rows, of), names, notes, rows)


def _mean(rows: dict[str, Figures], of: str) -> Figures:
    found: Figures = {"hands": sum(int(row["hands"] or 0) for row in rows.values())}
    for name in NAMES[of]:
        values = [value for row in rows.values() if (value := row[name]) is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


def _figures(
    dataset: Dataset, annotations: Sequence[AnnotationRecord], entries: Sequence[Entry], of: str, kind: Category
) -> Figures:
    joints = len(kind.keypoints) or len(KEYPOINTS)
    truth = [_ground_truth(dataset, annotation, of, joints) for annotation in annotations]
    predicted = [_checked(entry, BESIDE_MASKS[of], joints) for entry in entries]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(
            average_precision.coco_of(dataset, truth, [kind.name]),
            average_precision.coco_of(dataset, predicted, [kind.name]),
            BESIDE_MASKS[of],
        )
        if joints == len(SIGMAS):
            evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
        elif of == "keypoints" and joints != len(evaluation.params.kpt_oks_sigmas):
            evaluation.params.kpt_oks_sigmas = np.full(joints, 1 / joints)
        evaluation.evaluate()
    hands = sum(not annotation.get("iscrowd") for annotation in annotations)
    return {"hands": hands, **average_precision.figures(evaluation, NAMES[of])}


def _ground_truth(dataset: Dataset, annotation: AnnotationRecord, of: str, joints: int) -> CocoEntry:
    """An annotation with all that COCOeval reads."""

    def needed(name: str, values: np.ndarray | None) -> list[float]:
        if values is None:
            raise ResultsError(f"{dataset.path}: annotation {annotation['id']} has no {name}; {of} cannot be scored")
        return values.ravel().tolist()

    crowd = bool(annotation.get("iscrowd"))
    box = needed("bbox", dataset.points(annotation, "bbox", (4,)))
    found: CocoEntry = {"image_id": annotation["image_id"], "category_id": 1, "iscrowd": int(crowd), "bbox": box}
    if of == "keypoints":
        points = dataset.points(annotation, "keypoints", (joints, 3))
        found["keypoints"] = needed("keypoints", np.zeros((joints, 3)) if points is None and crowd else points)
    area = dataset.points(annotation, "area", ())
    found["area"] = box[2] * box[3] if area is None else float(area)
    found["num_keypoints"] = sum(v > 0 for v in found.get("keypoints", [])[2::3])
    return found


def _checked(entry: Entry, key: str, joints: int) -> CocoEntry:
    values, count = entry.record[key], 4 if key == "bbox" else 3 * joints
    if not isinstance(values, list) or not all(map(is_number, values)) or len(values) != count:
        raise ResultsError(f"{entry.where}: {key} must be {count} numbers")
    found: CocoEntry = {"image_id": entry.image_id, "category_id": 1, "score": entry.score}
    if key == "bbox":
        return {**found, "bbox": values, "area": float(values[2] * values[3])}
    return {**found, "keypoints": values, "area": float(np.ptp(values[0::3]) * np.ptp(values[1::3]))}
