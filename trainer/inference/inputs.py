"""The inputs of predict: images, a dataset, videos, or a camera, read one by one."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from pathlib import Path, PurePosixPath

import numpy as np

from handforge.dataset import IMAGE_SUFFIXES, Dataset, DatasetError, read_image, video
from handforge.dataset.image_io import exif_orientation, image_header
from handforge.files import LONGEST_STEM, distinct_names, short_name, utf8_name
from handforge.text import counted

MOST_OBLONG = 100
"""Largest ratio of an image's sides; beyond it, the short side would be scaled to nothing."""
_NEVER_MEANT = ("thumbs.db", "desktop.ini")

Skip = Callable[[str, DatasetError], None]
"""Called with the name of a file that cannot be read, and why."""


@dataclass(frozen=True)
class Photo:
    """An image file.

    :param name: what the results call it: its path within the source, of ``/`` and UTF-8.
    :param path: where it lies.
    :param output: stem of the output files made from it; unique within a source.
    :param read: returns it as (H, W, 3) uint8 RGB, upright; raises DatasetError.
    """

    name: str
    path: Path
    output: str
    read: Callable[[], np.ndarray]
    id: int | None = None

    @property
    def orientation(self) -> int:
        """Its EXIF orientation: 1 upright, 2 to 8 stored flipped or rotated."""
        with image_header(self.path) as image:
            return exif_orientation(image)


@dataclass(frozen=True)
class Clip:
    """A video or a camera; parameters as of :class:`Photo`.

    :param open: returns the stream; raises DatasetError.
    """

    name: str
    output: str
    open: Callable[[], video.Stream]
    live: bool = False

    @property
    def frames(self) -> int | None:
        """Number of frames by its header; None where the header does not say."""
        try:
            return self.open().frames
        except DatasetError:
            return 0


@dataclass(frozen=True)
class Frame:
    """One image to detect in.

    :param id: the dataset's, or counted from 1 over all files of the source, also those that cannot be read.
    :param name: what the results call it; of a video ``CLIP_000012.png``, counted from 0.
    :param output: see :class:`Photo`.
    :param image: (H, W, 3) uint8 RGB, upright.
    :param clip: the video or camera that it is of.
    :param orientation: see :class:`Photo`.
    :param seconds: its time in the video.
    """

    id: int
    name: str
    output: str
    image: np.ndarray
    clip: Clip | None = None
    path: Path | None = None
    orientation: int = 1
    seconds: float = 0.0


@dataclass(frozen=True)
class Source:
    """Where images come from.

    :param name: what ``predict.json`` calls it: an absolute path, from which the images' names lead to the files, or
        ``camera ...``.
    :param category_ids: a dataset's categories, by name; empty for what is no dataset.
    :param limit: the largest number of frames read from a video or camera; None for all.
    :param notes: what was found and is not read, one line each.
    """

    name: str
    items: tuple[Photo | Clip, ...]
    dataset_id: str | None = None
    category_ids: Mapping[str, int] = field(default_factory=dict)
    limit: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def clips(self) -> list[Clip]:
        """The videos, or the camera."""
        return [item for item in self.items if isinstance(item, Clip)]

    @property
    def live(self) -> bool:
        """Whether it is a camera, which goes on until it is stopped."""
        return any(clip.live for clip in self.clips)

    @property
    def count(self) -> int | None:
        """How many images there are, None where it is not known."""
        total = len(self.items) - len(self.clips)
        for clip in self.clips:
            known = [number for number in (clip.frames, self.limit) if number is not None]
            if not known:
                return None
            total += min(known)
        return total

    def read(self, skip: Skip | None = None) -> Iterator[Frame]:
        """The images one by one.

        :param skip: is told of a file that cannot be read, or not to its end; None: that is an error.
        :raises DatasetError: if a file is missing, damaged, too narrow to show a hand, or not of the size that its
            dataset says, and ``skip`` is None.
        """
        numbers = count(1)
        for item in self.items:
            try:
                if isinstance(item, Clip):
                    yield from self._frames(item, numbers)
                else:
                    number = next(numbers)
                    image = item.read()
                    check_shape(item.name, image)
                    orientation = item.orientation
                    chosen = number if item.id is None else item.id
                    yield Frame(chosen, item.name, item.output, image, None, item.path, orientation)
            except DatasetError as error:
                if skip is None:
                    raise
                skip(item.name, error)

    def _frames(self, clip: Clip, numbers: Iterator[int]) -> Iterator[Frame]:
        for index, (seconds, image) in enumerate(islice(clip.open().read(), self.limit)):
            check_shape(clip.name, image)
            output = f"{clip.output}_{index:06d}"
            yield Frame(next(numbers), f"{output}.png", output, image, clip, seconds=seconds)


def check_shape(name: str, image: np.ndarray) -> None:
    """Refuse a (H, W, 3) image that is more than :data:`MOST_OBLONG` times as long as wide.

    :raises DatasetError: naming it.
    """
    height, width = image.shape[:2]
    if max(height, width) > MOST_OBLONG * min(height, width):
        raise DatasetError(f"{name} is {width}x{height}; an image so narrow shows no hand")


