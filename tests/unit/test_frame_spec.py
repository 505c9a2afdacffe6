"""One frame, decided: what is drawn, and its JSON."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from generator.frame import frame_spec, settings
from generator.frame.backgrounds import Backgrounds
from generator.frame.frame_spec import FrameError, FrameSpec
from generator.frame.framing import FILL
from generator.hand import kinematics, pose
from generator.hand.anatomy import skeleton
from generator.mesh.gloves import Glove
from generator.mesh.rings import Ring

POSE = pose.with_angles(forearm_x=20, forearm_z=35)
ROOM = settings.load(
    None,
    {"scene": "indoor", "framing": "close", "skin_tone": "random", "shape": "random", "light": "mixed"}
    | {"num_hands": "random", "handedness": "random", "elbow": "random", "glove": "some", "adornments": "random"}
    | {"empty": 0.2, "crowd": 0.2, "egocentric": 0.2, "held": 0.3},
)
DRAWN = [frame_spec.draw_frame(ROOM, number, POSE) for number in range(12)]


RING = asdict(Ring.random(np.random.default_rng(0)))
GLOVE = asdict(Glove.random(np.random.default_rng(0)))
GRASP = {"kind": "cup", "seed": 0, "type": "medium wrap", "fingers": [0.0] * 20, "matrix": np.eye(4).tolist()}
GRASP |= {"contacts": ["thumb"], "depth": 0.0}


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


def test_a_frame_of_an_earlier_version_has_an_elbow_in_its_look_which_is_not_read():
    values = DRAWN[0].to_json()
    values["look"]["elbow"] = {"angle": 0.0, "about": 0.0, "reach": 0.45}
    assert same(frame_spec.from_json(values), DRAWN[0])


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
    values["backdrop"]["fraction"] = 2
    with pytest.raises(FrameError, match=r"backdrop: value error, fraction, across and down are from 0 to 1"):
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
    for size in ({"width": 2**70}, {"width": 100_000}, {"height": 8}):
        with pytest.raises(FrameError, match="camera: width and height are 64 to 4096 pixels"):
            frame_spec.from_json({**DRAWN[0].to_json(), "camera": {**DRAWN[0].to_json()["camera"], **size}})
    for light in ([[1]], [1, {}, 0], {"x": 1}):
        with pytest.raises(FrameError, match=r"look\.light: value error, must be a list of numbers"):
            frame_spec.from_json({**DRAWN[0].to_json(), "look": {**DRAWN[0].to_json()["look"], "light": light}})


def test_a_plain_frame_has_one_hand_of_the_settings():
    spec = frame_spec.draw_frame(settings.RenderSettings(handedness="left", skin_tone=0.3), 5, POSE)
    assert isinstance(spec, FrameSpec) and (spec.grasp, spec.crowd, spec.empty) == (None, None, None)
    (hand,) = spec.hands
    assert (hand.side, hand.look.tone, hand.shape) == ("left", 0.3, None)
    np.testing.assert_array_equal(hand.pose, POSE)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("hands", 0, "side"), "both", "hands.0.side: value error, is one of right, left, not 'both'"),
        (("hands", 0, "pose"), [0.0] * 27, "hands.0: value error, pose is 28 numbers, not 27"),
        (("hands", 0, "elbow", "angle"), 2.5, "hands.0.elbow.angle: value error, is from 0 to 2, not 2.5"),
        (("hands", 0, "look", "tone"), 7.0, "hands.0.look.tone: value error, is from 0 to 1, not 7.0"),
        (("camera", "width"), 0, "camera: value error, width, height and focal_mm are above 0"),
        (("look", "light"), [0.0, 0.0, 0.0], "look: value error, light is a vector of length 1"),
        (("look", "background"), [1.0, 1.0], "look: value error, light, light_color and background are three numbers"),
        (("look", "ambient"), 1.5, "look.ambient: value error, is from 0 to 1, not 1.5"),
        (("look", "light_color"), [1, -0.5, 1], "look: value error, light_color is of numbers of 0 or more, not -0.5"),
        (("look", "background"), [-0.1] * 3, "look: value error, background is of numbers of 0 or more, not -0.1"),
        (("hands", 0, "elbow", "reach"), -0.1, "hands.0.elbow.reach: value error, is 0 or more, not -0.1"),
        (("hands", 0, "elbow", "reach"), float("nan"), "hands.0.elbow.reach: input should be a finite number"),
        (
            ("hands", 0, "look", "skin", "hair_color"),
            [0, 0, 2.0],
            "skin.hair_color.2: value error, is from 0 to 1",
        ),
        (("hands", 0, "look", "skin", "nail"), -0.001, "skin.nail: value error, is 0 or more, not -0.001"),
        (("hands", 0, "look", "skin", "seed"), -1, "skin.seed: value error, is 0 or more, not -1"),
        (
            ("hands", 0, "look", "glove"),
            GLOVE | {"color": [-0.1, 0, 0]},
            "glove.color.0: value error, is from 0 to 1, not -0.1",
        ),
        (("hands", 0, "look", "glove"), GLOVE | {"thickness": -0.1}, "glove.thickness: value error, is 0 or more, not"),
        (("hands", 0, "look", "rings"), [RING | {"width": -1.0}], "rings.0.width: value error, is 0 or more, not -1.0"),
        (("look", "side"), "both", "look.side: value error, is one of right, left, not 'both'"),
        (("hands", 0, "look", "rings"), [RING | {"finger": "pinky"}], "rings.0.finger: value error, is one of little,"),
        (("hands", 0, "look", "skin", "drawing"), "ink", "skin.drawing: value error, is one of none, tattoo, henna"),
        (("hands", 0, "look", "skin", "band"), "ink", "skin.band: value error, is one of none, plaster, tape, markers"),
        (
            ("hands", 0, "look", "glove"),
            GLOVE | {"kind": "mitten"},
            "glove.kind: value error, is one of nitrile,",
        ),
        (
            ("hands", 0, "look", "glove"),
            GLOVE | {"finish": "silk"},
            "glove.finish: value error, is one of rubber,",
        ),
        (
            ("hands", 0, "look", "glove"),
            GLOVE | {"patch": "top"},
            "glove.patch: value error, is one of none, palm,",
        ),
        (("grasp",), GRASP | {"kind": "anvil"}, "grasp.kind: value error, is one of phone, pen, cup"),
        (("number",), -1, "number: input should be greater than or equal to 0"),
        (("hands",), [], "frame: value error, a frame has hands, or empty says what it shows"),
    ],
)
def test_a_value_that_no_frame_has_is_refused(place, value, words):
    values = next(spec for spec in DRAWN if spec.hands).to_json()
    at = values
    for part in place[:-1]:
        at = at[part]
    at[place[-1]] = value
    with pytest.raises(FrameError) as told:
        frame_spec.from_json(values)
    assert words in str(told.value)


def test_a_crowd_that_has_lost_a_hand_is_refused_where_its_bodies_are_still_to_be_drawn():
    values = next(spec for spec in DRAWN if spec.crowd and len(spec.hands) > 1).to_json()
    count = len(values["hands"])
    del values["hands"][-1]
    with pytest.raises(FrameError, match=f"crowd has {count} hands, the frame {count - 1}"):
        frame_spec.from_json(values)


def test_a_tone_that_the_settings_name_is_everybodys():
    chosen = settings.load(None, {"scene": "indoor", "crowd": 1.0, "skin_tone": 0.2, "resolution": "160x120"})
    drawn = [frame_spec.draw_frame(chosen, number, POSE) for number in range(6)]
    assert max(len(spec.crowd.persons) for spec in drawn) > 1
    assert {hand.look.tone for spec in drawn for hand in spec.hands} == {0.2}
    assert {person.tone for spec in drawn for person in spec.crowd.persons} == {0.2}
