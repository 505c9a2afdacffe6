"""Pascal VOC's XML files: boxes, and the polygons that Roboflow and supervision add."""

from __future__ import annotations

from itertools import count, takewhile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from handforge.dataset.importers.annotated import ODD, AnnotatedImage, Annotations, Notes, Shape, in_words, polygon
from handforge.dataset.records import DatasetError


def read_voc(files: list[Path], notes: Notes) -> Annotations:
    """Read Pascal VOC's XML files, one an image: boxes, or polygons beside them, in pixels that count from 1."""
    found = []
    for path in files:
        try:
            root = ElementTree.parse(path).getroot()
            if root.tag != "annotation":
                raise ValueError(f"it begins with <{root.tag}>, not <annotation>; move it away")
            name = (root.findtext("filename") or "").strip() or path.stem
            width, height = int(root.findtext("size/width") or 0), int(root.findtext("size/height") or 0)
        except (*ODD, ElementTree.ParseError) as error:
            raise DatasetError(f"{path} is not a Pascal VOC file that can be read ({in_words(error)})") from None
        shapes: list[Shape] = []
        for number, element in enumerate((*root.iter("object"), *root.iter("part")), start=1):  # a person's part, too
            where = f"{path}: object {number}"
            try:
                shape = _shape(element, where, notes)
            except ODD as error:
                raise DatasetError(f"{where} cannot be read ({in_words(error)})") from None
            shapes += [shape] if shape else []
        found.append(AnnotatedImage(name, tuple(shapes), (width, height) if width and height else None, str(path)))
    return Annotations(found)


def _shape(element: ElementTree.Element, where: str, notes: Notes) -> Shape | None:
    label = element.findtext("name") or ""
    if outline := _outline(element):
        part = polygon(outline, where, notes)
        return Shape(label, (part,)) if part else None
    left, top, right, bottom = (
        float(element.findtext(f"bndbox/{key}") or "nan") for key in ("xmin", "ymin", "xmax", "ymax")
    )
    box = (left - 1, top - 1, right - left + 1, bottom - top + 1)
    if np.isfinite(box).all():
        return Shape(label, box=box)
    notes.add("objects without a box", where)
    return None


def _outline(element: ElementTree.Element) -> list[float]:
    """The flat coordinates of ``<polygon><x1/><y1/><x2/>...``, from 0; empty where there is none."""
    pairs = ((element.findtext(f"polygon/x{n}"), element.findtext(f"polygon/y{n}")) for n in count(1))
    return [float(value or "nan") - 1 for pair in takewhile(any, pairs) for value in pair]
