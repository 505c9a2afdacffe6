"""Somebody's rigged hand in a file: ours, renamed, turned, enlarged and cut at the wrist, has to come out as ours."""

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest
from click.testing import CliRunner
from mathutils import Matrix

import blender_addon
from generator.blender import rig, rig_file
from generator.blender.engines import registry
from generator.blender.frame_renderer import FrameRenderer
from generator.cli import main
from generator.frame.settings import RenderSettings, load
from generator.hand import kinematics, pose
from generator.hand.anatomy import BONES, skeleton
from generator.hand.pose_presets import PRESETS
from generator.mesh import hand_mesh, skinning
from generator.rigs import bone_map, external_rig

# Blender's own exporters and importers, with numpy 2.5
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape on a NumPy array:DeprecationWarning")

OURS = skeleton()
TURN = np.array(Matrix.Rotation(1.1, 3, (0.3, -0.5, 0.8)))
SIZE = 7.0
NEEDED = [name for name in BONES if name not in ("forearm", "ring_metacarpal")]
SCRIPT = "import pathlib; pathlib.Path({!r}).touch()"


def theirs(name):
    return f"Bone.{name.upper()}"


def moved(points):
    return SIZE * points @ TURN.T + [1.0, 2.0, 3.0]


def cut():
    """Our mesh a little beyond the wrist, open there; with weights by name."""
    mesh = hand_mesh.build()
    kept = mesh.wrist_distance > -0.03
    faces = (np.cumsum(kept) - 1)[mesh.faces[kept[mesh.faces].all(axis=1)]]
    weights = mesh.weights[kept].astype(float)
    weights[:, 1] += weights[:, 0] + weights[:, BONES.index("ring_metacarpal")]
    weights[:, [0, BONES.index("ring_metacarpal")]] = 0
    return mesh.vertices[kept].astype(float), faces, weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """hand.blend, hand.glb, hand.fbx, and their map."""
    folder = tmp_path_factory.mktemp("rigs")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    vertices, faces, weights = cut()
    data = bpy.data.armatures.new("theirs")
    armature = bpy.data.objects.new("theirs", data)
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for name in NEEDED:
        index = BONES.index(name)
        bone = data.edit_bones.new(theirs(name))
        bone.head, bone.tail = (moved(end[index]).tolist() for end in (OURS.heads, OURS.tails))
        bone.roll = index * 0.7
        parent = theirs(BONES[OURS.parents[index]])
        bone.parent = data.edit_bones.get(parent)
    bpy.ops.object.mode_set(mode="OBJECT")
    mesh = bpy.data.meshes.new("skin")
    rig.fill(mesh, moved(vertices), faces)
    skin = bpy.data.objects.new("skin", mesh)
    bpy.context.scene.collection.objects.link(skin)
    skin.vertex_groups.new(name="selection").add(list(range(len(vertices))), 1.0, "REPLACE")  # of no bone
    for name in NEEDED:
        group, column = skin.vertex_groups.new(name=theirs(name)), weights[:, BONES.index(name)]
        for vertex in np.flatnonzero(column).tolist():
            group.add([vertex], float(column[vertex]), "REPLACE")
    skin.parent = armature
    skin.modifiers.new("armature", "ARMATURE").object = armature
    script = bpy.data.texts.new("evil.py")
    script.from_string(SCRIPT.format(str(folder / "executed")))
    script.use_module = True
    armature["script"] = script
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "hand.blend"))
    bpy.ops.export_scene.gltf(filepath=str(folder / "hand.glb"))
    bpy.ops.export_scene.fbx(filepath=str(folder / "hand.fbx"), add_leaf_bones=False)
    (folder / "map.toml").write_text("[bones]\n" + "".join(f'{name} = "{theirs(name)}"\n' for name in NEEDED))
    return folder


MIRROR = np.diag([-1.0, 1.0, 1.0])


def heads(mirror=MIRROR):
    """Where the bones of a left hand begin, which bends its fingers a little; by our names."""
    bent = kinematics.capsules(PRESETS["relaxed"], OURS)[0]
    return {name: moved(bent[BONES.index(name)] @ mirror) for name in NEEDED}


