"""predict on videos and cameras."""

import json
import re
import signal
import sys
from fractions import Fraction

import numpy as np
from PIL import Image
from trainer_samples import invoke, refused

from handforge.dataset import decode_mask, video
from trainer.inference import detector


def test_a_video_gives_results_by_frame_and_an_annotated_video(weights, tmp_path):
    with video.Writer(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(5):
            writer.write(np.full((61, 80, 3), 50 * index, np.uint8))  # an odd height
    done = invoke("predict", "--weights", weights, tmp_path / "clip.mp4", "--out", tmp_path / "out", "--overlays")
    assert done.exit_code == 0, done.output
    images = json.loads((tmp_path / "out/images.json").read_text())
    assert [(i["id"], i["file_name"], i["height"]) for i in images] == [
        (n + 1, f"clip_{n:06d}.png", 62) for n in range(5)
    ]
    drawn = list(video.read_frames(tmp_path / "out/overlays.mp4"))
    assert len(drawn) == 5 and drawn[0].shape == (62, 80, 3)
    assert json.loads((tmp_path / "out/predict.json").read_text())["images"] == 5
    (tmp_path / "fake.avi").write_text("no video")
    refused(invoke("predict", "--weights", weights, tmp_path / "fake.avi", "--out", tmp_path / "other"), "no video")
    assert not (tmp_path / "other").exists()


def test_masks_and_frames_and_scores(weights, tmp_path):
    with video.Writer(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for index in range(5):
            writer.write(np.full((60, 80, 3), 50 * index, np.uint8))
    words = ("predict", "--weights", weights, tmp_path / "clip.mp4", "--out", tmp_path / "out", "--masks")
    done = invoke(*words, "--frames", 2, "--min-score", 0.3)
    assert done.exit_code == 0, done.output
    assert re.search(r"^2 images, [\d.]+ images/(s|min)$", done.output, re.MULTILINE)
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert {r["image_id"] for r in results} <= {1, 2} and all(r["score"] >= 0.3 for r in results)
    for number in (0, 1):
        kept = [r for r in results if r["image_id"] == number + 1]
        expected = np.any([np.zeros((60, 80), bool), *(decode_mask(r["segmentation"], 60, 80) for r in kept)], axis=0)
        with Image.open(tmp_path / f"out/masks/clip_{number:06d}.png") as mask:
            assert (np.asarray(mask) == expected * 255).all()
    assert not (tmp_path / "out/masks/clip_000002.png").exists()
    one = invoke("predict", "--weights", weights, tmp_path / "out/masks", "--out", tmp_path / "o", "--frames", 2)
    refused(one, "--frames is for a video or a camera")


def camera(monkeypatch, image):
    """Let FFmpeg's test images be this machine's cameras."""
    monkeypatch.setitem(video._CAMERAS, sys.platform, ("lavfi", image))


def test_a_camera_is_read_until_its_frames_are_there(weights, tmp_path, monkeypatch):
    camera(monkeypatch, "testsrc=size=64x48:rate={}5")  # camera 1 takes 15 frames a second
    words = ("predict", "--weights", weights, "--camera", "1", "--out", tmp_path / "out", "--overlays")
    done = invoke(*words, "--frames", 3)
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "out/predict.json").read_text())
    assert (record["source"], record["images"], record["dataset_id"]) == ("camera 1", 3, None)
    images = json.loads((tmp_path / "out/images.json").read_text())
    assert [(i["file_name"], i["width"]) for i in images] == [(f"camera_{n:06d}.png", 64) for n in range(3)]
    assert len(list(video.read_frames(tmp_path / "out/overlays.mp4"))) == 3


def test_ctrl_c_ends_a_camera_with_what_was_found(weights, tmp_path, monkeypatch):
    camera(monkeypatch, "testsrc=size=64x48:rate=10")
    find, seen = detector.detect, []

    def find_and_press(model, batch, *settings):
        seen.extend(batch)
        if len(seen) == 2:
            signal.raise_signal(signal.SIGINT)
        return find(model, batch, *settings)

    monkeypatch.setattr(detector, "detect", find_and_press)
    before = signal.getsignal(signal.SIGINT)
    done = invoke("predict", "--weights", weights, "--camera", "0", "--out", tmp_path / "out", "--batch", 4)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out/predict.json").read_text())["images"] == 2
    assert signal.getsignal(signal.SIGINT) == before


def test_no_camera_or_two_sources(weights, tmp_path):
    words = ("predict", "--weights", weights, "--out", tmp_path / "out")
    refused(invoke(*words, "--camera", "97"), "97 cannot be opened", "is it plugged in")
    refused(invoke(*words), "give a SOURCE or --camera")
    refused(invoke(*words, tmp_path, "--camera", "0"), "one of the two")
    assert not (tmp_path / "out").exists()
