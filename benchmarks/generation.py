"""How fast datasets are rendered: pictures a second, where the time goes, two workers beside one, a worker's memory.

python benchmarks/generation.py [--engine raster] [--frames 400] [--memory-frames 3000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from generator import cli, dataset, folder, run
from generator.folder import Records
from generator.settings import RenderSettings
from generator.workers import Renderer


def pictures_a_second(settings: RenderSettings, workers: int) -> float:
    """Of a whole run without its start: from the first frame done to the last."""
    told: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as where:
        run.render(settings, Path(where, "out"), workers, lambda done, _: told.append((time.perf_counter(), done)))
    steady = [point for point in told if point[1] > 20 * workers]
    (begin, first), (end, last) = steady[0], steady[-1]
    return (last - first) / (end - begin)


def split(settings: RenderSettings, frames: int) -> dict[str, float]:
    """Milliseconds a frame in one process: pose (and Blender's evaluation), draw, truth, encode, write."""
    from generator.blender import render, rig

    renderer = Renderer(settings)
    plan = run.plan(replace(renderer.settings, count=frames))
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, owner: object, function: str) -> None:
        original = getattr(owner, function)

        def call(*args, **kwargs):
            begin = time.perf_counter()
            try:
                return original(*args, **kwargs)
            finally:
                spent[name] += (time.perf_counter() - begin) * 1000 / frames

        setattr(owner, function, call)

    timed("pose", rig, "set_pose")
    timed("pose", rig, "posed")
    timed("draw", renderer._studio.engine, "draw")
    timed("draw", render, "_compose")
    timed("truth", render, "keypoints")
    timed("encode", dataset, "encode_frame")
    timed("write", dataset, "write_atomic")
    with tempfile.TemporaryDirectory() as where:
        out = Path(where)
        for part in ("images", "masks", folder.PARTIAL):
            (out / part).mkdir()
        renderer._records = Records(out)
        for number in range(frames):
            renderer.render(out, [plan.item(number)])
        renderer._records.close()
    return dict(spent)


def memory_mb(settings: RenderSettings, frames: int) -> list[tuple[int, float]]:
    """A worker's resident memory in MB after so many frames (Linux)."""
    renderer = Renderer(settings)
    plan = run.plan(replace(renderer.settings, count=frames))
    seen = []
    for number in range(frames):
        renderer.frame(plan.item(number))
        if number % (frames // 6) == frames // 6 - 1:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            seen.append((number + 1, pages * 4096 / 2**20))
    return seen


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--memory-frames", type=int, default=0)
    given = parser.parse_args()
    settings = RenderSettings(set="l11", count=given.frames, engine=given.engine)
    one, two = (pictures_a_second(settings, workers) for workers in (1, 2))
    print(f"{cli.processors()} cores; 1280x720 PNG + mask + annotation, engine {given.engine}")
    print(f"one worker   {one:6.1f} pictures/s")
    print(f"two workers  {two:6.1f} pictures/s  ({two / one:.2f} times one)")
    for name, milliseconds in split(settings, min(given.frames, 200)).items():
        print(f"  {name:8s} {milliseconds:6.1f} ms")
    if given.memory_frames:
        for frames, megabytes in memory_mb(settings, given.memory_frames):
            print(f"  after {frames:5d} frames {megabytes:6.0f} MB")


if __name__ == "__main__":
    main()
