"""One frame, decided: what is drawn, and its JSON."""

import json

import numpy as np
import pytest
from PIL import Image

from generator.frame import frame_spec, settings
from generator.frame.backgrounds import Backgrounds
from generator.frame.frame_spec import FrameError, FrameSpec
from generator.frame.framing import FILL
from generator.hand import kinematics, pose
from generator.hand.anatomy import skeleton

POSE = pose.with_angles(forearm_x=20, forearm_z=35)
ROOM = settings.load(
    None,
    {"scene": "indoor", "framing": "close", "skin_tone": "random", "shape": "random", "light": "mixed"}
    | {"num_hands": "random", "handedness": "random", "elbow": "random", "glove": "some", "adornments": "random"}
    | {"empty": 0.2, "crowd": 0.2, "egocentric": 0.2, "held": 0.3},
)
DRAWN = [frame_spec.draw_frame(ROOM, number, POSE) for number in range(12)]


def same(one, other):
    """Whether two records are equal in all their fields, and of the same types."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other)
    if hasattr(one, "__dataclass_fields__"):
        names = one.__dataclass_fields__
        return type(one) is type(other) and all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_frames_of_all_kinds_come_back_from_json_to_the_bit():
    kinds = {(s.empty is not None, s.crowd is not None, s.grasp is not None, len(s.hands) > 1) for s in DRAWN}
    assert len(kinds) >= 4
    for spec in DRAWN:
        text = json.dumps(spec.to_json())
        again = frame_spec.from_json(json.loads(text))
        assert same(again, spec) and json.dumps(again.to_json()) == text


def test_a_frame_is_the_same_whichever_was_drawn_before():
    for number in (7, 2):
        assert same(frame_spec.draw_frame(ROOM, number, POSE), DRAWN[number])
    other = settings.load(None, {**ROOM.to_json(), "seed": 1})
    assert not same(frame_spec.draw_frame(other, 7, POSE), DRAWN[7])


def test_a_frame_without_hands_has_none_and_all_others_some():
    for spec in DRAWN:
        assert (spec.empty is None) == bool(spec.hands)
        assert spec.crowd is None or spec.camera == spec.crowd.camera


def test_the_pose_of_a_close_frame_is_as_its_camera_sees_it():
    near = [s for s in DRAWN if s.empty is None and s.crowd is None]
    assert len(near) > 3
    for spec in near:
        first = spec.hands[0]
        x, y, depth = spec.camera.project(kinematics.keypoints(first.pose, skeleton(first.look.shape))).T
        longest = np.hypot(np.subtract.outer(x, x), np.subtract.outer(y, y)).max() / spec.camera.height
        assert depth.min() > 0 and FILL[0] * 0.7 < longest < FILL[1] * 1.5


def test_a_plain_frame_has_its_background_and_its_sensor(tmp_path):
    Image.new("RGB", (90, 60)).save(tmp_path / "behind.png")
    photographed = settings.load(None, {"sensor": "random", "resolution": "64x64", "backgrounds": str(tmp_path)})
    spec = frame_spec.draw_frame(photographed, 3, POSE, None, Backgrounds(tmp_path, 0))
    assert spec.backdrop.image == "behind.png" and spec.sensor.noise > 0
    assert same(frame_spec.from_json(json.loads(json.dumps(spec.to_json()))), spec)
    assert DRAWN[0].backdrop is None and DRAWN[0].sensor is None
    values = spec.to_json()
    values["backdrop"]["share"] = 2
    with pytest.raises(FrameError, match=r"backdrop: value error, share, across and down are fractions from 0 to 1"):
        frame_spec.from_json(values)


def test_what_is_wrong_with_a_file_is_named_field_by_field():
    values = DRAWN[0].to_json()
    values["camera"]["distance"] = "far"
    del values["look"]["tone"]
    with pytest.raises(FrameError) as told:
        frame_spec.from_json({**values, "zoom": 1})
    assert str(told.value).startswith("this is not a frame: ")
    for words in ("camera.distance: input should be a valid number", "look.tone: field required", "zoom: unexpected"):
        assert words in str(told.value)
    with pytest.raises(FrameError, match=r"look\.light: value error, must be a list of numbers"):
        frame_spec.from_json({**DRAWN[0].to_json(), "look": {**DRAWN[0].to_json()["look"], "light": [[1]]}})


def test_a_plain_frame_has_one_hand_of_the_settings():
    spec = frame_spec.draw_frame(settings.RenderSettings(handedness="left", skin_tone=0.3), 5, POSE)
    assert isinstance(spec, FrameSpec) and (spec.grasp, spec.crowd, spec.empty) == (None, None, None)
    (hand,) = spec.hands
    assert (hand.side, hand.look.tone, hand.shape) == ("left", 0.3, None)
    np.testing.assert_array_equal(hand.pose, POSE)
