"""Read a dataset folder, and check what is in it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from handforge.dataset.coco_types import AnnotationRecord, ImageRecord
from handforge.dataset.ground_truth_maps import read_map
from handforge.dataset.image_io import MAX_PIXELS, read_image
from handforge.dataset.records import (
    CATEGORIES,
    GROUND_TRUTH_MAPS,
    HAND_CATEGORIES,
    Category,
    DatasetError,
    size_text,
)
from handforge.dataset.rle import decode_mask
from handforge.parse import parse_json

_ENTRIES = {
    "images": ("id", "file_name", "width", "height"),
    "annotations": ("id", "image_id", "category_id"),
    "categories": ("id", "name"),
}
"""What ``annotations.json`` lists, and what each entry must have."""

MAX_MASK_BYTES = 4_000_000_000
"""Memory that the masks of one image may take together."""


class Dataset:
    """A COCO dataset folder, opened for reading: ours, or any with ``images/`` and ``annotations.json``.

    Nothing but ``annotations.json`` is read at construction; images and masks are decoded when asked for.

    :param folder: of this layout, whoever wrote it.
    :param category: of :data:`CATEGORIES`; annotations of the others are left out, and so are images whose hands are
        all annotated in another one: they do not say where this one is, nor that there is no hand.
    :ivar images: the records of ``annotations.json``'s images, in its order.
    :ivar category_list: its categories; those of hands where it lists none. ``categories``: their names by id.
    :ivar left_out: the number of images that were left out.
    :raises DatasetError: if the folder or ``annotations.json`` is missing or damaged, if it holds no image or no
        annotation but of other categories, if an id or a file name stands twice, an annotation belongs to no image,
        a file name leaves the folder, or an image's record holds what no file of ours can.
    """

    def __init__(self, folder: str | Path, category: str | None = None) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "annotations.json"
        _check_writable(str(self.folder), f"the folder {str(self.folder)!r}")
        require_dataset(self.folder)
        self._bytes = self.path.read_bytes()
        content = parse_json(self._bytes, self.path, DatasetError, constants=False)
        self._check_form(content)
        try:
            self.images: list[ImageRecord] = content["images"]
            annotations: list[AnnotationRecord] = content["annotations"]
            listed = content.get("categories") or []
            self.category_list: tuple[Category, ...] = tuple(map(self._category, listed)) or HAND_CATEGORIES
            self.categories = {category.id: category.name for category in self.category_list}
            if len(set(self.categories.values())) != len(self.category_list):
                raise DatasetError(f"{self.path}: two categories share an id or a name; each needs its own")
            self._check_images()
            self._by_image, elsewhere = self._grouped(annotations, category)
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DatasetError(f"{self.path} is not in COCO's form ({error!r} is missing or wrong)") from None
        if not self.images:
            raise DatasetError(f"{self.path} lists no images; the dataset is empty")
        every, self.images = self.images, [image for image in self.images if image["id"] not in elsewhere]
        self.left_out = len(every) - len(self.images)
        if annotations and not any(map(self.annotations, self.images)):
            raise DatasetError(
                f"{self.path} has no mask of the category {category}; make one with --mask {category}, or ask for "
                f"{' or '.join(name for name in CATEGORIES.values() if name != category)}"
            )

    def _check_images(self) -> None:
        for image in self.images:
            self._check_image(image)
        if len({image["id"] for image in self.images}) != len(self.images):
            raise DatasetError(f"{self.path}: an image id stands twice")
        names = Counter(Path(image["file_name"]) for image in self.images)
        if doubled := [name for name, times in names.items() if times > 1]:
            raise DatasetError(f"{self.path}: several images have the file name {doubled[0]}; each needs its own")

    def _grouped(
        self, annotations: list[AnnotationRecord], category: str | None
    ) -> tuple[dict[int, list[AnnotationRecord]], set[int]]:
        """Each image's annotations without hands of another category than the one asked for, by the image's id; and
        the ids of images in which all hands are of another.
        """
        by_image: dict[int, list[AnnotationRecord]] = {image["id"]: [] for image in self.images}
        here, elsewhere = set[int](), set[int]()
        for annotation in annotations:
            self._check_annotation(annotation, by_image)
            kind = self.category(annotation)
            if category is None or kind == category:
                here.add(annotation["image_id"])
            elif kind in CATEGORIES.values():
                elsewhere.add(annotation["image_id"])
                continue
            # Other categories are no hands; whoever uses the dataset may refuse them.
            by_image[annotation["image_id"]].append(annotation)
        return by_image, elsewhere - here

    def _check_form(self, content: Any) -> None:
        """Check that the lists are there, and what every entry of them must have."""
        if not isinstance(content, dict):
            raise DatasetError(f"{self.path} is not in COCO's form; it must be an object of images and annotations")
        for part, keys in _ENTRIES.items():
            entries = content.get(part, [] if part == "categories" else None)
            if not isinstance(entries, list) and not (part == "categories" and entries is None):
                raise DatasetError(f"{self.path} is not in COCO's form; it must have a list of {part}")
            for number, entry in enumerate(entries or [], start=1):
                missing = keys if not isinstance(entry, dict) else [key for key in keys if key not in entry]
                if missing:
                    raise DatasetError(
                        f"{self.path} is not in COCO's form: number {number} of its {part} has no "
                        f"{' and no '.join(missing)}; handforge dataset import annotations reads more"
                    )

    def _category(self, record: dict[str, Any]) -> Category:
        name, where = record["name"], f"{self.path}: the category {record['name']!r}"
        if not isinstance(name, str) or not name.strip():
            raise DatasetError(f"{self.path}: the name of a category is {name!r}; it must be a text")
        _check_writable(record, where)
        if type(record["id"]) is not int:
            raise DatasetError(f"{where} has the id {record['id']!r}; ids are whole numbers")
        keypoints, skeleton = record.get("keypoints") or [], record.get("skeleton") or []
        if not isinstance(keypoints, list) or not all(isinstance(point, str) for point in keypoints):
            raise DatasetError(f"{where} has the keypoints {keypoints!r:.80}; they must be a list of names")
        listed = skeleton if isinstance(skeleton, list) else [skeleton]
        pairs = [tuple(pair) if isinstance(pair, list) else () for pair in listed]
        ends = [end for pair in pairs for end in pair]
        if any(len(pair) != 2 for pair in pairs) or not all(type(e) is int and 0 < e <= len(keypoints) for e in ends):
            raise DatasetError(f"{where} has a skeleton of other than pairs of its keypoints, counted from 1")
        return Category(
            record["id"], name.strip(), tuple(keypoints), tuple(pairs), str(record.get("supercategory") or "")
        )

    def _check_image(self, image: ImageRecord) -> None:
        number, name = image["id"], image["file_name"]
        if type(number) is not int:
            raise DatasetError(f"{self.path}: an image has the id {number!r}; ids are whole numbers")
        where = f"{self.path}: image {number}"
        _check_writable(image, where)
        if not isinstance(name, str) or not Path(name).name:
            raise DatasetError(f"{where} has the file name {name!r}")
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise DatasetError(f"{self.path}: the file name {name!r} leaves the dataset's folder")
        for key in ("width", "height"):
            if type(image[key]) is not int or image[key] < 1:
                raise DatasetError(f"{where} has the {key} {image[key]!r}")
        if image["width"] * image["height"] > MAX_PIXELS:
            raise DatasetError(f"{where} has {image['width']}x{image['height']} pixels, more than {MAX_PIXELS:,}")
        if not isinstance(image.get("truths") or [], list):
            raise DatasetError(f"{where}: truths is {image['truths']!r}, it must be a list")
        if isinstance(image.get("group"), list | dict):
            raise DatasetError(f"{where}: group is {image['group']!r}, it must be a text or a number")

    def _check_annotation(self, annotation: AnnotationRecord, images: Container[int]) -> None:
        for key in ("id", "image_id", "category_id"):
            if not isinstance(annotation[key], int | float | str):
                raise DatasetError(
                    f"{self.path}: annotation {annotation['id']!r} has the {key} {annotation[key]!r}; "
                    "it must be a number"
                )
        if annotation["image_id"] not in images:
            raise DatasetError(
                f"{self.path}: annotation {annotation['id']} belongs to image {annotation['image_id']!r}, "
                "which is not listed"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[ImageRecord]:
        return iter(self.images)

    @cached_property
    def id(self) -> str:
        """Twelve hex digits that tell this dataset from any other: its annotations, settings and images.

        The images by the digest that was taken when they were written; datasets without it, other tools' and older
        ones, are told by their annotations alone.
        """
        found = hashlib.sha256(self._bytes)
        if digest := self.info.get("images_sha256"):
            found.update(json.dumps([digest, self.info.get("settings")], sort_keys=True).encode())
        return found.hexdigest()[:12]

    @cached_property
    def info(self) -> dict[str, Any]:
        """What ``dataset.json`` says; empty where there is none."""
        return read_info(self.folder)

    @property
    def inherited(self) -> dict[str, Any]:
        """What of :attr:`info` is true of a dataset made of this one, too: all but what makes it a rendering run."""
        return {key: value for key, value in self.info.items() if key != "poses_sha256"}

    def category(self, annotation: AnnotationRecord) -> str | None:
        """The name that the dataset has for an annotation's category; None where it has none."""
        return self.categories.get(annotation["category_id"])

    def category_of(self, annotation: AnnotationRecord) -> Category | None:
        """The category of an annotation; None where ``annotations.json`` does not list it."""
        return next((kind for kind in self.category_list if kind.id == annotation["category_id"]), None)

    def listed_category(self, image: ImageRecord, annotation: AnnotationRecord) -> Category:
        """The category of one of an image's annotations.

        :raises DatasetError: naming the annotation, if ``annotations.json`` does not list it.
        """
        found = self.category_of(annotation)
        if found is None:
            raise DatasetError(
                f"{self.path}: annotation {annotation['id']} of {image['file_name']} has the category "
                f"{annotation['category_id']!r}, which is not listed; add it to categories"
            )
        return found

    def annotations(self, image: ImageRecord) -> list[AnnotationRecord]:
        """The annotations of one image."""
        return self._by_image[image["id"]]

    def file(self, name: str) -> Path:
        """A file of the dataset by its path in the folder.

        :raises DatasetError: if a link leads it out of the folder, where it could name any file of the user's.
        """
        path = self.folder / name
        if not path.resolve().is_relative_to(self._resolved):
            raise DatasetError(f"{path} is a link to {path.resolve()}, outside the dataset; copy the file into it")
        return path

    @cached_property
    def _resolved(self) -> Path:
        return self.folder.resolve()

    def image_path(self, image: ImageRecord) -> Path:
        """Where an image's file is. Errors as :meth:`file`."""
        return self.file(f"images/{image['file_name']}")

    def read_image(self, image: ImageRecord) -> np.ndarray:
        """One image, (H, W, 3) uint8 RGB.

        :raises DatasetError: as :func:`read_image`, and if its size is not the one ``annotations.json`` states.
        """
        pixels = read_image(self.image_path(image))
        if pixels.shape[:2] != (image["height"], image["width"]):
            raise DatasetError(
                f"{self.image_path(image)} is {size_text(pixels)}, "
                f"annotations.json says {image['width']}x{image['height']}"
            )
        return pixels

    def points(self, annotation: AnnotationRecord, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
        """What an annotation says in numbers, as ``keypoints`` or ``bbox``, in a shape; None where it says nothing.

        :raises DatasetError: naming the annotation, if it is something else.
        """
        value = annotation.get(name)
        if value is None:
            return None
        found = _numbers(value, shape)
        if found is None:
            wanted = f"{' times '.join(map(str, shape))} numbers" if shape else "a number"
            raise DatasetError(f"{self.path}: annotation {annotation['id']}: {name} must be {wanted}")
        return found

    def camera(self, image: ImageRecord) -> np.ndarray | None:
        """An image's camera matrix, (3, 3) float; None where it has none.

        :raises DatasetError: naming the image, if it is something else, or has no inverse.
        """
        if image.get("camera") is None:
            return None
        matrix = _numbers(image["camera"], (3, 3))
        if matrix is None or np.linalg.matrix_rank(matrix) < 3:
            raise DatasetError(
                f"{self.path}: {image['file_name']}: camera is {image['camera']!r}, "
                "it must be 3 times 3 numbers, a matrix with an inverse"
            )
        return matrix

    def masks(self, image: ImageRecord) -> list[np.ndarray]:
        """The masks of one image's annotations, each (H, W) bool, in their order.

        :raises DatasetError: as :meth:`each_mask`, and if they take more than :data:`MAX_MASK_BYTES`.
        """
        size = image["height"] * image["width"] * len(self.annotations(image))
        if size > MAX_MASK_BYTES:
            raise DatasetError(
                f"{self.path}: the {len(self.annotations(image))} masks of {image['file_name']} take "
                f"{size / 1e9:.1f} GB, more than {MAX_MASK_BYTES / 1e9:.0f}; make the image smaller"
            )
        return list(self.each_mask(image))

    def each_mask(self, image: ImageRecord) -> Iterator[np.ndarray]:
        """Yield what :meth:`masks` returns, one at a time.

        :raises DatasetError: naming the file and the annotation, if a mask cannot be decoded, has another size than
            the image, or has no pixel.
        """
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
            yield mask

    def ground_truth_maps(self, image: ImageRecord) -> tuple[str, ...]:
        """Which of :data:`handforge.dataset.GROUND_TRUTH_MAPS` an image has beside its masks."""
        return tuple(name for name in GROUND_TRUTH_MAPS if name in (image.get("truths") or ()))

    def ground_truth_map(self, image: ImageRecord, name: str) -> np.ndarray:
        """One of an image's ground-truth maps. Errors as :func:`handforge.dataset.ground_truth_maps.read_map`."""
        return read_map(self.file(f"{name}/{Path(image['file_name']).stem}.png"), name)


def require_dataset(folder: Path) -> None:
    """Refuse a folder that holds no dataset; nothing of it is read.

    :raises DatasetError: naming it, and what to do.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder; give one that handforge render or dataset import wrote")
    if not (folder / "annotations.json").exists():
        raise DatasetError(
            f"{folder} holds no annotations.json; it is not a dataset, or its rendering was not finished "
            "(run the same handforge render command again to finish it)"
        )


def read_info(folder: Path) -> dict[str, Any]:
    """What a dataset's ``dataset.json`` says; empty where there is none.

    :raises DatasetError: if it is damaged.
    """
    path = folder / "dataset.json"
    found = parse_json(path.read_bytes(), path, DatasetError, constants=False) if path.exists() else {}
    if not isinstance(found, dict):
        raise DatasetError(f"{path} holds no object; remove it, or put the dataset's own back")
    _check_writable(found, str(path))
    return found


def images_digest(folder: Path, images: Iterable[ImageRecord]) -> str:
    """SHA-256, as hex digits, of a dataset's images: names and contents, in their order."""
    found = hashlib.sha256()
    for image in images:
        path = folder / "images" / image["file_name"]
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        found.update(f"{image['file_name']}\0{content}\n".encode())
    return found.hexdigest()


def _check_writable(value: Any, where: str) -> None:
    """Refuse what cannot go into our own files, where it would be found out after the work is done."""
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where} holds what cannot be written as JSON ({error})") from None


def _numbers(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """Finite numbers in a shape; None where the value is something else."""
    try:
        found = np.array(value, float).reshape(shape)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if np.isfinite(found).all() else None
