"""Sandals and trousers of bare feet: off the skin, with all toes in sight, and between the foot and the ground."""

from typing import get_args

import numpy as np
import pytest
from scipy.spatial import cKDTree

from generator.frame import feet, foot_wear
from generator.frame.foot_wear import Sandal, Straps, Trousers
from generator.hand.camera import Camera
from generator.mesh import foot
from generator.mesh.foot import FootPose, FootShape
from generator.objects.surfaces import GREY

POINTS = foot.posed(foot.build(), FootShape(), FootPose())
TOES = POINTS[(foot.build().toe > 0.9).any(axis=1)]


@pytest.mark.parametrize("kind", get_args(Straps))
def test_straps_lie_on_the_foot_and_leave_the_toes_bare(kind):
    vertices, faces = foot_wear.straps(POINTS, Sandal(kind, 0.02, GREY, GREY))
    away, _ = cKDTree(POINTS).query(vertices)
    assert faces.max() == len(vertices) - 1 and len(faces) > 100
    assert away.max() == pytest.approx(0.0025, abs=1e-6) and away.min() == 0, "outer side, and an edge down to the skin"
    assert vertices[:, 2].max() < 0.12
    assert (cKDTree(vertices).query(TOES)[0] > 0.004).mean() > 0.85


def test_a_sole_reaches_beyond_the_foot_on_all_sides_and_is_below_it():
    vertices, faces = foot_wear.sole(POINTS, Sandal("slide", 0.02, GREY, GREY))
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    low = POINTS[(foot.build().ankle > 0.5) & (POINTS[:, 2] < 0.01)]
    assert (vertices[:, :2].min(axis=0) < low[:, :2].min(axis=0) - 0.003).all()
    assert (vertices[:, :2].max(axis=0) > low[:, :2].max(axis=0) + 0.003).all()
    assert np.ptp(vertices[:, 2]) == pytest.approx(0.02) and vertices[:, 2].max() < low[:, 2].min() + 0.002
    a, b, c = vertices[faces].transpose(1, 0, 2)
    assert 0.0003 < (a * np.cross(b, c)).sum() / 6 < 0.0007, "its faces look outwards; cubic metres"


def test_trousers_are_around_the_leg_down_to_their_hem():
    leg = POINTS[POINTS[:, 2] > 0.3]
    vertices, _ = foot_wear.trouser_leg(POINTS, Trousers(0.3, 0.01, GREY))
    away = cKDTree(leg).query(vertices)[0]
    assert vertices[:, 2].min() > 0.28 and vertices[:, 2].max() > 0.88 and 0.006 < away.max() < 0.03


def test_feet_stand_on_the_ground_with_all_that_they_wear():
    rng, shod, bare = np.random.default_rng(3), 0, 0
    for _ in range(60):
        camera, placed, ground = feet.draw_feet(rng, Camera(320, 240), clinic=False)
        eye_distance = np.linalg.norm(camera.to_camera(placed[0].vertices()), axis=1)
        assert eye_distance.min() > 0.05
        if ground is None:
            continue
        normal, point = (np.array(part) for part in ground)
        lowest = min(((one.vertices() - point) @ normal).min() for one in placed)
        if (sandal := placed[0].sandal) is None:
            bare += 1
            assert lowest == pytest.approx(0, abs=1e-6)
        else:
            shod += 1
            soles = np.concatenate([one.placed(foot_wear.sole(one.posed(), sandal)[0]) for one in placed])
            assert ((soles - point) @ normal).min() == pytest.approx(0, abs=0.004)
    assert shod >= 5 and bare >= 20


def test_most_of_a_foot_is_in_sight_however_it_is_photographed():
    rng, seen = np.random.default_rng(5), []
    for number in range(40):
        camera, placed, _ = feet.draw_feet(rng, Camera(320, 240), clinic=number % 2 == 0)
        points = np.concatenate([one.vertices() for one in placed])
        x, y, depth = camera.project(points[np.tile(foot.build().ankle > 0.5, len(placed))]).T
        seen.append(((x > 0) & (x < 320) & (y > 0) & (y < 240) & (depth > 0)).mean())
    assert np.mean(np.array(seen) > 0.1) > 0.85 and np.mean(np.array(seen) > 0.6) > 0.5
