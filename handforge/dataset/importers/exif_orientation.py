"""Photographs stored rotated or flipped (EXIF), and masks and shapes that were drawn on them as stored."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from handforge.dataset.image_io import exif_orientation, image_header, upright
from handforge.dataset.importers.annotated import Size
from handforge.dataset.records import DatasetError
from handforge.text import counted

_TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (-1, True), 6: (-1, False), 7: (1, True), 8: (1, False)}
"""By EXIF orientation, quarter turns to the left, and whether the result is then mirrored left to right."""


def turns(entries: Iterable[tuple[Path, Size]]) -> tuple[dict[Path, int], list[str]]:
    """Return the images whose shapes have to be turned with them, with their EXIF orientation, 2 to 8, and notes.

    The sizes tell it of images for which width and height are exchanged; what holds for all of these holds for the
    others of the source, too. Where no size tells, shapes were drawn on the upright image, as viewers show it.

    :param entries: each image with the size that its mask has, or that its annotations state.
    """
    stored: dict[Path, int] = {}
    unclear: dict[Path, int] = {}
    any_upright = False
    for path, size in entries:
        try:
            with image_header(path) as image:
                orientation, stored_size = exif_orientation(image), image.size
                upright_size = upright(image).size if orientation > 4 else None
        except DatasetError:
            continue  # it is named when its turn comes
        if orientation == 1:
            continue
        if upright_size is None or stored_size == upright_size or size is None:
            unclear[path] = orientation
        elif size == stored_size:
            stored[path] = orientation
        else:
            any_upright = True
    if stored and not any_upright:
        return stored | unclear, []
    if unclear and not any_upright:
        first = min(unclear)
        return stored, [
            f"{counted(len(unclear), 'image')} stored rotated or flipped (EXIF), {first} for one; what is drawn on "
            "them is taken as drawn on the upright images"
        ]
    return stored, []


def turn_mask(mask: np.ndarray, orientation: int) -> np.ndarray:
    """A mask (H, W) of the stored image as the upright image needs it, by the EXIF orientation, 1 to 8."""
    quarters, mirrored = _TURNS.get(orientation, (0, False))
    turned = np.rot90(mask, quarters)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)
