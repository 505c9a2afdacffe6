"""What README and documentation show: every command has the options it is shown with, every link and page is there."""

import ast
import json
import re
import runpy
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import yaml

import evaluation.cli
import generator.cli
import trainer.cli
from generator.hand import plausibility
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


def test_the_rules_say_of_the_drawn_poses_what_the_drawing_says():
    drawings = runpy.run_path(str(ROOT / "docs/explained/drawings.py"))
    assert tuple(drawings["RULES"]) == plausibility.RULES
    drawings["check"]()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_pictures_have_a_text_and_are_small(page):
    for text, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", page.read_text("utf-8")):
        assert len(text) > 10 and (page.parent / target).stat().st_size < 300_000, f"{page}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_json_and_python_examples_can_be_read(page):
    for kind, block in re.findall(r"```(json|python|toml)\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        {"json": json.loads, "python": ast.parse, "toml": tomllib.loads}[kind](block)


def test_every_page_is_in_the_sites_menu():
    def pages(menu):
        for entry in menu:
            for value in entry.values():
                yield from [value] if isinstance(value, str) else pages(value)

    listed = list(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]))
    assert sorted(listed) == sorted(str(page.relative_to(ROOT / "docs")) for page in PAGES[1:])
