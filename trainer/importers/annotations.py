"""Annotations that people drew: COCO (.json), CVAT for images 1.1 (.xml), or a folder of LabelMe's .json files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from generator.dataset import DatasetError, Frame, Instance, decode_mask, encode_mask, read_picture
from trainer.importers.folder import About, pictures, write_dataset

Picture = tuple[str, list[tuple[str, Any]]]
"""A picture's stem, and (label, COCO segmentation) of each thing in it."""
Shapes = dict[str, list[tuple[str, Any]]]
"""The same of many pictures, by the stem."""


def import_annotations(
    source: Path, images: Path, out: Path, about: About, label: str = "hand"
) -> tuple[int, list[str]]:
    """Make a dataset of the pictures in ``images`` that ``source`` has an entry for.

    :returns: their number, and the stems of those that ``source`` has and ``images`` has not.
    :param label: only things of this label are hands.
    :raises DatasetError: naming the file, if nothing has the label, no picture is listed, or anything is damaged.
    """
    shapes = read_shapes(source, label)
    files = [path for path in pictures(images) if path.stem in shapes]

    def frames() -> Iterator[Frame]:
        for path in files:
            picture = read_picture(path)
            yield Frame(path.stem, picture, instances(shapes[path.stem], label, about.category, picture, path))

    count = write_dataset(out, frames(), len(files), about.info("annotations", label=label))
    return count, sorted(shapes.keys() - {path.stem for path in files})


def instances(
    things: list[tuple[str, Any]], label: str, category: str, picture: np.ndarray, path: Path
) -> tuple[Instance, ...]:
    """The hands among a picture's things; their masks cover what ``category`` says.

    :raises DatasetError: naming the picture, if a shape cannot be drawn.
    """
    try:
        masks = [decode_mask(code, *picture.shape[:2]) for name, code in things if name == label]
        return tuple(Instance(mask, category=category) for mask in masks)
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None


def read_shapes(source: Path, label: str) -> Shapes:
    """All things of a COCO or CVAT file or a LabelMe folder.

    :param label: what is going to be taken.
    :raises DatasetError: naming the file, if it is missing, damaged, or none of the three, if two of its pictures have
        one stem, or nothing the label.
    """
    shapes: Shapes = {}
    for stem, things in _read(source, label):
        if stem in shapes:
            raise DatasetError(f"{source} has two pictures called {stem}; rename one, or import their folders apart")
        shapes[stem] = things
    labels = sorted({name for things in shapes.values() for name, _ in things})
    if label not in labels:
        raise DatasetError(f"{source} has nothing labelled {label!r} (there is {', '.join(labels) or 'nothing'})")
    return shapes


def _read(source: Path, label: str) -> list[Picture]:
    try:
        if source.is_dir():
            return [_labelme(path) for path in sorted(source.glob("*.json"))]
        if source.suffix == ".xml":
            return _cvat(ElementTree.parse(source).getroot())
        return _coco(json.loads(source.read_bytes()), label)
    except FileNotFoundError:
        raise DatasetError(f"{source} is missing") from None
    except DatasetError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, ElementTree.ParseError) as error:
        raise DatasetError(f"{source} is no COCO, CVAT or LabelMe annotation that can be read ({error!r})") from None


def _coco(content: dict[str, Any], label: str) -> list[Picture]:
    found: dict[Any, Picture] = {image["id"]: (Path(image["file_name"]).stem, []) for image in content["images"]}
    names = {category["id"]: category["name"] for category in content["categories"]}
    for annotation in content["annotations"]:
        name, (stem, things) = names[annotation["category_id"]], found[annotation["image_id"]]
        if name == label and annotation.get("iscrowd"):
            raise DatasetError(f"annotation {annotation.get('id')} of {stem} is a crowd; give each hand one of its own")
        things.append((name, annotation["segmentation"]))
    return list(found.values())


def _labelme(path: Path) -> Picture:
    try:
        content = json.loads(path.read_bytes())
        things = []
        for shape in content["shapes"]:
            if shape.get("shape_type", "polygon") != "polygon":
                raise DatasetError(f"{path}: a shape is a {shape['shape_type']}; hands are polygons")
            things.append((shape["label"], [[float(value) for point in shape["points"] for value in point]]))
        return Path(content["imagePath"].replace("\\", "/")).stem, things
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} is no LabelMe annotation that can be read ({error!r})") from None


def _cvat(root: ElementTree.Element) -> list[Picture]:
    found: list[Picture] = []
    for image in root.iter("image"):
        things: list[tuple[str, Any]] = []
        found.append((Path(image.attrib["name"]).stem, things))
        for polygon in image.iter("polygon"):
            points = [float(v) for point in polygon.attrib["points"].split(";") for v in point.split(",")]
            things.append((polygon.attrib["label"], [points]))
        for mask in image.iter("mask"):
            size = int(image.attrib["height"]), int(image.attrib["width"])
            things.append((mask.attrib["label"], encode_mask(_cvat_mask(mask, size))))
    return found


def _cvat_mask(element: ElementTree.Element, size: tuple[int, int]) -> np.ndarray:
    """CVAT's mask: runs of off and on, row by row, within the box left, top, width, height."""
    left, top, width, height = (int(element.attrib[key]) for key in ("left", "top", "width", "height"))
    runs = [int(run) for run in element.attrib["rle"].split(",")]
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = np.zeros(size, bool)
    mask[top : top + height, left : left + width] = flat.reshape(height, width)
    return mask
