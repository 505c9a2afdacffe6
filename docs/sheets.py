"""Sheets of images of each preset, ten in a row, with the outlines of their masks: docs/NAME.webp.

python docs/sheets.py                    of all presets; about a minute of one core each, the indoor ones two
python docs/sheets.py varied gloves      of these
python docs/sheets.py --into DIR --seed 4 --count 20 objects
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import handforge
from generator.frame.settings import PRESETS
from handforge.dataset.contact_sheet import OUTLINE, outline

COLUMNS = 10
TILE = (192, 144)


def sheet(folder: Path) -> Image.Image:
    """All images of a dataset beside each other, each mask's outline in green."""
    data = handforge.load_dataset(folder)
    rows = -(-len(data) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * TILE[0], rows * TILE[1]), (64, 64, 64))
    for number, image in enumerate(data):
        tile = Image.fromarray(data.read_image(image))
        tile.thumbnail(TILE, Image.Resampling.LANCZOS)
        pixels = np.array(tile)
        for mask in data.masks(image):
            small = Image.fromarray(mask.astype(np.uint8) * 255).resize(tile.size, Image.Resampling.BOX)
            pixels[outline(np.asarray(small) > 127)] = OUTLINE
        left, top = number % COLUMNS * TILE[0], number // COLUMNS * TILE[1]
        whole.paste(Image.fromarray(pixels), (left + (TILE[0] - tile.width) // 2, top + (TILE[1] - tile.height) // 2))
    return whole


def main() -> None:
    """Render and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=PRESETS, metavar="PRESET", help=", ".join(PRESETS))
    parser.add_argument("--into", type=Path, default=Path(__file__).parent, help="folder; default: docs")
    parser.add_argument("--count", type=int, default=60, help="images of each; default 60")
    parser.add_argument("--resolution", default="480x360", help="that they are rendered in; default 480x360")
    parser.add_argument("--seed", type=int, default=4, help="of all random draws; default 4")
    parser.add_argument("--workers", type=int, default=2, help="processes; default 2")
    given = parser.parse_args()
    for name in given.presets:
        with tempfile.TemporaryDirectory() as where:
            chosen = {"count": given.count, "resolution": given.resolution, "seed": given.seed}
            handforge.render_dataset(name, Path(where, "out"), workers=given.workers, **chosen)
            path = given.into / f"{name}.webp"
            sheet(Path(where, "out")).save(path, quality=72, method=6)
            print(path)


if __name__ == "__main__":
    main()
