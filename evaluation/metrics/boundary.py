"""Boundary IoU (Cheng et al., CVPR 2021): the IoU of the masks' rims, which does not favour large masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as rle
from scipy import ndimage

from evaluation.metrics.matching import ImageEval, Match
from handforge.dataset.coco_types import RleCode

WIDTH = 0.02
"""Width of the rim as a fraction of the image's diagonal."""


def mean_boundary_iou(images: Sequence[ImageEval], matches: Sequence[Match]) -> float | None:
    """Compute the mean boundary IoU of the true positives; None without one."""
    values = [
        boundary_iou(image.predictions[prediction].code, image.ground_truth[truth])
        for image, match in zip(images, matches, strict=True)
        for prediction, truth in match.true_positives
    ]
    return float(np.mean(values)) if values else None


def boundary_iou(first: RleCode, second: RleCode) -> float:
    """Compute the IoU of the rims of two masks of one image, given as RLE; both have at least one pixel."""
    height, width = first["size"]
    depth = max(1, round(WIDTH * float(np.hypot(height, width))))
    x, y, w, h = rle.toBbox([first, second]).T
    window = (slice(int(y.min()), int((y + h).max())), slice(int(x.min()), int((x + w).max())))
    a, b = (rim(rle.decode(code)[window].astype(bool), depth) for code in (first, second))
    return float((a & b).sum() / (a | b).sum())


def rim(mask: np.ndarray, depth: int) -> np.ndarray:
    """Return the pixels of a (H, W) bool mask that have an outside pixel at most ``depth`` away along both axes.

    What lies beyond the array is outside, also where that is the image's edge, as in the paper's code.
    """
    return mask & ~ndimage.minimum_filter(mask, 2 * depth + 1, mode="constant")
