"""Images without a hand: their scenes as numbers, what settings say of them, and datasets that hold some."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from render_scenes import POSE

from generator.frame import empty_scene, settings
from generator.frame.settings import RenderSettings, SettingsError
from generator.mesh import foot, person_mesh
from generator.objects import makers
from generator.pipeline import frame_file, run
from handforge.dataset import Dataset, check_image, contact_sheet
from handforge.files import dump_json

ROOM = RenderSettings(scene="indoor", empty=1.0, resolution=(160, 120), samples=1)


@pytest.fixture(scope="module")
def scenes():
    return [empty_scene.draw_empty_scene(ROOM, frame) for frame in range(100)]


def test_the_fraction_is_kept_and_frames_do_not_depend_on_it():
    few, many = (RenderSettings(scene="indoor", empty=empty) for empty in (0.15, 0.5))
    first = {frame for frame in range(2000) if empty_scene.is_empty(few, frame)}
    second = {frame for frame in range(2000) if empty_scene.is_empty(many, frame)}
    assert len(first) / 2000 == pytest.approx(0.15, abs=0.03) and len(second) / 2000 == pytest.approx(0.5, abs=0.04)
    assert first < second
    assert not any(empty_scene.is_empty(RenderSettings(), frame) for frame in range(100))


def test_every_kind_comes_as_often_as_it_says_and_the_same_again(scenes):
    found = Counter(scene.kind for scene in scenes)
    assert empty_scene.KINDS["feet"] >= 1 / 3, "toes are the nearest thing to fingers"
    for kind, fraction in empty_scene.KINDS.items():
        assert found[kind] / len(scenes) == pytest.approx(fraction, abs=0.12), kind
    for frame in (0, 7, 40):
        assert empty_scene.draw_empty_scene(ROOM, frame) == scenes[frame]


def test_feet_are_in_sight_and_legs_end_outside_the_image(scenes):
    feet = [scene for scene in scenes if scene.kind == "feet"]
    ends = []
    for scene in feet:
        skins = [one.vertices() for one in scene.feet]
        for points in skins:
            x, y, depth = scene.camera.project(points).T
            inside = (x > 0) & (x < 160) & (y > 0) & (y < 120) & (depth > 0)
            near = np.linalg.norm(scene.camera.to_camera(points), axis=1).min()
            ends.append(not inside[foot.is_end()].any() and near > 0.05)
        assert any((scene.camera.project(points)[:, 2] > 0).any() for points in skins)
        if scene.ground is not None:
            normal, point = (np.array(part) for part in scene.ground)
            heights = [(points - point) @ normal for points in skins]
            assert min(height.min() for height in heights) == pytest.approx(0, abs=0.02), "they stand on it"
    assert np.mean(ends) > 0.9


def test_no_wrist_is_in_an_image_of_arms(scenes):
    arms = [(scene.camera, arm) for scene in scenes if scene.kind == "arms" for arm in scene.arms]
    assert len(arms) > 4
    along = empty_scene.arm_mesh()[0][:, 2]
    for camera, arm in arms:
        x, y, depth = camera.project(arm.vertices()[along > along.max() - 0.006]).T
        assert depth.min() > 0.05
        assert not ((x > 0) & (x < 160) & (y > 0) & (y < 120)).any()


def test_objects_stand_on_their_table_without_touching(scenes):
    tables = [scene for scene in scenes if scene.kind in ("food", "objects")]
    for scene in tables:
        normal, point = (np.array(part) for part in scene.ground)
        assert np.linalg.norm(normal) == pytest.approx(1)
        for one in scene.objects:
            assert ((one.vertices() - point) @ normal).min() == pytest.approx(0, abs=1e-6)
    assert max(len(scene.objects) for scene in tables) > 3


def test_bad_fractions_are_refused():
    with pytest.raises(SettingsError, match="empty is a number from 0 to 1, not 2"):
        settings.load(None, {"empty": 2})
    with pytest.raises(SettingsError, match="empty is a fraction of the images of indoor scenes; set scene to indoor"):
        settings.load(None, {"empty": 0.2})


def test_a_frame_without_a_hand_has_no_annotation_and_says_what_it_shows():
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    import bpy

    from generator.blender.frame_renderer import FrameRenderer
    from generator.blender.scene import head_mesh, props
    from generator.frame.room import shapes

    renderer = FrameRenderer(
        settings.load(
            None, {"scene": "indoor", "empty": 1, "resolution": "96x64", "samples": 1, "ground_truth": "depth,parts"}
        )
    )
    kinds, kept = {}, None
    for frame in range(30):
        scene = empty_scene.draw_empty_scene(renderer.settings, frame)
        if scene.kind not in kinds:
            sample = renderer.frame(frame, POSE, {"set": "l2"})
            kinds[scene.kind] = sample.image
            assert sample.instances == () and sample.meta["empty"] == scene.kind and "pose" not in sample.meta
            assert not sample.ground_truth_maps["depth"].any() and not sample.ground_truth_maps["parts"].any()
            assert sample.image.std() > 1
            again = renderer.frame(frame, POSE, {"set": "l2"})
            assert (again.image == sample.image).all()
            for name in (*shapes.OF_SIZE_1, *props.FILLED, *head_mesh.SHAPES):  # made once, when first needed
                for variant in range(person_mesh.VARIANTS if name in ("shirt", "hips") else 1):
                    renderer.engine._props._shape(name, variant)
            now = len(bpy.data.meshes), len(bpy.data.objects), len(bpy.data.materials)
            assert kept is None or now == kept, "nothing of an earlier frame is left"
            kept = now
    assert set(kinds) == set(empty_scene.KINDS)


@pytest.mark.usefixtures("in_process")
def test_a_dataset_with_images_without_a_hand_is_right_and_says_how_many(poses_file, tmp_path):
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    out = tmp_path / "out"
    chosen = settings.load(
        None,
        {"pose_set": str(poses_file), "count": 8, "resolution": "96x64", "samples": 1, "scene": "indoor", "empty": 0.5},
    )
    assert run.render(chosen, out, 1, lambda done, total: None)
    data = Dataset(out)
    empty = [image for image in data if not data.annotations(image)]
    assert 0 < len(empty) < 8 and all("empty" in image for image in empty)
    assert [problem for image in data for problem in check_image(data, image)] == []
    assert data.info["images"] == 8 and data.info["empty"] == len(empty)
    assert contact_sheet.write(out).exists()


@pytest.mark.usefixtures("in_process")
def test_objects_are_annotated_by_their_kind_where_they_are_asked_for(poses_file, tmp_path):
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    chosen = settings.load(
        Path("objects"), {"pose_set": str(poses_file), "count": 6, "resolution": "160x120", "samples": 1}
    )
    assert run.render(chosen, tmp_path / "out", 1, lambda done, total: None)
    data = Dataset(tmp_path / "out")
    names = {data.category(annotation) for image in data for annotation in data.annotations(image)}
    assert len(names) >= 4 and names <= set(makers.MAKERS)
    assert [problem for image in data for problem in check_image(data, image)] == []
    for number, image in enumerate(data):
        scene = empty_scene.draw_empty_scene(chosen, number)
        assert scene.kind == "objects"
        for annotation, mask in zip(data.annotations(image), data.masks(image), strict=True):
            kind = data.category(annotation)
            flat = [scene.camera.project(one.vertices()) for one in scene.objects if one.maker == kind]
            low, high = (f([f(p[:, :2], axis=0) for p in flat], axis=0) for f in (np.min, np.max))
            rows, columns = np.nonzero(mask)
            assert columns.min() > low[0] - 2 and columns.max() < high[0] + 2, "it lies where the object is"
            assert rows.min() > low[1] - 2 and rows.max() < high[1] + 2
    assert data.info["objects"] == sum(len(data.annotations(image)) for image in data) and data.info["hands"] == 0
    asked = tmp_path / "frame.json"
    asked.write_bytes(dump_json(frame_file.draw(chosen, 0)))
    frame_file.render(asked, tmp_path / "one")
    one = Dataset(tmp_path / "one")
    for mask, other in zip(one.masks(one.images[0]), data.masks(data.images[0]), strict=True):
        assert (mask == other).all(), "a frame that was shown and rendered by itself is the run's"


def test_only_the_chosen_kinds_of_objects_lie_about_and_each_as_often():
    chosen = settings.load(Path("objects"), {"object_kinds": "cup,shoe,mannequin", "resolution": "160x120"})
    scenes = [empty_scene.draw_empty_scene(chosen, frame) for frame in range(60)]
    first = Counter(scene.objects[0].maker for scene in scenes)
    assert set(first) == {"cup", "shoe", "mannequin"} == {one.maker for scene in scenes for one in scene.objects}
    assert min(first.values()) > 10
    large = settings.load(Path("objects"), {"object_kinds": "seat", "resolution": "160x120"})
    assert [one.maker for one in empty_scene.draw_empty_scene(large, 0).objects] == ["seat"]


def test_kinds_of_objects_are_those_that_are_drawn():
    assert set(settings.load(Path("objects"), {"object_kinds": "cup,shoe"}).chosen_objects) < set(makers.MAKERS)
    for wrong in ("cup,cat", "cup,cup", "", 3):
        with pytest.raises(SettingsError, match="object_kinds is all or some of phone,pen,cup,"):
            settings.load(None, {"object_kinds": wrong})


def test_objects_are_annotated_in_indoor_scenes_alone():
    with pytest.raises(SettingsError, match="object_annotations is of indoor scenes; set scene to indoor"):
        settings.load(None, {"object_annotations": True})
    with pytest.raises(SettingsError, match="object_annotations and ground_truth exclude each other"):
        settings.load(Path("objects"), {"ground_truth": "depth"})
