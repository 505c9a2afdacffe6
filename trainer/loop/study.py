"""Does repetition help? The paper's Fig. 2: one conventional session beside as many steps in repetitions.

For each seed both trainings start from the same weights. The paper compares the average loss of the best repetition
with that of the whole conventional session, which holds its costly first steps; so the study also gives the average
over the conventional session's last steps, as many as one repetition has.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from handforge.files import dump_json, write_atomic
from trainer.config import recipe as recipes
from trainer.errors import RecipeError, RunFolderError
from trainer.loop.run_folder import is_leftover
from trainer.loop.saturation import saturation, smoothed

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
        known = entry.name in ("study.json", "study.png") or entry.name.endswith(tuple(f"-{kind}" for kind in KINDS))
        if not (known or is_leftover(entry)):
            raise RunFolderError(f"{out} holds {entry.name}, which is no part of a study; give a new folder")


def check_recipe(name_or_file: str) -> None:
    """Refuse a recipe by which some seeds would have fewer sessions or steps than others, or that needs real images.

    :raises RecipeError: naming it.
    """
    recipe = recipes.load(name_or_file)
    if recipe.real:
        raise RecipeError(f"recipe {name_or_file} needs real images ({recipe.real}), which a study has none of")
    if recipe.patience or any(session.saturation_patience for session in recipe.sessions):
        raise RecipeError(
            f"recipe {name_or_file} may end early (patience, saturation_patience); a study compares as many "
            "steps of each seed"
        )


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
    kept_aside = {
        "conventional": [entry["validation_loss"] for entry in conventional],
        "best_repetition": [entry["sessions"][entry["best_session"] - 1]["validation_loss"] for entry in repetitive],
        "last_repetition": [entry["sessions"][-1]["validation_loss"] for entry in repetitive],
    }
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
        "validation_loss": {name: _spread(v) for name, v in kept_aside.items() if None not in v},
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
        rows = [(int(row["session"]), float(row["loss"])) for row in csv.DictReader(file)]
    sessions = []
    for entry in run["sessions"]:
        losses = [loss for session, loss in rows if session == entry["session"]]
        kept = {key: entry[key] for key in ("session", "subset", "layers", "average_loss", "validation_loss")}
        sessions.append({**kept, "steps": len(losses), **saturation(losses)})
    return {"sessions": sessions, "best_session": run["best_session"], "losses": [loss for _, loss in rows]}


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
    labels = ["conv.", "its\nlast", *(str(i) for i in range(1, averages.shape[1] + 1))]
    colours = ["tab:orange", "moccasin", *["tab:blue"] * averages.shape[1]]
    bars.bar(labels, heights, yerr=spread, color=colours, capsize=3)
    bars.set(ylabel="average loss", xlabel="conventional, and repetitions", title="Average loss (mean and sd of seeds)")
    aside = np.array([[s["validation_loss"] for s in run["sessions"]] for run in runs["repetitive"]], float)
    if not np.isnan(aside).any():
        first = summary["validation_loss"]["conventional"]["mean"]
        bars.plot([0, *range(2, len(labels))], [first, *aside.mean(0)], "kD", ms=4, label="on images kept aside")
        bars.legend(loc="lower right", fontsize="small")
    for kind, colour in zip(KINDS, ("tab:orange", "tab:blue"), strict=True):
        for number, run in enumerate(runs[kind]):
            curve, before = smoothed(run["losses"]), 0
            curves.plot(1 + np.arange(len(curve)), curve, color=colour, alpha=0.7, lw=1, label=None if number else kind)
            for session in run["sessions"]:
                if session["saturation_step"] is not None:
                    at = before + session["saturation_step"]
                    curves.plot(at, curve[at - 1], "o", color=colour, ms=4)
                before += session["steps"]
    ends = np.cumsum([s["steps"] for s in runs["repetitive"][0]["sessions"]])[:-1]
    for end in ends:
        curves.axvline(end, color="grey", lw=0.5, ls=":")
    curves.set(
        xlabel="step", ylabel="batch loss, smoothed", title="Batch losses; dotted: a repetition ends; dot: saturation"
    )
    curves.set_ylim(0, 1.5 * float(np.percentile(runs["conventional"][0]["losses"], 90)))
    curves.legend()
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=120)
    write_atomic(path, drawn.getvalue())
    plt.close(figure)


def report(summary: dict[str, Any]) -> str:
    """The study in four lines."""
    losses = {name: f"{v['mean']:.4f} (sd {v['sd']:.4f})" for name, v in summary["average_loss"].items()}
    gain = {name: f"{v['mean']:+.4f} (sd {v['sd']:.4f})" for name, v in summary["gain"].items()}
    aside = ", ".join(
        f"{name.replace('_', ' ')} {v['mean']:.4f} (sd {v['sd']:.4f})" for name, v in summary["validation_loss"].items()
    )
    repetitions = [session for entry in summary["repetitive"] for session in entry["sessions"]]
    return (
        f"average loss: conventional {losses['conventional']}, its last steps {losses['conventional_last_steps']}, "
        f"best repetition {losses['best_repetition']}\n"
        f"repetition lowers it by {gain['over_whole_session']} against the whole session, "
        f"{gain['over_last_steps']} against its last steps\n"
        f"{f'on images kept aside: {aside}' if aside else 'no images were kept aside (validation in the recipe)'}\n"
        f"saturation at {_where(summary['conventional'])} of the conventional session, "
        f"at {_where(repetitions)} of a repetition"
    )


def _where(sessions: list[dict[str, Any]]) -> str:
    """At which share sessions saturate, on average, and how many of them prematurely."""
    shares = [session["saturation_share"] for session in sessions if session["saturation_share"] is not None]
    if not shares:
        return "no step"
    premature = sum(bool(session["premature"]) for session in sessions)
    return f"{np.mean(shares):.0%} (premature in {premature} of {len(sessions)})"
