"""The command ``hand-trainer``. Torch is loaded by the commands that compute, never by ``--help``."""

from __future__ import annotations

import click

from handforge.console import SETTINGS, Group, complete, echo
from handforge.dataset.importers.commands import import_group
from trainer.commands import networks, training
from trainer.config.recipe_file import load, shipped
from trainer.config.recipe_text import as_toml

CONTINUES = {
    "train": "the same command with --resume continues",
    "repeat": "the same command with --resume continues",
    "fine-tune": "the same command with --resume continues",
    "study": "the same command continues",
}
"""What to do after Ctrl-C, by command; the others leave nothing to continue."""

ANY_NAMES = ("predict",)
"""Commands that take files whose names are not UTF-8."""


@click.group(cls=Group, continues=CONTINUES, any_names=ANY_NAMES, context_settings=SETTINGS)
@click.version_option(package_name="handforge")
def main() -> None:
    """Train Mask R-CNN on hands, in one session or repetitively, and predict with it.

    \b
    handforge render --set all --out data --count 400
    handforge repeat --recipe demo --data data --out run
    handforge predict --weights run photos --out found --overlays
    """  # noqa: D301 - click wants the real control character


for _command in (
    import_group,
    *(training.train, training.repeat, training.fine_tune, training.study),
    *(networks.predict, networks.average, networks.export),
):
    main.add_command(_command)


@main.group(invoke_without_command=True)
@click.pass_context
def recipes(context: click.Context) -> None:
    """List the built-in recipes, or show all keys of one.

    \b
    handforge recipes                              the recipes
    handforge recipes show cpu-real > mine.toml    a recipe of one's own to start from
    handforge repeat --recipe mine.toml --data rooms --out run
    """  # noqa: D301 - click wants the real control character
    if context.invoked_subcommand is None:
        for name in shipped():
            echo(f"{name:22}{load(name).description}")
        echo("handforge recipes show NAME shows all keys of one", err=True)


@recipes.command("show")
@click.argument("name", metavar="NAME|FILE", shell_complete=complete(shipped))
def recipes_show(name: str) -> None:
    """Print all keys of a recipe: each with what it means, as a TOML file.

    \b
    handforge recipes show cpu-real > mine.toml
    """  # noqa: D301 - click wants the real control character
    echo(as_toml(load(name)), nl=False)
