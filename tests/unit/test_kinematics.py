"""Forward kinematics: identities, hand-made turns, and what each angle does to a hand."""

import numpy as np
import pytest

from generator.hand import pose
from generator.hand.anatomy import BONES, HandShape, skeleton
from generator.hand.kinematics import PosedSkeleton, capsules, keypoints, transforms
from generator.mesh.skinning import skin
from handforge.dataset import KEYPOINTS

BONES_ = skeleton()


def joint(values, name):
    return keypoints(values, BONES_)[KEYPOINTS.index(name)]


def random_poses(count, seed=0):
    low, high = pose.LIMITS.T
    return np.random.default_rng(seed).uniform(low, high, (count, pose.SIZE))


def test_the_bind_pose_moves_nothing():
    assert np.array_equal(transforms(pose.bind(), BONES_), np.broadcast_to(np.eye(4), (21, 4, 4)))
    assert np.allclose(keypoints(pose.bind(), BONES_), BONES_.keypoints)


def test_transforms_are_rigid_and_keep_bones_together():
    poses = random_poses(50)
    moved = transforms(poses, BONES_)
    rotation = moved[..., :3, :3]
    assert np.allclose(rotation @ np.swapaxes(rotation, -1, -2), np.eye(3)) and np.allclose(np.linalg.det(rotation), 1)
    heads, tails = capsules(poses, BONES_)
    assert np.allclose(np.linalg.norm(tails - heads, axis=-1), np.linalg.norm(BONES_.tails - BONES_.heads, axis=-1))
    for bone, name in enumerate(BONES):
        if name.endswith(("proximal", "middle", "distal")):
            assert np.allclose(heads[:, bone], tails[:, BONES_.parents[bone]])


def test_many_poses_at_once_equal_one_at_a_time():
    poses = random_poses(5)
    assert np.allclose(transforms(poses, BONES_)[3], transforms(poses[3], BONES_))


def test_the_forearm_turns_in_the_stated_order():
    values = pose.with_angles(forearm_x=30, forearm_z=-50, forearm_y=110)
    values[:3] = 0.1, -0.2, 0.3
    x, z, y = np.radians([30, -50, 110])
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    expected = BONES_.keypoints @ (ry @ rx @ rz).T + values[:3]
    assert np.allclose(keypoints(values, BONES_), expected)
    assert np.allclose(joint(values, "wrist"), values[:3])


@pytest.mark.parametrize(
    ("angle", "tip", "axis", "sign"),
    [
        ("wrist_flexion", "middle_tip", 1, -1),
        ("wrist_deviation", "middle_tip", 0, +1),
        ("index_mcp_flexion", "index_tip", 1, -1),
        ("index_mcp_abduction", "index_tip", 0, +1),
        ("little_mcp_abduction", "little_tip", 0, +1),
        ("ring_pip_flexion", "ring_tip", 1, -1),
        ("middle_dip_flexion", "middle_tip", 1, -1),
        ("thumb_cmc_flexion", "thumb_tip", 0, -1),
        ("thumb_cmc_abduction", "thumb_tip", 1, -1),
        ("thumb_mcp_flexion", "thumb_tip", 0, -1),
        ("thumb_ip_flexion", "thumb_tip", 1, -1),
    ],
)
def test_each_angle_moves_its_tip_the_anatomical_way(angle, tip, axis, sign):
    # Axis 0 is radial, 1 is dorsal.
    moved = joint(pose.with_angles(**{angle: 20}), tip) - joint(pose.bind(), tip)
    assert sign * moved[axis] > 0.003


@pytest.mark.parametrize(
    ("base", "tip", "flexion", "aside"),
    [
        ("wrist", "middle_tip", "wrist_flexion", "wrist_deviation"),
        *((f"{f}_mcp", f"{f}_tip", f"{f}_mcp_flexion", f"{f}_mcp_abduction") for f in pose.FINGERS[:4]),
        ("thumb_cmc", "thumb_tip", "thumb_cmc_flexion", "thumb_cmc_abduction"),
    ],
)
def test_flexion_is_about_an_axis_of_the_bone_before(base, tip, flexion, aside):
    """So a tip that is turned aside does not move along that axis, however far it is flexed."""
    axis = next(axis for dofs in BONES_.dofs for index, axis in dofs if index == pose.NAMES.index(flexion))
    values = [pose.with_angles(**{flexion: angle, aside: 15}) for angle in (0, 40, 60)]
    along = [(joint(one, tip) - joint(one, base)) @ axis for one in values]
    assert np.allclose(along, along[0])


def test_a_posed_skeleton_is_moved_across_and_up():
    one = random_poses(1)[0]
    moved = PosedSkeleton(one, BONES_).at(np.array([0.25, -0.5]))
    assert np.allclose(moved.keypoints, keypoints(one, BONES_) + np.array([0.25 - one[0], 0, -0.5 - one[2]]))
    assert np.allclose(moved.capsules, capsules(moved.pose, BONES_))


def test_bent_fingers_converge_towards_the_wrist():
    bent = {f"{f}_{j}_flexion": 80 for f in pose.FINGERS[:4] for j in ("mcp", "pip")}
    tips = [joint(pose.with_angles(**bent), f"{f}_tip")[0] for f in pose.FINGERS[:4]]
    knuckles = [joint(pose.bind(), f"{f}_mcp")[0] for f in pose.FINGERS[:4]]
    assert max(tips) - min(tips) < max(knuckles) - min(knuckles)
    assert (np.diff(tips) > 0.008).all()


def test_the_thumb_opposes_the_little_finger():
    # Kapandji's highest scores: the thumb's tip reaches the little finger when both bend.
    low, high = pose.LIMITS.T
    rng = np.random.default_rng(1)
    poses = np.zeros((20000, 28))
    for name in ("thumb", "little"):
        poses[:, pose.FINGER_SLICE[name]] = rng.uniform(low, high, (20000, 28))[:, pose.FINGER_SLICE[name]]
    points = keypoints(poses, BONES_)
    reach = points[:, KEYPOINTS.index("thumb_tip")] - points[:, KEYPOINTS.index("little_tip")]
    assert np.linalg.norm(reach, axis=1).min() < 0.012


def test_shape_and_pose_are_independent():
    bones = skeleton(HandShape.random(np.random.default_rng(2)))
    assert np.allclose(keypoints(pose.bind(), bones), bones.keypoints)


def test_a_pose_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"poses are \(28,\) or \(N, 28\), not \(27,\)"):
        transforms(np.zeros(27), BONES_)


def test_points_of_one_bone_move_rigidly_with_it():
    points = np.random.default_rng(6).normal(size=(21, 3))
    for values in random_poses(20, seed=7):
        moved = transforms(values, BONES_)
        expected = np.einsum("bij,bj->bi", moved[:, :3, :3], points) + moved[:, :3, 3]
        assert np.allclose(skin(points, np.eye(21), moved), expected)


def test_half_way_between_two_bones_a_point_turns_half_as_far():
    # Two bones about the same pivot, one turned by 80 degrees: the mean of the two rotations is 40 degrees.
    angle, half = np.radians(80), np.radians(40)
    rotated = np.eye(4)
    rotated[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    moved = skin(np.array([[1.0, 0.0, 0.5]]), np.array([[0.5, 0.5]]), np.stack([np.eye(4), rotated]))
    assert np.allclose(moved, [[np.cos(half), np.sin(half), 0.5]])