def test_a_left_hand_is_known_by_its_thumb_and_taken_as_a_right_one_mirrored():
    assert (bone_map.fit(heads(np.eye(3))).side, bone_map.fit(heads()).side) == ("right", "left")
    vertices, faces, weights = cut()
    straight = {name: moved(OURS.heads[BONES.index(name)] @ MIRROR) for name in NEEDED}
    bones, mesh = external_rig.hand(bone_map.fit(straight), moved(vertices @ MIRROR), faces[:, ::-1], weights)
    np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-6)
    np.testing.assert_allclose(bones.heads[2:5], OURS.heads[2:5], atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, faces)


def test_a_files_ending_may_be_in_capitals(folder, tmp_path):
    path = tmp_path / "HAND.GLB"
    path.write_bytes((folder / "hand.glb").read_bytes())
    assert load(None, {"rig": str(path), "bone_map": "map.toml"}).rig == str(path)
    one, other = (rig_file.load(file, folder / "map.toml")[1] for file in (path, folder / "hand.glb"))
    np.testing.assert_array_equal(one.vertices, other.vertices)


def opened(folder):
    """The armature and the skin of hand.blend, and the map."""
    bpy.ops.wm.open_mainfile(filepath=str(folder / "hand.blend"))
    return bpy.data.objects["theirs"], bpy.data.objects["skin"], bone_map.load(folder / "map.toml")


def test_skin_in_several_meshes_is_sewn(folder):
    import bmesh  # is there once bpy is

    armature, skin, bones = opened(folder)
    whole = rig_file.hand(armature, bones)[1]
    other = skin.copy()
    other.data = skin.data.copy()
    bpy.context.scene.collection.objects.link(other)
    for obj, beyond in ((skin, True), (other, False)):
        made = bmesh.new()
        made.from_mesh(obj.data)
        gone = [face for face in made.faces if (face.index < 9000) == beyond]
        bmesh.ops.delete(made, geom=gone, context="FACES")
        made.to_mesh(obj.data)
    assert len(skin.data.vertices) + len(other.data.vertices) > len(whole.vertices)
    mesh = rig_file.hand(armature, bones)[1]
    assert len(mesh.vertices) == len(whole.vertices) and len(mesh.faces) == len(whole.faces)
    pairs = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(pairs, axis=0, return_counts=True)[1] > 1).all(), "no hole is left"


def test_a_skin_is_deformed_by_its_parent_without_a_modifier_too(folder):
    armature, skin, bones = opened(folder)
    whole = rig_file.hand(armature, bones)[1]
    skin.modifiers.clear()
    skin.parent_type = "ARMATURE"
    armature.pose.bones[theirs("index_proximal")].matrix_basis = Matrix.Rotation(1, 4, "X")
    bpy.context.view_layer.update()
    np.testing.assert_allclose(rig_file.hand(armature, bones)[1].vertices, whole.vertices, atol=1e-6)
    assert skin.parent_type == "ARMATURE"


