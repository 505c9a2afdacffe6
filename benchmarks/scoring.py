"""How long scoring takes: made-up hands in 1,425 images of 1920x1100, the size of the paper's Vid1.

    python benchmarks/scoring.py [--images 1425]

Prints the CPU seconds of each part; nothing is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.cocoeval import COCOeval

from evaluation.metrics.average_precision import average_precision, evaluated
from evaluation.metrics.boundary import mean_boundary_iou
from evaluation.metrics.error_types import by_size, errors
from evaluation.metrics.extended_metrics import extended_metrics
from evaluation.metrics.matching import MatchOptions, load, match_all
from evaluation.metrics.paper_metrics import score
from evaluation.metrics.scope import Scope
from handforge.dataset import Dataset, assemble, encode_mask
from handforge.dataset.coco_types import FrameRecord, NewAnnotation

WIDTH, HEIGHT, REACH = 1920, 1100, 300


def hand(rng: np.random.Generator, x: int, y: int, size: float) -> np.ndarray:
    """A (HEIGHT, WIDTH) bool mask: a palm with five blunt fingers and a rough outline."""
    across, down = np.meshgrid(np.arange(-REACH, REACH), np.arange(-REACH, REACH))
    angle = np.arctan2(down, across)
    edge = size * (1 + 0.3 * np.sin(5 * angle + rng.uniform(0, 0.3)) + 0.02 * np.sin(60 * angle))
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y - REACH : y + REACH, x - REACH : x + REACH] = np.hypot(across, down) < edge
    return mask


def make(folder: Path, images: int) -> None:
    """A dataset without image files, and predictions of most of its hands."""
    rng = np.random.default_rng(0)
    records: list[FrameRecord] = []
    results: list[dict[str, object]] = []
    for image_id in range(1, images + 1):
        annotations: list[NewAnnotation] = []
        for _ in range(rng.integers(1, 3)):
            x, y = int(rng.integers(REACH, WIDTH - REACH)), int(rng.integers(REACH, HEIGHT - REACH))
            size = rng.uniform(80, 200)
            truth = encode_mask(hand(rng, x, y, size))
            annotations.append({"category_id": 1, "iscrowd": 0, "segmentation": truth})
            for _ in range(rng.integers(0, 3)):
                code = encode_mask(hand(rng, x, y, size * rng.uniform(0.85, 1.15)))
                results.append(
                    {"image_id": image_id, "category_id": 1, "segmentation": code, "score": float(rng.uniform(0.4, 1))}
                )
        records.append(
            {"image": {"file_name": f"{image_id}.png", "width": WIDTH, "height": HEIGHT}, "annotations": annotations}
        )
    assemble(folder, records, {})
    (folder / "results.json").write_text(json.dumps(results))


def timed(name: str, work: Callable[[], Any]) -> Any:
    """Do the work and print its CPU seconds."""
    start = time.process_time()
    value = work()
    print(f"{name:32}{time.process_time() - start:8.2f} s")
    return value


def match_again(evaluation: COCOeval) -> None:
    """Have COCOeval match at one threshold, objects of all sizes."""
    evaluation.params.iouThrs = np.array([0.5])
    evaluation.params.areaRng, evaluation.params.areaRngLbl = evaluation.params.areaRng[:1], ["all"]
    evaluation.params.maxDets = [1000]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation.evaluate()


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1425)
    count = parser.parse_args().images
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, count)
        print(f"{count} images of {WIDTH}x{HEIGHT}, CPU seconds on one core:")
        images = timed("read, check, overlaps", lambda: load(Dataset(folder), folder / "results.json", Scope()).images)
        options = MatchOptions()
        matches = match_all(images, options)
        timed("match at one threshold", lambda: match_all(images, options))
        by_coco = evaluated(images)
        timed("  the same by COCOeval", lambda: match_again(by_coco))
        timed("score (the paper's, AP)", lambda: score(images))
        timed("score --details", lambda: extended_metrics(images, matches, options))
        timed("  of it AP and AR", lambda: average_precision(images))
        timed("  of it boundary IoU", lambda: mean_boundary_iou(images, matches))
        timed("  of it errors and sizes", lambda: (errors(images, matches, 0.5), by_size(images, matches)))


if __name__ == "__main__":
    main()
