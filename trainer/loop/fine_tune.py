"""Fine-tuning as options of a training: the recipe ``fine-tune`` on the network that it goes on from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from handforge.dataset import CATEGORIES, Dataset
from handforge.dataset.records import HandCategory
from trainer.config.description import Architecture
from trainer.config.recipe import INITS, ImageSettings, Network, Recipe
from trainer.config.tasks import task_of
from trainer.errors import RecipeError
from trainer.loop.launch import Options
from trainer.models import checkpoint
from trainer.weights import weights_path


def training_options(
    own: Path,
    out: Path,
    rendered: tuple[Path, ...],
    init: str,
    recipe: Recipe,
    category: HandCategory | None,
    **options: Any,
) -> Options:
    """What the training is told.

    Beside rendered images each own one stands in the set as often as makes both equally many; alone they are the set.

    :param own: the dataset of own images.
    :param init: ``shipped``, a run folder or a weights file: the network to go on from. Its architecture and the size
        of its images are taken over.
    :param category: what its masks cover, ``hand`` or ``hand+forearm``; None: what the own masks cover.
    :param options: as :class:`trainer.loop.launch.Options`.
    :raises HandforgeError: if the data cannot be used, or there is no network to go on from.
    """
    data = Dataset(own)
    covered = category or _covered(data)
    chosen = _on(recipe, init, covered)
    if not rendered:
        return Options(recipe=chosen, data=(own,), out=out, **options)
    others = sum(len(Dataset(folder)) for folder in rendered)
    copies = max(1, round(others / chosen.subsets / max(1, len(data))))
    return Options(recipe=chosen, data=rendered, real=(own,), replicate=copies, out=out, **options)


def _covered(data: Dataset) -> HandCategory:
    """``hand+forearm`` where the masks are of that alone, else ``hand``."""
    hand, forearm = CATEGORIES.values()
    used = {data.category(annotation) for image in data for annotation in data.annotations(image)}
    return forearm if forearm in used and hand not in used else hand


def _on(recipe: Recipe, init: str, category: HandCategory) -> Recipe:
    """The recipe on the network that it goes on from.

    :raises RecipeError: if ``init`` is no network of ours.
    """
    if init in INITS:
        raise RecipeError(
            f"--init {init} is not a trained network; give a run folder or a .safetensors file, or leave it out"
        )
    description = checkpoint.read_description(weights_path(init, category))
    arch, seen = Architecture.from_json(description["architecture"]), ImageSettings(**description["images"])
    network = Network(
        category=category,
        task=task_of(arch.model),
        backbone=arch.backbone,
        init=init,
        channels=arch.channels,
        representation_size=arch.representation_size,
        canonical_scale=arch.canonical_scale,
    )
    images = replace(recipe.images, min_size=seen.min_size, max_size=seen.max_size)
    return replace(recipe, network=network, images=images, init_from="").checked()
