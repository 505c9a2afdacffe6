"""What the add-on has rendered, in processes of their own: one pose at once, and sets of them."""

import ast
import json
import re
import sys
import time
import tomllib
from pathlib import Path

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon import background_process, command, hand, render_settings, sync, viewport_ui
from blender_addon.background_job import Board, Job, Preview
from blender_addon.operators import generate, render_pose
from blender_addon.panels import render as panels
from generator.frame import settings
from generator.hand import anatomy, pose_sets
from generator.hand.pose_presets import PRESETS
from generator.pipeline import run_folder
from handforge import dataset


@pytest.fixture
def poses_file(tmp_path):
    path = tmp_path / "poses.csv"
    poses = np.stack([PRESETS["fist"], PRESETS["open"]])
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("mine", "mine"), np.arange(2), poses)))
    return path


def rendering(window, poses_file, out):
    window.poses, window.file, window.out = "file", str(poses_file), str(out)
    window.count, window.size, window.workers = 0, (160, 90), 1


# ---------------------------------------------------------------- one pose


def test_a_pose_is_rendered_with_overlay_and_record(armature, window):
    window.size, window.engine = (320, 180), "cycles"
    armature.handforge.side = "left"
    sync.put(armature, PRESETS["open"])
    assert bpy.ops.handforge.render_pose() == {"FINISHED"}
    assert bpy.ops.handforge.render_pose() == {"CANCELLED"}, "one image at a time"
    render_pose.wait()
    assert Preview.message == ""
    image, overlay = (bpy.data.images[name] for name in (viewport_ui.IMAGE, viewport_ui.OVERLAY))
    assert tuple(image.size) == tuple(overlay.size) == (320, 180) and image.packed_file
    record = json.loads(bpy.data.texts[render_pose.RECORD].as_string())
    (annotation,) = record["annotations"]
    assert annotation["side"] == "left" and np.allclose(record["images"][0]["pose"], hand.pose(armature), atol=1e-5)
    apart = (np.array(image.pixels[:]) != np.array(overlay.pixels[:])).reshape(180, 320, 4).any(axis=-1)
    assert apart.sum() == pytest.approx(annotation["area"], rel=0.02), "the mask is tinted"
    bpy.ops.handforge.preset(name="fist")
    begin, child = time.monotonic(), Preview.child
    bpy.ops.handforge.render_pose()
    render_pose.wait()
    assert Preview.child is child and time.monotonic() - begin < 8, "Blender stayed open"
    other = json.loads(bpy.data.texts[render_pose.RECORD].as_string())["annotations"][0]
    assert other["area"] < 0.9 * annotation["area"]


def test_a_pose_whose_settings_cannot_be_used_is_refused(armature, window, tmp_path):
    window.settings, window.settings_file = "file", str(tmp_path / "none.toml")
    with pytest.raises(RuntimeError, match=r"none\.toml is neither a preset"):
        bpy.ops.handforge.render_pose()


def test_a_preview_that_ends_says_what_it_said_last(armature, window, monkeypatch):
    broken = [sys.executable, "-c", "import sys; sys.stdin.readline(); print('no memory left'); sys.exit(7)"]
    monkeypatch.setattr(background_process, "command", lambda kind: broken)
    bpy.ops.handforge.render_pose()
    render_pose.wait()
    assert Preview.message == "Rendering failed: the process ended with exit code 7: no memory left"


