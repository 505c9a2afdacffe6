"""The network that comes with handforge: found without --weights, float16 on disk, a start for training."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from click.testing import CliRunner
from PIL import Image
from trainer_samples import invoke, refused, untrained

import handforge
from generator.cli import main as generate
from trainer import weights
from trainer.config.recipe import ImageSettings, Network
from trainer.errors import CheckpointError, RecipeError, WeightsError
from trainer.inference import export
from trainer.models import checkpoint, networks

MOST_BYTES = 30_000_000
TINY = {"backbone": "resnet18", "channels": 16, "representation_size": 16}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What ``trainer/weights`` may hold: the network of a run, as the command writes it."""
    folder = tmp_path_factory.mktemp("weights")
    run = untrained(folder / "run", backbone="resnet18")
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    words = ("export", run, "--format", "safetensors", "--image", folder / "noise.png")
    told = ("--license", "CC0-1.0", "--about", "rendered hands")
    done = invoke(*words, "--out", folder / "hand.safetensors", *told)
    assert done.exit_code == 0, done.output
    assert "agrees with the network" in done.output and "; 0 hands" not in done.output
    return folder


@pytest.mark.parametrize("words", [(), ("--weights", "shipped")], ids=["without", "by name"])
def test_without_weights_the_shipped_network_is_used(folder, tmp_path, monkeypatch, words):
    monkeypatch.setattr(weights, "FOLDER", folder)
    done = invoke("predict", folder / "noise.png", "--out", tmp_path / "out", "--device", "cpu", *words)
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "out/predict.json").read_text())
    assert record["weights"] == str(folder / "hand.safetensors")
    detector = handforge.HandDetector(device="cpu", min_score=0.05)
    assert torch.float16 not in {parameter.dtype for parameter in detector.model.parameters()}
    found = json.loads((tmp_path / "out/results.json").read_text())
    assert len(detector.detect(folder / "noise.png")) == len(found) > 0


def test_the_file_is_half_as_large_and_says_what_it_is(folder):
    tensors = safetensors.torch.load_file(folder / "hand.safetensors")
    assert {tensor.dtype for tensor in tensors.values() if tensor.dim() > 1} == {torch.float16}
    whole, half = (folder / name for name in ("run/network.safetensors", "hand.safetensors"))
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    description = json.loads((folder / "hand.json").read_text())
    assert (description["license"], description["about"]) == ("CC0-1.0", "rendered hands")
    assert description["architecture"] == json.loads((folder / "run/network.json").read_text())["architecture"]


