"""The user's own objects: files whose geometry is known, read, measured, held; and files that cannot be used."""

import numpy as np
import pytest

from generator.frame import settings
from generator.frame.settings import SettingsError
from generator.hand.anatomy import skeleton
from generator.hand.kinematics import PosedSkeleton
from generator.mesh import hand_mesh, skinning
from generator.objects import grasps, own_objects, solids
from generator.objects.own_objects import ObjectsError
from generator.pipeline import fingerprint

trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed")


def file(folder, name, mesh):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh.export(path)
    return own_objects.read(path, name)


def test_hidden_files_are_left_alone(tmp_path):
    file(tmp_path, "ball.obj", trimesh.creation.icosphere(subdivisions=2, radius=0.03))
    (tmp_path / "._ball.obj").write_bytes(b"a Mac's")
    assert list(own_objects.OwnObjects(tmp_path).by_kind) == ["ball.obj"]


@pytest.mark.parametrize("name", ["ball.glb", "ball.obj"])
def test_the_distance_to_a_ball_is_that_of_its_radius(tmp_path, name):
    one = file(tmp_path, name, trimesh.creation.icosphere(subdivisions=4, radius=0.03))
    points = np.random.default_rng(0).normal(size=(500, 3))
    points *= np.linspace(0.01, 0.055, 500)[:, None] / np.linalg.norm(points, axis=1, keepdims=True)
    exact = np.linalg.norm(points, axis=1) - 0.03
    found = solids.distance(one.model.parts, points)
    assert np.abs(found - exact)[np.abs(exact) < 0.003].max() < 0.0004, "near the surface, where fingers touch"
    assert (np.sign(found) == np.sign(exact))[np.abs(exact) > 0.0005].all()
    assert one.model.grasps == ("power sphere", "prismatic 4 finger")


def test_the_longest_axis_is_z_and_the_thinnest_y(tmp_path):
    box = trimesh.creation.box((0.01, 0.16, 0.07)).subdivide()
    box.apply_transform(trimesh.transformations.rotation_matrix(0.7, (1, 2, 3), (0.4, 0.1, 0)))
    one = file(tmp_path, "phone.glb", box)
    vertices = solids.mesh(one.model.parts)[0]
    assert np.ptp(vertices, axis=0) == pytest.approx([0.07, 0.01, 0.16], abs=1e-6)
    assert (vertices.min(axis=0) + vertices.max(axis=0)) / 2 == pytest.approx([0, 0, 0], abs=1e-9)
    assert one.model.flat and "parallel extension" in one.model.grasps
    assert np.linalg.det(one.matrix) == pytest.approx(1), "nothing is mirrored or scaled"


def test_a_flat_object_is_read_without_a_warning(tmp_path):
    (tmp_path / "leaf.obj").write_text("v 0 0 0\nv .1 0 0\nv 0 .1 0\nf 1 2 3\n")
    assert own_objects.read(tmp_path / "leaf.obj", "leaf.obj").model.flat


def test_what_is_too_thick_for_a_hand_is_not_held(tmp_path):
    assert file(tmp_path, "crate.obj", trimesh.creation.box((0.3, 0.25, 0.35))).model.grasps == ()


def test_a_hand_closes_around_a_stick_without_going_into_it(tmp_path):
    trimesh.creation.cylinder(radius=0.014, height=0.2).export(tmp_path / "stick.obj")
    own = own_objects.open_objects(str(tmp_path))
    assert own.held == ("stick.obj",)
    mesh, hand = hand_mesh.build(), skeleton()
    grasp = grasps.draw(np.random.default_rng(3), mesh, hand, "stick.obj")
    assert grasp is not None and grasp.type in own.by_kind["stick.obj"].model.grasps and len(grasp.contacts) >= 2
    one = PosedSkeleton(grasp.in_pose(np.zeros(28)), hand)
    skin = skinning.skin(mesh.vertices, mesh.weights, one.transforms)[mesh.wrist_distance > 0]
    matrix = grasp.placed(one)
    x, y, z = ((skin - matrix[:3, 3]) @ matrix[:3, :3]).T
    exact = np.maximum(np.hypot(x, y) - 0.014, np.abs(z) - 0.1)
    assert -0.0025 < exact.min() < 0.001, "it touches, and flesh gives way by 2 mm"


