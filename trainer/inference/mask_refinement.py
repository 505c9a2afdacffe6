"""Masks whose outline follows the edges; the filter is ours, as kornia or OpenCV's contrib would come for it alone.

A network of regions gives its mask on a coarse grid (28x28 in a box), whatever the image's size: it knows which side
of an edge is the hand, the image knows where the edge is. The guided filter (He, Sun and Tang 2013, doi
10.1109/TPAMI.2012.213) makes the mask a linear function of the colours around each pixel, so that it turns where they
do; it is fitted on a smaller image, as in its fast version (He and Sun 2015, arXiv 1505.00996).
"""

from __future__ import annotations

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

RADIUS = 0.08
"""How far around a pixel the function is fitted; a fraction of the box's longer side."""
SMOOTH = 1e-4
"""What is less than this in the variance of colours, of 0 to 1, is no edge."""
FITTED_PX = 192
"""The longer side, at most, of the image on which it is fitted."""


def refine_masks(mask: np.ndarray, image: np.ndarray, box: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """A hand's mask (H, W) bool that follows the edges of its image.

    :param mask: (H, W) float32, the probability that a pixel is the hand's.
    :param image: (H, W, 3) uint8.
    :param box: x, y, x, y in pixels, the hand's.
    :param threshold: the mask is where the filtered probability (0 to 1) is above it.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    side = max(x1 - x0, y1 - y0)
    beside = 2 + side / 10
    rows = slice(max(0, int(y0 - beside)), int(y1 + beside))
    columns = slice(max(0, int(x0 - beside)), int(x1 + beside))
    sure, colors = mask[rows, columns], image[rows, columns]
    height, width = sure.shape
    scale = min(1.0, FITTED_PX / max(height, width))
    small = max(1, round(width * scale)), max(1, round(height * scale))
    least = np.asarray(Image.fromarray(colors).resize(small, Image.Resampling.BOX), np.float32) / 255
    wanted = _resized(sure, small)
    slope, shift = _fit(np.ascontiguousarray(least.transpose(2, 0, 1)), wanted, max(1, round(RADIUS * side * scale)))
    sized = [_resized(part, (width, height)) for part in (*slope, shift)]
    soft = sized[3] + sum(part * colors[..., channel] / np.float32(255) for channel, part in enumerate(sized[:3]))
    result = np.zeros(mask.shape, bool)
    result[rows, columns] = soft > threshold
    return result


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))


def _fit(colors: np.ndarray, mask: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (3, H, W) and shifts (H, W) of the linear functions that make the mask of the colours around a pixel.

    :param colors: (3, H, W) float32 in 0..1; ``mask``: (H, W) float32.
    """
    side = 2 * radius + 1

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, (0, side, side)[-values.ndim :], mode="nearest")

    center, level = mean(colors), mean(mask)
    x, y, z = (mean(colors * mask) - center * level).astype(float)
    # The colours' covariance is a symmetric matrix (a b c, b d e, c e f); its inverse by its cofactors, as solving a
    # system a pixel takes longer than all the rest.
    first, second = np.triu_indices(3)
    spread = (mean(colors[first] * colors[second]) - center[first] * center[second]).astype(float)
    a, b, c, d, e, f = spread + SMOOTH * (first == second)[:, None, None]
    aa, bb, cc, dd, ee, ff = d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b
    slope = np.stack([aa * x + bb * y + cc * z, bb * x + dd * y + ee * z, cc * x + ee * y + ff * z])
    slope = (slope / (a * aa + b * bb + c * cc)).astype(np.float32)
    return mean(slope), mean(level - (slope * center).sum(0))
