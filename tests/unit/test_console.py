"""The last net of all commands: whatever goes wrong is one line that names the file, and exit code 2."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from handforge.console import Group


def read(path):
    raise ValueError(f"what {path.name} holds\nis beyond this")


def command(work):
    main = Group("main")
    main.command("work")(work)
    return main


def test_an_unexpected_error_is_one_line_with_the_file():
    done = CliRunner().invoke(command(lambda: read(Path("some/network.json"))), ["work"])
    assert done.exit_code == 2
    assert done.stderr == (
        "Error: some/network.json: unexpected ValueError: what network.json holds is beyond this; "
        "the same command with -v shows where it arose\n"
    )


def test_verbose_shows_the_traceback():
    done = CliRunner().invoke(command(lambda: read(Path("a.toml"))), ["work", "-v"])
    assert done.exit_code == 2 and "Traceback" in done.stderr and "in read" in done.stderr
    assert done.stderr.endswith("Error: a.toml: unexpected ValueError: what a.toml holds is beyond this\n")


@pytest.mark.parametrize("error", [RecursionError("too deep"), RuntimeError("no memory"), KeyError("name")])
def test_no_kind_of_error_is_a_traceback(error):
    def work():
        raise error

    done = CliRunner().invoke(command(work), ["work"])
    assert done.exit_code == 2 and "Traceback" not in done.output
    assert f"unexpected {type(error).__name__}" in done.stderr


def test_every_command_has_verbose_once():
    from handforge.cli import main

    def commands(group):
        for name, found in group.commands.items():
            yield from commands(found) if hasattr(found, "commands") else [(name, found)]

    for name, found in commands(main):
        assert [option.name for option in found.params].count("verbose") == 1, name
