"""Masks in the files of LabelMe, CVAT and YOLO, by hand: no library writes all three.

LabelMe's and CVAT's files hold painted masks, which are exact; YOLO's hold outlines, of which holes are lost.
"""

from __future__ import annotations

import base64
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np

from handforge.dataset.image_io import encode_png
from handforge.dataset.reader import Dataset
from handforge.dataset.records import DatasetError
from handforge.dataset.rle import mask_box
from handforge.files import new_folder, write_atomic

FORMATS = ("labelme", "cvat", "yolo")


@dataclass(frozen=True)
class Labelled:
    """An image and its objects.

    :param file_name: the image's, as the annotations name it.
    :param objects: label and mask (H, W) bool of each.
    """

    file_name: str
    width: int
    height: int
    objects: tuple[tuple[str, np.ndarray], ...]


def export_dataset(dataset: Dataset, out: Path, format: str, on_done: Callable[[], None] = lambda: None) -> None:
    """Write a dataset's images and annotations as a tool's own files into a new folder.

    labelme: each image with its .json beside it. cvat: ``annotations.xml`` ("for images 1.1") and images/. yolo:
    images/, labels/ and data.yaml. Crowds are left out, which none of the three knows.

    :param format: one of :data:`FORMATS`.
    :param on_done: called after each image.
    :raises DatasetError: if an image or a mask is missing or damaged, an annotation's category is not listed, or two
        images would get one file.
    :raises FolderError: if ``out`` is there already and not empty.
    """
    if format != "cvat":
        stems = Counter(Path(image["file_name"]).with_suffix("") for image in dataset)
        if doubled := [stem for stem, times in stems.items() if times > 1]:
            raise DatasetError(
                f"several images of {dataset.folder} are called {doubled[0]}, for which {format} has one "
                "file; rename one"
            )
    labels = [category.name for category in dataset.category_list]
    with new_folder(out, mark="") as folder:
        images = folder if format == "labelme" else folder / "images"
        images.mkdir(exist_ok=True)

        def labelled() -> Iterable[Labelled]:
            for image in dataset:
                path = images / image["file_name"]
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(dataset.image_path(image), path)
                pairs = zip(dataset.annotations(image), dataset.masks(image), strict=True)
                objects = [(dataset.listed_category(image, a).name, m) for a, m in pairs if not a.get("iscrowd")]
                yield Labelled(image["file_name"], image["width"], image["height"], tuple(objects))
                on_done()

        write_labels(folder, labelled(), format, labels)


def write_labels(folder: Path, images: Iterable[Labelled], format: str, labels: list[str]) -> None:
    """Write the annotations of some images in a tool's format into a folder.

    :param labels: all labels, in the order that YOLO numbers them.
    """
    if format == "cvat":
        write_atomic(folder / "annotations.xml", cvat_xml(images, labels))
        return
    for image in images:
        stem = Path(image.file_name).with_suffix("")
        if format == "labelme":
            path = folder / f"{stem}.json"
            content = json.dumps(labelme_json(image), indent=2, ensure_ascii=False).encode()
        else:
            path, content = folder / "labels" / f"{stem}.txt", yolo_txt(image, labels).encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
    if format == "yolo":
        lines = [
            "train: images",
            "val: images",
            f"nc: {len(labels)}",
            f"names: {json.dumps(labels, ensure_ascii=False)}",
            "",
        ]
        write_atomic(folder / "data.yaml", "\n".join(lines).encode())


def labelme_json(image: Labelled) -> dict[str, Any]:
    """LabelMe's file of an image, its objects as painted masks."""
    shapes: list[dict[str, Any]] = []
    for label, mask in image.objects:
        x0, y0, x1, y1 = mask_box(mask)
        png = encode_png(mask[y0:y1, x0:x1].astype(np.uint8) * np.uint8(255))
        shapes.append(
            {
                "label": label,
                "points": [[x0, y0], [x1 - 1, y1 - 1]],
                "group_id": None,
                "description": "",
                "shape_type": "mask",
                "flags": {},
                "mask": base64.b64encode(png).decode(),
            }
        )
    return {
        "version": "5.4.1",
        "flags": {},
        "shapes": shapes,
        "imagePath": Path(image.file_name).name,
        "imageData": None,
        "imageHeight": image.height,
        "imageWidth": image.width,
    }


def cvat_xml(images: Iterable[Labelled], labels: list[str]) -> bytes:
    """CVAT's "for images 1.1" of some images, their objects as masks."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    listed = SubElement(SubElement(SubElement(root, "meta"), "task"), "labels")  # datumaro reads no file without
    for label in labels:
        SubElement(SubElement(listed, "label"), "name").text = label
    for number, image in enumerate(images):
        given = {"id": str(number), "name": image.file_name, "width": str(image.width), "height": str(image.height)}
        parent = SubElement(root, "image", given)
        for label, mask in image.objects:
            x0, y0, x1, y1 = mask_box(mask)
            flat = mask[y0:y1, x0:x1].ravel()
            ends = np.flatnonzero(np.diff(flat)) + 1
            runs = np.diff(ends, prepend=0, append=flat.size).tolist()
            code = ", ".join(map(str, [0, *runs] if flat[0] else runs))
            place = {"left": str(x0), "top": str(y0), "width": str(x1 - x0), "height": str(y1 - y0)}
            SubElement(parent, "mask", {"label": label, "occluded": "0", "rle": code, "z_order": "0", **place})
    indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="utf-8") + b"\n"


def yolo_txt(image: Labelled, labels: list[str]) -> str:
    """YOLO's label file of an image: one line for each object, its pieces joined by lines to and fro."""
    lines = []
    for label, mask in image.objects:
        found = outlines(mask)
        back = [outline[:1] for outline in found[-2:0:-1]]  # the way that led to the last piece: it encloses nothing
        points = np.concatenate([*found, *back]) / (image.width, image.height)
        numbers = " ".join(f"{value:.6f}" for value in points.clip(0, 1).ravel())
        lines.append(f"{labels.index(label)} {numbers}\n")
    return "".join(lines)


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The outer outlines of a mask's pieces, each (N, 2) x, y in pixels, closed, along the pixels' edges."""
    from scipy.ndimage import find_objects
    from skimage.measure import approximate_polygon, find_contours, label

    found = []
    pieces = label(mask, connectivity=1)
    for number, (rows, columns) in enumerate(find_objects(pieces), start=1):
        piece = np.pad(pieces[rows, columns] == number, 1)
        fine = piece.repeat(2, 0).repeat(2, 1)  # contours run between the centres of pixels
        contour = max(find_contours(fine.astype(float), 0.5), key=len)
        contour = approximate_polygon(contour, 0.1)
        found.append(contour[:, ::-1] / 2 - 0.75 + (columns.start, rows.start))
    return found
