"""hand-generator's commands: wrong input is one line that names the thing and the remedy, and exit code 2."""

import json
import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from generator.cli import main
from generator.frame.settings import RenderSettings, SettingsError, load
from generator.hand.anatomy import HandShape
from handforge import dataset


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def error(*arguments):
    """The one line that wrong input gives."""
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: "), done.stderr
    return lines[0]


@pytest.fixture
def folder(tmp_path):
    """A dataset of six images, each with one square hand."""
    out = tmp_path / "data"
    (out / "images").mkdir(parents=True)
    (out / "masks").mkdir()
    records = []
    for i in range(6):
        mask = np.zeros((36, 64), bool)
        mask[10:20, 5 * i : 5 * i + 12] = True
        image = np.where(mask[..., None], 120, 255).astype(np.uint8).repeat(3, axis=2)
        records.append(dataset.write_sample(out, dataset.Sample(f"{i:06d}", image, (dataset.Instance(mask),))))
    dataset.assemble(out, records, {})
    return out


@pytest.mark.parametrize("command", [[], ["render"], ["preview"], ["check"]])
def test_help_teaches(command):
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 5


def test_unknown_sets_are_named(tmp_path):
    text = error("render", "--set", "l3", "--out", "x")
    assert "'l3' is neither a set (l2, l11, fingers, signs, gestures, grasps, all) nor a file of poses" in text


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--resolution", "big", "resolution is WIDTHxHEIGHT, each 64 to 4096, not 'big'"),
        ("--resolution", "10x10", "resolution is WIDTHxHEIGHT"),
        ("--format", "gif", "format is png or jpg or webp, not 'gif'"),
        ("--engine", "magic", "engine is auto or raster or cycles or eevee or workbench, not 'magic'"),
        ("--mask", "foot", "mask is hand or hand+forearm or both, not 'foot'"),
        ("--count", 0, "count is a whole number from 1 to 10,000,000, not 0"),
        ("--seed", -1, "seed is a whole number from 0"),
    ],
)
def test_wrong_options_are_named(option, value, words, tmp_path):
    assert words in error("render", "--out", tmp_path / "out", option, value)
    assert not (tmp_path / "out").exists()


def test_all_problems_of_a_settings_file_are_named_at_once(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('sead = 1\nskin_tone = "blue"\nlight = 3\ndistance = 0.01\n')
    line = error("render", "--out", tmp_path / "out", "--settings", path)
    assert str(path) in line
    for words in (
        *("sead is not known; did you mean seed?", "skin_tone is a number from 0 to 1 or random, not 'blue'"),
        *(
            "light is front or random or mixed, not 3",
            "distance is a number from 0.3 to 10, not 0.01",
        ),
    ):
        assert words in line


@pytest.mark.parametrize(("text", "words"), [("seed = ", "is not valid TOML"), (None, "is neither a preset")])
def test_settings_files_that_cannot_be_read(text, words, tmp_path):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    assert words in error("render", "--out", tmp_path / "out", "--settings", path)
    assert "is neither a preset" in error("render", "--out", tmp_path / "out", "--settings", tmp_path)


def test_options_go_before_the_file_and_the_file_before_defaults(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('seed = 4\nresolution = "640x360"\nskin_tone = "random"\n')
    settings = load(path, {"seed": 0, "count": None})
    assert settings == RenderSettings(seed=0, resolution=(640, 360), skin_tone="random")
    again = {k: v for k, v in settings.to_json().items() if v is not None}
    assert load(None, again) == settings
    with pytest.raises(SettingsError, match="not True"):
        load(None, {"seed": True})


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ('"small"', "shape is average, random or a table of factors, not 'small'"),
        ("{thumbs = 1.0}", "shape has no factor 'thumbs' (known: length, width"),
        ("{length = 3}", "shape is a table of factors from 0.5 to 2, not length = 3"),
    ],
)
def test_a_shape_of_ones_own(shape, words, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("shape = {length = 1.1, index = 0.9}\n")
    assert load(path).shape == HandShape(length=1.1, index=0.9)
    assert load(None, {"shape": load(path).to_json()["shape"]}) == load(path)
    path.write_text(f"shape = {shape}\n")
    with pytest.raises(SettingsError, match=re.escape(words)):
        load(path)


def test_check_of_a_sound_dataset(folder, tmp_path):
    done = run("check", folder, "--json", tmp_path / "check.json")
    assert done.exit_code == 0
    assert "6 images with 6 hands, nothing wrong" in done.output
    assert json.loads((tmp_path / "check.json").read_bytes()) == {
        **{"images": 6, "hands": 6, "objects": 0, "empty": 0, "problems": []}
    }


def test_check_counts_objects_as_objects(folder, tmp_path):
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    content["categories"] = [{"id": 1, "name": "cup"}]
    path.write_text(json.dumps(content))
    done = run("check", folder, "--json", tmp_path / "check.json")
    assert "6 images with 6 objects, nothing wrong" in done.output
    found = json.loads((tmp_path / "check.json").read_bytes())
    assert (found["hands"], found["objects"]) == (0, 6)


def test_check_names_what_is_wrong(folder, tmp_path):
    whole = (folder / "images" / "000002.png").read_bytes()
    (folder / "images" / "000002.png").write_bytes(whole[:-30])
    Image.new("L", (10, 10)).save(folder / "masks" / "000004.png")
    (folder / "images" / "000005.png").unlink()
    done = run("check", folder, "--json", tmp_path / "check.json", "--workers", 1)
    assert done.exit_code == 1
    for words in ("000002.png is damaged or cut short", "000004.png is 10x10", "000005.png is missing"):
        assert words in done.output
    assert len(json.loads((tmp_path / "check.json").read_bytes())["problems"]) == 3


def test_check_counts_a_hand_with_and_without_its_forearm_once(folder):
    path = folder / "annotations.json"
    content = json.loads(path.read_text())
    content["categories"].append({"id": 2, "name": "hand+forearm"})
    more = [{**a, "id": 100 + a["id"], "category_id": 2} for a in content["annotations"]]
    content["annotations"] += more
    path.write_text(json.dumps(content))
    assert "6 images with 6 hands, nothing wrong" in run("check", folder).output
    content["annotations"][7]["id"] = 1
    path.write_text(json.dumps(content))
    done = run("check", folder)
    assert done.exit_code == 1 and "annotation 1 stands 2 times" in done.output


@pytest.mark.parametrize("name, words", [("nowhere/c.json", "does not exist; make it"), (".", "is a folder")])
def test_a_file_that_cannot_be_written_is_refused_first(folder, tmp_path, name, words):
    done = run("check", folder, "--json", tmp_path / name)
    assert done.exit_code == 2 and words in done.stderr and done.stdout == ""


def test_a_library_that_is_not_installed_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "handforge.dataset.contact_sheet", None)
    monkeypatch.delattr("handforge.dataset.contact_sheet", raising=False)
    assert "the library handforge.dataset.contact_sheet is not installed; pip install 'handforge[all]'" in error(
        "preview", folder
    )


