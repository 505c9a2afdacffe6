"""YOLO's label files: boxes and polygons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import ImageOps

from handforge.dataset.image_io import image_header
from handforge.dataset.importers.annotated import ODD, AnnotatedImage, Annotations, Notes, Shape, polygon
from handforge.dataset.records import DatasetError


def read_yolo(files: list[Path], images: dict[str, Path], source: Path, notes: Notes) -> Annotations:
    """Read YOLO's label files: ``class cx cy w h`` is a box, ``class x y x y x y ...`` a polygon, in fractions.

    Class names are those of ``data.yaml`` or ``classes.txt`` in the source or above it; without them, the numbers.

    :param images: by stem; the fractions are of their upright sizes.
    """
    names = _names(source)
    found = []
    for path in files:
        image = images.get(path.stem)
        if image is None:
            found.append(AnnotatedImage(path.stem, (), None, str(path)))
            continue
        with image_header(image) as opened:
            width, height = ImageOps.exif_transpose(opened).size
        shapes = []
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
            where = f"{path}: line {number}"
            try:
                shape = _line(line.split(), names, (width, height), where, notes)
            except ODD as error:
                raise DatasetError(f"{where} is not a YOLO label ({error})") from None
            if shape is not None:
                shapes.append(shape)
        found.append(AnnotatedImage(image.name, tuple(shapes), (width, height), str(path)))
    return Annotations(found)


def _line(words: list[str], names: dict[int, str], size: tuple[int, int], where: str, notes: Notes) -> Shape | None:
    if not words:
        return None
    values = np.array([float(word) for word in words[1:]])
    label = names.get(int(words[0]), words[0])
    if not np.isfinite(values).all() or len(values) < 4:
        raise ValueError(f"{len(values)} numbers after the class")
    if len(values) == 4:
        (cx, cy, width, height), (w, h) = values.tolist(), size
        return Shape(label, box=((cx - width / 2) * w, (cy - height / 2) * h, width * w, height * h))
    part = polygon((values.reshape(-1, 2) * size).ravel(), where, notes)
    return Shape(label, (part,)) if part else None


def _names(source: Path) -> dict[int, str]:
    for folder in (source, *source.resolve().parents[:2]):
        listed = folder / "classes.txt"
        if listed.is_file():
            lines = listed.read_text("utf-8").splitlines()
            return {number: line.strip() for number, line in enumerate(lines) if line.strip()}
        if (listed := folder / "data.yaml").is_file():
            return _yaml_names(listed)
    return {}


def _yaml_names(path: Path) -> dict[int, str]:
    """The class names of a ``data.yaml``: a list, or a table by number."""
    import yaml

    try:
        names = yaml.safe_load(path.read_text("utf-8"))["names"]
        pairs = enumerate(names) if isinstance(names, list) else names.items()
        return {int(number): str(name) for number, name in pairs}
    except (*ODD, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise DatasetError(f"{path} has names that cannot be read ({reason}); write names: [hand]") from None
