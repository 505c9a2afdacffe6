"""Write a dataset folder: its samples, its annotations, and a subset of another dataset."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from handforge.dataset.ground_truth_maps import encode_truth
from handforge.dataset.image_io import encode_image, encode_png
from handforge.dataset.reader import Dataset
from handforge.dataset.records import CATEGORIES, CATEGORY_ID, KEYPOINTS, SKELETON, DatasetError, Sample
from handforge.dataset.rle import encode_mask
from handforge.files import dump_json, new_folder, write_atomic


def write_sample(folder: Path, frame: Sample, suffix: str = "png") -> dict[str, Any]:
    """Write the image and the mask of one frame and return its record.

    The record (``{"image": {...}, "annotations": [...]}``, plain JSON without ids) is what :func:`assemble` takes;
    a caller that wants to be able to continue keeps it before it goes on.
    """
    record, files = encode_sample(frame, suffix)
    for path, data in files.items():
        write_atomic(folder / path, data)
    return record


def encode_sample(frame: Sample, suffix: str = "png") -> tuple[dict[str, Any], dict[str, bytes]]:
    """The record of one frame, and its files by their path in the dataset's folder."""
    height, width = frame.image.shape[:2]
    union = np.zeros((height, width), bool)
    annotations = []
    for instance in frame.instances:
        area = int(np.count_nonzero(instance.mask))
        if not area:
            continue
        union |= instance.mask
        code = encode_mask(instance.mask)
        annotation: dict[str, Any] = {
            "category_id": next(key for key, name in CATEGORIES.items() if name == instance.category),
            "iscrowd": 0,
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
        if instance.wrist is not None:
            annotation["wrist"] = [[round(float(v), 2) for v in end] for end in instance.wrist]
        annotations.append(annotation)
    file_name = f"{frame.name}.{suffix}"
    image = {"file_name": file_name, "width": width, "height": height, **frame.meta}
    files = {
        f"images/{file_name}": encode_image(frame.image, suffix),
        f"masks/{frame.name}.png": encode_png(union.view(np.uint8) * np.uint8(255)),
    }
    if frame.truths:
        image["truths"] = list(frame.truths)
        files |= {f"{name}/{frame.name}.png": encode_truth(name, values) for name, values in frame.truths.items()}
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
    # A dataset of hands alone has one category, so that other tools see no class without examples.
    used = {CATEGORY_ID, *(annotation["category_id"] for annotation in annotations)}
    categories = [
        {
            "id": key,
            "name": name,
            "supercategory": "person",
            "keypoints": list(KEYPOINTS),
            "skeleton": [list(pair) for pair in SKELETON],
        }
        for key, name in CATEGORIES.items()
        if key in used
    ]
    coco = {
        "info": {"description": "handforge dataset", "version": "1.0"},
        "images": images,
        "annotations": annotations,
        "categories": categories,
    }
    write_atomic(folder / "annotations.json", json.dumps(coco, allow_nan=False).encode())
    hands = max(Counter(annotation["category_id"] for annotation in annotations).values(), default=0)
    write_atomic(folder / "dataset.json", dump_json({**info, "images": len(images), "hands": hands}))


def copy_subset(source: Dataset, images: Iterable[dict[str, Any]], out: Path) -> None:
    """Copy some images of a dataset, with their truth, into a new dataset folder that appears whole or not at all.

    :param images: in the order they shall have; their ids are counted anew from 1.
    :raises DatasetError: if ``out`` is there already and not empty, a file to copy is missing, or something annotated
        is no hand.
    """
    ids: dict[str | None, int] = {
        name: key for key, name in CATEGORIES.items()
    }  # other tools' datasets number theirs otherwise
    records, with_masks = [], (source.folder / "masks").is_dir()  # other tools' datasets have none
    with new_folder(out) as folder:
        for image in images:
            beside = (*(("masks",) if with_masks else ()), *source.ground_truth_maps(image))
            names = [f"images/{image['file_name']}", *(f"{n}/{Path(image['file_name']).stem}.png" for n in beside)]
            for name in names:
                if not (source.folder / name).is_file():
                    raise DatasetError(f"{source.folder / name} is missing")
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source.folder / name, folder / name)
            annotations = [{**a} for a in source.annotations(image)]
            for annotation in annotations:
                category = source.category(annotation)
                if category not in ids:
                    raise DatasetError(
                        f"{source.path}: annotation {annotation['id']} is of the category {category!r}, which is "
                        f"neither {' nor '.join(CATEGORIES.values())}; hand-trainer import annotations picks hands out"
                    )
                annotation["category_id"] = ids[category]
                del annotation["id"], annotation["image_id"]
            records.append({"image": {k: v for k, v in image.items() if k != "id"}, "annotations": annotations})
        assemble(folder, records, {**source.inherited, "part_of": source.id})


def holds_subset(source: Dataset, images: Iterable[dict[str, Any]], out: Path) -> bool:
    """Whether :func:`copy_subset` has put these images into ``out`` already."""
    try:
        there = Dataset(out)
    except DatasetError:
        return False
    names = [image["file_name"] for image in there]
    return there.info.get("part_of") == source.id and names == [image["file_name"] for image in images]
