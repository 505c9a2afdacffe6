"""The drawings here: numbers.webp, the 28 numbers of a pose; rules.webp, of each rule a kept and a dropped pose.

python docs/explained/drawings.py      some seconds of one core
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from generator.frame import settings
from generator.hand import kinematics, plausibility, pose
from generator.hand.anatomy import BONES, skeleton
from generator.hand.pose_presets import PRESETS
from generator.pipeline.run import judging_camera
from generator.pipeline.workers import Item, Renderer

HERE = Path(__file__).parent
INK, BLUE, RED, SOFT = "#31435c", "#2a7f9e", "#c8443a", "#b9c2cc"
LOOK = settings.load(None, {"resolution": "300x240", "distance": 0.62, "skin_tone": 0.25, "seed": 1})


def posed(preset: str, **changed: float) -> np.ndarray:
    """A preset with some numbers changed: ``v4=30`` in degrees, ``v1=10`` in centimetres."""
    values = pose.to_degrees(PRESETS[preset])
    for name, value in changed.items():
        values[int(name[1:]) - 1] = value
    return pose.from_degrees(values)


RULES: dict[str, tuple[tuple[np.ndarray, str], tuple[np.ndarray, str]]] = {
    "joint limit": (
        (posed("flat", v5=80, v21=80), "index finger bent by 80°"),
        (posed("flat", v5=80, v21=-60), "bent back by 60°, limit 20°"),
    ),
    "self-collision": (
        (posed("two"), "two fingers beside each other"),
        (posed("two", v18=18, v22=-18, v17=4, v21=4), "crossed, one inside the other"),
    ),
    "out of reach": (
        (posed("open", v6=180), "an arm that hangs down"),
        (posed("open", v4=-140), "an arm from above the camera"),
    ),
    "hidden": (
        (posed("flat", v4=-62), "fingers seen past the wrist"),
        (posed("flat", v4=-90), "behind the forearm"),
    ),
    "cut": (
        (posed("open", v1=12), "all joints inside the image"),
        (posed("open", v1=22), "joints beyond the edge"),
    ),
}
"""By rule: a kept pose and one that is dropped for it, each with what it shows."""


def check() -> None:
    """See that the rules say of these poses what the drawing says.

    :raises SystemExit: naming the first that is wrong.
    """
    for rule, (kept, dropped) in RULES.items():
        said = plausibility.judge(np.array([kept[0], dropped[0]]), skeleton(), judging_camera(LOOK))
        if tuple(said) != ("", rule):
            raise SystemExit(f"{rule}: the poses are {said.tolist()}")


def draw_rules() -> Figure:
    """Render the poses of :data:`RULES`, kept above dropped."""
    check()
    renderer = Renderer(LOOK)
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    for column, (rule, pair) in enumerate(RULES.items()):
        for row, ((one, text), color) in enumerate(zip(pair, (BLUE, RED), strict=True)):
            axes = figure.add_subplot(2, len(RULES), row * len(RULES) + column + 1)
            axes.imshow(renderer.frame(Item(2 * column + row, one, {"set": "docs", "frame": 0})).image)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color=color, linewidth=2)
            axes.set_xlabel(text, fontsize=9, color=INK)
            if not row:
                axes.set_title(rule, fontsize=11, color=INK)
            if not column:
                axes.set_ylabel(("kept", "dropped")[row], fontsize=11, color=color)
    return figure


ARCS = {
    "little": "v9 to v12",
    "ring": "v13 to v16",
    "middle": "v17 to v20",
    "index": "v21 to v24",
    "thumb": "v25 to v28",
}
JOINTS = {
    **{finger: ("MCP flexion, abduction", "PIP flexion", "DIP flexion") for finger in pose.FINGERS[:4]},
    "thumb": ("CMC flexion, abduction", "MCP flexion", "IP flexion"),
}


def draw_numbers() -> Figure:
    """Draw the bones of the open hand with the numbers that rotate their joints, and the axes."""
    heads, tails = (ends[0] for ends in kinematics.capsules(posed("open")[None], skeleton()))
    figure = Figure(figsize=(9, 8.2), layout="constrained")
    axes = figure.add_subplot()
    for head, tail in zip(heads, tails, strict=True):
        axes.plot(*np.stack([head, tail])[:, [0, 2]].T, color=SOFT, linewidth=11, solid_capstyle="round", zorder=1)
    for finger in pose.FINGERS:
        parts = [name for name in BONES if name.startswith(finger)]
        chain = heads[[BONES.index(name) for name in parts]][-len(JOINTS[finger]) :]
        first = pose.FINGER_SLICE[finger].start + 1
        numbers = (f"v{first}, v{first + 1}", f"v{first + 2}", f"v{first + 3}")
        for place, number, joint in zip(chain, numbers, JOINTS[finger], strict=True):
            axes.plot(place[0], place[2], "o", color=RED, markersize=6, zorder=3)
            text = f"{number}\n{joint}" if finger in ("little", "thumb") else number.replace(", ", "\n")
            left = finger == "little"
            axes.annotate(
                text, (place[0], place[2]), (-9 if left else 9, 0), textcoords="offset points", va="center",
                ha="right" if left else "left", fontsize=8.5, color=INK, zorder=4,
            )  # fmt: skip
        tip = tails[BONES.index(parts[-1])]
        axes.annotate(f"{finger}\n{ARCS[finger]}", (tip[0], tip[2]), (0, 12), textcoords="offset points", ha="center",
                      fontsize=9.5, color=BLUE, weight="bold")  # fmt: skip
    axes.plot(0, 0, "o", color=RED, markersize=8, zorder=3)
    axes.annotate("v1 to v3  where the wrist is (X, Y, Z)\nv7  wrist flexion, v8  deviation", (0, 0), (16, -10),
                  textcoords="offset points", va="center", fontsize=9.5, color=INK)  # fmt: skip
    corner = (-0.128, -0.07)
    for name, (right, up), number in (("X", (0.045, 0), "v4"), ("Z", (0, 0.045), "v5")):
        end = (corner[0] + right, corner[1] + up)
        axes.annotate("", end, corner, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.8})
        axes.text(
            corner[0] + 1.12 * right,
            corner[1] + 1.12 * up,
            f"{name}: {number} rotates about it",
            fontsize=9.5,
            color=INK,
        )
    axes.plot(*corner, "o", markerfacecolor="white", markeredgecolor=INK, markersize=11)
    axes.plot(*corner, "x", color=INK, markersize=7)
    axes.text(corner[0], corner[1] - 0.017, "Y, away from you: v6 rotates about it", fontsize=9.5, color=INK)
    axes.set(aspect="equal", xlim=(-0.14, 0.15), ylim=(-0.1, 0.235))
    axes.axis("off")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as WebP of less than 60 KB."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100)
    Image.open(drawn).convert("RGB").save(path, quality=80, method=6)
    if path.stat().st_size > 60_000:
        raise SystemExit(f"{path} has {path.stat().st_size:,} bytes, more than 60,000")


if __name__ == "__main__":
    save(draw_numbers(), HERE / "numbers.webp")
    save(draw_rules(), HERE / "rules.webp")
