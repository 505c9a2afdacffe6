"""What all importers share: frames in, a whole dataset folder out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import numpy as np
from scipy import ndimage

from handforge.dataset import (
    CATEGORIES,
    HAND_CATEGORIES,
    IMAGE_SUFFIXES,
    Category,
    DatasetError,
    Sample,
    assemble,
    write_sample,
)
from handforge.dataset.coco_types import FrameRecord
from handforge.dataset.scene import stated_scene
from handforge.files import new_folder, short_name
from handforge.progress import progress_counter

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

    def info(self, importer: str, **settings: object) -> dict[str, object]:
        """What ``dataset.json`` says of an import."""
        scene = stated_scene(self.background, self.scale, self.all_hands)
        return {"importer": importer, "settings": {**settings, "mask": self.category}, "scene": scene}


@dataclass(frozen=True)
class Imported:
    """What an import has made.

    :param images: how many images the dataset has.
    :param notes: what was left out and how entries were read, one line each.
    :param unreadable: files that were skipped since they cannot be read, with the reason.
    """

    images: int
    notes: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()


def write_dataset(
    out: Path,
    frames: Iterable[Sample],
    total: int,
    info: Mapping[str, object],
    categories: Sequence[Category] | None = None,
) -> int:
    """Write frames as a dataset folder that appears whole or not at all; returns the number of images.

    Names that are too long for a file are cut.

    :param total: how many frames there will be, for the progress.
    :param categories: those of the dataset; None: hands.
    :raises DatasetError: if there is no frame, or two have the same name.
    """
    with new_folder(out) as folder:
        (folder / "images").mkdir()
        (folder / "masks").mkdir()
        records: list[FrameRecord] = []
        names = set()
        with progress_counter("import", "images") as shown:
            for given in frames:
                name = short_name(given.name)
                frame = given if name == given.name else replace(given, name=name)
                if name in names:
                    raise DatasetError(f"two images are called {name}; each needs a name of its own")
                names.add(name)
                records.append(write_sample(folder, frame, categories=categories or HAND_CATEGORIES))
                shown(len(records), total)
        if not records:
            raise DatasetError("there is no image to import")
        assemble(folder, records, info, categories)
    return len(records)


class UnreadableError(DatasetError):
    """A file of the source cannot be read; the others can still be imported."""


def readable(read: Callable[[Path], T], path: Path) -> T:
    """Read a file of the source.

    :raises UnreadableError: if it is damaged or of no kind that can be read.
    """
    try:
        return read(path)
    except DatasetError as error:
        raise UnreadableError(str(error)) from None


def tolerant(frames: Iterable[Callable[[], Sample]], strict: bool, unreadable: list[str]) -> Iterator[Sample]:
    """Make each frame; one that cannot be read is skipped and its error kept, or raised if ``strict``.

    :raises UnreadableError: if none can be read.
    """
    made = 0
    for make in frames:
        try:
            frame = make()
        except UnreadableError as error:
            if strict:
                raise
            unreadable.append(str(error))
        else:
            made += 1
            yield frame
    if not made and unreadable:
        raise UnreadableError(unreadable[0])


def image_files(folder: Path, recursive: bool = False, layout: str = "") -> list[Path]:
    """List the image files of a folder in sorted order, without hidden ones as ``._name.jpg``.

    :param recursive: those in its folders, too.
    :param layout: what to give instead where the folder is missing, to say so.
    :raises DatasetError: if the folder is missing or has none, or two images of one folder differ in their suffix only
        and ``recursive`` is off.
    """
    if not folder.is_dir():
        raise DatasetError(
            f"{folder} is not a folder; give one of images"
            if folder.exists()
            else f"{folder} is missing" + (f"; {layout}" if layout else "")
        )
    found = folder.rglob("*") if recursive else folder.iterdir()
    files = sorted(
        f for f in found if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith(".") and f.is_file()
    )
    if not files:
        searched = "" if recursive else "; folders in it are not searched"
        raise DatasetError(f"{folder} holds no image ({', '.join(IMAGE_SUFFIXES)}){searched}")
    for one, other in pairwise(files):
        if one.stem == other.stem and not recursive:
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


def pick(entries: Sequence[T], count: int | None, seed: int | None = None) -> list[T]:
    """``count`` entries in their order, or all of them where it is None.

    :param seed: of a random sample without replacement; None: they are spread evenly over all.
    :raises DatasetError: if there are fewer, or a seed is given without their number.
    """
    if count is None and seed is not None:
        raise DatasetError("a seed draws some of the images; say how many, by --count")
    if count is None:
        return list(entries)
    if count > len(entries):
        raise DatasetError(f"{count} images were asked for, there are {len(entries)}")
    if seed is not None:
        return [entries[i] for i in np.sort(np.random.default_rng(seed).choice(len(entries), count, replace=False))]
    return [entries[i * len(entries) // count] for i in range(count)]
