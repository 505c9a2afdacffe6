"""The skeleton: proportions of a human hand, right-handed frames, shapes that vary as people's do."""

import numpy as np
import pytest

from generator.hand import pose
from generator.hand.anatomy import BONE_LENGTHS_MM, BONES, TIP_MM, HandShape, skeleton
from handforge.dataset import KEYPOINTS


def length_mm(bones, name):
    index = BONES.index(name)
    return 1000 * np.linalg.norm(bones.tails[index] - bones.heads[index])


def test_bones_have_the_published_lengths():
    bones = skeleton()
    parts = ("metacarpal", "proximal", "middle", "distal")
    for finger, lengths in BONE_LENGTHS_MM.items():
        names = parts if finger != "thumb" else ("metacarpal", "proximal", "distal")
        for name, expected in zip(names, lengths, strict=True):
            soft = TIP_MM[finger] if name == "distal" else 0.0
            assert length_mm(bones, f"{finger}_{name}") == pytest.approx(expected + soft, abs=1e-6)


def test_the_mean_hand_is_as_long_as_peoples():
    tip = skeleton().keypoints[KEYPOINTS.index("middle_tip")]
    assert tip[2] == pytest.approx(0.1893, rel=0.02)  # the mean of men and women in ANSUR II


def test_fingertips_stand_in_the_human_order():
    bones = skeleton()
    height = {name: bones.keypoints[KEYPOINTS.index(f"{name}_tip")][2] for name in pose.FINGERS}
    assert height["middle"] > max(height["index"], height["ring"]) > height["little"] > height["thumb"]


def test_the_skeleton_is_a_tree_that_hangs_together():
    bones = skeleton(HandShape.random(np.random.default_rng(5)))
    assert len(BONES) == len(bones.heads) == len(bones.dofs) == 21
    assert bones.parents[0] == -1 and all(bones.parents[i] < i for i in range(1, 21))
    for index, name in enumerate(BONES):
        if name.endswith(("proximal", "middle", "distal")):
            assert np.allclose(bones.heads[index], bones.tails[bones.parents[index]])


def test_frames_are_right_handed_and_lie_along_the_bones():
    bones = skeleton()
    for index, frame in enumerate(bones.frames):
        assert np.allclose(frame.T @ frame, np.eye(3)) and np.linalg.det(frame) > 0
        along = bones.tails[index] - bones.heads[index]
        if BONES[index] != "hand":
            assert np.allclose(along / np.linalg.norm(along), frame[:, 2])


def test_every_number_of_the_pose_but_the_translation_turns_exactly_one_bone():
    used = sorted(index for dofs in skeleton().dofs for index, _ in dofs)
    assert used == list(range(3, 28))


def test_fingers_are_spread_but_do_not_touch():
    bones = skeleton()
    tips = [bones.keypoints[KEYPOINTS.index(f"{name}_tip")] for name in ("little", "ring", "middle", "index")]
    gaps = np.linalg.norm(np.diff(tips, axis=0), axis=1)
    assert (gaps > 0.015).all()


def test_shapes_scale_what_they_name():
    wide, plain = skeleton(HandShape(width=1.2)), skeleton()
    index = BONES.index("index_proximal")
    assert wide.heads[index][0] == pytest.approx(1.2 * plain.heads[index][0])
    assert length_mm(skeleton(HandShape(ring=1.1)), "ring_middle") == pytest.approx(1.1 * 25.65)
    thick = skeleton(HandShape(finger_thickness=1.3))
    assert np.allclose(thick.radii[index + 1], 1.3 * plain.radii[index + 1])
    assert np.allclose(wide.radii[0], 1.1 * plain.radii[0]), "the arm's girth is that of width and thickness together"
    assert np.allclose(skeleton(HandShape(thickness=1.2)).radii[1], 1.2 * plain.radii[1])


def test_random_shapes_vary_as_people_do():
    rng = np.random.default_rng(0)
    shapes = [HandShape.random(rng) for _ in range(2000)]
    lengths, widths = np.array([s.length for s in shapes]), np.array([s.width for s in shapes])
    assert abs(lengths.mean() - 1) < 0.01 and 0.05 < lengths.std() < 0.07
    assert 0.6 < np.corrcoef(lengths, widths)[0, 1] < 0.9
    digits = np.array([[s.little, s.ring, s.index, s.thumb] for s in shapes])
    assert np.allclose(digits.std(axis=0), [0.03, 0.02, 0.02, 0.03], rtol=0.1)
    assert np.abs(np.triu(np.corrcoef(digits.T), 1)).max() < 0.1, "each of its own"
    assert HandShape.random(np.random.default_rng(3)) == HandShape.random(np.random.default_rng(3))


def test_an_impossible_shape_names_the_factor():
    with pytest.raises(ValueError, match=r"the hand's width is 3\.0; it is a factor between 0.5 and 2"):
        HandShape(width=3.0)


def test_a_childs_hand_is_as_long_as_childrens_and_plumper():
    lengths, mean, tip = [], skeleton(), KEYPOINTS.index("middle_tip")
    for seed in range(30):
        shape = HandShape.child(np.random.default_rng(seed))
        bones = skeleton(shape)
        length = np.linalg.norm(bones.keypoints[tip])
        lengths.append(length)
        assert shape.width / shape.length > 1 and shape.of_child
        girth = bones.radii[BONES.index("index_middle")] / mean.radii[BONES.index("index_middle")]
        assert (girth > 1.05 * length / np.linalg.norm(mean.keypoints[tip])).all()
    # 110 to 155 mm, and fingers that are up to a tenth shorter
    assert 0.105 < min(lengths) < 0.12 and 0.145 < max(lengths) < 0.158
    assert not any(HandShape.random(np.random.default_rng(seed)).of_child for seed in range(2000))
