"""Results as other tools write them: which image each belongs to, and what is said about it."""

from __future__ import annotations

import json
import unicodedata

import pytest
from click.testing import CliRunner
from evaluation_scenes import rectangle, result, write_dataset, write_results

from evaluation.cli import main
from evaluation.metrics.matching import MatchOptions, load
from evaluation.metrics.paper_metrics import paper_metrics
from evaluation.metrics.scope import Scope
from handforge.dataset import Dataset

MASKS = [rectangle(0, 0, 5, 5), rectangle(10, 0, 5, 5), rectangle(0, 10, 5, 5)]


def dataset_of(folder, *names) -> Dataset:
    """A dataset of three images with a hand each, each in another place, under these file names."""
    dataset = write_dataset(folder, [[mask] for mask in MASKS])
    content = json.loads(dataset.path.read_text())
    for image, name in zip(content["images"], names, strict=True):
        image["file_name"] = name
    dataset.path.write_text(json.dumps(content))
    return Dataset(folder)


def scored(dataset, path) -> tuple[int, int, list[str]]:
    found = load(dataset, path, Scope())
    at = paper_metrics(found.images, MatchOptions())
    return at.tp, at.fp, found.notes


def renamed(*image_ids, **more):
    return [{**result(1, mask, 0.9), "image_id": i, **more} for mask, i in zip(MASKS, image_ids, strict=True)]


@pytest.mark.parametrize(
    "image_ids",
    [
        ("a/one.jpg", "b/two.jpg", "three.png"),
        ("one.jpg", "two.jpg", "three.png"),
        ("one", "two", "three"),
        ("one.png", "C:\\upload\\two.png", "three.webp"),
    ],
)
def test_file_names_and_stems(tmp_path, image_ids):
    dataset = dataset_of(tmp_path / "data", "a/one.jpg", "b/two.jpg", "three.png")
    note = "results are matched with images by file name"
    assert scored(dataset, write_results(tmp_path / "r.json", renamed(*image_ids))) == (3, 0, [note])


def test_ids_as_texts(tmp_path):
    dataset = dataset_of(tmp_path / "data", "one.jpg", "two.jpg", "three.png")
    assert scored(dataset, write_results(tmp_path / "r.json", renamed("1", "2", "3")))[:2] == (3, 0)


def test_ids_as_numbers_with_a_point_and_categories_by_name(tmp_path):
    dataset = dataset_of(tmp_path / "data", "one.jpg", "two.jpg", "three.png")
    results = renamed(1.0, 2.0, 3.0, category_id="hand")
    assert scored(dataset, write_results(tmp_path / "r.json", results)) == (3, 0, [])
    results = renamed(1, 2, 3, category_id=1.0)
    assert scored(dataset, write_results(tmp_path / "r.json", results)) == (3, 0, [])


def test_names_are_compared_as_composed_unicode(tmp_path):
    dataset = dataset_of(tmp_path / "data", "händé.jpg", "two.jpg", "three.png")
    names = [unicodedata.normalize("NFD", name) for name in ("händé.jpg", "two.jpg", "three.png")]
    assert scored(dataset, write_results(tmp_path / "r.json", renamed(*names)))[:2] == (3, 0)


def test_numbers_of_file_names(tmp_path):
    """Ultralytics makes 3 of 000003; here all numbers are ids, too, of other images."""
    dataset = dataset_of(tmp_path / "data", "000003.jpg", "000001.jpg", "000002.jpg")
    by_stem = write_results(tmp_path / "r.json", renamed(3, 1, 2))
    note = "image ids of the results are numbers of file names, and matched as these"
    assert scored(dataset, by_stem) == (3, 0, [note])
    by_id = write_results(tmp_path / "r.json", renamed(1, 2, 3))
    note = "image ids of the results are taken as the dataset's; they are numbers of file names, too"
    assert scored(dataset, by_id) == (3, 0, [note])
    odd = write_results(tmp_path / "r.json", [{**one, "bbox": [1, 2, 3]} for one in renamed(1, 2, 3)])
    assert scored(dataset, odd) == (3, 0, [note]), "a box that is none says nothing"
    (tmp_path / "predict.json").write_text(json.dumps({"source": "d", "dataset_id": dataset.id}))
    assert scored(dataset, by_id) == (3, 0, [])
    (tmp_path / "predict.json").unlink()
    dataset = dataset_of(tmp_path / "far", "000017.jpg", "000018.jpg", "000019.jpg")
    assert scored(dataset, write_results(tmp_path / "r.json", renamed(17, 18, 19)))[:2] == (3, 0)


