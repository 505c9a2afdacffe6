"""The drawn pose sets: within the joints' limits, coupled as fingers are, and the same for everybody."""

from __future__ import annotations

import numpy as np
import pytest

from generator.hand import finger_sets, plausibility, pose
from generator.hand.anatomy import skeleton

COUNT = 4000
PIP, DIP = (
    [pose.NAMES.index(f"{finger}_{joint}_flexion") - 6 for finger in pose.FINGERS[:4]] for joint in ("pip", "dip")
)


@pytest.mark.parametrize("name", finger_sets.SETS)
def test_a_set_is_within_the_limits_and_always_the_same(name: str) -> None:
    drawn = finger_sets.draw(name, COUNT)
    low, high = pose.LIMITS[6:].T
    assert drawn.shape == (COUNT, 22)
    assert ((drawn >= low) & (drawn <= high)).all()
    assert np.array_equal(drawn, finger_sets.draw(name, COUNT))
    assert len(np.unique(drawn.round(6), axis=0)) == COUNT


@pytest.mark.parametrize("name", finger_sets.SETS)
def test_the_wrist_moves(name: str) -> None:
    flexion, deviation = np.degrees(finger_sets.draw(name, COUNT)[:, :2].std(axis=0))
    assert flexion > 10
    assert deviation > 4


@pytest.mark.parametrize("name", finger_sets.SETS)
def test_few_fingers_stand_in_each_other(name: str) -> None:
    some = np.zeros((COUNT, pose.SIZE))
    some[:, 6:] = finger_sets.draw(name, COUNT)
    assert (plausibility.overlap(some, skeleton()).max(axis=1) > plausibility.FLESH).mean() < 0.15


def test_an_end_joint_goes_with_the_middle_one() -> None:
    drawn = finger_sets.draw("fingers", COUNT)
    for pip, dip in zip(PIP, DIP, strict=True):
        slope = np.polyfit(drawn[:, pip], drawn[:, dip], 1)[0]
        assert slope == pytest.approx(0.6, abs=0.05)


def test_neighbours_pull_each_other_along() -> None:
    """Ring and middle finger move together more than little and index finger do."""
    bent = finger_sets.draw("fingers", COUNT)[:, PIP]
    together = np.corrcoef(bent.T)
    assert together[1, 2] > together[0, 3] > 0.2


def test_bent_fingers_spread_less() -> None:
    drawn = finger_sets.draw("fingers", COUNT)
    index = pose.NAMES.index("index_mcp_flexion") - 6
    bent = drawn[:, index] > np.radians(70)
    assert drawn[bent, index + 1].std() < 0.5 * drawn[~bent, index + 1].std()


def test_no_sign_has_a_finger_inside_another() -> None:
    shown = finger_sets.signs()
    depth = plausibility.overlap(np.stack(list(shown.values())), skeleton()).max(axis=1)
    assert {name: d for name, d in zip(shown, depth, strict=True) if d > plausibility.FLESH} == {}


def test_a_v_is_two_straight_fingers_apart() -> None:
    at = pose.to_degrees(finger_sets.signs()["v"])
    value = {name: at[pose.NAMES.index(name)] for name in pose.NAMES}
    assert max(value["index_pip_flexion"], value["middle_pip_flexion"]) < 10
    assert min(value["ring_pip_flexion"], value["little_pip_flexion"]) > 80
    assert value["index_mcp_abduction"] - value["middle_mcp_abduction"] > 5
