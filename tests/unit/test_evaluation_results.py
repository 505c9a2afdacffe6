"""What a results file may hold: everything else is refused in one line that says what and where."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation_scenes import four_images, rectangle, result, write_dataset, write_results

from evaluation.cli import main
from evaluation.metrics.matching import MatchOptions
from evaluation.metrics.results import load_results
from handforge.dataset import Dataset

GOOD = result(1, rectangle(0, 0, 4, 4), 0.9)


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return write_dataset(tmp_path / "data", [[rectangle(0, 0, 5, 5)], []])


def refused(dataset: Dataset, path) -> str:
    out = dataset.folder.parent / "numbers.json"
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(path), "--json", str(out)])
    assert done.exit_code == 2
    assert not out.exists()
    assert done.output.startswith("Error: ") and done.output.count("\n") == 1, done.output
    return done.output


def test_good_results_are_sorted_by_score(dataset, tmp_path):
    entries = [{**GOOD, "score": value} for value in (0.2, 1, 0.5)]
    found = load_results(write_results(tmp_path / "r.json", entries), dataset).predictions
    assert [prediction.score for prediction in found[1]] == [1.0, 0.5, 0.2]
    assert found[2] == []


def test_polygons_and_plain_runs_are_read(dataset, tmp_path):
    polygon = {**GOOD, "segmentation": [[0, 0, 4, 0, 4, 4, 0, 4]]}
    runs = {**GOOD, "segmentation": {"size": [20, 20], "counts": [0, 4, 16, 4, 376]}}
    found = load_results(write_results(tmp_path / "r.json", [polygon, runs]), dataset).predictions
    assert len(found[1]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": True}, "has the image_id True; it is an image's id or file name"),
        ({"image_id": [1]}, "has the image_id [1]; it is an image's id or file name"),
        ({"image_id": 1e999}, "has the image_id inf; it is an image's id or file name"),
        ({"category_id": 3}, "has the category 3; the dataset has 1 (hand), 2 (hand+forearm), leave results of others"),
        ({"category_id": "1"}, "has the category '1'; the dataset has"),
        ({"score": float("nan")}, "has the score nan; a score is a number from 0 to 1"),
        ({"score": "high"}, "has the score 'high'; a score is a number"),
        ({"score": None}, "has the score None; a score is a number"),
        ({"score": 10**400}, "; a score is a number from 0 to 1"),
        ({"score": 87.0}, "has the score 87.0; scores go from 0 to 1, scale them first"),
        ({"segmentation": result(1, np.zeros((20, 20), bool), 1)["segmentation"]}, "(p1.png): the mask has no pixel"),
        (
            {"segmentation": result(1, rectangle(0, 0, 3, 3, 30), 1)["segmentation"]},
            "(p1.png): the mask is 30x30, its image 20x20",
        ),
        ({"segmentation": {"size": [20, 20], "counts": "0"}}, "(p1.png): the runs of the RLE do not add up"),
        ({"segmentation": None}, "(p1.png): there is no segmentation"),
        ({"segmentation": []}, "(p1.png): a polygon is a list of x and y"),
        ({"id": 5}, "has the id 5, which stands twice"),
    ],
)
def test_wrong_entries(dataset, tmp_path, change, message):
    path = write_results(tmp_path / "r.json", [{**GOOD, "id": 5}, {**GOOD, **change}])
    output = refused(dataset, path)
    assert f"{path}: result 2 of 2" in output
    assert message in output


@pytest.mark.parametrize("key", ["image_id", "category_id", "segmentation", "score"])
def test_missing_fields(dataset, tmp_path, key):
    entry = {name: value for name, value in GOOD.items() if name != key}
    assert f'result 1 of 1 has no "{key}"' in refused(dataset, write_results(tmp_path / "r.json", [entry]))


def test_boxes_alone(dataset, tmp_path):
    entry = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4], "score": 1}
    assert "score --of boxes measures what it has" in refused(dataset, write_results(tmp_path / "r.json", [entry]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[{", "is not valid JSON"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        (b"1" * 5000, "is not valid JSON"),
        (b"{}", "is not a COCO results file: it must hold a list, or an object with annotations, not an object"),
        (b"[" * 100_000, "is not valid JSON"),
        (b'{"image_id": 1}\n{"image_id": ', "is not valid JSON"),
        (b"[3]", "result 1 of 1 is a number, not an object"),
        (b'["a"]', "result 1 of 1 is a text, not an object"),
    ],
)
def test_no_results_file(dataset, tmp_path, content, message):
    path = tmp_path / "r.json"
    path.write_bytes(content)
    assert message in refused(dataset, path)


def test_missing_file_and_folder(dataset, tmp_path):
    assert "nothing.json is missing; run handforge predict" in refused(dataset, tmp_path / "nothing.json")
    assert "results.json is missing; run handforge predict" in refused(dataset, tmp_path)
    (tmp_path / "run.json").write_text("{}")
    message = refused(dataset, tmp_path)
    assert (
        f"{tmp_path} is a run; give its predictions, {tmp_path}/predictions/NAME, or to score also --session last"
        in message
    )


def test_predictions_of_another_dataset(tmp_path):
    dataset, results = four_images(tmp_path / "a")
    other = write_dataset(tmp_path / "b", [[rectangle(1, 1, 5, 5)] for _ in range(4)])
    (results.parent / "predict.json").write_text(json.dumps({"source": "a", "dataset_id": dataset.id}))
    assert "was predicted for other images: dataset" in refused(other, results.parent)
    assert CliRunner().invoke(main, ["score", str(dataset.folder), str(results.parent)]).exit_code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("null", 'is not a record of a prediction: it has no "source"'),
        ("[1]", 'is not a record of a prediction: it has no "source"'),
        ("", "is empty; the prediction was not finished"),
        ('{"source": "d", "dataset_id": 3}', "is not a record of a prediction: dataset_id is a number"),
        ('{"source": "d", "categories": "hand"}', "is not a record of a prediction: categories is a text"),
        ('{"source": "d", "skipped": 3}', "is not a record of a prediction: skipped is a number"),
        ('{"source": "d", "left": [[]]}', "is not a record of a prediction: left 1 is a list"),
    ],
)
def test_a_record_beside_results_that_is_none(dataset, tmp_path, content, message):
    (tmp_path / "found").mkdir()
    write_results(tmp_path / "found/results.json", [GOOD])
    (tmp_path / "found/predict.json").write_text(content)
    for path in (tmp_path / "found", tmp_path / "found/results.json"):
        assert f"found/predict.json {message}" in refused(dataset, path)
    done = CliRunner().invoke(main, ["report", str(tmp_path / "found"), "--out", str(tmp_path / "report.html")])
    assert done.exit_code == 2 and f"found/predict.json {message}" in done.output
    done = CliRunner().invoke(main, ["compare", str(dataset.folder), *2 * [str(tmp_path / "found")]])
    assert done.exit_code == 2 and f"found/predict.json {message}" in done.output


def test_images_that_predict_skipped_are_missed_and_said(tmp_path):
    hand, other = rectangle(0, 0, 10, 10), rectangle(10, 10, 10, 10)
    dataset = write_dataset(tmp_path / "data", [[hand], [hand, other], [], [other]])
    results = write_results(tmp_path / "results.json", [result(1, hand, 0.9) | {"bbox": [0, 0, 10, 10]}])
    words = ["score", str(dataset.folder), str(tmp_path), "--details", "--json", str(tmp_path / "score.json")]
    record = {
        "source": "d",
        "dataset_id": dataset.id,
        "skipped": [{"file": "p2.png", "reason": "p2.png is empty"}, {"file": "p3.png", "reason": "p3.png is damaged"}],
        "left": ["p4.png"],
    }
    (tmp_path / "predict.json").write_text(json.dumps(record))
    skipped = "predict skipped 2 of 4 images, whose 2 annotations count as missed (p2.png is empty; p3.png is damaged)"
    left = "predict was interrupted before 1 of 4 images, whose 1 annotations count as missed; run it again for all"
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0 and skipped in done.output and left in done.output, done.output
    scores = json.loads((tmp_path / "score.json").read_text())
    assert (scores["tp"], scores["fn"]) == (1, 3)
    assert skipped in scores["details"]["notes"]
    boxes = CliRunner().invoke(main, ["score", str(dataset.folder), str(results), "--of", "boxes"])
    assert boxes.exit_code == 0 and skipped in boxes.output and left in boxes.output, boxes.output
    for change in ({"skipped": [], "left": []}, {"dataset_id": None}):
        (tmp_path / "predict.json").write_text(json.dumps(record | change))
        assert "count as missed" not in CliRunner().invoke(main, words).output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category_id": 7}, "annotation 1 of p1.png has the category 7, which is not listed"),
        (
            {"segmentation": result(1, np.zeros((20, 20), bool), 1)["segmentation"]},
            "annotation 1 of p1.png: the mask has",
        ),
        (
            {"segmentation": {"size": [4, 4], "counts": [16]}},
            "annotation 1 of p1.png: the mask is 4x4, its image 20x20",
        ),
    ],
)
def test_wrong_truth(dataset, tmp_path, change, message):
    content = json.loads(dataset.path.read_text())
    content["annotations"][0].update(change)
    dataset.path.write_text(json.dumps(content))
    assert message in refused(dataset, write_results(tmp_path / "r.json", [GOOD]))


def test_no_dataset(dataset, tmp_path):
    done = CliRunner().invoke(main, ["score", str(tmp_path / "none"), str(write_results(tmp_path / "r.json", []))])
    assert (done.exit_code, "none is not a folder; give one that handforge render" in done.output) == (2, True)


@pytest.mark.parametrize(
    ("words", "name", "message"),
    [
        (["score", "data", "r.json", "--json"], "no/f.json", "no does not exist; make it first"),
        (["score", "data", "r.json", "--json"], "data", "data is a folder; name a file"),
        (["compare", "data", "r.json", "--json"], "/proc/f.json", "nothing can be written into /proc ("),
        (["cases", "--csv"], "data", "data is a folder; name a file"),
        (["ablation", "data", "--csv"], "/proc/f.csv", "nothing can be written into /proc ("),
    ],
)
def test_a_file_that_cannot_be_written_is_told_before_the_work(words, name, message, dataset, monkeypatch):
    monkeypatch.chdir(dataset.folder.parent)
    done = CliRunner().invoke(main, [*words, name])  # there is no r.json, which the work would begin with
    assert (done.exit_code, done.output.count("\n"), message in done.output) == (2, 1, True)


def test_the_command_lines_thresholds_are_those_of_the_package():
    for command in ("score", "compare", "report", "cases", "ablation"):
        options = {option.name: option for option in main.commands[command].params}
        assert MatchOptions(options["iou"].default, options["score_threshold"].default) == MatchOptions()


def test_names_that_are_no_utf8_are_refused():
    done = CliRunner().invoke(main, ["cases", "\udcff"])
    assert (done.exit_code, done.stderr.count("\n"), r"'\udcff' is not UTF-8; rename it" in done.stderr) == (2, 1, True)


def test_a_terminal_without_unicode_shows_what_it_can(dataset, tmp_path):
    results = write_results(tmp_path / "r.json", [GOOD])
    done = CliRunner(charset="latin-1").invoke(main, ["score", str(dataset.folder), str(results)])
    assert done.exit_code == 0 and r"IoU \u2265 0.5" in done.output


@pytest.mark.parametrize("value", ["0", "1.1", "half", "nan"])
def test_wrong_threshold(dataset, tmp_path, value):
    results = write_results(tmp_path / "r.json", [])
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(results), "--iou", value])
    assert done.exit_code == 2
    assert done.output.startswith("Error: Invalid value for '--iou'") and done.output.count("\n") == 1


def test_wrong_use_is_one_line_and_no_use_is_help():
    done = CliRunner().invoke(main, ["score", "data"])
    assert (done.exit_code, done.output) == (2, "Error: Missing argument 'RESULTS'; main score --help tells more\n")
    done = CliRunner().invoke(main, ["judge"])
    assert (done.exit_code, done.output) == (2, "Error: No such command 'judge'; main --help tells more\n")
    done = CliRunner().invoke(main, [])
    assert done.exit_code in (0, 2) and "Usage: main" in done.output  # 0 with click 8.1


def test_interrupted(dataset, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("evaluation.metrics.matching.load_results", interrupt)
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(write_results(tmp_path / "r.json", []))])
    assert (done.exit_code, done.output.strip()) == (130, "Interrupted.")
