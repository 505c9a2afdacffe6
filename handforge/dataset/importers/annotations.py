"""Annotations that people drew, as their tools write them, as a dataset folder.

============================  ====================================================================================
COCO, .json                   polygons, RLE, boxes, keypoints, crowds
LabelMe, folder of .json      polygons, rectangles (boxes), circles, painted masks; groups are one object
CVAT, .xml                    for images and for video 1.1: polygons, masks, ellipses, boxes; groups are one object
VIA 2, .json                  polygons, rectangles (boxes), circles, ellipses
YOLO, folder of .txt          polygons and boxes
Pascal VOC, folder of .xml    boxes, polygons
============================  ====================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from handforge.dataset.image_io import image_header, read_image
from handforge.dataset.importers.annotated import ODD, AnnotatedImage, Annotations, Notes, Shape
from handforge.dataset.importers.coco import UNNAMED, read_coco
from handforge.dataset.importers.cvat import read_cvat
from handforge.dataset.importers.folder import About, Imported, image_files, readable, tolerant, write_dataset
from handforge.dataset.importers.labelme import read_labelme
from handforge.dataset.importers.matching_files import match_files, sample_names
from handforge.dataset.importers.via import read_via
from handforge.dataset.importers.voc import read_voc
from handforge.dataset.importers.yolo import read_yolo
from handforge.dataset.records import CATEGORIES, KEYPOINTS, SKELETON, Category, DatasetError, Instance, Sample
from handforge.dataset.rle import decode_mask
from handforge.parse import parse_json

NOT_LABELS = ("classes.txt", "train.txt", "val.txt", "test.txt", "README.dataset.txt", "README.roboflow.txt")
"""Text files beside YOLO's labels."""

ALL = "all"
"""In place of labels: every label, as a category of its own name."""


def import_annotations(
    source: Path,
    images: Path,
    out: Path,
    about: About,
    labels: Sequence[str] = ("hand",),
    boxes: bool = False,
    crowd_as_hand: bool = False,
    strict: bool = False,
) -> Imported:
    """Make a dataset of the images in ``images`` that ``source`` has an entry for.

    :param labels: labels to take. Those that name a hand ("hand", "left_hand", "glove") become the category that
        ``about`` states, others a category of their own name; ``("all",)`` takes every label.
    :param boxes: take objects of which only the box is known as rectangles, for detection.
    :param crowd_as_hand: take crowds (``iscrowd`` 1, as CVAT writes painted masks) as single objects.
    :param strict: an image that cannot be read ends the import instead of being skipped.
    :raises DatasetError: naming the file, if nothing has one of the labels, no image is listed, or anything is damaged.
    """
    notes = Notes()
    files = image_files(images, recursive=True)
    found = read_annotations(source, notes, files)
    chosen = choose_labels(found.labels, labels, source)
    matched = match_files([image.file_name for image in found.images], files, images)
    entries = [(image, matched[image.file_name]) for image in found.images if image.file_name in matched]
    if not entries:
        raise DatasetError(
            f"{images} has no image that {source} lists: {found.images[0].file_name if found.images else 'none'} "
            f"for one; {files[0].relative_to(images)} is there"
        )
    _refuse_doubled(entries, source)
    names = sample_names([path for _, path in entries], images)
    category = partial(category_of, about=about.category)
    categories = categories_for([category(label) for label in chosen], found)
    unreadable: list[str] = []
    drawing = partial(
        instances, labels=chosen, category=category, boxes=boxes, crowd_as_hand=crowd_as_hand, notes=notes
    )

    def frames() -> Iterator[Callable[[], Sample]]:
        for image, path in sorted(entries, key=lambda entry: names[entry[1]]):
            yield partial(_sample, image, path, names[path], drawing)

    info = about.info("annotations", labels=list(labels), boxes=boxes)
    count = write_dataset(out, tolerant(frames(), strict, unreadable), len(entries), info, categories)
    absent = [image.file_name for image in found.images if image.file_name not in matched]
    lines = notes.lines()
    if absent:
        lines.append(f"{len(absent)} images of {source} are not in {images}, {absent[0]} for one")
    return Imported(count, tuple(lines), tuple(unreadable))


