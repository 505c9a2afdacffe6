"""Projects and JSON exports of the VGG Image Annotator (VIA) 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from handforge.dataset.importers.annotated import (
    ODD,
    UNNAMED,
    AnnotatedImage,
    Annotations,
    Notes,
    Shape,
    ellipse,
    in_words,
    polygon,
)
from handforge.dataset.records import DatasetError


def read_via(content: dict[str, Any], source: Path, notes: Notes) -> Annotations:
    """Read a project or JSON export of the VGG Image Annotator 2: polygons, rectangles, circles, ellipses.

    A region's label is the value of its one attribute, or of ``label``, ``class``, ``name`` or ``type``; without any,
    :data:`~handforge.dataset.importers.annotated.UNNAMED`. Of a checkbox it is the box that is checked.

    :raises DatasetError: naming file, image and region; and for a project of VIA 3.
    """
    if "view" in content and "file" in content:
        raise DatasetError(f"{source} is of VIA 3; export its annotations as COCO there")
    entries = content.get("_via_img_metadata", content)
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise DatasetError(f"{source} is none of COCO, LabelMe or VIA 2: nothing in it lists images")
    found = []
    for name, entry in entries.items():
        if missing := [key for key in ("filename", "regions") if key not in entry]:
            raise DatasetError(f"{source}: the entry {name!r} has no {missing[0]}; VIA 2 writes it for each image")
        where = f"{source}: {entry['filename']}"
        shapes = []
        regions = entry["regions"]
        if not isinstance(regions, list | dict):
            raise DatasetError(f"{where}: its regions are {regions!r:.80}, not a list")
        for number, region in enumerate(regions.values() if isinstance(regions, dict) else regions, start=1):
            try:
                shape = _region(region, where, notes)
            except ODD as error:
                raise DatasetError(f"{where}: region {number} cannot be read ({in_words(error)})") from None
            if shape is not None:
                shapes.append(shape)
        found.append(AnnotatedImage(str(entry["filename"]), tuple(shapes), None, where))
    return Annotations(found)


def _region(region: dict[str, Any], where: str, notes: Notes) -> Shape | None:
    given, label = region["shape_attributes"], _label(region.get("region_attributes") or {})
    kind = given["name"]
    if kind == "polygon":
        x, y = given["all_points_x"], given["all_points_y"]
        if len(x) != len(y):
            raise ValueError(f"a polygon of {len(x)} x and {len(y)} y")
        part = polygon(np.column_stack([x, y]), where, notes)
        return Shape(label, (part,)) if part else None
    if kind == "rect":
        return Shape(label, box=tuple(float(given[key]) for key in ("x", "y", "width", "height")))  # type: ignore[arg-type]
    if kind in ("circle", "ellipse"):
        radii = (given["r"], given["r"]) if kind == "circle" else (given["rx"], given["ry"])
        return Shape(label, (ellipse(given["cx"], given["cy"], *radii, np.degrees(given.get("theta", 0))),))
    notes.add(f"shapes of the kind {kind}", where)
    return None


def _label(attributes: dict[str, Any]) -> str:
    named = {key.casefold(): value for key, value in attributes.items() if value}
    chosen = next((named[key] for key in ("label", "class", "name", "type") if key in named), None)
    if chosen is None and len(named) > 1:
        raise ValueError(f"which of {', '.join(sorted(named))} is its label, nothing tells; call that attribute label")
    label = next(iter(named.values()), UNNAMED) if chosen is None else chosen
    if isinstance(label, dict):
        label = next((key for key, checked in label.items() if checked), UNNAMED)
    return str(label)
