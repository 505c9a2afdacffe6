"""What the three commands have in common: errors in one line that names the remedy, exit codes, no traceback."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import evaluation.cli
import generator.cli
import handforge.cli
import trainer.cli

PHOTO = Path(__file__).parents[2] / "docs/panel.webp"
COMMANDS = {
    "hand-generator": (generator.cli.main, ("poses", "--set", "l2")),
    "hand-trainer": (trainer.cli.main, ("predict", str(PHOTO), "--out", "out")),
    "hand-evaluation": (evaluation.cli.main, ("score", "data", "found")),
}


@pytest.fixture(params=COMMANDS)
def command(request):
    """A command, and words that let it begin to work."""
    return COMMANDS[request.param]


def run(main, *words):
    return CliRunner().invoke(main, words)


def test_without_words_it_teaches(command):
    done = run(command[0])
    assert done.exit_code in (0, 2) and "Usage: " in done.output and "Commands:" in done.output
    assert "Error" not in done.output


def test_an_unknown_word_is_one_line(command):
    done = run(command[0], "xyz")
    assert done.exit_code == 2
    assert done.stderr == "Error: No such command 'xyz'; main --help tells more\n"


@pytest.mark.parametrize("group", ["recipes", "settings"])
def test_a_group_that_lists_names_says_how_to_see_one(group):
    done = run(handforge.cli.main, group, "list")
    words = f"Error: No such command 'list'; main {group} lists the names, main {group} show NAME shows one"
    assert done.exit_code == 2 and done.stderr.startswith(words)


def test_a_library_that_is_missing_is_named(command, monkeypatch):
    main, words = command
    for name in (
        "generator.hand.pose_sets",
        "trainer.loop.launch",
        "trainer.inference.predict",
        "evaluation.metrics.matching",
    ):
        monkeypatch.setitem(sys.modules, name, None)
        package, _, module = name.rpartition(".")
        if package in sys.modules:
            monkeypatch.delattr(sys.modules[package], module, raising=False)
    done = run(main, *words)
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1
    assert "is not installed; pip install 'handforge[all]'" in done.stderr
