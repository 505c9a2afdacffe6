"""Layer freezing: which layers a session trains, by the words of recipes: all, 3+, 4+, 5+ or heads."""

from __future__ import annotations

from torch import nn

from trainer.models import backbones

HEADS = ("backbone.fpn.", "rpn.", "roi_heads.", "classifier.")


def train_layers(model: nn.Module, word: str) -> None:
    """Let the layers of a Matterport word learn and freeze the others."""
    prefixes: tuple[str, ...] = HEADS
    if word[0].isdigit():
        for stage, names in backbones.stage_prefixes(backbones.body_of(model)).items():
            if stage >= int(word[0]):
                prefixes += tuple(f"backbone.body.{name}" for name in names)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(word == "all" or name.startswith(prefixes))
