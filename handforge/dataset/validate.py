"""Verify records, images and whole datasets, the images in parallel."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TypeGuard

import numpy as np
from pycocotools import mask as rle

from handforge.dataset.coco_types import AnnotationRecord, ImageRecord
from handforge.dataset.ground_truth_maps import check_keypoints_3d, check_map
from handforge.dataset.image_io import read_mask
from handforge.dataset.reader import Dataset, images_digest
from handforge.dataset.records import KEYPOINTS, DatasetError, size_text
from handforge.dataset.rle import encode_mask

IN_ONE_PROCESS = 64
"""Datasets up to this many images are checked without starting others."""

BATCH = 32
"""Images given to a process at a time."""


def check(folder: Path, workers: int, progress: Callable[[int, int], None]) -> list[str]:
    """What is wrong with a dataset, one line each; empty if nothing is.

    :raises DatasetError: if there is no dataset that can be opened.
    """
    data = Dataset(folder)
    problems = []
    if (folder / ".partial").exists():
        problems.append(f"{folder} is not finished; run the same handforge render command again")
    ids = Counter(annotation["id"] for image in data for annotation in data.annotations(image))
    problems += [f"{data.path}: annotation {one} stands {times} times" for one, times in ids.items() if times > 1]
    for found in _check_images(data, workers, progress):
        problems += found
    digest = data.info.get("images_sha256")
    if not problems and digest and digest != images_digest(folder, data):
        problems.append(f"{folder / 'images'} differs from what dataset.json says was written; an image was changed")
    return problems


def _check_images(data: Dataset, workers: int, progress: Callable[[int, int], None]) -> Iterator[list[str]]:
    indices = range(len(data))
    if len(data) <= IN_ONE_PROCESS or workers == 1:
        for done in indices:
            yield check_image(data, data.images[done])
            progress(done + 1, len(data))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_ignore_interrupt) as pool:
        try:
            parts = [indices[start : start + BATCH] for start in indices[::BATCH]]
            tasks = [pool.submit(_check_some, data.folder, part) for part in parts]
            for part, task in zip(parts, tasks, strict=True):
                yield task.result()
                progress(part.stop, len(data))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the owner, who cancels what is left


@lru_cache(1)
def _open(folder: Path) -> Dataset:
    return Dataset(folder)


def _check_some(folder: Path, indices: range) -> list[str]:
    data = _open(folder)
    return [problem for index in indices for problem in check_image(data, data.images[index])]


def record_problems(dataset: Dataset, image: ImageRecord) -> list[str]:
    """What is wrong with one image's annotations, told without decoding: what check, split and training share."""
    problems = []
    seen: dict[str, int] = {}
    for annotation in dataset.annotations(image):
        where = f"{image['file_name']}: annotation {annotation['id']}"
        crowd = annotation.get("iscrowd", 0)
        if not isinstance(crowd, int) or crowd not in (0, 1):
            problems.append(f"{where}: iscrowd is {crowd!r}, it must be 0 or 1")
        if annotation.get("side") not in (None, "left", "right"):
            problems.append(f"{where}: side is {annotation['side']!r}, it must be left or right")
        if problem := _box_problem(annotation, image):
            problems.append(f"{where}: {problem}")
            continue
        code = str((annotation["category_id"], annotation.get("segmentation")))
        if code in seen and not _is_rectangle(annotation):
            problems.append(f"{where} has the same mask as annotation {seen[code]}")
        seen[code] = annotation["id"]
        if not isinstance(mirrored := annotation.get("mirrored", True), bool):
            problems.append(f"{where}: mirrored is {mirrored!r}, it must be true or false")
        if not isinstance(glove := annotation.get("glove", "known"), str) or not glove:
            problems.append(f"{where}: glove is the name of a kind, not {glove!r}")
        kind = dataset.category_of(annotation)
        if kind is None:
            known = ", ".join(f"{key} ({name})" for key, name in dataset.categories.items())
            problems.append(f"{where}: category {annotation['category_id']!r} is not listed; there are {known}")
            continue
        try:
            dataset.points(annotation, "wrist", (2, 2))
            points = dataset.points(annotation, "keypoints", (len(kind.keypoints or KEYPOINTS), 3))
        except DatasetError as error:
            problems.append(str(error))
            continue
        if points is not None:
            problems += [f"{where}: {problem}" for problem in _keypoint_problems(points, annotation, image)]
    return problems


