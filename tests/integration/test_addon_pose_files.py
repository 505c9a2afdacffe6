"""The add-on's files of poses, keyframes from them, and the asset library."""

from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from addon_scene import some_pose

from blender_addon import asset_library, hand, sync
from blender_addon.operators.common import chosen_file
from generator.hand import finger_sets, pose, pose_sets
from generator.hand.pose_presets import PRESETS


def test_poses_are_saved_and_loaded_as_the_generator_does(armature, tmp_path):
    path = tmp_path / "poses.csv"
    for index, name in enumerate(("fist", "open")):
        bpy.ops.handforge.preset(name=name)
        bpy.ops.handforge.save_pose(filepath=str(path), append=bool(index))
    saved = pose_sets.load(path)
    np.testing.assert_allclose(saved.poses, [PRESETS["fist"], PRESETS["open"]], atol=2e-6)
    bpy.ops.handforge.load_pose(filepath=str(path), number=1)
    np.testing.assert_allclose(hand.pose(armature), PRESETS["fist"], atol=2e-6)


def test_a_pose_added_to_a_file_leaves_the_others_their_names(armature, tmp_path):
    path = tmp_path / "mine.csv"
    two = np.array([PRESETS["fist"], PRESETS["open"]])
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("l2", "l11"), np.array([17000, 5000]), two)))
    for _ in range(2):
        bpy.ops.handforge.save_pose(filepath=str(path), append=True)
    saved = pose_sets.load(path)
    assert saved.names == ("l2", "l11", "mine", "mine") and saved.frames.tolist() == [17000, 5000, 0, 1]


def test_poses_become_keyframes_and_keyframes_poses(armature, tmp_path):
    given, made = tmp_path / "given.csv", tmp_path / "made.csv"
    three = np.array([PRESETS["fist"], PRESETS["open"], PRESETS["point"]])
    given.write_bytes(pose_sets.dump(pose_sets.PoseSet(("x",) * 3, np.arange(3), three)))
    bpy.context.scene.frame_set(5)
    assert bpy.ops.handforge.poses_to_keyframes(filepath=str(given), step=10) == {"FINISHED"}
    for frame, one in zip((5, 15, 25), three, strict=True):
        bpy.context.scene.frame_set(frame)
        np.testing.assert_allclose(hand.pose(armature), one, atol=1e-5)
    bpy.context.scene.frame_set(7)
    assert bpy.ops.handforge.keyframes_to_poses(filepath=str(made)) == {"FINISHED"}
    saved = pose_sets.load(made)
    np.testing.assert_allclose(saved.poses, three, atol=1e-5)
    assert saved.frames.tolist() == [5, 15, 25] and bpy.context.scene.frame_current == 7


def test_poses_become_assets_that_the_pose_library_applies(armature):
    assert bpy.ops.handforge.presets_to_assets() == {"FINISHED"}
    assets = {action.name: action for action in bpy.data.actions if action.asset_data}
    assert len(assets) == len(PRESETS) and assets["Thumb Up"].asset_data.description
    pixels = np.array(assets["Fist"].preview.image_pixels_float).reshape(128, 128, 4)
    stretched = np.array(assets["Five"].preview.image_pixels_float).reshape(128, 128, 4)
    assert stretched[..., 3].sum() > 1.1 * pixels[..., 3].sum() > 1000
    assert stretched[90:, :, 3].any() and not pixels[90:, :, 3].any(), "stretched fingers reach higher"
    armature.handforge.forearm_z = 0.4
    armature.pose.apply_pose_from_action(assets["Point"], evaluation_time=1)
    for _ in range(2):
        bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature)[6:], PRESETS["point"][6:], atol=1e-4)
    assert hand.pose(armature)[4] == pytest.approx(0.4, abs=1e-5)
    bpy.ops.handforge.save_asset(name="Mine")
    assert bpy.data.actions["Mine"].asset_data


def test_an_asset_of_somebody_elses_is_not_replaced(armature):
    other = bpy.data.actions.new("Fist")
    other.asset_mark()
    other.asset_data.description = "mine"
    for _ in range(2):
        bpy.ops.handforge.presets_to_assets()
    assert bpy.data.actions["Fist"].asset_data.description == "mine"


