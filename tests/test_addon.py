"""The add-on's properties and operators, called as Blender's window calls them, against the generator itself."""

import sys
import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

import blender_addon
from blender_addon import command, generating, hand, properties, sweeping
from generator.blender import rig
from generator.frame import settings
from generator.hand import anatomy, kinematics, plausibility, pose, pose_sets, sweep_map
from generator.hand.anatomy import BONES
from generator.hand.pose_presets import PRESETS
from generator.mesh import hand_mesh, skin_color
from handforge import dataset


@pytest.fixture
def window():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_addon.register()
    yield bpy.context.scene.handforge
    blender_addon.unregister()


@pytest.fixture
def armature(window):
    assert bpy.ops.handforge.add_hand() == {"FINISHED"}
    return hand.active(bpy.context)


def some_pose(seed):
    low, high = pose.LIMITS.T
    one = np.random.default_rng(seed).uniform(low, high)
    one[:3] *= 0.2
    return one


def bones(armature):
    """How Blender's evaluated bones have moved from their rest, (21, 4, 4)."""
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
    return np.array([posed[b].matrix @ armature.data.bones[b].matrix_local.inverted() for b in BONES])


def everything():
    """What add-ons may leave behind in Blender."""
    handlers = {n: len(getattr(bpy.app.handlers, n)) for n in dir(bpy.app.handlers) if n.endswith(("_post", "_pre"))}
    properties = [list(owner.bl_rna.properties.keys()) for owner in (bpy.types.Object, bpy.types.Scene)]
    subclasses = sorted(c.__name__ for c in (*bpy.types.Operator.__subclasses__(), *bpy.types.Panel.__subclasses__())
                        if c.is_registered)  # fmt: skip
    return handlers, properties, subclasses, dir(bpy.ops.handforge)


def test_register_and_unregister_leave_no_trace():
    before = everything()
    blender_addon.register()
    assert everything() != before
    blender_addon.unregister()
    assert everything() == before


def test_the_hand_added_is_the_generators(armature):
    made = hand.skin_of(armature).data
    mesh = hand_mesh.build()
    vertices = np.array([vertex.co for vertex in made.vertices])
    np.testing.assert_array_equal(vertices.astype(np.float32), mesh.vertices)
    heads = np.array([armature.data.bones[name].head_local for name in BONES])
    np.testing.assert_allclose(heads, anatomy.skeleton().heads, atol=1e-7)
    assert armature.mode == "POSE" and armature.handforge.verdict == "plausible"


@pytest.mark.parametrize("seed", range(4))
def test_sliders_move_the_bones(armature, seed):
    one = some_pose(seed)
    for name, value in zip(pose.NAMES, one, strict=True):
        setattr(armature.handforge, name, value * 100 if name.startswith("translation") else value)
    np.testing.assert_allclose(hand.pose(armature), one, atol=2e-6)
    np.testing.assert_allclose(bones(armature), kinematics.transforms(one, anatomy.skeleton()), atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_turned_bones_move_the_sliders(armature, seed):
    one = some_pose(seed)
    one[3:6] *= 0.4  # the nearer of two equal answers
    rig.set_pose(hand.as_rig(armature), one)
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature), one, atol=1e-5)
    assert armature.handforge.thumb_cmc_flexion == pytest.approx(one[24], abs=1e-5)
    assert armature.handforge.translation_x == pytest.approx(one[0] * 100, abs=1e-3)


def test_a_finger_twisted_snaps_back_to_what_its_joint_can_do(armature):
    bone = armature.pose.bones["ring_distal"]
    bone.matrix_basis = bone.matrix_basis @ Matrix.Rotation(0.4, 4, "Y")  # bones lie along their Y
    bpy.context.view_layer.update()
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature), 0, atol=1e-5)
    np.testing.assert_allclose(np.array(bone.matrix_basis), np.eye(4), atol=1e-5)


