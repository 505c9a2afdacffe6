"""Rendering on a Dask cluster: its workers render and encode, this process writes. They share no disk with us.

A worker's Blender lives in a thread of its own, whatever number of threads the worker has, because OpenGL belongs to
one thread. What a lost worker was at is rendered again by another.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

from generator.errors import RunError
from generator.frame.settings import EngineName, RenderSettings
from generator.objects import categories
from generator.pipeline.fingerprint import sources
from generator.pipeline.records import Records
from generator.pipeline.workers import BATCH, Item, Renderer
from handforge import __version__, dataset

RETRIES = 3
"""How often a batch that fails is tried again; one whose worker is lost goes to another without being asked."""

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
        try:
            self._client = Client(address, timeout=5)
        except (OSError, ValueError):
            raise RunError(
                f"no Dask scheduler answers at {address}; start one with: dask scheduler, and workers with: "
                "dask worker ADDRESS"
            ) from None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def start(self, settings: RenderSettings) -> tuple[RenderSettings, str]:
        """Start Blender in each worker; the settings with the engine they chose, and Blender's version.

        :raises RunError: if there is no worker, or they differ in what would make other images.
        """
        paths = {name: getattr(settings, name) for name in ("backgrounds", "objects", "rig", "bone_map")}
        here: dict[str, Any] = {name: str(Path(path).resolve()) for name, path in paths.items() if path is not None}
        settings = replace(settings, **here)
        try:
            self._client.wait_for_workers(1, timeout=WAIT_S)
        except TimeoutError:
            raise RunError("the Dask scheduler has no workers; start some with: dask worker ADDRESS") from None
        workers = list(self._client.scheduler_info(n_workers=-1)["workers"])
        calls = {worker: self._client.submit(describe, settings, workers=[worker], pure=False) for worker in workers}
        answers = {worker: call.result() for worker, call in calls.items()}
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

        :raises RunError: if frames were lost with every worker that had them, or a worker joined with other versions or
            files.
        """
        from distributed import KilledWorker, as_completed

        run = uuid.uuid4().hex
        items, records, done = iter(items), Records(out), 0

        def give() -> Any:
            batch = list(islice(items, BATCH))
            call = partial(self._client.submit, render, self._settings, self._traits, run, batch)
            return call(retries=RETRIES, pure=False) if batch else None

        threads = sum(self._client.nthreads().values())
        running = as_completed([call for _ in range(AHEAD * max(1, threads)) if (call := give())])
        for call in running:
            try:
                finished = call.result()
            except KilledWorker as error:
                raise RunError(
                    f"frames were lost with every worker that had them ({error}); what is done is kept"
                ) from None
            for number, record, files in finished:
                records.add(number, record, files)
                done += 1
            if following := give():
                running.add(following)
            yield done
        records.close()


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
) -> list[tuple[int, dict[str, Any], dict[str, bytes]]]:
    """Number, record and files of some frames.

    :param traits: as :func:`describe` gave them where the run began.
    :param run: what tells this run from others: their rigs and backgrounds may have had other content.
    :raises RunError: if this worker's are others.
    """
    return _thread().submit(_render, settings, traits, run, items).result()


def _render(
    settings: RenderSettings, traits: dict[str, str], run: str, items: list[Item]
) -> list[tuple[int, dict[str, Any], dict[str, bytes]]]:
    renderer, ours = _renderer(settings, run)
    for name, value in traits.items():
        if ours[name] != value:
            raise RunError(f"a worker joined with {name} {ours[name]}, the run has {value}")
    kinds = categories.of_run(settings.object_annotations)
    return [(item.number, *dataset.encode_sample(renderer.frame(item), settings.format, kinds)) for item in items]