def damaged(folder):
    (folder / "broken.glb").write_bytes(b"glTF\x02\x00\x00\x00garbage")


def in_millimetres(folder):
    trimesh.creation.box((60, 60, 90)).export(folder / "cup.obj")


def without_faces(folder):
    (folder / "points.obj").write_text("v 0 0 0\nv 0 0 1\n")


def empty(folder):
    (folder / "cup.glb").touch()


def not_fetched(folder):
    (folder / "cup.obj").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")


def without_area(folder):
    (folder / "line.obj").write_text("v 0 0 0\nv 0 0 0.1\nv 0 0 0.2\nf 1 2 3\n")


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda folder: None, "holds no object"),
        (empty, r"objects: .*cup\.glb is empty"),
        (not_fetched, r"objects: .*cup\.obj is a Git-LFS pointer, not the file itself; fetch it with: git lfs pull"),
        (damaged, r"broken\.glb cannot be read"),
        (in_millimetres, r"cup\.obj is 90 m long; objects are in metres, 0\.005 to 3\.0 m: scale it"),
        (without_area, r"line\.obj holds no surface of triangles"),
        (without_faces, r"points\.obj (cannot be read|holds no surface of triangles)"),
    ],
)
def test_a_folder_that_cannot_be_used_is_named(tmp_path, write, message):
    write(tmp_path)
    with pytest.raises(ObjectsError, match=message):
        own_objects.OwnObjects(tmp_path)
    with pytest.raises(ObjectsError, match="nowhere is not a folder"):
        own_objects.OwnObjects(tmp_path / "nowhere")


def test_a_frame_of_another_folder_is_refused():
    with pytest.raises(ObjectsError, match=r"there is no unknown\.glb; give the folder that the frame was drawn with"):
        own_objects.find("unknown.glb")


def test_settings_that_exclude_objects():
    with pytest.raises(SettingsError, match="objects are of indoor scenes; set scene to indoor"):
        settings.load(None, {"objects": "things"})
    with pytest.raises(SettingsError, match="objects and object_annotations exclude each other"):
        settings.load(None, {"scene": "indoor", "objects": "things", "object_annotations": True})


def test_blender_has_the_same_object_in_the_same_place(tmp_path):
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    from generator.blender.scene.own_meshes import OwnMeshes

    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.05, 0], [0, 0, 0.02]])
    wedge = trimesh.Trimesh(corners, [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    for name in ("wedge.glb", "wedge.obj"):
        one = file(tmp_path, name, wedge)
        ((mesh, matrix),) = OwnMeshes().of(one)
        seen = np.array([vertex.co for vertex in mesh.vertices]) @ matrix[:3, :3].T + matrix[:3, 3]
        expected = solids.mesh(one.model.parts)[0]
        apart = np.linalg.norm(seen[:, None] - expected[None], axis=-1)
        assert apart.min(axis=0).max() < 1e-6 and apart.min(axis=1).max() < 1e-6, name


def test_a_run_knows_its_objects_by_their_content(tmp_path):
    trimesh.creation.box((0.05, 0.05, 0.1)).export(tmp_path / "box.obj")
    chosen = settings.load(None, {"scene": "indoor", "held": 0.5, "objects": str(tmp_path)})
    first = fingerprint.sources(chosen)["objects_sha256"]
    assert fingerprint.sources(chosen)["objects_sha256"] == first
    trimesh.creation.box((0.05, 0.05, 0.2)).export(tmp_path / "box.obj")
    assert fingerprint.sources(chosen)["objects_sha256"] != first
