"""EgoHands: ``_LABELLED_SAMPLES/VIDEO/frame_NNNN.jpg`` with a ``polygons.mat`` of outlines in each video's folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy import io

from handforge.dataset import DatasetError, Instance, Sample, decode_mask, read_image
from handforge.dataset.importers.folder import About, Imported, pick, write_dataset

FIELDS = {"myleft": "left", "myright": "right", "yourleft": "left", "yourright": "right"}


def import_egohands(
    source: Path,
    out: Path,
    about: About,
    hands: str = "right",
    count: int | None = None,
    seed: int | None = None,
    files: Path | None = None,
) -> Imported:
    """Make a dataset of EgoHands. Each image's ``group`` is its video.

    :param hands: ``right`` annotates right hands only (of both people), ``all`` all hands (the paper's AHA).
    :param count: take so many images, spread evenly over all, or with ``seed`` a random sample, instead of all 4800.
    :param files: a text file that lists the images to choose from, each on a line as ``VIDEO/frame_0001.jpg``; what
        follows a ``#`` is a comment. EgoHands does not say where heads are seen, so images without are chosen by it.
    :raises DatasetError: naming the file, if the layout is another one or anything is damaged.
    """
    root = source / "_LABELLED_SAMPLES" if (source / "_LABELLED_SAMPLES").is_dir() else source
    videos = sorted(path.parent for path in root.glob("*/polygons.mat"))
    if not videos:
        raise DatasetError(f"{source} holds no _LABELLED_SAMPLES/VIDEO/polygons.mat; unpack EgoHands there")
    frames_there = [(video, path, outlines) for video in videos for path, outlines in _frames(video)]
    if files is not None:
        by_name = {f"{video.name}/{path.name}": (video, path, outlines) for video, path, outlines in frames_there}
        listed = _listed(files)
        if unknown := [name for name in listed if name not in by_name]:
            raise DatasetError(f"{files} lists {unknown[0]}, which is not an image below {root}")
        frames_there = [by_name[name] for name in sorted(listed)]
    entries = pick(frames_there, count, seed)

    def frames() -> Iterator[Sample]:
        for video, path, outlines in entries:
            image = read_image(path)
            instances = [
                Instance(_mask(points, image, path), side=FIELDS[field], category=about.category)
                for field, points in outlines.items()
                if hands == "all" or FIELDS[field] == "right"
            ]
            yield Sample(f"{video.name}_{path.stem}", image, tuple(instances), {"group": video.name})

    about = replace(about, all_hands=hands == "all")
    info = about.info("egohands", hands=hands, count=count, seed=seed)
    return Imported(write_dataset(out, frames(), len(entries), info))


def _listed(files: Path) -> list[str]:
    """The images that a list names, each once."""
    try:
        lines = files.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise DatasetError(f"{files} is missing") from None
    except UnicodeDecodeError as error:
        raise DatasetError(f"{files} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise DatasetError(f"{files} is not a list that can be read ({error.strerror})") from None
    listed = [name for line in lines if (name := line.partition("#")[0].strip().replace("\\", "/"))]
    if not listed:
        raise DatasetError(f"{files} lists no image; write one on a line, as VIDEO/frame_0001.jpg")
    return list(dict.fromkeys(listed))


def _frames(video: Path) -> Iterator[tuple[Path, dict[str, np.ndarray]]]:
    """Each image of a video with its outlines by field, those of absent hands left out."""
    path = video / "polygons.mat"
    try:
        polygons = io.loadmat(path)["polygons"].ravel()
        table = [{name: np.asarray(entry[name]).astype(float, casting="safe") for name in FIELDS} for entry in polygons]
    except Exception as error:  # scipy raises whatever a damaged file leads it to
        raise DatasetError(f"{path} is damaged or not EgoHands' ({error})") from None
    images = sorted(video.glob("*.jpg"))
    if len(images) != len(table):
        raise DatasetError(f"{path} has {len(table)} entries for {len(images)} images; the video is incomplete")
    for image, outlines in zip(images, table, strict=True):
        yield image, {field: points for field, points in outlines.items() if points.size}


def _mask(points: np.ndarray, image: np.ndarray, path: Path) -> np.ndarray:
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3:
        raise DatasetError(
            f"{path}: an outline in polygons.mat has the shape {points.shape}, it must be (3 or more, 2)"
        )
    try:  # MATLAB counts pixels from 1 and puts coordinates on their centres; COCO's polygons count edges from 0
        return decode_mask([(points - 0.5).ravel().tolist()], *image.shape[:2])
    except DatasetError as error:
        raise DatasetError(f"{path}: an outline in polygons.mat: {error}") from None
