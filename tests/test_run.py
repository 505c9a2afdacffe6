"""A run ends with the same bytes however it was made: by one worker, two or a cluster, in shards, after kills and full
disks.
"""

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from pycocotools.coco import COCO

from generator import checking, folder, kinematics, pose, run, sweep
from generator import cluster as cluster_module
from generator.anatomy import skeleton
from generator.camera import Camera
from generator.cli import main
from generator.dataset import Dataset, DatasetError, copy_subset
from generator.look import FOCAL
from generator.settings import RenderSettings

pytest.importorskip("bpy", reason="Blender's Python module is not installed")

FRAMES = 48


def ignore(done, total):
    pass


@pytest.fixture(scope="session")
def poses_file(tmp_path_factory):
    """Few poses, so that no time goes into judging many."""
    turned = [pose.with_angles(forearm_x=x, forearm_z=z) for x in range(-30, 31, 5) for z in range(-90, 91, 36)]
    poses = sweep.PoseSet(("few",) * len(turned), np.arange(len(turned)), np.array(turned))
    path = tmp_path_factory.mktemp("poses") / "few.csv"
    path.write_bytes(sweep.dump(poses))
    return path


@pytest.fixture(scope="session")
def settings(poses_file):
    return RenderSettings(set=str(poses_file), count=FRAMES, size=(160, 90), skin="varied", shape="varied")


@pytest.fixture(scope="session")
def whole(settings, tmp_path_factory):
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("run") / "whole"
    told = []
    assert run.render(settings, out, 1, lambda done, total: told.append((done, total)))
    assert told[0] == (0, FRAMES) and told[-1] == (FRAMES, FRAMES)
    return out


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def command(settings_file, out, workers=2):
    return [
        *(sys.executable, "-m", "generator", "render", "--settings", str(settings_file)),
        *("--out", str(out), "--workers", str(workers)),
    ]


@pytest.fixture
def settings_file(settings, tmp_path):
    values = {k: v for k, v in settings.to_json().items() if v is not None}
    path = tmp_path / "run.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    return path


def test_the_folder_is_what_the_contract_says(whole):
    assert sorted(p.name for p in whole.iterdir()) == [
        *("annotations.json", "dataset.json", "images", "masks", "preview.jpg")
    ]
    names = [f"{i:06d}.png" for i in range(FRAMES)]
    assert sorted(p.name for p in (whole / "images").iterdir()) == names
    assert sorted(p.name for p in (whole / "masks").iterdir()) == names
    data = Dataset(whole)
    assert checking.check(whole, 1, ignore) == []
    image = data.images[3]
    assert image["set"] == "few" and image["side"] == "right" and len(image["pose"]) == 28
    assert np.array(image["camera"]).shape == (3, 3) and 0 <= image["tone"] <= 1
    assert data.info["settings"]["seed"] == 0 and data.info["settings"]["engine"] != "auto"
    kept = data.info["counts"]["few"]
    assert kept["poses"] == 78 and kept["kept"] + sum(kept["dropped"].values()) == 78


def test_others_read_it(whole):
    coco = COCO(str(whole / "annotations.json"))
    assert len(coco.getImgIds()) == FRAMES
    data = Dataset(whole)
    for annotation in coco.loadAnns(coco.getAnnIds()):
        image = data.images[annotation["image_id"] - 1]
        assert (coco.annToMask(annotation).astype(bool) == data.masks(image)[0]).all()


