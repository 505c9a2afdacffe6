"""hand-generator: render images of hands with their ground truth, look at them, check them."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from generator.settings_options import SETS_HELP, STEP, complete_sets, load_settings, preset_names, settings_options
from handforge import __version__
from handforge.console import PATH, SETTINGS, Group, complete, echo, output_file
from handforge.files import dump_json, require_folder, require_writable, write_atomic
from handforge.machine import processors
from handforge.progress import progress_counter
from handforge.text import counted, quoted

_log = logging.getLogger(__name__)


@click.group(cls=Group, context_settings=SETTINGS)
@click.version_option(__version__)
def main() -> None:
    """Images of hands with exact masks, rendered with Blender: a COCO dataset.

    \b
    handforge render --set all --count 400 --out data    400 images, spread over both pose sets
    handforge dataset preview data                       a contact sheet with the masks' outlines
    handforge dataset check data                         verify every image and mask
    """  # noqa: D301 - click wants the real control character


@main.command()
@click.option("--out", type=PATH, required=True, help="Dataset folder: new, empty, or an unfinished run's.")
@settings_options
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: one per processor core]")
@click.option(
    "--scheduler", metavar="ADDRESS", help="Render on the workers of this Dask scheduler, as tcp://host:8786."
)
@click.option(
    "--shard", metavar="I/N", default="1/1", help="Render only the I-th of N parts, as for job arrays; then merge."
)
@click.option("--dry-run", is_flag=True, help="Only say how many images, how long and how much disk; renders a few.")
def render(
    out: Path,
    workers: int | None,
    settings: Path | None,
    scheduler: str | None,
    shard: str,
    dry_run: bool,
    format_: str | None,
    **options: Any,
) -> None:
    """Render images, masks and annotations into a COCO dataset.

    An interrupted run continues with the same command and ends byte-identical to an uninterrupted one. The same
    settings and seed give the same bytes with any number of workers.

    \b
    handforge render --settings varied --count 1000 --out rooms --dry-run
    handforge render --settings varied --count 1000 --out rooms
    """  # noqa: D301 - click wants the real control character
    from generator.pipeline import run

    chosen, part = load_settings(settings, format_, options), parse_shard(shard)
    if dry_run:
        from generator.pipeline import estimate

        if scheduler is not None:
            raise click.UsageError("--dry-run measures on this machine; leave out --scheduler")
        echo(estimate.measure(chosen, out, part).describe(out, workers or processors()))
        return
    with progress_counter("rendering", "images") as progress:
        made = run.render(chosen, out, workers or processors(), progress, scheduler=scheduler, shard=part)
    if made and part != (1, 1):
        echo(f"shard {shard} is in {out}; when all are done: handforge dataset merge {quoted(out)} [OTHER FOLDERS]")
    elif made:
        echo(f"{out} is complete; {out / 'preview.jpg'} shows some of it")
    else:
        echo(f"{out} is already complete; nothing was done")


@main.group("settings", invoke_without_command=True)
@click.pass_context
def settings_group(context: click.Context) -> None:
    """List the presets of settings, or show all values of one.

    \b
    handforge settings                            the presets
    handforge settings show varied > mine.toml    a file of one's own to start from
    handforge render --settings mine.toml --out rooms
    """  # noqa: D301 - click wants the real control character
    if context.invoked_subcommand is None:
        from generator.frame.settings import PRESETS, preset_description

        for name in PRESETS:
            echo(f"{name:10}{preset_description(name)}")
        echo("handforge settings show NAME shows all values of one", err=True)


@settings_group.command("show")
@click.argument("name", type=PATH, metavar="NAME|FILE", shell_complete=complete(preset_names))
def settings_show_command(name: Path) -> None:
    """Print all settings of the preset NAME or of a TOML file: each with what it means, as a TOML file.

    \b
    handforge settings show varied > mine.toml
    """  # noqa: D301 - click wants the real control character
    from generator.frame import settings, settings_text

    title = settings.preset_description(str(name)) if str(name) in settings.PRESETS else f"As {name}."
    echo(settings_text.as_toml(settings.load(name), title), nl=False)


@main.group("frame")
def frame_group() -> None:
    """Print all that is drawn for one frame as JSON; render it, edited or not.

    \b
    handforge frame show 12 --settings varied --out frame.json
    handforge frame render frame.json --out one
    """  # noqa: D301 - click wants the real control character


@frame_group.command("show")
@click.argument("number", type=click.IntRange(0))
@click.option("--out", type=PATH, callback=output_file, help="Write to a file instead of the standard output.")
@settings_options
def frame_show_command(
    number: int, out: Path | None, settings: Path | None, format_: str | None, **options: Any
) -> None:
    """Print frame NUMBER, from 0, of the run that render makes with the same options.

    \b
    handforge frame show 3 --settings varied --count 100 --out frame.json
    """  # noqa: D301 - click wants the real control character
    from generator.pipeline import frame_file

    text = dump_json(frame_file.draw(load_settings(settings, format_, options), number))
    if out is None:
        echo(text.decode())
    else:
        write_atomic(out, text)


@frame_group.command("render")
@click.argument("file", type=PATH, metavar="FILE")
@click.option("--out", type=PATH, required=True, help="New folder: a dataset of this one image.")
def frame_render_command(file: Path, out: Path) -> None:
    """Render FILE, as frame show writes it: unedited, the same image to the byte as in the run.

    \b
    handforge frame render frame.json --out one
    """  # noqa: D301 - click wants the real control character
    from generator.pipeline import frame_file

    echo(frame_file.render(file, out))


@main.command("split")
@click.argument("folder", type=PATH, metavar="DIR")
@click.argument("train", type=PATH, metavar="TRAIN")
@click.argument("test", type=PATH, metavar="TEST")
@click.option("--test", "count", type=click.IntRange(1), required=True, help="How many images go into TEST.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Seed of the random choice."
)
def split_command(folder: Path, train: Path, test: Path, count: int, seed: int) -> None:
    """Copy the dataset DIR into two: TEST with --test random images, TRAIN with the rest.

    Images of one group, as of one person or video, stay together: TEST may then have fewer.

    \b
    handforge dataset split rooms train test --test 60
    """  # noqa: D301 - click wants the real control character
    from handforge import dataset
    from handforge.dataset.subsets import split

    data = dataset.Dataset(folder)
    parts = dict(zip((train, test), split(data, count, seed), strict=True))
    done = [out for out, images in parts.items() if dataset.holds_subset(data, images, out)]
    for one, other in ((train, test), (test, train)):
        if one not in done:
            require_folder(one)
            if one.exists() and any(one.iterdir()):
                raise dataset.DatasetError(f"{one} is there already; give a new folder")
        if other.resolve().is_relative_to(one.resolve()):
            raise dataset.DatasetError(f"{one} cannot hold {other}, too; give two new folders")
    for out, images in parts.items():
        if out in done:
            _log.info("%s is complete already", out)
        else:
            dataset.copy_subset(data, images, out)
            echo(f"{out}: {counted(len(images), 'image')}")


@main.command()
@click.option(
    "--set",
    "set_",
    default="all",
    shell_complete=complete_sets,
    show_default=True,
    help=SETS_HELP,
)
@STEP
@click.option(
    "--out", type=PATH, callback=output_file, help="Write the kept poses to a CSV file that render --set takes."
)
@click.option("--json", "json_", type=PATH, callback=output_file, help="Write the counts to a JSON file.")
@click.option(
    "--plot",
    "plot_",
    type=PATH,
    callback=output_file,
    help="Draw kept and dropped poses over v4 and v5: .png, .svg or .pdf.",
)
def poses(set_: str, step: int | None, out: Path | None, json_: Path | None, plot_: Path | None) -> None:
    """Count the poses of a set that are kept, and those dropped by reason.

    \b
    handforge poses --set all --plot poses.png
    handforge poses --set l2 --out kept.csv
    handforge poses --set l11 --step 5
    """  # noqa: D301 - click wants the real control character
    import numpy as np
    from rich.console import Console

    from generator.hand import plausibility, plausibility_plot, pose_sets
    from handforge.text_table import print_columns

    if plot_ is not None and plot_.suffix not in plausibility_plot.SUFFIXES:
        raise click.BadParameter(f"{plot_} must end in {', '.join(plausibility_plot.SUFFIXES)}", param_hint="--plot")
    if step:
        set_ = pose_sets.with_step(set_, step)
    chosen = pose_sets.select(set_)
    if plot_ is not None and not pose_sets.named(set_):
        raise pose_sets.PoseError(f"--plot draws whole sets, not the file {set_}")
    with Console(stderr=True).status("judging"):
        reasons = plausibility.judge(chosen.poses)
    counts = plausibility.counts(chosen.names, reasons)
    rows = {name: (found["poses"], found["kept"], *found["dropped"].values()) for name, found in counts.items()}
    cells = [[name, *(f"{number:,}" for number in row)] for name, row in rows.items()]
    print_columns(("set", "poses", "kept", *plausibility.RULES), cells)
    if plot_ is not None:
        names = np.array(chosen.names)
        plausibility_plot.plot({name: reasons[names == name] for name in counts}, plot_)
    if json_ is not None:
        write_atomic(json_, dump_json(counts))
    if out is not None:
        write_atomic(out, pose_sets.dump(chosen.take(np.flatnonzero(reasons == ""))))


def parse_shard(text: str) -> tuple[int, int]:
    """``"2/8"`` as (2, 8).

    :raises click.BadParameter: if it is not of that form.
    """
    first, _, last = text.partition("/")
    if first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last):
        return int(first), int(last)
    raise click.BadParameter(f"it is I/N with I from 1 to N, as 2/8, not {text!r}", param_hint="--shard")


@main.command("merge")
@click.argument("out", type=PATH, metavar="OUT")
@click.argument("parts", type=PATH, metavar="[PART]...", nargs=-1)
def merge_command(out: Path, parts: tuple[Path, ...]) -> None:
    """Finish a dataset that was rendered in shards, or copy several datasets into the new one OUT.

    Categories of several datasets are the same if their names are; a file whose name another has, too, gets its
    dataset's folder before it.

    \b
    handforge dataset merge OUT              all shards were rendered into OUT
    handforge dataset merge OUT PART...      each had a folder of its own; OUT may be new
    handforge dataset merge both rooms photos
    """  # noqa: D301 - click wants the real control character
    from generator.pipeline import shards
    from handforge.dataset import Dataset, subsets

    if len(parts) > 1 and any((part / "annotations.json").exists() for part in parts):
        subsets.merge([Dataset(part) for part in parts], out)
    else:
        shards.merge(out, list(parts))
    echo(f"{out} is complete; {out / 'preview.jpg'} shows some of it")


@main.command("preview")
@click.argument("folder", type=PATH, metavar="DIR")
def preview_command(folder: Path) -> None:
    """Make DIR/preview.jpg: images spread over the dataset, with their masks' outlines.

    \b
    handforge dataset preview rooms
    """  # noqa: D301 - click wants the real control character
    from handforge.dataset import contact_sheet

    echo(contact_sheet.write(folder))


@main.command("check")
@click.argument("folder", type=PATH, metavar="DIR")
@click.option("--json", "json_", type=PATH, callback=output_file, help="Write the result to a JSON file.")
@click.option("--workers", type=click.IntRange(1), help="Processes.  [default: one a processor core]")
def check_command(folder: Path, json_: Path | None, workers: int | None) -> None:
    """Verify every image, mask and annotation of DIR; exit code 1 if something is wrong.

    \b
    handforge dataset check rooms
    """  # noqa: D301 - click wants the real control character
    from handforge import dataset
    from handforge.dataset import validate

    data = dataset.Dataset(folder)
    with progress_counter("checking", "images") as progress:
        problems = validate.check(folder, workers or processors(), progress)
    found = Counter(data.category(annotation) for image in data for annotation in data.annotations(image))
    of_hands = [found.pop(name, 0) for name in dataset.CATEGORIES.values()]
    hands, objects = max(of_hands), sum(found.values())  # with and without their forearms hands are the same ones
    empty = sum(not data.annotations(image) for image in data)
    if json_ is not None:
        result = {"images": len(data), "hands": hands, "objects": objects, "empty": empty, "problems": problems}
        write_atomic(json_, dump_json(result))
    for problem in problems:
        echo(problem)
    if problems:
        echo(f"{counted(len(problems), 'problem')} in {counted(len(data), 'image')}", err=True)
        sys.exit(1)
    shown = [counted(hands, "hand")] * bool(hands or not objects) + [counted(objects, "object")] * bool(objects)
    without = f", {empty} of them without any" * bool(empty)
    echo(f"{counted(len(data), 'image')} with {' and '.join(shown)}{without}, nothing wrong")


def _platforms() -> tuple[str, ...]:
    from generator.extension import PLATFORMS

    return tuple(PLATFORMS)


@main.command("extension")
@click.option("--out", type=PATH, required=True, help="The folder to put the zip into.")
@click.option(
    "--platform",
    shell_complete=complete(_platforms),
    help="linux-x64, windows-x64, macos-arm64 or macos-x64.  [default: the one this runs on]",
)
def extension_command(out: Path, platform: str | None) -> None:
    """Build the extension for Blender's window (4.2 and newer): one zip with everything it needs.

    pip fetches the wheels of twelve libraries from your package index; nothing else uses the network. Drop the
    zip on Blender's window, or run: blender --command extension install-file -r user_default -e ZIP

    \b
    handforge extension --out .
    """  # noqa: D301 - click wants the real control character
    from generator import extension

    require_writable(out)
    _log.info("pip fetches wheels from your package index")
    echo(extension.build(out, platform or extension.this_platform()))
