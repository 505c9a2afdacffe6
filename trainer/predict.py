"""Hands found by a trained network, as a COCO results list."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from pycocotools import mask as rle
from torchvision.models.detection import MaskRCNN

from generator.dataset import (
    CATEGORIES,
    IMAGE_SUFFIXES,
    Dataset,
    DatasetError,
    dump_json,
    encode_mask,
    read_picture,
)
from trainer import model as networks
from trainer import video
from trainer.data import tensor
from trainer.output import whole_folder

MASK_THRESHOLD = 0.5
MAX_SHARED = 0.5
OVERLAY_SCORE = 0.5
"""Hands of a lower score are in the results but not drawn."""
Entry = tuple[int, str, np.ndarray]
"""Image id, name, and (H, W, 3) uint8 picture."""

_COLOURS = ((230, 60, 40), (40, 110, 230), (30, 160, 70), (200, 120, 0), (150, 60, 200))


@dataclass(frozen=True)
class Source:
    """What is predicted: a picture, a folder of pictures, a dataset folder, or a video.

    :param pictures: (image id, name, path) in their order; empty for a video.
    :param frames: how many frames a video says it has, None where it does not say.
    :param rate: a video's frames a second, None for pictures.
    """

    path: Path
    dataset_id: str | None
    pictures: tuple[tuple[int, str, Path], ...]
    frames: int | None = None
    rate: Fraction | None = None

    @property
    def count(self) -> int | None:
        """How many pictures there are, None where it is not known."""
        return len(self.pictures) if self.rate is None else self.frames

    def read(self) -> Iterator[Entry]:
        """The pictures one by one, as (id, name, picture). A video's frames have ids from 1 and their number, from 0.

        :raises DatasetError: if one is missing or damaged.
        """
        if self.rate is None:
            for image_id, name, path in self.pictures:
                yield image_id, name, read_picture(path)
        else:
            for number, picture in enumerate(video.read_frames(self.path)):
                yield number + 1, f"{self.path.stem}_{number:06d}.png", picture

    @staticmethod
    def open(path: Path) -> Source:
        """Find the pictures. Ids are the dataset's, or 1 to N in sorted order of the names or frames.

        :raises DatasetError: if there is nothing to predict.
        """
        if path.is_dir() and (path / "annotations.json").is_file():
            dataset = Dataset(path)
            entries = [(image["id"], image["file_name"], dataset.picture_path(image)) for image in dataset]
            return Source(path, dataset.id, tuple(entries))
        if not path.exists():
            raise DatasetError(f"{path} is missing; give a picture, a folder of pictures, or a dataset")
        if path.suffix.lower() in video.SUFFIXES:
            frames, rate = video.describe(path)
            return Source(path, None, (), frames, rate)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        files = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".")]
        if not files:
            raise DatasetError(f"{path} holds no pictures ({', '.join(IMAGE_SUFFIXES)})")
        return Source(path, None, tuple((i, file.name, file) for i, file in enumerate(files, start=1)))


def find(
    model: MaskRCNN, pictures: list[np.ndarray], device: torch.device, precision: torch.dtype
) -> list[list[dict[str, Any]]]:
    """The hands of each (H, W, 3) uint8 picture: ``mask`` (H, W) bool and ``score``, best first."""
    tensors = [tensor(picture).to(device) for picture in pictures]
    with torch.inference_mode(), torch.autocast(device.type, precision, enabled=precision != torch.float32):
        outputs = model(tensors)
    found = []
    for output in outputs:
        masks = (output["masks"][:, 0] > MASK_THRESHOLD).cpu().numpy()
        scores = output["scores"].float().cpu().tolist()
        hands = [{"mask": mask, "score": score} for mask, score in zip(masks, scores, strict=True) if mask.any()]
        found.append(distinct(hands))
    return found


def distinct(hands: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The hands without those that lie, by more than half of the smaller mask, on one of a higher score.

    Boxes tell a palm and its hand apart where masks tell that they are one; what is seen of two hands never overlaps.

    :param hands: best first.
    """
    kept: list[dict[str, Any]] = []
    for hand in hands:
        area = hand["mask"].sum()
        shared = [(hand["mask"] & other["mask"]).sum() / min(area, other["mask"].sum()) for other in kept]
        if all(share <= MAX_SHARED for share in shared):
            kept.append(hand)
    return kept


