"""What the documentation shows is so: its Python examples run, and files have the keys that their examples have."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from run_samples import InProcess
from trainer_samples import write_blobs, write_recipe

from generator.pipeline import run
from handforge.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "experiments" not in page.parts),
]
FILES = (ROOT / "docs/reference/files.md").read_text("utf-8")
SHOWN = dict(re.findall(r"### `([^`]+)`\n(?:(?!\n##).)*?```json\n(.*?)```", FILES, re.DOTALL))
EXAMPLES = [
    pytest.param(code, id=f"{page.relative_to(ROOT)} {number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]


def command(*words):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with one file of each kind, made by the commands."""
    folder = tmp_path_factory.mktemp("docs")
    write_blobs(folder / "blobs")
    render = ("--set", "l2", "--count", 3, "--resolution", "64x64")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "Workers", InProcess)
        command("render", *render, "--out", folder / "rooms")
    command(
        "repeat", "--recipe", write_recipe(folder / "tiny.toml"), "--data", folder / "blobs", "--out", folder / "run"
    )
    command(
        "predict", "--weights", folder / "run", folder / "blobs/images", "--out", folder / "found", "--min-score", 0
    )
    command("score", folder / "blobs", folder / "found", "--json", folder / "score.json", "--details")
    command("dataset", "check", folder / "blobs", "--json", folder / "check.json", "--workers", 1)
    command("poses", "--set", "l2", "--json", folder / "poses.json")
    command("frame", "show", 1, *render, "--out", folder / "frame.json")
    Image.open(folder / "blobs/images/blob000.png").save(folder / "photo.jpg")
    return folder


def missing(shown, real, where=""):
    """Keys of an example that the file has not, by path; a list stands for its first entry."""
    if isinstance(shown, list) and isinstance(real, list):
        return missing(shown[0], real[0], f"{where}[0]") if shown and real else []
    if not isinstance(shown, dict):
        return []
    if not isinstance(real, dict):
        return [where]
    lost = [f"{where}.{key}" for key in shown if key not in real]
    return lost + [path for key in set(shown) & set(real) for path in missing(shown[key], real[key], f"{where}.{key}")]


@pytest.mark.parametrize("name", SHOWN)
def test_files_have_the_keys_that_are_shown(made, name):
    rendered = made / "rooms" / name
    (path,) = [rendered] if rendered.exists() else made.rglob(name)
    assert missing(json.loads(SHOWN[name]), json.loads(path.read_text())) == []


def test_every_kind_of_json_file_is_shown():
    assert {*SHOWN} >= {"annotations.json", "dataset.json", "run.json", "network.json", "results.json", "predict.json"}
    assert missing({"a": 1, "b": [{"c": 2}]}, {"b": [{}]}) == [".a", ".b[0].c"]


@pytest.mark.parametrize("code", EXAMPLES)
def test_python_examples_run(made, monkeypatch, code):
    monkeypatch.chdir(made)
    exec(compile(code, "example", "exec"), {"__name__": "example"})
