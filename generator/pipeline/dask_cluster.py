"""Rendering on a Dask cluster: its workers render and encode, this process writes. They share no disk with us.

A worker's Blender lives in a thread of its own, whatever number of threads the worker has, because OpenGL belongs to
one thread. What a lost worker was at is rendered again by another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, cast

from generator.errors import RunError
from generator.frame.scene_kind import EngineName
from generator.frame.settings import RenderSettings
from generator.objects import categories
from generator.pipeline.fingerprint import sources
from generator.pipeline.records import Records
from generator.pipeline.workers import BATCH, Item, Renderer
from handforge import __version__, dataset
from handforge.dataset.coco_types import FrameRecord

_log = logging.getLogger(__name__)

RETRIES = 3
"""How often a batch that fails is tried again; one whose worker is lost goes to another without being asked."""

ANSWER_S, CLIENT_S = 12, 5
"""How long the scheduler has to answer at all, and to accept us."""

LOOK_EVERY_S, WORKERLESS_S = 10, 300
"""How often it is looked whether there are workers yet, while nothing comes back, and for how long without any."""

WAIT_S = 60
"""How long to wait for the scheduler to have a worker."""

AHEAD = 4
"""Batches given out for each of the cluster's threads, so that none waits for us."""


class Cluster:
    """Renders as :class:`generator.pipeline.workers.Workers` does, on the workers of a Dask scheduler.

    :raises RunError: if ``distributed`` is not installed or no scheduler answers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise RunError("--scheduler needs Dask: install handforge[distributed]") from None
        for name in ("distributed", "distributed.client", "tornado", "tornado.application"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # tracebacks of what is said here in a line
        self._address = address
        try:
            asyncio.run(asyncio.wait_for(_greet(address), ANSWER_S))
            self._client = Client(address, timeout=CLIENT_S)
        except TimeoutError:
            raise RunError(
                f"what listens at {address} gave no answer of a Dask scheduler in {ANSWER_S:g} s; is it one, of about "
                "the same version, and the port of its workers rather than of its dashboard?"
            ) from None
        except (OSError, ValueError):
            raise RunError(
                f"no Dask scheduler answers at {address}; start one with: dask scheduler, and workers with: "
                "dask worker ADDRESS"
            ) from None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):  # the scheduler may be gone
            self._client.close(timeout=CLIENT_S)

    def start(self, settings: RenderSettings) -> tuple[RenderSettings, str]:
        """Start Blender in each worker; the settings with the engine they chose, and Blender's version.

        :raises RunError: if there is no worker, one is lost, or they differ in what would make other images.
        """
        paths = {name: getattr(settings, name) for name in ("backgrounds", "objects", "rig", "bone_map")}
        here: dict[str, Any] = {name: str(Path(path).resolve()) for name, path in paths.items() if path is not None}
        settings = replace(settings, **here)
        try:
            self._client.wait_for_workers(1, timeout=WAIT_S)
        except TimeoutError:
            raise RunError("the Dask scheduler has no workers; start some with: dask worker ADDRESS") from None
        workers = list(self._client.scheduler_info(n_workers=-1)["workers"])
        calls = {worker: self._submit(describe, settings, workers=[worker]) for worker in workers}
        for worker, call in calls.items():
            while not wait([call], LOOK_EVERY_S).done:
                if worker not in self._workers():
                    raise RunError(f"the Dask worker {worker} was lost as it began: run the same command again")
        answers = {worker: self._result(call) for worker, call in calls.items()}
        (first, self._traits), *others = answers.items()
        for worker, traits in others:
            for name, value in self._traits.items():
                if traits[name] != value:
                    raise RunError(
                        f"the workers differ: {first} has {name} {value}, {worker} has {traits[name]}; use the same "
                        "on all"
                    )
        self._settings = replace(settings, engine=cast(EngineName, self._traits["engine"]))
        return self._settings, self._traits["Blender"]

    def render(self, out: Path, items: Iterable[Item]) -> Iterator[int]:
        """Render frames and write them into a run's folder; yields how many are done, whenever some more are.

        :raises RunError: if frames were lost with every worker that had them, a worker joined with other versions or
            files, or the scheduler or, for long, all workers are gone.
        """
        run = uuid.uuid4().hex
        items, records, done = iter(items), Records(out), 0

        def give() -> Future[Any] | None:
            batch = list(islice(items, BATCH))
            return self._submit(render, self._settings, self._traits, run, batch, retries=RETRIES) if batch else None

        threads = sum(self._workers().values())
        running = {call for _ in range(AHEAD * max(1, threads)) if (call := give())}
        with contextlib.closing(records):
            while running:
                finished, running = self._wait(running)
                for call in finished:
                    for number, record, files in self._result(call):
                        records.add(number, record, files)
                        done += 1
                    if following := give():
                        running.add(following)
                yield done

    def _submit(self, function: Any, *given: Any, **how: Any) -> Future[Any]:
        """Call a function in the cluster. When the future is done, its result has come here.

        Of Dask's own futures also one that is done may wait for its result without end: if the worker that holds it is
        lost, and no other is there.
        """
        call = self._client.submit(function, *given, pure=False, **how)
        loop: Any = self._client.loop

        async def result() -> Any:
            try:
                return await call
            except OSError as error:
                if call.status == "error":
                    raise RunError(f"a Dask worker failed: {error}; what is done is kept") from error
                raise self._gone() from error

        return asyncio.run_coroutine_threadsafe(result(), loop.asyncio_loop)

    def _wait(self, running: set[Future[Any]]) -> tuple[set[Future[Any]], set[Future[Any]]]:
        """The calls that are done, one at least, and those that are not.

        :raises RunError: if the scheduler is gone, or there has been no worker for :data:`WORKERLESS_S`.
        """
        alone_since = None
        while True:
            ended = wait(running, LOOK_EVERY_S, FIRST_COMPLETED)
            if ended.done:
                return ended
            if self._workers():
                alone_since = None
            elif alone_since is None:
                alone_since = time.monotonic()
                _log.warning(
                    "all workers are lost; waiting %g s for others, start them with: dask worker %s",
                    WORKERLESS_S,
                    self._address,
                )
            elif time.monotonic() - alone_since > WORKERLESS_S:
                raise RunError(
                    f"the Dask scheduler at {self._address} has had no worker for {WORKERLESS_S:g} s; what is done is "
                    "kept: start workers and run the same command again"
                )

    def _workers(self) -> dict[str, int]:
        """The cluster's workers, and the threads of each."""
        if self._client.status != "running":
            raise self._gone()
        try:
            return self._client.nthreads()
        except (OSError, CancelledError, asyncio.CancelledError):
            raise self._gone() from None

    def _result(self, call: Future[Any]) -> Any:
        from distributed import KilledWorker

        try:
            return call.result()
        except KilledWorker as error:
            raise RunError(
                f"frames were lost with every worker that had them ({error}); what is done is kept"
            ) from None
        except CancelledError:
            raise self._gone() from None

    def _gone(self) -> RunError:
        return RunError(
            f"the Dask scheduler at {self._address} is gone; what is done is kept: start one again and run the same "
            "command"
        )


