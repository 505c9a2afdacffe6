"""Any folder with ``images/`` and ``masks/``: images and masks of the same name, one hand or several a mask."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from handforge.dataset.image_io import image_header, read_image, upright
from handforge.dataset.importers.exif_orientation import turn_mask, turns
from handforge.dataset.importers.folder import (
    About,
    Imported,
    image_files,
    pieces,
    readable,
    tolerant,
    without_specks,
    write_dataset,
)
from handforge.dataset.importers.mask_values import MaskValues, decide, read_values, with_grey_levels
from handforge.dataset.importers.matching_files import sample_names
from handforge.dataset.records import DatasetError, Instance, Sample

_LAYOUT = "give the folder that holds images/ and masks/"

_ENDING = re.compile(r"[._ -](?:mask|masks|seg|label|jpg|jpeg|png)$", re.IGNORECASE)
"""What tools put behind an image's name for its mask: ``a_mask.png``, ``a.jpg.png``."""


def import_masks(
    source: Path,
    out: Path,
    about: About,
    min_area: int = 0,
    split: bool = False,
    hand_values: Sequence[int] = (),
    ignore_values: Sequence[int] = (),
    strict: bool = False,
) -> Imported:
    """Make a dataset of a folder of images and masks, with their folders.

    A mask without a hand makes an image without annotations. Ids and colours are a hand each, grey levels are one
    hand where they are brighter than half (:mod:`handforge.dataset.importers.mask_values`); what is to be ignored
    becomes a crowd region.

    :param min_area: pieces of a hand with fewer pixels are dropped.
    :param split: where masks hold one value for hands, each 8-connected piece is a hand of its own.
    :param hand_values: values that are hands, where the masks' own do not tell.
    :param ignore_values: values that are neither hand nor background.
    :param strict: an image or mask that cannot be read ends the import instead of being skipped.
    :raises DatasetError: naming the file, if a mask is missing or two images would have one, or nothing can be read.
    """
    files = image_files(source / "images", recursive=True, layout=_LAYOUT)
    masks = _masks(source / "masks")
    names = sample_names(files, source / "images")
    meaning = decide(_readable(masks.values(), strict), hand_values, ignore_values)
    pairs = [(path, masks.get(_key(path, source / "images")) or masks.get(path.stem)) for path in files]
    images_of: dict[Path, list[Path]] = defaultdict(list)
    for path, mask in pairs:
        if mask is not None:
            images_of[mask].append(path)
    if doubled := next((found for found in images_of.items() if len(found[1]) > 1), None):
        mask, (one, other, *_) = doubled
        raise DatasetError(f"{one} and {other} would both have the mask {mask}; each needs its own")
    turned, unclear = turns((path, _size(mask)) for path, mask in pairs if mask is not None)
    unreadable: list[str] = []
    covered: list[float] = []

    def frames() -> Iterator[Callable[[], Sample]]:
        for path, mask in pairs:
            if mask is None:
                raise DatasetError(f"{path} has no mask; {source / 'masks'} needs an image called {path.stem}")
            drawn = MaskFile(mask, meaning, turned.get(path, 1))
            yield partial(_sample, path, drawn, names[path], about.category, min_area, split, covered)

    info = about.info("masks", min_area=min_area, split=split, values=meaning.describe())
    count = write_dataset(out, tolerant(frames(), strict, unreadable), len(files), info)
    alone = sorted({*masks.values()} - {mask for _, mask in pairs})
    notes = [meaning.describe(), *unclear]
    if covered and np.median(covered) > 0.5:
        notes.append(
            f"hands cover {np.median(covered):.0%} of the images (median); where hands are black, give --hand-values 0"
        )
    if alone:
        notes.append(f"{len(alone)} masks have no image in {source / 'images'}, {alone[0]} for one")
    return Imported(count, tuple(notes), tuple(unreadable))


def _masks(folder: Path) -> dict[str, Path]:
    """The masks by their path without suffix, and by their stem, also without "_mask", where that is theirs alone."""
    files = image_files(folder, recursive=True, layout=_LAYOUT)
    found = {_key(path, folder): path for path in files}
    if len(found) < len(files):
        doubled = next(path for path in files if found[_key(path, folder)] != path)
        raise DatasetError(f"{doubled} and {found[_key(doubled, folder)].name} have the same name; rename one")
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        for stem in {path.stem, _ENDING.sub("", path.stem)}:
            by_stem[stem].append(path)
    return {stem: paths[0] for stem, paths in by_stem.items() if len(paths) == 1} | found


def _key(path: Path, root: Path) -> str:
    return path.relative_to(root).with_suffix("").as_posix()


def _readable(files: Iterable[Path], strict: bool) -> Iterator[tuple[np.ndarray, bool]]:
    """The values of the masks that can be read; the others are named when their image's turn comes."""
    for path in files:
        try:
            yield read_values(path)
        except DatasetError:
            if strict:
                raise


def _size(mask: Path) -> tuple[int, int] | None:
    """The width and height of a mask, upright; None where it cannot be read."""
    try:
        with image_header(mask) as image:
            return upright(image).size
    except DatasetError:
        return None


@dataclass(frozen=True)
class MaskFile:
    """A mask image.

    :param meaning: what its values mean.
    :param orientation: by which it is turned, as its photograph is (`exif_orientation.py`).
    """

    path: Path
    meaning: MaskValues
    orientation: int = 1

    def read(self, image: np.ndarray, name: str | Path) -> tuple[list[np.ndarray], np.ndarray]:
        """Its hands' masks and what is to be ignored, each (H, W) bool.

        :param image: (H, W, 3), the image that it belongs to.
        :param name: the image's, for messages.
        :raises UnreadableError: if it is damaged.
        :raises DatasetError: if it has another size than the image.
        """
        values = with_grey_levels(*readable(read_values, self.path), self.meaning)
        values = turn_mask(values, self.orientation)
        if values.shape != image.shape[:2]:
            raise DatasetError(
                f"{self.path} is {values.shape[1]}x{values.shape[0]}, its image {name} "
                f"{image.shape[1]}x{image.shape[0]}; both must have the same size"
            )
        return self.meaning.objects(values), self.meaning.ignore(values)


def instances(hands: list[np.ndarray], ignored: np.ndarray, category: str) -> tuple[Instance, ...]:
    """Hands' masks and what is to be ignored as instances; what has no pixel is left out."""
    crowd = [Instance(ignored, category=category, crowd=True)] if ignored.any() else []
    return (*(Instance(hand, category=category) for hand in hands if hand.any()), *crowd)


def _sample(
    path: Path, mask: MaskFile, name: str, category: str, min_area: int, split: bool, covered: list[float]
) -> Sample:
    image = readable(read_image, path)
    hands, ignored = mask.read(image, path)
    covered.append(float(np.mean(np.any(hands, axis=0))) if hands else 0.0)
    if split and len(mask.meaning.hands or (1,)) == 1:
        hands = [piece for hand in hands for piece in pieces(hand)]
    hands = [without_specks(hand, min_area) for hand in hands] if min_area else hands
    return Sample(name, image, instances(hands, ignored, category))
