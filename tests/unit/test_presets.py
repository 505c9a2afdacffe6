"""The named poses keep to the joints' limits and to a hand's own space."""

import itertools

import numpy as np
import pytest

from generator.hand import pose
from generator.hand.anatomy import BONES, skeleton
from generator.hand.kinematics import capsules
from generator.hand.pose_presets import PRESETS

SKELETON = skeleton()
ALLOWED_MM = 2.5
"""Flesh gives way where fingers press on each other."""


def segment_distance(a, b, c, d):
    """The distances of 25 points of one segment to 25 of another."""
    fraction = np.linspace(0, 1, 25)[:, None]
    one, other = a + fraction * (b - a), c + fraction * (d - c)
    return np.linalg.norm(one[:, None] - other[None], axis=-1)


def digit(bone):
    return BONES[bone].split("_")[0]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_stay_within_the_limits(name):
    low, high = pose.LIMITS.T
    assert PRESETS[name].shape == (28,)
    assert (PRESETS[name] >= low).all() and (PRESETS[name] <= high).all()


@pytest.mark.parametrize("name", PRESETS)
def test_no_digit_passes_through_another(name):
    heads, tails = capsules(PRESETS[name], SKELETON)
    fraction = np.linspace(0, 1, 25)
    phalanges = [i for i, bone in enumerate(BONES) if bone.endswith(("proximal", "middle", "distal"))]
    for a, b in itertools.combinations(phalanges, 2):
        if digit(a) == digit(b):
            continue
        apart = segment_distance(heads[a], tails[a], heads[b], tails[b])
        girth = [np.interp(fraction, [0, 1], SKELETON.radii[bone]) for bone in (a, b)]
        inside = (girth[0][:, None] + girth[1][None] - apart).max() * 1000
        assert inside < ALLOWED_MM, f"{BONES[a]} is {inside:.1f} mm inside {BONES[b]}"


def test_the_sweep_has_what_it_names():
    assert {"bind", "open", "fist", "point", "pinch", "one", "two", "three", "four", "five"} <= set(PRESETS)
