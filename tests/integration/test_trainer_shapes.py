"""A set of any objects, trained on and predicted by the real commands; every session's network; several real sets."""

import json
from importlib import resources

import pytest
from click.testing import CliRunner
from pycocotools.coco import COCO
from trainer_samples import TINY, edit_annotations, invoke, refused, write_blobs, write_recipe, write_shapes

from evaluation.metrics.by_category import by_category
from evaluation.metrics.matching import MatchOptions, load
from evaluation.metrics.scope import Scope
from generator.cli import main as generator
from handforge.dataset import Dataset
from trainer.config.categories import choose
from trainer.config.recipe import ImageSettings
from trainer.data.images import ImagePool

SHORT = TINY.replace("steps = 4", "steps = 2").replace('"studio"', '"photo"')


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    return write_shapes(tmp_path_factory.mktemp("shapes") / "data", {"circle": 7, "square": 3})


@pytest.fixture(scope="module")
def run(shapes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    recipe = write_recipe(folder / "tiny.toml", SHORT)
    done = invoke("repeat", "--recipe", recipe, "--data", shapes, "--device", "cpu", "--out", folder / "run")
    assert done.exit_code == 0, done.output
    return folder / "run"


def test_any_categories_are_learned_and_found_under_their_own_ids(shapes, run, tmp_path):
    for name in ("network.json", "run.json"):
        record = json.loads((run / name).read_text())
        assert [(c["id"], c["name"]) for c in record["categories"]] == [(7, "circle"), (3, "square")]
    out = tmp_path / "out"
    done = invoke("predict", "--weights", run, shapes, "--out", out, "--score", 0, "--overlays")
    assert done.exit_code == 0, done.output
    results = json.loads((out / "results.json").read_text())
    assert {entry["category_id"] for entry in results} == {7, 3}  # untrained, it takes things for both
    assert len(COCO(shapes / "annotations.json").loadRes(results).anns) == len(results)
    loose = invoke("predict", "--weights", run, shapes / "images", "--out", tmp_path / "loose", "--score", 0)
    assert loose.exit_code == 0, loose.output
    summary = json.loads((tmp_path / "loose/predict.json").read_text())
    assert [(c["id"], c["name"]) for c in summary["categories"]] == [(7, "circle"), (3, "square")]


@pytest.mark.parametrize("task", ["semantic", "detection"])
def test_other_tasks_know_several_categories(shapes, tmp_path, task):
    recipe = write_recipe(tmp_path / "tiny.toml", SHORT)
    words = ("--recipe", recipe, "--data", shapes, "--task", task, "--categories", "square,circle")
    done = invoke("train", *words, "--device", "cpu", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    described = json.loads((tmp_path / "run/network.json").read_text())
    assert described["architecture"]["classes"] == ["square", "circle"]
    assert described["categories"][0]["id"] == 3


def test_every_session_keeps_its_network_and_one_can_be_chosen(shapes, run, tmp_path):
    kept = sorted(path.name for path in (run / "sessions").iterdir())
    assert kept == ["01.json", "01.safetensors", "02.json", "02.safetensors"]
    best = json.loads((run / "run.json").read_text())["best_session"]
    same = (run / "sessions" / f"{best:02d}.safetensors").read_bytes()
    assert same == (run / "network.safetensors").read_bytes()
    outs = {}
    for session in ("best", "last", "1", "2"):
        words = ("--weights", run, shapes, "--out", tmp_path / session, "--score", 0, "--session", session)
        assert invoke("predict", *words).exit_code == 0
        outs[session] = (tmp_path / session / "results.json").read_bytes()
        number = {"best": best, "last": 2}.get(session) or int(session)
        assert json.loads((tmp_path / session / "predict.json").read_text())["session"] == number
    assert outs["last"] == outs["2"] != outs["1"] and outs["best"] == outs[str(best)]
    words = ("--weights", run, shapes, "--out", tmp_path / "no", "--session")
    refused(invoke("predict", *words, 5), "has no network of session 5; it has kept those of 1, 2")
    single = ("--weights", run / "network.safetensors", *words[2:])
    refused(invoke("predict", *single, 1), "network.safetensors is the network of one session; --session is for a run")
    image = shapes / "images/shapes000.png"
    refused(
        invoke("predict", "--weights", image, *words[2:5]), "shapes000.png is not a .safetensors file; give one, or"
    )
    refused(invoke("predict", *words, "worst"), "'worst' is not best, last or the number of a session")


def test_only_the_last_networks_are_kept_if_asked(shapes, tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml", SHORT)
    words = ("--recipe", recipe, "--data", shapes, "--device", "cpu")
    for keep, files in ((1, ["02.json", "02.safetensors"]), (0, [])):
        run = tmp_path / f"keep{keep}"
        assert invoke("repeat", *words, "--out", run, "--keep", keep).exit_code == 0
        assert sorted(path.name for path in run.glob("sessions/*")) == files


def test_several_real_sets_stand_in_every_subset(tmp_path):
    data = write_blobs(tmp_path / "data", count=4)
    one, other = write_blobs(tmp_path / "one", count=2), write_blobs(tmp_path / "other", count=3, hands=2)
    recipe, run = write_recipe(tmp_path / "tiny.toml", SHORT), tmp_path / "run"
    words = ("repeat", "--recipe", recipe, "--data", data, "--device", "cpu", "--out", run, "--replicate", 2)
    done = invoke(*words, "--real", one, "--real", other)
    assert done.exit_code == 0, done.output
    record = json.loads((run / "run.json").read_text())
    assert [(real["id"], real["images"]) for real in record["real"]] == [(Dataset(one).id, 2), (Dataset(other).id, 3)]
    assert [session["images"] for session in record["sessions"]] == [2 + 2 * 5] * 2
    refused(invoke(*words, "--real", one, "--resume"), "holds another run", "real")


def test_real_sets_in_turn(tmp_path):
    data = write_blobs(tmp_path / "data", count=4)
    one, other = write_blobs(tmp_path / "one", count=2), write_blobs(tmp_path / "other", count=3, hands=2)
    recipe, run = write_recipe(tmp_path / "tiny.toml", SHORT.replace('"3+"', '"3+", "3+"')), tmp_path / "run"
    words = ("repeat", "--recipe", recipe, "--data", data, "--device", "cpu", "--out", run, "--real", one)
    refused(invoke(*words, "--real-sets", "in-turn"), "--real-sets is for several --real")
    done = invoke(*words, "--real", other, "--real-sets", "in-turn", "--replicate", 2)
    assert done.exit_code == 0, done.output
    record = json.loads((run / "run.json").read_text())
    assert [session["images"] for session in record["sessions"]] == [2 + 2 * 2, 2 + 2 * 3, 2 + 2 * 2]
    assert record["recipe"]["real_sets"] == "in-turn"


def test_categories_of_several_datasets_are_the_same_by_name(shapes, tmp_path):
    other = write_shapes(tmp_path / "other", {"square": 1, "star": 7})
    opened = [Dataset(shapes), Dataset(other)]
    learned = choose(opened)
    assert [(category.id, category.name) for category in learned] == [(7, "circle"), (3, "square"), (8, "star")]
    pool = ImagePool(opened, ImageSettings(64, 96), classes=learned)
    labels = [pool.batch([number], None).targets[0]["labels"].tolist() for number in range(len(pool))]
    assert labels == [[1, 2]] * 4 + [[2, 3]] * 4
    recipe = write_recipe(tmp_path / "tiny.toml", SHORT)
    words = ("--recipe", recipe, "--data", shapes, "--data", other, "--device", "cpu", "--out", tmp_path / "run")
    done = invoke("repeat", *words)
    assert done.exit_code == 0, done.output
    described = json.loads((tmp_path / "run/network.json").read_text())
    assert described["architecture"]["classes"] == ["circle", "square", "star"]


def test_joints_of_another_order_are_refused(tmp_path):
    data = [write_blobs(tmp_path / name, count=2, joints=True) for name in ("one", "other")]
    edit_annotations(data[1], lambda c: c["categories"][0]["keypoints"].reverse())
    recipe = write_recipe(tmp_path / "tiny.toml", SHORT)
    words = ("repeat", "--recipe", recipe, "--task", "keypoints", "--out", tmp_path / "run")
    refused(invoke(*words, "--data", data[0], "--data", data[1]), "other keypoints for 'hand'", "in another order")


@pytest.mark.slow
def test_several_classes_are_learned_by_repetition(tmp_path):
    """The recipe of the example with objects, in small: coloured discs of three categories, on images never seen."""
    shapes = write_shapes(tmp_path / "shapes", {"cup": 4, "bottle": 2, "ball": 9}, count=40)
    text = (resources.files("trainer") / "recipes/cpu-objects.toml").read_text()
    small = {"192": "96", "256": "128", "steps = 130": "steps = 40", "steps = 210": "steps = 60"}
    for old, new in {**small, "subsets = 3": "subsets = 2"}.items():
        assert old in text
        text = text.replace(old, new)
    recipe, run = write_recipe(tmp_path / "small.toml", text), tmp_path / "run"
    split = CliRunner().invoke(
        generator, ["split", *map(str, (shapes, tmp_path / "train", tmp_path / "test")), "--test", "10"]
    )
    assert split.exit_code == 0, split.output
    words = ("repeat", "--recipe", recipe, "--data", tmp_path / "train", "--device", "cpu", "--out", run)
    done = invoke(*words)
    assert done.exit_code == 0, done.output
    assert invoke("predict", "--weights", run, tmp_path / "test", "--out", run / "predictions/test").exit_code == 0
    test = Dataset(tmp_path / "test")
    loaded = load(test, run / "predictions/test", Scope())
    rows = by_category(loaded.images, loaded.categories, MatchOptions())
    assert {name: row.hands for name, row in rows.items()} == {"cup": 10, "bottle": 10, "ball": 10}
    assert all(row.f1 > 0.9 and row.mean_iou > 0.7 for row in rows.values()), rows


def test_a_category_that_is_not_there_is_refused(shapes, tmp_path):
    recipe = write_recipe(tmp_path / "tiny.toml", SHORT)
    words = ("repeat", "--recipe", recipe, "--data", shapes, "--out", tmp_path / "run")
    refused(invoke(*words, "--categories", "hand"), "no annotation of the category 'hand'; there are circle, square")
    assert not (tmp_path / "run").exists()
