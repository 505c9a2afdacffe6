"""Keep objects of a video apart: the same hand has the same number in all frames (ByteTrack, Zhang et al. 2022).

By the package ``trackers``: boxes are predicted from frame to frame and joined with the detections that overlap them
most, first those of high scores, then those of low ones. Masks are not used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from trainer.errors import OutputError
from trainer.inference.detections import Detection
from trainer.inference.inputs import Clip, Frame

LOST_SECONDS = 1.0
"""An object that is not detected for longer has a new number when it comes back."""

Detected = tuple[Frame, list[Detection]]


def tracked(detected: Iterable[Detected], min_score: float) -> Iterator[Detected]:
    """Number the detections in frames of videos, from 1 in each video; loose images stay as they are.

    A detection has a number if the object is detected in a second frame, too. Each frame comes one later than it is
    read, when this is known of it.

    :param min_score: an object begins with a detection of this score; weaker ones can only continue it.
    :raises OutputError: if the package is missing.
    """
    clip: Clip | None = None
    numbering = _Numbering(0.0, min_score)
    waiting: Detected | None = None
    for frame, hands in detected:
        if frame.clip is not clip or frame.clip is None:
            if waiting:
                yield waiting
            waiting, clip = None, frame.clip
            if clip is None:
                yield frame, hands
                continue
            numbering = _Numbering(float(clip.open().rate), min_score)
        numbered, begun = numbering.add(hands)
        if waiting:
            yield waiting[0], _with_begun(waiting[1], begun)
        waiting = frame, numbered
    if waiting:
        yield waiting


def _with_begun(before: list[Detection], begun: list[Detection]) -> list[Detection]:
    """The frame before with the numbers of objects that began in it: each that of what it overlaps most."""
    result = list(before)
    for later in begun:
        free = [n for n, hand in enumerate(result) if hand.track_id is None and hand.category == later.category]
        best = max(free, key=lambda n: box_iou(result[n].box, later.box), default=None)
        if best is not None and box_iou(result[best].box, later.box) > 0:
            result[best] = replace(result[best], track_id=later.track_id)
    return result


def box_iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes x, y, width, height."""
    sides = [min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) for i in (0, 1)]
    shared = max(0.0, sides[0]) * max(0.0, sides[1])
    return shared / max(one[2] * one[3] + other[2] * other[3] - shared, 1e-9)


class _Numbering:
    """The numbers in one video; each category has a tracker of its own, so that a hand is not joined with its tool.

    :param rate: frames a second.
    """

    def __init__(self, rate: float, min_score: float) -> None:
        self._rate, self._min_score = rate, min_score
        self._trackers: dict[str, Any] = {}
        self._numbers: dict[tuple[str, int], int] = {}

    def add(self, hands: list[Detection]) -> tuple[list[Detection], list[Detection]]:
        """Number the detections of the next frame.

        :returns: all of them in their order, and those among them whose numbers are new.
        """
        result = list(hands)
        begun = []
        categories = {*self._trackers, *(hand.category for hand in hands)}
        for category in sorted(categories):
            members = [number for number, hand in enumerate(hands) if hand.category == category]
            for member, track in self._update(category, [hands[number] for number in members]):
                key = (category, track)
                new = key not in self._numbers
                numbered = replace(
                    result[members[member]], track_id=self._numbers.setdefault(key, 1 + len(self._numbers))
                )
                result[members[member]] = numbered
                begun += [numbered] if new else []
        return result, begun

    def _update(self, category: str, hands: list[Detection]) -> list[tuple[int, int]]:
        """Index and track of each detection that has one."""
        try:
            import supervision
            from trackers import ByteTrackTracker
        except ModuleNotFoundError as error:
            raise OutputError(f"--track needs the package {error.name}; pip install 'handforge[track]'") from None
        if category not in self._trackers:
            self._trackers[category] = ByteTrackTracker(
                lost_track_buffer=round(30 * LOST_SECONDS),  # in frames of 1/30 s, whatever the rate
                frame_rate=self._rate,
                track_activation_threshold=self._min_score,
                high_conf_det_threshold=self._min_score,
            )
        boxes = np.array([hand.box for hand in hands], float).reshape(-1, 4)
        found = supervision.Detections(
            xyxy=np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1),
            confidence=np.array([hand.score for hand in hands], float),
            data={"index": np.arange(len(hands))},
        )
        joined = self._trackers[category].update(found)
        if not len(joined):
            return []
        pairs = zip(joined.data["index"].tolist(), joined.tracker_id.tolist(), strict=True)
        return sorted((index, track) for index, track in pairs if track >= 0)