def _box_problem(annotation: AnnotationRecord, image: ImageRecord) -> str | None:
    """What is wrong with a box, as far as it can be told without its mask; a pixel beyond the image is rounding."""
    box = annotation.get("bbox")
    if box is None:
        return None
    if not _is_box(box):
        return f"bbox is {box!r:.80}, it must be x, y, width, height"
    x, y, width, height = box
    inside = x >= -1 and y >= -1 and x + width <= image["width"] + 1 and y + height <= image["height"] + 1
    if width > 0 and height > 0 and inside:
        return None
    return f"bbox {box} does not lie in the image of {image['width']}x{image['height']} pixels"


def _is_box(box: object) -> TypeGuard[list[float]]:
    return isinstance(box, list) and len(box) == 4 and all(type(v) in (int, float) and abs(v) < 1e9 for v in box)


def _is_rectangle(annotation: AnnotationRecord) -> bool:
    """Whether a mask is its whole box, as that of an object of which no more is known; two may share one."""
    box = annotation.get("bbox")
    return box is not None and box[2] * box[3] == annotation.get("area")


def _keypoint_problems(points: np.ndarray, annotation: AnnotationRecord, image: ImageRecord) -> Iterator[str]:
    if not np.isin(points[:, 2], (0, 1, 2)).all():
        yield "the visibility of a keypoint is not 0, 1 or 2"
        return
    placed = points[points[:, 2] > 0, :2]
    if not ((placed >= 0) & (placed <= (image["width"], image["height"]))).all():
        yield "a keypoint lies outside the image; its visibility must be 0"
    count = annotation.get("num_keypoints", len(placed))
    if count != len(placed):
        yield f"num_keypoints says {count!r}, {len(placed)} have a visibility of 1 or 2"


def check_image(dataset: Dataset, image: ImageRecord) -> list[str]:
    """What is wrong with one image and its ground truth: image, annotations, and the mask file beside it."""
    problems = record_problems(dataset, image)
    union = np.zeros((image["height"], image["width"]), bool)
    try:
        dataset.read_image(image)
        for annotation, mask in zip(dataset.annotations(image), dataset.each_mask(image), strict=True):
            where = f"{image['file_name']}: annotation {annotation['id']}"
            if annotation.get("iscrowd") != 1:
                union |= mask
            problems += [f"{where}: {problem}" for problem in _measure_problems(annotation, mask)]
    except DatasetError as error:
        return [*problems, str(error)]
    try:
        dataset.camera(image)
    except DatasetError as error:
        problems.append(str(error))
        image = {**image, "camera": None}
    for annotation in dataset.annotations(image):
        if "keypoints_3d" in annotation:
            where = f"{image['file_name']}: annotation {annotation['id']}"
            problems += [f"{where}: {problem}" for problem in check_keypoints_3d(annotation, image)]
    return [*problems, *_file_problems(dataset, image, union)]


def _measure_problems(annotation: AnnotationRecord, mask: np.ndarray) -> Iterator[str]:
    """Compare area and box with the mask: exactly, but where COCO takes them of polygons, whose edges cut pixels."""
    box = [float(v) for v in rle.toBbox(encode_mask(mask))]
    polygons = isinstance(annotation["segmentation"], list)
    area, pixels = annotation.get("area"), int(mask.sum())
    if not isinstance(area, int | float) or abs(area - pixels) > polygons * (box[2] + box[3]):
        yield f"area says {area}, the mask has {pixels} pixels"
    stated = annotation.get("bbox")
    if not _is_box(stated) or np.abs(_corners(stated) - _corners(box)).max() > polygons:
        yield f"bbox says {stated}, the mask's is {box}"


def _corners(box: Sequence[float]) -> np.ndarray:
    x, y, width, height = box
    return np.array([x, y, x + width, y + height])


def _file_problems(dataset: Dataset, image: ImageRecord, union: np.ndarray) -> list[str]:
    """What is wrong with the files beside an image: ground-truth maps and the mask of all its annotations."""
    problems = []
    name = f"{Path(image['file_name']).stem}.png"
    try:
        for kind in dataset.ground_truth_maps(image):
            problems += check_map(dataset.file(f"{kind}/{name}"), kind, union, image)
        if not (dataset.folder / "masks").is_dir():
            return problems
        path = dataset.file(f"masks/{name}")
        beside = read_mask(path)
    except DatasetError as error:
        return [*problems, str(error)]
    if beside.shape != union.shape:
        problems.append(f"{path} is {size_text(beside)}, its image {image['width']}x{image['height']}")
    elif (beside != union).any():
        problems.append(f"{path} differs from annotations.json in {int((beside != union).sum())} pixels")
    return problems
