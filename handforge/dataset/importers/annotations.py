"""Annotations that people drew, as their tools write them, as a dataset folder.

============================  ====================================================================================
COCO, .json                   polygons, RLE, boxes, keypoints, crowds
LabelMe, folder of .json      polygons, rectangles (boxes), circles, painted masks; groups are one object
CVAT, .xml                    for images and for video 1.1: polygons, masks, ellipses, boxes; groups are one object
VIA 2, .json                  polygons, rectangles (boxes), circles, ellipses
YOLO, folder of .txt          polygons and boxes, keypoints
Pascal VOC, folder of .xml    boxes, polygons
============================  ====================================================================================
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from handforge.dataset.image_io import read_image
from handforge.dataset.importers.annotated import (
    ODD,
    UNNAMED,
    AnnotatedImage,
    Annotations,
    Notes,
    Shape,
    in_words,
)
from handforge.dataset.importers.coco import read_coco
from handforge.dataset.importers.cvat import read_cvat
from handforge.dataset.importers.exif_orientation import turn_mask, turns
from handforge.dataset.importers.folder import About, Imported, image_files, readable, tolerant, write_dataset
from handforge.dataset.importers.labelme import read_labelme
from handforge.dataset.importers.matching_files import match_files, sample_names
from handforge.dataset.importers.via import read_via
from handforge.dataset.importers.voc import read_voc
from handforge.dataset.importers.yolo import read_yolo
from handforge.dataset.records import CATEGORIES, KEYPOINTS, SKELETON, Category, DatasetError, Instance, Sample
from handforge.dataset.rle import decode_mask
from handforge.files import files_below
from handforge.parse import parse_json
from handforge.text import counted

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
        ``about`` states, others, ``hand+forearm`` too, a category of their own name; ``("all",)`` takes every label.
    :param boxes: take objects of which only the box is known as rectangles, for detection.
    :param crowd_as_hand: take crowds (``iscrowd`` 1, as CVAT writes painted masks) as single objects.
    :param strict: an image that cannot be read ends the import instead of being skipped.
    :raises DatasetError: naming the file, if nothing has one of the labels, all that has is boxes alone and these are
        not taken, no image is listed, or anything is damaged.
    """
    notes = Notes()
    files = image_files(images, recursive=True)
    found = read_annotations(source, notes, files, images)
    taken = Selection(found, choose_labels(found, labels, source, notes), about.category, boxes, crowd_as_hand, notes)
    taken.check_outlines(source)
    matched = match_files([image.file_name for image in found.images], files, images)
    entries = [(image, matched[image.file_name]) for image in found.images if image.file_name in matched]
    if not found.images:
        raise DatasetError(f"{source} lists no image")
    if not entries:
        raise DatasetError(
            f"{images} has no image that {source} lists: {found.images[0].file_name} for one; "
            f"{files[0].relative_to(images)} is there"
        )
    _refuse_doubled(entries, source)
    names = sample_names([path for _, path in entries], images)
    turned, unclear = turns((path, image.size) for image, path in entries)
    unreadable: list[str] = []

    def sample(image: AnnotatedImage, path: Path) -> Sample:
        pixels = readable(read_image, path)
        return Sample(names[path], pixels, taken.instances(image, pixels, path, turned.get(path, 1)))

    frames = (partial(sample, *entry) for entry in sorted(entries, key=lambda entry: names[entry[1]]))
    info = about.info("annotations", labels=list(labels), boxes=boxes)
    count = write_dataset(out, tolerant(frames, strict, unreadable), len(entries), info, taken.categories())
    absent = [image.file_name for image in found.images if image.file_name not in matched]
    without = sorted({*files} - {path for _, path in entries})
    lines = [*notes.lines(), *unclear, *taken.remarks(ALL in labels)]
    if absent:
        lines.append(f"{counted(len(absent), 'image')} of {source} not in {images}, {absent[0]} for one")
    if without:
        lines.append(f"{counted(len(without), 'image')} without an entry in {source} not taken, {without[0]} for one")
    return Imported(count, tuple(lines), tuple(unreadable))


def _refuse_doubled(entries: Sequence[tuple[AnnotatedImage, Path]], source: Path) -> None:
    seen: dict[Path, AnnotatedImage] = {}
    for image, path in entries:
        if path in seen:
            raise DatasetError(
                f"{source} has two entries for {path}: {seen[path].file_name} ({seen[path].where}) and "
                f"{image.file_name} ({image.where}); rename an image, or write its folder into the annotations"
            )
        seen[path] = image


