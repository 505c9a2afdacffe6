"""What is stated of a dataset's images as a whole."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from handforge.dataset.reader import Dataset, read_info
from handforge.dataset.records import DatasetError
from handforge.files import dump_json, file_lock, remove_stale, write_atomic


class Scene(TypedDict, total=False):
    """The part ``scene`` of ``dataset.json``, each key if it was stated."""

    background: str
    """A word; sets of the same word have similar backgrounds."""
    scale: str
    """A word; in sets of the same word hands are of similar size."""
    all_hands: bool
    """Whether every hand in the images is annotated."""


def stated_scene(background: str | None, scale: str | None, all_hands: bool | None) -> Scene:
    """A scene of what is not None.

    :raises DatasetError: if a word is empty, as a shell's variable that is not set: sets with it would count as alike.
    """
    for option, word in (("--background", background), ("--scale", scale)):
        if word is not None and not word.strip():
            raise DatasetError(f"{option} is empty; give a word, or leave it out")
    values = {"background": background, "scale": scale, "all_hands": all_hands}
    return cast("Scene", {key: value for key, value in values.items() if value is not None})


def scene(dataset: Dataset) -> Scene:
    """What ``dataset.json`` states of the images."""
    return _scene(dataset.info)


def _scene(info: dict[str, Any]) -> Scene:
    stated = info.get("scene")
    return cast("Scene", stated) if isinstance(stated, dict) else {}


def describe(dataset: Dataset, stated: Scene) -> Scene:
    """Put statements into ``dataset.json``, beside what it says already, and return all that is stated.

    Without any the file stays as it is. It is read anew: another process may have changed it since.

    :raises FolderError: if another process keeps it from being written.
    """
    if not stated:
        return scene(dataset)
    path = dataset.folder / "dataset.json"
    with file_lock(path):
        info = read_info(dataset.folder)
        merged: Scene = {**_scene(info), **stated}
        remove_stale(path)
        write_atomic(path, dump_json({**info, "scene": merged}))
    return merged
