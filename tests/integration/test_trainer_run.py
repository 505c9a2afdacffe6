"""Runs by the real command: the files they leave, resuming, and wrong input."""

import csv
import json
import math
import socket
import sys

import numpy as np
import pytest
from processes import run as run_process
from pydantic import TypeAdapter
from trainer_samples import TINY, edit_annotations, invoke, refused, repeat, write_blobs, write_recipe

from handforge.run_records import RunRecord, SessionRecord
from trainer.config.tasks import TASKS

COLUMNS = ("session", "step", "loss", *TASKS["segmentation"].losses, "lr")


def test_a_run_leaves_exactly_its_files(unbroken):
    names = {"run.json", "losses.csv", "subsets.json", "network.safetensors", "network.json", "sessions"}
    assert {path.name for path in unbroken.iterdir()} == names
    assert {path.stem for path in (unbroken / "sessions").iterdir()} == {"01", "02"}


def test_losses_are_finite_and_named(unbroken):
    with (unbroken / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["session"], row["step"]) for row in rows] == [(str(s), str(i)) for s in (1, 2) for i in (1, 2, 3, 4)]
    for row in rows:
        values = [float(row[name]) for name in COLUMNS[2:]]
        assert all(math.isfinite(value) for value in values)
        assert math.isclose(values[0], sum(values[1:6]), rel_tol=1e-4)
    assert [float(row["lr"]) for row in rows[:3]] == [0.005, 0.01, 0.01]


def test_run_json_tells_the_run(unbroken, blobs):
    run = json.loads((unbroken / "run.json").read_text())
    assert run["seed"] == 0 and run["data"]["images"] == 6 and run["recipe"]["network"]["backbone"] == "test_resnet"
    assert [(s["session"], s["subset"], s["images"], s["layers"]) for s in run["sessions"]] == [
        (1, 1, 3, "all"),
        (2, 2, 3, "3+"),
    ]
    with (unbroken / "losses.csv").open() as file:
        rows = [(int(row["session"]), float(row["loss"])) for row in csv.DictReader(file)]
    averages = [s["average_loss"] for s in run["sessions"]]
    assert averages == pytest.approx(
        [np.mean([loss for session, loss in rows if session == number]) for number in (1, 2)]
    )
    assert run["best_session"] == averages.index(min(averages)) + 1
    assert run["seconds"] > 0 and " cores, " in run["machine"]
    TypeAdapter(RunRecord).validate_python(run)
    assert {*run} == {*RunRecord.__annotations__} and {*SessionRecord.__annotations__} <= {*run["sessions"][0]}
    subsets = json.loads((unbroken / "subsets.json").read_text())["subsets"]
    assert sorted(subsets[0] + subsets[1]) == [f"blob{i:03d}.png" for i in range(6)]


def test_workers_and_a_second_run_change_nothing(blobs, tiny, unbroken, tmp_path):
    assert repeat(tiny, blobs, tmp_path / "run", "--workers", 3).exit_code == 0
    assert (tmp_path / "run/network.safetensors").read_bytes() == (unbroken / "network.safetensors").read_bytes()


def test_train_is_one_session_of_as_many_steps_on_the_whole_set(blobs, quick, tmp_path):
    words = ("--recipe", quick, "--data", blobs, "--out", tmp_path / "run", "--device", "cpu", "--layers", "heads")
    done = invoke("train", *words)
    assert done.exit_code == 0, done.output
    sessions = json.loads((tmp_path / "run/run.json").read_text())["sessions"]
    assert [(s["steps"], s["images"], s["layers"]) for s in sessions] == [(2, 6, "heads")]


def test_real_images_replicated_another_start_and_another_seed(blobs, quick, unbroken, tmp_path):
    real = write_blobs(tmp_path / "real", count=2, size_wh=(100, 80))
    more = ("--real", real, "--replicate", 5, "--init", unbroken, "--seed", 1)
    done = repeat(quick, blobs, tmp_path / "run", *more)
    assert done.exit_code == 0, done.output
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert [s["images"] for s in run["sessions"]] == [3 + 10, 3 + 10]
    assert run["real"]["images"] == 2 and run["replicate"] == 5 and run["seed"] == 1
    assert run["recipe"]["network"]["init"] == str(unbroken)
    assert (tmp_path / "run/subsets.json").read_bytes() != (unbroken / "subsets.json").read_bytes()


@pytest.mark.slow  # three processes that each load torch
def test_two_processes_train_like_one(blobs, tmp_path):
    recipe = write_recipe(tmp_path / "pair.toml", TINY.replace("batch = 1", "batch = 2"))
    assert repeat(recipe, blobs, tmp_path / "one").exit_code == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]
    command += ["-m", "trainer", "repeat", "--recipe", recipe, "--data", blobs, "--out", tmp_path / "two"]
    done = run_process([*command, "--device", "cpu"])
    assert done.returncode == 0, done.stderr
    names = [{path.name for path in (tmp_path / run).iterdir()} for run in ("one", "two")]
    assert names[0] == names[1]
    assert json.loads((tmp_path / "two/run.json").read_text())["processes"] == 2
    rows = []
    for run in ("one", "two"):
        with (tmp_path / run / "losses.csv").open() as file:
            rows.append(
                [(float(row["loss_rpn_box_reg"]), float(row["loss_objectness"])) for row in csv.DictReader(file)]
            )
    # The same images and steps: the RPN's losses agree. The heads' hang on which eight regions are sampled.
    assert len(rows[0]) == len(rows[1]) == 8
    assert rows[0][0] == pytest.approx(rows[1][0], rel=1e-3)
    for one, two in zip(*rows, strict=True):
        assert one == pytest.approx(two, rel=0.02, abs=2e-4)  # the box losses go down to 0.003


def test_masks_that_cover_the_forearm_are_a_category_of_their_own(unbroken, tmp_path):
    arms = write_blobs(tmp_path / "arms")

    def rename(content):
        content["categories"] = [{"id": 2, "name": "hand+forearm"}]
        for annotation in content["annotations"]:
            annotation["category_id"] = 2

    edit_annotations(arms, rename)
    text = TINY.replace("steps = 4", "steps = 1").replace("warmup_steps = 2", "")
    recipe = write_recipe(tmp_path / "arm.toml", text)
    refused(repeat(recipe, arms, tmp_path / "run"), "has no mask of the category hand", "hand+forearm")
    recipe = write_recipe(recipe, text.replace("[network]", '[network]\ncategory = "hand+forearm"'))
    done = repeat(recipe, arms, tmp_path / "run", "--init", unbroken)  # a network of hands may learn arms
    assert done.exit_code == 0, done.output
    done = invoke("predict", "--weights", tmp_path / "run", arms, "--out", tmp_path / "found", "--score", 0)
    assert done.exit_code == 0, done.output
    results = json.loads((tmp_path / "found/results.json").read_text())
    assert results and {entry["category_id"] for entry in results} == {2}


def test_a_diverging_loss_names_its_images_and_leaves_no_network(blobs, tmp_path):
    recipe = write_recipe(tmp_path / "hot.toml", TINY.replace("lr = 0.01", "lr = 1e30"))
    refused(repeat(recipe, blobs, tmp_path / "run"), "the loss of session 1, step", "blob0", "lower lr")
    assert not list((tmp_path / "run").rglob("*.safetensors"))