def test_check_in_parallel_finds_the_same(folder, monkeypatch):
    monkeypatch.setattr("handforge.dataset.validate.IN_ONE_PROCESS", 1)
    monkeypatch.setattr("handforge.dataset.validate.BATCH", 4)
    assert run("check", folder, "--workers", 2).exit_code == 0
    (folder / "masks" / "000001.png").unlink()
    done = run("check", folder, "--workers", 2)
    assert done.exit_code == 1 and "000001.png is missing" in done.output


def test_check_of_an_unfinished_run(folder):
    (folder / ".partial").mkdir()
    done = run("check", folder)
    assert done.exit_code == 1 and "is not finished; run the same handforge render command again" in done.output


def test_preview_outlines_the_masks(folder):
    done = run("preview", folder)
    assert done.exit_code == 0 and str(folder / "preview.jpg") in done.output
    sheet = np.asarray(Image.open(folder / "preview.jpg")).astype(int)
    assert sheet.shape == (180, 6 * 320, 3)
    green = (sheet[..., 1] > 150) & (sheet[..., 0] < 110) & (sheet[..., 2] < 150)
    assert all(green[:, 320 * i : 320 * (i + 1)].any() for i in range(6))


@pytest.mark.parametrize("command", ["preview", "check"])
def test_folders_that_are_no_dataset(command, tmp_path):
    assert "is not a folder" in error(command, tmp_path / "nowhere")
    assert "holds no annotations.json" in error(command, tmp_path)


def test_wrong_options_end_with_one_line():
    done = CliRunner().invoke(main, ["render", "--set", "l11"])
    assert done.exit_code == 2
    assert done.output == "Error: Missing option '--out'; main render --help tells more\n"


def test_paths_in_a_settings_file_are_read_from_its_folder(tmp_path):
    path = tmp_path / "look.toml"
    path.write_text('pose_set = "mine.csv"\nbackgrounds = "photos"\nrig = "hand.glb"\nbone_map = "/maps/map.toml"\n')
    found = load(path)
    assert (found.pose_set, found.backgrounds) == (str(tmp_path / "mine.csv"), str(tmp_path / "photos"))
    assert (found.rig, found.bone_map) == (str(tmp_path / "hand.glb"), "/maps/map.toml")
    path.write_text('pose_set = "l2"\n')
    assert load(path).pose_set == "l2"
    assert "backgrounds is a folder of images, not ''" in error(
        "render", "--out", tmp_path / "out", "--backgrounds", ""
    )


@pytest.mark.parametrize("name", [None, "/dev/full"])
def test_an_error_of_the_system_is_one_line(name, folder, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", name)

    monkeypatch.setattr("handforge.dataset.validate.check", full)
    assert error("check", folder) == f"Error: {name or 'the output'}: the disk is full; make room, or write elsewhere"
