"""When a session saturates: the step at which its smoothed batch loss stops falling.

The paper calls saturation premature where it comes early in the session: step ~300 of 1000 (conventional), against
~80 of 100 (one repetition), both read from its Fig. 2. It gives no rule; this one is ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from handforge.run_records import Saturation

PREMATURE_FRACTION = 0.5
"""Saturation before this fraction of the session is premature; it lies between the paper's two examples."""
REMAINDER = 0.05
"""The loss has stopped falling when this fraction of its whole fall, or less, is left."""


def smoothed(losses: Sequence[float]) -> np.ndarray:
    """The centred moving mean over a tenth of the session (at least 5 steps), shorter at both ends; shape (steps,)."""
    values = np.asarray(losses, float)
    half = max(2, len(values) // 20)
    total = np.concatenate([[0.0], np.cumsum(values)])
    low = np.maximum(np.arange(len(values)) - half, 0)
    high = np.minimum(np.arange(len(values)) + half + 1, len(values))
    return (total[high] - total[low]) / (high - low)


def saturation_step(losses: Sequence[float]) -> int | None:
    """The step, from 1, at which the smoothed loss has done all but 5 % of its fall; None where it never falls.

    :param losses: one value a step, of one whole session.
    """
    if len(losses) < 2:
        return None
    curve = smoothed(losses)
    fall = curve[0] - curve.min()
    if fall <= 0:
        return None
    return int(np.argmax(curve <= curve.min() + REMAINDER * fall)) + 1


def saturation(losses: Sequence[float]) -> Saturation:
    """A session's ``saturation_step``, that as a fraction of its steps, and whether it is premature; None without one.

    :param losses: one value a step, of one whole session.
    """
    step = saturation_step(losses)
    if step is None:
        return {"saturation_step": None, "saturation_share": None, "premature": None}
    return {
        "saturation_step": step,
        "saturation_share": step / len(losses),
        "premature": is_premature(step, len(losses)),
    }


def has_stopped_falling(losses: Sequence[float], steps: int) -> bool:
    """Whether the mean of the latest losses had no new low in the last so many steps.

    Of the steps so far only, so that a session can be ended by it; the mean is over half of ``steps``, at least 5.
    """
    window = max(5, steps // 2)
    total = np.concatenate([[0.0], np.cumsum(np.asarray(losses, float))])
    trailing = (total[window:] - total[:-window]) / window
    return len(trailing) > steps and bool(trailing[-steps:].min() >= trailing[:-steps].min())


def is_premature(step: int, steps: int) -> bool:
    """Whether saturation at ``step`` of ``steps`` is premature."""
    return step < PREMATURE_FRACTION * steps
