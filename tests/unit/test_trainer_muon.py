"""Muon's step against what can be computed: singular vectors, sizes of changes, and AdamW for the rest."""

import pytest
import torch
from torch import nn

from trainer.config.recipe import ImageSettings, Network
from trainer.models.networks import architecture, build
from trainer.optim import muon


def spectrum(rows, columns, values):
    """A matrix with these singular values, and its singular vectors."""
    generator = torch.Generator().manual_seed(1)
    left, _ = torch.linalg.qr(torch.randn(rows, rows, generator=generator, dtype=torch.float64))
    right, _ = torch.linalg.qr(torch.randn(columns, rows, generator=generator, dtype=torch.float64))
    return (left * values @ right.T).float(), left.float(), right.float()


def test_singular_vectors_stay_and_singular_values_become_one():
    matrix, left, right = spectrum(16, 40, torch.logspace(-2, 0, 16, dtype=torch.float64))
    inside = left.T @ muon.orthonormal(5 * matrix) @ right
    values = inside.diagonal()
    assert values.min() > 0.6 and values.max() < 1.3
    assert (inside - torch.diag(values)).abs().max() < 1e-3


def test_each_block_of_rows_is_treated_by_itself():
    matrix = torch.randn(3 * muon.BLOCK_ROWS, 300, generator=torch.Generator().manual_seed(2))
    whole = muon.orthonormal(matrix)
    for part, block in zip(whole.split(muon.BLOCK_ROWS), matrix.split(muon.BLOCK_ROWS), strict=True):
        torch.testing.assert_close(part, muon.orthonormal(block), rtol=0, atol=1e-5)


def stepped(optimizer, module, gradients):
    for gradient in gradients:
        for parameter in module.parameters():
            parameter.grad = torch.full_like(parameter, 0.0) + gradient[: parameter.numel()].reshape(parameter.shape)
        optimizer.step()


def gradients(module, steps=3):
    largest = max(parameter.numel() for parameter in module.parameters())
    return torch.randn(steps, largest, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("shape", [(32, 8), (16, 64), (48, 16)], ids=["wide", "long rows", "upright"])
def test_a_step_changes_weights_by_its_learning_rate_whatever_the_gradient(shape):
    layer = nn.Conv2d(shape[1], shape[0], 1, bias=False)
    before = layer.weight.detach().clone()
    for scale in (1e-4, 1e4):
        with torch.no_grad():
            layer.weight.copy_(before)
        optimizer = muon.Muon([{"params": layer.parameters()}], lr=0.01, weight_decay=0.0, precision=torch.float32)
        stepped(optimizer, layer, scale * gradients(layer, 1))
        assert (layer.weight - before).square().mean().sqrt().item() == pytest.approx(0.002, rel=0.2)


def test_weight_decay_shrinks_a_matrix_by_lr_times_itself():
    layer = nn.Linear(32, 16, bias=False)
    before = layer.weight.detach().clone()
    optimizer = muon.Muon([{"params": layer.parameters()}], lr=0.1, weight_decay=0.5, precision=torch.float32)
    stepped(optimizer, layer, torch.zeros(1, layer.weight.numel()))
    torch.testing.assert_close(layer.weight.detach(), 0.95 * before)


def test_what_is_no_matrix_goes_adamws_way():
    ours = nn.Sequential(nn.Conv2d(3, 16, 3), nn.GroupNorm(4, 16), nn.Conv2d(16, 2, 1))
    theirs = nn.Sequential(nn.Conv2d(3, 16, 3), nn.GroupNorm(4, 16), nn.Conv2d(16, 2, 1))
    theirs.load_state_dict(ours.state_dict())
    steps = gradients(ours)
    stepped(muon.Muon([{"params": ours.parameters()}], 0.01, 0.1, torch.float32), ours, steps)
    stepped(torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1, fused=True), theirs, steps)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_the_first_and_the_last_layers_of_a_mask_rcnn_are_no_matrices():
    network = Network(backbone="resnet18", init="none", channels=32, representation_size=32)
    model = build(architecture(network), ImageSettings())
    others = {name for name, p in model.named_parameters() if p.ndim >= 2 and not muon.is_matrix(p)}
    assert others == {
        "backbone.body.conv1.weight",
        "rpn.head.cls_logits.weight",
        "rpn.head.bbox_pred.weight",
        "roi_heads.box_predictor.cls_score.weight",
        "roi_heads.box_predictor.bbox_pred.weight",
        "roi_heads.mask_predictor.mask_fcn_logits.weight",
    }
