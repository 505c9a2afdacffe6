"""The generator's camera in the add-on, photographs behind it, poses fitted to joints, fingertips that are dragged."""

import json
from functools import partial
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from addon_scene import bones, expected
from mathutils import Matrix, Vector
from PIL import Image

from blender_addon import camera_object, fingertips, hand, render_settings, sync
from blender_addon.operators import photo
from generator.hand import anatomy, kinematics, pose
from generator.hand.camera import Camera
from generator.hand.fitting import Joints
from generator.hand.pose_presets import PRESETS
from handforge.dataset import KEYPOINTS

LOOKS = {"right": PRESETS["point"], "left": PRESETS["ok"]}


def seen(armature, scene):
    """Where the joints fall in the panel's image, (21, 2) pixels, of the hand as it stands: a left one is mirrored."""
    points = kinematics.keypoints(hand.pose(armature), anatomy.skeleton(hand.shape(armature)))
    if hand.side(armature) == "left":
        points = points * [-1, 1, 1]
    return render_settings.camera(scene).project(points)[:, :2]


def through(camera, armature, scene):
    """Where Blender's camera sees the joints of the bones in the viewport, (21, 2) pixels, y down."""
    from bpy_extras.object_utils import world_to_camera_view

    bpy.context.view_layer.update()
    skeleton = anatomy.skeleton(hand.shape(armature))
    mirror = hand.mirror(hand.side(armature))[:3, :3]
    moved = bones(armature)[skeleton.keypoint_bones]
    points = np.einsum("kij,kj->ki", moved[:, :3, :3], skeleton.keypoints @ mirror) + moved[:, :3, 3]
    fractions = [world_to_camera_view(scene, camera, armature.matrix_world @ Vector(p)) for p in points]
    width, height = scene.handforge.size
    return np.array([(x * width, (1 - y) * height) for x, y, _ in fractions])


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_camera_object_sees_what_the_generators_does(armature, window, side):
    scene = bpy.context.scene
    armature.handforge.side = side
    armature.location, armature.rotation_euler = (1, 2, 3), (0.3, -0.2, 0.5)
    window.set_distance, window.distance, window.size = "fixed", 0.7, (640, 480)
    window.set_focal_mm, window.focal_mm = "fixed", 60
    sync.put(armature, LOOKS[side])
    assert bpy.ops.handforge.add_camera() == {"FINISHED"}
    camera = scene.camera
    assert camera.parent is armature and (scene.render.resolution_x, scene.render.resolution_y) == (640, 480)
    np.testing.assert_allclose(through(camera, armature, scene), seen(armature, scene), atol=0.02)
    assert not camera_object.is_moved(camera)


def test_the_camera_object_is_an_ordinary_one_where_each_image_is_framed_by_itself(armature, window, tmp_path):
    scene, wanted = bpy.context.scene, Camera(640, 360, 1.0, 45.0)
    window.settings = "varied"
    assert bpy.ops.handforge.add_camera() == {"FINISHED"}
    assert (scene.render.resolution_x, scene.render.resolution_y, scene.camera.data.lens) == (640, 360, 45)
    assert scene.camera.location.length == pytest.approx(1.0)
    joints = wanted.project(kinematics.keypoints(PRESETS["open"], anatomy.skeleton()))[:, :2] / [640, 360]
    (tmp_path / "joints.json").write_text(json.dumps({"landmarks": joints.tolist()}))
    assert bpy.ops.handforge.fit_file(filepath=str(tmp_path / "joints.json")) == {"FINISHED"}
    np.testing.assert_allclose(hand.pose(armature)[:3], 0, atol=0.01)


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_moved_camera_is_taken_over(armature, window, side):
    """The image stays, sliders and distance change."""
    scene = bpy.context.scene
    armature.handforge.side = side
    sync.put(armature, LOOKS[side])
    bpy.ops.handforge.add_camera()
    camera = scene.camera
    camera.location, camera.rotation_euler, camera.data.lens = (0.25, -0.5, 0.2), (1.3, 0.1, 0.45), 50
    wanted = through(camera, armature, scene)
    assert camera_object.is_moved(camera)
    assert bpy.ops.handforge.take_over_camera() == {"FINISHED"}
    np.testing.assert_allclose(seen(armature, scene), wanted, atol=0.05)
    assert (
        window.set_distance == "fixed"
        and window.focal_mm == 50
        and hand.pose(armature)[1] == pytest.approx(0, abs=1e-5)
    )
    np.testing.assert_allclose(hand.pose(armature)[6:], LOOKS[side][6:], atol=2e-6)
    assert not camera_object.is_moved(camera)
    np.testing.assert_allclose(through(camera, armature, scene), wanted, atol=0.05)
    camera.location = 0, 2, 0
    with pytest.raises(RuntimeError, match="The hand is behind that camera"):
        bpy.ops.handforge.take_over_camera()


