"""The pose sets and files of poses."""

import numpy as np
import pytest

from generator.hand import pose, pose_sets, sweep
from generator.hand.pose_presets import PRESETS


def test_the_grid_is_the_full_circle_twice_by_two_degrees():
    grid = np.degrees(sweep.grid())
    assert grid.shape == (32_400, 2)
    assert len(np.unique(grid.round(6), axis=0)) == 32_400
    assert np.allclose(np.unique(grid[:, 0].round(6)), np.arange(-180, 180, 2))
    assert np.allclose(grid[1] - grid[0], [0, 2])


def test_l2_moves_v4_and_v5_alone():
    poses = pose_sets.poses("l2")
    assert poses.shape == (32_400, 28) and poses.dtype == np.float64
    moving = np.flatnonzero(np.ptp(poses, axis=0) > 0)
    assert moving.tolist() == [3, 4]
    assert (np.delete(poses, [3, 4], axis=1) == 0).all()


def test_l11_moves_v4_v5_and_the_fingers_within_their_limits():
    poses = pose_sets.poses("l11")
    assert poses.shape == (32_400, 28)
    assert (poses[:, :8] == pose_sets.poses("l2")[:, :8]).all()
    low, high = pose.LIMITS.T
    assert (poses >= low - 1e-9).all() and (poses <= high + 1e-9).all()
    still = [pose.NAMES[i] for i in range(8, 28) if np.ptp(poses[:, i]) == 0]
    assert not still, "every finger angle takes part"


def test_l11_is_smooth_and_closed():
    fingers = np.degrees(sweep.finger_motion())
    steps = np.abs(np.diff(np.vstack([fingers, fingers[:1]]), axis=0))
    assert steps.max() < 2.2, "no finger angle moves faster than the sweep's own step, about"


def test_end_joints_bend_with_the_middle_ones_in_l11():
    fingers = np.degrees(pose_sets.poses("l11"))
    for name in pose.FINGERS[:4]:
        _, _, pip, dip = fingers[:, pose.FINGER_SLICE[name]].T
        bent = pip > 20
        assert bent.any() and (dip[bent] > 0.4 * pip[bent]).all() and (dip[bent] < 0.67 * pip[bent]).all()
        assert np.abs(dip[~bent]).max() < 12


def test_l11_meets_every_key_pose():
    fingers = sweep.finger_motion()
    for name in sweep.KEY_POSES:
        nearest = np.degrees(np.abs(fingers - PRESETS[name][8:]).max(axis=1).min())
        assert nearest < 0.2, name


@pytest.mark.parametrize("count", [3, 5, 7, 13])
def test_the_tour_joins_every_two_once(count):
    tour = sweep.tour(count)
    joined = [frozenset(pair) for pair in zip(tour, np.roll(tour, -1), strict=True)]
    assert len(joined) == len(set(joined)) == count * (count - 1) // 2
    assert all(len(pair) == 2 for pair in joined)


def test_another_step_keeps_the_sweep_and_the_tour():
    for step in (1, 5, 90):
        side = 360 // step
        assert pose_sets.poses(f"l2@{step}").shape == (side**2, 28)
    coarse, fine = pose_sets.poses("l11@6"), pose_sets.poses("l11")
    places = {tuple(place): number for number, place in enumerate(np.degrees(fine[:, 3:5]).round().tolist())}
    assert all(tuple(place) in places for place in np.degrees(coarse[:, 3:5]).round().tolist())
    assert np.allclose(coarse[:, 8:], fine[::9, 8:], atol=1e-9), "a ninth of the frames"
    assert (pose_sets.poses("l11@2") == fine).all()
    both = pose_sets.select("all@10")
    assert both.names == ("l2@10",) * 1296 + ("l11@10",) * 1296 and both.frames[1296] == 0
    assert len(pose_sets.select("l2@90,signs@60")) == 16 + 36
    assert pose_sets.with_step("all", 5) == "l2@5,l11@5"


@pytest.mark.parametrize("name", ["l2@7", "l2@0", "l2@-2", "l2@2.5", "l11@", "all@120"])
def test_a_step_divides_the_circle(name):
    with pytest.raises(pose_sets.PoseError, match="is not a whole number of degrees, up to 90, that divides 360"):
        pose_sets.select(name)


def test_a_file_and_a_named_step_have_no_other_step():
    for name in ("poses.csv", "l2@5"):
        with pytest.raises(pose_sets.PoseError, match=f"--step is for sets .* not for {name}"):
            pose_sets.with_step(name, 4)


def test_all_is_both_sets():
    both = pose_sets.select("all")
    assert len(both) == 64_800
    assert both.names[0] == "l2" and both.names[-1] == "l11"
    assert both.frames[32_400] == 0
    assert (both.poses[:32_400] == pose_sets.poses("l2")).all()


def test_sets_are_joined_by_commas():
    both = pose_sets.select("signs,l11")
    assert both.names[0] == "signs" and both.names[-1] == "l11" and len(both) == 64_800
    assert (both.poses[:32_400] == pose_sets.poses("signs")).all()
    assert pose_sets.named("all") == ("l2", "l11")
    assert pose_sets.named("l2,l2") == pose_sets.named("l2,clap") == ()


def test_drawn_sets_sweep_the_forearm_as_l11_does():
    for name in ("fingers", "signs", "gestures"):
        poses = pose_sets.poses(name)
        assert (poses[:, :6] == pose_sets.poses("l11")[:, :6]).all()
        assert (poses[:, 6:8] != 0).all()


def test_a_file_of_poses_is_read_back(tmp_path):
    some = pose_sets.select("l11").take(np.array([5, 77, 20_000]))
    path = tmp_path / "poses.csv"
    path.write_bytes(pose_sets.dump(some))
    back = pose_sets.select(str(path))
    assert back.names == ("l11",) * 3 and back.frames.tolist() == [5, 77, 20_000]
    assert np.allclose(back.poses, some.poses, atol=1e-7)


@pytest.mark.parametrize(
    ("name", "message"),
    [("l3", "there is no set 'l3'"), ("nowhere.csv", "neither a set")],
)
def test_unknown_sets_are_refused(name, message):
    with pytest.raises(pose_sets.PoseError, match=message):
        pose_sets.poses(name) if name == "l3" else pose_sets.select(name)


HEADER = "set,frame," + ",".join(pose.NAMES)
ZEROS = ",".join(["0"] * 28)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "does not start with the header"),
        ("a,b\n1,2\n", "does not start with the header"),
        (HEADER + "\n", "holds no pose"),
        (HEADER + "\n\n\nmine,1,2\n", "line 4: 3 columns, expected 30"),
        (HEADER + "\nmine,1,2\n", "line 2: 3 columns, expected 30"),
        (HEADER + f"\nmine,x,{ZEROS}\n", "line 2, frame: 'x' is not a number"),
        (HEADER + f"\nmine,0,{ZEROS}\nmine,1,{ZEROS[:-1]}nan\n", "line 3, thumb_ip_flexion: 'nan' is not a number"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "poses.csv"
    path.write_text(text)
    with pytest.raises(pose_sets.PoseError, match=message):
        pose_sets.select(str(path))


def test_an_image_is_no_file_of_poses(tmp_path):
    path = tmp_path / "poses.csv"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(pose_sets.PoseError, match="is not a CSV file of poses"):
        pose_sets.select(str(path))
