"""A run ends with the same bytes by one worker or two, and takes no folder that is not its own."""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from run_samples import FRAMES, InProcess, contents, ignore

from generator.errors import RunError
from generator.frame.framing import FOCAL
from generator.frame.settings import RenderSettings
from generator.hand import kinematics, pose, pose_sets
from generator.hand.anatomy import skeleton
from generator.hand.camera import Camera
from generator.pipeline import run, run_folder, workers
from generator.pipeline.records import read_records
from handforge.dataset import Dataset, DatasetError, copy_subset, validate

pytest.importorskip("bpy", reason="Blender's Python module is not installed")


def test_the_folder_is_what_the_contract_says(whole):
    assert sorted(p.name for p in whole.iterdir()) == [
        *("annotations.json", "dataset.json", "images", "masks", "preview.jpg")
    ]
    names = [f"{i:06d}.png" for i in range(FRAMES)]
    assert sorted(p.name for p in (whole / "images").iterdir()) == names
    assert sorted(p.name for p in (whole / "masks").iterdir()) == names
    data = Dataset(whole)
    assert validate.check(whole, 1, ignore) == []
    image = data.images[3]
    assert image["set"] == "few" and image["side"] == "right" and len(image["pose"]) == 28
    assert np.array(image["camera"]).shape == (3, 3) and 0 <= image["tone"] <= 1
    assert data.info["settings"]["seed"] == 0 and data.info["settings"]["engine"] != "auto"
    kept = data.info["counts"]["few"]
    assert kept["poses"] == 78 and kept["kept"] + sum(kept["dropped"].values()) == 78


def test_others_read_it(whole):
    coco = COCO(str(whole / "annotations.json"))
    assert len(coco.getImgIds()) == FRAMES
    data = Dataset(whole)
    for annotation in coco.loadAnns(coco.getAnnIds()):
        image = data.images[annotation["image_id"] - 1]
        assert (coco.annToMask(annotation).astype(bool) == data.masks(image)[0]).all()


def test_torchvision_reads_it(whole):
    if not importlib.util.find_spec("torchvision"):
        pytest.skip("torchvision is not installed")
    code = (
        "from torchvision.datasets import CocoDetection\n"
        f"image, annotations = CocoDetection({str(whole / 'images')!r}, {str(whole / 'annotations.json')!r})[0]\n"
        "assert image.size == (160, 90) and annotations[0]['category_id'] == 1"
    )
    if "torch" in sys.modules:
        exec(code, {})
        return
    # In a process of its own: torch cannot be loaded after Mesa's software OpenGL has drawn.
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_two_workers_make_the_same_bytes(settings, tmp_path, monkeypatch):
    varied = replace(settings, count=8, shape="random")
    with monkeypatch.context() as patch:
        patch.setattr(run, "Workers", InProcess)
        run.render(varied, tmp_path / "one", 1, ignore)
    monkeypatch.setattr(workers, "FRAMES_A_WORKER", 4)
    run.render(varied, tmp_path / "two", 2, ignore)
    assert contents(tmp_path / "two") == contents(tmp_path / "one")


def test_a_second_run_does_nothing(whole, settings):
    before = {p: p.stat().st_mtime_ns for p in whole.rglob("*")}
    assert run.render(settings, whole, 1, ignore) is False
    assert {p: p.stat().st_mtime_ns for p in whole.rglob("*")} == before


def test_other_settings_are_refused_naming_the_difference(whole, settings):
    with pytest.raises(run.RunError, match="mask was 'hand', now 'hand\\+forearm'; give the same settings"):
        run.render(replace(settings, mask="hand+forearm"), whole, 1, ignore)


