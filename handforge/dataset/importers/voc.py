"""Pascal VOC's XML files: boxes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from handforge.dataset.importers.annotated import ODD, AnnotatedImage, Annotations, Notes, Shape
from handforge.dataset.records import DatasetError


def read_voc(files: list[Path], notes: Notes) -> Annotations:
    """Read Pascal VOC's XML files, one an image: boxes, in pixels that count from 1."""
    found = []
    for path in files:
        try:
            root = ElementTree.parse(path).getroot()
            name = root.findtext("filename") or path.stem
            width, height = int(root.findtext("size/width") or 0), int(root.findtext("size/height") or 0)
            shapes = []
            for thing in root.iter("object"):
                left, top, right, bottom = (
                    float(thing.findtext(f"bndbox/{key}") or "nan") for key in ("xmin", "ymin", "xmax", "ymax")
                )
                box = (left - 1, top - 1, right - left + 1, bottom - top + 1)
                if not np.isfinite(box).all():
                    notes.add("objects without a box", str(path))
                    continue
                shapes.append(Shape(thing.findtext("name") or "", box=box))
        except (*ODD, ElementTree.ParseError) as error:
            raise DatasetError(f"{path} is not a Pascal VOC file that can be read ({error})") from None
        found.append(AnnotatedImage(name, tuple(shapes), (width, height) if width and height else None, str(path)))
    return Annotations(found)
