"""The model card's figures: card.json holds them, card.md shows them between its markers.

    python docs/results/card.py network RUN ...                                the network: its run folders in order
    python docs/results/card.py measure NAME DATASET RESULTS [--other RESULTS]   a set, RESULTS as predict writes them
    python docs/results/card.py write                                          card.md anew from card.json

DATASET is a dataset folder; --other are MediaPipe's results on it (benchmarks/photographs.py writes them). Where the
dataset says so, hands are counted by skin tone, glove and size as well. Mask IoU and score from 0.5 on; intervals are
95 %, by bootstrap over images, or groups of them that belong together.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evaluation.metrics.extended_metrics import extended_metrics
from evaluation.metrics.matching import ImageEval, MatchOptions, load, match_all
from evaluation.metrics.paper_metrics import paper_metrics
from evaluation.metrics.scope import Scope
from handforge.dataset import Dataset
from handforge.files import dump_json, write_atomic

HERE = Path(__file__).parent
OPTIONS = MatchOptions()
NOTHING = "*Nothing is measured yet.*"
TONES = (("lighter third", 1 / 3), ("middle third", 2 / 3), ("darker third", 1.0))
GROUPS = (*(name for name, _ in TONES), "bare", "gloved")
"""As the card orders them."""


def read(folder: Path = HERE) -> dict[str, Any]:
    """The figures so far."""
    path = folder / "card.json"
    return json.loads(path.read_bytes()) if path.exists() else {"network": {}, "sets": {}}


def figures(images: Sequence[ImageEval]) -> dict[str, Any]:
    """F1 and mean IoU with their intervals, and the counts, of some images."""
    more = extended_metrics(images, match_all(images, OPTIONS), OPTIONS)
    metrics = paper_metrics(images, OPTIONS)
    means = {"f1": metrics.f1 if metrics.hands else None, "mean_iou": metrics.mean_iou}
    found = {
        name: None if value is None else [round(v, 4) for v in (value, *(more.intervals[name] or ()))]
        for name, value in means.items()
    }
    counts = {"images": len(images), "hands": metrics.hands, "tp": metrics.tp, "fp": metrics.fp}
    return {**counts, **found, "fp_per_empty_image": metrics.false_positives_per_empty_image}


def group_of(dataset: Dataset, image: Any) -> dict[str, str]:
    """Of what groups an image is, by what the dataset says of it: ``{"skin tone": ..., "glove": ...}``."""
    annotations = dataset.annotations(image)
    groups = {}
    if annotations and isinstance(image.get("tone"), int | float):
        groups["skin tone"] = next(name for name, end in TONES if image["tone"] <= end)
    if annotations and "tone" in image:
        groups["glove"] = "gloved" if any("glove" in annotation for annotation in annotations) else "bare"
    return groups


def measure(dataset: Path, results: Path, other: Path | None = None) -> dict[str, Any]:
    """The figures of one set, and of its groups."""
    opened = Dataset(dataset)
    images = load(opened, results, Scope()).images
    found = figures(images)
    if other is not None:
        found["other"] = figures(load(opened, other, Scope()).images)
    of_group: dict[str, dict[str, list[ImageEval]]] = {}
    for one in images:
        for kind, group in group_of(opened, one.image).items():
            of_group.setdefault(kind, {}).setdefault(group, []).append(one)
    found["groups"] = {
        kind: {name: figures(some) for name, some in sorted(groups.items())} for kind, groups in of_group.items()
    }
    sizes = extended_metrics(images, match_all(images, OPTIONS), OPTIONS).sizes
    found["sizes"] = {row.name: [row.hands, row.true_positives, row.mean_iou] for row in sizes if row.hands}
    return found


def network(runs: Sequence[Path]) -> dict[str, Any]:
    """What the run folders, each of which went on from the last one's network, say of it."""
    headers = [json.loads((run / "run.json").read_bytes()) for run in runs]
    header = headers[-1]
    sessions = [session for one in headers for session in one["sessions"]]
    seconds = [one.get("seconds") for one in headers]
    return {
        "recipe": ", ".join(one["recipe"]["name"] for one in headers),
        "backbone": header["recipe"]["network"]["backbone"],
        "sessions": len(sessions),
        "steps": sum(one["steps_done"] for one in sessions),
        "images": [one["images"] for one in (header["data"] if isinstance(header["data"], list) else [header["data"]])],
        "real": bool(header.get("real")),
        "seed": header["seed"],
        "commit": header.get("git"),
        "machine": header.get("machine"),
        "hours": round(sum(seconds) / 3600, 1) if all(seconds) else None,
    }


