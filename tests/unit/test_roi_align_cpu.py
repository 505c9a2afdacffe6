"""ROI align for the CPU: torchvision's is the truth."""

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from trainer.config.recipe import ImageSettings, Network
from trainer.models import networks
from trainer.models.roi_align_cpu import RoIAlign


def boxes(count: int, seed: int) -> torch.Tensor:
    """Boxes in an image of 160x120 pixels: of all sizes, at its edges, and of no size at all."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, 2, generator=generator) * torch.tensor([160.0, 120.0])
    inside = torch.cat([corners.amin(1), corners.amax(1)], 1)
    special = [[0, 0, 160, 120], [159, 119, 160, 120], [160, 120, 160, 120], [0, 0, 0, 0], [3, 100, 4, 120]]
    return torch.cat([inside, torch.tensor(special, dtype=torch.float32)])


@pytest.mark.parametrize("names, side", [(["0", "1", "2", "3"], 7), (["0"], 14)])
def test_values_and_gradients_are_torchvisions(names, side):
    torch.manual_seed(0)
    maps = {str(i): torch.randn(2, 8, 32 >> i, 40 >> i) for i in range(4)}
    given = [boxes(40, 1), boxes(25, 2)]
    shapes = [(120, 160), (128, 150)]
    results, plain, quick = [], MultiScaleRoIAlign(names, side, 2), RoIAlign(names, side, 2)
    plain(maps, given, shapes)  # which tells it the maps' scales
    quick.scales, quick.map_levels = plain.scales, plain.map_levels
    for pooler in (plain, quick):
        leaves = {name: m.clone().requires_grad_() for name, m in maps.items()}
        out = pooler(leaves, given, shapes)
        (out**2).sum().backward()
        results.append([out, *(leaves[name].grad for name in names)])
    for truth, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, truth, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("scale, stride", [(112, 32), (224, 16), (448, 8)])
def test_the_canonical_scale_chooses_the_map_of_a_region(scale, stride):
    """Each map holds its own stride, so a region of 230 pixels says where it was read from."""
    network = Network(backbone="resnet18", init="none", channels=16, representation_size=16, canonical_scale=scale)
    settings = ImageSettings(256, 256)
    quick, plain = (
        networks.build(networks.architecture(network), settings, hooks).roi_heads for hooks in (True, False)
    )
    maps = {str(i): torch.full((1, 1, 64 >> i, 64 >> i), 4.0 * 2**i) for i in range(4)}
    region = [torch.tensor([[10.0, 10.0, 240.0, 240.0]])]
    for pooler in (plain.box_roi_pool, plain.mask_roi_pool):
        assert type(pooler) is MultiScaleRoIAlign
        assert pooler(maps, region, [(256, 256)]).unique().tolist() == [stride]
    for pooler in (quick.box_roi_pool, quick.mask_roi_pool):
        ours = pooler(maps, region, [(256, 256)])
        torch.testing.assert_close(ours, torch.full_like(ours, stride))
