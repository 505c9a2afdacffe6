"""The paper's cases and types, and ablations."""

from __future__ import annotations

import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation_scenes import four_images, rectangle, result, write_dataset, write_results, write_run
from PIL import Image

from evaluation.cli import main
from evaluation.metrics.scope import Scope
from evaluation.paper.cases import changed
from evaluation.paper.paper_types import Flags, flags
from evaluation.paper.published import CASES
from evaluation.runs.run_folder import load_runs
from handforge import files
from handforge.dataset import Dataset, scene
from trainer.cli import main as trainer


def invoke(*arguments) -> str:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    return done.output


def edit(run, **changes):
    record = json.loads((run / "run.json").read_text())
    record.update(changes)
    (run / "run.json").write_text(json.dumps(record))
    return record


@pytest.mark.parametrize(
    ("names", "letter"),
    [("RPT", "D"), ("AHA RPT", "L"), ("AHA SCS RPT", "N"), ("AHA BGS RPT", "P"), ("AHA BGS SCS RPT", "R"), ("", "C")],
)
def test_types_the_paper_names(names, letter):
    found = {name.lower(): name in names.split() for name in ("RPT", "AHA", "BGS", "SCS")}
    assert Flags(real=True, **found).letter == letter


def test_every_type_once():
    letters = [
        Flags(True, rpt, aha, bgs, scs).letter for aha, bgs, scs, rpt in itertools.product((False, True), repeat=4)
    ]
    assert "".join(letters) == "CDEFGHIJKLMNOPQR"
    assert (Flags(False, False).letter, Flags(False, True).letter, Flags(True, True).letter) == ("A", "B", "?")


def test_the_papers_rows_agree_with_themselves():
    assert [case.name for case in CASES] == [f"C{number}" for number in range(1, 12)]
    for case in CASES:
        if case.acc is not None:
            assert case.f1 == pytest.approx(2 * case.acc / (1 + case.acc), abs=0.005), case.name


def test_flags_come_from_statements_and_measures(tmp_path):
    small, large = rectangle(0, 0, 4, 4), rectangle(0, 0, 10, 10)
    real, test = (write_dataset(tmp_path / name, [[large]]) for name in ("real", "test"))
    far = write_dataset(tmp_path / "far", [[small]])
    of_real = {"path": str(real.folder)}
    assert flags({}, 2, [of_real], test) == Flags(True, True, None, None, True)
    assert flags({}, 2, [of_real], far).scs is False  # 10 pixels are 2.5 times 4
    invoke("describe", real.folder, "--background", "door", "--all-hands")
    invoke("describe", test.folder, "--background", "door")
    invoke("describe", far.folder, "--background", "wall", "--scale", "far")
    test, far = Dataset(test.folder), Dataset(far.folder)
    assert flags({}, 2, [of_real], test).letter == "R"
    assert flags({}, 2, [of_real], far) == Flags(True, True, True, False, False)
    assert flags({}, 1, [of_real], test).letter == "Q"
    assert flags({"after": "c1"}, 1, [], test).letter == "B"
    assert flags({}, 2, [{"path": "gone"}], test).letter == "?"
    invoke("describe", test.folder, "--background", "wall")
    several = [of_real, {"path": str(test.folder)}]
    assert flags({}, 2, several, test) == Flags(True, True, None, True, True)  # of test it is not said that all are
    invoke("describe", test.folder, "--all-hands")
    assert flags({}, 2, several, Dataset(test.folder)).letter == "R"


def test_another_network_than_the_papers_is_noted(tmp_path):
    dataset, results = four_images(tmp_path / "data")
    run = write_run(tmp_path / "run", dataset, results, name="img1")
    edit(run, recipe={"name": "c1-deeplabv3", "network": {"task": "semantic", "backbone": "resnet101"}})
    assert "task semantic" in invoke("cases", run)


