"""How fast datasets are rendered, each engine by itself: images a second with one worker and with two, where the time
goes, a worker's memory, and BlenderProc on the same hand where it is installed.

python benchmarks/generation.py                        raster and cycles; about four minutes on two cores
python benchmarks/generation.py --engine raster --memory-frames 0
python benchmarks/generation.py --settings varied      a preset's indoor scenes at 480x360 by parts; about three minutes
python benchmarks/generation.py --blenderproc PYTHON   a Python 3.11 as blenderproc_hand.py wants it
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from generator.frame.scene_kind import EngineName
from generator.frame.settings import RenderSettings, load
from generator.hand import kinematics
from generator.hand.anatomy import skeleton
from generator.mesh import hand_mesh, skinning
from generator.pipeline import records, run
from generator.pipeline.records import Records
from generator.pipeline.workers import Renderer
from handforge import dataset
from handforge.machine import processors

FRAMES = {"raster": 600, "cycles": 160}
"""Of the runs that are timed."""

PROC_FRAMES = 12
SAMPLES = 4
INDOOR_FRAMES = 80


def images_a_second(settings: RenderSettings, workers: int) -> float:
    """Of a whole run without its start: from the first frames done to the last."""
    told: list[tuple[float, int]] = []
    with tempfile.TemporaryDirectory() as where:
        run.render(settings, Path(where, "out"), workers, lambda done, _: told.append((time.perf_counter(), done)))
    steady = [point for point in told if point[1] > 20 * workers]
    (begin, first), (end, last) = steady[0], steady[-1]
    return (last - first) / (end - begin)


def split(settings: RenderSettings, frames: int) -> dict[str, float]:
    """Milliseconds of processor time a frame in one worker, by what it does; ``all`` is their sum with what is left."""
    from generator.blender import frame_renderer, rig
    from generator.blender.engines import exr, plain
    from generator.blender.engines.indoor import IndoorScene
    from generator.blender.frame_renderer import FrameRenderer
    from generator.frame import camera_effects, frame_spec

    renderer = Renderer(settings)
    plan = run.plan(replace(renderer.settings, count=frames))
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str, owner: object, function: str) -> None:
        original = getattr(owner, function)

        def call(*args: Any, **kwargs: Any) -> Any:
            begin = time.process_time()
            try:
                return original(*args, **kwargs)
            finally:
                spent[name] += (time.process_time() - begin) * 1000 / (frames - 1)

        setattr(owner, function, call)

    with tempfile.TemporaryDirectory() as where:
        out = Path(where)
        for part in ("images", "masks", records.PARTIAL):
            (out / part).mkdir()
        renderer._records = Records(out)
        renderer.render(out, [plan.item(0)])  # makes the hand, compiles shaders
        if settings.scene == "indoor":
            timed("decide", frame_spec, "draw_frame")
            timed("hands", FrameRenderer, "_arm")
            timed("around", IndoorScene, "decide")
            timed("around", IndoorScene, "_put")
            timed("cycles", exr, "render")
            timed("camera", camera_effects, "develop")
            timed("truth", FrameRenderer, "_hands")
        else:
            timed("pose", rig, "set_pose")
            timed("pose", rig, "posed_surface")
            assert isinstance(renderer._frames.engine, plain.PlainScene)
            timed("draw", renderer._frames.engine.drawer, "draw")
            timed("draw", plain, "_compose")
            timed("truth", frame_renderer, "masks_of")
            timed("truth", frame_renderer, "keypoints")
        timed("encode", dataset, "encode_sample")
        timed("write", Records, "add")
        begin = time.process_time()
        for number in range(1, frames):
            renderer.render(out, [plan.item(number)])
        spent["all"] = (time.process_time() - begin) * 1000 / (frames - 1)
        renderer._records.close()
    return dict(spent)


def memory_mb(settings: RenderSettings, frames: int) -> list[tuple[int, float]]:
    """A worker's resident memory in MB after so many frames (Linux)."""
    renderer = Renderer(settings)
    plan = run.plan(replace(renderer.settings, count=frames))
    seen = []
    for number in range(frames):
        renderer.frame(plan.item(number))
        if (number + 1) % max(1, frames // 6) == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            seen.append((number + 1, pages * os.sysconf("SC_PAGE_SIZE") / 2**20))
    return seen


def apart(function: Callable[..., Any], *args: Any) -> Any:
    """Call in a process of its own, so that one measurement does not warm another."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def blenderproc_seconds(python: str, settings: RenderSettings) -> float:
    """Seconds an image of BlenderProc with the same hand, poses, size and samples: image, mask and COCO.

    :raises RuntimeError: if it cannot be run, with its last line.
    """
    mesh, bones = hand_mesh.build(), skeleton()
    poses = run.plan(replace(settings, count=PROC_FRAMES)).poses.poses
    posed = [skinning.skin(mesh.vertices, mesh.weights, kinematics.transforms(pose, bones)) for pose in poses]
    script = Path(__file__).with_name("blenderproc_hand.py")
    with tempfile.TemporaryDirectory() as where:
        np.savez(Path(where, "hand.npz"), vertices=np.array(posed, np.float32), faces=mesh.faces)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        line = [python, str(script), where, *(str(value) for value in (*settings.resolution, settings.samples))]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        if done.returncode or not Path(where, "seconds.txt").exists():
            raise RuntimeError(said[-1] if said else f"exit code {done.returncode}")
        return float(Path(where, "seconds.txt").read_text())


def measure(engine: EngineName, frames: int | None, memory_frames: int) -> float:
    """Measure one engine and print; images a second with two workers."""
    settings = RenderSettings(pose_set="l11", count=frames or FRAMES.get(engine, 60), engine=engine, samples=SAMPLES)
    print(f"\n{engine}: 1280x720 PNG + mask + annotation" + (f", {SAMPLES} samples" if engine == "cycles" else ""))
    one, two = (images_a_second(settings, workers) for workers in (1, 2))
    print(f"  one worker   {one:6.1f} images/s")
    print(f"  two workers  {two:6.1f} images/s  ({two / one:.2f} times one)")
    for name, milliseconds in apart(split, settings, min(settings.count or 0, 150)).items():
        print(f"    {name:8s} {milliseconds:6.1f} ms of processor time an image")
    for done, megabytes in apart(memory_mb, settings, memory_frames) if memory_frames else []:
        print(f"    after {done:5d} frames {megabytes:6.0f} MB")
    sys.stdout.flush()
    return two


def measure_indoor(preset: str, frames: int) -> None:
    """Measure one preset of indoor scenes and print."""
    settings = load(Path(preset), {"resolution": "480x360", "mask": "both", "count": frames})
    print(f"\n{preset}: 480x360 JPEG + masks + annotations, {settings.samples} samples")
    for workers in (1, 2):
        print(f"  {workers} worker{'s' * (workers > 1)}  {images_a_second(settings, workers):5.2f} images/s")
    for name, milliseconds in apart(split, settings, frames // 2).items():
        print(f"    {name:8s} {milliseconds:6.1f} ms of processor time an image")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", action="append", help="raster, cycles ...; may be given more than once")
    parser.add_argument("--settings", metavar="PRESET", help="measure this preset's indoor scenes instead")
    parser.add_argument("--frames", type=int, help="of the timed runs; by default as many as take about ten seconds")
    parser.add_argument("--memory-frames", type=int, default=3000, help="of the first engine; 0 leaves it out")
    parser.add_argument("--blenderproc", metavar="PYTHON", help="by default this one, where it has blenderproc")
    given = parser.parse_args()
    if given.frames is not None and given.frames < 60:
        parser.error("--frames is 60 at least: the first 20 of each worker are not timed")
    print(f"{processors()} cores")
    if given.settings:
        measure_indoor(given.settings, given.frames or INDOOR_FRAMES)
        return
    engines = given.engine or ["raster", "cycles"]
    rates = {name: measure(name, given.frames, given.memory_frames * (name == engines[0])) for name in engines}
    python = given.blenderproc or (sys.executable if importlib.util.find_spec("blenderproc") else None)
    if python is None:
        print("\nblenderproc is not installed beside this; --blenderproc PYTHON names a Python that has it")
        return
    settings = RenderSettings(pose_set="l11", samples=SAMPLES)
    try:
        seconds = blenderproc_seconds(python, settings)
    except (OSError, RuntimeError) as error:
        print(f"\nBlenderProc does not run here: {error}")
        return
    print(f"\nBlenderProc, the same hand, size and samples: {1 / seconds:.2f} images/s")
    for name, rate in rates.items():
        print(f"  {name} with two workers makes {rate * seconds:.0f} images in the time of one")


if __name__ == "__main__":
    main()
