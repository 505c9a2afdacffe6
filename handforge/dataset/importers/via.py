"""Projects and JSON exports of the VGG Image Annotator (VIA) 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from handforge.dataset.importers.annotated import ODD, AnnotatedImage, Annotations, Notes, Shape, ellipse, polygon
from handforge.dataset.records import DatasetError


def read_via(content: dict[str, Any], source: Path, notes: Notes) -> Annotations:
    """Read a project or JSON export of the VGG Image Annotator 2: polygons, rectangles, circles, ellipses.

    A region's label is the value of its one attribute, or of ``label``, ``class``, ``name`` or ``type``; without any,
    ``object``.
    """
    found = []
    for entry in content.get("_via_img_metadata", content).values():
        where = f"{source}: {entry['filename']}"
        shapes = []
        regions = entry["regions"]
        for region in regions.values() if isinstance(regions, dict) else regions:
            try:
                shape = _region(region, where, notes)
            except ODD as error:
                raise DatasetError(f"{where}: a region cannot be read ({error})") from None
            if shape is not None:
                shapes.append(shape)
        found.append(AnnotatedImage(str(entry["filename"]), tuple(shapes), None, where))
    return Annotations(found)


def _region(region: dict[str, Any], where: str, notes: Notes) -> Shape | None:
    given, attributes = region["shape_attributes"], region.get("region_attributes") or {}
    named = [attributes[key] for key in ("label", "class", "name", "type") if attributes.get(key)]
    label = str(named[0] if named else next(iter(attributes.values())) if len(attributes) == 1 else "object")
    kind = given["name"]
    if kind in ("polygon", "polyline"):
        points = np.column_stack([given["all_points_x"], given["all_points_y"]])
        part = polygon(points, where, notes)
        return Shape(label, (part,)) if part else None
    if kind == "rect":
        return Shape(label, box=tuple(float(given[key]) for key in ("x", "y", "width", "height")))  # type: ignore[arg-type]
    if kind in ("circle", "ellipse"):
        radii = (given["r"], given["r"]) if kind == "circle" else (given["rx"], given["ry"])
        return Shape(label, (ellipse(given["cx"], given["cy"], *radii, np.degrees(given.get("theta", 0))),))
    notes.add(f"shapes of the kind {kind}", where)
    return None
