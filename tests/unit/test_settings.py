"""Settings: their presets, checks, messages, and the names of the release before."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from generator.errors import RunError
from generator.frame import settings
from generator.frame.settings import RenderSettings, SettingsError, load
from generator.mesh.gloves import KINDS
from generator.pipeline import run_folder
from handforge.files import dump_json

INDOOR = {"scene": "indoor"}


def test_all_problems_are_named_at_once_with_what_may_be_meant():
    with pytest.raises(SettingsError) as told:
        wrong = {"skyn": 1, "seed": -1, "num_hands": True, "focal_mm": float("nan"), "light": "x", "held": 2}
        load(None, {**wrong, "crowd": 0.2})
    for words in (
        "skyn is not known; did you mean skin_tone?",
        "seed is a whole number from 0 to 9,223,372,036,854,775,807, not -1",
        "num_hands is 1 or 2 or random, not True",
        "focal_mm is a number from 10 to 300 or random, not nan",
        "light is front or random or mixed, not 'x'",
        "held is a number from 0 to 1, not 2",
        "crowd is a fraction of the images of indoor scenes; set scene to indoor",
    ):
        assert words in str(told.value)
    assert "held is a fraction" not in str(told.value), "nothing more is said of a value that is wrong by itself"


def test_lists_of_words_may_have_blanks_beside_their_commas():
    indoor = INDOOR | {"empty": 0.5}
    made = load(None, indoor | {"object_kinds": "cup, ball", "ground_truth": "depth ,parts", "pose_set": "l2, fingers"})
    assert (made.object_kinds, made.ground_truth, made.pose_set) == ("cup,ball", "depth,parts", "l2,fingers")
    for wrong in ("cup,", "cup,,ball", "cup ball", "cup,cup "):
        with pytest.raises(SettingsError, match="object_kinds is all or some of phone,pen,cup,"):
            load(None, indoor | {"object_kinds": wrong})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"shape": {"thumbs": 1}}, "shape has no factor 'thumbs' (known: length"),
        ({"shape": {"thumb": 3}}, "shape is a table of factors from 0.5 to 2, not thumb = 3"),
        ({"shape": "big"}, "shape is average, random or a table of factors, not 'big'"),
        ({"ground_truth": "depth,depth"}, "ground_truth is none or some of depth,normals,parts,keypoints3d"),
        ({"pose_set": 3}, "pose_set is all, some of l2,l11"),
        ({"backgrounds": ""}, "backgrounds is a folder of images, not ''"),
        ({"skin_tone": True}, "skin_tone is a number from 0 to 1 or random, not True"),
        ({"count": 1.5}, "count is a whole number from 1 to 10,000,000, not 1.5"),
        ({"rig": "hand.glb"}, "rig and bone_map are files that need each other"),
        ({"rig": "hand.npz", "glove": "latex"}, "glove is of the built-in hand"),
        ({"empty_kind": "feet"}, "empty_kind is of indoor scenes; set scene to indoor"),
        ({"object_kinds": "cup"}, "object_kinds are of indoor scenes; set scene to indoor"),
        *(
            (
                INDOOR | {name: "random"},
                f"{name} is of plain scenes, and indoor scenes have their own; set {name} to {word}",
            )
            for name, word in (("background", "white"), ("sleeve", "none"), ("sensor", "clean"))
        ),
        (
            INDOOR | {"empty_kind": "feet"},
            "empty_kind is what images without a hand show, and there are none; set empty",
        ),
        (INDOOR | {"object_kinds": "cup"}, "object_kinds are shown by images without a hand; set empty above 0, and"),
        (INDOOR | {"object_kinds": "cup", "empty": 0.5, "empty_kind": "food"}, "empty_kind to any or objects"),
        (
            INDOOR | {"objects": "things"},
            "objects are shown where a hand holds one or there is no hand; set held above",
        ),
        (INDOOR | {"objects": "things", "empty": 0.5, "empty_kind": "arms"}, "empty above 0 with empty_kind any or"),
        (INDOOR | {"object_annotations": True}, "object_annotations is of objects that are held or seen without a"),
        ({"rig": "hand.npz", "shape": {"length": 1.1}}, "shape is of the built-in hand; an external rig keeps its own"),
        *(
            ({name: "random"}, f"{name} {what} of indoor scenes; set scene to indoor")
            for name, what in (("elbow", "is"), ("occluders", "are"), ("exposure", "is"), ("adornments", "are"))
        ),
    ],
)
def test_values_that_cannot_be_used(values, words):
    with pytest.raises(SettingsError) as told:
        load(None, values)
    assert words in str(told.value)


@pytest.mark.parametrize(
    "values",
    [
        {"empty": 0.1, "empty_kind": "feet"},
        {"empty": 0.1, "object_kinds": "cup"},
        {"empty": 1.0, "empty_kind": "objects", "object_kinds": "cup"},
        {"held": 0.1, "objects": "things"},
        {"empty": 0.1, "objects": "things"},
        {"held": 0.1, "empty": 0.1, "empty_kind": "feet", "objects": "things"},
        {"held": 0.1, "object_annotations": True},
        {"empty": 0.1, "empty_kind": "food", "object_annotations": True},
    ],
)
def test_what_some_images_show_can_be_set(values):
    loaded = load(None, INDOOR | values)
    assert all(getattr(loaded, name) == value for name, value in values.items())


@pytest.mark.parametrize("name", settings.PRESETS)
def test_each_preset_can_be_used(name):
    assert load(Path(name)) == load(None, settings.preset(name))


def test_paper_is_the_first_preset_and_the_default():
    assert settings.PRESETS[0] == "paper" and load(Path("paper")) == RenderSettings()


def test_names_of_the_release_before_are_read_with_a_notice(caplog):
    old = {"set": "l2", "surroundings": "varied", "size": "640x360", "hands": "varied", "skin": 0.3, "scene": "room"}
    new = {"pose_set": "l2", "environment": "random", "resolution": "640x360", "num_hands": "random"}
    assert load(None, old) == load(None, new | {"skin_tone": 0.3, "scene": "indoor"})
    assert 'settings: surroundings = "varied" is now called environment = "random"' in caplog.text
    assert load(None, {"distance": "close"}).framing == "close"
    assert load(None, {"distance": "varied"}).framing == "random"


def test_a_distance_fixes_the_framing():
    found = load(Path("varied"), {"distance": 0.6})
    assert (found.framing, found.distance) == ("fixed", 0.6)
    assert load(Path("varied"), {"distance": 0.6, "framing": "close"}).framing == "close"


def test_a_folder_may_have_the_name_of_a_pose_set(tmp_path):
    (tmp_path / "mine.toml").write_text('scene = "indoor"\nheld = 0.5\nobjects = "grasps"\npose_set = "grasps"\n')
    found = load(tmp_path / "mine.toml")
    assert (found.objects, found.pose_set) == (str(tmp_path / "grasps"), "grasps")


def test_settings_come_back_from_json():
    for chosen in (load(Path("varied"), {"shape": {"thumb": 0.9}, "ground_truth": "depth"}), RenderSettings()):
        assert load(None, chosen.to_json()) == chosen


def test_a_folder_of_the_release_before_is_continued(tmp_path):
    stored = {
        "settings": {
            "set": "l2",
            "size": "640x360",
            "skin": "varied",
            "distance": "close",
            "seed": 4,
            "truth": "depth",
        },
        "poses_sha256": "",
    }
    (tmp_path / "dataset.json").write_bytes(dump_json(stored))
    same = load(None, {"pose_set": "l2", "resolution": "640x360", "skin_tone": "random", "framing": "close"})
    run_folder.check(tmp_path, load(None, {**same.to_json(), "seed": 4, "ground_truth": "depth"}))
    with pytest.raises(RunError, match="seed was 4, now 0"):
        run_folder.check(tmp_path, same)
    with pytest.raises(RunError, match="light was 'front', now 'random'"):
        newer = {"seed": 4, "ground_truth": "depth", "light": "random"}
        run_folder.check(tmp_path, load(None, {**same.to_json(), **newer}))


def test_every_setting_says_what_it_means_and_its_default():
    fields = TypeAdapter(RenderSettings).json_schema()["properties"]
    assert all(len(field["description"]) > 30 for field in fields.values())


def test_gloves_of_all_kinds_can_be_chosen():
    assert settings.CHOICES["glove"] == ("none", "some", "random", *KINDS)
