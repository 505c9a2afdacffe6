"""How sure the numbers are: 95 % percentile intervals from images drawn again with replacement (Efron 1979)."""

from __future__ import annotations

import numpy as np

from evaluation.metrics.average_precision import Ranked, weighted_ap
from evaluation.metrics.detection_metrics import Tally, rates

SAMPLES = 2000
"""Times the images are drawn."""

BLOCK = 50
"""Draws at once, so that many images do not take much memory."""

SEED = 0


def intervals(tally: Tally, found: Ranked) -> dict[str, tuple[float, float] | None]:
    """The 95 % interval of ``mean_iou``, ``acc``, ``f1`` and ``ap``; None where no draw has the number."""
    return {name: _middle(values) for name, values in _draws(tally, found).items()}


def differences(
    tally: Tally, found: Ranked, other: Tally, other_found: Ranked
) -> dict[str, tuple[float, float, float] | None]:
    """How much higher ``other`` is in ``mean_iou``, ``acc``, ``f1`` and ``ap``: difference, lower, upper end.

    Paired: both are of the same images in the same order, and each draw takes the same images of both, so what is
    hard about an image falls out of the difference. None where a number does not exist.
    """
    first, second = _draws(tally, found), _draws(other, other_found)
    once = np.ones((1, len(tally.hands)), int)
    base, moved = (_numbers(*pair, once) for pair in ((tally, found), (other, other_found)))
    moves: dict[str, tuple[float, float, float] | None] = {}
    for name in base:
        middle = _middle(second[name] - first[name])
        difference = float(moved[name][0] - base[name][0])
        moves[name] = None if middle is None or np.isnan(difference) else (difference, *middle)
    return moves


def _draws(tally: Tally, found: Ranked) -> dict[str, np.ndarray]:
    """The numbers of every draw, shape (SAMPLES,) each; which images a draw takes depends on their number alone."""
    rng, count = np.random.default_rng(SEED), len(tally.hands)
    parts = []
    for _ in range(0, SAMPLES, BLOCK):
        times = [np.bincount(rng.integers(count, size=count), minlength=count) for _ in range(BLOCK)]
        parts.append(_numbers(tally, found, np.array(times)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _numbers(tally: Tally, found: Ranked, times: np.ndarray) -> dict[str, np.ndarray]:
    """The numbers where each image is there so many times; ``times`` (K, N), each number (K,)."""
    sums = times @ np.stack([tally.hands, tally.tp, tally.fp, tally.iou_sum], axis=1)
    return {**rates(*sums.T), "ap": np.array([weighted_ap(found, row) for row in times])}


def _middle(values: np.ndarray) -> tuple[float, float] | None:
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
