"""Who matches whom: one-to-one between predicted and true hands of an image, by the IoU of their masks.

Greedy by score, as COCO does: predictions in falling score, each takes the free true hand that it overlaps most, if the
IoU reaches the threshold. So a hand is found once; a second prediction of it is false.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from evaluation.metrics.results import Prediction, load_results
from evaluation.metrics.scope import Scope, annotations_of, comparable, left_out, true_category
from evaluation.metrics.wrist_crop import crop_at_wrist
from handforge.dataset import Dataset, DatasetError, to_rle


@dataclass(frozen=True)
class ImageEval:
    """The truth and the predictions of one image.

    :param image: its record in the dataset.
    :param truth: the true hands' masks as compressed RLE, T of them.
    :param predictions: P of them, highest score first.
    :param iou: (P, T) float, the IoU of every prediction with every true hand.
    """

    image: dict[str, Any]
    truth: list[dict[str, Any]]
    predictions: list[Prediction]
    iou: np.ndarray

    @property
    def scores(self) -> np.ndarray:
        """(P,) float, falling."""
        return np.array([prediction.score for prediction in self.predictions], float)


@dataclass(frozen=True)
class Match:
    """Who matches whom in an image at one IoU and one score threshold.

    :param found: (prediction, true hand) pairs, in the order of the score.
    :param missed: the true hands that nothing matches.
    :param false: the predictions, among those that count, that match nothing.
    """

    found: list[tuple[int, int]]
    missed: list[int]
    false: list[int]


@dataclass(frozen=True)
class Loaded:
    """A dataset with a results file.

    :param images: those whose truth says something about the category, in the dataset's order.
    :param category: that of the truth, one of :data:`handforge.dataset.CATEGORIES`.
    :param notes: what a reader of the numbers has to know, one sentence each.
    """

    pictures: list[ImageEval]
    category: str
    notes: list[str]


def load(dataset: Dataset, results: str | Path, scope: Scope) -> Loaded:
    """Every image of a dataset with its truth and its predictions.

    :raises ResultsError: as :func:`evaluation.metrics.results.load_results`.
    :raises DatasetError: as :func:`evaluation.metrics.scope.true_category`, or if a true mask is damaged, has another
        size
        than its image, or has no pixel; or, for the region ``hand``, does not say where its wrist is.
    """
    category, notes = true_category(dataset, scope)
    found, more_notes = comparable(load_results(results, dataset), category, scope)
    pictures = []
    for image in dataset:
        annotations = annotations_of(dataset, image, category)
        if annotations is not None:
            truth, predictions = true_masks(dataset, image, annotations), found[image["id"]]
            if scope.region == "hand":
                truth, predictions = crop_at_wrist(dataset, image, annotations, truth, predictions)
            pictures.append(pair(image, truth, predictions))
    return Loaded(pictures, category, notes + more_notes + left_out(dataset, len(pictures)))


def pair(image: dict[str, Any], truth: list[dict[str, Any]], predictions: list[Prediction]) -> ImageEval:
    """An image with the IoU of each of its predictions (highest score first) with each of its true hands."""
    iou = np.zeros((len(predictions), len(truth)))
    if iou.size:
        iou[:] = rle.iou([prediction.code for prediction in predictions], truth, [0] * len(truth))
    return ImageEval(image, truth, predictions, iou)


def true_masks(dataset: Dataset, image: dict[str, Any], annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The masks of an image's annotations as compressed RLE. Errors as :func:`load`."""
    codes = []
    for annotation in annotations:
        where = f"{dataset.path}: annotation {annotation.get('id')} of {image['file_name']}"
        try:
            code = to_rle(annotation.get("segmentation"), image["height"], image["width"])
        except DatasetError as error:
            raise DatasetError(f"{where}: {error}") from error
        if rle.area(code) == 0:
            raise DatasetError(f"{where}: the mask has no pixel")
        codes.append(code)
    return codes


def match(picture: ImageEval, iou_threshold: float, score_threshold: float) -> Match:
    """Match one image, counting the predictions whose score is at least the threshold."""
    count = int((picture.scores >= score_threshold).sum())
    free = np.ones(len(picture.truth), bool)
    found, false = [], []
    for prediction in range(count):
        overlap = np.where(free, picture.iou[prediction], -1.0)
        # Among equals the last one, as in pycocotools; 1e-10 lets an IoU of 1 reach a threshold of 1.
        best = len(overlap) - 1 - int(np.argmax(overlap[::-1])) if len(overlap) else -1
        if best >= 0 and overlap[best] >= min(iou_threshold, 1 - 1e-10):
            free[best] = False
            found.append((prediction, best))
        else:
            false.append(prediction)
    return Match(found, [int(hand) for hand in np.flatnonzero(free)], false)
