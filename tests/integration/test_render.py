"""What engines draw, by truth first: areas, joints on their pixels, white, edges. Then the two engines side by side."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from render_scenes import PLAIN, POSE, SMALL

from generator.frame import camera_effects
from generator.frame.frame_look import SHAPES, draw_frame_look, hand_shape
from generator.frame.settings import RenderSettings
from generator.hand import kinematics, pose
from generator.hand.anatomy import BONES, MEAN, HandShape, skeleton
from generator.hand.camera import Camera
from generator.mesh import hand_mesh, skin_color
from generator.mesh.sleeve import Sleeve
from handforge.dataset import KEYPOINTS

pytest.importorskip("bpy", reason="Blender's Python module is not installed")
import bpy

from generator.blender import frame_renderer, rig
from generator.blender.engines import registry
from generator.blender.engines.render_layers import RenderLayers
from generator.blender.frame_renderer import VISIBLE, FrameRenderer, joints, keypoints


@pytest.fixture(scope="module", params=["raster", "cycles"])
def studio(request):
    if reason := registry.why_not(request.param):
        pytest.skip(reason)
    return FrameRenderer(replace(SMALL, engine=request.param, samples=16))


def ball(radius, center=(0, 0, 0), bone=0, rings=48):
    """A sphere that moves with one bone; its upper half belongs to the hand, its lower one to the forearm."""
    polar, around = np.linspace(0, np.pi, rings + 1), np.arange(2 * rings) * np.pi / rings
    grid = np.stack(
        [
            np.sin(polar)[:, None] * np.cos(around),
            np.sin(polar)[:, None] * np.sin(around),
            np.cos(polar)[:, None] * np.ones_like(around),
        ],
        axis=-1,
    )
    index = np.arange(grid.shape[0] * grid.shape[1]).reshape(grid.shape[:2])
    a, b = index[:-1], index[1:]
    faces = [np.stack([a, b, np.roll(b, -1, 1)], -1), np.stack([a, np.roll(b, -1, 1), np.roll(a, -1, 1)], -1)]
    vertices = grid.reshape(-1, 3) * radius
    weights = np.zeros((len(vertices), len(BONES)), np.float32)
    weights[:, bone] = 1
    mark = np.zeros(len(vertices), np.float32)
    return hand_mesh.HandMesh(
        (vertices + center).astype(np.float32),
        np.concatenate([f.reshape(-1, 3) for f in faces]).astype(np.int32),
        weights,
        vertices[:, 2].astype(np.float32),
        mark,
        mark,
        mark,
    )


def draw(studio, mesh, angles, camera):
    """A drawing of any mesh on the mean hand's bones, painted white-ish."""
    hand = rig.build(skeleton(), mesh)
    rig.paint(hand.surface, np.full((len(mesh.vertices), 3), 0.6))
    rig.set_pose(hand, angles)
    studio.stage.show(hand)
    return studio.engine.drawer.draw(hand, rig.posed_surface(hand), camera, PLAIN)


def test_a_sphere_covers_the_area_that_geometry_says(studio):
    camera = Camera(640, 360, 1.0, 45.0)
    drawing = draw(studio, ball(0.1), pose.bind(), camera)
    radius = camera.matrix[0, 0] * 0.1 / np.sqrt(1 - 0.1**2)
    area = np.pi * radius**2
    hand, forearm = drawing.hand.sum(), drawing.forearm.sum()
    assert hand + forearm == pytest.approx(area, rel=0.005)
    assert hand == pytest.approx(area / 2, rel=0.01)
    assert ((drawing.hand + drawing.forearm) >= 0.5).sum() == pytest.approx(area, rel=0.005)


