"""Curves as SVG images for a page, in the style of ``templates/curves.mplstyle``."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

STYLE = Path(__file__).parent / "templates" / "curves.mplstyle"


class _Drawn:
    """A figure while it is drawn, and its address afterwards."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        self.address = ""


@contextmanager
def drawing(x_label: str, y_label: str, width: float = 5.6, height: float = 3.2) -> Iterator[_Drawn]:
    """Make a figure of a size in inches; when the block ends it becomes an image as a ``data:`` address."""
    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(width, height))
        drawn = _Drawn(figure.subplots())
        drawn.ax.set_xlabel(x_label)
        drawn.ax.set_ylabel(y_label)
        yield drawn
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn.address = "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Compute the mean over the last ``width`` values (fewer at the start); same shape (N,)."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def thin(values: np.ndarray, most: int) -> np.ndarray:
    """Return the indices of at most ``most`` evenly spread values, the last among them."""
    return np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int))


def lines(series: list[tuple[str, np.ndarray, np.ndarray]], x_label: str, y_label: str) -> str:
    """Draw lines between 0 and 1 on both axes.

    :param series: (label, x, y) of each, x and y of shape (K,).
    :returns: the image as a ``data:`` address, as all figures here.
    """
    with drawing(x_label, y_label, 4.4, 3.3) as drawn:
        for label, x, y in series:
            shown = thin(x, 400)
            drawn.ax.plot(x[shown], y[shown], label=label)
        drawn.ax.set_xlim(0, 1.01)
        drawn.ax.set_ylim(0, 1.02)
        if len(series) > 1:
            drawn.ax.legend()
    return drawn.address


def session_bars(losses: list[float], best: int | None) -> str:
    """Draw the average loss of each session, as the paper's Fig. 2; the kept session (its index) is strong."""
    with drawing("session", "average loss") as drawn:
        names = [str(number) for number in range(1, len(losses) + 1)]
        bars = drawn.ax.bar(names, losses, alpha=0.45, width=0.6)
        if best is not None:
            bars[best].set_alpha(1.0)
        drawn.ax.bar_label(bars, fmt="%.3f", fontsize=9, padding=2)
        drawn.ax.margins(y=0.18)
    return drawn.address


def averages_together(runs: list[tuple[str, list[float]]]) -> str:
    """Draw the average loss by session of several runs; a run of one session is a level line, to compare with."""
    with drawing("session", "average loss") as drawn:
        for number, (label, losses) in enumerate(runs):
            if len(losses) == 1:
                drawn.ax.axhline(losses[0], color=f"C{number}", linestyle=(0, (5, 3)), label=label)
            else:
                drawn.ax.plot(range(1, len(losses) + 1), losses, "o-", color=f"C{number}", label=label)
        drawn.ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        drawn.ax.set_ylim(0, 1.1 * max(max(losses) for _, losses in runs))
        drawn.ax.legend()
    return drawn.address


def losses_together(runs: list[tuple[str, np.ndarray]]) -> str:
    """Draw the running mean of the loss over all steps of several runs; each array of shape (steps,), not empty."""
    with drawing("step", "loss") as drawn:
        for label, values in runs:
            mean, shown = smooth(values, max(5, len(values) // 50)), thin(values, 1200)
            drawn.ax.plot(shown + 1, mean[shown], label=label)
        drawn.ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        drawn.ax.set_ylim(bottom=0)
        drawn.ax.legend()
    return drawn.address


def loss_curves(losses: dict[int, np.ndarray], saturation: dict[int, int | None]) -> str:
    """Draw the loss of every step, session after session: faint the batches, strong their running mean.

    :param losses: for each session the loss of its steps, shape (steps,), not empty.
    :param saturation: the step, counted from 1 in its session, after which the loss no longer falls; or None.
    """
    with drawing("step", "loss") as drawn:
        ax, start = drawn.ax, 0
        for number, (session, values) in enumerate(losses.items()):
            color = f"C{number}"
            mean = smooth(values, max(5, len(values) // 20))
            steps = start + 1 + np.arange(len(values))
            shown = thin(values, 600)
            ax.plot(steps[shown], values[shown], color=color, alpha=0.3, linewidth=0.7)
            ax.plot(steps[shown], mean[shown], color=color)
            ax.text((steps[0] + steps[-1]) / 2, 1.0, str(session), ha="center", transform=ax.get_xaxis_transform())
            if number:
                ax.axvline(start + 0.5, color="black", alpha=0.35, linewidth=0.8, linestyle=(0, (3, 3)))
            step = saturation.get(session)
            if step is not None and 1 <= step <= len(values):
                ax.plot(start + step, mean[step - 1], "o", color=color, markeredgecolor="black", markersize=6)
            start += len(values)
        everything = np.concatenate(list(losses.values()))
        ax.set_ylim(0, float(np.nanpercentile(everything, 99.5)) * 1.08 or 1.0)
        ax.set_xlim(0, start + 1)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return drawn.address
