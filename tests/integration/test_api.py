"""The public API, the examples on it, and the command that gathers all others."""

import io
import json
import re
import runpy
import sys
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from trainer_samples import TINY, write_blobs

import evaluation.cli
import generator.cli
import handforge
import trainer.cli
from handforge.cli import main
from handforge.dataset import Dataset

ROOT = Path(handforge.__file__).parents[1]


def example(name, *words):
    """Run an example as a script, in this process; what it prints."""
    script = str(ROOT / "examples" / f"{name}.py")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.setattr(sys, "argv", [script, *map(str, words)])
        runpy.run_path(script, run_name="__main__")
    return said.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A dataset and a run on it, made by the example."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "tiny.toml").write_text(TINY)
    write_blobs(folder / "data")
    said = example("train", folder / "data", folder / "run", folder / "tiny.toml")
    assert f"handforge.HandDetector takes {folder / 'run'}" in said
    return folder


def test_what_is_public_is_there():
    for name in handforge.__all__:
        assert getattr(handforge, name) is not None
    assert set(handforge.__all__) <= set(dir(handforge))
    with pytest.raises(AttributeError, match="module 'handforge' has no attribute 'detect_hands'"):
        handforge.detect_hands  # noqa: B018


def test_a_detector_takes_paths_arrays_and_batches(trained):
    detector = handforge.HandDetector(trained / "run", min_score=0.0, device="cpu")
    path = trained / "data/images/blob000.png"
    image = np.asarray(Image.open(path).convert("RGB"))
    by_path, by_array = detector.detect(path), detector.detect(image)
    batches = [detector.detect([str(path), image]), detector.detect(np.stack([image, image]))]
    assert by_path and all(isinstance(found, handforge.Detection) for found in by_path)
    for found in (by_array, *(one for batch in batches for one in batch)):
        assert [d.score for d in found] == [d.score for d in by_path]
        assert all((d.mask == e.mask).all() for d, e in zip(found, by_path, strict=True))
    first = by_path[0]
    assert first.mask.shape == image.shape[:2] and first.mask.dtype == bool and first.category == "hand"
    assert first != by_array[0] and by_path.index(first) == 0 and len({first, *by_array}) == 1 + len(by_array)
    assert [d.score for d in by_path] == sorted((d.score for d in by_path), reverse=True)


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((4, 5, 3)), r"a \(H, W, 3\) uint8 RGB array, not \(4, 5, 3\) float64"),
        ([np.zeros((4, 5), np.uint8)], r"not \(4, 5\) uint8"),
        ([None], "not NoneType"),
        (None, "not NoneType"),
        (5, "not int"),
        (b"\xff\xd8", "not bytes"),
        (Image.new("RGB", (4, 5)), "not Image"),
        (np.zeros((4, 5), np.uint8), r"not \(4, 5\) uint8"),
        (np.zeros((0, 0, 3), np.uint8), r"not \(0, 0, 3\) uint8"),
    ],
)
def test_what_is_no_image_is_named(trained, image, message):
    with pytest.raises(ValueError, match=message):
        handforge.HandDetector(trained / "run").detect(image)


@pytest.mark.parametrize("image", [np.zeros((4, 5, 3)), np.zeros((4, 5), np.uint8), None])
def test_a_batch_takes_images_only(trained, image):
    with pytest.raises(ValueError, match=r"an image is a path or a \(H, W, 3\) uint8 RGB array, not"):
        handforge.HandDetector(trained / "run").detect_batch([image])


@pytest.mark.parametrize("image", ["photo.jpg", Path("photo.jpg"), np.zeros((4, 5, 3), np.uint8), None])
def test_a_batch_is_several_images(trained, image):
    with pytest.raises(ValueError, match="detect_batch takes a sequence of images; one image is for detect"):
        handforge.HandDetector(trained / "run").detect_batch(image)


def test_a_device_that_is_none_is_named(trained):
    with pytest.raises(handforge.HandforgeError, match=r"there is no device None; there (is|are) cpu"):
        handforge.HandDetector(trained / "run", device=None)


def test_a_session_that_is_none_is_named(trained):
    with pytest.raises(
        handforge.HandforgeError, match="session is best, last or the number of a session, from 1, not 'first'"
    ):
        handforge.HandDetector(trained / "run", session="first")


@pytest.mark.parametrize("value", [1.5, "a", None, float("nan")])
@pytest.mark.parametrize("name", ["min_score", "mask_threshold"])
def test_a_limit_beyond_its_range_is_named(trained, name, value):
    with pytest.raises(ValueError, match=rf"{name} is a number from 0 to 1, not {value!r}"):
        handforge.HandDetector(trained / "run", **{name: value})


@pytest.mark.parametrize("name, words", [("iou", "above 0 and at most 1"), ("min_score", "from 0 to 1")])
def test_a_limit_of_a_score_that_is_no_number_is_named(trained, name, words):
    with pytest.raises(handforge.HandforgeError, match=f"{words}, not 'a'"):
        handforge.evaluate(trained / "data", "results.json", **{name: "a"})


