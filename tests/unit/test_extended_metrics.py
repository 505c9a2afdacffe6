"""The field's numbers: curves, sweeps, intervals, errors, sizes, outlines, the region; worked out or by an oracle."""

from __future__ import annotations

import json
from dataclasses import replace

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

from evaluation.cli import main
from evaluation.metrics import boundary
from evaluation.metrics.average_precision import Ranked, average_precision, evaluated, ranked, weighted_ap
from evaluation.metrics.bootstrap import difference_of_means, differences, intervals, sampled
from evaluation.metrics.curves import SWEEP, curve, sweep
from evaluation.metrics.error_types import Errors, by_size, errors
from evaluation.metrics.extended_metrics import image_iou
from evaluation.metrics.matching import MatchOptions, match_all
from evaluation.metrics.paper_metrics import Tally, paper_metrics, tally
from handforge.dataset import Dataset, encode_mask


def test_curve_worked_out(tmp_path):
    found = curve(load_images(*four_images(tmp_path)), 0.5)
    # falling scores: 0.95 false, 0.9 right, 0.8 false, 0.7 false, 0.6 right, 0.3 right; four hands
    assert found.scores == pytest.approx([0.95, 0.9, 0.8, 0.7, 0.6, 0.3])
    assert found.precision == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4, 2 / 5, 3 / 6])
    assert found.recall == pytest.approx([0, 1 / 4, 1 / 4, 1 / 4, 2 / 4, 3 / 4])
    assert found.f1 == pytest.approx([0, 2 / 6, 2 / 7, 2 / 8, 4 / 9, 6 / 10])


def test_equal_scores_are_one_point_and_nothing_is_none(tmp_path):
    hand = rectangle(0, 0, 5, 5)
    dataset = write_dataset(tmp_path / "data", [[hand], [hand]])
    entries = [result(1, hand, 0.7), result(2, rectangle(9, 9, 5, 5), 0.7), result(2, hand, 0.6)]
    found = curve(load_images(dataset, write_results(tmp_path / "r.json", entries)), 0.5)
    assert (list(found.scores), list(found.precision), list(found.recall)) == ([0.7, 0.6], [1 / 2, 2 / 3], [1 / 2, 1])
    empty = curve(load_images(dataset, write_results(tmp_path / "r.json", [])), 0.5)
    assert len(empty.scores) == 0


@pytest.mark.parametrize("seed", range(4))
def test_the_curve_goes_through_the_numbers_at_every_score(tmp_path, seed):
    images = load_images(*random_scene(tmp_path, np.random.default_rng(seed)))
    found = curve(images, 0.4)
    for index, threshold in enumerate(found.scores):
        at = paper_metrics(images, MatchOptions(0.4, threshold))
        assert found.f1[index] == pytest.approx(at.f1)
        assert found.precision[index] == pytest.approx(at.tp / (at.tp + at.fp))


def test_sweep(tmp_path):
    found = sweep(load_images(*four_images(tmp_path)), 0.5)
    assert [row.iou_threshold for row in found] == list(SWEEP)
    assert [row.tp for row in found] == [3, 3, 3, 3, 2, 1, 1, 1, 1]


def test_errors_worked_out(tmp_path):
    images = load_images(*four_images(tmp_path))
    found = errors(images, match_all(images, MatchOptions()), 0.5)
    # the second prediction of image 1; that of IoU 0.49 in image 2, which spoils that hand; image 4; image 3
    assert found == Errors(duplicate=1, localisation=1, background=1, outlined_badly=1, missed=1)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        pytest.param(2, Errors(0, 1, 0, 1, 0), id="20 of 180 pixels"),
        pytest.param(1, Errors(0, 0, 1, 0, 1), id="10 of 190 pixels"),
    ],
)
def test_from_a_tenth_on_a_false_positive_is_of_the_object_that_it_touches(tmp_path, shared, expected):
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 10, 10)]])
    entries = [result(1, rectangle(10 - shared, 0, 10, 10), 0.9)]
    images = load_images(dataset, write_results(tmp_path / "r.json", entries))
    assert errors(images, match_all(images, MatchOptions()), 0.5) == expected