def test_sliders_end_where_joints_do_and_bones_beyond_are_told(armature):
    props = armature.handforge
    props.index_pip_flexion = np.radians(170)
    assert np.degrees(props.index_pip_flexion) == pytest.approx(105, abs=1e-3)
    rig.set_pose(hand.as_rig(armature), pose.with_angles(index_pip_flexion=117))
    bpy.context.view_layer.update()
    assert np.degrees(props.index_pip_flexion) == pytest.approx(117, abs=1e-3)
    assert (props.reason, props.verdict) == ("joint limit", "index_pip_flexion is 12.0° outside its range")
    assert [bone.name for bone in armature.pose.bones if bone.color.palette != "DEFAULT"] == ["index_middle"]


@pytest.mark.parametrize("seed", range(3))
def test_the_verdict_is_the_generators(armature, seed):
    one = some_pose(seed)
    hand.put(armature, one)
    verdict = plausibility.explain(hand.pose(armature))
    assert (armature.handforge.reason, armature.handforge.verdict) == (verdict.reason, verdict.text)
    marked = {bone.name for bone in armature.pose.bones if bone.color.palette != "DEFAULT"}
    assert marked == set(verdict.bones)


def test_presets_reset_and_mirror(armature):
    armature.handforge.forearm_x = 0.5
    assert bpy.ops.handforge.preset(name="fist") == {"FINISHED"}
    np.testing.assert_allclose(hand.pose(armature)[6:], PRESETS["fist"][6:], atol=2e-6)
    assert armature.handforge.forearm_x == pytest.approx(0.5)
    bpy.ops.handforge.reset(group="L5_4")
    assert not hand.pose(armature)[pose.GROUPS["L5_4"]].any() and hand.pose(armature)[pose.GROUPS["L5_5"]].any()
    bpy.ops.handforge.preset(name="bind")
    assert not hand.pose(armature).any()
    armature.handforge.side = "left"
    bpy.context.view_layer.update()
    thumb = armature.matrix_world @ armature.pose.bones["thumb_distal"].tail
    assert thumb.x == pytest.approx(-anatomy.skeleton().tails[BONES.index("thumb_distal"), 0], abs=1e-6)


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


def test_keyed_bones_move_the_sliders(armature):
    turned = armature.pose.bones["index_proximal"]
    hand.put(armature, pose.with_angles(index_mcp_flexion=40))
    turned.keyframe_insert("rotation_quaternion", frame=1)
    hand.put(armature, pose.bind())
    turned.keyframe_insert("rotation_quaternion", frame=20)
    for frame, degrees in ((1, 40), (20, 0)):
        bpy.context.scene.frame_set(frame)
        assert abs(pose.to_degrees(hand.pose(armature))[pose.NAMES.index("index_mcp_flexion")] - degrees) < 0.01


def test_a_hidden_armature_takes_another_shape(armature):
    skin_ = hand.skin_of(armature)
    bpy.context.view_layer.objects.active = skin_
    armature.hide_viewport = True
    bpy.ops.handforge.random_shape(seed=5)
    assert armature.hide_viewport and bpy.context.view_layer.objects.active is skin_
    moved = kinematics.transforms(hand.pose(armature), anatomy.skeleton(hand.shape(armature)))
    np.testing.assert_allclose(bones(armature), moved, atol=1e-5)


def test_files_that_are_no_poses_are_refused(armature, tmp_path):
    path = tmp_path / "poses.csv"
    path.write_text("a,b\n")
    with pytest.raises(RuntimeError, match=r"poses\.csv does not start with the header of a file of poses"):
        bpy.ops.handforge.load_pose(filepath=str(path))
    with pytest.raises(RuntimeError, match="No such file or directory"):
        bpy.ops.handforge.load_pose(filepath=str(tmp_path / "none.csv"))
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("x",), np.array([0]), pose.bind()[None])))
    with pytest.raises(RuntimeError, match="holds 1 poses, there is no number 2"):
        bpy.ops.handforge.load_pose(filepath=str(path), number=2)


def test_without_a_hand_the_buttons_say_so(window):
    with pytest.raises(RuntimeError, match="Add a hand, or select one of several"):
        bpy.ops.handforge.preset(name="fist")


