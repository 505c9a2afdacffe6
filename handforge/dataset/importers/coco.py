"""COCO annotations as tools write them, among them CVAT, Label Studio, Roboflow and VIA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handforge.dataset.importers.annotated import (
    ODD,
    UNNAMED,
    AnnotatedImage,
    Annotations,
    Notes,
    Shape,
    Size,
    in_words,
    keypoints,
    polygon,
)
from handforge.dataset.records import DatasetError


def read_coco(content: dict[str, Any], source: Path, notes: Notes) -> Annotations:
    """Read a COCO object.

    Ids may be numbers or texts. Annotations of an image or category that is not listed are left out, and so are
    polygon parts without area. A file without ``categories`` has one label, :data:`UNNAMED`, if its annotations have
    one category.

    :raises DatasetError: naming file and entry, if an image id stands twice or an entry is not COCO's.
    """
    images = _by_id(_entries(content, "images", source), "image", "file_name", source)
    annotations = _entries(content, "annotations", source)
    categories = _categories(_entries(content, "categories", source), annotations, source)
    shapes: dict[str, list[Shape]] = {key: [] for key in images}
    for number, annotation in enumerate(annotations, start=1):
        if not isinstance(annotation, dict):
            raise DatasetError(f"{source}: annotation number {number} is {annotation!r}, not an object")
        where = f"{source}: annotation {annotation.get('id', f'number {number}')}"
        key, category = _key(annotation.get("image_id")), _key(annotation.get("category_id"))
        if key not in images:
            notes.add("annotations of an image that is not listed", where)
        elif category not in categories:
            notes.add("annotations of a category that is not listed", where)
        else:
            try:
                shape = _shape(categories[category]["name"], annotation, where, notes)
            except ODD as error:
                raise DatasetError(
                    f"{where} of {images[key]['file_name']} cannot be read ({in_words(error)})"
                ) from None
            if shape is not None:
                shapes[key].append(shape)
    joints = {c["name"]: _joints(c, source) for c in categories.values() if c.get("keypoints")}
    listed = []
    for key, record in images.items():
        where = f"{source}: image {key}"
        listed.append(AnnotatedImage(str(record["file_name"]), tuple(shapes[key]), _size(record, where), where))
    return Annotations(listed, joints, tuple(category["name"] for category in categories.values()))


def _key(identity: Any) -> str:
    """An id as a text; tools that keep tables write 7 as 7.0."""
    return str(int(identity) if isinstance(identity, float) and identity.is_integer() else identity)


def _entries(content: dict[str, Any], part: str, source: Path) -> list[Any]:
    """One of COCO's lists; of annotations and categories none is an empty one.

    :raises DatasetError: if it is no list.
    """
    found = content.get(part)
    if found is None and part != "images":
        return []
    if not isinstance(found, list):
        what = "is missing" if found is None else f"is {found!r:.80}"
        raise DatasetError(f"{source}: {part} {what}; COCO has a list there")
    return found


def _by_id(records: list[Any], kind: str, named: str, source: Path) -> dict[str, dict[str, Any]]:
    """Records by their id.

    :raises DatasetError: naming the record, if one has no id or name, or an id stands twice.
    """
    found: dict[str, dict[str, Any]] = {}
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict) or record.get("id") is None or record.get(named) is None:
            raise DatasetError(f"{source}: {kind} number {number} has no id or no {named}; COCO needs both")
        if (key := _key(record["id"])) in found:
            raise DatasetError(
                f"{source}: the {kind} id {record['id']!r} stands twice, for {found[key][named]} and for "
                f"{record[named]}; give each {kind} an id of its own"
            )
        found[key] = record
    return found


def _categories(listed: list[Any], annotations: list[Any], source: Path) -> dict[str, dict[str, Any]]:
    if listed:
        found = _by_id(listed, "category", "name", source)
        return {key: {**category, "name": str(category["name"])} for key, category in found.items()}
    used = sorted({_key(a.get("category_id")) for a in annotations if isinstance(a, dict)})
    if len(used) > 1:
        raise DatasetError(f"{source} lists no categories, but its annotations have {', '.join(used)}; name them")
    return {key: {"name": UNNAMED} for key in used}


def _joints(category: dict[str, Any], source: Path) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    try:
        skeleton = tuple((int(a), int(b)) for a, b in category.get("skeleton") or ())
        return tuple(map(str, category["keypoints"])), skeleton
    except ODD:
        raise DatasetError(
            f"{source}: the category {category['name']!r} has keypoints or a skeleton that are not COCO's: lists of "
            "names, and of pairs of whole numbers"
        ) from None


def _size(record: dict[str, Any], where: str) -> Size:
    width, height = record.get("width"), record.get("height")
    try:
        return (int(width), int(height)) if width and height else None
    except ODD:
        raise DatasetError(f"{where} has the size {width!r} x {height!r}; these must be pixels") from None


def _crowd(value: Any) -> bool:
    """``iscrowd``, which tools that keep tables write as 0.0 or as a text.

    :raises ValueError: if it is neither 0 nor 1.
    """
    known = {"none": False, "": False, "0": False, "false": False, "1": True, "true": True}
    if (text := _key(value).strip().lower()) not in known:
        raise ValueError(f"its iscrowd is {value!r:.80}; it must be 0 or 1")
    return known[text]


def _shape(label: str, annotation: dict[str, Any], where: str, notes: Notes) -> Shape | None:
    """One annotation; None where nothing of it is left."""
    crowd, code = _crowd(annotation.get("iscrowd")), annotation.get("segmentation")
    if not isinstance(code, dict | list | None):
        raise ValueError(f"its segmentation is {code!r:.80}, neither polygons nor RLE")
    joints = keypoints(annotation["keypoints"]) if annotation.get("keypoints") else None
    if isinstance(code, dict):
        return Shape(label, (code,), crowd=crowd, keypoints=joints)
    if code and isinstance(code, list):
        flat = code if isinstance(code[0], list) else [code]  # VIA writes one polygon without its list
        parts = [part for part in (polygon(values, where, notes) for values in flat) if part]
        return Shape(label, tuple(parts), crowd=crowd, keypoints=joints) if parts else None
    if annotation.get("bbox"):
        x, y, width, height = map(float, annotation["bbox"])
        return Shape(label, box=(x, y, width, height), crowd=crowd, keypoints=joints)
    notes.add("annotations without segmentation and box", where)
    return None
