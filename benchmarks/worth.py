"""What each part of `varied`, repetition, and a few real images are worth, judged on photographs.

    python benchmarks/worth.py PHOTOGRAPHS --init demo/run --out worth

PHOTOGRAPHS holds images/ and masks/, whose masks take the forearm along, as Kawulok's HGR. Each training goes on from
the network of `make demo` for 200 steps (recipe cpu-probe) on 200 rendered images; each change is one to the settings
FULL. About an hour on two cores; interrupted, the same command continues. Writes worth.md and worth.png into --out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from generator.frame.settings import preset

FULL: dict[str, Any] = {**preset("varied"), "resolution": "240x180", "mask": "hand+forearm"}
WITHOUT: dict[str, dict[str, Any]] = {
    "room": {"scene": "plain", "light": "random", "background": "random", "sleeve": "random", "sensor": "random"}
    | {"engine": "cycles"},
    "framing": {"distance": 1.0, "focal_mm": 45.0},
    "things": {"environment": "objects", "distractors": "none", "occluders": "none"},
    "light": {"light": "front", "exposure": "metered"},
    "skin": {"skin_tone": 0.35, "shape": "average"},
    "arm": {"elbow": "straight", "num_hands": 1, "handedness": "right"},
}
MEANING = {
    "full": "all of it",
    "room": "no room: before near-white, sleeves and the camera's noise kept",
    "framing": "the paper's framing: 1 m away, 45 mm",
    "things": "no people, plain walls, strong colours, skin-like things, occluders",
    "light": "sun from the front, exposure metered, no flash",
    "skin": "one skin tone, one hand",
    "arm": "one straight right arm",
}
SEEDS = (0, 1, 2)
PEOPLE = ("01", "02")
"""Whose photographs are trained on where some are."""
COPIES = (0, 5, 10)


class Worth:
    """The folders of one run; every step that is done already is left as it is."""

    def __init__(self, photographs: Path, init: Path, out: Path) -> None:
        self.photographs, self.init, self.out = photographs.resolve(), init.resolve(), out
        out.mkdir(parents=True, exist_ok=True)

    def do(self, module: str, *words: object) -> None:
        """Run one of the commands."""
        subprocess.run([sys.executable, "-m", module, *map(str, words)], cwd=self.out, check=True)

    def photos(self, name: str, wanted: str = "") -> Path:
        """The photographs, or those whose names match, as a dataset."""
        folder = self.out / name
        if not folder.exists():
            source = self.photographs
            if wanted:
                source = self.out / f"{name}-source"
                for part in ("images", "masks"):
                    (source / part).mkdir(parents=True, exist_ok=True)
                    for file in sorted((self.photographs / part).iterdir()):
                        link = source / part / file.name
                        if re.search(wanted, file.name) and not link.exists():
                            link.symlink_to(file)
            self.do("trainer", "import", "masks", source.resolve(), name, "--min-area", 50, "--mask", "hand+forearm")
        return folder

    def rendered(self, name: str) -> str:
        """The images of the full settings, or of them without a part."""
        settings = FULL | WITHOUT.get(name, {})
        text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        (self.out / f"{name}.toml").write_text(text)
        self.do(
            "generator", "render", "--set", "l11", "--settings", f"{name}.toml", "--count", 200, "--out", f"d-{name}"
        )
        return f"d-{name}"

    def score(self, name: str, data: str, test: str, how: str = "train", *words: object) -> dict[str, Any]:
        """Train on a dataset and score on photographs; what `handforge score` says."""
        found = self.out / f"{name}.json"
        if not found.exists():
            start = ("--recipe", "cpu-probe", "--data", data, "--init", self.init, "--out", f"r-{name}", "--resume")
            self.do("trainer", how, *start, *words)
            self.do("trainer", "predict", "--weights", f"r-{name}", test, "--out", f"p-{name}")
            self.do("evaluation", "score", test, f"p-{name}", "--json", found.name)
        return json.loads(found.read_bytes())


def parts(worth: Worth) -> Iterator[tuple[str, dict[str, Any]]]:
    """Scores with everything varied, and without each part."""
    test = worth.photos("hgr").name
    for name in ("full", *WITHOUT):
        yield MEANING[name], worth.score(name, worth.rendered(name), test)


def repetition(worth: Worth) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Scores of one session and of five sessions on subsets, over the seeds."""
    test, data = worth.photos("hgr").name, worth.rendered("full")
    yield (
        "one session of 200 steps",
        [worth.score("full" if seed == 0 else f"one-{seed}", data, test, "train", "--seed", seed) for seed in SEEDS],
    )
    yield (
        "five sessions of 40 steps",
        [worth.score(f"five-{seed}", data, test, "repeat", "--seed", seed) for seed in SEEDS],
    )


