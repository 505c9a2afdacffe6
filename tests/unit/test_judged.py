"""Verdicts on many poses are remembered, and are those of the rules whatever lies in the cache."""

import numpy as np
import pytest

from generator.hand import plausibility, pose, pose_sets
from generator.hand.anatomy import skeleton
from generator.hand.camera import Camera
from generator.pipeline import judged


@pytest.fixture
def some(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(judged, "LEAST", 10)
    poses = pose_sets.poses("l11@15")
    return poses, plausibility.judge(poses, skeleton(), Camera())


def forbid(monkeypatch):
    def judge(*_):
        raise AssertionError("judged again")

    monkeypatch.setattr(plausibility, "judge", judge)


def test_verdicts_are_remembered(some, monkeypatch):
    poses, truth = some
    assert len(set(truth)) > 2  # kept ones and dropped ones
    assert np.array_equal(judged.judge(poses, skeleton(), Camera()), truth)
    assert len(list(judged.cache_folder().iterdir())) == 1
    forbid(monkeypatch)
    assert np.array_equal(judged.judge(poses, skeleton(), Camera()), truth)


def test_only_for_the_same_poses_hand_camera_and_rules(some, monkeypatch):
    poses, _ = some
    judged.judge(poses, skeleton(), Camera())
    forbid(monkeypatch)
    moved = poses.copy()
    moved[0, pose.V4] += 1e-9
    for changed in ((moved, skeleton(), Camera()), (poses, skeleton(), Camera(distance=0.9))):
        with pytest.raises(AssertionError, match="judged again"):
            judged.judge(*changed)
    monkeypatch.setattr(judged, "__version__", "other")
    with pytest.raises(AssertionError, match="judged again"):
        judged.judge(poses, skeleton(), Camera())


def test_a_damaged_cache_is_not_believed(some, tmp_path, monkeypatch):
    poses, truth = some
    judged.judge(poses, skeleton(), Camera())
    (path,) = judged.cache_folder().iterdir()
    whole = path.read_bytes()
    for content in (b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(content)
        assert np.array_equal(judged.judge(poses, skeleton(), Camera()), truth)
        assert path.read_bytes() == whole
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))  # nothing can be written there
    assert np.array_equal(judged.judge(poses, skeleton(), Camera()), truth)


def test_a_changed_verdict_has_a_new_version():
    poses = np.concatenate([pose_sets.poses("l2@10"), pose_sets.poses("l11@10")])
    counts = dict(zip(*np.unique(plausibility.judge(poses), return_counts=True), strict=True))
    known = {1: {"": 1873, "hidden": 85, "out of reach": 588, "self-collision": 46}}
    assert {str(reason): int(n) for reason, n in counts.items()} == known[plausibility.RULES_VERSION], (
        "a verdict changed: raise plausibility.RULES_VERSION and note its counts here"
    )
