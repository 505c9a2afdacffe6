"""Verify a whole dataset, its images in parallel."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path

from handforge import dataset

IN_ONE_PROCESS = 64
"""Datasets up to this many images are checked without starting others."""

BATCH = 32
"""Images given to a process at a time."""


def check(folder: Path, workers: int, progress: Callable[[int, int], None]) -> list[str]:
    """What is wrong with a dataset, one line each; empty if nothing is.

    :raises DatasetError: if there is no dataset that can be opened.
    """
    data = dataset.Dataset(folder)
    problems = []
    if (folder / ".partial").exists():
        problems.append(f"{folder} is not finished; run the same hand-generator render command again")
    ids = Counter(annotation["id"] for image in data for annotation in data.annotations(image))
    problems += [f"{data.path}: annotation {one} stands {times} times" for one, times in ids.items() if times > 1]
    indices = range(len(data))
    if len(data) <= IN_ONE_PROCESS or workers == 1:
        for done in indices:
            problems += dataset.check_image(data, data.images[done])
            progress(done + 1, len(data))
        return problems
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_ignore_interrupt) as pool:
        try:
            parts = [indices[start : start + BATCH] for start in indices[::BATCH]]
            tasks = [pool.submit(_check_some, folder, part) for part in parts]
            for part, task in zip(parts, tasks, strict=True):
                problems += task.result()
                progress(part.stop, len(data))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return problems


def _ignore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the owner, who cancels what is left


@lru_cache(1)
def _open(folder: Path) -> dataset.Dataset:
    return dataset.Dataset(folder)


def _check_some(folder: Path, indices: range) -> list[str]:
    data = _open(folder)
    return [problem for index in indices for problem in dataset.check_image(data, data.images[index])]
