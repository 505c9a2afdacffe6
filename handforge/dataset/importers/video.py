"""Frames of a video with their truth: a folder of mask images, or annotations that people drew of the frames.

A mask or annotation belongs to the frame whose number, from 0, stands last in its name: ``frame_000012.png``. Several
of one frame are several hands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from handforge.dataset import DatasetError, Instance, Sample, read_mask
from handforge.dataset.importers.annotations import instances, read_shapes
from handforge.dataset.importers.folder import About, pictures, write_dataset
from handforge.dataset.video import read_frames

Hands = Callable[[np.ndarray], tuple[Instance, ...]]
"""The hands of one frame, made when its image is there."""


def import_video(source: Path, truth: Path, out: Path, about: About, label: str = "hand") -> int:
    """Make a dataset of the frames of a video for which there is truth; returns their number.

    All its images have the video as their ``group``.

    :param truth: a folder of masks, a COCO or CVAT file, or a folder of LabelMe's files.
    :param label: of annotations, only things of this label are hands.
    :raises DatasetError: naming the file, if a numbered frame is not in the video, or anything is damaged.
    """
    hands = _truth(truth, label, about.category)

    def frames() -> Iterator[Sample]:
        found = set()
        for number, picture in enumerate(read_frames(source)):
            if number in hands:
                found.add(number)
                meta = {"group": source.name, "frame": number}
                yield Sample(f"{source.stem}_{number:06d}", picture, hands[number](picture), meta)
        if missing := sorted(set(hands) - found):
            raise DatasetError(f"{source} ends before frame {missing[0]}, for which {truth} has truth")

    return write_dataset(out, frames(), len(hands), about.info("video", label=label))


def _truth(truth: Path, label: str, category: str) -> dict[int, Hands]:
    found: dict[int, list[Hands]] = {}
    if truth.is_dir() and not any(truth.glob("*.json")):  # beside LabelMe's files lie the frames, which are no masks
        for path in pictures(truth):
            found.setdefault(_number(path.stem), []).append(_from_mask(path, category))
    else:
        for stem, (things, size) in read_shapes(truth, label).items():
            one = partial(instances, things, size, label, category, path=truth)
            found.setdefault(_number(stem), []).append(one)
    return {number: partial(_all, several) for number, several in found.items()}


def _from_mask(path: Path, category: str) -> Hands:
    return lambda picture: (Instance(read_mask(path), category=category),)


def _all(several: list[Hands], picture: np.ndarray) -> tuple[Instance, ...]:
    """The hands of a frame that several masks or entries name, as one for the left hand and one for the right."""
    return tuple(hand for one in several for hand in one(picture))


def _number(stem: str) -> int:
    digits = re.findall(r"\d+", stem)
    if not digits:
        raise DatasetError(f"{stem!r} names no frame; the frame's number must stand last in the name")
    return int(digits[-1])
