"""Every file that the evaluation reads, changed at random: a result or one line that says what is wrong, no traceback.

``FUZZ_MINUTES=5 pytest tests/fuzz`` goes on for that long; otherwise a few dozen files of a fixed seed are tried.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from evaluation_scenes import four_images, write_run
from fuzz import changed, rounds
from PIL import Image

from evaluation.cli import main

COMMANDS = (("score", "--details"), ("compare",), ("report",), ("cases",), ("ablation",))


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
    dataset, results = tmp_path / "data", run / "predictions" / "test"
    files = [tmp_path / "data/annotations.json", tmp_path / "data/dataset.json", run / "run.json", run / "losses.csv"]
    files += sorted((run / "predictions").glob("*/*.json"))
    arguments = {
        "score": (dataset, results),
        "compare": (dataset, results, results),
        "report": (run, "--out", tmp_path / "r.html"),
        "cases": (run,),
        "ablation": (run, run),
    }
    for rng in rounds(40):
        path = files[rng.integers(len(files))]
        original = path.read_bytes()
        path.write_bytes(content := changed(original, path.suffix, rng))
        command, *options = COMMANDS[rng.integers(len(COMMANDS))]
        done = CliRunner().invoke(main, [command, *map(str, arguments[command]), *options])
        where = f"{command} with {path.name} = {content[:2000]!r}: {done.output[-500:]}"
        assert done.exception is None or isinstance(done.exception, SystemExit), f"{done.exception!r}, {where}"
        assert done.exit_code in (0, 2), where
        if done.exit_code == 2:
            assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, where
        path.write_bytes(original)
