"""CVAT's XML: "for images 1.1" and "for video 1.1"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from handforge.dataset.coco_types import RleCode
from handforge.dataset.image_io import MAX_PIXELS
from handforge.dataset.importers.annotated import (
    ODD,
    AnnotatedImage,
    Annotations,
    Notes,
    Shape,
    Size,
    ellipse,
    grouped,
    in_words,
    polygon,
)
from handforge.dataset.records import DatasetError
from handforge.dataset.rle import encode_mask

SHAPES = ("polygon", "mask", "box", "ellipse", "polyline", "points", "cuboid", "skeleton", "tag")

Box = tuple[float, float, float, float]
"""x, y, width, height in pixels."""

LONGEST = 10_000_000
"""Frames of a video, at most: four days."""


def read_cvat(root: Element, source: Path, notes: Notes) -> Annotations:
    """Read a CVAT file.

    Of a video, each track has a shape at its key frames; between two of them polygons of as many points and boxes are
    interpolated, others stay as they are until the next, and ``outside`` ends them.

    :raises DatasetError: naming file, image and shape.
    """
    if root.find("track") is not None or root.findtext("meta/task/mode") == "interpolation":
        return _video(root, source, notes)
    found = []
    for number, image in enumerate(root.iter("image"), start=1):
        where = f"{source}: image {image.attrib.get('name', f'number {number}')}"
        size = _size(image, where)
        shapes = [(_group(one), _shape(one, _given(one, "label", where), size, where, notes)) for one in _shapes(image)]
        kept = [(group, shape) for group, shape in shapes if shape is not None]
        found.append(AnnotatedImage(_given(image, "name", where), grouped(kept), size, where))
    return Annotations(found, declared=tuple(label.text or "" for label in root.iterfind("meta//labels/label/name")))


def _shapes(parent: Element) -> Iterator[Element]:
    return (child for child in parent if child.tag in SHAPES)


def _group(element: Element) -> str | None:
    group = element.attrib.get("group_id")
    return None if group == "0" else group  # 0 is CVAT's word for none


def _given(element: Element, key: str, where: str) -> str:
    if key not in element.attrib:
        raise DatasetError(f"{where}: <{element.tag}> has no {key}")
    return element.attrib[key]


def _size(image: Element, where: str) -> Size:
    width, height = image.attrib.get("width"), image.attrib.get("height")
    if not (width and height):
        return None
    if not (width.isdecimal() and height.isdecimal()):
        raise DatasetError(f"{where} has the size {width} x {height}, which are not whole numbers of pixels")
    return int(width), int(height)


def _shape(element: Element, label: str, size: Size, where: str, notes: Notes) -> Shape | None:
    given = element.attrib
    try:
        if element.tag == "polygon":
            part = polygon(_points(element), where, notes)
            return Shape(label, (part,)) if part else None
        if element.tag == "mask":
            return Shape(label, (_mask(element, size),))
        if element.tag == "box":
            left, top, right, bottom = (float(given[key]) for key in ("xtl", "ytl", "xbr", "ybr"))
            return Shape(label, box=_around(left, top, right, bottom, float(given.get("rotation", 0))))
        if element.tag == "ellipse":
            cx, cy, rx, ry = (float(given[key]) for key in ("cx", "cy", "rx", "ry"))
            return Shape(label, (ellipse(cx, cy, rx, ry, float(given.get("rotation", 0))),))
    except ODD as error:
        raise DatasetError(f"{where}: a {element.tag} cannot be read ({in_words(error)})") from None
    notes.add(f"shapes of the kind {element.tag}", where)
    return None


def _around(left: float, top: float, right: float, bottom: float, rotation_deg: float) -> Box:
    """The upright box x, y, width, height around a box that is rotated about its centre."""
    angle, wide, high = np.radians(rotation_deg), right - left, bottom - top
    width = float(abs(wide * np.cos(angle)) + abs(high * np.sin(angle)))
    height = float(abs(wide * np.sin(angle)) + abs(high * np.cos(angle)))
    return (left + right - width) / 2, (top + bottom - height) / 2, width, height


def _points(element: Element) -> list[float]:
    return [float(value) for point in element.attrib["points"].split(";") for value in point.split(",")]


def _mask(element: Element, size: Size) -> RleCode:
    """A mask: runs of off and on, row by row, within the box left, top, width, height; as COCO's RLE, by columns."""
    left, top, width, height = (int(element.attrib[key]) for key in ("left", "top", "width", "height"))
    runs = [int(run) for run in element.attrib["rle"].split(",")]
    wide, high = size or (left + width, top + height)
    inside = 0 <= left <= left + width <= wide and 0 <= top <= top + height <= high and wide * high <= MAX_PIXELS
    if not inside or min(runs) < 0 or sum(runs) != width * height:
        raise ValueError(f"{sum(runs)} pixels in a box of {width}x{height} at {left}, {top} in {wide}x{high} pixels")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = np.zeros((high, wide), bool)
    mask[top : top + height, left : left + width] = flat.reshape(height, width)
    return encode_mask(mask)


