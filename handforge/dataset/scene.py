"""What is stated of a dataset's images as a whole: background, scale, whether all hands are annotated."""

from __future__ import annotations

from typing import Any

from handforge.dataset.reader import Dataset
from handforge.files import dump_json, remove_stale, write_atomic


def scene(dataset: Dataset) -> dict[str, Any]:
    """What ``dataset.json`` states of the images: ``background``, ``scale``, ``all_hands``, each if it was stated."""
    stated = dataset.info.get("scene")
    return stated if isinstance(stated, dict) else {}


def describe(dataset: Dataset, **stated: Any) -> dict[str, Any]:
    """Put statements into ``dataset.json``, beside what it says already, and return all that is stated."""
    merged = {**scene(dataset), **{key: value for key, value in stated.items() if value is not None}}
    remove_stale(path := dataset.folder / "dataset.json")
    write_atomic(path, dump_json({**dataset.info, "scene": merged}))
    return merged
