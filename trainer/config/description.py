"""What ``network.json`` says of a network, checked as a recipe is: a file may hold anything."""

from __future__ import annotations

from typing import Any

from trainer.config.recipe import (
    ImageSettings,
    Network,
    image_problems,
    network_problems,
)
from trainer.config.recipe_file import typed_fields
from trainer.config.tasks import task_of

MOST_CLASSES = 1000
MOST_KEYPOINTS = 1000
_OF_A_RECIPE = ("backbone", "channels", "representation_size", "canonical_scale")
NORMS = {"norm": ("group", "frozen_batch"), "head_norm": ("group", "none")}


def description_problems(description: dict[str, Any]) -> list[str]:
    """Say what is wrong with a network's ``architecture`` and ``images``, by their present names; empty if nothing is.

    Sizes are those that a recipe may ask for. Keys that older descriptions lack may be missing.
    """
    arch, images = description["architecture"], description["images"]
    found: dict[str, str] = {}
    try:
        task = task_of(arch["model"])
    except (KeyError, TypeError):
        return [f"model {arch.get('model')!r} is not known"]
    if missing := [
        key for key in ("backbone", "norm", "channels", "representation_size", "classes") if key not in arch
    ]:
        return [f"{missing[0]} is missing"]
    values = typed_fields(Network, {key: arch[key] for key in _OF_A_RECIPE if key in arch}, "", found)
    settings = typed_fields(ImageSettings, images, "images", found)
    if found:
        return list(found)
    problems = network_problems(Network(task=task, init="none", **values))
    problems += image_problems(ImageSettings(**settings))
    problems += [f"{key} is {arch[key]!r}, not {' or '.join(known)}" for key, known in NORMS.items() if _odd(arch, key)]
    classes, keypoints = arch["classes"], arch.get("keypoints", 1)
    if not isinstance(classes, list) or not all(isinstance(name, str) and name for name in classes):
        problems.append(f"classes are {classes!r:.80}, they must be a list of names")
    elif not 1 <= len(set(classes)) == len(classes) <= MOST_CLASSES:
        problems.append(f"there are {len(classes)} classes, it must be 1 to {MOST_CLASSES} different ones")
    if type(keypoints) is not int or not 1 <= keypoints <= MOST_KEYPOINTS:
        problems.append(f"keypoints is {keypoints!r:.80}, it must be from 1 to {MOST_KEYPOINTS}")
    for key, lowest in (("mean", -10.0), ("std", 1e-3)):
        if key in arch and not _three_numbers(arch[key], lowest):
            problems.append(f"{key} is {arch[key]!r:.80}, it must be three numbers from {lowest:g} to 10")
    return problems


def _odd(arch: dict[str, Any], key: str) -> bool:
    return key in arch and arch[key] not in NORMS[key]


def _three_numbers(values: Any, lowest: float) -> bool:
    return (
        isinstance(values, list)
        and len(values) == 3
        and all(type(value) in (int, float) and lowest <= value <= 10 for value in values)
    )
