"""Networks for other programs: what is written finds what the original finds."""

import sys

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from trainer_samples import refused

from trainer.cli import main
from trainer.config.recipe import ImageSettings, Network
from trainer.config.tasks import TASKS
from trainer.errors import OutputError
from trainer.inference import export
from trainer.models import checkpoint, networks


def invoke(*words):
    return CliRunner().invoke(main, ["export", *(str(word) for word in words)])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """An untrained network of each task, and an image in which it finds plenty at score 0."""
    folder = tmp_path_factory.mktemp("runs")
    for task in TASKS:
        network = Network(task=task, backbone="resnet18", init="none", channels=16, representation_size=16)
        image_settings = {"min_size": 64, "max_size": 96, "augmentation": "none"}
        weights = networks.start(network, ImageSettings(64, 96), 0).state_dict()
        description = {
            "architecture": networks.architecture(network).to_json(),
            "images": image_settings,
            "sessions": [],
        }
        checkpoint.write_network(folder / f"{task}.safetensors", weights, description)
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    return folder


@pytest.mark.parametrize("kind", ["torchscript", "onnx"])
@pytest.mark.parametrize("task", TASKS)
def test_what_is_written_agrees(runs, tmp_path, kind, task):
    words = ("--format", kind, "--image", runs / "noise.png", "--score", 0)
    name = {"torchscript": "net.pt", "onnx": "net.onnx"}[kind]
    done = invoke(runs / f"{task}.safetensors", *words, "--out", tmp_path / name)
    assert done.exit_code == 0, done.output
    assert "agrees with the network" in done.output and "largest differences: " in done.output
    assert "agrees with the network; 0 hands" not in done.output
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.filterwarnings("ignore:`torch.jit.load` is deprecated", "ignore:RCNN always returns")
def test_torchscript_runs_on_images_of_other_sizes_without_our_code(runs, tmp_path):
    out = tmp_path / "net.pt"
    done = invoke(
        runs / "segmentation.safetensors", "--format", "torchscript", "--out", out, "--image", runs / "noise.png"
    )
    assert done.exit_code == 0, done.output
    both = [torch.rand(3, 70, 50), torch.rand(3, 64, 96)]
    with torch.inference_mode():
        for pixels, found in zip(both, torch.jit.load(str(out))(both), strict=True):
            assert len(found["scores"]) and found["masks"].shape[2:] == pixels.shape[1:]


@pytest.mark.parametrize("task", ["segmentation", "detection", "keypoints"])
def test_onnx_runs_on_an_image_without_a_hand(runs, tmp_path, task):
    """Exported with nothing to find, and run with it: of an untrained network no score reaches the threshold."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    words = ("--format", "onnx", "--image", runs / "noise.png", "--score", 0.999)
    done = invoke(runs / f"{task}.safetensors", *words, "--out", tmp_path / "net.onnx")
    assert done.exit_code == 0 and "agrees with the network; 0 hands" in done.output, done.output
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {"image": np.zeros((3, 60, 90), np.float32)})
    assert {len(values) for values in found} == {0}


def test_a_network_that_differs_is_not_written(runs, tmp_path, monkeypatch):
    def other(network, images, names):
        with torch.inference_mode():
            found = [{name: value.numpy() for name, value in network([image])[0].items()} for image in images]
        return b"x", [{**outputs, "boxes": outputs["boxes"] + 1} for outputs in found]

    monkeypatch.setitem(export._KINDS, "onnx", other)
    words = ("--format", "onnx", "--out", tmp_path / "net.onnx", "--image", runs / "noise.png", "--score", 0)
    refused(invoke(runs / "detection.safetensors", *words), "as onnx does not agree with the network: boxes by 1")

    def fewer(network, images, names):
        content, found = other(network, images, names)
        return content, [{name: values[:-1] for name, values in outputs.items()} for outputs in found]

    monkeypatch.setitem(export._KINDS, "onnx", fewer)
    remedy = "compare what is sure with --score 0.5, or on another --image, or train longer"
    refused(invoke(runs / "detection.safetensors", *words), "as onnx does not agree with the network, as it", remedy)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tolerance", [export.TOLERANCE, export.HALF_TOLERANCE])
@pytest.mark.parametrize("name", ["boxes", "labels", "scores", "masks", "keypoints", "classes", "probabilities"])
def test_whatever_differs_is_told(name, tolerance):
    with pytest.raises(OutputError, match=f"{name} by 1.5"):
        export.compare({name: np.array([1.0, 0.0])}, {name: np.array([1.0, 1.5])}, "it", tolerance)


def test_wrong_use(runs, tmp_path, monkeypatch):
    words = ("--format", "onnx", "--image", runs / "noise.png", "--out")
    refused(invoke(tmp_path / "none", *words, tmp_path / "net.onnx"), "none is missing")
    network = runs / "semantic.safetensors"
    refused(invoke(network, *words, tmp_path / "no/net.onnx"), "/no does not exist; make it first")
    for name in ("net", "net.pt", "net.txt"):
        refused(invoke(network, *words, tmp_path / name), f"{name} does not end in .onnx, as what --format onnx writes")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    refused(invoke(network, *words, tmp_path / "net.onnx"), "ONNX needs the package onnxruntime", "pip")
    assert not list(tmp_path.iterdir())
