"""The commands that take a network: ``predict``, ``average`` and ``export``. Torch, which takes seconds, is loaded when
one computes, after what it reads is known to be there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from handforge.console import PATH, Number, echo, output_file, session_number
from handforge.dataset.records import CATEGORIES
from handforge.progress import progress
from handforge.text import counted
from trainer.weights import SHIPPED, weights_path


@click.command()
@click.option(
    "--weights", type=PATH, help="A run folder, a .safetensors file, or shipped, handforge's own network  [shipped]."
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
    help="Look at four views of every image in place of --zoom: finds more, and cuts better; four to five times "
    "slower.",
)
@click.option(
    "--zoom/--no-zoom",
    default=True,
    help="Look once more, and closer, at what is small: surer scores and finer masks; without it small hands take "
    "half the time  [zoom].",
)
@click.option("--frames", type=click.IntRange(1), help="Number of frames of each video or of a camera to stop after.")
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
    if category and weights not in (None, Path(SHIPPED)):
        raise click.UsageError("--category chooses one of the shipped networks; leave it or --weights out")
    from trainer.inference.inputs import open_camera, open_source

    if camera is not None:
        source = open_camera(camera, frames)
    else:
        source = open_source(sources, recursive=recursive, limit=frames, leave_out=out)
    if frames and not source.clips:
        raise click.UsageError("--frames is for a video or a camera")
    if options["track"] and not source.clips:
        raise click.UsageError("--track is for a video or a camera")
    path = weights_path(weights or SHIPPED, category or "hand")

    import torch

    from trainer.inference import predict as prediction
    from trainer.inference.summary import summary_lines
    from trainer.models.networks import pick_device

    if threads:
        torch.set_num_threads(threads)
    with progress(unit="images") as bar:
        task = bar.add_task("predict", total=source.count)
        record = prediction.predict(
            path,
            source,
            out,
            prediction.PredictOptions(device=pick_device(device), keep_unfinished=True, **options),
            on_done=lambda count: bar.update(task, advance=count),
        )
    for line in summary_lines(record, out):
        echo(line)
    if record["left"]:
        click.get_current_context().exit(130)
    if record["skipped"]:
        click.get_current_context().exit(1)


@click.command()
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

    Each NETWORK is a run folder, a weights file, or shipped: predict's own network. They have to be of one line,
    as the sessions of a run and what was trained on from them: the mean is as fast as one, and often finds more than
    each.

    \b
    handforge average run/sessions/03.safetensors run/sessions/04.safetensors --out mean.safetensors
    handforge average shipped longer --imagenet 0.25 --out mean.safetensors
    handforge predict photos --weights mean.safetensors --out found
    """  # noqa: D301 - click wants the real control character
    if len(networks) < 2 and not imagenet:
        raise click.UsageError("the mean of one network is that network; name two or more, or give --imagenet")
    if out.suffix != ".safetensors":
        raise click.BadParameter(f"{out} does not end in .safetensors", param_hint="--out")
    _keep_others_json(out)
    paths = [weights_path(path) for path in networks]

    from trainer.models import averaging

    share = f" and a share of {imagenet:g} of ImageNet's weights" if imagenet else ""
    averaging.average(paths, out, imagenet)
    echo(f"{out} and {out.with_suffix('.json').name}: the mean of {counted(len(networks), 'network')}{share}")


def _keep_others_json(out: Path) -> None:
    """Refuse weights beside a JSON file of their name that is not theirs: the description of them would replace it."""
    beside = out.with_suffix(".json")
    if beside.exists() and not out.exists():
        said = f"{beside} is there, and what describes {out.name} would replace it; name another file"
        raise click.BadParameter(said, param_hint="--out")


@click.command()
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

    RUN is a run folder, a weights file, or shipped: predict's own network. The written network is loaded again
    and has to find in --image what the original finds. It takes an image as float32 in 0..1, (3, H, W) RGB: TorchScript
    a list of them of any size, ONNX one of --image's size.

    \b
    handforge export shipped --format onnx --image photo.jpg --out hands.onnx
    handforge export run --format safetensors --image photo.jpg --out hands.safetensors --license CC-BY-4.0
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.image_io import image_header

    if kind == "safetensors":
        _keep_others_json(out)
    elif license_ or about:
        raise click.UsageError("--license and --about are for --format safetensors")
    run = weights_path(run)
    with image_header(image):
        pass  # it is there

    from trainer.inference.export import export_half, export_network

    if kind == "safetensors":
        echo(export_half(run, out, image, score, license=license_, about=about))
    else:
        echo(export_network(run, kind, out, image, score))
