"""The bare foot: an adult's size, closed, with five toes that bend where they begin and move nothing else."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from generator.frame import feet
from generator.hand.camera import Camera
from generator.mesh import foot, sheet, skin_color
from generator.mesh.foot import FootPose, FootShape
from generator.mesh.limb_skin import LimbSkin
from generator.mesh.skin_color import Patch

MEAN, STANDING = FootShape(), FootPose()


@pytest.fixture(scope="module")
def mesh():
    return foot.build()


def test_it_is_closed_and_of_an_adults_size(mesh):
    edges = np.sort(mesh.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    a, b, c = mesh.vertices[mesh.faces].astype(float).transpose(1, 0, 2)
    assert 0.008 < (a * np.cross(b, c)).sum() / 6 < 0.02, "8 to 20 litres to the hip, and its faces look outwards"
    low = mesh.vertices[mesh.vertices[:, 2] < 0.03]
    assert np.ptp(low, axis=0)[:2] == pytest.approx([0.1, 0.254], abs=0.008), "ANSUR II, between men and women"
    assert low[:, 2].min() == pytest.approx(0, abs=0.003), "it stands on the ground"


def test_its_leg_has_published_girths(mesh):
    """Of Heinz et al. 2003: the calf is as thick as the knee, and the leg is thinner between."""

    def girth(low, high, choose):
        levels = np.arange(low, high, 0.01)
        rings = [mesh.vertices[np.abs(mesh.vertices[:, 2] - z) < 0.008, :2] for z in levels]
        return 100 * choose(ConvexHull(ring).area for ring in rings)

    assert girth(0.1, 0.2, min) == pytest.approx(22.2, abs=0.8)
    assert girth(0.28, 0.4, max) == pytest.approx(36.1, abs=0.8)
    assert girth(0.465, 0.49, max) == pytest.approx(36.2, abs=0.8)
    assert girth(0.4, 0.45, min) < 35.0


def test_its_marks_are_where_they_belong(mesh):
    _, y, z = mesh.vertices.T
    assert y[mesh.nail > 0.5].min() > 0.17 and z[mesh.nail > 0.5].min() > 0.004
    owner = np.argmin([np.linalg.norm(mesh.vertices - tip / 1000, axis=1) for tip in foot._TIP], axis=0)
    counts = np.bincount(owner[mesh.nail > 0.5], minlength=5)
    assert (counts >= 8).all() and counts[0] == counts.max(), "five nails, the great toe's the largest"
    assert z[mesh.palm > 0.8].max() < 0.03 and (mesh.palm > 0.8).mean() > 0.1


@pytest.mark.parametrize("number", range(5))
def test_a_toe_bends_alone_and_turns_about_its_joint(mesh, number):
    rest = foot.posed(mesh, MEAN, STANDING)
    bent = [0.0] * 5
    bent[number] = 0.5
    moved = np.linalg.norm(foot.posed(mesh, MEAN, FootPose(toes=tuple(bent))) - rest, axis=1)
    assert moved[mesh.toe[:, number] == 0].max() < 1e-7, "nothing else moves"
    tip = np.argmin(np.linalg.norm(rest - foot._TIP[number] / 1000 - [0, 0.006, 0], axis=1))
    assert moved[tip] > 0.01
    others = [n for n in range(5) if n != number]
    assert moved[(mesh.toe[:, others] > 0.9).any(axis=1)].max() < 0.004


def test_the_leg_moves_about_the_ankle_and_the_sole_stays(mesh):
    rest = foot.posed(mesh, MEAN, STANDING)
    moved = foot.posed(mesh, MEAN, FootPose(ankle=0.5, knee=1.2))
    sole = rest[:, 2] < 0.02
    assert np.abs(moved - rest)[sole].max() < 1e-9
    shin = (rest[:, 2] > 0.2) & (rest[:, 2] < 0.35)
    pivot = foot.ANKLE / 1000
    assert np.linalg.norm(moved[shin] - pivot, axis=1) == pytest.approx(np.linalg.norm(rest[shin] - pivot, axis=1))
    assert moved[foot.is_end()][:, 2].mean() < rest[foot.is_end()][:, 2].mean() - 0.1, "the knee is bent"


def test_shapes_scale_and_every_random_foot_is_a_foot(mesh):
    assert foot.posed(mesh, FootShape(length=1.1), STANDING) == pytest.approx(1.1 * foot.posed(mesh, MEAN, STANDING))
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = foot.posed(mesh, FootShape.random(rng), FootPose.random(rng))
        assert np.isfinite(points).all()
        low = points[mesh.ankle > 0.9]
        assert 0.12 < np.ptp(low[:, 1]) < 0.32 and 0.05 < np.ptp(low[:, 0]) < 0.15


def test_a_great_toe_that_leans_turns_about_its_joint_and_leaves_the_heel(mesh):
    rest, leaning = (foot.posed(mesh, FootShape(valgus=angle), STANDING) for angle in (0.0, 0.3))
    tip = np.argmin(np.linalg.norm(rest - foot._TIP[0] / 1000 - [0, 0.006, 0], axis=1))
    assert leaning[tip, 0] > rest[tip, 0] + 0.01, "to the other toes"
    ball = rest[:, 2] < 0.03
    assert leaning[ball, 0].min() < rest[ball, 0].min() - 0.003, "its joint stands out"
    assert np.abs(leaning - rest)[rest[:, 1] < 0.1].max() < 1e-4


def test_great_and_second_toe_are_the_longest_as_often_as_published(mesh):
    rng, ahead = np.random.default_rng(0), []
    for _ in range(300):
        shape = FootShape.random(rng)
        points = foot.posed(mesh, shape, STANDING)
        great, second = (points[mesh.toe[:, number] > 0.9, 1].max() for number in range(2))
        ahead.append((great - second) / shape.length)
    assert np.mean(np.array(ahead) > 0.001) == pytest.approx(0.69, abs=0.06)
    assert np.mean(np.array(ahead) < -0.001) == pytest.approx(0.22, abs=0.06)


def test_the_darkest_soles_are_far_paler_than_the_backs_of_feet_and_the_fairest_are_not(mesh):
    for tone, least, most in ((1.0, 3.0, 6.0), (0.0, 0.9, 1.2)):
        skin = LimbSkin(0.5, 0.5, (0.0, 0.0, 0.0))
        one = feet.PlacedFoot("right", MEAN, STANDING, tone, None, tuple(map(tuple, np.eye(4).tolist())), skin)
        sole, back = (one.colors()[chosen].mean() for chosen in (mesh.palm > 0.9, mesh.palm < 0.1))
        assert least < sole / back < most


def test_clawed_toes_bend_at_their_first_joints_and_the_great_toe_does_not(mesh):
    rest, clawed = (foot.posed(mesh, MEAN, FootPose(claw=claw)) for claw in (0.0, 0.8))
    center, tip = (
        np.argmin(np.linalg.norm(rest - place[2] / 1000 - [0, 0, 0.006], axis=1)) for place in (foot._CENTER, foot._TIP)
    )
    assert clawed[center, 2] > rest[center, 2] + 0.003 and clawed[tip, 1] < rest[tip, 1] - 0.003
    great = (mesh.toe[:, 0] > 0.9) & (mesh.toe[:, 1:] == 0).all(axis=1)
    assert np.abs(clawed - rest)[great].max() < 1e-9


def test_nails_are_mapped_across_and_along_and_hair_and_calluses_are_on_other_skin(mesh):
    across, along, outside = mesh.nail_map.T
    on = outside < -0.5
    assert (np.abs(across[on]) < 1).all() and (np.abs(along[on]) < 1).all() and (mesh.nail[on] > 0.7).all()
    great = on & (np.linalg.norm(mesh.vertices - foot._TIP[0] / 1000, axis=1) < 0.02)
    assert np.corrcoef(along[great], mesh.vertices[great, 1])[0, 1] > 0.9, "from the root to the end"
    shin = (mesh.vertices[:, 2] > 0.2) & (mesh.vertices[:, 2] < 0.35)
    assert foot.hairiness()[shin].min() > 0.9 and foot.hairiness()[mesh.palm > 0.5].max() == 0
    assert foot.rubbed().max() > 0.8 and foot.rubbed()[shin].max() < 1e-6


def test_the_arch_is_above_the_ground_and_the_heel_and_the_ball_are_on_it(mesh):
    x, y, z = mesh.vertices.T

    def low(across, along):
        return z[(np.hypot(x - across, y - along) < 0.006)].min()

    assert low(-0.03, 0.105) > 0.012
    assert low(0.0, 0.03) < 0.002 and low(-0.033, 0.183) < 0.002


def test_raw_flesh_glistens_where_its_patch_is(mesh):
    place = tuple(
        float(part) for part in mesh.vertices[np.argmin(np.linalg.norm(mesh.vertices - [0.0, 0.02, 0.0], axis=1))]
    )
    skin = LimbSkin(0.5, 0.5, (0.0, 0.0, 0.0))
    matrix = tuple(map(tuple, np.eye(4).tolist()))
    wound = feet.PlacedFoot(
        "right", MEAN, STANDING, 0.2, None, matrix, skin, (Patch(place, 0.01, (0.5, 0, 0), 0.9, wet=True),)
    )
    wet = wound.surface()[:, 1]
    away = np.linalg.norm(mesh.vertices - place, axis=1)
    assert wet[away < 0.006].min() > 0.8 and wet[away > 0.014].max() == 0


def test_a_patch_colors_the_skin_around_its_place_and_nothing_else(mesh):
    plain = skin_color.colors(mesh, 0.3)
    place = mesh.vertices[np.argmin(np.linalg.norm(mesh.vertices - [-0.03, 0.22, 0.0], axis=1))]
    red = (0.5, 0.05, 0.05)
    colors = skin_color.patched(mesh.vertices, plain, (Patch(tuple(place.tolist()), 0.012, red, 1.0),))
    away = np.linalg.norm(mesh.vertices - place, axis=1)
    assert colors[away < 0.008] == pytest.approx(np.tile(red, ((away < 0.008).sum(), 1)))
    np.testing.assert_array_equal(colors[away > 0.016], plain[away > 0.016])


def test_feet_in_a_clinic_lie_on_their_sheet_and_some_are_wounded():
    rng, wounded = np.random.default_rng(2), 0
    for _ in range(12):
        camera, placed, ground = feet.draw_feet(rng, Camera(320, 240), clinic=True)
        normal, point = (np.array(part) for part in ground)
        heights = [float(((one.vertices() - point) @ normal).min()) for one in placed]
        assert min(heights) == pytest.approx(0, abs=1e-6) and np.linalg.norm(normal) == pytest.approx(1)
        assert normal[2] > 0 or abs(normal[1]) > 0.5, "the camera sees the sheet from above or from the front"
        assert np.linalg.norm(camera.to_camera(placed[0].vertices()), axis=1).min() > 0.05
        wounded += len(placed[0].patches) > len(feet._LOADED) + 1
    assert 4 <= wounded < 12


def test_a_sheet_is_creased_around_its_plane_and_hangs_down_at_two_sides():
    for seed in range(4):
        vertices, faces = sheet.sheet(np.random.default_rng(seed))
        a, b, c = vertices[faces].transpose(1, 0, 2)
        upward = np.cross(b - a, c - a)[:, 2]
        lying = vertices[faces].min(axis=1)[:, 2] > -0.01
        assert (upward[lying] > 0).mean() > 0.99, "its faces look to the camera"
        on_bed = vertices[vertices[:, 2] > -0.012]
        assert np.abs(on_bed[:, 2]).max() <= 0.02 and on_bed[:, 2].std() > 0.0005
        assert -0.3 < vertices[:, 2].min() < -0.15


def test_the_skin_of_limbs_is_told_at_every_vertex(mesh):
    skin = LimbSkin(age=0.25, blood=0.75, place=(1.0, 2.0, 3.0))
    assert skin.rest(mesh.vertices) - mesh.vertices == pytest.approx(np.tile([1.0, 2.0, 3.0], (len(mesh.vertices), 1)))
    marks = skin.marks(mesh.palm)
    np.testing.assert_array_equal(marks[:, 0], mesh.palm)
    np.testing.assert_array_equal(np.unique(marks[:, 1:], axis=0), [[0.25, 0.75]])


def test_skin_in_a_clinic_is_older_and_redder():
    drawn = {}
    for aged in (True, False):
        skins = [LimbSkin.random(np.random.default_rng(seed), aged) for seed in range(200)]
        drawn[aged] = np.array([(one.age, one.blood) for one in skins])
        assert ((drawn[aged] >= 0) & (drawn[aged] <= 1)).all()
    assert (drawn[True].mean(axis=0) > drawn[False].mean(axis=0) + 0.1).all()
