"""Hands alone where the truth covers the forearm, too, as Kawulok's does: what is beyond the wrist does not count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from pycocotools import mask as rle

from evaluation.results import Prediction
from generator.dataset import KEYPOINTS, Dataset, DatasetError, encode_mask


def without_forearm(
    dataset: Dataset,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    truth: list[dict[str, Any]],
    predictions: list[Prediction],
) -> tuple[list[dict[str, Any]], list[Prediction]]:
    """True hands cut off at the wrist, and predictions without the pixels of the true forearms.

    What lies beyond a wrist is neither demanded nor forbidden. ``truth`` are the masks of ``annotations``.
    The cut goes through the wrist, at right angles to the line from there to the middle finger's knuckle; so both must
    be among the annotation's keypoints. A prediction of nothing but forearm is left out, neither right nor false.

    :raises DatasetError: if a keypoint is missing, or no pixel of a hand is left.
    """
    hands, forearms = [], np.zeros((image["height"], image["width"]), bool)
    for annotation, code in zip(annotations, truth, strict=True):
        where = f"{dataset.path}: annotation {annotation.get('id')} of {image['file_name']}"
        mask = rle.decode(code).astype(bool)
        hand = mask & _hand_side(annotation, mask.shape, where)
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


def _hand_side(annotation: dict[str, Any], shape: tuple[int, ...], where: str) -> np.ndarray:
    """The pixels on the hand's side of the wrist, (H, W) bool."""
    points = np.array(annotation.get("keypoints") or [], float).reshape(-1, 3)
    wrist, knuckle = (
        points[index] if index < len(points) else np.zeros(3)
        for index in (KEYPOINTS.index("wrist"), KEYPOINTS.index("middle_mcp"))
    )
    if not (wrist[2] > 0 and knuckle[2] > 0):
        raise DatasetError(f"{where} has no keypoints wrist and middle_mcp, by which to cut the forearm off; use skin")
    y, x = np.ogrid[: shape[0], : shape[1]]
    across, down = knuckle[:2] - wrist[:2]
    return (x + 0.5 - wrist[0]) * across + (y + 0.5 - wrist[1]) * down >= 0