def test_what_an_import_states_makes_the_type(tmp_path):
    def import_masks(name, *words):
        source = tmp_path / "source" / name
        for kind, mode in (("images", "RGB"), ("masks", "L")):
            (source / kind).mkdir(parents=True)
            white = Image.new(mode, (10, 10), "white")
            if kind == "masks":
                white.paste(Image.new(mode, (20, 20)), (8, 0))
            white.save(source / kind / "p1.png")
        done = CliRunner().invoke(trainer, ["import", "masks", str(source), str(tmp_path / name), *words])
        assert done.exit_code == 0, done.output
        return Dataset(tmp_path / name)

    real = import_masks("real", "--background", "door", "--all-hands")
    test = import_masks("test", "--background", "door")
    hand = test.masks(test.images[0])[0]
    results = write_results(tmp_path / "r.json", [result(1, hand, 0.9)])
    run = write_run(tmp_path / "run", test, results, name="vid1")
    edit(run, recipe={"name": "c9"}, real={"path": str(real.folder), "id": real.id, "images": 1})
    assert "1.000" in invoke("score", test.folder, run / "predictions/vid1")
    invoke("cases", run, "--csv", tmp_path / "c.csv")
    row = next(line for line in (tmp_path / "c.csv").read_text().splitlines() if line.startswith("C9,"))
    assert row.startswith("C9,Vid1,0.700,0.811,0.900,1.000,1.000,1.000,1.000,1.000,1.000,R,")


def test_describe_adds_to_what_is_there(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 10, 10)]])
    before = dataset.path.read_bytes()
    invoke("describe", dataset.folder, "--background", "door")
    output = invoke("describe", dataset.folder, "--not-all-hands")
    assert "background: door" in output and "all_hands: False" in output and "measured scale: 0.500" in output
    info = Dataset(dataset.folder).info
    assert (info["scene"], info["seed"]) == ({"background": "door", "all_hands": False}, 0)
    assert dataset.path.read_bytes() == before


def test_two_descriptions_at_one_instant_are_both_kept(tmp_path, monkeypatch):
    folder = write_dataset(tmp_path / "data", [[rectangle(0, 0, 10, 10)]]).folder
    others = []
    with ThreadPoolExecutor() as pool:

        def write(path, data):
            if not others:  # the first one has read the file by now
                others.append(pool.submit(scene.describe, Dataset(folder), {"scale": "far"}))
                wait(others, timeout=1)
            files.write_atomic(path, data)

        monkeypatch.setattr(scene, "write_atomic", write)
        scene.describe(Dataset(folder), {"background": "door"})
        others[0].result()
    assert Dataset(folder).info["scene"] == {"background": "door", "scale": "far"}
    assert not list(folder.glob(".*"))


def test_a_description_that_another_process_keeps_from_being_written(tmp_path, monkeypatch):
    folder = write_dataset(tmp_path / "data", [[rectangle(0, 0, 10, 10)]]).folder
    monkeypatch.setattr(files, "WAIT", 0.1)
    with files.file_lock(folder / "dataset.json"):
        done = CliRunner().invoke(main, ["describe", str(folder), "--scale", "far"])
    assert done.exit_code == 2
    assert f"{folder / 'dataset.json'} is being written by process {os.getpid()} on" in done.stderr
    assert done.stderr.endswith("; wait for it\n") and "scene" not in Dataset(folder).info


@pytest.mark.parametrize("option", ["--background", "--scale"])
def test_an_empty_word_is_not_stated(tmp_path, option):
    """As of ``--background "$PLACE"``, where PLACE is not set; sets with the same word count as similar."""
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 10, 10)]])
    for word in ("", " "):
        done = CliRunner().invoke(main, ["describe", str(dataset.folder), option, word])
        assert done.exit_code == 2 and f"{option} is empty; give a word, or leave it out" in done.stderr
    assert "scene" not in Dataset(dataset.folder).info


def test_describe_without_a_statement_writes_nothing(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 10, 10)]])
    (dataset.folder / "dataset.json").unlink()
    assert "measured scale: 0.500" in invoke("describe", dataset.folder)
    assert not (dataset.folder / "dataset.json").exists()


def test_what_was_stated_in_other_words_is_not_known(tmp_path):
    real = write_dataset(tmp_path / "real", [[rectangle(0, 0, 10, 10)]])
    (real.folder / "dataset.json").write_text(json.dumps({"scene": {"all_hands": "yes", "background": "door"}}))
    found = flags({}, 1, [{"path": str(real.folder)}], Dataset(real.folder))
    assert found == Flags(True, False, None, True, True)


def test_names_in_brackets_are_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    run = write_run(tmp_path / "run", *four_images(tmp_path))
    edit(run, recipe={"name": "[bold]:hand:"})
    assert "[bold]:hand:" in invoke("cases", run)


