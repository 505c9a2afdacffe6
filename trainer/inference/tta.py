"""Test-time augmentation; the fusion is ours, as the package ensemble-boxes knows boxes only, and no masks.

Views of one image, larger and flipped. A network errs a little differently in each; a
hand that it detects in all views is more likely one than a hand that it detects in one view only. Boxes of different
views that overlap become one, whose score is the mean over the views, 0 where a view has none (weighted boxes fusion:
Solovyev et al. 2021, arXiv 1910.13302). A mask is the mean of those that the views have in its box. A larger view
counts for small hands only: what is large already it would show larger than the network has learnt it (as in SNIP:
Singh and Davis 2018, arXiv 1711.08189).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.roi_heads import maskrcnn_inference, paste_masks_in_image
from torchvision.ops import box_iou, nms

SCALES = (1.0, 1.33)
"""The size of each view, as a multiple of the network's own image size."""
SMALL = 0.5
"""Boxes are small up to this fraction of the image's shorter side."""
SCORE = 0.05
"""Boxes of a lower score are nothing in a view, whatever score is asked of all views together."""
SAME_IOU = 0.5
"""Boxes of several views that overlap so far are of the same hand."""


def run_views(model: nn.Module, image: torch.Tensor) -> dict[str, torch.Tensor]:
    """What ``model`` gives for an image, (3, H, W) float32 in 0..1, by all its views together.

    :param model: a Mask R-CNN, or a network of pixels (:mod:`trainer.models.semantic`), in eval mode.
    :returns: as the network's own output for the image.
    """
    sides = [(image, False), (image.flip(-1), True)]
    if not isinstance(model, MaskRCNN):
        maps = []
        for scaled in (_scaled(model, scale) for scale in SCALES):
            maps += [(scaled([side])[0]["classes"], flipped) for side, flipped in sides]
        return {"classes": torch.stack([one.flip(-1) if flipped else one for one, flipped in maps]).mean(0)}
    views = []
    for scale in SCALES:
        scaled = _scaled(model, scale)
        views += [_View.of(scaled, side, flipped, scale) for side, flipped in sides]
    limits = torch.tensor([view.limit for view in views], device=image.device)
    boxes, scores, labels = _fused_by_class(views, limits, model.roi_heads.nms_thresh)
    told = (_sides(boxes) <= limits[:, None]).float()[..., None, None, None]
    masks = (torch.stack([view.masks(model, boxes, labels) for view in views]) * told).sum(0) / told.sum(0)
    whole = paste_masks_in_image(masks, boxes, tuple(image.shape[-2:]))
    return {"boxes": boxes, "scores": scores, "labels": labels, "masks": whole}


