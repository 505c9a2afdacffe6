"""The command ``hand-trainer``. Torch is loaded by the commands that compute, never by ``--help``."""

from __future__ import annotations

import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handforge.console import PATH, SETTINGS, Group, Number, progress
from trainer.config.tasks import TASKS

if TYPE_CHECKING:
    from handforge.dataset.importers.folder import About


CONTINUES = {
    "train": "the same command with --resume continues",
    "repeat": "the same command with --resume continues",
    "study": "the same command continues",
}
"""What to do after Ctrl-C, by command; the others leave nothing to continue."""


@click.group(cls=Group, continues=CONTINUES, context_settings=SETTINGS)
@click.version_option(package_name="handforge")
def main() -> None:
    """Train Mask R-CNN on hands, in one session or repetitively, and predict with it.

    \b
    hand-generator render --set all --out data --count 400
    hand-trainer repeat --recipe demo --data data --out run
    hand-trainer predict --weights run photos --out found --overlays
    """  # noqa: D301 - click wants the real control character


@main.group(name="import")
def import_() -> None:
    """Make a dataset folder of real images."""


_COUNT = click.option("--count", type=click.IntRange(1), help="Take so many images, spread evenly over all.")
_LABEL = click.option("--label", default="hand", show_default=True, help="The label that hands have.")


def _min_area(default: int) -> Any:
    text = "Drop pieces of a mask with fewer pixels than this."
    return click.option("--min-area", default=default, show_default=True, type=click.IntRange(0), help=text)


def _about(mask: str = "hand", all_hands: bool | None = None) -> Any:
    """Options that say what a source is; the command gets them as ``about``.

    :param all_hands: what is known of the source without asking; None asks.
    """

    def decorate(command: Any) -> Any:
        @wraps(command)
        def call(mask: str, background: str | None, scale: str | None, **rest: Any) -> None:
            from handforge.dataset.importers.folder import About

            command(about=About(mask, background, scale, rest.pop("all_hands", all_hands)), **rest)

        options = [
            click.option(
                "--mask",
                type=click.Choice(["hand", "hand+forearm"]),
                default=mask,
                show_default=True,
                help="What the masks cover; predictions are compared with truth of the same kind.",
            ),
            click.option("--background", metavar="WORD", help="A name for it; sets of the same name are similar."),
            click.option("--scale", metavar="WORD", help="A name for the hands' size; without it, it is measured."),
        ]
        if all_hands is None:
            text = "Whether every hand in the images is annotated."
            options.append(click.option("--all-hands/--not-all-hands", default=None, help=text))
        for option in reversed(options):
            call = option(call)
        return call

    return decorate


@import_.command(name="masks")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@_min_area(0)
@click.option("--split", is_flag=True, help="Each connected piece of a mask is a hand of its own.")
@_about()
def import_masks_command(source: Path, out: Path, about: About, min_area: int, split: bool) -> None:
    """SOURCE holds images/ and masks/ with the same stems; a mask is bright where the hand is.

    What a mask shows is one hand, unless --split says that its pieces are hands.
    """
    from handforge.dataset.importers.masks import import_masks

    count, without = import_masks(source, out, about, min_area, split)
    _imported(out, count)
    if without:
        click.echo(f"{len(without)} masks have no image in {source / 'images'}, {without[0]} for one", err=True)


@import_.command(name="egohands")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option("--hands", type=click.Choice(["right", "all"]), default="right", show_default=True)
@_COUNT
@_about(all_hands=False)
def import_egohands_command(source: Path, out: Path, about: About, hands: str, count: int | None) -> None:
    """SOURCE holds EgoHands' _LABELLED_SAMPLES; the paper takes 128 images, right hands only or all."""
    from handforge.dataset.importers.egohands import import_egohands

    _imported(out, import_egohands(source, out, about, hands, count))


@import_.command(name="hgr")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@_min_area(50)
@_about("hand+forearm", all_hands=True)
def import_hgr_command(source: Path, out: Path, about: About, min_area: int) -> None:
    """SOURCE holds Kawulok's original_images and skin_masks; the masks cover hand and forearm.

    With feature_points beside them, the wrists are known: --mask hand cuts the masks off there.
    """
    from handforge.dataset.importers.hgr import import_hgr

    _imported(out, import_hgr(source, out, about, min_area))
    if not (source / "feature_points").is_dir():
        click.echo(f"{source} has no feature_points, so hands cannot be told from forearms (score --region hand)")


