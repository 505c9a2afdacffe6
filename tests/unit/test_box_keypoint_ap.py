"""Boxes and keypoints against AP worked out by hand."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from evaluation.cli import main
from evaluation.metrics import box_keypoint_ap
from evaluation.records import ResultsError
from handforge.dataset import Dataset, DatasetError, Instance, Sample, assemble, write_sample

SIZE = (200, 100)


@pytest.fixture
def dataset(tmp_path):
    """Two images, each with a hand of 40 x 40 at (20, 10) whose joints lie in its middle."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    mask = np.zeros((SIZE[1], SIZE[0]), bool)
    mask[10:50, 20:60] = True
    points = np.tile([40.0, 30.0, 2.0], (21, 1))
    points[3:] = 0  # three joints are known
    frame = [Sample(f"p{i}", np.zeros((*mask.shape, 3), np.uint8), (Instance(mask, points),)) for i in range(2)]
    assemble(folder, [write_sample(folder, f) for f in frame], {})
    return Dataset(folder)


def results(path, *entries):
    path.write_text(json.dumps([{"category_id": 1, **entry} for entry in entries]))
    return path


def found(image_id, box=(20, 10, 40, 40), shift=0.0, score=0.9):
    return {"image_id": image_id, "bbox": list(box), "score": score, "keypoints": [40 + shift, 30, 2] * 21}


def test_boxes_by_hand(dataset, tmp_path):
    # one box exact, the other of IoU 0.75 (30 of 40 columns): right at 0.50 to 0.75, that is at 6 of 10 thresholds
    path = results(tmp_path / "r.json", found(1), found(2, (20, 10, 30, 40)))
    figures = box_keypoint_ap.score(dataset, path, "boxes").figures
    assert figures["hands"] == 2 and figures["ap50"] == 1 and figures["ap75"] == 1
    half = 51 / 101  # of the 101 recalls that COCO looks at, those up to 0.5
    assert math.isclose(figures["ap"], 0.6 + 0.4 * half, abs_tol=1e-6)
    assert figures["ap_small"] is None and math.isclose(figures["ar1"], 0.6 + 0.4 * 0.5)


def test_keypoints_by_hand(dataset, tmp_path):
    # OKS is the mean over the joints of exp(-d² / (2 (2 sigma)² area)); the second hand's joints are 1.5 px off
    shift, area = 1.5, 1600
    oks = np.mean([math.exp(-(shift**2) / (2 * (2 * sigma) ** 2 * area)) for sigma in box_keypoint_ap.SIGMAS[:3]])
    right = sum(oks >= threshold for threshold in np.arange(0.5, 0.96, 0.05))
    assert 0 < right < 10
    figures = box_keypoint_ap.score(
        dataset, results(tmp_path / "r.json", found(1), found(2, shift=shift)), "keypoints"
    ).figures
    assert math.isclose(figures["ap"], (right + (10 - right) * 51 / 101) / 10, abs_tol=1e-6)
    assert figures["ap50"] == 1


def test_nothing_found_scores_nothing(dataset, tmp_path):
    for of in ("boxes", "keypoints"):
        figures = box_keypoint_ap.score(dataset, results(tmp_path / "r.json"), of).figures
        assert (figures["hands"], figures["ap"]) == (2, 0)


def test_by_the_command(dataset, tmp_path):
    path = results(tmp_path / "r.json", found(1), found(2))
    words = ["score", str(dataset.folder), str(path)]
    done = CliRunner().invoke(main, [*words, "--of", "keypoints", "--json", str(tmp_path / "s.json")])
    assert done.exit_code == 0 and "AP50" in done.output
    record = json.loads((tmp_path / "s.json").read_text())
    assert (record["of"], record["hands"], record["ap"]) == ("keypoints", 2, 1)
    masks = CliRunner().invoke(main, words)
    assert masks.exit_code == 2 and 'has no "segmentation"; score --of keypoints measures' in masks.stderr


def test_images_that_tell_of_another_category_alone_are_left_out(dataset, tmp_path):
    content = json.loads(dataset.path.read_text())
    content["categories"].append({"id": 2, "name": "hand+forearm"})
    content["annotations"][1]["category_id"] = 2
    dataset.path.write_text(json.dumps(content))
    path = results(tmp_path / "r.json", found(1), found(2, score=0.95))
    figures = box_keypoint_ap.score(Dataset(dataset.folder), path, "boxes").figures
    assert (figures["hands"], figures["ap"]) == (1, pytest.approx(1))


@pytest.mark.parametrize("option", [("--iou", "0.7"), ("--details",), ("--region", "skin")])
def test_what_is_for_masks_is_refused(dataset, tmp_path, option):
    path = results(tmp_path / "r.json", found(1))
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(path), "--of", "boxes", *option])
    assert done.exit_code == 2 and f"{option[0]} is for masks; leave it out with --of boxes" in done.stderr


@pytest.mark.parametrize(
    "change, message",
    [
        ({"bbox": [1, 2, 3]}, "result 1 of 1: bbox must be 4 numbers"),
        ({"bbox": [1, 2, 3, None]}, "bbox must be 4 numbers"),
        ({"bbox": [1, 2, 3, 10**400]}, "bbox must be 4 numbers"),
        ({"category_id": 3}, "has the category 3; the dataset has 1"),
        ({"score": 2}, "scores go from 0 to 1"),
        ({"image_id": 9}, "is for image 9, and no image of the results is in"),
    ],
)
def test_wrong_results(dataset, tmp_path, change, message):
    path = results(tmp_path / "r.json", {**found(1), **change})
    with pytest.raises(ResultsError, match=message):
        box_keypoint_ap.score(dataset, path, "boxes")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"keypoints": None}, "annotation 2 has no keypoints; keypoints cannot be scored"),
        ({"keypoints": [1, 2, 3]}, "annotation 2: keypoints must be 21 times 3 numbers"),
        ({"keypoints": "x"}, "annotation 2: keypoints must be 21 times 3 numbers"),
        ({"bbox": None}, "annotation 2 has no bbox; keypoints cannot be scored"),
        ({"bbox": [1, 2, 3]}, "annotation 2: bbox must be 4 numbers"),
        ({"bbox": [1, 2, 3, "x"]}, "annotation 2: bbox must be 4 numbers"),
        ({"area": "x"}, "annotation 2: area must be a number"),
    ],
)
def test_wrong_truth(dataset, tmp_path, change, message):
    content = json.loads(dataset.path.read_text())
    content["annotations"][1].update(change)
    dataset.path.write_text(json.dumps(content))
    with pytest.raises((ResultsError, DatasetError), match=rf"annotations\.json: {message}"):
        box_keypoint_ap.score(Dataset(dataset.folder), results(tmp_path / "r.json", found(1)), "keypoints")