def _sample(image: AnnotatedImage, path: Path, name: str, drawing: Callable[..., tuple[Instance, ...]]) -> Sample:
    pixels = readable(read_image, path)
    return Sample(name, pixels, drawing(image, pixels, path))


def _refuse_doubled(entries: Sequence[tuple[AnnotatedImage, Path]], source: Path) -> None:
    seen: dict[Path, AnnotatedImage] = {}
    for image, path in entries:
        if path in seen:
            raise DatasetError(
                f"{source} has two entries for {path}: {seen[path].file_name} ({seen[path].where}) and "
                f"{image.file_name} ({image.where}); rename an image, or write its folder into the annotations"
            )
        seen[path] = image


def read_annotations(source: Path, notes: Notes, images: Sequence[Path] = ()) -> Annotations:
    """Read a file or folder of annotations, whatever tool wrote it.

    :param images: the image files they are about; YOLO's labels need their sizes.
    :raises DatasetError: naming the file, if it is missing, damaged, or of no known format.
    """
    try:
        if source.is_dir():
            return _folder(source, notes, images)
        if source.suffix.lower() == ".xml":
            return read_cvat(ElementTree.parse(source).getroot(), source, notes)
        content = parse_json(source.read_bytes(), source, DatasetError)
        if isinstance(content, dict) and "images" in content:
            return read_coco(content, source, notes)
        return read_via(content, source, notes)
    except FileNotFoundError:
        raise DatasetError(f"{source} is missing") from None
    except DatasetError:
        raise
    except (*ODD, ElementTree.ParseError) as error:
        raise DatasetError(
            f"{source} is not a COCO, CVAT, LabelMe or VIA annotation that can be read ({error!r})"
        ) from None


def _folder(source: Path, notes: Notes, images: Sequence[Path]) -> Annotations:
    def files(suffix: str) -> list[Path]:
        return sorted(path for path in source.rglob(f"*{suffix}") if not path.name.startswith("."))

    if found := files(".json"):
        return read_labelme(found, notes)
    if found := files(".xml"):
        return read_voc(found, notes)
    if found := [path for path in files(".txt") if path.name not in NOT_LABELS]:
        return read_yolo(found, {path.stem: path for path in images}, source, notes)
    raise DatasetError(f"{source} holds no LabelMe (.json), YOLO (.txt) or Pascal VOC (.xml) files")


def choose_labels(held: Sequence[str], asked: Sequence[str], source: Path) -> tuple[str, ...]:
    """Which of a source's labels are taken.

    :raises DatasetError: if it has none of those asked for.
    """
    if tuple(asked) == (ALL,) or list(held) == [UNNAMED]:
        return tuple(held)
    wanted = {label.casefold() for label in asked}
    chosen = tuple(label for label in held if label in asked) or tuple(x for x in held if x.casefold() in wanted)
    if not chosen:
        there = ", ".join(held) or "nothing"
        names = " or ".join(repr(label) for label in asked)
        raise DatasetError(
            f"{source} has nothing labelled {names} (there is {there}); choose with --label, as often as needed, or "
            "--label all"
        )
    return chosen


def category_of(label: str, about: str) -> str:
    """The category that a label becomes: ``about`` for one that names a hand, else its own name."""
    return about if label == UNNAMED or re.search(r"hand|glove", label, re.IGNORECASE) else label


def side_of(label: str) -> str | None:
    """``left`` or ``right`` where a label says so."""
    said = re.findall(r"left|right", label.lower())
    return said[0] if len(said) == 1 else None


def categories_for(names: Sequence[str], found: Annotations) -> list[Category] | None:
    """The categories of a dataset with these names; None where all are hands."""
    if set(names) <= set(CATEGORIES.values()):
        return None
    categories = []
    ordered = sorted(set(names), key=lambda name: (name not in CATEGORIES.values(), name))
    for number, name in enumerate(ordered, start=1):
        points = (KEYPOINTS, SKELETON) if name in CATEGORIES.values() else found.keypoints.get(name, ((), ()))
        categories.append(Category(number, name, *points))
    return categories


