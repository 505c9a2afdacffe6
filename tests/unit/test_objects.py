"""Objects by code: signed distances against geometry that can be computed, closed meshes, sizes of objects as sold."""

import numpy as np
import pytest

from generator.maths import rotation_about
from generator.objects import catalog, lookalikes, makers, solids
from generator.objects.solids import Box, Lathe, Part, Tube, at
from generator.objects.surfaces import KINDS

POINTS = np.random.default_rng(0).normal(0, 0.05, (400, 3))


def volume(vertices, faces):
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return float((a * np.cross(b, c)).sum() / 6)


def test_a_lathe_of_a_straight_profile_is_a_cylinder():
    radius, half = 0.03, 0.05
    flat = np.hypot(POINTS[:, 0], POINTS[:, 1]) - radius
    up = np.abs(POINTS[:, 2]) - half
    outside = np.hypot(np.maximum(flat, 0), np.maximum(up, 0))
    expected = np.where((flat < 0) & (up < 0), np.maximum(flat, up), outside)
    found = Lathe(((radius, -half), (radius, half))).distance(POINTS)
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_lathe_that_turns_back_is_hollow():
    cup = Lathe(((0.03, 0.0), (0.03, 0.1), (0.028, 0.1), (0.028, 0.004)))
    inside, wall, bottom, above = [[0, 0, 0.05]], [[0.029, 0, 0.05]], [[0, 0, 0.002]], [[0, 0, 0.12]]
    assert cup.distance(np.array(inside)) == pytest.approx([0.028])
    assert cup.distance(np.array(wall)) == pytest.approx([-0.001])
    assert cup.distance(np.array(bottom)) == pytest.approx([-0.002])
    assert cup.distance(np.array(above))[0] == pytest.approx(np.hypot(0.028, 0.02))


def test_a_box_and_a_tube_have_the_distance_that_geometry_says():
    box = Box((0.02, 0.04, 0.06), 0.004)
    found = box.distance(np.array([[0, 0, 0], [0.03, 0, 0], [0.01, 0.02, 0.03], [0, 0.05, 0.06]]))
    corner = np.sqrt(3) * 0.004 - 0.004
    assert found == pytest.approx([-0.01, 0.02, corner, np.hypot(0.034, 0.034) - 0.004])
    tube = Tube(((0, 0, -0.05), (0, 0, 0.05)), (0.01, 0.01))
    assert tube.distance(np.array([[0, 0, 0], [0.03, 0, 0], [0, 0, 0.08]])) == pytest.approx([-0.01, 0.02, 0.02])


@pytest.mark.parametrize(
    ("solid", "expected"),
    [
        (Lathe(((0.03, -0.05), (0.03, 0.05)), 200), np.pi * 0.03**2 * 0.1),
        (Box((0.02, 0.04, 0.06), 0.0005), 0.02 * 0.04 * 0.06),
        (Tube(((0, 0, -0.05), (0, 0, 0.05)), (0.01, 0.01), sides=120), np.pi * 0.01**2 * (0.1 + 4 / 3 * 0.01)),
    ],
)
def test_meshes_look_outwards_and_have_the_volume_of_their_solid(solid, expected):
    vertices, faces = solid.mesh()
    assert volume(vertices, faces) == pytest.approx(expected, rel=0.03)
    assert np.abs(solid.distance(vertices)).max() < 1e-4


def test_a_part_is_where_its_matrix_puts_it():
    part = Part(Box((0.02, 0.04, 0.06)), 0, at(0.1, 0.2, 0.3, rotation_about(2, np.pi / 2)))
    vertices, _ = part.mesh()
    assert vertices.mean(axis=0) == pytest.approx([0.1, 0.2, 0.3])
    assert np.ptp(vertices, axis=0) == pytest.approx([0.04, 0.02, 0.06])
    assert np.abs(part.distance(vertices)).max() < 1e-9


MAKERS = list(makers.MAKERS.values())


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_things_lie_on_their_own_surface_and_are_made_of_what_they_list(maker):
    for seed in range(4):
        model = maker(np.random.default_rng(seed))
        vertices, faces, surfaces = solids.mesh(model.parts)
        assert np.isfinite(vertices).all() and faces.max() < len(vertices)
        assert volume(vertices, faces) > 0, "it looks outwards"
        assert solids.distance(model.parts, vertices).max() < 5e-4, "no vertex lies off the solid"
        assert surfaces.max() < len(model.surfaces)
        for one in model.surfaces:
            assert one.kind in KINDS and all(0 <= part <= 1 for part in (*one.color, *one.second, one.roughness))
    again = maker(np.random.default_rng(3))
    assert (solids.mesh(again.parts)[0] == vertices).all()


@pytest.mark.parametrize(
    ("kind", "longest"),
    [
        ("phone", (0.13, 0.18)),
        ("pen", (0.12, 0.2)),
        ("cup", (0.07, 0.15)),
        ("ball", (0.03, 0.1)),
        ("book", (0.15, 0.26)),
    ],
)
def test_things_have_the_size_that_they_are_sold_in(kind, longest):
    for seed in range(10):
        vertices = solids.mesh(catalog.HELD[kind](np.random.default_rng(seed)).parts)[0]
        assert longest[0] <= np.ptp(vertices, axis=0).max() <= longest[1]


def test_at_least_twelve_kinds_can_be_held():
    assert len(catalog.HELD) >= 12


def test_an_empty_glove_is_open_at_its_cuff_and_flatter_than_a_worn_one():
    for seed in range(6):
        model = lookalikes.glove(np.random.default_rng(seed))
        vertices = solids.mesh(model.parts)[0]
        thick, long = np.ptp(vertices[:, 1]), np.ptp(vertices[:, 2])
        assert 0.1 < long < 0.45
        gloved = lookalikes.glove_mesh.wear(model.parts[0].solid.glove)
        assert thick < 0.9 * np.ptp(gloved.vertices[:, 1])
        assert vertices[:, 2].min() > -0.3, "without the arm"
