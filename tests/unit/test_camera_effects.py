"""What a camera does to light: blur of a camera that moves."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from generator.frame import camera_effects


@pytest.mark.parametrize("way", [(0.1, 0.0), (0.0, -0.1), (0.06, 0.08)])
def test_a_point_becomes_a_line_around_where_it_was(way):
    point = np.zeros((100, 200, 3))
    point[50, 100] = 3.0
    seen = camera_effects.shaken(point, way)[..., 0]
    assert seen.sum() == pytest.approx(3.0), "no light is lost"
    y, x = np.nonzero(seen)
    assert (np.average(x, weights=seen[y, x]), np.average(y, weights=seen[y, x])) == pytest.approx((100, 50), abs=0.1)
    assert np.ptp(x) == pytest.approx(abs(way[0]) * 200, abs=1) and np.ptp(y) == pytest.approx(abs(way[1]) * 200, abs=1)


def test_an_even_image_stays_as_it_is():
    even = np.full((40, 60, 3), 0.4)
    np.testing.assert_allclose(camera_effects.shaken(even, (0.2, -0.1)), even)


def test_one_image_in_eight_is_shaken_by_up_to_three_hundredths_of_its_width():
    drawn = [camera_effects.draw_shake(np.random.default_rng(seed)) for seed in range(2000)]
    moved = np.array([way for way in drawn if way is not None])
    assert len(moved) / 2000 == pytest.approx(camera_effects.SHAKEN, abs=0.025)
    assert np.linalg.norm(moved, axis=1).min() >= 0.004 and np.linalg.norm(moved, axis=1).max() <= 0.03


def test_what_is_lit_in_the_dark_is_not_burnt_out():
    dark = np.full((60, 80, 3), 0.001)
    dark[20:40, 30:50] = 0.5
    seen = camera_effects.develop(
        dark, np.zeros((60, 80), bool), camera_effects.draw_photo(np.random.default_rng(1), (80, 60), None, None)
    )
    assert (seen[22:38, 32:48] < 250).mean() > 0.9


def test_the_sensor_is_drawn_as_if_blur_noise_and_jpeg_were_made_one_after_the_other():
    drawn = [camera_effects.draw_sensor(np.random.default_rng(seed), (7, 5)) for seed in range(400)]
    rng = np.random.default_rng(3)
    blur, noise = abs(rng.normal(0, 0.6)), rng.uniform(0, 5)
    made = rng.normal(0, noise, (5, 7, 3))
    quality = int(rng.integers(55, 98))
    one = drawn[3]
    assert (one.blur, one.noise, one.quality) == (blur, noise, None if rng.random() < 0.4 else quality)
    seen = camera_effects.apply_sensor(np.full((5, 7, 3), 128, np.uint8), replace(one, blur=0.0, quality=None))
    np.testing.assert_array_equal(seen, np.round(128 + made))
    assert np.mean([each.quality is None for each in drawn]) == pytest.approx(0.4, abs=0.08)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"blur": -1.0}, "is 0 or more, not -1.0"), ({"noise": -1}, "is 0 or more"), ({"quality": 0}, "is from 1 to 100")],
)
def test_a_sensor_that_there_is_not(wrong, words):
    sensors = TypeAdapter(camera_effects.Sensor)
    values = sensors.dump_python(camera_effects.draw_sensor(np.random.default_rng(0), (4, 4)), mode="json")
    assert sensors.validate_python(values)
    with pytest.raises(ValidationError, match=rf"{next(iter(wrong))}\n.*{words}"):
        sensors.validate_python(values | wrong)
