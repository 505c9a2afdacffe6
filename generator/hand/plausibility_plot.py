"""``poses --plot``: the kept and dropped poses of a sweep over the v4-v5 plane, coloured by reason."""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np

from generator.hand.plausibility import RULES
from handforge.files import write_atomic

SUFFIXES = (".png", ".svg", ".pdf")

COLORS = ("#f2f2ef", "#7a3e9d", "#c8443a", "#8a8f98", "#31435c", "#d9a441")
"""Of a kept pose, then of :data:`generator.hand.plausibility.RULES`."""


def plot(reasons: dict[str, np.ndarray], path: Path) -> None:
    """Draw one map a set.

    :param reasons: by set, what :func:`generator.hand.plausibility.judge` says of its poses.
    :param path: a .png, .svg or .pdf file.
    """
    from matplotlib import rc_context
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    labels = ("", *RULES)
    figure = Figure(figsize=(1.0 + 4.6 * len(reasons), 5.4), layout="constrained")
    for axes, (name, values) in zip(np.atleast_1d(figure.subplots(1, len(reasons))), reasons.items(), strict=True):
        side = math.isqrt(len(values))
        codes = np.array([labels.index(value) for value in values]).reshape(side, side)
        axes.imshow(
            codes,
            origin="lower",
            extent=(-180, 180, -180, 180),
            cmap=ListedColormap(COLORS),
            vmin=0,
            vmax=len(labels) - 1,
            interpolation="nearest",
        )
        axes.set_title(f"{name}: {int((codes == 0).sum()):,} of {codes.size:,} kept")
        axes.set_xlabel("v5, about the image's vertical axis (°)")
        axes.set_ylabel("v4, about its horizontal axis (°)")
        axes.set_xticks(range(-180, 181, 90))
        axes.set_yticks(range(-180, 181, 90))
    patches = [
        Patch(facecolor=color, edgecolor="#55555a", label=label or "kept")
        for label, color in zip(labels, COLORS, strict=True)
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), frameon=False)
    drawn = io.BytesIO()
    kind = path.suffix[1:].lower()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)  # the same poses, the same bytes
    with rc_context({"svg.hashsalt": "handforge"}):
        figure.savefig(drawn, format=kind, dpi=110, metadata=undated)
    write_atomic(path, drawn.getvalue())