def test_a_missing_image_is_named(trained):
    with pytest.raises(handforge.HandforgeError, match=r"nowhere\.jpg is missing"):
        handforge.HandDetector(trained / "run").detect("nowhere.jpg")


def test_the_example_masks_images_with_hands_and_without(tmp_path):
    for name in ("black", "white"):
        Image.new("RGB", (120, 90), name).save(tmp_path / f"{name}.png")
    said = example("detect", tmp_path / "black.png", tmp_path / "white.png")
    assert f"{tmp_path / 'black.png'} []" in said
    for name in ("black", "white"):
        with Image.open(tmp_path / f"{name}.mask.png") as mask:
            assert (mask.mode, mask.size) == ("L", (120, 90))


def test_a_training_goes_on_from_the_run_that_another_returned(trained, tmp_path):
    recipe = str(trained / "tiny.toml")
    run = handforge.train(recipe, trained / "data", tmp_path / "out", init=trained / "run", device="cpu")
    assert json.loads((run / "run.json").read_text())["recipe"]["network"]["init"] == str(trained / "run")
    for name, least in (("seed", 0), ("replicate", 1), ("keep", 0), ("threads", 1), ("workers", 1)):
        for wrong in (least - 1, "a"):
            words = f"{name} is a whole number, {least} or more, not {wrong!r}"
            with pytest.raises(handforge.HandforgeError, match=words):
                handforge.train(recipe, trained / "data", tmp_path / "other", **{name: wrong})


def test_examples_score(trained):
    done = CliRunner().invoke(
        main, ["predict", "--weights", str(trained / "run"), str(trained / "data"), "--out", str(trained / "found")]
    )
    assert done.exit_code == 0, done.output
    metrics = handforge.evaluate(trained / "data", trained / "found")
    assert metrics == handforge.evaluate(handforge.load_dataset(trained / "data"), str(trained / "found/results.json"))
    assert f"{metrics.tp} of 6 hands found" in example("score", trained / "data", trained / "found")
    for limits, words in (({"iou": 50}, "above 0 and at most 1, not 50"), ({"min_score": -1}, "from 0 to 1, not -1")):
        with pytest.raises(handforge.HandforgeError, match=words):
            handforge.evaluate(trained / "data", trained / "found", **limits)


def test_the_example_fine_tunes(trained, tmp_path):
    """From the network of a run, on rendered images and one's own together."""
    mine = write_blobs(tmp_path / "mine", count=2, size_wh=(120, 160))
    said = example("fine_tune", trained / "run", trained / "data", mine, tmp_path / "out", trained / "tiny.toml")
    assert f"handforge.HandDetector takes {tmp_path / 'out'}" in said
    header = json.loads((tmp_path / "out/run.json").read_text())
    assert header["replicate"] == 10 and header["real"]["images"] == 2
    assert header["sessions"][0]["images"] == 3 + 10 * 2  # half of six, and its own two ten times


@pytest.mark.usefixtures("in_process")
def test_render_dataset(poses_file, tmp_path):
    told = []
    dataset = handforge.render_dataset(
        "people",
        tmp_path / "out",
        workers=1,
        on_progress=lambda *numbers: told.append(numbers),
        pose_set=str(poses_file),
        count=2,
        resolution="64x64",
    )
    assert isinstance(dataset, Dataset) and len(dataset) == 2 and told[-1] == (2, 2)
    with pytest.raises(handforge.HandforgeError, match="people: color is not known; there are pose_set, count"):
        handforge.render_dataset("people", tmp_path / "other", color=1)


def test_rendering_without_a_guard_says_what_is_wrong(monkeypatch):
    import multiprocessing

    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(handforge.HandforgeError, match="put the call under if __name__ == "):
        handforge.render_dataset("people", "out")


def test_one_command_gathers_all():
    """Each command of the three is one of handforge or of handforge dataset."""
    here = {*main.commands, *main.commands["dataset"].commands}
    for one in (generator.cli.main, trainer.cli.main, evaluation.cli.main):
        assert set(one.commands) <= here
    assert set().union(*main.sections.values()) == set(main.commands)


def test_help_has_sections_and_every_command_its_own():
    done = CliRunner().invoke(main, ["--help"])
    assert done.exit_code == 0 and all(f"{heading}:" in done.output for heading in ("Images", "Networks", "Scores"))
    for name, command in {**main.commands, **main.commands["dataset"].commands}.items():
        words = [name] if name in main.commands else ["dataset", name]
        done = CliRunner().invoke(main, [*words, "--help"])
        assert done.exit_code == 0 and command.help and "Usage: " in done.output
        assert re.search(r"^ +(handforge|hand-\w+) \w", done.output, re.MULTILINE), f"{name} has no example"


def test_a_dataset_is_exported(tmp_path):
    data = write_blobs(tmp_path / "data", count=2)
    done = CliRunner().invoke(main, ["dataset", "export", str(data), str(tmp_path / "out"), "--format", "labelme"])
    assert done.exit_code == 0 and "2 images for labelme" in done.output
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".json", ".json", ".png", ".png"]
