"""The mean of networks."""

import json

import pytest
import torch
from trainer_samples import TINY, invoke, refused, write_blobs, write_recipe

from trainer.config.recipe import ImageSettings, Network
from trainer.models import checkpoint, networks


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two sessions, the second of which is the best, and its data."""
    place = tmp_path_factory.mktemp("average")
    data, recipe = write_blobs(place / "data"), write_recipe(place / "tiny.toml", TINY)
    done = invoke("repeat", "--recipe", recipe, "--data", data, "--out", place / "run", "--device", "cpu")
    assert done.exit_code == 0, done.output
    return place / "run"


def test_a_mean_is_the_mean_of_every_weight_and_predicts(run, tmp_path):
    first, second = (run / f"sessions/0{number}.safetensors" for number in (1, 2))
    out = tmp_path / "mean.safetensors"
    done = invoke("average", first, second, second, "--out", out)
    assert done.exit_code == 0, done.output
    assert "the mean of 3 networks" in done.output
    one, two, mean = (checkpoint.read_weights(path) for path in (first, second, out))
    assert one.keys() == mean.keys()
    for name, value in mean.items():
        assert value.dtype == one[name].dtype
        torch.testing.assert_close(value, (one[name] + 2 * two[name]) / 3 if value.is_floating_point() else one[name])
    assert not all(torch.equal(mean[name], one[name]) for name in mean)
    described = json.loads(out.with_suffix(".json").read_text())
    assert described["averaged"] == ["01.safetensors", "02.safetensors", "02.safetensors"]
    done = invoke("predict", "--weights", out, run.parent / "data", "--out", tmp_path / "found", "--score", 0)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "found/predict.json").read_text())["session"] is None, "it is no session's network"


def test_a_share_of_the_mean_is_imagenets(tmp_path):
    network = Network(backbone="tf_efficientnet_lite0", init="imagenet", channels=16, representation_size=16)
    model = networks.start(network, ImageSettings(64, 96), 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1
    described = {"architecture": networks.architecture(network).to_json(), "images": {"min_size": 64, "max_size": 96}}
    checkpoint.write_network(tmp_path / "moved.safetensors", model.state_dict(), {"task": "segmentation", **described})
    out = tmp_path / "mean.safetensors"
    done = invoke("average", tmp_path / "moved.safetensors", "--imagenet", 0.25, "--out", out)
    assert done.exit_code == 0, done.output
    assert "the mean of 1 network and a share of 0.25 of ImageNet's weights" in done.output
    for name, value in checkpoint.read_weights(out).items():
        parameter = name in dict(model.named_parameters())
        moved = 0.075 if name.startswith("backbone.body.") else 0.1
        torch.testing.assert_close(value, before[name] + (moved if parameter else 0))


def test_networks_that_have_no_mean_are_refused(run, tmp_path):
    out = tmp_path / "mean.safetensors"
    wide = write_recipe(tmp_path / "wide.toml", TINY.replace("channels = 16", "channels = 32"))
    words = ("--data", run.parent / "data", "--out", tmp_path / "wide", "--device", "cpu")
    assert invoke("repeat", "--recipe", wide, *words).exit_code == 0
    done = invoke("average", run, tmp_path / "wide", "--out", out)
    refused(done, f"{tmp_path / 'wide'} holds a network of another architecture than {run}: channels 32 (here 16)")
    refused(
        invoke("average", run, "--out", out),
        "the mean of one network is that network; name two or more, or give --imagenet",
    )
    refused(
        invoke("average", run, "--imagenet", 0.2, "--out", out),
        "a share of ImageNet's weights is for networks that start from these, not from scratch",
    )
    refused(invoke("average", run, run, "--out", tmp_path / "mean.pt"), "mean.pt does not end in .safetensors")
    refused(invoke("average", run, tmp_path / "none", "--out", out), f"{tmp_path / 'none'}")
    assert not out.exists()
