"""The commands that repeat the paper's experiments: ``cases``, ``ablation``, and its test sets' making."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evaluation.commands.options import matching_options
from handforge.console import PATH, Number, echo, output_file
from handforge.text import counted

if TYPE_CHECKING:
    from evaluation.metrics.matching import MatchOptions
    from evaluation.metrics.scope import Scope

_CSV = click.option("--csv", "csv_path", type=PATH, callback=output_file, help="Also write the table to this file.")


@click.command()
@click.argument("runs", type=PATH, nargs=-1, metavar="[RUN]...")
@matching_options
@_CSV
def cases(
    runs: tuple[Path, ...],
    options: MatchOptions,
    scope: Scope,
    csv_path: Path | None,
) -> None:
    """Show the paper's cases C1 to C11, ours beside them.

    A RUN stands for the case its recipe is named after (c1, c2 ...); predictions in RUN/predictions/vid1 are those of
    the case that tests this network on Vid1. The type, A to R, comes from the run's record and from what
    handforge dataset describe states of the datasets.

    Ours are scored at --iou and at 0.3, the paper's likely IoU threshold. The paper does not state it, but the mean IoU
    of its true positives is 0.452 in C11 and 0.483 in C3, so it is below 0.452; 0.3 is the highest round threshold that
    leaves these IoUs room to spread about their mean.

    \b
    handforge cases runs/c1 runs/c2 --csv cases.csv
    """  # noqa: D301 - click wants the real control character
    from evaluation.paper.cases import case_table, our_results
    from evaluation.runs.run_folder import load_runs

    _show(case_table([row for run in load_runs(runs, scope) for row in our_results(run, options)], options), csv_path)


@click.command()
@click.argument("runs", type=PATH, nargs=-1, required=True, metavar="RUN RUN...")
@matching_options
@_CSV
def ablation(
    runs: tuple[Path, ...],
    options: MatchOptions,
    scope: Scope,
    csv_path: Path | None,
) -> None:
    """Compare runs with the first RUN: what was changed, and its effect.

    Compared are predictions of the same dataset; differences in recipe, data and seed are named. The differences of F1
    are paired image by image, with 95 % intervals.

    \b
    handforge ablation runs/base runs/no-gloves
    """  # noqa: D301 - click wants the real control character
    from evaluation.paper.cases import ablation_table
    from evaluation.runs.run_folder import load_runs

    _show(ablation_table(load_runs(runs, scope), options), csv_path)


def _show(table: Any, csv_path: Path | None) -> None:
    from evaluation.report.console import print_table
    from handforge.files import write_atomic

    print_table(table)
    if csv_path:
        write_atomic(csv_path, table.csv().encode())


@click.command()
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--factor",
    type=Number(1, 20, min_open=True),
    default=2.0,
    show_default=True,
    help="Magnification.",
)
def zoom(source: Path, out: Path, factor: float) -> None:
    """Crop the images of SOURCE around their hands and enlarge them.

    OUT becomes a dataset of SOURCE's images, each cropped around its hands and scaled up to the same size, as the
    paper's Vid2 was made from Vid1. Masks and keypoints are cropped and scaled with the images.

    \b
    handforge dataset zoom vid1 vid2 --factor 2
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset import Dataset
    from handforge.dataset.subsets import zoom as zoom_in
    from handforge.progress import progress_counter

    dataset = Dataset(source)
    with progress_counter("zoom", "images") as shown:
        for done in zoom_in(dataset, out, factor):
            shown(done, len(dataset))
    echo(f"{out}: {counted(len(dataset), 'image')}")


@click.command()
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="Number of images.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the random choice.")
def sample(source: Path, out: Path, count: int, seed: int) -> None:
    """Copy random images of the dataset SOURCE into the new dataset OUT, with masks and annotations.

    The paper drew 100 of Img1's 1500 images so.

    \b
    handforge dataset sample img1 test --count 100
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset import Dataset
    from handforge.dataset.subsets import sample as draw

    draw(Dataset(source), out, count, seed)
    echo(f"{out}: {counted(count, 'image')}")


@click.command()
@click.argument("dataset", type=PATH)
@click.option("--background", metavar="WORD", help="A name for the background; sets with the same name are similar.")
@click.option("--scale", metavar="WORD", help="A name for the hands' scale; without it, scale is measured.")
@click.option("--all-hands/--not-all-hands", default=None, help="Whether every hand in the images is annotated.")
def describe(dataset: Path, background: str | None, scale: str | None, all_hands: bool | None) -> None:
    """Record in DATASET/dataset.json what the paper's types A to R depend on.

    Images and annotations stay as they are.

    \b
    handforge dataset describe vid1 --background door --all-hands
    """  # noqa: D301 - click wants the real control character
    from evaluation.paper.paper_types import median_size
    from handforge.dataset import Dataset
    from handforge.dataset.scene import describe as state
    from handforge.dataset.scene import stated_scene

    opened = Dataset(dataset)
    for key, value in state(opened, stated_scene(background, scale, all_hands)).items():
        echo(f"{key}: {value}")
    size = median_size(opened)
    echo(f"measured scale: {'no hand' if size is None else f'{size:.3f}'} (side of the hand over the image's)")
