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
from av.video.reformatter import ColorRange, Colorspace

from handforge.dataset import DatasetError

SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".wmv", ".flv", ".ogv"),
    *(".mpg", ".mpeg", ".ts", ".mts", ".m2ts"),
)
"""What is taken for a video by its name; a GIF is one if it has several images."""
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}"), "win32": ("dshow", "video={}")}
"""FFmpeg's input for cameras by system, and what it calls the one of a number; Windows knows them by name only."""
_TICK = Fraction(1, 90_000)
"""Seconds that a written video's times are multiples of, as is usual."""
_PLAUSIBLE_RATES = (Fraction(1, 100), Fraction(1000))
_USUAL_RATE = Fraction(25)
_MOST_OBLONG_PIXEL, _SQUARE = Fraction(4), Fraction(1, 100)
"""Pixels that are said to be longer (standards have up to 2) or to differ less from squares are taken for squares."""
MISSING_SECONDS, MISSING_FRACTION = 0.5, 0.02
"""By how much a video may end before the end that it states, in seconds and of its length; headers are not exact."""


class IncompleteVideoError(DatasetError):
    """Parts of a video cannot be decoded; it is raised after all frames that can be have been read."""


@dataclass(frozen=True)
class Stream:
    """A video or a camera.

    :param file: a path, or a camera as FFmpeg calls it.
    :param name: what its frames are named after.
    :param format: FFmpeg's name of a camera's input, None for a file.
    :param rate: frames a second; where they vary, those that it is said to have, or else 25.
    :param frames: how many there are, None where it does not say.
    :param pixel_aspect: the width of a pixel over its height as a player shows it; 1 for most videos.
    """

    file: str
    name: str
    format: str | None
    rate: Fraction
    frames: int | None
    pixel_aspect: Fraction = Fraction(1)

    @property
    def live(self) -> bool:
        """Whether it goes on until somebody stops it."""
        return self.format is not None

    def read(self, square: bool = True) -> Iterator[tuple[float, np.ndarray]]:
        """The frames with their times in seconds from the first, which grow: each (H, W, 3) uint8 RGB, as a player
        shows it, turned upright.

        :param square: scale frames of pixels that are not square along their shorter side, to squares, as players do;
            False: leave them as they are stored.
        :raises IncompleteVideoError: after the last frame that can be decoded, if there should be more.
        :raises DatasetError: if none can be decoded, or the camera is gone.
        """
        first, last, number = 0.0, 0.0, 0
        with _opened(self.file, self.format) as container:
            decoding = _Decoding(container)
            for frame in decoding.frames():
                stated = frame.time if number else (first := frame.time or 0.0)
                seconds = 0.0 if stated is None else stated - first
                if number and seconds <= last:  # no time, or no good one
                    seconds = last + float(1 / self.rate)
                width, height = self._shown(frame.width, frame.height) if square else (frame.width, frame.height)
                image = frame.to_ndarray(format="rgb24", width=width, height=height)
                yield seconds, np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90)))
                last, number = seconds, number + 1
            if not self.live:
                self._check_complete(decoding, number, last + float(1 / self.rate), first)

    def _shown(self, width: int, height: int) -> tuple[int, int]:
        """The size of a stored frame whose pixels become squares; none of them is lost."""
        if self.pixel_aspect >= 1:
            return round(width * self.pixel_aspect), height
        return width, round(height / self.pixel_aspect)

    def _check_complete(self, decoding: _Decoding, frames: int, seconds: float, first: float) -> None:
        if not frames:
            raise DatasetError(f"{self.file} is damaged or no video ({decoding.reason or 'no image can be decoded'})")
        lost = []
        if decoding.failed:
            lost.append(f"{decoding.failed} of its packets cannot be decoded")
        stated = decoding.stated_seconds
        before = 0.0 if decoding.states_length else first  # Matroska states the end, also of a part of a recording
        if stated - max(seconds + before, decoding.other_seconds) > max(MISSING_SECONDS, MISSING_FRACTION * stated):
            lost.append(f"it ends after {seconds:.1f} of {stated:.1f} s")
        if lost:
            raise IncompleteVideoError(f"{self.file} is damaged: {', and '.join(lost)}; its {frames} frames were read")


