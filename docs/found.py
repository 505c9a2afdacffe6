"""A sheet of images with what a network has found in them, four in a row: docs/found.webp.

python docs/found.py OVERLAYS            the folder overlays/ of `handforge predict --overlays`
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

COLUMNS, TILE = 4, (320, 240)


def sheet(paths: list[Path]) -> Image.Image:
    """The images beside each other."""
    whole = Image.new("RGB", (COLUMNS * TILE[0], -(-len(paths) // COLUMNS) * TILE[1]), (64, 64, 64))
    for number, path in enumerate(paths):
        tile = Image.open(path).convert("RGB")
        tile.thumbnail(TILE, Image.Resampling.LANCZOS)
        left, top = number % COLUMNS * TILE[0], number // COLUMNS * TILE[1]
        whole.paste(tile, (left + (TILE[0] - tile.width) // 2, top + (TILE[1] - tile.height) // 2))
    return whole


def main() -> None:
    """Read and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overlays", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("found.webp"))
    parser.add_argument("--count", type=int, default=16, help="images, the first in order of their names; default 16")
    given = parser.parse_args()
    sheet(sorted(given.overlays.glob("*.jpg"))[: given.count]).save(given.out, quality=80, method=6)
    print(given.out)


if __name__ == "__main__":
    main()
