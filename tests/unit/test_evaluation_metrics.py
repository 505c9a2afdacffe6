"""The numbers: scenes worked out by hand, and random ones against pycocotools."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation_scenes import (
    four_images,
    load_images,
    random_scene,
    rectangle,
    result,
    write_dataset,
    write_results,
)
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.cli import main
from evaluation.metrics.average_precision import NAMES, average_precision
from evaluation.metrics.matching import MatchOptions, match
from evaluation.metrics.paper_metrics import score


def test_four_images_worked_out(tmp_path):
    dataset, results = four_images(tmp_path)
    numbers = score(load_images(dataset, results))
    assert (numbers.hands, numbers.tp, numbers.fp, numbers.fn) == (4, 2, 3, 2)
    assert numbers.mean_iou == pytest.approx((0.8 + 0.5) / 2)
    assert numbers.acc == pytest.approx(2 / 7)
    assert numbers.f1 == pytest.approx(4 / 9)
    assert numbers.f1 == pytest.approx(2 * numbers.acc / (1 + numbers.acc))  # as in the paper's tables
    assert numbers.tph == 1  # in image 2 the highest score is false


@pytest.mark.parametrize(
    ("iou", "threshold", "tp", "fp", "mean_iou", "tph"),
    [
        (0.49, 0.5, 3, 2, (0.8 + 0.5 + 0.49) / 3, 2),
        (0.51, 0.5, 1, 4, 0.8, 1),
        (0.5, 0.3, 3, 3, (0.8 + 0.5 + 1) / 3, 2),
        (0.5, 0.85, 1, 1, 0.8, 1),
        (0.81, 0.5, 1, 4, 1.0, 0),  # the second prediction of image 1 is free to match
        (1.0, 0.5, 1, 4, 1.0, 0),
    ],
)
def test_thresholds(tmp_path, iou, threshold, tp, fp, mean_iou, tph):
    numbers = score(load_images(*four_images(tmp_path)), MatchOptions(iou, threshold))
    assert (numbers.tp, numbers.fp, numbers.fn, numbers.tph) == (tp, fp, 4 - tp, tph)
    assert numbers.mean_iou == pytest.approx(mean_iou)


def test_the_higher_score_takes_the_hand_it_overlaps_most(tmp_path):
    left, right = rectangle(0, 0, 10, 10), rectangle(10, 0, 10, 10)
    dataset = write_dataset(tmp_path / "data", [[left, right]])
    wide = rectangle(3, 0, 15, 10)  # IoU 70/180 with the left hand, 80/170 with the right one
    results = write_results(tmp_path / "r.json", [result(1, right, 0.6), result(1, wide, 0.9)])
    (image,) = load_images(dataset, results)
    assert image.iou == pytest.approx(np.array([[70 / 180, 80 / 170], [0, 1]]))
    found = match(image, MatchOptions(0.3))
    assert (found.true_positives, found.false_negatives, found.false_positives) == ([(0, 1)], [0], [1])
    found = match(image, MatchOptions())
    assert (found.true_positives, found.false_negatives, found.false_positives) == ([(1, 1)], [0], [0])


def test_nothing_found(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 5, 5)]])
    numbers = score(load_images(dataset, write_results(tmp_path / "r.json", [])))
    assert (numbers.tp, numbers.fp, numbers.fn, numbers.tph) == (0, 0, 1, 0)
    assert (numbers.mean_iou, numbers.acc, numbers.f1, numbers.ap) == (None, 0.0, 0.0, 0.0)


def test_nothing_there(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[]])
    numbers = score(load_images(dataset, write_results(tmp_path / "r.json", [])))
    assert (numbers.hands, numbers.fp) == (0, 0)
    assert (numbers.mean_iou, numbers.acc, numbers.f1, numbers.ap, numbers.ap50) == (None,) * 5


def test_average_precision_worked_out(tmp_path):
    hand = rectangle(0, 0, 10, 10)
    dataset = write_dataset(tmp_path / "data", [[hand]])
    entries = [result(1, rectangle(12, 12, 4, 4), 0.9), result(1, rectangle(0, 0, 10, 8), 0.8)]
    found = average_precision(load_images(dataset, write_results(tmp_path / "r.json", entries)))
    assert found["ap50"] == pytest.approx(0.5)  # the first is false, so precision is 1/2 at every recall
    assert found["ap"] == pytest.approx(0.5 * 7 / 10)  # IoU 0.8 reaches seven of the ten thresholds
    assert found["ar1"] == 0.0
    assert found["ar10"] == pytest.approx(0.7)


@pytest.mark.parametrize("seed", range(12))
def test_random_scenes_agree_with_pycocotools(tmp_path, seed):
    dataset, results = random_scene(tmp_path, np.random.default_rng(seed))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(dataset.path))
        oracle = COCOeval(truth, truth.loadRes(str(results)), "segm")
        oracle.evaluate()
        oracle.accumulate()
        oracle.summarize()
    images = load_images(dataset, results)
    ours = average_precision(images)
    for name, theirs in zip(NAMES, oracle.stats, strict=False):
        assert ours[name] == (pytest.approx(theirs, abs=1e-6) if theirs >= 0 else None)
    for index, threshold in enumerate((0.5, 0.75)):
        index *= 5
        everything = [cell for cell in oracle.evalImgs[: len(dataset)] if cell is not None]
        assert score(images, MatchOptions(threshold, 0.0)).tp == sum(
            int((cell["dtMatches"][index] > 0).sum()) for cell in everything
        )


def test_score_command(tmp_path):
    dataset, results = four_images(tmp_path)
    out = tmp_path / "numbers.json"
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(results), "--json", str(out)])
    assert done.exit_code == 0, done.output
    assert "0.650" in done.output and "0.286" in done.output and "0.444" in done.output
    numbers = json.loads(out.read_text())
    names = "hands tp fp fn mean_iou acc f1 tph ap ap50 iou_threshold score_threshold"
    names += " images_without_hands false_positives_per_empty_image"
    assert set(numbers) == set(names.split())
    assert (numbers["hands"], numbers["tp"], numbers["iou_threshold"], numbers["score_threshold"]) == (4, 2, 0.5, 0.5)
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(results), "--iou", "0.49", "--json", str(out)])
    assert (done.exit_code, json.loads(out.read_text())["tp"]) == (0, 3)


def test_without_a_true_positive_the_json_says_null(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 5, 5)]])
    results, out = write_results(tmp_path / "r.json", []), tmp_path / "numbers.json"
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(results), "--json", str(out)])
    assert (done.exit_code, json.loads(out.read_text())["mean_iou"]) == (0, None)