def test_the_camera_follows_the_panel_until_it_is_moved(armature, window):
    """The panel would say that the camera was moved, when its distance was set."""
    scene = bpy.context.scene
    bpy.ops.handforge.add_camera()
    camera = scene.camera
    window.set_distance, window.distance, window.set_focal_mm, window.focal_mm = "fixed", 0.6, "fixed", 30
    window.size = 640, 480
    bpy.context.view_layer.update()
    assert camera.location.y == pytest.approx(-0.6) and camera.data.lens == 30 and not camera_object.is_moved(camera)
    assert (scene.render.resolution_x, scene.render.resolution_y) == (640, 480)
    camera.location.x = 0.1
    window.distance, window.size = 0.8, (320, 240)
    bpy.context.view_layer.update()
    assert camera.location.y == pytest.approx(-0.6) and camera_object.is_moved(camera)
    assert bpy.ops.handforge.add_camera() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert tuple(camera.location) == pytest.approx((0, -0.8, 0), abs=1e-6) and not camera_object.is_moved(camera)
    scene.camera = None
    window.size = 640, 480
    assert (scene.render.resolution_x, scene.render.resolution_y) == (320, 240), "another camera's images"


def test_a_photograph_is_behind_the_camera_with_its_focal_length(armature, window, tmp_path):
    for size, focal in (((640, 480), 26.0), ((480, 640), 26.0 * 640 / 480)):
        image = Image.new("RGB", size, (90, 120, 60))
        exif = image.getexif()
        exif.get_ifd(0x8769)[0xA405] = 26
        image.save(tmp_path / "photo.jpg", exif=exif)
        assert bpy.ops.handforge.load_photo(filepath=str(tmp_path / "photo.jpg")) == {"FINISHED"}
        assert tuple(window.size) == size and window.focal_mm == pytest.approx(focal)
        camera = bpy.context.scene.camera
        (behind,) = camera.data.background_images
        assert behind.image.name.startswith("photo.jpg") and camera.data.show_background_images
        assert camera.data.lens == pytest.approx(focal)
    Image.new("RGB", (8000, 2000)).save(tmp_path / "large.png")
    bpy.ops.handforge.load_photo(filepath=str(tmp_path / "large.png"))
    assert tuple(window.size) == (4096, 1024)
    Image.new("RGB", (50, 40)).save(tmp_path / "small.png")
    bpy.ops.handforge.load_photo(filepath=str(tmp_path / "small.png"))
    assert tuple(window.size) == (80, 64), "as small as images may be, in its proportions"
    Image.new("RGB", (40, 3000)).save(tmp_path / "strip.png")
    with pytest.raises(
        RuntimeError, match=r"strip\.png is 40 x 3000; images have 64 to 4096 pixels a side, so crop it"
    ):
        bpy.ops.handforge.load_photo(filepath=str(tmp_path / "strip.png"))
    assert tuple(window.size) == (80, 64)
    (tmp_path / "none.jpg").write_text("x")
    with pytest.raises(RuntimeError, match=r"none\.jpg is not an image"):
        bpy.ops.handforge.load_photo(filepath=str(tmp_path / "none.jpg"))


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_pose_is_fitted_to_joints_of_a_file(armature, window, tmp_path, side):
    scene = bpy.context.scene
    armature.handforge.side = side
    one = LOOKS[side].copy()
    one[3:6] = 0.2, 0.3, -0.4
    sync.put(armature, one)
    wanted = seen(armature, scene)
    width, height = window.size
    marks = [{"x": x / width, "y": y / height, "z": 0} for x, y in wanted.tolist()]
    (tmp_path / "joints.json").write_text(json.dumps({"hand_landmarks": [marks]}))
    sync.put(armature, pose.bind())
    assert bpy.ops.handforge.fit_file(filepath=str(tmp_path / "joints.json")) == {"FINISHED"}
    assert np.linalg.norm(seen(armature, scene) - wanted, axis=1).mean() < 1.5
    np.testing.assert_allclose(np.degrees(hand.pose(armature)[3:6]), np.degrees(one[3:6]), atol=6)
    bpy.context.view_layer.update()
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    assert " px off on average" in window.fit


