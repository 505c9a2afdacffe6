"""The paper's types A to R of a training and its test set, from four flags.

A: no real images, not repetitive. B: no real images, repetitive. C to R: the 16 combinations of the flags counted
up in the order AHA, BGS, SCS, RPT, the last one fastest. (The paper names the types it uses; the order is inferred.)

Background and scale are stated in ``dataset.json`` by :func:`describe`, and scale is measured where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.metrics.error_types import relative_size
from evaluation.metrics.matching import annotated_masks
from evaluation.metrics.scope import SAME_HANDS
from handforge.dataset import Dataset, DatasetError
from handforge.dataset.coco_types import AnnotationRecord
from handforge.dataset.scene import scene
from handforge.run_records import DatasetPart, RecipePart

SAME_SCALE = 1.5
"""Hands of two sets are of similar scale if their median sizes differ by no more than this factor."""


@dataclass(frozen=True)
class Flags:
    """The flags that make up a type; None where nothing states one.

    :param real: whether real images were trained on; without them, AHA, BGS and SCS mean nothing.
    :param rpt: trained repetitively.
    :param aha: all hands of the real images are annotated.
    :param bgs: their background is similar to the test set's.
    :param scs: their hands' scale is similar to the test set's.
    """

    real: bool
    rpt: bool
    aha: bool | None = None
    bgs: bool | None = None
    scs: bool | None = None

    @property
    def letter(self) -> str:
        """A to R, or ``?`` where a flag is not known."""
        if not self.real:
            return "B" if self.rpt else "A"
        if self.aha is None or self.bgs is None or self.scs is None:
            return "?"
        return chr(ord("C") + 8 * self.aha + 4 * self.bgs + 2 * self.scs + self.rpt)


def flags(recipe: RecipePart, sessions: int, real: Sequence[DatasetPart], test: Dataset) -> Flags:
    """Return the flags of a run on a test set.

    Of several sets of real images all hands are annotated if they are in each, and background or scale is similar to
    the test set's if one of them is.

    :param sessions: how many the run has had.
    :param real: the sets of real images that it was trained on.
    """
    repetitive = sessions > 1 or bool(recipe.get("init_from") or recipe.get("after"))
    if not real:
        return Flags(real=False, rpt=repetitive)
    try:
        used = [Dataset(each["path"]) for each in real]
    except (DatasetError, KeyError, TypeError):
        return Flags(real=True, rpt=repetitive)
    stated, theirs = [scene(each) for each in used], scene(test)
    annotated = [known if isinstance(known := each.get("all_hands"), bool) else None for each in stated]
    return Flags(
        real=True,
        rpt=repetitive,
        aha=False if False in annotated else None if None in annotated else True,
        bgs=_any([_same(each.get("background"), theirs.get("background")) for each in stated]),
        scs=_any([_same_scale(each, test) for each in used]),
    )


def _any(known: list[bool | None]) -> bool | None:
    return True if True in known else None if None in known else False


def median_size(dataset: Dataset) -> float | None:
    """Compute the median of :func:`evaluation.metrics.error_types.relative_size` over all hands, crowds aside;
    None without one.
    """
    return _median_size(str(dataset.folder), dataset.id)


@lru_cache
def _median_size(folder: str, identity: str) -> float | None:
    dataset = Dataset(Path(folder))
    sizes = [
        relative_size(code)
        for image in dataset
        for code in annotated_masks(dataset, image, [a for a in dataset.annotations(image) if _is_hand(dataset, a)])
    ]
    return float(np.median(sizes)) if sizes else None


def _is_hand(dataset: Dataset, annotation: AnnotationRecord) -> bool:
    return not annotation.get("iscrowd") and dataset.category(annotation) in SAME_HANDS


def _same(first: Any, second: Any) -> bool | None:
    return None if first is None or second is None else bool(first == second)


def _same_scale(real: Dataset, test: Dataset) -> bool | None:
    stated = _same(scene(real).get("scale"), scene(test).get("scale"))
    if stated is not None:
        return stated
    first, second = median_size(real), median_size(test)
    if first is None or second is None:
        return None
    return bool(1 / SAME_SCALE <= first / second <= SAME_SCALE)
