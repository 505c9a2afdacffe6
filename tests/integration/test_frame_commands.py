"""The commands that print one frame as JSON and render it."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from generator.cli import main
from generator.frame import settings
from generator.pipeline import run
from handforge.dataset import Dataset

OPTIONS = ("--count", 4, "--resolution", "160x120", "--seed", 3, "--mask", "both")


def call(*words):
    done = CliRunner().invoke(main, [str(word) for word in words])
    return done


@pytest.mark.parametrize(
    "values",
    [
        {
            "engine": "cycles",
            "framing": "close",
            "skin_tone": "random",
            "light": "random",
            "sensor": "random",
            "ground_truth": "depth,keypoints3d",
        },
        {"scene": "indoor", "samples": 1, "framing": "close", "num_hands": 2, "environment": "random", "held": 1.0},
        {"scene": "indoor", "samples": 1, "empty": 1.0},
    ],
    ids=["plain", "indoor", "empty"],
)
@pytest.mark.usefixtures("in_process")
def test_a_frame_renders_from_its_json_to_the_bytes_of_the_run(values, poses_file, tmp_path):
    path = tmp_path / "look.toml"
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items()))
    options = ("--settings", path, "--set", poses_file, *OPTIONS)
    chosen = settings.load(path, {"pose_set": str(poses_file), "count": 4, "resolution": "160x120", "seed": 3})
    chosen = settings.load(None, {**chosen.to_json(), "mask": "both"})
    assert run.render(chosen, tmp_path / "run", 1, lambda done, total: None)
    shown = call("frame", "show", 2, *options, "--out", tmp_path / "frame.json")
    assert shown.exit_code == 0, shown.output
    made = call("frame", "render", tmp_path / "frame.json", "--out", tmp_path / "one")
    assert made.exit_code == 0 and made.output.strip() == str(tmp_path / "one/images/000002.png")
    for name in ("images/000002.png", *(["masks/000002.png"] if not values.get("empty") else [])):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    one, whole = ({path.name for path in (tmp_path / name).iterdir()} for name in ("one", "run"))
    assert one == whole - {"preview.jpg"}, "joints in space are in annotations.json, not in a folder"


def test_an_edited_frame_shows_what_was_edited(poses_file, tmp_path):
    shown = call("frame", "show", 0, "--set", poses_file, *OPTIONS, "--mask", "hand")
    frame = json.loads(shown.output)
    areas = []
    for number, distance in enumerate((0.5, 1.0)):
        frame["frame"]["camera"]["distance"] = distance
        (tmp_path / "frame.json").write_text(json.dumps(frame))
        assert call("frame", "render", tmp_path / "frame.json", "--out", tmp_path / str(number)).exit_code == 0
        data = Dataset(tmp_path / str(number))
        areas.append(float(np.sum(data.masks(next(iter(data)))[0])))
    assert areas[0] / areas[1] == pytest.approx(4, rel=0.25), "at half the distance four times the area"


def test_a_hands_own_looks_are_rendered_and_recorded(poses_file, tmp_path):
    shown = call("frame", "show", 0, "--set", poses_file, *OPTIONS[:4], "--settings", "people")
    frame, areas = json.loads(shown.output), []
    for number, length in enumerate((1.0, 1.2)):
        look = frame["frame"]["hands"][0]["look"]
        look["shape"] |= {"length": length}
        look["tone"] = 0.1234
        (tmp_path / "frame.json").write_text(json.dumps(frame))
        assert call("frame", "render", tmp_path / "frame.json", "--out", tmp_path / str(number)).exit_code == 0
        data = Dataset(tmp_path / str(number))
        areas.append(float(np.sum(data.masks(data.images[0])[0])))
        assert data.images[0]["tone"] == 0.1234
    assert areas[1] > 1.1 * areas[0]


def test_more_hands_than_the_settings_have_are_refused(poses_file, tmp_path):
    frame = json.loads(call("frame", "show", 0, "--set", poses_file, *OPTIONS[:4]).output)
    frame["frame"]["hands"] *= 2
    path = tmp_path / "frame.json"
    path.write_text(json.dumps(frame))
    done = call("frame", "render", path, "--out", tmp_path / "out")
    assert done.exit_code == 2 and "the frame has 2 hands, and its settings allow 1; set num_hands" in done.output


def test_what_is_around_a_hand_indoors_is_edited(poses_file, tmp_path):
    room = tmp_path / "room.toml"
    room.write_text('scene = "indoor"\nsamples = 1\nenvironment = "random"\n')
    path = tmp_path / "frame.json"
    shown = call("frame", "show", 1, "--settings", room, "--set", poses_file, *OPTIONS[:4], "--out", path)
    assert shown.exit_code == 0, shown.output
    frame = json.loads(path.read_text())
    around = frame["frame"]["around"]
    assert around["props"] and around["lamps"]["environment"]
    images = []
    around["photo"] |= {"sharpened": None, "contrast": 0.0}
    for number, rotation in enumerate((0.0, 3.0)):
        around |= {"props": [], "arm_wear": [], "lamps": around["lamps"] | {"rotation": rotation}}
        path.write_text(json.dumps(frame))
        made = call("frame", "render", path, "--out", tmp_path / str(number))
        assert made.exit_code == 0, made.output
        images.append(np.asarray(Image.open(made.output.strip()), float))
    assert np.abs(images[0] - images[1]).mean() > 5, "behind a hand alone is another part of the environment"
    around["props"] = [{"shape": "box", "material": 99, "matrix": np.eye(4).tolist()}]
    path.write_text(json.dumps(frame))
    done = call("frame", "render", path, "--out", tmp_path / "wrong")
    assert done.exit_code == 2 and "around: value error, there is no material 99" in done.output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not valid JSON"),
        ('{"frame": {}}', "is not a frame's file: it must hold settings, pose_from, frame"),
        ('{"frame": {}, "settings": {}, "pose_from": {}}', "this is not a frame: number: field required"),
        ('{"frame": {}, "settings": {"seed": -1}, "pose_from": {}}', "seed is a whole number from 0"),
        ('{"frame": {}, "settings": {}, "pose_from": {"width": 1}}', "pose_from holds set and frame, and not 'width'"),
    ],
)
def test_files_that_are_no_frames_are_told(text, words, tmp_path):
    (tmp_path / "frame.json").write_text(text)
    done = call("frame", "render", tmp_path / "frame.json", "--out", tmp_path / "out")
    assert done.exit_code == 2 and words in done.output and not (tmp_path / "out").exists()
    assert done.output.startswith(f"Error: {tmp_path / 'frame.json'}")


def test_a_frame_that_the_run_has_not(poses_file, tmp_path):
    done = call("frame", "show", 9, "--set", poses_file, *OPTIONS)
    assert done.exit_code == 2 and "the run has no frame 9; its 4 are numbered from 0 to 3" in done.output
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("")
    (tmp_path / "frame.json").write_text("{}")
    done = call("frame", "render", tmp_path / "frame.json", "--out", tmp_path / "out")
    assert "is there already; give a new folder" in done.output
