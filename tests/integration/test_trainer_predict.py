"""Predictions by the real command: a COCO results list that pycocotools reads, and clear refusals."""

import json
import shutil
import signal

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO
from trainer_samples import blob, edit_annotations, invoke, refused, write_blobs

from handforge.dataset import Dataset, DatasetError, decode_mask
from trainer.config.recipe import ImageSettings, Network
from trainer.inference import detections, detector, predict
from trainer.inference.detections import Detection
from trainer.inference.inputs import open_source
from trainer.models import layer_freezing, networks


def test_results_of_a_dataset_load_in_pycocotools(weights, tmp_path):
    data = write_blobs(tmp_path / "data", count=3)
    done = invoke("predict", "--weights", weights, data, "--out", tmp_path / "out", "--score", 0, "--overlays")
    assert done.exit_code == 0, done.output
    summary = json.loads((tmp_path / "out/predict.json").read_text())
    assert summary["dataset_id"] == Dataset(data).id and summary["images"] == 3
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results and {r["image_id"] for r in results} <= {1, 2, 3}
    for entry in results:
        mask = decode_mask(entry["segmentation"], 120, 160)
        x, y, width, height = entry["bbox"]
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert (x, y, x + width, y + height) == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    coco = COCO(data / "annotations.json")
    assert len(coco.loadRes(str(tmp_path / "out/results.json")).anns) == len(results)
    assert sorted(p.name for p in (tmp_path / "out/overlays").iterdir()) == [f"blob00{i}.jpg" for i in range(3)]


def test_an_image_too_narrow_for_a_hand_is_refused_in_python_too(weights):
    with pytest.raises(DatasetError, match="the image is 500x1; an image so narrow shows no hand"):
        detector.HandDetector(weights, device="cpu").detect(np.zeros((1, 500, 3), np.uint8))


