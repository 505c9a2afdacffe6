"""Runs that were stopped continue exactly; what a run needs to continue."""

import json
import math
import os
import shutil
import subprocess
import sys

import torch
from processes import started, wait_for
from trainer_samples import TINY, refused, repeat, stopped_after, write_recipe

from trainer.loop import repetition
from trainer.models import checkpoint


def test_resume_in_the_middle_of_a_session_is_exact(blobs, tiny, unbroken, tmp_path, monkeypatch):
    """Stopped after each third step, with the state written every step, until it is done."""
    monkeypatch.setattr(repetition, "STATE_EVERY_STEPS", 1)
    add_row = repetition.RunFolder.add_row
    steps = []

    def stop_after_three(self, row):
        add_row(self, row)
        steps.append(row["step"])
        if len(steps) % 3 == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(repetition.RunFolder, "add_row", stop_after_three)
    codes = [repeat(tiny, blobs, tmp_path / "run", "--resume").exit_code for _ in range(4)]
    assert codes == [130, 130, 130, 0]
    assert json.loads((tmp_path / "run/run.json").read_text())["seconds"] > 0
    for name in ("network.safetensors", "network.json", "losses.csv", "subsets.json"):
        assert (tmp_path / "run" / name).read_bytes() == (unbroken / name).read_bytes(), name


def test_a_run_killed_before_it_removed_its_state_is_finished_and_removes_it(blobs, tiny, unbroken, tmp_path):
    out = shutil.copytree(unbroken, tmp_path / "run")
    (out / checkpoint.STATE).write_bytes(b"of the last step")
    done = repeat(tiny, blobs, out, "--resume")
    assert done.exit_code == 0 and "finished already" in done.output
    assert not (out / checkpoint.STATE).exists()


def test_adamw_and_a_backbone_of_torchvision_resume_exactly(blobs, tmp_path):
    text = TINY.replace("lr = 0.01", 'lr = 0.001\noptimizer = "adamw"').replace("test_resnet", "resnet18")
    recipe = write_recipe(tmp_path / "other.toml", text.replace("steps = 4", "steps = 2"))
    assert repeat(recipe, blobs, tmp_path / "whole").exit_code == 0
    with stopped_after(1):
        assert repeat(recipe, blobs, tmp_path / "stopped").exit_code == 130
    assert repeat(recipe, blobs, tmp_path / "stopped", "--resume").exit_code == 0
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_resume_after_sigkill_is_exact(blobs, tiny, unbroken, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "trainer", "repeat", "--recipe", tiny, "--data", blobs, "--out", out]
    command += ["--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # as many as the unbroken run had
    losses = out / "losses.csv"
    with started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        wait_for(lambda: losses.exists() and len(losses.read_text().splitlines()) >= 7, process, every=0.002)
    assert (out / "state.safetensors").exists(), "it was to be killed before it ended"
    assert repeat(tiny, blobs, out, "--resume").exit_code == 0
    for name in ("network.safetensors", "losses.csv"):
        assert (out / name).read_bytes() == (unbroken / name).read_bytes(), name


def test_auto_tries_all_layer_words_and_resumes_exactly(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.loop.session.TRIAL_STEPS", 1)
    monkeypatch.setattr(repetition, "STATE_EVERY_STEPS", 1)
    text = (
        TINY.replace('["all", "3+"]', '"auto"')
        .replace("steps = 4", "steps = 2")
        .replace("subsets = 2", "subsets = 1\nvalidation = 0.3")
    )
    recipe = write_recipe(tmp_path / "auto.toml", text)
    done = repeat(recipe, blobs, tmp_path / "whole")
    assert done.exit_code == 0, done.output
    entry = json.loads((tmp_path / "whole/run.json").read_text())["sessions"][0]
    assert list(entry["layers_tried"]) == ["all", "3+", "4+", "5+", "heads"]
    assert entry["layers_tried"][entry["layers"]] == min(entry["layers_tried"].values())
    assert entry["images"] == 4 and math.isfinite(entry["validation_loss"])

    with stopped_after(1):
        assert repeat(recipe, blobs, tmp_path / "stopped").exit_code == 130
    assert repeat(recipe, blobs, tmp_path / "stopped", "--resume").exit_code == 0
    for name in ("network.safetensors", "network.json"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_resume_of_what_was_not_begun_says_so(blobs, quick, tmp_path):
    done = repeat(quick, blobs, tmp_path / "run", "--resume")
    assert done.exit_code == 0 and "run holds no run yet; this one starts from the beginning" in done.stderr


def test_a_run_from_before_a_setting_was_there_is_continued(blobs, tiny, unbroken, tmp_path):
    shutil.copytree(unbroken, tmp_path / "run")
    record = json.loads((tmp_path / "run/run.json").read_text())
    del record["recipe"]["network"]["task"], record["recipe"]["sessions"][0]["schedule"]
    record["recipe"]["description"] = "what it says of itself may be put in other words"
    record["recipe"]["init_from"] = "what it starts from, which --init names"
    (tmp_path / "run/run.json").write_text(json.dumps(record))
    done = repeat(tiny, blobs, tmp_path / "run", "--resume")
    assert done.exit_code == 0 and "finished already" in done.output


def test_a_run_outlives_what_it_started_from(blobs, quick, unbroken, tmp_path, monkeypatch):
    """And says of a recipe that goes on from another that it does."""
    start = shutil.copytree(unbroken, tmp_path / "start")
    add_row = repetition.RunFolder.add_row

    def gone(self, row):
        shutil.rmtree(start, ignore_errors=True)
        add_row(self, row)

    monkeypatch.setattr(repetition.RunFolder, "add_row", gone)
    recipe = write_recipe(tmp_path / "next.toml", 'init_from = "tiny"\n' + quick.read_text())
    refused(repeat(recipe, blobs, tmp_path / "run"), "recipe next starts from the network of tiny; give its run")
    assert repeat(recipe, blobs, tmp_path / "run", "--init", start).exit_code == 0
    assert json.loads((tmp_path / "run/network.json").read_text())["architecture"]["norm"] == "group"
    assert json.loads((tmp_path / "run/run.json").read_text())["recipe"]["init_from"] == "tiny"
    assert repeat(recipe, blobs, tmp_path / "scratch", "--init", "none").exit_code == 0
    assert json.loads((tmp_path / "scratch/run.json").read_text())["recipe"]["init_from"] == ""


def test_what_an_optimizer_kept_goes_to_where_the_weights_are():
    """Of AdamW's steps, too, which have not a weight's shape."""
    model = torch.nn.Linear(2, 3, device="meta")
    optimizer = torch.optim.AdamW(model.parameters())
    checkpoint.set_optimizer(model, optimizer, {"step.weight": torch.tensor(5.0), "exp_avg.weight": torch.ones(3, 2)})
    assert {key: value.device.type for key, value in optimizer.state[model.weight].items()} == {
        "step": "meta",
        "exp_avg": "meta",
    }
