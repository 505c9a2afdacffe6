"""Wrong input of a training command: one line, and nothing is left."""

import os
import subprocess
import sys

import pytest
from PIL import Image
from trainer_samples import TINY, edit_annotations, invoke, refused, repeat, write_blobs, write_recipe, write_shapes

from handforge.files import folder_lock
from trainer.loop import launch


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


MISSING = {
    "predict gone --out out": "gone is missing; give an image",
    "predict photo.png --weights gone --out out": "gone is missing; give a run folder or .safetensors file",
    "export gone --format onnx --image photo.png --out a.onnx": "gone is missing; give a run folder",
    "export shipped --format onnx --image gone.png --out a.onnx": "gone.png is missing",
    "average shipped gone --out a.safetensors": "gone is missing; give a run folder",
    "repeat --recipe gone.toml --data DATA --out out": "gone.toml is missing",
    "repeat --recipe demo --data gone --out out": "gone is not a folder",
    "repeat --recipe demo --data DATA --real gone --out out": "gone is not a folder",
    "train --recipe demo --data DATA --init gone --out out": "gone is missing; give a run folder",
    "fine-tune --data gone --out out": "gone is not a folder",
    "fine-tune --data DATA --rendered gone --out out": "gone is not a folder",
    "fine-tune --data DATA --init gone --out out": "gone is missing; give a run folder",
    "study gone.toml --out out": "gone.toml is missing",
    "study fig2 --data gone --out out": "gone is not a folder",
    "study fig2 --data DATA --init gone --out out": "gone is missing; give a run folder",
}


def test_what_is_missing_is_said_before_torch_is_loaded(blobs, tmp_path):
    """It takes seconds; a line of the output is a command."""
    Image.new("RGB", (64, 48)).save(tmp_path / "photo.png")
    code = (
        "import sys; from click.testing import CliRunner; from handforge.cli import main\n"
        "for line in sys.stdin:\n"
        "    done = CliRunner().invoke(main, line.replace('DATA', sys.argv[1]).split())\n"
        "    print(done.exit_code, 'torch' in sys.modules, done.stderr, end='')\n"
    )
    words = [sys.executable, "-c", code, os.path.relpath(blobs, tmp_path)]
    done = subprocess.run(words, input="\n".join(MISSING), capture_output=True, text=True, cwd=tmp_path)
    said = done.stdout.splitlines()
    assert len(said) == len(MISSING), (said, done.stderr)
    for line, (command, expected) in zip(said, MISSING.items(), strict=True):
        assert line.startswith(f"2 False Error: {expected}"), (command, line)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_unknown_recipe_and_missing_or_empty_data(blobs, tiny, tmp_path):
    refused(repeat("nonesuch", blobs, tmp_path / "run"), "no recipe is called 'nonesuch'")
    refused(repeat(tiny, tmp_path / "nowhere", tmp_path / "run"), "nowhere is not a folder")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "annotations.json").write_text('{"images": [], "annotations": [], "categories": []}')
    refused(repeat(tiny, empty, tmp_path / "run"), "lists no images; the dataset is empty")
    for device, said in (
        ("cuda:77", "the device 'cuda:77' cannot be used ("),
        ("meta", "the device 'meta' cannot be used ("),
        ("gpu", "Error: there is no device 'gpu'; there "),
    ):
        done = repeat(tiny, blobs, tmp_path / "run", "--device", device)
        refused(done, said, "; there ", " cpu")
        assert "xpu" not in done.stderr
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


def test_categories_that_no_network_could_tell_apart_are_refused(blobs, tiny, tmp_path, monkeypatch):
    refused(repeat(tiny, blobs, tmp_path / "run", "--categories", "hand, hand"), "--categories names hand twice")
    monkeypatch.setattr(launch, "MOST_CLASSES", 1)
    two = write_shapes(tmp_path / "two", {"cup": 1, "fork": 2})
    refused(repeat(tiny, two, tmp_path / "run"), "two has 2 categories, and a network learns 1 at most; choose them")
    assert not (tmp_path / "run").exists()


def test_a_network_of_another_architecture_is_refused(blobs, unbroken, tmp_path):
    recipe = write_recipe(tmp_path / "wide.toml", TINY.replace("channels = 16", "channels = 32"))
    refused(
        repeat(recipe, blobs, tmp_path / "run", "--init", unbroken),
        "another architecture",
        "channels 16 (here 32); give the recipe's [network] its values, or",
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


def test_a_study_goes_on_with_its_own_threads(blobs, tmp_path):
    (tmp_path / "study.json").write_text('{"threads": 2}')
    done = invoke("study", "--data", blobs, "--out", tmp_path, "--device", "cpu", "--threads", 1)
    refused(done, f"{tmp_path} was begun with 2 threads a training", "continue it with --threads 2")


def test_two_commands_do_not_write_one_run(blobs, tiny, tmp_path):
    with folder_lock(tmp_path / "run"):
        refused(repeat(tiny, blobs, tmp_path / "run"), f"run is being written by process {os.getpid()} on")
        refused(repeat(tiny, blobs, tmp_path / "run", "--resume"), "wait for it, or give another folder")


def test_options_that_do_not_fit_the_recipe(blobs, tiny, tmp_path):
    wrong = repeat("c1", blobs, tmp_path / "run", "--init", "coco")
    refused(wrong, "recipe c1: network: init coco exists for backbone resnet50 only")
    refused(repeat(tiny, blobs, tmp_path / "run", "--replicate", 3), "--replicate is for the images of --real")
