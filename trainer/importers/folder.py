"""What all importers share: frames in, a whole dataset folder out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from scipy import ndimage

from generator.dataset import IMAGE_SUFFIXES, DatasetError, Frame, assemble, write_frame
from trainer.output import whole_folder

T = TypeVar("T")


def write_dataset(out: Path, frames: Iterable[Frame], info: dict[str, Any]) -> int:
    """Write frames as a dataset folder that appears whole or not at all; returns the number of pictures.

    :raises DatasetError: if there is no frame.
    """
    with whole_folder(out) as folder:
        (folder / "images").mkdir()
        (folder / "masks").mkdir()
        records = [write_frame(folder, frame) for frame in frames]
        if not records:
            raise DatasetError("there is no picture to import")
        assemble(folder, records, info)
    return len(records)


def pictures(folder: Path) -> Iterator[Path]:
    """The picture files of a folder in sorted order.

    :raises DatasetError: if the folder is missing or two pictures differ in their suffix only.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is missing")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
    for one, other in pairwise(files):
        if one.stem == other.stem:
            raise DatasetError(f"{one} and {other.name} have the same name; rename one")
    yield from files


def without_specks(mask: np.ndarray, min_area: int) -> np.ndarray:
    """A (H, W) bool mask without its 8-connected pieces of fewer than ``min_area`` pixels."""
    pieces, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    return (np.bincount(pieces.ravel()) >= min_area)[pieces] & mask


def spread(entries: Sequence[T], count: int | None) -> list[T]:
    """``count`` entries spread evenly over all, or all of them where it is None.

    :raises DatasetError: if there are fewer.
    """
    if count is None:
        return list(entries)
    if count > len(entries):
        raise DatasetError(f"{count} pictures were asked for, there are {len(entries)}")
    return [entries[i * len(entries) // count] for i in range(count)]
