"""One image at a time for a program with a window: a Blender that stays open between them, so that each is quick.

For each :class:`~generator.pipeline.gui_messages.PreviewTask` it tells the image's files, or an error.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from generator.frame import settings as reader
from generator.frame.settings import RenderSettings
from generator.pipeline import frame_file, workers
from generator.pipeline.gui_messages import EXPECTED, PreviewNews, PreviewTask, reason, tell
from handforge import dataset
from handforge.dataset import contact_sheet
from handforge.files import write_atomic

_TINT = np.array([0, 200, 80], float)


class Previews:
    """Renders single frames, and keeps Blender as it is while the settings stay the same."""

    def __init__(self) -> None:
        self._settings: RenderSettings | None = None
        self._renderer: workers.Renderer | None = None

    def render(self, settings: RenderSettings, pose: np.ndarray, number: int, out: Path) -> PreviewNews:
        """Render a pose, plausible or not, into ``out``: a dataset of one image, and ``overlay.png``.

        Whatever fraction of a run's images shows other poses, or none, this one shows the pose.

        :param pose: (28,), metres and radians.
        :param number: of the frame, which together with the seed decides what is random.
        :raises EngineError: if the engine cannot run here.
        """
        settings = replace(settings, held=0.0, crowd=0.0, egocentric=0.0, empty=0.0)
        if self._renderer is None or settings != self._settings:
            self._renderer = None  # its scene is gone once another is begun, even one that cannot be made
            self._renderer, self._settings = workers.Renderer(settings), settings
        sample = self._renderer.frame(workers.Item(number, pose, {"set": "preview", "frame": number}))
        name = frame_file.write(sample, settings, out)
        masks = [instance.mask for instance in sample.instances]
        write_atomic(out / "overlay.png", _overlay(sample.image, masks))
        return {
            "image": str(out / "images" / name),
            "overlay": str(out / "overlay.png"),
            "record": str(out / "annotations.json"),
        }


def _overlay(image: np.ndarray, masks: list[np.ndarray]) -> bytes:
    """The image (H, W, 3) with its masks tinted and outlined, as PNG."""
    pixels = image.astype(float)
    for mask in masks:
        pixels[mask] = 0.65 * pixels[mask] + 0.35 * _TINT
        pixels[contact_sheet.outline(mask)] = _TINT
    return dataset.encode_png(pixels.astype(np.uint8))


def main() -> int:
    """Render what standard input asks for, until it ends; the exit code is 0."""
    previews = Previews()
    while line := sys.stdin.readline():
        asked: PreviewTask = json.loads(line)
        try:
            chosen = reader.load(Path(asked["settings"]), asked["overrides"], asked["defaults"])
            tell(previews.render(chosen, np.array(asked["pose"], float), asked["number"], Path(asked["out"])))
        except EXPECTED as error:
            tell({"error": reason(error)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
