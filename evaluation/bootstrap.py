"""How sure the numbers are: 95 % percentile intervals from pictures drawn again with replacement (Efron 1979)."""

from __future__ import annotations

import numpy as np

from evaluation.metrics import Tally, rates

SAMPLES = 2000
"""Times the pictures are drawn."""

SEED = 0


def intervals(tally: Tally) -> dict[str, tuple[float, float] | None]:
    """The 95 % interval of ``mean_iou``, ``acc`` and ``f1``; None where no draw has the number."""
    return {name: _middle(values) for name, values in _draws(tally).items()}


def differences(tally: Tally, other: Tally) -> dict[str, tuple[float, float, float] | None]:
    """How much higher ``other`` is than ``tally`` in ``mean_iou``, ``acc`` and ``f1``: difference, lower, upper end.

    Paired: both are of the same pictures in the same order, and each draw takes the same pictures of both, so what is
    hard about a picture falls out of the difference. None where a number does not exist.
    """
    first, second = _draws(tally), _draws(other)
    base, moved = (rates(*_columns(counts).sum(axis=1)) for counts in (tally, other))
    found: dict[str, tuple[float, float, float] | None] = {}
    for name in base:
        middle = _middle(second[name] - first[name])
        difference = float(moved[name] - base[name])
        found[name] = None if middle is None or np.isnan(difference) else (difference, *middle)
    return found


def _columns(tally: Tally) -> np.ndarray:
    return np.stack([tally.hands, tally.tp, tally.fp, tally.iou_sum])


def _draws(tally: Tally) -> dict[str, np.ndarray]:
    """The numbers of every draw, shape (SAMPLES,) each; which pictures a draw takes depends on their number alone."""
    rng, columns = np.random.default_rng(SEED), _columns(tally)
    count = columns.shape[1]
    sums = [columns[:, rng.integers(count, size=count)].sum(axis=1) for _ in range(SAMPLES)]
    return rates(*np.array(sums).T)


def _middle(values: np.ndarray) -> tuple[float, float] | None:
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
