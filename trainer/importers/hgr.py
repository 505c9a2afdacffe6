"""Kawulok's hand gesture recognition sets (HGR): ``original_images/*.jpg`` and inverted ``skin_masks/*.bmp``.

The masks are true on all bare skin, so hand and forearm are one; each picture's record says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from generator.dataset import DatasetError, Frame, Instance, read_mask, read_picture
from trainer.importers.folder import pictures, without_specks, write_dataset

NAME = re.compile(r"(?P<gesture>[^_]+)_(?P<kind>[PAS])_(?P<series>[^_]+)_id(?P<person>\d+)_(?P<number>\d+)")
"""``<gesture>_<P|A|S>_<series>_id<NN>_<k>``: Polish, American or special sign; NN is the person."""


def import_hgr(source: Path, out: Path, min_area: int = 50) -> int:
    """Make a dataset of HGR; returns the number of pictures. Each picture's ``group`` is its person.

    :param min_area: pieces of a mask with fewer pixels are dropped; the sets have stray specks below 50.
    :raises DatasetError: naming the file, if the layout is another one or anything is damaged.
    """

    def frames() -> Iterator[Frame]:
        for path in pictures(source / "original_images"):
            found = NAME.fullmatch(path.stem)
            if found is None:
                raise DatasetError(f"{path} is not named as HGR's pictures are, like 1_P_hgr1_id01_2.jpg")
            mask = without_specks(~read_mask(source / "skin_masks" / f"{path.stem}.bmp"), min_area)
            group = f"{found['series']}_id{found['person']}"
            meta = {"group": group, "gesture": f"{found['gesture']}_{found['kind']}", "mask": "hand+forearm"}
            yield Frame(path.stem, read_picture(path), (Instance(mask),), meta)

    return write_dataset(out, frames(), {"importer": "hgr", "settings": {"min_area": min_area}})
