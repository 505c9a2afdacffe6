"""What several commands of scoring share: how predictions are matched with the ground truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from handforge.console import Number


def _complete_category(context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """The categories of the dataset that the command line names; none if it cannot be read."""
    try:
        folder = context.params["dataset"] or context.args[0]  # click gives arguments no names where a value is missing
        content = json.loads((Path(folder) / "annotations.json").read_bytes())
        names = [str(category["name"]) for category in content["categories"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(start)]


def matching_options(command: Callable[..., None]) -> Any:
    """Add the options that say how predictions are matched with the ground truth.

    The command gets them as ``options``, a MatchOptions, and ``scope``, a Scope.
    """

    @wraps(command)
    def with_options(iou: float, score_threshold: float, region: str, category: str | None, **others: Any) -> None:
        from evaluation.metrics.matching import MatchOptions
        from evaluation.metrics.scope import Scope

        command(options=MatchOptions(iou, score_threshold), scope=Scope(region, category), **others)

    decorated: Any = with_options
    for option in (
        click.option(
            "--region",
            type=click.Choice(["skin", "hand"]),
            default="skin",
            show_default=True,
            help="skin: masks as they are. hand: annotated pixels beyond the wrist do not count, for ground truth that "
            "includes the forearm and has wrists or keypoints; masks of the category hand end there already.",
        ),
        click.option(
            "--category",
            metavar="NAME",
            shell_complete=_complete_category,
            help="Score this category of the ground truth alone. Without it, all that the network has learned are "
            "scored, each by itself and together; of hand and hand+forearm the one that is there, of both hand.",
        ),
        click.option(
            "--score-threshold",
            type=Number(0, 1),
            default=0.5,
            show_default=True,
            help="Leave predictions below this score out of all metrics but AP and curves.",
        ),
        click.option(
            "--iou",
            type=Number(0, 1, min_open=True),
            default=0.5,
            show_default=True,
            help="A prediction is a true positive from this mask IoU on.",
        ),
    ):
        decorated = option(decorated)
    return decorated
