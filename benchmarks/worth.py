"""What gloves, held things, small hands, several hands and images without hands are worth in training.

    python benchmarks/worth.py RENDERED --test gloved=gloved-test --test ego=ego --seeds 2 --out worth

RENDERED is a set of ``varied``. Each arm trains on as many of its images as the others, drawn from those that lack one
thing; `all` on some of them all. The arms are trained and compared by ``handforge study`` (recipe cpu-probe), on the
datasets given by --test; what is judged is F1 on the first of them. Interrupted, the same command continues. Writes
study/report.html into --out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from handforge.dataset import Dataset, copy_subset
from handforge.dataset.coco_types import AnnotationRecord, ImageRecord
from handforge.dataset.writer import holds_subset

SMALL = 0.2
"""A hand is small whose box's longer side is below this share of the image's."""


def is_small(image: ImageRecord, hand: AnnotationRecord) -> bool:
    """Whether a hand is small in its image."""
    return max(hand["bbox"][2:]) < SMALL * max(image["width"], image["height"])


Shows = Callable[[ImageRecord, list[AnnotationRecord]], bool]
PARTS: dict[str, Shows] = {
    "gloves": lambda _, hands: any(hand.get("glove") for hand in hands),
    "held things": lambda image, _: bool(image.get("held")),
    "small hands": lambda image, hands: any(is_small(image, hand) for hand in hands),
    "several hands": lambda _, hands: len(hands) > 1,
    "images without hands": lambda _, hands: not hands,
}
"""Whether an image, with its hands of one category, shows the thing."""


def pools(data: Dataset, category: str) -> dict[str, list[ImageRecord]]:
    """The images that each arm draws from."""
    hands = {
        image["id"]: [hand for hand in data.annotations(image) if data.category(hand) == category] for image in data
    }
    found = {"all": list(data)}
    for part, shows in PARTS.items():
        found[f"without {part}"] = [image for image in data if not shows(image, hands[image["id"]])]
    return found


def draw(data: Dataset, category: str, out: Path) -> dict[str, Path]:
    """The datasets of the arms, all of one size; made where they are missing."""
    of_arms = pools(data, category)
    count = min(map(len, of_arms.values()))
    folders = {}
    for arm, images in of_arms.items():
        print(f"{arm}: {count} of {len(images)} images")
        folders[arm] = out / arm
        kept = np.sort(np.random.default_rng(0).choice(len(images), count, replace=False))
        chosen = [images[index] for index in kept]
        if not holds_subset(data, chosen, out / arm):
            copy_subset(data, chosen, out / arm)
    return folders


def study_file(folders: dict[str, Path], tests: dict[str, Path], category: str, seeds: int) -> str:
    """The study as TOML; of JSON, which TOML reads strings, lists and numbers of."""
    first, *others = folders
    lines = [
        'question = "What is each part of the rendered images worth?"',
        f"seeds = {json.dumps(list(range(seeds)))}",
        'recipe = "cpu-probe"',
        f"claim = {{ arm = {json.dumps(others[0])}, against = {json.dumps(first)} }}",
        f'[[primary]]\nmeasure = "f1"\ntest = {json.dumps(next(iter(tests)))}',
    ]
    lines += [
        f"[tests.{json.dumps(name)}]\ndata = {json.dumps(str(folder.resolve()))}\nmasks = {json.dumps(category)}\n"
        'networks = "last"'
        for name, folder in tests.items()
    ]
    lines += [
        f"[[arms]]\nname = {json.dumps(arm)}\ndata = {json.dumps(str(folder.resolve()))}\n"
        f"network.category = {json.dumps(category)}"
        for arm, folder in folders.items()
    ]
    return "\n\n".join(lines) + "\n"


def named(text: str) -> tuple[str, Path]:
    """NAME=DIR."""
    name, found, folder = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=DIR")
    return name, Path(folder)


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rendered", type=Path)
    parser.add_argument("--test", type=named, action="append", required=True, metavar="NAME=DIR")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--category", default="hand", help="what is learnt, and what the tests' masks cover [hand]")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2, help="trainings at once [2]")
    options = parser.parse_args()
    folders = draw(Dataset(options.rendered), options.category, options.out / "images")
    file = options.out / "worth.toml"
    file.write_text(study_file(folders, dict(options.test), options.category, options.seeds))
    command = [sys.executable, "-m", "handforge", "study", file, "--out", options.out / "study"]
    sys.exit(subprocess.run([*command, "--workers", str(options.workers)], check=False).returncode)


if __name__ == "__main__":
    main()