@import_.command(name="hands11k")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@_COUNT
@_about(all_hands=True)
def import_hands11k_command(source: Path, out: Path, about: About, count: int | None) -> None:
    """SOURCE holds HandInfo.csv and Hands/; masks/ if there, else masks are made from the white background."""
    from handforge.dataset.importers.hands11k import import_hands11k

    _imported(out, import_hands11k(source, out, about, count))


@import_.command(name="annotations")
@click.argument("source", type=PATH)
@click.argument("images", type=PATH)
@click.argument("out", type=PATH)
@_LABEL
@_about()
def import_annotations_command(source: Path, images: Path, out: Path, about: About, label: str) -> None:
    """SOURCE is a COCO .json, a CVAT .xml, or a folder of LabelMe's .json files about the images in IMAGES."""
    from handforge.dataset.importers.annotations import import_annotations

    count, absent = import_annotations(source, images, out, about, label)
    _imported(out, count)
    if absent:
        click.echo(f"{len(absent)} images of {source} are not in {images}, {absent[0]} for one", err=True)


@import_.command(name="video")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option("--truth", required=True, type=PATH, help="Masks or annotations named by the frame's number, from 0.")
@_LABEL
@_about()
def import_video_command(source: Path, out: Path, about: About, truth: Path, label: str) -> None:
    """SOURCE is a video; the frames that --truth knows become the dataset."""
    from handforge.dataset.importers.video import import_video

    _imported(out, import_video(source, truth, out, about, label))


def _imported(out: Path, count: int) -> None:
    from handforge.dataset import Dataset

    hands = Dataset(out).info["hands"]
    click.echo(f"{out}: {count} images with {hands} hands")
    if not hands:
        click.echo("No image has a hand: look at the masks, and at the options that leave hands out", err=True)


