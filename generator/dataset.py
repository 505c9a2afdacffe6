"""The COCO dataset on disk: frame, writer, reader, check. The one room that trainer and evaluation may import.

A dataset folder::

    images/NAME.png|jpg|webp    the pictures
    masks/NAME.png              the truth beside them: 255 on a hand, 0 elsewhere (all hands of the picture)
    annotations.json            COCO: images, annotations (compressed RLE), the category `hand`
    dataset.json                how it was made: settings, seed, versions, counts
    preview.jpg                 a contact sheet

Conventions: image and annotation ids start at 1; ``iscrowd`` is 0; ``area`` is the mask's pixels; ``bbox`` is
``pycocotools.mask.toBbox``, half-open xywh. A frame's record says nothing of time or machine, so the same frame has
the same bytes wherever it is made.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from pycocotools import mask as rle

CATEGORY_ID = 1

KEYPOINTS: tuple[str, ...] = (
    "wrist",
    *(f"thumb_{j}" for j in ("cmc", "mcp", "ip", "tip")),
    *(f"{f}_{j}" for f in ("index", "middle", "ring", "little") for j in ("mcp", "pip", "dip", "tip")),
)
"""The 21 joints of a hand, in the usual order: wrist, thumb to little finger, from the palm outwards."""

SKELETON: tuple[tuple[int, int], ...] = tuple(
    (a, b)
    for f in range(5)
    for a, b in zip((1, *range(4 * f + 2, 4 * f + 5)), range(4 * f + 2, 4 * f + 6), strict=True)
)
"""COCO's skeleton: pairs of keypoints, counted from 1, that a bone joins."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MAX_PIXELS = 100_000_000
"""Pictures larger than this are refused rather than decoded."""


class DatasetError(ValueError):
    """Something is wrong with a dataset; the text names the file, what was expected, and the remedy."""


@dataclass(frozen=True)
class Instance:
    """One hand of a picture.

    :param mask: (H, W) bool.
    :param keypoints: (21, 3) as COCO writes them: x, y in pixels and visibility 0, 1, 2; or None.
    :param side: ``"right"``, ``"left"`` or None where it is not known.
    """

    mask: np.ndarray
    keypoints: np.ndarray | None = None
    side: str | None = None

    def __post_init__(self) -> None:
        if self.mask.ndim != 2 or self.mask.dtype != bool:
            raise DatasetError(f"a mask is (H, W) bool, not {self.mask.shape} {self.mask.dtype}")
        if self.keypoints is not None and self.keypoints.shape != (len(KEYPOINTS), 3):
            raise DatasetError(f"keypoints are ({len(KEYPOINTS)}, 3), not {self.keypoints.shape}")


@dataclass(frozen=True)
class Frame:
    """A picture and its truth.

    :param name: the file's name without suffix; letters, digits, ``-``, ``_`` and ``.``.
    :param picture: (H, W, 3) uint8, RGB.
    :param instances: the hands, none or more; a hand of no pixel is left out of the record.
    :param meta: what else is known of the picture (pose, set, frame index, camera matrix ...); plain JSON.
    """

    name: str
    picture: np.ndarray
    instances: tuple[Instance, ...]
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if Path(self.name).name != self.name or not self.name or self.name.startswith("."):
            raise DatasetError(f"{self.name!r} is no plain file name")
        if self.picture.ndim != 3 or self.picture.shape[2] != 3 or self.picture.dtype != np.uint8:
            raise DatasetError(
                f"{self.name}: a picture is (H, W, 3) uint8, not {self.picture.shape} {self.picture.dtype}"
            )
        for instance in self.instances:
            if instance.mask.shape != self.picture.shape[:2]:
                raise DatasetError(
                    f"{self.name}: the mask is {_size(instance.mask)}, its picture {_size(self.picture)}; "
                    "both must have the same size"
                )


def _size(array: np.ndarray) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"


# ---------------------------------------------------------------- masks and RLE


def encode_mask(mask: np.ndarray) -> dict[str, Any]:
    """COCO's compressed RLE of a (H, W) bool mask, ``counts`` as text so that it goes into JSON."""
    code = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(s) for s in code["size"]], "counts": code["counts"].decode("ascii")}


