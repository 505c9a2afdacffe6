"""A run ends with the same bytes after kills, lost workers and full disks."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from processes import run as run_process
from processes import said, signal_session, started, wait_for
from run_samples import FRAMES, command, contents, frame, ignore, records

from generator.cli import main
from generator.errors import RunError
from generator.pipeline import run, run_folder, shards, workers
from generator.pipeline.records import PARTIAL, Records, read_records
from handforge import files
from handforge.files import FolderError

pytest.importorskip("bpy", reason="Blender's Python module is not installed")


def start(settings_file, out, workers=2):
    pipe = subprocess.PIPE
    return started(command(settings_file, out, workers), stdout=pipe, stderr=pipe, text=True)


@pytest.mark.usefixtures("in_process")
def test_killed_and_continued_is_as_if_never_killed(whole, settings, settings_file, tmp_path):
    out = tmp_path / "out"
    with start(settings_file, out, workers=1) as process:
        wait_for(lambda: records(out) >= 4, process)
        signal_session(process, signal.SIGKILL)
    assert 4 <= records(out) < FRAMES
    run.render(settings, out, 1, ignore)
    assert contents(out) == contents(whole)


def test_ctrl_c_ends_it_cleanly_and_soon(lasting_file, tmp_path):
    out = tmp_path / "out"
    with start(lasting_file, out) as process:
        wait_for(lambda: records(out) >= 4, process)
        begin = time.monotonic()
        signal_session(process, signal.SIGINT)
        _, errors = said(process, 30)
        assert process.returncode == 130
        assert time.monotonic() - begin < 15  # a second or two on a machine that does nothing else
        assert "Interrupted." in errors and "Traceback" not in errors


@pytest.mark.slow
def test_a_lost_worker_is_told_and_loses_nothing(lasting_whole, lasting, lasting_file, tmp_path):
    out = tmp_path / "out"
    with start(lasting_file, out) as process:
        wait_for(lambda: records(out) >= 4, process)
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        os.kill(int(children[-1]), signal.SIGKILL)
        _, errors = said(process, 60)
        assert process.returncode == 2
        assert "a worker ended unexpectedly (exit code -9" in errors and "Traceback" not in errors
    run.render(lasting, out, 2, ignore)
    assert contents(out) == contents(lasting_whole)


def cut_a_record_short(out):
    path = next((out / ".partial").glob("records-*"))
    path.write_bytes(path.read_bytes()[:-40])


def cut_images_short(out):
    """As a power cut does."""
    (out / "images" / "000003.png").write_bytes(b"")
    (out / "masks" / "000005.png").unlink()


@pytest.mark.parametrize("damage", [cut_a_record_short, cut_images_short])
@pytest.mark.usefixtures("in_process")
def test_what_was_cut_short_is_rendered_again(whole, settings, tmp_path, damage):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run.render(settings, out, 1, stop_after(20))
    done = records(out)
    damage(out)
    assert 0 < records(out) < done
    run.render(settings, out, 1, ignore)
    assert contents(out) == contents(whole)


def stop_after(frames):
    def progress(done, total):
        if done >= frames:
            raise KeyboardInterrupt

    return progress


@pytest.mark.usefixtures("in_process")
def test_what_a_kill_at_the_very_end_leaves_is_removed(whole, settings, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run.render(settings, out, 1, ignore, shard=(1, 2))
    run.render(settings, out, 1, ignore, shard=(2, 2))

    def killed(path, **_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            shards.merge(out, [])
    assert run_folder.is_finished(out)
    with pytest.raises(RunError, match="out is complete already"):
        shards.merge(out, [])
    assert contents(out) == contents(whole)


@pytest.mark.usefixtures("in_process")
def test_a_run_killed_while_it_took_its_folder_continues(whole, settings, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_atomic", _killed)
        with pytest.raises(KeyboardInterrupt):
            run.render(settings, out, 1, ignore)
    run.render(settings, out, 1, ignore)
    assert contents(out) == contents(whole)


def _killed(*given, **named):
    raise KeyboardInterrupt


def test_a_record_that_is_written_in_part_is_a_full_disk_and_spoils_no_other(tmp_path):
    for name in (PARTIAL, "images", "masks"):
        (tmp_path / name).mkdir()
    records = Records(tmp_path)
    records.add(0, *frame(0))
    whole_file = records._file
    records._file = SimpleNamespace(write=lambda line: whole_file.write(line[:9]), name=whole_file.name)
    with pytest.raises(OSError, match="No space left") as found:
        records.add(1, *frame(1))
    assert found.value.filename == whole_file.name
    records._file = whole_file
    records.add(2, *frame(2))
    records.close()
    assert list(read_records(tmp_path)) == [0, 2]


@pytest.fixture
def small_disk(tmp_path):
    """A filesystem of 300 KB that can be made larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)]
    if not sys.platform.startswith("linux") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small filesystem is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.usefixtures("in_process")
def test_a_full_disk_loses_nothing(whole, settings, settings_file, small_disk):
    out = small_disk / "out"
    done = CliRunner().invoke(main, command(settings_file, out, workers=1)[3:])
    assert done.exit_code == 2
    assert "No space left on device; what is done is kept: put that right and run the same command again" in done.stderr
    assert "Traceback" not in done.stderr and not (out / "annotations.json").exists()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    run.render(settings, out, 1, ignore)
    assert contents(out) == contents(whole)


