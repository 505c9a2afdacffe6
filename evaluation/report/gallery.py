"""The gallery: thumbnails of images with the outlines of annotated and predicted objects."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from pycocotools import mask as rle

from evaluation.metrics.boundary import rim
from evaluation.metrics.matching import ImageEval, Match
from handforge.dataset import Dataset
from handforge.dataset.coco_types import ImageRecord, RleCode

WIDTH, HEIGHT = 480, 360
"""Largest size of a thumbnail in pixels; the page shows it smaller until it is clicked."""

COLORS = {"annotation": "#00c48c", "TP": "#2f9bff", "FP": "#ff6a1a", "FN": "#ff3df0"}
"""Outlines: a matched annotation and its prediction, a false positive, a false negative."""

MARGIN = 0.25
"""Margin around the outlines, as a fraction of their box."""


@dataclass(frozen=True)
class Card:
    """One image of the gallery.

    :param group: the name it is filtered by.
    :param quality: :func:`quality` of the image, 0 to 1.
    :param iou: mean IoU of the true positives, or None.
    :param categories: what is annotated and predicted in it, where the set has several categories; else empty.
    :param source: the thumbnail as a ``data:`` address.
    """

    group: str
    name: str
    true_positives: int
    false_negatives: int
    false_positives: int
    quality: float
    iou: float | None
    categories: str
    source: str


def quality(image: ImageEval, match: Match) -> float:
    """Rate an image, 0 to 1: the summed IoU of its true positives over TP + FN + FP; 1 where there is nothing."""
    count = len(match.true_positives) + len(match.false_negatives) + len(match.false_positives)
    return float(sum(image.iou[pair] for pair in match.true_positives)) / count if count else 1.0


def choose(qualities: Sequence[float], most: int) -> list[int]:
    """Return the indices of the images to show, in their order: all, or half the worst and half the best."""
    order = [int(index) for index in np.argsort(qualities, kind="stable")]
    if len(order) > most:
        order = order[: most - most // 2] + order[len(order) - most // 2 :]
    return sorted(order)


def cards(
    dataset: Dataset, images: Sequence[ImageEval], matches: Sequence[Match], group: str, most: int, most_bytes: int
) -> Iterator[Card]:
    """Make the cards of one set of predictions.

    :param most: how many at most.
    :param most_bytes: how large a thumbnail may be.
    :raises DatasetError: if an image is missing or damaged.
    """
    qualities = [quality(image, match) for image, match in zip(images, matches, strict=True)]
    several = len({name for image in images for name in _names(image)}) > 1
    for index in choose(qualities, most):
        image, match = images[index], matches[index]
        overlaps = [float(image.iou[pair]) for pair in match.true_positives]
        yield Card(
            group=_group(group, image.image),
            name=image.image["file_name"],
            true_positives=len(match.true_positives),
            false_negatives=len(match.false_negatives),
            false_positives=len(match.false_positives),
            quality=qualities[index],
            iou=float(np.mean(overlaps)) if overlaps else None,
            categories=_described(image, match) if several else "",
            source=address(thumbnail(dataset.read_image(image.image), image, match), most_bytes),
        )


def _names(image: ImageEval) -> list[str]:
    return [*image.categories, *(prediction.category for prediction in image.predictions)]


def _described(image: ImageEval, match: Match) -> str:
    """The categories of an image's true positives, false negatives and false positives, in words."""
    kinds = {
        "TP": [image.categories[truth] for _, truth in match.true_positives],
        "FN": [image.categories[truth] for truth in match.false_negatives],
        "FP": [image.predictions[prediction].category for prediction in match.false_positives],
    }
    return "; ".join(f"{kind}: {', '.join(sorted(names))}" for kind, names in kinds.items() if names)


def _group(name: str, image: ImageRecord) -> str:
    subset = image.get("set")
    return f"{name}, {subset}" if isinstance(subset, str) else name


def thumbnail(pixels: np.ndarray, image: ImageEval, match: Match) -> Image.Image:
    """Show the part of an image with its hands, at most :data:`WIDTH` x :data:`HEIGHT`, with their outlines."""
    drawn = [(image.ground_truth[truth], "annotation") for _, truth in match.true_positives]
    drawn += [(image.predictions[index].code, "TP") for index, _ in match.true_positives]
    drawn += [(image.predictions[index].code, "FP") for index in match.false_positives]
    drawn += [(image.ground_truth[truth], "FN") for truth in match.false_negatives]
    box = crop_box([code for code, _ in drawn], image.image["width"], image.image["height"])
    return outlined(pixels, [(code, COLORS[kind]) for code, kind in drawn], box)


def outlined(pixels: np.ndarray, masks: Sequence[tuple[RleCode, str]], box: tuple[int, int, int, int]) -> Image.Image:
    """Scale a box of an image to a thumbnail, with the outlines of masks.

    :param pixels: (H, W, 3) uint8.
    :param masks: compressed RLE and colour as ``#rrggbb`` of each.
    :param box: xyxy in whole pixels, half-open.
    """
    small = np.array(_resize(Image.fromarray(pixels), box, Image.Resampling.BICUBIC))
    for code, color in masks:
        mask = Image.fromarray(rle.decode(code) * np.uint8(255))
        values = tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))
        small[rim(np.asarray(_resize(mask, box, Image.Resampling.BILINEAR)) > 127, 2)] = values
    return Image.fromarray(small)


def crop_box(codes: list[RleCode], width: int, height: int) -> tuple[int, int, int, int]:
    """Choose what to show of an image: the box of the masks with a margin, widened to the thumbnail's proportions.

    :returns: xyxy in whole pixels, half-open, inside the image; the whole image where there is no mask.
    """
    if not codes:
        return 0, 0, width, height
    x, y, w, h = rle.toBbox(codes).T
    across, down = (x + w).max() - x.min(), (y + h).max() - y.min()
    scale = (1 + 2 * MARGIN) * max(across / WIDTH, down / HEIGHT)
    left, right = _span(x.min() + across / 2, scale * WIDTH, width)
    top, bottom = _span(y.min() + down / 2, scale * HEIGHT, height)
    return left, top, right, bottom


def _span(center: float, length: float, size: int) -> tuple[int, int]:
    """The whole pixels of a stretch about ``center``, moved into 0 .. size, or all of it if it is longer."""
    start = min(max(center - length / 2, 0.0), max(size - length, 0.0))
    return int(start), min(int(start + length) + 1, size)


def _resize(image: Image.Image, box: tuple[int, int, int, int], how: Image.Resampling) -> Image.Image:
    part = image.crop(box)
    scale = min(WIDTH / part.width, HEIGHT / part.height)
    return part.resize((max(1, round(part.width * scale)), max(1, round(part.height * scale))), how, reducing_gap=2.0)


def address(image: Image.Image, most_bytes: int) -> str:
    """Encode as WebP of at most a number of bytes, if quality 15 reaches that, and return its ``data:`` address."""
    for quality in (75, 55, 35, 15):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=4)
        if buffer.tell() <= most_bytes:
            break
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
