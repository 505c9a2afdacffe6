"""Detections of a network in an image: made from its output, written as COCO results, drawn into overlays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn
from torchvision.models.detection import FasterRCNN

from handforge.dataset import HAND_CATEGORIES, Category, encode_mask
from handforge.dataset.coco_types import ResultRecord, RleCode
from handforge.dataset.rle import mask_box
from trainer.data.images import tensor
from trainer.inference import tta, zoom
from trainer.inference.mask_refinement import refine_masks
from trainer.models.semantic import instances

MASK_THRESHOLD = 0.5
MAX_SHARED = 0.5
DRAWN_SCORE = 0.5
"""Hands of a lower score are in the results but not in overlays and mask files, where nothing else is asked for."""
COLORS = ((230, 60, 40), (40, 110, 230), (30, 160, 70), (200, 120, 0), (150, 60, 200), (0, 160, 170), (190, 40, 120))


@dataclass(frozen=True, eq=False)
class Detection:
    """One detected hand, or object of another category; equal to itself only, as arrays have no single equality.

    :param score: 0 to 1.
    :param box: x, y, width, height in pixels; the mask's, where there is one.
    :param mask: (H, W) bool, or None where the task has none.
    :param keypoints: (K, 2) float, x and y in pixels, or None. A hand has 21.
    :param category: its name.
    :param skeleton: pairs of keypoints that a line joins, counted from 1.
    :param track_id: of a video's object that was tracked: its number, from 1, the same in all frames.
    """

    score: float
    box: tuple[float, ...]
    mask: np.ndarray | None = None
    keypoints: np.ndarray | None = None
    category: str = "hand"
    skeleton: tuple[tuple[int, int], ...] = HAND_CATEGORIES[0].skeleton
    track_id: int | None = None

    @staticmethod
    def of_mask(mask: np.ndarray, score: float, category: str = "hand") -> Detection:
        """An object known by its (H, W) bool mask, of one pixel at least."""
        x0, y0, x1, y1 = mask_box(mask)
        return Detection(score, (float(x0), float(y0), float(x1 - x0), float(y1 - y0)), mask, category=category)

    @cached_property
    def rle(self) -> RleCode | None:
        """The mask as COCO's compressed RLE; None where there is none."""
        return None if self.mask is None else encode_mask(self.mask)


def detect(
    model: nn.Module,
    images: list[np.ndarray],
    device: torch.device,
    precision: torch.dtype,
    with_tta: bool = False,
    with_zoom: bool = False,
    categories: Sequence[Category] = HAND_CATEGORIES[:1],
    mask_threshold: float = MASK_THRESHOLD,
) -> list[list[Detection]]:
    """The detections in each (H, W, 3) uint8 image, best first.

    :param with_tta: with test-time augmentation, see :mod:`trainer.inference.tta`.
    :param with_zoom: with a closer look at what is small, see :mod:`trainer.inference.zoom`.
    :param categories: of the network's classes, from class 1.
    :param mask_threshold: probability (0 to 1) from which on a pixel belongs to a mask; lower values give larger masks.
        For segmentation only.
    """
    outputs = run(model, images, device, precision, with_tta, with_zoom)
    return [
        _detections(output, image, categories, mask_threshold) for output, image in zip(outputs, images, strict=True)
    ]


def run(
    model: nn.Module,
    images: list[np.ndarray],
    device: torch.device,
    precision: torch.dtype,
    with_tta: bool = False,
    with_zoom: bool = False,
) -> list[dict[str, np.ndarray]]:
    """The network's output for each (H, W, 3) uint8 image, float32; the rest as :func:`detect`."""
    outputs: dict[int, dict[str, torch.Tensor]] = {}
    by_size: dict[tuple[int, ...], list[int]] = {}
    for number, image in enumerate(images):
        by_size.setdefault(image.shape[:2], []).append(number)
    half = torch.autocast(device.type, precision, enabled=precision != torch.float32)
    with torch.inference_mode(), half:
        for numbers in by_size.values():  # images of other sizes would be padded to the largest, and found otherwise
            tensors = [tensor(images[number]).to(device) for number in numbers]
            found = [tta.run_views(model, image) for image in tensors] if with_tta else model(tensors)
            if with_zoom and isinstance(model, FasterRCNN):
                found = [zoom.look_closer(model, *one) for one in zip(tensors, found, strict=True)]
            outputs |= zip(numbers, found, strict=True)
    return [
        {name: value.float().cpu().numpy() for name, value in outputs[number].items()} for number in range(len(images))
    ]


def _detections(
    output: dict[str, np.ndarray], image: np.ndarray, categories: Sequence[Category], mask_threshold: float
) -> list[Detection]:
    """The detections in one image's output, whichever the task."""
    if "probabilities" in output:
        height, width = image.shape[:2]
        whole = (0.0, 0.0, float(width), float(height))
        named = zip(output["probabilities"].tolist(), categories, strict=True)
        found = [Detection(probability, whole, None, None, kind.name, ()) for probability, kind in named]
        return sorted(found, key=lambda detection: -detection.score)
    if "classes" in output:
        pieces = instances(output["classes"])
        return [Detection.of_mask(mask, score, categories[label - 1].name) for mask, score, label in pieces]
    scores, corners, labels = output["scores"].tolist(), output["boxes"], output["labels"].astype(int)
    kinds = [categories[label - 1] for label in labels]
    if "masks" in output:
        likely = output["masks"][:, 0]
        kept = distinct(likely > mask_threshold, labels)
        cut = [(refine_masks(likely[n], image, corners[n], mask_threshold), n) for n in kept]
        return [Detection.of_mask(mask, scores[n], kinds[n].name) for mask, n in cut if mask.any()]
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], 1).astype(float).round(2).tolist()
    joints = output["keypoints"][..., :2] if "keypoints" in output else [None] * len(boxes)
    together = zip(scores, boxes, joints, kinds, strict=True)
    return [Detection(score, tuple(box), None, points, k.name, k.skeleton) for score, box, points, k in together]


