"""Several categories and crowds: worked out by hand, and random scenes against pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation_scenes import rectangle, result, write_dataset, write_results, write_run
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from evaluation.cli import main
from evaluation.metrics.average_precision import NAMES, average_precision, evaluated, ranked, weighted_ap
from evaluation.metrics.by_category import Confusion, by_category, category_metrics, confusion, mean
from evaluation.metrics.curves import curve
from evaluation.metrics.error_types import errors
from evaluation.metrics.extended_metrics import image_iou
from evaluation.metrics.matching import MatchOptions, load, match_all
from evaluation.metrics.paper_metrics import paper_metrics, score
from evaluation.metrics.scope import Scope
from evaluation.paper.paper_types import median_size
from handforge.dataset import Category, Dataset, Instance, Sample, assemble, encode_mask, write_sample

CUP, PEN = Category(3, "cup"), Category(9, "pen")
LEFT, RIGHT, LOW = rectangle(0, 0, 10, 10), rectangle(10, 0, 10, 10), rectangle(0, 10, 10, 10)


def dataset_of(folder, *images, size=20) -> Dataset:
    """A dataset of cups and pens: of each image (mask, category, crowd)."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    grey = np.full((size, size, 3), 90, np.uint8)
    records = []
    for number, instances in enumerate(images, start=1):
        found = tuple(Instance(mask, category=name, crowd=crowd) for mask, name, crowd in instances)
        records.append(write_sample(folder, Sample(f"p{number}", grey, found), categories=(CUP, PEN)))
    assemble(folder, records, {}, categories=(CUP, PEN))
    return Dataset(folder)


def loaded(dataset, path, entries, category=None):
    return load(dataset, write_results(path, entries), Scope(category=category))


def invoke(*words) -> str:
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def two(tmp_path) -> tuple[Dataset, list]:
    """A cup and a pen side by side, a cup, and nothing; the pen is taken for a cup, and one is seen in nothing."""
    images = [[(LEFT, "cup", False), (RIGHT, "pen", False)], [(LEFT, "cup", False)], []]
    entries = [
        result(1, LEFT, 0.9, 3),
        result(1, RIGHT, 0.8, 3),
        result(2, rectangle(0, 0, 8, 10), 0.7, 3),
        result(3, LOW, 0.6, 9),
    ]
    return dataset_of(tmp_path / "data", *images), entries


def test_categories_worked_out(two, tmp_path):
    dataset, entries = two
    found = loaded(dataset, tmp_path / "r.json", entries)
    assert (found.categories, found.notes) == (("cup", "pen"), [])
    together = score(found.images)
    assert (together.hands, together.tp, together.fp, together.fn) == (3, 2, 2, 1)
    assert (together.images_without_hands, together.false_positives_per_empty_image) == (1, 1.0)
    rows = by_category(found.images, found.categories, MatchOptions())
    assert [(name, r.hands, r.tp, r.fp, r.fn) for name, r in rows.items()] == [("cup", 2, 2, 1, 0), ("pen", 1, 0, 1, 1)]
    assert rows["cup"].mean_iou == pytest.approx(0.9) and rows["pen"].mean_iou is None
    means = mean(rows)
    assert (means["mean_iou"], means["f1"]) == (pytest.approx(0.9), pytest.approx((4 / 5 + 0) / 2))
    assert means["ap"] == pytest.approx(together.ap)
    table = confusion(found.images, found.categories, MatchOptions())
    assert table == Confusion(["cup", "pen"], [[2, 0, 0], [1, 0, 0], [0, 1, 0]])
    kinds = errors(found.images, match_all(found.images, MatchOptions()), 0.5)
    assert (kinds.classification, kinds.background, kinds.missed) == (1, 1, 1)


def test_one_of_several_categories(two, tmp_path):
    dataset, entries = two
    found = loaded(dataset, tmp_path / "r.json", entries, "pen")
    at = paper_metrics(found.images, MatchOptions())
    assert (at.hands, at.tp, at.fp, at.images_without_hands) == (1, 0, 1, 2)
    assert category_metrics(found.images, found.categories, MatchOptions()) is None


