"""The boxes that Cycles draws hold every triangle, leave out what is empty, share no pixel, and may be smooth."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

from PIL import Image, ImageDraw

from generator.blender.engines import tiles
from generator.hand.camera import Camera

CAMERA = Camera(640, 360)
WHOLE = (0, 0, 640, 360)


def points(*pixels):
    """Flattened points at these pixels of the camera."""
    x, y = np.array(pixels, float).T
    focal = CAMERA.matrix[0, 0]
    return np.stack([(x - 320) / focal, np.full(len(x), -1.0), (180 - y) / focal], axis=1).astype(np.float32)


def around(corners, faces, box=WHOLE):
    """The boxes where all triangles may be the end of something."""
    return [part for part, _ in tiles.around(corners, faces, np.ones(len(faces), bool), CAMERA, box)]


def drawn(found):
    times = np.zeros((360, 640), int)
    for x0, y0, x1, y1 in found:
        times[y0:y1, x0:x1] += 1
    assert times.max(initial=0) <= 1
    return times > 0


def test_a_triangle_is_in_the_boxes_also_far_from_its_corners():
    corners = [(20, 20), (620, 180), (30, 340)]
    shown = Image.new("1", (640, 360))
    ImageDraw.Draw(shown).polygon(corners, fill=1)
    assert not (np.asarray(shown) & ~drawn(around(points(*corners), np.array([[0, 1, 2]])))).any()


@pytest.mark.parametrize("far", [(600, 20), (20, 340), (600, 340)])
def test_two_objects_far_apart_have_a_tile_each(far):
    corners = points((10, 10), (30, 10), (10, 30), far, (far[0] + 10, far[1]), (far[0], far[1] + 10))
    found = around(corners, np.array([[0, 1, 2], [3, 4, 5]]))
    assert len(found) == 2
    assert drawn(found).sum() < 2 * 32 * 32


def test_two_objects_side_by_side_share_one():
    corners = points((10, 10), (30, 10), (10, 30), (50, 10), (70, 10), (50, 30))
    assert len(around(corners, np.array([[0, 1, 2], [3, 4, 5]]))) == 1


def test_boxes_end_where_the_box_does_and_none_is_where_no_triangle_is():
    corners, faces = points((-50, 100), (300, 100), (100, 500)), np.array([[0, 1, 2]])
    inside = (3, 50, 201, 301)
    shown = drawn(around(corners, faces, inside))
    assert shown.any() and not shown[:, :3].any() and not shown[:, 201:].any() and not shown[301:].any()
    assert around(corners, faces, (500, 0, 640, 360)) == []


def grid(columns, rows, step):
    """A sheet of triangles from the image's upper left corner on."""
    x, y = np.meshgrid(np.arange(columns + 1) * step, np.arange(rows + 1) * step)
    number = np.arange(x.size).reshape(x.shape)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    return points(*np.stack([x.ravel(), y.ravel()], 1)), np.concatenate(
        [np.stack([a, b, c], 1), np.stack([a, c, d], 1)]
    )


def test_what_is_far_from_any_end_is_smooth_and_the_rest_is_not():
    corners, faces = grid(60, 30, 10)
    rim = tiles.rim(faces, len(corners))
    assert rim.sum() == 2 * (60 + 30)
    ends = tiles.outlines(faces, tiles.facing(corners, faces), rim)
    found = tiles.around(corners, faces, ends, CAMERA, WHOLE)
    smooth = drawn([part for part, is_smooth in found if is_smooth])
    at_end = np.zeros((360, 640), bool)
    at_end[:300, :600] = True
    at_end[10:290, 10:590] = False
    assert not (smooth & at_end).any()
    assert smooth[20:280, 20:580].all()
    assert drawn([part for part, _ in found])[:300, :600].all()


def test_outlines_are_where_front_meets_back():
    """A sheet folded over itself at its right end, seen from the front: only the fold is an outline."""
    corners, faces = grid(40, 20, 8)
    beyond = corners[:, 0] > corners[25, 0]
    corners[beyond, 0] = 2 * corners[25, 0] - corners[beyond, 0]
    corners[beyond, 1] += 1
    outlines = tiles.outlines(faces, tiles.facing(corners, faces), np.zeros(len(corners), bool))
    columns = np.unique(np.flatnonzero(outlines) % 800 % 40)
    assert columns.tolist() == [24, 25]


def test_a_closed_surface_has_no_rim():
    tetrahedron = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])
    assert not tiles.rim(tetrahedron, 4).any()
    assert tiles.rim(tetrahedron[:3], 4).tolist() == [True, False, True, True]
