"""Detections in the files that other tools read, an image at a time.

coco      coco.json: images, annotations with scores, categories, as one object
labelme   labelme/NAME.json: painted masks; it names the image where it lies, and a video's frame is put beside it
yolo      yolo/labels/NAME.txt: outlines, or boxes where there are no masks; yolo/data.yaml: the classes
csv       detections.csv: a row a detection
png       instances/NAME.png: the pixels of each detection have its number, 0 is the background
cutout    cutouts/NAME.png: RGBA, transparent but for the detections
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from handforge.csv_text import csv_text
from handforge.dataset import Category
from handforge.dataset.coco_types import ImageRecord, ScoredAnnotation
from handforge.dataset.exporters import Labelled, labelme_json, yolo_txt
from handforge.files import dump_json, utf8_name
from trainer.inference.detections import COLORS, Detection, result, union
from trainer.inference.inputs import Frame

NEEDS_MASKS = ("png", "cutout")


class Format(ABC):
    """Writes one format.

    :param folder: where to.
    :param final: where that folder will be when all is written.
    :param categories: all that the network knows, with ``ids`` of them in the results.
    """

    made = ""
    """The file or folder that it makes."""

    def __init__(self, folder: Path, final: Path, categories: Sequence[Category], ids: Mapping[str, int]) -> None:
        self.folder, self.final, self.categories, self.ids = folder, final, categories, ids

    @abstractmethod
    def add(self, frame: Frame, hands: list[Detection]) -> None:
        """Write one image's detections, best first."""

    def close(self) -> None:  # noqa: B027 - most have nothing left to do
        """Write what is of all images."""

    def path(self, frame: Frame, suffix: str) -> Path:
        """A file of an image; its folder is made."""
        path = self.folder / self.made / f"{frame.output}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class Coco(Format):
    """COCO's annotations of all images, as one object."""

    made = "coco.json"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._images: list[ImageRecord] = []
        self._annotations: list[ScoredAnnotation] = []

    def add(self, frame: Frame, hands: list[Detection]) -> None:
        height, width = frame.image.shape[:2]
        self._images.append({"id": frame.id, "file_name": frame.name, "width": width, "height": height})
        for hand in hands:
            entry: dict[str, Any] = {
                **result(frame.id, hand, self.ids[hand.category]),
                "id": len(self._annotations) + 1,
                "area": hand.box[2] * hand.box[3] if hand.mask is None else int(hand.mask.sum()),
                "iscrowd": 0,
            }
            if hand.keypoints is not None:
                entry["num_keypoints"] = len(hand.keypoints)
            self._annotations.append(cast("ScoredAnnotation", entry))

    def close(self) -> None:
        listed = [{**category.to_json(), "id": self.ids[category.name]} for category in self.categories]
        content = {"images": self._images, "annotations": self._annotations, "categories": listed}
        (self.folder / self.made).write_bytes(dump_json(content))


class LabelMe(Format):
    """LabelMe's file of each image; ``group_id`` is the number of a track."""

    made = "labelme"

    def add(self, frame: Frame, hands: list[Detection]) -> None:
        height, width = frame.image.shape[:2]
        path = self.path(frame, ".json")
        masks = tuple((hand.category, hand.mask) for hand in hands if hand.mask is not None)
        content = labelme_json(Labelled(frame.name, width, height, masks))
        if len(masks) < len(hands):  # boxes only
            content["shapes"] = [_rectangle(hand) for hand in hands]
        for shape, hand in zip(content["shapes"], hands, strict=True):
            shape["group_id"] = hand.track_id
        if frame.path is None:
            image = path.with_suffix(".png")
            Image.fromarray(frame.image).save(image, compress_level=1)
            content["imagePath"] = image.name
        else:
            content["imagePath"] = self._way_to(frame.path, frame)
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False), "utf-8")

    def _way_to(self, image: Path, frame: Frame) -> str:
        here = (self.final / self.made / frame.output).parent
        try:
            return utf8_name(Path(os.path.relpath(image.resolve(), here.resolve())).as_posix())
        except ValueError:  # another drive of Windows
            return utf8_name(image.resolve().as_posix())


