"""Curves as SVG that goes into a page: text stays text, and lines and text take the page's colours."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

INK = "#010203"
"""Stands for the page's text colour until the SVG is written."""

COLOURS = ("#3b82c4", "#d9772b", "#2f9e6e", "#a15cc0", "#c94f6d", "#8a7a2e", "#4aa3a8", "#7a7f87")
"""Lines that read on light and dark ground."""

STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
}


def axes(width: float = 5.6, height: float = 3.2) -> tuple[Figure, Axes]:
    """An empty figure, in inches, in the page's style; draw and :func:`svg` inside ``matplotlib.rc_context(STYLE)``."""
    figure = Figure(figsize=(width, height), layout="constrained")
    ax = figure.subplots()
    ax.grid(True, color=INK, alpha=0.12, linewidth=0.6)
    return figure, ax


def svg(figure: Figure, name: str) -> str:
    """The figure as an ``<svg>`` element that is as wide as its place; ``name`` keeps the ids of a page apart."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    element = buffer.getvalue()
    element = element[element.index("<svg") :]
    element = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', r'<svg viewBox="\1" role="img">', element, count=1)
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    return element.replace(INK, "currentColor").strip()


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """The mean over the last ``width`` values (fewer at the start); same shape (N,)."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def thin(values: np.ndarray, most: int) -> np.ndarray:
    """Indices of at most ``most`` evenly spread values, the last among them."""
    return np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int))


def lines(series: list[tuple[str, np.ndarray, np.ndarray]], x_label: str, y_label: str, name: str) -> str:
    """Lines between 0 and 1 on both axes.

    :param series: (label, x, y) of each, x and y of shape (K,).
    """
    with matplotlib.rc_context(STYLE):
        figure, ax = axes(4.4, 3.3)
        for number, (label, x, y) in enumerate(series):
            shown = thin(x, 400)
            ax.plot(x[shown], y[shown], color=COLOURS[number % len(COLOURS)], label=label, linewidth=1.8)
        ax.set_xlim(0, 1.01)
        ax.set_ylim(0, 1.02)
        ax.set_xlabel(x_label)
        ax.set_ylabel(y_label)
        if len(series) > 1:
            ax.legend(fontsize=8)
        return svg(figure, name)


def session_bars(losses: list[float], best: int | None, name: str) -> str:
    """The average loss of each session, as the paper's Fig. 2 has it, the kept one (by its index) strong."""
    with matplotlib.rc_context(STYLE):
        figure, ax = axes()
        bars = ax.bar(
            [str(number) for number in range(1, len(losses) + 1)], losses, color=COLOURS[0], alpha=0.45, width=0.6
        )
        if best is not None:
            bars[best].set_alpha(1.0)
        ax.bar_label(bars, fmt="%.3f", fontsize=9, padding=2)
        ax.margins(y=0.18)
        ax.set_xlabel("session")
        ax.set_ylabel("average loss")
        return svg(figure, name)


def averages_together(runs: list[tuple[str, list[float]]], name: str) -> str:
    """The average loss by session of several runs; a run of one session is a level line, to compare with."""
    with matplotlib.rc_context(STYLE):
        figure, ax = axes()
        for number, (label, losses) in enumerate(runs):
            colour = COLOURS[number % len(COLOURS)]
            if len(losses) == 1:
                ax.axhline(losses[0], color=colour, linestyle=(0, (5, 3)), label=label)
            else:
                ax.plot(range(1, len(losses) + 1), losses, "o-", color=colour, label=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylim(0, 1.1 * max(max(losses) for _, losses in runs))
        ax.set_xlabel("session")
        ax.set_ylabel("average loss")
        ax.legend(fontsize=8)
        return svg(figure, name)


def losses_together(runs: list[tuple[str, np.ndarray]], name: str) -> str:
    """The running mean of the loss over all steps of several runs; each array of shape (steps,), not empty."""
    with matplotlib.rc_context(STYLE):
        figure, ax = axes()
        for number, (label, values) in enumerate(runs):
            mean, shown = smooth(values, max(5, len(values) // 50)), thin(values, 1200)
            ax.plot(shown + 1, mean[shown], color=COLOURS[number % len(COLOURS)], label=label, linewidth=1.6)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("step")
        ax.set_ylabel("loss")
        ax.legend(fontsize=8)
        return svg(figure, name)


def loss_curves(losses: dict[int, np.ndarray], saturation: dict[int, int | None], name: str) -> str:
    """The loss of every step, session after session: faint the batches, strong their running mean.

    :param losses: for each session the loss of its steps, shape (steps,), not empty.
    :param saturation: the step, counted from 1 in its session, after which the loss no longer falls; or None.
    """
    with matplotlib.rc_context(STYLE):
        figure, ax = axes()
        start = 0
        for number, (session, values) in enumerate(losses.items()):
            colour = COLOURS[number % len(COLOURS)]
            mean = smooth(values, max(5, len(values) // 20))
            steps = start + 1 + np.arange(len(values))
            shown = thin(values, 600)
            ax.plot(steps[shown], values[shown], color=colour, alpha=0.3, linewidth=0.7)
            ax.plot(steps[shown], mean[shown], color=colour, linewidth=1.8)
            ax.text((steps[0] + steps[-1]) / 2, 1.0, str(session), ha="center", transform=ax.get_xaxis_transform())
            if number:
                ax.axvline(start + 0.5, color=INK, alpha=0.35, linewidth=0.8, linestyle=(0, (3, 3)))
            step = saturation.get(session)
            if step is not None and 1 <= step <= len(values):
                ax.plot(start + step, mean[step - 1], "o", color=colour, markeredgecolor=INK, markersize=6)
            start += len(values)
        everything = np.concatenate(list(losses.values()))
        ax.set_ylim(0, float(np.nanpercentile(everything, 99.5)) * 1.08 or 1.0)
        ax.set_xlim(0, start + 1)
        ax.set_xlabel("step")
        ax.set_ylabel("loss")
        return svg(figure, name)
