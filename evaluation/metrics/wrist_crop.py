"""Cut the forearm off ground truth that includes it, as Kawulok's does: what is beyond the wrist does not count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pycocotools import mask as rle

from evaluation.metrics.results import Prediction
from evaluation.metrics.scope import HAND
from handforge.dataset import KEYPOINTS, Dataset, DatasetError, encode_mask, hand_side
from handforge.dataset.coco_types import AnnotationRecord, ImageRecord, RleCode


def crop_at_wrist(
    dataset: Dataset,
    image: ImageRecord,
    annotations: list[AnnotationRecord],
    masks: list[RleCode],
    predictions: list[Prediction],
) -> tuple[list[RleCode], list[Prediction]]:
    """Cut annotated hands off at the wrist, and the pixels of annotated forearms out of predictions.

    What lies beyond a wrist is neither demanded nor forbidden. ``masks`` are those of ``annotations``. Those of the
    category ``hand`` end at the wrist already and stay as they are; others need one.

    The cut goes along the annotation's ``wrist``, or through the keypoint wrist at right angles to the line from there
    to the middle finger's knuckle; so it needs the one or the other. A prediction of nothing but forearm is left out,
    neither a true nor a false positive.

    :raises DatasetError: if there is neither, a wrist is a point, or no pixel of a hand is left.
    """
    hands, forearms = [], np.zeros((image["height"], image["width"]), bool)
    for annotation, code in zip(annotations, masks, strict=True):
        if dataset.category(annotation) == HAND:
            hands.append(code)
            continue
        where = f"{dataset.path}: annotation {annotation.get('id')} of {image['file_name']}"
        mask = rle.decode(code).astype(bool)
        wrist = _wrist(dataset, annotation, where)
        if (wrist[0] == wrist[1]).all():
            raise DatasetError(f"{where}: the two ends of its wrist are one point, by which nothing can be cut off")
        hand = mask & hand_side(wrist, *mask.shape)
        if not hand.any():
            raise DatasetError(f"{where}: no pixel of its mask lies on the hand's side of its wrist")
        hands.append(encode_mask(hand))
        forearms |= mask & ~hand
    kept = []
    for prediction in predictions:
        mask = rle.decode(prediction.code).astype(bool) & ~forearms
        if mask.any():
            kept.append(replace(prediction, code=encode_mask(mask)))
    return hands, kept


def _wrist(dataset: Dataset, annotation: AnnotationRecord, where: str) -> np.ndarray:
    """The wrist's two ends, (2, 2), as :func:`handforge.dataset.hand_side` takes them."""
    ends = dataset.points(annotation, "wrist", (2, 2))
    if ends is not None:
        return ends
    points = dataset.points(annotation, "keypoints", (len(KEYPOINTS), 3))
    points = np.zeros((len(KEYPOINTS), 3)) if points is None else points
    wrist, knuckle = points[KEYPOINTS.index("wrist")], points[KEYPOINTS.index("middle_mcp")]
    if not (wrist[2] > 0 and knuckle[2] > 0):
        raise DatasetError(
            f"{where} has neither a wrist nor the keypoints wrist and middle_mcp, by which to cut the forearm off; "
            "use --region skin"
        )
    across, down = knuckle[:2] - wrist[:2]
    return np.array([wrist[:2], wrist[:2] + np.array([down, -across])])
