"""A folder a class: ``SOURCE/CLASS/*.jpg`` as a dataset, each image one object of its folder's name."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from handforge.dataset.image_io import read_image
from handforge.dataset.importers.folder import Imported, image_files, readable, tolerant, write_dataset
from handforge.dataset.records import Category, DatasetError, Instance, Sample
from handforge.files import distinct_names, utf8_name


def import_classes(source: Path, out: Path, strict: bool = False) -> Imported:
    """Make a dataset of a folder with one folder a class. The object of an image is the whole image.

    :param strict: an image that cannot be read ends the import instead of being skipped.
    :raises DatasetError: if there are fewer than two classes, or a folder holds no image.
    """
    if not source.is_dir():
        raise DatasetError(f"{source} is not a folder; give one that holds a folder of images for each class")
    folders = sorted(path for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(folders) < 2:
        raise DatasetError(f"{source} holds {len(folders)} folders; give one that holds a folder for each class")
    files = [(utf8_name(folder.name), path) for folder in folders for path in image_files(folder)]
    names = distinct_names(f"{category}_{utf8_name(path.stem)}" for category, path in files)
    unreadable: list[str] = []
    frames = (partial(_sample, name, *file) for name, file in zip(names, files, strict=True))
    categories = [Category(number, utf8_name(folder.name)) for number, folder in enumerate(folders, start=1)]
    info = {"importer": "classes", "settings": {}}
    count = write_dataset(out, tolerant(frames, strict, unreadable), len(files), info, categories)
    return Imported(count, unreadable=tuple(unreadable))


def _sample(name: str, category: str, path: Path) -> Sample:
    image = readable(read_image, path)
    return Sample(name, image, (Instance(np.ones(image.shape[:2], bool), category=category),))
