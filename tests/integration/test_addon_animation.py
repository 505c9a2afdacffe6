"""The add-on's hand under keyframes, drivers and constraints, in the viewport and in a render."""

import bpy
import numpy as np
import pytest
from addon_scene import bones, expected

from blender_addon import hand, sync, verdict
from generator.hand import pose
from generator.hand.anatomy import BONES
from generator.hand.pose_presets import PRESETS

INDEX = pose.NAMES.index("index_mcp_flexion")


def rendered(frame=None):
    """What a render would show of the skin, (V, 3): evaluated in a depsgraph of its own kind."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    if frame is not None:
        scene.frame_set(frame)
    graph = layer.depsgraph
    graph.update()
    skin = hand.skin_of(hand.active(bpy.context)).evaluated_get(graph)
    return np.array([vertex.co for vertex in skin.data.vertices])


def test_keyed_bones_move_the_sliders(armature):
    rotated = armature.pose.bones["index_proximal"]
    sync.put(armature, pose.with_angles(index_mcp_flexion=40))
    rotated.keyframe_insert("rotation_quaternion", frame=1)
    sync.put(armature, pose.bind())
    rotated.keyframe_insert("rotation_quaternion", frame=20)
    for frame, degrees in ((1, 40), (20, 0)):
        bpy.context.scene.frame_set(frame)
        assert abs(pose.to_degrees(hand.pose(armature))[INDEX] - degrees) < 0.01


def test_keyed_sliders_move_the_bones(armature):
    sync.put(armature, PRESETS["fist"])
    bpy.ops.handforge.key_pose()
    bpy.context.scene.frame_set(20)
    sync.put(armature, PRESETS["open"])
    bpy.ops.handforge.key_pose()
    for frame, name in ((1, "fist"), (20, "open")):
        bpy.context.scene.frame_set(frame)
        np.testing.assert_allclose(hand.pose(armature), PRESETS[name], atol=1e-5)
        np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    bpy.context.scene.frame_set(10)
    assert 0.2 < hand.pose(armature)[INDEX] < 1.3, "between its keys"


def test_keyed_sliders_are_rendered(armature, tmp_path):
    """In Blender's own render, whose depsgraph is not the window's."""
    sync.put(armature, pose.bind())
    bpy.ops.handforge.key_pose()
    bpy.context.scene.frame_set(20)
    sync.put(armature, PRESETS["fist"])
    bpy.ops.handforge.key_pose()
    bpy.ops.handforge.add_camera()
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.render.film_transparent = "CYCLES", 1, True
    scene.cycles.use_denoising = False  # which distributions build Blender without
    scene.render.resolution_x, scene.render.resolution_y = 128, 72
    scene.render.filepath, scene.frame_start, scene.frame_end, scene.frame_step = str(tmp_path / "####"), 1, 20, 19
    bpy.ops.render.render(animation=True)
    areas = []
    for frame in (1, 20):
        image = bpy.data.images.load(str(tmp_path / f"{frame:04}.png"))
        areas.append((np.array(image.pixels[:])[3::4].reshape(72, 128)[40:] > 0.5).sum())
    assert areas[0] > 1.4 * areas[1] > 0, "stretched fingers reach higher than a fist"


def test_driven_sliders_move_the_bones(armature):
    curve = armature.driver_add("handforge.index_mcp_flexion")
    curve.driver.expression = "frame / 100"
    for frame in (10, 60):
        bpy.context.scene.frame_set(frame)
        assert hand.pose(armature)[INDEX] == pytest.approx(frame / 100, abs=1e-5)
        np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)


def test_what_a_constraint_does_is_the_pose(armature):
    """As somebody's IK does: the sliders show where the finger is, and the verdict is about that."""
    target = bpy.data.objects.new("target", None)
    bpy.context.scene.collection.objects.link(target)
    target.location = 0.035, -0.06, 0.09
    constraint = armature.pose.bones["index_distal"].constraints.new("IK")
    constraint.target, constraint.chain_count = target, 3
    for _ in range(3):
        bpy.context.view_layer.update()
    reached = hand.pose(armature)
    assert reached[INDEX : INDEX + 4].max() > 0.5, "the finger is bent"
    tip = bones(armature)[BONES.index("index_distal")][:3, :3] @ [0, 0, 1]
    assert tip[1] < -0.3, "towards the target"
    assert armature.handforge.index_mcp_flexion == pytest.approx(reached[INDEX], abs=1e-5)
    before = reached.copy()
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature), before, atol=1e-4, err_msg="it comes to rest")


def test_a_rest_pose_applied_is_told_and_restored(armature):
    sync.put(armature, PRESETS["fist"])
    bpy.context.view_layer.update()
    bpy.ops.pose.armature_apply()
    bpy.context.view_layer.update()
    props = armature.handforge
    assert props.reason == verdict.TROUBLE and "rest pose" in props.verdict
    with pytest.raises(RuntimeError, match="rest pose"):
        bpy.ops.handforge.preset(name="open")
    assert bpy.ops.handforge.restore_bones() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert props.reason == ""
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)


def test_a_renamed_bone_is_told_and_nothing_moves(armature):
    armature.data.bones["index_middle"].name = "other"
    bpy.context.view_layer.update()
    props, before = armature.handforge, hand.pose(armature)
    assert props.reason == verdict.TROUBLE and "no bone index_middle" in props.verdict
    props.index_mcp_flexion = 0.7
    assert props.index_mcp_flexion == 0 and (hand.pose(armature) == before).all()
    with pytest.raises(RuntimeError, match="no bone index_middle"):
        bpy.ops.handforge.preset(name="fist")
    armature.data.bones["other"].name = "index_middle"
    bpy.context.view_layer.update()
    props.index_mcp_flexion = 0.7
    assert props.reason == "" and hand.pose(armature)[INDEX] == pytest.approx(0.7, abs=1e-5)
