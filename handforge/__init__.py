"""handforge: images of hands with exact masks, and networks that segment hands.

The floor that all other packages stand on, and the front door to them. ``import handforge`` loads neither torch nor
Blender; what needs them is loaded when it is first used.

>>> import handforge
>>> handforge.render_dataset("varied", "rooms", count=1000)
>>> handforge.train("cpu-real", "rooms", "run")
>>> detector = handforge.HandDetector("run")
>>> [hand.score for hand in detector.detect("photo.jpg")]

api             the public functions
dataset/        the COCO dataset folder: records, reader, writer, validation, subsets, importers
files           files and folders that appear whole or not at all
parse           JSON and TOML of unknown origin
console         what all commands share: errors, exit codes
text            numbers, times, paths and names as people and shells read them
machine         what the machine has
progress        progress bars and lines
run_records     what run.json, predict.json and study.json hold
csv_text        tables as CSV, safe in a spreadsheet
text_table      tables in which no word is cut
validation      values from files against types: all that is wrong, in words
rng             named streams of random numbers
commented_toml  dataclasses as TOML with a comment at every key
errors          what is raised for wrong input
cli             the command ``handforge``, which gathers all others
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evaluation.metrics.paper_metrics import DetectionMetrics
    from handforge.api import evaluate, load_dataset, render_dataset, train
    from handforge.dataset import Dataset
    from handforge.errors import HandforgeError
    from trainer.inference.detections import Detection
    from trainer.inference.detector import HandDetector

__version__ = "0.1.0"

_PLACES = {
    "Dataset": "handforge.dataset",
    "Detection": "trainer.inference.detections",
    "DetectionMetrics": "evaluation.metrics.paper_metrics",
    "HandDetector": "trainer.inference.detector",
    "HandforgeError": "handforge.errors",
    "evaluate": "handforge.api",
    "load_dataset": "handforge.api",
    "render_dataset": "handforge.api",
    "train": "handforge.api",
}
"""Where each public name lives; it is imported when it is first used."""

__all__ = [
    "Dataset",
    "Detection",
    "DetectionMetrics",
    "HandDetector",
    "HandforgeError",
    "evaluate",
    "load_dataset",
    "render_dataset",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'handforge' has no attribute {name!r}")
    try:
        return getattr(import_module(_PLACES[name]), name)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"handforge.{name} needs the library {error.name}; pip install 'handforge[all]'", name=error.name
        ) from error


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
