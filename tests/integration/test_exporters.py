"""Datasets written as other tools' files, read back by our importers and by those tools' libraries."""

import json
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from trainer_samples import blob

from handforge.dataset import Category, Dataset, Instance, Sample, assemble, write_sample
from handforge.dataset.exporters import FORMATS, export_dataset, outlines
from handforge.files import FolderError
from trainer.cli import main

KINDS = (Category(1, "hand"), Category(2, "cup"))
SIZE = (80, 60)


def ring():
    return blob(SIZE, (30, 30), 14) & ~blob(SIZE, (30, 30), 6)


def two_pieces():
    return blob(SIZE, (12, 10), 6) | blob(SIZE, (60, 45), 9)


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "data"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    frames = [
        (Instance(ring()), Instance(two_pieces(), category="cup")),
        (Instance(blob(SIZE, (40, 30), 20)), Instance(ring(), crowd=True)),
        (),
    ]
    records = []
    for number, instances in enumerate(frames):
        frame = Sample(f"p{number}", rng.integers(0, 255, (60, 80, 3), dtype=np.uint8), instances)
        records.append(write_sample(folder, frame, categories=KINDS))
    assemble(folder, records, {}, KINDS)
    return Dataset(folder)


def reimported(tmp_path, format):
    source, images = {
        "labelme": ("exported", "exported"),
        "cvat": ("exported/annotations.xml", "exported/images"),
        "yolo": ("exported/labels", "exported/images"),
    }[format]
    words = ["import", "annotations", *(str(tmp_path / p) for p in (source, images, "again")), "--label", "all"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return Dataset(tmp_path / "again")


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_is_read_back(dataset, tmp_path, format):
    export_dataset(dataset, tmp_path / "exported", format)
    again = reimported(tmp_path, format)
    assert [image["file_name"] for image in again] == ["p0.png", "p1.png", "p2.png"]
    for one, other in zip(dataset, again, strict=True):
        truth = [(dataset.category(a), m) for a, m in zip(dataset.annotations(one), dataset.masks(one), strict=True)]
        truth = [pair for pair, a in zip(truth, dataset.annotations(one), strict=True) if not a["iscrowd"]]
        found = [(again.category(a), m) for a, m in zip(again.annotations(other), again.masks(other), strict=True)]
        assert [name for name, _ in found] == [name for name, _ in truth]
        for (_, mask), (_, expected) in zip(found, truth, strict=True):
            if format == "yolo":
                filled = expected | blob(SIZE, (30, 30), 6) if (expected == ring()).all() else expected
                assert (mask & filled).sum() / (mask | filled).sum() > 0.97, "an outline, in which holes are lost"
            else:
                assert (mask == expected).all()


def test_outlines_run_along_the_edges_of_pixels():
    mask = np.zeros((10, 12), bool)
    mask[3:7, 2:9] = True
    (outline,) = outlines(mask)
    assert outline.min(axis=0) == pytest.approx((2, 3)) and outline.max(axis=0) == pytest.approx((9, 7))


def test_supervision_reads_the_yolo_files(dataset, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says that it works without OpenCV
        import supervision as sv
    export_dataset(dataset, tmp_path / "exported", "yolo")
    folder = tmp_path / "exported"
    loaded = sv.DetectionDataset.from_yolo(
        str(folder / "images"), str(folder / "labels"), str(folder / "data.yaml"), force_masks=True
    )
    assert loaded.classes == ["hand", "cup"]
    by_name = {path.rsplit("/", 1)[-1]: found for path, _, found in loaded}
    (mask,) = by_name["p1.png"].mask
    truth = dataset.masks(dataset.images[1])[0]
    assert (mask & truth).sum() / (mask | truth).sum() > 0.93  # it draws polygons a pixel wider


def test_labelmes_file_lies_beside_its_image(dataset, tmp_path):
    export_dataset(dataset, tmp_path / "exported", "labelme")
    assert sorted(path.name for path in (tmp_path / "exported").iterdir()) == [
        f"p{number}.{suffix}" for number in range(3) for suffix in ("json", "png")
    ]
    content = json.loads((tmp_path / "exported/p1.json").read_text())
    assert content["imagePath"] == "p1.png" and [s["label"] for s in content["shapes"]] == ["hand"]


def test_a_folder_in_use_is_refused(dataset, tmp_path):
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported/mine.txt").write_text("x")
    with pytest.raises(FolderError, match="exported is there already; give a new folder"):
        export_dataset(dataset, tmp_path / "exported", "yolo")
