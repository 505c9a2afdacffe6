"""Any folder with ``images/`` and ``masks/``: images and masks of the same name, one hand or several a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from handforge.dataset.image_io import read_image
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
    :raises DatasetError: naming the file, if a mask is missing, or nothing can be read.
    """
    files = image_files(source / "images", recursive=True)
    masks = _masks(source / "masks")
    names = sample_names(files, source / "images")
    meaning = decide(_readable(masks.values(), strict), hand_values, ignore_values)
    unreadable: list[str] = []

    def frames() -> Iterator[Callable[[], Sample]]:
        for path in files:
            mask = masks.get(_key(path, source / "images")) or masks.get(path.stem)
            if mask is None:
                raise DatasetError(f"{path} has no mask; {source / 'masks'} needs an image called {path.stem}")
            yield partial(_sample, path, mask, names[path], meaning, about.category, min_area, split)

    info = about.info("masks", min_area=min_area, split=split, values=meaning.describe())
    count = write_dataset(out, tolerant(frames(), strict, unreadable), len(files), info)
    used = {_key(path, source / "images") for path in files} | {path.stem for path in files}
    alone = sorted(str(path) for key, path in masks.items() if key not in used and path.stem not in used)
    notes = [meaning.describe()]
    if alone:
        notes.append(f"{len(set(alone))} masks have no image in {source / 'images'}, {alone[0]} for one")
    return Imported(count, tuple(notes), tuple(unreadable))


def _masks(folder: Path) -> dict[str, Path]:
    """The masks by their path without suffix, and by their stem where that is theirs alone."""
    files = image_files(folder, recursive=True)
    found = {_key(path, folder): path for path in files}
    if len(found) < len(files):
        doubled = next(path for path in files if found[_key(path, folder)] != path)
        raise DatasetError(f"{doubled} and {found[_key(doubled, folder)].name} have the same name; rename one")
    stems = [path.stem for path in files]
    return {path.stem: path for path in files if stems.count(path.stem) == 1} | found


def _key(path: Path, root: Path) -> str:
    return path.relative_to(root).with_suffix("").as_posix()


def _readable(files: Iterable[Path], strict: bool) -> Iterator[Path]:
    """The masks that can be read; the others are named when their image's turn comes."""
    for path in files:
        try:
            read_values(path)
        except DatasetError:
            if strict:
                raise
        else:
            yield path


def _sample(
    path: Path, mask: Path, name: str, meaning: MaskValues, category: str, min_area: int, split: bool
) -> Sample:
    image = readable(read_image, path)
    values = with_grey_levels(*readable(read_values, mask), meaning)
    if values.shape != image.shape[:2]:
        raise DatasetError(
            f"{mask} is {values.shape[1]}x{values.shape[0]}, its image {path} {image.shape[1]}x{image.shape[0]}; "
            "both must have the same size"
        )
    hands = meaning.objects(values)
    if split and len(meaning.hands or (1,)) == 1:
        hands = [piece for hand in hands for piece in pieces(hand)]
    hands = [without_specks(hand, min_area) for hand in hands] if min_area else hands
    instances = [Instance(hand, category=category) for hand in hands if hand.any()]
    ignored = meaning.ignore(values)
    if np.any(ignored):
        instances.append(Instance(ignored, category=category, crowd=True))
    return Sample(name, image, tuple(instances))
