"""`--dry-run` of render and repeat: what would be done, how long it takes here and its size; nothing is written."""

import re

import numpy as np
import pytest
from click.testing import CliRunner
from trainer_samples import TINY, write_blobs, write_recipe

from generator.frame.settings import load
from generator.pipeline import estimate
from handforge.cli import main
from trainer.loop import estimate as training


def test_a_rendering_run_is_estimated(tmp_path):
    words = ["render", "--set", "l2@10", "--count", "40", "--resolution", "64x64", "--out", str(tmp_path / "rooms")]
    done = CliRunner().invoke(main, [*words, "--dry-run", "--workers", "2"])
    assert done.exit_code == 0, done.output
    assert "40 images left to render with" in done.output and "of 1,296 poses kept" in done.output
    seconds, size = map(float, re.search(r"measured here: ([\d.e-]+) s and ([\d.]+) KB an image", done.output).groups())
    assert 0 < seconds < 60 and 0.5 < size < 64 * 64 * 4 / 1000
    assert "with 2 processes" in done.output and "nothing was written" in done.output
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("in_process")
def test_what_is_done_of_a_run_is_left_out(tmp_path):
    settings = load(None, {"pose_set": "l2@10", "count": 3, "resolution": "64x64"})
    words = [
        "--set",
        "l2@10",
        "--count",
        "3",
        "--resolution",
        "64x64",
        "--out",
        str(tmp_path / "rooms"),
        "--workers",
        "1",
    ]
    assert CliRunner().invoke(main, ["render", *words]).exit_code == 0
    assert estimate.measure(settings, tmp_path / "rooms").frames == 0
    other = CliRunner().invoke(main, ["render", *words, "--seed", "4", "--dry-run"])
    assert other.exit_code == 2 and "holds another run: seed was 0, now 4" in other.stderr


def test_the_estimate_adds_up(tmp_path):
    found = estimate.Estimate(frames=1000, kept=2000, poses=3000, engine="raster", frame_seconds=1.5, frame_bytes=2e5)
    text = found.describe(tmp_path / "not" / "there", workers=4)
    assert "about 6 min with 4 processes" in text and "about 200 MB" in text  # 1,000 x 1.5 s / 4 = 375 s


def test_a_training_is_estimated(tmp_path):
    data, recipe = write_blobs(tmp_path / "data"), write_recipe(tmp_path / "tiny.toml")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    words = ["repeat", "--recipe", str(recipe), "--data", str(data), "--out", str(tmp_path / "run"), "--dry-run"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    first, second, total, disk, last = [line for line in done.stdout.splitlines() if line]
    assert re.match(r"session 1: 4 steps of 1 images, subset 1 of 3 images, layers all, [\d.e-]+ s a step", first)
    assert re.match(r"session 2: 4 steps of 1 images, subset 2 of 3 images, layers 3\+, [\d.e-]+ s a step", second)
    assert (
        total.startswith("8 steps in about ")
        and disk.startswith("3 networks of ")
        and "while it trains up to" in disk
        and last == "nothing was written"
    )
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_each_kind_of_session_is_measured_once(tmp_path, monkeypatch):
    counted = []
    monkeypatch.setattr(training, "_step_seconds", lambda repetition, number: float(counted.append(number) or number))
    text = TINY.replace('["all", "3+"]', '["all", "3+", "all", "heads", "3+"]')
    data, recipe = write_blobs(tmp_path / "data"), write_recipe(tmp_path / "tiny.toml", text)
    from trainer.loop import launch

    options = launch.Options(str(recipe), (data,), tmp_path / "run", [], seed=0, device="cpu", workers=1)
    found = training.measure(launch.plan("repeat", options), options.out, resume=False)
    assert counted == [1, 2, 4] and found.step_seconds == (1, 2, 1, 4, 2)
    assert "20 steps in about 40 s" in found.describe(tmp_path)  # 4 x (1 + 2 + 1 + 4 + 2)


def test_a_cluster_is_not_measured(tmp_path):
    done = CliRunner().invoke(main, ["render", "--out", "x", "--scheduler", "tcp://h:1", "--dry-run"])
    assert done.exit_code == 2 and "--dry-run measures on this machine; leave out --scheduler" in done.stderr


@pytest.mark.parametrize("shard", [(1, 3), (3, 3)])
def test_a_shard_counts_its_own_frames(tmp_path, monkeypatch, shard):
    class Fake:
        def __init__(self, settings):
            self.settings = settings

        def frame(self, item):
            rendered.append(item.number)
            from handforge.dataset import Sample

            return Sample("x", np.zeros((64, 64, 3), np.uint8), ())

    rendered = []
    monkeypatch.setattr(estimate, "Renderer", Fake)
    monkeypatch.setattr(estimate, "SECONDS", 0.0)
    settings = load(None, {"pose_set": "l2@10", "count": 20, "resolution": "64x64"})
    assert estimate.measure(settings, tmp_path / "out", shard).frames == (7 if shard[0] == 1 else 6)
    assert len(rendered) == 1 + estimate.FRAMES and {number % 3 for number in rendered} == {shard[0] - 1}