def to_rle(segmentation: Any, height: int, width: int) -> dict[str, Any]:
    """A COCO segmentation (compressed RLE, uncompressed RLE, or polygons) as compressed RLE, checked.

    :raises DatasetError: if it is none of these, is damaged, or has another size than the picture.
    """
    try:
        if isinstance(segmentation, list):
            polygons = [np.asarray(polygon, float) for polygon in segmentation]
            if not polygons or any(p.ndim != 1 or p.size < 6 or p.size % 2 for p in polygons):
                raise DatasetError("a polygon is a list of x and y of at least three points")
            if not all((np.abs(p) < 1e6).all() for p in polygons):
                raise DatasetError("a polygon lies far outside its picture or has a NaN")
            return rle.merge(rle.frPyObjects([p.tolist() for p in polygons], height, width))
        size = [int(s) for s in segmentation["size"]]
        if size != [height, width]:
            raise DatasetError(f"the mask is {size[1]}x{size[0]}, its picture {width}x{height}")
        counts = segmentation["counts"]
        if isinstance(counts, list):
            counts = rle.frPyObjects({"size": size, "counts": [int(run) for run in counts]}, height, width)["counts"]
        if _runs(counts).sum() != height * width:
            raise DatasetError("the runs of the RLE do not add up to the picture's pixels")
        return {"size": size, "counts": counts}
    except DatasetError:
        raise
    except (TypeError, KeyError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise DatasetError(f"the segmentation cannot be decoded ({error})") from error


def _runs(counts: str | bytes) -> np.ndarray:
    """The run lengths that a compressed RLE stands for.

    pycocotools trusts them: runs that add up to less than the picture give it a mask of whatever is in memory.
    """
    symbols: np.ndarray = (
        np.frombuffer(counts.encode() if isinstance(counts, str) else counts, np.uint8).astype(np.int64) - 48
    )
    if not symbols.size or symbols.min() < 0 or symbols.max() > 63 or symbols[-1] > 31:
        raise ValueError("the RLE is damaged or cut short")
    ends = np.flatnonzero(symbols < 32)
    starts = np.concatenate([[0], ends[:-1] + 1])
    digit = np.arange(symbols.size) - np.repeat(starts, ends - starts + 1)
    if digit.max() > 6:
        raise ValueError("the RLE has a run that is too long")
    runs = np.add.reduceat((symbols & 31) << (5 * digit), starts)
    runs -= ((symbols[ends] & 16) >> 4) << (5 * (digit[ends] + 1))
    runs[1::2] = np.cumsum(runs[1::2])  # from the fourth run on, the file has the difference to the run before last
    runs[2::2] = np.cumsum(runs[2::2])
    if runs.min() < 0:
        raise ValueError("the RLE has a run of negative length")
    return runs


def decode_mask(segmentation: Any, height: int, width: int) -> np.ndarray:
    """The (H, W) bool mask of a COCO segmentation. Errors as :func:`to_rle`."""
    return rle.decode(to_rle(segmentation, height, width)).astype(bool)


# ---------------------------------------------------------------- writing


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file so that it is either whole or not there, also after a kill or on a full disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def dump_json(value: Any) -> bytes:
    """JSON as all our files have it: readable, newline at the end, no NaN."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def encode_picture(picture: np.ndarray, suffix: str) -> bytes:
    """A picture's file as bytes; ``suffix`` is png, jpg or webp (jpg at quality 92, webp at 85)."""
    if suffix == "png":
        return encode_png(picture)
    options: dict[str, dict[str, Any]] = {
        "jpg": {"format": "JPEG", "quality": 92},
        "webp": {"format": "WEBP", "quality": 85, "method": 2},
    }
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, **options[suffix])
    return buffer.getvalue()


def encode_png(picture: np.ndarray) -> bytes:
    """A (H, W, 3) or (H, W) uint8 picture as PNG: three times as fast as Pillow, which tries all filters on each row.

    Each row is its difference to the one above (filter 2, "up"), and equal bytes are run-length coded; for pictures
    that are mostly plain, files are smaller too.
    """
    height, width = picture.shape[:2]
    values = picture.reshape(height, -1)
    rows = np.empty((height, 1 + values.shape[1]), np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=rows[1:, 1:])
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if picture.ndim == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packer.compress(rows) + packer.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def write_frame(folder: Path, frame: Frame, suffix: str = "png") -> dict[str, Any]:
    """Write the picture and the mask of one frame and return its record.

    The record (``{"image": {...}, "annotations": [...]}``, plain JSON without ids) is what :func:`assemble` takes;
    a caller that wants to be able to continue keeps it before it goes on.
    """
    record, files = encode_frame(frame, suffix)
    for path, data in files.items():
        write_atomic(folder / path, data)
    return record


