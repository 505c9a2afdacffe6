"""What README and documentation show: every command has the options it is shown with, every link and page is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

import evaluation.cli
import generator.cli
import trainer.cli
from handforge.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = {
    "handforge": main,
    "hand-generator": generator.cli.main,
    "hand-trainer": trainer.cli.main,
    "hand-evaluation": evaluation.cli.main,
}


def shown():
    """Each command in a block of shell, with its page."""
    for page in PAGES:
        if "experiments" in page.parts:  # commands of their day
            continue
        for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.strip(), comments=True)
                if words and words[0] in COMMANDS:
                    yield pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)[:60]}")


@pytest.mark.parametrize("words", list(shown()))
def test_every_command_shown_is_one(words):
    command: click.Command = COMMANDS[words[0]]
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"{words[0]} has no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.partition("=")[0] for word in rest if word.startswith("--")}
    assert used <= options | {"--help", "--version"}, f"{' '.join(words)}: no option {used - options}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page}: {target} is not there"


def test_the_readme_is_one_screen():
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 130
