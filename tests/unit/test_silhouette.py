"""The benchmark of the hand's outline: its own outline is found again."""

import runpy
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "benchmarks/silhouette.py"


def test_the_benchmark_fits_the_hands_own_outline_and_draws_it(tmp_path, monkeypatch, capsys):
    parts = runpy.run_path(str(SCRIPT))
    frame = np.array([75.0, 70.0, 110.0])
    flat = parts["outline"](np.zeros(len(parts["POSE"])), False, every=1)
    mask = parts["draw"](parts["place"](flat, np.zeros(4), frame), parts["hand"]()[2], np.zeros((150, 150), bool))
    (tmp_path / "masks").mkdir()
    Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "masks/hand.png")
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path), "--rounds", "1", "--sheet", str(tmp_path / "a.png")])
    assert parts["main"]() == 0, "the median IoU is above the goal"
    assert "1 masks: median IoU" in capsys.readouterr().out
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.size == (1500, 150)