# ---------------------------------------------------------------- as tables


def _interval(value: Sequence[float] | None) -> str:
    """A value with its interval; what is the same in all samples has none."""
    if value is None:
        return "–"
    return f"{value[0]:.3f}" + (f" ({value[1]:.3f} to {value[2]:.3f})" if value[1:] else "")


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def sets_table(card: dict[str, Any]) -> str:
    """One row a set, MediaPipe's figures in the last columns."""
    if not card["sets"]:
        return NOTHING
    rows = [
        "| set | images | hands | F1 | mean IoU | false positives per empty image | MediaPipe's F1 | its IoU | its FP |"
    ]
    rows.append("|---|---|---|---|---|---|---|---|---|")
    for name, one in card["sets"].items():
        other = one.get("other")
        cells = [name, one["images"], one["hands"], _interval(one["f1"]), _interval(one["mean_iou"])]
        cells.append(_rate(one["fp_per_empty_image"]))
        if other:
            cells += [_interval(other["f1"]), _interval(other["mean_iou"]), _rate(other["fp_per_empty_image"])]
        else:
            cells += ["not measured"] * 3
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


def groups_table(card: dict[str, Any]) -> str:
    """One row a group of a set."""
    if not card["sets"]:
        return NOTHING
    rows = ["| set | group | hands | F1 | mean IoU |", "|---|---|---|---|---|"]
    for name, one in card["sets"].items():
        for kind, groups in one["groups"].items():
            for group in sorted(groups, key=GROUPS.index):
                values = groups[group]
                cells = [name, f"{kind}: {group}", values["hands"], _interval(values["f1"])]
                rows.append(f"| {' | '.join(map(str, cells))} | {_interval(values['mean_iou'])} |")
        for size, (hands, found, iou) in one["sizes"].items():
            recall = f"recall {found / hands:.3f}"
            rows.append(f"| {name} | size: {size} | {hands} | {recall} | {'–' if iou is None else f'{iou:.3f}'} |")
    return "\n".join(rows)


def network_table(card: dict[str, Any]) -> str:
    """What the network is and how it was trained."""
    known = card["network"]
    if not known:
        return "*No network is described yet.*"
    images = " + ".join(f"{number:,}" for number in known["images"])
    rows = {
        "architecture": f"Mask R-CNN with FPN on `{known['backbone']}`, from ImageNet weights",
        "training": f"recipes {known['recipe']}: {known['sessions']} sessions, {known['steps']:,} steps",
        "images": f"{images} rendered{', and real ones' if known['real'] else '; no photograph of a hand'}",
        "time, machine": f"{known['hours'] or 'not recorded'} h, {known['machine'] or 'not recorded'}",
        "commit": f"`{known['commit'] or 'not recorded'}`",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items())])


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "network": network_table,
    "sets": sets_table,
    "groups": groups_table,
}


def filled(page: str, card: dict[str, Any]) -> str:
    """The page with its tables anew."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        text = f"{begin}\n{table(card)}\n\n{end}"
        place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        page, times = place.subn(text.replace("\\", r"\\"), page)
        if times != 1:
            raise SystemExit(f"card.md has {times} places for the table {name}; it needs one between {begin}and{end}")
    return page


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("network").add_argument("runs", type=Path, nargs="+")
    one = commands.add_parser("measure")
    one.add_argument("name")
    one.add_argument("dataset", type=Path)
    one.add_argument("results", type=Path)
    one.add_argument("--other", type=Path)
    commands.add_parser("write")
    asked, card = parser.parse_args(), read()
    if asked.command == "network":
        card["network"] = network(asked.runs)
    elif asked.command == "measure":
        card["sets"][asked.name] = measure(asked.dataset, asked.results, asked.other)
    write_atomic(HERE / "card.json", dump_json(card))
    write_atomic(HERE / "card.md", filled((HERE / "card.md").read_text("utf-8"), card).encode())


if __name__ == "__main__":
    main()