class _Decoding:
    """The frames of a container's first image stream, and what was wrong with it.

    ``failed``: packets that cannot be decoded; ``reason``: of the first; ``stated_seconds``: how long it says to be,
    or, if not ``states_length``, when it ends; ``other_seconds``: the end of its sound, which may be longer.
    """

    def __init__(self, container: Any) -> None:
        self._container = container
        self._stream = container.streams.video[0]
        self.failed, self.reason, self.other_seconds = 0, "", 0.0
        stream = self._stream
        own = float(stream.duration * stream.time_base) if stream.duration else 0.0
        self.states_length = own > 0
        self.stated_seconds = own or (container.duration or 0) / av.time_base

    def frames(self) -> Iterator[Any]:
        """Decode packet by packet, so that a broken one costs no other."""
        packets = self._container.demux()
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                self._note(error)
                packet = None
            if packet is None:
                return
            if packet.stream is not self._stream:
                if packet.pts is not None and packet.time_base:
                    self.other_seconds = max(self.other_seconds, float(packet.pts * packet.time_base))
                continue
            try:
                decoded = packet.decode()
            except av.error.FFmpegError as error:
                self._note(error)
                continue
            yield from decoded

    def _note(self, error: Exception) -> None:
        self.failed += 1
        self.reason = self.reason or str(getattr(error, "strerror", None) or error)


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
        rate = Fraction(str(stream.guessed_rate or stream.average_rate or 0))
        low, high = _PLAUSIBLE_RATES
        return Stream(
            file,
            name,
            format,
            rate=rate if low <= rate <= high else _USUAL_RATE,
            frames=stream.frames or None,
            pixel_aspect=_plausible_aspect(stream.sample_aspect_ratio),
        )


def _plausible_aspect(stated: Fraction | None) -> Fraction:
    """What a video says of its pixels' shape; 1 where it says nothing, nothing plausible, or next to nothing."""
    aspect = stated or Fraction(1)
    plausible = 1 / _MOST_OBLONG_PIXEL <= aspect <= _MOST_OBLONG_PIXEL
    return aspect if plausible and abs(aspect - 1) > _SQUARE else Fraction(1)


@contextmanager
def _opened(file: str, format: str | None) -> Iterator[Any]:
    what = f"the camera {file}" if format else file
    try:
        with av.open(file, format=format) as container:
            if not container.streams.video:
                raise DatasetError(f"{what} has no images, or was cut off before its index")
            yield container
    except (av.error.FFmpegError, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        reason = getattr(error, "strerror", None) or error
        if format:
            raise DatasetError(f"{what} cannot be opened ({reason}); is it plugged in, free, and allowed?") from None
        raise DatasetError(f"{what} is damaged or no video ({reason})") from None


def read_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video's first image stream, each (H, W, 3) uint8 RGB, with the pixels that it stores: annotations
    are of these. Errors as :meth:`Stream.read`.
    """
    for _, image in open_video(path).read(square=False):
        yield image


class Writer:
    """An H.264 video written frame by frame; all frames have the first one's size. Use as a context manager.

    :param rate: frames a second; of frames with times of their own about as many.
    """

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._container = av.open(str(path), "w")
        self._rate = rate
        self._stream: av.VideoStream | None = None
        self._next = 0

    def __enter__(self) -> Writer:
        return self

    def write(self, image: np.ndarray, seconds: float | None = None) -> None:
        """Append one (H, W, 3) uint8 RGB frame; an odd last row or column stands twice, as H.264 has none.

        :param seconds: when it is shown, from the first; None: at the rate.
        """
        image = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), "edge")
        duration = max(1, round(1 / (self._rate * _TICK)))
        if self._stream is None:
            # Without B-frames, which are stored out of order: a container would state too short a length.
            self._stream = self._container.add_stream("libx264", rate=self._rate, options={"bf": "0"})
            self._stream.height, self._stream.width = image.shape[:2]
            self._stream.pix_fmt = "yuv420p"
            self._stream.codec_context.time_base = _TICK
            # Of a video that does not say it, players guess by its size, and colours may be off.
            self._stream.codec_context.colorspace = Colorspace.ITU709
            self._stream.codec_context.color_range = ColorRange.MPEG
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        given = self._next if seconds is None else round(seconds / _TICK)
        frame.pts, frame.time_base = max(given, self._next - duration + 1), _TICK
        self._next = frame.pts + duration
        self._mux(self._stream.encode(frame), duration)

    def _mux(self, packets: list[Any], duration: int) -> None:
        for packet in packets:
            packet.duration = duration  # that of the last one counts; the others last until the next
            self._container.mux(packet)

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._mux(self._stream.encode(), max(1, round(1 / (self._rate * _TICK))))
        self._container.close()