def _training_options(command: Any) -> Any:
    options = [
        click.option("--recipe", required=True, metavar="NAME|FILE", help="See hand-trainer recipes; or a .toml file."),
        click.option("--data", required=True, type=PATH, help="The dataset folder to train on."),
        click.option("--task", type=click.Choice(list(TASKS)), help="What to find, in place of the recipe's."),
        click.option("--real", type=PATH, help="A dataset of real images, put into every subset."),
        click.option("--replicate", type=click.IntRange(1), help="Copies of each real image a subset  [the recipe's]."),
        click.option("--out", required=True, type=PATH, help="The run folder."),
        click.option("--init", help="coco, imagenet, none, a run folder or a weights file, in place of the recipe's."),
        click.option(
            "--layers",
            metavar="WORD[,WORD...]",
            help="all, 3+, 4+, 5+, heads, for all sessions or one a session, in place of the recipe's; auto tries each "
            "for a few steps and takes the best on images kept aside.",
        ),
        click.option(
            "--resume", is_flag=True, help="Continue the run in --out where it was interrupted; without one, begin it."
        ),
        click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1)),
        click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Threads for images."),
        click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if any."),
        click.option("--tensorboard", is_flag=True, help="Also write OUT/tensorboard: losses, rates, images."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@main.command()
@_training_options
def train(**options: Any) -> None:
    """One conventional session on the whole set.

    A recipe of several sessions is trained as one with as many steps, set up like the first.
    """
    _train("train", options)


@main.command()
@_training_options
def repeat(**options: Any) -> None:
    """Repetitive training: the recipe's sessions, each on its subset, from the network of the last."""
    _train("repeat", options)


def _train(command: str, options: dict[str, Any]) -> None:
    from trainer.loop import launch

    launch.train(command, launch.Options(words=sys.argv[2:], **options))


@main.command()
def recipes() -> None:
    """List the recipes that come with hand-trainer."""
    from trainer.config.recipe import load, shipped

    for name in shipped():
        click.echo(f"{name:18}{load(name).about}")


@main.command()
@click.option("--recipe", default="cpu-study", show_default=True, metavar="NAME|FILE", help="What the repetitions are.")
@click.option("--data", required=True, type=PATH, help="The dataset folder to train on.")
@click.option("--out", required=True, type=PATH, help="The study's folder; an unfinished study in it continues.")
@click.option("--init", help="coco, imagenet, none, a run folder or a weights file, in place of the recipe's.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="So many seeds, from 0.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Threads for images.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if any.")
def study(out: Path, seeds: int, **options: Any) -> None:
    """Conventional beside repetitive training, with as many steps, from the same start: the paper's Fig. 2.

    Writes study.json and study.png; the runs themselves are in seedN-conventional and seedN-repetitive.
    """
    from trainer.loop import launch
    from trainer.loop import study as comparison

    comparison.check_folder(out)
    comparison.check_recipe(options["recipe"])
    for seed in range(seeds):
        for command, kind in (("train", "conventional"), ("repeat", "repetitive")):
            run = comparison.run_folder(out, seed, kind)
            words = ["--recipe", options["recipe"], "--data", str(options["data"]), "--out", str(run)]
            words += [*(["--init", options["init"]] if options["init"] else []), "--seed", str(seed)]
            launch.train(command, launch.Options(out=run, seed=seed, words=words, resume=True, **options))
    click.echo(comparison.report(comparison.summarise(out, list(range(seeds)))))


@main.command()
@click.option("--weights", required=True, type=PATH, help="A run folder, or a network.safetensors.")
@click.argument("source", type=PATH, required=False)
@click.option("--camera", metavar="N|DEVICE", help="In place of SOURCE: a camera by its number, from 0, or its name.")
@click.option("--out", required=True, type=PATH, help="Folder for results.json.")
@click.option("--overlays", is_flag=True, help="Also draw the hands into each image, or into a video.")
@click.option("--masks", is_flag=True, help="Also write each image's mask, 255 on hands of score 0.5 and more.")
@click.option(
    "--tta",
    is_flag=True,
    help="Look at four views of every image: finds more, and cuts better; four to five times slower.",
)
@click.option("--pixels", type=PATH, help="A network for pixels that has its say on the scores: fewer false hands.")
@click.option("--frames", type=click.IntRange(1), help="Stop after so many frames of a video or camera.")
@click.option("--score", default=0.05, show_default=True, type=Number(0, 1), help="Leave out hands below.")
@click.option("--batch", default=4, show_default=True, type=click.IntRange(1), help="Images at once.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 ...; auto: cuda if there is one.")
def predict(
    weights: Path, source: Path | None, camera: str | None, out: Path, frames: int | None, device: str, **options: Any
) -> None:
    """Find the hands of SOURCE: an image, a folder of images, a dataset folder, or a video.

    A camera (--camera 0) goes on until Ctrl-C, which ends it with all files written.
    """
    if (source is None) == (camera is None):
        raise click.UsageError("give a SOURCE or --camera, one of the two")
    from trainer.inference import predict as prediction
    from trainer.inference.inputs import open_camera, open_source
    from trainer.loop.launch import pick_device

    opened = open_camera(camera, frames) if camera is not None else open_source(source or Path(), frames)
    if frames and not opened.stream:
        raise click.UsageError("--frames is for a video or a camera")
    with progress(unit="images") as bar:
        task = bar.add_task("predict", total=opened.count)
        summary = prediction.predict(
            weights, opened, out, pick_device(device), on_done=lambda count: bar.update(task, advance=count), **options
        )
    rate = summary["pictures"] / max(summary["seconds"], 1e-9)
    click.echo(f"{out}: {summary['pictures']} images, {rate:.1f} a second")


@main.command()
@click.argument("run", type=PATH)
@click.option("--format", "kind", required=True, type=click.Choice(["torchscript", "onnx"]), help="What to write.")
@click.option("--out", required=True, type=PATH, help="The file to write, .pt or .onnx.")
@click.option("--picture", required=True, type=PATH, help="An image on which both networks have to agree.")
@click.option("--score", default=0.05, show_default=True, type=Number(0, 1), help="Leave out hands below.")
def export(run: Path, kind: str, out: Path, picture: Path, score: float) -> None:
    """Write the network of RUN (a run folder or a weights file) for other programs.

    The written network is loaded again and has to find in --image what the original finds. It takes an image as
    float32 in 0..1, (3, H, W) RGB: TorchScript a list of them of any size, ONNX one of --image's size.
    """
    from trainer.inference.export import export_network

    click.echo(export_network(run, kind, out, picture, score))
