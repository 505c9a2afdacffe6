"""hand-evaluation: score results, and make the report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

FILE = click.Path(path_type=Path)
FRACTION = click.FloatRange(0, 1)


class Group(click.Group):
    """A group whose commands end with one line and exit code 2 on wrong input, and with 130 on Ctrl-C."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's, see the class."""
        try:
            return super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            sys.exit(130)
        except ValueError as error:
            click.echo(f"Error: {error}", err=True)
        except OSError as error:
            click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
        sys.exit(2)


def thresholds(command: Any) -> Any:
    """The two options that every number but AP depends on."""
    for option in (
        click.option(
            "--score-threshold",
            type=FRACTION,
            default=0.5,
            show_default=True,
            help="Leave predictions below this score out of everything but AP.",
        ),
        click.option(
            "--iou",
            type=click.FloatRange(0, 1, min_open=True),
            default=0.5,
            show_default=True,
            help="A prediction finds a hand when the IoU of their masks is at least this.",
        ),
    ):
        command = option(command)
    return command


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="handforge")
def main() -> None:
    """Measure predicted hands against the truth, and show them."""


@main.command()
@click.argument("dataset", type=FILE)
@click.argument("results", type=FILE)
@thresholds
@click.option("--json", "json_path", type=FILE, help="Write the numbers to this file, too.")
def score(dataset: Path, results: Path, iou: float, score_threshold: float, json_path: Path | None) -> None:
    """Score RESULTS, a COCO results file, against DATASET, a dataset folder.

    RESULTS may come from hand-trainer predict (its folder will do) or from any other tool: a JSON list of
    {"image_id", "category_id": 1, "segmentation": RLE, "score"}.

    \b
    IoU   mean IoU of the hands found (true positives)
    Acc   TP / (TP + FP + FN)             F1   2 TP / (2 TP + FP + FN)
    TPH   hands found by the prediction with the highest score of their picture
    AP    COCO's, over all scores: IoU 0.50:0.95, and AP50

    Predictions are matched one-to-one with true hands, in falling score, each with the free hand it overlaps most.
    """  # noqa: D301 - click wants the real control character
    from evaluation.matching import load_pictures
    from evaluation.metrics import score as measure
    from evaluation.tables import print_score
    from generator.dataset import Dataset, dump_json, write_atomic

    numbers = measure(load_pictures(Dataset(dataset), results), iou, score_threshold)
    if json_path:
        write_atomic(json_path, dump_json(numbers.as_json()))
    print_score(numbers)


@main.command()
@click.argument("runs", type=FILE, nargs=-1, required=True, metavar="RUN...")
@click.option("--out", type=FILE, required=True, help="The HTML file to write.")
@thresholds
def report(runs: tuple[Path, ...], out: Path, iou: float, score_threshold: float) -> None:
    """Write one HTML file about the run folders RUN...: their training, scores, and pictures.

    A RUN is what hand-trainer train or repeat wrote. Predictions are looked for in RUN/predictions/NAME, as
    hand-trainer predict --out RUN/predictions/NAME writes them, and scored where they are of a dataset.
    The file needs no network and nothing beside it.
    """
    from evaluation.report import write_report

    if out.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter(f"{out} must end in .html", param_hint="--out")
    if not out.parent.is_dir():
        raise click.BadParameter(f"the folder {out.parent} does not exist; make it first", param_hint="--out")
    scored = write_report(runs, out, iou, score_threshold)
    click.echo(f"{out}: {len(runs)} run(s), {scored} set(s) of predictions scored")
