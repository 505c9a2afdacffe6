"""Poses fitted to joints: what a known pose shows has to give it back."""

import json

import numpy as np
import pytest

from generator.hand import fitting, kinematics, pose
from generator.hand.anatomy import HandShape, skeleton
from generator.hand.camera import Camera
from generator.hand.fitting import Joints, JointsError
from generator.hand.pose_presets import PRESETS
from handforge.dataset import KEYPOINTS

HAND = skeleton()
CAMERA = Camera(1280, 720, 0.8, 45)


def seen(name, rotated, hand=HAND):
    """A pose, and its joints in space and in the image."""
    one = PRESETS[name].copy()
    one[3:6] = np.radians(rotated)
    one[:3] = 0.03, 0.1, -0.02
    points = kinematics.keypoints(one, hand)
    return one, points, CAMERA.project(points)[:, :2]


def shape_error(found, points, hand=HAND):
    """How far joints are off, metres, wherever along the viewing axis the hand is."""
    there = kinematics.keypoints(found, hand)
    return np.linalg.norm((there - there[0]) - (points - points[0]), axis=1)


@pytest.mark.parametrize("name", ["open", "fist", "point", "ok", "grasp"])
@pytest.mark.parametrize("rotated", [(10, 20, -30), (-20, 170, 100), (5, -80, 160)])
def test_joints_in_an_image_give_their_pose_back(name, rotated):
    _, points, image = seen(name, rotated)
    found = fitting.fit(Joints(image), CAMERA, HAND)
    assert np.nanmax(found.errors) < 4 and found.unit == "px"
    assert shape_error(found.pose, points).mean() < 0.008
    low, high = pose.LIMITS.T
    assert (found.pose >= low).all() and (found.pose <= high).all()


@pytest.mark.parametrize("rotated", [(10, 20, -30), (-20, 170, 100), (80, -80, 160)])
def test_joints_in_space_give_their_pose_back_whatever_their_size_and_origin(rotated):
    _, points, _ = seen("pinch", rotated)
    known = 1.2 * CAMERA.to_camera(points) + [3.0, -1.0, 0.2]
    found = fitting.fit(Joints(space=known), CAMERA, HAND)
    assert shape_error(found.pose, points).max() < 0.005 and found.errors.max() < 0.005
    assert found.text.endswith(f"most: {found.errors.max() * 1000:.1f}") and " mm off" in found.text


def test_joints_that_are_missing_are_guessed_and_other_proportions_fit():
    wide = skeleton(HandShape(width=1.1, index=0.9))
    _, points, image = seen("five", (0, 15, 20), wide)
    image[[3, 4, 8]] = np.nan
    found = fitting.fit(Joints(image), CAMERA, wide)
    assert np.isnan(found.errors[[3, 4, 8]]).all() and np.nanmax(found.errors) < 4
    assert shape_error(found.pose, points, wide).mean() < 0.012
    with pytest.raises(JointsError, match="a pose needs 4 joints or more"):
        fitting.fit(Joints(np.where(np.arange(21)[:, None] < 3, image, np.nan)), CAMERA, HAND)
    with pytest.raises(JointsError, match="there are no joints"):
        fitting.fit(Joints(), CAMERA, HAND)


def test_joints_in_one_point_show_no_pose():
    with pytest.raises(JointsError, match="all joints lie in one point of the image"):
        fitting.fit(Joints(np.full((21, 2), 300.0)), CAMERA, HAND)
    _, points, image = seen("point", (10, 20, -30))
    known = CAMERA.to_camera(points)
    lacking = known.copy()
    lacking[5] = np.nan
    for space in (np.zeros((21, 3)), lacking):
        with pytest.raises(JointsError, match="if the wrist and all four knuckles are there and apart"):
            fitting.fit(Joints(space=space), CAMERA, HAND)
        found = fitting.fit(Joints(image, space), CAMERA, HAND)
        assert np.nanmax(found.errors) < 4, "the image alone says enough"


def test_a_left_hand_is_the_mirror_image():
    _, points, image = seen("point", (10, 20, -30))
    left = image * [-1, 1] + [CAMERA.width, 0]
    found = fitting.fit(Joints(left).mirrored(CAMERA.width), CAMERA, HAND)
    assert shape_error(found.pose, points).mean() < 0.008


@pytest.mark.parametrize("finger", pose.FINGERS)
def test_a_fingertip_reaches_where_it_is_dragged_and_no_farther_than_it_can(finger):
    start, tip = PRESETS["relaxed"], KEYPOINTS.index(f"{finger}_tip")
    target = kinematics.keypoints(PRESETS["grasp"], HAND)[tip]
    found = fitting.reach(start, finger, target, HAND)
    assert np.linalg.norm(kinematics.keypoints(found, HAND)[tip] - target) < 0.003
    others = np.delete(np.arange(28), np.arange(28)[pose.FINGER_SLICE[finger]])
    np.testing.assert_array_equal(found[others], start[others])
    far = fitting.reach(start, finger, target - np.array([0, 1.0, 0]), HAND)
    low, high = pose.LIMITS.T
    assert (far >= low).all() and (far <= high).all()


def normalized(image):
    return [{"x": x / 1280, "y": y / 720, "z": 0.0} for x, y in image.tolist()]


def test_files_of_mediapipe_and_coco_are_read(tmp_path):
    _, points, image = seen("open", (10, 20, -30))
    space = CAMERA.to_camera(points)
    world = [{"x": x, "y": y, "z": z} for x, y, z in space.tolist()]
    coco = [value for x, y in image.tolist() for value in (round(x, 2), round(y, 2), 2)]
    coco[3:6] = 0, 0, 0
    forms = {
        "tasks": {"hand_landmarks": [normalized(image)], "hand_world_landmarks": [world], "handedness": []},
        "solutions": {"multi_hand_landmarks": [{"landmark": normalized(image)}]},
        "dataset": {"images": [], "annotations": [{"id": 1, "keypoints": coco}]},
        "list": image.tolist(),
    }
    path = tmp_path / "joints.json"
    for name, content in forms.items():
        path.write_text(json.dumps(content))
        found = fitting.read_joints(path, (1280, 720))
        rows = np.arange(21) != 1 if name == "dataset" else slice(None)
        np.testing.assert_allclose(found.image[rows], image[rows], atol=0.01, err_msg=name)
        assert np.isnan(found.image[1]).all() == (name == "dataset") and (found.space is not None) == (name == "tasks")
    flat = {"keypoints_3d": [0.01, 0.02, 0.0] * 21}
    path.write_text(json.dumps(flat))
    found = fitting.read_joints(path, (1280, 720))
    assert found.image is None and found.space.tolist() == [[0.01, 0.02, 0.0]] * 21, "0 m away, not unknown"
    path.write_text(json.dumps({"landmarks": image.tolist(), "world_landmarks": image.tolist()}))
    assert fitting.read_joints(path, (1280, 720)).space is None, "in space there are three coordinates"
    path.write_text('{"a": [1, 2]}')
    with pytest.raises(JointsError, match="holds no 21 joints of a hand"):
        fitting.read_joints(path, (1280, 720))
    path.write_text("{")
    with pytest.raises(JointsError, match="is not valid JSON"):
        fitting.read_joints(path, (1280, 720))