def test_messages_speak_of_the_panels_fields():
    """All those that the modules which run in a window's processes raise."""
    package = Path(render_settings.run.__file__).parents[1]
    elsewhere = ("cli", "settings_options", "extension", "dask_cluster", "shards", "frame_file", "own_objects")
    texts = []
    for path in package.rglob("*.py"):
        if path.stem not in elsewhere:
            raised = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Raise)]
            parts = [part for node in raised for part in ast.walk(node)]
            texts += [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    assert sum("--" in text for text in texts) > 5
    told = [render_settings.in_words_of_the_panel(text) for text in texts]
    assert render_settings.in_words_of_the_panel("no pose is left: lower --count") == "No pose is left: lower Images"
    assert not [text for text in told if re.search(r"--[a-z]|handforge (render|poses|frame|dataset)", text)]


# ---------------------------------------------------------------- sets


def test_images_are_rendered_in_the_background(window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path / "out")
    assert bpy.ops.handforge.generate() == {"FINISHED"}
    generate.wait()
    assert Board.message == f"{tmp_path / 'out'} is complete"
    Preview.message = "a pose could not be rendered"
    data = dataset.Dataset(tmp_path / "out")
    assert len(data) == 2 and data.info["settings"]["resolution"] == "160x90"
    assert tuple(bpy.data.images[generate.SHEET].size) == (640, 180)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert Board.message == Preview.message == "", "it was not about this file"


def test_images_show_the_hand_of_the_panel(armature, window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path / "out")
    bpy.ops.handforge.random_shape(seed=5)
    armature.handforge.tone, armature.handforge.side = 0.9, "left"
    assert bpy.ops.handforge.generate() == {"FINISHED"}
    generate.wait()
    data = dataset.Dataset(tmp_path / "out")
    told = data.info["settings"]
    assert anatomy.HandShape(**told["shape"]).length == pytest.approx(hand.shape(armature).length, abs=1e-4)
    assert (told["skin_tone"], told["handedness"]) == (0.9, "left")
    image = next(iter(data))
    (annotation,) = data.annotations(image)
    assert annotation["side"] == "left"
    assert data.read_image(image)[data.masks(image)[0]].mean() < 110, "dark skin"


def test_a_preset_that_randomizes_hands_still_does(armature, window):
    asked = render_settings.task(window.id_data, armature)
    assert asked["defaults"] == {"shape": "average", "skin_tone": 0.5, "handedness": "right"}
    people = settings.load(Path("people"), asked["overrides"], asked["defaults"])
    assert (people.skin_tone, people.shape, people.handedness) == ("random", "random", "right")


def test_a_hand_that_has_lost_its_skin_is_rendered_as_the_hand_that_it_is(armature):
    armature.handforge.side, armature.handforge.tone = "left", 0.9
    bpy.data.objects.remove(hand.skin_of(armature))
    found = settings.load(None, hand.appearance(armature))
    assert (found.handedness, found.skin_tone) == ("left", 0.9)


def test_a_preset_comes_in_its_own_size_and_a_file_goes_before_the_panel(armature, window, tmp_path):
    window.settings = "varied"
    assert (tuple(window.size), window.format) == ((640, 360), "jpg")
    window.size = 1280, 720
    asked = render_settings.task(window.id_data, armature)
    assert settings.load(Path("varied"), asked["overrides"], asked["defaults"]).resolution == (1280, 720)
    path = tmp_path / "look.toml"
    path.write_text('resolution = "320x180"\nseed = 7\n')
    window.settings, window.settings_file, window.mask = "file", str(path), "both"
    asked = render_settings.task(window.id_data, armature)
    found = settings.load(Path(asked["settings"]), asked["overrides"], asked["defaults"])
    assert (found.resolution, found.seed, found.mask, found.count) == ((320, 180), 7, "both", window.count)


def test_the_panel_shows_each_setting_once():
    shown = [*panels.CAMERA, *(name for names in panels.SCENE.values() for name in names)]
    wanted = {*render_settings.NUMBERS, *render_settings.CHOICES, *render_settings.FOLDERS, "object_annotations"}
    assert len(shown) == len(set(shown)) and set(shown) == wanted


def test_settings_of_the_panel_go_before_the_preset(armature, window, tmp_path):
    window.settings = "varied"
    window.set_num_hands, window.set_occluders, window.truth = "2", "none", {"depth", "keypoints3d"}
    window.set_distance, window.distance, window.set_focal_mm, window.focal_mm = "fixed", 0.6, "fixed", 30
    window.backgrounds = window.objects = str(tmp_path)
    found = render_settings.resolved(window.id_data)
    assert (found.num_hands, found.occluders, found.ground_truth) == (2, "none", "depth,keypoints3d")
    assert (found.distance, found.focal_mm, found.backgrounds) == (pytest.approx(0.6), 30, str(tmp_path))
    assert found.objects == str(tmp_path)
    assert found.distractors == "random", "as the preset"
    window.objects, window.truth, window.object_annotations = "", set(), True
    assert render_settings.resolved(window.id_data).object_annotations


@pytest.mark.parametrize("in_file", [False, True])
def test_the_command_copied_renders_the_same(armature, window, tmp_path, in_file):
    window.settings, window.out, window.seed = "people", f"{tmp_path / 'my hands'}/", 3
    if in_file:
        window.set_sleeve = "random"
        bpy.ops.handforge.random_shape(seed=5)
    line, text = render_settings.as_command(window.id_data, armature)
    asked = render_settings.task(window.id_data, armature)
    wanted = settings.load(Path(asked["settings"]), asked["overrides"], asked["defaults"])
    import shlex

    from generator import cli

    words = shlex.split(line)
    assert words[:2] == ["handforge", "render"] and bool(text) == in_file
    if text:
        tomllib.loads(text)
        assert words[words.index("--settings") + 1] == str(tmp_path / "my hands.toml"), "in it a run would be refused"
        Path(words[words.index("--settings") + 1]).write_text(text)
    found = {}

    def caught(settings, out, workers, progress, **_):
        found.update(settings=settings, out=out, workers=workers)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("generator.pipeline.run.render", caught)
        with pytest.raises(SystemExit) as stop:
            cli.main(args=words[1:])
    assert not stop.value.code
    assert found == {"settings": wanted, "out": tmp_path / "my hands", "workers": window.workers}


@pytest.mark.parametrize(
    "fields, problem",
    [
        ({"out": "//hands"}, "Folder: save the .blend file first, or give a full path"),
        ({"out": ""}, "Folder: choose one"),
        ({"out": "{here}/file"}, "Folder: {here}/file is a file"),
        ({"poses": "file"}, "Pose File: choose a file"),
        ({"poses": "file", "file": "{here}/none.csv"}, "Pose File: {here}/none.csv is not a file"),
        ({"settings": "file"}, "Settings File: choose a file"),
        ({"settings": "file", "settings_file": "{here}/file"}, "{here}/file is not valid TOML"),
        ({"backgrounds": "{here}/file"}, "Backgrounds: {here}/file is not a folder"),
        ({"objects": "{here}/file"}, "Objects: {here}/file is not a folder"),
    ],
)
def test_fields_that_cannot_be_used_are_told_before_generate(window, tmp_path, fields, problem):
    (tmp_path / "file").write_text("a = \n")
    window.out = str(tmp_path / "out")
    for name, value in fields.items():
        setattr(window, name, value.format(here=tmp_path))
    (told,) = render_settings.problems(bpy.context.scene)
    assert problem.format(here=tmp_path) in told
    for operator in (bpy.ops.handforge.generate, bpy.ops.handforge.copy_command):
        with pytest.raises(RuntimeError, match=re.escape(problem.format(here=tmp_path))):
            operator()


def test_a_folder_that_is_not_ours_is_told_in_the_panel(window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path)
    bpy.ops.handforge.generate()
    generate.wait()
    assert Board.failed and Board.message.startswith(f"{tmp_path} is not empty and holds no rendering run")
    assert "--" not in Board.message, "in the panel's words"


def test_a_folder_that_is_not_there_cannot_be_opened(window, tmp_path):
    window.out = str(tmp_path / "out")
    with pytest.raises(RuntimeError, match=r"Folder: .*out is not there yet"):
        bpy.ops.handforge.open_folder()
    window.out = ""
    with pytest.raises(RuntimeError, match="Folder: choose one"):
        bpy.ops.handforge.open_folder()


def test_a_process_that_fails_says_why(window, poses_file, tmp_path, monkeypatch):
    broken = [sys.executable, "-c", "import sys; sys.stdin.readline(); import no_such_module"]
    monkeypatch.setattr(background_process, "command", lambda kind: broken)
    rendering(window, poses_file, tmp_path / "out")
    bpy.ops.handforge.generate()
    generate.wait()
    assert Board.failed and "No module named 'no_such_module'" in Board.message
    assert "Traceback" in Board.log
    bpy.ops.handforge.show_log()
    assert "Traceback" in bpy.data.texts["hand rendering log"].as_string()


def test_rendering_is_cancelled_and_its_folder_continued(window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path / "out")
    bpy.ops.handforge.generate()
    with pytest.raises(RuntimeError, match="Images are being rendered"):
        bpy.ops.handforge.generate()
    assert bpy.ops.handforge.cancel() == {"FINISHED"}
    assert Board.job is None and Board.message == "Stopped"
    assert not (tmp_path / "out" / "annotations.json").exists()
    assert bpy.ops.handforge.generate() == {"FINISHED"}
    generate.wait()
    assert len(dataset.Dataset(tmp_path / "out")) == 2


def test_stopping_does_not_wait_for_workers(tmp_path, monkeypatch):
    """They hold the job's output open until their frames are done."""
    worker = "import time; time.sleep(20)"
    job = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {worker!r}]); sys.stdin.read()"
    monkeypatch.setattr(background_process, "command", lambda kind: [sys.executable, "-c", job])
    started = Job({"out": str(tmp_path)})
    begin = time.monotonic()
    started.stop()
    started.poll()
    assert time.monotonic() - begin < 8


