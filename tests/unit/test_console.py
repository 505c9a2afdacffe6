"""What all commands share: the last net for errors, messages and -q, completion, lengths of time and sizes."""

import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import click
import numpy as np
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from PIL import Image

import handforge.cli
from handforge.console import Group
from handforge.progress import progress


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


def takes_more_than_there_is():
    np.zeros(2**58, np.uint8)


def loads_torch():
    raise ImportError("libtorch_cpu.so: failed to map segment from shared object")


@pytest.mark.parametrize("work", [takes_more_than_there_is, loads_torch])
def test_full_memory_is_told_with_a_remedy(work):
    done = CliRunner().invoke(command(work), ["work"])
    assert done.exit_code == 2 and done.stderr.startswith("Error: memory is full (") and done.stderr.count("\n") == 1
    assert done.stderr.endswith("); close other programs, or raise ulimit -v\n")


@pytest.mark.skipif(sys.platform != "linux", reason="limits its memory as Linux does")
def test_a_network_that_does_not_fit_the_memory_is_one_line(tmp_path):
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9)); "
    limited += "from handforge.cli import main; main(['predict', '.', '--out', 'out'])"
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, "-c", limited]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("Error: ") and "memory is full (" in done.stderr
    assert done.stderr.count("\n") == 1 and [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("words", [("predict", "", "--out", "x"), ("predict", "photos", "--out", "")])
def test_an_empty_path_is_not_the_current_folder(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(handforge.cli.main, list(words))
    assert done.exit_code == 2 and "the path is empty; give a dot for the current folder" in done.stderr
    assert not list(tmp_path.iterdir())


def test_every_command_has_verbose_once():
    def commands(group):
        for name, found in group.commands.items():
            yield from commands(found) if hasattr(found, "commands") else [(name, found)]

    for name, found in commands(handforge.cli.main):
        assert [option.name for option in found.params].count("verbose") == 1, name
        assert [option.name for option in found.params].count("quiet") == 1, name


def tells():
    """A command's work: messages of a library, a warning of Python's, progress, and its result."""
    logging.getLogger("trainer.somewhere").info("session %d", 3)
    logging.getLogger("other.library").warning("not ours")
    warnings.simplefilter("always")  # tests make errors of them
    warnings.warn("an old name", UserWarning, stacklevel=1)
    with progress() as bar:
        bar.update(bar.add_task("rendering", total=1), completed=1)
    click.echo("the result")


def test_messages_of_libraries_are_lines_on_standard_error(monkeypatch):
    monkeypatch.setattr("handforge.progress.LOG_AFTER", 0)
    done = CliRunner().invoke(command(tells), ["work"])
    assert done.exit_code == 0 and done.stdout == "the result\n"
    assert done.stderr.startswith("session 3\nWarning: an old name\n") and "rendering" in done.stderr
    assert "not ours" not in done.stderr


@pytest.mark.parametrize("flag", ["-q", "--quiet"])
def test_quiet_leaves_the_result(monkeypatch, flag):
    monkeypatch.setattr("handforge.progress.LOG_AFTER", 0)
    done = CliRunner().invoke(command(tells), ["work", flag])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "the result\n", "")
    assert CliRunner().invoke(command(tells), ["work"]).stderr.startswith("session 3\n")  # of one command only


def test_quiet_does_not_hide_errors():
    done = CliRunner().invoke(command(lambda: read(Path("a.toml"))), ["work", "-q"])
    assert done.exit_code == 2 and done.stderr.startswith("Error: a.toml: unexpected ValueError")


def completed(*words, start=""):
    """What a shell is told: values, or the kind of what else may follow."""
    shell = ShellComplete(handforge.cli.main, {}, "handforge", "_HANDFORGE_COMPLETE")
    items = shell.get_completions(list(words), start)
    return [item.value if item.type == "plain" else item.type for item in items]


@pytest.mark.parametrize(
    ("words", "start", "expected"),
    [
        (("repeat", "--recipe"), "cpu-r", ["cpu-real", "cpu-real-forearm"]),
        (("repeat", "--recipe"), "mine.t", ["file"]),
        (("recipes", "show"), "cpu-m", ["cpu-minutes"]),
        (("repeat", "--layers"), "all,5", ["all,5+"]),
        (("repeat", "--init"), "im", ["imagenet"]),
        (("render", "--settings"), "v", ["varied"]),
        (("settings", "show"), "p", ["paper", "people"]),
        (("render", "--set"), "g", ["gestures", "grasps"]),
        (("poses", "--set"), "a", ["all"]),
        (("render", "--set"), "l2,", ["l2,l11", "l2,fingers", "l2,signs", "l2,gestures", "l2,grasps"]),
        (("poses", "--set"), "l2,f", ["l2,fingers"]),
        (("render", "--set"), "mine", ["file"]),
        (("render", "--engine"), "", ["auto", "raster", "cycles", "eevee", "workbench"]),
        (("render", "--mask"), "hand+", ["hand+forearm"]),
        (("render", "--ground-truth"), "depth,", ["depth,normals", "depth,parts", "depth,keypoints3d"]),
        (("extension", "--platform"), "mac", ["macos-arm64", "macos-x64"]),
    ],
)
def test_values_are_completed(words, start, expected):
    assert completed(*words, start=start) == expected


def test_categories_are_completed_from_the_dataset(tmp_path):
    categories = [{"id": 1, "name": "cup"}, {"id": 2, "name": "fork"}]
    (tmp_path / "annotations.json").write_text(json.dumps({"categories": categories}))
    assert completed("repeat", "--data", str(tmp_path), "--categories") == ["cup", "fork"]
    assert completed("repeat", "--data", str(tmp_path), "--categories", start="cup,") == ["cup,fork"]
    assert completed("repeat", "--data", "nonesuch", "--categories") == []
