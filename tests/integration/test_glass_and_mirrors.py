"""Hands seen through glass and in mirrors: masks are those without it."""

from dataclasses import replace

import numpy as np
import pytest
from render_scenes import POSE, SMALL
from scipy.spatial import cKDTree

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

from generator.blender.frame_renderer import FrameRenderer
from generator.frame import frame_spec
from generator.frame.room import mirror
from generator.frame.room.materials import Glass, Mirror
from generator.frame.room.things import Thing, rows
from generator.frame.room.transforms import rotation_to, transform

ROOM = replace(SMALL, resolution=(160, 120), engine="cycles", scene="indoor", samples=1, distance=0.6, mask="both")
CLEAR = Glass("glass", (0.9, 0.95, 0.93), 2.0, 0.3, 12.0)
UPRIGHT = rotation_to(np.array([0.0, -1.0, 0.0]), 0.0)


@pytest.fixture(scope="module")
def studio():
    return FrameRenderer(ROOM)


@pytest.fixture(scope="module")
def alone(studio):
    """A frame with nothing around its hand."""
    spec = studio.decide(2, POSE)
    return replace(spec, around=replace(spec.around, things=(), materials=(), worn=()))


def beside(spec, shape, material, matrix):
    """The frame with one thing."""
    return replace(spec, around=replace(spec.around, things=(Thing(shape, 0, rows(matrix)),), materials=(material,)))


@pytest.mark.parametrize(
    ("shape", "matrix"),
    [
        ("box", transform(UPRIGHT, np.array([0.0, -0.3, 0.0]), np.array([8.0, 8.0, 0.005]))),
        ("tumbler", transform(np.eye(3), np.array([0.02, -0.2, 0.05]), np.array([0.08, 0.08, 0.12]))),
    ],
)
def test_clear_glass_changes_the_image_and_no_mask_or_keypoint(studio, alone, shape, matrix):
    without, through = studio.render(alone, {}), studio.render(beside(alone, shape, CLEAR, matrix), {})
    assert abs(through.image.astype(int) - without.image).mean() > 1
    for one, other in zip(without.instances, through.instances, strict=True):
        assert (one.mask == other.mask).all() and one.mask.sum() > 300
        assert (one.keypoints == other.keypoints).all()


def test_a_hand_in_a_mirror_is_annotated_as_one_of_the_other_side(studio, alone):
    """The mirror stands beside the hand and is turned to it; the reflection's surface says where its mask is."""
    normal = np.array([-np.sin(0.7), -np.cos(0.7), 0.0])
    matrix = transform(rotation_to(normal, 0.0), np.array([0.16, 0.12, 0.05]), np.array([0.5, 0.5, 0.004]))
    spec = beside(alone, "box", Mirror("mirror", (0.9, 0.9, 0.9)), matrix)
    spec = frame_spec.from_json(spec.to_json())
    without, found = studio.render(alone, {}), studio.render(spec, {})
    hand, arm, reflected, reflected_arm = found.instances
    assert [one.side for one in found.instances] == ["right", "right", "left", "left"]
    for one, other in zip(without.instances, (hand, arm), strict=True):
        assert (one.mask == other.mask).all()
    assert (reflected.mask & ~reflected_arm.mask).sum() == 0 and not (reflected.mask & arm.mask).any()

    plane, posed = mirror.plane_of(spec.around.things, spec.around.materials), studio._pose(spec)
    mesh, skin = posed.arms[0].mesh, posed.arms[0].posed.vertices
    seen = spec.camera.project(plane.reflect(skin[mesh.wrist_distance > 0]))[:, :2]
    rows_, columns = np.nonzero(reflected.mask)
    pixels = np.stack([columns, rows_], axis=1) + 0.5
    assert len(pixels) > 100
    assert cKDTree(seen).query(pixels)[0].max() < 2
    inside = seen[(seen > 2).all(axis=1) & (seen < np.array([158, 118])).all(axis=1)]
    assert (cKDTree(pixels).query(inside)[0] < 2).mean() > 0.9
    assert (reflected.keypoints[:, 2] > 0).sum() > 10


def test_a_later_frame_without_a_mirror_has_no_reflection(studio, alone):
    assert len(studio.render(alone, {}).instances) == 2
