"""A recipe: what a training is, as data; :mod:`trainer.config.recipe_file` reads it from TOML.

A recipe is checked as a whole, types and ranges with pydantic: :class:`RecipeError` names every problem it has, in one
line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import DocInfo, Interval, MinLen, Predicate
from pydantic import AfterValidator, ConfigDict, Strict

from handforge import validation
from handforge.dataset.records import HandCategory
from trainer.config.backbone_names import check_name
from trainer.config.tasks import TaskName
from trainer.errors import RecipeError

AUTO: Literal["auto"] = "auto"
"""In place of a layer word: each is tried for a few steps, and the one with the least validation loss is taken."""
IN_TURN: Literal["in-turn"] = "in-turn"
LARGEST = 10_000_000
"""No whole number in a recipe is larger."""
LARGEST_SIDE = 16384
"""No image is scaled to more pixels than this a side."""

LayerWord = Literal["all", "3+", "4+", "5+", "heads"]
Augmentation = Literal["none", "studio", "photo", "decoys"]
RealSets = Literal["together", "in-turn"]
LAYER_WORDS: tuple[LayerWord, ...] = get_args(LayerWord)
REAL_SETS: tuple[RealSets, ...] = get_args(RealSets)
INITS = ("coco", "imagenet", "none")

Number = Annotated[int, Strict(), Interval(ge=1, le=LARGEST)]
NumberOrNone = Annotated[int, Strict(), Interval(ge=0, le=LARGEST)]
Fraction = Annotated[float, Strict(), Interval(ge=0, le=1)]
FractionBelow1 = Annotated[float, Strict(), Interval(ge=0, lt=1)]
Positive = Annotated[float, Strict(), Interval(gt=0)]
ImageSide = Annotated[int, Strict(), Interval(ge=64, le=LARGEST_SIDE)]
SessionSide = Annotated[int, Strict(), Interval(ge=0, le=LARGEST_SIDE)]


def _can_be_grouped(channels: int) -> bool:
    return 16 <= channels <= 2048 and channels % (16 if channels <= 256 else 32) == 0


def _all_differ(names: tuple[str, ...]) -> bool:
    return len(set(names)) == len(names)


def _known_backbone(name: str) -> str:
    if problem := check_name(name):
        raise ValueError(problem)
    return name


Channels = Annotated[
    int, Strict(), Predicate(_can_be_grouped), DocInfo("a multiple of 16, above 256 of 32, up to 2,048")
]
"""With the widest heads a network takes some 10 GB."""
RepresentationSize = Annotated[int, Strict(), Interval(ge=16, le=8192)]
CanonicalScale = Annotated[int, Strict(), Interval(ge=1, le=LARGEST_SIDE)]
Backbone = Annotated[str, AfterValidator(_known_backbone)]
Names = Annotated[tuple[Annotated[str, MinLen(1)], ...], Predicate(_all_differ), DocInfo("a list of names, each once")]

_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True)
class Session:
    """One session: a number of steps on one subset, from the network it is given, with a fresh optimiser."""

    __pydantic_config__: ClassVar[ConfigDict] = _CONFIG

    trainable_layers: LayerWord | Literal["auto"] = "all"
    """What is trained: ``heads`` (RPN, FPN, box and mask head), with ``5+``, ``4+``, ``3+`` also ResNet's stages from
    there up, ``all``; or ``auto``. A list of words stands for as many sessions."""
    epochs: Number = 1
    """Number of epochs, 1 or more; an epoch is ``steps`` optimiser steps, not a pass over the data."""
    steps: Number = 100
    """Optimiser steps an epoch, 1 or more."""
    batch: Number = 2
    """Images per step, 1 or more, or, with ``gradient_accumulation_steps``, per part of a step."""
    min_size: SessionSide = 0
    """Largest short side of the session's images in pixels, 64 or more and not above that of ``[images]``; 0: that of
    ``[images]``. Sessions on small images see more of them in the same time."""
    max_size: SessionSide = 0
    """The same for the long side."""
    gradient_accumulation_steps: Number = 1
    """Batches whose gradients are averaged into one optimiser step, 1 or more: a larger batch in the same memory."""
    rois_per_image: Number = 200
    """Regions of interest sampled from each image for the heads, 1 or more; semantic networks have none."""
    positive_fraction: Fraction = 0.33
    """Largest fraction of the ROIs that lie on a hand, 0 to 1."""
    optimizer: Literal["sgd", "adamw"] = "sgd"
    """``sgd``, as in the paper, or ``adamw``."""
    lr: Positive = 0.001
    """Learning rate, above 0."""
    backbone_lr_factor: Positive = 1.0
    """The backbone's learning rate as a multiple of ``lr``, above 0; below 1 a pretrained backbone changes more
    slowly."""
    imagenet_share: FractionBelow1 = 0.0
    """Share of the ImageNet weights in the backbone that the session leaves, 0 to below 1; the rest is what it trained
    (Wortsman et al. 2022, Robust fine-tuning of zero-shot models). After rendered images a network finds more in
    photographs so."""
    schedule: Literal["constant", "cosine"] = "constant"
    """``constant``, or ``cosine``: from ``lr`` after the warm-up down to nothing at the last step."""
    warmup_steps: NumberOrNone = 0
    """Steps in which the learning rate rises linearly to ``lr``, 0 to all of the session's."""
    momentum: Fraction = 0.9
    """Momentum of SGD, 0 to 1; AdamW has its usual 0.9 and 0.999."""
    weight_decay: FractionBelow1 = 0.0001
    """Weight decay of the optimiser, 0 to below 1."""
    clip_norm: Positive = 5.0
    """The gradient's norm is clipped to this, above 0."""
    saturation_patience: NumberOrNone = 0
    """Early stopping by saturation: the session ends once its smoothed batch loss has had no new low for this many
    steps. 0: it goes its full length."""
    subset: Number | Literal["next", "same", "each"] = "next"
    """``next``, ``same`` (the last session's again), a subset's number, from 1, or ``each``: all of them one after the
    other in one session, each for as many steps."""
    optimizer_restart_steps: NumberOrNone = 0
    """The optimiser forgets what it kept (momentum, moments) each time this many steps are done, as it does between
    sessions. 0: it never does within one."""

    @property
    def total_steps(self) -> int:
        """Optimiser steps of the whole session."""
        return self.epochs * self.steps

    @property
    def batches(self) -> int:
        """Batches of the whole session."""
        return self.total_steps * self.gradient_accumulation_steps

    def size(self, min_size: int, max_size: int) -> tuple[int, int]:
        """Short and long side of its images, where the recipe's are ``min_size`` and ``max_size``."""
        return self.min_size or min_size, self.max_size or max_size


