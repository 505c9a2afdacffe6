"""The records of trainings, predictions and studies as JSON has them: their keys and types.

They stay dictionaries, so that what older versions wrote and newer ones will write goes through unharmed. The trainer
writes them; who reads a file checks it with pydantic: a value that is there has its type, and any may be missing.
"""

from __future__ import annotations

from typing import (
    Any,
    NotRequired,
    Required,  # typing's does for pydantic from Python 3.12 on
)

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from handforge.dataset.coco_types import CategoryRecord

_Checked = with_config(ConfigDict(strict=True, extra="allow"))


@_Checked
class DatasetPart(TypedDict, total=False):
    """A dataset that was trained on."""

    path: str
    id: str
    images: int
    """Number of images."""


@_Checked
class Saturation(TypedDict):
    """When a session's loss stopped falling; None where it did not."""

    saturation_step: int | None
    """From 1."""
    saturation_share: float | None
    """The same as a fraction of the session's steps."""
    premature: bool | None


@_Checked
class SessionRecord(TypedDict, total=False):
    """A finished session of ``run.json``: the recipe's settings of it (some of them here), and what came of it."""

    session: int
    """Its number, from 1."""
    subset: int | str
    """The number of its subset, from 1, or ``each``."""
    images: int
    epochs: float
    steps: int
    layers: str
    """The recipe's ``trainable_layers``; of ``auto`` the word that was chosen."""
    lr: float
    steps_done: int
    average_loss: float
    validation_loss: float | None
    """None without images held out."""
    saturation_step: int | None
    """As :class:`Saturation` has them."""
    saturation_share: float | None
    premature: bool | None
    layers_tried: dict[str, float] | None
    """The loss of each word that ``auto`` tried."""


@_Checked
class RecipePart(TypedDict, total=False):
    """A recipe of ``run.json``, as a recipe's file has it."""

    name: str
    network: dict[str, Any]
    images: dict[str, Any]
    init_from: str
    after: str


@_Checked
class RunHeader(TypedDict, total=False):
    """What ``run.json`` says of a run from its start."""

    format: str
    handforge: str
    """The version that trained."""
    command: list[str]
    """The words of the command line."""
    seed: int
    recipe: RecipePart
    data: DatasetPart | list[DatasetPart] | None
    """One dataset stands for itself."""
    real: DatasetPart | list[DatasetPart] | None
    replicate: int | None
    processes: int
    threads: int
    categories: list[CategoryRecord]
    precision: str
    versions: dict[str, str]
    git: str | None
    machine: str
    finished: bool
    """True once all sessions are done; else it is not there."""


@_Checked
class RunRecord(RunHeader, total=False):
    """``run.json``."""

    sessions: Required[list[SessionRecord]]
    best_session: int | None
    """The number of the one with the least average loss; None before the first has finished."""
    seconds: float
    """Training time, of all processes that trained here."""


class SkippedFile(TypedDict):
    """A file that could not be read to its end."""

    file: str
    reason: str


@_Checked
class PredictionRecord(TypedDict, total=False):
    """``predict.json``."""

    source: Required[str]
    dataset_id: str | None
    """None where no dataset was predicted."""
    weights: str
    task: str
    session: int | None
    """The number of the session whose network predicted; None of a mean of networks, or where it is not known."""
    categories: list[CategoryRecord]
    settings: dict[str, Any]
    images: int
    drawn_score: float
    detections: dict[str, int]
    """How many of each category are drawn."""
    images_without: int
    images_turned_upright: int
    skipped: list[SkippedFile]
    left: list[str]
    """Files that were not done."""
    notes: list[str]
    seconds: float


@_Checked
class TestPart(TypedDict):
    """A test of ``study.json``."""

    data: str
    id: str
    images: int
    """Number of images."""
    networks: str
    masks: str | None
    region: str
    score: float
    iou: float
    classes: bool
    """Whether whole images are classified."""


@_Checked
class ArmPart(TypedDict):
    """An arm of ``study.json``."""

    description: str
    against: str
    sessions: int
    steps: int
    images_seen: int
    real: list[str]
    recipe: dict[str, Any]


@_Checked
class ClaimPart(TypedDict):
    """The claim of ``study.json``: which arm is said to be better than which."""

    arm: str
    against: str


@_Checked
class MeasurePart(TypedDict):
    """A figure of ``study.json`` by which the claim is judged."""

    measure: str
    test: str | None
    """None for a loss."""
    network: str
    """``last`` or ``best``."""


@_Checked
class StudyRecord(TypedDict):
    """``study.json``."""

    format: str
    question: str
    seeds: list[int]
    claim: ClaimPart
    primary: list[MeasurePart]
    tests: dict[str, TestPart]
    arms: dict[str, ArmPart]
    amendments: list[str]
    threads: NotRequired[int]
    """Of each training; older studies do not say."""