async def _greet(address: str) -> None:
    """Connect as a client does; a server of another kind never answers its greeting."""
    from distributed.comm.core import connect

    comm = await connect(address, timeout=CLIENT_S)
    comm.abort()


# ---------------------------------------------------------------- in the cluster's workers


@lru_cache(1)
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "blender")


@lru_cache(1)
def _renderer(settings: RenderSettings, run: str) -> tuple[Renderer, dict[str, str]]:
    return Renderer(settings), _traits(settings)


def describe(settings: RenderSettings) -> dict[str, str]:
    """Start Blender; what of this worker shows in its images: engine, versions, and its copies of files.

    :raises HandforgeError: if a file that the settings name is not here.
    """
    return _thread().submit(_traits, settings).result()


def _traits(settings: RenderSettings) -> dict[str, str]:
    from generator.blender.engines import registry

    engine = registry.choose(settings)
    return {"engine": engine, "Blender": registry.version(), "handforge": __version__, **sources(settings)}


def render(
    settings: RenderSettings, traits: dict[str, str], run: str, items: list[Item]
) -> list[tuple[int, FrameRecord, dict[str, bytes]]]:
    """Number, record and files of some frames.

    :param traits: as :func:`describe` gave them where the run began.
    :param run: what tells this run from others: their rigs and backgrounds may have had other content.
    :raises RunError: if this worker's are others.
    """
    return _thread().submit(_render, settings, traits, run, items).result()


def _render(
    settings: RenderSettings, traits: dict[str, str], run: str, items: list[Item]
) -> list[tuple[int, FrameRecord, dict[str, bytes]]]:
    renderer, ours = _renderer(settings, run)
    for name, value in traits.items():
        if ours[name] != value:
            raise RunError(f"a worker joined with {name} {ours[name]}, the run has {value}")
    kinds = categories.of_run(settings.object_annotations)
    return [(item.number, *dataset.encode_sample(renderer.frame(item), settings.format, kinds)) for item in items]
