"""Rooms: masks that nothing around changes, heads, furniture, and what hands hold."""

from dataclasses import replace

import numpy as np
import pytest
from render_scenes import POSE, SMALL
from scipy.spatial import cKDTree

pytest.importorskip("bpy", reason="Blender's Python module is not installed")
import bpy

from generator.blender.engines import registry
from generator.blender.frame_renderer import FrameRenderer
from generator.blender.scene import head_mesh, props
from generator.frame import frame_spec
from generator.frame.room import furniture, occluders, shapes
from generator.frame.room.props import SceneProps
from generator.mesh import person_mesh


def test_a_hand_in_a_room_keeps_its_mask_whatever_is_around():
    plain = replace(SMALL, resolution=(160, 90), engine="cycles", samples=8)
    alone = FrameRenderer(plain).frame(2, POSE, {}).instances[0].mask
    studio = FrameRenderer(replace(plain, scene="indoor", samples=2))
    first, other = studio.frame(2, POSE, {}), studio.frame(3, POSE, {})
    for frame in (first, other):
        mask = frame.instances[0].mask
        assert (mask & alone).sum() / (mask | alone).sum() > 0.9
        assert frame.image.std() > 5, "there is something to see"
        assert (frame.image == 255).all(axis=-1).mean() < 0.5, "and it is not white"
    again = studio.frame(2, POSE, {})
    assert (again.image == first.image).all() and not (first.image == other.image).all()
    assert (again.instances[0].mask == first.instances[0].mask).all()


def test_a_furnished_room_is_behind_the_hand_and_changes_no_mask():
    plain = replace(SMALL, resolution=(160, 120), engine="cycles", samples=8)
    alone = FrameRenderer(plain).frame(2, POSE, {}).instances[0].mask
    studio = FrameRenderer(replace(plain, scene="indoor", environment="random", samples=2))
    studio.frame(1, POSE, {})
    for name in (*shapes.OF_SIZE_1, *props.FILLED, *head_mesh.SHAPES):  # made once, when first needed
        for variant in range(person_mesh.VARIANTS if name in ("shirt", "hips") else 1):
            studio.engine._props._shape(name, variant)
    kept = _data_blocks()
    for number in (2, 3, 4, 6, 7, 8):  # in 5 the hand is in a pocket
        mask = studio.frame(number, POSE, {}).instances[0].mask
        assert (mask & alone).sum() / (mask | alone).sum() > 0.9
        assert _data_blocks() == kept, "nothing of an earlier frame is left"


def _data_blocks() -> tuple[int, int, int]:
    """What Blender holds; skins are not counted, which are kept, one of each kind."""
    materials = [material for material in bpy.data.materials if not material.name.startswith("skin")]
    return len(materials), len(bpy.data.meshes), len(bpy.data.objects)


def test_a_head_is_closed_of_an_adults_size_alike_on_both_sides_and_its_nose_is_in_front():
    points, faces, marks = head_mesh._shape()
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    a, b, c = points[faces].transpose(1, 0, 2)
    assert (a * np.cross(b, c)).sum() / 6 == pytest.approx(3.6e6, rel=0.15), "its faces look outwards; cubic mm"
    assert np.ptp(points, axis=0) == pytest.approx([150, 215, 215], abs=15)
    nose = points[points[:, 1].argmin()]
    assert abs(nose[0]) < 4 and -45 < nose[2] < -15
    mirrored, _ = cKDTree(points * [-1, 1, 1]).query(points)
    assert mirrored.max() < 4, "as far as its points are apart"
    for name, mark in marks.items():
        assert 0.003 < mark.mean() < 0.6, name
    assert points[marks["lips"] > 0.5, 2].max() < nose[2] < points[marks["brow"] > 0.5, 2].min()


def test_hair_comes_out_of_the_skin_at_the_hairline_and_does_not_stand_off_it():
    points, _, _ = head_mesh._shape()
    hair = np.empty(3 * len(points), np.float32)
    head_mesh.hair().vertices.foreach_get("co", hair)
    thick = np.linalg.norm(1000 * hair.reshape(-1, 3)[: len(points)], axis=1) - np.linalg.norm(points, axis=1)
    above = head_mesh._above_hairline(points)
    assert thick[above < -4].max() < 0, "no hair on the face"
    assert abs(thick[abs(above) < 4]).max() < 3 and thick[above > 30].min() > 3, "mm"


