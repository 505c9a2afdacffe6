"""Detect in all images of a source, and write a COCO results list and what else is asked for."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Any

from handforge.dataset import Category, DatasetError
from handforge.dataset.coco_types import ImageRecord, ResultRecord
from handforge.files import dump_json, new_folder, utf8_name
from handforge.run_records import PredictionRecord, SkippedFile
from trainer.config.description import NetworkDescription
from trainer.config.tasks import WITH_MASKS
from trainer.errors import OutputError
from trainer.inference.detections import DRAWN_SCORE, MASK_THRESHOLD, Detection, result
from trainer.inference.detector import HandDetector
from trainer.inference.formats import FORMATS, NEEDS_MASKS
from trainer.inference.inputs import Clip, Frame, Source
from trainer.inference.outputs import VIDEO, Outputs
from trainer.inference.track import tracked

MARK = "predict.json"
MADE = ("results.json", "images.json", "masks", "overlays", VIDEO, *(kind.made for kind in FORMATS.values()))
"""What may be in a folder of predictions, beside what says how it was made."""
RESULTS_SCORE = 0.05
"""Detections below this score are not even in the results, where nothing is said; AP needs those of low scores."""


@dataclass(frozen=True)
class PredictOptions:
    """How to predict, and what to write.

    :param batch: images at once.
    :param min_score: detections below this score (0 to 1) are left out everywhere; None: those below
        :data:`RESULTS_SCORE` of the results, those below :data:`trainer.inference.detections.DRAWN_SCORE` of all else.
    :param overlays: also draw the detections into each image, or into a video.
    :param masks: also write each image's mask.
    :param formats: some of :data:`trainer.inference.formats.FORMATS`, also written.
    :param mask_threshold: see :class:`trainer.inference.detector.HandDetector`.
    :param strict: a file that cannot be read ends all; otherwise it is skipped, and the record says so.
    :param track: also number the objects of videos, see :mod:`trainer.inference.track`.
    :param tta: test-time augmentation, see :mod:`trainer.inference.tta`.
    :param zoom: a closer look at what is small, see :mod:`trainer.inference.zoom`.
    :param session: ``best``, ``last`` or the number of a session: which of a run's networks.
    :param keep_unfinished: Ctrl-C ends with what was found so far, where no earlier results would be lost by that.
    """

    device: str = "cpu"
    batch: int = 4
    min_score: float | None = None
    overlays: bool = False
    masks: bool = False
    formats: Sequence[str] = ()
    mask_threshold: float = MASK_THRESHOLD
    strict: bool = False
    track: bool = False
    tta: bool = False
    zoom: bool = True
    session: int | str = "best"
    keep_unfinished: bool = False

    @property
    def results_score(self) -> float:
        """The lowest score in the results."""
        return RESULTS_SCORE if self.min_score is None else self.min_score

    @property
    def drawn_score(self) -> float:
        """The lowest score of detections that are drawn and counted."""
        return DRAWN_SCORE if self.min_score is None else self.min_score


def predict(
    weights: Path,
    source: Source,
    out: Path,
    options: PredictOptions,
    on_done: Callable[[int], None] = lambda count: None,
) -> PredictionRecord:
    """Write ``results.json`` and ``predict.json`` into ``out``, overlays and masks if asked for, and ``images.json`` of
    loose images.

    A camera is read until Ctrl-C or the source's limit. All else Ctrl-C ends with nothing written; or, with
    ``keep_unfinished``, after the images at hand, and the record says which files are ``left``.

    :param on_done: called with the number of images just done, or skipped.
    :returns: what ``predict.json`` says.
    :raises DatasetError: if no image can be read, or one if ``strict``; ``out`` is then not touched.
    :raises FolderError: if ``out`` holds something else.
    :raises OutputError: if masks, or formats that need them, are asked of a network that predicts none.
    """
    earlier = (out / MARK).is_file() and (out / MARK).stat().st_size > 0  # empty: it was being replaced
    stoppable = source.live or (options.keep_unfinished and not earlier)
    with new_folder(out, MARK, MADE) as folder:
        detector = HandDetector(
            weights,
            device=options.device,
            min_score=options.results_score,
            tta=options.tta,
            zoom=options.zoom,
            mask_threshold=options.mask_threshold,
            session=options.session,
        )
        _check_task(detector.task, weights, options)
        begin = time.perf_counter()
        names = [category.name for category in detector.categories]
        ids = category_ids(detector.categories, source.category_ids)
        formats = [FORMATS[kind](folder, out, detector.categories, ids) for kind in dict.fromkeys(options.formats)]
        with (
            _ended_by_interrupt(stoppable) as ended,
            Outputs(folder, source, options.overlays, options.masks, formats, names) as outputs,
        ):
            found = _detect_all(detector, source, options, outputs, on_done, ended)
        summary: PredictionRecord = {
            "source": source.name,
            "dataset_id": source.dataset_id,
            "weights": utf8_name(weights.resolve()),
            "task": detector.task,
            "session": _session(detector.description),
            "categories": [{**category.to_json(), "id": ids[category.name]} for category in detector.categories],
            "settings": {
                "score": options.results_score,
                "batch": options.batch,
                "tta": options.tta,
                "zoom": detector.zoom,
                "track": options.track,
                "mask_threshold": options.mask_threshold,
                "session": options.session,
                "images": detector.description["images"],
            },
            "images": len(found.images),
            "drawn_score": options.drawn_score,
            "detections": {name: found.counts[name] for name in names},
            "images_without": found.without,
            "images_turned_upright": found.turned,
            "skipped": found.skipped,
            "left": found.left(source) if ended.is_set() and not source.live else [],
            "notes": list(source.notes),
            "seconds": round(time.perf_counter() - begin, 3),
        }
        (folder / "results.json").write_bytes(dump_json(found.results))
        (folder / MARK).write_bytes(dump_json(summary))
        if source.dataset_id is None:
            (folder / "images.json").write_bytes(dump_json(found.images))
    return summary


def _session(description: NetworkDescription) -> int | None:
    """The number of the session that left a network; None of a mean of networks, and where nothing says it."""
    sessions = description.get("sessions")
    return sessions[-1].get("session") if sessions and "averaged" not in description else None


def _check_task(task: str, weights: Path, options: PredictOptions) -> None:
    """Check that the network's task gives what is to be written.

    :raises OutputError: if masks are needed and the network predicts none.
    """
    asked = [(options.masks, "--masks")]
    asked += [(kind in options.formats, f"--format {kind}") for kind in NEEDS_MASKS]
    for wanted, option in asked:
        if wanted and task not in WITH_MASKS:
            raise OutputError(f"{weights} is a network for {task}, which predicts no masks; leave out {option}")


MOST_VALUES = 24_000_000
"""Red, green and blue values of a batch, after which no further image joins it: each may have a hundred masks."""


@dataclass
class _Predictions:
    """The predictions so far.

    :param results: COCO's results list; ``images``: COCO's image records.
    :param counts: detections of the drawn score by category; ``without``: images that have none.
    :param turned: number of images stored flipped or rotated (EXIF).
    :param skipped: files that could not be read, or not to their end, with the reason.
    :param last: the file that the last image is of.
    :param whole: whether the source was read to its end.
    """

    results: list[ResultRecord] = field(default_factory=list)
    images: list[ImageRecord] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    without: int = 0
    turned: int = 0
    skipped: list[SkippedFile] = field(default_factory=list)
    last: str = ""
    whole: bool = False

    def left(self, source: Source) -> list[str]:
        """The files that are not done, among them a video of which only the beginning is."""
        if self.whole:
            return []
        done = {image["file_name"] for image in self.images} | {entry["file"] for entry in self.skipped}
        names = [item.name for item in source.items]
        rest = set(names[names.index(self.last) :])
        return [
            item.name
            for item in source.items
            if item.name not in done and (item.name in rest or not isinstance(item, Clip))
        ]

    def skip(self, name: str, error: DatasetError) -> None:
        """Note a file that cannot be read."""
        self.skipped.append({"file": name, "reason": utf8_name(str(error))})


def _detect_all(
    detector: HandDetector,
    source: Source,
    options: PredictOptions,
    outputs: Outputs,
    on_done: Callable[[int], None],
    ended: Event,
) -> _Predictions:
    """Detect in all images, or until ``ended`` is set, and write what is written of each.

    :raises DatasetError: if there is none that can be read.
    :raises KeyboardInterrupt: if it is ended before any image is done.
    """
    found = _Predictions()
    ids = category_ids(detector.categories, source.category_ids)

    def skip(name: str, error: DatasetError) -> None:
        found.skip(name, error)
        on_done(1)

    def frames_until_ended() -> Iterator[Frame]:
        for frame in source.read(None if options.strict else skip):
            yield frame
            if ended.is_set():
                return
        found.whole = True

    def detected() -> Iterator[tuple[Frame, list[Detection]]]:
        # a camera does not wait for a batch
        for frames in _batches(frames_until_ended(), 1 if source.live else options.batch):
            yield from zip(frames, detector.detect_batch([frame.image for frame in frames]), strict=True)
            on_done(len(frames))

    for frame, hands in tracked(detected(), options.drawn_score) if options.track else detected():
        found.results += [result(frame.id, hand, ids[hand.category]) for hand in hands]
        found.images.append(_record(frame))
        found.last = frame.clip.name if frame.clip else frame.name
        shown = [hand for hand in hands if hand.score >= options.drawn_score]
        found.counts.update(hand.category for hand in shown)
        found.without += not shown
        found.turned += frame.orientation != 1
        outputs.add(frame, shown)
    if not found.images and ended.is_set() and not source.live:
        raise KeyboardInterrupt
    if not found.images and found.skipped:
        first = found.skipped[0]["reason"]
        raise DatasetError(first if len(found.skipped) == 1 else f"no file can be read; the first: {first}")
    return found


def _record(frame: Frame) -> ImageRecord:
    """COCO's record of an image; width and height are of the upright one."""
    height, width = frame.image.shape[:2]
    record: ImageRecord = {"id": frame.id, "file_name": frame.name, "width": width, "height": height}
    if frame.orientation != 1:
        record["exif_orientation"] = frame.orientation
    if frame.clip:
        record["seconds"] = round(frame.seconds, 3)
        record["video"] = frame.clip.name
    return record


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


def _batches(frames: Iterator[Frame], batch: int) -> Iterator[list[Frame]]:
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if len(group) == batch or sum(frame.image.size for frame in group) > MOST_VALUES:
            yield group
            group = []
    if group:
        yield group


@contextmanager
def _ended_by_interrupt(stoppable: bool) -> Iterator[Event]:
    """An event that Ctrl-C sets, so that what was found so far is written; a second one interrupts as usual.

    :param stoppable: False: the first does. So it is in other threads than the main one, which gets no signals.
    """
    ended = Event()
    if not stoppable or current_thread() is not main_thread():
        yield ended
        return

    def end(*_: Any) -> None:
        ended.set()
        signal.signal(signal.SIGINT, before)
        with suppress(OSError):  # print() may be what was interrupted
            os.write(2, b"\nending after the images at hand; Ctrl-C again drops all results\n")

    before = signal.signal(signal.SIGINT, end)
    try:
        yield ended
    finally:
        signal.signal(signal.SIGINT, before)
