"""Any folder with ``images/`` and ``masks/``: pictures and masks of the same stem, one hand or all hands a mask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from generator.dataset import DatasetError, Frame, Instance, read_mask, read_picture
from trainer.importers.folder import About, pictures, pieces, without_specks, write_dataset


def import_masks(source: Path, out: Path, about: About, min_area: int = 0, split: bool = False) -> int:
    """Make a dataset of a folder of pictures and masks; returns the number of pictures.

    What is brighter than half in a mask is hand. A mask without a hand makes a picture without annotations.

    :param min_area: pieces of a mask with fewer pixels are dropped.
    :param split: each 8-connected piece of a mask is a hand of its own; else all of it is one annotation.
    :raises DatasetError: naming the file, if a mask is missing, of another size, or anything is damaged.
    """
    files = list(pictures(source / "images"))

    def frames() -> Iterator[Frame]:
        for path in files:
            picture, mask = read_picture(path), read_mask(mask_of(source / "masks", path.stem))
            if min_area:
                mask = without_specks(mask, min_area)
            hands = pieces(mask) if split else [mask]
            yield Frame(path.stem, picture, tuple(Instance(hand, category=about.category) for hand in hands))

    return write_dataset(out, frames(), len(files), about.info("masks", min_area=min_area, split=split))


def mask_of(folder: Path, stem: str) -> Path:
    """The mask file of a stem, ``.png`` or ``.bmp``.

    :raises DatasetError: if there is none.
    """
    for suffix in (".png", ".bmp"):
        if (folder / f"{stem}{suffix}").is_file():
            return folder / f"{stem}{suffix}"
    raise DatasetError(f"{folder / stem}.png is missing; every picture needs a mask of the same name")
