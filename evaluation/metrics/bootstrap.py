"""95 % bootstrap intervals by numpy: AP needs how often a sample has each image, which scipy's bootstrap does not tell.

Percentile intervals (Efron 1979). Samples are of groups of images where the dataset names such, as of one video or
person: a group is drawn as a whole, as its images are alike (cluster bootstrap: Field & Welsh, "Bootstrapping clustered
data", J. R. Stat. Soc. B 69, 2007). An image without a group is one of its own. All metrics, and both sides of a
difference, are of the same samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evaluation.metrics.average_precision import Ranked, weighted_ap
from evaluation.metrics.paper_metrics import Tally, rates

SAMPLES = 2000
"""Number of bootstrap samples."""

BLOCK = 50
"""Samples computed at once, which bounds memory."""

SEED = 0


def intervals(tally: Tally, found: Sequence[Ranked]) -> dict[str, tuple[float, float] | None]:
    """Compute the 95 % interval of ``mean_iou``, ``acc``, ``f1`` and ``ap``; None where no sample has the metric, of a
    single group, and where all samples have the same, as F1 1 where nothing is wrong: this is no certainty.
    """
    return {name: _interval(values) for name, values in _draws(tally, found).items()}


Difference = tuple[float, float | None, float | None]
"""A difference and the ends of its interval; these None where there is none."""


def differences(
    tally: Tally, found: Sequence[Ranked], other: Tally, other_found: Sequence[Ranked]
) -> dict[str, Difference | None]:
    """Compute by how much ``other`` is higher in ``mean_iou``, ``acc``, ``f1`` and ``ap``: (difference, lower, upper).

    Paired: both are of the same images in the same order, and each sample takes the same images of both, so how hard
    an image is cancels out. None where a metric does not exist. No interval where :func:`intervals` has none.
    """
    first, second = _draws(tally, found), _draws(other, other_found)
    once = np.ones((1, len(tally.hands)), int)
    base, moved = (_metrics(*pair, once) for pair in ((tally, found), (other, other_found)))
    moves: dict[str, Difference | None] = {}
    for name in base:
        difference = float(moved[name][0] - base[name][0])
        ends = _interval(second[name] - first[name]) or (None, None)
        moves[name] = None if np.isnan(difference) else (difference, *ends)
    return moves


def difference_of_means(first: np.ndarray, second: np.ndarray, group: np.ndarray) -> Difference:
    """By how much the mean of ``second`` is higher, and its interval: (difference, lower, upper).

    Paired as in :func:`differences`: all are (N,), of the same images in the same order.

    :param group: of each image, as :func:`handforge.dataset.groups.group_numbers` has it.
    """
    rises = np.asarray(second, float) - np.asarray(first, float)
    means = np.concatenate([times @ rises / times.sum(axis=1) for times in _resampled(group)])
    return float(rises.mean()), *(_interval(means) or (None, None))


def sampled(group: np.ndarray) -> str:
    """What intervals are over, in words: ``60 images``, or ``12 groups`` where some of these belong together."""
    count = len(np.unique(group))
    of = "image" if count == len(group) else "group"
    return f"{count} {of}{'' if count == 1 else 's'}"


def _resampled(group: np.ndarray) -> Iterator[np.ndarray]:
    """How often each sample takes each image, (BLOCK, N) at once: as often as its group; it depends on these alone."""
    rng = np.random.default_rng(SEED)
    count = int(group.max()) + 1
    for _ in range(0, SAMPLES, BLOCK):
        times = np.array([np.bincount(rng.integers(count, size=count), minlength=count) for _ in range(BLOCK)])
        yield times[:, group]


def _draws(tally: Tally, found: Sequence[Ranked]) -> dict[str, np.ndarray]:
    """The metrics of every sample, (SAMPLES,) each."""
    parts = [_metrics(tally, found, times) for times in _resampled(tally.group)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _metrics(tally: Tally, found: Sequence[Ranked], times: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics where image n is there ``times[k, n]`` times; ``times`` is (K, N), each metric (K,)."""
    sums = times @ np.stack([tally.hands, tally.tp, tally.fp, tally.iou_sum], axis=1)
    return {**rates(*sums.T), "ap": np.array([weighted_ap(found, row) for row in times])}


def _interval(values: np.ndarray) -> tuple[float, float] | None:
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    low, high = np.percentile(values, [2.5, 97.5])
    return (float(low), float(high)) if high - low > 1e-9 else None  # equal but for rounding
