"""A sweep in the add-on: an action of it, its counts, its map."""

from functools import partial
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from blender_addon import animation, hand, sweep_view, sync
from blender_addon.operators import sweep
from generator.frame.settings import RenderSettings
from generator.hand import plausibility, pose, sweep_map
from generator.hand.camera import Camera
from generator.hand.pose_presets import PRESETS
from generator.pipeline import run


def test_a_sweep_is_an_action_that_can_be_taken_off_again(armature, window):
    window.sweep, window.step, window.v4 = "l11", 60, (-60, 60)
    some, scene = sweep_map.part("l11", 60, (-60, 60)), bpy.context.scene
    scene.frame_end = 77
    scene.frame_set(5)
    sync.put(armature, PRESETS["fist"])
    assert bpy.ops.handforge.sweep_to_timeline() == {"FINISHED"}
    assert scene.frame_end == len(some.poses) == 18
    scene.frame_set(8)
    np.testing.assert_allclose(hand.pose(armature), some.poses[7], atol=1e-5)
    assert animation.keyed_frames(armature) == list(range(1, 19))
    window.step = 30
    assert bpy.ops.handforge.sweep_to_timeline() == {"FINISHED"}, "the other step, in place of the first"
    assert scene.frame_end == 60 and len([a for a in bpy.data.actions if a.name.startswith("Hand sweep")]) == 1
    scene.frame_set(9)
    finer = sweep_map.part("l11", 30, (-60, 60))
    np.testing.assert_allclose(hand.pose(armature), finer.poses[8], atol=1e-5)
    assert bpy.ops.handforge.sweep_off() == {"FINISHED"}
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 77, 5)
    kept = hand.pose(armature)
    scene.frame_set(2)
    np.testing.assert_array_equal(hand.pose(armature), kept)


def test_picking_from_the_map_says_what_is_wrong_and_ends_with_its_hand(armature, window, monkeypatch):
    told, click = [], SimpleNamespace(type="LEFTMOUSE", value="PRESS")
    pick = partial(sweep.PoseFromMap.modal, SimpleNamespace(report=lambda _, text: told.append(text)))
    monkeypatch.setattr(sweep, "_on_map", lambda *_: (0.5, 0.5))
    shown = SimpleNamespace(workspace=SimpleNamespace(status_text_set=lambda _: None), scene=bpy.context.scene)
    shown.view_layer = bpy.context.view_layer
    window.v4 = 40, 30
    assert pick(shown, click) == {"RUNNING_MODAL"}
    assert told == ["no pose of l2 has v4 in 40..30 and v5 in -180..178 degrees"]
    bpy.data.objects.remove(armature)
    assert pick(shown, click) == {"FINISHED"}


def test_a_sweep_can_be_taken_off_when_its_hand_is_gone(armature, window):
    bpy.context.scene.frame_end = 77
    bpy.ops.handforge.sweep_to_timeline()
    bpy.data.objects.remove(armature)
    window.step = 30
    assert bpy.ops.handforge.sweep_off() == {"FINISHED"}
    assert bpy.context.scene.frame_end == 77
    with pytest.raises(RuntimeError, match="No sweep is on the timeline"):
        bpy.ops.handforge.sweep_off()


def test_a_sweep_that_was_given_a_name_stays(armature):
    bpy.context.scene.frame_end = 77
    bpy.ops.handforge.sweep_to_timeline()
    armature.animation_data.action.name = "Hand sweep, edited"
    bpy.ops.handforge.sweep_to_timeline()
    assert bpy.ops.handforge.sweep_off() == {"FINISHED"}
    assert bpy.context.scene.frame_end == 77 and [a.name for a in bpy.data.actions] == ["Hand sweep, edited"]


def test_a_sweep_is_taken_off_a_hand_whose_bones_were_renamed(armature):
    bpy.context.scene.frame_end = 77
    bpy.ops.handforge.sweep_to_timeline()
    armature.data.bones["hand"].name = "palm"
    assert bpy.ops.handforge.sweep_off() == {"FINISHED"}
    assert bpy.context.scene.frame_end == 77 and armature.animation_data.action is None


def test_counts_and_map(armature, window):
    window.sweep, window.step, window.v4 = "l11", 60, (-60, 60)
    some = sweep_map.part("l11", 60, (-60, 60))
    sync.put(armature, some.poses[7])
    assert bpy.ops.handforge.judge_sweep() == {"FINISHED"}
    reasons = plausibility.judge(some.poses)
    assert sweep_view.counts(bpy.context.scene, armature) == sweep_map.counts(reasons)
    shown = bpy.data.images[sweep_view.MAP]
    drawn = sweep_map.with_axes(some, sweep_map.image(some, reasons, some.poses[7], 720 // 6))
    pixels = np.array(shown.pixels[:]).reshape(shown.size[1], shown.size[0], 4)[::-1, :, :3]
    np.testing.assert_array_equal(np.round(pixels * 255).astype(np.uint8), drawn)
    np.testing.assert_array_equal(sweep_view.pose_at(bpy.context.scene, 0.01, 0.99), some.poses[12])


def test_counts_are_those_of_the_images_asked_for(armature, window):
    """As many as a run of these settings has poses."""
    window.sweep, window.step, window.size = "l2", 10, (1280, 500)
    bpy.ops.handforge.judge_sweep()
    counts, some = sweep_view.counts(bpy.context.scene, armature), sweep_map.part("l2", 10).poses
    reasons = plausibility.judge(some, None, Camera(1280, 500))
    assert counts[""] == (reasons == "").sum() < (plausibility.judge(some) == "").sum()
    plan = run.plan(RenderSettings(pose_set="l2@10", resolution=(1280, 500)))
    assert len(plan.poses) == counts[""]


def test_the_map_is_there_when_the_file_is_opened_again(armature, window, tmp_path):
    window.step = 60
    bpy.ops.handforge.judge_sweep()
    before = np.array(bpy.data.images[sweep_view.MAP].pixels[:])
    assert not bpy.data.images[sweep_view.MAP].is_dirty, "or Blender asks to save it on quitting"
    bpy.data.images[sweep_view.MAP].use_fake_user = True  # an editor that shows it is a user, too
    path = str(tmp_path / "map.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    np.testing.assert_array_equal(np.array(bpy.data.images[sweep_view.MAP].pixels[:]), before)
    assert before.std() > 0.05


def test_a_sweep_without_a_pose_is_refused_and_a_step_is_even(armature, window):
    window.v4 = 10, -10
    with pytest.raises(RuntimeError, match="no pose of l2 has v4"):
        bpy.ops.handforge.judge_sweep()
    window.step = 7
    assert window.step == 8
    assert not hand.pose(armature).any() and pose.SIZE == 28