def real(worth: Worth) -> Iterator[tuple[str, dict[str, Any]]]:
    """Scores on people that no training saw, with others' photographs in the training or not."""
    people = "|".join(PEOPLE)
    some = worth.photos("hgr-some", f"_id({people})_").name
    others = worth.photos("hgr-others", f"_id(?!{people})").name
    data = worth.rendered("full")
    for copies in COPIES:
        words = ("--real", some, "--replicate", copies) if copies else ()
        name = f"{copies} copies of each" if copies else "none"
        yield name, worth.score(f"real-{copies}", data, others, "train", *words)


def spread(scores: list[dict[str, Any]], key: str) -> str:
    """Mean and standard deviation over the seeds."""
    values = [score[key] or 0.0 for score in scores]
    return f"{np.mean(values):.3f} ({np.std(values, ddof=1):.3f})"


def row(name: str, score: dict[str, Any]) -> str:
    """One line of a table."""
    return f"| {name} | {score['mean_iou'] or 0:.3f} | {score['f1']:.3f} | {score['tph']} of {score['hands']} |"


def draw(path: Path, groups: dict[str, list[tuple[str, float, float]]]) -> None:
    """F1 and its spread as bars, a panel for each question."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    heights = [len(bars) for bars in groups.values()]
    figure, panels = plt.subplots(len(groups), 1, figsize=(9, 6), height_ratios=heights, layout="constrained")
    for panel, (title, bars) in zip(panels, groups.items(), strict=True):
        names, values, errors = zip(*bars, strict=True)
        panel.barh(names, values, xerr=errors, color="tab:blue", capsize=3)
        panel.invert_yaxis()
        panel.set(xlim=(0, 1), title=title)
    panels[-1].set_xlabel("F1 on photographs (mask IoU >= 0.5, score >= 0.5)")
    figure.savefig(path, dpi=110)


def main() -> None:
    """Run or continue all trainings, then write table and figure."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("photographs", type=Path)
    words.add_argument("--init", type=Path, required=True, help="the run folder of make demo")
    words.add_argument("--out", type=Path, required=True)
    given = words.parse_args()
    worth = Worth(given.photographs, given.init, given.out)
    varied, sessions, mixed = list(parts(worth)), list(repetition(worth)), list(real(worth))
    head = "| {} | IoU of those found | F1 | TPH |\n|---|---|---|---|"
    lines = [head.format("rendered with"), *(row(*entry) for entry in varied), ""]
    lines += ["| training, mean (sd) of three seeds | IoU of those found | F1 |", "|---|---|---|"]
    lines += [f"| {name} | {spread(scores, 'mean_iou')} | {spread(scores, 'f1')} |" for name, scores in sessions]
    lines += ["", head.format("photographs of two people mixed in"), *(row(*entry) for entry in mixed)]
    (worth.out / "worth.md").write_text("\n".join(lines) + "\n")
    draw(
        worth.out / "worth.png",
        {
            "What the rendered images vary": [(name, score["f1"], float("nan")) for name, score in varied],
            "One session or five, three seeds": [
                (name, float(np.mean(f1 := [score["f1"] for score in scores])), float(np.std(f1, ddof=1)))
                for name, scores in sessions
            ],
            "Photographs of two people mixed in, tested on others": [
                (name, score["f1"], float("nan")) for name, score in mixed
            ],
        },
    )
    print((worth.out / "worth.md").read_text())


if __name__ == "__main__":
    main()
