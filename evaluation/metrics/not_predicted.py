"""Images of a dataset that have no prediction since they were skipped, or since the prediction was interrupted.

What is annotated in them stays in the scores, as COCO has it: it is missed.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from evaluation.metrics.prediction_record import record_beside
from handforge.dataset import Dataset

MOST_REASONS = 3
"""Reasons that a note names; ``predict.json`` has all."""


def not_predicted(results: str | Path, dataset: Dataset, categories: Collection[str]) -> list[str]:
    """Return a note on skipped images and one on those an interrupted prediction has left, where there are any.

    Each says how many annotations of some categories they have, crowds aside, and why. Results without the
    ``predict.json`` of this dataset say nothing about it.

    :param results: a folder of predictions, or a file in it.
    """
    record = record_beside(results)
    if record is None or record.get("dataset_id") != dataset.id:
        return []
    skipped = {entry["file"]: entry["reason"] for entry in record.get("skipped", [])}
    notes = []
    if said := _missed(dataset, skipped, categories):
        reasons = list(skipped.values())
        more = f"; and {len(reasons) - MOST_REASONS} more" if len(reasons) > MOST_REASONS else ""
        notes.append(f"predict skipped {said} ({'; '.join(reasons[:MOST_REASONS])}{more})")
    if said := _missed(dataset, set(record.get("left", [])), categories):
        notes.append(f"predict was interrupted before {said}; run it again for all images")
    return notes


def _missed(dataset: Dataset, names: Collection[str], categories: Collection[str]) -> str:
    """How many images of these names there are, and annotations in them, in words; nothing where there are none."""
    images = [image for image in dataset if image["file_name"] in names]
    if not images:
        return ""
    annotations = [
        annotation
        for image in images
        for annotation in dataset.annotations(image)
        if not annotation.get("iscrowd") and dataset.category(annotation) in categories
    ]
    return f"{len(images)} of {len(dataset)} images, whose {len(annotations)} annotations count as missed"
