"""The arm leads out of the image, whatever the pose, and hides no hand for it."""

from __future__ import annotations

import numpy as np
import pytest

from generator.frame.arm_reach import REACHES, reach_out
from generator.frame.elbow import STRAIGHT, Elbow
from generator.frame.framing import pixels_beyond_edge
from generator.hand import kinematics, plausibility, pose, pose_sets
from generator.hand.anatomy import BONES, FOREARM_LENGTH, skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton

CAMERA = Camera()


def _poses() -> np.ndarray:
    some = pose_sets.poses("l2")[::97]
    return some[plausibility.judge(some) == ""]


def _end(one: np.ndarray, bent: Elbow) -> np.ndarray:
    """Where the end of the posed arm falls, pixels and depth."""
    moved = kinematics.transforms(one, skeleton())[BONES.index("forearm")]
    end = bent.bend(np.array([[0.0, 0.0, -FOREARM_LENGTH]]))[0]
    return CAMERA.project(moved[:3, :3] @ end + moved[:3, 3])


def test_every_plausible_arm_of_the_sweep_ends_outside_the_image():
    poses = _poses()
    straight = [PosedSkeleton(one, skeleton()) for one in poses]
    assert sum(pixels_beyond_edge(CAMERA, one) <= 0 for one in straight) > 0.3 * len(poses), "which many did not"
    for one in straight:
        x, y, depth = _end(one.pose, reach_out(CAMERA, one))
        radius = skeleton().radii[0, 0] * CAMERA.matrix[0, 0] / depth
        assert depth > 0
        assert x + radius < 0 or x - radius > CAMERA.width or y + radius < 0 or y - radius > CAMERA.height


def test_an_arm_that_leaves_by_itself_stays_as_it_is():
    upright = PosedSkeleton(pose.bind(), skeleton()).at(np.array([0.0, -0.1]))
    assert pixels_beyond_edge(CAMERA, upright) > 0
    assert reach_out(CAMERA, upright) == STRAIGHT


def test_hand_and_forearm_are_not_moved():
    points = np.array([[0.01, 0.02, z] for z in (0.1, 0.0, -0.1, -0.2)])
    for bent in (Elbow(0.0, 0.0, REACHES[-1]), Elbow(1.2, 0.7, REACHES[-1])):
        assert bent.bend(points) == pytest.approx(points)


@pytest.mark.parametrize("angle", [0.0, 0.6, 1.5])
def test_a_longer_arm_is_as_long_as_it_says(angle: float):
    axis = np.zeros((400, 3))
    axis[:, 2] = -np.linspace(0, FOREARM_LENGTH, 400)
    bent = Elbow(angle, 0.3, REACHES[-1]).bend(axis)
    assert np.linalg.norm(np.diff(bent, axis=0), axis=1).sum() == pytest.approx(REACHES[-1], rel=0.002)
