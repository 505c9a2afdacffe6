"""Each rule against cases whose answer is known without it."""

import numpy as np
import pytest

from generator.hand import kinematics, plausibility, pose, pose_sets
from generator.hand.anatomy import BONES, skeleton
from generator.hand.camera import Camera
from generator.hand.plausibility import explain, judge, segment_gap


def held(**degrees):
    return pose.with_angles(**degrees)


def test_segment_gap_against_sampled_points():
    rng = np.random.default_rng(1)
    p, q, r, s = rng.normal(size=(4, 200, 3))
    gap, t, u = segment_gap(p, q, r, s)
    along = np.linspace(0, 1, 201)[:, None, None]
    one, other = p + along * (q - p), r + along * (s - r)
    sampled = np.linalg.norm(one[:, None] - other[None], axis=-1).min(axis=(0, 1))
    assert (gap <= sampled + 1e-12).all() and np.allclose(gap, sampled, atol=0.02)
    assert np.allclose(np.linalg.norm(p + t[:, None] * (q - p) - r - u[:, None] * (s - r), axis=-1), gap)


def test_segment_gap_of_parallel_segments():
    p, q = np.array([[0.0, 0, 0]]), np.array([[1.0, 0, 0]])
    assert segment_gap(p, q, p + np.array([0.5, 2, 0]), q + np.array([0.5, 2, 0]))[0] == pytest.approx(2)
    assert segment_gap(p, q, p + np.array([3, 0, 0]), q + np.array([3, 0, 0]))[0] == pytest.approx(2)


@pytest.mark.parametrize("v4, v5", [(0, 0), (0, 180), (30, 0), (60, 180), (90, 90), (170, 180)])
def test_an_open_hand_held_naturally_is_kept(v4, v5):
    verdict = explain(held(forearm_x=v4, forearm_z=v5))
    assert not verdict.reason and verdict.text == "plausible"


def test_joint_limit_names_joint_and_amount():
    limit = np.degrees(pose.LIMITS[pose.NAMES.index("index_pip_flexion"), 1])
    verdict = explain(held(index_pip_flexion=limit + 12))
    assert (verdict.reason, verdict.bones) == ("joint limit", ("index_middle",))
    assert verdict.text == "index_pip_flexion is 12.0° outside its range"
    moved = pose.bind()
    moved[0] = 1.05
    assert explain(moved).text == "translation_x is 5.0 cm outside its range"


def test_crossed_fingers_collide():
    verdict = explain(held(index_mcp_abduction=-18, middle_mcp_abduction=18))
    assert verdict.reason == "self-collision"
    assert {bone.split("_")[0] for bone in verdict.bones} == {"index", "middle"}
    assert "overlap by" in verdict.text and "index" in verdict.text and "middle" in verdict.text


def test_a_finger_bent_alone_does_not_collide():
    for finger in pose.FINGERS[:4]:
        angles = {f"{finger}_mcp_flexion": 45, f"{finger}_pip_flexion": 60, f"{finger}_dip_flexion": 30}
        assert not explain(held(**angles)).reason, finger


def test_overlap_is_what_the_capsules_say():
    hand = skeleton()
    crossed = held(index_mcp_abduction=-18, middle_mcp_abduction=18)
    heads, tails = kinematics.capsules(crossed, hand)
    i, j = BONES.index("middle_distal"), BONES.index("index_distal")
    t = np.linspace(0, 1, 400)[:, None]
    one, other = heads[i] + t * (tails[i] - heads[i]), heads[j] + t * (tails[j] - heads[j])
    gaps = np.linalg.norm(one[:, None] - other[None], axis=-1)
    a, b = np.unravel_index(gaps.argmin(), gaps.shape)
    radius = np.interp(t[a, 0], [0, 1], hand.radii[i]) + np.interp(t[b, 0], [0, 1], hand.radii[j])
    column = plausibility.collision_pairs().index((i, j))
    assert plausibility.overlap(crossed[None], hand)[0, column] == pytest.approx(radius - gaps.min(), abs=1e-4)


def test_an_arm_cannot_come_over_the_camera():
    # The forearm hangs from above and in front of the hand, the fingers point down and back to the person.
    verdict = explain(held(forearm_x=-150))
    assert verdict.reason == "out of reach"
    assert verdict.text == "a person who faces the camera would bend the elbow 20° too far"


def test_how_far_the_nearest_arm_is_from_holding_a_forearm():
    """A forearm turned by 5 degrees about itself asks of no joint 5 more; only what can be reached asks for none."""
    poses = np.stack([held(forearm_x=-70, forearm_z=v5) for v5 in range(-180, 185, 5)])
    far = np.array([plausibility.reach_excess(one)[1] for one in poses])
    np.testing.assert_array_equal(far <= 0, plausibility.reachable(poses))
    assert far.max() > 5
    assert np.abs(np.diff(far)).max() <= 5 + 1e-9


