"""Overlays and masks of predictions, written image by image."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from handforge.dataset import encode_png, video
from trainer.inference.detections import Detection, overlay, union
from trainer.inference.formats import Format
from trainer.inference.inputs import Clip, Frame, Source

VIDEO = "overlays.mp4"
"""The overlays of a source that is one video or camera; of several each has its own in ``overlays``."""


class Outputs:
    """Writes ``overlays/NAME.jpg``, or a video of a video, and ``masks/NAME.png``. Use as a context manager.

    :param folder: where to.
    :param overlays: whether to draw the detections into each image.
    :param masks: whether to write each image's mask, 255 on its detections.
    :param formats: what else is written of each image.
    :param categories: the names of all that the network knows.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        overlays: bool,
        masks: bool,
        formats: Sequence[Format],
        categories: list[str],
    ) -> None:
        self._folder = folder
        self._overlays, self._masks, self._formats = overlays, masks, formats
        self._categories = categories
        self._alone = len(source.items) == 1
        self._open = ExitStack()
        self._clip: Clip | None = None
        self._video: video.Writer | None = None
        self._begin = time.perf_counter()

    def __enter__(self) -> Outputs:
        return self

    def add(self, frame: Frame, hands: list[Detection]) -> None:
        """Write one image's outputs, as far as asked for."""
        if self._masks:
            mask = union(hands, frame.image.shape[:2]).astype(np.uint8) * np.uint8(255)
            self._path("masks", frame.output, ".png").write_bytes(encode_png(mask))
        for kind in self._formats:
            kind.add(frame, hands)
        if not self._overlays:
            return
        drawn = overlay(frame.image, hands, self._categories)
        if frame.clip:
            seconds = time.perf_counter() - self._begin if frame.clip.live else frame.seconds
            self._video_of(frame.clip).write(drawn, seconds)
        else:
            Image.fromarray(drawn).save(self._path("overlays", frame.output, ".jpg"), quality=90)

    def _path(self, kind: str, output: str, suffix: str) -> Path:
        path = self._folder / kind / f"{output}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _video_of(self, clip: Clip) -> video.Writer:
        """The video that a clip's frames go into; the one before is closed."""
        if self._video is None or clip is not self._clip:
            self._open.close()
            path = self._folder / VIDEO if self._alone else self._path("overlays", clip.output, ".mp4")
            self._clip, self._video = clip, self._open.enter_context(video.Writer(path, clip.open().rate))
        return self._video

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        self._open.close()
        if kind is None:
            for one in self._formats:
                one.close()
