"""Videos in and out, by PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from generator.dataset import DatasetError

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")


def read_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video's first picture stream, each (H, W, 3) uint8 RGB.

    :raises DatasetError: if it is missing, is no video, or is damaged.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DatasetError(f"{path} has no pictures")
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")
    except av.error.FFmpegError as error:
        raise DatasetError(f"{path} is damaged or no video ({error.strerror})") from None


def describe(path: Path) -> tuple[int | None, Fraction]:
    """How many frames a video says it has (None where it does not), and its frames a second.

    :raises DatasetError: as :func:`read_frames`.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing")
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DatasetError(f"{path} has no pictures")
            stream = container.streams.video[0]
            return stream.frames or None, Fraction(str(stream.average_rate or 25))
    except av.error.FFmpegError as error:
        raise DatasetError(f"{path} is damaged or no video ({error.strerror})") from None


class Writer:
    """An H.264 video written frame by frame; all frames have the first one's size. Use as a context manager."""

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._container = av.open(str(path), "w")
        self._rate = rate
        self._stream: av.VideoStream | None = None

    def __enter__(self) -> Writer:
        return self

    def write(self, picture: np.ndarray) -> None:
        """Append one (H, W, 3) uint8 RGB frame; an odd last row or column is cut off, H.264 has none."""
        height, width = (side - side % 2 for side in picture.shape[:2])
        if self._stream is None:
            self._stream = self._container.add_stream("libx264", rate=self._rate)
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
        self._container.mux(self._stream.encode(frame))

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()
