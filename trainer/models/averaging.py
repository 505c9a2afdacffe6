"""The mean of several networks' weights (model soups; Wortsman et al. 2022): one network, as fast as each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainer.config.description import NetworkDescription
from trainer.errors import WeightsError
from trainer.models import checkpoint, networks


def average(paths: Sequence[Path], out: Path, imagenet: float = 0.0) -> None:
    """Write the mean of the weights of networks of one architecture, and the first one's description with their names.

    It is of use for networks of one line, as the sessions of a run are: weights of networks that were trained apart do
    not correspond.

    :param paths: run folders or ``.safetensors`` files.
    :param out: the ``.safetensors`` file; its ``.json`` is written, too.
    :param imagenet: of the mean's backbone, the share that is ImageNet's weights, 0 to below 1.
    :raises CheckpointError: if a file is missing or damaged.
    :raises WeightsError: if architectures differ, or there are no ImageNet weights for the backbone.
    """
    model, description = networks.load(paths[0])
    architecture = networks.architecture_of(description)
    mean = {name: value.double() for name, value in model.state_dict().items()}
    for count, path in enumerate(paths[1:], start=2):
        other, source = networks.load(path)
        if differing := networks.difference(networks.architecture_of(source), architecture):
            raise WeightsError(
                f"{path} holds a network of another architecture than {paths[0]}: {differing}; a mean is of networks "
                "of one line, as of the sessions of a run"
            )
        for name, value in other.state_dict().items():
            mean[name].lerp_(value.double(), 1 / count)
    model.load_state_dict(mean)
    if imagenet:
        networks.mix(model, networks.imagenet_body(architecture), imagenet)
    said: NetworkDescription = {**description, "averaged": [path.name for path in paths], "imagenet_share": imagenet}
    checkpoint.write_network(out, model.state_dict(), said)
