"""The categories of datasets in which objects are annotated, too."""

from __future__ import annotations

from collections.abc import Iterable

from generator.objects import makers
from handforge.dataset import HAND_CATEGORIES, Category
from handforge.dataset.coco_types import FrameRecord

NAMES = tuple(makers.MAKERS)
"""The kinds of objects, in the order of their ids."""

CATEGORIES = (
    *HAND_CATEGORIES,
    *(Category(number, name, supercategory="object") for number, name in enumerate(NAMES, len(HAND_CATEGORIES) + 1)),
)
"""Those of hands, then one for each kind of object."""


def of_run(object_annotations: bool) -> tuple[Category, ...]:
    """Those of a rendering run."""
    return CATEGORIES if object_annotations else HAND_CATEGORIES


def used(records: Iterable[FrameRecord]) -> list[Category]:
    """The categories that some annotation of the records has."""
    ids = {annotation["category_id"] for record in records for annotation in record["annotations"]}
    return [category for category in CATEGORIES if category.id in ids]