@dataclass(frozen=True)
class Network:
    """The network that is trained."""

    __pydantic_config__: ClassVar[ConfigDict] = _CONFIG

    category: HandCategory = "hand"
    """What its masks cover, ``hand`` or ``hand+forearm``: it trains on the annotations of this category."""
    task: TaskName = "segmentation"
    """What it finds: see :mod:`trainer.config.tasks`."""
    backbone: Backbone = "resnet101"
    """``resnet18``, ``34``, ``50``, ``101`` or ``152`` of torchvision, or the name of one of timm's models."""
    init: str = "imagenet"
    """Where it starts: ``coco``, ``imagenet``, ``none`` (from scratch), ``shipped`` (the network that comes with
    handforge), or a run folder or weights file, as seen from where the command runs."""
    channels: Channels = 256
    """Width of FPN, RPN and mask head (keypoint head: twice that), or of DeepLabV3's head: a multiple of 16, above 256
    of 32."""
    representation_size: RepresentationSize = 1024
    """Width of the box head's two layers, 16 or more."""
    canonical_scale: CanonicalScale = 224
    """Side in pixels of the regions that are read from the pyramid's map of stride 16 (FPN, Lin et al. 2017, equation
    1); twice as much reads every region from a map twice as fine. Semantic networks have no regions."""


