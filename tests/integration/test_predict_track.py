"""Objects of a video keep their numbers: of discs that move, cross and hide, which is which is known by colour."""

import json
import sys
from fractions import Fraction

import numpy as np
import pytest
from click.testing import CliRunner
from fake_detector import FakeDetector
from PIL import Image
from trainer_samples import blob, refused

from handforge.cli import main
from handforge.dataset import video
from trainer.inference import predict
from trainer.inference.detections import Detection
from trainer.inference.inputs import Clip, Frame
from trainer.inference.track import box_iou, tracked

pytest.importorskip("trackers", reason="the extra track is not installed")
SIZE = (160, 120)
COUNT = 30


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def crossing(tmp_path):
    """A red disc goes to the right, a blue one to the left behind it; in the middle they overlap."""
    with video.Writer(tmp_path / "crossing.mp4", Fraction(15)) as writer:
        for number in range(COUNT):
            image = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
            image[blob(SIZE, (130 - 100 * number / COUNT, 70), 16)] = (0, 0, 255)
            image[blob(SIZE, (30 + 100 * number / COUNT, 50), 16)] = (255, 0, 0)
            writer.write(image)
    return tmp_path / "crossing.mp4"


def test_each_keeps_its_number_and_color(crossing, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    words = ("predict", "--weights", "shipped", crossing, "--out", tmp_path / "out", "--overlays", "--track")
    done = invoke(*words, "--batch", 7)
    assert done.exit_code == 0, done.output
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert len(results) == 2 * COUNT
    numbers = {score: {r["track_id"] for r in results if r["score"] == score} for score in (0.9, 0.8)}
    assert numbers == {0.9: {1}, 0.8: {2}}  # by score, one can tell red from blue
    drawn = list(video.read_frames(tmp_path / "out/overlays.mp4"))
    assert len(drawn) == COUNT
    # The disc's upper edge: its middle is under the other disc's label where they cross.
    reds = [frame[36, round(30 + 100 * number / COUNT)].astype(int) for number, frame in enumerate(drawn)]
    assert np.abs(np.diff(reds, axis=0)).max() < 60, "the tint of the red disc stays"


def hand(x, score=0.9, category="hand", y=50):
    return Detection.of_mask(blob((400, 120), (x, y), 20), score, category)


def numbers(frames, min_score=0.5):
    """The numbers that the detections of each frame of a video get, in their order."""
    clip = Clip("a.mp4", "a", lambda: video.Stream("a.mp4", "a", None, Fraction(10), None))
    image = np.zeros((120, 400, 3), np.uint8)
    given = [(Frame(n, str(n), str(n), image, clip), hands) for n, hands in enumerate(frames)]
    found = list(tracked(iter(given), min_score))
    assert [frame.id for frame, _ in found] == list(range(len(frames)))
    assert [[d.score for d in hands] for _, hands in found] == [[d.score for d in hands] for hands in frames]
    return [[detection.track_id for detection in hands] for _, hands in found]


def test_who_hides_for_less_than_a_second_comes_back_as_the_same():
    seen = [[hand(40 + 4 * n)] for n in range(6)]
    hidden = seen + [[]] * 9 + [[hand(40 + 4 * n)] for n in range(15, 19)]
    assert numbers(hidden) == [[1]] * 6 + [[]] * 9 + [[1]] * 4
    long = seen + [[]] * 12 + [[hand(40 + 4 * n)] for n in range(18, 21)]
    assert numbers(long) == [[1]] * 6 + [[]] * 12 + [[2]] * 3


def test_a_weak_detection_continues_and_does_not_begin():
    frames = [[hand(50, score), hand(300, 0.2)] for score in (0.9, 0.9, 0.3, 0.9)]
    assert numbers(frames) == [[1, None]] * 4


def test_what_is_seen_once_has_no_number():
    assert numbers([[hand(50), hand(200)], [hand(50)], [hand(50)]]) == [[1, None], [1], [1]]


def test_a_hand_is_not_joined_with_what_it_holds():
    frames = [[hand(50), hand(52, category="cup")], [hand(52), hand(50, category="cup")], [hand(50)], [hand(50)]]
    assert numbers(frames) == [[2, 1], [2, 1], [2], [2]]


def test_the_overlap_of_two_boxes_is_their_intersection_over_their_union():
    assert box_iou((0, 0, 10, 10), (5, 0, 10, 10)) == 50 / 150
    assert box_iou((0, 0, 10, 10), (20, 20, 10, 10)) == box_iou((0, 0, 10, 10), (10, 0, 10, 10)) == 0


def test_each_video_counts_for_itself_and_images_are_left_alone():
    clips = [Clip(n, n, lambda n=n: video.Stream(n, n, None, Fraction(10), None)) for n in ("a.mp4", "b.mp4")]
    image = np.zeros((120, 400, 3), np.uint8)
    order = [clips[0], clips[0], clips[0], None, clips[1], clips[1], None]
    given = [(Frame(n, str(n), str(n), image, clip), [hand(50)]) for n, clip in enumerate(order)]
    assert [hands[0].track_id for _, hands in tracked(iter(given), 0.5)] == [1, 1, 1, None, 1, 1, None]


def test_what_is_missing_is_said(crossing, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    words = ("predict", "--weights", "shipped", "--out", tmp_path / "out", "--track")
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    refused(invoke(*words, tmp_path / "a.png"), "--track is for a video or a camera")
    monkeypatch.setitem(sys.modules, "trackers", None)
    refused(invoke(*words, crossing), "--track needs the package trackers; pip install 'handforge[track]'")
    assert not (tmp_path / "out").exists()
