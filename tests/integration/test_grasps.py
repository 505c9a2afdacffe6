"""Hands that hold objects: no skin in them, enough contacts, the same by seed; and how frames show them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from render_scenes import POSE

from generator.frame import held_object, settings
from generator.frame.settings import RenderSettings, SettingsError
from generator.hand import kinematics, plausibility, pose
from generator.hand.anatomy import BONES, HandShape, skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton
from generator.mesh import hand_mesh, skinning
from generator.objects import grasps, solids
from generator.objects.grasps import DEPTH, TOUCH, TYPES

SHAPES = (HandShape(), HandShape(length=1.1, width=1.08, finger_thickness=1.1))


@pytest.fixture(scope="module")
def drawn():
    """A grasp of each kind, and hands of two shapes, by (kind, shape)."""
    found = {}
    for number, kind in enumerate(TYPES):
        shape = SHAPES[number % 2]
        rng = np.random.default_rng((number, 1))
        found[kind, shape] = next(
            g for _ in range(6) if (g := grasps.draw(rng, hand_mesh.build(shape), skeleton(shape), kind))
        )
    return found


def test_every_kind_can_be_held_and_no_skin_is_deep_in_it(drawn):
    assert len(drawn) == len(TYPES) >= 12
    for (kind, shape), grasp in drawn.items():
        mesh, hand = hand_mesh.build(shape), skeleton(shape)
        one = grasp.in_pose(pose.bind())
        skin = skinning.skin(
            mesh.vertices, mesh.weights, kinematics.transforms(one, hand)
        )  # every vertex, not a sample
        matrix = np.array(grasp.matrix)
        apart = solids.distance(grasp.model().parts, (skin - matrix[:3, 3]) @ matrix[:3, :3])
        assert apart.min() > -DEPTH - 1e-6, kind
        owner = mesh.weights.argmax(axis=1)
        touching = {BONES[bone].split("_")[0] for bone in np.unique(owner[apart < TOUCH])}
        assert len(touching) >= 2, kind
        assert set(grasp.contacts) - {"palm"} <= touching
        assert plausibility.judge(one[None], hand)[0] not in ("joint limit", "self-collision"), kind
        assert grasp.type in TYPES[kind]


def test_a_grasp_comes_again_from_its_random_numbers():
    mesh, hand = hand_mesh.build(), skeleton()
    one, other = (grasps.draw(np.random.default_rng(5), mesh, hand) for _ in range(2))
    assert one == other and one is not None


def test_an_object_moves_with_the_hand(drawn):
    (_, shape), grasp = next(iter(drawn.items()))
    hand, mesh = skeleton(shape), hand_mesh.build(shape)
    one = PosedSkeleton(grasp.in_pose(POSE), hand)
    skin = skinning.skin(mesh.vertices, mesh.weights, one.transforms)
    camera = Camera(distance=0.6)
    right = held_object.place(grasp, one, "right", camera)
    left = held_object.place(grasp, one, "left", camera)
    assert right.distance(skin).min() == pytest.approx(left.distance(skin * [-1, 1, 1]).min(), abs=1e-9)
    assert -DEPTH - 0.0005 < right.distance(skin).min() < TOUCH
    assert np.abs(right.distance(right.mesh()[0])).min() < 1e-6
    assert left.mesh()[0] == pytest.approx(right.mesh()[0] * [-1, 1, 1])
    assert held_object.place(grasp, one, "right", Camera(distance=0.05)) is None, "too near to the lens"


def test_the_fraction_of_frames_that_hold_something_is_kept(monkeypatch):
    monkeypatch.setattr(grasps, "draw", lambda rng, mesh, hand, own: "grasp")
    some = replace(RenderSettings(scene="indoor"), held=0.3)
    found = Counter(held_object.draw_grasp(some, frame, None, None) for frame in range(1500))
    assert found["grasp"] / 1500 == pytest.approx(0.3, abs=0.04)
    assert held_object.draw_grasp(replace(some, held=0.0), 0, None, None) is None
    with pytest.raises(SettingsError, match="held is a number from 0 to 1, not -1"):
        settings.load(None, {"held": -1})
    with pytest.raises(SettingsError, match="held is a fraction of the images of indoor scenes; set scene to indoor"):
        settings.load(None, {"held": 0.5})


def test_an_object_hides_its_part_of_the_hand_and_the_record_says_what_it_is(monkeypatch):
    pytest.importorskip("bpy", reason="Blender's Python module is not installed")
    from generator.blender.frame_renderer import FrameRenderer

    room = RenderSettings(scene="indoor", held=1.0, resolution=(160, 120), samples=4)
    renderer = FrameRenderer(room)
    found = 0
    for frame in range(4):
        sample = renderer.frame(frame, POSE, {})
        if "held" not in sample.meta:
            continue
        with monkeypatch.context() as patch:
            patch.setattr("generator.blender.scene.object_meshes.put_held", lambda props, held: None)
            bare = renderer.frame(frame, POSE, {})
        shown, whole = sample.instances[0].mask, bare.instances[0].mask
        assert (shown & ~whole).mean() < 0.003, "the mask is the hand's alone"
        assert (sample.image != bare.image).any()
        assert (
            sample.meta["held"]["object"] in TYPES
            and sample.meta["held"]["grasp"] in TYPES[sample.meta["held"]["object"]]
        )
        found += (shown != whole).any()
    assert found >= 2