def test_the_brightest_point_of_a_sphere_faces_the_light_and_the_formula_gives_its_value(studio):
    camera = Camera(640, 360, 1.0, 45.0)
    drawing = draw(studio, ball(0.1), pose.bind(), camera)
    center = drawing.image[camera.height // 2 - drawing.box[1], camera.width // 2 - drawing.box[0]]
    expected = 255 * (1.055 * 0.6 ** (1 / 2.4) - 0.055)  # full light on a linear albedo of 0.6, as sRGB
    assert center == pytest.approx(expected, abs=1.5)


@pytest.mark.parametrize("name", ["little_tip", "thumb_ip", "wrist", "index_pip"])
def test_joints_fall_on_their_pixels(studio, name):
    number = KEYPOINTS.index(name)
    bones = skeleton()
    camera = Camera(640, 360, 1.1, 40.0)
    mesh = ball(0.008, bones.keypoints[number], int(bones.keypoint_bones[number]), rings=12)
    drawing = draw(studio, mesh, POSE, camera)
    covered = drawing.hand + drawing.forearm
    rows, columns = np.indices(covered.shape) + 0.5
    found = np.array([(columns * covered).sum(), (rows * covered).sum()]) / covered.sum() + drawing.box[:2]
    expected = camera.project(kinematics.keypoints(POSE, bones))[number, :2]
    assert found == pytest.approx(expected, abs=0.15)


def test_white_is_exactly_255_and_masks_follow_coverage(studio):
    frame = studio.frame(0, POSE, {})
    hand, _ = studio.hand(MEAN)
    rig.set_pose(hand, POSE)
    drawing = studio.engine.drawer.draw(
        hand, rig.posed_surface(hand), Camera(640, 360), draw_frame_look(studio.settings, 0)
    )
    x0, y0, x1, y1 = drawing.box
    empty = np.ones((360, 640), bool)
    empty[y0:y1, x0:x1] = (drawing.hand + drawing.forearm) == 0
    assert (frame.image[empty] == 255).all()
    assert (frame.image[~empty].min(axis=-1) < 255).mean() > 0.99
    mask = frame.instances[0].mask
    assert (mask[y0:y1, x0:x1] == (drawing.hand >= 0.5)).all()
    assert mask.sum() == pytest.approx(drawing.hand.sum(), rel=0.02)


def test_both_masks_of_a_hand_are_the_two_it_has_alone(studio):
    before = studio.settings
    alone = []
    for mask in ("hand", "hand+forearm", "both"):
        studio.settings = replace(before, mask=mask)
        made = studio.frame(0, POSE, {}).instances
        assert [one.category for one in made] == (["hand", "hand+forearm"] if mask == "both" else [mask])
        alone += [one.mask for one in made]
    studio.settings = before
    hand, arm, *both = alone
    assert (hand == both[0]).all() and (arm == both[1]).all()
    assert (arm | hand == arm).all() and arm.sum() > 1.2 * hand.sum()


def test_no_box_is_seen_around_a_hand_on_near_white(studio):
    hand, _ = studio.hand(MEAN)
    studio.stage.show(hand)
    rig.set_pose(hand, POSE)
    for tone in (0.727, 0.803, 0.951):  # these are not among the raster's 256 roots
        drawing = studio.engine.drawer.draw(
            hand, rig.posed_surface(hand), Camera(640, 360), replace(PLAIN, background=np.full(3, tone))
        )
        around = (drawing.hand + drawing.forearm) == 0
        assert around.any() and (drawing.image[around] == camera_effects.srgb(np.full(3, tone))).all()


def test_the_same_frame_is_the_same_bytes_whatever_came_before(studio):
    first = studio.frame(3, POSE, {})
    studio.frame(4, pose.with_angles(forearm_z=90), {})
    again = studio.frame(3, POSE, {})
    assert (first.image == again.image).all()
    assert (first.instances[0].mask == again.instances[0].mask).all()


def test_blender_puts_every_bone_where_kinematics_does(studio):

    rng = np.random.default_rng(1)
    hand, _ = studio.hand(MEAN)
    studio.stage.show(hand)
    for _ in range(5):
        angles = rng.uniform(*pose.LIMITS.T) * np.r_[np.full(3, 0.2), np.ones(25)]
        rig.set_pose(hand, angles)
        bones = hand.armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
        heads, tails = kinematics.capsules(angles, hand.skeleton)
        assert [bones[b].head for b in BONES] == pytest.approx(heads, abs=1e-5)
        assert [bones[b].tail for b in BONES] == pytest.approx(tails, abs=1e-5)


def test_forearm_and_hand_make_up_the_arm(studio):
    hand, _ = studio.hand(MEAN)
    studio.stage.show(hand)
    rig.set_pose(hand, POSE)
    drawing = studio.engine.drawer.draw(hand, rig.posed_surface(hand), Camera(640, 360), PLAIN)
    assert (drawing.hand + drawing.forearm <= 1 + 1e-6).all()
    wrist = Camera(640, 360).project(kinematics.keypoints(POSE, hand.skeleton))[0, :2]
    rows = np.flatnonzero((drawing.forearm > 0.5).any(axis=1)) + drawing.box[1]
    assert rows.min() > wrist[1] - 15, "the forearm lies below the wrist"


def test_a_left_hand_is_the_mirror_image_of_the_right_one(studio):
    aside = POSE.copy()
    aside[0] = 0.1
    before = (studio.settings, studio.frame(1, aside, {}))
    studio.settings = replace(SMALL, handedness="left")
    left = studio.frame(1, aside, {})
    studio.settings, right = before
    assert (left.meta["side"], left.instances[0].side) == ("left", "left")
    assert (right.meta["side"], right.instances[0].side) == ("right", "right")
    mirrored, mask = right.instances[0].mask[:, ::-1], left.instances[0].mask
    assert (mask & mirrored).sum() / (mask | mirrored).sum() > 0.99
    (x, y, seen), (u, v, also) = left.instances[0].keypoints.T, right.instances[0].keypoints.T
    assert np.stack([640 - x, y]) == pytest.approx(np.stack([u, v]), abs=1e-9)
    assert (seen == also).all()
    assert left.meta["pose"] == right.meta["pose"]


def test_light_falls_on_a_left_hand_as_on_the_mirror_image(studio):
    hand, mesh = studio.hand(MEAN)
    studio.stage.show(hand)
    rig.paint(hand.surface, skin_color.colors(mesh, 0.5))
    rig.set_pose(hand, POSE)
    images = {}
    for side, across in (("right", 0.6), ("left", -0.6)):
        rig.set_side(hand, side)
        lit = replace(PLAIN, light=np.array([across, -0.8, 0.0]))
        drawing = studio.engine.drawer.draw(hand, rig.posed_surface(hand), Camera(640, 360), lit)
        images[side] = np.full((360, 640, 3), 255.0)
        x0, y0, x1, y1 = drawing.box
        images[side][y0:y1, x0:x1] = drawing.image
    rig.set_side(hand, "right")
    different = np.abs(images["left"][:, ::-1] - images["right"])
    assert different.mean() < 0.2 and np.quantile(different, 0.999) < 60


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_sleeve_covers_the_forearm_and_leaves_the_hand(studio, side):
    hand, mesh = studio.hand(MEAN)
    studio.stage.show(hand)
    rig.paint(hand.surface, skin_color.colors(mesh, 0.5))
    rig.set_side(hand, side)
    rig.set_pose(hand, POSE)
    blue = Sleeve(start=-0.05, loose=0.008, color=np.array([0.0, 0.0, 0.6]), folds=1)
    bare, dressed = (
        studio.engine.drawer.draw(hand, rig.posed_surface(hand), Camera(640, 360), replace(PLAIN, sleeve=worn))
        for worn in (None, blue)
    )
    rig.set_side(hand, "right")
    assert dressed.hand.sum() == pytest.approx(bare.hand.sum(), rel=1e-6)
    assert 0.02 < dressed.forearm.sum() / bare.forearm.sum() < 0.35, "only what is before the cuff"
    assert dressed.cloth.sum() > bare.forearm.sum() - dressed.forearm.sum(), "and the cloth is wider"
    assert (dressed.hand + dressed.forearm + dressed.cloth <= 1 + 1e-6).all()
    cloth = dressed.image[dressed.cloth == 1].astype(int)
    assert (cloth[:, 2] > 100).all() and (cloth[:, :2] < 20).all(), "it is blue"
    assert np.ptp(cloth[:, 2]) > 20, "and shaded"


def test_most_arms_have_a_sleeve_where_it_varies_and_none_otherwise():
    drawn = [draw_frame_look(replace(SMALL, sleeve="random"), frame).sleeve for frame in range(100)]
    assert 45 < sum(sleeve is not None for sleeve in drawn) < 75
    assert len({sleeve.start for sleeve in drawn if sleeve}) > 40
    assert all(draw_frame_look(SMALL, frame).sleeve is None for frame in range(10))


def test_a_varied_side_is_both():
    varied = replace(SMALL, handedness="random")
    sides = [draw_frame_look(varied, frame).side for frame in range(200)]
    assert 70 < sides.count("left") < 130
    assert draw_frame_look(replace(varied, handedness="right"), 0).light == pytest.approx(
        draw_frame_look(varied, 0).light
    )


def test_a_hand_outside_the_image_leaves_it_white(studio):
    away = pose.bind()
    away[0] = 0.9
    frame = studio.frame(0, away, {})
    assert (frame.image == 255).all()
    assert not frame.instances[0].mask.any()
    assert (frame.instances[0].keypoints == 0).all()


def test_visibility_of_joints(studio):
    hand, mesh = studio.hand(MEAN)
    studio.stage.show(hand)
    camera = Camera(640, 360)
    tips = [KEYPOINTS.index(f"{f}_tip") for f in ("index", "middle", "ring", "little")]
    open_palm = pose.bind()
    places = joints(hand, rig.set_pose(hand, open_palm))
    assert (keypoints(hand, rig.posed_surface(hand), mesh.faces, places, camera)[:, 2] == VISIBLE).all()
    fist = {f"{f}_{j}": a for f in pose.FINGERS[:4] for j, a in (("mcp_flexion", 80), ("pip_flexion", 95))}
    from_behind = pose.with_angles(forearm_z=180, **fist)
    places = joints(hand, rig.set_pose(hand, from_behind))
    assert (keypoints(hand, rig.posed_surface(hand), mesh.faces, places, camera)[tips, 2] == 1).all(), (
        "the fist hides its finger tips"
    )
    aside = places + np.array([0.4, 0, 0])
    assert (keypoints(hand, rig.posed_surface(hand), mesh.faces, aside, camera)[:, 2] == 0).any()


def test_joints_in_a_sleeve_are_asked_for():
    for change in ({"occluders": "random"}, {"num_hands": 2}, {"sleeve": "random"}, {"scene": "indoor"}, {}):
        assert replace(RenderSettings(), **change).may_hide_hands == bool(change)


def test_skin_hides_a_joint_on_its_line_of_sight_only():
    """One triangle at 1 m, tilted, before joints at 2 m: through it, past its corner, and deeper than their flesh."""
    vertices = np.array([[-0.1, -0.1, 0.9], [0.1, -0.1, 0.9], [0.0, 0.2, 1.2], [0, 0, -1.0]])
    faces = np.array([[0, 1, 2], [0, 1, 3]])  # the second reaches behind the camera
    joints = np.array([[0.0, 0, 2], [0.19, 0.3, 2], [0.0, -0.24, 2], [0.0, 0, 0.98]])
    hidden = frame_renderer._hidden(joints, vertices, faces, np.zeros(4))
    assert hidden.tolist() == [True, False, False, False]  # the plane is at depth 1 on the axis
    assert frame_renderer._hidden(joints[:1], vertices, faces, np.array([0.99])).tolist() == [True]
    assert frame_renderer._hidden(joints[:1], vertices, faces, np.array([1.01])).tolist() == [False]
    assert frame_renderer._hidden(joints[:1], vertices, faces[:, ::-1], np.zeros(1)).tolist() == [True]


def test_the_engines_agree():
    if reason := registry.why_not("raster"):
        pytest.skip(reason)
    varied = replace(SMALL, samples=16, shape="random", light="random")
    first, second = (FrameRenderer(replace(varied, engine=name)).frame(5, POSE, {}) for name in ("raster", "cycles"))
    both = first.instances[0].mask & second.instances[0].mask
    either = first.instances[0].mask | second.instances[0].mask
    assert both.sum() / either.sum() > 0.985
    assert np.abs(first.image.astype(int) - second.image)[both].mean() < 3


def test_the_readmes_image_of_the_hand_can_be_made():
    path = Path(__file__).parents[2] / "docs" / "hand.py"
    spec = importlib.util.spec_from_file_location("docs_hand", path)
    hand = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hand)
    tile = hand.tile(hand.studio(), (48, 48), "open", 0, MEAN, 0.3)
    assert 0.1 < (np.abs(np.asarray(tile, float) - hand.BEHIND).max(-1) > 40).mean() < 0.6