def test_a_folder_gets_ids_in_sorted_order(weights, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("b.jpg", "a.png", "C.webp"):
        Image.new("RGB", (80, 60), "white").save(photos / name)
    (photos / "notes.txt").write_text("no image")
    assert invoke("predict", "--weights", weights, photos, "--out", tmp_path / "out").exit_code == 0
    images = json.loads((tmp_path / "out/images.json").read_text())
    assert [(i["id"], i["file_name"]) for i in images] == [(1, "C.webp"), (2, "a.png"), (3, "b.jpg")]
    assert images[0]["width"] == 80 and images[0]["height"] == 60
    # again into the same folder is fine, and so is a single image
    assert invoke("predict", "--weights", weights, photos / "b.jpg", "--out", tmp_path / "out").exit_code == 0
    assert json.loads((tmp_path / "out/predict.json").read_text())["dataset_id"] is None


def test_batches_change_nothing(weights, tmp_path):
    data = write_blobs(tmp_path / "data", count=3)
    for batch in (1, 3):
        out = tmp_path / str(batch)
        assert invoke("predict", "--weights", weights, data, "--out", out, "--batch", batch).exit_code == 0
    one, three = (json.loads((tmp_path / name / "results.json").read_text()) for name in ("1", "3"))
    assert len(one) == len(three) > 3
    for image_id in (1, 2, 3):
        alone, beside = ([r for r in results if r["image_id"] == image_id] for results in (one, three))
        assert [r["score"] for r in alone] == pytest.approx([r["score"] for r in beside], abs=1e-4)
        assert np.array([r["bbox"] for r in alone]) == pytest.approx(np.array([r["bbox"] for r in beside]), abs=0.05)


def test_an_image_is_found_as_if_alone(weights, tmp_path):
    """Whatever the sizes of the images beside it."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, size in (("a", (160, 120)), ("b", (120, 160)), ("c", (160, 60)), ("d", (160, 120))):
        (folder,) = (write_blobs(tmp_path / name, count=1, size_wh=size) / "images").iterdir()
        folder.rename(photos / f"{name}.png")
    found_by = []
    for batch in (1, 4):
        out = tmp_path / str(batch)
        done = invoke("predict", "--weights", weights, photos, "--out", out, "--batch", batch, "--score", 0)
        assert done.exit_code == 0, done.output
        results = json.loads((out / "results.json").read_text())
        found_by.append({(r["image_id"], r["score"]) for r in results if r["image_id"] in (2, 3)})
    assert found_by[0] == found_by[1] != set()


def test_results_have_the_datasets_ids(weights, tmp_path):
    data = write_blobs(tmp_path / "data", count=1)

    def renumber(content):
        content["categories"] = [{"id": 1, "name": "face"}, {"id": 7, "name": "hand"}]
        for annotation in content["annotations"]:
            annotation["category_id"] = 7

    edit_annotations(data, renumber)
    assert invoke("predict", "--weights", weights, data, "--out", tmp_path / "out", "--score", 0).exit_code == 0
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert {r["category_id"] for r in results} == {7}


def test_what_cannot_be_built_or_scaled_is_named(weights, tmp_path):
    Image.new("RGB", (4000, 10)).save(tmp_path / "line.png")
    refused(
        invoke("predict", "--weights", weights, tmp_path / "line.png", "--out", tmp_path / "out"),
        "line.png is 4000x10; an image so narrow shows no hand",
    )
    shutil.copytree(weights, tmp_path / "later")
    path = tmp_path / "later/network.json"
    for part, key, value in (
        ("architecture", "model", "other"),
        ("architecture", "backbone", "vit"),
        ("images", "x", 1),
    ):
        content = json.loads((weights / "network.json").read_text())
        content[part][key] = value
        path.write_text(json.dumps(content))
        wrong = invoke("predict", "--weights", path.parent, tmp_path / "line.png", "--out", tmp_path / "out")
        refused(wrong, "later/network.json describes a network that cannot be built: ", key)
    assert not (tmp_path / "out").exists()


def test_a_part_of_a_hand_is_no_second_hand():
    hand, finger, other = (blob((80, 60), center, r) for center, r in (((25, 30), 15), ((25, 20), 5), ((60, 30), 12)))
    beside = blob((80, 60), (44, 30), 6)  # touches the first, but lies on it by less than a half
    assert detections.distinct(np.stack([hand, finger, other, hand & False, beside]), np.ones(5)) == [0, 2, 4]
    assert detections.distinct(np.zeros((0, 60, 80), bool), np.ones(0)) == []


def test_overlay_tints_the_hand_only():
    image = np.full((60, 80, 3), 255, np.uint8)
    mask = blob((80, 60), (40, 30), 12)
    drawn = detections.overlay(image, [Detection.of_mask(mask, 0.9)])
    assert (drawn[mask] != 255).any(1).all()
    assert (drawn[0] == 255).all() and (drawn[:, 0] == 255).all()


def test_ctrl_c_says_what_can_be_continued(monkeypatch, weights, tmp_path):
    def interrupted(*words, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("trainer.loop.launch.train", interrupted)
    monkeypatch.setattr("trainer.inference.predict.predict", interrupted)
    data = write_blobs(tmp_path / "data", count=1)
    done = invoke("repeat", "--recipe", "demo", "--data", data, "--out", tmp_path / "run")
    assert (done.exit_code, done.stderr.strip()) == (130, "Interrupted; the same command with --resume continues")
    done = invoke("predict", "--weights", weights, data, "--out", tmp_path / "out")
    assert done.exit_code == 130 and done.stderr.splitlines()[-1] == "Interrupted."


def test_wrong_input_leaves_nothing(weights, tmp_path):
    data = write_blobs(tmp_path / "data", count=2)
    out = tmp_path / "out"
    refused(invoke("predict", "--weights", tmp_path / "no", data, "--out", out), "no is missing")
    refused(invoke("predict", "--weights", weights, tmp_path / "gone", "--out", out), "gone is missing")
    path = data / "images/blob001.png"
    path.write_bytes(path.read_bytes()[:150])
    strict = ("predict", "--weights", weights, data, "--out", out, "--strict")
    refused(invoke(*strict), "blob001.png is damaged")
    Image.new("RGB", (80, 60)).save(path)
    refused(invoke(*strict), "blob001.png is 80x60", "says 160x120")
    (tmp_path / "clip.mp4").mkdir()
    refused(invoke("predict", "--weights", weights, tmp_path / "clip.mp4", "--out", out), "clip.mp4 holds no images")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4", "data"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("x")
    refused(invoke("predict", "--weights", weights, data, "--out", tmp_path / "mine"), "was not made by this command")


def test_a_network_that_does_not_say_how_its_regions_are_read(weights, tmp_path):
    """Older descriptions lack ``canonical_scale``; theirs is torchvision's."""
    data = write_blobs(tmp_path / "data", count=1)
    (tmp_path / "network.safetensors").write_bytes((weights / "network.safetensors").read_bytes())
    description = json.loads((weights / "network.json").read_text())
    assert description["architecture"].pop("canonical_scale") == 224
    (tmp_path / "network.json").write_text(json.dumps(description))
    for name, path in (("new", weights), ("old", tmp_path / "network.safetensors")):
        done = invoke("predict", "--weights", path, data, "--out", tmp_path / name, "--score", 0)
        assert done.exit_code == 0, done.output
    assert (tmp_path / "old/results.json").read_bytes() == (tmp_path / "new/results.json").read_bytes()


def test_damaged_or_foreign_weights(weights, tmp_path):
    data = write_blobs(tmp_path / "data", count=1)
    for name in ("network.safetensors", "network.json"):
        (tmp_path / name).write_bytes((weights / name).read_bytes())
    description = json.loads((tmp_path / "network.json").read_text())
    description["architecture"]["backbone"] = "resnet34"
    (tmp_path / "network.json").write_text(json.dumps(description))
    out = tmp_path / "out"
    refused(
        invoke("predict", "--weights", tmp_path / "network.safetensors", data, "--out", out), "another architecture"
    )
    (tmp_path / "network.safetensors").write_bytes(b"\x80\x04pickle")
    refused(invoke("predict", "--weights", tmp_path / "network.safetensors", data, "--out", out), "is damaged")
    (tmp_path / "network.json").unlink()
    refused(
        invoke("predict", "--weights", tmp_path / "network.safetensors", data, "--out", out), "network.json is missing"
    )
    assert not out.exists()


@pytest.mark.parametrize(
    "word, trained",
    [
        ("heads", {"fpn", "rpn", "roi_heads"}),
        ("5+", {"fpn", "rpn", "roi_heads", "layer4"}),
        ("4+", {"fpn", "rpn", "roi_heads", "layer4", "layer3"}),
        ("3+", {"fpn", "rpn", "roi_heads", "layer4", "layer3", "layer2"}),
        ("all", {"fpn", "rpn", "roi_heads", "layer4", "layer3", "layer2", "layer1", "conv1", "bn1"}),
    ],
)
def test_layer_words_are_matterports(word, trained):
    chosen = Network(backbone="resnet18", init="none", channels=16, representation_size=16)
    network = networks.start(chosen, ImageSettings(64, 96), seed=0)
    layer_freezing.train_layers(network, word)
    names = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    parts = {name.split(".")[2] if "body" in name else name.split(".")[name.startswith("backbone")] for name in names}
    assert parts == trained


def test_boxes_are_computed_in_float32_under_bfloat16(weights):
    """In bfloat16 a coordinate above 256 would be exact to 2 pixels only."""
    network, _ = networks.load(weights)
    seen = []
    network.roi_heads.box_roi_pool.register_forward_pre_hook(lambda module, inputs: seen.extend(inputs[1]))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        output = network([torch.rand(3, 64, 96)])[0]
    assert seen and all(boxes.dtype == torch.float32 for boxes in seen)
    assert output["boxes"].dtype == torch.float32


def test_ctrl_c_keeps_the_images_that_are_done(weights, tmp_path, monkeypatch):
    data, out = write_blobs(tmp_path / "data", count=5), tmp_path / "out"
    find, seen, press = detector.detect, [], [3]

    def find_and_press(model, batch, *settings):
        seen.extend(batch)
        if len(seen) >= press[0]:
            signal.raise_signal(signal.SIGINT)
        return find(model, batch, *settings)

    monkeypatch.setattr(detector, "detect", find_and_press)
    words = ("predict", "--weights", weights, data, "--out", out, "--batch", 2, "--masks", "--format", "csv")
    before = signal.getsignal(signal.SIGINT)
    done = invoke(*words)
    assert done.exit_code == 130 and "unfinished: interrupted before 1 file could be done" in done.stdout, done.output
    record = json.loads((out / "predict.json").read_text())
    names = sorted(path.name for path in (data / "images").iterdir())
    assert (record["images"], record["left"]) == (4, names[4:])
    assert len(list((out / "masks").iterdir())) == 4 and (out / "detections.csv").is_file()
    assert signal.getsignal(signal.SIGINT) == before
    kept = (out / "results.json").read_bytes()
    seen.clear()
    done = invoke(*words)  # earlier results are not replaced by fewer
    assert done.exit_code == 130 and (out / "results.json").read_bytes() == kept
    press[0], seen[:] = 99, []
    assert invoke(*words).exit_code == 0
    assert json.loads((out / "predict.json").read_text())["left"] == []


def test_an_earlier_output_is_replaced_whole(weights, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    Image.new("RGB", (80, 60), "white").save(photos / "a.png")
    assert invoke("predict", "--weights", weights, photos, "--out", out, "--overlays", "--masks").exit_code == 0
    (out / "notes.txt").write_text("mine")
    assert {"images.json", "overlays", "masks"} < {path.name for path in out.iterdir()}
    assert invoke("predict", "--weights", weights, photos, "--out", out).exit_code == 0
    assert {path.name for path in out.iterdir()} == {"images.json", "results.json", "predict.json", "notes.txt"}


def test_a_score_that_is_no_number(tmp_path):
    refused(invoke("predict", "--weights", "run", "photos", "--out", tmp_path, "--score", "nan"), "nan is not a number")


def test_a_narrow_image_spoils_none_after_it(weights):
    """Torchvision's ROI pools guess the maps' scales from the first image that they see."""
    network, _ = networks.load(weights)
    network.eval()
    wide, plain = torch.rand(3, 60, 1000), torch.rand(3, 96, 128)
    with torch.inference_mode():
        network([wide])
        after = network([plain])[0]
        fresh = networks.load(weights)[0].eval()([plain])[0]
    assert all(torch.equal(after[name], fresh[name]) for name in fresh)
    assert network.roi_heads.box_roi_pool.scales == [1 / 4, 1 / 8, 1 / 16, 1 / 32]


def test_large_images_come_in_smaller_batches(monkeypatch, tmp_path):
    for number in range(5):
        Image.new("RGB", (80, 60)).save(tmp_path / f"{number}.png")
    source = open_source([tmp_path])
    sizes = [len(group) for group in predict._batches(source.read(), 4)]
    monkeypatch.setattr(predict, "MOST_VALUES", 2 * 80 * 60 * 3 - 1)
    assert (sizes, [len(group) for group in predict._batches(source.read(), 4)]) == ([4, 1], [2, 2, 1])


def test_a_full_gpu_says_what_helps(monkeypatch, tmp_path):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(predict, "predict", full)
    Image.new("RGB", (80, 60)).save(tmp_path / "a.png")
    done = invoke("predict", "--weights", tmp_path, tmp_path / "a.png", "--out", tmp_path / "out")
    refused(done, "the GPU's memory is full; lower batch, rois_per_image or min_size, or use --device cpu")
