"""Runs by the real command: the files they leave, resuming, and wrong input."""

import csv
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from trainer_samples import TINY, edit_annotations, refused, write_blobs, write_recipe

from handforge.dataset import Dataset
from handforge.files import folder_lock
from trainer.cli import main
from trainer.config.recipe_file import load as load_recipe
from trainer.config.tasks import TASKS
from trainer.loop import launch, repetition
from trainer.models import checkpoint

COLUMNS = ("session", "step", "loss", *TASKS["segmentation"].losses, "lr")


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("blobs") / "data")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_recipe(tmp_path_factory.mktemp("recipe") / "tiny.toml")


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def repeat(recipe, data, out, *more):
    return invoke("repeat", "--recipe", recipe, "--data", data, "--out", out, "--device", "cpu", *more)


@pytest.fixture(scope="module")
def unbroken(blobs, tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken") / "run"
    done = repeat(tiny, blobs, out)
    assert done.exit_code == 0, done.output
    return out


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
    assert run["seed"] == 0 and run["data"]["images"] == 6 and run["recipe"]["network"]["backbone"] == "resnet18"
    assert [(s["session"], s["subset"], s["images"], s["layers"]) for s in run["sessions"]] == [
        (1, 1, 3, "all"),
        (2, 2, 3, "3+"),
    ]
    averages = [s["average_loss"] for s in run["sessions"]]
    assert run["best_session"] == averages.index(min(averages)) + 1
    assert run["seconds"] > 0 and " cores, " in run["machine"]
    subsets = json.loads((unbroken / "subsets.json").read_text())["subsets"]
    assert sorted(subsets[0] + subsets[1]) == [f"blob{i:03d}.png" for i in range(6)]


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
    codes = [repeat(tiny, blobs, tmp_path / "run", "--resume").exit_code for _ in range(20)]
    assert codes[0] == 130 and codes[-1] == 0
    assert json.loads((tmp_path / "run/run.json").read_text())["seconds"] > 0
    for name in ("network.safetensors", "network.json", "losses.csv", "subsets.json"):
        assert (tmp_path / "run" / name).read_bytes() == (unbroken / name).read_bytes(), name


def test_adamw_resumes_exactly(blobs, tmp_path, monkeypatch):
    recipe = write_recipe(tmp_path / "other.toml", TINY.replace("lr = 0.01", 'lr = 0.001\noptimizer = "adamw"'))
    assert repeat(recipe, blobs, tmp_path / "whole").exit_code == 0
    monkeypatch.setattr(repetition, "STATE_EVERY_STEPS", 1)
    add_row = repetition.RunFolder.add_row

    def stop_at_three(self, row):
        add_row(self, row)
        if row["step"] == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repetition.RunFolder, "add_row", stop_at_three)
        assert repeat(recipe, blobs, tmp_path / "stopped").exit_code == 130
    assert repeat(recipe, blobs, tmp_path / "stopped", "--resume").exit_code == 0
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_resume_after_sigkill_is_exact(blobs, tiny, unbroken, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "trainer", "repeat", "--recipe", tiny, "--data", blobs, "--out", out]
    command += ["--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # as many as the unbroken run had
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    losses = out / "losses.csv"
    while process.poll() is None and (not losses.exists() or len(losses.read_text().splitlines()) < 7):
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (out / "state.safetensors").exists(), "it was to be killed before it ended"
    subprocess.run([*command, "--resume"], check=True, capture_output=True, env=environment)
    for name in ("network.safetensors", "losses.csv"):
        assert (out / name).read_bytes() == (unbroken / name).read_bytes(), name


def test_workers_and_a_second_run_change_nothing(blobs, tiny, unbroken, tmp_path):
    assert repeat(tiny, blobs, tmp_path / "run", "--workers", 3).exit_code == 0
    assert (tmp_path / "run/network.safetensors").read_bytes() == (unbroken / "network.safetensors").read_bytes()


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    text = TINY.replace("steps = 4", "steps = 1").replace("warmup_steps = 2", "")
    return write_recipe(tmp_path_factory.mktemp("quick") / "quick.toml", text)


def test_train_is_one_session_of_as_many_steps_on_the_whole_set(blobs, quick, tmp_path):
    words = ("--recipe", quick, "--data", blobs, "--out", tmp_path / "run", "--device", "cpu", "--layers", "heads")
    done = invoke("train", *words)
    assert done.exit_code == 0, done.output
    sessions = json.loads((tmp_path / "run/run.json").read_text())["sessions"]
    assert [(s["steps"], s["images"], s["layers"]) for s in sessions] == [(2, 6, "heads")]


def test_real_pictures_replicated_another_start_and_another_seed(blobs, quick, unbroken, tmp_path):
    real = write_blobs(tmp_path / "real", count=2, size_wh=(100, 80))
    more = ("--real", real, "--replicate", 5, "--init", unbroken, "--seed", 1)
    done = repeat(quick, blobs, tmp_path / "run", *more)
    assert done.exit_code == 0, done.output
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert [s["images"] for s in run["sessions"]] == [3 + 10, 3 + 10]
    assert run["real"]["images"] == 2 and run["replicate"] == 5 and run["seed"] == 1
    assert run["recipe"]["network"]["init"] == str(unbroken)
    assert (tmp_path / "run/subsets.json").read_bytes() != (unbroken / "subsets.json").read_bytes()


def several(recipe, sets, out, *more):
    words = [word for folder in sets for word in ("--data", folder)]
    return invoke("repeat", "--recipe", recipe, *words, "--out", out, "--device", "cpu", *more)


def test_several_datasets_are_learned_as_one(blobs, tmp_path, monkeypatch):
    other = write_blobs(tmp_path / "other", count=4, size_wh=(100, 80))
    recipe = write_recipe(tmp_path / "r.toml", TINY.replace("subsets = 2", "subsets = 2\nvalidation = 0.2"))
    assert several(recipe, (blobs, other), tmp_path / "whole").exit_code == 0
    run = json.loads((tmp_path / "whole/run.json").read_text())
    assert [(part["id"], part["images"]) for part in run["data"]] == [
        (Dataset(d).id, len(Dataset(d))) for d in (blobs, other)
    ]
    assert [s["images"] for s in run["sessions"]] == [4, 4]
    subsets = json.loads((tmp_path / "whole/subsets.json").read_text())
    every = [name for part in (*subsets["subsets"], subsets["validation"]) for name in part]
    assert len(subsets["validation"]) == 2
    assert sorted(every) == sorted(f"{d}/{image['file_name']}" for d in (blobs, other) for image in Dataset(d))
    add_row = repetition.RunFolder.add_row

    def stop(self, row):
        add_row(self, row)
        if (row["session"], row["step"]) == (2, 3):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repetition.RunFolder, "add_row", stop)
        assert several(recipe, (blobs, other), tmp_path / "stopped").exit_code == 130
    refused(several(recipe, (blobs,), tmp_path / "stopped", "--resume"), "holds another run", "data was")
    refused(several(recipe, (other, blobs), tmp_path / "stopped", "--resume"), "holds another run", "data 1.id was")
    moved = other.rename(tmp_path / "moved")
    assert several(recipe, (blobs, moved), tmp_path / "stopped", "--resume").exit_code == 0
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_dataset_given_twice_is_refused(blobs, tiny, tmp_path):
    copied = shutil.copytree(blobs, tmp_path / "copy")
    done = several(tiny, (blobs, copied), tmp_path / "run")
    refused(done, str(blobs), str(copied), "are the same dataset; give each once")
    assert not (tmp_path / "run").exists()


