"""What bending does to the surface: only where it bends, outwards on the back, and never to a straight hand."""

from __future__ import annotations

import numpy as np
import pytest

from generator.hand import kinematics, pose
from generator.hand.anatomy import FINGERS, skeleton
from generator.hand.pose_presets import PRESETS
from generator.mesh import hand_mesh
from generator.mesh.bend_shapes import bend_offsets
from generator.mesh.hand_chart import hand_chart, knuckles
from generator.mesh.skinning import skin


def test_a_straight_or_overstretched_hand_stays_as_it_is():
    assert (bend_offsets(pose.bind()) == 0).all()
    assert (bend_offsets(pose.with_angles(index_mcp_flexion=-20, middle_pip_flexion=-5)) == 0).all()


@pytest.mark.parametrize("finger", FINGERS[:4])
def test_a_bent_joint_changes_its_own_finger_alone(finger: str):
    chart, offsets = hand_chart(), bend_offsets(pose.with_angles(**{f"{finger}_pip_flexion": 90}))
    moved = np.linalg.norm(offsets, axis=1) > 1e-5
    digit = FINGERS.index(finger)
    assert set(chart.digit[moved]) == {digit}
    assert np.abs(chart.along[moved] - chart.joints[digit][0]).max() < 20
    assert 0.0005 < np.linalg.norm(offsets, axis=1).max() < 0.0025


def test_knuckles_stand_out_of_a_fist():
    """The skin over the MCP joints moves to the back, that between them does not."""
    offsets, rest = bend_offsets(PRESETS["fist"]), hand_chart().rest
    back = rest[:, 1] > 6
    for joint in knuckles():
        over = back & (np.hypot(*(rest[:, [0, 2]] - joint[[0, 2]]).T) < 4)
        assert offsets[over, 1].mean() > 0.001
    center = knuckles()[1:3].mean(axis=0)
    between = back & (np.hypot(*(rest[:, [0, 2]] - center[[0, 2]] + [0, 4]).T) < 3)
    assert offsets[between, 1].mean() < 0.0005


def test_it_grows_with_the_angle():
    sizes = [np.abs(bend_offsets(pose.with_angles(index_pip_flexion=angle))).max() for angle in (0, 20, 50, 90)]
    assert sizes == sorted(sizes) and sizes[0] == 0 < sizes[1]


def test_the_volume_of_a_fist_changes_by_little():
    hand = hand_mesh.build()
    moved = kinematics.transforms(PRESETS["fist"], skeleton())

    def volume(vertices: np.ndarray) -> float:
        a, b, c = (skin(vertices, hand.weights.astype(float), moved)[hand.faces[:, corner]] for corner in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)

    plain = hand.vertices.astype(float)
    assert volume(plain + bend_offsets(PRESETS["fist"])) == pytest.approx(volume(plain), rel=0.02)