# ---------------------------------------------------------------- video


def _video(root: Element, source: Path, notes: Notes) -> Annotations:
    original = next(root.iter("original_size"), None)
    size = None if original is None else (int(original.findtext("width", "0")), int(original.findtext("height", "0")))
    first, last, step = _frames(root, source)
    frames: dict[int, list[tuple[str | None, Shape]]] = {}
    for track in root.iter("track"):
        where = f"{source}: track {track.attrib.get('id')}"
        label = _given(track, "label", where)
        for number, element in _interpolated(track, last, where):
            if (number - first) % step:
                continue
            shape = _shape(element, label, size, where, notes)
            if shape is not None:
                frames.setdefault(number, []).append((_group(track), shape))
    return Annotations(
        [
            AnnotatedImage(f"frame_{number:06d}", grouped(shapes), size, f"{source}: frame {number}", number)
            for number, shapes in sorted(frames.items())
        ]
    )


def _frames(root: Element, source: Path) -> tuple[int, int, int]:
    """The first and the last frame of the video that were annotated, and the step between them."""

    def number(name: str) -> int | None:
        texts = (root.findtext(f"meta/{part}/{name}") for part in ("task", "job"))
        return next((int(text) for text in texts if text and text.isdecimal()), None)

    first, length, stop = number("start_frame") or 0, number("size"), number("stop_frame")
    step = re.search(r"step\s*=\s*([1-9]\d*)", root.findtext("meta/task/frame_filter") or "")
    every = int(step[1]) if step else 1
    seen = [_frame(s, f"{source}: track {t.attrib.get('id')}") for t in root.iter("track") for s in _shapes(t)]
    last = stop if stop is not None else first + (length - 1) * every if length else max(seen, default=first)
    if max([last, *seen]) > LONGEST:
        raise DatasetError(f"{source} is of {max([last, *seen])} frames; no video is that long")
    return first, last, every


def _frame(shape: Element, where: str) -> int:
    text = _given(shape, "frame", where)
    if not text.isdecimal():
        raise DatasetError(f"{where}: a {shape.tag} is of frame {text!r}, which is not a number")
    return int(text)


def _interpolated(track: Element, last: int, where: str) -> Iterator[tuple[int, Element]]:
    """The shape of a track in every frame in which it is seen."""
    keys = sorted(_shapes(track), key=lambda shape: _frame(shape, where))
    for number, shape in enumerate(keys):
        if shape.attrib.get("outside") == "1":
            continue
        start = _frame(shape, where)
        after = keys[number + 1] if number + 1 < len(keys) else None
        end = _frame(after, where) if after is not None else max(last, start) + 1
        for frame in range(start, end):
            part = 0.0 if after is None else (frame - start) / (end - start)
            yield frame, _between(shape, after, part)


def _between(one: Element, other: Element | None, part: float) -> Element:
    """The shape ``part`` of the way from one key frame to the next."""
    if part == 0 or other is None or other.tag != one.tag or other.attrib.get("outside") == "1":
        return one
    mixed = Element(one.tag, one.attrib)
    if one.tag == "box":
        for key in ("xtl", "ytl", "xbr", "ybr"):
            mixed.set(key, str((1 - part) * float(one.attrib[key]) + part * float(other.attrib[key])))
    elif one.tag == "polygon":
        start, end = np.array(_points(one)), np.array(_points(other))
        if start.shape == end.shape:
            points = ((1 - part) * start + part * end).reshape(-1, 2)
            mixed.set("points", ";".join(f"{x},{y}" for x, y in points))
    return mixed
