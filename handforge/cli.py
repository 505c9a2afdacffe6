"""The command ``handforge``: all commands under one name. Blender and torch are loaded by what needs them."""

from __future__ import annotations

from pathlib import Path

import click

import evaluation.cli
import generator.cli
import trainer.cli
from handforge.console import PATH, SETTINGS, Group, echo
from handforge.dataset import Dataset
from handforge.dataset.exporters import FORMATS, export_dataset
from handforge.dataset.importers.commands import import_group
from handforge.progress import progress
from handforge.text import counted

_RENDER, _TRAIN, _SCORE = generator.cli.main, trainer.cli.main, evaluation.cli.main
_NETWORKS = ("repeat", "train", "fine-tune", "study", "recipes", "average", "predict", "export")
_SCORES = ("score", "report", "compare", "cases", "ablation")


@click.group(
    cls=Group,
    continues=trainer.cli.CONTINUES,
    any_names=trainer.cli.ANY_NAMES,
    sections={
        "Images": ("render", "settings", "poses", "frame", "dataset", "extension"),
        "Networks": _NETWORKS,
        "Scores": _SCORES,
    },
    context_settings=SETTINGS,
)
@click.version_option(package_name="handforge")
def main() -> None:
    """Segment hands: render images of them with exact masks, train a network on these, detect, score.

    \b
    handforge render --settings varied --set l11 --count 1000 --out rooms
    handforge repeat --recipe cpu-real --data rooms --out run
    handforge predict --weights run test --out found --overlays
    handforge score test found
    """  # noqa: D301 - click wants the real control character


@main.group()
def dataset() -> None:
    """Look at, verify, cut and convert dataset folders.

    \b
    handforge dataset import masks photos real      photos/images and photos/masks as a dataset
    handforge dataset check real                    verify every image and mask
    handforge dataset split real train test --test 60
    """  # noqa: D301 - click wants the real control character


_MAIN = {_RENDER: ("render", "settings", "poses", "frame", "extension"), _TRAIN: _NETWORKS, _SCORE: _SCORES}
_DATASET = {_RENDER: ("split", "merge", "preview", "check"), _SCORE: ("sample", "zoom", "describe")}

for _target, _gathered in ((main, _MAIN), (dataset, _DATASET)):
    for _group, _names in _gathered.items():
        for _name in _names:
            _target.add_command(_group.commands[_name])
dataset.add_command(import_group)


@dataset.command()
@click.argument("folder", type=PATH, metavar="DIR")
@click.argument("out", type=PATH)
@click.option("--format", required=True, type=click.Choice(FORMATS), help="Whose files to write.")
def export(folder: Path, out: Path, format: str) -> None:
    """Write the dataset DIR as an annotation tool's own files into the new folder OUT.

    labelme and cvat get exact masks; yolo gets outlines, in which holes are lost.

    \b
    handforge dataset export rooms rooms-labelme --format labelme
    """  # noqa: D301 - click wants the real control character
    opened = Dataset(folder)
    with progress(unit="images") as bar:
        task = bar.add_task("export", total=len(opened))
        export_dataset(opened, out, format, lambda: bar.update(task, advance=1))
    echo(f"{out}: {counted(len(opened), 'image')} for {format}")