def test_every_piece_of_furniture_has_several_parts_within_its_ball():
    corners = np.array([[x, y, z, 2] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    for kind in furniture.PIECES:
        for seed in range(10):
            parts = kind(np.random.default_rng(seed))
            assert 2 <= len(parts) <= 130
            reach = max(np.linalg.norm((corners @ part.matrix.T)[:, :3], axis=1).max() for part in parts)
            assert 0.25 < reach < 0.95, (kind.__name__, seed)


def test_a_held_prop_hides_part_of_the_hand():
    bare = replace(SMALL, resolution=(160, 120), engine="cycles", scene="indoor", samples=2)
    alone = FrameRenderer(bare).frame(0, POSE, {}).instances[0].mask.sum()
    studio = FrameRenderer(bare)
    areas = []
    for seed in range(8):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                SceneProps,
                "furnish",
                lambda props, rng, view, seed=seed: occluders.hold(props, np.random.default_rng(seed), view),
            )
            areas.append(studio.frame(0, POSE, {}).instances[0].mask.sum() / alone)
    assert max(areas) <= 1.01 and min(areas) > 0.2
    assert sum(area < 0.98 for area in areas) >= 4


def test_a_room_needs_cycles():
    with pytest.raises(registry.EngineError, match="an indoor scene needs --engine cycles"):
        registry.choose(replace(SMALL, scene="indoor", engine="raster"))
    assert registry.choose(replace(SMALL, scene="indoor")) == "cycles"


def test_every_hand_of_a_crowd_is_an_instance_of_its_own():
    room = replace(SMALL, resolution=(160, 120), scene="indoor", samples=1, crowd=0.5, egocentric=0.5)
    studio = FrameRenderer(room)
    most, views = 0, set()
    for number in range(5):
        sample = studio.frame(number, POSE, {})
        masks = [instance.mask for instance in sample.instances]
        assert np.sum(masks, axis=0).max() <= 1, "no pixel is two hands'"
        views.add(sample.meta["view"])
        most = max(most, sum(mask.any() for mask in masks))
        for instance in sample.instances:
            seen = instance.keypoints[instance.keypoints[:, 2] == 2, :2].astype(int)
            if instance.mask.sum() > 40 and len(seen) > 5:
                on = [instance.mask[max(y - 3, 0) : y + 4, max(x - 3, 0) : x + 4].any() for x, y in seen]
                assert np.mean(on) > 0.8, "its joints lie on its mask"
    assert most >= 3 and views == {"people", "egocentric"}
    near = FrameRenderer(replace(room, crowd=0.0, egocentric=0.0)).frame(0, POSE, {})
    assert "view" not in near.meta


def test_a_fisheyes_mask_is_where_its_hand_is_projected():
    room = replace(SMALL, resolution=(160, 120), scene="indoor", samples=1, egocentric=1.0, ground_truth="depth")
    studio = FrameRenderer(room)
    specs = [frame_spec.draw_frame(room, number, POSE) for number in range(20)]
    wide = [spec for spec in specs if spec.camera.fisheye and len(spec.hands) == 1][:2]
    assert 3 <= sum(spec.camera.fisheye for spec in specs) <= 15 and wide
    for spec in wide:
        sample = studio.render(spec, {})
        assert sample.meta["projection"] == "equidistant"
        arm = studio._arm(0, spec.hands[0])
        hand = arm.surface.vertices[arm.mesh.wrist_distance > 0]
        x, y, depth = spec.camera.project(hand).T
        inside = (x > 0) & (x < 160) & (y > 0) & (y < 120) & (depth > 0)
        mask = sample.instances[0].mask
        rows, columns = np.nonzero(mask)
        places = cKDTree(np.stack([x, y], axis=1)[inside])
        far, _ = places.query(np.stack([columns, rows], axis=1) + 0.5)
        assert far.max() < 2.0, "every pixel of the mask is at the hand"
        around = cKDTree(np.stack([columns, rows], axis=1) + 0.5)
        assert (around.query(places.data)[0] < 2.0).mean() > 0.8, "and the hand is in the mask where nothing covers it"
        assert sample.ground_truth_maps["depth"][mask].min() > depth[inside].min() - 0.02
        assert sample.ground_truth_maps["depth"][mask].max() < depth[inside].max() + 0.02
    flat = next(spec for spec in specs if not spec.camera.fisheye)
    assert "projection" not in studio.render(flat, {}).meta
