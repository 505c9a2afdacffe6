"""A contact sheet of a dataset: images spread over it, each with its masks' outlines."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from handforge.dataset import Dataset
from handforge.files import remove_stale, write_atomic

COLUMNS, ROWS = 6, 6
TILE = (320, 180)
OUTLINE = (0, 200, 80)


def write(folder: Path) -> Path:
    """Write ``preview.jpg`` into a dataset's folder; its path.

    :raises DatasetError: if the dataset or one of the images on the sheet cannot be read.
    """
    data = Dataset(folder)
    count = min(len(data), COLUMNS * ROWS)
    picked = [data.images[i * len(data) // count] for i in range(count)]
    rows = -(-count // COLUMNS)
    sheet = Image.new("RGB", (min(count, COLUMNS) * TILE[0], rows * TILE[1]), (64, 64, 64))
    for place, image in enumerate(picked):
        tile = _tile(data.read_image(image), data.masks(image))
        left, top = place % COLUMNS * TILE[0], place // COLUMNS * TILE[1]
        sheet.paste(tile, (left + (TILE[0] - tile.width) // 2, top + (TILE[1] - tile.height) // 2))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=88)
    path = folder / "preview.jpg"
    remove_stale(path)
    write_atomic(path, buffer.getvalue())
    return path


def _tile(image: np.ndarray, masks: list[np.ndarray]) -> Image.Image:
    tile = Image.fromarray(image)
    tile.thumbnail((TILE[0] - 4, TILE[1] - 4))
    pixels = np.array(tile)
    for mask in masks:
        small = np.asarray(Image.fromarray(mask.astype(np.uint8) * 255).resize(tile.size, Image.Resampling.BOX)) > 127
        pixels[outline(small)] = OUTLINE
    return Image.fromarray(pixels)


def outline(mask: np.ndarray) -> np.ndarray:
    """The mask's pixels that have a neighbour outside it."""
    inner = np.pad(mask, 1)
    return mask & ~(inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:])
