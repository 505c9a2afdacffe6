"""A detector whose truth is known: it finds what has certain colours, so that tests see what is made of detections."""

import numpy as np

from handforge.dataset import HAND_CATEGORIES
from trainer.inference.detections import Detection

COLORS = {(255, 0, 0): 0.9, (0, 0, 255): 0.8, (0, 255, 0): 0.3}
"""What is taken for a hand, with its score; a little of each may be lost in a video's compression."""


class FakeDetector:
    """In place of ``HandDetector`` in :mod:`trainer.inference.predict`."""

    task = "segmentation"
    categories = HAND_CATEGORIES[:1]
    zoom = False

    def __init__(self, weights=None, *, min_score=0.5, **options):
        self.min_score = min_score
        self.description = {"images": {}}

    def detect_batch(self, images):
        return [self._detect(image.astype(int)) for image in images]

    def _detect(self, image):
        masks = [(np.abs(image - color).max(2) < 90, score) for color, score in COLORS.items()]
        return [Detection.of_mask(m, score) for m, score in masks if m.any() and score >= self.min_score]