def test_a_damaged_dataset_json_is_named(tmp_path):
    dataset = write_dataset(tmp_path / "data", [[rectangle(0, 0, 10, 10)]])
    (dataset.folder / "dataset.json").write_text("{")
    done = CliRunner().invoke(main, ["describe", str(dataset.folder)])
    assert (done.exit_code, "dataset.json is not valid JSON" in done.output) == (2, True)


def test_cases_without_a_run():
    output = invoke("cases")
    assert output.count("not run") == 11 and "0.837" in output and "NAN" in output


def test_cases_beside_ours(tmp_path):
    run = write_run(tmp_path / "run", *four_images(tmp_path), name="vid2")
    edit(run, recipe={"name": "c1-resnet50", "network": {"backbone": "resnet50", "init": "none"}})
    out = tmp_path / "cases.csv"
    output = invoke("cases", run, "--csv", out)
    assert output.count("not run") == 10
    assert "4 hands, resnet50, from scratch, 60 synthetic images" in output
    row = next(line for line in out.read_text().splitlines() if line.startswith("C4,"))
    assert row.startswith("C4,Vid2,0.580,0.515,0.680,0.650,0.286,0.444,0.597,0.500,0.667,B,")


def test_a_run_of_no_case_stands_below(tmp_path):
    run = write_run(tmp_path / "run", *four_images(tmp_path))
    output = invoke("cases", run)
    assert output.count("not run") == 11
    assert "tiny" in output and "on test, 4 hands, resnet18, 60 synthetic images" in output


@pytest.fixture
def two_runs(tmp_path):
    dataset, results = four_images(tmp_path)
    better = write_results(tmp_path / "better.json", [result(i, rectangle(0, 0, 10, 10), 0.9) for i in (1, 2, 3)])
    base, other = write_run(tmp_path / "base", dataset, results), write_run(tmp_path / "other", dataset, better)
    edit(other, recipe={"name": "other", "network": {"backbone": "resnet50"}})
    return base, other


def test_ablation(two_runs, tmp_path):
    output = invoke("ablation", *two_runs, "--csv", tmp_path / "a.csv")
    assert "(1) network.backbone: resnet18 → resnet50" in output
    base, other = (line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()[1:])
    assert base[:3] == ["test", "base", ""]
    assert (other[5], other[7]) == ("0.857", "+0.413")
    edit(two_runs[1], seed=3, data={"id": "another"})
    base, other = load_runs(two_runs, Scope())
    assert changed(base, other) == "network.backbone: resnet18 → resnet50; data: 0123456789ab → another; seed: 0 → 3"


def test_ablations_that_cannot_be(two_runs, tmp_path):
    def refused(*runs) -> str:
        done = CliRunner().invoke(main, ["ablation", *map(str, runs)])
        assert done.exit_code == 2
        return done.output

    assert "needs at least two runs" in refused(two_runs[0])
    other = write_dataset(tmp_path / "elsewhere", [[rectangle(1, 1, 5, 5)]])
    lone = write_run(tmp_path / "lone", other, write_results(tmp_path / "r.json", []))
    assert "predicted no dataset in common" in refused(two_runs[0], lone)


def test_several_runs_in_one_report(two_runs, tmp_path):
    invoke("report", *two_runs, "--out", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    for text in ("base: test", "other: test", "network.backbone: resnet18 → resnet50", "+0.413", "not run"):
        assert text in page
    assert page.count("<figure ") == 8
    assert "Trainings side by side" in page and page.count("data:image/svg+xml") == 2 + 2 * 2 + 3
    same = [two_runs[0], tmp_path / "copy" / "base"]
    same[1].parent.mkdir()
    two_runs[1].rename(same[1])
    assert [run.name for run in load_runs(same, Scope())] == [f"{tmp_path.name}/base", "copy/base"]
    assert np.isclose(load_runs(same, Scope())[1].losses[2][-1], 0.35)


def test_conventional_training_is_no_repetition(tmp_path):
    dataset, results = four_images(tmp_path / "data")
    run = write_run(tmp_path / "run", dataset, results, name="img1")
    edit(run, recipe={"name": "c2"}, command=["repeat", "--recipe", "c2"])
    assert "one session, not ten" not in invoke("cases", run)
    edit(run, command=["train", "--recipe", "c2"])
    assert "one session, not ten" in invoke("cases", run)
