"""Who matches whom: one-to-one between predicted and true hands of a picture, by the IoU of their masks.

Greedy by score, as COCO does: predictions in falling score, each takes the free true hand that it overlaps most, if the
IoU reaches the threshold. So a hand is found once; a second prediction of it is false.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as rle

from evaluation.region import without_forearm
from evaluation.results import Prediction, load_results
from generator.dataset import Dataset, DatasetError, to_rle


@dataclass(frozen=True)
class Picture:
    """The truth and the predictions of one picture.

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
    """Who matches whom in a picture at one IoU and one score threshold.

    :param found: (prediction, true hand) pairs, in the order of the score.
    :param missed: the true hands that nothing matches.
    :param false: the predictions, among those that count, that match nothing.
    """

    found: list[tuple[int, int]]
    missed: list[int]
    false: list[int]


def load_pictures(dataset: Dataset, results: str | Path, region: str = "skin") -> list[Picture]:
    """Every picture of a dataset with its truth and its predictions, in the dataset's order.

    :param region: ``skin``: masks as they are; ``hand``: as :func:`evaluation.region.without_forearm` leaves them.
    :raises ResultsError: as :func:`evaluation.results.load_results`.
    :raises DatasetError: if a true mask is damaged, has another size than its picture, has no pixel, or is a crowd; or,
        for ``hand``, does not say where its wrist is.
    """
    found = load_results(results, dataset)
    pictures = []
    for image in dataset:
        truth, predictions = true_masks(dataset, image), found[image["id"]]
        if region == "hand":
            truth, predictions = without_forearm(dataset, image, truth, predictions)
        pictures.append(pair(image, truth, predictions))
    return pictures


def pair(image: dict[str, Any], truth: list[dict[str, Any]], predictions: list[Prediction]) -> Picture:
    """A picture with the IoU of each of its predictions (highest score first) with each of its true hands."""
    iou = np.zeros((len(predictions), len(truth)))
    if iou.size:
        iou[:] = rle.iou([prediction.code for prediction in predictions], truth, [0] * len(truth))
    return Picture(image, truth, predictions, iou)


def true_masks(dataset: Dataset, image: dict[str, Any]) -> list[dict[str, Any]]:
    """The masks of a picture's hands as compressed RLE. Errors as :func:`load_pictures`."""
    codes = []
    for annotation in dataset.annotations(image):
        where = f"{dataset.path}: annotation {annotation.get('id')} of {image['file_name']}"
        if annotation.get("iscrowd"):
            raise DatasetError(f"{where} is a crowd; outline its hands one by one, or leave it out")
        try:
            code = to_rle(annotation.get("segmentation"), image["height"], image["width"])
        except DatasetError as error:
            raise DatasetError(f"{where}: {error}") from error
        if rle.area(code) == 0:
            raise DatasetError(f"{where}: the mask has no pixel")
        codes.append(code)
    return codes


def match(picture: Picture, iou_threshold: float, score_threshold: float) -> Match:
    """Match one picture, counting the predictions whose score is at least the threshold."""
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
