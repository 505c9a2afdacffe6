"""Studies by the real command."""

import errno
import json
import shutil
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from trainer_samples import TINY, edit_annotations, refused, write_blobs, write_recipe

from handforge.files import DiskFullError
from trainer.cli import main
from trainer.config import study as studies
from trainer.errors import TrainingDivergedError
from trainer.loop import study as study_runs
from trainer.loop.repetition import Repetition

STUDY = """
question = "Is repetition better?"
data = "data"
recipe = "tiny.toml"
seeds = [0, 1]
claim = { arm = "two sessions", against = "one session" }
[[primary]]
test = "held-out"
measure = "ap"
[tests.held-out]
data = "test"
masks = "hand"
networks = "all"
[[arms]]
name = "one session"
one_session = true
[[arms]]
name = "two sessions"
description = "Each on its subset"
"""


def write_study(folder):
    """A folder with a study, its recipe, data and test."""
    write_blobs(folder / "data")
    write_blobs(folder / "test", 2)
    write_recipe(folder / "tiny.toml", TINY.replace("steps = 4", "steps = 3").replace("subsets = 2", SETS))
    (folder / "study.toml").write_text(STUDY)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The same, and the study made without a break."""
    folder = write_study(tmp_path_factory.mktemp("study"))
    done = run(folder / "study.toml", "--out", folder / "whole")
    assert done.exit_code == 0, done.output
    return folder


SETS = "subsets = 2\nvalidation = 0.3"


def run(*words):
    return CliRunner().invoke(main, ["study", "--device", "cpu", "--threads", "1", *map(str, words)])


def test_a_study_writes_runs_predictions_and_a_page(place):
    whole = place / "whole"
    assert sorted(path.name for path in whole.iterdir()) == [
        *("one session", "report.html", "report.json", "study.json", "two sessions"),
    ]
    record = json.loads((whole / "two sessions/seed1/run.json").read_text())
    assert record["command"][0] == "study" and record["seed"] == 1 and record["finished"] is True
    made = sorted(path.name for path in (whole / "two sessions/seed1/predictions").iterdir())
    assert made == ["held-out-01", "held-out-02"]
    assert [path.name for path in (whole / "two sessions/seed1/sessions").glob("*.safetensors")] == ["02.safetensors"]
    plan = json.loads((whole / "study.json").read_text())
    assert plan["primary"] == [{"measure": "ap", "test": "held-out", "network": "last"}]
    assert plan["arms"]["one session"]["steps"] == plan["arms"]["two sessions"]["steps"] == 6
    numbers = json.loads((whole / "report.json").read_text())
    first = numbers["values"]["two sessions"][0]
    assert first["average loss (best network)"] == pytest.approx(
        min(s["average_loss"] for s in json.loads((whole / "two sessions/seed0/run.json").read_text())["sessions"])
    )
    assert numbers["missing"] == []


def test_a_study_that_was_stopped_twice_ends_with_the_same_page(place, monkeypatch):
    """Once within a run's second session, once before a run's predictions; nothing finished is done again."""
    out, calls = place / "broken", []

    def stop_at(count, original):
        def stopping(*args):
            calls.append(1)
            if len(calls) == count:
                raise KeyboardInterrupt
            return original(*args)

        return stopping

    for owner, name, count in ((Repetition, "_finish", 3), (study_runs, "_test", 2)):
        calls.clear()
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, stop_at(count, getattr(owner, name)))
            stopped = run(place / "study.toml", "--out", out)
        assert stopped.exit_code == 130 and "the same command continues" in stopped.stderr
    before = (out / "one session/seed0/run.json").stat().st_mtime_ns
    done = run(place / "study.toml", "--out", out)
    assert done.exit_code == 0, done.output
    assert (out / "one session/seed0/run.json").stat().st_mtime_ns == before
    for name in ("report.html", "report.json", "study.json"):
        assert (out / name).read_bytes() == (place / "whole" / name).read_bytes()


@pytest.mark.slow
def test_any_number_of_processes_makes_the_same_page(place):
    done = run(place / "study.toml", "--out", place / "two", "--workers", 2)
    assert done.exit_code == 0, done.output
    assert (place / "two/report.html").read_bytes() == (place / "whole/report.html").read_bytes()


def test_what_is_judged_cannot_change_once_begun_but_seeds_may(place):
    other = STUDY.replace('measure = "ap"', 'measure = "f1"')
    (place / "other.toml").write_text(other)
    done = run(place / "other.toml", "--out", place / "whole")
    assert done.exit_code == 2
    assert "was begun with another primary: primary 1.measure was 'ap'" in done.stderr
    planned = json.loads((place / "whole/study.json").read_text())
    more = {**planned, "seeds": [0, 1, 2]}
    amended = study_runs._amended(place / "whole/study.json", more)
    assert amended["seeds"] == [0, 1, 2] and amended["amendments"] == ["seeds has another length"]


def test_a_test_of_networks_that_are_deleted_is_refused_before_anything_is_done(place, tmp_path):
    """Each session's network was deleted once it had been tested, but for the last and the best."""
    out = tmp_path / "whole"
    shutil.copytree(place / "whole", out)
    for path in out.glob("two sessions/*/run.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "best_session": 2}))
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    added = STUDY + '[tests.more]\ndata = "data"\nmasks = "hand"\n'
    (place / "all.toml").write_text(added + 'networks = "all"\n')
    for words in ((), ("--dry-run",)):
        done = run(place / "all.toml", "--out", out, *words)
        refused(
            done, f"the test more is of every session's network, and {out / 'two sessions/seed0'} has deleted those"
        )
        refused(done, "of its sessions 1, as", 'give the test networks = "last and best", or make the study anew')
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    (place / "kept.toml").write_text(added)  # of the last and the best

    def todo(name):
        return study_runs.jobs(*studies.load(str(place / name)), out, 1, "cpu", ())

    study_runs.require_networks(todo("kept.toml"))
    for seed in (0, 1):  # what is tested already needs no network
        (out / f"two sessions/seed{seed}/predictions/more-01").mkdir()
        (out / f"two sessions/seed{seed}/predictions/more-01/predict.json").write_text("{}")
    study_runs.require_networks(todo("all.toml"))


def test_a_run_that_fails_leaves_the_others_done(place, monkeypatch):
    original = study_runs.train_and_test

    def failing(job, report):
        if job.arm == "two sessions":
            raise TrainingDivergedError("the loss is nan")
        original(job, report)

    monkeypatch.setattr(study_runs, "train_and_test", failing)
    done = run(place / "study.toml", "--out", place / "failing", "--seeds", 1)
    assert done.exit_code == 2
    assert "1 of 2 runs failed, the first (two sessions, seed 0): the loss is nan; the same" in done.stderr
    assert "1 of 2 runs are missing" in done.output and (place / "failing/report.html").is_file()


@pytest.mark.parametrize(
    "error, said",
    [
        (OSError(errno.ENOSPC, "No space left", "losses.csv"), "losses.csv: the disk is full; make room"),
        (DiskFullError("the disk of out has 1 MB left"), "the disk of out has 1 MB left"),
    ],
)
def test_a_full_disk_stops_the_study_at_once(tmp_path, monkeypatch, error, said):
    """With several processes each run is such an attempt, too."""
    tried = []

    def full(job, report):
        tried.append(job)
        raise error

    monkeypatch.setattr(study_runs, "train_and_test", full)
    done = run(write_study(tmp_path) / "study.toml", "--out", tmp_path / "out")
    refused(done, f"Error: {said}", "; the same command continues the study")
    assert len(tried) == 1 and not (tmp_path / "out/report.html").exists()
    sent = []
    monkeypatch.setattr(study_runs.signal, "signal", lambda *_: None)
    study_runs._process(tried[0], SimpleNamespace(send=sent.append))
    assert [what for what, _ in sent] == ["stopped"] and said in sent[0][1]


def test_other_errors_fail_one_run(tmp_path, monkeypatch):
    def failing(job, report):
        raise PermissionError(errno.EACCES, "Permission denied") if job.seed else KeyError("x")

    monkeypatch.setattr(study_runs, "train_and_test", failing)
    todo = study_runs.jobs(*studies.load(str(write_study(tmp_path) / "study.toml")), tmp_path, 1, "cpu", ())
    failed = study_runs.run(todo, 1, lambda *_: None)
    assert failed["one session, seed 1"] == f"{tmp_path / 'one session/seed1'}: Permission denied"
    assert failed["two sessions, seed 0"] == "unexpected KeyError: 'x'" and len(failed) == 4


def test_a_dry_run_says_what_it_takes_and_writes_nothing(place):
    done = run(place / "study.toml", "--out", place / "dry", "--dry-run")
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    one, two = (row for row in rows if row[:1] in (["one"], ["two"]))
    assert one[:6] == ["one", "session", "2", "1", "6", "6"] and two[3] == "2"
    assert "4 of 4 runs left: about" in done.output and "hours on this machine" in done.output
    assert not (place / "dry").exists()


def test_a_foreign_folder_is_refused(place, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    done = run(place / "study.toml", "--out", tmp_path / "out")
    assert done.exit_code == 2 and "thesis.txt, which is no part of a study" in done.stderr


def test_data_has_to_be_given(tmp_path):
    done = run("--out", tmp_path / "out")
    assert done.exit_code == 2 and "'conventional' has no data to train on; give --data DIR" in done.stderr


def test_classifiers_are_judged_by_top_1(tmp_path):
    """Of the test's three images one is of the first class; what its network says of each is counted by hand."""
    write_blobs(tmp_path / "data")
    write_blobs(tmp_path / "test", 3)

    def first_is_another(content):
        content["categories"] = [{"id": 1, "name": "hand"}, {"id": 2, "name": "foot"}]
        for annotation in content["annotations"]:
            annotation["category_id"] = 1 if annotation["image_id"] == content["images"][0]["id"] else 2

    for folder in ("data", "test"):
        edit_annotations(tmp_path / folder, first_is_another)
    recipe = TINY.replace("[network]", '[network]\ntask = "classification"').replace("steps = 4", "steps = 3")
    write_recipe(tmp_path / "tiny.toml", recipe.replace("subsets = 2", SETS))
    (tmp_path / "study.toml").write_text(
        STUDY.replace('measure = "ap"', 'measure = "top1"').replace('masks = "hand"', "")
    )
    done = run(tmp_path / "study.toml", "--out", tmp_path / "whole")
    assert done.exit_code == 0, done.output
    numbers = json.loads((tmp_path / "whole/report.json").read_text())
    for seed, values in enumerate(numbers["values"]["two sessions"]):
        folder = tmp_path / f"whole/two sessions/seed{seed}/predictions/held-out-02"
        scores: dict[int, list[tuple[float, int]]] = {1: [], 2: [], 3: []}
        for entry in json.loads((folder / "results.json").read_text()):
            scores[entry["image_id"]].append((entry["score"], entry["category_id"]))
        right = sum(max(scores[image])[1] == truth for image, truth in ((1, 1), (2, 2), (3, 2)))
        assert values["top-1 on held-out (last network)"] == pytest.approx(right / 3)
    page = (tmp_path / "whole/report.html").read_text()
    assert "classes of whole images" in page and "top-1, last" in page and "IoU, last" not in page
