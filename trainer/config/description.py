"""What ``network.json`` says of a network beside its weights, checked as a recipe is: a file may hold anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Literal, TypedDict

from annotated_types import DocInfo, Interval, MaxLen, MinLen, Predicate
from pydantic import AfterValidator, ConfigDict, Strict, TypeAdapter, ValidationError

from handforge import validation
from handforge.dataset import KEYPOINTS
from handforge.dataset.coco_types import CategoryRecord
from handforge.run_records import SessionRecord
from trainer.config.recipe import (
    Backbone,
    CanonicalScale,
    Channels,
    ImageSettings,
    Network,
    RepresentationSize,
    image_conflicts,
)
from trainer.config.tasks import TASKS

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's pixels, 0 to 1, which most backbones normalise by."""
MOST_CLASSES = 1000
MOST_KEYPOINTS = 1000
_Mean = Annotated[float, Strict(), Interval(ge=-10, le=10)]
_Std = Annotated[float, Strict(), Interval(ge=0.001, le=10)]


def _all_differ(names: list[str]) -> bool:
    return len(set(names)) == len(names)


def _known_model(model: str) -> str:
    if model not in (task.model for task in TASKS.values()):
        raise ValueError(f"is {model!r:.80}, which is not known")
    return model


@dataclass(frozen=True)
class Architecture:
    """A network's layers: what must agree between weights and the network that they are loaded into.

    :param model: a task's, of :data:`trainer.config.tasks.TASKS`.
    :param norm: of the body: ``group``, or ``frozen_batch``, BatchNorm with fixed statistics; ``head_norm``: of the
        heads.
    :param classes: the names of the categories of its classes.
    :param keypoints: how many an object has.
    :param mean: what images are normalised by, as ``std``.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: Annotated[str, AfterValidator(_known_model)]
    backbone: Backbone
    norm: Literal["group", "frozen_batch"]
    head_norm: Literal["group", "none"]
    channels: Channels
    representation_size: RepresentationSize
    canonical_scale: CanonicalScale
    classes: Annotated[
        list[Annotated[str, MinLen(1)]],
        MinLen(1),
        MaxLen(MOST_CLASSES),
        Predicate(_all_differ),
        DocInfo(f"a list of 1 to {MOST_CLASSES:,} names, each once"),
    ]
    keypoints: Annotated[int, Strict(), Interval(ge=1, le=MOST_KEYPOINTS)]
    mean: Annotated[tuple[_Mean, _Mean, _Mean], DocInfo("three numbers from -10 to 10")]
    std: Annotated[tuple[_Std, _Std, _Std], DocInfo("three numbers from 0.001 to 10")]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Architecture:
        """The architecture of a description that was checked."""
        return TypeAdapter(cls).validate_python(_completed(values))

    def to_json(self) -> dict[str, Any]:
        """As a description has it."""
        return asdict(self)


def _completed(values: Mapping[str, Any]) -> dict[str, Any]:
    """An architecture with what older descriptions do not say."""
    older = {
        "head_norm": "group" if values.get("norm") == "group" else "none",
        "canonical_scale": Network.canonical_scale,  # torchvision's
        "keypoints": len(KEYPOINTS),
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
    }
    return {**older, **values}


class NetworkDescription(TypedDict, total=False):
    """``network.json``; it stays a dictionary, so that what other versions say goes through unharmed."""

    format: str
    task: str
    architecture: dict[str, Any]
    """As :meth:`Architecture.from_json` reads it."""
    images: dict[str, Any]
    """As :class:`trainer.config.recipe.ImageSettings`."""
    categories: list[CategoryRecord]
    """Of its classes, as COCO lists them; older ones have the names alone."""
    recipe: str
    seed: int
    sessions: list[SessionRecord]
    """The history that led to these weights."""
    averaged: list[str]
    """The names of the networks whose weights these are the mean of; the rest is said of the first."""
    imagenet_share: float
    """Of such a mean's backbone, the share that is ImageNet's weights."""
    weights_sha256: str
    """Of the weights' file; older ones have none."""


@dataclass(frozen=True)
class Description:
    """What is described."""

    architecture: Architecture
    images: ImageSettings


def description_problems(architecture: Any, images: Any) -> list[str]:
    """Say what is wrong with a network's ``architecture`` and ``images``, by their present names; empty if nothing is.

    Sizes are those that a recipe may ask for.
    """
    try:
        made = TypeAdapter(Description).validate_python({"architecture": _completed(architecture), "images": images})
    except ValidationError as error:
        return [validation.sentence(*one) for one in validation.problems(error, Description).items()]
    return [text for _, _, text in image_conflicts(made.images)]
