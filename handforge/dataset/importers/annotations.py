"""Annotations that people drew: COCO (.json), CVAT for images 1.1 (.xml), or a folder of LabelMe's .json files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from handforge.dataset import MAX_PIXELS, DatasetError, Instance, Sample, decode_mask, encode_mask, read_image
from handforge.dataset.importers.folder import About, pictures, write_dataset

Things = list[tuple[str, list[Any]]]
"""(label, COCO segmentations of its parts) of each thing in an image."""
Size = tuple[int, int] | None
"""An image's width and height, where they are said."""
Picture = tuple[str, Things, Size]
"""An image's stem, what is in it, and its size."""
Shapes = dict[str, tuple[Things, Size]]
"""The same of many images, by the stem."""

_ODD = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""What comes of content that is not of the kind it should be."""


def import_annotations(
    source: Path, images: Path, out: Path, about: About, label: str = "hand"
) -> tuple[int, list[str]]:
    """Make a dataset of the images in ``images`` that ``source`` has an entry for.

    :returns: their number, and the stems of those that ``source`` has and ``images`` has not.
    :param label: only things of this label are hands.
    :raises DatasetError: naming the file, if nothing has the label, no image is listed, or anything is damaged.
    """
    shapes = read_shapes(source, label)
    found = pictures(images)
    files = [path for path in found if path.stem in shapes]
    if not files:
        listed, there = min(shapes), found[0].name
        raise DatasetError(f"{images} has no image that {source} lists: {listed} for one; {there} is there")

    def frames() -> Iterator[Sample]:
        for path in files:
            picture = read_image(path)
            yield Sample(path.stem, picture, instances(*shapes[path.stem], label, about.category, picture, path))

    count = write_dataset(out, frames(), len(files), about.info("annotations", label=label))
    return count, sorted(shapes.keys() - {path.stem for path in files})


def instances(
    things: Things, size: Size, label: str, category: str, picture: np.ndarray, path: Path
) -> tuple[Instance, ...]:
    """The hands among an image's things; their masks cover what ``category`` says.

    :raises DatasetError: naming the image, if it has another size than that in which its things were drawn, or one
        of them cannot be drawn.
    """
    height, width = picture.shape[:2]
    if size not in (None, (width, height)):
        raise DatasetError(
            f"{path} is {width}x{height}, but its annotations were drawn on {size[0]}x{size[1]}; give those images"
        )
    try:
        hands = [[decode_mask(code, height, width) for code in parts] for name, parts in things if name == label]
        return tuple(Instance(np.any(parts, axis=0), category=category) for parts in hands)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None


def read_shapes(source: Path, label: str) -> Shapes:
    """All things of a COCO or CVAT file or a LabelMe folder.

    :param label: what is going to be taken.
    :raises DatasetError: naming the file, if it is missing, damaged, or none of the three, if two of its images have
        one stem, or nothing the label.
    """
    shapes: Shapes = {}
    for stem, things, size in _read(source, label):
        if stem in shapes:
            raise DatasetError(f"{source} has two images called {stem}; rename one, or import their folders apart")
        shapes[stem] = things, size
    labels = sorted({str(name) for things, _ in shapes.values() for name, _ in things})
    if label not in labels:
        raise DatasetError(f"{source} has nothing labelled {label!r} (there is {', '.join(labels) or 'nothing'})")
    return shapes


def _read(source: Path, label: str) -> list[Picture]:
    try:
        if source.is_dir():
            return [_labelme(path, label) for path in sorted(source.glob("*.json"))]
        if source.suffix == ".xml":
            return _cvat(ElementTree.parse(source).getroot(), label)
        return _coco(json.loads(source.read_bytes()), label)
    except FileNotFoundError:
        raise DatasetError(f"{source} is missing") from None
    except DatasetError:
        raise
    except (*_ODD, RecursionError, ElementTree.ParseError) as error:
        raise DatasetError(f"{source} is no COCO, CVAT or LabelMe annotation that can be read ({error!r})") from None


def _coco(content: dict[str, Any], label: str) -> list[Picture]:
    found: dict[Any, Picture] = {
        image["id"]: (Path(image["file_name"]).stem, [], _size(image.get("width"), image.get("height")))
        for image in content["images"]
    }
    names = {category["id"]: category["name"] for category in content["categories"]}
    for annotation in content["annotations"]:
        name, (stem, things, _) = names[annotation["category_id"]], found[annotation["image_id"]]
        if name == label and annotation.get("iscrowd"):
            raise DatasetError(f"annotation {annotation.get('id')} of {stem} is a crowd; give each hand one of its own")
        things.append((name, [annotation["segmentation"]]))
    return list(found.values())


def _size(width: Any, height: Any) -> Size:
    return (int(width), int(height)) if width and height else None


def _labelme(path: Path, label: str) -> Picture:
    try:
        content = json.loads(path.read_bytes())
        parts: list[Part] = []
        for shape in content["shapes"]:
            if shape.get("shape_type", "polygon") != "polygon":
                if shape["label"] != label:
                    continue
                raise DatasetError(f"{path}: a shape is a {shape['shape_type']}; hands are polygons")
            points = [float(value) for point in shape["points"] for value in point]
            parts.append((shape["label"], shape.get("group_id"), [points]))
        size = _size(content.get("imageWidth"), content.get("imageHeight"))
        return Path(content["imagePath"].replace("\\", "/")).stem, _grouped(parts), size
    except DatasetError:
        raise
    except _ODD as error:
        raise DatasetError(f"{path} is no LabelMe annotation that can be read ({error!r})") from None


Part = tuple[str, Any, Any]
"""(label, group or None, COCO segmentation) of an outline."""


def _grouped(parts: list[Part]) -> Things:
    """Outlines of one label and group are one thing, which something hides in part; without a group each is one."""
    things: dict[Any, tuple[str, list[Any]]] = {}
    for number, (label, group, code) in enumerate(parts):
        key = ("alone", number) if group is None else (label, group)
        things.setdefault(key, (label, []))[1].append(code)
    return list(things.values())


_CVAT_OTHERS = ("box", "ellipse", "polyline", "points", "cuboid", "skeleton")


def _cvat(root: ElementTree.Element, label: str) -> list[Picture]:
    found: list[Picture] = []
    for image in root.iter("image"):
        parts: list[Part] = []
        for shape in image:
            if shape.tag in _CVAT_OTHERS and shape.attrib.get("label") == label:
                raise DatasetError(f"{image.attrib['name']}: a shape is a {shape.tag}; hands are polygons or masks")
        for polygon in image.iter("polygon"):
            points = [float(v) for point in polygon.attrib["points"].split(";") for v in point.split(",")]
            parts.append((polygon.attrib["label"], _group(polygon), [points]))
        for mask in image.iter("mask"):
            ours = mask.attrib["label"] == label
            parts.append((mask.attrib["label"], _group(mask), encode_mask(_cvat_mask(mask, image)) if ours else None))
        size = _size(image.attrib.get("width"), image.attrib.get("height"))
        found.append((Path(image.attrib["name"]).stem, _grouped(parts), size))
    return found


def _group(element: ElementTree.Element) -> str | None:
    group = element.attrib.get("group_id")
    return None if group == "0" else group  # 0 is CVAT's word for none


def _cvat_mask(element: ElementTree.Element, image: ElementTree.Element) -> np.ndarray:
    """CVAT's mask: runs of off and on, row by row, within the box left, top, width, height."""
    wide, high = int(image.attrib["width"]), int(image.attrib["height"])
    left, top, width, height = (int(element.attrib[key]) for key in ("left", "top", "width", "height"))
    runs = [int(run) for run in element.attrib["rle"].split(",")]
    inside = 0 <= left <= left + width <= wide and 0 <= top <= top + height <= high and wide * high <= MAX_PIXELS
    if not inside or min(runs) < 0 or sum(runs) != width * height:
        raise DatasetError(
            f"{image.attrib['name']}: a mask of {sum(runs)} pixels in a box of {width}x{height} at {left}, {top} does "
            f"not fit {wide}x{high} pixels"
        )
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = np.zeros((high, wide), bool)
    mask[top : top + height, left : left + width] = flat.reshape(height, width)
    return mask
