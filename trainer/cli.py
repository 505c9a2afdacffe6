"""The command ``hand-trainer``. Torch is loaded by the commands that compute, never by ``--help``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from handforge.console import PATH, SETTINGS, Group, Number, complete, complete_list, echo, output_file, session_number
from handforge.dataset.importers.commands import import_group
from handforge.dataset.records import CATEGORIES
from handforge.progress import progress
from trainer.config.recipe import AUTO, INITS, LAYER_WORDS, REAL_SETS
from trainer.config.recipe_file import load, shipped
from trainer.config.recipe_text import as_toml
from trainer.config.tasks import TASKS
from trainer.weights import SHIPPED, shipped_weights

CONTINUES = {
    "train": "the same command with --resume continues",
    "repeat": "the same command with --resume continues",
    "fine-tune": "the same command with --resume continues",
    "study": "the same command continues",
}
"""What to do after Ctrl-C, by command; the others leave nothing to continue."""

ANY_NAMES = ("predict",)
"""Commands that take files whose names are not UTF-8."""


@click.group(cls=Group, continues=CONTINUES, any_names=ANY_NAMES, context_settings=SETTINGS)
@click.version_option(package_name="handforge")
def main() -> None:
    """Train Mask R-CNN on hands, in one session or repetitively, and predict with it.

    \b
    handforge render --set all --out data --count 400
    handforge repeat --recipe demo --data data --out run
    handforge predict --weights run photos --out found --overlays
    """  # noqa: D301 - click wants the real control character


main.add_command(import_group)


_threads = click.option(
    "--threads", type=click.IntRange(1), help="Threads that compute  [one a core; a continued run's own]."
)


def _categories(context: click.Context) -> list[str]:
    """The categories of the datasets that the command line names; none if one cannot be read."""
    try:
        read = [json.loads((Path(folder) / "annotations.json").read_bytes()) for folder in context.params["data"]]
        return list(dict.fromkeys(category["name"] for content in read for category in content["categories"]))
    except (OSError, ValueError, KeyError, TypeError):
        return []


_RECIPE_HELP = "See handforge recipes; or a .toml file."


def _training_options(command: Any) -> Any:
    options = [
        click.option(
            "--recipe", required=True, metavar="NAME|FILE", help=_RECIPE_HELP, shell_complete=complete(shipped)
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
        click.option(
            "--resume", is_flag=True, help="Continue the run in --out where it was interrupted; without one, begin it."
        ),
        click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1)),
        click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Threads for images."),
        click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if any."),
        _threads,
        click.option("--tensorboard", is_flag=True, help="Also write OUT/tensorboard: losses, rates, images."),
        click.option("--dry-run", is_flag=True, help="Only say which steps, how long and how much disk; does a few."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@_training_options
def train(**options: Any) -> None:
    """One conventional session on the whole set.

    A recipe of several sessions is trained as one with as many steps, set up like the first.

    \b
    handforge train --recipe cpu-minutes --data rooms --out conventional
    """  # noqa: D301 - click wants the real control character
    _train("train", options)


@main.command()
@_training_options
def repeat(**options: Any) -> None:
    """Repetitive training: the recipe's sessions, each on its subset, from the network of the last.

    \b
    handforge repeat --recipe cpu-real --data rooms --out run --dry-run
    handforge repeat --recipe cpu-real --data rooms --out run
    handforge repeat --recipe cpu-real --data rooms --out run --resume
    handforge repeat --recipe cpu-real --data rooms --data gloves --out both
    """  # noqa: D301 - click wants the real control character
    _train("repeat", options)


def _train(command: str, options: dict[str, Any]) -> None:
    from trainer.loop import launch

    dry_run = options.pop("dry_run")
    chosen = launch.Options(words=[word for word in sys.argv[2:] if word != "--dry-run"], **options)
    if dry_run:
        echo(launch.estimate(command, chosen))
    else:
        launch.train(command, chosen)


@main.command("fine-tune")
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
    help="The network to go on from: a run folder or a weights file; shipped: the one that comes along.",
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
@click.option(
    "--resume", is_flag=True, help="Continue the run in --out where it was interrupted; without one, begin it."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Threads for images.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if any.")
@_threads
@click.option("--dry-run", is_flag=True, help="Only say which steps, how long and how much disk; does a few.")
def fine_tune(dry_run: bool, **options: Any) -> None:
    """Train a network further on some tens of your own images.

    Keep some images apart to test on: handforge dataset split.

    \b
    handforge fine-tune --data mine --out run-mine
    handforge fine-tune --data mine --rendered rooms --init run --out run-mine
    """  # noqa: D301 - click wants the real control character
    from trainer.loop import launch
    from trainer.loop.fine_tune import training_options

    chosen = training_options(words=[word for word in sys.argv[2:] if word != "--dry-run"], **options)
    if dry_run:
        echo(launch.estimate("fine-tune", chosen))
    else:
        launch.train("fine-tune", chosen)


@main.group(invoke_without_command=True)
@click.pass_context
def recipes(context: click.Context) -> None:
    """List the recipes that come along, or show all keys of one.

    \b
    handforge recipes                              the recipes
    handforge recipes show cpu-real > mine.toml    a recipe of one's own to start from
    handforge repeat --recipe mine.toml --data rooms --out run
    """  # noqa: D301 - click wants the real control character
    if context.invoked_subcommand is None:
        for name in shipped():
            echo(f"{name:22}{load(name).description}")
        echo("handforge recipes show NAME shows all keys of one", err=True)


@recipes.command("show")
@click.argument("name", metavar="NAME|FILE", shell_complete=complete(shipped))
def recipes_show(name: str) -> None:
    """Print all keys of a recipe: each with what it means, as a TOML file.

    \b
    handforge recipes show cpu-real > mine.toml
    """  # noqa: D301 - click wants the real control character
    echo(as_toml(load(name)), nl=False)


@main.command()
@click.argument("study", required=False, default="fig2", metavar="[STUDY]")
@click.option("--out", required=True, type=PATH, help="The study's folder; an unfinished study in it continues.")
@click.option("--data", type=PATH, help="The dataset folder to train on, in place of the study's.")
@click.option("--recipe", metavar="NAME|FILE", help="What the arms share, in place of the study's.")
@click.option("--init", help="coco, imagenet, none, shipped, a run folder or a weights file, in place of the study's.")
@click.option("--seeds", type=click.IntRange(1), help="So many seeds, from 0, in place of the study's.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1), help="Trainings at once, a process each."
)
@click.option(
    "--threads", type=click.IntRange(1), help="Threads of each training  [cores / workers; a continued study's own]."
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if any.")
@click.option("--dry-run", is_flag=True, help="Train nothing: time a few steps, and say what the study will take.")
def study(study: str, out: Path, workers: int, threads: int | None, device: str, dry_run: bool, **changes: Any) -> None:
    """Train arms that differ in a few settings with several seeds, test them, and say what follows.

    STUDY is a TOML file, or one that comes along: fig2 (the default: one conventional session beside repetition, as in
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


@main.command()
@click.option(
    "--weights", type=PATH, help="A run folder, or a .safetensors file  [the network that comes with handforge]."
)
@click.option(
    "--category",
    type=click.Choice(list(CATEGORIES.values())),
    help="Without --weights: whether masks end at the wrist or include the forearm  [hand].",
)
@click.argument("sources", type=PATH, nargs=-1, metavar="SOURCE...")
@click.option(
    "--session",
    default="best",
    show_default=True,
    metavar="K|best|last",
    callback=session_number,
    help="Which of a run's networks: of a session by its number, the best by average loss, or the last.",
)
@click.option("--camera", metavar="N|DEVICE", help="In place of SOURCE: a camera by its number, from 0, or its name.")
@click.option("--recursive", is_flag=True, help="Search the folders in folders, too.")
@click.option("--out", required=True, type=PATH, help="Folder for results.json.")
@click.option("--overlays", is_flag=True, help="Also draw the hands into each image, or into a video.")
@click.option("--masks", is_flag=True, help="Also write each image's mask, 255 on hands.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["coco", "labelme", "yolo", "csv", "png", "cutout"]),
    help="Also write another tool's files; png: an image of the hands' numbers; cutout: the hands alone, RGBA. May be "
    "repeated.",
)
@click.option(
    "--mask-threshold",
    default=0.5,
    show_default=True,
    type=Number(0, 1),
    help="Probability from which on a pixel is of a mask; lower: larger masks.",
)
@click.option("--track", is_flag=True, help="Of videos: number the hands; each keeps its number and colour.")
@click.option(
    "--min-score",
    "--score",
    type=Number(0, 1),
    help="Leave out hands below  [0.05 in results.json, 0.5 in all else].",
)
@click.option(
    "--tta",
    is_flag=True,
    help="Look at four views of every image: finds more, and cuts better; four to five times slower.",
)
@click.option(
    "--zoom/--no-zoom",
    default=True,
    help="Look once more, and closer, at what is small: surer scores and finer masks; without it small hands take "
    "half the time  [zoom].",
)
@click.option("--frames", type=click.IntRange(1), help="Stop after so many frames of each video or of a camera.")
@click.option("--strict", is_flag=True, help="Stop at the first file that cannot be read, and write nothing.")
@click.option("--batch", default=4, show_default=True, type=click.IntRange(1), help="Images at once.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if there is one.")
@click.option("--threads", type=click.IntRange(1), help="Threads that compute  [one a core].")
def predict(
    weights: Path | None,
    category: str | None,
    sources: tuple[Path, ...],
    camera: str | None,
    recursive: bool,
    out: Path,
    frames: int | None,
    device: str,
    threads: int | None,
    **options: Any,
) -> None:
    """Detect the hands in images, videos, a camera or a dataset.

    Each SOURCE is an image, a video, a folder of images and videos, or one dataset folder. Files that cannot be read
    are skipped and listed at the end; the exit code is then 1. A camera (--camera 0) goes on until Ctrl-C, which ends
    it with all files written. Of all else, Ctrl-C keeps what is done: predict.json says which files are left, and the
    exit code is 130; but earlier results in --out stay, and nothing is written then.

    \b
    handforge predict photos --out found --overlays
    handforge predict clip.mp4 --weights run --out found --overlays --track
    handforge predict photos more --recursive --out found --masks --format csv --format cutout
    handforge predict --camera 0 --out live --overlays
    """  # noqa: D301 - click wants the real control character
    if bool(sources) == (camera is not None):
        raise click.UsageError("give a SOURCE or --camera, one of the two")
    if weights and category:
        raise click.UsageError("--category chooses one of the networks that come along; leave it or --weights out")
    import torch

    from trainer.inference import predict as prediction
    from trainer.inference.inputs import open_camera, open_source
    from trainer.inference.summary import summary_lines
    from trainer.loop.launch import pick_device

    weights = weights or shipped_weights(category or "hand")
    if threads:
        torch.set_num_threads(threads)
    if camera is not None:
        source = open_camera(camera, frames)
    else:
        source = open_source(sources, recursive=recursive, limit=frames, leave_out=out)
    if frames and not source.clips:
        raise click.UsageError("--frames is for a video or a camera")
    if options["track"] and not source.clips:
        raise click.UsageError("--track is for a video or a camera")
    with progress(unit="images") as bar:
        task = bar.add_task("predict", total=source.count)
        record = prediction.predict(
            weights,
            source,
            out,
            prediction.PredictOptions(device=pick_device(device), keep_unfinished=True, **options),
            on_done=lambda count: bar.update(task, advance=count),
        )
    for line in summary_lines(record, out, prediction.MADE):
        echo(line)
    if record["left"]:
        click.get_current_context().exit(130)
    if record["skipped"]:
        click.get_current_context().exit(1)


@main.command()
@click.argument("networks", type=PATH, nargs=-1, required=True, metavar="NETWORK...")
@click.option("--out", required=True, type=PATH, callback=output_file, help="The file to write, .safetensors.")
@click.option(
    "--imagenet",
    default=0.0,
    show_default=True,
    type=Number(0, 0.99),
    metavar="SHARE",
    help="Of the mean's backbone, the share that is ImageNet's weights; 0.25 finds more in photographs.",
)
def average(networks: tuple[Path, ...], out: Path, imagenet: float) -> None:
    """Average the weights of networks into one.

    Each NETWORK is a run folder, a weights file, or shipped: the network that comes along. They have to be of one line,
    as the sessions of a run and what was trained on from them: the mean is as fast as one, and often finds more than
    each.

    \b
    handforge average run/sessions/03.safetensors run/sessions/04.safetensors --out mean.safetensors
    handforge average shipped longer --imagenet 0.25 --out mean.safetensors
    handforge predict photos --weights mean.safetensors --out found
    """  # noqa: D301 - click wants the real control character
    from trainer.models import averaging

    if len(networks) < 2 and not imagenet:
        raise click.UsageError("the mean of one network is that network; name two or more, or give --imagenet")
    if out.suffix != ".safetensors":
        raise click.BadParameter(f"{out} does not end in .safetensors", param_hint="--out")
    averaging.average([shipped_weights() if path == Path(SHIPPED) else path for path in networks], out, imagenet)
    echo(f"{out} and {out.with_suffix('.json').name}: the mean of {len(networks)} networks")


@main.command()
@click.argument("run", type=PATH)
@click.option(
    "--format",
    "kind",
    required=True,
    type=click.Choice(["torchscript", "onnx", "safetensors"]),
    help="What to write; safetensors: our own file in float16, half as large, as it is passed on.",
)
@click.option(
    "--out", required=True, type=PATH, callback=output_file, help="The file to write, .pt, .onnx or .safetensors."
)
@click.option("--image", required=True, type=PATH, help="An image on which both networks have to agree.")
@click.option("--score", default=0.05, show_default=True, type=Number(0, 1), help="Leave out hands below.")
@click.option("--license", "license_", metavar="TEXT", help="Of safetensors: the licence of the weights.")
@click.option("--about", metavar="TEXT", help="Of safetensors: what the network was trained on, and what it is for.")
def export(run: Path, kind: str, out: Path, image: Path, score: float, license_: str | None, about: str | None) -> None:
    """Write a network as ONNX, TorchScript or half-size safetensors.

    RUN is a run folder, a weights file, or shipped: the network that comes along. The written network is loaded again
    and has to find in --image what the original finds. It takes an image as float32 in 0..1, (3, H, W) RGB: TorchScript
    a list of them of any size, ONNX one of --image's size.

    \b
    handforge export shipped --format onnx --image photo.jpg --out hands.onnx
    handforge export run --format safetensors --image photo.jpg --out hands.safetensors --license CC-BY-4.0
    """  # noqa: D301 - click wants the real control character
    from trainer.inference.export import export_half, export_network

    run = shipped_weights() if run == Path(SHIPPED) else run
    if kind == "safetensors":
        echo(export_half(run, out, image, score, license=license_, about=about))
        return
    if license_ or about:
        raise click.UsageError("--license and --about are for --format safetensors")
    echo(export_network(run, kind, out, image, score))