def read_annotations(source: Path, notes: Notes, images: Sequence[Path] = (), root: Path = Path()) -> Annotations:
    """Read a file or folder of annotations, whatever tool wrote it.

    :param images: the image files below ``root`` that they are about; YOLO's labels need their sizes.
    :raises DatasetError: naming the file, if it is missing, damaged, or of no known format.
    """
    if not source.exists():
        raise DatasetError(f"{source} is missing")
    try:
        if source.is_dir():
            return _folder(source, notes, images, root)
        if source.suffix.lower() == ".txt":
            return read_yolo([source], list(images), root, source, notes)
        return _file(source, notes)
    except FileNotFoundError as error:
        raise DatasetError(f"{error.filename} is missing") from None
    except DatasetError:
        raise
    except (*ODD, ElementTree.ParseError) as error:
        raise DatasetError(
            f"{source} is not a COCO, CVAT, LabelMe or VIA annotation that can be read ({in_words(error)})"
        ) from None


def _file(source: Path, notes: Notes) -> Annotations:
    if source.suffix.lower() == ".xml":
        content = ElementTree.parse(source).getroot()
        return read_voc([source], notes) if content.tag == "annotation" else read_cvat(content, source, notes)
    if source.suffix.lower() != ".json":
        remedy = (
            "give the folder of the labels beside it, for YOLO's"
            if source.suffix.lower() in (".yaml", ".yml", ".names")
            else "save annotations as COCO, for one"
        )
        raise DatasetError(f"{source} is not a .json, .xml or .txt file; {remedy}")
    content = parse_json(source.read_bytes(), source, DatasetError)
    if isinstance(content, list):
        raise DatasetError(
            f"{source} is a list, as results, Label Studio's JSON and CreateML are; give annotations of COCO, LabelMe "
            "or VIA 2 (Label Studio exports COCO)"
        )
    if not isinstance(content, dict):
        raise DatasetError(
            f"{source} holds {json.dumps(content):.80} and nothing else; give annotations of COCO, LabelMe or VIA 2"
        )
    if "shapes" in content:
        return read_labelme([source], notes)
    if "images" in content or "annotations" in content:
        return read_coco(content, source, notes)
    return read_via(content, source, notes)


def _folder(source: Path, notes: Notes, images: Sequence[Path], root: Path) -> Annotations:
    if found := files_below(source, (".json",)):
        return read_labelme(found, notes) if len(found) > 1 else _file(found[0], notes)
    if found := files_below(source, (".xml",)):
        return read_voc(found, notes) if len(found) > 1 else _file(found[0], notes)
    if found := [path for path in files_below(source, (".txt",)) if path.name not in NOT_LABELS]:
        return read_yolo(found, list(images), root, source, notes)
    raise DatasetError(f"{source} holds no LabelMe (.json), YOLO (.txt) or Pascal VOC (.xml) files")


def choose_labels(found: Annotations, asked: Sequence[str], source: Path, notes: Notes) -> tuple[str, ...]:
    """Which of a source's labels are taken: those asked for, whatever their case; without an object, none.

    :raises DatasetError: if it has neither objects of a label nor lists it.
    """
    held = found.labels
    if ALL in asked or held == [UNNAMED]:
        return tuple(held)
    there = sorted({*held, *found.declared})
    chosen: list[str] = []
    for label in (label.strip() for label in asked):
        same = [one for one in there if one == label] or [one for one in there if one.casefold() == label.casefold()]
        if not same and (there or notes.lines()):
            numbers = all(one.isdecimal() for one in there) and there
            named = f"there is {', '.join(there) or 'nothing'}" + "".join(f"; {line}" for line in notes.lines())
            raise DatasetError(
                f"{source} has nothing labelled {label!r} ({named}); choose with --label, as often as needed, or "
                "--label all" + (", or name the classes in a classes.txt" if numbers else "")
            )
        chosen += same
    return tuple(dict.fromkeys(chosen))


_HAND = re.compile(r"(?<![a-z])(?:(?:my|your|left|right|bare|gloved)?(?:hand|glove)s?)(?![a-z])")
"""A word for a hand, alone or with its side: ``hand``, ``lefthand``, ``gloves``; not ``handbag``."""

_SIDE = re.compile(r"(?:(?<![a-z])|hand)(left|right)")


