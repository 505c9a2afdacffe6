"""YOLO's label files: boxes, polygons and keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from handforge.dataset.image_io import image_header, upright
from handforge.dataset.importers.annotated import (
    ODD,
    AnnotatedImage,
    Annotations,
    Joints,
    Notes,
    Shape,
    in_words,
    keypoints,
    polygon,
)
from handforge.dataset.importers.matching_files import match_files
from handforge.dataset.records import DatasetError

NAMES = ("classes.txt", "obj.names", "_darknet.labels", "data.yaml", "dataset.yaml")
"""Files that name the classes: YOLO's, Darknet's and CVAT's, Roboflow's."""

BEYOND = 1.01
"""Fractions are at most this: rounding may leave 1, and pixels or visibilities are more."""


@dataclass(frozen=True)
class Names:
    """What ``data.yaml``, or a list of names, says.

    :param classes: the classes' names by number.
    :param points: how many keypoints an object has, 0 where it has none, and how many numbers each, 2 or 3.
    :param point_names: the keypoints' names by class, where they are given.
    """

    classes: dict[int, str] = field(default_factory=dict)
    points: tuple[int, int] = (0, 0)
    point_names: dict[int, tuple[str, ...]] = field(default_factory=dict)


def read_yolo(files: list[Path], images: list[Path], root: Path, source: Path, notes: Notes) -> Annotations:
    """Read YOLO's label files: ``class cx cy w h`` is a box, ``class x y x y x y ...`` a polygon, in fractions.

    A box may be followed by its confidence; where ``data.yaml`` has ``kpt_shape``, by keypoints ``x y`` or ``x y v`` in
    fractions, and then by its confidence. Class names are those of :data:`NAMES` in the source or above it; without
    them, the numbers.

    :param images: below ``root``, each the one of the label file with the most of its path; the fractions are of their
        upright sizes.
    :raises DatasetError: naming file and line.
    """
    names = _names(source)
    listed = {path: path.relative_to(source).with_suffix("").as_posix() for path in files if path != source}
    matched = match_files(listed.values(), images, root) if listed else match_files([source.stem], images, root)
    found = []
    for path in files:
        image = matched.get(listed.get(path, source.stem))
        if image is None:
            found.append(AnnotatedImage(listed.get(path, path.stem), (), None, str(path)))
            continue
        with image_header(image) as opened:
            width, height = upright(opened).size
        shapes = []
        for number, line in enumerate(path.read_text("utf-8-sig", errors="replace").splitlines(), start=1):
            where = f"{path}: line {number}"
            try:
                shape = _line(line.split(), names, (width, height), where, notes)
            except ODD as error:
                raise DatasetError(f"{where} is not a YOLO label ({in_words(error)})") from None
            if shape is not None:
                shapes.append(shape)
        name = image.relative_to(root).as_posix()
        found.append(AnnotatedImage(name, tuple(shapes), (width, height), str(path)))
    numbered = tuple(f"point_{number}" for number in range(1, names.points[0] + 1))
    joints: Joints = {
        name: (names.point_names.get(kind, numbered), ()) for kind, name in names.classes.items() if numbered
    }
    return Annotations(found, joints, tuple(names.classes.values()))


def _line(words: list[str], names: Names, size: tuple[int, int], where: str, notes: Notes) -> Shape | None:
    if not words:
        return None
    values = np.array([float(word) for word in words[1:]])
    if not float(words[0]).is_integer():
        raise ValueError(f"the class {words[0]} is not a whole number")
    kind = int(float(words[0]))
    label = names.classes.get(kind, str(kind))
    if not np.isfinite(values).all() or len(values) < 4:
        raise ValueError(f"{len(values)} numbers after the class")
    count, each = names.points
    joints = None
    if count and len(values) in (4 + count * each, 5 + count * each):
        joints = _joints(values[4 : 4 + count * each].reshape(count, each), size)
    numbers = values[:4] if joints is not None or len(values) == 5 else values
    if (np.abs(numbers) > BEYOND).any():
        raise ValueError(
            f"{numbers[np.abs(numbers) > BEYOND][0]:g} is not a fraction of the image; pixels are not read, nor are "
            "keypoints without kpt_shape in data.yaml"
        )
    if len(numbers) == 4:
        (cx, cy, width, height), (w, h) = numbers.tolist(), size
        box = ((cx - width / 2) * w, (cy - height / 2) * h, width * w, height * h)
        return Shape(label, box=box, keypoints=joints)
    if len(numbers) % 2:
        raise ValueError(
            f"{len(numbers)} numbers after the class are neither a box nor pairs of x and y; write labels without "
            "confidences, and kpt_shape into data.yaml where there are keypoints"
        )
    part = polygon((numbers.reshape(-1, 2) * size).ravel(), where, notes)
    return Shape(label, (part,)) if part else None


def _joints(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(K, 3) x, y in pixels and visibility, of YOLO's (K, 2 or 3) in fractions; one at 0, 0 is not labelled."""
    if (np.abs(points[:, :2]) > 2).any():
        raise ValueError(f"{np.abs(points[:, :2]).max():g} is not a fraction; keypoints in pixels are not read")
    seen = points[:, 2] if points.shape[1] == 3 else 2.0
    seen = np.where(points[:, :2].any(axis=1), seen, 0.0)
    return keypoints(np.column_stack([points[:, :2] * size, seen]))


def _names(source: Path) -> Names:
    """The names of the classes and of keypoints, from the first of :data:`NAMES` in the source or above it."""
    folder = source if source.is_dir() else source.parent
    listed = (path / name for path in (folder, *folder.resolve().parents[:2]) for name in NAMES)
    path = next((path for path in listed if path.is_file()), None)
    if path is None:
        return Names()
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    if path.suffix == ".yaml":
        return _yaml_names(text, path)
    return Names({number: line.strip() for number, line in enumerate(text.splitlines()) if line.strip()})


def _yaml_names(text: str, path: Path) -> Names:
    """The class names of a ``data.yaml``, a list or a table by number, its ``kpt_shape`` and ``kpt_names``."""
    import yaml

    try:
        content: dict[str, Any] = yaml.safe_load(text)
        names = content["names"]
        classes = {
            int(number): str(name) for number, name in (enumerate(names) if isinstance(names, list) else names.items())
        }
        count, each = map(int, content.get("kpt_shape") or (0, 0))
        point_names = {int(kind): tuple(map(str, listed)) for kind, listed in (content.get("kpt_names") or {}).items()}
    except (*ODD, yaml.YAMLError) as error:
        reason = " ".join(in_words(error).split())
        raise DatasetError(f"{path} has names that cannot be read ({reason}); write names: [hand]") from None
    if count < 0 or (count and each not in (2, 3)):
        raise DatasetError(f"{path}: kpt_shape is [{count}, {each}]; it is the number of keypoints, and 2 or 3")
    if odd := [listed for listed in point_names.values() if len(listed) != count]:
        raise DatasetError(f"{path}: kpt_names has {len(odd[0])} names, kpt_shape {count} keypoints")
    return Names(classes, (count, each), point_names)
