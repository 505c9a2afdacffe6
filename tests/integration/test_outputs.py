"""Outputs that cannot be written are refused before any work, by the user's names; a full disk leaves nothing."""

import errno
import os
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

import pytest
from click.testing import CliRunner
from trainer_samples import TINY, refused, write_blobs, write_recipe

from generator.pipeline import workers
from handforge import files
from handforge.cli import main
from handforge.files import FolderError, require_space, require_writable

pytestmark = pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no folder that even root cannot write to")
CLOSED = "/sys/kernel"
"""Linux lets nobody make a file here, not even root."""


def invoke(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A dataset, a recipe, and a network trained by it."""
    folder = tmp_path_factory.mktemp("outputs")
    write_blobs(folder / "data", count=2)
    text = TINY.replace("steps = 4", "steps = 2").replace('["all", "3+"]', '"all"').replace("subsets = 2", "")
    write_recipe(folder / "tiny.toml", text)
    words = ("--recipe", folder / "tiny.toml", "--data", folder / "data", "--out", folder / "run", "--device", "cpu")
    assert invoke("repeat", *words).exit_code == 0
    return folder


COMMANDS = (
    "render --count 4 --out {out}",
    "frame render none.json --out {out}",
    "repeat --recipe {here}/tiny.toml --data {here}/data --device cpu --out {out}",
    "train --recipe {here}/tiny.toml --data {here}/data --device cpu --out {out}",
    "study --recipe {here}/tiny.toml --data {here}/data --device cpu --out {out}",
    "predict --weights {here}/run {here}/data --device cpu --out {out}",
    "dataset import masks {here}/data {out}",
    "dataset split {here}/data {out} {here}/other --test 1",
    "dataset split {here}/data {here}/other {out} --test 1",
    "dataset merge {out} none",
    "dataset sample {here}/data {out} --count 1",
    "dataset zoom {here}/data {out}",
    "dataset export {here}/data {out} --format yolo",
    "extension --out {out}",
)
FILES = (
    "export {here}/run --format onnx --image {here}/data/images/blob000.png --out {out}.onnx",
    "export {here}/run --format torchscript --image {here}/data/images/blob000.png --out {out}.pt",
    "poses --set l2 --out {out}.csv",
    "poses --set l2 --json {out}.json",
    "report {here}/run --out {out}.html",
    "score {here}/data {here}/run --json {out}.json",
    "frame show 0 --out {out}.json",
)


def names(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("out", [CLOSED, f"{CLOSED}/new", f"{CLOSED}/new/deep"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.split()[:2]))
def test_a_closed_folder_is_refused_before_any_work(here, monkeypatch, command, out):
    before = names(here)
    monkeypatch.setattr(workers, "launch", lambda count: pytest.fail("Blender was started"))
    done = invoke(*command.format(here=here, out=out).split())
    if (out == CLOSED and "not empty" in done.stderr + done.stdout) or "is there already" in done.stderr:
        refused(done, CLOSED)
    else:
        refused(done, f"nothing can be written into {out} (", "Permission denied" if out == CLOSED else f"in {CLOSED}")
    assert "Errno" not in done.output and ".tmp" not in done.output and names(here) == before


@pytest.mark.parametrize("command", FILES, ids=lambda command: " ".join(command.split()[:2]))
def test_a_file_in_a_closed_folder_is_refused_before_any_work(here, command):
    done = invoke(*command.format(here=here, out=f"{CLOSED}/new").split())
    refused(done, f"nothing can be written into {CLOSED} (Permission denied)")
    done = invoke(*command.format(here=here, out="nowhere/new").split())
    refused(done, "the folder nowhere does not exist; make it first")


@pytest.mark.parametrize(
    "command, option, said",
    [
        (
            "score {d}/data {d}/results.json --json {d}/results.json",
            "--json",
            "results.json is read by the same command",
        ),
        (
            "compare {d}/data {d}/results.json --json {d}/../d/results.json",
            "--json",
            "is read by the same command; name",
        ),
        (
            "score {d}/data {d}/found --json {d}/found/results.json",
            "--json",
            "is a part of the folder {d}/found; name",
        ),
        (
            "dataset check {d}/data --json {d}/data/annotations.json",
            "--json",
            "is a part of the folder {d}/data; name",
        ),
        (
            "ablation {d}/run {d}/run --csv {d}/run/losses.csv",
            "--csv",
            "is a part of the folder {d}/run; name",
        ),
        (
            "score {d}/data {d}/found --json {d}/study/study.json",
            "--json",
            "is a part of the folder {d}/study; name",
        ),
        (
            "average {d}/a.safetensors {d}/a.safetensors --out {d}/run/sessions/01.safetensors",
            "--out",
            "is a part of the folder {d}/run; name",
        ),
        (
            "average {d}/a.safetensors {d}/a.safetensors --out {d}/run/sessions/02.safetensors",
            "--out",
            "would be taken for a part of the folder {d}/run; name",
        ),
        (
            "frame show 0 --out {d}/data/images/blob000.png",
            "--out",
            "is a part of the folder {d}/data; name",
        ),
        (
            "poses --json {d}/rendering/.partial/records-a.jsonl",
            "--json",
            "is a part of the folder {d}/rendering; name",
        ),
        ("poses --set {d}/kept.csv --out {d}/kept.csv", "--out", "kept.csv is read by the same command; name another"),
        ("frame show 0 --settings {d}/mine.toml --out {d}/mine.toml", "--out", "mine.toml is read by the same command"),
        ("average {d}/a.safetensors --out {d}/a.safetensors", "--out", "a.safetensors is read by the same command"),
    ],
)
def test_a_file_that_is_read_or_belongs_to_a_folder_is_not_replaced(tmp_path, command, option, said):
    folder = tmp_path / "d"
    write_blobs(folder / "data", count=1)
    for name in (
        "results.json",
        "found/predict.json",
        "found/results.json",
        "run/run.json",
        "run/losses.csv",
        "run/sessions/01.safetensors",
        "study/study.json",
        "rendering/.partial/records-a.jsonl",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("[]")
    for name in ("kept.csv", "mine.toml", "a.safetensors"):
        (folder / name).write_text("")
    before = names(folder)
    refused(invoke(*command.format(d=folder).split()), f"Invalid value for '{option}'", said.format(d=folder))
    assert names(folder) == before


def test_a_networks_description_replaces_no_other_json(tmp_path):
    (tmp_path / "hands.json").write_text("{}")
    out, said = tmp_path / "hands.safetensors", f"{tmp_path}/hands.json is there, and what describes hands.safetensors"
    refused(invoke("average", "shipped", "shipped", "--out", out), "Invalid value for --out", said)
    words = ("export", "shipped", "--format", "safetensors", "--image", tmp_path / "a.png", "--out", out)
    refused(invoke(*words), "Invalid value for --out", said)
    assert (tmp_path / "hands.json").read_text() == "{}" and not out.exists()


@pytest.mark.parametrize("source", ["photos", "photos/old", "."])
def test_results_do_not_go_among_the_images_that_are_read(tmp_path, monkeypatch, source):
    write_blobs(tmp_path / "data", count=1)
    (tmp_path / "data/images").rename(tmp_path / "photos")
    (tmp_path / "photos/old").mkdir()
    monkeypatch.chdir(tmp_path / "photos" if source == "." else tmp_path)
    out = "." if source == "." else "photos"
    refused(
        invoke("predict", source, "--out", out), f"{source} cannot be read while results go into {out}; give another"
    )


def test_a_file_among_earlier_results_is_not_read_and_replaced(tmp_path):
    write_blobs(tmp_path / "data", count=1)
    (tmp_path / "out/overlays").mkdir(parents=True)
    source = (tmp_path / "data/images/blob000.png").rename(tmp_path / "out/overlays/a.png")
    (tmp_path / "out/predict.json").write_text("{}")
    refused(invoke("predict", source, "--out", tmp_path / "out"), f"{source} cannot be read while results go into")
    assert source.is_file()


def test_a_folder_in_a_file_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FolderError, match=r"file/out cannot be made in .*/file, which is a file; give another folder"):
        require_writable(tmp_path / "file/out")
    with pytest.raises(FolderError, match="file is a file; give a folder"):
        require_writable(tmp_path / "file")
    require_writable(tmp_path / "new/deep")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_run_that_does_not_fit_the_disk_is_not_begun(here, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: usage(10**9, 10**9, 1000))
    with pytest.raises(FolderError, match=r"the disk of .*out has 0 MB left, the run needs 5 MB; make room"):
        require_space(tmp_path / "out", 5_000_000, "the run")
    words = ("--recipe", here / "tiny.toml", "--data", here / "data", "--out", tmp_path / "run", "--device", "cpu")
    refused(invoke("repeat", *words), "run has 0 MB left, the run needs ")
    words = ("--image", here / "data/images/blob000.png", "--out", tmp_path / "net.pt")
    refused(invoke("export", here / "run", "--format", "torchscript", *words), "the network as torchscript needs ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind, suffix", [("torchscript", "pt"), ("onnx", "onnx")])
def test_an_export_that_fills_the_disk_leaves_nothing(here, tmp_path, monkeypatch, kind, suffix):
    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    out = tmp_path / f"net.{suffix}"
    done = invoke("export", here / "run", "--format", kind, "--image", here / "data/images/blob000.png", "--out", out)
    refused(done, f"{out}: the disk is full; make room, or write elsewhere")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "command",
    [
        "predict --weights {here}/run {here}/data --device cpu --masks --out {out}",
        "dataset split {here}/data {out} {here}/other --test 1",
        "dataset export {here}/data {out} --format cvat",
    ],
)
def test_a_folder_that_fills_the_disk_is_named_as_it_was_given(here, tmp_path, monkeypatch, command):
    before = names(here)

    def full(*given, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def full_copy(source, target, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), source, None, target)

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(shutil, "copyfile", full_copy)
    monkeypatch.setattr(shutil, "copy2", full_copy)
    done = invoke(*command.format(here=here, out=tmp_path / "out").split())
    refused(done, f"Error: {tmp_path / 'out'}: the disk is full; make room, or write elsewhere")
    assert not list(tmp_path.iterdir()) and names(here) == before


def test_shaders_are_not_cached_on_a_full_disk(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MESA_SHADER_CACHE_DISABLE", raising=False)
    monkeypatch.setattr(workers.shutil, "disk_usage", lambda path: usage(10**9, 0, 10**9))
    workers._spare_a_full_disk()
    assert "MESA_SHADER_CACHE_DISABLE" not in os.environ
    monkeypatch.setattr(workers.shutil, "disk_usage", lambda path: usage(10**9, 10**9, 10**6))
    monkeypatch.setenv("MESA_SHADER_CACHE_DISABLE", "")
    workers._spare_a_full_disk()
    assert os.environ["MESA_SHADER_CACHE_DISABLE"] == "true"


def test_names_that_command_the_terminal_are_shown_escaped(here, tmp_path):
    data = tmp_path / "\x1b[31mred"
    shutil.copytree(here / "data", data)
    (data / "images/blob001.png").unlink()
    (data / "masks/blob000.png").unlink()
    for words in (
        ("dataset", "check", data),
        ("dataset", "sample", here / "data", tmp_path / "\x1b[32mgreen", "--count", 1),
        ("dataset", "describe", here / "data", "--background", "\x1b[33m"),
        ("dataset", "sample", data, tmp_path / "other", "--count", 2),
        ("score", data, data),
        ("repeat", "--recipe", here / "tiny.toml", "--data", data, "--out", tmp_path / "\x1b[34m", "--device", "cpu"),
    ):
        done = invoke(*words)
        assert "\x1b" not in done.output and "\\x1b[3" in done.output, done.output


@pytest.mark.parametrize("goal, name", [("demo", "REAL"), ("real", "HANDS")])
def test_make_refuses_photographs_that_are_not_there_at_once(tmp_path, goal, name):
    makefile = Path(__file__).parents[2] / "Makefile"
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/.ready").touch()
    for path in ("pyproject.toml", "constraints-3.13.txt", "constraints-3.11.txt"):
        (tmp_path / path).touch()
        os.utime(tmp_path / path, (0, 0))
    words = ["make", "-f", str(makefile), goal, f"{name}=/nonexistent"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "/nonexistent is not a folder with images/ and masks/; nothing was done" in done.stderr
    assert "Rendering" not in done.stdout
