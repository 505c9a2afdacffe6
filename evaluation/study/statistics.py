"""Differences over seeds with intervals: Student's t on paired values (one value a seed)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """The mean of some values, with the interval in which the true mean lies.

    :param low, high: its ends; None of fewer than two values, and of values that are all the same: their sample
        variance is 0, of which no t statistic can be made, and a few alike are not certain.
    :param count: the number of values.
    :param confidence: of the interval, 0 to 1.
    """

    mean: float
    low: float | None
    high: float | None
    count: int
    confidence: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies above or below 0, else 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """The mean of the values with Student's t interval, as far as there is one; None of no value."""
    if not values:
        return None
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, None, None, 1, confidence)
    error = float(np.std(values, ddof=1)) / len(values) ** 0.5
    if error <= 1e-12 * max(1.0, abs(mean)):  # equal but for rounding
        return Interval(mean, None, None, len(values), confidence)
    low, high = stats.t.interval(confidence, len(values) - 1, mean, error)
    return Interval(mean, float(low), float(high), len(values), confidence)


def paired(one: Sequence[float], other: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """The mean of ``one - other``, pair by pair, as :func:`mean_interval`."""
    return mean_interval([a - b for a, b in zip(one, other, strict=True)], confidence)


def simultaneous(count: int) -> float:
    """The confidence of each of so many intervals that hold all together at 95 % (Bonferroni)."""
    return 1 - 0.05 / max(1, count)


def spread(values: Sequence[float]) -> tuple[float, float | None] | None:
    """Mean and sample standard deviation (None of one value); None of no value."""
    if not values:
        return None
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None
