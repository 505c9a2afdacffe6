"""Which categories are scored: hands with hands, hands and forearms among their own; any others, each by itself."""

from __future__ import annotations

import json

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from evaluation_scenes import rectangle, result, write_dataset, write_results, write_run

from evaluation.cli import main
from evaluation.metrics.matching import MatchOptions, load
from evaluation.metrics.paper_metrics import paper_metrics
from evaluation.metrics.scope import Scope
from handforge.dataset import Dataset, DatasetError, Instance, Sample, assemble, write_sample

HAND, ARM = rectangle(5, 0, 10, 10), rectangle(5, 0, 10, 20)


def truth(folder, *images) -> Dataset:
    """A dataset of these images, each a list of (mask, category)."""
    base = write_dataset(folder, [[] for _ in images])
    records = []
    for number, instances in enumerate(images, start=1):
        frame = Sample(
            f"p{number}", base.read_image(base.images[0]), tuple(Instance(m, category=c) for m, c in instances)
        )
        records.append(write_sample(folder, frame))
    assemble(folder, records, {})
    return Dataset(folder)


@pytest.fixture
def arm(tmp_path) -> Dataset:
    return truth(tmp_path / "data", [(ARM, "hand+forearm")])


def found(dataset, tmp_path, entries, scope=None):
    loaded = load(dataset, write_results(tmp_path / "r.json", entries), scope or Scope())
    at = paper_metrics(loaded.images, MatchOptions())
    return (at.hands, at.tp, at.fp), loaded.notes


def test_only_predictions_of_the_truths_category_count(arm, tmp_path):
    both = [result(1, HAND, 0.9, 1), result(1, ARM, 0.8, 2)]
    assert found(arm, tmp_path, both) == ((1, 1, 0), [])
    hands = truth(tmp_path / "hands", [(HAND, "hand")])
    assert found(hands, tmp_path, both) == ((1, 1, 0), [])
    assert found(hands, tmp_path, [result(1, HAND, 0.9, 1), result(1, HAND, 0.95, 2)]) == ((1, 1, 0), [])


def test_other_categories_of_the_truth_need_no_masks(tmp_path):
    dataset = truth(tmp_path / "data", [(HAND, "hand")])
    content = json.loads(dataset.path.read_text())
    content["categories"].append({"id": 5, "name": "cup"})
    content["annotations"].append({"id": 9, "image_id": 1, "category_id": 5, "bbox": [0, 0, 3, 3], "iscrowd": 0})
    dataset.path.write_text(json.dumps(content))
    dataset = Dataset(dataset.folder)
    with pytest.raises(DatasetError, match="there is no segmentation; --category leaves others out, --of boxes needs"):
        found(dataset, tmp_path, [result(1, HAND, 0.9)])
    assert found(dataset, tmp_path, [result(1, HAND, 0.9)], Scope(category="hand"))[0] == (1, 1, 0)


def test_results_of_one_category_are_taken_for_the_other_and_it_is_said(arm, tmp_path):
    note = "the results hold no hand+forearm; scored are their predictions of hand"
    assert found(arm, tmp_path, [result(1, ARM, 0.9)]) == ((1, 1, 0), [note])
    assert found(arm, tmp_path, []) == ((1, 0, 0), [])
    for command in ("score", "compare"):
        write_results(tmp_path / "r.json", [result(1, ARM, 0.9)])
        done = CliRunner().invoke(main, [command, str(arm.folder), str(tmp_path / "r.json")])
        assert done.exit_code == 0 and f"Note: {note}\n" in done.output


def test_truth_of_both(tmp_path):
    dataset = truth(tmp_path / "data", [(HAND, "hand")], [(ARM, "hand+forearm")], [])
    entries = [result(1, HAND, 0.9), result(2, HAND, 0.9), result(2, ARM, 0.9, 2), result(3, ARM, 0.9, 2)]
    note = "the ground truth holds hand and hand+forearm; scored is hand (--category chooses)"
    left = "1 of 3 images show the other category alone; they do not count"
    assert found(dataset, tmp_path, entries) == ((1, 1, 0), [note, left])
    assert found(dataset, tmp_path, entries, Scope(category="hand")) == ((1, 1, 0), [left])
    # image 1 says nothing of forearms, image 3 that there are none
    assert found(dataset, tmp_path, entries, Scope(category="hand+forearm")) == ((1, 1, 1), [left])


