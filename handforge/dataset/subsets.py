"""Datasets made of datasets: several merged, a random sample, two parts, and Vid2 out of Vid1 by zooming in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from handforge.dataset import (
    CATEGORIES,
    HAND_CATEGORIES,
    KEYPOINTS,
    Category,
    Dataset,
    DatasetError,
    Instance,
    Sample,
    assemble,
    by_group,
    contact_sheet,
    copy_subset,
    write_sample,
)
from handforge.dataset.coco_types import AnnotationRecord, FrameRecord, ImageMeta, ImageRecord
from handforge.dataset.records import with_own_ids
from handforge.dataset.rle import mask_box
from handforge.dataset.scene import scene
from handforge.dataset.writer import copy_image, has_masks
from handforge.files import new_folder, short_name

_OF_THE_FILE = ("id", "file_name", "width", "height", "truths")
"""Keys of an image's record that do not hold for its zoomed part, which has no depth, normals and parts."""
SUFFIXES = {".jpg": "jpg", ".jpeg": "jpg", ".webp": "webp"}
"""What an image is written as; all others become png."""


def sample(source: Dataset, out: Path, count: int, seed: int) -> None:
    """Copy ``count`` random images with their ground truth into a new dataset, in the source's order.

    :raises DatasetError: if there are fewer images, ``out`` is not new, or a file is missing.
    """
    if count > len(source):
        raise DatasetError(f"{source.folder} has {len(source)} images, fewer than the {count} asked for")
    chosen = np.sort(np.random.default_rng(seed).choice(len(source), count, replace=False))
    copy_subset(source, [source.images[index] for index in chosen], out)


def split(source: Dataset, count: int, seed: int) -> tuple[list[ImageRecord], list[ImageRecord]]:
    """The images to train on, and ``count`` random ones to test on, each in the source's order.

    Images whose records name the same ``group`` (a person, a video) are not parted: then there may be fewer to test on.

    :raises DatasetError: if nothing is left to train on, or no group is as small as ``count``.
    """
    if count >= len(source):
        raise DatasetError(f"--test {count} leaves nothing to train on: {source.folder} has {len(source)} images")
    rng = np.random.default_rng(seed)
    groups = by_group(source)
    if len(groups) == len(source):
        chosen = set(rng.choice(len(source), count, replace=False).tolist())
    else:
        chosen, members = set[int](), list(groups.values())
        for place in rng.permutation(len(members)):
            if len(chosen) + len(members[place]) <= count:
                chosen.update(members[place])
        if not chosen:
            raise DatasetError(
                f"--test {count} is too few: in {source.folder} {min(map(len, members))} images at least belong "
                "together (of one person or video)"
            )
    train = [image for index, image in enumerate(source) if index not in chosen]
    return train, [image for index, image in enumerate(source) if index in chosen]


def merge(sources: Sequence[Dataset], out: Path) -> None:
    """Copy several datasets, one after the other, into a new one with a contact sheet.

    Their categories are the same if their names are. Where files of two datasets would get one name, each gets its
    dataset's folder before its own, or its dataset's number from 1 where that leaves two with one name. Statements of
    the images as a whole (background, scale) are kept where all datasets agree.

    :raises DatasetError: if a category has other keypoints in one than in another, ``out`` is not new, or a file is
        missing.
    """
    categories = unified(sources)
    prefixes = _prefixes(sources)
    of_hands = {category.name for category in categories} <= set(CATEGORIES.values())
    masks = all(map(has_masks, sources))
    stated = [scene(source) for source in sources]
    agreed = {key: value for key, value in stated[0].items() if all(each.get(key) == value for each in stated)}
    with new_folder(out) as folder:
        records = [
            copy_image(source, image, folder, HAND_CATEGORIES if of_hands else categories, masks, prefix)
            for source, prefix in zip(sources, prefixes, strict=True)
            for image in source
        ]
        info = {"merged_from": [{"folder": s.folder.name, "id": s.id, "images": len(s)} for s in sources]}
        assemble(folder, records, info | ({"scene": agreed} if agreed else {}), None if of_hands else categories)
        contact_sheet.write(folder)


def _prefixes(sources: Sequence[Dataset]) -> list[str]:
    """What goes before the names of each dataset's files, so that no two datasets have the same."""
    stems = [{Path(image["file_name"]).stem for image in source} for source in sources]
    for prefixes in ([""] * len(sources), [f"{source.folder.resolve().name}_" for source in sources]):
        names = Counter(prefix + stem for prefix, some in zip(prefixes, stems, strict=True) for stem in some)
        if max(names.values()) == 1:
            return prefixes
    return [f"{number}_" for number in range(1, len(sources) + 1)]


def unified(datasets: Iterable[Dataset]) -> tuple[Category, ...]:
    """All categories of some datasets, each name once, under the id of the first that lists it, or a free one.

    :raises DatasetError: if a category has other keypoints in one dataset than in another.
    """
    named: dict[str, Category] = {}
    for dataset in datasets:
        for category in dataset.category_list:
            known = named.setdefault(category.name, category)
            if known.keypoints and category.keypoints and known.keypoints != category.keypoints:
                raise DatasetError(
                    f"{dataset.path} has other keypoints for {category.name!r} than the dataset before it; rename one"
                )
            if not known.keypoints:
                named[category.name] = replace(category, id=known.id)
    return with_own_ids(list(named.values()))


