"""A rendering run: which frames, into which folder, by whom; continued wherever it was stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from generator.errors import RunError
from generator.frame import backgrounds
from generator.frame.frame_look import hand_shape
from generator.frame.framing import FOCAL
from generator.frame.settings import RenderSettings
from generator.hand import plausibility, pose_sets
from generator.hand.anatomy import skeleton
from generator.hand.camera import Camera
from generator.hand.plausibility import PoseCounts
from generator.pipeline import judged, records, run_folder
from generator.pipeline.dask_cluster import Cluster
from generator.pipeline.fingerprint import sources
from generator.pipeline.run_folder import RunState
from generator.pipeline.workers import FRAMES_A_WORKER, Item, Workers
from handforge import __version__
from handforge.dataset.coco_types import ImageMeta
from handforge.files import require_space, require_writable

Progress = Callable[[int, int], None]
"""Told the number of frames done and of all frames, whenever some more are done."""


@dataclass(frozen=True)
class Plan:
    """The frames of a run.

    :param settings: the run's.
    :param poses: the pose of each frame, with its set and its index there.
    :param counts: by set.
    """

    settings: RenderSettings
    poses: pose_sets.PoseSet
    counts: dict[str, PoseCounts]

    def item(self, number: int) -> Item:
        """One frame as the workers take it."""
        meta: ImageMeta = {"set": self.poses.names[number], "frame": int(self.poses.frames[number])}
        return Item(number, self.poses.poses[number], meta)


def judging_camera(settings: RenderSettings) -> Camera:
    """The camera that the run's poses are judged by.

    A framing that is not fixed puts the hand into the image, whatever its shape and the focal length: it is judged by a
    camera that sees all before it. A random focal length is judged by its longest.
    """
    if settings.framing != "fixed":
        return Camera(1280, 1280, focal_mm=1.0)
    focal = FOCAL[1] if isinstance(settings.focal_mm, str) else settings.focal_mm
    return Camera(*settings.resolution, settings.distance, focal)


def plan(settings: RenderSettings) -> Plan:
    """Choose the frames: ``count`` poses spread evenly over the plausible ones of the set.

    :raises HandforgeError: if the set does not exist, none of its poses is plausible, fewer are than asked for, or the
        folder of backgrounds holds none.
    """
    backgrounds.open_backgrounds(settings)
    chosen = pose_sets.select(settings.pose_set)
    hand = skeleton(hand_shape(settings))
    reasons = judged.judge(chosen.poses, hand, judging_camera(settings))
    kept = np.flatnonzero(reasons == "")
    count = len(kept) if settings.count is None else settings.count
    if not len(kept):
        raise RunError(
            f"none of the {len(chosen):,} poses of {settings.pose_set} is plausible; handforge poses says why"
        )
    if count > len(kept):
        raise RunError(
            f"{settings.pose_set} has {len(kept):,} plausible poses, {count:,} were asked for; lower --count"
        )
    picked = kept[np.arange(count) * len(kept) // count]
    return Plan(settings, chosen.take(picked), plausibility.counts(chosen.names, reasons))


def render(
    settings: RenderSettings,
    out: Path,
    workers: int,
    progress: Progress,
    *,
    scheduler: str | None = None,
    shard: tuple[int, int] = (1, 1),
) -> bool:
    """Render a dataset into ``out``, or what is missing of it.

    The finished folder's bytes depend on the settings alone: not on the number of workers, nor on how often and where
    the run was stopped.

    :param workers: processes on this machine.
    :param scheduler: address of a Dask scheduler, whose workers render instead.
    :param shard: (i, n): only every n-th frame, from the i-th on; the folder is left to
        :func:`generator.pipeline.shards.merge`.
    :returns: False if it was finished already.
    :raises HandforgeError: if ``out`` holds something else or another run, or the run cannot be done.
    """
    run_folder.check(out, settings)
    behind = backgrounds.open_backgrounds(settings)
    if behind is not None and out.resolve().is_relative_to(Path(settings.backgrounds or "").resolve()):
        raise RunError(f"{out} lies in the folder of backgrounds, which would change with it; give another --out")
    made_of = sources(settings)
    if run_folder.is_finished(out):
        run_folder.remove_leftovers(out)
        if not pose_sets.named(settings.pose_set):  # a file, which may hold other poses now
            made_of |= _digest(plan(settings).poses)
        run_folder.check_sources(out, made_of)
        return False
    require_writable(out)
    if behind is not None and run_folder.state(out) is None:
        behind.verify()
    frames = plan(settings)
    mine = range(shard[0] - 1, len(frames.poses), shard[1])
    _require_room(out, settings, len(mine) - len(records.read_records(out)))
    try:
        with _crew(workers, len(mine), scheduler) as crew:
            settings, blender = crew.start(settings)
            if run_folder.is_finished(out):  # by another process that was given the same command
                return False
            run_folder.claim(out, _state(replace(frames, settings=settings), blender, made_of))
            records.mark_shard(out, shard)
            done = records.read_records(out)
            todo = [number for number in mine if number not in done]
            progress(len(mine) - len(todo), len(mine))
            unknown = True
            for finished in crew.render(out, (frames.item(number) for number in todo)):
                progress(len(mine) - len(todo) + finished, len(mine))
                if unknown and finished >= FRAMES_A_WORKER:
                    _require_room(out, settings, len(todo) - finished)
                    unknown = False
        if shard == (1, 1) and not run_folder.is_finished(out):  # by another process that was given the same command
            run_folder.finish(out)
    except OSError as error:
        raise RunError(
            f"{out}: {error.strerror or error}; what is done is kept: put that right and run the same command again"
        ) from error
    return True


LEAST = 0.01
"""Bytes that an image takes for each of its pixels at the very least."""


def _require_room(out: Path, settings: RenderSettings, left: int) -> None:
    """Refuse frames for which the disk has no room, judged by the size of those that are done."""
    each = max(_bytes_each(out), LEAST * settings.resolution[0] * settings.resolution[1])
    require_space(out, round(max(left, 0) * each), f"what is left to render ({left:,} images)")


def _bytes_each(out: Path) -> float:
    """The bytes of a frame that is done, with its mask and ground truth; 0 where none is."""
    folders = [path for path in out.iterdir() if path.is_dir() and path.name != records.PARTIAL] if out.is_dir() else []
    sizes = [[file.stat().st_size for file in islice(folder.iterdir(), FRAMES_A_WORKER)] for folder in folders]
    return sum(sum(each) / len(each) for each in sizes if each)


def _crew(workers: int, frames: int, scheduler: str | None) -> Workers | Cluster:
    return Workers(workers, frames) if scheduler is None else Cluster(scheduler)


def _state(frames: Plan, blender: str, made_of: Mapping[str, str]) -> RunState:
    """What the folder keeps of the run.

    :param made_of: the digests of what its settings name.
    """
    state = {
        "settings": run_folder.named(frames.settings),
        **_digest(frames.poses),
        "versions": {"handforge": __version__, "blender": blender},
        "frames": len(frames.poses),
        "counts": frames.counts,
        **made_of,
    }
    return cast("RunState", state)


def _digest(poses: pose_sets.PoseSet) -> dict[str, str]:
    """What the folder keeps of the poses beyond their set's name."""
    return {"poses_sha256": hashlib.sha256(poses.poses.tobytes()).hexdigest()}