def test_what_a_bone_carries_belongs_to_the_hand(folder):
    """A nail of its own mesh, say: the child of a bone, or a child's child."""
    armature, _, bones = opened(folder)
    nail, empty = bpy.data.meshes.new("nail"), bpy.data.objects.new("empty", None)
    corners = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    nail.from_pydata(
        corners.tolist(), [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    )
    for obj in (empty, bpy.data.objects.new("nail", nail)):
        bpy.context.scene.collection.objects.link(obj)
    obj.parent, empty.parent = empty, armature
    empty.parent_type, empty.parent_bone = "BONE", theirs("index_distal")
    bpy.context.view_layer.update()
    places = [np.array(obj.matrix_world @ vertex.co) for vertex in nail.vertices]
    armature.pose.bones[theirs("index_proximal")].matrix_basis = Matrix.Rotation(1, 4, "X")
    bpy.context.view_layer.update()
    assert np.abs(np.array(obj.matrix_world @ nail.vertices[0].co) - places[0]).max() > 0.1, "the bone moves it"
    mesh = rig_file.hand(armature, bones)[1]
    found = mesh.weights[:, BONES.index("index_distal")] == 1
    apart = np.linalg.norm(SIZE * mesh.vertices[found, None] @ TURN.T + [1.0, 2.0, 3.0] - np.array(places), axis=-1)
    assert apart.min(axis=0).max() < 1e-3


@pytest.mark.parametrize("kind", ["blend", "glb", "fbx"])
def test_a_file_gives_our_hand_back(folder, kind):
    bones, mesh = rig_file.load(folder / f"hand.{kind}", folder / "map.toml")
    np.testing.assert_allclose(bones.heads[1:], OURS.heads[1:], atol=2e-5)
    np.testing.assert_allclose(bones.keypoints, OURS.keypoints, atol=2e-5)
    vertices, faces, _ = cut()
    assert mesh.vertices.min(axis=0) == pytest.approx(vertices.min(axis=0), abs=5e-4)
    assert mesh.vertices.max(axis=0) == pytest.approx(vertices.max(axis=0), abs=5e-4)
    assert len(mesh.vertices) == len(vertices) and len(mesh.faces) > len(faces)
    pairs = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(pairs, axis=0, return_counts=True)[1] > 1).all(), "the wrist is closed"
    a, b, c = (mesh.vertices[mesh.faces[:, corner]].astype(float) for corner in range(3))
    assert np.einsum("ij,ij->", a, np.cross(b, c)) > 0, "triangles look outwards"
    assert not (folder / "executed").exists()


def test_the_shipped_map_fits_a_hand_of_25_joints_without_forearm():
    bones = bone_map.load(Path(blender_addon.__file__).parent / "maps" / "webxr_right.toml")
    joints = dict(zip(BONES, OURS.heads, strict=True))
    joints |= {f"{finger}_tip": OURS.tails[BONES.index(f"{finger}_distal")] for finger in pose.FINGERS}
    vertices, faces, weights = cut()
    fit = bone_map.fit({name: moved(joints[name]) for name in bones})
    found, mesh = external_rig.hand(fit, moved(vertices), faces, weights)
    np.testing.assert_allclose(found.heads[1:], OURS.heads[1:], atol=1e-9)
    np.testing.assert_allclose(found.tails[2:], OURS.tails[2:], atol=1e-9)
    np.testing.assert_allclose(mesh.vertices, vertices, atol=1e-6)


def test_a_bent_bind_pose_is_straightened():
    vertices, faces, weights = cut()
    bent = kinematics.transforms(PRESETS["relaxed"], OURS)
    joints = np.einsum("bij,bj->bi", bent[:, :3, :3], OURS.heads) + bent[:, :3, 3]
    tips = {
        f"{finger}_tip": (bent[last := BONES.index(f"{finger}_distal")] @ [*OURS.tails[last], 1])[:3]
        for finger in pose.FINGERS
    }
    fit = bone_map.fit({name: joints[BONES.index(name)] for name in NEEDED} | tips)
    bones, mesh = external_rig.hand(fit, skinning.skin(vertices, weights, bent), faces, weights)
    np.testing.assert_allclose(bones.heads[1:], OURS.heads[1:], atol=1e-4)
    off = np.linalg.norm(mesh.vertices - vertices, axis=1)
    assert np.median(off) < 2e-4 and np.quantile(off, 0.99) < 3e-3


def test_a_hand_ready_made_is_read_back_and_no_other_file_is(tmp_path):
    path = tmp_path / "hand.npz"
    path.write_bytes(external_rig.dump(OURS, hand_mesh.build()))
    bones, mesh = rig_file.load(path, None)
    assert (bones.heads == OURS.heads).all() and (mesh.faces == hand_mesh.build().faces).all()
    path.write_bytes(b"PK")
    with pytest.raises(bone_map.RigMapError, match=r"hand\.npz holds no hand"):
        rig_file.load(path, None)


