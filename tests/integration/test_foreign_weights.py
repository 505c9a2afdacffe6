"""Weights as others write, wrap, damage or edit them: read as they are meant, or refused in one line."""

import argparse
import json
import shutil
import tomllib

import pytest
import safetensors.torch
import torch
from PIL import Image
from trainer_samples import TINY, invoke, refused, write_blobs, write_recipe

from trainer.config import recipe_file
from trainer.config.recipe import ImageSettings, Network
from trainer.errors import CheckpointError, RecipeError
from trainer.models import networks
from trainer.models.foreign_weights import read_foreign

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:1234\nsize 5\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("weights") / "data", count=2)


@pytest.fixture(scope="module")
def run(data):
    text = (
        TINY.replace("steps = 4", "steps = 2").replace('["all", "3+"]', '"all"').replace("subsets = 2", "subsets = 1")
    )
    tiny, out = write_recipe(data.parent / "tiny.toml", text), data.parent / "run"
    assert invoke("repeat", "--recipe", tiny, "--data", data, "--out", out, "--device", "cpu").exit_code == 0
    return out


@pytest.fixture
def network(run, tmp_path):
    """A copy of a run's network that a test may spoil."""
    for name in ("network.safetensors", "network.json"):
        shutil.copyfile(run / name, tmp_path / name)
    return tmp_path


def test_a_json_beside_others_weights_is_not_their_description(data, tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml")
    (tmp_path / "theirs.pth").touch()
    (tmp_path / "theirs.json").write_text("{}")
    words = ("--recipe", recipe, "--data", data, "--out", tmp_path / "run", "--device", "cpu")
    refused(invoke("repeat", *words, "--init", tmp_path / "theirs.pth"), "theirs.pth is empty; fetch it again")


def test_a_run_that_is_not_there_is_missing(data, tmp_path):
    words = ("predict", data, "--out", tmp_path / "out", "--weights", tmp_path / "none")
    for session in ("last", "2", "best"):
        refused(invoke(*words, "--session", session), "is missing; give a run folder")


def predict(network, data):
    return invoke("predict", "--weights", network, data, "--out", network / "out", "--device", "cpu")


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        (
            "architecture",
            "representation_size",
            -16,
            "architecture: representation_size is a whole number from 16 to 8,192, not -16",
        ),
        ("architecture", "representation_size", 2**40, "representation_size is a whole number from 16 to 8,192"),
        ("architecture", "channels", 160000, "channels is a multiple of 16, above 256 of 32, up to 2,048, not 160000"),
        ("architecture", "channels", "16", "up to 2,048, not '16'"),
        ("architecture", "channels", [16], "up to 2,048, not [16]"),
        ("architecture", "canonical_scale", 0, "canonical_scale is a whole number from 1 to 16,384, not 0"),
        ("architecture", "classes", [], "classes is a list of 1 to 1,000 names, each once, not []"),
        ("architecture", "classes", "hand", "classes is a list of 1 to 1,000 names, each once, not 'hand'"),
        ("architecture", "classes", ["hand", "hand"], "each once, not ['hand', 'hand']"),
        ("architecture", "classes", [{}], "classes 1 is text, not {}"),
        ("architecture", "keypoints", 10**9, "keypoints is a whole number from 1 to 1,000, not 1000000000"),
        ("architecture", "keypoints", -1, "keypoints is a whole number from 1 to 1,000, not -1"),
        ("architecture", "mean", [0, 0], "mean 3 is missing"),
        ("architecture", "std", [0, 1, 1], "std 1 is a number from 0.001 to 10, not 0"),
        ("architecture", "norm", "batch", "norm is group or frozen_batch, not 'batch'"),
        ("architecture", "model", ["maskrcnn_fpn"], "model is text, not ['maskrcnn_fpn']"),
        ("architecture", "backbone", "hf-hub:somebody/network", "neither one of torchvision's"),
        ("architecture", "backbone", None, "backbone is text, not None"),
        ("images", "max_size", float("nan"), "images: max_size is a whole number from 64 to 16,384, not nan"),
        ("images", "min_size", 10**9, "min_size is a whole number from 64 to 16,384, not 1000000000"),
        ("images", "min_size", 5, "min_size is a whole number from 64 to 16,384, not 5"),
        ("images", "max_size", 100_000, "max_size is a whole number from 64 to 16,384, not 100000"),
        ("images", "augmentation", 3, "augmentation is none or studio or photo or decoys, not 3"),
    ],
)
def test_a_description_out_of_range_is_refused(network, data, part, key, value, words):
    content = json.loads((network / "network.json").read_text())
    content[part][key] = value
    (network / "network.json").write_text(json.dumps(content))
    refused(predict(network, data), "network.json describes a network that cannot be built", words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[" * 100_000, "is not valid JSON (it is nested too deeply)"),
        ('{"format": ' + "1" * 5000 + "}", "is not valid JSON (a number has more than 4300 digits)"),
        ("{", "is not valid JSON"),
        ("5", "does not describe a network"),
        ("null", "does not describe a network"),
        ('{"format": "handforge-network-1", "images": 3}', "does not describe a network (architecture is not there)"),
        (POINTER.decode(), "is a Git-LFS pointer, not the file itself; fetch it with: git lfs pull"),
    ],
    ids=["deep", "digits", "cut", "number", "null", "parts", "pointer"],
)
def test_what_is_no_description_is_refused(network, data, content, words):
    (network / "network.json").write_text(content)
    refused(predict(network, data), "network.json", words)


