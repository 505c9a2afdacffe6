"""Does repetition help? The paper's Fig. 2: one conventional session beside as many steps in repetitions.

For each seed both trainings start from the same weights. The paper compares the average loss of the best repetition
with that of the whole conventional session, which holds its costly first steps; so the study also gives the average
over the conventional session's last steps, as many as one repetition has.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from generator.dataset import dump_json, write_atomic
from trainer.errors import RunFolderError
from trainer.saturation import is_premature, smoothed

KINDS = ("conventional", "repetitive")


def run_folder(out: Path, seed: int, kind: str) -> Path:
    """Where the run of one seed and kind is."""
    return out / f"seed{seed}-{kind}"


def check_folder(out: Path) -> None:
    """Refuse a folder that holds anything but a study.

    :raises RunFolderError: naming the first thing that is not ours.
    """
    if out.exists() and not out.is_dir():
        raise RunFolderError(f"{out} is a file; give a folder for the study")
    for entry in sorted(out.iterdir()) if out.exists() else []:
        if entry.name not in ("study.json", "study.png") and not entry.name.endswith(tuple(f"-{k}" for k in KINDS)):
            raise RunFolderError(f"{out} holds {entry.name}, which is no part of a study; give a new folder")


def summarise(out: Path, seeds: list[int]) -> dict[str, Any]:
    """Write ``study.json`` and ``study.png`` from the finished runs, and return what ``study.json`` says."""
    runs = {kind: [_read(run_folder(out, seed, kind)) for seed in seeds] for kind in KINDS}
    length = min(session["steps"] for run in runs["repetitive"] for session in run["sessions"])
    conventional = [
        {
            "seed": seed,
            **run["sessions"][0],
            "last_steps_average": float(np.mean(run["losses"][-length:])),
        }
        for seed, run in zip(seeds, runs["conventional"], strict=True)
    ]
    repetitive = [
        {"seed": seed, "sessions": run["sessions"], "best_session": run["best_session"]}
        for seed, run in zip(seeds, runs["repetitive"], strict=True)
    ]
    best = [min(session["average_loss"] for session in entry["sessions"]) for entry in repetitive]
    summary = {
        "seeds": seeds,
        "steps": len(runs["conventional"][0]["losses"]),
        "conventional": conventional,
        "repetitive": repetitive,
        "average_loss": {
            "conventional": _spread([entry["average_loss"] for entry in conventional]),
            "conventional_last_steps": _spread([entry["last_steps_average"] for entry in conventional]),
            "best_repetition": _spread(best),
        },
        "gain": {
            "over_whole_session": _spread([c["average_loss"] - b for c, b in zip(conventional, best, strict=True)]),
            "over_last_steps": _spread([c["last_steps_average"] - b for c, b in zip(conventional, best, strict=True)]),
        },
    }
    write_atomic(out / "study.json", dump_json(summary))
    draw(out / "study.png", summary, runs)
    return summary


def _read(folder: Path) -> dict[str, Any]:
    """The sessions of a run, each with its saturation's share, and all its batch losses."""
    run = json.loads((folder / "run.json").read_bytes())
    with (folder / "losses.csv").open(newline="") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    sessions = []
    for entry in run["sessions"]:
        steps, step = entry["epochs"] * entry["steps"], entry["saturation_step"]
        kept = {key: entry[key] for key in ("session", "subset", "layers", "average_loss", "validation_loss")}
        share = None if step is None else step / steps
        premature = None if step is None else is_premature(step, steps)
        sessions.append({**kept, "steps": steps, "saturation_step": step, "share": share, "premature": premature})
    return {"sessions": sessions, "best_session": run["best_session"], "losses": losses}


def _spread(values: list[float]) -> dict[str, float]:
    """Mean and sample standard deviation over the seeds."""
    return {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0}


def draw(path: Path, summary: dict[str, Any], runs: dict[str, list[dict[str, Any]]]) -> None:
    """The paper's Fig. 2: average losses as bars with the spread over seeds, and the batch losses in a row."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (bars, curves) = plt.subplots(1, 2, figsize=(12, 4), width_ratios=(1, 1.6), layout="constrained")
    averages = np.array([[s["average_loss"] for s in run["sessions"]] for run in runs["repetitive"]])
    whole = summary["average_loss"]["conventional"]
    last = summary["average_loss"]["conventional_last_steps"]
    heights = [whole["mean"], last["mean"], *averages.mean(0)]
    spread = [whole["sd"], last["sd"], *(averages.std(0, ddof=1) if len(averages) > 1 else 0 * averages[0])]
    labels = ["conv.", "conv.\nlast", *(str(i) for i in range(1, averages.shape[1] + 1))]
    colours = ["tab:orange", "moccasin", *["tab:blue"] * averages.shape[1]]
    bars.bar(labels, heights, yerr=spread, color=colours, capsize=3)
    bars.set(ylabel="average loss", xlabel="conventional, and repetitions", title="Average loss (mean and sd of seeds)")
    for kind, colour in zip(KINDS, ("tab:orange", "tab:blue"), strict=True):
        for number, run in enumerate(runs[kind]):
            curves.plot(smoothed(run["losses"]), color=colour, alpha=0.7, lw=1, label=kind if number == 0 else None)
    ends = np.cumsum([s["steps"] for s in runs["repetitive"][0]["sessions"]])[:-1]
    for end in ends:
        curves.axvline(end, color="grey", lw=0.5, ls=":")
    curves.set(xlabel="step", ylabel="batch loss, smoothed", title="Batch losses; dotted: a new repetition begins")
    curves.set_ylim(0, 1.5 * float(np.percentile(runs["conventional"][0]["losses"], 90)))
    curves.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def report(summary: dict[str, Any]) -> str:
    """The study in three lines."""
    losses = {name: f"{v['mean']:.4f} (sd {v['sd']:.4f})" for name, v in summary["average_loss"].items()}
    gain = {name: f"{v['mean']:+.4f} (sd {v['sd']:.4f})" for name, v in summary["gain"].items()}
    shares = [s["share"] for entry in summary["repetitive"] for s in entry["sessions"] if s["share"] is not None]
    whole = [entry["share"] for entry in summary["conventional"] if entry["share"] is not None]
    return (
        f"average loss: conventional {losses['conventional']}, its last steps {losses['conventional_last_steps']}, "
        f"best repetition {losses['best_repetition']}\n"
        f"repetition lowers it by {gain['over_whole_session']} against the whole session, "
        f"{gain['over_last_steps']} against its last steps\n"
        f"saturation at {_percent(whole)} of the conventional session, at {_percent(shares)} of a repetition (mean)"
    )


def _percent(shares: list[float]) -> str:
    return f"{100 * float(np.mean(shares)):.0f} %" if shares else "no step"
