"""hand-evaluation: score results, compare them, and make the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from handforge.console import PATH, SETTINGS, Group, Number, counted, echo, output_file, session_number

if TYPE_CHECKING:
    from evaluation.metrics.matching import MatchOptions
    from evaluation.metrics.scope import Scope


def _complete_category(context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """The categories of the dataset that the command line names; none if it cannot be read."""
    try:
        folder = context.params["dataset"] or context.args[0]  # click gives arguments no names where a value is missing
        content = json.loads((Path(folder) / "annotations.json").read_bytes())
        names = [str(category["name"]) for category in content["categories"]]
    except (OSError, ValueError, LookupError, TypeError):
        return []
    return [CompletionItem(name) for name in names if name.startswith(start)]


def matching_options(command: Callable[..., None]) -> Any:
    """Add the options that say how predictions are matched with the ground truth.

    The command gets them as ``options``, a MatchOptions, and ``scope``, a Scope.
    """

    @wraps(command)
    def with_options(iou: float, score_threshold: float, region: str, category: str | None, **others: Any) -> None:
        from evaluation.metrics.matching import MatchOptions
        from evaluation.metrics.scope import Scope

        command(options=MatchOptions(iou, score_threshold), scope=Scope(region, category), **others)

    decorated: Any = with_options
    for option in (
        click.option(
            "--region",
            type=click.Choice(["skin", "hand"]),
            default="skin",
            show_default=True,
            help="skin: masks as they are. hand: annotated pixels beyond the wrist do not count, for ground truth that "
            "includes the forearm and has wrists or keypoints.",
        ),
        click.option(
            "--category",
            metavar="NAME",
            shell_complete=_complete_category,
            help="Score this category of the ground truth alone. Without it, all that the network has learned are "
            "scored, each by itself and together; of hand and hand+forearm the one that is there, of both hand.",
        ),
        click.option(
            "--score-threshold",
            type=Number(0, 1),
            default=0.5,
            show_default=True,
            help="Leave predictions below this score out of all metrics but AP and curves.",
        ),
        click.option(
            "--iou",
            type=Number(0, 1, min_open=True),
            default=0.5,
            show_default=True,
            help="A prediction is a true positive from this mask IoU on.",
        ),
    ):
        decorated = option(decorated)
    return decorated


_CSV = click.option("--csv", "csv_path", type=PATH, callback=output_file, help="Also write the table to this file.")


@click.group(cls=Group, context_settings=SETTINGS)
@click.version_option(package_name="handforge")
def main() -> None:
    """Score predictions against ground truth, and show them.

    \b
    handforge score data/test predictions     the paper's metrics and AP
    handforge report run --out report.html    training, scores and images as one page
    """  # noqa: D301 - click wants the real control character


@main.command()
@click.argument("dataset", type=PATH)
@click.argument("results", type=PATH)
@matching_options
@click.option(
    "--of",
    type=click.Choice(["masks", "boxes", "keypoints", "classes"]),
    default="masks",
    show_default=True,
    help="What to score. Of boxes and keypoints there are COCO's AP and AR, over all scores; of whole images' classes "
    "top-1, and which is taken for which; these also by default where the network classifies.",
)
@click.option(
    "--session",
    metavar="K|best|last",
    callback=session_number,
    help="RESULTS is a run folder: score its predictions of DATASET by the network of this session.",
)
@click.option("--details", is_flag=True, help="Add intervals, IoU sweep, COCO's AP and AR, outlines, errors, sizes.")
@click.option("--json", "json_path", type=PATH, callback=output_file, help="Also write the metrics to this file.")
def score(
    dataset: Path,
    results: Path,
    options: MatchOptions,
    scope: Scope,
    of: str,
    session: int | str | None,
    details: bool,
    json_path: Path | None,
) -> None:
    """Score RESULTS against the ground truth of DATASET.

    DATASET is a dataset folder. RESULTS is the folder that handforge predict wrote, or any tool's COCO results: a
    JSON list of {"image_id", "category_id", "segmentation", "score"}, the same one to a line, or a COCO object with
    annotations. image_id is the dataset's id, a file name or its stem.

    \b
    TP, FP, FN  true and false positives, false negatives
    IoU         mean IoU of the true positives
    Acc         TP / (TP + FP + FN)             F1   2 TP / (2 TP + FP + FN)
    TPH         true positives with the highest score of their image
    AP          COCO's, over all scores: IoU 0.50:0.95, and AP50
    FP/empty    false positives per image without a hand

    Predictions are matched one-to-one with annotations of their category, in falling score, each with the free one
    that it overlaps most. Crowds (iscrowd) are ignored as COCO defines it.

    \b
    handforge score test run/predictions/test --json scores.json
    handforge score test run --session 3
    handforge score gestures run/predictions/gestures --of classes
    """  # noqa: D301 - click wants the real control character
    from dataclasses import asdict

    from evaluation.metrics import box_keypoint_ap, classification, paper_metrics
    from evaluation.metrics.by_category import category_metrics
    from evaluation.metrics.extended_metrics import extended_metrics
    from evaluation.metrics.matching import load, match_all
    from evaluation.metrics.results import predicted_task
    from evaluation.report import console
    from evaluation.runs.run_folder import predictions_of
    from handforge.dataset import Dataset
    from handforge.files import dump_json, write_atomic

    if session is not None:
        results = predictions_of(results, Dataset(dataset), session)
    if of == "masks" and predicted_task(results) == "classification":
        of = "classes"
    if of != "masks":
        _refuse_mask_options(f"with --of {of}")
        if of == "classes":
            _refuse_category(scope.category)
            classified = classification.score(Dataset(dataset), results)
            console.print_classified(classified)
            if json_path:
                write_atomic(json_path, dump_json(classified.to_json()))
            return
        places = box_keypoint_ap.score(Dataset(dataset), results, of, scope.category)
        console.print_figures(of, places)
        if json_path:
            write_atomic(json_path, dump_json({"of": of, **places.to_json()}))
        return
    loaded = load(Dataset(dataset), results, scope)
    metrics = paper_metrics.score(loaded.images, options)
    categories = category_metrics(loaded.images, loaded.categories, options)
    content = asdict(metrics)
    if categories:
        content |= categories.to_json()
    console.print_score(metrics, loaded, categories)
    if details:
        more = extended_metrics(loaded.images, match_all(loaded.images, options), options)
        scored = ", ".join(loaded.categories)
        content["details"] = {"region": scope.region, "category": scored, "notes": loaded.notes, **asdict(more)}
        console.print_details(more)
    if json_path:
        write_atomic(json_path, dump_json(content))


@main.command()
@click.argument("dataset", type=PATH)
@click.argument("results", type=PATH, nargs=-1, required=True, metavar="RESULTS...")
@matching_options
@click.option("--json", "json_path", type=PATH, callback=output_file, help="Also write the metrics to this file.")
def compare(
    dataset: Path,
    results: tuple[Path, ...],
    options: MatchOptions,
    scope: Scope,
    json_path: Path | None,
) -> None:
    """Score several RESULTS of one DATASET side by side.

    Below the scores are the differences to the first RESULTS, paired image by image, with 95 % intervals: an interval
    that excludes 0 is significant at the 5 % level (paired bootstrap over images, or over groups of them where the
    dataset has such, as videos or people). Predictions of a classification network are compared by their classes.

    \b
    handforge compare test before/predictions/test after/predictions/test
    """  # noqa: D301 - click wants the real control character
    from dataclasses import asdict

    from evaluation.metrics import classification
    from evaluation.metrics.by_category import category_metrics
    from evaluation.metrics.compare import compare as compare_images
    from evaluation.metrics.matching import load
    from evaluation.metrics.results import learned_categories, predicted_task
    from evaluation.report import console
    from handforge.dataset import Dataset
    from handforge.files import dump_json, write_atomic

    if all(predicted_task(path) == "classification" for path in results):
        _refuse_mask_options("for classes of images")
        _refuse_category(scope.category)
        classified = [(str(path), classification.score(Dataset(dataset), path)) for path in results]
        console.print_class_comparison(classified)
        if json_path:
            write_atomic(json_path, dump_json([{"name": name, **one.to_json()} for name, one in classified]))
        return
    opened = Dataset(dataset)
    known = [learned_categories(path) for path in results]
    learned = {name for names in known for name in names} if all(known) else ()
    loaded = [(str(path), load(opened, path, scope, learned)) for path in results]
    rows = compare_images([(name, one.images) for name, one in loaded], options)
    categories = [category_metrics(one.images, one.categories, options) for _, one in loaded]
    console.print_comparison(rows, [one for _, one in loaded], categories)
    if json_path:
        content = [
            {**asdict(row), **(found.to_json() if found else {})} for row, found in zip(rows, categories, strict=True)
        ]
        write_atomic(json_path, dump_json(content))


@main.command()
@click.argument("runs", type=PATH, nargs=-1, required=True, metavar="RUN...")
@click.option("--out", type=PATH, required=True, callback=output_file, help="The HTML file to write.")
@click.option(
    "--session",
    metavar="K|best|last",
    callback=session_number,
    help="Show the predictions by the network of this session only  [all].",
)
@matching_options
def report(
    runs: tuple[Path, ...],
    out: Path,
    session: int | str | None,
    options: MatchOptions,
    scope: Scope,
) -> None:
    """Write one HTML file about the runs RUN...

    It shows their training, scores, curves and images. A RUN is a folder that handforge train or repeat wrote; its
    predictions are those in RUN/predictions/NAME, where handforge predict --out RUN/predictions/NAME writes them. A
    folder that predict wrote elsewhere is shown by itself. Predictions of a dataset are scored. The file needs no
    network and no other file.

    \b
    handforge report run --out report.html
    handforge report found --out report.html
    handforge report run --session last --out last.html
    """  # noqa: D301 - click wants the real control character
    from evaluation.report.page import write_report

    if out.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"{out} must end in .html", param_hint="--out")
    scored = write_report(runs, out, options, scope, session)
    echo(f"{out} is written; sets of predictions scored: {scored}")
    if not scored and (runs[0] / "run.json").exists():
        echo(
            f"for scores: handforge predict --weights {runs[0]} {f'--session {session} ' if session else ''}DATASET "
            f"--out {runs[0]}/predictions/NAME",
            err=True,
        )
    elif not scored:
        echo("for scores: predict a dataset folder, whose images are annotated", err=True)


@main.command()
@click.argument("folder", type=PATH, metavar="DIR")
def study(folder: Path) -> None:
    """Score the runs of the study in DIR and write DIR/report.html, as far as they are finished.

    handforge study ends with this. The page has a table of the arms, paired differences over seeds with 95 %
    intervals, the paper's Fig. 2, and a conclusion that follows from the numbers by rule; report.json has its numbers.

    \b
    handforge study claim
    """  # noqa: D301 - click wants the real control character
    import sys

    from evaluation.study.page import write_page
    from evaluation.study.results import read_study
    from handforge.progress import progress

    with progress(unit="sets", disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("scores", total=None)
        found = read_study(folder, lambda: bar.update(task, advance=1))
    for text in write_page(found, folder):
        echo(text)
    echo(f"{folder / 'report.html'}: {len(found.runs)} runs, {len(found.missing)} missing")


@main.command()
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


@main.command()
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


@main.command()
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


@main.command()
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


def _refuse_mask_options(where: str) -> None:
    """Refuse the options of matching masks where something else is scored."""
    context = click.get_current_context()
    for name in ("iou", "score_threshold", "region", "details"):
        if context.get_parameter_source(name) not in (None, click.core.ParameterSource.DEFAULT):
            raise click.UsageError(f"--{name.replace('_', '-')} is for masks; leave it out {where}")


def _refuse_category(category: str | None) -> None:
    """Refuse the choice of one category where classes of images are told apart."""
    if category:
        raise click.UsageError("--category is for masks, boxes and keypoints; leave it out for classes of images")


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
