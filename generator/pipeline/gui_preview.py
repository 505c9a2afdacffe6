"""One image at a time for a program with a window: a Blender that stays open between them, so that each is quick.

Each line of standard input is JSON: ``{"settings": PRESET_OR_FILE, "overrides": {...}, "defaults": {...}, "pose":
[28 numbers, metres and radians], "number": n, "out": DIR}``, the first three as
:func:`generator.frame.settings.load` takes them. For each, one line of output starts with
:data:`generator.pipeline.gui_job.MARK`; what follows is JSON, ``{"image": FILE, "overlay": FILE, "record": FILE}`` or
``{"error": TEXT}``. It ends when standard input does.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from generator.frame import settings as reader
from generator.frame.settings import RenderSettings
from generator.objects import categories
from generator.pipeline import workers
from generator.pipeline.gui_job import tell
from handforge import __version__, dataset
from handforge.dataset import contact_sheet
from handforge.errors import HandforgeError
from handforge.files import write_atomic

_TINT = np.array([0, 200, 80], float)


class Previews:
    """Renders single frames, and keeps Blender as it is while the settings stay the same."""

    def __init__(self) -> None:
        self._settings: RenderSettings | None = None
        self._renderer: workers.Renderer | None = None

    def render(self, settings: RenderSettings, pose: np.ndarray, number: int, out: Path) -> dict[str, str]:
        """Render a pose, plausible or not, into ``out``: a dataset of one image, and ``overlay.png``.

        :param pose: (28,), metres and radians.
        :param number: of the frame, which together with the seed decides what is random.
        :returns: the paths of the image, the overlay and the COCO file.
        :raises GeneratorError: if the engine cannot run here.
        """
        if self._renderer is None or settings != self._settings:
            self._renderer, self._settings = workers.Renderer(settings), settings
        sample = self._renderer.frame(workers.Item(number, pose, {"set": "preview", "frame": number}))
        for folder in ("images", "masks", *settings.ground_truth_kinds):
            (out / folder).mkdir(parents=True, exist_ok=True)
        record = dataset.write_sample(out, sample, settings.format, categories.of_run(settings.object_annotations))
        info = {"settings": settings.to_json(), "versions": {"handforge": __version__}}
        dataset.assemble(out, [record], info, categories.used([record]) if settings.object_annotations else None)
        masks = [instance.mask for instance in sample.instances]
        write_atomic(out / "overlay.png", _overlay(sample.image, masks))
        return {
            "image": str(out / "images" / record["image"]["file_name"]),
            "overlay": str(out / "overlay.png"),
            "record": str(out / "annotations.json"),
        }


def _overlay(image: np.ndarray, masks: list[np.ndarray]) -> bytes:
    """The image (H, W, 3) with its masks tinted and outlined, as PNG."""
    pixels = image.astype(float)
    for mask in masks:
        pixels[mask] = 0.65 * pixels[mask] + 0.35 * _TINT
        pixels[contact_sheet.outline(mask)] = _TINT
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def main() -> int:
    """Render what standard input asks for, until it ends; the exit code is 0."""
    previews = Previews()
    while line := sys.stdin.readline():
        asked: dict[str, Any] = json.loads(line)
        try:
            chosen = reader.load(Path(asked["settings"]), asked["overrides"], asked["defaults"])
            tell(previews.render(chosen, np.array(asked["pose"], float), asked["number"], Path(asked["out"])))
        except (HandforgeError, OSError) as error:
            tell({"error": str(error)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
