"""Which categories are scored: all of a dataset, or hands with hands and hands with forearms among their own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from evaluation.metrics.results import Prediction
from handforge.dataset import CATEGORIES, CATEGORY_ID, Dataset, DatasetError
from handforge.dataset.coco_types import AnnotationRecord, ImageRecord

HAND = CATEGORIES[CATEGORY_ID]

SAME_HANDS = frozenset(CATEGORIES.values())
"""Two ways to outline the same hands: an image annotated in one of them says nothing about the other."""


@dataclass(frozen=True)
class Scope:
    """What of the ground truth is scored.

    :param region: ``skin``: masks as they are; ``hand``: as :func:`evaluation.metrics.wrist_crop.crop_at_wrist`
        leaves them.
    :param category: the name of one category; None: all, or of ``hand`` and ``hand+forearm`` the one that is there.
    """

    region: str = "skin"
    category: str | None = None


def chosen_categories(
    dataset: Dataset, scope: Scope, learned: Collection[str] = ()
) -> tuple[tuple[str, ...], list[str]]:
    """Return the names of the categories to score, in the dataset's order, and notes about the choice.

    :param learned: the names of those that the network knows, where it is known: others are left out, unless the
        dataset has no other.
    :raises DatasetError: if the ground truth holds none of the category asked for, or an annotation is of a category
        that the dataset does not list.
    """
    used = {dataset.listed_category(image, a).name for image in dataset for a in dataset.annotations(image)}
    listed = [category.name for category in dataset.category_list]
    held = [name for name in listed if name in used]
    if scope.category is not None:
        if scope.category not in (held or {*listed, *SAME_HANDS}):
            there = f"its masks are of {' and '.join(held)}" if held else f"it lists {', '.join(listed)}"
            raise DatasetError(f"{dataset.path} holds no {scope.category}; {there}")
        return (scope.category,), []
    if set(held or listed) <= SAME_HANDS:
        if len(held) < 2:
            return (held[0] if held else HAND,), []
        return (HAND,), [f"the ground truth holds {' and '.join(held)}; scored is {HAND} (--category chooses)"]
    names = tuple(name for name in listed if name in used or name not in SAME_HANDS)
    known = tuple(name for name in names if name in learned)
    if known in ((), names):
        return names, []
    others = ", ".join(name for name in names if name not in known)
    return known, [f"not scored, as the network has not learned them: {others} (--category scores one)"]


def annotations_of(dataset: Dataset, image: ImageRecord, categories: tuple[str, ...]) -> list[AnnotationRecord] | None:
    """Return an image's annotations of some categories, crowds among them.

    None where all its hands are outlined in the other way of :data:`SAME_HANDS`: it says nothing about this one.
    """
    annotations = dataset.annotations(image)
    chosen = [annotation for annotation in annotations if dataset.category(annotation) in categories]
    if chosen or not SAME_HANDS & set(categories):
        return chosen
    return None if any(dataset.category(annotation) in SAME_HANDS for annotation in annotations) else chosen


def left_out(dataset: Dataset, count: int) -> list[str]:
    """Return a note where :func:`annotations_of` left ``count`` images, fewer than a dataset has."""
    left = len(dataset) - count
    return [f"{left} of {len(dataset)} images show the other category alone; they do not count"] if left else []


def comparable(
    predictions: dict[int, list[Prediction]], categories: tuple[str, ...], scope: Scope
) -> tuple[dict[int, list[Prediction]], list[str]]:
    """Return the predictions of some categories by image id, and notes about the choice.

    Ground truth that is cut off at its wrist is compared with hands. Where a results file holds none of a hand's
    category, as those of networks that know one category, predictions of the other one are taken.
    """
    if not (len(categories) == 1 and categories[0] in SAME_HANDS):
        return {key: [p for p in found if p.category in categories] for key, found in predictions.items()}, []
    (category,) = categories
    wanted = HAND if scope.region == "hand" else category
    held = {prediction.category for found in predictions.values() for prediction in found} & SAME_HANDS
    notes = []
    if held and wanted not in held:
        (other,) = held
        notes.append(f"the results hold no {wanted}; scored are their predictions of {other}")
        wanted = other
    return {
        key: [replace(p, category=category) for p in found if p.category == wanted]
        for key, found in predictions.items()
    }, notes
