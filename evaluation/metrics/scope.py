"""What is compared with what: hands with hands, hands and forearms with hands and forearms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evaluation.metrics.results import Prediction
from handforge.dataset import CATEGORIES, Dataset, DatasetError
from handforge.dataset.reader import category_name

HAND = CATEGORIES[1]


@dataclass(frozen=True)
class Scope:
    """What of the truth is compared.

    :param region: ``skin``: masks as they are; ``hand``: as :func:`evaluation.metrics.wrist_crop.crop_at_wrist`
        leaves them.
    :param category: one of :data:`handforge.dataset.CATEGORIES`, or None for the truth's own.
    """

    region: str = "skin"
    category: str | None = None


def true_category(dataset: Dataset, scope: Scope) -> tuple[str, list[str]]:
    """The category of the truth to compare with, and what is to be said about the choice.

    :raises DatasetError: if the truth holds none of the category asked for, or something that is not one hand.
    """
    held = sorted(
        {category_name(dataset, image, annotation) for image in dataset for annotation in dataset.annotations(image)}
    )
    if scope.category is not None:
        if held and scope.category not in held:
            raise DatasetError(f"{dataset.path} holds no {scope.category}; its masks are of {' and '.join(held)}")
        return scope.category, []
    if len(held) < 2:
        return (held or [HAND])[0], []
    return HAND, [f"the truth holds {' and '.join(held)}; scored is {HAND} (--category chooses)"]


def annotations_of(dataset: Dataset, image: dict[str, Any], category: str) -> list[dict[str, Any]] | None:
    """An image's annotations of a category; None where all are of another, so that they say nothing about this one."""
    annotations = dataset.annotations(image)
    chosen = [annotation for annotation in annotations if category_name(dataset, image, annotation) == category]
    return chosen if chosen or not annotations else None


def left_out(dataset: Dataset, pictures: int) -> list[str]:
    """What is to be said where :func:`annotations_of` left fewer images than a dataset has."""
    left = len(dataset) - pictures
    return [f"{left} of {len(dataset)} images show the other category alone; they do not count"] if left else []


def comparable(
    found: dict[int, list[Prediction]], category: str, scope: Scope
) -> tuple[dict[int, list[Prediction]], list[str]]:
    """The predictions of a category, by image, and what is to be said about the choice.

    Truth that is cut off at its wrist is compared with hands. Where a results file holds none of the category at all,
    as those of networks that know one category, the predictions of the other are taken.
    """
    wanted = HAND if scope.region == "hand" else category
    held = {prediction.category for predictions in found.values() for prediction in predictions}
    notes = []
    if held and wanted not in held:
        (other,) = held
        notes.append(f"the results hold no {wanted}; scored are their predictions of {other}")
        wanted = other
    return {key: [p for p in predictions if p.category == wanted] for key, predictions in found.items()}, notes
