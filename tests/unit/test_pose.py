"""The 28 numbers."""

import numpy as np
import pytest

from generator.hand import pose


def test_order_is_the_papers():
    assert len(pose.NAMES) == len(set(pose.NAMES)) == pose.SIZE == 28
    assert pose.NAMES[3:6] == ("forearm_x", "forearm_z", "forearm_y")
    assert [pose.NAMES[s][0].split("_")[0] for s in pose.FINGER_SLICE.values()] == list(pose.FINGERS)
    covered = [i for group in pose.GROUPS.values() for i in range(28)[group]]
    assert covered == list(range(28))


def test_limits_hold_the_bind_pose_and_are_ordered():
    low, high = pose.LIMITS.T
    assert (low < high).all()
    assert (low <= 0).all() and (high >= 0).all()


def test_joints_go_as_far_as_is_published():
    """AAOS, Joint Motion (1965): extension or the little finger's side first, where flexion and the thumb's are +."""
    degrees = {name: limits.tolist() for name, limits in zip(pose.NAMES, np.degrees(pose.LIMITS).round(9), strict=True)}
    assert (degrees["wrist_flexion"], degrees["wrist_deviation"]) == ([-70, 80], [-30, 20])
    assert all(degrees[f"forearm_{axis}"] == [-180, 180] for axis in "xyz")
    for finger in pose.FINGERS[:4]:
        assert degrees[f"{finger}_mcp_flexion"][1] == 90
    assert degrees["thumb_ip_flexion"][1] == 80


def test_degrees_and_back():
    values = np.arange(56, dtype=float).reshape(2, 28)
    assert np.allclose(pose.to_degrees(pose.from_degrees(values)), values, atol=1e-12)
    one = pose.from_degrees([100.0] * 3 + [180.0] * 25)
    assert np.allclose(one[:3], 1.0) and np.allclose(one[3:], np.pi)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0] * 27, "a pose has 28 numbers, this one has 27"),
        (5.0, "a pose has 28 numbers, this one has 1"),
        ([0.0] * 26 + [float("nan"), 0.0], "thumb_mcp_flexion is not a finite number"),
    ],
)
def test_bad_numbers_are_named(values, message):
    with pytest.raises(ValueError, match=message):
        pose.from_degrees(values)


def test_angles_by_name():
    one = pose.with_angles(index_pip_flexion=90, forearm_x=-45)
    assert np.isclose(one[pose.NAMES.index("index_pip_flexion")], np.pi / 2)
    assert np.count_nonzero(one) == 2
    with pytest.raises(ValueError, match="no angle is called 'index_flexion'"):
        pose.with_angles(index_flexion=1)
