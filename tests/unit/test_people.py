"""People around hands: what they are put together from, and that they have room where they are."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from generator.frame import crowd
from generator.frame.room import bodies, people
from generator.frame.room.arm_view import View
from generator.frame.room.materials import plain
from generator.frame.room.props import SceneProps
from generator.frame.settings import RenderSettings
from generator.hand import pose
from generator.hand.anatomy import skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton
from generator.mesh import person_mesh

TUBE = np.linspace(-0.6, 0.18, 800)[:, None] * [0.0, 0.0, 1.0]
"""Points of an upright arm, its hand above the origin."""
VIEW = View(Camera(480, 360, 0.6), TUBE, TUBE[:, 2] > 0, np.zeros(800, int))
ROOM = RenderSettings(scene="indoor", resolution=(480, 360), crowd=0.5, egocentric=0.5)
HAND = skeleton()


def volume(vertices, faces):
    a, b, c = vertices[faces].transpose(1, 0, 2)
    return (a * np.cross(b, c)).sum() / 6


PARTS = {
    "shirt": (person_mesh.shirt, (0.45, 0.26, 0.67), 0.040),
    "hips": (person_mesh.hips, (0.35, 0.26, 0.28), 0.017),
    "neck": (person_mesh.neck, (0.18, 0.158, 0.21), 0.0028),
    "long hair": (person_mesh.long_hair, (0.21, 0.132, 1.12), 0.0067),
    "upper arm": (lambda: person_mesh.limb("upper arm", 0.05, 0.3), (0.1, 0.1, 0.389), 0.0023),
    "forearm": (lambda: person_mesh.limb("forearm", 0.04, 0.26), (0.081, 0.08, 0.325), 0.00105),
    "thigh": (lambda: person_mesh.limb("thigh", 0.09, 0.42), (0.18, 0.18, 0.566), 0.0082),
    "shank": (lambda: person_mesh.limb("shank", 0.057, 0.42), (0.114, 0.114, 0.513), 0.0035),
    "sleeve": (lambda: person_mesh.sleeve(0.05, 0.3), (0.105, 0.105, 0.388), 0.0022),
}
"""Functions that make meshes; their size, metres, and their volume, cubic metres."""


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_closed_looks_outwards_and_has_its_size(part):
    make, size, cubic = PARTS[part]
    vertices, faces = make()
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    assert np.ptp(vertices, axis=0) == pytest.approx(size, rel=0.08)
    assert volume(vertices, faces) == pytest.approx(cubic, rel=0.15)


def test_a_limb_is_about_its_axis_between_its_joints_and_thinner_at_its_end():
    vertices, _ = person_mesh.sleeve(0.06, 0.3)
    far = np.hypot(vertices[:, 0], vertices[:, 1])
    assert far[vertices[:, 2] < 0].max() == pytest.approx(0.06, rel=0.1)
    assert far[vertices[:, 2] > 0.149].max() == pytest.approx(0.76 * 0.06, rel=0.1)


@pytest.mark.parametrize(
    ("part", "thickest", "where", "end"),
    [
        ("upper arm", 31.2, 0.5, 25.4),
        ("forearm", 25.9, 0.2, 16.1),
        ("thigh", 56.9, 0.0, 36.2),
        ("shank", 36.2, 0.0, 22.8),
    ],
)
def test_limbs_have_published_girths(part, thickest, where, end):
    """Of Heinz et al. 2003: arms swell at the biceps and below the elbow, calves below the knee."""
    vertices, _ = person_mesh.limb(part, thickest / 200 / np.pi, 0.4)
    levels = np.linspace(0, 0.4, 26)

    def girth(z):
        ring = vertices[np.abs(vertices[:, 2] + 0.2 - z) < 1e-9]
        return 100 * np.linalg.norm(ring - np.roll(ring, 1, axis=0), axis=1).sum()

    girths = np.array([girth(z) for z in levels])
    assert girths.max() == pytest.approx(thickest, rel=0.02) and girths[-1] == pytest.approx(end, rel=0.03)
    assert levels[girths.argmax()] / 0.4 == pytest.approx(where, abs=0.1)
    if part == "shank":
        calf = (levels > 0.1) & (levels < 0.2)
        assert girths[calf].max() == pytest.approx(36.1, rel=0.03)
        assert girths[(levels > 0.03) & (levels < 0.08)].min() < girths[calf].max() - 1, "thinner below the knee"


def test_no_two_shirts_have_the_same_folds():
    def folds(make):
        meshes = [make(variant)[0] for variant in range(4)]
        return [np.linalg.norm(a - b, axis=1).max() for n, a in enumerate(meshes) for b in meshes[:n]]

    assert min(folds(person_mesh.shirt)) > 0.006 and min(folds(person_mesh.hips)) > 0.004
    assert min(folds(lambda variant: person_mesh.sleeve(0.06, 0.3, variant))) > 0.001
    variants = Counter()
    for props in with_people(lambda props, rng: people.distract(props, rng, VIEW), range(40)):
        variants.update(prop.variant for prop in props.props if prop.shape == "shirt")
    assert len(variants) > 6


def with_people(put, seeds):
    for seed in seeds:
        props = SceneProps()
        put(props, np.random.default_rng(seed))
        yield props


def places(props, shape):
    return np.array([prop.matrix for prop in props.props if prop.shape == shape]).reshape(-1, 4, 4)


def test_every_head_is_on_a_neck_over_a_shirt_and_hips_with_two_arms_and_two_legs():
    heads = 0
    for props in with_people(lambda props, rng: people.distract(props, rng, VIEW), range(40)):
        found = places(props, "head")
        heads += len(found)
        for shape in ("neck", "shirt", "hips"):
            assert len(places(props, shape)) == len(found) == len(props.bodies)
        for place, neck in zip(found, places(props, "neck"), strict=True):
            top = neck @ [0.0, -0.02, 0.2, 1.0]
            assert np.linalg.norm((top - place[:, 3])[:3]) < 0.06, "within the head"
        ends = places(props, "sleeve")
        assert len(ends) >= 6 * len(found), "four of legs, two of arms"
    assert heads > 20


def test_bodies_touch_no_arm_nor_camera_nor_prop_nor_each_other():
    eye, crowded = np.array([0.0, -0.6, 0.0]), 0

    def put(props, rng):
        props.furnish(rng, VIEW, plain(rng, np.full(3, 0.5)), more=5)
        people.person(props, rng, VIEW)
        people.distract(props, rng, VIEW)

    for props in with_people(put, range(60)):
        boxes = np.linalg.inv(places(props, "box"))
        for number, balls in enumerate(props.bodies):
            centers, radii = balls[:, :3], balls[:, 3]
            assert (np.linalg.norm(VIEW.arm[:, None] - centers, axis=-1) > radii - 0.005).all()
            assert (np.linalg.norm(eye - centers, axis=1) > radii).all()
            for other in props.bodies[:number]:
                apart = np.linalg.norm(centers[:, None] - other[:, :3], axis=-1)
                assert (apart > radii[:, None] + other[:, 3]).all()
            table = boxes[:1] if len(boxes) else boxes
            local = centers @ table[:, :3, :3].transpose(0, 2, 1) + table[:, None, :3, 3]
            assert not (np.abs(local) < 0.5).all(axis=-1).any(), "the table"
        crowded += len(props.bodies) > 1
    assert crowded > 5


def groups():
    drawn = (crowd.draw_crowd(ROOM, frame, pose.bind()[6:], HAND, 0.3) for frame in range(60))
    return [group for group in drawn if group and group.persons]


def filled(group, seed, *, alone=True):
    props, rng = SceneProps(), np.random.default_rng(seed)
    posed = [PosedSkeleton(np.array(hand.pose), HAND) for hand in group.hands]
    side = [np.array([-1, 1, 1] if hand.side == "left" else [1, 1, 1]) for hand in group.hands]
    points = np.concatenate([one.keypoints * mirror for one, mirror in zip(posed, side, strict=True)])
    view = View(group.camera, points, np.ones(len(points), bool), np.zeros(len(points), int))
    bodies.fill_scene(props, rng, group, posed, bodies.draw_clothes(rng, group), {0}, view, alone=alone)
    return props


def test_people_of_a_crowd_have_two_arms_each_and_no_table_cuts_them():
    tables = 0
    for seed, group in enumerate(groups()):
        props = filled(group, seed)
        seen = [hand for hand in group.hands if group.kind == "people" or hand.person]
        pockets = 2 * len(group.persons) - len(seen)
        reaching = len(group.hands)
        arms = len(places(props, "sleeve")) + len(places(props, "upper arm")) + len(places(props, "forearm"))
        legs = 4 * len(group.persons)
        assert 2 * pockets <= arms - legs - reaching <= 3 * pockets, "two parts of an arm, and a short sleeve"
        desk = [prop for prop in props.props if prop.shape == "box"]
        if group.table is None:
            continue
        flat = [np.array(one.matrix) for one in desk if np.linalg.norm(np.array(one.matrix)[:3, 1]) >= 0.25]
        tops = [one for one in flat if abs(one[:3, 2] @ group.table[0]) == pytest.approx(0.04)]
        for top in tops[:1]:
            tables += 1
            for balls in props.bodies:
                trunk = balls[np.abs((balls[:, :3] - top[:3, 3]) @ np.array(group.table[0])) < 0.05][:, :3]
                local = np.column_stack([trunk, np.ones(len(trunk))]) @ np.linalg.inv(top).T
                assert not (np.abs(local[:, :2]) < 0.5).all(axis=1).any()
    assert tables > 10


def test_people_of_a_crowd_all_stand_or_all_sit_on_one_floor():
    floors = 0
    for seed, group in enumerate(groups()):
        props = filled(group, seed, alone=False)
        up = np.array(group.persons[0].axes)[:, 2]
        shoes = [np.array(prop.matrix) for prop in props.props if prop.shape == "block"][: 2 * len(group.persons)]
        soles = np.array([one[:3, 3] @ up - np.linalg.norm(one[:3, 2]) / 2 for one in shoes])
        assert np.ptp(soles) < 1e-6
        assert soles == pytest.approx(props.ground, abs=1e-6)
        floors += props.floored
    assert floors > 0.8 * len(groups()), "none is drawn that would cut an arm"


def test_things_stand_on_tables_and_not_beside_them():
    stood = 0
    for props in with_people(lambda props, rng: props.furnish(rng, VIEW, more=20), range(30)):
        if not props.props:
            continue
        top, *others = (np.linalg.inv(np.array(prop.matrix)) for prop in props.props)
        for one in others:
            place = top @ np.linalg.inv(one)[:, 3]
            assert (np.abs(place[:2]) < 0.75).all(), "the middle of a part of a piece of furniture may stand out"
            stood += 1
    assert stood > 50


def test_sleeves_of_one_person_are_alike():
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    from generator.blender.frame_renderer import FrameRenderer

    studio, pairs = FrameRenderer(replace(ROOM, resolution=(96, 64), samples=1)), 0
    for number in range(12):
        spec = studio.decide(number, pose.bind())
        if spec.crowd is None:
            continue
        for person in {hand.person for hand in spec.crowd.hands}:
            own = [n for n, hand in enumerate(spec.crowd.hands) if hand.person == person]
            arm_wear = [
                [replace(one, arm=0) for one in spec.around.arm_wear if one.arm == n and one.bends] for n in own
            ]
            assert all(one == arm_wear[0] for one in arm_wear)
            pairs += len(own) == 2 and bool(arm_wear[0])
    assert pairs > 2
