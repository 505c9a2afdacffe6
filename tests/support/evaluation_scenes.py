"""Small datasets, results and run folders for the tests of the evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.metrics.matching import ImageEval, load
from evaluation.metrics.scope import Scope
from handforge.dataset import Dataset, Instance, Sample, assemble, encode_mask, write_sample

SIZE = 20


def rectangle(x: int, y: int, width: int, height: int, size: int = SIZE) -> np.ndarray:
    """A (size, size) bool mask that is true on a rectangle."""
    mask = np.zeros((size, size), bool)
    mask[y : y + height, x : x + width] = True
    return mask


def write_dataset(
    folder: Path, images: list[list[np.ndarray]], size: int = SIZE, category: str = "hand", **meta: Any
) -> Dataset:
    """A dataset with these annotated masks of a category, image by image; images are grey, their hands brighter."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    records = []
    for number, masks in enumerate(images, start=1):
        pixels = np.full((size, size, 3), 90, np.uint8)
        for mask in masks:
            pixels[mask] = 210
        frame = Sample(f"p{number}", pixels, tuple(Instance(mask, category=category) for mask in masks), meta)
        records.append(write_sample(folder, frame))
    assemble(folder, records, {"seed": 0})
    return Dataset(folder)


def result(image_id: int, mask: np.ndarray, score: float, category_id: int = 1) -> dict[str, object]:
    """One entry of a COCO results file."""
    return {"image_id": image_id, "category_id": category_id, "segmentation": encode_mask(mask), "score": score}


def load_images(dataset: Dataset, results: Path, region: str = "skin") -> list[ImageEval]:
    """The images that are compared."""
    return load(dataset, results, Scope(region)).images


def write_results(path: Path, entries: list[Any]) -> Path:
    """A COCO results file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries))
    return path


def four_images(folder: Path) -> tuple[Dataset, Path]:
    """The scene whose numbers the tests work out: five predictions count at score 0.5, two are true positives.

    1. one hand; predicted at IoU 0.8 (score 0.9), and once more at IoU 1 but a lower score
    2. two hands; one predicted at IoU 0.5 exactly (score 0.6), the other at IoU 0.49 with the higher score 0.7
    3. one hand; predicted at IoU 1 with the score 0.3
    4. no hand; one predicted
    """
    hand, other = rectangle(0, 0, 10, 10), rectangle(10, 10, 10, 10)
    dataset = write_dataset(folder / "data", [[hand], [hand, other], [hand], []])
    entries = [
        result(1, rectangle(0, 0, 8, 10), 0.9),
        result(1, hand, 0.8),
        result(2, rectangle(0, 0, 5, 10), 0.6),
        result(2, rectangle(10, 10, 7, 7), 0.7),
        result(3, hand, 0.3),
        result(4, hand, 0.95),
    ]
    return dataset, write_results(folder / "results.json", entries)


def random_scene(
    folder: Path, rng: np.random.Generator, num_images: int = 6, size: int = 40, scores: int = 10
) -> tuple[Dataset, Path]:
    """Random rectangles as hands, and predictions that are moved, doubled, made up or left out."""
    truth, entries = [], []
    for image_id in range(1, num_images + 1):
        masks = []
        for _ in range(rng.integers(0, 4)):
            x, y, width, height = (int(v) for v in rng.integers((0, 0, 4, 4), (25, 25, 16, 16)))
            masks.append(rectangle(x, y, width, height, size))
            for _ in range(rng.integers(0, 3)):
                dx, dy = (int(v) for v in rng.integers(0, 4, 2))
                entries.append(result(image_id, rectangle(x + dx, y + dy, width, height, size), _grade(rng, scores)))
        if rng.random() < 0.4:
            entries.append(result(image_id, rectangle(int(rng.integers(0, 30)), 3, 6, 6, size), _grade(rng, scores)))
        truth.append(masks)
    if not any(truth):
        truth[0] = [rectangle(2, 2, 8, 8, size)]
    entries.append(result(1, rectangle(2, 2, 8, 8, size), 0.5))
    return write_dataset(folder / "data", truth, size), write_results(folder / "results.json", entries)


def _grade(rng: np.random.Generator, scores: int) -> float:
    """A score among so many, so that equal ones occur, or do not."""
    return float(rng.integers(1, scores + 1)) / scores


def write_run(folder: Path, dataset: Dataset, results: Path, name: str = "test") -> Path:
    """A run folder of two sessions with one predictions folder."""
    sessions = [
        {
            "session": number,
            "subset": number,
            "images": 30,
            "epochs": 1,
            "steps": 40,
            "layers": layers,
            "lr": 0.02,
            "average_loss": 1.5 / number,
            "validation_loss": None,
            "saturation_step": 30 if number == 1 else None,
        }
        for number, layers in ((1, "all"), (2, "4+"))
    ]
    record = {
        "handforge": "0.1.0",
        "command": ["hand-trainer", "repeat", "--recipe", "tiny", "--data", "train"],
        "seed": 0,
        "recipe": {"name": "tiny", "network": {"backbone": "resnet18"}},
        "data": {"path": "train", "id": "0123456789ab", "images": 60},
        "versions": {"python": "3.13"},
        "git": None,
        "sessions": sessions,
        "best_session": 2,
    }
    predictions = folder / "predictions" / name
    predictions.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(record))
    rows = [f"{session},{step},{2 / step + 0.3},0.1" for session in (1, 2) for step in range(1, 41)]
    (folder / "losses.csv").write_text("\n".join(["session,step,loss,loss_mask", *rows]) + "\n")
    (predictions / "results.json").write_bytes(results.read_bytes())
    predicted = {"source": str(dataset.folder), "dataset_id": dataset.id, "weights": "run", "images": len(dataset)}
    (predictions / "predict.json").write_text(json.dumps(predicted))
    return folder
