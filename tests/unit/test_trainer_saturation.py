"""Saturation on curves whose shape is known."""

import numpy as np
import pytest

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


def test_saturation_is_where_a_twentieth_of_the_fall_is_left():
    """Of the fall by 1, 0.06 is left from step 101 on, 0.04 from 201 on, where the window holds half of each."""
    assert saturation_step([2.0] * 100 + [1.06] * 100 + [1.04] * 100 + [1.0] * 100) == 201


def test_a_session_tells_its_saturation_with_share_and_verdict():
    found = saturation(falling_until(20, 100))
    assert found["saturation_share"] == found["saturation_step"] / 100 < 0.3 and found["premature"] is True
    assert saturation(falling_until(90, 100))["premature"] is False
    assert set(saturation([1.0, 1.0, 2.0]).values()) == {None}


def test_saturation_before_half_of_the_session_is_premature():
    assert is_premature(49, 100) and not is_premature(50, 100)


def test_a_loss_that_never_falls_has_no_saturation():
    assert saturation_step(np.linspace(1, 2, 50)) is None
    assert saturation_step([1.0]) is None


@pytest.mark.parametrize("patience, after", [(20, 10 + 20), (6, 5 + 6)])
def test_a_fall_has_stopped_once_the_mean_of_half_the_patience_had_no_new_low_for_it(patience, after):
    """The loss drops at once; the mean, of 5 steps at least, has its last new low when it holds none from before."""
    drop = [2.0] * 50
    assert not has_stopped_falling(drop + [1.0] * (after - 1), patience)
    assert has_stopped_falling(drop + [1.0] * after, patience)


def test_a_fall_with_noise_is_over_soon_after_its_end():
    losses = falling_until(300, 1000) + np.random.default_rng(1).normal(0, 0.02, 1000)
    ends = next(step for step in range(1, 1001) if has_stopped_falling(losses[:step], 60))
    # noise goes on finding new lows for a while after the fall
    assert 300 + 30 < ends < 300 + 4 * 60
    assert not any(has_stopped_falling(falling_until(1000, 1000)[:step], 10) for step in range(1001))


def test_the_smoothed_loss_is_the_mean_over_a_tenth_of_the_session_and_5_steps_at_least():
    peak = np.eye(100)
    assert np.allclose(smoothed(peak[50]), [1 / 11 if 45 <= step <= 55 else 0 for step in range(100)])
    assert np.allclose(smoothed(peak[0]), [1 / (6 + step) if step <= 5 else 0 for step in range(100)])
    assert np.allclose(smoothed([0, 0, 0, 1, 0, 0, 0]), [0, 1 / 4, 1 / 5, 1 / 5, 1 / 5, 1 / 4, 0])
