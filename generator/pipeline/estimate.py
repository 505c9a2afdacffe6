"""What a rendering run will take, from a few of its frames rendered here: ``render --dry-run``. Nothing is written."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generator.frame.settings import RenderSettings
from generator.objects import categories
from generator.pipeline import run, run_folder
from generator.pipeline.records import read_records
from generator.pipeline.workers import FRAMES_A_WORKER, Renderer
from handforge import dataset
from handforge.text import duration, megabytes

FRAMES = 3
"""Frames that are timed at least, after one that is not."""
SECONDS = 3.0
"""Time after which no more frames are timed."""


@dataclass(frozen=True)
class Estimate:
    """What is left to do of a run, and what one frame takes on this machine.

    :param frames: that are not rendered yet.
    :param kept: plausible poses of the ``poses`` of the set.
    :param frame_seconds: of one process.
    """

    frames: int
    kept: int
    poses: int
    engine: str
    frame_seconds: float
    frame_bytes: float

    def describe(self, out: Path, workers: int) -> str:
        """Say it in words, with the total time of so many processes and the space on the disk of ``out``."""
        crew = max(1, min(workers, self.frames // FRAMES_A_WORKER))
        seconds = self.frames * self.frame_seconds / crew
        there = next(path for path in (out.resolve(), *out.resolve().parents) if path.exists())
        return (
            f"{self.frames:,} images left to render with {self.engine}; {self.kept:,} of {self.poses:,} poses kept\n"
            f"measured here: {self.frame_seconds:.3g} s and {megabytes(self.frame_bytes)} an image\n"
            f"about {duration(seconds)} with {crew} process{'es' * (crew > 1)}, after a start of some seconds; about "
            f"{megabytes(self.frames * self.frame_bytes)}, {megabytes(shutil.disk_usage(there).free)} are free\n"
            "nothing was written"
        )


def measure(settings: RenderSettings, out: Path, shard: tuple[int, int] = (1, 1)) -> Estimate:
    """Render a few frames, evenly spread over the run, into memory.

    :raises HandforgeError: as :func:`generator.pipeline.run.render` does.
    """
    run_folder.check(out, settings)
    plan = run.plan(settings)
    done = range(len(plan.poses)) if run_folder.is_finished(out) else read_records(out)
    left = [number for number in range(shard[0] - 1, len(plan.poses), shard[1]) if number not in done]
    kept, poses = (sum(counts[name] for counts in plan.counts.values()) for name in ("kept", "poses"))
    if not left:
        return Estimate(0, kept, poses, settings.engine, 0.0, 0.0)
    renderer = Renderer(settings)
    kinds = categories.of_run(settings.object_annotations)
    spread = np.linspace(0, len(left) - 1, min(len(left), 200)).round().astype(int)
    order = np.random.default_rng(0).permutation(spread)  # any first few of them are spread, too
    seconds: list[float] = []
    sizes: list[int] = []
    for index in [order[0], *order]:
        begin = time.perf_counter()
        sample = renderer.frame(plan.item(left[int(index)]))
        record, files = dataset.encode_sample(sample, settings.format, kinds)
        seconds.append(time.perf_counter() - begin)
        sizes.append(sum(map(len, files.values())) + len(json.dumps(record)))
        if len(seconds) > FRAMES and sum(seconds[1:]) > SECONDS:
            break
    return Estimate(
        len(left), kept, poses, renderer.settings.engine, float(np.mean(seconds[1:])), float(np.mean(sizes[1:]))
    )
