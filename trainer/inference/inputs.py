"""What is predicted: images, a dataset, a video, or a camera, read one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from handforge.dataset import IMAGE_SUFFIXES, Dataset, DatasetError, read_image, video

Entry = tuple[int, str, np.ndarray]
"""Image id, name, and (H, W, 3) uint8 image."""


@dataclass(frozen=True)
class Source:
    """Where images come from.

    :param name: what ``predict.json`` calls it: an absolute path, or ``camera ...``.
    :param images: (image id, name, what reads it) in their order; empty for a video and a camera.
    :param category_ids: a dataset's categories, by name; empty for what is no dataset.
    :param stream: the video or camera, None for images.
    :param limit: at most so many images are read; None for all.
    """

    name: str
    dataset_id: str | None = None
    pictures: tuple[tuple[int, str, Callable[[], np.ndarray]], ...] = ()
    category_ids: Mapping[str, int] = field(default_factory=dict)
    stream: video.Stream | None = None
    limit: int | None = None

    @property
    def count(self) -> int | None:
        """How many images there are, None where it is not known."""
        count = self.stream.frames if self.stream else len(self.pictures)
        return min(count, self.limit) if count and self.limit else count or self.limit

    def read(self) -> Iterator[Entry]:
        """The images one by one, as (id, name, image). Frames have ids from 1 and their number, from 0, as name.

        :raises DatasetError: if one is missing or damaged, or not of the size that its dataset says.
        """
        yield from islice(self._all(), self.limit)

    def _all(self) -> Iterator[Entry]:
        if self.stream is None:
            for image_id, name, read in self.pictures:
                yield image_id, name, read()
        else:
            for number, picture in enumerate(self.stream.read()):
                yield number + 1, f"{self.stream.name}_{number:06d}.png", picture


def open_source(path: Path, limit: int | None = None) -> Source:
    """Find the images. Ids are the dataset's, or 1 to N in sorted order of the names or frames.

    :param limit: at most so many frames of a video.
    :raises DatasetError: if there is nothing to predict.
    """
    name = str(path.resolve())
    if path.is_dir() and (path / "annotations.json").is_file():
        dataset = Dataset(path)
        entries = [(image["id"], image["file_name"], partial(dataset.read_image, image)) for image in dataset]
        ids = {category.name: category.id for category in dataset.category_list}
        return Source(name, dataset.id, tuple(entries), category_ids=ids)
    if not path.exists():
        raise DatasetError(f"{path} is missing; give an image, a folder of images, a dataset, or a video")
    if path.suffix.lower() in video.SUFFIXES and path.is_file():
        return Source(name, stream=video.open_video(path), limit=limit)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    files = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")]
    if not files:
        raise DatasetError(f"{path} holds no images ({', '.join(IMAGE_SUFFIXES)})")
    return Source(name, None, tuple((i, f.name, partial(read_image, f)) for i, f in enumerate(files, start=1)))


def open_camera(device: str, limit: int | None = None) -> Source:
    """A camera by its number, or by its name for the system.

    :raises DatasetError: if there is none.
    """
    return Source(f"camera {device}", stream=video.open_camera(device), limit=limit)
