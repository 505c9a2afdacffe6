"""Where a camera of a drawn framing stands, and what of the hand and its arm it has in sight."""

import numpy as np
import pytest

from generator.frame.elbow import STRAIGHT
from generator.frame.framing import (
    CLEAR,
    EDGE,
    NEAREST,
    arm_end,
    draw_framing,
    limit_lean,
    pixels_beyond_edge,
    wrist_range,
)
from generator.frame.settings import RenderSettings
from generator.hand import pose
from generator.hand.anatomy import FOREARM_LENGTH, skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton

POSE = pose.with_angles(forearm_x=20, forearm_z=40, index_pip_flexion=60, thumb_cmc_flexion=20)
SIZE = 640, 360


def test_a_random_framing_keeps_all_joints_from_the_edge_and_the_arm_from_the_camera():
    settings, nearest = RenderSettings(resolution=SIZE, framing="random"), []
    for frame in range(100):
        camera, moved = draw_framing(settings, frame, POSE, skeleton(), STRAIGHT)
        joints = camera.project(moved.keypoints)[:, :2] / SIZE
        assert joints.min() > EDGE - 1e-9 and joints.max() < 1 - EDGE + 1e-9
        assert (moved.pose[[3, 4, *range(6, 28)]] == POSE[[3, 4, *range(6, 28)]]).all()
        assert camera.distance >= NEAREST and arm_end(moved)[1] + camera.distance > CLEAR - 1e-9
        nearest.append(min(joints.min(), 1 - joints.max()))
    assert min(nearest) < EDGE + 0.02, "the hand may lie anywhere"


def test_the_wrists_range_ends_where_a_joint_meets_the_edge():
    camera, posed = Camera(*SIZE), PosedSkeleton(POSE, skeleton())
    low, high = wrist_range(camera, posed, 0.1)
    at_low, at_high = (camera.project(posed.at(place).keypoints)[:, :2] / SIZE for place in (low, high))
    assert (at_low[:, 0].min(), at_low[:, 1].max()) == pytest.approx((0.1, 0.9))  # left and below
    assert (at_high[:, 0].max(), at_high[:, 1].min()) == pytest.approx((0.9, 0.1))


@pytest.mark.parametrize(("angle", "lean"), [(90, 0.8), (-90, -0.4), (0, 0.2), (180, 0.2)])
def test_a_close_arm_leans_by_a_sine_of_0_4_to_the_camera_and_0_8_away_at_most(angle, lean):
    found = limit_lean(np.radians(angle))
    assert np.sin(found) == pytest.approx(lean)
    assert (np.cos(found) < 0) == (angle == 180), "on the side of the vertical that it was on"


def test_an_arms_end_is_outside_the_image_by_what_is_left_of_it_below_the_edge():
    """Upright, its wrist 0.1 m below the axis of a camera 1 m away, of 1600 pixels a metre and 720 in height."""
    posed = PosedSkeleton(pose.bind(), skeleton()).at(np.array([0.0, -0.1]))
    end = 360 + 1600 * (0.1 + FOREARM_LENGTH)
    assert pixels_beyond_edge(Camera(), posed) == pytest.approx(end - 720 - 1600 * skeleton().radii[0, 0])