def test_a_joint_beside_all_that_is_drawn_is_hidden():
    covered = np.ones((20, 20))
    drawing = RenderLayers((50, 50, 70, 70), np.zeros((20, 20, 3), np.uint8), covered, 0 * covered)
    points = np.array([(60, 40, 2), (30, 60, 2), (80, 60, 2), (60, 60, 2)], float)
    assert frame_renderer._mark_covered(points, drawing)[:, 2].tolist() == [1, 1, 1, 2]


def test_every_grey_of_an_image_comes_back_from_linear_light():
    greys = np.arange(256, dtype=np.uint8)
    assert (camera_effects.srgb(camera_effects.linear(greys)) == greys).all()
    assert camera_effects.srgb(np.array([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0, 0, 188, 255, 255]


def test_varied_looks_are_drawn_from_seed_and_frame_alone():
    varied = replace(SMALL, skin_tone="random", light="random", shape="random", background="random", framing="random")
    drawn = [draw_frame_look(varied, i) for i in range(200)]
    assert {d.shape for d in drawn} == set(range(SHAPES))
    assert np.ptp([d.tone for d in drawn]) > 0.9
    assert all(d.light[1] < 0 and np.linalg.norm(d.light) == pytest.approx(1) for d in drawn)
    fixed_skin = draw_frame_look(replace(varied, skin_tone=0.3), 7)
    assert (fixed_skin.light == drawn[7].light).all(), "one setting does not change another's draw"
    assert draw_frame_look(replace(varied, seed=1), 7).tone != drawn[7].tone
    assert hand_shape(SMALL) == HandShape() != hand_shape(SMALL, 3)
    assert hand_shape(replace(SMALL, shape=HandShape(length=1.1))) == HandShape(length=1.1)


def test_skin_has_colour_of_every_tone():
    mesh = hand_mesh.build()
    light, dark = skin_color.colors(mesh, 0.0).mean(), skin_color.colors(mesh, 1.0).mean()
    assert light > 3 * dark


@pytest.mark.parametrize("name", ["eevee", "workbench"])
def test_engines_that_need_a_gpu_say_so_where_there_is_none(name, monkeypatch):
    if reason := registry.why_not("raster"):
        pytest.skip(reason)
    monkeypatch.setattr(registry, "_software", lambda: "llvmpipe")
    monkeypatch.setattr(registry, "why_not", registry.why_not.__wrapped__)
    with pytest.raises(registry.EngineError, match=f"the engine {name} cannot run here: it needs a GPU and its driver"):
        registry.choose(replace(SMALL, engine=name))
    with pytest.raises(registry.EngineError, match=f"the engine {name} draws plain scenes"):
        registry.choose(replace(SMALL, engine=name, scene="indoor"))


@pytest.mark.parametrize("name", ["eevee", "workbench"])
def test_engines_that_need_a_gpu_draw_as_cycles_does(name, monkeypatch):
    if reason := registry.why_not("raster"):
        pytest.skip(reason)
    monkeypatch.setattr(registry, "_software", lambda: "")
    monkeypatch.setattr(registry, "why_not", registry.why_not.__wrapped__)
    tiny = replace(SMALL, resolution=(160, 90), samples=8, distance=0.5)
    ours = FrameRenderer(replace(tiny, engine=name)).frame(0, POSE, {})
    theirs = FrameRenderer(replace(tiny, engine="cycles")).frame(0, POSE, {})
    mask, same = ours.instances[0].mask, theirs.instances[0].mask
    assert (mask & same).sum() / (mask | same).sum() > 0.95
    assert np.abs(ours.image.astype(int) - theirs.image)[mask & same].mean() < 6
    white, as_white = (frame.image.min(axis=-1) == 255 for frame in (ours, theirs))
    assert (white == as_white).mean() > 0.97