def test_a_group_of_two_datasets_is_kept_aside_together(tmp_path):
    one, two = write_blobs(tmp_path / "one", count=6), write_blobs(tmp_path / "two", count=9, size_wh=(90, 90))
    for folder in (one, two):
        edit_annotations(folder, lambda c: [image.update(group=image["id"] % 3) for image in c["images"]])
    recipe = replace(load_recipe("demo"), subsets=2, validation=0.4)
    plan = repetition.Plan([], recipe, (Dataset(one), Dataset(two)))
    subsets, aside = repetition.split(plan)
    groups = [image["group"] for _, image in plan.images]
    assert sorted([*aside, *subsets[0], *subsets[1]]) == list(range(15)) and len(aside) == 5
    assert {groups[i] for i in aside}.isdisjoint(groups[i] for part in subsets for i in part)


@pytest.mark.slow  # three processes that each load torch
def test_two_processes_train_like_one(blobs, tmp_path):
    recipe = write_recipe(tmp_path / "pair.toml", TINY.replace("batch = 1", "batch = 2"))
    assert repeat(recipe, blobs, tmp_path / "one").exit_code == 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(port)]
    command += ["-m", "trainer", "repeat", "--recipe", recipe, "--data", blobs, "--out", tmp_path / "two"]
    done = subprocess.run([*command, "--device", "cpu"], capture_output=True, text=True)
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

    def stop(self, row):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(repetition.RunFolder, "add_row", stop)
        assert repeat(recipe, blobs, tmp_path / "stopped").exit_code == 130
    assert repeat(recipe, blobs, tmp_path / "stopped", "--resume").exit_code == 0
    for name in ("network.safetensors", "network.json"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_validation_keeps_groups_together(tmp_path):
    folder = write_blobs(tmp_path / "d", count=12)
    edit_annotations(folder, lambda c: [image.update(group=image["id"] % 4) for image in c["images"]])
    recipe = replace(load_recipe("demo"), subsets=2, validation=0.5)
    for seed in range(5):
        subsets, aside = repetition.split(repetition.Plan([], recipe, (Dataset(folder),), seed=seed))
        assert len(aside) == 6 and [len(part) for part in subsets] == [3, 3]
        assert sorted([*aside, *subsets[0], *subsets[1]]) == list(range(12))
        kept = {int(index) % 4 for index in aside}
        assert not kept & {int(index) % 4 for part in subsets for index in part}


def test_validation_without_pictures_is_refused(blobs, tmp_path):
    video = write_blobs(tmp_path / "video")
    edit_annotations(video, lambda c: [image.update(group="clip.mp4") for image in c["images"]])
    recipe = write_recipe(tmp_path / "aside.toml", TINY.replace("subsets = 2", "subsets = 2\nvalidation = 0.3"))
    parts = ("validation 0.3 means 2 of the 6 images", "6 at least belong together")
    refused(repeat(recipe, video, tmp_path / "run"), *parts)
    few = write_recipe(tmp_path / "few.toml", TINY.replace("subsets = 2", "subsets = 2\nvalidation = 0.05"))
    refused(repeat(few, blobs, tmp_path / "run"), "validation 0.05 means 0 of the 6 images", "1 at least")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "change, parts",
    [
        (("subsets = 2", "subsets = 7"), ("7 subsets", "6 training images", "lower subsets")),
        (('"3+"', '"2+"'), ("sessions 2: trainable_layers is all or 3+ or 4+ or 5+ or heads or auto, not '2+'",)),
        (('init = "none"', 'init = "nowhere.pth"'), ("nowhere.pth is missing",)),
    ],
)
def test_wrong_recipes_leave_nothing(blobs, tmp_path, change, parts):
    recipe = write_recipe(tmp_path / "bad.toml", TINY.replace(*change))
    refused(repeat(recipe, blobs, tmp_path / "run"), *parts)
    assert not (tmp_path / "run").exists()


