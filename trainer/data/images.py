"""Images for training: checked and decoded once, kept small in memory, drawn into batches.

All randomness of a batch comes from the key passed in, so a step's batch can be made alone, in any thread.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Container, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from pycocotools import mask as rle

from handforge.dataset import Category, Dataset, DatasetError, encode_mask
from handforge.dataset.coco_types import ImageRecord, RleCode
from handforge.dataset.rle import mask_box
from handforge.dataset.validate import record_problems
from trainer.config import categories
from trainer.config.recipe import ImageSettings
from trainer.data import augment
from trainer.data.augment import TrainingSample

CACHE_FRACTION = 0.4
"""Fraction of the machine's memory that decoded images may take; the rest is decoded when drawn."""
ZOOM = 2
"""Augmentation zooms into images, so they are kept in so many times the network's size."""
CROWD_COLOR = (124, 116, 104)
"""ImageNet's mean colour, which crowds are painted in: a network sees nothing there, neither object nor background."""
_NO_MASKS = np.zeros((0, 0, 0), bool)


@dataclass(frozen=True)
class Batch:
    """What one step trains on.

    :param images: B tensors (3, H, W) float32 in 0..1.
    :param targets: B dictionaries as torchvision's Mask R-CNN takes them; boxes are half-open pixel xyxy.
    :param numbers: the images' numbers.
    """

    images: list[torch.Tensor]
    targets: list[dict[str, torch.Tensor]]
    numbers: list[int]


def memory_bytes() -> int:
    """The memory that this process may count on: its share of the machine's, or of what a container is given."""
    if not hasattr(os, "sysconf"):  # Windows
        return 8 * 2**30
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # no control groups, or "max"
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # as torchrun says


class ImagePool:
    """All images of one or more datasets, by number: those of the first from 0, then those of the next.

    Annotations are checked at once for what torchvision would accept in silence, images and masks when they are
    decoded: those that :meth:`decode` is told before any training, others when they are drawn.

    :param datasets: opened, each for what it is to teach.
    :param keypoints: whether every object has to have its category's keypoints, and batches have them.
    :param whole: whether every image has one class as a whole, that of its objects, and batches have it in place of
        objects.
    :param classes: what is learned, by the categories' names; class 1 is the first. Objects of other categories are
        background. None: all that the datasets have annotations of.
    :raises DatasetError: naming file and annotation.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        settings: ImageSettings,
        keypoints: bool = False,
        classes: Sequence[Category] | None = None,
        whole: bool = False,
    ) -> None:
        self.settings = settings
        self.classes = tuple(classes) if classes else categories.choose(datasets)
        self.keypoints = categories.common_keypoints(self.classes) if keypoints else None
        self._labels = {category.name: number for number, category in enumerate(self.classes, start=1)}
        self._entries = [(dataset, image) for dataset in datasets for image in dataset]
        for dataset in datasets:
            check_records(dataset, self.keypoints, self._labels)
        self._whole = [self._class_of(*entry) for entry in self._entries] if whole else None
        self._free_bytes = int(CACHE_FRACTION * memory_bytes())
        self._cache: dict[int, tuple[TrainingSample, list[RleCode]]] = {}

    def decode(self, numbers: Iterable[int], workers: int = 2, on_done: Callable[[], None] = lambda: None) -> None:
        """Decode images by their numbers and keep them, as far as there is memory.

        :param workers: threads.
        :param on_done: called after each image.
        :raises DatasetError: naming file and annotation.
        """
        with ThreadPoolExecutor(max(1, workers)) as pool:
            for _ in pool.map(self._fill, numbers):
                on_done()

    def __len__(self) -> int:
        return len(self._entries)

    def name(self, index: int) -> str:
        """An image's file name."""
        return self._entries[index][1]["file_name"]

    def _class_of(self, dataset: Dataset, image: ImageRecord) -> int:
        """The class of a whole image, from 1.

        :raises DatasetError: if it has objects of none or of several of the classes.
        """
        names = {str(dataset.category(a)) for a in dataset.annotations(image) if not a.get("iscrowd")}
        found = sorted(names & set(self._labels))
        if len(found) != 1:
            raise DatasetError(
                f"{dataset.path}: {image['file_name']} has {' and '.join(found) or 'no object that is learned'}; "
                "classification needs images of one category each"
            )
        return self._labels[found[0]]

    def _fill(self, index: int) -> None:
        sample = self._decode(index)
        if self._free_bytes >= sample.image.nbytes:
            self._free_bytes -= sample.image.nbytes
            self._cache[index] = (replace(sample, masks=_NO_MASKS), [encode_mask(mask) for mask in sample.masks])

    def _decode(self, index: int) -> TrainingSample:
        dataset, record = self._entries[index]
        image = dataset.read_image(record)
        annotated = dataset.annotations(record)
        every = np.array(dataset.masks(record), bool).reshape(-1, *image.shape[:2])
        crowds = np.array([bool(annotation.get("iscrowd")) for annotation in annotated], bool)
        labels = np.array([self._labels.get(str(dataset.category(annotation)), 0) for annotation in annotated], int)
        learned = ~crowds & (labels > 0)
        masks, labels = every[learned], labels[learned]
        if (crowded := every[crowds].any(0) & ~masks.any(0)).any():
            image = np.where(crowded[..., None], np.array(CROWD_COLOR, np.uint8), image)
        scale = ZOOM if self.settings.augmentation != "none" else 1
        size = self._fit(image, (scale * self.settings.min_size, scale * self.settings.max_size))
        if size[0] >= image.shape[1] and scale > 1:
            size = (image.shape[1], image.shape[0])
        keypoints = None
        mirrored: tuple[int, ...] = ()
        if self.keypoints:
            values = [annotated[number]["keypoints"] for number in np.flatnonzero(learned)]
            keypoints = np.array(values, np.float32).reshape(-1, len(self.keypoints.keypoints), 3)
            mirrored = categories.mirrored_order(self.keypoints)
        return augment.resize(TrainingSample(image, masks, keypoints, labels, mirrored), size)

    @property
    def size(self) -> tuple[int, int]:
        """The largest short and long side of the images that the network sees."""
        return self.settings.min_size, self.settings.max_size

    @staticmethod
    def _fit(image: np.ndarray, size: tuple[int, int]) -> tuple[int, int]:
        return augment.fit(image.shape[1], image.shape[0], *size)

    def sample(self, index: int) -> TrainingSample:
        """An image and its masks in the size they are kept in."""
        if index not in self._cache:
            return self._decode(index)
        sample, codes = self._cache[index]
        masks = [rle.decode(code).astype(bool) for code in codes]
        return replace(sample, masks=np.array(masks, bool).reshape(-1, *sample.image.shape[:2]))

    def batch(
        self,
        indices: Sequence[int],
        key: Sequence[int] | None,
        part: slice = slice(None),
        size: tuple[int, int] | None = None,
    ) -> Batch:
        """Images as one batch; augmented with draws that ``key`` seeds, or as they are where it is None.

        :param size: their largest short and long side; None is :attr:`size`.
        :param part: make these images of the batch only; they are the same as in the whole batch.
        """
        if self.settings.augmentation != "none" and key is not None:
            samples = self._augmented([self.sample(index) for index in indices], key, part, size or self.size)
        else:
            samples = [self.sample(index) for index in indices[part]]
            samples = [augment.resize(sample, self._fit(sample.image, size or self.size)) for sample in samples]
        if self._whole is not None:
            targets = [{"labels": torch.tensor([self._whole[index]])} for index in indices[part]]
        else:
            targets = [target(s.masks, s.keypoints, s.labels) for s in samples]
        return Batch([tensor(s.image) for s in samples], targets, list(indices[part]))

    def _augmented(
        self, samples: list[TrainingSample], key: Sequence[int], part: slice, largest: tuple[int, int]
    ) -> list[TrainingSample]:
        size = augment.frame_size(*largest, np.random.default_rng(key))
        made = []
        for place in range(len(samples))[part]:
            others = samples[:place] + samples[place + 1 :]
            rng = np.random.default_rng([*key, place])
            alone = self._whole is not None
            made.append(augment.augmented(self.settings.augmentation, samples[place], others, size, rng, alone))
        return made


