"""The boxes that Cycles draws: they hold every triangle, leave out what is empty, and share no pixel."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

from PIL import Image, ImageDraw

from generator.blender import boxes
from generator.camera import Camera

CAMERA = Camera(640, 360)
WHOLE = (0, 0, 640, 360)


def points(*pixels):
    """Flattened points at these pixels of the camera."""
    x, y = np.array(pixels, float).T
    focal = CAMERA.matrix[0, 0]
    return np.stack([(x - 320) / focal, np.full(len(x), -1.0), (180 - y) / focal], axis=1).astype(np.float32)


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
    assert not (np.asarray(shown) & ~drawn(boxes.around(points(*corners), np.array([[0, 1, 2]]), CAMERA, WHOLE))).any()


@pytest.mark.parametrize("far", [(600, 20), (20, 340), (600, 340)])
def test_two_things_far_apart_have_a_box_each(far):
    corners = points((10, 10), (30, 10), (10, 30), far, (far[0] + 10, far[1]), (far[0], far[1] + 10))
    found = boxes.around(corners, np.array([[0, 1, 2], [3, 4, 5]]), CAMERA, WHOLE)
    assert len(found) == 2
    assert drawn(found).sum() < 2 * 32 * 32


def test_two_things_side_by_side_share_one():
    corners = points((10, 10), (30, 10), (10, 30), (50, 10), (70, 10), (50, 30))
    assert len(boxes.around(corners, np.array([[0, 1, 2], [3, 4, 5]]), CAMERA, WHOLE)) == 1


def test_boxes_end_where_the_box_does_and_none_is_where_no_triangle_is():
    corners, faces = points((-50, 100), (300, 100), (100, 500)), np.array([[0, 1, 2]])
    inside = (3, 50, 201, 301)
    shown = drawn(boxes.around(corners, faces, CAMERA, inside))
    assert shown.any() and not shown[:, :3].any() and not shown[:, 201:].any() and not shown[301:].any()
    assert boxes.around(corners, faces, CAMERA, (500, 0, 640, 360)) == []
