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


def test_degrees_and_back():
    values = np.arange(56, dtype=float).reshape(2, 28)
    assert np.allclose(pose.to_degrees(pose.from_degrees(values)), values, atol=1e-12)
    one = pose.from_degrees([100.0] * 3 + [180.0] * 25)
    assert np.allclose(one[:3], 1.0) and np.allclose(one[3:], np.pi)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0] * 27, "a pose has 28 numbers, this one has 27"),
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
