"""Ground-truth maps, each a folder of PNG files: what is stored, and how it is read back.

========  ===========================================  ==================================================
folder    stored                                       read as
========  ===========================================  ==================================================
depth     16 bits, 5000 a metre (as TUM RGB-D has it)  (H, W) float32, metres along the camera's axis
normals   3 x 8 bits, 127.5 (1 + n) rounded            (H, W, 3) float32, unit vectors, camera axes
parts     8 bits, 1 + the index into ``PARTS``         (H, W) uint8
========  ===========================================  ==================================================

Camera axes: x right, y down, z away from the camera. All are 0 where no mask is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from handforge.dataset.coco_types import AnnotationRecord, ImageRecord
from handforge.dataset.image_io import encode_png, open_image
from handforge.dataset.records import GROUND_TRUTH_MAPS, KEYPOINTS, PARTS, DatasetError, size_text

PER_METRE = 5000


def encode_map(name: str, values: np.ndarray) -> bytes:
    """The PNG file of one map; ``values`` as the module's table has them when read.

    :raises DatasetError: if something is too far away for 16 bits.
    """
    if name == "depth":
        if (most := values.max(initial=0) * PER_METRE) > 65535:
            raise DatasetError(f"a depth of {most / PER_METRE:.1f} m does not fit 16 bits; lower focal_mm or distance")
        return encode_png(np.round(values * PER_METRE).astype(np.uint16))
    if name == "normals":
        given = values.any(axis=-1, keepdims=True)
        return encode_png(np.where(given, np.round(127.5 * (1 + values)), 0).astype(np.uint8))
    return encode_png(values)


def read_map(path: Path, name: str) -> np.ndarray:
    """Read one map, as the module's table has it.

    :param name: one of :data:`GROUND_TRUTH_MAPS`.
    :raises DatasetError: if there is no such map, or the file is missing, damaged, or of another kind.
    """
    if name not in GROUND_TRUTH_MAPS:
        raise DatasetError(f"there is no ground-truth map {name!r}; there are {', '.join(GROUND_TRUTH_MAPS)}")
    values = np.array(open_image(path))  # a copy, as in read_image
    kind = {"depth": (2, np.uint16), "normals": (3, np.uint8), "parts": (2, np.uint8)}[name]
    if (values.ndim, values.dtype) != (kind[0], np.dtype(kind[1])):
        raise DatasetError(f"{path} does not hold {name}: it has {values.ndim} axes of {values.dtype}")
    if name == "depth":
        return values.astype(np.float32) / PER_METRE
    if name == "normals":
        return np.where(values.any(axis=-1, keepdims=True), values / np.float32(127.5) - 1, 0).astype(np.float32)
    return values


def check_map(path: Path, name: str, covered: np.ndarray, image: ImageRecord) -> list[str]:
    """What is wrong with one map of an image whose masks cover the pixels ``covered``, (H, W) bool."""
    try:
        values = read_map(path, name)
    except DatasetError as error:
        return [str(error)]
    if values.shape[:2] != covered.shape:
        return [f"{path} is {size_text(values)}, its image {size_text(covered)}"]
    given = values.any(axis=-1) if values.ndim == 3 else values > 0
    problems = []
    if (given != covered).any():
        problems.append(f"{path} and the masks differ in {int((given != covered).sum())} pixels")
    if name == "parts" and values.max(initial=0) > len(PARTS):
        problems.append(f"{path} has a part {values.max()}; there are {len(PARTS)}")
    if name == "normals":
        problems += _check_normals(path, values, given, image)
    return problems


def _check_normals(path: Path, normals: np.ndarray, given: np.ndarray, image: ImageRecord) -> list[str]:
    """Whether normals have a length of 1 and look towards the camera, as far as 8 bits tell."""
    some = normals[given]
    problems = []
    lengths = np.linalg.norm(some, axis=1)
    if (np.abs(lengths - 1) > 0.02).any():
        problems.append(f"{path} has a normal of length {lengths[np.abs(lengths - 1).argmax()]:.2f}")
    if image.get("camera") is not None:
        rows, columns = np.nonzero(given)
        pixels = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=1)
        sight = pixels @ np.linalg.inv(np.array(image["camera"], float)).T
        sight /= np.linalg.norm(sight, axis=1, keepdims=True)
        if (away := int(((some * sight).sum(axis=1) > 0.02).sum())) > 0:
            problems.append(f"{path} has {away} normals that look away from the camera")
    return problems


def check_keypoints_3d(annotation: AnnotationRecord, image: ImageRecord) -> list[str]:
    """Whether the keypoints in space fall on those in the image, to 0.2 pixels."""
    try:
        flat = np.array(annotation["keypoints"], float).reshape(len(KEYPOINTS), 3)
        solid = np.array(annotation["keypoints_3d"], float).reshape(len(KEYPOINTS), 3)
        projected = solid @ np.array(image["camera"], float).T
    except (KeyError, TypeError, ValueError, OverflowError):
        return ["keypoints_3d need keypoints and their image's camera, and three numbers a joint"]
    shown = flat[:, 2] > 0
    with np.errstate(divide="ignore", invalid="ignore"):  # a joint in the camera's plane
        apart = np.abs(projected[shown, :2] / projected[shown, 2:] - flat[shown, :2])
    if not (apart <= 0.2).all():
        return [f"keypoints_3d fall {apart.max():.1f} pixels beside the keypoints"]
    return []
