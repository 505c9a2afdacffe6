"""The study's figures as SVG images, see :mod:`evaluation.report.figures`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from evaluation.report.figures import drawing, smooth, thin
from evaluation.study.conclusion import Comparison
from evaluation.study.results import RunResult

ARM, AGAINST = "C0", "C1"


def average_losses(arm: Sequence[RunResult], against: Sequence[RunResult], names: tuple[str, str]) -> str:
    """Draw the bars of the paper's Fig. 2: mean over seeds, with the sample standard deviation.

    First the whole of ``against`` and its last steps, as many as a session of ``arm`` has; then each session of
    ``arm``. Diamonds: the loss on validation images, where there are some.

    :param names: of ``arm`` and ``against``.
    """
    length = min(len(values) for run in arm for values in run.losses)
    other = [np.concatenate(run.losses) for run in against]
    columns = [[float(v.mean()) for v in other], [float(v[-length:].mean()) for v in other]]
    columns += [[float(run.losses[i].mean()) for run in arm] for i in range(len(arm[0].losses))]
    labels = ["whole", "its\nlast", *(str(number) for number in range(1, len(columns) - 1))]
    held_out = [[run.sessions[-1].get("validation_loss") for run in against], []]
    held_out += [[run.sessions[i].get("validation_loss") for run in arm] for i in range(len(arm[0].losses))]
    with drawing(f"{names[1]}, and the sessions of {names[0]}", "average loss") as drawn:
        deviations = [float(np.std(values, ddof=1)) if len(values) > 1 else 0.0 for values in columns]
        colors = [AGAINST, AGAINST, *[ARM] * (len(columns) - 2)]
        bars = drawn.ax.bar(labels, [float(np.mean(v)) for v in columns], yerr=deviations, color=colors, capsize=3)
        bars[1].set_alpha(0.5)
        means = [float(np.mean([v or 0.0 for v in values])) for values in held_out if values and None not in values]
        places = [place for place, values in enumerate(held_out) if values and None not in values]
        if places:
            drawn.ax.plot(places, means, "kD", markersize=4, label="validation images")
            drawn.ax.legend(loc="upper right")
    return drawn.address


def batch_losses(arm: Sequence[RunResult], against: Sequence[RunResult], names: tuple[str, str]) -> str:
    """Draw the running mean of the batch losses of all steps, one line a seed; a dot marks a session's saturation."""
    with drawing("step", "batch loss, running mean") as drawn:
        for runs, color, name in ((against, AGAINST, names[1]), (arm, ARM, names[0])):
            for number, run in enumerate(runs):
                values = np.concatenate(run.losses)
                curve = smooth(values, max(5, len(values) // 50))
                shown = thin(curve, 600)
                drawn.ax.plot(shown + 1, curve[shown], color=color, alpha=0.7, label=None if number else name)
                start = 0
                for session, losses in zip(run.sessions, run.losses, strict=True):
                    step = session.get("saturation_step")
                    if step is not None and 1 <= step <= len(losses):
                        drawn.ax.plot(start + step, curve[start + step - 1], "o", color=color, markersize=3.5)
                    start += len(losses)
        for end in np.cumsum([len(losses) for losses in arm[0].losses])[:-1] if arm else ():
            drawn.ax.axvline(end + 0.5, color="black", alpha=0.35, linewidth=0.8, linestyle=(0, (3, 3)))
        drawn.ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        drawn.ax.set_ylim(bottom=0)
        drawn.ax.legend()
    return drawn.address


def differences(found: Sequence[Comparison], label: str) -> str:
    """Draw the gain of each arm with its interval, one below the other."""
    shown = [each for each in found if each.gain is not None]
    with drawing(label, "", 6.4, 0.9 + 0.34 * len(shown)) as drawn:
        for place, each in enumerate(reversed(shown)):
            gain = each.gain
            assert gain is not None
            if gain.low is not None and gain.high is not None:
                drawn.ax.plot([gain.low, gain.high], [place, place], color=ARM)
            drawn.ax.plot([gain.mean], [place], "o", color=ARM)
        drawn.ax.set_yticks(range(len(shown)), [each.arm for each in reversed(shown)])
        drawn.ax.set_ylim(-0.6, len(shown) - 0.4)
        drawn.ax.axvline(0, color="black", linewidth=0.8)
    return drawn.address
