"""Every file that the evaluation reads, changed at random: a result or one line that says what is wrong, no traceback.

``FUZZ_MINUTES=5 pytest tests/fuzz`` goes on for that long; otherwise a few dozen files of a fixed seed are tried.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from evaluation_scenes import four_images, write_run
from PIL import Image

from evaluation.cli import main

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**30, 10**400, 1e308, float("inf"), float("nan"), -0.5, 2.5),
    *("", "x", "a\0b", "\ud800", "../x", "/", "=1+1", "é", [], {}, [[]], {"a": 1}, [1, 2]),
)
"""Values that stand where others belong."""

COMMANDS = (("score", "--details"), ("compare",), ("report",), ("cases",), ("ablation",))


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The paths of all values inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, item in items for place in ((*path, key), *places(item, (*path, key)))]


def mutate(value: Any, rng: np.random.Generator) -> Any:
    """Replace, drop or double one value; rarely nest it without end."""
    value = copy.deepcopy(value)
    every = places(value)
    if not every or rng.random() < 0.05:
        return ODD[rng.integers(len(ODD))]
    *parents, key = every[rng.integers(len(every))]
    inside = value
    for parent in parents:
        inside = inside[parent]
    kind = rng.integers(4)
    if kind == 0:
        del inside[key]
    elif kind == 1 and isinstance(inside, list):
        inside.insert(key, copy.deepcopy(inside[key]))
    else:
        inside[key] = ODD[rng.integers(len(ODD))]
    return value


def break_text(text: str, rng: np.random.Generator) -> bytes:
    """Cut a text, nest it, or put odd bytes into it."""
    data, at = text.encode(errors="surrogatepass"), int(rng.integers(len(text) + 1))
    return (
        data,
        data[:at],
        data[:at] + bytes(rng.integers(0, 256, 3).tolist()) + data[at:],
        b"[" * 5000 + data,
        data[:at] + b"9" * 5000 + data[at:],
    )[rng.choice(5, p=(0.8, 0.05, 0.05, 0.05, 0.05))]


def add_photographs(run: Path, folder: Path) -> None:
    """Predictions of a photograph without ground truth."""
    folder.mkdir()
    Image.new("RGB", (20, 20)).save(folder / "a.png")
    predictions = run / "predictions" / "photographs"
    shutil.copytree(run / "predictions" / "test", predictions)
    (predictions / "predict.json").write_text(json.dumps({"source": str(folder), "dataset_id": None}))
    images = [{"id": 1, "file_name": "a.png", "width": 20, "height": 20}]
    (predictions / "images.json").write_text(json.dumps(images))


@pytest.fixture
def run(tmp_path) -> Path:
    folder = write_run(tmp_path / "run", *four_images(tmp_path))
    add_photographs(folder, tmp_path / "photographs")
    return folder


@pytest.mark.slow
def test_changed_files_are_told_in_one_line(run, tmp_path):
    rng, minutes = np.random.default_rng(0), float(os.environ.get("FUZZ_MINUTES", "0"))
    dataset, results, end = tmp_path / "data", run / "predictions" / "test", time.monotonic() + 60 * minutes
    files = [tmp_path / "data/annotations.json", tmp_path / "data/dataset.json", run / "run.json", run / "losses.csv"]
    files += sorted((run / "predictions").glob("*/*.json"))
    arguments = {
        "score": (dataset, results),
        "compare": (dataset, results, results),
        "report": (run, "--out", tmp_path / "r.html"),
        "cases": (run,),
        "ablation": (run, run),
    }
    tried = 0
    while tried < 40 or time.monotonic() < end:
        path = files[rng.integers(len(files))]
        original = path.read_bytes()
        text = original.decode()
        if path.suffix == ".json":
            text = json.dumps(mutate(json.loads(text), rng))
        path.write_bytes(changed := break_text(text, rng))
        command, *options = COMMANDS[rng.integers(len(COMMANDS))]
        done = CliRunner().invoke(main, [command, *map(str, arguments[command]), *options])
        where = f"{command} with {path.name} = {changed[:2000]!r}: {done.output[-500:]}"
        assert done.exception is None or isinstance(done.exception, SystemExit), f"{done.exception!r}, {where}"
        assert done.exit_code in (0, 2), where
        if done.exit_code == 2:
            assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, where
        path.write_bytes(original)
        tried += 1
