"""Frames of a video with their ground truth: a folder of mask images, or annotations that people drew of the frames.

A mask or annotation belongs to the frame that its name says (``frame_000012.png``, counted from 0). Several of one
frame are several hands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from handforge.dataset.coco_types import ImageMeta
from handforge.dataset.importers import masks
from handforge.dataset.importers.annotated import Notes
from handforge.dataset.importers.annotations import ALL, Selection, choose_labels, read_annotations
from handforge.dataset.importers.folder import About, Imported, image_files, write_dataset
from handforge.dataset.importers.mask_values import decide, read_values
from handforge.dataset.importers.matching_files import frame_numbers
from handforge.dataset.records import Category, DatasetError, Instance, Sample
from handforge.dataset.video import IncompleteVideoError, open_video, read_frames
from handforge.files import utf8_name

Hands = Callable[[np.ndarray], tuple[Instance, ...]]
"""The hands of one frame, made when its image is there."""


def import_video(
    source: Path,
    truth: Path,
    out: Path,
    about: About,
    labels: Sequence[str] = ("hand",),
    boxes: bool = False,
    crowd_as_hand: bool = False,
) -> Imported:
    """Make a dataset of the frames of a video for which there is ground truth.

    All its images have the video as their ``group``.

    :param truth: a folder of masks, or annotations as :func:`handforge.dataset.importers.annotations.read_annotations`
        takes them.
    :param labels: of annotations, only objects of these labels are hands.
    :param boxes: take objects of which only the box is known as rectangles, for detection.
    :param crowd_as_hand: take crowds (``iscrowd`` 1, as CVAT writes painted masks) as single objects.
    :raises DatasetError: naming the file, if a numbered frame is not in the video, or anything is damaged.
    """
    notes, name = Notes(), utf8_name(source.stem)
    said: list[str] = []
    damaged: list[str] = []
    hands, categories = _truth(truth, labels, about.category, boxes, crowd_as_hand, notes, said)
    if (aspect := open_video(source).pixel_aspect) != 1:
        said.append(
            f"{source.name} has pixels that are not square ({aspect.numerator}:{aspect.denominator}); the images keep "
            "them, as annotations are of them, so hands look narrower or broader than in a player; for square ones "
            "scale the video (ffmpeg -vf scale=iw*sar:ih,setsar=1), then annotate it"
        )

    def frames() -> Iterator[Sample]:
        found = set()
        try:
            for number, image in enumerate(read_frames(source)):
                if number in hands:
                    found.add(number)
                    meta: ImageMeta = {"group": utf8_name(source.name), "frame": number}
                    yield Sample(f"{name}_{number:06d}", image, hands[number](image), meta)
        except IncompleteVideoError as error:  # the frames with ground truth may all be there
            damaged.append(str(error))
        if missing := sorted(set(hands) - found):
            reason = f" ({damaged[0]})" if damaged else ""
            raise DatasetError(f"{source} ends before frame {missing[0]}, for which {truth} has ground truth{reason}")

    count = write_dataset(out, frames(), len(hands), about.info("video", labels=list(labels), boxes=boxes), categories)
    return Imported(count, (*said, *notes.lines(), *damaged))


def _truth(
    truth: Path,
    labels: Sequence[str],
    category: str,
    boxes: bool,
    crowd_as_hand: bool,
    notes: Notes,
    said: list[str],
) -> tuple[dict[int, Hands], list[Category] | None]:
    """The hands of each frame by its number, and the categories where not all are hands."""
    categories = None
    found: dict[int, list[Hands]] = {}
    if truth.is_dir() and not any(truth.glob("*.json")):  # beside LabelMe's files lie the frames, which are no masks
        files = image_files(truth)
        meaning = decide(map(read_values, files))
        said.append(meaning.describe())
        for path, number in zip(files, frame_numbers([path.stem for path in files], truth), strict=True):
            found.setdefault(number, []).append(partial(_from_mask, masks.MaskFile(path, meaning), category))
    else:
        read = read_annotations(truth, notes)
        taken = Selection(read, choose_labels(read, labels, truth, notes), category, boxes, crowd_as_hand, notes)
        taken.check_outlines(truth)
        said += taken.remarks(ALL in labels)
        categories = taken.categories()
        stems = [Path(image.file_name.replace("\\", "/")).stem for image in read.images if image.frame is None]
        named = iter(frame_numbers(stems, truth))
        for image in read.images:
            number = next(named) if image.frame is None else image.frame
            found.setdefault(number, []).append(partial(taken.instances, image, path=truth))
    return {number: partial(_all, several) for number, several in found.items()}, categories


def _from_mask(mask: masks.MaskFile, category: str, image: np.ndarray) -> tuple[Instance, ...]:
    return masks.instances(*mask.read(image, "the video's frame"), category)


def _all(several: list[Hands], image: np.ndarray) -> tuple[Instance, ...]:
    """The hands of a frame that several masks or entries name, as one for the left hand and one for the right."""
    return tuple(hand for one in several for hand in one(image))
