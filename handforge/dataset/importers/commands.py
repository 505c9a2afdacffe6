"""The commands ``import ...`` of hand-trainer and handforge."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handforge.console import PATH, Group, echo
from handforge.text import counted

if TYPE_CHECKING:
    from handforge.dataset.importers.folder import About, Imported


@click.group(name="import", cls=Group)
def import_group() -> None:
    """Make a dataset folder of real images.

    \b
    handforge dataset import masks photos out                      photos/images and photos/masks
    handforge dataset import annotations labels.json photos out    COCO, CVAT, LabelMe, VIA, YOLO, Pascal VOC
    handforge dataset import annotations l.json photos out --label all    every label a category of its own
    """  # noqa: D301 - click wants the real control character


_log = logging.getLogger(__name__)
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _count(command: Callable[..., Any]) -> Callable[..., Any]:
    text = "Number of images to take, spread evenly over all, or at random by --sample-seed.  [default: all]"
    seed = click.option(
        "--sample-seed",
        "seed",
        type=click.IntRange(0, 2**63 - 1),
        help="Draw the --count images at random, with this seed.",
    )
    return click.option("--count", type=click.IntRange(1), help=text)(seed(command))


_LABELS = click.option(
    "--label",
    "labels",
    multiple=True,
    default=("hand",),
    show_default=True,
    help="A label to take; may be given several times. Labels that name a hand (left_hand, glove) become hands, others "
    "a category of their own name; all takes every label.",
)
_BOXES = click.option(
    "--boxes", is_flag=True, help="Take objects that have only a box as rectangles, for --task detection."
)
_CROWDS = click.option(
    "--crowd-as-hand", is_flag=True, help="Take crowds, as CVAT writes painted masks, as single objects."
)
_STRICT = click.option("--strict", is_flag=True, help="End at the first file that cannot be read, and write nothing.")


def _numbers(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Whole numbers with commas between; ``#rrggbb`` is a colour."""
    try:
        words = value.split(",") if value else []
        return tuple((1 << 24) + int(word[1:], 16) if word.startswith("#") else int(word) for word in words)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not whole numbers or #rrggbb with commas between") from None


def _min_area(default: int) -> Decorator:
    text = "Drop pieces of a mask with fewer pixels than this."
    return click.option("--min-area", default=default, show_default=True, type=click.IntRange(0), help=text)


def _about(mask: str = "hand", all_hands: bool | None = None) -> Decorator:
    """Options that say what a source is; the command gets them as ``about``.

    :param all_hands: what is known of the source without asking; None asks.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
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
                help="What the masks cover; predictions are compared with ground truth of the same kind.",
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


@import_group.command(name="masks")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@_min_area(0)
@click.option("--split", is_flag=True, help="Each connected piece of a mask is a hand of its own.")
@click.option(
    "--hand-values", metavar="N[,N...]", callback=_numbers, help="Values of masks that are hands, each one of its own."
)
@click.option(
    "--ignore-values",
    metavar="N[,N...]",
    callback=_numbers,
    help="Values of masks that are neither hand nor background.",
)
@_STRICT
@_about()
def import_masks_command(
    source: Path,
    out: Path,
    about: About,
    min_area: int,
    split: bool,
    hand_values: tuple[int, ...],
    ignore_values: tuple[int, ...],
    strict: bool,
) -> None:
    """Import images and mask images.

    SOURCE holds images/ and masks/ with the same names, also in folders of their own. Masks may be black and white, or
    hold ids or colours, each a hand; 255 beside small ids is ignored, as Pascal VOC writes it. What the values were
    taken for is said at the end.

    \b
    handforge dataset import masks photographs real
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.importers.masks import import_masks

    _report(out, import_masks(source, out, about, min_area, split, hand_values, ignore_values, strict))


