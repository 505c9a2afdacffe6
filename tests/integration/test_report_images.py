"""What the report shows as images: thumbnails of hands, and charts."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from evaluation_scenes import four_images, load_images
from PIL import Image

from evaluation.metrics.matching import MatchOptions, match
from evaluation.report import figures, gallery
from evaluation.study import figures as study_figures
from evaluation.study.results import RunResult
from handforge.dataset import encode_mask


def test_thumbnails_show_the_hands_in_their_colours(tmp_path):
    dataset, results = four_images(tmp_path)
    image = load_images(dataset, results)[1]
    small = gallery.thumbnail(dataset.read_image(image.image), image, match(image, MatchOptions()))
    colors = {tuple(int(c) for c in pixel) for pixel in np.asarray(small).reshape(-1, 3)}
    for kind, color in gallery.COLORS.items():
        assert tuple(bytes.fromhex(color[1:])) in colors, kind


def test_crops_keep_to_the_image_and_hold_the_hands():
    mask = np.zeros((300, 400), bool)
    mask[280:300, 0:30] = True
    assert gallery.crop_box([encode_mask(mask)], 400, 300) == (0, 266, 46, 300)
    assert gallery.crop_box([], 400, 300) == (0, 0, 400, 300)
    assert gallery.crop_box([encode_mask(np.ones((300, 400), bool))], 400, 300) == (0, 0, 400, 300)


def test_the_worst_and_the_best_are_chosen():
    assert gallery.choose([0.5, 0.1, 0.9, 0.3, 0.7], 5) == [0, 1, 2, 3, 4]
    assert gallery.choose([0.5, 0.1, 0.9, 0.3, 0.7], 3) == [1, 2, 3]
    assert gallery.choose([], 3) == []


def test_thumbnails_keep_to_their_weight():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8))
    heavy, light = gallery.address(noise, 10**9), gallery.address(noise, 15_000)
    assert len(light) < len(heavy)
    assert Image.open(io.BytesIO(base64.b64decode(light.split(",")[1]))).size == (320, 240)


def test_running_means():
    assert figures.smooth(np.array([4.0, 2.0, 0.0, 6.0]), 2) == pytest.approx([4, 3, 1, 3])
    assert list(figures.thin(np.arange(10), 4)) == [0, 3, 6, 9]
    assert list(figures.thin(np.arange(2), 4)) == [0, 1]


def test_steps_are_whole_numbers():
    few = np.array([300.0, 100.0])
    runs = [RunResult(name, 0, [{}], 1, [few], {}) for name in "ab"]
    drawn = (
        figures.losses_together([("a", few)]),
        figures.loss_curves({1: few}, {1: None}),
        study_figures.batch_losses(runs[:1], runs[1:], ("a", "b")),
    )
    for address in drawn:
        svg = base64.b64decode(address.split(",")[1]).decode()
        assert {"1", "2"} <= (texts := {*re.findall(r">([^<]+)</text>", svg)})
        assert not [text for text in texts if "." in text]
