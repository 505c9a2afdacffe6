"""What Cycles is spared changes nothing that is seen; and what it could not write is no image."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw
from render_scenes import PLAIN, POSE, SMALL

from generator.frame.frame_look import draw_frame_look
from generator.frame.settings import RenderSettings
from generator.hand import pose
from generator.hand.anatomy import MEAN
from generator.hand.camera import Camera

pytest.importorskip("bpy", reason="Blender's Python module is not installed")
import bpy

from generator.blender import rig
from generator.blender.engines import cycles, exr, registry, tiles
from generator.blender.engines.render_layers import box_around
from generator.blender.frame_renderer import FrameRenderer
from generator.blender.posed_frame import Stage


@pytest.mark.parametrize("name", ["paper", "close"])
def test_the_boxes_that_are_drawn_hold_every_triangle_and_less_than_one_box(name):
    studio = FrameRenderer(replace(SMALL, engine="cycles"))
    hand, mesh = studio.hand(MEAN)
    studio.stage.show(hand)
    rig.set_pose(hand, POSE)
    points = rig.posed_surface(hand).vertices
    camera = Camera() if name == "paper" else Camera(640, 360, 0.35, 45.0)
    box = box_around(points, camera)
    ends = np.ones(len(mesh.faces), bool)
    parts = [part for part, _ in tiles.around(cycles.flattened(points, camera), mesh.faces, ends, camera, box)]
    drawn = np.zeros((camera.height, camera.width), bool)
    for x0, y0, x1, y1 in parts:
        assert not drawn[y0:y1, x0:x1].any()
        drawn[y0:y1, x0:x1] = True
    shown = Image.new("1", (camera.width, camera.height))
    corners = camera.project(points)[:, :2][mesh.faces]
    for triangle in corners:
        ImageDraw.Draw(shown).polygon([tuple(corner) for corner in triangle], fill=1)
    assert np.asarray(shown).any() and not (np.asarray(shown) & ~drawn).any()
    assert len(parts) > 1 and drawn.sum() < 0.9 * (box[2] - box[0]) * (box[3] - box[1])


@pytest.mark.parametrize("side", ["right", "left"])
def test_what_is_seen_from_its_back_only_changes_nothing(monkeypatch, side):
    studio = FrameRenderer(replace(SMALL, engine="cycles"))
    hand, _ = studio.hand(MEAN)
    rig.set_side(hand, side)
    rig.set_pose(hand, POSE)
    studio.stage.show(hand)
    posed, drawn_from, drawings = rig.posed_surface(hand), [], []
    for culls in (True, False):
        monkeypatch.setattr(cycles.Cycles, "culls", culls)
        drawings.append(studio.engine.drawer.draw(hand, posed, Camera(640, 360), PLAIN))
        points = np.empty((len(posed.vertices), 3), np.float32)
        studio.engine.drawer._hand.data.attributes["position"].data.foreach_get("vector", points.ravel())
        drawn_from.append(np.isfinite(points).all(axis=1).mean())
    assert 0.4 < drawn_from[0] < 0.7 and drawn_from[1] == 1
    culled, whole = drawings
    # A ray along an edge that two triangles share may meet either.
    assert (culled.image != whole.image).any(axis=-1).sum() <= 2
    assert (culled.hand != whole.hand).sum() + (culled.forearm != whole.forearm).sum() <= 2


def test_smooth_skin_gets_one_sample_and_looks_the_same(monkeypatch):
    posed = pose.with_angles(index_pip_flexion=60, middle_mcp_flexion=70, thumb_cmc_flexion=20)
    counts = []

    def drawn():
        monkeypatch.setattr(exr, "render", counted)
        studio = FrameRenderer(RenderSettings(engine="cycles", samples=16))
        hand, _ = studio.hand(MEAN)
        rig.set_pose(hand, posed)
        studio.stage.show(hand)
        return studio.engine.drawer.draw(hand, rig.posed_surface(hand), Camera(), draw_frame_look(studio.settings, 0))

    def counted(render=exr.render):
        passes = render()
        counts.append((bpy.context.scene.cycles.sample_subset_length, passes["Combined"].shape[:2]))
        return passes

    quick = drawn()
    alone = [height * width for samples, (height, width) in counts if samples == 1]
    assert alone and min(alone) >= tiles.WORTH_SMOOTH and {samples for samples, _ in counts} == {1, 16}
    counts.clear()
    monkeypatch.setattr(tiles, "WORTH_SMOOTH", 10**9)
    full = drawn()
    assert {samples for samples, _ in counts} == {16}
    assert quick.box == full.box
    apart = np.abs(quick.image.astype(int) - full.image).max(axis=-1)
    inside = full.hand + full.forearm == 1
    assert apart[inside].mean() < 0.5
    for one, other in ((quick.hand, full.hand), (quick.forearm, full.forearm)):
        assert ((one > 0) & (one < 1)).sum() == pytest.approx(((other > 0) & (other < 1)).sum(), rel=0.05)
        assert one.sum() == pytest.approx(other.sum(), rel=1e-3)
        assert ((one >= 0.5) != (other >= 0.5)).sum() < 0.005 * other.sum()


def test_a_full_folder_for_temporary_files_is_named(tmp_path):
    """Whatever Blender wrote instead of a file: nothing, one that ends anywhere, one with a hole."""
    registry.start(replace(SMALL, engine="cycles", samples=1), Stage())
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y, scene.render.use_border = 12, 5, False
    scene.render.filepath = str(tmp_path / "whole.exr")
    bpy.ops.render.render(write_still=True)
    data = (tmp_path / "whole.exr").read_bytes()
    assert {name: pixels.shape for name, pixels in exr._read(tmp_path / "whole.exr").items()} == {
        "Combined": (5, 12, 4),
        "hand": (5, 12, 1),
    }
    short = tmp_path / "short.exr"
    ends = [data[:size] for size in [*range(0, len(data), 7), len(data) - 1]]
    for written in [None, *ends, data[: len(data) // 2] + bytes(len(data) - len(data) // 2)]:
        if written is not None:
            short.write_bytes(written)
        with pytest.raises(OSError, match="is the folder for temporary files full") as caught:
            exr._read(short)
        assert caught.value.filename == str(tmp_path)