@pytest.mark.parametrize("seed", range(4))
def test_errors_add_up(tmp_path, seed):
    images = load_images(*random_scene(tmp_path, np.random.default_rng(seed)))
    for iou in (0.05, 0.5, 0.9):
        found, at = (
            errors(images, match_all(images, MatchOptions(iou, 0.4)), iou),
            paper_metrics(images, MatchOptions(iou, 0.4)),
        )
        assert found.duplicate + found.localisation + found.background == at.fp
        assert found.outlined_badly + found.missed == at.fn


def test_sizes(tmp_path):
    masks = [rectangle(0, 0, side, side, 100) for side in (9, 10, 20, 40)]
    dataset = write_dataset(tmp_path / "data", [[mask] for mask in masks], size=100)
    entries = [result(1, masks[0], 0.9), result(4, rectangle(0, 0, 40, 30, 100), 0.9)]
    images = load_images(dataset, write_results(tmp_path / "r.json", entries))
    rows = by_size(images, match_all(images, MatchOptions()))
    assert [(row.name, row.hands, row.true_positives, row.mean_iou) for row in rows] == [
        ("tiny", 1, 1, 1.0),
        ("small", 1, 0, None),
        ("medium", 1, 0, None),
        ("large", 1, 1, 0.75),
    ]


def test_boundary_iou_worked_out():
    first = np.zeros((300, 400), bool)  # diagonal 500, so the rim is 10 wide
    first[100:200, 100:200] = True
    second = np.roll(first, 5, axis=1)
    rim = 100 * 100 - 80 * 80
    # moved by 5: each upright bar keeps 5 x 100, each level one 95 - 20 more columns of 10 on both sides
    shared = 2 * 5 * 100 + 2 * 10 * (95 - 10)
    assert boundary.boundary_iou(encode_mask(first), encode_mask(first)) == 1.0
    found = boundary.boundary_iou(encode_mask(first), encode_mask(second))
    assert found == pytest.approx(shared / (2 * rim - shared))


def test_the_rim_is_a_pixel_wide_at_least():
    """Of two squares of 6x6 in 10x10 pixels, one beside the other by one: 5 pixels above and 5 below of 20 each."""
    first, second = (encode_mask(rectangle(x, 2, 6, 6, 10)) for x in (2, 3))
    assert boundary.boundary_iou(first, second) == pytest.approx(10 / 30)


