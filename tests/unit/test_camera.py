"""Where the pinhole and the fisheye put points of the scene."""

import numpy as np
import pytest

from generator.hand.camera import Camera


def direction(angle, around):
    """A scene point one metre before a camera at the origin, by its angle to the axis."""
    return np.array([np.sin(angle) * np.cos(around), np.cos(angle), np.sin(angle) * np.sin(around)])


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.9, 1.4])
@pytest.mark.parametrize("around", [0.0, 1.0, 3.0])
def test_a_fisheye_puts_angles_at_even_distances_and_a_pinhole_their_tangents(angle, around):
    way = np.array([np.cos(around), -np.sin(around)])
    for fisheye, far in ((True, angle), (False, np.tan(angle))):
        camera = Camera(600, 400, 0.0, 30.0, fisheye)
        found = camera.project(direction(angle, around))
        assert found[:2] == pytest.approx([300, 200] + 500 * far * way, abs=1e-6)
        assert found[2] == pytest.approx(np.cos(angle))


def test_what_is_behind_the_camera_falls_in_the_middle_at_a_depth_below_zero():
    for fisheye in (True, False):
        camera = Camera(600, 400, 0.5, 30.0, fisheye)
        assert camera.project(np.array([[0.2, -0.7, 0.1], [0.2, -0.5, 0.1]])) == pytest.approx(
            np.array([[300, 200, -0.2], [300, 200, 0.0]])
        )
