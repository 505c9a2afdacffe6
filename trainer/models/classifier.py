"""A network that gives a whole image a class, called as torchvision's detection networks are.

The backbone's last map, averaged over the image, and one linear layer: what ImageNet's ResNets are (He et al. 2016,
arXiv 1512.03385).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Optional

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from trainer.models.backbones import LAST_MAP, STRIDES, Body


class Classifier(nn.Module):
    """See the module's text.

    :param body: of :func:`trainer.models.backbones.build_body`; ``width``: the channels of its last map.
    :param classes: the number of classes; there is no background.
    :param transform: arguments of torchvision's transform: ``min_size, max_size, image_mean, image_std``.
    """

    def __init__(self, body: Body, width: int, classes: int, **transform: Any) -> None:
        super().__init__()
        self.transform = GeneralizedRCNNTransform(size_divisible=STRIDES[-1], **transform)
        self.backbone = nn.ModuleDict({"body": body})
        self.last_map = LAST_MAP  # TorchScript knows no constants of modules
        self.classifier = nn.Sequential(OrderedDict(logits=nn.Linear(width, classes)))

    def forward(
        self,
        images: list[torch.Tensor],
        targets: Optional[list[dict[str, torch.Tensor]]] = None,  # noqa: UP045
    ) -> tuple[dict[str, torch.Tensor], list[dict[str, torch.Tensor]]]:
        """In training the loss ``loss_classification``; else for each image ``probabilities``, (C,) float32.

        As with torchvision's networks, TorchScript returns both.

        :param images: tensors (3, H, W) float32 in 0..1; targets: ``labels``, (1,) int64 from 1, of each.
        """
        batch, _ = self.transform(images)
        features = self.backbone["body"](batch.tensors)[self.last_map]
        pooled: list[torch.Tensor] = []
        for number in range(len(batch.image_sizes)):  # what pads an image to the batch's size is not averaged
            height, width = batch.image_sizes[number]
            rows = (height * features.shape[-2] + batch.tensors.shape[-2] - 1) // batch.tensors.shape[-2]
            columns = (width * features.shape[-1] + batch.tensors.shape[-1] - 1) // batch.tensors.shape[-1]
            pooled.append(features[number, :, :rows, :columns].mean((1, 2)))
        logits = self.classifier(torch.stack(pooled)).float()
        found: list[dict[str, torch.Tensor]] = []
        for number in range(len(images)):
            found.append({"probabilities": logits[number].softmax(0)})
        if torch.jit.is_scripting():
            return {}, found
        return self._eager(logits, targets, found)

    @torch.jit.unused
    def _eager(self, logits: Any, targets: Any, found: Any) -> Any:
        if targets is None:
            return found
        labels = torch.cat([target["labels"] for target in targets])
        return {"loss_classification": functional.cross_entropy(logits, labels - 1)}
