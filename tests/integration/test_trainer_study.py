"""Saturation on curves whose shape is known, and the study by the real command."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from trainer_samples import TINY, write_blobs, write_recipe

from trainer.cli import main
from trainer.loop.saturation import has_stopped_falling, is_premature, saturation, saturation_step, smoothed


def falling_until(end: int, steps: int) -> np.ndarray:
    """A loss that falls in a straight line from 2 to 1 and then stays."""
    return 2 - np.minimum(np.arange(steps) / end, 1)


@pytest.mark.parametrize("end, steps", [(300, 1000), (80, 100), (600, 1000)])
def test_saturation_is_where_the_fall_ends(end, steps):
    noise = np.random.default_rng(0).normal(0, 0.02, steps)
    found = saturation_step(falling_until(end, steps) + noise)
    # all but a twentieth of the fall is done a twentieth before its end; smoothing moves it by half its window
    assert abs(found - 0.95 * end) < 0.06 * steps
    assert is_premature(found, steps) == (end / steps < 0.5)


def test_a_session_tells_its_saturation_with_share_and_verdict():
    found = saturation(falling_until(20, 100))
    assert found["saturation_share"] == found["saturation_step"] / 100 < 0.3 and found["premature"] is True
    assert saturation(falling_until(90, 100))["premature"] is False
    assert set(saturation([1.0, 1.0, 2.0]).values()) == {None}


def test_a_loss_that_never_falls_has_no_saturation():
    assert saturation_step(np.linspace(1, 2, 50)) is None
    assert saturation_step([1.0]) is None


def test_a_fall_has_stopped_once_it_is_that_long_ago():
    noise = np.random.default_rng(1).normal(0, 0.02, 1000)
    losses = falling_until(300, 1000) + noise
    ends = next(step for step in range(1, 1001) if has_stopped_falling(losses[:step], 60))
    # noise goes on finding new lows for a while after the fall
    assert 300 + 30 < ends < 300 + 4 * 60
    assert not any(has_stopped_falling(falling_until(1000, 1000)[:step], 10) for step in range(1001))
    assert has_stopped_falling([1.0] * 12, 6) and not has_stopped_falling([1.0] * 10, 6)


def test_smoothing_keeps_constants_and_the_mean_of_its_window():
    assert np.allclose(smoothed([3.0] * 7), 3)
    assert np.isclose(smoothed(np.arange(100.0))[50], 50)


def run(*words):
    return CliRunner().invoke(main, ["study", "--device", "cpu", *map(str, words)])


def test_a_study_compares_both_kinds_and_continues(tmp_path):
    data = write_blobs(tmp_path / "data")
    recipe = write_recipe(
        tmp_path / "tiny.toml",
        TINY.replace("steps = 4", "steps = 3").replace("subsets = 2", "subsets = 2\nvalidation = 0.3"),
    )
    done = run("--recipe", recipe, "--data", data, "--out", tmp_path / "out", "--seeds", 2)
    assert done.exit_code == 0, done.output
    assert "repetition lowers it by" in done.output
    study = json.loads((tmp_path / "out/study.json").read_text())
    assert study["seeds"] == [0, 1] and study["steps"] == 6
    losses = study["average_loss"]
    values = [entry["average_loss"] for entry in study["conventional"]]
    assert np.isclose(losses["conventional"]["mean"], np.mean(values))
    assert np.isclose(losses["conventional"]["sd"], np.std(values, ddof=1))
    best = [min(s["average_loss"] for s in entry["sessions"]) for entry in study["repetitive"]]
    assert np.isclose(study["gain"]["over_whole_session"]["mean"], np.mean(np.subtract(values, best)))
    aside = [entry["sessions"][-1]["validation_loss"] for entry in study["repetitive"]]
    assert np.isclose(study["validation_loss"]["last_repetition"]["mean"], np.mean(aside))
    assert "on images kept aside: conventional" in done.output and "premature in" in done.output
    assert (tmp_path / "out/study.png").stat().st_size > 5000
    before = (tmp_path / "out/study.json").read_bytes()
    again = run("--recipe", recipe, "--data", data, "--out", tmp_path / "out", "--seeds", 2)
    assert again.exit_code == 0 and "finished already" in again.output
    assert (tmp_path / "out/study.json").read_bytes() == before


def test_a_recipe_that_may_end_early_is_refused(tmp_path):
    patient = TINY.replace("subsets = 2", "subsets = 2\nvalidation = 0.2\npatience = 1")
    for text in (patient, TINY.replace("steps = 4", "steps = 4\nsaturation_patience = 1")):
        recipe = write_recipe(tmp_path / "early.toml", text)
        done = run("--recipe", recipe, "--data", tmp_path, "--out", tmp_path / "out")
        assert done.exit_code == 2 and "early.toml may end early (patience, saturation_patience)" in done.stderr
        assert not (tmp_path / "out").exists()


def test_a_recipe_that_needs_real_pictures_is_refused(tmp_path):
    done = run("--recipe", "c5", "--data", tmp_path, "--out", tmp_path / "out")
    assert done.exit_code == 2 and "recipe c5 needs real images (EgoHands" in done.stderr


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("mine")
    done = run("--data", tmp_path, "--out", tmp_path / "out")
    assert done.exit_code == 2 and "thesis.txt, which is no part of a study" in done.stderr
