"""Datasets written as other tools' files, read back by our importers and by those tools' libraries."""

import json
import tracemalloc
import warnings

import numpy as np
import pytest
from click.testing import CliRunner
from trainer_samples import blob, edit_annotations

from handforge.dataset import Category, Dataset, DatasetError, Instance, Sample, assemble, decode_mask, write_sample
from handforge.dataset.exporters import FORMATS, Labelled, export_dataset, outlines, yolo_txt
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
    return imported(tmp_path, source, images)


def imported(tmp_path, source, images, *options):
    words = ["import", "annotations", *(str(tmp_path / p) for p in (source, images, "again")), "--label", "all"]
    done = CliRunner().invoke(main, [*words, *options])
    assert done.exit_code == 0, done.output
    return Dataset(tmp_path / "again")


def objects(dataset):
    """The category and mask of each object of each image by its name, without crowds."""
    found = {}
    for image in dataset:
        pairs = zip(dataset.annotations(image), dataset.masks(image), strict=True)
        found[image["file_name"]] = [(dataset.category(a), mask) for a, mask in pairs if not a["iscrowd"]]
    return found


def assert_same(again, dataset):
    expected = objects(dataset)
    assert (found := objects(again)).keys() == expected.keys()
    for name, held in expected.items():
        assert [category for category, _ in found[name]] == [category for category, _ in held]
        assert all((mask == true).all() for (_, mask), (_, true) in zip(found[name], held, strict=True))


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_is_read_back(dataset, tmp_path, format):
    export_dataset(dataset, tmp_path / "exported", format)
    again = reimported(tmp_path, format)
    if format != "yolo":
        assert_same(again, dataset)
        return
    for one, other in zip(objects(dataset).values(), objects(again).values(), strict=True):
        assert [name for name, _ in other] == [name for name, _ in one]
        for (_, mask), (_, expected) in zip(other, one, strict=True):
            filled = expected | blob(SIZE, (30, 30), 6) if (expected == ring()).all() else expected
            assert (mask & filled).sum() / (mask | filled).sum() > 0.97, "an outline, in which holes are lost"


def test_outlines_run_along_the_edges_of_pixels():
    mask = np.zeros((10, 12), bool)
    mask[3:7, 2:9] = True
    (outline,) = outlines(mask)
    assert outline.min(axis=0) == pytest.approx((2, 3)) and outline.max(axis=0) == pytest.approx((9, 7))


def test_outlines_of_small_pieces_take_no_memory_of_a_large_image():
    mask = np.zeros((1000, 1000), bool)
    mask[5:15, 7:20] = mask[990:, 400:410] = True
    tracemalloc.start()
    try:
        found = outlines(mask)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [(one.min(axis=0).tolist(), one.max(axis=0).tolist()) for one in found] == [
        ([7, 5], [20, 15]),
        ([400, 990], [410, 1000]),
    ]
    assert most < 16 * mask.size, "8 bytes number a pixel's piece; enlarged as a whole, it would take 32 more"


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


def test_labelme_reads_our_files_and_writes_the_same_masks(dataset, tmp_path):
    labelme = pytest.importorskip("labelme._label_file", reason="labelme is not installed: pip install labelme")
    export_dataset(dataset, tmp_path / "exported", "labelme")
    for path in (tmp_path / "exported").glob("*.json"):
        labelme.write_label_file(
            filename=str(path),
            annotation=labelme.read_label_file(filename=str(path)),
            image_height=SIZE[1],
            image_width=SIZE[0],
            save_image_data=True,
        )
        assert json.loads(path.read_text())["imageData"], "it is labelme that wrote it"
    assert_same(reimported(tmp_path, "labelme"), dataset)


@pytest.mark.filterwarnings("ignore")  # those of datumaro and what it imports
@pytest.mark.parametrize(
    "format, files, options",
    [
        ("cvat", ("theirs/annotations.xml", "theirs/images"), ()),
        ("coco_instances", ("theirs/annotations/instances_annotations.json", "theirs/images"), ("--crowd-as-hand",)),
    ],
)
def test_datumaro_reads_our_files_and_writes_the_same_masks(dataset, tmp_path, format, files, options):
    datumaro = pytest.importorskip("datumaro", reason="datumaro is not installed: pip install datumaro")
    export_dataset(dataset, tmp_path / "exported", "cvat")
    read = datumaro.Dataset.import_from(str(tmp_path / "exported"), "cvat")
    read.export(str(tmp_path / "theirs"), format, save_media=True)
    assert_same(imported(tmp_path, *files, *options), dataset)


def test_labelmes_file_lies_beside_its_image(dataset, tmp_path):
    export_dataset(dataset, tmp_path / "exported", "labelme")
    assert sorted(path.name for path in (tmp_path / "exported").iterdir()) == [
        f"p{number}.{suffix}" for number in range(3) for suffix in ("json", "png")
    ]
    content = json.loads((tmp_path / "exported/p1.json").read_text())
    assert content["imagePath"] == "p1.png" and [s["label"] for s in content["shapes"]] == ["hand"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_category_that_is_not_listed_is_named(dataset, tmp_path, format):
    edit_annotations(dataset.folder, lambda content: content["annotations"][1].update(category_id=9))
    with pytest.raises(DatasetError, match=r"annotation 2 of p0\.\w+ has the category 9, which is not listed; add it"):
        export_dataset(Dataset(dataset.folder), tmp_path / "exported", format)
    assert not (tmp_path / "exported").exists()


def test_a_folder_in_use_is_refused(dataset, tmp_path):
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported/mine.txt").write_text("x")
    with pytest.raises(FolderError, match="exported is there already; give a new folder"):
        export_dataset(dataset, tmp_path / "exported", "yolo")


def test_what_joins_the_pieces_of_a_yolo_outline_encloses_nothing():
    mask = np.zeros((60, 80), bool)
    for top, left in ((5, 5), (5, 60), (45, 30), (45, 60)):
        mask[top : top + 9, left : left + 9] = True
    numbers = np.array(yolo_txt(Labelled("a.png", 80, 60, (("hand", mask),)), ["hand"]).split()[1:], float)
    assert (decode_mask([(numbers.reshape(-1, 2) * (80, 60)).ravel().tolist()], 60, 80) == mask).all()


@pytest.mark.parametrize("format", FORMATS)
def test_two_images_of_one_stem_are_refused_where_their_files_would_be_one(dataset, tmp_path, format):
    path = dataset.path
    path.write_text(path.read_text().replace('"p1.png"', '"p0.jpg"'))
    (dataset.folder / "images/p1.png").rename(dataset.folder / "images/p0.jpg")
    renamed, out = Dataset(dataset.folder), tmp_path / "exported"
    if format == "cvat":
        export_dataset(renamed, out, format)
        return
    with pytest.raises(DatasetError, match=f"several images of .* are called p0, for which {format} has one file"):
        export_dataset(renamed, out, format)
    assert not out.exists()
