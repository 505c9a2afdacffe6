"""11K Hands: ``HandInfo.csv`` and ``Hands/*.jpg``, one hand before white in each.

The set has no masks. Where there is a ``masks/NAME.png``, it is the ground truth; else the hand is what differs from
the background, by Otsu's threshold: look at these masks (``handforge dataset preview``) before you rely on them.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage

from handforge.dataset import DatasetError, Instance, Sample, read_image, read_mask
from handforge.dataset.importers.folder import About, Imported, pick, write_dataset

COLUMNS = ("id", "aspectOfHand", "imageName")


def import_hands11k(
    source: Path, out: Path, about: About, count: int | None = None, seed: int | None = None
) -> Imported:
    """Make a dataset of 11K Hands. Each image's ``group`` is its person.

    :param count: take so many images, spread evenly over all, or with ``seed`` a random sample.
    :raises DatasetError: naming the file, if the layout is another one or anything is damaged.
    """
    rows = pick(_rows(source / "HandInfo.csv"), count, seed)
    folder = next((source / name for name in ("Hands", "images") if (source / name).is_dir()), source)

    def frames() -> Iterator[Sample]:
        for row in rows:
            image = read_image(folder / Path(row["imageName"]).name)
            name = Path(row["imageName"]).stem
            beside = source / "masks" / f"{name}.png"
            mask = read_mask(beside) if beside.parent.is_dir() else before_white(image)
            aspect, _, side = row["aspectOfHand"].partition(" ")
            if side not in ("left", "right"):
                raise DatasetError(f"{source / 'HandInfo.csv'}: aspectOfHand of {name} is {row['aspectOfHand']!r}")
            yield Sample(
                name,
                image,
                (Instance(mask, side=side, category=about.category),),
                {"group": row["id"], "aspect": aspect},
            )

    return Imported(write_dataset(out, frames(), len(rows), about.info("hands11k", count=count, seed=seed)))


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise DatasetError(f"{path} is missing; unpack 11K Hands there") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} is not a CSV file that can be read ({error})") from None
    if not rows or any(row.get(name) is None for row in rows for name in COLUMNS):
        raise DatasetError(f"{path} does not have the columns {', '.join(COLUMNS)} in every row")
    names = Counter(Path(row["imageName"]).stem for row in rows)
    if doubled := [name for name, times in names.items() if times > 1]:
        raise DatasetError(f"{path} has several rows for {doubled[0]}; remove all but one")
    return rows


def before_white(image: np.ndarray) -> np.ndarray:
    """The (H, W) bool mask of the one large object before a bright plain background, without holes.

    :param image: (H, W, 3) uint8.
    """
    from skimage.filters import threshold_otsu

    # Skin takes blue away before anything else, so the least channel tells it best from white and from grey shade.
    value = ndimage.gaussian_filter(image.min(2).astype(float), 0.7)
    value -= ndimage.gaussian_filter(image.max(2).astype(float), 0.7) * 0.5  # and colour tells it from a shadow
    pieces, count = ndimage.label(ndimage.binary_fill_holes(value < threshold_otsu(value)))
    if not count:
        return np.zeros(value.shape, bool)
    return pieces == 1 + np.argmax(np.bincount(pieces.ravel())[1:])
