"""The records of ``annotations.json`` and of results as JSON has them: their keys and types, for the type checker.

They stay dictionaries, so that keys of other tools go through unharmed; what is read from a file is checked where it is
read (:mod:`handforge.dataset.reader`, :mod:`handforge.dataset.validate`).
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class RleCode(TypedDict):
    """A mask as COCO's compressed run-length code: height and width, and the runs column by column."""

    size: list[int]
    counts: str | bytes


class ImageRecord(TypedDict):
    """One entry of ``images``."""

    id: int
    file_name: str
    width: int
    """Pixels, as ``height``."""
    height: int
    truths: NotRequired[list[str]]
    """Which of :data:`handforge.dataset.GROUND_TRUTH_MAPS` it has."""
    camera: NotRequired[Any]
    """The camera's matrix, 3 times 3 numbers."""
    exif_orientation: NotRequired[int]
    """Of predicted images: how the file's pixels are turned, where they are."""
    seconds: NotRequired[float]
    """Of a video's frame: its time."""
    group: NotRequired[str | int]
    """Images of one group, as of one video or person, are not parted by a split."""


class AnnotationRecord(TypedDict):
    """One entry of ``annotations``. What may be missing or wrong in another tool's file is Any."""

    id: int
    image_id: int
    category_id: int
    segmentation: NotRequired[Any]
    """:class:`RleCode`, uncompressed runs, or polygons."""
    bbox: NotRequired[Any]
    """x, y, width, height in pixels."""
    area: NotRequired[Any]
    """Pixels of the mask."""
    iscrowd: NotRequired[int]
    """1: a region of any number of objects."""
    keypoints: NotRequired[Any]
    """x, y in pixels and visibility 0, 1, 2 of each."""
    num_keypoints: NotRequired[int]
    keypoints_3d: NotRequired[Any]
    """Metres; as :class:`handforge.dataset.Instance` has them, as are ``wrist``, ``side`` and ``glove``."""
    wrist: NotRequired[Any]
    side: NotRequired[str]
    glove: NotRequired[str]


class ResultRecord(TypedDict):
    """One entry of a list of results."""

    image_id: int
    category_id: int
    score: float
    bbox: list[float]
    """x, y, width, height in pixels."""
    segmentation: NotRequired[RleCode]
    keypoints: NotRequired[list[float]]
    """x, y in pixels and 2 of each."""
    track_id: NotRequired[int]
    """The number of what was tracked in a video, from 1."""


class FrameRecord(TypedDict):
    """A frame before it has a place in a dataset: its record and annotations without ids."""

    image: dict[str, Any]
    annotations: list[dict[str, Any]]
