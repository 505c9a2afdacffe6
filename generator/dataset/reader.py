"""Reading a dataset folder, and checking what is in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from generator.dataset.frame import CATEGORIES, KEYPOINTS, TRUTHS, DatasetError, size_text
from generator.dataset.masks import decode_mask, encode_mask
from generator.dataset.pictures import read_mask, read_picture
from generator.dataset.truths import check_keypoints_3d, check_truth, read_truth


class Dataset:
    """A COCO dataset folder, opened for reading: ours, or any with ``images/`` and ``annotations.json``.

    Nothing but ``annotations.json`` is read at construction; pictures and masks are decoded when asked for.

    :param category: of :data:`CATEGORIES`; annotations of the others are left out.
    :raises DatasetError: if the folder or ``annotations.json`` is missing or damaged, if it holds no picture or no
        annotation but of other categories, if an id stands twice, an annotation belongs to no picture, or a file name
        leaves the folder.
    """

    def __init__(self, folder: str | Path, category: str | None = None) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "annotations.json"
        if not self.folder.is_dir():
            raise DatasetError(f"{self.folder} is no folder; give a dataset made by hand-generator or an importer")
        try:
            self._bytes = self.path.read_bytes()
            content = json.loads(self._bytes)
            self.images: list[dict[str, Any]] = content["images"]
            annotations: list[dict[str, Any]] = content["annotations"]
            self.categories: dict[int, str] = {c["id"]: c["name"] for c in content.get("categories", [])} or CATEGORIES
            by_image: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in self.images}
            for image in self.images:
                self._check_image(image)
            if len(by_image) != len(self.images):
                raise DatasetError(f"{self.path}: an image id stands twice")
            for annotation in annotations:
                number = annotation["id"]
                if annotation["image_id"] not in by_image:
                    raise DatasetError(
                        f"{self.path}: annotation {number} belongs to image {annotation['image_id']}, "
                        "which is not listed"
                    )
                name = self.category(annotation)
                # What is neither is no hand, and left for those who use it to refuse.
                if category is None or name == category or name not in CATEGORIES.values():
                    by_image[annotation["image_id"]].append(annotation)
        except FileNotFoundError:
            raise DatasetError(
                f"{self.folder} holds no annotations.json; it is no dataset, or its rendering was not finished "
                "(run the same hand-generator render command again to finish it)"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DatasetError(f"{self.path} is no valid JSON ({error})") from None
        except (KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f"{self.path} is not in COCO's form ({error!r} is missing or wrong)") from None
        if not self.images:
            raise DatasetError(f"{self.path} lists no pictures; the dataset is empty")
        if annotations and not any(by_image.values()):
            raise DatasetError(
                f"{self.path} has no mask of the category {category}; make one with --mask {category}, or ask for "
                f"{' or '.join(name for name in CATEGORIES.values() if name != category)}"
            )
        self._by_image = by_image

    def _check_image(self, image: dict[str, Any]) -> None:
        name = image["file_name"]
        if not isinstance(name, str) or Path(name).is_absolute() or ".." in Path(name).parts:
            raise DatasetError(f"{self.path}: the file name {name!r} leaves the dataset's folder")
        for key in ("width", "height"):
            if not isinstance(image[key], int) or image[key] < 1:
                raise DatasetError(f"{self.path}: image {image['id']} has the {key} {image[key]!r}")

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.images)

    @cached_property
    def id(self) -> str:
        """Twelve hex digits that tell this truth from any other."""
        return hashlib.sha256(self._bytes).hexdigest()[:12]

    @cached_property
    def info(self) -> dict[str, Any]:
        """What ``dataset.json`` says; empty where there is none."""
        path = self.folder / "dataset.json"
        try:
            found = json.loads(path.read_bytes()) if path.exists() else {}
        except ValueError as error:
            raise DatasetError(f"{path} is no valid JSON ({error})") from None
        if not isinstance(found, dict):
            raise DatasetError(f"{path} holds no object; remove it, or put the dataset's own back")
        return found

    @property
    def inherited(self) -> dict[str, Any]:
        """What of :attr:`info` is true of a dataset made of this one, too: all but what makes it a rendering run."""
        return {key: value for key, value in self.info.items() if key != "poses_sha256"}

    def category(self, annotation: dict[str, Any]) -> str | None:
        """The name that the dataset has for an annotation's category; None where it has none."""
        return self.categories.get(annotation["category_id"])

    def annotations(self, image: dict[str, Any]) -> list[dict[str, Any]]:
        """The annotations of one picture."""
        return self._by_image[image["id"]]

    def picture_path(self, image: dict[str, Any]) -> Path:
        """Where a picture's file is."""
        return self.folder / "images" / image["file_name"]

    def picture(self, image: dict[str, Any]) -> np.ndarray:
        """One picture, (H, W, 3) uint8 RGB.

        :raises DatasetError: as :func:`read_picture`, and if its size is not the one ``annotations.json`` states.
        """
        picture = read_picture(self.picture_path(image))
        if picture.shape[:2] != (image["height"], image["width"]):
            raise DatasetError(
                f"{self.picture_path(image)} is {size_text(picture)}, "
                f"annotations.json says {image['width']}x{image['height']}"
            )
        return picture

    def points(self, annotation: dict[str, Any], name: str, shape: tuple[int, int]) -> np.ndarray | None:
        """What an annotation says in numbers, ``keypoints`` or ``wrist``, in a shape; None where it says nothing.

        :raises DatasetError: naming the annotation, if it is something else.
        """
        if annotation.get(name) is None:
            return None
        try:
            found = np.array(annotation[name], float).reshape(shape)
        except (TypeError, ValueError):
            found = np.full(shape, np.nan)
        if not np.isfinite(found).all():
            raise DatasetError(
                f"{self.path}: annotation {annotation['id']}: {name} must be {shape[0]} times {shape[1]} numbers"
            )
        return found

    def masks(self, image: dict[str, Any]) -> list[np.ndarray]:
        """The masks of one picture's annotations, each (H, W) bool, in their order.

        :raises DatasetError: naming the file and the annotation, if a mask cannot be decoded, has another size than
            the picture, or has no pixel.
        """
        masks = []
        for annotation in self.annotations(image):
            where = f"{self.path}: annotation {annotation.get('id')} of {image['file_name']}"
            try:
                mask = decode_mask(annotation["segmentation"], image["height"], image["width"])
            except KeyError:
                raise DatasetError(f"{where}: there is no segmentation") from None
            except DatasetError as error:
                raise DatasetError(f"{where}: {error}") from error
            if not mask.any():
                raise DatasetError(f"{where}: the mask has no pixel")
            masks.append(mask)
        return masks

    def truths(self, image: dict[str, Any]) -> tuple[str, ...]:
        """Which of :data:`TRUTHS` a picture has beside its masks."""
        return tuple(name for name in TRUTHS if name in image.get("truths", ()))

    def truth(self, image: dict[str, Any], name: str) -> np.ndarray:
        """One of a picture's truths as :mod:`generator.dataset.truths` describes it, which also has the errors."""
        return read_truth(self.folder / name / f"{Path(image['file_name']).stem}.png", name)


