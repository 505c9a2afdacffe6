"""Bones turned by a pose give that pose back."""

import numpy as np
import pytest

from generator.hand import anatomy, inverse_kinematics, kinematics, pose

HAND = anatomy.skeleton()


def turns(one):
    """Each bone's own rotation, from where kinematics says bone and parent are."""
    moved = kinematics.transforms(one, HAND)[:, :3, :3]
    above = np.where((HAND.parents < 0)[:, None, None], np.eye(3), moved[HAND.parents])
    return above.transpose(0, 2, 1) @ moved


def some_pose(seed):
    low, high = pose.LIMITS.T
    return np.random.default_rng(seed).uniform(low, high)


@pytest.mark.parametrize("seed", range(20))
def test_the_pose_comes_back(seed):
    one = some_pose(seed)
    np.testing.assert_allclose(inverse_kinematics.pose(turns(one), one[:3], HAND, one + 0.05), one, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_other_answer_turns_the_bones_alike(seed):
    one, far = some_pose(seed), some_pose(seed + 100)
    again = inverse_kinematics.pose(turns(one), one[:3], HAND, far)
    np.testing.assert_allclose(kinematics.transforms(again, HAND), kinematics.transforms(one, HAND), atol=1e-9)


@pytest.mark.parametrize("v4", [-np.pi / 2, np.pi / 2])
def test_where_two_axes_fall_together_the_last_angle_stays(v4):
    one = pose.bind()
    one[3:6] = v4, 0.7, -0.4
    np.testing.assert_allclose(inverse_kinematics.pose(turns(one), one[:3], HAND, one), one, atol=1e-6)


def test_a_twist_that_a_finger_cannot_do_is_left_out():
    bone = anatomy.BONES.index("index_middle")
    twisted = turns(pose.with_angles(index_pip_flexion=40))
    twisted[bone] = twisted[bone] @ kinematics.axis_rotation(HAND.frames[bone][:, 2], np.array([0.3]))[0]
    found = inverse_kinematics.pose(twisted, np.zeros(3), HAND, pose.bind())
    flexion = pose.NAMES.index("index_pip_flexion")
    assert np.degrees(found[flexion]) == pytest.approx(40, abs=1)
    np.testing.assert_allclose(np.delete(found, flexion), 0, atol=1e-9)
