"""Any folder with ``images/`` and ``masks/``: pictures and masks of the same stem, one hand or all hands a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from generator.dataset import DatasetError, Frame, Instance, read_mask, read_picture
from trainer.importers.folder import pictures, without_specks, write_dataset


def import_masks(source: Path, out: Path, min_area: int = 0, on_done: Callable[[], None] = lambda: None) -> int:
    """Make a dataset of a folder of pictures and masks; returns the number of pictures.

    What is brighter than half in a mask is hand; all of it is one annotation. A mask without a hand makes a picture
    without annotations.

    :param min_area: pieces of a mask with fewer pixels are dropped.
    :raises DatasetError: naming the file, if a mask is missing, of another size, or anything is damaged.
    """

    def frames() -> Iterator[Frame]:
        for path in pictures(source / "images"):
            picture, mask = read_picture(path), read_mask(mask_of(source / "masks", path.stem))
            if min_area:
                mask = without_specks(mask, min_area)
            yield Frame(path.stem, picture, (Instance(mask),))
            on_done()

    return write_dataset(out, frames(), {"importer": "masks", "settings": {"min_area": min_area}})


def mask_of(folder: Path, stem: str) -> Path:
    """The mask file of a stem, ``.png`` or ``.bmp``.

    :raises DatasetError: if there is none.
    """
    for suffix in (".png", ".bmp"):
        if (folder / f"{stem}{suffix}").is_file():
            return folder / f"{stem}{suffix}"
    raise DatasetError(f"{folder / stem}.png is missing; every picture needs a mask of the same name")