def _fused_by_class(
    views: list[_View], limits: torch.Tensor, nms_iou: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Boxes (N, 4), scores (N,) and classes (N,) of all views, each class fused by itself, best first."""
    parts = []
    for label in torch.cat([view.labels for view in views]).unique().tolist() or [1]:
        of_class = [view.labels == label for view in views]
        boxes, scores = fuse(
            [view.boxes[own] for view, own in zip(views, of_class, strict=True)],
            [view.scores[own] for view, own in zip(views, of_class, strict=True)],
            limits,
        )
        kept = nms(boxes, scores, nms_iou)
        parts.append((boxes[kept], scores[kept], torch.full_like(kept, label)))
    boxes, scores, labels = (torch.cat(column) for column in zip(*parts, strict=True))
    order = scores.argsort(descending=True, stable=True)
    return boxes[order], scores[order], labels[order]


def _scaled(model: nn.Module, scale: float) -> Any:
    """A network that scales images to ``scale`` times the size of ``model``, with which it shares its layers.

    ``model`` stays as it is, since another thread may be detecting with it.
    """
    transform: Any = copy.copy(model.transform)
    transform.min_size = (round(scale * transform.min_size[0]),)
    transform.max_size = round(scale * transform.max_size)
    scaled = copy.copy(model)
    scaled._modules = {**model._modules, "transform": transform}
    return scaled


@dataclass(frozen=True)
class _View:
    """The detections of a Mask R-CNN in one view, and what it needs to predict masks there.

    :param boxes: (N, 4) float32 x, y, x, y in pixels of the image as it is; ``scores`` and ``labels``: (N,).
    :param features: the pyramid's maps of the view.
    :param inside: the view's (height, width) without padding; ``size``: the image's.
    :param flipped: whether it is the horizontally flipped image.
    :param limit: the longest side, in pixels of the image, of boxes that the view counts for.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    labels: torch.Tensor
    features: dict[str, torch.Tensor]
    inside: tuple[int, int]
    size: tuple[int, int]
    flipped: bool
    limit: float

    @staticmethod
    def of(model: MaskRCNN, image: torch.Tensor, flipped: bool, scale: float = 1.0) -> _View:
        """What a network finds in an image that it scales to ``scale`` times its own size."""
        images, _ = model.transform([image])
        features = model.backbone(images.tensors)
        proposals, _ = model.rpn(images, features)
        heads, inside, size = model.roi_heads, images.image_sizes[0], (image.shape[-2], image.shape[-1])
        pooled = heads.box_roi_pool(features, proposals, images.image_sizes)
        decided = heads.box_predictor(heads.box_head(pooled))
        (boxes,), (scores,), (labels,) = heads.postprocess_detections(*decided, proposals, images.image_sizes)
        boxes = boxes * _factors(boxes, size, inside)
        boxes = _mirrored(boxes, size[1]) if flipped else boxes
        limit = SMALL * min(size) if scale > 1 else math.inf
        small = _sides(boxes) <= limit
        return _View(boxes[small], scores[small], labels[small], features, inside, size, flipped, limit)

    def masks(self, model: MaskRCNN, boxes: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) float32 in 0..1: the objects of classes ``labels`` inside boxes of the image, as it is."""
        heads: Any = model.roi_heads
        here = _mirrored(boxes, self.size[1]) if self.flipped else boxes
        pooled = heads.mask_roi_pool(self.features, [here * _factors(here, self.inside, self.size)], [self.inside])
        logits = heads.mask_predictor(heads.mask_head(pooled)).float()
        (cut,) = maskrcnn_inference(logits, [labels])
        return cut.flip(-1) if self.flipped else cut


def _factors(boxes: torch.Tensor, to: tuple[int, int], of: tuple[int, int]) -> torch.Tensor:
    """What brings boxes of an image of one (height, width) into another."""
    return boxes.new_tensor([to[1] / of[1], to[0] / of[0]] * 2)


def _mirrored(boxes: torch.Tensor, width: int) -> torch.Tensor:
    left, top, right, bottom = boxes.unbind(1)
    return torch.stack([width - right, top, width - left, bottom], 1)


def _sides(boxes: torch.Tensor) -> torch.Tensor:
    """The longer side (N,) of boxes."""
    return (boxes[:, 2:] - boxes[:, :2]).amax(1)


def fuse(
    boxes: list[torch.Tensor], scores: list[torch.Tensor], limits: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The boxes of several views as one list: each the mean, by score, of those that overlap, best first.

    :param boxes: of each view (N, 4) x, y, x, y in the same pixels; ``scores``: (N,) in 0..1.
    :param limits: (V,) the longest side of a box that a view counts for; of one view at least it is infinite.
    :returns: (M, 4) boxes and (M,) scores, which are means, over the views that count, of the best one of each.
    """
    every, sure = torch.cat(boxes), torch.cat(scores)
    view = torch.cat([torch.full_like(part, number, dtype=torch.int64) for number, part in enumerate(scores)])
    overlap, free = box_iou(every, every) >= SAME_IOU, torch.ones_like(sure, dtype=torch.bool)
    joined, means = [every[:0]], [sure[:0]]
    for best in sure.argsort(descending=True, stable=True).tolist():
        if free[best]:
            same = overlap[best] & free
            free &= ~same
            weights = sure[same]
            joined.append((every[same] * weights[:, None]).sum(0, keepdim=True) / weights.sum())
            each = sure.new_zeros(len(boxes)).scatter_reduce(0, view[same], weights, "amax")
            means.append(each[_sides(joined[-1]) <= limits].mean()[None])
    mean = torch.cat(means)
    order = mean.argsort(descending=True, stable=True)
    return torch.cat(joined)[order], mean[order]