def encode_frame(frame: Frame, suffix: str = "png") -> tuple[dict[str, Any], dict[str, bytes]]:
    """The record of one frame, and its files by their path in the dataset's folder."""
    height, width = frame.picture.shape[:2]
    union = np.zeros((height, width), bool)
    annotations = []
    for instance in frame.instances:
        if not instance.mask.any():
            continue
        union |= instance.mask
        code = encode_mask(instance.mask)
        annotation: dict[str, Any] = {
            "category_id": CATEGORY_ID,
            "iscrowd": 0,
            "area": int(instance.mask.sum()),
            "bbox": [float(v) for v in rle.toBbox(code)],
            "segmentation": code,
        }
        if instance.keypoints is not None:
            points = [[round(float(x), 2), round(float(y), 2), int(v)] for x, y, v in instance.keypoints]
            annotation["keypoints"] = [value for point in points for value in point]
            annotation["num_keypoints"] = sum(point[2] > 0 for point in points)
        if instance.side is not None:
            annotation["side"] = instance.side
        annotations.append(annotation)
    file_name = f"{frame.name}.{suffix}"
    image = {"file_name": file_name, "width": width, "height": height, **frame.meta}
    files = {
        f"images/{file_name}": encode_picture(frame.picture, suffix),
        f"masks/{frame.name}.png": encode_png(union.astype(np.uint8) * 255),
    }
    return {"image": image, "annotations": annotations}, files


def assemble(folder: Path, records: Iterable[dict[str, Any]], info: dict[str, Any]) -> None:
    """Write ``annotations.json`` and ``dataset.json`` from the records of all frames, in their order.

    :param info: goes into ``dataset.json`` (settings, seed, versions, counts ...); plain JSON.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, record in enumerate(records, start=1):
        images.append({"id": image_id, **record["image"]})
        for annotation in record["annotations"]:
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, **annotation})
    category = {
        "id": CATEGORY_ID,
        "name": "hand",
        "supercategory": "person",
        "keypoints": list(KEYPOINTS),
        "skeleton": [list(pair) for pair in SKELETON],
    }
    coco = {
        "info": {"description": "handforge dataset", "version": "1.0"},
        "images": images,
        "annotations": annotations,
        "categories": [category],
    }
    write_atomic(folder / "annotations.json", json.dumps(coco, allow_nan=False).encode())
    write_atomic(folder / "dataset.json", dump_json({**info, "images": len(images), "hands": len(annotations)}))


# ---------------------------------------------------------------- reading


def read_picture(path: Path) -> np.ndarray:
    """A picture as (H, W, 3) uint8 RGB, turned upright by its EXIF orientation if it has one.

    :raises DatasetError: if it is missing, is no picture, is truncated, or is larger than :data:`MAX_PIXELS`.
    """
    return np.asarray(_open(path, "RGB"))


def read_mask(path: Path) -> np.ndarray:
    """A mask picture as (H, W) bool: true where it is brighter than half. Errors as :func:`read_picture`."""
    return np.asarray(_open(path, "L")) > 127


def _open(path: Path, mode: str) -> Image.Image:
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise DatasetError(f"{path} has {image.width}x{image.height} pixels, more than {MAX_PIXELS:,}")
            image.load()
            return ImageOps.exif_transpose(image).convert(mode)
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing") from None
    except UnidentifiedImageError:
        raise DatasetError(f"{path} is no picture that can be read") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path} is damaged or cut short ({error})") from error


class Dataset:
    """A COCO dataset folder, opened for reading: ours, or any with ``images/`` and ``annotations.json``.

    Nothing but ``annotations.json`` is read at construction; pictures and masks are decoded when asked for.

    :raises DatasetError: if the folder or ``annotations.json`` is missing or damaged, if it holds no picture, if an
        id stands twice, an annotation belongs to no picture, or a file name leaves the folder.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / "annotations.json"
        if not self.folder.is_dir():
            raise DatasetError(f"{self.folder} is no folder; give a dataset made by hand-generator or an importer")
        try:
            self._bytes = self.path.read_bytes()
            content = json.loads(self._bytes)
            self.images: list[dict[str, Any]] = content["images"]
            annotations: list[dict[str, Any]] = content["annotations"]
            by_image: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in self.images}
            for image in self.images:
                self._check_image(image)
        except FileNotFoundError:
            raise DatasetError(
                f"{self.folder} holds no annotations.json; it is no dataset, or its rendering was not finished "
                "(run the same hand-generator render command again to finish it)"
            ) from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DatasetError(f"{self.path} is no valid JSON ({error})") from None
        except (KeyError, TypeError) as error:
            raise DatasetError(f"{self.path} is not in COCO's form ({error!r} is missing or wrong)") from None
        if not self.images:
            raise DatasetError(f"{self.path} lists no pictures; the dataset is empty")
        if len(by_image) != len(self.images):
            raise DatasetError(f"{self.path}: an image id stands twice")
        for annotation in annotations:
            if annotation.get("image_id") not in by_image:
                raise DatasetError(
                    f"{self.path}: annotation {annotation.get('id')} belongs to image {annotation.get('image_id')}, "
                    "which is not listed"
                )
            by_image[annotation["image_id"]].append(annotation)
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
            return json.loads(path.read_bytes()) if path.exists() else {}
        except ValueError as error:
            raise DatasetError(f"{path} is no valid JSON ({error})") from None

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
                f"{self.picture_path(image)} is {_size(picture)}, "
                f"annotations.json says {image['width']}x{image['height']}"
            )
        return picture

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


