"""ROI align on a CPU: the sums that torchvision's computes, many times as fast.

A value of a region is the mean of some points of the feature map, each of them interpolated between four cells: a
weighted sum of the map's cells, the weights being the same in all channels. torchvision's CPU kernel works them out for
every channel anew, on one core. Here they are worked out once, and ``embedding_bag`` sums the cells, on all cores.
"""

from __future__ import annotations

import torch
from torch.nn import functional
from torchvision.ops import MultiScaleRoIAlign


class RoIAlign(MultiScaleRoIAlign):  # type: ignore[misc]  # torchvision has no types
    """torchvision's pool, which on a CPU computes as the module's text says."""

    def forward(
        self, x: dict[str, torch.Tensor], boxes: list[torch.Tensor], image_shapes: list[tuple[int, int]]
    ) -> torch.Tensor:
        """(K, C, S, S) float32 of K boxes, each from the level that fits its size."""
        return pool(self, x, boxes) if boxes[0].device.type == "cpu" else super().forward(x, boxes, image_shapes)


def pool(pooler: MultiScaleRoIAlign, x: dict[str, torch.Tensor], boxes: list[torch.Tensor]) -> torch.Tensor:
    """What ``pooler`` gives on a CPU: (K, C, S, S) float32 of K boxes."""
    maps = [x[name].float() for name in pooler.featmap_names if name in x]
    level = pooler.map_levels(boxes) if len(maps) > 1 else torch.zeros(sum(map(len, boxes)), dtype=torch.long)
    sizes = torch.tensor([m.shape[2:] for m in maps])
    starts = torch.tensor([0, *(m.shape[0] * m.shape[2] * m.shape[3] for m in maps)]).cumsum(0)
    image = torch.repeat_interleave(torch.arange(len(boxes)), torch.tensor([len(b) for b in boxes]))
    height, width = sizes[level].unbind(1)
    box = torch.cat(boxes) * torch.tensor(pooler.scales)[level, None]
    side, points = pooler.output_size[0], pooler.sampling_ratio
    columns, column_weights = _cells(box[:, 0], box[:, 2], width, side, points)
    rows, row_weights = _cells(box[:, 1], box[:, 3], height, side, points)
    rows = rows + (image * height)[:, None, None]
    cells = rows[:, :, None, :, None] * width.view(-1, 1, 1, 1, 1) + columns[:, None, :, None, :]
    cells = cells + starts[level].view(-1, 1, 1, 1, 1)
    weights = row_weights[:, :, None, :, None] * column_weights[:, None, :, None, :]
    channels = maps[0].shape[1]
    everything = torch.cat([m.permute(0, 2, 3, 1).reshape(-1, channels) for m in maps])
    bag = (2 * points) ** 2
    out = functional.embedding_bag(
        cells.reshape(-1, bag), everything, mode="sum", per_sample_weights=weights.reshape(-1, bag)
    )
    return out.view(-1, side, side, channels).permute(0, 3, 1, 2)


def _cells(
    low: torch.Tensor, high: torch.Tensor, limit: torch.Tensor, side: int, points: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which cells of a map's row (or column), (K, side, 2 points) int64, make up each value, and their weights."""
    limit = limit[:, None]
    width = (high - low).clamp(min=1)[:, None] / side
    at = low[:, None] + width * ((torch.arange(side * points) + 0.5) / points)
    there = (at <= limit) & (at >= -1)  # a region of less than a cell is widened, beyond the map's edge perhaps
    first = at.clamp(min=0).floor().clamp(max=limit - 1)
    second = (first + 1).clamp(max=limit - 1)
    share = (at.clamp(min=0) - first).clamp(max=1) * (second > first)
    cells = torch.stack([first, second], -1).long()
    weights = torch.stack([1 - share, share], -1) * there[..., None] / points
    return cells.view(-1, side, 2 * points), weights.view(-1, side, 2 * points)
