"""Videos and cameras in, videos out, by PyAV."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from handforge.dataset import DatasetError

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg")
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}
"""FFmpeg's input for cameras by system, and what it calls the one of a number; Windows knows them by name only."""
_TICK = Fraction(1, 1000)


@dataclass(frozen=True)
class Stream:
    """A video or a camera.

    :param file: a path, or a camera as FFmpeg calls it.
    :param name: what its frames are named after.
    :param format: FFmpeg's name of a camera's input, None for a file.
    :param rate: frames a second.
    :param frames: how many there are, None where it does not say.
    """

    file: str
    name: str
    format: str | None
    rate: Fraction
    frames: int | None

    @property
    def live(self) -> bool:
        """Whether it goes on until somebody stops it."""
        return self.format is not None

    def read(self) -> Iterator[np.ndarray]:
        """The frames, each (H, W, 3) uint8 RGB, turned as a player shows them.

        :raises DatasetError: if it is damaged, or the camera is gone.
        """
        with _opened(self.file, self.format) as container:
            for frame in container.decode(video=0):
                picture = frame.to_ndarray(format="rgb24")
                yield np.ascontiguousarray(np.rot90(picture, round(frame.rotation / 90)))


def open_video(path: Path) -> Stream:
    """A video file's first image stream.

    :raises DatasetError: if it is missing, is no video, or is damaged.
    """
    if not path.is_file():
        raise DatasetError(f"{path} is missing")
    return _stream(str(path), path.stem, None)


def open_camera(device: str) -> Stream:
    """A camera by its number, from 0, or by the name the system has for it.

    :raises DatasetError: if there is none.
    """
    format, numbered = _CAMERAS.get(sys.platform, ("v4l2", "{}"))
    return _stream(numbered.format(device) if device.isdigit() else device, "camera", format)


def _stream(file: str, name: str, format: str | None) -> Stream:
    with _opened(file, format) as container:
        stream = container.streams.video[0]
        return Stream(file, name, format, Fraction(str(stream.average_rate or 25)), stream.frames or None)


@contextmanager
def _opened(file: str, format: str | None) -> Iterator[Any]:
    what = f"the camera {file}" if format else file
    try:
        with av.open(file, format=format) as container:
            if not container.streams.video:
                raise DatasetError(f"{what} has no images")
            yield container
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        reason = getattr(error, "strerror", None) or error
        if format:
            raise DatasetError(f"{what} cannot be opened ({reason}); is it plugged in, free, and allowed?") from None
        raise DatasetError(f"{what} is damaged or no video ({reason})") from None


def read_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video's first image stream, each (H, W, 3) uint8 RGB. Errors as :func:`open_video`."""
    yield from open_video(path).read()


class Writer:
    """An H.264 video written frame by frame; all frames have the first one's size. Use as a context manager.

    :param rate: frames a second; None where each is written with its time.
    """

    def __init__(self, path: Path, rate: Fraction | None) -> None:
        self._container = av.open(str(path), "w")
        self._rate = rate
        self._stream: av.VideoStream | None = None

    def __enter__(self) -> Writer:
        return self

    def write(self, picture: np.ndarray, seconds: float = 0.0) -> None:
        """Append one (H, W, 3) uint8 RGB frame; an odd last row or column stands twice, as H.264 has none.

        :param seconds: when it was taken, where the video has no rate.
        """
        picture = np.pad(picture, ((0, picture.shape[0] % 2), (0, picture.shape[1] % 2), (0, 0)), "edge")
        if self._stream is None:
            self._stream = self._container.add_stream("libx264", rate=self._rate or 1 / _TICK)
            self._stream.height, self._stream.width = picture.shape[:2]
            self._stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        if self._rate is None:
            frame.pts, frame.time_base = round(seconds / _TICK), _TICK
        self._container.mux(self._stream.encode(frame))

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._container.mux(self._stream.encode())
        self._container.close()