def instances(
    image: AnnotatedImage,
    pixels: np.ndarray,
    path: Path,
    labels: Sequence[str],
    category: Callable[[str], str],
    boxes: bool,
    crowd_as_hand: bool,
    notes: Notes,
) -> tuple[Instance, ...]:
    """Draw an image's shapes of some labels.

    Shapes drawn on the image as it is stored are turned with it, where its EXIF orientation turns it.

    :param pixels: (H, W, 3), the image upright.
    :raises DatasetError: naming the image, if it has another size than that in which its shapes were drawn, or one of
        them cannot be drawn.
    """
    height, width = pixels.shape[:2]
    turn = image.size not in (None, (width, height)) and image.size == (height, width) and _orientation(path) >= 5
    if image.size not in (None, (width, height)) and not turn:
        raise DatasetError(
            f"{path} is {width}x{height}, but its annotations were drawn on {image.size[0]}x{image.size[1]}; "
            "give those images"
        )
    found: list[Instance] = []
    for shape in image.shapes:
        if shape.label not in labels:
            continue
        if not shape.parts and not boxes:
            notes.add("objects with a box alone (--boxes takes them as rectangles, for --task detection)", image.where)
            continue
        try:
            mask = _drawn(shape, *((width, height) if turn else (height, width)))
        except DatasetError as error:
            raise DatasetError(f"{path}: {error} ({image.where})") from None
        if turn:
            mask = _upright(mask, _orientation(path))
        if not mask.any():
            notes.add("objects outside their image or without a pixel", image.where)
            continue
        name = category(shape.label)
        points = shape.keypoints
        if points is not None and name in CATEGORIES.values() and len(points) != len(KEYPOINTS):
            notes.add(f"sets of keypoints that are not a hand's {len(KEYPOINTS)}", image.where)
            points = None
        if crowd := shape.crowd and not crowd_as_hand:
            notes.add(
                "crowds, which are regions to ignore (--crowd-as-hand takes them as objects, as CVAT and datumaro mean "
                "painted masks),",
                image.where,
            )
        if shape.parts and any(one.category == name and np.array_equal(one.mask, mask) for one in found):
            notes.add("objects that are there already, pixel by pixel", image.where)
            continue
        found.append(Instance(mask, None if turn else points, side_of(shape.label), name, crowd=crowd))
    return tuple(found)


def _drawn(shape: Shape, height: int, width: int) -> np.ndarray:
    """A shape's (H, W) bool mask."""
    if shape.box and not shape.parts:
        x, y, w, h = shape.box
        if not np.isfinite(shape.box).all():
            raise DatasetError(f"a box of {shape.label} is nowhere (x, y, width and height are {x}, {y}, {w}, {h})")
        left, top, right, bottom = (round(v) for v in (max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)))
        mask = np.zeros((height, width), bool)
        mask[top : max(bottom, top), left : max(right, left)] = True
        return mask
    polygons = [part for part in shape.parts if isinstance(part, list)]
    masks = [part for part in shape.parts if isinstance(part, np.ndarray)]
    masks += [decode_mask(part, height, width) for part in shape.parts if isinstance(part, dict)]
    masks += [decode_mask(polygons, height, width)] if polygons else []
    if any(mask.shape != (height, width) for mask in masks):
        raise DatasetError(f"a mask of {shape.label} has another size than {width}x{height}")
    return np.any(masks, axis=0)


def _orientation(path: Path) -> int:
    """The EXIF orientation, 1 to 8; from 5 on width and height are exchanged."""
    with image_header(path) as image:
        return int(image.getexif().get(0x0112, 1))


def _upright(mask: np.ndarray, orientation: int) -> np.ndarray:
    """A mask of the stored image as the upright image needs it, for the EXIF orientations 5 to 8."""
    turned = {5: mask.T, 6: np.rot90(mask, -1), 7: np.rot90(mask, 2).T, 8: np.rot90(mask, 1)}[orientation]
    return np.ascontiguousarray(turned)