def result(image_id: int, hand: dict[str, Any], category_id: int = 1) -> dict[str, Any]:
    """One entry of a COCO results list; the box is the mask's.

    :param category_id: what the mask covers, see :data:`generator.dataset.CATEGORIES`.
    """
    code = encode_mask(hand["mask"])
    return {
        "image_id": image_id,
        "category_id": category_id,
        "segmentation": code,
        "score": round(hand["score"], 5),
        "bbox": [float(value) for value in rle.toBbox(code)],
    }


def predict(
    weights: Path,
    source: Source,
    out: Path,
    device: str = "cpu",
    batch: int = 4,
    score: float = 0.05,
    overlays: bool = False,
    on_done: Callable[[int], None] = lambda count: None,
) -> dict[str, Any]:
    """Write ``results.json`` and ``predict.json`` (and overlays, and ``images.json`` of loose pictures) into ``out``.

    :param score: hands below this score are left out.
    :param on_done: called with the number of pictures just done.
    :returns: what ``predict.json`` says.
    :raises DatasetError: if a picture is missing or damaged; ``out`` is then not touched.
    """
    with whole_folder(out, mark="predict.json") as folder:
        where = torch.device(device)
        model, description = networks.load(weights)
        model.to(where, memory_format=torch.channels_last)
        model.roi_heads.score_thresh = score
        precision = networks.best_precision(where)
        category_id = {name: key for key, name in CATEGORIES.items()}[description["architecture"]["classes"][0]]
        results: list[dict[str, Any]] = []
        images = []
        begin = time.perf_counter()
        with _Overlays(folder, source.rate) if overlays else nullcontext() as drawn:
            for entries in _batches(source, batch):
                found = find(model, [picture for _, _, picture in entries], where, precision)
                for (image_id, name, picture), hands in zip(entries, found, strict=True):
                    results += [result(image_id, hand, category_id) for hand in hands]
                    height, width = picture.shape[:2]
                    images.append({"id": image_id, "file_name": name, "width": width, "height": height})
                    if drawn:
                        drawn.add(name, overlay(picture, hands))
                on_done(len(entries))
        summary = {
            "source": str(source.path.resolve()),
            "dataset_id": source.dataset_id,
            "weights": str(weights.resolve()),
            "settings": {"score": score, "batch": batch, "pictures": description["pictures"]},
            "pictures": len(images),
            "seconds": round(time.perf_counter() - begin, 3),
        }
        (folder / "results.json").write_bytes(dump_json(results))
        (folder / "predict.json").write_bytes(dump_json(summary))
        if source.dataset_id is None:
            (folder / "images.json").write_bytes(dump_json(images))
    return summary


def _batches(source: Source, batch: int) -> Iterator[list[Entry]]:
    entries = source.read()
    while group := list(islice(entries, batch)):
        yield group


class _Overlays:
    """Where drawn pictures go: ``overlays/NAME.jpg``, or one ``overlays.mp4`` for a video."""

    def __init__(self, folder: Path, rate: Fraction | None) -> None:
        self._folder = folder / "overlays"
        self._video = video.Writer(folder / "overlays.mp4", rate) if rate else None

    def __enter__(self) -> _Overlays:
        return self

    def add(self, name: str, picture: np.ndarray) -> None:
        """Write one drawn picture."""
        if self._video:
            self._video.write(picture)
        else:
            self._folder.mkdir(exist_ok=True)
            Image.fromarray(picture).save(self._folder / f"{Path(name).stem}.jpg", quality=90)

    def __exit__(self, *error: Any) -> None:
        if self._video:
            self._video.__exit__(*error)


def overlay(picture: np.ndarray, hands: list[dict[str, Any]]) -> np.ndarray:
    """The picture with its hands tinted, outlined by their boxes, and labelled with their scores."""
    image = picture.astype(np.float32)
    shown = [hand for hand in hands if hand["score"] >= OVERLAY_SCORE]
    for number, hand in enumerate(shown):
        colour = np.array(_COLOURS[number % len(_COLOURS)], np.float32)
        image[hand["mask"]] = 0.5 * image[hand["mask"]] + 0.5 * colour
    drawn = Image.fromarray(image.astype(np.uint8))
    pen = ImageDraw.Draw(drawn)
    for number, hand in enumerate(shown):
        x, y, width, height = rle.toBbox(encode_mask(hand["mask"]))
        pen.rectangle((x, y, x + width - 1, y + height - 1), outline=_COLOURS[number % len(_COLOURS)])
        pen.text((x + 2, y + 2), f"{hand['score']:.2f}", fill=_COLOURS[number % len(_COLOURS)])
    return np.asarray(drawn)
