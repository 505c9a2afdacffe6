"""The files of other tools, read by their own libraries or by our importers: the masks are those of the results."""

import csv
import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from click.testing import CliRunner
from fake_detector import FakeDetector
from PIL import Image
from pycocotools.coco import COCO
from trainer_samples import blob, refused, untrained

from handforge.cli import main
from handforge.dataset import Dataset, read_image, video
from trainer.inference import detections, predict

SIZE = (160, 120)
RED, BLUE, WEAK = (blob(SIZE, center, 18) for center in ((40, 60), (90, 50), (130, 90)))


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def photos(tmp_path):
    """Two red and blue discs and a green one, which is detected with a low score; and a photograph stored turned."""
    image = np.full((120, 160, 3), 255, np.uint8)
    image[WEAK], image[BLUE], image[RED] = (0, 255, 0), (0, 0, 255), (255, 0, 0)
    (tmp_path / "photos/deep").mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / "photos/deep/a.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(image).copy()).save(tmp_path / "photos/=b.png", exif=exif)
    return tmp_path / "photos"


@pytest.fixture
def found(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    words = ("predict", "--weights", "shipped", photos, "--recursive", "--out", tmp_path / "out")
    done = invoke(
        *words, *(word for kind in ("coco", "labelme", "yolo", "csv", "png", "cutout") for word in ("--format", kind))
    )
    assert done.exit_code == 0, done.output
    for name in ("coco.json", "labelme", "yolo", "detections.csv", "instances", "cutouts"):
        assert str(tmp_path / "out" / name) in done.stdout
    return tmp_path / "out"


def test_coco_is_one_object_that_pycocotools_reads(found):
    coco = COCO(found / "coco.json")
    assert [image["file_name"] for image in coco.imgs.values()] == ["=b.png", "deep/a.png"]
    assert {(image["width"], image["height"]) for image in coco.imgs.values()} == {SIZE}
    for image_id in (1, 2):
        one, other = coco.loadAnns(coco.getAnnIds(imgIds=image_id))
        assert (coco.annToMask(one) == RED).all() and (coco.annToMask(other) == BLUE).all()
        assert one["area"] == RED.sum() and (one["score"], other["score"]) == (0.9, 0.8)
    assert [category["name"] for category in coco.cats.values()] == ["hand"]


@pytest.mark.parametrize("kind", ["labelme", "yolo"])
def test_annotation_tools_files_are_read_back(found, photos, tmp_path, kind):
    words = ("dataset", "import", "annotations", found / kind, photos, tmp_path / "data")
    done = invoke(*words, "--mask", "hand")
    assert done.exit_code == 0, done.output
    dataset = Dataset(tmp_path / "data")
    assert len(dataset) == 2
    for image in dataset:
        red, blue = sorted(dataset.masks(image), key=lambda mask: np.flatnonzero(mask.any(0))[0])
        for mask, truth in ((red, RED), (blue, BLUE & ~RED)):
            assert (mask ^ truth).sum() <= (0 if kind == "labelme" else 0.04 * truth.sum())


def test_labelme_finds_its_image(found, photos):
    path = found / "labelme/deep/a.json"
    content = json.loads(path.read_text())
    assert (path.parent / content["imagePath"]).resolve() == photos / "deep/a.png"


def test_csv_has_a_row_a_detection_and_no_formula(found):
    rows = list(csv.DictReader((found / "detections.csv").read_text().splitlines()))
    assert [(row["image_id"], row["image"], row["score"]) for row in rows] == [
        *(("1", "'=b.png", score) for score in ("0.9", "0.8")),
        *(("2", "deep/a.png", score) for score in ("0.9", "0.8")),
    ]
    columns, lines = np.flatnonzero(RED.any(0)), np.flatnonzero(RED.any(1))
    box = [columns[0], lines[0], np.ptp(columns) + 1, np.ptp(lines) + 1]
    assert [float(rows[0][name]) for name in ("x", "y", "width", "height")] == box
    assert int(rows[0]["area"]) == RED.sum() and rows[0]["track_id"] == ""


def test_png_holds_the_numbers_and_imports_as_masks(found, photos, tmp_path):
    with Image.open(found / "instances/deep/a.png") as image:
        assert image.mode == "P" and image.getpalette()[3:6] == list(detections.COLORS[0])
        assert (np.asarray(image) == np.where(RED, 1, np.where(BLUE, 2, 0))).all()
    (tmp_path / "pair/images").mkdir(parents=True)
    (tmp_path / "pair/masks").mkdir()
    (tmp_path / "pair/images/a.png").write_bytes((photos / "deep/a.png").read_bytes())
    (tmp_path / "pair/masks/a.png").write_bytes((found / "instances/deep/a.png").read_bytes())
    done = invoke("dataset", "import", "masks", tmp_path / "pair", tmp_path / "data", "--split")
    assert done.exit_code == 0, done.output
    dataset = Dataset(tmp_path / "data")
    (image,) = dataset
    areas = sorted(int(mask.sum()) for mask in dataset.masks(image))
    assert areas == sorted([int(RED.sum()), int((BLUE & ~RED).sum())])


def test_cutouts_are_the_upright_image_where_hands_are(found, photos):
    for name in ("=b", "deep/a"):
        with Image.open(found / f"cutouts/{name}.png") as image:
            values = np.asarray(image)
        assert image.mode == "RGBA" and (values[..., 3] == (RED | BLUE) * 255).all()
        assert (values[..., :3] == read_image(photos / f"{name}.png")).all()


def test_frames_of_a_video_have_numbers_of_tracks_and_their_images(tmp_path, monkeypatch):
    pytest.importorskip("trackers", reason="the extra track is not installed")
    monkeypatch.setattr(predict, "HandDetector", FakeDetector)
    with video.Writer(tmp_path / "clip.mp4", Fraction(10)) as writer:
        for number in range(4):
            image = np.full((120, 160, 3), 255, np.uint8)
            image[blob(SIZE, (120, 60), 18)] = (0, 0, 255)
            if number > 1:
                image[blob(SIZE, (40, 60), 18)] = (255, 0, 0)  # of a higher score, but later
            writer.write(image)
    words = ("predict", "--weights", "shipped", tmp_path / "clip.mp4", "--out", tmp_path / "out", "--track")
    done = invoke(*words, "--format", "png", "--format", "labelme")
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "out/instances/clip_000003.png") as image:
        values = np.asarray(image)
    assert (values[60, 120], values[60, 40], values[0, 0]) == (1, 2, 0)
    content = json.loads((tmp_path / "out/labelme/clip_000003.json").read_text())
    assert sorted(shape["group_id"] for shape in content["shapes"]) == [1, 2]
    assert (tmp_path / "out/labelme" / content["imagePath"]).is_file()


