"""COCO's run-length codes, by pycocotools, which takes anything: here they are checked; and encoded more quickly."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as rle

from handforge.dataset.coco_types import RleCode
from handforge.dataset.records import DatasetError


def encode_mask(mask: np.ndarray) -> RleCode:
    """COCO's compressed RLE of a (H, W) bool mask, ``counts`` as text so that it goes into JSON.

    The same as pycocotools' ``encode``, which goes through every pixel; this only through the columns with a hand.
    """
    height, width = mask.shape
    columns = np.flatnonzero(mask.any(axis=0))
    first, last = (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, 0)
    strip = np.zeros((last - first) * height + 2, bool)  # between two zeros, so that every run has both its ends
    strip[1:-1] = mask[:, first:last].T.ravel()
    ends = np.flatnonzero(strip[1:] != strip[:-1]) + first * height
    runs = np.diff(ends, prepend=0, append=height * width).tolist()
    if runs[-1] == 0:
        runs.pop()
    code = rle.frPyObjects({"size": [height, width], "counts": runs}, height, width)
    return {"size": [height, width], "counts": code["counts"].decode("ascii")}


def to_rle(segmentation: Any, height: int, width: int) -> RleCode:
    """A COCO segmentation (compressed RLE, uncompressed RLE, or polygons) as compressed RLE, checked.

    :raises DatasetError: if it is none of these, is damaged, or has another size than the image.
    """
    if segmentation is None:
        raise DatasetError("there is no segmentation")
    if not isinstance(segmentation, list | dict):
        raise DatasetError(f"its segmentation is {segmentation!r:.80}, neither polygons nor RLE")
    try:
        if isinstance(segmentation, list):
            polygons = [np.asarray(polygon, float) for polygon in segmentation]
            if not polygons or any(p.ndim != 1 or p.size < 6 or p.size % 2 for p in polygons):
                raise DatasetError("a polygon is a list of x and y of at least three points")
            if not all((np.abs(p) < 1e6).all() for p in polygons):
                raise DatasetError("a polygon lies far outside its image or has a NaN")
            return rle.merge(rle.frPyObjects([p.tolist() for p in polygons], height, width))
        if missing := [key for key in ("size", "counts") if key not in segmentation]:
            raise DatasetError(f"the RLE has no {missing[0]}")
        size, counts = segmentation["size"], segmentation["counts"]
        if not isinstance(size, list | tuple) or len(size) != 2:
            raise DatasetError(f"the RLE has the size {size!r:.80}; it must be a list of height and width")
        if not isinstance(counts, str | bytes | list):
            raise DatasetError(f"the RLE has the counts {counts!r:.80}; they must be a text or a list of runs")
        size = [int(s) for s in size]
        if size != [height, width]:
            raise DatasetError(f"the mask is {size[1]}x{size[0]}, its image {width}x{height}")
        if isinstance(counts, list):
            runs = [int(run) for run in counts]
            if min(runs, default=0) < 0 or sum(runs) != height * width:
                raise DatasetError("the runs of the RLE do not add up to the image's pixels")
            counts = rle.frPyObjects({"size": size, "counts": runs}, height, width)["counts"]
        if _runs(counts).sum() != height * width:
            raise DatasetError("the runs of the RLE do not add up to the image's pixels")
        return {"size": size, "counts": counts}
    except DatasetError:
        raise
    except (TypeError, AttributeError) as error:
        raise DatasetError("the segmentation cannot be decoded (something in it is not a number)") from error
    except (ValueError, IndexError, OverflowError) as error:
        raise DatasetError(f"the segmentation cannot be decoded ({error})") from error


def _runs(counts: str | bytes) -> np.ndarray:
    """The run lengths that a compressed RLE stands for.

    pycocotools trusts them: runs that add up to less than the image give it a mask of whatever is in memory.
    """
    symbols: np.ndarray = (
        np.frombuffer(counts.encode() if isinstance(counts, str) else counts, np.uint8).astype(np.int64) - 48
    )
    if not symbols.size or symbols.min() < 0 or symbols.max() > 63 or symbols[-1] > 31:
        raise ValueError("the RLE is damaged or cut short")
    ends = np.flatnonzero(symbols < 32)
    starts = np.concatenate([[0], ends[:-1] + 1])
    digit = np.arange(symbols.size) - np.repeat(starts, ends - starts + 1)
    if digit.max() > 6:
        raise ValueError("the RLE has a run that is too long")
    runs = np.add.reduceat((symbols & 31) << (5 * digit), starts)
    runs -= ((symbols[ends] & 16) >> 4) << (5 * (digit[ends] + 1))
    runs[1::2] = np.cumsum(runs[1::2])  # from the fourth run on, the file has the difference to the run before last
    runs[2::2] = np.cumsum(runs[2::2])
    if runs.min() < 0:
        raise ValueError("the RLE has a run of negative length")
    return runs


def decode_mask(segmentation: Any, height: int, width: int) -> np.ndarray:
    """The (H, W) bool mask of a COCO segmentation. Errors as :func:`to_rle`."""
    return rle.decode(to_rle(segmentation, height, width)).astype(bool)


def mask_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """The box of a (H, W) bool mask of one pixel at least: x0, y0, x1, y1 in whole pixels, half-open."""
    columns, rows = (np.flatnonzero(mask.any(axis)) for axis in (0, 1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def hand_side(wrist: np.ndarray, height: int, width: int) -> np.ndarray:
    """The pixels on the hand's side of a wrist, (H, W) bool; ``wrist`` as in :class:`handforge.dataset.Instance`."""
    (x0, y0), (x1, y1) = wrist
    y, x = np.ogrid[:height, :width]
    return (x1 - x0) * (y + 0.5 - y0) - (y1 - y0) * (x + 0.5 - x0) >= 0
