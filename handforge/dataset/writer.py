"""Write a dataset folder: its samples, its annotations, and a subset of another dataset."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from pycocotools import mask as rle

from handforge.dataset.coco_types import (
    AnnotationRecord,
    FrameRecord,
    ImageRecord,
    NewAnnotation,
    NewImage,
)
from handforge.dataset.ground_truth_maps import encode_map
from handforge.dataset.image_io import encode_image, encode_png
from handforge.dataset.reader import Dataset, images_digest
from handforge.dataset.records import CATEGORIES, CATEGORY_ID, HAND_CATEGORIES, Category, DatasetError, Sample
from handforge.dataset.rle import encode_mask
from handforge.dataset.validate import record_problems
from handforge.files import dump_json, new_folder, short_name, write_atomic


def write_sample(
    folder: Path, frame: Sample, suffix: str = "png", categories: Sequence[Category] = HAND_CATEGORIES
) -> FrameRecord:
    """Write the image and the mask of one frame and return its record.

    The record (``{"image": {...}, "annotations": [...]}``, plain JSON without ids) is what :func:`assemble` takes;
    a caller that wants to be able to continue keeps it before it goes on.

    :param categories: those of the dataset.
    """
    record, files = encode_sample(frame, suffix, categories)
    for path, data in files.items():
        write_atomic(folder / path, data)
    return record


def encode_sample(
    frame: Sample, suffix: str = "png", categories: Sequence[Category] = HAND_CATEGORIES
) -> tuple[FrameRecord, dict[str, bytes]]:
    """Encode one frame: its record, and its files by their path in the dataset's folder.

    :raises DatasetError: if the frame has something of none of the categories.
    """
    ids = {category.name: category.id for category in categories}
    height, width = frame.image.shape[:2]
    union = np.zeros((height, width), bool)
    annotations: list[NewAnnotation] = []
    for instance in frame.instances:
        area = int(np.count_nonzero(instance.mask))
        if not area:
            continue
        if instance.category not in ids:
            raise DatasetError(f"{frame.name}: {instance.category!r} is not a category ({', '.join(ids)})")
        if not instance.crowd:
            union |= instance.mask
        code = encode_mask(instance.mask)
        annotation: NewAnnotation = {
            "category_id": ids[instance.category],
            "iscrowd": int(instance.crowd),
            "area": area,
            "bbox": [float(v) for v in rle.toBbox(code)],
            "segmentation": code,
        }
        if instance.keypoints is not None:
            points = [[round(float(x), 2), round(float(y), 2), int(v)] for x, y, v in instance.keypoints]
            annotation["keypoints"] = [value for point in points for value in point]
            annotation["num_keypoints"] = sum(point[2] > 0 for point in points)
        if instance.keypoints_3d is not None:
            annotation["keypoints_3d"] = [round(float(v), 6) for v in instance.keypoints_3d.ravel()]
        if instance.side is not None:
            annotation["side"] = instance.side
        if instance.glove is not None:
            annotation["glove"] = instance.glove
        if instance.mirrored:
            annotation["mirrored"] = True
        if instance.wrist is not None:
            annotation["wrist"] = [[round(float(v), 2) for v in end] for end in instance.wrist]
        annotations.append(annotation)
    file_name = f"{frame.name}.{suffix}"
    image: NewImage = {"file_name": file_name, "width": width, "height": height, **frame.meta}
    files = {
        f"images/{file_name}": encode_image(frame.image, suffix),
        f"masks/{frame.name}.png": encode_png(union.view(np.uint8) * np.uint8(255)),
    }
    if maps := frame.ground_truth_maps:
        image["truths"] = list(maps)
        files |= {f"{name}/{frame.name}.png": encode_map(name, values) for name, values in maps.items()}
    return {"image": image, "annotations": annotations}, files


def assemble(
    folder: Path,
    records: Iterable[FrameRecord],
    info: Mapping[str, object],
    categories: Sequence[Category] | None = None,
) -> None:
    """Write ``annotations.json`` and ``dataset.json`` from the records of all frames, in their order.

    :param info: goes into ``dataset.json`` (settings, seed, versions, counts ...); plain JSON.
    :param categories: those of the dataset; None: the one or two of the hands in it.
    """
    images: list[ImageRecord] = []
    annotations: list[AnnotationRecord] = []
    for image_id, record in enumerate(records, start=1):
        images.append({"id": image_id, **record["image"]})
        for annotation in record["annotations"]:
            annotations.append({"id": len(annotations) + 1, "image_id": image_id, **annotation})
    if categories is None:  # hands alone have one category, so that other tools see no class without examples
        used = {CATEGORY_ID, *(annotation["category_id"] for annotation in annotations)}
        categories = [category for category in HAND_CATEGORIES if category.id in used]
    coco = {
        "info": {"description": "handforge dataset", "version": "1.0"},
        "images": images,
        "annotations": annotations,
        "categories": [category.to_json() for category in categories],
    }
    write_atomic(folder / "annotations.json", json.dumps(coco, allow_nan=False).encode())
    counts = Counter(annotation["category_id"] for annotation in annotations if not annotation["iscrowd"])
    hands = max((counts[category.id] for category in categories if category.name in CATEGORIES.values()), default=0)
    objects = {} if set(categories) <= set(HAND_CATEGORIES) else {"objects": counts.total()}
    empty = len(images) - len({annotation["image_id"] for annotation in annotations})
    objects |= {"empty": empty} if empty else {}
    counted = {"images": len(images), "hands": hands, **objects, "images_sha256": images_digest(folder, images)}
    write_atomic(folder / "dataset.json", dump_json({**info, **counted}))


def has_masks(dataset: Dataset) -> bool:
    """Whether a dataset has ``masks/NAME.png`` beside its annotations; those of other tools have none."""
    return (dataset.folder / "masks").is_dir()


def copy_image(
    source: Dataset, image: ImageRecord, folder: Path, categories: Sequence[Category], masks: bool, prefix: str = ""
) -> FrameRecord:
    """Copy an image with its ground truth into a folder, and return its record, as :func:`write_sample`.

    :param categories: those of the new dataset, by whose names annotations get their ids.
    :param masks: whether ``masks/NAME.png`` goes along; other tools' datasets have none.
    :param prefix: is put before the file's name.
    :raises DatasetError: as :func:`copy_subset`.
    """
    if problems := record_problems(source, image):
        raise DatasetError(f"{source.path}: {problems[0]}")
    ids = {category.name: category.id for category in categories}
    name = Path(image["file_name"])
    new = name.with_name(short_name(prefix + name.stem) + name.suffix) if prefix else name
    pairs = [(Path("images") / name, Path("images") / new)]
    for beside in (*(("masks",) if masks else ()), *source.ground_truth_maps(image)):
        pairs.append((Path(beside) / f"{name.stem}.png", Path(beside) / f"{new.stem}.png"))
    for old, copy in pairs:
        path = source.file(str(old))
        if not path.is_file():
            raise DatasetError(f"{path} is missing" if not path.exists() else f"{path} is not a regular file")
        (folder / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / copy)
    annotations = []
    for annotation in source.annotations(image):
        kind = source.listed_category(image, annotation)
        kept = {key: value for key, value in annotation.items() if key not in ("id", "image_id")}
        kept |= {"category_id": ids[kind.name], "iscrowd": kept.get("iscrowd", 0)}
        annotations.append(cast("NewAnnotation", kept))
    record = {key: value for key, value in image.items() if key != "id"} | {"file_name": new.as_posix()}
    return {"image": cast("NewImage", record), "annotations": annotations}


def copy_subset(source: Dataset, images: Iterable[ImageRecord], out: Path) -> None:
    """Copy some images of a dataset, with their ground truth, into a new folder that appears whole or not at all.

    A dataset of hands gets the generator's categories, however another tool has numbered them; any other keeps its own.

    :param images: in the order they shall have; their ids are counted anew from 1.
    :raises DatasetError: if an annotation is not valid, or a file to copy is missing or lies elsewhere.
    :raises FolderError: if ``out`` is there already and not empty.
    """
    of_hands = {category.name for category in source.category_list} <= set(CATEGORIES.values())
    categories, masks = HAND_CATEGORIES if of_hands else source.category_list, has_masks(source)
    with new_folder(out) as folder:
        records = [copy_image(source, image, folder, categories, masks) for image in images]
        assemble(
            folder, records, {**source.inherited, "part_of": source.id}, None if of_hands else source.category_list
        )


def holds_subset(source: Dataset, images: Iterable[ImageRecord], out: Path) -> bool:
    """Whether :func:`copy_subset` has put these images into ``out`` already."""
    try:
        there = Dataset(out)
    except DatasetError:
        return False
    names = [image["file_name"] for image in there]
    return there.info.get("part_of") == source.id and names == [image["file_name"] for image in images]
