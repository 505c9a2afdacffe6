"""Kawulok's hand gesture recognition sets (HGR): ``original_images/*.jpg``, inverted ``skin_masks/*.bmp``, and points.

The masks are true on all bare skin, so hand and forearm are one. Where ``feature_points/*.xml`` stand beside, they say
where the wrist is: elements ``IMAGE/hand/FeaturePoint`` with ``category``, ``x`` and ``y``, two of them ``Wrist``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from handforge.dataset import CATEGORIES, DatasetError, Instance, Sample, hand_side, read_image, read_mask
from handforge.dataset.coco_types import ImageMeta
from handforge.dataset.importers.annotated import in_words
from handforge.dataset.importers.folder import About, Imported, image_files, without_specks, write_dataset

NAME = re.compile(r"(?P<gesture>[^_]+)_(?P<kind>[PAS])_(?P<series>[^_]+)_id(?P<person>\d+)_(?P<number>\d+)")
"""``<gesture>_<P|A|S>_<series>_id<NN>_<k>``: Polish, American or special sign; NN is the person."""


def import_hgr(source: Path, out: Path, about: About, min_area: int = 50) -> Imported:
    """Make a dataset of HGR. Each image's ``group`` is its person.

    The category ``hand`` cuts the masks off at the wrist; with ``hand+forearm`` each annotation has its wrist, where
    there are feature points.

    :param min_area: pieces of a mask with fewer pixels are dropped; the sets have stray specks below 50.
    :raises DatasetError: naming the file, if the layout is another one, anything is damaged, or a mask is to be cut
        off and its feature points are missing.
    """
    files = image_files(source / "original_images", layout="give the folder into which HGR was unpacked")
    cut = about.category == CATEGORIES[1]

    def frames() -> Iterator[Sample]:
        for path in files:
            meta, image = _meta(path), read_image(path)
            mask_path = source / "skin_masks" / f"{path.stem}.bmp"
            mask = without_specks(~read_mask(mask_path), min_area)
            if mask.shape != image.shape[:2]:
                raise DatasetError(
                    f"{mask_path} is {mask.shape[1]}x{mask.shape[0]}, its image {image.shape[1]}x{image.shape[0]}; "
                    "both must have the same size"
                )
            wrist = _wrist(source / "feature_points" / f"{path.stem}.xml", mask, cut)
            if cut and wrist is not None:
                mask = without_specks(mask & hand_side(wrist, *mask.shape), min_area)
            yield Sample(path.stem, image, (Instance(mask, category=about.category, wrist=wrist),), meta)

    count = write_dataset(out, frames(), len(files), about.info("hgr", min_area=min_area))
    if (source / "feature_points").is_dir():
        return Imported(count)
    note = f"{source} has no feature_points, so hands cannot be told from forearms (score --region hand)"
    return Imported(count, (note,))


def _meta(path: Path) -> ImageMeta:
    found = NAME.fullmatch(path.stem)
    if found is None:
        raise DatasetError(f"{path} is not named as HGR's images are, like 1_P_hgr1_id01_2.jpg")
    return {"group": f"{found['series']}_id{found['person']}", "gesture": f"{found['gesture']}_{found['kind']}"}


def _wrist(path: Path, mask: np.ndarray, needed: bool) -> np.ndarray | None:
    """The wrist of an image's feature points as :class:`handforge.dataset.Instance` has it; None where there are none.

    :raises DatasetError: if they are damaged, or missing though they are needed.
    """
    if not path.is_file():
        if needed:
            raise DatasetError(f"{path} is missing, by which to cut the forearm off; take --mask hand+forearm")
        return None
    ends, others = _points(path)
    height, width = mask.shape
    if len(ends) != 2 or not len(others):
        raise DatasetError(
            f"{path} has {len(ends)} points of the category Wrist and {len(others)} others; a wrist has two ends, and "
            "the others say on which side the hand is"
        )
    if (ends < 0).any() or (ends > (width, height)).any() or np.hypot(*(ends[1] - ends[0])) < 1:
        raise DatasetError(
            f"{path}: no wrist goes from {_place(ends[0])} to {_place(ends[1])} in {width}x{height} pixels"
        )
    (x0, y0), (x1, y1) = ends
    x, y = others.mean(axis=0)
    return ends if (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0 else ends[::-1]


def _points(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The points of the category Wrist and the others of the first hand that has some, (N, 2) x, y each."""
    try:
        root = ElementTree.parse(path).getroot()
        hands = [list(hand.iter("FeaturePoint")) for hand in root.iter("hand")] or [list(root.iter("FeaturePoint"))]
        listed = next((points for points in hands if points), [])
        kinds = np.array([point.attrib["category"].strip().lower() == "wrist" for point in listed], bool)
        places = np.array([[float(point.attrib[axis]) for axis in "xy"] for point in listed]).reshape(-1, 2)
    except (ElementTree.ParseError, KeyError, ValueError, OSError) as error:
        raise DatasetError(f"{path} is damaged or not HGR's ({in_words(error)})") from None
    if not np.isfinite(places).all():
        raise DatasetError(f"{path} has a point that is nowhere (nan or infinite)")
    return places[kinds], places[~kinds]


def _place(point: np.ndarray) -> str:
    return f"{point[0]:g}, {point[1]:g}"