def test_categories_in_every_command(two, tmp_path):
    dataset, entries = two
    first, out = write_results(tmp_path / "a.json", entries), tmp_path / "s.json"
    output = invoke("score", dataset.folder, first, "--details", "--json", out)
    assert (
        " objects  TP" in output
        and "by category" in output
        and "FP category" in output
        and "annotated (rows) and predicted" in output
    )
    record = json.loads(out.read_text())
    assert record["categories"]["pen"]["fn"] == 1 and record["mean"]["f1"] == pytest.approx(0.4)
    assert record["confusion"] == {"categories": ["cup", "pen"], "counts": [[2, 0, 0], [1, 0, 0], [0, 1, 0]]}
    assert "the dataset" not in invoke("score", dataset.folder, first, "--category", "cup")
    better = write_results(tmp_path / "b.json", [*entries, result(1, RIGHT, 0.95, 9)])
    invoke("compare", dataset.folder, first, better, "--json", out)
    assert [row["categories"]["pen"]["tp"] for row in json.loads(out.read_text())] == [0, 1]
    runs = [write_run(tmp_path / name, dataset, path) for name, path in (("base", first), ("more", better))]
    invoke("ablation", *runs, "--csv", tmp_path / "a.csv")
    rows = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    assert [row[0] for row in rows[1:]] == ["test"] * 2 + ["test: cup"] * 2 + ["test: pen"] * 2
    assert next(row[7] for row in rows if row[:2] == ["test: pen", "more"]) == "+0.667"
    invoke("report", *runs, "--out", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "annotated (rows) and predicted categories" in page and "TP: cup; FN: pen; FP: cup" in page
    assert "of the paper" not in page, "its cases are of hands"


def test_crowds_are_ignored(tmp_path):
    crowd = rectangle(0, 10, 20, 10)
    dataset = dataset_of(tmp_path / "data", [(LEFT, "cup", False), (crowd, "cup", True)], [(crowd, "cup", True)])
    entries = [
        result(1, LEFT, 0.9, 3),
        result(1, rectangle(2, 12, 4, 4), 0.8, 3),  # inside the crowd
        result(1, rectangle(2, 8, 4, 4), 0.7, 3),  # half of it inside
        result(1, rectangle(8, 12, 4, 4), 0.6, 9),  # inside a crowd of the other category
        result(2, rectangle(0, 0, 4, 4), 0.5, 3),
    ]
    found = loaded(dataset, tmp_path / "r.json", entries)
    at = paper_metrics(found.images, MatchOptions())
    assert (at.hands, at.tp, at.fp, at.fn, at.images_without_hands) == (1, 1, 2, 0, 0)
    assert paper_metrics(found.images, MatchOptions(iou=0.51)).fp == 3
    points = curve(found.images, 0.5)
    assert list(points.scores) == [0.9, 0.6, 0.5] and points.precision == pytest.approx([1, 1 / 2, 1 / 3])
    assert "1.000" in invoke("score", dataset.folder, tmp_path / "r.json", "--details")


def random_scene(folder, rng) -> tuple[Dataset, list]:
    """Random rectangles of two categories, some of them crowds, and predictions that move and confuse them."""
    images, entries = [], []
    for image_id in range(1, 8):
        instances = []
        for _ in range(rng.integers(0, 5)):
            x, y, width, height = (int(v) for v in rng.integers((0, 0, 4, 4), (25, 25, 16, 16)))
            kind, crowd = (CUP, PEN)[rng.integers(2)], bool(rng.random() < 0.25)
            instances.append((rectangle(x, y, width, height, 40), kind.name, crowd))
            for _ in range(rng.integers(0, 3)):
                dx, dy = (int(v) for v in rng.integers(0, 4, 2))
                kind = kind if rng.random() < 0.8 else (CUP, PEN)[rng.integers(2)]
                mask = rectangle(x + dx, y + dy, max(width // (2 if crowd else 1), 2), height, 40)
                entries.append(result(image_id, mask, float(rng.random()), kind.id))
        images.append(instances)
    images.append([(rectangle(1, 1, 9, 9, 40), kind.name, False) for kind in (CUP, PEN)])
    entries.append(result(8, rectangle(1, 1, 9, 8, 40), 0.5, CUP.id))
    return dataset_of(folder, *images, size=40), entries


@pytest.mark.parametrize("seed", range(10))
def test_random_scenes_agree_with_pycocotools(tmp_path, seed):
    rng = np.random.default_rng(seed)
    dataset, entries = random_scene(tmp_path / "data", rng)
    found = loaded(dataset, tmp_path / "r.json", entries)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(dataset.path))
        oracle = COCOeval(truth, truth.loadRes(str(tmp_path / "r.json")), "segm")
        oracle.evaluate()
        oracle.accumulate()
        oracle.summarize()
    ours = average_precision(found.images)
    for name, theirs in zip(NAMES, oracle.stats, strict=False):
        assert ours[name] == (pytest.approx(theirs, abs=1e-6) if theirs >= 0 else None)
    cells = [cell for cell in oracle.evalImgs if cell and tuple(cell["aRng"]) == (0, 1e10)]
    for index, threshold in ((0, 0.5), (5, 0.75)):
        at = paper_metrics(found.images, MatchOptions(threshold, 0.0))
        matched = [(cell["dtMatches"][index] > 0) & ~cell["dtIgnore"][index].astype(bool) for cell in cells]
        counted = [~cell["dtIgnore"][index].astype(bool) for cell in cells]
        assert at.tp == sum(int(row.sum()) for row in matched)
        assert at.fp == sum(int((row & ~hit).sum()) for row, hit in zip(counted, matched, strict=True))
        assert at.hands == sum(int((np.asarray(cell["gtIgnore"]) == 0).sum()) for cell in cells)
    precision = oracle.eval["precision"]
    rows = by_category(found.images, found.categories, MatchOptions())
    for number, name in enumerate(found.categories):
        values = precision[:, :, number, 0, -1]
        assert rows[name].ap == pytest.approx(values[values > -1].mean(), abs=1e-6)
    ranks = ranked(evaluated(found.images))
    assert weighted_ap(ranks, np.ones(len(dataset), int)) == pytest.approx(ours["ap"], abs=1e-6)
    times = rng.integers(0, 4, len(dataset))
    times[-1] = 1
    copies = [image for image, count in zip(found.images, times, strict=True) for _ in range(count)]
    drawn = [replace(one, image={**one.image, "id": number}) for number, one in enumerate(copies, start=1)]
    assert weighted_ap(ranks, times) == pytest.approx(average_precision(drawn)["ap"], abs=1e-6)


def test_what_a_network_has_not_learned_is_left_out_and_it_is_said(two, tmp_path):
    dataset, entries = two
    folder = tmp_path / "found"
    folder.mkdir()
    path = write_results(folder / "results.json", [one for one in entries if one["category_id"] == 3])
    record = {
        "source": "d",
        "dataset_id": dataset.id,
        "categories": [{"id": 1, "name": "cup"}, {"id": 2, "name": "fork"}],
    }
    (folder / "predict.json").write_text(json.dumps(record))
    found = load(dataset, folder, Scope())
    assert found.categories == ("cup",)
    assert found.notes == ["not scored, as the network has not learned them: pen (--category scores one)"]
    assert any(one.false_positives for one in match_all(found.images, MatchOptions())), "a pen taken for a cup counts"
    assert load(dataset, path, Scope(category="pen")).categories == ("pen",)
    assert "network has not learned" in invoke("compare", dataset.folder, folder, path)
    other = write_results(tmp_path / "other.json", entries)
    assert "not learned" not in invoke("compare", dataset.folder, folder, other), "both are scored on the same"
    boxes = [{**one, "bbox": [0, 0, 10, 10]} for one in json.loads(path.read_text())]
    path.write_text(json.dumps(boxes))
    invoke("score", dataset.folder, folder, "--of", "boxes", "--json", tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text())["hands"] == 2
    (folder / "predict.json").write_text(json.dumps({**record, "categories": [{"id": 2, "name": "fork"}]}))
    assert load(dataset, folder, Scope()).categories == ("cup", "pen")


def test_what_a_network_knows_beyond_the_dataset_is_no_hand(two, tmp_path):
    """A prediction gives such categories ids that the dataset has not; its record says which."""
    hands = write_dataset(tmp_path / "hands", [[LEFT], [LEFT]])
    folder = tmp_path / "found"
    path = write_results(folder / "results.json", [result(1, LEFT, 0.9, 2), result(2, LEFT, 0.8, 2)])

    def predicted(dataset, *named):
        listed = [{"id": number, "name": name} for number, name in named]
        (folder / "predict.json").write_text(
            json.dumps({"source": "d", "dataset_id": dataset.id, "categories": listed})
        )
        found = load(dataset, folder, Scope())
        counts = paper_metrics(found.images, MatchOptions())
        return (counts.tp, counts.fp, counts.fn), found.notes

    assert predicted(hands, (2, "cup")) == ((0, 0, 2), [])
    assert predicted(hands, (1, "hand"), (2, "cup")) == ((0, 0, 2), [])
    assert predicted(hands, (1, "hand"), (2, "hand+forearm"))[0] == (2, 0, 0), "the same hands, outlined otherwise"
    path.write_text(json.dumps([{**one, "bbox": [0, 0, 10, 10]} for one in json.loads(path.read_text())]))
    predicted(hands, (2, "cup"))
    invoke("score", hands.folder, folder, "--of", "boxes", "--json", tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text())["ap"] == 0
    cups = two[0]
    counts, notes = predicted(cups, (3, "cup"), (2, "hand"))
    assert counts == (0, 0, 2) and notes == [
        "not scored, as the network has not learned them: pen (--category scores one)"
    ]


@pytest.mark.parametrize("of, key", [("boxes", "bbox"), ("keypoints", "keypoints")])
def test_boxes_and_keypoints_by_category(two, tmp_path, of, key):
    dataset, _ = two
    content = json.loads(dataset.path.read_text())
    for kind in content["categories"]:
        kind["keypoints"] = ["top", "bottom"]
    for one in content["annotations"]:
        x, y, _, height = one["bbox"]
        one["keypoints"] = [x + 5, y, 2, x + 5, y + height, 2]
    dataset.path.write_text(json.dumps(content))
    entries = [{**one, "score": 0.9} for one in content["annotations"] if one["category_id"] == 3]
    path = write_results(
        tmp_path / "r.json", [{k: one[k] for k in ("image_id", "category_id", key, "score")} for one in entries]
    )
    output = invoke("score", dataset.folder, path, "--of", of, "--json", tmp_path / "s.json")
    assert "objects" in output and "hands" not in output
    record = json.loads((tmp_path / "s.json").read_text())
    assert record["scored"] == ["cup", "pen"]
    assert (record["hands"], record["ap"]) == (3, pytest.approx(0.5))
    assert [record["categories"][name]["ap"] for name in ("cup", "pen")] == [pytest.approx(1), 0]


def test_only_images_without_hands(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[], [], [], []])
    entries = [result(1, LEFT, 0.9), result(1, RIGHT, 0.8), result(2, LEFT, 0.7), result(3, LEFT, 0.2)]
    path, out = write_results(tmp_path / "r.json", entries), tmp_path / "s.json"
    output = invoke("score", dataset.folder, path, "--details", "--json", out)
    assert "In 4 images without annotations (empty) there are 0.750 false positives per image." in output
    record = json.loads(out.read_text())
    assert (record["hands"], record["fp"], record["mean_iou"], record["ap"]) == (0, 3, None, None)
    assert (record["images_without_hands"], record["false_positives_per_empty_image"]) == (4, 0.75)
    fewer = write_results(tmp_path / "f.json", entries[:1])
    assert "FP/empty" in invoke("compare", dataset.folder, path, fewer, "--json", out)
    assert [row["score"]["fp"] for row in json.loads(out.read_text())] == [3, 1]
    runs = [write_run(tmp_path / name, dataset, one) for name, one in (("base", path), ("less", fewer))]
    invoke("report", *runs, "--out", tmp_path / "r.html")
    assert ">FP/empty" in (tmp_path / "r.html").read_text()
    invoke("ablation", *runs)
    invoke("cases", *runs)


def test_a_crowd_of_hands(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[LEFT, LOW]])
    content = json.loads(dataset.path.read_text())
    content["annotations"][1].update(iscrowd=1, segmentation=encode_mask(LOW))
    dataset.path.write_text(json.dumps(content))
    found = loaded(Dataset(dataset.folder), tmp_path / "r.json", [result(1, LEFT, 0.9), result(1, LOW, 0.8)])
    at = paper_metrics(found.images, MatchOptions())
    assert (at.hands, at.tp, at.fp) == (1, 1, 0)
    assert image_iou(found.images, 0.5) == 1, "of what is to be ignored no pixel counts"
    assert median_size(Dataset(dataset.folder)) == pytest.approx(0.5)
    content["annotations"][1]["segmentation"] = encode_mask(rectangle(0, 0, 20, 20))
    dataset.path.write_text(json.dumps(content))
    found = loaded(Dataset(dataset.folder), tmp_path / "r.json", [result(1, rectangle(0, 0, 10, 20), 0.9)])
    assert image_iou(found.images, 0.5) == 1
    assert median_size(Dataset(dataset.folder)) == pytest.approx(0.5), "a crowd is no hand"


