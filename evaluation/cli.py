"""hand-evaluation: score results, compare them, and make the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluation.commands import paper
from evaluation.commands.options import matching_options
from handforge.console import PATH, SETTINGS, Group, echo, output_file, session_number
from handforge.text import counted, quoted

if TYPE_CHECKING:
    from evaluation.metrics.matching import MatchOptions
    from evaluation.metrics.scope import Scope
    from handforge.dataset import Dataset


@click.group(cls=Group, context_settings=SETTINGS)
@click.version_option(package_name="handforge")
def main() -> None:
    """Score predictions against ground truth, and show them.

    \b
    handforge score data/test predictions     the paper's metrics and AP
    handforge report run --out report.html    training, scores and images as one page
    """  # noqa: D301 - click wants the real control character


for _command in (paper.cases, paper.ablation, paper.zoom, paper.sample, paper.describe):
    main.add_command(_command)


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
    from evaluation.metrics.prediction_record import predicted_task
    from evaluation.runs.run_folder import predictions_of
    from handforge.dataset import Dataset
    from handforge.files import dump_json, write_atomic

    opened = Dataset(dataset)
    if session is not None:
        results = predictions_of(results, opened, session)
    if of == "masks" and predicted_task(results) == "classification":
        of = "classes"
    if of != "masks":
        _refuse_mask_options(f"with --of {of}")
    if of == "masks":
        content = _score_masks(opened, results, options, scope, details)
    elif of == "classes":
        content = _score_classes(opened, results, scope)
    else:
        content = _score_places(opened, results, of, scope)
    if json_path:
        write_atomic(json_path, dump_json(content))


def _score_masks(
    dataset: Dataset, results: Path, options: MatchOptions, scope: Scope, details: bool
) -> dict[str, object]:
    """Print the metrics of masks; what ``--json`` writes of them."""
    from dataclasses import asdict

    from evaluation.metrics import paper_metrics
    from evaluation.metrics.by_category import category_metrics
    from evaluation.metrics.extended_metrics import extended_metrics
    from evaluation.metrics.matching import load, match_all
    from evaluation.report import console

    loaded = load(dataset, results, scope)
    metrics = paper_metrics.score(loaded.images, options)
    categories = category_metrics(loaded.images, loaded.categories, options)
    console.print_score(metrics, loaded, categories)
    content: dict[str, object] = {**asdict(metrics), **(categories.to_json() if categories else {})}
    if details:
        more = extended_metrics(loaded.images, match_all(loaded.images, options), options)
        console.print_details(more)
        scored = ", ".join(loaded.categories)
        content["details"] = {"region": scope.region, "category": scored, "notes": loaded.notes, **asdict(more)}
    return content


def _score_classes(dataset: Dataset, results: Path, scope: Scope) -> dict[str, object]:
    """Print the metrics of whole images' classes; what ``--json`` writes of them."""
    from evaluation.metrics import classification
    from evaluation.report import console

    _refuse_category(scope.category)
    classified = classification.score(dataset, results)
    console.print_classified(classified)
    return classified.to_json()


def _score_places(dataset: Dataset, results: Path, of: str, scope: Scope) -> dict[str, object]:
    """Print COCO's figures of boxes or keypoints; what ``--json`` writes of them."""
    from evaluation.metrics import box_keypoint_ap
    from evaluation.report import console

    places = box_keypoint_ap.score(dataset, results, of, scope.category)
    console.print_figures(of, places)
    return {"of": of, **places.to_json()}


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
    from evaluation.metrics.prediction_record import learned_categories, predicted_task
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
            f"for scores: handforge predict --weights {quoted(runs[0])} "
            f"{f'--session {session} ' if session else ''}DATASET --out {quoted(runs[0])}/predictions/NAME",
            err=True,
        )
    elif not scored:
        echo("for scores: predict a dataset folder, whose images are annotated", err=True)


@main.command()
@click.argument("folder", type=PATH, metavar="DIR")
def study(folder: Path) -> None:
    """Score the finished runs of the study in DIR, and write DIR/report.html and DIR/report.json anew.

    As handforge study does at its end, here without training. The page has a table of the arms, paired differences over
    seeds with 95 % intervals, the paper's Fig. 2, and a conclusion that follows from the numbers by rule; report.json
    has the numbers.

    \b
    hand-evaluation study claim
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
    echo(f"{folder / 'report.html'}: {counted(len(found.runs), 'run')}, {len(found.missing)} missing")


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
