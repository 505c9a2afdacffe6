"""A run ends with the same bytes in shards and on clusters, by the commands that the documentation gives, too."""

import asyncio
import http.server
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from processes import run as run_process
from processes import said, started, wait_for
from run_samples import command, contents, ignore

from generator.cli import main
from generator.errors import RunError
from generator.pipeline import dask_cluster as cluster_module
from generator.pipeline import run, shards
from generator.pipeline.records import PARTIAL, read_records

pytest.importorskip("bpy", reason="Blender's Python module is not installed")


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler, at a port that the system chooses, and two workers, each a process: address and workers."""
    if not importlib.util.find_spec("distributed"):
        pytest.skip("distributed is not installed")
    dask = [sys.executable, "-m", "distributed.cli.dask_spec"]
    told = tmp_path / "scheduler.json"
    options = {"port": 0, "dashboard": False, "dashboard_address": ":0", "scheduler_file": str(told)}
    with (tmp_path / "dask.log").open("w") as log, ExitStack() as running:

        def start(*words, **spec):
            command = [*dask, *words, "--spec", json.dumps(spec)]
            return running.enter_context(started(command, stdout=log, stderr=log))

        scheduler = start(cls="dask.distributed.Scheduler", opts=options)
        wait_for(lambda: told.exists() and told.read_text(), scheduler)
        address = json.loads(told.read_text())["address"]
        workers = []
        for number in (1, 2):
            options = {"nthreads": 1, "dashboard": False, "local_directory": str(tmp_path / f"worker{number}")}
            workers.append(start(address, cls="dask.distributed.Worker", opts=options))
        yield address, workers, scheduler


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_makes_the_same_bytes(lasting_whole, lasting_file, cluster, tmp_path):
    address, workers, _ = cluster
    out = tmp_path / "out"
    line = [*command(lasting_file, out), "--scheduler", address]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: out.exists() and len(read_records(out)) >= 8, process)
        os.kill(workers[0].pid, signal.SIGKILL)
        _, errors = said(process, 120)
        assert process.returncode == 0, errors
    assert contents(out) == contents(lasting_whole)


def test_runs_on_one_cluster_keep_their_own_settings(settings, tmp_path, monkeypatch):
    """Two at once, and two after each other whose files had other content under the same names."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr(cluster_module, "describe", _slow_description)
    made = []
    monkeypatch.setattr(cluster_module, "Renderer", lambda chosen: made.append(chosen) or len(made))
    with (
        distributed.LocalCluster(n_workers=1, processes=False, threads_per_worker=2, dashboard_address=":0") as local,
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
    with pytest.raises(RunError, match=r"a worker joined with handforge 0\.1\.0, the run has 0\.0\.9"):
        cluster_module.render(settings, TRAITS | {"handforge": "0.0.9"}, "a", [])


TRAITS = {"engine": "cycles", "Blender": "5.2.0", "handforge": "0.1.0", "backgrounds_sha256": "1"}


def _slow_description(chosen):
    time.sleep(0.5)
    return TRAITS


@pytest.fixture
def local():
    """A Dask cluster of two workers in this process."""
    distributed = pytest.importorskip("distributed", reason="distributed is not installed")
    with distributed.LocalCluster(n_workers=2, processes=False, threads_per_worker=1, dashboard_address=":0") as local:
        yield local


def end(local, worker):
    """End a worker of a local cluster, as if its machine were switched off."""
    asyncio.run_coroutine_threadsafe(worker.close(), local.loop.asyncio_loop).result(20)


def test_workers_with_other_files_are_refused(settings, local, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(
        cluster_module,
        "describe",
        lambda chosen: TRAITS | {"backgrounds_sha256": f"of {distributed.get_worker().address}"},
    )
    a, b = sorted(worker.address for worker in local.workers.values())
    message = f"{a} has backgrounds_sha256 of {a}, {b} has of {b}; use the same on all"
    with cluster_module.Cluster(local.scheduler_address) as cluster, pytest.raises(RunError, match=re.escape(message)):
        cluster.start(settings)


def test_a_worker_that_is_lost_as_it_begins_is_told(settings, local, monkeypatch):
    monkeypatch.setattr(cluster_module, "LOOK_EVERY_S", 0.2)
    monkeypatch.setattr(cluster_module, "describe", lambda chosen: time.sleep(2))
    lost = local.workers[1]
    with cluster_module.Cluster(local.scheduler_address) as cluster, ThreadPoolExecutor(1) as pool:
        start = pool.submit(cluster.start, settings)
        while not lost.state.executing:
            assert not start.done(), start.result()
            time.sleep(0.01)
        end(local, lost)
        with pytest.raises(RunError, match=f"the Dask worker {lost.address} was lost as it began: run the same"):
            start.result(30)


def test_a_result_that_is_lost_with_all_workers_is_not_waited_for_without_end(
    settings, local, tmp_path, monkeypatch, caplog
):
    """They are lost between a frame's end and the transfer of its result."""
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_module, "LOOK_EVERY_S", 0.2)
    monkeypatch.setattr(cluster_module, "WORKERLESS_S", 1)
    monkeypatch.setattr(cluster_module, "describe", lambda chosen: TRAITS)
    monkeypatch.setattr(cluster_module, "render", lambda *given: [])
    transfer = distributed.Client._gather_remote

    async def lose_all(client, *given):
        for worker in list(local.workers.values()):
            await asyncio.to_thread(end, local, worker)
        return await transfer(client, *given)

    with cluster_module.Cluster(local.scheduler_address) as cluster:
        cluster.start(settings)
        monkeypatch.setattr(distributed.Client, "_gather_remote", lose_all)
        (tmp_path / PARTIAL).mkdir()
        with pytest.raises(RunError, match="has had no worker for 1 s; what is done is kept: start workers and run"):
            list(cluster.render(tmp_path, [0]))
    assert "all workers are lost; waiting 1 s for others" in caplog.text


def test_what_fails_in_a_worker_is_no_lost_scheduler(settings, local, tmp_path, monkeypatch):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cluster_module, "describe", lambda chosen: TRAITS)
    monkeypatch.setattr(cluster_module, "render", full)
    (tmp_path / PARTIAL).mkdir()
    with cluster_module.Cluster(local.scheduler_address) as cluster:
        cluster.start(settings)
        with pytest.raises(RunError, match=r"a Dask worker failed: .*No space left on device; what is done is kept"):
            list(cluster.render(tmp_path, [0]))