def test_truth_cut_at_the_wrist_is_compared_with_hands(arm, tmp_path):
    content = json.loads(arm.path.read_text())
    points = [0.0] * 63
    points[0:3], points[27:30] = [10, 10, 2], [10, 4, 2]
    content["annotations"][0]["keypoints"] = points
    arm.path.write_text(json.dumps(content))
    entries = [result(1, HAND, 0.9, 1), result(1, rectangle(0, 0, 20, 20), 0.95, 2)]
    assert found(Dataset(arm.folder), tmp_path, entries, Scope("hand")) == ((1, 1, 0), [])
    assert found(Dataset(arm.folder), tmp_path, entries, Scope("skin"))[0] == (1, 1, 0)


def test_categories_go_by_their_names_in_the_truth(arm, tmp_path):
    content = json.loads(arm.path.read_text())
    content["categories"] = [{"id": 7, "name": "hand+forearm"}]
    content["annotations"][0]["category_id"] = 7
    arm.path.write_text(json.dumps(content))
    assert found(Dataset(arm.folder), tmp_path, [result(1, ARM, 0.9, 7)]) == ((1, 1, 0), [])
    assert found(Dataset(arm.folder), tmp_path, [result(1, ARM, 0.9, 2)]) == ((1, 1, 0), [])
    content["categories"] = [{"id": 7, "name": "person"}]
    arm.path.write_text(json.dumps(content))
    assert found(Dataset(arm.folder), tmp_path, [result(1, ARM, 0.9, 7)]) == ((1, 1, 0), [])
    content["categories"] = [{"id": 8, "name": "person"}]
    arm.path.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match=r"annotation 1 of p1.png has the category 7, which is not listed"):
        found(Dataset(arm.folder), tmp_path, [])


def test_a_category_that_is_not_there(arm, tmp_path):
    results = write_results(tmp_path / "r.json", [])
    done = CliRunner().invoke(main, ["score", str(arm.folder), str(results), "--category", "hand"])
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "holds no hand; its masks are of hand+forearm" in done.output


def test_cases_and_report_say_it(arm, tmp_path):
    run = write_run(tmp_path / "run", arm, write_results(tmp_path / "r.json", [result(1, ARM, 0.9)]))
    done = CliRunner().invoke(main, ["cases", str(run)])
    assert "the results hold no hand+forearm" in " ".join(done.output.split())
    done = CliRunner().invoke(main, ["report", str(run), "--out", str(tmp_path / "r.html")])
    assert done.exit_code == 0
    assert "the results hold no hand+forearm; scored are" in (tmp_path / "r.html").read_text()


def test_images_of_the_other_category_are_left_out_and_it_is_said(tmp_path):
    both = truth(tmp_path / "both", [(HAND, "hand")], [(ARM, "hand+forearm")])
    counted, notes = found(both, tmp_path, [result(1, HAND, 0.9), result(2, ARM, 0.9)], Scope(category="hand"))
    assert counted == (1, 1, 0)
    assert notes == ["1 of 2 images show the other category alone; they do not count"]


def test_the_shell_completes_the_categories_of_the_dataset(arm, tmp_path):
    shell = ShellComplete(main, {}, "hand-evaluation", "_COMPLETE")

    def completed(folder, start):
        return [item.value for item in shell.get_completions(["score", str(folder), "r.json", "--category"], start)]

    listed = [category.name for category in arm.category_list]
    assert "hand+forearm" in listed and completed(arm.folder, "") == listed
    assert completed(arm.folder, "hand+") == ["hand+forearm"]
    assert completed(tmp_path / "gone", "") == []
