"""One frame of a run as a JSON file: drawn, printed, edited by hand, and rendered into a dataset of one image.

The file holds the run's ``settings``, what is known of the pose (``pose_from``: its set, and its index there) and the
``frame`` itself, :class:`generator.frame.frame_spec.FrameSpec`. Unedited, it renders to the run's image, byte by byte.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict, cast

from generator.frame import frame_spec
from generator.frame import settings as settings_reader
from generator.frame.frame_spec import FrameError
from generator.frame.settings import RenderSettings
from generator.objects import categories
from generator.pipeline import run, workers
from handforge import __version__, dataset
from handforge.dataset.coco_types import ImageMeta
from handforge.errors import HandforgeError
from handforge.files import new_folder
from handforge.parse import parse_json


class FrameFile(TypedDict):
    """What the file holds."""

    settings: dict[str, Any]
    """As :meth:`generator.frame.settings.RenderSettings.to_json`."""
    pose_from: ImageMeta
    frame: dict[str, Any]
    """As :meth:`generator.frame.frame_spec.FrameSpec.to_json`."""


def draw(settings: RenderSettings, number: int) -> FrameFile:
    """Decide a frame of a run.

    :param number: of the frame, from 0.
    :raises HandforgeError: if the run cannot be planned or has no such frame.
    """
    plan = run.plan(settings)
    count = len(plan.poses)
    if not 0 <= number < count:
        raise FrameError(f"the run has no frame {number}; its {count:,} are numbered from 0 to {count - 1:,}")
    item = plan.item(number)
    spec = workers.Renderer(settings).decide(item)
    return {"settings": settings.to_json(), "pose_from": item.meta, "frame": spec.to_json()}


def render(path: Path, out: Path) -> Path:
    """Render a frame's file into ``out``, a dataset of this one image; the image's path.

    :raises HandforgeError: naming what is wrong with the file, or that ``out`` holds something already.
    """
    with new_folder(out) as made:
        asked = _read(path)
        try:
            settings = settings_reader.load(None, asked["settings"])
            spec = frame_spec.from_json(asked["frame"])
        except HandforgeError as error:
            raise FrameError(f"{path}: {error}") from None
        if len(spec.hands) > (most := frame_spec.most_hands(settings)):
            said = f"the frame has {len(spec.hands)} hands, and its settings allow {most}"
            raise FrameError(f"{path}: {said}; set num_hands, crowd or egocentric there")
        name = write(workers.Renderer(settings).render_spec(spec, asked["pose_from"]), settings, made)
    return out / "images" / name


def write(sample: dataset.Sample, settings: RenderSettings, out: Path) -> str:
    """Write one rendered frame into ``out``, a dataset of this image alone; the image's file name."""
    for folder in ("images", "masks", *settings.ground_truth_maps):
        (out / folder).mkdir(parents=True, exist_ok=True)
    record = dataset.write_sample(out, sample, settings.format, categories.of_run(settings.object_annotations))
    info = {"settings": settings.to_json(), "versions": {"handforge": __version__}}
    dataset.assemble(out, [record], info, categories.used([record]) if settings.object_annotations else None)
    return record["image"]["file_name"]


def _read(path: Path) -> FrameFile:
    try:
        asked = parse_json(path.read_bytes(), path, FrameError)
    except OSError as error:
        raise FrameError(f"{path} cannot be read ({error.strerror}); handforge frame show writes one") from None
    parts = ("settings", "pose_from", "frame")
    if not isinstance(asked, dict) or any(not isinstance(asked.get(part), dict) for part in parts):
        raise FrameError(f"{path} is not a frame's file: it must hold {', '.join(parts)}, as frame show writes them")
    if more := set(asked["pose_from"]) - {"set", "frame"}:
        raise FrameError(f"{path}: pose_from holds set and frame, and not {min(more)!r}")
    return cast("FrameFile", asked)
