"""A trained network, ready to detect."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any, cast, overload

import numpy as np
import torch

from handforge.dataset import read_image
from trainer.config.tasks import WITH_MASKS, task_of
from trainer.errors import WeightsError
from trainer.inference.detections import MASK_THRESHOLD, Detection, detect
from trainer.inference.inputs import check_shape
from trainer.inference.tta import SCORE as TTA_SCORE
from trainer.inference.zoom import LOWEST as ZOOM_SCORE
from trainer.models import checkpoint, networks
from trainer.weights import shipped_weights

Image = str | Path | np.ndarray
"""An image file, or a (H, W, 3) uint8 RGB array."""


class HandDetector:
    """A trained network, ready to detect, also in several threads at once, and pickled in other processes; start these
    by ``spawn``, as PyTorch may hang in forked ones.

    :param weights: a run folder, or a ``.safetensors`` file; None: the network that comes with handforge.
    :param category: with ``weights`` None: what its masks cover, ``hand`` or ``hand+forearm``.
    :param device: ``cpu``, ``cuda``, ``cuda:1`` ...; ``auto`` is the first GPU, or else the CPU.
    :param min_score: detections below this score (0 to 1) are left out.
    :param tta: test-time augmentation: detect in several views of every image (:mod:`trainer.inference.tta`); finds
        more, and cuts better, in four to five times the time. Its views take the place of ``zoom``.
    :param zoom: look once more, and closer, at what is small (:mod:`trainer.inference.zoom`): surer scores
        and finer masks, at the cost of one more image for each small hand.
    :param mask_threshold: probability (0 to 1) from which on a pixel belongs to a mask; for segmentation only.
    :param session: which of a run's networks: ``best`` (by average loss), ``last``, or a session's number, from 1.
    :raises HandforgeError: if the network is missing, damaged or cannot be loaded, its task has no ``tta`` or
        ``mask_threshold``, or there is no such session or device.
    :raises ValueError: if ``min_score`` or ``mask_threshold`` is not a number from 0 to 1.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        *,
        category: str = "hand",
        device: str = "auto",
        min_score: float = 0.5,
        tta: bool = False,
        zoom: bool = True,
        mask_threshold: float = MASK_THRESHOLD,
        session: int | str = "best",
    ) -> None:
        for limit, value in (("min_score", min_score), ("mask_threshold", mask_threshold)):
            if not isinstance(value, Real) or not 0 <= value <= 1:
                raise ValueError(f"{limit} is a number from 0 to 1, not {value!r}")
        path = shipped_weights(category) if weights is None else Path(weights)
        self.device = torch.device(networks.pick_device(device))
        self.score, self.tta, self.zoom = min_score, tta, zoom and not tta
        self.mask_threshold = mask_threshold
        self.precision = networks.best_precision(self.device)
        model, self.description = networks.load(checkpoint.session_file(path, session))
        self.model: Any = networks.for_prediction(model, self.device, self.precision)
        networks.set_score(self.model, self._lowest_score())
        self.task: str = task_of(self.description["architecture"]["model"])
        if tta and self.task not in WITH_MASKS:
            raise WeightsError(f"{path} is a network for {self.task}, which predicts no masks; leave out --tta")
        if mask_threshold != MASK_THRESHOLD and self.task != "segmentation":
            raise WeightsError(f"{path} is a network for {self.task}; --mask-threshold is for one for segmentation")
        self.categories = networks.categories_of(self.description)

    def _lowest_score(self) -> float:
        """The network's own limit; several looks change scores, so what is below ``min_score`` may end above it."""
        if self.tta:
            return TTA_SCORE
        return min(self.score, ZOOM_SCORE) if self.zoom else self.score

    @overload
    def detect(self, images: Image) -> list[Detection]: ...  # type: ignore[overload-overlap]  # a str is a sequence

    @overload
    def detect(self, images: Sequence[Image]) -> list[list[Detection]]: ...

    def detect(self, images: Image | Sequence[Image]) -> list[Detection] | list[list[Detection]]:
        """Detect in one image, or in each of several.

        :param images: a file or a (H, W, 3) uint8 RGB array; or a sequence of them, or a (N, H, W, 3) uint8 array.
        :returns: the image's detections, highest score first; for several images a list of them.
        :raises DatasetError: if a file is missing or not an image that can be read, or an image is so narrow that it
            shows no hand.
        :raises ValueError: if an image is something else, or an array is not of that shape and dtype.
        """
        if _is_one(images):
            return self.detect_batch([cast("Image", images)])[0]
        return [found for image in cast("Sequence[Image]", images) for found in self.detect_batch([image])]

    def detect_batch(self, images: Sequence[Image]) -> list[list[Detection]]:
        """Detect in several images at once, which takes the memory of all of them; else as :meth:`detect`.

        :raises ValueError: also if ``images`` is one image.
        """
        how = (self.device, self.precision, self.tta, self.zoom, self.categories, self.mask_threshold)
        if _is_one(images):
            raise ValueError("detect_batch takes a sequence of images; one image is for detect")
        found = detect(self.model, [_array(image) for image in images], *how)
        return [[detection for detection in each if detection.score >= self.score] for each in found]


def _is_one(images: Any) -> bool:
    """Whether something is one image, or nothing that several could be in."""
    if isinstance(images, np.ndarray):
        return images.ndim != 4
    return isinstance(images, str | bytes | Path) or not isinstance(images, Iterable)


def _array(image: Image) -> np.ndarray:
    name = str(image) if isinstance(image, str | Path) else "the image"
    image = read_image(Path(image)) if isinstance(image, str | Path) else image
    if (
        not isinstance(image, np.ndarray)
        or image.ndim != 3
        or image.shape[2] != 3
        or not image.size
        or image.dtype != np.uint8
    ):
        raise _not_an_image(image)
    check_shape(name, image)
    return image


def _not_an_image(value: object) -> ValueError:
    what = f"{value.shape} {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
    return ValueError(f"an image is a path or a (H, W, 3) uint8 RGB array, not {what}")
