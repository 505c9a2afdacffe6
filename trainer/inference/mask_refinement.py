"""Masks whose outline follows the image's edges.

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
"""How far around a pixel the function is fitted, a share of the box's longer side."""
SMOOTH = 1e-4
"""What is less than this in the variance of colours, of 0 to 1, is no edge."""
FITTED_PX = 192
"""The longer side, at most, of the image on which it is fitted."""


def refine_masks(mask: np.ndarray, picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A hand's mask (H, W) bool that follows the edges of its image.

    :param mask: (H, W) float32, the probability that a pixel is the hand's.
    :param image: (H, W, 3) uint8.
    :param box: x, y, x, y in pixels, the hand's.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    side = max(x1 - x0, y1 - y0)
    beside = 2 + side / 10
    rows = slice(max(0, int(y0 - beside)), int(y1 + beside))
    columns = slice(max(0, int(x0 - beside)), int(x1 + beside))
    sure, colours = mask[rows, columns], picture[rows, columns]
    height, width = sure.shape
    scale = min(1.0, FITTED_PX / max(height, width))
    small = max(1, round(width * scale)), max(1, round(height * scale))
    least = np.asarray(Image.fromarray(colours).resize(small, Image.Resampling.BOX), np.float32) / 255
    wanted = _resized(sure, small)
    slope, shift = _fit(least, wanted, max(1, round(RADIUS * side * scale)))
    sized = [_resized(part, (width, height)) for part in (*np.moveaxis(slope, -1, 0), shift)]
    soft = sized[3] + sum(part * colours[..., channel] / np.float32(255) for channel, part in enumerate(sized[:3]))
    result = np.zeros(mask.shape, bool)
    result[rows, columns] = soft > 0.5
    return result


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))


def _fit(colours: np.ndarray, mask: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes (H, W, 3) and shifts (H, W) of the linear functions that make the mask of the colours around a pixel."""

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, (2 * radius + 1, 2 * radius + 1, 0)[: values.ndim], mode="nearest")

    centre, level = mean(colours), mean(mask)
    together = mean(colours * mask[..., None]) - centre * level[..., None]
    products = mean((colours[..., :, None] * colours[..., None, :]).reshape(*mask.shape, 9))
    spread = products.reshape(*mask.shape, 3, 3) - centre[..., :, None] * centre[..., None, :]
    slope = np.linalg.solve(spread + SMOOTH * np.eye(3, dtype=np.float32), together[..., None])[..., 0]
    shift = level - (slope * centre).sum(-1)
    return mean(slope), mean(shift)
