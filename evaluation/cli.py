"""hand-evaluation: score results, compare them, and make the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evaluation.metrics import thresholds
from handforge.console import PATH, SETTINGS, Group, Number, output_file


def how(command: Any) -> Any:
    """The options that say how predictions and truth are compared."""
    for option in (
        click.option(
            "--region",
            type=click.Choice(["skin", "hand"]),
            default="skin",
            show_default=True,
            help="skin: masks as they are. hand: true pixels beyond the wrist do not count, for truth that covers "
            "the forearm and has keypoints.",
        ),
        click.option(
            "--category",
            type=click.Choice(["hand", "hand+forearm"]),
            help="Which masks of the truth to compare with predictions of the same category. Without it, those it "
            "has; of both, hand.",
        ),
        click.option(
            "--score-threshold",
            type=Number(0, 1),
            default=thresholds.SCORE,
            show_default=True,
            help="Leave predictions below this score out of everything but AP and curves.",
        ),
        click.option(
            "--iou",
            type=Number(0, 1, min_open=True),
            default=thresholds.IOU,
            show_default=True,
            help="A prediction finds a hand when the IoU of their masks is at least this.",
        ),
    ):
        command = option(command)
    return command


@click.group(cls=Group, context_settings=SETTINGS)
@click.version_option(package_name="handforge")
def main() -> None:
    """Measure predicted hands against the truth, and show them.

    \b
    hand-evaluation score data/test found           the paper's numbers and AP
    hand-evaluation report run --out report.html    training, scores and images as one page
    """  # noqa: D301 - click wants the real control character


@main.command()
@click.argument("dataset", type=PATH)
@click.argument("results", type=PATH)
@how
@click.option(
    "--of",
    type=click.Choice(["masks", "boxes", "keypoints"]),
    default="masks",
    show_default=True,
    help="What to compare. Of boxes and keypoints there is COCO's AP and AR, over all scores.",
)
@click.option("--details", is_flag=True, help="Intervals, IoU sweep, COCO's AP and AR, outlines, errors, sizes, too.")
@click.option("--json", "json_path", type=PATH, callback=output_file, help="Write the numbers to this file, too.")
def score(
    dataset: Path,
    results: Path,
    iou: float,
    score_threshold: float,
    region: str,
    category: str | None,
    of: str,
    details: bool,
    json_path: Path | None,
) -> None:
    """Score RESULTS against the truth of DATASET.

    DATASET is a dataset folder, RESULTS a COCO results file. It may come from hand-trainer predict (its folder will
    do) or from any other tool: a JSON list of {"image_id", "category_id": 1, "segmentation": RLE, "score"}.

    \b
    IoU   mean IoU of the hands found (true positives)
    Acc   TP / (TP + FP + FN)             F1   2 TP / (2 TP + FP + FN)
    TPH   hands found by the prediction with the highest score of their image
    AP    COCO's, over all scores: IoU 0.50:0.95, and AP50

    Predictions are matched one-to-one with true hands, in falling score, each with the free hand it overlaps most.
    """  # noqa: D301 - click wants the real control character
    from dataclasses import asdict

    from evaluation.metrics import box_keypoint_ap, detection_metrics
    from evaluation.metrics.extended_metrics import extended_metrics as measure_details
    from evaluation.metrics.matching import load
    from evaluation.metrics.scope import Scope
    from evaluation.report import console
    from handforge.dataset import Dataset
    from handforge.files import dump_json, write_atomic

    if of != "masks":
        context = click.get_current_context()
        for name in ("iou", "score_threshold", "region", "details"):
            if context.get_parameter_source(name) != click.core.ParameterSource.DEFAULT:
                raise click.UsageError(f"--{name.replace('_', '-')} is for masks; leave it out with --of {of}")
        figures = box_keypoint_ap.score(Dataset(dataset), results, of, category)
        console.print_figures(of, figures)
        if json_path:
            write_atomic(json_path, dump_json({"of": of, **figures}))
        return
    loaded = load(Dataset(dataset), results, Scope(region, category))
    found = detection_metrics.score(loaded.pictures, iou, score_threshold)
    content = asdict(found)
    console.print_score(found, loaded)
    if details:
        matches = detection_metrics.match_all(loaded.pictures, iou, score_threshold)
        more = measure_details(loaded.pictures, matches, iou, score_threshold)
        content["details"] = {"region": region, "category": loaded.category, "notes": loaded.notes, **asdict(more)}
        console.print_details(more)
    if json_path:
        write_atomic(json_path, dump_json(content))


@main.command()
@click.argument("dataset", type=PATH)
@click.argument("results", type=PATH, nargs=-1, required=True, metavar="RESULTS...")
@how
@click.option("--json", "json_path", type=PATH, callback=output_file, help="Write the numbers to this file, too.")
def compare(
    dataset: Path,
    results: tuple[Path, ...],
    iou: float,
    score_threshold: float,
    region: str,
    category: str | None,
    json_path: Path | None,
) -> None:
    """Score several RESULTS of one DATASET side by side.

    Differences to the first RESULTS stand below the scores.
    They are paired, image by image, with 95 % intervals: where an interval does not hold 0, the
    difference is more than the choice of images.
    """
    from dataclasses import asdict

    from evaluation.metrics.compare import compare as compare_pictures
    from evaluation.metrics.matching import load
    from evaluation.metrics.scope import Scope
    from evaluation.report import console
    from handforge.dataset import Dataset
    from handforge.files import dump_json, write_atomic

    truth, scope = Dataset(dataset), Scope(region, category)
    loaded = [(str(path), load(truth, path, scope)) for path in results]
    rows = compare_pictures([(name, one.pictures) for name, one in loaded], iou, score_threshold)
    console.print_comparison(rows, [one.notes for _, one in loaded])
    if json_path:
        write_atomic(json_path, dump_json([asdict(row) for row in rows]))


@main.command()
@click.argument("runs", type=PATH, nargs=-1, required=True, metavar="RUN...")
@click.option("--out", type=PATH, required=True, callback=output_file, help="The HTML file to write.")
@how
def report(
    runs: tuple[Path, ...], out: Path, iou: float, score_threshold: float, region: str, category: str | None
) -> None:
    """Write one HTML file about the runs RUN...

    It shows their training, scores, curves and images. A RUN is what hand-trainer train or repeat wrote.
    Predictions are looked for in RUN/predictions/NAME, as hand-trainer predict --out RUN/predictions/NAME writes them,
    and scored where they are of a dataset. The file needs no network and nothing beside it.
    """
    from evaluation.metrics.scope import Scope
    from evaluation.report.page import write_report

    if out.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"{out} must end in .html", param_hint="--out")
    scored = write_report(runs, out, iou, score_threshold, Scope(region, category))
    click.echo(f"{out}: {len(runs)} run(s), {scored} set(s) of predictions scored")
    if not scored:
        click.echo(
            f"for scores: hand-trainer predict --weights {runs[0]} DATASET --out {runs[0]}/predictions/NAME", err=True
        )


@main.command()
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--factor",
    type=Number(1, 20, min_open=True),
    default=2.0,
    show_default=True,
    help="How far in.",
)
def zoom(source: Path, out: Path, factor: float) -> None:
    """Enlarge the images of SOURCE around their hands.

    OUT becomes a dataset of SOURCE's images, each cropped around its hands and scaled up to the same size, as the
    paper's Vid2 was made from Vid1: the same hands, larger. Masks and keypoints go with the images.
    """
    from rich.console import Console
    from rich.progress import track

    from handforge.dataset import Dataset
    from handforge.dataset.subsets import zoom as zoom_in

    dataset = Dataset(source)
    steps, console = zoom_in(dataset, out, factor), Console(stderr=True)
    for _ in track(steps, "zoom", len(dataset), console=console, transient=True, disable=not console.is_terminal):
        pass
    click.echo(f"{out}: {len(dataset)} images")


@main.command()
@click.argument("source", type=PATH)
@click.argument("out", type=PATH)
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="How many images.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, another sample.")
def sample(source: Path, out: Path, count: int, seed: int) -> None:
    """Copy random images of SOURCE into OUT.

    As the paper drew 100 of Img1's 1500. Both are dataset folders; masks and annotations go with the images.
    """
    from handforge.dataset import Dataset
    from handforge.dataset.subsets import sample as draw

    draw(Dataset(source), out, count, seed)
    click.echo(f"{out}: {count} images")


@main.command()
@click.argument("runs", type=PATH, nargs=-1, metavar="[RUN]...")
@how
@click.option("--csv", "csv_path", type=PATH, callback=output_file, help="Write the table to this file, too.")
def cases(
    runs: tuple[Path, ...],
    iou: float,
    score_threshold: float,
    region: str,
    category: str | None,
    csv_path: Path | None,
) -> None:
    """Show the paper's cases C1 to C11, ours beside them.

    A RUN stands for the case its recipe is named after (c1, c2 ...); predictions in RUN/predictions/vid1 are those of
    the case that tests this network on Vid1. The type, A to R, comes from the run's record and from what
    hand-evaluation describe stated of the datasets.
    """
    from evaluation.metrics.scope import Scope
    from evaluation.paper.cases import case_table, our_results
    from evaluation.report.runs import load_runs

    loaded = load_runs(runs, Scope(region, category))
    _show(case_table([row for run in loaded for row in our_results(run, iou, score_threshold)]), csv_path)


@main.command()
@click.argument("runs", type=PATH, nargs=-1, required=True, metavar="RUN RUN...")
@how
@click.option("--csv", "csv_path", type=PATH, callback=output_file, help="Write the table to this file, too.")
def ablation(
    runs: tuple[Path, ...],
    iou: float,
    score_threshold: float,
    region: str,
    category: str | None,
    csv_path: Path | None,
) -> None:
    """Show what changes against the first RUN were worth.

    Compared are the datasets that both predicted; what is not the same in recipe, data or seed is named.
    The differences of F1 are paired, image by image, with 95 % intervals.
    """
    from evaluation.metrics.scope import Scope
    from evaluation.paper.cases import ablation_table
    from evaluation.report.runs import load_runs

    _show(ablation_table(load_runs(runs, Scope(region, category)), iou, score_threshold), csv_path)


def _show(table: Any, csv_path: Path | None) -> None:
    from evaluation.report.console import print_table
    from handforge.files import write_atomic

    print_table(table)
    if csv_path:
        write_atomic(csv_path, table.csv().encode())


@main.command()
@click.argument("dataset", type=PATH)
@click.option("--background", metavar="WORD", help="A name for the background; sets with the same name are similar.")
@click.option("--scale", metavar="WORD", help="A name for the hands' scale; without it, scale is measured.")
@click.option("--all-hands/--not-all-hands", default=None, help="Whether every hand in the images is annotated.")
def describe(dataset: Path, background: str | None, scale: str | None, all_hands: bool | None) -> None:
    """State what the types A to R need to know of DATASET.

    It goes into DATASET/dataset.json; images and annotations stay as they are.
    """
    from evaluation.paper.paper_types import median_size
    from handforge.dataset import Dataset
    from handforge.dataset.scene import describe as state

    opened = Dataset(dataset)
    for key, value in state(opened, background=background, scale=scale, all_hands=all_hands).items():
        click.echo(f"{key}: {value}")
    size = median_size(opened)
    click.echo(f"measured scale: {'no hand' if size is None else f'{size:.3f}'} (side of the hand over the image's)")