@dataclass(frozen=True)
class ImageSettings:
    """What the network sees."""

    __pydantic_config__: ClassVar[ConfigDict] = _CONFIG

    min_size: ImageSide = 800
    """Short side in pixels, 64 or more, that images are scaled to, up or down, as far as ``max_size`` allows."""
    max_size: ImageSide = 1024
    """Largest long side of the images in pixels, at least ``min_size``; of oblong ones the short side is then less."""
    augmentation: Augmentation = "none"
    """``none``, ``studio`` (hands before white), ``photo`` (hands in rooms) or ``decoys`` (and distractors in the
    colours of hands): see :mod:`trainer.data.augment`."""


@dataclass(frozen=True)
class Recipe:
    """A whole training."""

    __pydantic_config__: ClassVar[ConfigDict] = _CONFIG

    name: str
    """Its file's name."""
    sessions: tuple[Session, ...]
    """One after the other, each from the network of the one before."""
    description: str = ""
    """What it is for, in a line."""
    subsets: Number = 1
    """Number of equal subsets, 1 or more, into which the training images are shuffled; each session takes one."""
    validation: FractionBelow1 = 0.0
    """Fraction of the images held out, 0 to below 1, on which a loss is measured after each session."""
    patience: NumberOrNone = 0
    """Early stopping by validation: the run ends once this many sessions in a row had no new low of the validation
    loss. 0: it does all sessions."""
    init_from: str = ""
    """The recipe whose network this one starts from; its run is then given with ``--init``.
    A recipe without sessions trains nothing: it is that network on other images."""
    real: str = ""
    """The real images it needs, in words; they are then given with ``--real``."""
    real_repeat_factor: Number = 1
    """How often each image of ``--real`` stands in every subset, 1 or more."""
    real_sets: RealSets = "together"
    """Of several ``--real``: ``together``, all in every subset, or ``in-turn``: session k has the images of the k-th
    only, and after the last of the first again."""
    categories: Names = ()
    """The categories of the data to learn, by name, in the order of the network's classes; a list in TOML. None: all
    that the data has, and of ``hand`` and ``hand+forearm`` the network's ``category``."""
    network: Network = field(default_factory=Network)
    """The network."""
    images: ImageSettings = field(default_factory=ImageSettings)
    """What the network sees."""

    @property
    def steps_before(self) -> list[int]:
        """Optimiser steps before each session, and at the end those of the whole training."""
        return [0, *accumulate(session.total_steps for session in self.sessions)]

    def conventional(self) -> Recipe:
        """The same number of steps as one conventional session on the whole set, trained like the first session."""
        one = replace(self.sessions[0], epochs=1, steps=self.steps_before[-1], subset="next")
        return replace(self, sessions=(one,), subsets=1)

    def with_layers(self, words: str) -> Recipe:
        """The same with other layers: one word for all sessions, or as many as there are, separated by commas.

        Where a word is ``auto`` and no images are held out, a tenth of them is.

        :raises RecipeError: if there are fewer or more words than sessions, or one is not known.
        """
        each = [word.strip() for word in words.split(",")]
        each = each * len(self.sessions) if len(each) == 1 else each
        if len(each) != len(self.sessions):
            raise RecipeError(
                f"recipe {self.name} has {len(self.sessions)} sessions, the layers {words!r} are for {len(each)}"
            )
        values = self.as_dict()
        sessions = [s | {"trainable_layers": word} for s, word in zip(values["sessions"], each, strict=True)]
        aside = self.validation or (0.1 if AUTO in each else 0.0)
        return from_values({**values, "sessions": sessions, "validation": aside})

    def checked(self) -> Recipe:
        """The same, if nothing in it is wrong.

        :raises RecipeError: with all that is.
        """
        return from_values(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)