def test_torchvision_reads_it(whole):
    if not importlib.util.find_spec("torchvision"):
        pytest.skip("torchvision is not installed")
    code = (  # in a process of its own: torch cannot be loaded after Mesa's software OpenGL has drawn
        "from torchvision.datasets import CocoDetection\n"
        f"picture, annotations = CocoDetection({str(whole / 'images')!r}, {str(whole / 'annotations.json')!r})[0]\n"
        "assert picture.size == (160, 90) and annotations[0]['category_id'] == 1"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_two_workers_make_the_same_bytes(whole, settings, tmp_path):
    run.render(settings, tmp_path / "two", 2, ignore)
    assert contents(tmp_path / "two") == contents(whole)


def test_a_second_run_does_nothing(whole, settings):
    before = {p: p.stat().st_mtime_ns for p in whole.rglob("*")}
    assert run.render(settings, whole, 1, ignore) is False
    assert {p: p.stat().st_mtime_ns for p in whole.rglob("*")} == before


def test_other_settings_are_refused_naming_the_difference(whole, settings):
    with pytest.raises(run.RunError, match="mask was 'hand', now 'hand\\+forearm'; give the same settings"):
        run.render(replace(settings, mask="hand+forearm"), whole, 1, ignore)


def test_a_folder_of_others_is_refused(settings, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(run.RunError, match="is not empty and holds no rendering run"):
        run.render(settings, tmp_path, 1, ignore)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_more_than_there_are_is_refused(settings, tmp_path):
    with pytest.raises(run.RunError, match="plausible poses, 500 were asked for; lower --count"):
        run.render(replace(settings, count=500), tmp_path / "out", 1, ignore)
    assert not (tmp_path / "out").exists()


def records(out):
    return len(folder.read_records(out)) if out.exists() else 0


def wait_for(condition, process, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


def start(settings_file, out):
    return subprocess.Popen(
        command(settings_file, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_killed_and_continued_is_as_if_never_killed(whole, settings_file, tmp_path):
    out = tmp_path / "out"
    with start(settings_file, out) as process:
        wait_for(lambda: records(out) >= 8, process)
        os.killpg(process.pid, signal.SIGKILL)
    assert 8 <= records(out) < FRAMES
    subprocess.run(command(settings_file, out), check=True, capture_output=True)
    assert contents(out) == contents(whole)


def test_ctrl_c_ends_it_cleanly_and_soon(whole, settings_file, tmp_path):
    out = tmp_path / "out"
    with start(settings_file, out) as process:
        wait_for(lambda: records(out) >= 4, process)
        begin = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 130
        assert time.monotonic() - begin < 15  # a second or two on a machine that does nothing else
        assert "Interrupted." in errors and "Traceback" not in errors


@pytest.mark.slow
def test_a_lost_worker_is_told_and_loses_nothing(whole, settings, settings_file, tmp_path):
    out = tmp_path / "out"
    with start(settings_file, out) as process:
        wait_for(lambda: records(out) >= 4, process)
        children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        os.kill(int(children[-1]), signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "a worker ended unexpectedly (exit code -9" in errors and "Traceback" not in errors
    run.render(settings, out, 2, ignore)
    assert contents(out) == contents(whole)


def test_a_record_cut_short_is_rendered_again(whole, settings, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run.render(settings, out, 1, stop_after(20))
    path = next((out / ".partial").glob("records-*"))
    path.write_bytes(path.read_bytes()[:-40])
    run.render(settings, out, 1, ignore)
    assert contents(out) == contents(whole)


def test_a_picture_that_a_power_cut_left_short_is_rendered_again(whole, settings, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run.render(settings, out, 1, stop_after(20))
    (out / "images" / "000003.png").write_bytes(b"")
    (out / "masks" / "000005.png").unlink()
    assert {3, 5}.isdisjoint(folder.read_records(out)) and 4 in folder.read_records(out)
    run.render(settings, out, 1, ignore)
    assert contents(out) == contents(whole)


def stop_after(frames):
    def progress(done, total):
        if done >= frames:
            raise KeyboardInterrupt

    return progress


# ---------------------------------------------------------------- shards, full disks, clusters


def test_shards_in_one_folder(whole, settings, tmp_path):
    out = tmp_path / "out"
    for i in (1, 2, 3):
        run.render(settings, out, 1, ignore, shard=(i, 3))
        if i < 3:
            with pytest.raises(folder.RunError, match=f"frames are missing, the first is {i}"):
                folder.merge(out, [])
    assert CliRunner().invoke(main, ["merge", str(out)]).exit_code == 0
    assert contents(out) == contents(whole)


def test_shards_in_folders_of_their_own(whole, settings, tmp_path):
    parts = [tmp_path / f"part{i}" for i in (1, 2)]
    for i, part in enumerate(parts, start=1):
        run.render(settings, part, 1, ignore, shard=(i, 2))
    folder.merge(tmp_path / "out", parts)
    assert contents(tmp_path / "out") == contents(whole)
    assert all((part / ".partial").exists() for part in parts), "the parts stay as they are"


def test_what_is_no_shard_is_not_merged(whole, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, message in (
        ([tmp_path / "out", whole], "holds no shard"),
        ([tmp_path / "out"], "out holds no shard; name the folder"),
        ([empty], "empty holds no shard; name the folder"),
        ([whole], "is complete already"),
        ([whole, empty], "is complete already"),
    ):
        done = CliRunner().invoke(main, ["merge", *map(str, words)])
        assert done.exit_code == 2 and message in done.stderr


def test_other_poses_and_backgrounds_in_the_same_place_are_another_run(tmp_path):
    """Also once the run is finished."""
    poses, behind = tmp_path / "some.csv", tmp_path / "behind"
    behind.mkdir()
    Image.new("RGB", (40, 30), "green").save(behind / "a.png")

    def write(angle):
        turned = np.array([pose.with_angles(forearm_z=angle)])
        poses.write_bytes(sweep.dump(sweep.PoseSet(("some",), np.arange(1), turned)))

    write(10)
    plain = RenderSettings(set=str(poses), size=(64, 36))
    green = replace(plain, backgrounds=str(behind))
    for chosen, out in ((plain, tmp_path / "plain"), (green, tmp_path / "green")):
        assert run.render(chosen, out, 1, ignore) and not run.render(chosen, out, 1, ignore)
    Image.new("RGB", (40, 30), "lime").save(behind / "a.png")
    with pytest.raises(folder.RunError, match="green holds another run: backgrounds_sha256 was"):
        run.render(green, tmp_path / "green", 1, ignore)
    write(12)
    with pytest.raises(folder.RunError, match="plain holds another run: poses_sha256 was"):
        run.render(plain, tmp_path / "plain", 1, ignore)
    copy_subset(Dataset(tmp_path / "plain"), Dataset(tmp_path / "plain").images, tmp_path / "part")
    with pytest.raises(folder.RunError, match="part is not empty and holds no rendering run"):
        run.render(plain, tmp_path / "part", 1, ignore)


def test_a_folder_in_that_of_the_backgrounds_is_refused(poses_file, tmp_path):
    Image.new("RGB", (40, 30), "green").save(tmp_path / "a.png")
    chosen = RenderSettings(set=str(poses_file), size=(64, 36), backgrounds=str(tmp_path))
    with pytest.raises(folder.RunError, match=r"out lies in the folder of backgrounds, .* give another --out"):
        run.render(chosen, tmp_path / "out", 1, ignore)


def test_what_a_kill_at_the_very_end_leaves_is_removed(whole, settings, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run.render(settings, out, 1, ignore, shard=(1, 2))
    run.render(settings, out, 1, ignore, shard=(2, 2))

    def killed(path, **_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            folder.merge(out, [])
    assert folder.is_finished(out)
    with pytest.raises(folder.RunError, match="out is complete already"):
        folder.merge(out, [])
    assert contents(out) == contents(whole)


def test_hands_stay_in_the_picture_at_every_focal_length():
    """A fixed distance shows less of the scene the longer the lens; the plan has to drop for the longest."""
    planned = run.plan(RenderSettings(set="l11", count=300, focal_mm="varied"))
    camera = Camera(*planned.settings.size, 1.0, FOCAL[1])
    x, y, _ = camera.project(kinematics.keypoints(planned.poses.poses, skeleton())).reshape(-1, 3).T
    assert ((x > 0) & (x < camera.width) & (y > 0) & (y < camera.height)).all()


@pytest.mark.parametrize("distance", ["close", "varied"])
def test_a_distance_that_follows_the_hand_drops_no_pose_for_the_focal_length(poses_file, distance):
    every = RenderSettings(set=str(poses_file), distance=distance)
    kept = [run.plan(replace(every, focal_mm=focal)).counts for focal in (45.0, 135.0, "varied")]
    assert kept[0] == kept[1] == kept[2]
    with pytest.raises(folder.RunError, match="none of the 78 poses"):
        run.plan(replace(every, distance=1.0, focal_mm=135.0))


def test_a_damaged_background_is_known_before_anything_is_rendered(poses_file, tmp_path):
    behind = tmp_path / "behind"
    (behind / "folder.png").mkdir(parents=True)
    Image.new("RGB", (40, 30), "green").save(behind / "a.png")
    (behind / "z.png").write_bytes((behind / "a.png").read_bytes()[:60])
    chosen = RenderSettings(set=str(poses_file), count=2, size=(64, 36), backgrounds=str(behind))
    with pytest.raises(DatasetError, match=r"z\.png is damaged"):
        run.render(chosen, tmp_path / "out", 1, ignore)
    assert not (tmp_path / "out").exists()
    (behind / "z.png").unlink()
    assert run.render(chosen, tmp_path / "out", 1, ignore)


def test_a_run_killed_while_it_took_its_folder_continues(whole, settings, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(folder.dataset, "write_atomic", _killed)
        with pytest.raises(KeyboardInterrupt):
            run.render(settings, out, 1, ignore)
    run.render(settings, out, 1, ignore)
    assert contents(out) == contents(whole)


def _killed(*given, **named):
    raise KeyboardInterrupt


def test_a_run_that_another_process_finishes_meanwhile(whole, settings, tmp_path):
    out = tmp_path / "out"

    def other(done, total):
        if done == total and folder.read_records(out):
            folder.finish(out)

    assert run.render(settings, out, 1, other)
    assert contents(out) == contents(whole)
    with pytest.raises(folder.RunError, match="was finished by another process"):
        folder.finish(out)


def test_a_run_that_another_process_finishes_while_blender_starts(whole, settings, tmp_path, monkeypatch):
    start = run.Workers.start

    def slowly(self, chosen):
        shutil.copytree(whole, tmp_path / "out")
        return start(self, chosen)

    monkeypatch.setattr(run.Workers, "start", slowly)
    assert not run.render(settings, tmp_path / "out", 1, lambda done, total: None)
    assert contents(tmp_path / "out") == contents(whole)


def test_a_record_that_is_written_in_part_is_a_full_disk_and_spoils_no_other(tmp_path):
    (tmp_path / folder.PARTIAL).mkdir()
    records = folder.Records(tmp_path)
    records.add(0, {"image": {}}, {})
    whole_file = records._file
    records._file = SimpleNamespace(write=lambda line: whole_file.write(line[:9]), name=whole_file.name)
    with pytest.raises(OSError, match="No space left") as found:
        records.add(1, {"image": {}}, {})
    assert found.value.filename == whole_file.name
    records._file = whole_file
    records.add(2, {"image": {}}, {})
    records.close()
    assert list(folder.read_records(tmp_path)) == [0, 2]


@pytest.mark.parametrize("text", ["0/3", "4/3", "2", "a/b", "/"])
def test_shards_that_cannot_be(text, tmp_path):
    done = CliRunner().invoke(main, ["render", "--out", str(tmp_path / "out"), "--shard", text])
    assert done.exit_code == 2 and f"--shard: it is I/N with I from 1 to N, as 2/8, not '{text}'" in done.stderr


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


def test_a_full_disk_loses_nothing(whole, settings_file, small_disk):
    out = small_disk / "out"
    done = subprocess.run(command(settings_file, out), capture_output=True, text=True)
    assert done.returncode == 2
    assert "No space left on device; what is done is kept: put that right and run the same command again" in done.stderr
    assert "Traceback" not in done.stderr and not (out / "annotations.json").exists()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    subprocess.run(command(settings_file, out), check=True, capture_output=True)
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
        ended = subprocess.run(command(settings_file, out), capture_output=True, text=True)
        assert ended.returncode == 2 and "No space left on device; what is done is kept" in ended.stderr
        assert "Traceback" not in ended.stderr and not (out / "annotations.json").exists()
        assert records(out) >= done
        done = records(out)
    ballast.unlink()
    assert 0 < done < FRAMES
    subprocess.run(command(settings_file, out), check=True, capture_output=True)
    assert contents(out) == contents(whole)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two workers, each a process: the address and the workers."""
    if not importlib.util.find_spec("distributed"):
        pytest.skip("distributed is not installed")
    address = f"tcp://127.0.0.1:{free_port()}"
    dask = [sys.executable, "-m", "distributed.cli.dask_spec"]
    scheduler = '{"cls": "dask.distributed.Scheduler", "opts": {"port": %s, "dashboard": false}}'
    worker = '{"cls": "dask.distributed.Worker", "opts": {"nthreads": 1, "dashboard": false, "local_directory": "%s"}}'
    commands = [[*dask, "--spec", scheduler % address.rpartition(":")[2]]]
    commands += [[*dask, address, "--spec", worker % (tmp_path / f"worker{i}")] for i in (1, 2)]
    log = (tmp_path / "dask.log").open("w")
    processes = [subprocess.Popen(c, stdout=log, stderr=log, start_new_session=True) for c in commands]
    yield address, processes[1:]
    for process in processes:
        process.kill()
        process.wait()
    log.close()


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_makes_the_same_bytes(whole, settings_file, cluster, tmp_path):
    address, workers = cluster
    out = tmp_path / "out"
    line = [*command(settings_file, out), "--scheduler", address]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: out.exists() and len(folder.read_records(out)) >= 8, process)
        os.kill(workers[0].pid, signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert contents(out) == contents(whole)


def test_runs_on_one_cluster_keep_their_own_settings(settings, tmp_path, monkeypatch):
    """Two at once, and two after each other whose files had other content under the same names."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr(cluster_module, "describe", _slow_description)
    made = []
    monkeypatch.setattr(cluster_module, "Renderer", lambda chosen: made.append(chosen) or len(made))
    with (
        distributed.LocalCluster(1, processes=False, threads_per_worker=2, dashboard_address=None) as local,
        cluster_module.Cluster(local.scheduler_address) as one,
        cluster_module.Cluster(local.scheduler_address) as two,
        ThreadPoolExecutor(2) as pool,
    ):
        starts = [pool.submit(c.start, replace(settings, seed=seed)) for c, seed in ((one, 1), (two, 2))]
        assert [start.result()[0].seed for start in starts] == [1, 2]
    cluster_module._renderer.cache_clear()
    monkeypatch.setattr(cluster_module, "_traits", lambda chosen: TRAITS)
    assert [cluster_module._renderer(settings, run) for run in ("a", "a", "b")] == [
        (1, TRAITS),
        (1, TRAITS),
        (2, TRAITS),
    ]
    monkeypatch.setattr(cluster_module, "_renderer", lambda chosen, run: (None, TRAITS))
    with pytest.raises(folder.RunError, match=r"a worker joined with handforge 0\.1\.0, the run has 0\.0\.9"):
        cluster_module.render(settings, TRAITS | {"handforge": "0.0.9"}, "a", [])


TRAITS = {"engine": "cycles", "Blender": "5.2.0", "handforge": "0.1.0", "backgrounds_sha256": "1"}


def _slow_description(chosen):
    time.sleep(0.5)
    return TRAITS


def test_workers_with_other_files_are_refused(settings):
    def submit(_call, _settings, workers, **_):
        return SimpleNamespace(result=lambda: TRAITS | {"backgrounds_sha256": f"of {workers[0]}"})

    cluster = object.__new__(cluster_module.Cluster)
    workers = {"workers": {"tcp://a": {}, "tcp://b": {}}}
    cluster._client = SimpleNamespace(
        wait_for_workers=lambda *_, **__: None, scheduler_info=lambda **_: workers, submit=submit
    )
    message = "tcp://a has backgrounds_sha256 of tcp://a, tcp://b has of tcp://b; use the same on all"
    with pytest.raises(folder.RunError, match=message):
        cluster.start(settings)


def readme_commands(start):
    """The commands of the README, in backquotes, that start so; broken lines are joined."""
    text = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    text = " ".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split())
    return [line for line in re.findall(r"`([^`]+)`", text) if line.startswith(start)]


def as_run(line, settings_file, **values):
    """A README's command as words to run: its dots are the settings, its capitals what ``values`` say."""
    line = line.replace("...", f"--settings {settings_file}")
    for name, value in values.items():
        line = line.replace(name, str(value))
    words = line.split()
    return [str(Path(sys.executable).parent / words[0]), *words[1:]]


@pytest.mark.slow
def test_the_readmes_dask_commands(whole, settings_file, tmp_path):
    if not importlib.util.find_spec("distributed"):
        pytest.skip("distributed is not installed")
    port, out = free_port(), tmp_path / "out"
    (scheduler,), (worker,) = readme_commands("dask scheduler"), readme_commands("dask worker")
    (render,) = (line for line in readme_commands("hand-generator render") if "--scheduler" in line)
    say = {"HOST": "127.0.0.1", "8786": port, "DIR": out}
    log = (tmp_path / "dask.log").open("w")
    lines = ([*as_run(scheduler, settings_file), "--port", str(port)], as_run(worker, settings_file, **say))
    processes = [subprocess.Popen(line, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True) for line in lines]
    try:
        for _ in range(2):  # until the scheduler listens, there is none
            done = subprocess.run(as_run(render, settings_file, **say), capture_output=True, text=True)
            if done.returncode == 0:
                break
            time.sleep(20)
        assert done.returncode == 0, done.stderr
    finally:
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()
    assert contents(out) == contents(whole)


@pytest.mark.slow
def test_the_readmes_job_array_commands(whole, settings_file, tmp_path):
    out = tmp_path / "out"
    (render,) = (line for line in readme_commands("hand-generator render") if "--shard" in line)
    (merge,) = readme_commands("hand-generator merge")
    for task in range(1, 9):
        line = as_run(render, settings_file, DIR=out, **{"$SLURM_ARRAY_TASK_ID": task})
        subprocess.run(line, check=True, capture_output=True)
    subprocess.run(as_run(merge, settings_file, DIR=out), check=True, capture_output=True)
    assert contents(out) == contents(whole)


def test_no_scheduler_there(settings_file, tmp_path):
    if not importlib.util.find_spec("distributed"):
        pytest.skip("distributed is not installed")
    begin = time.monotonic()
    line = [*command(settings_file, tmp_path / "out"), "--scheduler", f"tcp://127.0.0.1:{free_port()}"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 2 and time.monotonic() - begin < 60
    assert "no Dask scheduler answers at tcp://127.0.0.1:" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_killed_at_twenty_random_moments(whole, settings_file, tmp_path):
    out, rng = tmp_path / "out", np.random.default_rng(0)
    for _ in range(20):
        with start(settings_file, out) as process:
            time.sleep(rng.uniform(0.5, 8))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    subprocess.run(command(settings_file, out), check=True, capture_output=True)
    assert contents(out) == contents(whole)