def distinct(masks: np.ndarray, labels: np.ndarray) -> list[int]:
    """Indices of the masks (N, H, W) bool, best first, that are objects of their own: non-maximum suppression.

    Left out are empty ones and those that lie, by more than half of the smaller one, on one of the same class before
    them. Boxes tell a palm and its hand apart where masks tell that they are one; what is seen of two hands never
    overlaps.

    :param labels: (N,) int, the class of each.
    """
    kept: list[int] = []
    areas = masks.sum((1, 2))
    for number in np.flatnonzero(areas).tolist():
        same = [other for other in kept if labels[other] == labels[number]]
        shared = ((masks[number] & masks[other]).sum() / min(areas[number], areas[other]) for other in same)
        if all(fraction <= MAX_SHARED for fraction in shared):
            kept.append(number)
    return kept


def result(image_id: int, hand: Detection, category_id: int = 1) -> ResultRecord:
    """One entry of a COCO results list; every keypoint is given as visible, the network says nothing of that.

    :param category_id: of the detection's category, in the dataset or the network.
    """
    entry: ResultRecord = {
        "image_id": image_id,
        "category_id": category_id,
        "score": round(hand.score, 5),
        "bbox": list(hand.box),
    }
    if hand.rle is not None:
        entry["segmentation"] = hand.rle
    if hand.keypoints is not None:
        entry["keypoints"] = [round(float(v), 2) for x, y in hand.keypoints for v in (x, y, 2)]
    if hand.track_id is not None:
        entry["track_id"] = hand.track_id
    return entry


def union(hands: list[Detection], size_hw: tuple[int, int]) -> np.ndarray:
    """The pixels of all hands, (H, W) bool."""
    masks = [hand.mask for hand in hands if hand.mask is not None]
    return np.any(masks, axis=0) if masks else np.zeros(size_hw, bool)


def overlay(image: np.ndarray, hands: list[Detection], categories: Sequence[str] = ("hand",)) -> np.ndarray:
    """The image with its detections tinted, outlined by their boxes, their joints, and labelled with their scores.

    Lines and letters grow with the image, so that they can be seen when it is shown whole.

    :param categories: the names of all that the network knows. Of several, each has a colour, and its name is written.
        What was tracked has a colour of its own number.
    """
    tinted = image.astype(np.float32)
    order = list(categories)
    shown = [(hand, color_of(hand, number, order)) for number, hand in enumerate(hands)]
    for hand, color in shown:
        if hand.mask is not None:
            tinted[hand.mask] = 0.5 * tinted[hand.mask] + 0.5 * np.array(color, np.float32)
    drawn = Image.fromarray(tinted.astype(np.uint8))
    pen, thick = ImageDraw.Draw(drawn), max(1, round(max(drawn.size) / 640))
    font = ImageFont.load_default(max(10, 9 * thick))
    for hand, color in shown:
        x, y, width, height = hand.box
        pen.rectangle((x, y, max(x, x + width - 1), max(y, y + height - 1)), outline=color, width=thick)
        name = f"{hand.category} " if len(order) > 1 else ""
        track = f"{hand.track_id}: " if hand.track_id else ""
        label = f"{track}{name}{hand.score:.2f}"
        _, _, wide, high = pen.textbbox((0, 0), label, font)
        left, top = min(x, max(0, drawn.width - wide - 4)), y if y < high + 4 else y - high - 4  # above, or inside
        pen.rectangle((left, top, left + wide + 4, top + high + 4), fill=color)
        pen.text((left + 2, top + 1), label, fill=(255, 255, 255), font=font)
        if hand.keypoints is not None:
            _draw_joints(pen, hand.keypoints, hand.skeleton, color, thick)
    return np.asarray(drawn)


def color_of(hand: Detection, number: int, categories: Sequence[str]) -> tuple[int, int, int]:
    """The colour that a detection is drawn in: its track's, its category's, or that of its number in the image."""
    if hand.track_id is not None:
        number = hand.track_id - 1
    elif len(categories) > 1:
        number = categories.index(hand.category)
    return COLORS[number % len(COLORS)]


def _draw_joints(
    pen: ImageDraw.ImageDraw,
    joints: np.ndarray,
    skeleton: Sequence[tuple[int, int]],
    color: tuple[int, int, int],
    thick: int,
) -> None:
    places = [(float(x), float(y)) for x, y in joints]
    for one, other in skeleton:
        pen.line((places[one - 1], places[other - 1]), fill=color, width=2 * thick)
    for x, y in places:
        pen.ellipse((x - 2 * thick, y - 2 * thick, x + 2 * thick, y + 2 * thick), fill=(255, 255, 255), outline=color)