def _rectangle(hand: Detection) -> dict[str, Any]:
    x, y, width, height = hand.box
    points = [[x, y], [x + width, y + height]]
    return {"label": hand.category, "points": points, "shape_type": "rectangle", "flags": {}, "description": ""}


class Yolo(Format):
    """YOLO's label file of each image, in fractions of the upright image."""

    made = "yolo"

    def add(self, frame: Frame, hands: list[Detection]) -> None:
        height, width = frame.image.shape[:2]
        names = [category.name for category in self.categories]
        masks = tuple((hand.category, hand.mask) for hand in hands if hand.mask is not None)
        lines = yolo_txt(Labelled(frame.name, width, height, masks), names)
        for hand in hands:
            if hand.mask is None:
                x, y, w, h = hand.box
                place = ((x + w / 2) / width, (y + h / 2) / height, w / width, h / height)
                lines += f"{names.index(hand.category)} {' '.join(f'{value:.6f}' for value in place)}\n"
        path = self.folder / self.made / "labels" / f"{frame.output}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lines, "utf-8")

    def close(self) -> None:
        names = [category.name for category in self.categories]
        path = self.folder / self.made / "data.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"nc: {len(names)}\nnames: {json.dumps(names, ensure_ascii=False)}\n", "utf-8")


class Csv(Format):
    """A table with a row a detection."""

    made = "detections.csv"
    columns = ("image_id", "image", "category", "score", "x", "y", "width", "height", "area", "track_id")

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._rows: list[tuple[Any, ...]] = [self.columns]

    def add(self, frame: Frame, hands: list[Detection]) -> None:
        for hand in hands:
            area = "" if hand.mask is None else int(hand.mask.sum())
            track = "" if hand.track_id is None else hand.track_id
            self._rows.append((frame.id, frame.name, hand.category, round(hand.score, 5), *hand.box, area, track))

    def close(self) -> None:
        (self.folder / self.made).write_text(csv_text(self._rows), "utf-8")


class Instances(Format):
    """An image of numbers: the track of a detection that has one, or else 1, 2 ..., the best first.

    8 bits with a palette, so that a viewer shows colours; 16 bits where a number is above 255. Where detections
    overlap, the better one has the pixel.
    """

    made = "instances"

    def add(self, frame: Frame, hands: list[Detection]) -> None:
        numbers: np.ndarray = np.zeros(frame.image.shape[:2], np.uint16)
        taken = {hand.track_id for hand in hands}
        free = iter(number for number in range(1, 2**16) if number not in taken)
        pairs = [(hand, next(free) if hand.track_id is None else hand.track_id) for hand in hands]
        for hand, number in reversed(pairs):
            numbers[hand.mask] = number
        path = self.path(frame, ".png")
        if numbers.max() > 255:
            Image.fromarray(numbers).save(path, compress_level=1)
            return
        image = Image.fromarray(numbers.astype(np.uint8), "L")
        image.putpalette([0, 0, 0, *(value for n in range(255) for value in COLORS[n % len(COLORS)])])
        image.save(path, compress_level=1)


class Cutouts(Format):
    """The image, transparent but for the detections."""

    made = "cutouts"

    def add(self, frame: Frame, hands: list[Detection]) -> None:
        mask = union(hands, frame.image.shape[:2]).astype(np.uint8) * np.uint8(255)
        Image.fromarray(np.dstack([frame.image, mask])).save(self.path(frame, ".png"), compress_level=1)


FORMATS: dict[str, type[Format]] = {
    "coco": Coco,
    "labelme": LabelMe,
    "yolo": Yolo,
    "csv": Csv,
    "png": Instances,
    "cutout": Cutouts,
}