def test_another_shape_is_that_persons_hand(armature):
    hand.put(armature, PRESETS["point"])
    bpy.ops.handforge.random_shape(seed=5)
    shape = anatomy.HandShape.random(np.random.default_rng(5))
    np.testing.assert_allclose(
        hand.skin_of(armature).data.vertices[100].co, hand_mesh.build(shape).vertices[100], atol=1e-6
    )
    moved = kinematics.transforms(hand.pose(armature), anatomy.skeleton(hand.shape(armature)))
    np.testing.assert_allclose(bones(armature), moved, atol=1e-5)
    np.testing.assert_allclose(hand.pose(armature), PRESETS["point"], atol=2e-6)
    fresh = rig.build(anatomy.skeleton(hand.shape(armature)), hand_mesh.build(), "fresh")
    np.testing.assert_allclose(hand.as_rig(armature).rest, fresh.rest, atol=1e-5)


def test_the_skin_has_the_tone_chosen(armature):
    armature.handforge.tone = 0.9
    colours = hand.skin_of(armature).data.attributes[rig.COLOUR].data
    painted = np.array([colours[i].color[:3] for i in range(0, 5000, 500)])
    np.testing.assert_allclose(painted, skin_color.colours(hand_mesh.build(), 0.9)[:5000:500], atol=1e-6)


def test_a_sweep_on_the_timeline_with_counts_and_map(armature, window):
    window.sweep, window.step, window.v4 = "l11", 60, (-60, 60)
    some = sweep_map.part("l11", 60, (-60, 60))
    bpy.context.scene.frame_end = 77
    bpy.context.scene.frame_set(5)
    mine = PRESETS["fist"]
    hand.put(armature, mine)
    assert bpy.ops.handforge.sweep_to_timeline() == {"FINISHED"}
    assert bpy.context.scene.frame_end == len(some.poses) == 18
    bpy.context.scene.frame_set(8)
    np.testing.assert_allclose(hand.pose(armature), some.poses[7], atol=2e-6)
    assert bpy.ops.handforge.judge_sweep() == {"FINISHED"}
    reasons = plausibility.judge(some.poses)
    assert sweeping.counts(bpy.context.scene, armature) == sweep_map.counts(reasons)
    shown = bpy.data.images[sweeping.MAP]
    expected = sweep_map.image(some, reasons, some.poses[7], 720 // 6)
    pixels = np.array(shown.pixels[:]).reshape(shown.size[1], shown.size[0], 4)[::-1, :, :3]
    np.testing.assert_array_equal(np.round(pixels * 255).astype(np.uint8), expected)
    window.step = 30
    bpy.context.scene.frame_set(9)
    finer = sweep_map.part("l11", 30, (-60, 60))
    np.testing.assert_allclose(hand.pose(armature), finer.poses[8], atol=2e-6)
    assert bpy.context.scene.frame_end == len(finer.poses) == 60
    bpy.ops.handforge.sweep_to_timeline()
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == (1, 77, 5)
    np.testing.assert_allclose(hand.pose(armature), mine, atol=2e-6)
    scene.frame_set(2)
    np.testing.assert_allclose(hand.pose(armature), mine, atol=2e-6)


def test_a_sweep_without_a_pose_is_refused(armature, window):
    window.step = 7
    with pytest.raises(RuntimeError, match="the step is a multiple of 2 degrees, not 7"):
        bpy.ops.handforge.judge_sweep()


@pytest.fixture
def poses_file(tmp_path):
    path = tmp_path / "poses.csv"
    poses = np.stack([PRESETS["fist"], PRESETS["open"]])
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("mine", "mine"), np.arange(2), poses)))
    return path


def rendering(window, poses_file, out):
    window.poses, window.file, window.out = "file", str(poses_file), str(out)
    window.count, window.size, window.workers = 0, (160, 90), 1


def test_pictures_are_rendered_in_the_background(window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path / "out")
    assert bpy.ops.handforge.generate() == {"FINISHED"}
    generating.wait()
    assert generating.Board.message == f"{tmp_path / 'out'} is complete"
    data = dataset.Dataset(tmp_path / "out")
    assert len(data) == 2 and data.info["settings"]["size"] == "160x90"
    assert tuple(bpy.data.images[generating.SHEET].size) == (640, 180)