def test_a_stated_file_name_is_trusted_more(tmp_path):
    dataset = dataset_of(tmp_path / "data", "c.jpg", "a.jpg", "b.jpg")
    entries = [
        {**one, "file_name": name} for one, name in zip(renamed(3, 1, 2), ("c.jpg", "a.jpg", "b.jpg"), strict=True)
    ]
    assert scored(dataset, write_results(tmp_path / "r.json", entries))[:2] == (3, 0)


def test_a_prediction_of_a_folder_says_which_files_its_ids_are(tmp_path):
    """Its ids count the files of the folder; a dataset of some of these, in any order, counts others."""
    dataset = dataset_of(tmp_path / "data", "c.jpg", "a.jpg", "b.jpg")
    path = write_results(tmp_path / "found/results.json", renamed(4, 1, 2))
    assert scored(dataset, path)[:2] == (0, 2), "as another tool's, they are the dataset's ids"
    listed = [{"id": n, "file_name": f"{name}.jpg", "width": 20, "height": 20} for n, name in enumerate("ab0c", 1)]
    (tmp_path / "found/images.json").write_text(json.dumps(listed))
    record = {"source": "photos", "dataset_id": None, "categories": [{"id": 7, "name": "hand"}]}
    (tmp_path / "found/predict.json").write_text(json.dumps(record))
    assert scored(dataset, path) == (3, 0, ["results are matched with images by file name"])
    write_results(path, renamed(4, 1, 2, category_id=7))
    assert scored(dataset, path.parent)[:2] == (3, 0), "nor are its categories those that the dataset numbers so"
    (tmp_path / "found/images.json").write_text("{}")
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(path)])
    assert done.exit_code == 2 and "found/images.json is damaged: it must list objects with id" in done.output
    (tmp_path / "found/predict.json").write_text(json.dumps(record | {"dataset_id": dataset.id}))
    assert scored(dataset, write_results(path, renamed(1, 2, 3))) == (3, 0, [])


def test_a_whole_coco_object(tmp_path):
    dataset = dataset_of(tmp_path / "data", "one.jpg", "two.jpg", "three.jpg")
    content = {
        "images": [{"id": 9 - n, "file_name": f"{name}.jpg"} for n, name in enumerate(("one", "two", "three"))],
        "categories": [{"id": 4, "name": "hand"}],
        "annotations": renamed(9, 8, 7, category_id=4),
    }
    path = tmp_path / "r.json"
    path.write_text(json.dumps(content))
    assert scored(dataset, path) == (3, 0, ["results are matched with images by file name"])
    del content["annotations"][0]["score"]
    path.write_text(json.dumps(content))
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(path)])
    assert (done.exit_code, 'result 1 of 3 has no "score"' in done.output) == (2, True)


def test_newline_delimited(tmp_path):
    dataset = dataset_of(tmp_path / "data", "one.jpg", "two.jpg", "three.jpg")
    path = tmp_path / "r.ndjson"
    for count in (1, 3):
        path.write_text("\n".join(json.dumps(entry) for entry in renamed(1, 2, 3)[:count]) + "\n")
        assert scored(dataset, path) == (count, 0, [])


def test_more_images_than_the_dataset_has(tmp_path):
    dataset = dataset_of(tmp_path / "data", "one.jpg", "two.jpg", "three.jpg")
    more = [*renamed(1, 2, 3), result(7, MASKS[0], 0.9), result(7, MASKS[1], 0.9), result(8, MASKS[1], 0.9)]
    note = "3 results for 2 images that data does not hold are left out"
    assert scored(dataset, write_results(tmp_path / "r.json", more)) == (3, 0, [note])
    boxes = [{**entry, "bbox": [0, 0, 5, 5]} for entry in more]
    path = write_results(tmp_path / "b.json", boxes)
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(path), "--of", "boxes"])
    assert done.exit_code == 0 and f"Note: {note}" in done.output
    done = CliRunner().invoke(
        main, ["score", str(dataset.folder), str(write_results(tmp_path / "r.json", renamed(7, 8, "x")))]
    )
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "result 1 of 3 is for image 7, and no image of the results is in" in done.output
