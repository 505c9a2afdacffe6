"""The report: what is in it, what is refused, and that a browser runs it."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation_scenes import four_images, write_run
from markupsafe import escape
from PIL import Image

from evaluation import tables
from evaluation.cli import main
from evaluation.metrics import bootstrap
from evaluation.metrics.scope import Scope
from evaluation.runs.paths import shorten
from evaluation.runs.run_folder import load_runs
from handforge.dataset import encode_mask

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    """Intervals are not the point here; test_extended_metrics.py looks at them."""
    monkeypatch.setattr(bootstrap, "SAMPLES", bootstrap.BLOCK)


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", *four_images(tmp_path))


def report(run, *options):
    out = run.parent / "report.html"
    done = CliRunner().invoke(main, ["report", str(run), "--out", str(out), *options])
    return done, out


def refused(run) -> str:
    done, out = report(run)
    assert done.exit_code == 2
    assert not list(out.parent.glob("*report.html*"))
    assert done.output.startswith("Error: ") and done.output.count("\n") == 1, done.output
    return done.output


def test_predictions_by_one_sessions_network(tmp_path):
    """Session 1 found all three hands of the first two images, session 2, the best, what the usual results hold."""
    dataset, results = four_images(tmp_path)
    run = write_run(tmp_path / "run", dataset, results, name="by_two")
    shutil.copytree(run / "predictions/by_two", run / "predictions/by_one")
    for name, session in (("by_one", 1), ("by_two", 2)):
        path = run / "predictions" / name / "predict.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "session": session}))
    exact = [{**a, "score": 0.9} for image in dataset for a in dataset.annotations(image)]
    (run / "predictions/by_one/results.json").write_text(json.dumps(exact))
    scores = {}
    for session in ("1", "2", "best", "last"):
        out = tmp_path / f"{session}.json"
        words = ("score", str(dataset.folder), str(run), "--session", session, "--json", str(out))
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        scores[session] = json.loads(out.read_text())["f1"]
        page = report(run, "--session", session)[1].read_text()
        assert ("by_one" in page, "by_two" in page) == ((session == "1"), (session != "1"))
    assert scores["1"] == 1 and scores["2"] == scores["best"] == scores["last"] == pytest.approx(4 / 9)
    words = ("score", str(dataset.folder), str(run))
    done = CliRunner().invoke(main, [*words, "--session", "3"])
    assert done.exit_code == 2 and "has no session 3; it has finished 2" in done.stderr
    shutil.copytree(run / "predictions/by_two", run / "predictions/tta")
    done = CliRunner().invoke(main, [*words, "--session", "2"])
    assert done.exit_code == 2 and "has several predictions" in done.stderr and "predictions/tta" in done.stderr
    shutil.rmtree(run / "predictions/by_one")
    done = CliRunner().invoke(main, [*words, "--session", "1"])
    assert done.exit_code == 2 and f"make them with: handforge predict --weights {run} --session 1" in done.stderr
    spaced = run.rename(run.parent / "my run")
    done = CliRunner().invoke(main, ["score", str(dataset.folder), str(spaced), "--session", "1"])
    assert (
        f"predict --weights '{spaced}' --session 1 {dataset.folder} --out '{spaced}/predictions/data-1'" in done.stderr
    )
    shutil.rmtree(spaced / "predictions")
    assert (
        f"for scores: handforge predict --weights '{spaced}' DATASET --out '{spaced}'/pred" in report(spaced)[0].stderr
    )


def test_predictions_by_themselves_have_scores_and_images_and_no_training(run):
    (found,) = (run / "predictions").iterdir()
    done, out = report(shutil.move(found, run.parent / "found"))
    assert done.exit_code == 0, done.output
    page = out.read_text()
    assert "<h1>Report on found</h1>" in page and "0.444" in page and page.count("<figure ") == 4
    assert "Training: " not in page and "of the paper" in page and ">the paper's cases" not in page


def test_predictions_by_themselves_have_no_sessions_to_choose_from(run):
    (found,) = (run / "predictions").iterdir()
    found = shutil.move(found, run.parent / "found")
    told = f"{found} holds predictions by one network; --session is for a run folder"
    for words in (("report", found, "--out", run.parent / "r.html"), ("score", run.parent / "data", found)):
        done = CliRunner().invoke(main, [*map(str, words), "--session", "best"])
        assert done.exit_code == 2 and told in done.output


def test_predictions_beside_runs_are_no_training(run):
    """They neither hide the others' curves nor differ from them in a recipe; the paper's type is not known of them."""
    again, found = (shutil.copytree(run, run.parent / name) for name in ("again", "found"))
    shutil.move(found / "predictions" / "test", run.parent / "alone")
    alone = run.parent / "alone"
    done = CliRunner().invoke(main, ["report", *map(str, (run, again, alone)), "--out", str(run.parent / "r.html")])
    assert done.exit_code == 0, done.output
    page = (run.parent / "r.html").read_text()
    assert "Trainings side by side" in page and "Average loss by session" in page
    assert page.split(">what was changed")[1].split("</table>")[0].count('<td class="left">nothing</td>') == 1
    assert "resnet18 →" not in page
    done = CliRunner().invoke(main, ["cases", str(alone), "--csv", str(run.parent / "c.csv")])
    assert done.exit_code == 0 and ",?," in (run.parent / "c.csv").read_text().splitlines()[-1]
    done = CliRunner().invoke(main, ["ablation", str(run), str(alone)])
    assert done.exit_code == 0 and "(1) not known" in done.output


def test_the_page_says_what_how_and_how_well(run):
    done, out = report(run)
    assert done.exit_code == 0, done.output
    page = out.read_text()
    assert "handforge repeat --recipe tiny --data train" in page
    for text in ("0123456789ab", "resnet18", "0.650", "0.286", "0.444", "C1 of the paper", "0.837", "C2 of the paper"):
        assert text in page
    assert page.count("<figure ") == 4 and page.count("data:image/svg+xml") == 5
    assert 'class="best"' in page.split(">Sessions ")[1].split("<tr")[3]
    kinds = re.findall(r'data-tp="(\d)" data-fn="(\d)" data-fp="(\d)" data-empty="\d" data-quality="([\d.]+)"', page)
    assert kinds == [  # worst first
        ("0", "1", "0", "0.00000"),
        ("0", "0", "1", "0.00000"),
        ("1", "1", "1", "0.16667"),
        ("1", "0", "1", "0.40000"),
    ]


def test_the_page_needs_no_network_and_is_the_same_again(run):
    _, out = report(run)
    page = out.read_text()
    assert not re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?(?!data:|#)[a-z]', page)
    assert "default-src 'none'" in page
    report(run)
    assert out.read_text() == page


def test_thresholds_reach_the_report(run):
    _, out = report(run, "--iou", "0.49", "--score-threshold", "0.3")
    assert "mask IoU of 0.49 or more; predictions scoring below 0.3" in out.read_text()


def test_names_are_escaped(run):
    record = json.loads((run / "run.json").read_text())
    record["command"] = ["hand-trainer", "<script>alert(1)</script>"]
    (run / "run.json").write_text(json.dumps(record))
    _, out = report(run)
    assert "<script>alert" not in out.read_text()


def test_predictions_without_truth_are_named(run):
    folder = run / "predictions" / "holiday"
    folder.mkdir()
    for record in ({"source": "photos", "dataset_id": None}, {"source": "photos"}):
        (folder / "predict.json").write_text(json.dumps(record))
        done, out = report(run)
        assert "sets of predictions scored: 1" in done.output
        assert "holiday holds predictions of photos, which has no ground truth" in out.read_text()
    alone = report(folder)[1].read_text()
    assert "holiday holds predictions of photos, which has no ground truth; not scored" in alone
    assert not [words for words in ("of the paper", "true positive", "95 %", "<table", "#legend") if words in alone]


def test_predictions_without_masks_are_named(run):
    folder = run / "predictions" / "boxes"
    folder.mkdir()
    (folder / "predict.json").write_text(json.dumps({"source": "d", "dataset_id": "0123", "task": "detection"}))
    _, out = report(run)
    page = out.read_text()
    assert "boxes holds predictions of d, which have no masks; <code>handforge score --of boxes</code>" in page


def test_a_run_without_predictions(run):
    shutil.rmtree(run / "predictions")
    done, out = report(run)
    assert done.exit_code == 0
    assert "No predictions of a dataset were found in run" in out.read_text()
    assert f"handforge predict --weights {run} DATASET --out {run}/predictions/NAME" in done.stderr


def test_no_run(run, tmp_path):
    assert "nowhere is not a folder; give one that handforge" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "run.json is missing; " in refused(tmp_path / "empty")
    for content, message in (
        ("[]", "lists no sessions"),
        ('{"sessions": [1]}', "sessions 1 is a number"),
        ('{"sessions": [], "recipe": "c1"}', "run.json is not a record of a run: recipe is a text"),
        ('{"sessions": [], "recipe": {"name": ["c1"]}}', "name is a list"),
        ('{"sessions": [], "recipe": {"network": 1}}', "network is a number"),
        ('{"sessions": [], "data": {"images": "60"}}', "data: images is a text"),
        ('{"sessions": [], "command": "train"}', "command is a text"),
        ('{"sessions": [{"session": [1]}]}', "sessions 1: session is a list"),
        ('{"sessions": [{"saturation_step": "3"}]}', "saturation_step is a text"),
        (r'{"sessions": [], "git": "\udcff"}', "what it holds, cannot be shown"),
        ("{", "not valid JSON"),
    ):
        (run / "run.json").write_text(content)
        assert message in refused(run)


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "session,loss\n1,high\n", "session,loss\n1,2,3\n,\n"])
def test_wrong_losses(run, content):
    (run / "losses.csv").write_text(content)
    assert "losses.csv is not a table of losses" in refused(run)


def test_a_row_of_losses_that_was_being_written_is_left_out(run):
    path = run / "losses.csv"
    path.write_text("session,step,loss\n1,1,2.0\n1,2,1.0\n1,3")
    assert load_runs([run], Scope())[0].losses[1].tolist() == [2.0, 1.0]


def test_a_run_that_trained_nothing(run):
    (run / "losses.csv").unlink()
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "sessions": [], "best_session": None}))
    done, out = report(run)
    assert done.exit_code == 0, done.output
    assert out.read_text().count("data:image/svg+xml") == 3


def test_nothing_predicted(run):
    (run / "predictions" / "test" / "results.json").write_text("[]")
    done, out = report(run)
    assert done.exit_code == 0, done.output
    assert 'data-tp="0" data-fn="2" data-fp="0"' in out.read_text()


def test_an_unfinished_prediction_beside_others_is_not_looked_at(run):
    (run / "predictions" / ".test.tmp").mkdir()
    assert report(run)[0].exit_code == 0


def test_predictions_that_do_not_fit(run, tmp_path):
    predictions = run / "predictions" / "test"
    data = tmp_path / "data"
    (data / "annotations.json").write_text((data / "annotations.json").read_text() + "\n")
    assert "was predicted for other images" in refused(run)
    data.rename(tmp_path / "gone")
    assert "which is gone; put it back" in refused(run)
    (predictions / "predict.json").write_text("{}")
    assert 'it has no "source"' in refused(run)
    (predictions / "predict.json").unlink()
    assert "the prediction was not finished" in refused(run)


def test_a_missing_image(run, tmp_path):
    (tmp_path / "data" / "images" / "p2.png").unlink()
    assert "p2.png is missing" in refused(run)


def test_out_must_be_a_page_in_a_folder(run, tmp_path):
    (tmp_path / "folder.html").mkdir()
    for out, message in (
        ("report.pdf", "must end in .html"),
        ("no/report.html", "does not exist; make it first"),
        ("folder.html", "is a folder; name a file"),
        ("/proc/report.html", "nothing can be written into /proc"),
    ):
        done = CliRunner().invoke(main, ["report", str(run), "--out", str(tmp_path / out)])
        assert (done.exit_code, message in done.output) == (2, True)


def test_losses_are_read_by_session(run):
    found = load_runs([run], Scope())[0]
    assert {session: len(values) for session, values in found.losses.items()} == {1: 40, 2: 40}
    assert found.losses[1][0] == pytest.approx(2.3)


def test_help_loads_neither_torch_nor_bpy_nor_matplotlib():
    code = (
        "import sys, evaluation.cli\n"
        "for command in ([], ['score'], ['report']):\n"
        "    try: evaluation.cli.main([*command, '--help'])\n"
        "    except SystemExit as stop: assert not stop.code\n"
        "assert not {'torch', 'bpy', 'matplotlib', 'pycocotools'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def title_in_browser(page, probe, width):
    """The title that a script at the end of a page gives it, in a window so many pixels wide."""
    probed = page.with_name("probed.html")
    probed.write_text(page.read_text().replace("</body>", probe))
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync --enable-logging=stderr --dump-dom"
    command = [
        CHROMIUM,
        *flags.split(),
        f"--window-size={width},900",
        "--virtual-time-budget=5000",
        f"--user-data-dir={page.with_name('profile')}",
        probed.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert "CONSOLE" not in done.stderr
    return re.search(r"<title>(.*?)</title>", done.stdout).group(1)


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium to run the page")
def test_the_tables_fit_a_window_of_1100_pixels(run):
    _, out = report(run)
    probe = """<script>document.title = [...document.querySelectorAll(".wide")].map(
    box => box.scrollWidth > box.clientWidth ? box.textContent.trim().slice(0, 40) : "").join("");</script></body>"""
    assert title_in_browser(out, probe, 1100) == ""


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium to run the page")
def test_a_browser_shows_and_filters_the_page(run):
    _, out = report(run)
    probe = """<script>
    const set = (name, value) => {
      const s = document.getElementById(name); s.value = value; s.dispatchEvent(new Event("change")); };
    const names = () => [...document.querySelectorAll("#cards figure:not([hidden]) img")].map(i => i.alt.split(".")[0]);
    const seen = [names()];
    set("kind", "fn"); seen.push(names());
    set("kind", "fp"); set("order", "-1"); seen.push(names());
    document.querySelector("#cards figure:not([hidden]) .enlarge").click();
    const shown = document.querySelector("dialog[open] img"); seen.push([shown.alt.split(".")[0]]);
    shown.click(); seen.push([String(document.querySelector("dialog[open]"))]);
    const images = [...document.querySelectorAll(".cards img, .figure img")];
    Promise.all(images.map(i => { i.loading = "eager"; return i.decode(); })).then(() => {
      document.title = JSON.stringify([seen, document.documentElement.scrollWidth <= innerWidth]); });
    </script></body>"""
    seen, fits = json.loads(title_in_browser(out, probe, 500))
    assert seen == [["p3", "p4", "p2", "p1"], ["p3", "p2"], ["p1", "p2", "p4"], ["p1"], ["null"]]
    assert fits


def photographs(run, tmp_path, **changes):
    """Predictions of two photographs without ground truth, as handforge predict leaves them."""
    source, folder = tmp_path / "holiday", run / "predictions" / "holiday"
    source.mkdir()
    folder.mkdir()
    mask = np.zeros((60, 80), bool)
    mask[10:40, 20:50] = True
    for number in (1, 2):
        Image.new("RGB", (80, 60), "grey").save(source / f"photo{number}.png")
    images = [{"id": n, "file_name": f"photo{n}.png", "width": 80, "height": 60} for n in (1, 2)]
    results = [
        {"image_id": 1, "category_id": 1, "segmentation": encode_mask(mask), "score": 0.93},
        {"image_id": 1, "category_id": 2, "segmentation": encode_mask(mask), "score": 0.7},
        {"image_id": 1, "category_id": 1, "segmentation": encode_mask(mask), "score": 0.2},
    ]
    record = {"source": str(source), "dataset_id": None}
    for name, content in {"predict.json": record, "images.json": images, "results.json": results, **changes}.items():
        (folder / name).write_text(json.dumps(content))


def test_photographs_without_ground_truth_are_shown(run, tmp_path):
    photographs(run, tmp_path)
    done, out = report(run)
    assert done.exit_code == 0, done.output
    page = out.read_text()
    assert "photo1.png<br>2 detected, highest score 0.93" in page and "photo2.png<br>0 detected<" in page
    assert "hand+forearm</span>" in page and "holds predictions of …/holiday, which has no ground truth" in page
    address = re.findall(r'src="data:image/webp;base64,([^"]*)"[^>]*alt="photo1', page)[0]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(address))).convert("RGB")).astype(int)
    assert (np.ptp(pixels, axis=2) > 60).any()  # an outline in colour
    assert "of the paper" in page
    alone = report(run / "predictions" / "holiday")[1].read_text()
    assert "photo1.png<br>2 detected" in alone and "of the paper" not in alone and "true positive" not in alone


def test_photographs_name_the_networks_categories(run, tmp_path):
    listed = [{"id": 1, "name": "cup"}, {"id": 2, "name": "pen"}]
    photographs(run, tmp_path, **{"predict.json": {"source": str(tmp_path / "holiday"), "categories": listed}})
    page = report(run)[1].read_text()
    assert "cup</span>" in page and "pen</span>" in page and "hand+forearm</span>" not in page


@pytest.mark.parametrize("name, content", [("results.json", [1]), ("images.json", [{"id": 1}]), ("results.json", {})])
def test_damaged_predictions_of_photographs(run, tmp_path, name, content):
    photographs(run, tmp_path, **{name: content})
    assert f"{name} is damaged: it must list objects with" in refused(run)


def test_a_file_name_does_not_leave_its_folder(run, tmp_path):
    image = {"id": 1, "file_name": "../data/images/p1.png", "width": 20, "height": 20}
    photographs(run, tmp_path, **{"images.json": [image], "results.json": []})
    assert "Predictions without ground truth" not in report(run)[1].read_text()


def test_no_path_of_this_disk_is_in_the_page(run, tmp_path):
    photographs(run, tmp_path)
    record = json.loads((run / "run.json").read_text())
    record["command"] = ["repeat", "--data", "/home/me/rooms", "--out=/home/me/run"]
    record["data"]["path"] = "/home/me/rooms"
    record["recipe"]["network"]["init"] = "/home/me/run0"
    (run / "run.json").write_text(json.dumps({**record, "seconds": 5400.2, "machine": "2 cores"}))
    _, out = report(run)
    page = out.read_text()
    assert "/home/me" not in page and str(tmp_path) not in page
    assert "handforge repeat --data …/rooms --out=…/run" in page.replace("&#39;", "")
    assert "<dt>training time</dt><dd>1 h 30 min</dd>" in page and "<dt>machine</dt><dd>2 cores</dd>" in page


def test_paths_are_shortened_not_other_texts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = [str(tmp_path / "a" / "b"), "/home/me/x/", "C:\\Users\\me\\x", "~/x", "rooms/x", "4+", "", 3, None]
    assert shorten(texts) == ["a/b", "…/x", "…/x", "…/x", "rooms/x", "4+", "", 3, None]
    assert shorten({"a": ["--data=/b/c", "lr=/b"]}) == {"a": ["--data=…/c", "lr=/b"]}


def test_every_column_is_explained(run):
    _, out = report(run)
    page = out.read_text()
    for column in ("TPH", "AP50", "FP/empty", "FN missed"):
        assert f'title="{escape(tables.COLUMNS[column])}">{column}</th>' in page and f"<dt>{column}</dt>" in page
