"""Hands found by a trained network, as a COCO results list."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from PIL import Image

from handforge.dataset import Category, DatasetError, encode_png, video
from handforge.files import dump_json, new_folder
from trainer.config.tasks import WITH_MASKS
from trainer.errors import OutputError
from trainer.inference.detections import Detection, overlay, result, union
from trainer.inference.detector import HandDetector
from trainer.inference.inputs import Entry, Source

MARK = "predict.json"
MADE = ("results.json", "images.json", "masks", "overlays", "overlays.mp4")
"""What may be in a folder of predictions, beside what says how it was made."""


@dataclass(frozen=True)
class PredictOptions:
    """How to predict, and what to write.

    :param batch: images at once.
    :param score: detections below this score (0 to 1) are left out.
    :param overlays: also draw the detections into each image, or into a video.
    :param masks: also write each image's mask.
    :param tta: test-time augmentation, see :mod:`trainer.inference.tta`.
    :param session: ``best``, ``last`` or the number of a session: which of a run's networks.
    """

    device: str = "cpu"
    batch: int = 4
    score: float = 0.05
    overlays: bool = False
    masks: bool = False
    tta: bool = False
    session: int | str = "best"


def predict(
    weights: Path,
    source: Source,
    out: Path,
    options: PredictOptions,
    on_done: Callable[[int], None] = lambda count: None,
) -> dict[str, Any]:
    """Write ``results.json`` and ``predict.json`` into ``out``, overlays and masks if asked for, and ``images.json`` of
    loose images.

    A camera is read until Ctrl-C or the source's limit.

    :param on_done: called with the number of images just done.
    :returns: what ``predict.json`` says.
    :raises DatasetError: if an image is missing or damaged, or ``out`` holds something else; it is then not touched.
    :raises OutputError: if masks, or what needs them, are asked of a network that finds none, or two
        images would be drawn into one file.
    """
    stems = Counter(Path(name).stem for _, name, _ in source.pictures)
    if (options.overlays or options.masks) and max(stems.values(), default=1) > 1:
        (twice, _) = stems.most_common(1)[0]
        raise OutputError(
            f"two images of {source.name} are called {twice}; rename one, or leave --overlays and --masks"
        )
    with new_folder(out, MARK, MADE) as folder:
        finder = HandDetector(
            weights, device=options.device, min_score=options.score, tta=options.tta, session=options.session
        )
        for asked, option in ((options.masks, "--masks"), (options.tta, "--tta")):
            if asked and finder.task not in WITH_MASKS:
                raise OutputError(f"{weights} is a network for {finder.task}, which finds no masks; leave {option} out")
        begin = time.perf_counter()
        with _Drawn(folder, source, options, [category.name for category in finder.categories]) as drawn:
            results, images = _find_all(finder, source, options.batch, drawn, on_done)
        summary = {
            "source": source.name,
            "dataset_id": source.dataset_id,
            "weights": str(weights.resolve()),
            "task": finder.task,
            "categories": [
                {**category.to_json(), "id": number}
                for category, number in zip(
                    finder.categories, category_ids(finder.categories, source.category_ids).values(), strict=True
                )
            ],
            "settings": {
                "score": options.score,
                "batch": options.batch,
                "tta": options.tta,
                "session": options.session,
                "images": finder.description["images"],
            },
            "images": len(images),
            "seconds": round(time.perf_counter() - begin, 3),
        }
        (folder / "results.json").write_bytes(dump_json(results))
        (folder / MARK).write_bytes(dump_json(summary))
        if source.dataset_id is None:
            (folder / "images.json").write_bytes(dump_json(images))
    return summary


MOST_OBLONG = 100
"""Images that are longer than so many times their breadth would be scaled to nothing."""

MOST_VALUES = 24_000_000
"""Red, green and blue values of a batch, after which no further image joins it: each may have a hundred masks."""


def _find_all(
    finder: HandDetector, source: Source, batch: int, drawn: _Drawn, on_done: Callable[[int], None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The results list and COCO's image records of all images."""
    results, images = [], []
    ids = category_ids(finder.categories, source.category_ids)
    for entries in _batches(source, batch):
        for _, name, picture in entries:
            if max(picture.shape[:2]) > MOST_OBLONG * min(picture.shape[:2]):
                height, width = picture.shape[:2]
                raise DatasetError(f"{name} is {width}x{height}; an image so narrow shows no hand, leave it out")
        found = finder.detect_batch([picture for _, _, picture in entries])
        for (image_id, name, picture), hands in zip(entries, found, strict=True):
            results += [result(image_id, hand, ids[hand.category]) for hand in hands]
            height, width = picture.shape[:2]
            images.append({"id": image_id, "file_name": name, "width": width, "height": height})
            drawn.add(name, picture, hands)
        on_done(len(entries))
    return results, images


def category_ids(learned: Sequence[Category], dataset: Mapping[str, int]) -> dict[str, int]:
    """The id in the results of each category: the dataset's, the network's own for one that the dataset lacks, or a
    free one where that means something else there.
    """
    ids: dict[str, int] = {}
    for category in learned:
        taken = {*dataset.values(), *ids.values()}
        own = category.id if category.id not in taken else max(taken) + 1
        ids[category.name] = dataset.get(category.name, own)
    return ids


def _batches(source: Source, batch: int) -> Iterator[list[Entry]]:
    entries = source.read()
    if source.stream is None or not source.stream.live:
        group: list[Entry] = []
        for entry in entries:
            group.append(entry)
            if len(group) == batch or sum(picture.size for _, _, picture in group) > MOST_VALUES:
                yield group
                group = []
        if group:
            yield group
    else:
        with _ended_by_interrupt() as ended:
            while not ended.is_set() and (group := list(islice(entries, 1))):  # a camera does not wait for a batch
                yield group


@contextmanager
def _ended_by_interrupt() -> Iterator[Event]:
    """An event that Ctrl-C sets, so that what was found so far is written; a second one interrupts as usual."""
    ended = Event()

    def end(*_: Any) -> None:
        ended.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGINT, before)


class _Drawn:
    """Where drawn images and masks go: ``overlays/NAME.jpg``, or ``overlays.mp4`` of a stream; ``masks/NAME.png``."""

    def __init__(self, folder: Path, source: Source, options: PredictOptions, names: list[str]) -> None:
        self._overlays = folder / "overlays" if options.overlays else None
        self._masks = folder / "masks" if options.masks else None
        self._names = names
        self._open = ExitStack()
        self._video = None
        if options.overlays and source.stream:
            rate = None if source.stream.live else source.stream.rate
            self._video = self._open.enter_context(video.Writer(folder / "overlays.mp4", rate))
        self._begin = time.perf_counter()

    def __enter__(self) -> _Drawn:
        return self

    def add(self, name: str, picture: np.ndarray, hands: list[Detection]) -> None:
        """Draw and write one image, as far as asked for."""
        if self._masks:
            self._masks.mkdir(exist_ok=True)
            mask = union(hands, picture.shape[:2]).astype(np.uint8) * 255
            (self._masks / f"{Path(name).stem}.png").write_bytes(encode_png(mask))
        if self._video:
            self._video.write(overlay(picture, hands, self._names), time.perf_counter() - self._begin)
        elif self._overlays:
            self._overlays.mkdir(exist_ok=True)
            Image.fromarray(overlay(picture, hands, self._names)).save(
                self._overlays / f"{Path(name).stem}.jpg", quality=90
            )

    def __exit__(self, *error: Any) -> None:
        self._open.close()