def from_values(values: Mapping[str, Any]) -> Recipe:
    """A recipe from plain values of all that is not at its default, as :meth:`Recipe.as_dict` gives them.

    :raises RecipeError: with all that is wrong; what is the same in several sessions is said of the first.
    """
    recipe, wrong, excluded = validation.validated(Recipe, values, _conflicts)
    texts: dict[tuple[Any, ...], str] = {}
    for path, said in wrong.items():
        texts.setdefault((*path[-1:], said) if path[0] == "sessions" else path, validation.sentence(path, said))
    for table, _, said in excluded:
        texts.setdefault((*table[:1], said), validation.words(table) + said)
    if texts:
        raise RecipeError(f"recipe {values['name']}: {'; '.join(texts.values())}")
    return recipe


def _conflicts(recipe: Recipe) -> Iterator[validation.Conflict]:
    if not (recipe.sessions or recipe.init_from):
        yield (), (("init_from",),), "there is no session"
    if any(session.trainable_layers == AUTO for session in recipe.sessions) and not recipe.validation:
        yield (), (("validation",),), "trainable_layers auto needs validation images, so validation must be above 0"
    if recipe.patience and not recipe.validation:
        yield (), (("validation",),), "patience needs validation images, so validation must be above 0"
    yield from _network_conflicts(recipe.network)
    yield from image_conflicts(recipe.images)
    for number, session in enumerate(recipe.sessions):
        yield from _session_conflicts(("sessions", number), session, recipe)


def _network_conflicts(net: Network) -> Iterator[validation.Conflict]:
    where = ("network",)
    if net.init != "coco":
        return
    if net.backbone != "resnet50":
        yield where, (("network", "backbone"),), "init coco exists for backbone resnet50 only"
    if net.task == "classification":
        yield where, (("network", "task"),), "init coco does not exist for task classification"
    if (net.channels, net.representation_size) != (256, 1024):
        keys = ("network", "channels"), ("network", "representation_size")
        yield where, keys, "init coco needs 256 channels, 1024 units"


_IMAGE_SIZES = ("images", "min_size"), ("images", "max_size")


def image_conflicts(images: ImageSettings) -> Iterator[validation.Conflict]:
    """What excludes each other in the settings of what a network sees."""
    if images.min_size > images.max_size:
        said = f"min_size is at most max_size, not {images.min_size} beside {images.max_size}"
        yield ("images",), _IMAGE_SIZES, said


def _session_conflicts(where: validation.Place, session: Session, recipe: Recipe) -> Iterator[validation.Conflict]:
    largest = recipe.images.min_size, recipe.images.max_size
    short, long = session.size(*largest)
    if not (64 <= short <= long and short <= largest[0] and long <= largest[1]):
        said = (
            f"min_size {short} and max_size {long} must be at least 64, min_size at most max_size, and neither above "
            f"the recipe's {largest[0]} and {largest[1]}"
        )
        yield where, ((*where, "min_size"), (*where, "max_size"), *_IMAGE_SIZES), said
    if session.imagenet_share and recipe.network.init == "none":
        keys = (*where, "imagenet_share"), ("network", "init")
        yield where, keys, "imagenet_share is for networks that start from ImageNet weights, not for init none"
    total = session.total_steps
    of_steps = (*where, "steps"), (*where, "epochs")
    if session.warmup_steps > total:
        yield where, of_steps, f"warmup_steps is at most the session's {total} steps, not {session.warmup_steps}"
    if session.subset == "same" and where[-1] == 0:
        yield where, (), "subset same is for sessions after the first"
    if session.subset == "each" and total < recipe.subsets:
        yield where, of_steps, f"subset each needs a step for each of the {recipe.subsets} subsets, not {total}"
    if isinstance(session.subset, int) and session.subset > recipe.subsets:
        yield where, (("subsets",),), f"subset {session.subset} is not one of the {recipe.subsets} subsets"


def subset_numbers(recipe: Recipe) -> list[int]:
    """Which subset, from 1, each session trains on, of ``each`` the last; ``next`` begins again after the last."""
    numbers: list[int] = []
    for session in recipe.sessions:
        if isinstance(session.subset, int):
            numbers.append(session.subset)
        elif session.subset == "same":
            numbers.append(numbers[-1])
        elif session.subset == "each":
            numbers.append(recipe.subsets)
        else:
            numbers.append(numbers[-1] % recipe.subsets + 1 if numbers else 1)
    return numbers