@pytest.mark.parametrize("depth", [1, 3])
def test_rims_agree_with_step_by_step_erosion(depth):
    rng = np.random.default_rng(depth)
    for _ in range(20):
        mask = rng.random((17, 23)) < 0.97
        inner = np.pad(mask, depth)
        for _ in range(depth):
            grown = np.pad(inner, 1)
            rows, columns = inner.shape
            windows = [grown[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
            inner = np.logical_and.reduce(windows)
        assert (boundary.rim(mask, depth) == (mask & ~inner[depth:-depth, depth:-depth])).all()


def test_image_iou(tmp_path):
    images = load_images(*four_images(tmp_path))
    # 1: both predictions together are the hand; 2: 50 + 49 of 200 pixels; 3: not predicted; 4: predicted for nothing
    assert image_iou(images, 0.5) == pytest.approx((1 + 99 / 200 + 0 + 0) / 4)


def counts(tp: list[int], group: np.ndarray | None = None) -> tuple[Tally, list[Ranked]]:
    """One hand an image, found by its only prediction, which is as sure everywhere, or by none."""
    found = np.array(tp, float)
    tally = Tally(
        group=np.arange(len(tp)) if group is None else group,
        hands=np.ones(len(tp)),
        tp=found,
        fp=np.zeros(len(tp)),
        iou_sum=0.8 * found,
        top=found,
        empty=np.zeros(len(tp)),
    )
    owner = np.flatnonzero(found)
    return tally, [Ranked(owner, [np.arange(len(owner))], np.ones(len(tp), int))]


def test_intervals_are_those_of_a_proportion():
    found = intervals(*counts([1] * 300 + [0] * 100))
    low, high = found["acc"]
    spread = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == (pytest.approx(0.75 - spread, abs=0.006), pytest.approx(0.75 + spread, abs=0.006))
    assert found["mean_iou"] is None  # 0.8 in all samples
    assert intervals(*counts([1, 0] * 20)) == intervals(*counts([1, 0] * 20))
    assert found["ap"] == pytest.approx((low, high), abs=0.01)  # every prediction is right, so AP is the recall
    assert intervals(*counts([0, 0]))["mean_iou"] is None


@pytest.mark.parametrize(("count", "group"), [(1, None), (3, np.zeros(3, int)), (2, None), (5, None)])
def test_samples_that_are_all_alike_have_no_interval(count, group):
    """One image, one group, or the same in each: an interval without width would say that a difference is certain."""
    assert intervals(*counts([1] * count, group)) == dict.fromkeys(("mean_iou", "acc", "f1", "ap"))
    moved = differences(*counts([0] * count, group), *counts([1] * count, group))
    assert moved == {"mean_iou": None, **dict.fromkeys(("acc", "f1", "ap"), (1.0, None, None))}
    numbers = np.arange(count) if group is None else group
    assert difference_of_means(np.zeros(count), np.ones(count), numbers) == (1.0, None, None)


def test_what_is_wrong_once_has_an_interval():
    low, high = intervals(*counts([1] * 9 + [0]))["acc"]
    assert low < 0.9 < high == 1


def test_images_that_belong_together_are_drawn_together():
    """Ten frames of each of 40 videos, all alike within one, say no more than one frame of each."""
    rng = np.random.default_rng(1)
    first, second = (rng.random((2, 40)) < 0.5).astype(int)
    group = np.repeat(np.arange(40), 10)
    one, ten = counts(list(first)), counts(list(np.repeat(first, 10)), group)
    alone, together = intervals(*one), intervals(*ten)
    for name in ("acc", "f1", "ap"):
        assert together[name] == pytest.approx(alone[name]), name
    as_images = intervals(*counts(list(np.repeat(first, 10))))["acc"]
    assert np.diff(together["acc"]) > 2.5 * np.diff(as_images)  # by sqrt(10) where images are taken one by one
    moved = differences(*ten, *counts(list(np.repeat(second, 10)), group))["f1"]
    assert moved == pytest.approx(differences(*one, *counts(list(second)))["f1"])
    rise = difference_of_means(np.repeat(first, 10), np.repeat(second, 10), group)
    assert rise == pytest.approx(difference_of_means(first, second, np.arange(40)))


def test_a_mean_over_groups_of_unequal_size_is_over_the_images_drawn():
    """One group of one image where nothing rises, one of 99 that all do: a sample has either, or both as they are."""
    group = np.array([0] + [1] * 99)
    rise = difference_of_means(np.zeros(100), (group == 1).astype(float), group)
    assert rise == (0.99, 0.0, 1.0)


def test_what_intervals_are_over_in_words():
    groups = [0], [0, 1], [0, 1, 1], [0, 0]
    assert [sampled(np.array(group)) for group in groups] == ["1 image", "2 images", "2 groups", "1 group"]


def test_paired_differences_are_narrower_than_the_intervals():
    rng = np.random.default_rng(0)
    first = (rng.random(400) < 0.5).astype(int)
    second = first.copy()
    second[np.flatnonzero(first == 0)[:20]] = 1  # 20 hands more, all others alike
    difference, low, high = differences(*counts(list(first)), *counts(list(second)))["acc"]
    assert difference == pytest.approx(20 / 400)
    assert 0 < low < difference < high
    spread = intervals(*counts(list(first)))["acc"]
    assert high - low < 0.6 * (spread[1] - spread[0])
    assert differences(*counts([1, 0]), *counts([1, 0]))["f1"] == (0.0, None, None)
    assert differences(*counts([0, 0]), *counts([1, 0]))["mean_iou"] is None


@pytest.mark.parametrize("seed", range(4))
def test_the_ap_of_drawn_images_is_pycocotools(tmp_path, seed):
    rng = np.random.default_rng(seed)
    images = load_images(*random_scene(tmp_path, rng, scores=1000))
    found = ranked(evaluated(images))
    assert weighted_ap(found, np.ones(len(images), int)) == pytest.approx(average_precision(images)["ap"], abs=1e-6)
    times = rng.integers(0, 4, len(images))
    times[0] = 1
    copies = [image for image, count in zip(images, times, strict=True) for _ in range(count)]
    drawn = [replace(p, image={**p.image, "id": number}) for number, p in enumerate(copies, start=1)]
    assert weighted_ap(found, times) == pytest.approx(average_precision(drawn)["ap"], abs=1e-6)


def test_no_hand_has_no_ap(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[], []])
    images = load_images(dataset, write_results(tmp_path / "r.json", [result(1, rectangle(0, 0, 4, 4), 0.9)]))
    assert np.isnan(weighted_ap(ranked(evaluated(images)), np.ones(2, int)))
    empty = load_images(dataset, write_results(tmp_path / "r.json", []))
    assert intervals(tally(empty, match_all(empty, MatchOptions())), ranked(evaluated(empty)))["ap"] is None


def test_details_command(tmp_path):
    dataset, results = four_images(tmp_path)
    out = tmp_path / "numbers.json"
    command = ["score", str(dataset.folder), str(results), "--details", "--json", str(out)]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    for title in ("95 % intervals", "by IoU threshold", "COCO", "boundary IoU", "FN missed", "by size of hand"):
        assert title in done.output
    found = json.loads(out.read_text())["details"]
    assert found["errors"]["background"] == 1
    assert found["sweep"][0]["tp"] == 3
    assert set(found["coco"]) >= {"ap", "ap75", "ar100"}
    assert found["region"] == "skin" and found["intervals_over"] == "4 images"


def in_groups(dataset, groups):
    """Write into a dataset's records of which group each image is."""
    content = json.loads(dataset.path.read_text())
    for image, group in zip(content["images"], groups, strict=True):
        image["group"] = group
    dataset.path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("groups", "over"), [("aabb", "2 groups"), ("aaaa", "1 group"), ((None, None, None, 3), "4 images")]
)
def test_score_and_compare_say_what_intervals_are_over(tmp_path, groups, over):
    dataset, results = four_images(tmp_path)
    in_groups(dataset, groups)
    out = tmp_path / "numbers.json"
    done = CliRunner().invoke(
        main, ["score", str(dataset.folder), str(results), "--details", "--json", str(out)], catch_exceptions=False
    )
    found = json.loads(out.read_text())["details"]
    assert found["intervals_over"] == over and over in done.output
    assert (found["intervals"]["f1"] is None) == (over == "1 group")
    done = CliRunner().invoke(
        main, ["compare", str(dataset.folder), *[str(results)] * 2, "--json", str(out)], catch_exceptions=False
    )
    assert json.loads(out.read_text())[1]["intervals_over"] == over and over in done.output