def readme_commands(start):
    """The commands that the page on machines gives and that start so, without its comments."""
    text = (Path(__file__).parents[2] / "docs/howto/machines.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    inline = re.findall(r"`([^`]+)`", " ".join(re.sub(r"```.*?```", "", text, flags=re.DOTALL).split()))
    return [line for line in (*lines, *inline) if line.startswith(start)]


def as_run(line, settings_file, **values):
    """A README's command as words to run: its dots are the settings, its capitals what ``values`` say."""
    line = line.replace("...", f"--settings {settings_file}")
    for name, value in values.items():
        line = line.replace(name, str(value))
    words = line.split()
    return [str(Path(sys.executable).parent / words[0]), *words[1:]]


@pytest.mark.slow
def test_the_pages_dask_commands(whole, settings_file, tmp_path):
    if not importlib.util.find_spec("distributed"):
        pytest.skip("distributed is not installed")
    told, out = tmp_path / "scheduler.json", tmp_path / "out"
    (scheduler,), (worker,) = readme_commands("dask scheduler"), readme_commands("dask worker")
    (render,) = (line for line in readme_commands("handforge render") if "--scheduler" in line)
    with (tmp_path / "dask.log").open("w") as log, ExitStack() as running:

        def start(line):
            return running.enter_context(started(line, cwd=tmp_path, stdout=log, stderr=log))

        free = ["--port", "0", "--dashboard-address", ":0", "--scheduler-file", str(told)]
        listening = start([*as_run(scheduler, settings_file), *free])
        wait_for(lambda: told.exists() and told.read_text(), listening)
        host, _, port = json.loads(told.read_text())["address"].removeprefix("tcp://").rpartition(":")
        say = {"HOST": host, "8786": port, "DIR": out}
        start(as_run(worker, settings_file, **say))
        for _ in range(2):  # until the scheduler listens, there is none
            done = run_process(as_run(render, settings_file, **say))
            if done.returncode == 0:
                break
            time.sleep(20)
        assert done.returncode == 0, done.stderr
    assert contents(out) == contents(whole)


@pytest.mark.slow
def test_the_pages_job_array_commands(whole, settings_file, tmp_path):
    out = tmp_path / "out"
    (render,) = (line for line in readme_commands("handforge render") if "--shard" in line)
    (merge,) = readme_commands("handforge dataset merge")
    for task in range(1, 9):
        line = as_run(render, settings_file, DIR=out, **{"$SLURM_ARRAY_TASK_ID": task})
        assert run_process(line).returncode == 0
    assert run_process(as_run(merge, settings_file, DIR=out)).returncode == 0
    assert contents(out) == contents(whole)


def test_no_scheduler_there(settings_file, tmp_path):
    if not importlib.util.find_spec("distributed"):
        pytest.skip("distributed is not installed")
    begin = time.monotonic()
    with socket.socket() as bound:  # nobody else gets the port, and nobody listens on it
        bound.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{bound.getsockname()[1]}"
        line = [*command(settings_file, tmp_path / "out"), "--scheduler", address]
        done = run_process(line)
    assert done.returncode == 2 and time.monotonic() - begin < 60
    assert "no Dask scheduler answers at tcp://127.0.0.1:" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["silent", "http"])
def test_what_is_no_scheduler_is_not_waited_for_without_end(settings, tmp_path, monkeypatch, kind):
    pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr(cluster_module, "ANSWER_S", 1)
    if kind == "http":
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        monkeypatch.setattr(http.server.BaseHTTPRequestHandler, "log_message", lambda *given: None)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        bound = server.socket
    else:
        bound = socket.create_server(("127.0.0.1", 0))
    address = f"tcp://127.0.0.1:{bound.getsockname()[1]}"
    with pytest.raises(RunError, match=f"what listens at {address} gave no answer of a Dask scheduler in 1 s"):
        run.render(settings, tmp_path / "out", 1, ignore, scheduler=address)
    if kind == "http":
        server.shutdown()
        server.server_close()
    bound.close()
    assert cluster_module.ANSWER_S + cluster_module.CLIENT_S <= 20 and not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_one_line(lasting_file, cluster, tmp_path):
    address, _, scheduler = cluster
    out = tmp_path / "out"
    line = [*command(lasting_file, out), "--scheduler", address]
    with started(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: out.exists() and len(read_records(out)) >= 4, process)
        os.kill(scheduler.pid, signal.SIGKILL)
        _, errors = said(process, 120)
    lines = [text for text in errors.splitlines() if not text.startswith("rendering: ")]
    assert process.returncode == 2 and len(lines) == 1, errors
    assert f"the Dask scheduler at {address} is gone; what is done is kept" in lines[0]


@pytest.mark.slow
def test_lost_workers_are_said_and_waited_for_a_while(lasting, cluster, tmp_path, monkeypatch, caplog):
    address, workers, _ = cluster
    monkeypatch.setattr(cluster_module, "LOOK_EVERY_S", 1)
    monkeypatch.setattr(cluster_module, "WORKERLESS_S", 3)

    def kill_all(done, total):
        for worker in workers if done else []:
            worker.kill()

    with pytest.raises(RunError, match=r"has had no worker for 3 s; what is done is kept|lost with every worker"):
        run.render(lasting, tmp_path / "out", 1, kill_all, scheduler=address)
    assert "all workers are lost; waiting 3 s for others" in caplog.text


@pytest.mark.usefixtures("in_process")
def test_shards_in_one_folder(whole, settings, tmp_path):
    out = tmp_path / "out"
    for i in (1, 2, 3):
        run.render(settings, out, 1, ignore, shard=(i, 3))
        if i < 3:
            with pytest.raises(RunError, match=f"frames are missing, the first is {i}"):
                shards.merge(out, [])
    assert CliRunner().invoke(main, ["merge", str(out)]).exit_code == 0
    assert contents(out) == contents(whole)


@pytest.mark.usefixtures("in_process")
def test_shards_in_folders_of_their_own(whole, settings, tmp_path):
    parts = [tmp_path / f"part{i}" for i in (1, 2)]
    for i, part in enumerate(parts, start=1):
        run.render(settings, part, 1, ignore, shard=(i, 2))
    shards.merge(tmp_path / "out", parts)
    assert contents(tmp_path / "out") == contents(whole)
    assert all((part / ".partial").exists() for part in parts), "the parts stay as they are"


def test_what_is_no_shard_is_not_merged(whole, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, message in (
        (
            [tmp_path / "out", whole],
            "whole is no shard but a whole dataset; to join datasets, give a new folder and two",
        ),
        ([tmp_path / "out", whole, tmp_path / "gone"], "gone is not a folder"),
        ([tmp_path / "out", empty, whole], "empty holds no annotations.json; it is not a dataset"),
        ([tmp_path / "out", empty], "empty holds no shard; render one with: handforge render --shard I/N --out"),
        ([tmp_path / "out"], "out holds no shard; name the folder"),
        ([empty], "empty holds no shard; name the folder"),
        ([tmp_path / "out", tmp_path / "gone"], "gone is missing"),
        ([whole], "whole is complete already\n"),
        (
            [whole, empty],
            "whole is complete already; to join datasets, name a new folder before them: dataset merge NEW",
        ),
    ):
        done = CliRunner().invoke(main, ["merge", *map(str, words)])
        assert done.exit_code == 2 and message in done.stderr


@pytest.mark.parametrize("text", ["0/3", "4/3", "2", "a/b", "/"])
def test_shards_that_cannot_be(text, tmp_path):
    done = CliRunner().invoke(main, ["render", "--out", str(tmp_path / "out"), "--shard", text])
    assert done.exit_code == 2 and f"--shard: it is I/N with I from 1 to N, as 2/8, not '{text}'" in done.stderr