def test_poses_become_an_asset_library_that_every_file_has(armature, tmp_path):
    own = bpy.data.actions.new("Fist")
    (tmp_path / asset_library.CATALOGS).write_text("VERSION 1\n\n6c4e2a0e-0d53-4f8e-9a51-3f0f5b1f0c11:Mine:Mine\n")
    sync.put(armature, some_pose(3))
    before = hand.pose(armature)
    assert bpy.ops.handforge.poses_to_library(directory=str(tmp_path)) == {"FINISHED"}
    assert list(bpy.data.actions) == [own] and own.name == "Fist", "the file is as it was"
    np.testing.assert_array_equal(hand.pose(armature), before)
    libraries = bpy.context.preferences.filepaths.asset_libraries
    assert [lib.name for lib in libraries if lib.path and Path(lib.path) == tmp_path] == ["Hands"]
    path = tmp_path / "right hand poses.blend"
    with bpy.data.libraries.load(str(path), link=True, assets_only=True) as (there, taken):
        names = set(there.actions)
        taken.actions = ["Point", "Sign I Love You", "Cup Medium Wrap"]
    assert names == {name for catalog in asset_library.poses().values() for name in catalog} and len(names) > 70
    lines = [line.split(":") for line in (tmp_path / asset_library.CATALOGS).read_text().splitlines()[2:]]
    catalogs = {identifier: where for identifier, where, _ in lines}
    point, sign, _ = taken.actions
    assert [catalogs[action.asset_data.catalog_id] for action in taken.actions] == [
        "Hands/Presets",
        "Hands/Signs",
        "Hands/Grasps",
    ]
    assert "Mine" in catalogs.values()
    assert all(np.array(action.preview.image_pixels_float)[3::4].sum() > 1000 for action in taken.actions)
    for action, wanted in ((sign, finger_sets.signs()["i love you"]), (point, PRESETS["point"])):
        armature.pose.apply_pose_from_action(action, evaluation_time=1)
        for _ in range(2):
            bpy.context.view_layer.update()
        np.testing.assert_allclose(hand.pose(armature)[6:], wanted[6:], atol=1e-4)
    with pytest.raises(RuntimeError, match="is there already: delete it first"):
        bpy.ops.handforge.poses_to_library(directory=str(tmp_path))
    with pytest.raises(RuntimeError, match="is not a folder"):
        bpy.ops.handforge.poses_to_library(directory=str(tmp_path / "none"))


def test_files_that_are_no_poses_are_refused(armature, tmp_path):
    path = tmp_path / "poses.csv"
    path.write_text("a,b\n")
    with pytest.raises(RuntimeError, match=r"poses\.csv does not start with the header of a file of poses"):
        bpy.ops.handforge.load_pose(filepath=str(path))
    with pytest.raises(RuntimeError, match=r"none\.csv: No such file or directory"):
        bpy.ops.handforge.load_pose(filepath=str(tmp_path / "none.csv"))
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("x",), np.array([0]), pose.bind()[None])))
    with pytest.raises(RuntimeError, match="holds 1 poses, there is no number 2"):
        bpy.ops.handforge.load_pose(filepath=str(path), number=2)
    for name in ("load_pose", "poses_to_keyframes", "save_pose"):
        with pytest.raises(RuntimeError, match="Choose a file, or type its name"):
            getattr(bpy.ops.handforge, name)(filepath="")
    with pytest.raises(RuntimeError, match="The hand has no keyframes: set some with Key Hand Pose first"):
        bpy.ops.handforge.keyframes_to_poses(filepath=str(tmp_path / "made.csv"))


def test_an_extension_alone_is_no_name_of_a_file(armature, tmp_path):
    for name, extension in (("save_pose", ".csv"), ("fit_file", ".json")):
        with pytest.raises(RuntimeError, match="Choose a file, or type its name"):
            getattr(bpy.ops.handforge, name)(filepath=str(tmp_path / extension))
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / ".csv"  # a bone map's extension is another, so this is a whole name
    assert chosen_file(SimpleNamespace(filepath=str(path), filename_ext=".toml")) == path