def _is_matrix(value: Any) -> bool:
    try:
        matrix = np.array(value, float)
    except (TypeError, ValueError):
        return False
    return matrix.shape == (3, 3) and bool(np.isfinite(matrix).all()) and bool(np.linalg.matrix_rank(matrix) == 3)


def check_image(dataset: Dataset, image: dict[str, Any]) -> list[str]:
    """What is wrong with one picture and its truth: picture, annotations, and the mask file beside it."""
    problems = []
    try:
        dataset.picture(image)
        masks = dataset.masks(image)
        for annotation in dataset.annotations(image):
            dataset.points(annotation, "keypoints", (len(KEYPOINTS), 3))
            dataset.points(annotation, "wrist", (2, 2))
    except DatasetError as error:
        return [str(error)]
    if "camera" in image and not _is_matrix(image["camera"]):
        wanted = "3 times 3 numbers, a matrix with an inverse"
        problems.append(f"{image['file_name']}: camera is {image['camera']!r}, it must be {wanted}")
        image = {name: value for name, value in image.items() if name != "camera"}
    union = np.zeros((image["height"], image["width"]), bool)
    for annotation, mask in zip(dataset.annotations(image), masks, strict=True):
        where = f"{image['file_name']}: annotation {annotation['id']}"
        union |= mask
        if dataset.category(annotation) not in CATEGORIES.values():
            known = " nor ".join(CATEGORIES.values())
            problems.append(f"{where}: category {annotation['category_id']!r} is neither {known}")
        if annotation.get("area") != int(mask.sum()):
            problems.append(f"{where}: area says {annotation.get('area')}, the mask has {int(mask.sum())} pixels")
        box = [float(v) for v in rle.toBbox(encode_mask(mask))]
        if annotation.get("bbox") != box:
            problems.append(f"{where}: bbox says {annotation.get('bbox')}, the mask's is {box}")
        if "keypoints_3d" in annotation:
            problems += [f"{where}: {problem}" for problem in check_keypoints_3d(annotation, image)]
    for name in dataset.truths(image):
        problems += check_truth(dataset.folder / name / f"{Path(image['file_name']).stem}.png", name, union, image)
    path = dataset.folder / "masks" / f"{Path(image['file_name']).stem}.png"
    if path.parent.is_dir():
        try:
            beside = read_mask(path)
        except DatasetError as error:
            return [*problems, str(error)]
        if beside.shape != union.shape:
            problems.append(f"{path} is {size_text(beside)}, its picture {image['width']}x{image['height']}")
        elif (beside != union).any():
            problems.append(f"{path} differs from annotations.json in {int((beside != union).sum())} pixels")
    return problems
