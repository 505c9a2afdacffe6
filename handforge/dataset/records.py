"""An image and its ground truth, and what a hand's annotation consists of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from handforge.dataset.coco_types import CategoryRecord, ImageMeta
from handforge.errors import HandforgeError

HandCategory = Literal["hand", "hand+forearm"]
CATEGORIES: dict[int, HandCategory] = {1: "hand", 2: "hand+forearm"}
"""What a mask covers: the hand to its wrist, or hand and forearm as one, as some real sets have it."""

CATEGORY_ID = 1
"""The category ``hand`` in the generator's datasets."""

KEYPOINTS: tuple[str, ...] = (
    "wrist",
    *(f"thumb_{j}" for j in ("cmc", "mcp", "ip", "tip")),
    *(f"{f}_{j}" for f in ("index", "middle", "ring", "little") for j in ("mcp", "pip", "dip", "tip")),
)
"""The 21 joints of a hand, in the usual order: wrist, thumb to little finger, from the palm outwards."""

SKELETON: tuple[tuple[int, int], ...] = tuple(
    (a, b)
    for f in range(5)
    for a, b in zip((1, *range(4 * f + 2, 4 * f + 5)), range(4 * f + 2, 4 * f + 6), strict=True)
)
"""COCO's skeleton: pairs of keypoints, counted from 1, that a bone joins."""


@dataclass(frozen=True)
class Category:
    """A category of a dataset, as COCO lists it.

    :param id: a whole number, COCO's count from 1.
    :param keypoints: names of its keypoints, none where it has none.
    :param skeleton: pairs of keypoints that a line joins, counted from 1.
    """

    id: int
    name: str
    keypoints: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    supercategory: str = ""

    @property
    def flip_pairs(self) -> tuple[tuple[int, int], ...]:
        """Pairs of keypoint indices, from 0, that a mirror image exchanges: ``left_eye`` and ``right_eye``."""
        index = {name: number for number, name in enumerate(self.keypoints)}
        mirrored = ((name, name.replace("left", "right")) for name in self.keypoints if "left" in name)
        return tuple((index[left], index[right]) for left, right in mirrored if right in index)

    def to_json(self) -> CategoryRecord:
        """The record in ``annotations.json``."""
        record: CategoryRecord = {"id": self.id, "name": self.name, "supercategory": self.supercategory}
        if self.keypoints:
            record["keypoints"] = list(self.keypoints)
            record["skeleton"] = [list(pair) for pair in self.skeleton]
        return record


def with_own_ids(categories: Iterable[Category]) -> tuple[Category, ...]:
    """The categories, those whose id an earlier one has under the next id that is larger than all before."""
    chosen: list[Category] = []
    for category in categories:
        taken = {other.id for other in chosen}
        chosen.append(replace(category, id=max(taken) + 1) if category.id in taken else category)
    return tuple(chosen)


HAND_CATEGORIES = tuple(Category(key, name, KEYPOINTS, SKELETON, "person") for key, name in CATEGORIES.items())
"""The categories of the generator's datasets."""


GROUND_TRUTH_MAPS = ("depth", "normals", "parts")
"""Ground-truth maps that an image may have; :mod:`handforge.dataset.ground_truth_maps` says what they hold."""

PARTS = ("palm", "thumb", "index", "middle", "ring", "little", "forearm")
"""Parts of an arm. In an image of parts they count from 1, and 0 is the background."""


class DatasetError(HandforgeError):
    """Something is wrong with a dataset; the text names the file, what was expected, and the remedy."""


@dataclass(frozen=True)
class Instance:
    """One hand of an image, or one object of another category.

    :param mask: (H, W) bool.
    :param keypoints: (K, 3) as COCO writes them: x, y in pixels and visibility 0, 1, 2; or None. A hand has 21.
    :param side: ``"right"``, ``"left"`` or None where it is not known.
    :param category: its name; of a hand, what the mask covers: one of :data:`CATEGORIES`.
    :param keypoints_3d: (21, 3), the joints in metres, x right, y down, z away from the camera; or None.
    :param wrist: (2, 2) x, y in pixels of the two ends of the wrist, the hand on the right of the way from the first to
        the second as one looks at the image; or None where it is not known.
    :param crowd: a region that may hold any number of them (COCO's ``iscrowd``): neither trained on nor scored, and
        not part of ``masks/NAME.png``.
    :param glove: the kind of glove that a hand is known to wear, None for a bare hand or where it is not known.
    :param mirrored: whether it is seen in a mirror; ``side`` and all that is measured are as it looks there.
    """

    mask: np.ndarray
    keypoints: np.ndarray | None = None
    side: str | None = None
    category: str = CATEGORIES[CATEGORY_ID]
    keypoints_3d: np.ndarray | None = None
    wrist: np.ndarray | None = None
    crowd: bool = False
    glove: str | None = None
    mirrored: bool = False

    def __post_init__(self) -> None:
        if not self.category or not isinstance(self.category, str):
            raise DatasetError(f"a category is a name, not {self.category!r}")
        if self.mask.ndim != 2 or self.mask.dtype != bool:
            raise DatasetError(f"a mask is (H, W) bool, not {self.mask.shape} {self.mask.dtype}")
        count = len(KEYPOINTS) if self.category in CATEGORIES.values() else "K"
        if self.keypoints is not None and (self.keypoints.ndim, *self.keypoints.shape[1:]) != (2, 3):
            raise DatasetError(f"keypoints are ({count}, 3), not {self.keypoints.shape}")
        if self.keypoints is not None and count not in ("K", len(self.keypoints)):
            raise DatasetError(f"keypoints are ({count}, 3), not {self.keypoints.shape}")
        if self.wrist is not None and self.wrist.shape != (2, 2):
            raise DatasetError(f"a wrist is (2, 2), not {self.wrist.shape}")


@dataclass(frozen=True)
class Sample:
    """An image and its ground truth.

    :param name: the file's name without suffix; no folder, no dot in front.
    :param image: (H, W, 3) uint8, RGB.
    :param instances: the hands, none or more; a hand of no pixel is left out of the record.
    :param meta: what else is known of the image.
    :param ground_truth_maps: some of :data:`GROUND_TRUTH_MAPS`, as :mod:`handforge.dataset.ground_truth_maps` says.
    """

    name: str
    image: np.ndarray
    instances: tuple[Instance, ...]
    meta: ImageMeta = field(default_factory=lambda: ImageMeta())
    ground_truth_maps: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        text = self.name.encode(errors="ignore").decode()  # without what is no UTF-8
        if Path(self.name).name != text or not text or text.startswith("."):
            raise DatasetError(f"{self.name!r} is not a plain file name")
        if self.image.ndim != 3 or self.image.shape[2] != 3 or self.image.dtype != np.uint8:
            raise DatasetError(f"{self.name}: an image is (H, W, 3) uint8, not {self.image.shape} {self.image.dtype}")
        for instance in self.instances:
            if instance.mask.shape != self.image.shape[:2]:
                raise DatasetError(
                    f"{self.name}: the mask is {size_text(instance.mask)}, its image {size_text(self.image)}; "
                    "both must have the same size"
                )


def size_text(array: np.ndarray) -> str:
    """The size of a (H, W, ...) array as ``"1280x720"``."""
    return f"{array.shape[1]}x{array.shape[0]}"
