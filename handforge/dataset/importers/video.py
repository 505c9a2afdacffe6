"""Frames of a video with their ground truth: a folder of mask images, or annotations that people drew of the frames.

A mask or annotation belongs to the frame that its name says (``frame_000012.png``, counted from 0). Several of one
frame are several hands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from handforge.dataset.importers.annotated import Notes
from handforge.dataset.importers.annotations import category_of, choose_labels, instances, read_annotations
from handforge.dataset.importers.folder import About, Imported, image_files, write_dataset
from handforge.dataset.importers.mask_values import MaskValues, decide, read_values, with_grey_levels
from handforge.dataset.importers.matching_files import frame_number
from handforge.dataset.records import DatasetError, Instance, Sample
from handforge.dataset.video import IncompleteVideoError, read_frames

Hands = Callable[[np.ndarray], tuple[Instance, ...]]
"""The hands of one frame, made when its image is there."""


def import_video(source: Path, truth: Path, out: Path, about: About, label: str = "hand") -> Imported:
    """Make a dataset of the frames of a video for which there is ground truth.

    All its images have the video as their ``group``.

    :param truth: a folder of masks, or annotations as :func:`handforge.dataset.importers.annotations.read_annotations`
        takes them.
    :param label: of annotations, only objects of this label are hands.
    :raises DatasetError: naming the file, if a numbered frame is not in the video, or anything is damaged.
    """
    notes = Notes()
    damaged: list[str] = []
    hands = _truth(truth, label, about.category, notes)

    def frames() -> Iterator[Sample]:
        found = set()
        try:
            for number, image in enumerate(read_frames(source)):
                if number in hands:
                    found.add(number)
                    meta = {"group": source.name, "frame": number}
                    yield Sample(f"{source.stem}_{number:06d}", image, hands[number](image), meta)
        except IncompleteVideoError as error:  # the frames with ground truth may all be there
            damaged.append(str(error))
        if missing := sorted(set(hands) - found):
            reason = f" ({damaged[0]})" if damaged else ""
            raise DatasetError(f"{source} ends before frame {missing[0]}, for which {truth} has truth{reason}")

    count = write_dataset(out, frames(), len(hands), about.info("video", label=label))
    return Imported(count, (*notes.lines(), *damaged))


def _truth(truth: Path, label: str, category: str, notes: Notes) -> dict[int, Hands]:
    found: dict[int, list[Hands]] = {}
    if truth.is_dir() and not any(truth.glob("*.json")):  # beside LabelMe's files lie the frames, which are no masks
        files = image_files(truth)
        meaning = decide(files)
        for path in files:
            found.setdefault(frame_number(path.stem), []).append(partial(_from_mask, path, meaning, category))
    else:
        read = read_annotations(truth, notes)
        chosen = choose_labels(read.labels, (label,), truth)
        for image in read.images:
            number = frame_number(Path(image.file_name).stem) if image.frame is None else image.frame
            one = partial(
                instances,
                image,
                path=truth,
                labels=chosen,
                category=partial(category_of, about=category),
                boxes=False,
                crowd_as_hand=False,
                notes=notes,
            )
            found.setdefault(number, []).append(one)
    return {number: partial(_all, several) for number, several in found.items()}


def _from_mask(path: Path, meaning: MaskValues, category: str, image: np.ndarray) -> tuple[Instance, ...]:
    values = with_grey_levels(*read_values(path), meaning)
    return tuple(Instance(hand, category=category) for hand in meaning.objects(values))


def _all(several: list[Hands], image: np.ndarray) -> tuple[Instance, ...]:
    """The hands of a frame that several masks or entries name, as one for the left hand and one for the right."""
    return tuple(hand for one in several for hand in one(image))
