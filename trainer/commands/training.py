"""The commands that train: ``train``, ``repeat``, ``fine-tune`` and ``study``. Torch is loaded when one computes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handforge.console import PATH, complete, complete_list, echo
from handforge.dataset.reader import require_dataset
from handforge.dataset.records import CATEGORIES
from trainer.config.recipe import AUTO, INITS, LAYER_WORDS, REAL_SETS
from trainer.config.recipe_file import load, shipped
from trainer.config.tasks import TASKS
from trainer.weights import SHIPPED, weights_path

if TYPE_CHECKING:
    from trainer.loop.launch import Options

_RESUME = click.option(
    "--resume", is_flag=True, help="Continue the run in --out where it was interrupted; without one, begin it."
)
_SEED = click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1), help="Seed of all random draws."
)
_WORKERS = click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Threads for images.")
_DEVICE = click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if any.")
_THREADS = click.option(
    "--threads", type=click.IntRange(1), help="Threads that compute  [one a core; a continued run's own]."
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say which steps, how long and how much disk; does a few.")


def _categories(context: click.Context) -> list[str]:
    """The categories of the datasets that the command line names; none if one cannot be read."""
    try:
        read = [json.loads((Path(folder) / "annotations.json").read_bytes()) for folder in context.params["data"]]
        return list(dict.fromkeys(category["name"] for content in read for category in content["categories"]))
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _training_options(command: Any) -> Any:
    options = [
        click.option(
            "--recipe",
            required=True,
            metavar="NAME|FILE",
            help="See handforge recipes; or a .toml file.",
            shell_complete=complete(shipped),
        ),
        click.option(
            "--data",
            required=True,
            type=PATH,
            multiple=True,
            help="A dataset folder to train on; given several times, they are learned as one, categories by name.",
        ),
        click.option("--task", type=click.Choice(list(TASKS)), help="What to find, in place of the recipe's."),
        click.option(
            "--categories",
            metavar="NAME[,NAME...]",
            shell_complete=complete_list(_categories),
            help="Categories of the data to learn  [the recipe's, or all; of hand and hand+forearm the network's].",
        ),
        click.option(
            "--real", type=PATH, multiple=True, help="A dataset of real images, put into every subset; may be repeated."
        ),
        click.option(
            "--real-sets", type=click.Choice(REAL_SETS), help="Several --real in every session, or session by session."
        ),
        click.option("--replicate", type=click.IntRange(1), help="Copies of each real image a subset  [the recipe's]."),
        click.option("--out", required=True, type=PATH, help="The run folder."),
        click.option(
            "--keep", type=click.IntRange(0), metavar="N", help="Keep the networks of the last N sessions  [all]."
        ),
        click.option(
            "--init",
            help="coco, imagenet, none, shipped (predict's network), a run folder or a weights file, in place of the "
            "recipe's.",
            shell_complete=complete(lambda: (*INITS, SHIPPED)),
        ),
        click.option(
            "--layers",
            metavar="WORD[,WORD...]",
            shell_complete=complete_list(lambda context: (*LAYER_WORDS, AUTO)),
            help="all, 3+, 4+, 5+, heads, for all sessions or one a session, in place of the recipe's; auto tries each "
            "for a few steps and takes the best on images held out.",
        ),
        *(_RESUME, _SEED, _WORKERS, _DEVICE, _THREADS),
        click.option("--tensorboard", is_flag=True, help="Also write OUT/tensorboard: losses, rates, images."),
        _DRY_RUN,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_training_options
def train(**options: Any) -> None:
    """One conventional session on the whole set.

    A recipe of several sessions is trained as one with as many steps, set up like the first.

    \b
    handforge train --recipe cpu-minutes --data rooms --out conventional
    """  # noqa: D301 - click wants the real control character
    _train("train", **options)


@click.command()
@_training_options
def repeat(**options: Any) -> None:
    """Repetitive training: the recipe's sessions, each on its subset, from the network of the last.

    \b
    handforge repeat --recipe cpu-real --data rooms --out run --dry-run
    handforge repeat --recipe cpu-real --data rooms --out run
    handforge repeat --recipe cpu-real --data rooms --out run --resume
    handforge repeat --recipe cpu-real --data rooms --data gloves --out both
    """  # noqa: D301 - click wants the real control character
    _train("repeat", **options)


def _train(command: str, dry_run: bool, **options: Any) -> None:
    options["recipe"] = load(options["recipe"])
    _require(options["data"] + options["real"], options["init"] or options["recipe"].network.init)

    from trainer.loop.launch import Options

    _start(command, Options(words=_words(), **options), dry_run)


def _require(folders: Iterable[Path], init: str) -> None:
    """Refuse datasets and a network that are not there, before torch is loaded, which takes seconds."""
    for folder in folders:
        require_dataset(folder)
    if init not in INITS:
        weights_path(init)


def _words() -> list[str]:
    """The command line's words as ``run.json`` keeps them."""
    return [word for word in sys.argv[2:] if word != "--dry-run"]