def test_pictures_show_the_hand_of_the_panel(armature, window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path / "out")
    bpy.ops.handforge.random_shape(seed=5)
    armature.handforge.tone, armature.handforge.side = 0.9, "left"
    assert bpy.ops.handforge.generate() == {"FINISHED"}
    generating.wait()
    data = dataset.Dataset(tmp_path / "out")
    told = data.info["settings"]
    assert anatomy.HandShape(**told["shape"]).length == pytest.approx(hand.shape(armature).length, abs=1e-4)
    assert (told["skin"], told["side"]) == (0.9, "left")
    image = next(iter(data))
    (annotation,) = data.annotations(image)
    assert annotation["side"] == "left"
    assert data.read_image(image)[data.masks(image)[0]].mean() < 110, "dark skin"


def test_a_look_that_varies_hands_still_does(armature, window):
    asked = properties.task(window, armature)
    assert asked["defaults"] == {"shape": "average", "skin": 0.5, "side": "right"}
    people = settings.load(Path("people"), asked["overrides"], asked["defaults"])
    assert (people.skin, people.shape, people.side) == ("varied", "varied", "right")


def test_a_look_comes_in_its_own_size_and_a_file_goes_before_the_panel(armature, window, tmp_path):
    window.settings = "varied"
    assert (tuple(window.size), window.format) == ((640, 360), "jpg")
    window.size = 1280, 720
    asked = properties.task(window, armature)
    assert settings.load(Path("varied"), asked["overrides"], asked["defaults"]).size == (1280, 720)
    path = tmp_path / "look.toml"
    path.write_text('size = "320x180"\nseed = 7\n')
    window.settings, window.settings_file, window.mask = "file", str(path), "both"
    asked = properties.task(window, armature)
    found = settings.load(Path(asked["settings"]), asked["overrides"], asked["defaults"])
    assert (found.size, found.seed, found.mask, found.count) == ((320, 180), 7, "both", window.count)


def test_a_folder_that_is_not_ours_is_told_in_the_panel(window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path)
    bpy.ops.handforge.generate()
    generating.wait()
    assert generating.Board.failed
    assert generating.Board.message.startswith(f"{tmp_path} is not empty and holds no rendering run")


def test_rendering_is_cancelled_and_its_folder_continued(window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path / "out")
    bpy.ops.handforge.generate()
    with pytest.raises(RuntimeError, match="poll"):
        bpy.ops.handforge.generate()
    assert bpy.ops.handforge.cancel() == {"FINISHED"}
    assert generating.Board.job is None and generating.Board.message == "stopped"
    assert not (tmp_path / "out" / "annotations.json").exists()
    assert bpy.ops.handforge.generate() == {"FINISHED"}
    generating.wait()
    assert len(dataset.Dataset(tmp_path / "out")) == 2


def test_stopping_does_not_wait_for_workers(tmp_path, monkeypatch):
    """They hold the job's output open until their frames are done."""
    worker = "import time; time.sleep(20)"
    job = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {worker!r}]); sys.stdin.read()"
    monkeypatch.setattr(generating.hosting, "job", lambda: [sys.executable, "-c", job])
    started = generating.Job({"out": str(tmp_path)})
    begin = time.monotonic()
    started.stop()
    started.poll()
    assert time.monotonic() - begin < 8


def test_closing_blender_ends_rendering(window, poses_file, tmp_path):
    rendering(window, poses_file, tmp_path / "out")
    bpy.ops.handforge.generate()
    process = generating.Board.job._process
    blender_addon.unregister()  # as Blender does on its way out
    assert process.poll() is not None and generating.Board.job is None
    blender_addon.register()


def test_a_folder_beside_an_unsaved_file_is_refused(window):
    with pytest.raises(RuntimeError, match=r"Save the \.blend file first, or give a full path"):
        bpy.ops.handforge.generate()


@pytest.mark.parametrize("arguments, code", [(["--version"], 0), (["poses", "--set", "none"], 2), (["render"], 2)])
def test_the_command_inside_blender_ends_as_hand_generator_does(arguments, code):
    assert command._run(arguments) == code
