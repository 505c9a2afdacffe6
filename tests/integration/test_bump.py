"""Bump mapping of the skin: what it does to the light, where it is, and where it is too fine to be drawn."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from render_scenes import near_frame_alone_and_after_another, with_bumps_and_without

from generator.frame.frame_look import FrameLook
from generator.hand import pose
from generator.hand.anatomy import skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import transforms
from generator.mesh import hand_mesh

pytest.importorskip("bpy", reason="Blender's Python module is not installed")
from generator.blender import rig
from generator.blender.engines import bump, registry
from generator.blender.engines.render_layers import WRAP

CLOSE = Camera(1280, 720, 0.3, 45.0)
LOOK = FrameLook(None, 0.5, np.array([-0.48, -0.8, 0.36]), np.ones(3), 0.4, np.ones(3))


@pytest.fixture(scope="module")
def hand():
    return rig.build(skeleton(), hand_mesh.build())


def weights(hand, look, **angles):
    rig.set_pose(hand, pose.with_angles(**angles))
    posed = rig.posed_surface(hand)
    rest, found = bump.BumpMapping().of(hand, posed, CLOSE, look)
    return rest @ bump._ROTATION.T, found @ bump._ROTATION.T, posed


def light(normals, look):
    wrapped = np.maximum(0, (normals @ look.light + WRAP) / (1 + WRAP))
    return look.ambient + (1 - look.ambient) * wrapped


def test_the_papers_framing_is_too_coarse_for_it_and_a_close_one_is_not(hand):
    rig.set_pose(hand, pose.bind())
    assert bump.strength(Camera()) == 0 and bump.strength(CLOSE) == 1
    assert bump.BumpMapping().of(hand, rig.posed_surface(hand), Camera(), LOOK) is None
    assert 0 < bump.strength(Camera(1280, 720, 0.6, 45.0)) < 1


def test_a_gradient_changes_the_light_as_turning_the_surface_does(hand):
    rest, found, posed = weights(hand, LOOK)
    assert np.allclose(rest, posed.vertices, atol=1e-6)
    rng = np.random.default_rng(0)
    gradient = 0.01 * rng.standard_normal(rest.shape)
    along = gradient - (gradient * posed.normals).sum(axis=1, keepdims=True) * posed.normals
    rotated = posed.normals - along
    rotated /= np.linalg.norm(rotated, axis=1, keepdims=True)
    truth = light(rotated, LOOK) / light(posed.normals, LOOK) - 1
    skin = (hand_mesh.build().nail == 0) & (posed.normals @ LOOK.light > 0)
    assert truth[skin].std() > 0.001
    assert np.allclose((gradient * found).sum(axis=1)[skin], truth[skin], atol=6e-4)
    assert np.abs(found[hand_mesh.build().nail == 1]).max() == 0


def test_it_turns_with_the_bones(hand):
    angles = {"forearm_x": 50.0, "forearm_z": 70.0}
    rest, found, _ = weights(hand, LOOK, **angles)
    rotation = transforms(pose.with_angles(**angles), skeleton())[0][:3, :3]
    still_rest, still, _ = weights(hand, replace(LOOK, light=rotation.T @ LOOK.light))
    assert np.array_equal(rest, still_rest) and np.allclose(found, still, atol=2e-3)


def test_a_left_hand_has_the_mirror_image(hand):
    mirrored = replace(LOOK, light=LOOK.light * [-1, 1, 1])
    _, right, _ = weights(hand, LOOK, index_pip_flexion=40)
    rig.set_side(hand, "left")
    _, left, _ = weights(hand, mirrored, index_pip_flexion=40)
    rig.set_side(hand, "right")
    assert np.allclose(left, right, atol=2e-3)


@pytest.mark.parametrize("engine", ["raster", "cycles"])
def test_engines_draw_it_on_the_skin_and_not_when_it_is_switched_off(engine):
    """In a process of its own, as runs have it: after other engines, the first image at times had no bumps."""
    if reason := registry.why_not(engine):
        pytest.skip(reason)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        with_it, without = pool.submit(with_bumps_and_without, engine).result()
    assert np.array_equal(with_it.instances[0].mask, without.instances[0].mask)
    inner = with_it.instances[0].mask[60:160, 280:360]
    assert inner.all()
    change = (with_it.image.astype(float) - without.image)[60:160, 280:360]
    assert 0.7 < change.std() < 6 and abs(change.mean()) < 0.6


@pytest.mark.parametrize("glove", ["none", "fingerless"])
@pytest.mark.parametrize("engine", ["raster", "cycles"])
def test_a_frame_has_the_same_bumps_whatever_was_rendered_before(engine, glove):
    """The same bytes with any number of workers: which frames share one depends on it."""
    if reason := registry.why_not(engine):
        pytest.skip(reason)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        alone, after = pool.submit(near_frame_alone_and_after_another, engine, glove).result()
    assert np.array_equal(alone, after)
