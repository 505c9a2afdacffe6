"""Any folder with ``images/`` and ``masks/``: images and masks of the same stem, one hand or all hands a mask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from handforge.dataset import DatasetError, Instance, Sample, read_image, read_mask
from handforge.dataset.importers.folder import About, pictures, pieces, without_specks, write_dataset


def import_masks(
    source: Path, out: Path, about: About, min_area: int = 0, split: bool = False
) -> tuple[int, list[str]]:
    """Make a dataset of a folder of images and masks; returns their number, and the stems of masks without an image.

    What is brighter than half in a mask is hand. A mask without a hand makes an image without annotations.

    :param min_area: pieces of a mask with fewer pixels are dropped.
    :param split: each 8-connected piece of a mask is a hand of its own; else all of it is one annotation.
    :raises DatasetError: naming the file, if a mask is missing, of another size, or anything is damaged.
    """
    files, masks = pictures(source / "images"), {path.stem: path for path in pictures(source / "masks")}

    def frames() -> Iterator[Sample]:
        for path in files:
            if path.stem not in masks:
                raise DatasetError(f"{path} has no mask; {source / 'masks'} needs an image called {path.stem}")
            picture, mask = read_image(path), read_mask(masks[path.stem])
            if min_area:
                mask = without_specks(mask, min_area)
            hands = pieces(mask) if split else [mask]
            yield Sample(path.stem, picture, tuple(Instance(hand, category=about.category) for hand in hands))

    count = write_dataset(out, frames(), len(files), about.info("masks", min_area=min_area, split=split))
    return count, sorted(masks.keys() - {path.stem for path in files})
