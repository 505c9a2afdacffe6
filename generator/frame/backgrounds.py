"""A folder of images to put behind the hands."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
from PIL import Image

from generator.frame.settings import RenderSettings, SettingsError
from handforge.dataset.image_io import IMAGE_SUFFIXES, read_image
from handforge.files import digest, files_below, utf8_name
from handforge.rng import stream

SMALLEST_CROP = 0.4
"""Smallest side of a crop, as a fraction of the largest crop of the image's aspect ratio."""


@dataclass(frozen=True)
class Backdrop:
    """The part of an image that is behind the hands.

    :param image: its file, as seen from the folder, with slashes; bytes that are not UTF-8 as ``%E9``.
    :param fraction: size of the part, as a fraction of the largest of its aspect ratio.
    :param across: where the part lies, from the left (0) to the right (1); ``down``: from the top to the bottom.
    """

    image: str
    fraction: float
    across: float
    down: float
    mirrored: bool

    def __post_init__(self) -> None:
        if not (0 < self.fraction <= 1 and 0 <= self.across <= 1 and 0 <= self.down <= 1):
            raise ValueError("fraction, across and down are from 0 to 1")

    def read(self, folder: Path, size_wh: tuple[int, int]) -> np.ndarray:
        """Read it from the folder of backgrounds in this size, (H, W, 3) uint8, sRGB.

        :raises DatasetError: if it cannot be read.
        """
        width, height = size_wh
        path = folder / self.image
        if not path.exists():  # a name with bytes that are not UTF-8
            path = folder / os.fsdecode(unquote_to_bytes(self.image))
        pixels = Image.fromarray(read_image(path))
        size = np.array(size_wh) * min(pixels.width / width, pixels.height / height) * self.fraction
        left, top = (np.array(pixels.size) - size) * [self.across, self.down]
        box = (left, top, left + size[0], top + size[1])
        cropped = pixels.resize((width, height), Image.Resampling.BICUBIC, box)
        return np.asarray(cropped.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if self.mirrored else cropped)


def open_backgrounds(settings: RenderSettings) -> Backgrounds | None:
    """Open the folder that the settings name, if they name one. Errors as :class:`Backgrounds`."""
    return None if settings.backgrounds is None else Backgrounds(Path(settings.backgrounds), settings.seed)


class Backgrounds:
    """The images of a folder and of those in it, without hidden ones as ``._name.jpg``, in the order of their names.

    :param seed: of the run; each frame draws its own image.
    :raises SettingsError: if it is not a folder or holds no image.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        if not folder.is_dir():
            raise SettingsError(f"backgrounds: {folder} is not a folder; name one that holds images")
        self._paths = files_below(folder, IMAGE_SUFFIXES)
        if not self._paths:
            raise SettingsError(f"backgrounds: {folder} holds no image ({', '.join(IMAGE_SUFFIXES)})")
        self._folder, self._seed = folder, seed

    def digest(self) -> str:
        """SHA-256 of all names and contents, which tells this folder from one of other images."""
        return digest(self._folder, self._paths)

    def verify(self) -> None:
        """Read every image, so that a damaged one is known before anything is rendered.

        :raises DatasetError: naming the first that cannot be read.
        """
        for path in self._paths:
            read_image(path)

    def draw(self, frame: int) -> Backdrop:
        """Draw what is behind a frame's hands; half the time it is mirrored."""
        rng = stream(self._seed, frame, "background image")
        path = self._paths[int(rng.integers(len(self._paths)))]
        fraction, (across, down) = float(rng.uniform(SMALLEST_CROP, 1)), rng.uniform(size=2).tolist()
        image = utf8_name(path.relative_to(self._folder).as_posix())
        return Backdrop(image, fraction, across, down, mirrored=bool(rng.random() < 0.5))
