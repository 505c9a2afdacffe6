"""A second, closer look at small objects: each is found once more in a part of the image around it.

A network errs most about what is small in its view. Enlarged, what was taken for a hand may be none, what was doubted
may be one, and a mask is cut finer. What fills much of the image already is left as it is.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torchvision.ops import batched_nms, box_iou

LOWEST = 0.2
"""What scores less at first sight is not looked at again: it would take long, and is hardly ever an object."""
AROUND = 3.0
"""The part that is looked at is so many times as wide and high as the box, in the image's shape."""
LARGEST = 0.8
"""No closer look is taken where the part would be more than this of the image."""
SAME_IOU = 0.3
"""Boxes of both looks that overlap so far are of the same object."""


def look_closer(model: nn.Module, image: torch.Tensor, found: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a network found in an image, better where it was small.

    :param model: an R-CNN of torchvision in eval mode, whose score threshold is :data:`LOWEST` or less.
    :param image: (3, H, W) float32 in 0..1.
    :param found: the network's output for it.
    :returns: the same objects, with boxes, masks and keypoints of the closer look where that has the same object, and
        with the mean of both scores, 0 where it has none; best first, without those that lie on a better one.
    """
    parts = parts_around(found["boxes"], image.shape[-2], image.shape[-1])
    chosen = {n: part for n, part in enumerate(parts) if part and found["scores"][n] >= LOWEST}
    if not chosen:
        return found
    seen = model([image[:, top:bottom, left:right] for left, top, right, bottom in chosen.values()])
    better = {name: values.clone() for name, values in found.items()}
    for (n, (left, top, right, bottom)), closer in zip(chosen.items(), seen, strict=True):
        shift = found["boxes"].new_tensor([left, top])
        boxes = closer["boxes"] + shift.repeat(2)
        overlap = box_iou(found["boxes"][n : n + 1], boxes)[0] * (closer["labels"] == found["labels"][n])
        better["scores"][n] /= 2
        if len(overlap) and overlap.max() >= SAME_IOU:
            same = int(overlap.argmax())
            better["scores"][n] += closer["scores"][same] / 2
            better["boxes"][n] = boxes[same]
            if "masks" in found:
                better["masks"][n] = 0
                better["masks"][n, :, top:bottom, left:right] = closer["masks"][same]
            if "keypoints" in found:
                better["keypoints"][n] = closer["keypoints"][same]
                better["keypoints"][n, :, :2] += shift
                better["keypoints_scores"][n] = closer["keypoints_scores"][same]
    heads: Any = model.roi_heads
    kept = batched_nms(better["boxes"], better["scores"], better["labels"], heads.nms_thresh)
    return {name: values[kept] for name, values in better.items()}


def parts_around(boxes: torch.Tensor, height: int, width: int) -> list[tuple[int, int, int, int] | None]:
    """The part of an image to look at around each box: left, top, right, bottom in pixels; None for a large box.

    :param boxes: (N, 4) x, y, x, y in pixels.
    """
    found: list[tuple[int, int, int, int] | None] = []
    for left, top, right, bottom in boxes.tolist():
        share = AROUND * max((right - left) / width, (bottom - top) / height)
        if share > LARGEST:
            found.append(None)
            continue
        wide, high = max(1, round(share * width)), max(1, round(share * height))
        x = min(max(0, round((left + right - wide) / 2)), width - wide)
        y = min(max(0, round((top + bottom - high) / 2)), height - high)
        found.append((x, y, x + wide, y + high))
    return found