def test_training_starts_from_it(folder, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", folder)
    started = networks.start(Network(init="shipped", **TINY), ImageSettings(64, 96), seed=5).state_dict()
    for name, tensor in safetensors.torch.load_file(folder / "hand.safetensors").items():
        torch.testing.assert_close(started[name], tensor.to(started[name].dtype), rtol=0, atol=0)


def test_what_is_not_there_is_said(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "FOLDER", folder)
    words = ("predict", folder / "noise.png", "--out", tmp_path / "out")
    refused(invoke(*words, "--category", "hand+forearm"), "no network for 'hand+forearm' comes with", "--weights RUN")
    refused(invoke(*words, "--category", "hand", "--weights", folder / "run"), "leave it or --weights out")
    with pytest.raises(WeightsError, match=r"are for hand and hand\+forearm, not 'foot'"):
        handforge.HandDetector(category="foot")
    with pytest.raises(RecipeError, match=r"the device 'meta' cannot be used \(.*\); there (is|are) cpu"):
        handforge.HandDetector(device="meta")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    refused(invoke(*words), "no network for 'hand' comes with this copy of handforge; give weights")


def test_a_file_that_does_not_agree_is_not_written(folder, tmp_path, monkeypatch):
    words = ("export", folder / "run", "--format", "safetensors", "--image", folder / "noise.png", "--out")
    refused(invoke(*words, tmp_path / "hand.pt"), "hand.pt is no .safetensors file in a folder that exists")
    monkeypatch.setitem(export.HALF_TOLERANCE, "scores", -1.0)
    refused(invoke(*words, tmp_path / "hand.safetensors"), "run in float16 does not agree with the network: scores by")
    assert list(tmp_path.iterdir()) == []
    onnx = ("export", folder / "run", "--format", "onnx", "--image", folder / "noise.png", "--out", tmp_path / "a.onnx")
    refused(invoke(*onnx, "--license", "MIT"), "are for --format safetensors")


@pytest.mark.parametrize("kind", ["export", "training"])
def test_new_weights_are_not_taken_for_those_of_an_old_description(folder, tmp_path, monkeypatch, kind):
    """A kill between the two files of a network leaves weights of one and the description of another."""
    file = tmp_path / "hand.safetensors"
    words = ("export", folder / "run", "--format", "safetensors", "--image", folder / "noise.png", "--out", file)
    assert invoke(*words).exit_code == 0
    state = {name: tensor + 0.001 for name, tensor in checkpoint.read_weights(folder / "run").items()}
    description = checkpoint.read_description(file)

    class KilledError(Exception):
        pass

    with monkeypatch.context() as patched:
        replace = Path.replace

        def killed(self, goal):
            if Path(goal) == file.with_suffix(".json"):
                raise KilledError
            return replace(self, goal)

        patched.setattr(Path, "replace", killed)
        with pytest.raises(KilledError):
            if kind == "export":
                checkpoint.write_network(tmp_path / "other.safetensors", state, description)
                export.export_half(tmp_path / "other.safetensors", file, folder / "noise.png")
            else:
                checkpoint.write_network(file, state, description)
    told = "hand.safetensors has other weights than hand.json beside it describes"
    refused(invoke("predict", "--weights", file, folder / "noise.png", "--out", tmp_path / "out"), told, "run that")
    with pytest.raises(CheckpointError, match=told):
        networks.start(Network(init=str(file), **TINY), ImageSettings(64, 96), seed=0)
    assert not (tmp_path / "out").exists()
    assert invoke(*words).exit_code == 0  # the same command again
    networks.load(file)


def test_a_description_without_a_hash_is_read_and_what_is_said_may_be_changed(folder, tmp_path):
    for name in ("hand.safetensors", "hand.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    stated = json.loads((tmp_path / "hand.json").read_text())
    (tmp_path / "hand.json").write_text(json.dumps({**stated, "about": "mine"}))
    networks.load(tmp_path / "hand.safetensors")
    del stated["weights_sha256"]  # as before there was one
    (tmp_path / "hand.json").write_text(json.dumps(stated))
    networks.load(tmp_path / "hand.safetensors")


def test_every_shipped_network_is_small_and_says_what_it_is():
    for path in weights.FOLDER.glob("*.safetensors"):
        assert path.stat().st_size < MOST_BYTES
        description = json.loads(path.with_suffix(".json").read_text())
        assert description["license"] and description["about"]
        assert description["weights_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        _, read = networks.load(path)
        assert [category.name for category in networks.categories_of(read)] == [path.stem]


@pytest.mark.usefixtures("in_process")
@pytest.mark.slow
def test_the_shipped_network_finds_the_same_hands_as_onnx(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    words = ("--settings", "studio", "--count", 1, "--seed", 3, "--resolution", "320x240")
    done = CliRunner().invoke(generate, ["render", *map(str, words), "--out", str(tmp_path / "hands")])
    assert done.exit_code == 0, done.output
    image = next((tmp_path / "hands/images").iterdir())
    done = invoke("export", "shipped", "--format", "onnx", "--image", image, "--out", tmp_path / "hands.onnx")
    assert done.exit_code == 0, done.output
    session = onnxruntime.InferenceSession(str(tmp_path / "hands.onnx"), providers=["CPUExecutionProvider"])
    pixels = np.asarray(Image.open(image).convert("RGB"), np.float32).transpose(2, 0, 1) / 255
    found = dict(zip((one.name for one in session.get_outputs()), session.run(None, {"image": pixels}), strict=True))
    detector = handforge.HandDetector(device="cpu", min_score=0.05)
    ours = detector.detect(image)
    assert len(ours) == len(found["scores"]) > 0
    np.testing.assert_allclose(sorted(hand.score for hand in ours), sorted(found["scores"]), atol=1e-3)