@pytest.mark.parametrize("value", [1e30, -2e6])
def test_absurd_weights_are_refused(network, data, value):
    weights = safetensors.torch.load_file(network / "network.safetensors")
    weights["rpn.head.cls_logits.bias"][0] = value
    safetensors.torch.save_file(weights, network / "network.safetensors")
    refused(predict(network, data), "values above 1,000,000, in rpn.head.cls_logits.bias", "its training diverged")


def test_a_pointer_in_place_of_weights_is_called_one(network, data):
    (network / "network.safetensors").write_bytes(POINTER)
    refused(predict(network, data), "network.safetensors is a Git-LFS pointer")
    shutil.copytree(data, network / "data")
    (network / "data/images/blob000.png").write_bytes(POINTER)
    done = invoke("repeat", "--recipe", data.parent / "tiny.toml", "--data", network / "data", "--out", network / "r")
    refused(done, "blob000.png is a Git-LFS pointer")


@pytest.fixture(scope="module")
def plain(run):
    return safetensors.torch.load_file(run / "network.safetensors")


def reference_checkpoint(weights):
    """What torchvision's references/detection/train.py writes."""
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[16, 22], gamma=0.1)
    options = argparse.Namespace(lr=0.02, lr_steps=[16, 22], device="cuda", data_augmentation="hflip", amp=False)
    return {
        "model": weights,
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
        "args": options,
        "epoch": 25,
    }


@pytest.mark.parametrize(
    "wrap",
    [
        lambda w: w,
        reference_checkpoint,
        lambda w: {"state_dict": {f"model.{name}": t for name, t in w.items()}, "epoch": 3},
        lambda w: {"model_state_dict": {f"module.{name}": t for name, t in w.items()}},
        lambda w: {"model": {"state_dict": {f"module._orig_mod.{name}": t for name, t in w.items()}}},
    ],
    ids=["plain", "reference", "lightning", "parallel", "compiled"],
)
def test_wrapped_weights_are_read_as_they_are_meant(plain, tmp_path, wrap):
    torch.save(wrap(plain), tmp_path / "w.pth")
    found = read_foreign(tmp_path / "w.pth")
    assert found.keys() == plain.keys() and all(torch.equal(found[name], plain[name]) for name in plain)


def test_a_network_starts_from_a_references_checkpoint(tmp_path):
    network = Network(backbone="resnet18", init="none", channels=256, representation_size=1024)
    learned = networks.start(network, ImageSettings(), 3)
    theirs = {f"module.{name}": tensor for name, tensor in learned.state_dict().items()}
    torch.save(reference_checkpoint(theirs), tmp_path / "model_25.pth")
    model = networks.build(networks.architecture(network), ImageSettings())
    networks._load(model, read_foreign(tmp_path / "model_25.pth"), "it")
    weights = model.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in learned.state_dict().items())


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("wrap", [lambda b: {"w": b}, lambda b: {"model": {}, "args": argparse.Namespace(x=b)}])
def test_a_pickle_with_code_is_not_run(tmp_path, wrap):
    torch.save(wrap(Bomb(tmp_path / "boom")), tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match="which could run code and is not read"):
        read_foreign(tmp_path / "evil.pth")
    assert not (tmp_path / "boom").exists()


def test_what_is_no_weights_file_is_said_without_pytorchs_advice(data, run, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    (tmp_path / "empty.pth").touch()
    (tmp_path / "pointer.pth").write_bytes(POINTER)
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"model": {"w": float("nan") * torch.ones(2)}}, tmp_path / "nan.pth")
    whole = tmp_path / "whole.pth"
    torch.save({"w": torch.ones(100)}, whole)
    (tmp_path / "cut.pth").write_bytes(whole.read_bytes()[:300])
    (tmp_path / "pickle.pth").write_bytes(b"\x80\x04pickle")
    words = {
        "photo.png": "photo.png is not a weights file; init takes .safetensors, or PyTorch's .pth or .pt",
        "empty.pth": "empty.pth is empty",
        "pointer.pth": "pointer.pth is a Git-LFS pointer",
        "list.pth": "list.pth holds no weights by name",
        "nan.pth": "nan.pth has values that are NaN or infinite, in w",
        "cut.pth": "cut.pth is damaged",
        "pickle.pth": "pickle.pth",
        "none.pth": "none.pth is missing",
    }
    for name, text in words.items():
        options = ("--data", data, "--out", tmp_path / "next", "--init", tmp_path / name, "--device", "cpu")
        done = invoke("repeat", "--recipe", data.parent / "tiny.toml", *options)
        refused(done, text)
        assert "weights_only" not in done.output and "torch.load" not in done.output
    assert not (tmp_path / "next").exists()


def test_recipes_have_the_same_ranges():
    for line, words in (
        ("[network]\nchannels = 160000", "up to 2,048"),
        ("[network]\nrepresentation_size = 9000", "from 16 to 8,192"),
        ("[images]\nmax_size = 20000", "from 64 to 16,384"),
    ):
        with pytest.raises(RecipeError, match=words):
            recipe_file.from_table("wide", tomllib.loads(line))
