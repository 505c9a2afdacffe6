"""Pascal VOC's XML files: boxes, and the polygons that Roboflow and supervision add."""

from __future__ import annotations

from itertools import count, takewhile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from handforge.dataset.importers.annotated import ODD, AnnotatedImage, Annotations, Notes, Shape, polygon
from handforge.dataset.records import DatasetError


def read_voc(files: list[Path], notes: Notes) -> Annotations:
    """Read Pascal VOC's XML files, one an image: boxes, or polygons beside them, in pixels that count from 1."""
    found = []
    for path in files:
        try:
            root = ElementTree.parse(path).getroot()
            name = root.findtext("filename") or path.stem
            width, height = int(root.findtext("size/width") or 0), int(root.findtext("size/height") or 0)
            shapes = []
            for thing in (*root.iter("object"), *root.iter("part")):  # a hand may be a part of a person
                label = thing.findtext("name") or ""
                if outline := _outline(thing):
                    part = polygon(outline, str(path), notes)
                    shapes += [Shape(label, (part,))] if part else []
                    continue
                left, top, right, bottom = (
                    float(thing.findtext(f"bndbox/{key}") or "nan") for key in ("xmin", "ymin", "xmax", "ymax")
                )
                box = (left - 1, top - 1, right - left + 1, bottom - top + 1)
                if not np.isfinite(box).all():
                    notes.add("objects without a box", str(path))
                    continue
                shapes.append(Shape(label, box=box))
        except (*ODD, ElementTree.ParseError) as error:
            raise DatasetError(f"{path} is not a Pascal VOC file that can be read ({error})") from None
        found.append(AnnotatedImage(name, tuple(shapes), (width, height) if width and height else None, str(path)))
    return Annotations(found)


def _outline(thing: ElementTree.Element) -> list[float]:
    """The flat coordinates of ``<polygon><x1/><y1/><x2/>...``, from 0; empty where there is none."""
    pairs = ((thing.findtext(f"polygon/x{n}"), thing.findtext(f"polygon/y{n}")) for n in count(1))
    return [float(value or "nan") - 1 for pair in takewhile(any, pairs) for value in pair]