def _words(label: str) -> str:
    """A label in small letters, with a space where ``leftHand`` begins a word."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).lower()


def side_of(label: str) -> str | None:
    """``left`` or ``right`` where a label says so."""
    said = _SIDE.findall(_words(label))
    return said[0] if len(said) == 1 else None


@dataclass(frozen=True)
class Selection:
    """What of a source's annotations is taken, and as what.

    :param found: what the source holds.
    :param labels: those of its labels that are taken, as :func:`choose_labels` gives them.
    :param hands: the category that labels which name a hand become, but for ``hand+forearm``; others become one of
        their own name.
    :param boxes: take objects of which only the box is known as rectangles.
    :param crowd_as_hand: take crowds as single objects.
    :param notes: is told what is left out.
    """

    found: Annotations
    labels: tuple[str, ...]
    hands: str
    boxes: bool
    crowd_as_hand: bool
    notes: Notes

    def category(self, label: str) -> str:
        """The name of the category that a label becomes; ``hand+forearm`` says itself what its outlines cover."""
        if label.casefold() == CATEGORIES[2]:
            return CATEGORIES[2]
        return self.hands if label == UNNAMED or _HAND.search(_words(label)) else label

    def categories(self) -> list[Category] | None:
        """The categories of the dataset, hands first, then by name; None where all are hands."""
        names = {self.category(label) for label in self.labels}
        hands = set(CATEGORIES.values())
        if names <= hands:
            return None
        ordered = sorted(names, key=lambda name: (name not in hands, name))
        return [
            Category(number, name, *((KEYPOINTS, SKELETON) if name in hands else self._joints(name)))
            for number, name in enumerate(ordered, start=1)
        ]

    def _joints(self, name: str) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        return self.found.keypoints.get(name, ((), ()))

    def check_outlines(self, source: Path) -> None:
        """Check that leaving out objects with a box alone leaves any: all images would be without a hand.

        :raises DatasetError: naming the source, if it does not.
        """
        taken = [shape for image in self.found.images for shape in image.shapes if shape.label in self.labels]
        if taken and not self.boxes and not any(shape.parts for shape in taken):
            raise DatasetError(
                f"{source} has a box alone of each object ({len(taken)}), and no outline; --boxes takes boxes as "
                "rectangles, for --task detection"
            )

    def remarks(self, every_label: bool) -> list[str]:
        """Which labels were left out, and, where every label was asked for, which of them were taken as hands."""
        shapes = (shape for image in self.found.images for shape in image.shapes)
        others = Counter(shape.label for shape in shapes if shape.label not in self.labels)
        lines = []
        if others:
            named = ", ".join(f"{label} ({count})" for label, count in others.most_common(5))
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            lines.append(f"objects of other labels were left out: {named}{more}; --label takes them")
        hands = [label for label in self.labels if self.category(label) != label and label != UNNAMED]
        if every_label and hands:
            lines.append(f"taken as hands: {', '.join(hands)}")
        return lines

    def instances(
        self, image: AnnotatedImage, pixels: np.ndarray, path: Path, orientation: int = 1
    ) -> tuple[Instance, ...]:
        """Draw an image's shapes.

        :param pixels: (H, W, 3) uint8, the image upright.
        :param path: its file, for messages.
        :param orientation: by which shapes that were drawn on the image as it is stored are turned with it
            (:mod:`handforge.dataset.importers.exif_orientation`).
        :raises DatasetError: naming the image, if it has another size than that in which its shapes were drawn, or one
            of them cannot be drawn.
        """
        height, width = pixels.shape[:2]
        size = (height, width) if orientation > 4 else (width, height)
        if image.size not in (None, size):
            raise DatasetError(
                f"{path} is {width}x{height}, but its annotations were drawn on {image.size[0]}x{image.size[1]}; "
                "give those images"
            )
        found: list[Instance] = []
        for shape in image.shapes:
            if shape.label not in self.labels:
                continue
            if not shape.parts and not self.boxes:
                self._note("objects with a box alone (--boxes takes them as rectangles, for --task detection)", image)
                continue
            try:
                mask = turn_mask(_draw(shape, size[1], size[0]), orientation)
            except DatasetError as error:
                raise DatasetError(f"{path}: {error} ({image.where})") from None
            if not mask.any():
                self._note("objects outside their image or without a pixel", image)
                continue
            name = self.category(shape.label)
            points = self._keypoints(shape, image, size, orientation)
            if crowd := shape.crowd and not self.crowd_as_hand:
                self._note(
                    "crowds, which are regions to ignore (--crowd-as-hand takes them as objects, as CVAT and datumaro "
                    "mean painted masks)",
                    image,
                )
            if shape.parts and any(one.category == name and np.array_equal(one.mask, mask) for one in found):
                self._note("objects that are there already, pixel by pixel", image)
                continue
            found.append(Instance(mask, points, side_of(shape.label), name, crowd=crowd))
        return tuple(found)

    def _keypoints(
        self, shape: Shape, image: AnnotatedImage, size: tuple[int, int], orientation: int
    ) -> np.ndarray | None:
        """A shape's keypoints, (K, 3), those outside the image not visible; None where they cannot be used."""
        points, name = shape.keypoints, self.category(shape.label)
        if points is None:
            return None
        count = len(KEYPOINTS if name in CATEGORIES.values() else self._joints(name)[0])
        if len(points) != count:
            self._note(f"sets of keypoints that are not the {count} of {name}", image)
            return None
        if orientation > 1:
            self._note("sets of keypoints of images that are turned by EXIF", image)
            return None
        beyond = ((points[:, :2] < 0) | (points[:, :2] > size)).any(axis=1)
        for _ in range(beyond.sum()):
            self._note("keypoints outside their image", image)
        return np.where(beyond[:, None], 0.0, points)

    def _note(self, reason: str, image: AnnotatedImage) -> None:
        self.notes.add(reason, image.where)


def _draw(shape: Shape, height: int, width: int) -> np.ndarray:
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
    masks = [decode_mask(part, height, width) for part in shape.parts if isinstance(part, dict)]
    masks += [decode_mask(polygons, height, width)] if polygons else []
    return np.any(masks, axis=0)
