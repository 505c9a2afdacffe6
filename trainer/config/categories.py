"""The categories that a network learns, chosen by name from the datasets it is trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handforge.dataset import CATEGORIES, HAND_CATEGORIES, Category, Dataset, DatasetError
from handforge.dataset.coco_types import AnnotationRecord, CategoryRecord
from handforge.dataset.records import with_own_ids


def built_in(name: str) -> Category:
    """A category of the generator's datasets, or one of any other name with the id 1."""
    return next((category for category in HAND_CATEGORIES if category.name == name), Category(1, name))


def choose(datasets: Sequence[Dataset], wanted: Sequence[str] = (), mask: str | None = None) -> tuple[Category, ...]:
    """The categories to learn, each once, with the ids that the first dataset which lists them has for them.

    Categories of several datasets are the same if their names are. An id that another name has already is replaced by
    a free one.

    :param wanted: names, in the order of the network's classes; none: every category with an annotation that is not
        a crowd, in the order of the datasets' lists.
    :param mask: with nothing wanted: which of ``hand`` and ``hand+forearm`` is learned where a dataset has both.
    :raises DatasetError: if a wanted one is not there, or nothing is annotated.
    """
    listed: dict[str, Category] = {}
    for dataset in datasets:
        for category in dataset.category_list:
            listed.setdefault(category.name, category)
    used = {dataset.category(annotation) for dataset in datasets for annotation in _objects(dataset)}
    where = " and ".join(str(dataset.path) for dataset in datasets)
    if absent := [name for name in wanted if name not in used]:
        raise DatasetError(f"{where} has no annotation of the category {absent[0]!r}; there are {_names(used)}")
    others = set(CATEGORIES.values()) - {mask} if mask else set()
    names = list(wanted) or [name for name in listed if name in used and name not in others]
    if not names:
        raise DatasetError(f"{where} has no annotation in any image; there is nothing to learn from it")
    return with_own_ids(listed[name] for name in names)


def _objects(dataset: Dataset) -> list[AnnotationRecord]:
    """All annotations that are not crowds."""
    return [a for image in dataset for a in dataset.annotations(image) if not a.get("iscrowd")]


def _names(used: set[str | None]) -> str:
    return ", ".join(sorted(name for name in used if name)) or "none"


def common_keypoints(categories: Sequence[Category], datasets: Sequence[Dataset] = ()) -> Category:
    """The category whose keypoints all of them have, which one network can learn together.

    :param datasets: those that are learned, each of which has to have the same keypoints for them.
    :raises DatasetError: if one has no keypoints, or others than the first.
    """
    first = categories[0]
    for category in categories:
        if not category.keypoints:
            raise DatasetError(f"the category {category.name!r} has no keypoints, which the task keypoints needs")
        if category.keypoints != first.keypoints:
            raise DatasetError(
                f"the categories {first.name!r} and {category.name!r} have different keypoints; learn them one at a "
                f"time, with --categories {first.name}"
            )
    learned = {category.name for category in categories}
    for dataset in datasets:
        for category in dataset.category_list:
            if category.name in learned and category.keypoints and category.keypoints != first.keypoints:
                raise DatasetError(
                    f"{dataset.path} has other keypoints for {category.name!r} than the dataset before it, or in "
                    "another order; one network learns the same ones from all"
                )
    return first


def mirrored_order(category: Category) -> tuple[int, ...]:
    """The index of the keypoint that each one is in a mirror image; empty where none exchange."""
    order = list(range(len(category.keypoints)))
    for left, right in category.flip_pairs:
        order[left], order[right] = right, left
    return tuple(order) if category.flip_pairs else ()


def to_json(categories: Sequence[Category]) -> list[CategoryRecord]:
    """The categories as COCO lists them."""
    return [category.to_json() for category in categories]


def from_json(records: Sequence[Mapping[str, Any]]) -> tuple[Category, ...]:
    """The categories of :func:`to_json`.

    :raises KeyError, TypeError, ValueError: if a record is something else.
    """
    found = []
    for record in records:
        number, name = record["id"], record["name"]
        if type(number) is not int or not isinstance(name, str) or not name:
            raise ValueError(f"the category {record!r} has no number or no name")
        keypoints: tuple[str, ...] = tuple(map(str, record.get("keypoints") or ()))
        pairs = [(int(a), int(b)) for a, b in record.get("skeleton") or ()]
        if not all(1 <= end <= len(keypoints) for pair in pairs for end in pair):
            raise ValueError(f"the skeleton of the category {name!r} names keypoints that it does not have")
        found.append(Category(number, name, keypoints, tuple(pairs), str(record.get("supercategory") or "")))
    return tuple(found)