@pytest.mark.parametrize(("photo_size", "size"), [((60, 45), (85, 64)), ((8000, 6000), (4096, 3072))])
def test_joints_in_pixels_are_those_of_the_photograph(armature, window, tmp_path, photo_size, size):
    """Also where images cannot be as small or as large as the photograph is."""
    scene = bpy.context.scene
    Image.new("RGB", photo_size).save(tmp_path / "photo.png")
    assert bpy.ops.handforge.load_photo(filepath=str(tmp_path / "photo.png")) == {"FINISHED"}
    assert tuple(window.size) == size
    sync.put(armature, PRESETS["open"])
    wanted = seen(armature, scene)
    points = np.c_[wanted * photo_size / np.array(size), np.full(21, 2)]
    (tmp_path / "joints.json").write_text(json.dumps({"keypoints": points.ravel().tolist()}))
    sync.put(armature, pose.bind())
    assert bpy.ops.handforge.fit_file(filepath=str(tmp_path / "joints.json")) == {"FINISHED"}
    assert np.linalg.norm(seen(armature, scene) - wanted, axis=1).mean() < 0.01 * window.size[0]


def test_few_clicked_joints_do(armature, window):
    """As the clicks of a user who saw no more."""
    scene = bpy.context.scene
    sync.put(armature, PRESETS["open"])
    wanted = seen(armature, scene)
    known = np.where(np.isin(np.arange(21), [0, 5, 9, 17, 12])[:, None], wanted, np.nan)
    found = photo.fit(armature, Joints(known), scene)
    assert np.nanmax(found.errors) < 3 and np.isfinite(found.errors).sum() == 5


def test_the_view_may_be_zoomed_between_two_clicks(armature, window, monkeypatch):
    scene = bpy.context.scene
    bpy.ops.handforge.add_camera()
    bpy.context.view_layer.update()
    camera = scene.camera
    shown = camera.calc_matrix_camera(bpy.context.evaluated_depsgraph_get(), x=1280, y=720)
    shown = shown @ camera.matrix_world.inverted()
    region = SimpleNamespace(x=10, y=20, width=1280, height=720)
    view, told = SimpleNamespace(), []
    sidebar = SimpleNamespace(type="UI", x=1170, y=20, width=120, height=720)
    area = SimpleNamespace(spaces=SimpleNamespace(active=SimpleNamespace(region_3d=view)), regions=[sidebar])
    clicks = SimpleNamespace(_points=[], _region=region, _area=area, report=lambda *_: None)
    clicks._frame = partial(photo.ClickJoints._frame, clicks)
    clicks._fit = partial(photo.ClickJoints._fit, clicks)
    clicks._ask, clicks._end = lambda _: None, lambda _, result: result
    caught = lambda armature, joints, scene: told.append(joints.image) or SimpleNamespace(text="")  # noqa: E731
    monkeypatch.setattr(photo, "fit", caught)
    wanted = seen(armature, scene)
    press = partial(SimpleNamespace, value="PRESS", mouse_x=1200, mouse_y=300)
    assert photo.ClickJoints.modal(clicks, bpy.context, press(type="LEFTMOUSE")) == {"RUNNING_MODAL"}
    assert not clicks._points, "the sidebar was clicked"
    for number, (x, y) in enumerate(wanted.tolist()):
        zoom = 0.5 + 0.02 * number
        view.perspective_matrix = Matrix.Diagonal((zoom, zoom, 1, 1)) @ shown
        place = {"mouse_x": 10 + 640 + zoom * (x - 640), "mouse_y": 20 + 360 + zoom * (360 - y)}
        done = photo.ClickJoints.modal(clicks, bpy.context, SimpleNamespace(type="LEFTMOUSE", value="PRESS", **place))
    assert done == {"FINISHED"}
    np.testing.assert_allclose(told[0], wanted, atol=0.05)


