"""The tasks beside segmentation: each is trained, continued and predicted with by the real commands."""

import csv
import json
import math
import re

import numpy as np
import pytest
import torch
import torchvision
from pycocotools.coco import COCO
from torchvision.models.segmentation import deeplabv3_resnet50
from trainer_samples import (
    TINY,
    blob,
    edit_annotations,
    invoke,
    refused,
    ring,
    stopped_after,
    write_blobs,
    write_recipe,
)

from handforge.dataset import Dataset, DatasetError, decode_mask
from trainer.config.description import Architecture
from trainer.config.recipe import ImageSettings, Network
from trainer.config.tasks import TASKS, task_of
from trainer.data import augment
from trainer.data.augment import TrainingSample
from trainer.data.images import ImagePool
from trainer.errors import WeightsError
from trainer.inference import detections, tta
from trainer.inference.detections import Detection
from trainer.inference.detector import HandDetector
from trainer.models import checkpoint, networks, semantic

OTHERS = [name for name in TASKS if name != "segmentation"]
SHORT = TINY.replace("steps = 4", "steps = 2")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_blobs(tmp_path_factory.mktemp("blobs") / "data", count=4, hands=2, joints=True)


@pytest.fixture(scope="module", params=OTHERS)
def trained(request, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    recipe = write_recipe(folder / "tiny.toml", SHORT)
    if request.param == "classification":  # of one class there is nothing to learn
        data = write_blobs(folder / "classes", count=4)
        edit_annotations(data, _odd_ones_are_feet)
    words = ("--recipe", recipe, "--data", data, "--device", "cpu", "--task", request.param)
    done = invoke("repeat", *words, "--out", folder / "run")
    assert done.exit_code == 0, done.output
    return request.param, words, folder / "run"


def _odd_ones_are_feet(content):
    content["categories"] = [{"id": 1, "name": "hand"}, {"id": 2, "name": "foot"}]
    for annotation in content["annotations"]:
        annotation["category_id"] = 1 + annotation["image_id"] % 2


def test_a_run_names_its_task_and_losses(trained):
    task, _, run = trained
    description = json.loads((run / "network.json").read_text())
    assert description["task"] == task and task_of(description["architecture"]["model"]) == task
    with (run / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == ("session", "step", "loss", *TASKS[task].losses, "lr") and len(rows) == 4
    for row in rows:
        parts = [float(row[name]) for name in TASKS[task].losses]
        assert all(math.isfinite(part) for part in parts)
        assert math.isclose(float(row["loss"]), sum(parts), rel_tol=1e-4)


def test_a_run_of_each_task_resumes_exactly(trained, tmp_path):
    _, words, run = trained
    with stopped_after(2):
        assert invoke("repeat", *words, "--out", tmp_path / "run").exit_code == 130
    assert invoke("repeat", *words, "--out", tmp_path / "run", "--resume").exit_code == 0
    for name in ("network.safetensors", "losses.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (run / name).read_bytes()


def test_predictions_of_each_task_load_in_pycocotools(trained, data, tmp_path):
    task, _, run = trained
    done = invoke("predict", "--weights", run, data, "--out", tmp_path / "out", "--score", 0, "--overlays")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out/predict.json").read_text())["task"] == task
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results or task == "semantic"  # untrained, it may take every pixel for background
    for entry in results:
        assert ("segmentation" in entry) == (task == "semantic") and ("keypoints" in entry) == (task == "keypoints")
        x, y, width, height = entry["bbox"]
        assert min(x, y) >= 0 and x + width <= 160.01 and y + height <= 120.01
        if task == "keypoints":
            assert len(entry["keypoints"]) == 63 and set(entry["keypoints"][2::3]) == {2}
        if task == "semantic":
            assert decode_mask(entry["segmentation"], 120, 160).sum() >= semantic.MIN_PIECE_PX
    if results:
        assert len(COCO(data / "annotations.json").loadRes(results).anns) == len(results)
    assert len(list((tmp_path / "out/overlays").iterdir())) == 4


@pytest.mark.parametrize("trained", [task for task in OTHERS if task != "semantic"], indirect=True)
def test_masks_of_a_network_without_masks(trained, data, tmp_path):
    task, _, run = trained
    for option in ("--masks", "--tta"):
        words = ("predict", "--weights", run, data, "--out", tmp_path / "out", option)
        refused(invoke(*words), f"is a network for {task}, which predicts no masks; leave out {option}")
    assert not (tmp_path / "out").exists()
    for option in ({"tta": True}, {"mask_threshold": 0.4}):
        with pytest.raises(WeightsError, match=f"is a network for {task}"):
            HandDetector(run, device="cpu", **option)


@pytest.mark.parametrize("trained", ["semantic"], indirect=True)
def test_pixels_of_several_views_are_a_mean(trained):
    _, _, run = trained
    network, _ = networks.load(run)
    image = torch.rand(3, 120, 160, generator=torch.Generator().manual_seed(0))
    (min_size,), max_size = network.transform.min_size, network.transform.max_size
    with torch.inference_mode():
        looked = tta.run_views(network, image)["classes"]
        maps = []
        for scale in tta.SCALES:
            networks.set_size(network, round(scale * min_size), round(scale * max_size))
            one, other = (network([side])[0]["classes"] for side in (image, image.flip(-1)))
            maps += [one, other.flip(-1)]
    torch.testing.assert_close(looked, torch.stack(maps).mean(0))


@pytest.mark.parametrize("trained", [task for task in OTHERS if task != "classification"], indirect=True)
def test_a_network_of_another_task_is_a_start_where_they_have_much_in_common(trained, data, tmp_path):
    """Between R-CNNs everything but the head for masks or joints is taken over."""
    task, words, run = trained
    other, own = ("segmentation", "deeplabv3") if task == "semantic" else ("semantic", TASKS[task].model)
    wrong = invoke("repeat", *words[:-1], other, "--init", run, "--out", tmp_path / "run")
    refused(wrong, f"another architecture: model {own} (here {TASKS[other].model})")
    assert not (tmp_path / "run").exists()
    if task == "semantic":
        return
    described = json.loads((run / "network.json").read_text())["architecture"]
    architecture = Architecture.from_json({**described, "model": "maskrcnn_fpn"})
    network = networks.build(architecture, ImageSettings(64, 96))
    fresh = {name: value.clone() for name, value in network.state_dict().items()}
    networks._load_file(network, run, architecture)
    theirs = checkpoint.read_weights(run)
    for name, value in network.state_dict().items():
        taken = "roi_heads.mask_" not in name
        assert torch.equal(value, (theirs if taken else fresh)[name]), name


def test_keypoints_need_keypoints(data, tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml", SHORT.replace("[network]", '[network]\ntask = "keypoints"'))
    bare = write_blobs(tmp_path / "bare", count=4)
    refused(
        invoke("repeat", "--recipe", recipe, "--data", bare, "--out", tmp_path / "run"),
        "blob000.png: annotation 1 has no keypoints, which the task keypoints needs of every object",
    )
    refused(invoke("train", "--recipe", recipe, "--data", data, "--task", "poetry"), "'poetry' is not one of")
    wrong = write_recipe(tmp_path / "wrong.toml", SHORT.replace("[network]", '[network]\ntask = "poetry"'))
    refused(
        invoke("train", "--recipe", wrong, "--data", data, "--out", tmp_path / "run"),
        "network: task is segmentation or detection or keypoints or semantic or classification, not 'poetry'",
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "values, message",
    [
        ([1, 2, 2] * 20, "annotation 4: keypoints must be 21 times 3 numbers"),
        ([1, 2, 3] * 21, "blob003.png: annotation 4: the visibility of a keypoint is not 0, 1 or 2"),
        ([161, 2, 2] * 21, "blob003.png: annotation 4: a keypoint lies outside the image; its visibility must be 0"),
    ],
)
def test_wrong_keypoints_are_refused_by_file_and_id(tmp_path, values, message):
    folder = write_blobs(tmp_path / "d", joints=True)
    edit_annotations(folder, lambda c: c["annotations"][3].update(keypoints=values))
    with pytest.raises(DatasetError) as raised:
        ImagePool([Dataset(folder)], ImageSettings(64, 96), keypoints=True)
    assert str(raised.value) == f"{folder / 'annotations.json'}: {message}"


def test_keypoints_stay_on_their_discs_through_scaling_and_studio(tmp_path):
    size = (320, 240)
    masks = np.array([blob(size, (100, 90), 40), blob(size, (220, 150), 50)])
    joints = np.array([ring((100, 90), 32), ring((220, 150), 40)], np.float32)
    image = np.where(masks.any(0)[..., None], np.uint8(40), np.uint8(255)).repeat(3, 2)
    on_disc: list[bool] = []
    hidden = 0
    for index in range(40):
        rng = np.random.default_rng([1, index])
        made = augment.studio(TrainingSample(image, masks, joints), (128, 96), rng)
        assert made.keypoints.shape == (len(made.masks), 21, 3)
        for mask, points in zip(made.masks, made.keypoints, strict=True):
            inside = points[points[:, 2] > 0, :2].astype(int)
            on_disc += mask[inside[:, 1], inside[:, 0]].tolist()
            hidden += 21 - len(inside)
    assert len(on_disc) > 500 and hidden > 0  # the frame's edge cuts some off
    assert np.mean(on_disc) > 0.97
    small = augment.resize(TrainingSample(image, masks, joints), (160, 120))
    assert np.allclose(small.keypoints[..., :2], joints[..., :2] / 2) and (small.keypoints[..., 2] == 2).all()


# A BatchNorm on the meta device fills in the count of batches that torchvision's files do not have.
@pytest.mark.filterwarnings("ignore:for backbone.body.*num_batches_tracked. copying from a non-meta parameter")
def test_torchvisions_own_weights_fit_every_task():
    """The shapes of its published networks, 91 classes and 17 joints, 21 classes of DeepLabV3, by the names of today
    and by those of the files, which are older than the R-CNNs' layers' present names.
    """
    renamed = (
        (r"(inner_blocks|layer_blocks)\.(\d)\.0\.", r"\1.\2."),
        (r"rpn\.head\.conv\.0\.0\.", "rpn.head.conv."),
        (r"mask_head\.(\d)\.0\.", lambda found: f"mask_head.mask_fcn{int(found[1]) + 1}."),
    )
    published = {
        "segmentation": torchvision.models.detection.maskrcnn_resnet50_fpn,
        "detection": torchvision.models.detection.fasterrcnn_resnet50_fpn,
        "keypoints": torchvision.models.detection.keypointrcnn_resnet50_fpn,
        "semantic": deeplabv3_resnet50,
    }
    for task, make in published.items():
        network = Network(task=task, backbone="resnet50", init="coco")
        with torch.device("meta"):
            theirs = dict(make(weights=None, weights_backbone=None).state_dict())
            ours = networks.build(networks.architecture(network), ImageSettings())
        old = {}
        for name, tensor in theirs.items():
            for pattern, replacement in renamed:
                name = re.sub(pattern, replacement, name)
            old[name] = tensor
        assert (len(old.keys() - theirs.keys()) >= 18) == (task != "semantic")
        for state in (theirs, old):
            networks._load(ours, networks._as_ours(state), "theirs", skip=networks._OTHER_CLASSES)
            with pytest.raises(WeightsError, match="of another architecture"):
                networks._load(ours, networks._as_ours(state), "theirs")


def test_the_truth_of_a_pixel_and_what_belongs_together():
    masks = np.array([blob((40, 30), (10, 10), 6), blob((40, 30), (30, 20), 7)])
    target = {"masks": torch.from_numpy(masks.astype(np.uint8)), "labels": torch.tensor([1, 1])}
    labels = semantic.label_map(target, (32, 40)).numpy()
    assert (labels[30:] == 255).all() and (labels[:30] == masks.any(0)).all()
    logits = np.stack([~masks.any(0) * 0.9 + 0.05, masks[0] * 0.65 + masks[1] * 0.9 + 0.05])
    logits[:, 0, 39] = 0, 1  # a speck
    (first, one, label), (second, other, _) = semantic.instances(logits)
    assert label == 1 and np.isclose([one, other], [0.95, 0.7]).all()
    assert (first == masks[1]).all() and (second == masks[0]).all()


def test_joints_are_drawn():
    image = np.full((60, 80, 3), 255, np.uint8)
    points = ring((40, 30), 15)[:, :2]
    drawn = detections.overlay(image, [Detection(0.9, (20.0, 10.0, 40.0, 40.0), keypoints=points)])
    assert all((drawn[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] != 255).any() for x, y in points)
    assert (drawn[:8] == 255).all()