def test_it_is_rendered_as_ours(folder):
    settings = RenderSettings(resolution=(640, 360), engine="raster", handedness="left", shape="random", distance=0.6)
    if reason := registry.why_not("raster"):
        pytest.skip(reason)
    own = FrameRenderer(replace(settings, shape="average")).frame(0, PRESETS["point"], {})
    other = FrameRenderer(replace(settings, rig=str(folder / "hand.glb"), bone_map=str(folder / "map.toml")))
    frame = other.frame(0, PRESETS["point"], {})
    mask, expected = frame.instances[0].mask, own.instances[0].mask
    assert (mask & expected).sum() / (mask | expected).sum() > 0.98
    assert frame.instances[0].keypoints[:, :2] == pytest.approx(own.instances[0].keypoints[:, :2], abs=0.05)
    assert frame.meta == own.meta
    assert (frame.image[:, :20] == 255).all() and frame.image[mask].mean() < 200


@pytest.mark.parametrize(
    ("name", "bones", "words"),
    [
        ("none.glb", {}, "none.glb cannot be read"),
        ("hand.blend", {"thumb_tip": "Paw"}, "hand.blend has no bone 'Paw', which the map names$"),
        (
            "hand.glb",
            {"thumb_tip": "bone.THUMB_DISTA"},
            "has no bone 'bone.THUMB_DISTA', which the map names; there are 'Bone.THUMB_DISTAL', ",
        ),
        (
            "hand.fbx",
            {"index_tip": "Bone.INDEX_DISTAL"},
            "changed.toml: index_distal and index_tip are both 'Bone.INDEX_DISTAL'; each is a bone of its own",
        ),
        ("empty.blend", {}, "empty.blend holds no armature"),
        ("nothing.fbx", {}, "nothing.fbx is empty"),
        ("pointer.glb", {}, "pointer.glb is a Git-LFS pointer, not the file itself; fetch it with: git lfs pull"),
    ],
)
def test_files_that_do_not_fit(folder, name, bones, words):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "empty.blend"))
    (folder / "nothing.fbx").touch()
    (folder / "pointer.glb").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    changed = folder / "changed.toml"
    changed.write_text((folder / "map.toml").read_text() + "".join(f'{ours} = "{b}"\n' for ours, b in bones.items()))
    with pytest.raises(bone_map.RigMapError, match=words):
        rig_file.load(folder / name, changed)


def test_bones_of_no_length_are_named():
    joints = heads(np.eye(3))
    joints["ring_distal"] = joints["ring_middle"]
    with pytest.raises(bone_map.RigMapError, match="the bones for ring_middle and ring_distal begin in one place"):
        bone_map.fit(joints)


def test_a_palm_of_no_width_is_refused():
    with pytest.raises(bone_map.RigMapError, match="wrist and knuckles of the armature lie on one line; is its map"):
        bone_map.fit({name: np.array([0.0, 0.0, float(index)]) for index, name in enumerate(NEEDED)})


def test_a_bone_is_named_by_a_text():
    with pytest.raises(bone_map.RigMapError, match=r"Map: hand is a bone's name, not 3"):
        bone_map.checked({name: 3 for name in NEEDED}, "Map")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rig", "hand.glb"], "rig and bone_map are files that need each other"),
        (
            ["--rig", "hand.obj", "--bone-map", "map.toml"],
            "rig is a file of the kind .glb, .fbx, .blend, not 'hand.obj'",
        ),
        (["--rig", "none.glb", "--bone-map", "{folder}/map.toml"], "none.glb: No such file or directory"),
        (
            ["--rig", "{folder}/hand.glb", "--bone-map", "none.toml"],
            "none.toml cannot be read (No such file",
        ),
        (
            ["--rig", "{folder}/hand.glb", "--bone-map", "{folder}/odd.toml"],
            "odd.toml has no table [bones]",
        ),
    ],
)
def test_wrong_options_are_named(folder, tmp_path, options, words):
    (folder / "odd.toml").write_text("bones = 3")
    options = [option.format(folder=folder) for option in options]
    done = CliRunner().invoke(main, ["render", "--count", "2", "--out", str(tmp_path / "out"), *options])
    assert done.exit_code == 2 and words in done.output
    assert not (tmp_path / "out").exists()