def test_the_roll_a_forearm_lacks_is_out_of_reach():
    # Forearm level towards the person's chest: the palm may face down or up, but not every way round.
    verdicts = judge(np.stack([held(forearm_x=-60, forearm_z=v5) for v5 in range(-180, 180, 10)]))
    assert 0 < (verdicts == "out of reach").sum() < 18


@pytest.mark.parametrize("v4", [-180, -178, -176, 176, 178])
def test_an_arm_that_hangs_straight_down_is_within_reach(v4):
    """Shoulder (160 degrees in all) and forearm (160) turn it, and the person by 60 in all: any palm is possible."""
    hanging = np.stack([held(forearm_x=v4, forearm_z=v5) for v5 in range(-180, 180, 15)])
    assert plausibility.reachable(hanging).all()


def test_a_straight_arm_turns_by_what_shoulder_and_forearm_turn_together():
    """The palm of a hanging right arm from facing the body: 80 + 90 degrees outwards, 80 + 70 inwards."""
    down = np.array([[0.0, 0.0, -1.0]])
    for outward in range(-179, 181):  # the palm faces +X, the body's left, at 0, and forward (-Y) at 90
        angle = np.radians(outward)
        palm = np.array([[np.cos(angle), -np.sin(angle), 0.0]])
        excess = plausibility._arm_excess(down[:, None], down, palm)[:, 0, 0]
        expected = max(outward - 170, -150 - outward)
        assert excess.max() <= 0 if expected <= 0 else excess.max() == pytest.approx(expected)


@pytest.mark.parametrize("deeper, reason", [(-3.7, ""), (-0.2, ""), (0.2, "self-collision")])
def test_fingers_press_into_each_other_by_as_much_as_flesh_gives_way(deeper, reason):
    """By the spread at which index and middle finger stand in each other by so many mm more than that."""

    def depth(spread):
        return plausibility.overlap(
            held(index_mcp_abduction=-spread, middle_mcp_abduction=spread)[None], skeleton()
        ).max()

    low, high = 0.0, 18.0
    for _ in range(40):
        spread = (low + high) / 2
        low, high = (spread, high) if depth(spread) < plausibility.FLESH + deeper / 1000 else (low, spread)
    verdict = explain(held(index_mcp_abduction=-low, middle_mcp_abduction=low))
    assert verdict.reason == reason
    assert not reason or "overlap by 0.2 mm too much" in verdict.text


def test_an_upright_forearm_can_be_turned_nearly_any_way():
    """Where it cannot turn farther, the person does."""
    upright = np.stack([held(forearm_z=v5) for v5 in range(-180, 180, 5)])
    assert plausibility.reachable(upright).mean() > 0.9


def test_a_hand_behind_its_forearm_is_hidden():
    away = held(forearm_x=-90, forearm_z=90)
    verdict = explain(away)
    assert verdict.reason == "hidden"
    assert verdict.text == "the forearm hides 100% of the hand, at most 50% may be"
    assert plausibility.hidden_fraction(held(forearm_x=90)[None], skeleton(), Camera())[0] == 0


def test_a_hand_beyond_the_edge_is_cut_by_as_much_as_geometry_says():
    camera, moved = Camera(), pose.bind()
    moved[0] = 0.6
    verdict = explain(moved, camera=camera)
    points = kinematics.keypoints(moved, skeleton())
    x = points[:, 0] / (points[:, 1] + camera.distance) * camera.matrix[0, 0] + camera.width / 2
    assert verdict.reason == "cut" and f"{x.max() - camera.width:.0f} pixels" in verdict.text
    moved[:3] = 0, -1.2, 0
    assert plausibility.outside_px(moved[None], skeleton(), camera)[0] == np.inf, "behind the camera"


def test_poses_are_judged_alike_alone_and_together():
    rng = np.random.default_rng(0)
    low, high = pose.LIMITS.T
    poses = rng.uniform(low, high, (30, 28)) * np.linspace(0, 1.1, 30)[:, None]
    poses[:, :3] = np.linspace(0, 0.3, 30)[:, None]
    together = judge(poses)
    assert together.tolist() == [explain(p).reason for p in poses]
    assert len(set(together)) >= 3, "the sample should meet several rules"


def test_between_45_000_and_48_000_of_the_sweep_stay():
    reasons = judge(pose_sets.select("all").poses)
    assert 45_000 <= (reasons == "").sum() <= 48_000
    assert set(reasons) <= {"", *plausibility.RULES}


def test_a_hand_behind_the_camera_is_cut_by_no_number_of_pixels():
    behind = np.zeros(pose.SIZE)
    behind[1] = -1
    verdict = explain(behind, camera=Camera(distance=0.9))
    assert (verdict.reason, verdict.text) == ("cut", "part of the hand is behind the camera")