def _start(command: str, chosen: Options, dry_run: bool) -> None:
    from trainer.loop import launch

    if dry_run:
        echo(launch.estimate(command, chosen))
    else:
        launch.train(command, chosen)


@click.command("fine-tune")
@click.option("--data", "own", required=True, type=PATH, help="The dataset folder of your images, ten to two hundred.")
@click.option("--out", required=True, type=PATH, help="The run folder.")
@click.option(
    "--rendered",
    type=PATH,
    multiple=True,
    help="A dataset of rendered images to mix in, half and half, so that nothing is forgotten; may be repeated.",
)
@click.option(
    "--init",
    default="shipped",
    show_default=True,
    metavar="RUN|FILE",
    help="The network to go on from: a run folder or a weights file; shipped: predict's own.",
)
@click.option(
    "--category",
    type=click.Choice(list(CATEGORIES.values())),
    help="What is to be masked  [what your masks cover].",
)
@click.option(
    "--recipe",
    default="fine-tune",
    show_default=True,
    metavar="NAME|FILE",
    shell_complete=complete(shipped),
    help="Steps and learning rate; network and size of images are those of --init.",
)
@_RESUME
@_SEED
@_WORKERS
@_DEVICE
@_THREADS
@_DRY_RUN
def fine_tune(dry_run: bool, **options: Any) -> None:
    """Train a network further on some tens of your own images.

    Keep some images apart to test on: handforge dataset split.

    \b
    handforge fine-tune --data mine --out run-mine
    handforge fine-tune --data mine --rendered rooms --init run --out run-mine
    """  # noqa: D301 - click wants the real control character
    options["recipe"] = load(options["recipe"])
    _require((options["own"], *options["rendered"]), options["init"])

    from trainer.loop.fine_tune import training_options

    _start("fine-tune", training_options(words=_words(), **options), dry_run)


@click.command()
@click.argument("study", required=False, default="fig2", metavar="[STUDY]")
@click.option("--out", required=True, type=PATH, help="The study's folder; an unfinished study in it continues.")
@click.option("--data", type=PATH, help="The dataset folder to train on, in place of the study's.")
@click.option("--recipe", metavar="NAME|FILE", help="What the arms share, in place of the study's.")
@click.option("--init", help="coco, imagenet, none, shipped, a run folder or a weights file, in place of the study's.")
@click.option("--seeds", type=click.IntRange(1), help="Number of seeds, counted from 0, in place of the study's.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Trainings at once, a process each."
)
@click.option(
    "--threads", type=click.IntRange(1), help="Threads of each training  [cores / workers; a continued study's own]."
)
@_DEVICE
@click.option("--dry-run", is_flag=True, help="Train nothing: time a few steps, and say what the study will take.")
def study(study: str, out: Path, workers: int, threads: int | None, device: str, dry_run: bool, **changes: Any) -> None:
    """Train arms that differ in a few settings with several seeds, test them, and say what follows.

    STUDY is a TOML file, or one that is built in: fig2 (the default: one conventional session beside repetition, as in
    the paper's Fig. 2), claim, claim-real. What is judged stands in it before the first run. OUT/report.html has the
    tables, curves, paired differences with 95 % intervals, and a conclusion.

    \b
    handforge study --data rooms --out study --seeds 3
    handforge study claim --out claim --workers 2 --dry-run
    handforge study claim --out claim --workers 2
    """  # noqa: D301 - click wants the real control character
    from trainer.loop import study_command

    seeds = changes.pop("seeds")
    changes["seeds"] = list(range(seeds)) if seeds else None
    changes["data"] = str(changes["data"]) if changes["data"] else None
    study_command.study(study, out, workers, threads, device, dry_run, sys.argv[2:], changes)