def test_joints_clicked_so_far_stay_when_there_are_too_few(armature, window):
    bpy.ops.handforge.add_camera()
    told = []
    points = [np.array([0.5, 0.5]), np.array([0.4, 0.4])]
    clicks = SimpleNamespace(_points=points, _region=SimpleNamespace(x=0, y=0, width=9, height=9))
    clicks.report, clicks._ask = lambda *words: told.append(words), lambda _: told.append("asked")
    clicks._fit = partial(photo.ClickJoints._fit, clicks)
    enter = SimpleNamespace(type="RET", value="PRESS", mouse_x=1, mouse_y=1)
    assert photo.ClickJoints.modal(clicks, bpy.context, enter) == {"RUNNING_MODAL"}
    assert told == [({"ERROR"}, "a pose needs 4 joints or more"), "asked"] and len(clicks._points) == 2


def test_joints_are_asked_for_in_words():
    words = [photo.joint_words(KEYPOINTS[number]) for number in (0, 1, 2, 3, 5, 10, 20)]
    assert words == [
        *("the wrist", "the thumb's base (CMC)", "the thumb's middle joint (MCP)", "the thumb's last joint (IP)"),
        *("the index finger's knuckle (MCP)", "the middle finger's middle joint (PIP)", "the little finger's tip"),
    ]


@pytest.mark.parametrize("deleted", ["camera", "hand"])
def test_clicking_joints_ends_with_what_they_are_clicked_for(armature, window, deleted):
    bpy.ops.handforge.add_camera()
    gone = bpy.context.scene.camera if deleted == "camera" else armature
    bpy.data.objects.remove(gone)
    area = SimpleNamespace(spaces=SimpleNamespace(active=SimpleNamespace(region_3d=None)))
    clicks = SimpleNamespace(_points=[], _region=SimpleNamespace(x=0, y=0, width=9, height=9), _area=area)
    clicks._frame, clicks._fit = partial(photo.ClickJoints._frame, clicks), partial(photo.ClickJoints._fit, clicks)
    clicks._end = lambda _, result: result
    key = "LEFTMOUSE" if deleted == "camera" else "RET"
    event = SimpleNamespace(type=key, value="PRESS", mouse_x=1, mouse_y=1)
    assert photo.ClickJoints.modal(clicks, bpy.context, event) == {"CANCELLED"}


def test_a_hand_in_an_excluded_collection_gets_no_handles(armature):
    own = bpy.data.collections.new("own")
    bpy.context.scene.collection.children.link(own)
    own.objects.link(armature)
    bpy.context.scene.collection.objects.unlink(armature)
    bpy.context.view_layer.layer_collection.children["own"].exclude = True
    with pytest.raises(RuntimeError, match="collection is excluded from the view layer: tick it in the Outliner"):
        bpy.ops.handforge.fingertips()
    assert not fingertips.of(armature)


@pytest.mark.parametrize("side", ["right", "left"])
def test_fingertips_are_dragged(armature, side):
    armature.handforge.side = side
    sync.put(armature, PRESETS["relaxed"])
    assert bpy.ops.handforge.fingertips() == {"FINISHED"}
    handles = fingertips.of(armature)
    assert set(handles) == set(pose.FINGERS) and hand.active(bpy.context) is armature
    tip = KEYPOINTS.index("index_tip")
    there = kinematics.keypoints(PRESETS["grasp"], anatomy.skeleton())[tip] * ([-1, 1, 1] if side == "left" else 1)
    handles["index"].location = there
    bpy.context.view_layer.update()
    found = kinematics.keypoints(hand.pose(armature), anatomy.skeleton())[tip]
    np.testing.assert_allclose(found * ([-1, 1, 1] if side == "left" else 1), there, atol=0.003)
    np.testing.assert_array_equal(hand.pose(armature)[:20].round(5), PRESETS["relaxed"][:20].round(5))
    bpy.context.view_layer.update()
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    handles["thumb"].location = 1, 1, 1  # out of reach: it stops where its finger does
    for _ in range(2):
        bpy.context.view_layer.update()
    low, high = pose.LIMITS.T
    assert (hand.pose(armature) >= low - 1e-5).all() and (hand.pose(armature) <= high + 1e-5).all()
    assert handles["thumb"].location.length < 0.25
    bpy.ops.handforge.preset(name="fist")
    there = kinematics.keypoints(hand.pose(armature), anatomy.skeleton())[tip] * ([-1, 1, 1] if side == "left" else 1)
    np.testing.assert_allclose(handles["index"].location, there, atol=1e-5, err_msg="it goes with the finger")
    assert bpy.ops.handforge.fingertips() == {"FINISHED"} and not fingertips.of(armature)