def test_a_folder_of_others_is_refused(settings, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(run.RunError, match="is not empty and holds no rendering run"):
        run.render(settings, tmp_path, 1, ignore)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_more_than_there_are_is_refused(settings, tmp_path):
    with pytest.raises(run.RunError, match="plausible poses, 500 were asked for; lower --count"):
        run.render(replace(settings, count=500), tmp_path / "out", 1, ignore)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("in_process")
def test_other_poses_and_backgrounds_in_the_same_place_are_another_run(tmp_path):
    """Also once the run is finished."""
    poses, behind = tmp_path / "some.csv", tmp_path / "behind"
    behind.mkdir()
    Image.new("RGB", (40, 30), "green").save(behind / "a.png")

    def write(angle):
        rotated = np.array([pose.with_angles(forearm_z=angle)])
        poses.write_bytes(pose_sets.dump(pose_sets.PoseSet(("some",), np.arange(1), rotated)))

    write(10)
    plain = RenderSettings(pose_set=str(poses), resolution=(64, 64))
    green = replace(plain, backgrounds=str(behind))
    for chosen, out in ((plain, tmp_path / "plain"), (green, tmp_path / "green")):
        assert run.render(chosen, out, 1, ignore) and not run.render(chosen, out, 1, ignore)
    Image.new("RGB", (40, 30), "lime").save(behind / "a.png")
    with pytest.raises(RunError, match="green holds another run: backgrounds_sha256 was"):
        run.render(green, tmp_path / "green", 1, ignore)
    write(12)
    with pytest.raises(RunError, match="plain holds another run: poses_sha256 was"):
        run.render(plain, tmp_path / "plain", 1, ignore)
    copy_subset(Dataset(tmp_path / "plain"), Dataset(tmp_path / "plain").images, tmp_path / "part")
    with pytest.raises(RunError, match="part is not empty and holds no rendering run"):
        run.render(plain, tmp_path / "part", 1, ignore)


def test_a_folder_in_that_of_the_backgrounds_is_refused(poses_file, tmp_path):
    Image.new("RGB", (40, 30), "green").save(tmp_path / "a.png")
    chosen = RenderSettings(pose_set=str(poses_file), resolution=(64, 64), backgrounds=str(tmp_path))
    with pytest.raises(RunError, match=r"out lies in the folder of backgrounds, .* give another --out"):
        run.render(chosen, tmp_path / "out", 1, ignore)


def test_hands_stay_in_the_image_at_every_focal_length():
    """A fixed distance shows less of the scene the longer the lens; the plan has to drop for the longest."""
    planned = run.plan(RenderSettings(pose_set="l11@6", count=300, focal_mm="random"))
    camera = Camera(*planned.settings.resolution, 1.0, FOCAL[1])
    x, y, _ = camera.project(kinematics.keypoints(planned.poses.poses, skeleton())).reshape(-1, 3).T
    assert ((x > 0) & (x < camera.width) & (y > 0) & (y < camera.height)).all()


@pytest.mark.parametrize("framing", ["close", "random"])
def test_a_distance_that_follows_the_hand_drops_no_pose_for_the_focal_length(poses_file, framing):
    every = RenderSettings(pose_set=str(poses_file), framing=framing)
    kept = [run.plan(replace(every, focal_mm=focal)).counts for focal in (45.0, 135.0, "random")]
    assert kept[0] == kept[1] == kept[2]
    with pytest.raises(RunError, match="none of the 78 poses"):
        run.plan(replace(every, framing="fixed", focal_mm=135.0))


@pytest.mark.parametrize("framing", ["close", "random"])
def test_a_hand_that_is_put_into_the_image_is_cut_by_no_shape_of_it(poses_file, framing):
    every = RenderSettings(pose_set=str(poses_file), framing=framing)
    kept = [run.plan(replace(every, resolution=size)).counts for size in ((640, 360), (640, 100), (100, 640))]
    assert kept[0] == kept[1] == kept[2] and kept[0]["few"]["dropped"]["cut"] == 0
    fixed = run.plan(replace(every, framing="fixed", resolution=(640, 250))).counts
    assert fixed["few"]["dropped"]["cut"] > 0


@pytest.mark.usefixtures("in_process")
def test_a_damaged_background_is_known_before_anything_is_rendered(poses_file, tmp_path):
    behind = tmp_path / "behind"
    (behind / "folder.png").mkdir(parents=True)
    Image.new("RGB", (40, 30), "green").save(behind / "a.png")
    (behind / "z.png").write_bytes((behind / "a.png").read_bytes()[:60])
    chosen = RenderSettings(pose_set=str(poses_file), count=2, resolution=(64, 64), backgrounds=str(behind))
    with pytest.raises(DatasetError, match=r"z\.png is damaged"):
        run.render(chosen, tmp_path / "out", 1, ignore)
    assert not (tmp_path / "out").exists()
    (behind / "z.png").unlink()
    (behind / os.fsdecode(b"caf\xe9.png")).write_bytes((behind / "a.png").read_bytes())  # no UTF-8
    (behind / "._a.png").write_bytes(b"a Mac's")
    assert run.render(chosen, tmp_path / "out", 1, ignore)


@pytest.mark.usefixtures("in_process")
def test_a_run_that_another_process_finishes_meanwhile(whole, settings, tmp_path):
    out = tmp_path / "out"

    def other(done, total):
        if done == total and read_records(out):
            run_folder.finish(out)

    assert run.render(settings, out, 1, other)
    assert contents(out) == contents(whole)
    with pytest.raises(RunError, match="was finished by another process"):
        run_folder.finish(out)


@pytest.mark.usefixtures("in_process")
def test_a_run_that_another_process_finishes_while_blender_starts(whole, settings, tmp_path, monkeypatch):
    start = run.Workers.start

    def slowly(self, chosen):
        shutil.copytree(whole, tmp_path / "out")
        return start(self, chosen)

    monkeypatch.setattr(run.Workers, "start", slowly)
    assert not run.render(settings, tmp_path / "out", 1, lambda done, total: None)
    assert contents(tmp_path / "out") == contents(whole)
