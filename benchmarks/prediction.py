"""What each part of prediction costs, and how many images a second it makes.

    python benchmarks/prediction.py SOURCE [--weights RUN] [--images 50] [--size 640x480] [--min-score 0.5] [--no-zoom]

SOURCE is a video, an image or a folder; its images are scaled to --size, as from a camera, and predicted one at a time.
The first one is left out. Of the parts it prints processor time, of all cores together, which other work on the machine
does not change; parts that lie in others are indented.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from trainer.inference import detections, zoom
from trainer.inference.detector import HandDetector
from trainer.inference.inputs import open_source


def timed(owner: Any, name: str, label: str, seconds: dict[str, float]) -> None:
    """Let a function of an object add the time that it takes to ``seconds[label]``."""
    function: Callable[..., Any] = getattr(owner, name)

    def measured(*words: Any, **options: Any) -> Any:
        begin = time.process_time()
        try:
            return function(*words, **options)
        finally:
            seconds[label] += time.process_time() - begin

    setattr(owner, name, measured)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--weights", type=Path, help="a run folder or weights file [the shipped network]")
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--size", default="640x480")
    parser.add_argument("--min-score", type=float, default=0.5)
    parser.add_argument("--no-zoom", action="store_true", help="without the closer look at what is small")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    entries = islice(open_source([options.source]).read(), options.images + 1)
    images = [np.asarray(Image.fromarray(frame.image).resize((width, height))) for frame in entries]
    detector = HandDetector(options.weights, device="cpu", min_score=options.min_score, zoom=not options.no_zoom)
    model, seconds = detector.model, defaultdict[str, float](float)
    for owner, name, label in (
        (detections, "run", "network"),
        (zoom, "look_closer", "  closer look, whole"),
        (model.transform, "forward", "  scaled and normalised"),
        (model.backbone.body, "forward", "  body"),
        (model.backbone.fpn, "forward", "  FPN"),
        (model.rpn, "forward", "  RPN"),
        (model.roi_heads, "forward", "  heads"),
        (model.roi_heads.box_head, "forward", "    box head"),
        (model.roi_heads.mask_head, "forward", "    mask head"),
        (model.transform, "postprocess", "  masks pasted"),
        (detections, "distinct", "duplicates left out"),
        (detections, "refine_masks", "masks refined along edges"),
        (detections, "encode_mask", "RLE"),
    ):
        timed(owner, name, label, seconds)
    detector.detect_batch(images[:1])
    seconds.clear()
    begin, begin_cpu, hands = time.perf_counter(), time.process_time(), 0
    for image in images[1:]:
        (found,) = detector.detect_batch([image])
        hands += len([detections.result(1, hand) for hand in found])
    whole, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    count = len(images) - 1
    print(f"{count} images of {width}x{height}, {hands} hands, {torch.get_num_threads()} threads, {detector.precision}")
    for label, value in seconds.items():
        print(f"{label:30}{1000 * value / count:7.1f} ms")
    print(f"{'all':30}{1000 * cpu / count:7.1f} ms")
    print(f"{count / whole:.1f} images a second, {1000 * whole / count:.1f} ms each by the clock")


if __name__ == "__main__":
    main()
