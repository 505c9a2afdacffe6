"""The records of ``annotations.json`` and of results as JSON has them: their keys and types, for the type checker.

They stay dictionaries, so that keys of other tools go through unharmed; what is read from a file is checked where it is
read (:mod:`handforge.dataset.reader`, :mod:`handforge.dataset.validate`).
"""

from __future__ import annotations

from typing import Any, NotRequired

from typing_extensions import TypedDict  # typing's does for pydantic from Python 3.12 on


class RleCode(TypedDict):
    """A mask as COCO's compressed run-length code: height and width, and the runs column by column."""

    size: list[int]
    counts: str | bytes


class PoseRecord(TypedDict):
    """A hand of a rendered image."""

    pose: list[float]
    """The 28 numbers as rendered, metres and radians."""
    side: str
    """``right`` or ``left``."""
    tone: NotRequired[float]
    """Skin tone, 0 to 1, where it is drawn."""
    age: NotRequired[float]
    """How old the skin looks, 0 to 1, where it is drawn: indoors."""


class HeldRecord(TypedDict):
    """What the first hand of a rendered image holds."""

    object: str
    grasp: str
    """Its type in the GRASP taxonomy."""
    contacts: list[str]
    """The parts of the hand that touch it."""


class ImageMeta(TypedDict, total=False):
    """What is known of an image beyond its file. Those of other tools may have further keys."""

    group: str | int
    """Images of one group, as of one video or person, are not parted by a split, and intervals take them together."""
    camera: Any
    """The camera's matrix, 3 times 3 numbers."""
    projection: str
    """``equidistant`` for a fisheye lens."""
    set: str
    """Of a rendered image: its pose's set."""
    frame: int
    """The pose's index in that set; of a video's frame: its number, from 0."""
    pose: list[float]
    """Of the first hand, as :class:`PoseRecord` has it, as ``side``, ``tone`` and ``age``."""
    side: str
    tone: float
    age: float
    second: PoseRecord
    """The second of two hands."""
    others: list[PoseRecord]
    """All but the first of more than two."""
    view: str
    """``people`` or ``egocentric``, where whole people are seen."""
    empty: str
    """What an image without a hand shows."""
    shape: int
    """Number of the first hand's proportions in the run, where they are drawn; from 16 on a child's."""
    distance: float
    """Metres from the camera to the origin, where it is not the one that the settings name."""
    held: HeldRecord
    truths: list[str]
    """Which of :data:`handforge.dataset.GROUND_TRUTH_MAPS` it has."""
    gesture: str
    """Of HGR's images: what is signed."""
    aspect: str
    """Of 11k Hands' images: ``palmar`` or ``dorsal``."""
    exif_orientation: int
    """Of predicted images: how the file's pixels are turned, where they are."""
    seconds: float
    """Of a video's frame: its time."""
    video: str
    """Of a predicted frame of a video: the video's path within the source."""


class NewImage(ImageMeta):
    """An image before it has a place in a dataset."""

    file_name: str
    width: int
    """Pixels, as ``height``."""
    height: int


class ImageRecord(NewImage):
    """One entry of ``images``."""

    id: int


class NewAnnotation(TypedDict):
    """An annotation before it has a place in a dataset. What may be missing or wrong in another tool's file is Any."""

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
    """Metres; as :class:`handforge.dataset.Instance` has them, as are the next four."""
    wrist: NotRequired[Any]
    side: NotRequired[str]
    glove: NotRequired[str]
    mirrored: NotRequired[bool]


class AnnotationRecord(NewAnnotation):
    """One entry of ``annotations``."""

    id: int
    image_id: int


class ScoredAnnotation(AnnotationRecord):
    """A detection as an entry of ``annotations``, for tools that read no results."""

    score: float
    track_id: NotRequired[int]
    """As :class:`ResultRecord` has it."""


class CategoryRecord(TypedDict):
    """One entry of ``categories``."""

    id: int
    name: str
    supercategory: NotRequired[str]
    keypoints: NotRequired[list[str]]
    skeleton: NotRequired[list[list[int]]]
    """Pairs of keypoints that a line joins, counted from 1."""


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
    """A frame before it has a place in a dataset."""

    image: NewImage
    annotations: list[NewAnnotation]
