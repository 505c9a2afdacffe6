"""A network that gives every pixel a class, called as torchvision's detection networks are.

DeepLabV3 (Chen et al. 2017, arXiv 1706.05587): the backbone's last two stages are dilated instead of halved, so its map
has an eighth of the image's size. The head always normalises by groups: the mean over a whole image that is
one of its branches has no batch statistics with few images.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import torch
from scipy import ndimage
from torch import nn
from torch.nn import functional
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.models.segmentation.deeplabv3 import ASPP

from trainer.models.backbones import LAST_MAP, Body, use_group_norm

RATES = (12, 24, 36)
"""Dilations of the pyramid's three branches, as the paper has them for a map of an eighth of the image's size."""
MIN_PIECE_PX = 48
"""Smaller pieces of a mask are left out."""
_NO_IMAGE = 255


class Semantic(nn.Module):
    """What resizes images, computes the loss and resizes probabilities; a subclass has ``backbone`` and ``classifier``.

    :param size_divisible: images are padded to a multiple of so many pixels.
    :param transform: further arguments of torchvision's transform: ``min_size, max_size, image_mean, image_std``.
    """

    def __init__(self, size_divisible: int, **transform: Any) -> None:
        super().__init__()
        self.transform = GeneralizedRCNNTransform(size_divisible=size_divisible, **transform)

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """(B, C + 1, h, w), of any size, for (B, 3, H, W)."""
        raise NotImplementedError

    def forward(
        self,
        images: list[torch.Tensor],
        targets: Optional[list[dict[str, torch.Tensor]]] = None,  # noqa: UP045
    ) -> tuple[dict[str, torch.Tensor], list[dict[str, torch.Tensor]]]:
        """In training the loss ``loss_semantic``; else for each image ``classes``, (C + 1, H, W) float32, the
        probability of every class at every pixel. As with torchvision's networks, TorchScript returns both.

        :param images: tensors (3, H, W) float32 in 0..1; targets: as torchvision's Mask R-CNN takes them.
        """
        sizes = [(image.shape[-2], image.shape[-1]) for image in images]
        batch, targets = self.transform(images, targets)
        whole = (batch.tensors.shape[-2], batch.tensors.shape[-1])
        logits = functional.interpolate(self.logits(batch.tensors).float(), whole, mode="bilinear", align_corners=False)
        if torch.jit.is_scripting():
            return {}, self.resized(logits, batch.image_sizes, sizes)
        return self._eager(logits, targets, batch.image_sizes, sizes)

    @torch.jit.unused
    def _eager(self, logits: Any, targets: Any, inside: Any, sizes: Any) -> Any:
        if targets is None:
            return self.resized(logits, inside, sizes)
        truth = torch.stack([label_map(target, logits.shape[-2:]) for target in targets])
        return {"loss_semantic": functional.cross_entropy(logits, truth, ignore_index=_NO_IMAGE)}

    def resized(
        self, logits: torch.Tensor, inside: list[tuple[int, int]], sizes: list[tuple[int, int]]
    ) -> list[dict[str, torch.Tensor]]:
        """The probabilities of each image in the size (height, width) that it came in.

        :param inside: the part of the batch that is the image, in its corner.
        """
        found: list[dict[str, torch.Tensor]] = []
        for number in range(len(sizes)):
            height, width = inside[number]
            logit = logits[number : number + 1, :, :height, :width]
            full = functional.interpolate(logit, sizes[number], mode="bilinear", align_corners=False)
            found.append({"classes": full[0].softmax(0)})
        return found


class DeepLabV3(Semantic):
    """See the module's text.

    :param body: of :func:`trainer.models.backbones.build_body`, dilated; ``width``: the channels of its last map.
    :param channels: width of the head.
    :param classes: without the background, which is class 0.
    """

    def __init__(self, body: Body, width: int, channels: int, classes: int, **transform: Any) -> None:
        super().__init__(size_divisible=8, **transform)
        self.backbone = nn.ModuleDict({"body": body})  # with all its maps, by which stages are counted
        self.last_map = LAST_MAP  # TorchScript knows no constants of modules
        self.classifier = nn.Sequential(
            ASPP(width, RATES, channels),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, classes + 1, 1),
        )
        use_group_norm(self.classifier)

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.backbone["body"](images)[self.last_map])


def label_map(target: dict[str, torch.Tensor], size_hw: tuple[int, int]) -> torch.Tensor:
    """The class of every pixel, (H, W) int64, of a target whose image lies in the corner of ``size_hw``."""
    masks = target["masks"].bool()
    labels = torch.full(tuple(size_hw), _NO_IMAGE, dtype=torch.int64, device=masks.device)
    labels[: masks.shape[1], : masks.shape[2]] = 0
    for mask, label in zip(masks, target["labels"], strict=True):
        labels[: masks.shape[1], : masks.shape[2]][mask] = label
    return labels


def instances(classes: np.ndarray) -> list[tuple[np.ndarray, float, int]]:
    """The objects of an image: (H, W) bool mask, mean probability and class (from 1) of every connected piece, the most
    probable first.

    :param classes: (C + 1, H, W) float, as :class:`DeepLabV3` gives them. Two objects of a class that touch are one.
    """
    best = classes.argmax(0)
    found = []
    for label in range(1, len(classes)):
        numbered, count = ndimage.label(best == label)
        sizes = np.bincount(numbered.ravel(), minlength=count + 1)
        for number in range(1, count + 1):
            if sizes[number] >= MIN_PIECE_PX:
                mask = numbered == number
                found.append((mask, float(classes[label][mask].mean()), label))
    return sorted(found, key=lambda piece: -piece[1])