def test_many_numbers_take_16_bits(photos, tmp_path, monkeypatch):
    class Late(FakeDetector):
        def _detect(self, image):
            return [replace(hand, track_id=300 + n) for n, hand in enumerate(super()._detect(image))]

    monkeypatch.setattr(predict, "HandDetector", Late)
    done = invoke("predict", "--weights", "shipped", photos / "deep", "--out", tmp_path / "out", "--format", "png")
    assert done.exit_code == 0, done.output
    with Image.open(tmp_path / "out/instances/a.png") as image:
        assert sorted(np.unique(np.asarray(image))) == [0, 300, 301]


def test_boxes_make_yolo_and_coco_and_no_cutouts(photos, tmp_path):
    weights = untrained(tmp_path / "boxes", "detection")
    words = ("predict", "--weights", weights, photos / "deep", "--out", tmp_path / "out", "--min-score", 0.05)
    for kind in ("cutout", "png"):
        refused(invoke(*words, "--format", kind), "for detection, which predicts no masks; leave out --format", kind)
    refused(invoke(*words, "--mask-threshold", 0.3), "--mask-threshold is for one for segmentation")
    done = invoke(*words, "--format", "yolo", "--format", "coco", "--format", "labelme")
    assert done.exit_code == 0, done.output
    results = json.loads((tmp_path / "out/results.json").read_text())
    rows = [line.split() for line in (tmp_path / "out/yolo/labels/a.txt").read_text().splitlines()]
    assert len(rows) == len(results) > 0
    x, y, width, height = results[0]["bbox"]
    expected = [(x + width / 2) / 160, (y + height / 2) / 120, width / 160, height / 120]
    assert [float(value) for value in rows[0][1:]] == pytest.approx(expected, abs=1e-5)
    shapes = json.loads((tmp_path / "out/labelme/a.json").read_text())["shapes"]
    assert {shape["shape_type"] for shape in shapes} == {"rectangle"} and len(shapes) == len(results)


def test_a_lower_mask_threshold_gives_larger_masks(tmp_path):
    weights = untrained(tmp_path / "weights")
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    areas = []
    for threshold in (0.4, 0.5, 0.6):
        out = tmp_path / str(threshold)
        words = ("predict", "--weights", weights, tmp_path / "a.png", "--out", out, "--mask-threshold", threshold)
        assert invoke(*words, "--min-score", 0.05, "--format", "csv").exit_code == 0
        areas.append(sum(int(row["area"]) for row in csv.DictReader((out / "detections.csv").read_text().splitlines())))
    assert areas[0] > areas[1] > areas[2]
