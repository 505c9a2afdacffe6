"""Curl and spread of a finger, against what its limits say."""

import numpy as np
import pytest

from generator.hand import finger_motions, pose
from generator.hand.fitting import DIP_OF_PIP
from generator.hand.pose_presets import PRESETS

EVERY = [(finger, motion) for finger in pose.FINGERS for motion in finger_motions.MOTIONS]


@pytest.mark.parametrize(("finger", "motion"), EVERY)
@pytest.mark.parametrize("start", ["bind", "relaxed", "claw", "fist"])
def test_a_finger_goes_as_far_as_it_is_told_and_nothing_else_moves(finger, motion, start):
    one = PRESETS[start]
    ending = "_flexion" if motion == "curl" else "_abduction"
    own = np.array([name.startswith(f"{finger}_") and name.endswith(ending) for name in pose.NAMES])
    for to in (0.0, 0.3, 0.8, 1.0):
        found = finger_motions.moved(one, finger, motion, to)
        assert finger_motions.fraction(found, finger, motion) == pytest.approx(to)
        np.testing.assert_array_equal(found[~own], one[~own])
        assert (found >= pose.LIMITS[:, 0]).all() and (found <= pose.LIMITS[:, 1]).all()
    np.testing.assert_array_equal(finger_motions.moved(one, finger, motion, 7.0), found, "beyond is the end")


def test_ends_of_the_motions():
    straight = finger_motions.moved(PRESETS["claw"], "index", "curl", 0.0)
    assert not straight[pose.FINGER_SLICE["index"]][[0, 2, 3]].any()
    bent = pose.with_angles(index_mcp_flexion=90, index_pip_flexion=105, index_dip_flexion=80)
    np.testing.assert_allclose(finger_motions.moved(pose.bind(), "index", "curl", 1.0, coupled=False), bent)
    coupled = finger_motions.moved(pose.bind(), "index", "curl", 1.0)
    assert np.degrees(coupled[pose.NAMES.index("index_dip_flexion")]) == pytest.approx(105 * DIP_OF_PIP)
    wide = finger_motions.moved(pose.bind(), "thumb", "spread", 1.0)
    np.testing.assert_allclose(wide, pose.with_angles(thumb_cmc_abduction=60))


@pytest.mark.parametrize(("finger", "motion"), EVERY)
def test_where_a_finger_is_it_stays(finger, motion):
    one = PRESETS["claw"]
    here = finger_motions.fraction(one, finger, motion)
    np.testing.assert_array_equal(finger_motions.moved(one, finger, motion, here), one)
