"""YOLO's label files: boxes and polygons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import ImageOps

from handforge.dataset.image_io import image_header
from handforge.dataset.importers.annotated import ODD, AnnotatedImage, Annotations, Notes, Shape, polygon
from handforge.dataset.importers.matching_files import match_files
from handforge.dataset.records import DatasetError

NAMES = ("classes.txt", "obj.names", "_darknet.labels", "data.yaml", "dataset.yaml")
"""Files that name the classes: YOLO's, Darknet's and CVAT's, Roboflow's."""

BEYOND = 1.01
"""Fractions are at most this: rounding may leave 1, and pixels or visibilities are more."""


def read_yolo(files: list[Path], images: list[Path], root: Path, source: Path, notes: Notes) -> Annotations:
    """Read YOLO's label files: ``class cx cy w h`` is a box, ``class x y x y x y ...`` a polygon, in fractions.

    A box may be followed by its confidence, and by keypoints where ``data.yaml`` has their ``kpt_shape``. Class names
    are those of :data:`NAMES` in the source or above it; without them, the numbers.

    :param images: below ``root``, each the one of the label file with the most of its path; the fractions are of their
        upright sizes.
    :raises DatasetError: naming file and line.
    """
    names, keypoints = _names(source)
    listed = {path: path.relative_to(source).with_suffix("").as_posix() for path in files if path != source}
    matched = match_files(listed.values(), images, root) if listed else match_files([source.stem], images, root)
    found = []
    for path in files:
        image = matched.get(listed.get(path, source.stem))
        if image is None:
            found.append(AnnotatedImage(listed.get(path, path.stem), (), None, str(path)))
            continue
        with image_header(image) as opened:
            width, height = ImageOps.exif_transpose(opened).size
        shapes = []
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
            where = f"{path}: line {number}"
            try:
                shape = _line(line.split(), names, keypoints, (width, height), where, notes)
            except ODD as error:
                raise DatasetError(f"{where} is not a YOLO label ({error})") from None
            if shape is not None:
                shapes.append(shape)
        name = image.relative_to(root).as_posix()
        found.append(AnnotatedImage(name, tuple(shapes), (width, height), str(path)))
    return Annotations(found, declared=tuple(names.values()))


def _line(
    words: list[str],
    names: dict[int, str],
    keypoints: tuple[int, int] | None,
    size: tuple[int, int],
    where: str,
    notes: Notes,
) -> Shape | None:
    if not words:
        return None
    values = np.array([float(word) for word in words[1:]])
    if not float(words[0]).is_integer():
        raise ValueError(f"the class {words[0]} is not a whole number")
    kind = int(float(words[0]))
    label = names.get(kind, str(kind))
    if not np.isfinite(values).all() or len(values) < 4:
        raise ValueError(f"{len(values)} numbers after the class")
    count, each = keypoints or (0, 0)
    posed = bool(count) and len(values) == 4 + count * each
    numbers = values[:4] if posed or len(values) == 5 else values
    if (np.abs(numbers) > BEYOND).any():
        raise ValueError(
            f"{numbers[np.abs(numbers) > BEYOND][0]:g} is not a fraction of the image; pixels are not read, nor are "
            "keypoints without kpt_shape in data.yaml"
        )
    if len(numbers) == 4:
        (cx, cy, width, height), (w, h) = numbers.tolist(), size
        box = ((cx - width / 2) * w, (cy - height / 2) * h, width * w, height * h)
        if posed:
            notes.add("sets of keypoints of YOLO", where)
        return Shape(label, box=box)
    if len(numbers) % 2:
        raise ValueError(
            f"{len(numbers)} numbers after the class are neither a box nor pairs of x and y; write labels without "
            "confidences, and kpt_shape into data.yaml where there are keypoints"
        )
    part = polygon((numbers.reshape(-1, 2) * size).ravel(), where, notes)
    return Shape(label, (part,)) if part else None


def _names(source: Path) -> tuple[dict[int, str], tuple[int, int] | None]:
    """The names of the classes, and the number of keypoints and of the numbers of each."""
    folder = source if source.is_dir() else source.parent
    listed = (path / name for path in (folder, *folder.resolve().parents[:2]) for name in NAMES)
    path = next((path for path in listed if path.is_file()), None)
    if path is None:
        return {}, None
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    if path.suffix == ".yaml":
        return _yaml_names(text, path)
    return {number: line.strip() for number, line in enumerate(text.splitlines()) if line.strip()}, None


def _yaml_names(text: str, path: Path) -> tuple[dict[int, str], tuple[int, int] | None]:
    """The class names of a ``data.yaml``, a list or a table by number, and its ``kpt_shape``."""
    import yaml

    try:
        content: dict[str, Any] = yaml.safe_load(text)
        names = content["names"]
        pairs = enumerate(names) if isinstance(names, list) else names.items()
        shape = content.get("kpt_shape")
        return {int(number): str(name) for number, name in pairs}, shape and (int(shape[0]), int(shape[1]))
    except (*ODD, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{path} has names that cannot be read ({reason}); write names: [hand]") from None
