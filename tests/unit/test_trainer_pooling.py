"""ROI align for the CPU: torchvision's is the truth."""

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from trainer.config.recipe import ImageSettings, Network
from trainer.models import networks, roi_align_cpu


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
    results, pooler = [], MultiScaleRoIAlign(names, side, 2)
    for quick in (False, True):
        leaves = {name: m.clone().requires_grad_() for name, m in maps.items()}
        out = roi_align_cpu.pool(pooler, leaves, given, shapes) if quick else pooler(leaves, given, shapes)
        (out**2).sum().backward()
        results.append([out, *(leaves[name].grad for name in names)])
    for truth, ours in zip(*results, strict=True):
        torch.testing.assert_close(ours, truth, rtol=1e-4, atol=1e-3)


def test_the_network_is_itself_again_afterwards():
    holder = torch.nn.ModuleDict({"pool": MultiScaleRoIAlign(["0"], 7, 2), "some": torch.nn.Linear(1, 1)})
    with roi_align_cpu.quick(holder):
        assert "forward" in vars(holder["pool"])
    assert "forward" not in vars(holder["pool"])


@pytest.mark.parametrize("scale, stride", [(112, 32), (224, 16), (448, 8)])
def test_the_canonical_scale_chooses_the_map_of_a_region(scale, stride):
    """Each map holds its own stride, so a region of 230 pixels says where it was read from."""
    network = Network(backbone="resnet18", init="none", channels=16, representation_size=16, canonical_scale=scale)
    heads = networks.build(networks.architecture(network), ImageSettings(256, 256)).roi_heads
    maps = {str(i): torch.full((1, 1, 64 >> i, 64 >> i), 4.0 * 2**i) for i in range(4)}
    region = [torch.tensor([[10.0, 10.0, 240.0, 240.0]])]
    for pooler in (heads.box_roi_pool, heads.mask_roi_pool):
        assert pooler(maps, region, [(256, 256)]).unique().tolist() == [stride]
        ours = roi_align_cpu.pool(pooler, maps, region, [(256, 256)])
        torch.testing.assert_close(ours, torch.full_like(ours, stride))
