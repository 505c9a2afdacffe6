"""Images that belong together: the ``group`` of their records, as of one person or video."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from handforge.dataset.coco_types import ImageRecord


def by_group(images: Iterable[ImageRecord]) -> dict[object, list[int]]:
    """The places of the images of each ``group``, by its name; an image without one is alone, under a key of its own.

    Groups are in the order of their first image.
    """
    groups: dict[object, list[int]] = {}
    for index, image in enumerate(images):
        name = image.get("group")
        groups.setdefault(("image", index) if name is None else name, []).append(index)
    return groups


def group_numbers(images: Iterable[ImageRecord]) -> np.ndarray:
    """The group of each image by its number from 0, (N,) int, as :func:`by_group` has them."""
    places = by_group(images).values()
    found = np.zeros(sum(map(len, places)), int)
    for number, indices in enumerate(places):
        found[indices] = number
    return found