def test_compare_command(tmp_path):
    dataset, results = four_images(tmp_path)
    better = write_results(tmp_path / "better.json", [result(i, rectangle(0, 0, 10, 10), 0.9) for i in (1, 2, 3)])
    out = tmp_path / "numbers.json"
    done = CliRunner().invoke(
        main, ["compare", str(dataset.folder), str(results), str(better), "--json", str(out)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    first, second = json.loads(out.read_text())
    assert first["differences"] is None
    assert second["score"]["f1"] == pytest.approx(6 / 7)
    assert second["differences"]["f1"][0] == pytest.approx(6 / 7 - 4 / 9)
    assert f"1: {results}\n2: {better}\n" in done.output and "+0.413" in done.output


def with_wrists(tmp_path, category="hand+forearm"):
    """One arm upright in the image, ten pixels of hand above ten of forearm, and its wrist in the middle."""
    dataset = write_dataset(tmp_path / "data", [[rectangle(5, 0, 10, 20)]], category=category)
    content = json.loads(dataset.path.read_text())
    points = np.zeros((21, 3))
    points[0], points[9] = (10, 10, 2), (10, 4, 2)
    content["annotations"][0]["keypoints"] = points.ravel().tolist()
    dataset.path.write_text(json.dumps(content))
    return dataset.folder


@pytest.mark.parametrize(
    ("predicted", "skin", "hand"),
    [
        (rectangle(5, 0, 10, 10), 0.5, 1.0),  # the hand alone
        (rectangle(5, 0, 10, 20), 1.0, 1.0),  # with the forearm
        (rectangle(5, 0, 10, 5), 0.25, 0.5),  # half the hand
        (rectangle(0, 0, 20, 20), 0.5, 100 / 300),  # beyond the arm is wrong in both
        (rectangle(5, 12, 10, 8), 0.4, None),  # nothing but forearm: neither right nor false
    ],
)
def test_region(tmp_path, predicted, skin, hand):
    folder = with_wrists(tmp_path)
    results = write_results(tmp_path / "r.json", [result(1, predicted, 0.9)])
    (as_it_is,) = load_images(Dataset(folder), results, "skin")
    (cut,) = load_images(Dataset(folder), results, "hand")
    assert as_it_is.iou[0, 0] == pytest.approx(skin)
    if hand is None:
        assert (cut.iou.shape, paper_metrics([cut], MatchOptions()).fp) == ((0, 1), 0)
    else:
        assert cut.iou[0, 0] == pytest.approx(hand)


def test_region_by_a_wrist_line(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(5, 0, 10, 20)]], category="hand+forearm")
    content = json.loads(dataset.path.read_text())
    content["annotations"][0]["wrist"] = [[15, 10], [5, 10]]
    dataset.path.write_text(json.dumps(content))
    results = write_results(tmp_path / "r.json", [result(1, rectangle(5, 0, 10, 10), 0.9)])
    (cut,) = load_images(Dataset(dataset.folder), results, "hand")
    assert cut.iou[0, 0] == pytest.approx(1.0)


def test_region_needs_wrists_of_forearms(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(5, 0, 10, 20)]], category="hand+forearm")
    results = write_results(tmp_path / "r.json", [])
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(results), "--region", "hand"])
    assert done.exit_code == 2
    assert "annotation 1 of p1.png has neither a wrist nor the keypoints wrist and middle_mcp" in done.output


def test_masks_of_the_category_hand_end_at_the_wrist_and_need_none(tmp_path):
    results = write_results(tmp_path / "r.json", [result(1, rectangle(5, 0, 10, 10), 0.9)])
    dataset = write_dataset(tmp_path / "out_of_view", [[rectangle(5, 0, 10, 20)]])
    for folder in (dataset.folder, with_wrists(tmp_path, "hand")):
        (uncut,) = load_images(Dataset(folder), results, "hand")
        assert uncut.iou[0, 0] == pytest.approx(0.5)


def test_tally_of_no_prediction(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 5, 5)]])
    images = load_images(dataset, write_results(tmp_path / "r.json", []))
    matches = match_all(images, MatchOptions())
    assert tally(images, matches).tp.tolist() == [0]
    assert errors(images, matches, 0.5) == Errors(0, 0, 0, 0, 1)
    assert boundary.mean_boundary_iou(images, matches) is None
