"""What all importers share: frames in, a whole dataset folder out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track
from scipy import ndimage

from handforge.dataset import CATEGORIES, IMAGE_SUFFIXES, DatasetError, Sample, assemble, write_sample
from handforge.files import new_folder

T = TypeVar("T")


@dataclass(frozen=True)
class About:
    """What is said of a source as a whole.

    :param category: what its masks cover, one of :data:`handforge.dataset.CATEGORIES`.
    :param background: a word for it; sets of the same word have similar backgrounds. None where nothing is said.
    :param scale: a word for the hands' size; sets of the same word are alike. None: it is measured where it is needed.
    :param all_hands: whether every hand in the images is annotated; None where nothing is said.
    """

    category: str = CATEGORIES[1]
    background: str | None = None
    scale: str | None = None
    all_hands: bool | None = None

    def info(self, importer: str, **settings: Any) -> dict[str, Any]:
        """What ``dataset.json`` says of an import."""
        scene = {"background": self.background, "scale": self.scale, "all_hands": self.all_hands}
        return {
            "importer": importer,
            "settings": {**settings, "mask": self.category},
            "scene": {key: value for key, value in scene.items() if value is not None},
        }


def write_dataset(out: Path, frames: Iterable[Sample], total: int, info: dict[str, Any]) -> int:
    """Write frames as a dataset folder that appears whole or not at all; returns the number of images.

    :param total: how many frames there will be, for the progress on a terminal.
    :raises DatasetError: if there is no frame, or two have the same name.
    """
    with new_folder(out) as folder:
        (folder / "images").mkdir()
        (folder / "masks").mkdir()
        console = Console(stderr=True)
        shown = track(frames, "import", total, console=console, transient=True, disable=not console.is_terminal)
        records, names = [], set()
        for frame in shown:
            if frame.name in names:
                raise DatasetError(f"two images are called {frame.name}; each needs a name of its own")
            names.add(frame.name)
            records.append(write_sample(folder, frame))
        if not records:
            raise DatasetError("there is no image to import")
        assemble(folder, records, info)
    return len(records)


def pictures(folder: Path) -> list[Path]:
    """The image files of a folder in sorted order.

    :raises DatasetError: if the folder is missing or has none, or two images differ in their suffix only.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is missing")
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith("."))
    if not files:
        raise DatasetError(f"{folder} holds no image ({', '.join(IMAGE_SUFFIXES)}); folders in it are not searched")
    for one, other in pairwise(files):
        if one.stem == other.stem:
            raise DatasetError(f"{one} and {other.name} have the same name; rename one")
    return files


def without_specks(mask: np.ndarray, min_area: int) -> np.ndarray:
    """A (H, W) bool mask without its 8-connected pieces of fewer than ``min_area`` pixels."""
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    return (np.bincount(labels.ravel()) >= min_area)[labels] & mask


def pieces(mask: np.ndarray) -> list[np.ndarray]:
    """The 8-connected pieces of a (H, W) bool mask, each a mask of its own, from the top down."""
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    return [labels == number for number in range(1, count + 1)]


def spread(entries: Sequence[T], count: int | None) -> list[T]:
    """``count`` entries spread evenly over all, or all of them where it is None.

    :raises DatasetError: if there are fewer.
    """
    if count is None:
        return list(entries)
    if count > len(entries):
        raise DatasetError(f"{count} images were asked for, there are {len(entries)}")
    return [entries[i * len(entries) // count] for i in range(count)]
