"""What annotation files are read into, by hand: supervision reads COCO, YOLO and VOC only, datumaro no VIA.

Images with shapes, and what had to be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Size = tuple[int, int] | None
"""An image's width and height as its annotations state them; None where they do not."""

Joints = dict[str, tuple[tuple[str, ...], tuple[tuple[int, int], ...]]]
"""By label, the names of its keypoints and its skeleton (pairs counted from 1)."""

UNNAMED = "(unnamed)"
"""The label of objects for which a source names none: they become hands."""

ODD = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)
"""What reading raises where content is not of the kind it should be."""


def in_words(error: BaseException) -> str:
    """Say what is wrong where reading raised one of :data:`ODD`, without Python's words for it."""
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    if isinstance(error, TypeError | AttributeError | IndexError):
        return "something in it is of another kind than it must be, as a number in place of a list"
    if counted := re.fullmatch(r"(?:not enough|too many) values to unpack \(expected (\d+).*\)", str(error)):
        return f"a list in it must have {counted[1]} values"
    text = re.sub(r"^could not convert string to float: (.*)$", r"\1 is not a number", str(error))
    return re.sub(r"^invalid literal for int\(\) with base 10: (.*)$", r"\1 is not a whole number", text)


@dataclass(frozen=True)
class Shape:
    """One annotated object.

    :param label: its label or category name; spaces around it are dropped, and nothing else is :data:`UNNAMED`.
    :param parts: outlines and masks that together are the object: flat polygons ``[x, y, x, y, ...]`` in pixels, or
        COCO's RLE.
    :param box: x, y, width, height in pixels where nothing but a box is known.
    :param crowd: a region that may hold any number of objects.
    :param keypoints: (K, 3) x, y, visibility; or None.
    """

    label: str
    parts: tuple[Any, ...] = ()
    box: tuple[float, float, float, float] | None = None
    crowd: bool = False
    keypoints: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", _name(self.label))


@dataclass(frozen=True)
class AnnotatedImage:
    """An image and its shapes.

    :param file_name: as the annotation file has it, with its folders.
    :param where: the file and entry to name in messages.
    :param frame: the number of a video's frame, from 0, where it is one.
    """

    file_name: str
    shapes: tuple[Shape, ...]
    size: Size = None
    where: str = ""
    frame: int | None = None


@dataclass
class Annotations:
    """What a source holds.

    :param keypoints: by label, without spaces around it, as ``declared``.
    :param declared: labels that the source lists, used or not.
    """

    images: list[AnnotatedImage]
    keypoints: Joints = field(default_factory=dict)
    declared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.keypoints = {_name(label): joints for label, joints in self.keypoints.items()}
        self.declared = tuple(map(_name, self.declared))

    @property
    def labels(self) -> list[str]:
        """All labels in alphabetical order."""
        return sorted({shape.label for image in self.images for shape in image.shapes})


def _name(label: str) -> str:
    return label.strip() or UNNAMED


class Notes:
    """Parts of a source that were left out, counted by reason, to be said at the end."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, reason: str, where: str) -> None:
        """Count one more.

        :param reason: what was left out and why, in the plural: "polygon parts without area".
        :param where: the file or entry.
        """
        self._found.setdefault(reason, []).append(where)

    def lines(self) -> list[str]:
        """One line for each reason: ``left out: polygon parts without area: 3, the first in a.json``."""
        return [
            f"left out: {reason}: {len(where)}, the first in {where[0]}"
            for reason, where in sorted(self._found.items())
        ]


def polygon(values: Any, where: str, notes: Notes) -> list[float] | None:
    """A polygon's flat coordinates, checked; None, with a note, if it has no area.

    :raises ValueError: if it holds something other than finite numbers, or an odd number of them.
    """
    points = np.asarray(values, float).ravel()
    if points.size % 2:
        raise ValueError(f"a polygon of {points.size} numbers; it must have x and y of each point")
    if not np.isfinite(points).all():
        raise ValueError("a polygon that has something other than numbers")
    x, y = points[::2], points[1::2]
    area = abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2 if len(x) > 2 else 0.0
    if area <= 0:
        notes.add("polygon parts without area", where)
        return None
    return [float(value) for value in points]


def keypoints(values: Any) -> np.ndarray:
    """Keypoints as COCO writes them, (K, 3) x, y in pixels and visibility 0, 1, 2.

    Fractions in place of visibilities are a network's probabilities: from a half on a keypoint is visible.

    :raises ValueError: if they are not three finite numbers each, or a visibility is less than 0 or more than 2.
    """
    points = np.asarray(values, float)
    if points.size % 3 or not np.isfinite(points).all():
        raise ValueError(f"keypoints of {points.size} numbers; each must have x, y and its visibility")
    points = points.reshape(-1, 3)
    seen = points[:, 2]
    if ((seen < 0) | (seen > 2)).any():
        raise ValueError("the visibility of a keypoint is not 0, 1 or 2")
    if (seen % 1).any():
        seen = np.where(seen >= 0.5, 2.0, 0.0)
    return np.where(seen[:, None] > 0, np.column_stack([points[:, :2], seen]), 0.0)


CORNERS = 64
"""Points of the polygon that stands for an ellipse."""


def ellipse(cx: float, cy: float, rx: float, ry: float, rotation_deg: float = 0.0) -> list[float]:
    """An ellipse as a flat polygon ``[x, y, x, y, ...]`` with the ellipse's own area; all in pixels.

    :param rotation_deg: clockwise as seen in the image.
    """
    angle, step = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False), 2 * np.pi / CORNERS
    grow = np.sqrt(step / np.sin(step))  # a polygon with its corners on the ellipse is smaller
    x, y = grow * rx * np.cos(angle), grow * ry * np.sin(angle)
    cos, sin = np.cos(np.radians(rotation_deg)), np.sin(np.radians(rotation_deg))
    return np.column_stack([cx + cos * x - sin * y, cy + sin * x + cos * y]).ravel().tolist()


def grouped(shapes: Iterable[tuple[Any, Shape]]) -> tuple[Shape, ...]:
    """Join shapes of one label and group, which something hides in part, into one; without a group each is one."""
    together: dict[Any, Shape] = {}
    for number, (group, shape) in enumerate(shapes):
        key = ("alone", number) if group is None or shape.box or shape.crowd else (shape.label, repr(group))
        first = together.get(key)
        together[key] = shape if first is None else Shape(shape.label, (*first.parts, *shape.parts))
    return tuple(together.values())
