"""Output folders that appear whole or not at all, wherever they lie."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import said, started

from handforge.files import FolderError, folder_lock, new_folder
from trainer.loop.run_folder import is_leftover

FILES = ("annotations.json", "images/a.png")


def make(out, text="new", **how):
    with new_folder(out, **how) as folder:
        for name in FILES:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)


def content(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["new", "nested", "empty", "link", "dangling link", "dot"])
def test_it_appears_where_it_is_asked_for(tmp_path, monkeypatch, kind):
    out = real = tmp_path / "out"
    if kind == "nested":
        out = real = tmp_path / "some" / "where"
    elif kind == "empty":
        out.mkdir()
    elif kind.endswith("link"):
        real = tmp_path / "real"
        out.symlink_to(real)
        if kind == "link":
            real.mkdir()
    elif kind == "dot":
        real.mkdir()
        monkeypatch.chdir(real)
        out = Path()
    place = real.stat().st_ino if real.exists() else None
    make(out)
    assert content(real) == dict.fromkeys(FILES, "new")
    assert place in (None, real.stat().st_ino), "a folder that was there may be a mount: it stays"
    assert out.is_symlink() == kind.endswith("link")
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("before", ["absent", "empty", "nested"])
def test_an_error_leaves_nothing(tmp_path, before):
    out = tmp_path / "run/predictions/out" if before == "nested" else tmp_path / "out"
    if before == "empty":
        out.mkdir()
    with pytest.raises(KeyboardInterrupt), new_folder(out) as folder:
        (folder / "annotations.json").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.rglob("*")) == ([out] if before == "empty" else [])


@pytest.mark.parametrize("before", ["absent", "empty"])
def test_what_a_kill_left_is_removed(tmp_path, monkeypatch, before):
    out = tmp_path / "out"
    if before == "empty":
        out.mkdir()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)
        with new_folder(out) as folder:
            (folder / "annotations.json").write_text("half")
            raise KeyboardInterrupt
    assert list(tmp_path.rglob("annotations.json"))
    make(out)
    assert content(tmp_path) == {f"out/{name}": "new" for name in FILES}


@pytest.mark.parametrize("way", [new_folder, folder_lock])
def test_a_name_of_a_file_is_refused(tmp_path, way):
    message = r"a\.PNG is a file's name, and what is written is a folder; give one without \.PNG"
    with pytest.raises(FolderError, match=message), way(tmp_path / "a.PNG"):
        pytest.fail("it began")
    assert not list(tmp_path.iterdir())
    (tmp_path / "a.png").mkdir()
    for name in ("a.png", "version-1.2"):
        with way(tmp_path / name) as folder:
            ((folder or tmp_path / name) / "b").write_text("x")
        assert (tmp_path / name / "b").exists()


def test_what_is_there_is_refused(tmp_path):
    make(tmp_path / "out")
    with pytest.raises(FolderError, match="out is there already; give a new folder"):
        make(tmp_path / "out")
    with pytest.raises(FolderError, match="out is not empty and was not made by this command; give a new folder"):
        make(tmp_path / "out", mark="other.json", replaces=["images"])
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="file is a file; give a folder"):
        make(tmp_path / "file")


def killed(*_):
    raise KeyboardInterrupt


def test_an_output_that_is_replaced_and_killed_meanwhile_is_replaced_by_the_same_command(tmp_path, monkeypatch):
    out = tmp_path / "out"
    make(out, "first", replaces=["images"])
    (out / "images" / "b.png").write_text("first")
    (out / "notes.txt").write_text("mine")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        make(out, "second", replaces=["images"])
    assert content(out) == {"annotations.json": "", "notes.txt": "mine"}, "nobody takes it for the first's or whole"
    make(out, "third", replaces=["images"])
    assert content(out) == {**dict.fromkeys(FILES, "third"), "notes.txt": "mine"}, "nothing of the first is left"


HOLDER = """
import sys, time
from pathlib import Path
from handforge.files import new_folder
with new_folder(Path(sys.argv[1])) as folder:
    (folder / "annotations.json").write_text("first")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("before", ["absent", "empty"])
@pytest.mark.parametrize("end", ["done", "killed"])
def test_a_second_command_is_told_who_writes_the_folder(tmp_path, before, end):
    out = tmp_path / "out"
    if before == "empty":
        out.mkdir()
    pipe = subprocess.PIPE
    with started([sys.executable, "-c", HOLDER, out], stdin=pipe, stdout=pipe, text=True) as first:
        assert first.stdout.readline() == "held\n"
        with pytest.raises(FolderError, match=rf"out is being written by process {first.pid} on .*; wait for it"):
            make(out)
        if end == "done":
            said(first, 60)
    if end == "done":
        assert content(tmp_path) == {"out/annotations.json": "first"}, "the first has lost nothing"
    else:
        make(out)
        assert content(tmp_path) == {f"out/{name}": "new" for name in FILES}


def test_a_folder_is_held_once(tmp_path):
    with folder_lock(tmp_path / "run"):
        assert all(is_leftover(path) for path in (tmp_path / "run").iterdir()), "a run's folder counts as empty"
        with pytest.raises(FolderError, match="run is being written by process"), folder_lock(tmp_path / "run"):
            pass
        (tmp_path / "run" / "run.json").write_text("{}")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]
    with folder_lock(tmp_path / "nothing"):
        pass
    assert not (tmp_path / "nothing").exists(), "what came to nothing leaves nothing"
    with (
        pytest.raises(FolderError, match=r"run\.json is a file; give a folder"),
        folder_lock(tmp_path / "run/run.json"),
    ):
        pass


@pytest.mark.parametrize("hold", [new_folder, folder_lock])
def test_a_disk_that_is_full_from_the_beginning_is_named(tmp_path, monkeypatch, hold):
    def full(*given, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left on device") as told, hold(tmp_path / "out"):
        pass
    assert told.value.filename == str(tmp_path / "out") and not list(tmp_path.iterdir())