@import_group.command(name="classes")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@_STRICT
def import_classes_command(source: Path, out: Path, strict: bool) -> None:
    """Import a folder of images for each class, to learn with --task classification.

    \b
    handforge dataset import classes sorted gestures
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.importers.classes import import_classes

    _report(out, import_classes(source, out, strict))


@import_group.command(name="egohands")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--hands",
    type=click.Choice(["right", "all"]),
    default="right",
    show_default=True,
    help="Which hands are annotated, of both people.",
)
@click.option(
    "--files",
    type=PATH,
    help="A text file of images to choose from, each on a line as VIDEO/frame_0001.jpg: as those without heads.",
)
@_count
@_about(all_hands=False)
def import_egohands_command(
    source: Path, out: Path, about: About, hands: str, files: Path | None, count: int | None, seed: int | None
) -> None:
    """Import EgoHands.

    SOURCE holds its _LABELLED_SAMPLES. The paper takes 128 images, right hands only or all.

    \b
    handforge dataset import egohands egohands_data real --hands all --count 128
    handforge dataset import egohands egohands_data real --files without_heads.txt --count 128 --sample-seed 0
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.importers.egohands import import_egohands

    _report(out, import_egohands(source, out, about, hands, count, seed, files))


@import_group.command(name="hgr")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@_min_area(50)
@_about("hand+forearm", all_hands=True)
def import_hgr_command(source: Path, out: Path, about: About, min_area: int) -> None:
    """Import Kawulok's hand gestures (HGR), whose masks cover hand and forearm.

    SOURCE holds original_images and skin_masks. With feature_points beside them, the wrists are known: --mask hand cuts
    the masks off there.

    \b
    handforge dataset import hgr hgr real
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.importers.hgr import import_hgr

    _report(out, import_hgr(source, out, about, min_area))


@import_group.command(name="hands11k")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@_count
@_about(all_hands=True)
def import_hands11k_command(source: Path, out: Path, about: About, count: int | None, seed: int | None) -> None:
    """Import 11K Hands.

    SOURCE holds HandInfo.csv and Hands/; without masks/ beside them, masks are made from the white background.

    \b
    handforge dataset import hands11k 11k real --count 100
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.importers.hands11k import import_hands11k

    _report(out, import_hands11k(source, out, about, count, seed))


@import_group.command(name="annotations")
@click.argument("source", type=PATH)
@click.argument("images", type=PATH)
@click.argument("out", type=PATH)
@_LABELS
@_BOXES
@_CROWDS
@_STRICT
@_about()
def import_annotations_command(
    source: Path,
    images: Path,
    out: Path,
    about: About,
    labels: tuple[str, ...],
    boxes: bool,
    crowd_as_hand: bool,
    strict: bool,
) -> None:
    """Import annotations of COCO, CVAT, LabelMe, VIA, YOLO or Pascal VOC.

    SOURCE holds annotations of the images in IMAGES, also in folders.

    \b
    .json            COCO, or VIA 2
    .xml             CVAT for images or for video 1.1
    a folder of      LabelMe's .json, YOLO's .txt (boxes, polygons) or Pascal VOC's .xml files

    \b
    handforge dataset import annotations labels.json photos real
    handforge dataset import annotations labels.json photos shapes --label all
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.importers.annotations import import_annotations

    _report(out, import_annotations(source, images, out, about, labels, boxes, crowd_as_hand, strict))


@import_group.command(name="video")
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option("--truth", required=True, type=PATH, help="Masks or annotations named by the frame's number, from 0.")
@_LABELS
@_BOXES
@_CROWDS
@_about()
def import_video_command(
    source: Path, out: Path, about: About, truth: Path, labels: tuple[str, ...], boxes: bool, crowd_as_hand: bool
) -> None:
    """Import the frames of a video for which there are masks or annotations.

    \b
    handforge dataset import video clip.mp4 real --truth masks
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset.importers.video import import_video

    _report(out, import_video(source, truth, out, about, labels, boxes, crowd_as_hand))


def _report(out: Path, made: Imported) -> None:
    """Say what an import has made and left out; exit code 1 if files were skipped."""
    from handforge.dataset import Dataset

    info = Dataset(out).info
    objects = info.get("objects", 0)
    parts = [counted(info["hands"], "hand")] if info["hands"] or not objects else []
    parts += [counted(objects, "object")] if objects else []
    echo(f"{out}: {counted(made.images, 'image')} with {', '.join(parts)}")
    if not info["hands"] and not objects:
        echo("No image has a hand: look at the masks, and at the options that leave hands out", err=True)
    for note in made.notes:
        _log.info(note)
    if made.unreadable:
        for problem in made.unreadable[:10]:
            echo(f"skipped: {problem}", err=True)
        echo(f"{counted(len(made.unreadable), 'file')} skipped; --strict refuses them", err=True)
        raise click.exceptions.Exit(1)
