"""Where glass, mirrors and pockets are put: before, behind and around arms, in numbers."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from generator.frame.room import glass, materials, mirror, pocket
from generator.frame.room.arm_view import View
from generator.frame.room.mirror import Plane
from generator.frame.room.props import Prop, SceneProps, rows
from generator.hand.camera import Camera

TUBE = np.random.default_rng(0).normal(size=(4000, 3)) * [0.03, 0.015, 0.0] + np.linspace(-0.6, 0.18, 4000)[:, None] * [
    0,
    0,
    1,
]
"""Points of an upright arm, its hand above the origin."""
VIEW = View(Camera(480, 360, 0.5), TUBE, TUBE[:, 2] > 0, np.zeros(4000, int))
EYE = np.array([0.0, -0.5, 0.0])


def props(put, seed):
    found = SceneProps()
    return found, put(found, np.random.default_rng(seed), VIEW)


def test_a_pane_is_between_the_camera_and_all_of_the_arm_that_is_seen():
    x, y, _ = VIEW.camera.project(TUBE).T
    seen = TUBE[(x > 0) & (x < 480) & (y > 0) & (y < 360)]
    panes = [found for found, placed in (props(glass._pane, seed) for seed in range(60)) if placed]
    assert len(panes) > 30
    for found in panes:
        matrix = np.linalg.inv(np.array(found.props[0].matrix))
        depth, eye = (points @ matrix[2, :3] + matrix[2, 3] for points in (seen, EYE))
        assert eye > 0.5 and (depth < -0.5).all(), "outside the box of size 1 on both sides"
        assert isinstance(found.materials[0], materials.Glass)


def test_a_drinking_glass_touches_no_arm_and_hides_a_part_of_the_hand():
    placed = [found for found, done in (props(glass._tumbler, seed) for seed in range(80)) if done]
    assert len(placed) > 10
    for found in placed:
        matrix = np.array(found.props[0].matrix)
        local = np.column_stack([TUBE, np.ones(len(TUBE))]) @ np.linalg.inv(matrix).T
        assert not ((np.hypot(local[:, 0], local[:, 1]) < 0.5) & (abs(local[:, 2]) < 0.5)).any()
        center = VIEW.camera.project(matrix[:3, 3])
        assert 0 < center[2] < 0.6 and abs(VIEW.camera.project(TUBE[TUBE[:, 2] > 0])[:, :2] - center[:2]).min() < 60


def test_a_mirror_shows_what_is_as_far_behind_it():
    plane = Plane(np.array([0.0, -1.0, 0.0]), -0.3)  # a wall at y = 0.3
    assert plane.reflect(np.array([[0.1, 0.0, 0.2], [0.0, 0.25, 0.0]])) == pytest.approx(
        np.array([[0.1, 0.6, 0.2], [0.0, 0.35, 0.0]])
    )
    assert plane.crossed(EYE, np.array([[0.2, 1.1, 0.0]])) == pytest.approx(np.array([[0.1, 0.3, 0.0]]))


def test_a_mirror_is_behind_the_arm_and_shows_the_hand_but_not_where_the_arm_ends():
    placed = [found for found, done in (props(mirror.put_behind, seed) for seed in range(12)) if done]
    assert len(placed) > 3
    for found in placed:
        plane = mirror.plane_of(found.props, found.materials)
        assert (TUBE @ plane.normal > plane.offset).all() and EYE @ plane.normal > plane.offset
        into = np.linalg.inv(np.array(found.props[0].matrix))
        inside = []
        for points in (TUBE[TUBE[:, 2] > 0], TUBE[TUBE[:, 2] < -0.56]):
            at = plane.crossed(EYE, plane.reflect(points))
            x, y, _ = VIEW.camera.project(at).T
            seen = (x > 0) & (x < 480) & (y > 0) & (y < 360)
            inside.append((seen & (abs(at @ into[:2, :3].T + into[:2, 3]) < 0.5).all(axis=1)).mean())
        assert inside[0] >= 0.6 and inside[1] == 0


def test_without_a_mirror_there_is_no_plane():
    assert mirror.plane_of((), ()) is None


def test_a_pockets_cloth_lies_over_the_fingers_and_leaves_the_wrist_free():
    placed = [found for found, done in (props(pocket.put_around, seed) for seed in range(8)) if done]
    assert len(placed) > 4
    for found in placed:
        garment, cloth = found.props
        into = np.linalg.inv(np.array(cloth.matrix))
        x, y, z = (TUBE[TUBE[:, 2] > 0] @ into[:3, :3].T + into[:3, 3]).T
        heights = np.array(cloth.heights)
        axes = [np.linspace(-0.5, 0.5, count) for count in heights.shape]
        over = (abs(x) < 0.5) & (y > -0.5) & (y < 0.5)
        at = RegularGridInterpolator(axes, heights)(np.stack([y[over], x[over]], axis=1))
        assert (at > z[over]).all(), "no point comes through the cloth"
        assert 0.25 < (y < -0.5).mean() < 0.75 and (abs(x)[y > -0.5] < 0.5).all()
        behind = np.linalg.inv(np.array(garment.matrix))
        assert (TUBE @ behind[2, :3] + behind[2, 3] > 0.5).all(), "all of the arm is before the garment"


def test_a_drape_needs_rows_of_the_same_length():
    with pytest.raises(ValueError, match="the heights of a drape are two rows at least, all of the same length"):
        Prop("drape", 0, rows(np.eye(4)), heights=((0.1, 0.1), (0.1,)))
    with pytest.raises(ValueError, match="heights are a drape's, which needs them"):
        Prop("box", 0, rows(np.eye(4)), heights=((0.1, 0.1), (0.1, 0.1)))