def open_source(
    paths: Sequence[Path], *, recursive: bool = False, limit: int | None = None, leave_out: Path | None = None
) -> Source:
    """Find the images. Ids are the dataset's, or 1 to N in the order of the paths and, in a folder, of the names.

    :param paths: images, videos and folders of them; or one dataset folder.
    :param recursive: the folders in folders, too.
    :param limit: the largest number of frames read from each video.
    :param leave_out: a folder whose files are not read: the results'.
    :raises DatasetError: if a path is missing or in ``leave_out``, a dataset is one of several, or there is
        nothing to predict.
    """
    for path in paths:
        if not path.exists():
            raise DatasetError(f"{path} is missing; give an image, a folder of images, a dataset, or a video")
        if (path / "annotations.json").is_file():
            if len(paths) > 1:
                raise DatasetError(f"{path} is a dataset, whose ids the results have; predict it by itself")
            return _dataset(path)
        if leave_out and path.resolve().is_relative_to(leave_out.resolve()):
            raise DatasetError(
                f"{path} cannot be read while results go into {leave_out}; give another folder for --out"
            )
    files, notes = _files(paths, recursive, leave_out)
    if not files:
        raise DatasetError(f"{' and '.join(map(str, paths))} holds no images{''.join(f'; {note}' for note in notes)}")
    root = _absolute(paths[0]) if len(paths) == 1 and paths[0].is_dir() else _common_folder(paths)
    names = [utf8_name(_absolute(path).relative_to(root).as_posix()) for path in files]
    videos = [_is_video(path) for path in files]
    items = tuple(
        Clip(name, output, partial(video.open_video, path))
        if is_video
        else Photo(name, path, output, partial(read_image, path))
        for path, name, output, is_video in zip(files, names, output_names(names, videos), videos, strict=True)
    )
    return Source(utf8_name(_absolute(paths[0]) if len(paths) == 1 else root), items, limit=limit, notes=tuple(notes))


def _dataset(path: Path) -> Source:
    dataset = Dataset(path)
    names = [image["file_name"] for image in dataset]
    items = tuple(
        Photo(name, path / "images" / name, output, partial(dataset.read_image, image), image["id"])
        for image, name, output in zip(dataset, names, output_names(names, [False] * len(names)), strict=True)
    )
    ids = {category.name: category.id for category in dataset.category_list}
    return Source(utf8_name(_absolute(path)), items, dataset.id, ids)


def _absolute(path: Path) -> Path:
    """The path from the root, of which links stay links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps "..", Path.resolve follows links


def _common_folder(paths: Sequence[Path]) -> Path:
    """The deepest folder in which all paths lie.

    :raises DatasetError: if there is none, as on several of Windows' drives.
    """
    try:
        return Path(os.path.commonpath([_absolute(path).parent for path in paths]))
    except ValueError:
        raise DatasetError("the sources lie on different drives; predict them one at a time") from None


def _files(paths: Sequence[Path], recursive: bool, leave_out: Path | None) -> tuple[list[Path], list[str]]:
    """The images and videos of the paths, each once, and what was left out of folders, one line each."""
    found: dict[Path, None] = {}
    others: Counter[str] = Counter()
    folders = 0
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        for file in sorted(path.rglob("*") if recursive else path.iterdir()):
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
            if hidden or file.name.lower() in _NEVER_MEANT:
                continue
            if leave_out and file.resolve().is_relative_to(leave_out.resolve()):
                continue
            if file.is_dir():
                folders += not recursive
            elif file.suffix.lower() in (*IMAGE_SUFFIXES, *video.SUFFIXES):
                found[file] = None
            else:
                others[file.suffix.lower() or "no suffix"] += 1
    notes = []
    if others:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(others.items()))
        notes.append(f"files that are no images or videos were left out: {kinds}")
    if folders:
        notes.append(f"{counted(folders, 'folder')} within not searched (--recursive)")
    return list({path.resolve(): path for path in found}.values()), notes


def _is_video(path: Path) -> bool:
    """Whether a file is read as a video: by its name, or since it is a GIF of several images."""
    if path.suffix.lower() != ".gif":
        return path.suffix.lower() in video.SUFFIXES
    try:
        with image_header(path) as image:
            return bool(getattr(image, "is_animated", False))
    except DatasetError:
        return False


def output_names(names: Sequence[str], videos: Sequence[bool]) -> list[str]:
    """What is written of each file is called as it is, without suffix; with it where two names would be the same.

    ``same.jpg`` beside ``same.png`` become ``same_jpg`` and ``same_png``. Frames of ``clip.mp4`` are ``clip_000000``
    and so on; where such a file is there, too, ``clip_mp4_000000``. Names that are too long for a file are cut.
    """
    plain = ["/".join(part for part in PurePosixPath(name).parts if part not in ("/", "..")) for name in names]
    stems = [str(PurePosixPath(name).with_suffix("")) for name in plain]
    often = Counter(stem.lower() for stem in stems)  # also on disks that do not tell a.jpg from A.jpg
    outputs = []
    for name, stem, is_video in zip(plain, stems, videos, strict=True):
        prefixes = is_video and any(other.lower().startswith(f"{stem.lower()}_") for other in stems)
        whole = f"{stem}_{PurePosixPath(name).suffix[1:]}" if often[stem.lower()] > 1 or prefixes else stem
        folder, slash, last = whole.rstrip("_").rpartition("/")
        room = LONGEST_STEM - (len("_000000") if is_video else 0)
        outputs.append(f"{folder}{slash}{short_name(last, room)}")
    return distinct_names(outputs)


def open_camera(device: str, limit: int | None = None) -> Source:
    """A camera by its number, or by its name for the system.

    :raises DatasetError: if there is none.
    """
    stream = video.open_camera(device)
    return Source(f"camera {device}", (Clip("camera", "camera", lambda: stream, live=True),), limit=limit)