def test_resume_of_what_was_not_begun_says_so(blobs, quick, tmp_path):
    done = repeat(quick, blobs, tmp_path / "run", "--resume")
    assert done.exit_code == 0 and "run holds no run yet; this one starts from the beginning" in done.stderr


def test_unknown_recipe_and_missing_or_empty_data(blobs, tiny, tmp_path):
    refused(repeat("nonesuch", blobs, tmp_path / "run"), "no recipe is called 'nonesuch'")
    refused(repeat(tiny, tmp_path / "nowhere", tmp_path / "run"), "nowhere is no folder")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "annotations.json").write_text('{"images": [], "annotations": [], "categories": []}')
    refused(repeat(tiny, empty, tmp_path / "run"), "lists no images; the dataset is empty")
    for device in ("cuda:77", "meta"):
        refused(repeat(tiny, blobs, tmp_path / "run", "--device", device), f"there is no device '{device}'")
    handless = write_blobs(tmp_path / "handless")
    edit_annotations(handless, lambda content: content.update(annotations=[]))
    refused(
        repeat(tiny, handless, tmp_path / "run"), "has no annotation in any image; there is nothing to learn from it"
    )
    assert not (tmp_path / "run").exists()


def test_recipes_that_need_something_say_what(blobs, tmp_path):
    refused(repeat("c10", blobs, tmp_path / "run"), "c10 trains nothing", "the network of C9 on Vid2")
    refused(repeat("c5", blobs, tmp_path / "run"), "needs real images (EgoHands", "--real DIR")
    refused(repeat("c6", blobs, tmp_path / "run", "--real", blobs), "starts from the network of c5", "--init")
    assert not (tmp_path / "run").exists()


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


