"""A part of a sweep and its map."""

import numpy as np
import pytest

from generator.hand import pose, pose_sets, sweep_map


def test_the_whole_sweep_is_a_part():
    whole = sweep_map.part("l2")
    assert whole.shape == (180, 180)
    np.testing.assert_array_equal(whole.poses, pose_sets.poses("l2"))


def test_a_part_holds_the_poses_of_its_range():
    some = sweep_map.part("l11", 30, (-60, 60), (0, 90))
    assert some.shape == (5, 4)
    degrees = pose.to_degrees(some.poses)
    np.testing.assert_allclose(degrees[:, pose.V4].reshape(5, 4)[:, 0], [-60, -30, 0, 30, 60])
    np.testing.assert_allclose(degrees[:4, pose.V5], [0, 30, 60, 90], atol=1e-9)
    np.testing.assert_array_equal(some.poses, pose_sets.poses("l11")[some.frames])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("l2", 3), "the step is a multiple of 2 degrees, not 3"),
        (("l2", 0), "the step is a multiple of 2 degrees, not 0"),
        (("l2", 2, (10, -10)), "no pose of l2 has v4 in 10..-10"),
        (("l3",), "there is no set 'l3'"),
    ],
)
def test_what_is_no_part(arguments, message):
    with pytest.raises(pose_sets.PoseError, match=message):
        sweep_map.part(*arguments)


def test_the_map_shows_reasons_and_the_current_pose():
    some = sweep_map.part("l2", 90, (-180, 90), (-180, 90))
    reasons = np.full(16, "", object)
    reasons[15] = "cut"
    plain = sweep_map.image(some, reasons, scale=2)
    assert plain.shape == (8, 8, 3)
    assert tuple(plain[0, -1]) == (0xD9, 0xA4, 0x41)  # largest v4 and v5: top right
    assert tuple(plain[-1, 0]) == (0xF2, 0xF2, 0xEF)
    marked = sweep_map.image(some, reasons, pose.with_angles(forearm_x=85, forearm_z=-95), scale=2)
    changed = (marked != plain).any(axis=-1)
    assert changed[1].all() and changed[:, 2].all() and changed.sum() == 15
    assert sweep_map.counts(reasons) == {"": 15, "cut": 1}


def test_axes_name_the_ends_and_a_click_finds_the_pose_that_is_drawn_there():
    """The marked pose is found again at the place of its cross hair, on the map with axes as it is shown."""
    some, scale = sweep_map.part("l2", 6, (-60, 60), (-90, 30)), 8
    marked = some.poses[13 * some.shape[1] + 4]
    cells = sweep_map.image(some, np.full(len(some.poses), ""), marked, scale)
    sheet = sweep_map.with_axes(some, cells)
    blue = np.argwhere((sheet == sweep_map.MARK).all(-1))
    rows, columns = (np.bincount(axis).argmax() for axis in blue.T)
    height, width = sheet.shape[:2]
    assert (sweep_map.pose_at(some, (columns + 0.5) / width, 1 - (rows + 0.5) / height, scale) == marked).all()
    assert (sweep_map.pose_at(some, 0, 0, scale) == some.poses[0]).all()
    assert (sweep_map.pose_at(some, 1, 1, scale) == some.poses[-1]).all()
    inside = sheet[sweep_map.RIGHT : -sweep_map.BELOW, sweep_map.LEFT : -sweep_map.RIGHT]
    assert (inside == cells).all() and (sheet[:, : sweep_map.LEFT] == sweep_map.INK).all(-1).any()


@pytest.mark.parametrize(
    ("ends", "ticks"), [((-180, 178), [-180, -90, 0, 90, 178]), ((-60, 60), [-60, 0, 60]), ((4, 4), [4])]
)
def test_ticks_are_the_ends_and_right_angles(ends, ticks):
    assert sweep_map._ticks(*ends) == ticks
