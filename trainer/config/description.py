"""What ``network.json`` says of a network beside its weights, checked as a recipe is: a file may hold anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import DocInfo, Interval, MaxLen, MinLen, Predicate
from pydantic import AfterValidator, ConfigDict, Strict, TypeAdapter, ValidationError

from handforge import validation
from trainer.config.recipe import Backbone, CanonicalScale, Channels, ImageSettings, RepresentationSize, image_conflicts
from trainer.config.tasks import TASKS

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
    """A network's layers. Further keys are allowed; what older descriptions lack may be missing."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="ignore", allow_inf_nan=False)

    model: Annotated[str, AfterValidator(_known_model)]
    backbone: Backbone
    norm: Literal["group", "frozen_batch"]
    channels: Channels
    representation_size: RepresentationSize
    classes: Annotated[
        list[Annotated[str, MinLen(1)]],
        MinLen(1),
        MaxLen(MOST_CLASSES),
        Predicate(_all_differ),
        DocInfo(f"a list of 1 to {MOST_CLASSES:,} names, each once"),
    ]
    head_norm: Literal["group", "none"] = "none"
    keypoints: Annotated[int, Strict(), Interval(ge=1, le=MOST_KEYPOINTS)] = 1
    canonical_scale: CanonicalScale = 224
    mean: Annotated[tuple[_Mean, _Mean, _Mean], DocInfo("three numbers from -10 to 10")] = (0, 0, 0)
    std: Annotated[tuple[_Std, _Std, _Std], DocInfo("three numbers from 0.001 to 10")] = (1, 1, 1)


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
        made = TypeAdapter(Description).validate_python({"architecture": architecture, "images": images})
    except ValidationError as error:
        return [validation.sentence(*one) for one in validation.problems(error, Description).items()]
    return [text for _, _, text in image_conflicts(made.images)]