def test_a_network_of_another_architecture_is_refused(blobs, unbroken, tmp_path):
    recipe = write_recipe(tmp_path / "wide.toml", TINY.replace("channels = 16", "channels = 32"))
    refused(
        repeat(recipe, blobs, tmp_path / "run", "--init", unbroken), "another architecture", "channels 16 (here 32)"
    )
    recipe = write_recipe(tmp_path / "fine.toml", TINY.replace("channels = 16", "channels = 16\ncanonical_scale = 448"))
    refused(repeat(recipe, blobs, tmp_path / "run", "--init", unbroken), "canonical_scale 224 (here 448)")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_not_ours_or_another_run_is_refused(blobs, tiny, unbroken, tmp_path):
    refused(repeat(tiny, blobs, unbroken), "holds a run already; continue it with --resume")
    refused(repeat(tiny, blobs, unbroken, "--resume", "--seed", 3), "seed was 0, is now 3")
    wide = write_recipe(tmp_path / "tiny.toml", TINY.replace("rois_per_image = 8", "rois_per_image = 9"))
    refused(repeat(wide, blobs, unbroken, "--resume"), "recipe.sessions 1.rois_per_image was 8, is now 9")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine")
    refused(repeat(tiny, blobs, foreign, "--resume"), "holds no run of ours; give a new folder")
    assert [path.name for path in foreign.iterdir()] == ["thesis.txt"]
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text('{"format": "handforge-run-1", "recipe": [1], "command": ["repeat"]}')
    refused(repeat(tiny, blobs, damaged, "--resume"), "run.json is damaged (", "give another folder")
    finished = repeat(tiny, blobs, unbroken, "--resume")
    assert finished.exit_code == 0 and "finished already" in finished.output


def test_two_commands_do_not_write_one_run(blobs, tiny, tmp_path):
    with folder_lock(tmp_path / "run"):
        refused(repeat(tiny, blobs, tmp_path / "run"), f"run is being written by process {os.getpid()} on")
        refused(repeat(tiny, blobs, tmp_path / "run", "--resume"), "wait for it, or give another folder")


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


def test_options_that_do_not_fit_the_recipe(blobs, tiny, tmp_path):
    wrong = repeat("c1", blobs, tmp_path / "run", "--init", "coco")
    refused(wrong, "recipe c1: init coco exists for backbone resnet50 only")
    refused(repeat(tiny, blobs, tmp_path / "run", "--replicate", 3), "--replicate is for the images of --real")


def test_what_an_optimizer_kept_goes_to_where_the_weights_are():
    """Of AdamW's steps, too, which have not a weight's shape."""
    model = torch.nn.Linear(2, 3, device="meta")
    optimizer = torch.optim.AdamW(model.parameters())
    checkpoint.set_optimizer(model, optimizer, {"step.weight": torch.tensor(5.0), "exp_avg.weight": torch.ones(3, 2)})
    assert {key: value.device.type for key, value in optimizer.state[model.weight].items()} == {
        "step": "meta",
        "exp_avg": "meta",
    }


def test_a_diverging_loss_names_its_images_and_leaves_no_network(blobs, tmp_path):
    recipe = write_recipe(tmp_path / "hot.toml", TINY.replace("lr = 0.01", "lr = 1e30").replace("clip_norm", ""))
    refused(repeat(recipe, blobs, tmp_path / "run"), "the loss of session 1, step", "blob0", "lower lr")
    assert not list((tmp_path / "run").rglob("*.safetensors"))


def test_a_log_file_is_told_of_progress_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr("handforge.progress.LINE_EVERY", -1.0)
    with launch.progress() as bar:
        task = bar.add_task("session 1", total=12, note="")
        for step in range(1, 3):
            bar.update(task, advance=1, note=f"loss {step}.5")
    told = capsys.readouterr().err
    assert "1/12, loss 1.5" in told and told.index("1/12") < told.index("2/12")