@pytest.fixture(params=["tmpfs", "ext4"])
def disk_of_20_mb(request, tmp_path):
    """A filesystem of 20 MB: in memory, or in a file as a disk has it, with a journal."""
    disk, image = tmp_path / "disk", tmp_path / "disk.img"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)]
    if request.param == "ext4":
        if not shutil.which("mkfs.ext4"):
            pytest.skip("there is no mkfs.ext4 here to make a filesystem with")
        with image.open("wb") as file:
            file.truncate(20 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True, capture_output=True)
        mount = ["mount", "-o", "loop", str(image), str(disk)]
    if not sys.platform.startswith("linux") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small filesystem is not permitted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.slow
def test_a_disk_of_20_mb_that_fills_up_twice(whole, settings_file, disk_of_20_mb):
    out, ballast = disk_of_20_mb / "out", disk_of_20_mb / "other"
    done = 0
    for free in (60_000, 120_000):
        room = shutil.disk_usage(disk_of_20_mb).free + (ballast.stat().st_size if ballast.exists() else 0)
        ballast.write_bytes(bytes(room - free))
        ended = run_process(command(settings_file, out))
        assert ended.returncode == 2
        full = ("No space left on device; what is done is kept", "what is left to render (")
        assert any(words in ended.stderr for words in full), ended.stderr
        assert "Traceback" not in ended.stderr and not (out / "annotations.json").exists()
        assert records(out) >= done
        done = records(out)
    ballast.unlink()
    assert 0 < done < FRAMES
    assert run_process(command(settings_file, out)).returncode == 0
    assert contents(out) == contents(whole)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(lasting_whole, lasting_file, tmp_path):
    out, rng = tmp_path / "out", np.random.default_rng(0)
    for _ in range(20):
        with start(lasting_file, out):
            time.sleep(rng.uniform(0.5, 8))
    assert run_process(command(lasting_file, out)).returncode == 0
    assert contents(out) == contents(lasting_whole)


class Drawn:
    """Workers that draw small frames without Blender."""

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def start(self, settings):
        return settings, "0"

    def render(self, out, items):
        with closing(Records(out)) as written:
            for done, item in enumerate(items, start=1):
                written.add(item.number, *frame(item.number))
                yield done


def test_frames_that_do_not_fit_the_disk_are_not_begun_or_not_gone_on_with(settings, tmp_path, monkeypatch):
    free, out, settings = [1000], tmp_path / "out", replace(settings, count=48)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda path: SimpleNamespace(free=free[0]))
    with pytest.raises(FolderError, match=r"out has 0 MB left, what is left to render \(48 images\) needs 1 MB; make"):
        run.render(settings, out, 1, ignore)
    assert not out.exists()
    monkeypatch.setattr(run, "_crew", lambda *given: Drawn())
    free[0] = 8000  # enough for the least that images of this size take
    for done in (20, 20):  # told again before the next begins
        with pytest.raises(FolderError, match=r"what is left to render \(28 images\) needs 1 MB"):
            run.render(settings, out, 1, ignore)
        assert records(out) == done


class Gone:
    """The pipe to a process that has ended."""

    def send(self, content):
        pass

    def recv(self):
        raise EOFError

    def close(self):
        pass


UNGUARDED = """
from generator.frame.settings import RenderSettings
from generator.pipeline.workers import Workers

with Workers(1, 1) as crew:
    crew.start(RenderSettings())
"""


@pytest.mark.parametrize("source", ["standard input", "a script"])
def test_a_script_that_workers_cannot_import_is_the_reason_that_is_given(tmp_path, source):
    (tmp_path / "script.py").write_text(UNGUARDED)
    with (tmp_path / "script.py").open() as script:
        words = ["-"] if source == "standard input" else [tmp_path / "script.py"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = run_process([sys.executable, *words], stdin=script, env=environment)
    assert done.returncode == 1 and "memory" not in done.stderr
    assert "WorkerError: a worker could not start, for the reason above" in done.stderr.splitlines()[-1]
    assert done.stderr.endswith('not the standard input, and to render below if __name__ == "__main__":\n')


@pytest.mark.parametrize("error", [OSError(28, "No space left"), EOFError(), ConnectionResetError()])
def test_a_worker_ends_without_a_word_where_its_owner_has_gone(settings, monkeypatch, error):
    """As when two workers find the disk full, and the first to say so ends the run."""

    def render(_settings):
        ours.close()
        raise error

    monkeypatch.setattr(signal, "signal", ignore)
    monkeypatch.setattr(workers, "Renderer", render)
    ours, theirs = multiprocessing.Pipe()
    with theirs:
        ours.send(settings)
        workers.serve(theirs)


@pytest.mark.parametrize(
    "rig, words", [("hand.blend", "crashed in a worker .*open hand.blend"), (None, "code -11; -9")]
)
def test_a_crash_of_blender_names_the_file_that_it_read(settings, monkeypatch, rig, words):
    process = SimpleNamespace(exitcode=-11, join=print, kill=print, terminate=print)
    monkeypatch.setattr(workers, "launch", lambda count: {Gone(): process})
    with pytest.raises(workers.WorkerError, match=words), workers.Workers(1, 1) as crew:
        crew.start(replace(settings, rig=rig))
