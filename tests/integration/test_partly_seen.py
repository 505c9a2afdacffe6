"""Hands seen through glass, in mirrors, and half in a pocket: masks are those without it, less what hides them."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw
from render_scenes import POSE, SMALL
from scipy import ndimage
from scipy.spatial import cKDTree

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

from generator.blender.frame_renderer import FrameRenderer
from generator.frame import frame_spec
from generator.frame.room import mirror, pocket
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Glass, Mirror
from generator.frame.room.props import Prop, SceneProps, rows
from generator.frame.room.transforms import rotation_to, transform
from generator.mesh import sheet
from handforge.dataset import HAND_CATEGORIES, encode_sample

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
    return replace(spec, around=replace(spec.around, props=(), materials=(), arm_wear=()))


def beside(spec, shape, material, matrix):
    """The frame with one thing."""
    return replace(spec, around=replace(spec.around, props=(Prop(shape, 0, rows(matrix)),), materials=(material,)))


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
    noted = encode_sample(found, categories=HAND_CATEGORIES)[0]["annotations"]
    assert [one.get("mirrored") for one in noted] == [None, None, True, True]
    for one, other in zip(without.instances, (hand, arm), strict=True):
        assert (one.mask == other.mask).all()
    assert (reflected.mask & ~reflected_arm.mask).sum() == 0 and not (reflected.mask & arm.mask).any()

    plane, posed = mirror.plane_of(spec.around.props, spec.around.materials), studio._pose(spec)
    mesh, skin = posed.arms[0].mesh, posed.arms[0].surface.vertices
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


def test_a_hand_in_a_pocket_has_the_mask_that_it_has_without_less_the_cloths_pixels(studio, alone):
    arm = studio._pose(alone).arms[0]
    skin, found = arm.surface.vertices, SceneProps()
    view = View(alone.camera, skin, arm.mesh.wrist_distance > 0, np.zeros(len(skin), int))
    assert pocket.put_around(found, np.random.default_rng(3), view)
    around = replace(alone.around, props=tuple(found.props), materials=found.materials)
    spec = frame_spec.from_json(replace(alone, around=around).to_json())
    without, hidden = (studio.render(one, {}).instances[0] for one in (alone, spec))

    vertices, faces = sheet.drape(np.array(found.props[1].heights))
    matrix = np.array(found.props[1].matrix)
    corners = alone.camera.project(vertices @ matrix[:3, :3].T + matrix[:3, 3])[:, :2] - 0.5
    drawn = Image.new("1", (160, 120))
    for triangle in corners[faces]:
        ImageDraw.Draw(drawn).polygon([tuple(corner) for corner in triangle], fill=1)
    cloth = np.asarray(drawn)
    sure = ndimage.binary_erosion(cloth, iterations=2) | ~ndimage.binary_dilation(cloth, iterations=2)
    assert (hidden.mask == (without.mask & ~cloth))[sure].all()
    assert 0.2 < hidden.mask.sum() / without.mask.sum() < 0.8
    covered = [one for one, other in zip(hidden.keypoints, without.keypoints, strict=True) if one[2] < other[2]]
    assert len(covered) >= 5, "fingertips are not seen"


def test_annotating_a_glass_that_is_held_changes_no_mask_of_a_hand_through_glass_or_in_a_mirror():
    """The last test: each renderer takes the one before its scene."""
    asked = replace(ROOM, mask="hand", held=1.0, empty=0.3, empty_kind="objects")
    plain = FrameRenderer(asked)
    drawn = [plain.decide(number, POSE) for number in range(40)]
    spec = next(one for one in drawn if one.grasp and one.grasp.kind == "tumbler" and len(one.hands) == 1)
    assert spec.grasp.model().surfaces[0].kind == "glass"
    spec = replace(spec, around=replace(spec.around, props=(), materials=(), arm_wear=()))
    pane = transform(UPRIGHT, np.array([0.0, -0.45, 0.0]), np.array([8.0, 8.0, 0.005]))
    behind = transform(rotation_to(np.array([0.3, -0.95, 0.0]), 0.0), np.array([0, 0.3, 0]), np.array([3, 3, 0.004]))
    specs = spec, beside(spec, "box", CLEAR, pane), beside(spec, "box", Mirror("mirror", (0.9,) * 3), behind)
    hands = [plain.render(one, {}).instances for one in specs]
    annotating, found = FrameRenderer(replace(asked, object_annotations=True)), []
    for one, without in zip(specs, hands, strict=True):
        *seen, held = annotating.render(one, {}).instances
        for mine, other in zip(seen, without, strict=True):
            assert (mine.mask == other.mask).all() and mine.mask.sum() > 100
        assert held.category == "tumbler"
        found.append(held.mask)
    assert found[0].sum() > 200 and (found[0] == found[1]).all() and (found[2] <= found[0]).all()
    empty = annotating.render(next(one for one in drawn if one.empty), {})
    assert any(one.mask.any() for one in empty.instances), "as before a frame with a hand"