def zoom(source: Dataset, out: Path, factor: float) -> Iterator[int]:
    """Crop every image around its hands and scale the part up to the frame's size, into a new dataset.

    The part has 1/factor of the frame's width and height, its middle is that of the hands' box (the frame's where there
    is no hand), moved into the frame. Where the hands are larger than that, the part is as large as they need. Crowds
    (``iscrowd``) do not count for it: what of them is in the part stays.

    :returns: yields the number of images done, after each.
    :raises DatasetError: if ``out`` is not new, an image, mask or camera is missing or damaged, or two images would
        get one name, as ``a.png`` and ``a.jpg`` would.
    """
    names = Counter(_name(image) for image in source)
    if doubled := [name for name, times in names.items() if times > 1]:
        raise DatasetError(f"several images of {source.folder} would be called {doubled[0]} in {out}; rename them")
    of_hands = set(source.categories.values()) <= {category.name for category in HAND_CATEGORIES}
    categories = None if of_hands else source.category_list
    with new_folder(out) as folder:
        for name in ("images", "masks"):
            (folder / name).mkdir()
        records = []
        for image in source:
            records.append(_write(folder, source, image, factor, categories or HAND_CATEGORIES))
            yield len(records)
        info = {**source.inherited, "scene": {key: value for key, value in scene(source).items() if key != "scale"}}
        assemble(folder, records, {**info, "zoomed_from": source.id, "zoom": factor}, categories)


def _write(
    folder: Path, source: Dataset, image: ImageRecord, factor: float, categories: tuple[Category, ...]
) -> FrameRecord:
    path = Path(image["file_name"])
    frame = zoomed(source, image, factor)
    return write_sample(folder, frame, SUFFIXES.get(path.suffix.lower(), "png"), categories)


def zoomed(source: Dataset, image: ImageRecord, factor: float) -> Sample:
    """One image, zoomed; keypoints and the camera's matrix go with it, ground-truth maps do not."""
    width, height = image["width"], image["height"]
    annotated = list(zip(source.annotations(image), source.masks(image), strict=True))
    hands = (mask for annotation, mask in annotated if not annotation.get("iscrowd"))
    left, top, right, bottom = window(hands, width, height, factor)
    instances = [
        _zoomed_instance(source, image, annotation, mask, (left, top, right, bottom))
        for annotation, mask in annotated
        if not annotation.get("iscrowd") or mask[top:bottom, left:right].any()
    ]
    cropped = Image.fromarray(source.read_image(image)[top:bottom, left:right])
    meta = cast("ImageMeta", {key: value for key, value in image.items() if key not in _OF_THE_FILE})
    camera = source.camera(image)
    if camera is not None:
        scale = np.diag([width / (right - left), height / (bottom - top), 1.0])
        shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
        meta["camera"] = (scale @ shift @ camera).tolist()
    pixels = np.asarray(cropped.resize((width, height), Image.Resampling.BICUBIC))
    return Sample(_name(image), pixels, tuple(instances), meta)


def _name(image: ImageRecord) -> str:
    return short_name("_".join(Path(image["file_name"]).with_suffix("").parts))


def _zoomed_instance(
    source: Dataset,
    image: ImageRecord,
    annotation: AnnotationRecord,
    mask: np.ndarray,
    box: tuple[int, int, int, int],
) -> Instance:
    left, top, right, bottom = box
    height, width = mask.shape
    part = Image.fromarray(mask[top:bottom, left:right].astype(np.uint8) * 255)
    scaled = np.asarray(part.resize((width, height), Image.Resampling.BILINEAR)) > 127
    kind = source.listed_category(image, annotation)
    points = source.points(annotation, "keypoints", (len(kind.keypoints or KEYPOINTS), 3))
    wrist = source.points(annotation, "wrist", (2, 2))
    moved = None if points is None else _moved(points, box, width, height)
    zoom = np.array([width / (right - left), height / (bottom - top)])
    ends = None if wrist is None else (wrist - (left, top)) * zoom
    return Instance(
        scaled,
        moved,
        annotation.get("side"),
        kind.name,
        wrist=ends,
        crowd=bool(annotation.get("iscrowd")),
        glove=annotation.get("glove"),
        mirrored=bool(annotation.get("mirrored")),
    )


def window(masks: Iterable[np.ndarray], width: int, height: int, factor: float) -> tuple[int, int, int, int]:
    """The part to show, xyxy in whole pixels, half-open, in the frame's proportions to within a pixel."""
    union = np.zeros((height, width), bool)
    for mask in masks:
        union |= mask
    x, y, w, h = (0, 0, width, height)
    share = 1 / factor
    if union.any():
        x, y, x1, y1 = mask_box(union)
        w, h = x1 - x, y1 - y
        share = max(share, w / width, h / height)
    across, down = max(1, round(width * share)), max(1, round(height * share))
    left = min(max(x + (w - across) // 2, 0), width - across)
    top = min(max(y + (h - down) // 2, 0), height - down)
    return left, top, left + across, top + down


def _moved(points: np.ndarray, box: tuple[int, int, int, int], width: int, height: int) -> np.ndarray:
    """Keypoints (K, 3) in the part's pixels; those outside it have visibility 0 and lie at 0, 0, as COCO has it."""
    left, top, right, bottom = box
    moved = points.copy()
    moved[:, 0] = (moved[:, 0] - left) * width / (right - left)
    moved[:, 1] = (moved[:, 1] - top) * height / (bottom - top)
    inside = (moved[:, :2] >= 0).all(axis=1) & (moved[:, 0] < width) & (moved[:, 1] < height)
    moved[~inside | (moved[:, 2] == 0)] = 0
    return moved
