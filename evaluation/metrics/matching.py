"""One-to-one matching by mask IoU in a sixth of COCOeval's time: IoUs are kept, to match at many thresholds.

(``benchmarks/scoring.py``.) Greedy by score, as COCO does: predictions in falling score, each takes the free mask of
its category that it overlaps most, if the IoU reaches the threshold. So each object is detected once; a second
prediction of it is a false positive. A prediction that matches nothing but lies in a crowd region of its category is
ignored, as COCO defines it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path

import numpy as np
from pycocotools import mask as rle

from evaluation.metrics.not_predicted import not_predicted
from evaluation.metrics.prediction_record import learned_categories
from evaluation.metrics.results import Prediction, load_results
from evaluation.metrics.scope import Scope, annotations_of, chosen_categories, comparable, left_out
from evaluation.metrics.wrist_crop import crop_at_wrist
from handforge.dataset import Dataset, DatasetError, to_rle
from handforge.dataset.coco_types import AnnotationRecord, ImageRecord, RleCode
from handforge.errors import HandforgeError


@dataclass(frozen=True)
class MatchOptions:
    """Thresholds of matching.

    :param iou: a prediction is a true positive from this mask IoU on, 0 (exclusive) to 1.
    :param score: predictions below this score, 0 to 1, count for AP and curves only, which are about all scores.
    :raises HandforgeError: if one is out of its range.
    """

    iou: float = 0.5
    score: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.iou, Real) or not 0 < self.iou <= 1:
            raise HandforgeError(
                f"the IoU from which on a prediction counts is above 0 and at most 1, not {self.iou!r}"
            )
        if not isinstance(self.score, Real) or not 0 <= self.score <= 1:
            raise HandforgeError(f"the score from which on a prediction counts is from 0 to 1, not {self.score!r}")


@dataclass(frozen=True)
class Crowd:
    """A region that may hold any number of objects of a category (COCO's ``iscrowd``), its mask as compressed RLE."""

    code: RleCode
    category: str


@dataclass(frozen=True)
class ImageEval:
    """Ground truth and predictions of one image.

    :param image: its record in the dataset.
    :param ground_truth: the annotated masks as compressed RLE, T of them, without crowds.
    :param categories: T names, the category of each.
    :param predictions: P of them, highest score first.
    :param iou: (P, T) float, the mask IoU of every prediction with every annotated mask, whatever their categories.
    :param crowds: the crowd regions.
    """

    image: ImageRecord
    ground_truth: list[RleCode]
    categories: list[str]
    predictions: list[Prediction]
    iou: np.ndarray
    crowds: list[Crowd] = field(default_factory=list)

    @property
    def scores(self) -> np.ndarray:
        """(P,) float, falling."""
        return np.array([prediction.score for prediction in self.predictions], float)

    @property
    def same_category(self) -> np.ndarray:
        """(P, T) bool, whether a prediction and an annotated mask are of one category."""
        predicted = np.array([prediction.category for prediction in self.predictions], object)
        return predicted[:, None] == np.array(self.categories, object)[None, :]

    @property
    def in_crowd(self) -> np.ndarray:
        """(P,) float, the largest fraction of each prediction that lies in one crowd region of its category."""
        found = np.zeros(len(self.predictions))
        for crowd in self.crowds:
            for index, prediction in enumerate(self.predictions):
                if prediction.category == crowd.category:
                    found[index] = max(found[index], rle.iou([prediction.code], [crowd.code], [1])[0, 0])
        return found

    @property
    def empty(self) -> bool:
        """Whether nothing is annotated."""
        return not self.ground_truth and not self.crowds


@dataclass(frozen=True)
class Match:
    """Matches of an image at one IoU and one score threshold; all numbers are indices into its lists.

    :param true_positives: (prediction, ground truth) pairs, in falling score.
    :param false_negatives: ground truth without a prediction.
    :param false_positives: predictions that match nothing; those in crowd regions are left out.
    """

    true_positives: list[tuple[int, int]]
    false_negatives: list[int]
    false_positives: list[int]


@dataclass(frozen=True)
class Loaded:
    """A dataset with a results file.

    :param images: those whose annotations say something about the categories, in the dataset's order.
    :param categories: the names of the categories that are scored, at least one.
    :param notes: what a reader of the numbers has to know, one sentence each.
    """

    images: list[ImageEval]
    categories: tuple[str, ...]
    notes: list[str]


def load(dataset: Dataset, results: str | Path, scope: Scope, learned: Collection[str] | None = None) -> Loaded:
    """Pair the ground truth of every image of a dataset with its predictions.

    :param learned: as :func:`evaluation.metrics.scope.chosen_categories`; None: as the results' record says.
    :raises ResultsError: as :func:`evaluation.metrics.results.load_results`.
    :raises DatasetError: as :func:`evaluation.metrics.scope.chosen_categories`, or if an annotated mask is damaged,
        has another size than its image, or has no pixel; or, for the region ``hand``, includes a forearm and does
        not say where its wrist is.
    """
    categories, notes = chosen_categories(dataset, scope, learned_categories(results) if learned is None else learned)
    read = load_results(results, dataset)
    predicted, more_notes = comparable(read.predictions, categories, scope)
    images = []
    for image in dataset:
        annotations = annotations_of(dataset, image, categories)
        if annotations is None:
            continue
        masks, predictions = annotated_masks(dataset, image, annotations), predicted[image["id"]]
        names = [str(dataset.category(annotation)) for annotation in annotations]
        whole = [index for index, annotation in enumerate(annotations) if not annotation.get("iscrowd")]
        crowds = [Crowd(masks[i], names[i]) for i in range(len(masks)) if i not in whole]
        masks, names = [masks[i] for i in whole], [names[i] for i in whole]
        if scope.region == "hand":
            masks, predictions = crop_at_wrist(dataset, image, [annotations[i] for i in whole], masks, predictions)
        images.append(pair(image, masks, predictions, names, crowds))
    undone = not_predicted(results, dataset, categories)
    return Loaded(images, categories, [*read.notes, *notes, *more_notes, *left_out(dataset, len(images)), *undone])


def pair(
    image: ImageRecord,
    ground_truth: list[RleCode],
    predictions: list[Prediction],
    categories: list[str],
    crowds: list[Crowd] | None = None,
) -> ImageEval:
    """Compute the IoU of each prediction (highest score first) with each annotated mask of an image."""
    iou = np.zeros((len(predictions), len(ground_truth)))
    if iou.size:
        iou[:] = rle.iou([prediction.code for prediction in predictions], ground_truth, [0] * len(ground_truth))
    return ImageEval(image, ground_truth, categories, predictions, iou, crowds or [])


def annotated_masks(dataset: Dataset, image: ImageRecord, annotations: list[AnnotationRecord]) -> list[RleCode]:
    """Return the masks of an image's annotations as compressed RLE. Errors as :func:`load`."""
    codes = []
    for annotation in annotations:
        where = f"{dataset.path}: annotation {annotation.get('id')} of {image['file_name']}"
        try:
            code = to_rle(annotation.get("segmentation"), image["height"], image["width"])
        except DatasetError as error:
            hint = "" if annotation.get("segmentation") else "; --category leaves others out, --of boxes needs none"
            raise DatasetError(f"{where}: {error}{hint}") from error
        if rle.area(code) == 0:
            raise DatasetError(f"{where}: the mask has no pixel")
        codes.append(code)
    return codes


def match(image: ImageEval, options: MatchOptions) -> Match:
    """Match one image, counting the predictions whose score is at least the threshold."""
    return _match(image, options, np.where(image.same_category, image.iou, -1.0))


def match_any_category(image: ImageEval, options: MatchOptions) -> Match:
    """Match one image by masks alone, as confusion between categories needs it."""
    return _match(image, options, image.iou)


def match_all(images: Sequence[ImageEval], options: MatchOptions) -> list[Match]:
    """Match every image."""
    return [match(image, options) for image in images]


def _match(image: ImageEval, options: MatchOptions, iou: np.ndarray) -> Match:
    count = int((image.scores >= options.score).sum())
    least = min(options.iou, 1 - 1e-10)  # lets an IoU of 1 reach a threshold of 1, as pycocotools does
    free = np.ones(len(image.ground_truth), bool)
    true_positives, unmatched = [], []
    for prediction in range(count):
        overlap = np.where(free, iou[prediction], -1.0)
        # Among equals the last one, as in pycocotools.
        best = len(overlap) - 1 - int(np.argmax(overlap[::-1])) if len(overlap) else -1
        if best >= 0 and overlap[best] >= least:
            free[best] = False
            true_positives.append((prediction, best))
        else:
            unmatched.append(prediction)
    if image.crowds and unmatched:
        in_crowd = image.in_crowd
        unmatched = [prediction for prediction in unmatched if in_crowd[prediction] < least]
    return Match(true_positives, [int(index) for index in np.flatnonzero(free)], unmatched)
