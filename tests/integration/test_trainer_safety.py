"""Networks that are broken are refused; a run goes on with the threads it began with; others keep their cores."""

import json
import os
import subprocess
import sys

import pytest
import safetensors.torch
import torch
from trainer_samples import TINY, invoke, refused, write_blobs, write_recipe

from trainer.loop import repetition

SHORT = TINY.replace("steps = 4", "steps = 2")


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    folder = tmp_path_factory.mktemp("safety")
    data, recipe = write_blobs(folder / "data", count=4), write_recipe(folder / "tiny.toml", SHORT)
    return "repeat", "--recipe", recipe, "--data", data, "--device", "cpu"


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_network_with_a_value_that_is_no_number_is_refused(words, tmp_path, value):
    run = tmp_path / "run"
    assert invoke(*words, "--out", run).exit_code == 0
    weights = safetensors.torch.load_file(run / "network.safetensors")
    name = next(name for name in weights if name.startswith("backbone.body") and weights[name].ndim == 4)
    weights[name][0, 0, 0, 0] = value
    safetensors.torch.save_file(weights, run / "network.safetensors")
    told = f"has values that are NaN or infinite, in {name}"
    refused(invoke("predict", "--weights", run, words[4], "--out", tmp_path / "out"), told)
    refused(invoke(*words, "--out", tmp_path / "next", "--init", run), told)
    assert not (tmp_path / "out").exists()


def test_weights_that_the_last_step_made_infinite_are_not_kept(words, tmp_path, monkeypatch):
    finish = repetition.Repetition._finish

    def burst(self, number, job):
        next(iter(self.model.parameters())).data[:] = torch.inf
        finish(self, number, job)

    monkeypatch.setattr(repetition.Repetition, "_finish", burst)
    refused(
        invoke(*words, "--out", tmp_path / "run"),
        "the weights after session 1 have values that are NaN or infinite, in ",
    )
    assert not list((tmp_path / "run").rglob("*.safetensors"))


def test_a_run_goes_on_with_its_own_threads(words, tmp_path, monkeypatch):
    run = tmp_path / "run"
    before = torch.get_num_threads()
    finish = repetition.Repetition._finish

    def stop(self, number, job):
        finish(self, number, job)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repetition.Repetition, "_finish", stop)
        assert invoke(*words, "--out", run, "--threads", 2).exit_code == 130
    assert json.loads((run / "run.json").read_text())["threads"] == 2
    try:
        refused(invoke(*words, "--out", run, "--resume", "--threads", 1), "was begun with 2 threads", "--threads 2")
        torch.set_num_threads(1)
        done = invoke(*words, "--out", run, "--resume")
        assert done.exit_code == 0 and "goes on with 2 threads" in done.stderr and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    "given, expected", [({}, "PASSIVE 0"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None")], ids=["unset", "set"]
)
def test_threads_wait_passively_unless_the_user_says_otherwise(given, expected):
    clean = {key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    code = "import trainer, os; print(os.environ['OMP_WAIT_POLICY'], os.environ.get('GOMP_SPINCOUNT'))"
    told = subprocess.run([sys.executable, "-c", code], env={**clean, **given}, capture_output=True, text=True)
    assert told.stdout.strip() == expected, told.stderr


def test_what_is_no_run_or_no_recipe_is_said_to_be_so(words, tmp_path):
    (tmp_path / "empty").mkdir()
    asked = ("predict", "--weights", tmp_path / "empty", words[4], "--out", tmp_path / "o")
    refused(invoke(*asked), "is not a run folder")
    (tmp_path / "empty/run.json").touch()
    refused(invoke(*asked), "not finished a session")
    near = ("repeat", "--data", words[4], "--out", tmp_path / "run", "--recipe")
    refused(invoke(*near, "cpu-minute"), "no recipe is called 'cpu-minute'; did you mean cpu-minutes?")
    bare = write_recipe(tmp_path / "bare.toml", 'description = "nothing else"')
    refused(invoke(*near, bare), "recipe bare does not say what to train; give it a [session] or [[sessions]]")
    out = ("--format", "onnx", "--out", tmp_path / "net.pt", "--image", next((words[4] / "images").iterdir()))
    refused(invoke("export", tmp_path / "empty", *out), "net.pt does not end in .onnx, as what --format onnx writes")
