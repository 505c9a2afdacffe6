"""Somebody's own armature: our hand turned, enlarged, renamed and rolled has to move as ours does."""

import shlex
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Matrix

import blender_addon
from blender_addon import background_job, camera_object, external_rig, hand, render_settings, sync
from blender_addon.operators import generate
from generator.hand import anatomy, kinematics, pose, pose_sets
from generator.hand.anatomy import BONES
from generator.hand.pose_presets import PRESETS
from generator.rigs import bone_map
from generator.rigs import external_rig as rigs
from handforge import dataset

OURS = anatomy.skeleton()
TURN = np.array(Matrix.Rotation(1.1, 3, (0.3, -0.5, 0.8)))
SCALE = 1.4
LEFT_OUT = ("forearm", "ring_metacarpal")


def theirs(name):
    return f"Bone.{name.upper()}"


@pytest.fixture
def armature(request):
    """Their bones: those of a hand of ours but :data:`LEFT_OUT`, all children of one another, or of none (flat)."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    blender_addon.register()
    data = bpy.data.armatures.new("theirs")
    obj = bpy.data.objects.new("theirs", data)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    for index, name in enumerate(BONES):
        if name not in LEFT_OUT:
            bone = data.edit_bones.new(theirs(name))
            bone.head, bone.tail = (
                (SCALE * TURN @ OURS.heads[index]).tolist(),
                (SCALE * TURN @ OURS.tails[index]).tolist(),
            )
            bone.roll = index * 0.7
            parent = BONES[OURS.parents[index]]
            if request.param == "chain" and theirs(parent) in data.edit_bones:
                bone.parent = data.edit_bones[theirs(parent)]
    bpy.ops.object.mode_set(mode="OBJECT")
    yield obj
    blender_addon.unregister()


def map_file(folder, bones):
    path = folder / "map.toml"
    path.write_text("[bones]\n" + "".join(f'{ours} = "{their}"\n' for ours, their in bones.items()))
    return str(path)


NEEDED = {name: theirs(name) for name in BONES if name not in LEFT_OUT}
both = pytest.mark.parametrize("armature", ["chain", "flat"], indirect=True)


@pytest.mark.parametrize("armature", ["chain"], indirect=True)
def test_a_left_armature_is_a_left_hand(armature, tmp_path):
    """With the map of the right one: names do not tell the side."""
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in armature.data.edit_bones:
        bone.head.x, bone.tail.x = -bone.head.x, -bone.tail.x
    bpy.ops.object.mode_set(mode="OBJECT")
    assert bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED)) == {"FINISHED"}
    assert hand.side(armature) == "left"
    clothe(armature)
    assert hand.appearance(armature)["handedness"] == "left"
    sync.put(armature, PRESETS["fist"])
    bpy.context.view_layer.update()
    moved = kinematics.transforms(PRESETS["fist"], OURS)
    for name in NEEDED:
        index = BONES.index(name)
        expected = SCALE * TURN @ (moved[index, :3, :3] @ OURS.heads[index] + moved[index, :3, 3])
        found = armature.pose.bones[NEEDED[name]].head
        np.testing.assert_allclose(found, expected * [-1, 1, 1], atol=1e-5, err_msg=name)
    np.testing.assert_allclose(hand.pose(armature), PRESETS["fist"], atol=2e-6)


@both
@pytest.mark.parametrize("seed", range(3))
def test_it_moves_as_our_hand_does(armature, tmp_path, seed):
    assert bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED)) == {"FINISHED"}
    low, high = pose.LIMITS.T
    one = np.random.default_rng(seed).uniform(low, high)
    one[:3] *= 0.1
    sync.put(armature, one)
    bpy.context.view_layer.update()
    moved = kinematics.transforms(np.concatenate([np.zeros(3), one[3:]]), OURS)
    for index, name in enumerate(BONES):
        if name in NEEDED:
            head = moved[index, :3, :3] @ OURS.heads[index] + moved[index, :3, 3]
            expected = TURN @ (SCALE * head + one[:3])
            np.testing.assert_allclose(armature.pose.bones[theirs(name)].head, expected, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(hand.pose(armature), one, atol=2e-6)  # Blender has told of the change


@both
def test_an_armature_in_centimetres_moves_by_metres(armature, tmp_path):
    bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED))
    armature.scale = [0.01] * 3
    bpy.context.view_layer.update()
    wrist = armature.pose.bones[theirs("hand")]
    before = np.array(armature.matrix_world @ wrist.head)
    one = pose.bind()
    one[:3] = 0.1, -0.02, 0.03
    sync.put(armature, one)
    bpy.context.view_layer.update()
    np.testing.assert_allclose(np.array(armature.matrix_world @ wrist.head) - before, TURN @ one[:3], atol=1e-6)
    np.testing.assert_allclose(hand.pose(armature), one, atol=2e-5)


@both
def test_their_bones_move_the_sliders(armature, tmp_path):
    bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED))
    bones = armature.pose.bones
    sync.put(armature, PRESETS["point"])
    rotated = [bone.matrix_basis.copy() for bone in bones]
    sync.put(armature, pose.bind())
    for bone, basis in zip(bones, rotated, strict=True):
        bone.matrix_basis = basis
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature), PRESETS["point"], atol=2e-5)


@pytest.mark.parametrize("armature", ["chain"], indirect=True)
def test_the_verdict_marks_their_bones(armature, tmp_path):
    bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED))
    sync.put(armature, pose.with_angles(index_pip_flexion=120))
    assert armature.handforge.reason == "joint limit"
    assert [b.name for b in armature.pose.bones if b.color.palette != "DEFAULT"] == [theirs("index_middle")]


@pytest.mark.parametrize("armature", ["chain"], indirect=True)
@pytest.mark.parametrize(
    "change, message",
    [
        ({"paw": "x"}, "there is no bone 'paw'; the bones are forearm, hand"),
        ({"index_distal": None}, "index_distal is missing"),
        ({"hand": "Bone.PAW"}, "theirs has no bone 'Bone.PAW', which the map names"),
        (
            {"index_proximal": theirs("little_proximal")},
            "little_proximal and index_proximal are both 'Bone.LITTLE_PROXIMAL'",
        ),
    ],
)
def test_maps_that_do_not_fit(armature, tmp_path, change, message):
    bones = {ours: their for ours, their in (NEEDED | change).items() if their}
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, bones))
    assert not hand.is_hand(armature)


@pytest.mark.parametrize("armature", ["chain"], indirect=True)
def test_a_map_that_was_guessed_and_confirmed(armature):
    """What the dialog holds is what is taken."""
    with pytest.raises(RuntimeError, match=r"Map: hand, little_proximal, .* are missing"):
        bpy.ops.handforge.guess_bones("EXEC_DEFAULT")
    assert bpy.ops.handforge.guess_bones("EXEC_DEFAULT", **NEEDED) == {"FINISHED"}
    assert external_rig.names(armature) == NEEDED and hand.side(armature) == "right"


def clothe(armature):
    """Give each bone an octahedron to move."""
    corners = 0.01 * np.concatenate([np.eye(3), -np.eye(3)])
    mesh, bones = bpy.data.meshes.new("skin"), list(armature.data.bones)
    sides = [(i, j, k) for i in (0, 3) for j in (1, 4) for k in (2, 5)]
    vertices = np.concatenate([corners + np.array(bone.head_local + bone.tail_local) / 2 for bone in bones])
    mesh.from_pydata(
        vertices.tolist(), [], [tuple(6 * n + c for c in side) for n in range(len(bones)) for side in sides]
    )
    skin = bpy.data.objects.new("skin", mesh)
    bpy.context.scene.collection.objects.link(skin)
    for number, bone in enumerate(bones):
        skin.vertex_groups.new(name=bone.name).add(list(range(6 * number, 6 * number + 6)), 1.0, "REPLACE")
    skin.modifiers.new("armature", "ARMATURE").object = armature


@pytest.mark.parametrize("armature", ["chain"], indirect=True)
def test_images_show_their_hand(armature, tmp_path):
    bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED))
    panel = bpy.context.scene.handforge
    poses = pose_sets.PoseSet(("mine",), np.array([0]), PRESETS["open"][None])
    (tmp_path / "poses.csv").write_bytes(pose_sets.dump(poses))
    panel.poses, panel.file, panel.out = "file", str(tmp_path / "poses.csv"), str(tmp_path / "out")
    panel.count, panel.size, panel.workers = 0, (160, 90), 1
    with pytest.raises(RuntimeError, match="the bones of theirs that the map names move no mesh"):
        bpy.ops.handforge.generate()
    clothe(armature)
    first = external_rig.hand_over(armature).read_bytes()
    sync.put(armature, PRESETS["fist"])
    assert external_rig.hand_over(armature).read_bytes() == first, "whatever its pose, so that a run can be continued"
    bones, mesh = rigs.read(external_rig.hand_over(armature))
    np.testing.assert_allclose(bones.heads[1:], OURS.heads[1:], atol=1e-5)
    assert len(mesh.vertices) == 6 * len(NEEDED)
    assert bpy.ops.handforge.generate() == {"FINISHED"}
    generate.wait()
    assert background_job.Board.message == f"{tmp_path / 'out'} is complete"
    data = dataset.Dataset(tmp_path / "out")
    assert data.info["settings"]["rig"] == "rig.npz" and data.masks(next(iter(data)))[0].any()


@pytest.mark.parametrize("armature", ["chain"], indirect=True)
def test_the_command_copied_names_a_file_that_stays(armature, tmp_path):
    bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED))
    clothe(armature)
    bpy.context.scene.handforge.out = str(tmp_path / "out")
    words = shlex.split(render_settings.as_command(bpy.context.scene, armature)[0])
    path, handed_over = Path(words[words.index("--rig") + 1]), external_rig.hand_over(armature)
    assert not path.is_relative_to(bpy.app.tempdir) and not path.is_relative_to(tmp_path / "out")
    assert path.name == handed_over.name, "so that a run that Generate began is continued"
    assert path.read_bytes() == handed_over.read_bytes()


def test_the_shipped_map_is_whole():
    bones = bone_map.load(Path(blender_addon.__file__).parent / "maps" / "webxr_right.toml")
    assert len(bones) == len(set(bones.values())) == 25 and "forearm" not in bones


@both
def test_it_keeps_its_proportions_and_says_what_is_not_for_it(armature, tmp_path):
    bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED))
    for name in ("random_shape", "mean_shape", "fingertips", "restore_bones", "save_asset"):
        with pytest.raises(RuntimeError, match="This is for built-in hands; the active one is an armature of your own"):
            getattr(bpy.ops.handforge, name)()
    assert armature.mode == "OBJECT"


def in_view(armature):
    """Where the camera has the beginnings of their bones, (B, 3): to the right, up and towards it."""
    bpy.context.view_layer.update()
    there = bpy.context.scene.camera.matrix_world.normalized().inverted() @ armature.matrix_world
    return np.array([there @ armature.pose.bones[their].head for their in NEEDED.values()])


@both
@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_the_camera_sees_their_hand_as_it_sees_ours(armature, tmp_path, scale):
    bpy.ops.handforge.use_armature(filepath=map_file(tmp_path, NEEDED))
    armature.location, armature.scale = (1, 2, 3), [scale] * 3
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    assert bpy.ops.handforge.add_camera() == {"FINISHED"}
    away = render_settings.camera(scene).distance
    x, y, z = SCALE * scale * OURS.heads[[BONES.index(name) for name in NEEDED]].T
    np.testing.assert_allclose(in_view(armature), np.transpose([x, z, -away - y]), atol=1e-4)
    assert not camera_object.is_moved(scene.camera)

    scene.camera.rotation_euler.z += 0.3
    scene.camera.location += scene.camera.matrix_local.col[0].xyz.normalized() * 0.1 / scale
    wanted = in_view(armature)
    assert camera_object.is_moved(scene.camera)
    assert bpy.ops.handforge.take_over_camera() == {"FINISHED"}
    np.testing.assert_allclose(in_view(armature), wanted, atol=1e-4)
    assert not camera_object.is_moved(scene.camera)
