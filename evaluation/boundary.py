"""Boundary IoU (Cheng et al., CVPR 2021): the IoU of the masks' rims, which large masks do not get for free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pycocotools import mask as rle

from evaluation.matching import Match, Picture

WIDTH = 0.02
"""Width of the rim as a part of the picture's diagonal."""


def mean_boundary_iou(pictures: Sequence[Picture], matches: Sequence[Match]) -> float | None:
    """The mean boundary IoU of the hands found; None without one."""
    values = [
        boundary_iou(picture.predictions[prediction].code, picture.truth[hand])
        for picture, match in zip(pictures, matches, strict=True)
        for prediction, hand in match.found
    ]
    return float(np.mean(values)) if values else None


def boundary_iou(first: dict[str, Any], second: dict[str, Any]) -> float:
    """The IoU of the rims of two masks of one picture, given as RLE; both have at least one pixel."""
    height, width = first["size"]
    depth = max(1, round(WIDTH * float(np.hypot(height, width))))
    x, y, w, h = rle.toBbox([first, second]).T
    window = (slice(int(y.min()), int((y + h).max())), slice(int(x.min()), int((x + w).max())))
    a, b = (rim(rle.decode(code)[window].astype(bool), depth) for code in (first, second))
    return float((a & b).sum() / (a | b).sum())


def rim(mask: np.ndarray, depth: int) -> np.ndarray:
    """The pixels of a (H, W) bool mask that have an outside pixel at most ``depth`` away along both axes.

    What lies beyond the array is outside, also where that is the picture's edge, as in the paper's code.
    """
    inner = mask
    for axis in (0, 1):
        inner = _all_around(inner, depth, axis)
    return mask & ~inner


def _all_around(mask: np.ndarray, depth: int, axis: int) -> np.ndarray:
    """Where a pixel and its ``depth`` neighbours on both sides along an axis are all set."""
    padding = [(0, 0), (0, 0)]
    padding[axis] = (depth + 1, depth)
    sums = np.cumsum(np.pad(mask, padding), axis=axis, dtype=np.int32)
    length, span = mask.shape[axis], 2 * depth + 1
    after = np.take(sums, range(span, span + length), axis=axis)
    before = np.take(sums, range(length), axis=axis)
    return after - before == span
