"""LabelMe's JSON files: polygons, rectangles, circles and painted masks."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from handforge.dataset.coco_types import RleCode
from handforge.dataset.image_io import MAX_PIXELS
from handforge.dataset.importers.annotated import (
    ODD,
    AnnotatedImage,
    Annotations,
    Notes,
    Shape,
    ellipse,
    grouped,
    in_words,
    polygon,
)
from handforge.dataset.records import DatasetError
from handforge.dataset.rle import encode_mask
from handforge.parse import parse_json


def read_labelme(files: list[Path], notes: Notes) -> Annotations:
    """Read LabelMe's files, one an image.

    :raises DatasetError: naming the file and the shape.
    """
    return Annotations([_read(path, notes) for path in files])


def _read(path: Path, notes: Notes) -> AnnotatedImage:
    try:
        content = parse_json(path.read_bytes(), path, DatasetError)
        listed = list(enumerate(content["shapes"] or [], start=1))
        width, height = content.get("imageWidth"), content.get("imageHeight")
        size = (int(width), int(height)) if width and height else None
        name = str(content.get("imagePath") or path.stem)
    except DatasetError:
        raise
    except ODD as error:
        raise DatasetError(f"{path} is not a LabelMe file that can be read ({in_words(error)}); move it away") from None
    shapes = []
    for number, shape in listed:
        where = f"{path}: shape {number}"
        try:
            read = _shape(shape, size, where, notes)
        except ODD as error:
            raise DatasetError(f"{where} cannot be read ({in_words(error)})") from None
        if read is not None:
            shapes.append((shape.get("group_id"), read))
    return AnnotatedImage(name, grouped(shapes), size, str(path))


def _shape(shape: dict[str, Any], size: tuple[int, int] | None, where: str, notes: Notes) -> Shape | None:
    label, kind = shape["label"], shape.get("shape_type") or "polygon"
    if not isinstance(label, str):
        raise ValueError(f"its label is {label!r}")
    points = np.asarray(shape["points"], float)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("its points are not pairs of x and y")
    if kind == "polygon":
        part = polygon(points, where, notes)
        return Shape(label, (part,)) if part else None
    if kind in ("rectangle", "oriented_rectangle"):
        low, high = points.min(axis=0), points.max(axis=0)
        return Shape(label, box=(*low.tolist(), *(high - low).tolist()))
    if kind == "circle":  # its centre, and a point on it
        if len(points) != 2:
            raise ValueError(f"a circle of {len(points)} points; it has its centre and a point on it")
        radius = float(np.linalg.norm(points[1] - points[0]))
        return Shape(label, (ellipse(points[0, 0], points[0, 1], radius, radius),))
    if kind == "mask":
        return Shape(label, (_mask(shape.get("mask"), points, size),))
    notes.add(f"shapes of the kind {kind}", where)
    return None


def _mask(code: Any, points: np.ndarray, size: tuple[int, int] | None) -> RleCode:
    """A painted mask, a PNG in base64 with its first pixel at the first point; as RLE, since a folder has many."""
    if size is None:
        raise ValueError("a mask needs imageWidth and imageHeight")
    if not 0 < size[0] * size[1] <= MAX_PIXELS:
        raise ValueError(f"its image has {size[0]}x{size[1]} pixels, more than {MAX_PIXELS:,} or none")
    try:
        with Image.open(io.BytesIO(base64.b64decode(code)), formats=("PNG",)) as image:
            painted = np.asarray(image.convert("L")) > 0
    except (*ODD, OSError, SyntaxError, Image.DecompressionBombError):
        raise ValueError("its mask is not a PNG in base64") from None
    left, top = (round(float(value)) for value in points[0])
    (rows, columns), (width, height) = painted.shape, size
    if min(left, top) < -1 or left + columns > width + 1 or top + rows > height + 1:  # dragged, it may be one beside
        raise ValueError(f"a mask of {columns}x{rows} at {left}, {top} leaves {width}x{height}")
    mask = np.zeros((height + 2, width + 2), bool)
    mask[top + 1 : top + 1 + rows, left + 1 : left + 1 + columns] = painted
    return encode_mask(mask[1:-1, 1:-1])