def test_closing_blender_ends_rendering(window, poses_file, tmp_path, capsys):
    rendering(window, poses_file, tmp_path / "out")
    bpy.ops.handforge.generate()
    process = Board.job._process
    Board.job.done, Board.job.total = 1, 2
    blender_addon.unregister()  # as Blender does on its way out
    assert process.poll() is not None and Board.job is None
    assert f"{tmp_path / 'out'}: Stopped at 1 of 2; Generate continues" in capsys.readouterr().out
    blender_addon.register()


def test_a_run_that_was_stopped_is_told_until_it_is_complete(window, tmp_path):
    window.out = str(tmp_path / "out")
    assert not render_settings.unfinished(bpy.context.scene), "there is no folder yet"
    run_folder.claim(tmp_path / "out", {"settings": {}})
    assert "The run in out was stopped" in render_settings.unfinished(bpy.context.scene)
    (tmp_path / "out" / ".partial").rename(tmp_path / "out" / ".partial.old")  # as the end of a run does
    assert not render_settings.unfinished(bpy.context.scene)
    window.out = "//hands"
    assert not render_settings.unfinished(bpy.context.scene), "the file has no folder yet"


@pytest.mark.parametrize("arguments, code", [(["--version"], 0), (["poses", "--set", "none"], 2), (["render"], 2)])
def test_the_command_inside_blender_ends_as_handforge_does(arguments, code):
    assert command._run(arguments) == code
