"""Other tools read our files and reach our numbers."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from evaluation_scenes import load_images, random_scene
from pycocotools import mask as rle
from pycocotools.coco import COCO

from evaluation.metrics.average_precision import NAMES, average_precision


@pytest.fixture(params=range(3))
def scene(tmp_path, request):
    return random_scene(tmp_path, np.random.default_rng(request.param))


def test_pycocotools_reads_truth_and_results(scene):
    dataset, results = scene
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(dataset.path))
        found = truth.loadRes(str(results))
    for image in dataset:
        loaded = [truth.annToMask(a).astype(bool) for a in truth.loadAnns(truth.getAnnIds(image["id"]))]
        assert all((a == b).all() for a, b in zip(loaded, dataset.masks(image), strict=True))
    assert len(found.anns) == len(json.loads(results.read_text()))


def test_supervision_reads_truth_and_reaches_our_ap(scene):
    supervision = pytest.importorskip("supervision", reason="supervision is not installed: pip install supervision")
    from supervision.metrics import MeanAveragePrecision, MetricTarget

    dataset, results = scene
    loaded = supervision.DetectionDataset.from_coco(str(dataset.folder / "images"), str(dataset.path), force_masks=True)
    truth = {Path(path).name: detections for path, _, detections in loaded}
    entries = json.loads(results.read_text())
    targets, predictions = [], []
    for image in dataset:
        targets.append(truth[image["file_name"]])
        for mine, theirs in zip(dataset.masks(image), targets[-1].mask if len(targets[-1]) else [], strict=True):
            assert (mine == theirs).all()
        mine = [entry for entry in entries if entry["image_id"] == image["id"]]
        if mine:
            masks = np.array([rle.decode(entry["segmentation"]).astype(bool) for entry in mine])
            predictions.append(
                supervision.Detections(
                    xyxy=supervision.mask_to_xyxy(masks),
                    mask=masks,
                    confidence=np.array([entry["score"] for entry in mine]),
                    class_id=np.zeros(len(mine), int),
                )
            )
        else:
            predictions.append(supervision.Detections.empty())
    theirs = MeanAveragePrecision(metric_target=MetricTarget.MASKS).update(predictions, targets).compute()
    ours = average_precision(load_images(dataset, results))
    assert (theirs.map50_95, theirs.map50) == (
        pytest.approx(ours["ap"], abs=1e-6),
        pytest.approx(ours["ap50"], abs=1e-6),
    )


def test_fiftyone_reads_truth_and_results(scene):
    fiftyone = pytest.importorskip("fiftyone", reason="FiftyOne is not installed: pip install fiftyone")
    from fiftyone.utils.coco import add_coco_labels

    dataset, results = scene
    kind, files = fiftyone.types.COCODetectionDataset, {"data_path": str(dataset.folder / "images")}
    try:
        loaded = fiftyone.Dataset.from_dir(
            dataset_type=kind, labels_path=str(dataset.path), label_types="segmentations", include_id=True, **files
        )
    except Exception as error:  # FiftyOne starts a database of its own, which not every machine has
        pytest.skip(f"FiftyOne's database does not start here ({type(error).__name__})")
    categories = json.loads(dataset.path.read_text())["categories"]
    add_coco_labels(loaded, "found", str(results), categories, label_type="segmentations", coco_id_field="coco_id")
    entries = json.loads(results.read_text())
    for sample in loaded:
        true = sample["segmentations"].detections if sample["segmentations"] else []
        found = sample["found"].detections if sample["found"] else []
        image = next(image for image in dataset if image["id"] == sample["coco_id"])
        assert len(true) == len(dataset.annotations(image))
        assert len(found) == sum(entry["image_id"] == image["id"] for entry in entries)
    loaded.delete()


def test_faster_coco_eval_reaches_our_ap_and_ar(scene):
    faster = pytest.importorskip("faster_coco_eval", reason="not installed: pip install faster-coco-eval")
    dataset, results = scene
    with contextlib.redirect_stdout(io.StringIO()):
        truth = faster.COCO(str(dataset.path))
        oracle = faster.COCOeval_faster(truth, truth.loadRes(str(results)), "segm")
        oracle.evaluate()
        oracle.accumulate()
        oracle.summarize()
    ours = average_precision(load_images(dataset, results))
    for name, theirs in zip(NAMES, oracle.stats, strict=False):
        assert ours[name] == (pytest.approx(theirs, abs=1e-6) if theirs >= 0 else None)
