"""The mean of several networks' weights (model soups; Wortsman et al. 2022): one network, as fast as each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainer.config.description import NetworkDescription
from trainer.errors import WeightsError
from trainer.models import checkpoint, networks


def average(paths: Sequence[Path], out: Path, imagenet: float = 0.0) -> None:
    """Write the mean of the weights of networks of one architecture, and the first one's description with their names.

    It is of use for networks of one line, as the sessions of a run are: means of networks that were trained apart from
    the start find nothing.

    :param paths: run folders or ``.safetensors`` files.
    :param imagenet: of the mean's backbone, the share that is ImageNet's weights, 0 to below 1.
    :param out: the ``.safetensors`` file; its ``.json`` is written, too.
    :raises CheckpointError: if a file is missing or damaged.
    :raises WeightsError: if architectures differ, or there are no ImageNet weights for the backbone.
    """
    model, description = networks.load(paths[0])
    mean = {name: value.double() for name, value in model.state_dict().items()}
    for count, path in enumerate(paths[1:], start=2):
        other, theirs = networks.load(path)
        ours = networks.architecture_of(description).to_json()
        there = networks.architecture_of(theirs).to_json()
        if differing := [f"{key} {there[key]} (there {ours[key]})" for key in ours if there[key] != ours[key]]:
            raise WeightsError(f"{path} is of another architecture than {paths[0]}: {', '.join(differing)}")
        for name, value in other.state_dict().items():
            mean[name].lerp_(value.double(), 1 / count)
    model.load_state_dict(mean)
    if imagenet:
        networks.mix(model, networks.imagenet_body(networks.architecture_of(description)), imagenet)
    said: NetworkDescription = {**description, "averaged": [path.name for path in paths], "imagenet_share": imagenet}
    checkpoint.write_network(out, model.state_dict(), said)
