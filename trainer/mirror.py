"""Masks cut a second time, from the mirror image of the picture: a network errs a little differently there.

What is found stays, and its boxes and scores; its masks become the mean of both. A usual means of test-time
augmentation, which costs the network's first part and its mask head once more.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.roi_heads import maskrcnn_inference, paste_masks_in_image


def average(model: nn.Module, pictures: list[torch.Tensor], outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs of ``model`` for ``pictures``, each (3, H, W) float32 in 0..1, with the mean of both masks.

    :param outputs: of a network that finds masks, as it returned them.
    """
    mirrored = [picture.flip(-1) for picture in pictures]
    if isinstance(model, MaskRCNN):
        name, seconds = "masks", _masks(model, mirrored, outputs)
    else:
        name, seconds = "classes", [output["classes"] for output in model(mirrored)]
    return [
        {**output, name: (output[name].float() + second.flip(-1)) / 2}
        for output, second in zip(outputs, seconds, strict=True)
    ]


def _masks(model: MaskRCNN, mirrored: list[torch.Tensor], outputs: list[dict[str, Any]]) -> list[torch.Tensor]:
    """The masks (N, 1, H, W) float32 in 0..1, that the mirrored pictures have where the outputs' boxes lie in them."""
    images, _ = model.transform(mirrored)
    heads, sizes = model.roi_heads, [picture.shape[-2:] for picture in mirrored]
    boxes, scaled = [], []
    for output, inside, (height, width) in zip(outputs, images.image_sizes, sizes, strict=True):
        left, top, right, bottom = output["boxes"].unbind(1)
        boxes.append(torch.stack([width - right, top, width - left, bottom], 1))
        scaled.append(boxes[-1] * boxes[-1].new_tensor([inside[1] / width, inside[0] / height] * 2))
    features = heads.mask_roi_pool(model.backbone(images.tensors), scaled, images.image_sizes)
    logits = heads.mask_predictor(heads.mask_head(features)).float()
    cut = maskrcnn_inference(logits, [output["labels"] for output in outputs])
    return [paste_masks_in_image(*parts) for parts in zip(cut, boxes, sizes, strict=True)]
