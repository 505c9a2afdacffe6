"""People and one's own hands: arms that reach from the shoulder, sizes in the image, hands apart from each other."""

from dataclasses import replace

import numpy as np
import pytest

from generator.frame import crowd, settings
from generator.frame.settings import RenderSettings, SettingsError
from generator.hand import kinematics, pose
from generator.hand.anatomy import BONES, skeleton

ROOM = RenderSettings(scene="indoor", resolution=(480, 360), crowd=1.0)
HAND = skeleton()
FINGERS = pose.bind()[6:]
FRAMES = 40


def drawn(chosen):
    return [crowd.draw_crowd(chosen, frame, FINGERS, HAND, 0.3) for frame in range(FRAMES)]


@pytest.fixture(scope="module", params=["people", "egocentric"])
def groups(request):
    chosen = ROOM if request.param == "people" else replace(ROOM, crowd=0.0, egocentric=1.0)
    found = [group for group in drawn(chosen) if group]
    assert len(found) > 0.8 * FRAMES and {group.kind for group in found} == {request.param}
    return found


def side(one):
    return np.array([-1, 1, 1] if one.side == "left" else [1, 1, 1])


def joints(one):
    return kinematics.keypoints(np.array(one.pose), HAND) * side(one)


def test_arms_reach_from_the_shoulder_to_the_wrist(groups):
    for one in (hand for group in groups for hand in group.hands):
        moved = kinematics.transforms(np.array(one.pose), HAND)[BONES.index("forearm")]
        end = one.elbow.bend(np.array([[0.0, 0.0, -0.45]])) @ moved[:3, :3].T + moved[:3, 3]
        assert np.linalg.norm(end[0] * side(one) - one.shoulder) < 0.035, "but for the rounding of the bend"
        assert 0 <= one.elbow.angle < 2
        assert (pose.LIMITS[3:6, 0] <= one.pose[3:6]).all() and (one.pose[3:6] <= pose.LIMITS[3:6, 1]).all()


def test_hands_are_in_the_image_before_the_camera_and_do_not_touch(groups):
    for group in groups:
        places = [joints(one) for one in group.hands]
        for points in places:
            x, y, depth = group.camera.project(points).T
            assert ((x > 0) & (x < 480) & (y > 0) & (y < 360)).mean() >= 0.7 and depth.min() > 0.1
        for number, points in enumerate(places):
            for other in places[:number]:
                assert np.linalg.norm(points[:, None] - other[None], axis=-1).min() > 0.03
        assert group.hands[0].person == 0 and tuple(group.hands[0].pose[6:]) == tuple(FINGERS)


def test_a_table_is_below_all_wrists(groups):
    assert any(group.table for group in groups) and not all(group.table for group in groups)
    for group in (group for group in groups if group.table):
        normal, point = (np.array(part) for part in group.table)
        assert all((np.array(one.pose[:3]) * side(one) - point) @ normal > 0.05 for one in group.hands)


def test_people_are_one_to_four_with_up_to_eight_hands_that_may_be_small():
    found = [group for group in drawn(ROOM) if group]
    assert {len(group.persons) for group in found} == {1, 2, 3, 4}
    assert max(len(group.hands) for group in found) > 5
    sizes = [
        np.linalg.norm(flat[:, None] - flat[None], axis=-1).max() / 480
        for group in found
        for flat in (group.camera.project(joints(one))[:, :2] for one in group.hands)
    ]
    assert 0.03 < np.percentile(sizes, 5) < 0.06 < np.median(sizes) < 0.15


def test_the_fractions_are_kept_and_frames_come_again():
    some = replace(ROOM, crowd=0.2, egocentric=0.3)
    kinds = [getattr(crowd.draw_crowd(some, frame, FINGERS, HAND, 0.3), "kind", None) for frame in range(200)]
    assert kinds.count("people") / 200 == pytest.approx(0.2, abs=0.09)
    assert kinds.count("egocentric") / 200 == pytest.approx(0.3, abs=0.1)
    assert crowd.draw_crowd(ROOM, 3, FINGERS, HAND, 0.3) == crowd.draw_crowd(ROOM, 3, FINGERS, HAND, 0.3)
    with pytest.raises(SettingsError, match="crowd and egocentric are fractions that add up to 1 at most"):
        settings.load(None, {"scene": "indoor", "crowd": 0.7, "egocentric": 0.5})
    with pytest.raises(SettingsError, match="crowd is a fraction of the images of indoor scenes; set scene to indoor"):
        settings.load(None, {"crowd": 0.5})