def copy_subset(source: Dataset, images: Iterable[dict[str, Any]], out: Path) -> None:
    """Copy some pictures of a dataset, with their truth, into a new dataset folder that appears whole or not at all.

    :param images: in the order they shall have; their ids are counted anew from 1.
    :raises DatasetError: if ``out`` is there already and not empty, or a file to copy is missing.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{out} is there already; give a new folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    records = []
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
        folder = Path(temporary) / "dataset"
        for image in images:
            names = [f"images/{image['file_name']}", f"masks/{Path(image['file_name']).stem}.png"]
            for name in names:
                if not (source.folder / name).is_file():
                    raise DatasetError(f"{source.folder / name} is missing")
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source.folder / name, folder / name)
            annotations = [{**a} for a in source.annotations(image)]
            for annotation in annotations:
                del annotation["id"], annotation["image_id"]
            records.append({"image": {k: v for k, v in image.items() if k != "id"}, "annotations": annotations})
        assemble(folder, records, {**source.info, "part_of": source.id})
        folder.replace(out)


# ---------------------------------------------------------------- checking


def check_image(dataset: Dataset, image: dict[str, Any]) -> list[str]:
    """What is wrong with one picture and its truth: picture, RLE, area, box, and the mask file beside it."""
    problems = []
    try:
        dataset.picture(image)
        masks = dataset.masks(image)
    except DatasetError as error:
        return [str(error)]
    union = np.zeros((image["height"], image["width"]), bool)
    for annotation, mask in zip(dataset.annotations(image), masks, strict=True):
        where = f"{image['file_name']}: annotation {annotation['id']}"
        union |= mask
        if annotation.get("area") != int(mask.sum()):
            problems.append(f"{where}: area says {annotation.get('area')}, the mask has {int(mask.sum())} pixels")
        box = [float(v) for v in rle.toBbox(encode_mask(mask))]
        if annotation.get("bbox") != box:
            problems.append(f"{where}: bbox says {annotation.get('bbox')}, the mask's is {box}")
    path = dataset.folder / "masks" / f"{Path(image['file_name']).stem}.png"
    if path.parent.is_dir():
        try:
            beside = read_mask(path)
        except DatasetError as error:
            return [*problems, str(error)]
        if beside.shape != union.shape:
            problems.append(f"{path} is {_size(beside)}, its picture {image['width']}x{image['height']}")
        elif (beside != union).any():
            problems.append(f"{path} differs from annotations.json in {int((beside != union).sum())} pixels")
    return problems
