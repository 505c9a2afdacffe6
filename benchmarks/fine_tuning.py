"""What 5, 10, 20 and 40 own images are worth: fine-tuning on some people, tested on others.

    python benchmarks/fine_tuning.py PHOTOGRAPHS --rendered rooms --out fine_tuning

PHOTOGRAPHS is a dataset whose images name their person as ``group``, or in their file's name as HGR's do. Half of the
people are for the test, always the same; the training images are drawn from the others by the seed, the smaller sets
out of the larger ones. With --split only the datasets are made. Interrupted, the same command continues. Writes
fine_tuning.md, fine_tuning.json and fine_tuning.webp into --out.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from handforge.dataset import Dataset, copy_subset
from handforge.dataset.coco_types import ImageRecord

PERSON = re.compile(r"_([^_]+_id\d+)_")
TEST_STREAM, TRAIN_STREAM = 0, 1


def person(image: ImageRecord) -> str:
    """Whose image it is."""
    found = image.get("group") or next(iter(PERSON.findall(f"_{image['file_name']}_")), None)
    if found is None:
        sys.exit(f"{image['file_name']} does not say whose image it is: it has no group, and no name as HGR's")
    return str(found)


def parts(images: list[ImageRecord]) -> tuple[list[ImageRecord], list[ImageRecord]]:
    """The images of half of the people, to test on, and those of the others."""
    people = sorted({person(image) for image in images})
    order = np.random.default_rng(TEST_STREAM).permutation(len(people))
    tested = {people[i] for i in order[: len(people) // 2]}
    return [i for i in images if person(i) in tested], [i for i in images if person(i) not in tested]


def drawn(images: list[ImageRecord], count: int, seed: int) -> list[ImageRecord]:
    """Some of the images, in their order; the first ones of one permutation, so that sets grow by adding."""
    order = np.random.default_rng([TRAIN_STREAM, seed]).permutation(len(images))
    return [images[i] for i in sorted(order[:count])]


def split(data: Dataset, out: Path, counts: list[int], seeds: int) -> None:
    """Make ``test`` and ``train-COUNT-SEED`` in ``out``, as far as they are missing."""
    test, others = parts(list(data))
    if max(counts) > len(others):
        sys.exit(f"{data.folder} has {len(others)} images of the people that are not tested, fewer than {max(counts)}")
    wanted = {"test": test} | {f"train-{n}-{s}": drawn(others, n, s) for s in range(seeds) for n in counts}
    for name, images in wanted.items():
        if not (out / name / "annotations.json").is_file():
            copy_subset(data, images, out / name)


def run(*words: object) -> None:
    """One command of handforge."""
    subprocess.run([sys.executable, "-m", "handforge", *map(str, words)], check=True)


def scored(out: Path, name: str, weights: list[object]) -> dict[str, Any]:
    """The scores on the test of a network; made where they are missing."""
    kept = out / f"{name}.json"
    if not kept.is_file():
        run("predict", *weights, out / "test", "--out", out / "found" / name)
        run("score", out / "test", out / "found" / name, "--json", kept)
    return json.loads(kept.read_bytes())


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rendered", type=Path, help="rendered images to mix in, so that nothing is forgotten")
    parser.add_argument("--init", help="the network to go on from, a run folder or weights file [the one that ships]")
    parser.add_argument("--recipe", default="fine-tune")
    parser.add_argument("--counts", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--split", action="store_true", help="only make the datasets")
    options = parser.parse_args()
    out = options.out
    data = Dataset(options.photographs)
    split(data, out, options.counts, options.seeds)
    if options.split:
        return
    forearm = {data.category(a) for image in data for a in data.annotations(image)} == {"hand+forearm"}
    category = ["--category", "hand+forearm"] if forearm else []
    start = ["--weights", options.init] if options.init else category
    rows: list[dict[str, Any]] = [{"count": 0, "seed": 0, **scored(out, "before", list(start))}]
    for seed in range(options.seeds):
        for count in options.counts:
            name = f"{count}-{seed}"
            words = ["--data", out / f"train-{name}", "--out", out / f"run-{name}", "--recipe", options.recipe]
            words += ["--rendered", options.rendered] if options.rendered else []
            words += ["--init", options.init] if options.init else []
            if not (out / f"{name}.json").is_file():
                run("fine-tune", *words, "--seed", seed, "--resume")
            rows.append({"count": count, "seed": seed, **scored(out, name, ["--weights", out / f"run-{name}"])})
    (out / "fine_tuning.json").write_text(json.dumps(rows, indent=1) + "\n")
    (out / "fine_tuning.md").write_text(table(rows))
    draw(rows, out / "fine_tuning.webp")
    print(table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    """The scores as Markdown."""
    lines = ["| own images | seed | hands | TP | FP | FN | IoU | F1 |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        iou = "–" if row["mean_iou"] is None else f"{row['mean_iou']:.3f}"
        counts = " | ".join(str(row[key]) for key in ("hands", "tp", "fp", "fn"))
        lines.append(
            f"| {row['count']} | {row['seed'] if row['count'] else '–'} | {counts} | {iou} | {row['f1']:.3f} |"
        )
    return "\n".join(lines) + "\n"


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """F1 and IoU over the number of own images: each seed a dot, their mean a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.4), layout="constrained")
    axes = figure.subplots()
    counts = sorted({row["count"] for row in rows})
    for key, label in (("f1", "F1"), ("mean_iou", "IoU of true positives")):
        known = [(row["count"], row[key]) for row in rows if row[key] is not None]
        means = [(n, np.mean([v for c, v in known if c == n])) for n in counts if any(c == n for c, _ in known)]
        (line,) = axes.plot(*zip(*means, strict=True), label=label)
        axes.plot(*zip(*known, strict=True), "o", color=line.get_color(), markersize=4)
    axes.set(xlabel="own images", ylabel="on other people's images", xticks=counts)
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