def tensor(image: np.ndarray) -> torch.Tensor:
    """A (H, W, 3) uint8 image as (3, H, W) float32 in 0..1."""
    # by numpy: torch would wake all its threads, which are busy with the step before
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / np.float32(255))


def target(
    masks: np.ndarray, keypoints: np.ndarray | None = None, labels: np.ndarray | None = None
) -> dict[str, torch.Tensor]:
    """The target of (N, H, W) bool masks for torchvision: masks, labels, and the half-open boxes of the masks.

    A mask of no pixel (one that vanished in scaling) is left out.

    :param keypoints: (N, K, 3) float32, or None; they go into the target as they are.
    :param labels: (N,) classes from 1; None: all are of class 1.
    """
    there = masks.any((1, 2))
    masks = masks[there]
    boxes = np.array([mask_box(mask) for mask in masks], np.float32).reshape(-1, 4)
    found = {
        "boxes": torch.from_numpy(boxes),
        "labels": torch.ones(len(masks), dtype=torch.int64) if labels is None else torch.from_numpy(labels[there]),
        "masks": torch.from_numpy(masks.astype(np.uint8)),
    }
    if keypoints is not None:
        found["keypoints"] = torch.from_numpy(keypoints[there])
    return found


def check_records(dataset: Dataset, keypoints: Category | None = None, names: Container[str] | None = None) -> None:
    """Refuse annotations that torchvision would train on in silence; masks and images are checked as they decode.

    :param keypoints: the category whose keypoints every object has to have; None: none are needed.
    :param names: the categories that are learned; None: all.
    :raises DatasetError: naming file and annotation: what ``check`` finds wrong
        (:func:`handforge.dataset.validate.record_problems`), or keypoints that are missing.
    """
    for image in dataset:
        if problems := record_problems(dataset, image):
            said = problems[0].startswith(str(dataset.path))  # by the reader
            raise DatasetError(problems[0] if said else f"{dataset.path}: {problems[0]}")
        for annotation in dataset.annotations(image) if keypoints else ():
            learned = names is None or dataset.category(annotation) in names
            if learned and not annotation.get("iscrowd") and annotation.get("keypoints") is None:
                raise DatasetError(
                    f"{dataset.path}: {image['file_name']}: annotation {annotation['id']} has no keypoints, which the "
                    "task keypoints needs of every object"
                )