def test_classes_of_images_are_not_of_one_category(two, tmp_path):
    words = ["score", str(two[0].folder), str(tmp_path / "r.json"), "--of", "classes", "--category", "cup"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2 and "leave it out for classes of images" in done.output


def test_the_size_of_hands_is_not_that_of_other_objects(two, tmp_path):
    assert median_size(two[0]) is None


def test_runs_scored_in_other_categories_are_not_compared(two, tmp_path):
    dataset, entries = two
    runs = [write_run(tmp_path / name, dataset, write_results(tmp_path / "r.json", entries)) for name in ("a", "b")]
    for run, names in zip(runs, (["cup", "pen"], ["cup"]), strict=True):
        path = run / "predictions/test/predict.json"
        listed = [category.to_json() for category in (CUP, PEN) if category.name in names]
        path.write_text(json.dumps({**json.loads(path.read_text()), "categories": listed}))
    invoke("report", *runs, "--out", tmp_path / "r.html")
    assert "differences to the first" not in (tmp_path / "r.html").read_text()
    done = CliRunner().invoke(main, ["ablation", *map(str, runs)])
    assert done.exit_code == 2 and "no dataset in common, of the same categories (--category chooses" in done.output
    assert "+0.000" in invoke("ablation", *runs, "--category", "cup")
    invoke("report", *runs, "--out", tmp_path / "r.html", "--category", "cup")
    assert "differences to the first" in (tmp_path / "r.html").read_text()
