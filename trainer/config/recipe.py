"""A recipe: what a training is, as data; :mod:`trainer.config.recipe_file` reads it from TOML.

A recipe is checked as a whole: :class:`RecipeError` names every problem it has, in one line.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from typing import Any

from handforge.dataset import CATEGORIES
from trainer.config.backbone_names import check_name
from trainer.config.tasks import TASKS
from trainer.errors import RecipeError

LAYER_WORDS = ("all", "3+", "4+", "5+", "heads")
AUTO = "auto"
"""In place of a layer word: each is tried for a few steps, and the one with the least validation loss is taken."""
OPTIMIZERS = ("sgd", "adamw")
AUGMENTATIONS = ("none", "studio", "photo", "decoys")
IN_TURN = "in-turn"
REAL_SETS = ("together", IN_TURN)
INITS = ("coco", "imagenet", "none")
LARGEST = 10_000_000
"""No whole number in a recipe is larger."""
MOST_CHANNELS, MOST_UNITS = 2048, 8192
"""The widest heads: with both a network takes some 10 GB."""
LARGEST_SIDE = 16384
"""No image is scaled to more pixels than this a side."""


@dataclass(frozen=True)
class Session:
    """One session: so many steps on one subset, from the network it is given, with a fresh optimiser."""

    trainable_layers: str = "all"
    """What is trained: ``heads`` (RPN, FPN, box and mask head), with ``5+``, ``4+``, ``3+`` also ResNet's stages from
    there up, ``all``; or ``auto``. A list of words stands for as many sessions."""
    epochs: int = 1
    """Number of epochs, 1 or more; an epoch is ``steps`` optimiser steps, not a pass over the data."""
    steps: int = 100
    """Optimiser steps an epoch, 1 or more."""
    batch: int = 2
    """Images per step, 1 or more, or, with ``gradient_accumulation_steps``, per part of a step."""
    min_size: int = 0
    """Largest short side of the session's images in pixels, 64 or more and not above that of ``[images]``; 0: that of
    ``[images]``. Sessions on small images see more of them in the same time."""
    max_size: int = 0
    """The same for the long side."""
    gradient_accumulation_steps: int = 1
    """Batches whose gradients are averaged into one optimiser step, 1 or more: a larger batch in the same memory."""
    rois_per_image: int = 200
    """Regions of interest sampled from each image for the heads, 1 or more; semantic networks have none."""
    positive_fraction: float = 0.33
    """Largest fraction of the ROIs that lie on a hand, 0 to 1."""
    optimizer: str = "sgd"
    """``sgd``, as in the paper, or ``adamw``."""
    lr: float = 0.001
    """Learning rate, above 0."""
    backbone_lr_factor: float = 1.0
    """The backbone's learning rate as a multiple of ``lr``, above 0; below 1 a pretrained backbone changes more
    slowly."""
    schedule: str = "constant"
    """``constant``, or ``cosine``: from ``lr`` after the warm-up down to nothing at the last step."""
    warmup_steps: int = 0
    """Steps in which the learning rate rises linearly to ``lr``, 0 to all of the session's."""
    momentum: float = 0.9
    """Momentum of SGD, 0 to 1; AdamW has its usual 0.9 and 0.999."""
    weight_decay: float = 0.0001
    """Weight decay of the optimiser, 0 to below 1."""
    clip_norm: float = 5.0
    """The gradient's norm is clipped to this, above 0."""
    saturation_patience: int = 0
    """Early stopping by saturation: the session ends once its smoothed batch loss has had no new low for so many steps.
    0: it goes its full length."""
    subset: int | str = "next"
    """``next``, ``same`` (the last session's again), a subset's number, from 1, or ``each``: all of them one after the
    other in one session, each for as many steps."""
    optimizer_restart_steps: int = 0
    """The optimiser forgets what it kept (momentum, moments) every so many steps, as it does between sessions.
    0: it never does within one."""

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

    category: str = "hand"
    """What its masks cover, ``hand`` or ``hand+forearm``: it trains on the annotations of this category."""
    task: str = "segmentation"
    """What it finds: see :mod:`trainer.config.tasks`."""
    backbone: str = "resnet101"
    """``resnet18``, ``34``, ``50``, ``101`` or ``152`` of torchvision, or the name of one of timm's models."""
    init: str = "imagenet"
    """Where it starts: ``coco``, ``imagenet``, ``none`` (from scratch), ``shipped`` (the network that comes with
    handforge), or a path to weights."""
    channels: int = 256
    """Width of FPN, RPN and mask head (keypoint head: twice that), or of DeepLabV3's head: a multiple of 16, above 256
    of 32."""
    representation_size: int = 1024
    """Width of the box head's two layers, 16 or more."""
    canonical_scale: int = 224
    """Side in pixels of the regions that are read from the pyramid's map of stride 16 (FPN, Lin et al. 2017, equation
    1); twice as much reads every region from a map twice as fine. Semantic networks have no regions."""


@dataclass(frozen=True)
class ImageSettings:
    """What the network sees."""

    min_size: int = 800
    """Images are scaled so that their short side has at most so many pixels, 64 or more ..."""
    max_size: int = 1024
    """... and their long side at most so many."""
    augmentation: str = "none"
    """``none``, ``studio`` (hands before white), ``photo`` (hands in rooms) or ``decoys`` (and things in the colours of
    hands): see :mod:`trainer.data.augment`."""


@dataclass(frozen=True)
class Recipe:
    """A whole training."""

    name: str
    """Its file's name."""
    sessions: tuple[Session, ...]
    """One after the other, each from the network of the one before."""
    description: str = ""
    """What it is for, in a line."""
    subsets: int = 1
    """The training images are shuffled into so many equal subsets, of which each session takes one; 1 or more."""
    validation: float = 0.0
    """Fraction of the images held out, 0 to below 1, on which a loss is measured after each session."""
    patience: int = 0
    """Early stopping by validation: the run ends once so many sessions in a row had no new low of the validation loss.
    0: it does all sessions."""
    init_from: str = ""
    """The recipe whose network this one starts from; its run is then given with ``--init``.
    A recipe without sessions trains nothing: it is that network on other images."""
    real: str = ""
    """The real images it needs, in words; they are then given with ``--real``."""
    real_repeat_factor: int = 1
    """How often each image of ``--real`` stands in every subset, 1 or more."""
    real_sets: str = "together"
    """Of several ``--real``: ``together``, all in every subset, or ``in-turn``: session k has the images of the k-th
    only, and after the last of the first again."""
    categories: tuple[str, ...] = ()
    """The categories of the data to learn, by name, in the order of the network's classes; a list in TOML. None: all
    that the data has, and of ``hand`` and ``hand+forearm`` the network's ``category``."""
    network: Network = field(default_factory=Network)
    """The network."""
    images: ImageSettings = field(default_factory=ImageSettings)
    """What the network sees."""

    def conventional(self) -> Recipe:
        """The same number of steps as one conventional session on the whole set, trained like the first session."""
        total = sum(session.total_steps for session in self.sessions)
        one = replace(self.sessions[0], epochs=1, steps=total, subset="next")
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
        sessions = tuple(replace(s, trainable_layers=word) for s, word in zip(self.sessions, each, strict=True))
        aside = self.validation or (0.1 if AUTO in each else 0.0)
        return replace(self, sessions=sessions, validation=aside).checked()

    def checked(self) -> Recipe:
        """The same, if nothing in it is wrong.

        :raises RecipeError: with all that is.
        """
        problems = recipe_problems(self)
        if problems:
            raise RecipeError(f"recipe {self.name}: {'; '.join(problems)}")
        return self

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self)


def recipe_problems(recipe: Recipe) -> list[str]:
    """Say what is wrong with a recipe; empty if nothing is."""
    problems = []

    def need(true: bool, text: str) -> None:
        if not true and text not in problems:
            problems.append(text)

    need(bool(recipe.sessions or recipe.init_from), "there is no session")
    need(recipe.real_repeat_factor >= 1, f"real_repeat_factor is {recipe.real_repeat_factor}, it must be at least 1")
    need(recipe.real_sets in REAL_SETS, f"real_sets {recipe.real_sets!r} is not {' or '.join(REAL_SETS)}")
    named = all(isinstance(name, str) and name for name in recipe.categories)
    need(
        named and len(set(recipe.categories)) == len(recipe.categories),
        f"categories {list(recipe.categories)} are not names, each once",
    )
    need(recipe.subsets >= 1, f"subsets is {recipe.subsets}, it must be at least 1")
    need(0 <= recipe.validation < 1, f"validation is {recipe.validation}, it must be from 0 to below 1")
    auto = any(session.trainable_layers == AUTO for session in recipe.sessions)
    need(
        not auto or recipe.validation > 0,
        "trainable_layers auto needs validation images, so validation must be above 0",
    )
    need(recipe.patience >= 0, f"patience is {recipe.patience}, it must be at least 0")
    needless = recipe.patience > 0 and recipe.validation == 0
    need(not needless, "patience needs validation images, so validation must be above 0")
    problems += network_problems(recipe.network) + image_problems(recipe.images)
    largest = recipe.images.min_size, recipe.images.max_size
    for number, session in enumerate(recipe.sessions, start=1):
        for text in _check_session(session, recipe.subsets, largest, first=number == 1):
            need(False, f"session {number}: {text}")
    return problems


def network_problems(net: Network) -> list[str]:
    """Say what is wrong with a network's settings; empty if nothing is."""
    problems = []
    if net.category not in CATEGORIES.values():
        problems.append(f"category {net.category!r} is not {' or '.join(CATEGORIES.values())}")
    if net.task not in TASKS:
        problems.append(f"task {net.task!r} is not known (there are {', '.join(TASKS)})")
    if unknown := check_name(net.backbone):
        problems.append(unknown)
    if net.init == "coco" and net.backbone != "resnet50":
        problems.append("init coco exists for backbone resnet50 only")
    if net.init == "coco" and net.task == "classification":
        problems.append("init coco does not exist for task classification")
    if net.init == "coco" and (net.channels, net.representation_size) != (256, 1024):
        problems.append("init coco needs 256 channels, 1024 units")
    if not 16 <= net.channels <= MOST_CHANNELS or net.channels % (16 if net.channels <= 256 else 32):
        problems.append(
            f"channels is {net.channels}, it must be a multiple of 16, above 256 of 32, up to {MOST_CHANNELS}"
        )
    for name, lowest, highest in (("canonical_scale", 1, LARGEST_SIDE), ("representation_size", 16, MOST_UNITS)):
        if not lowest <= getattr(net, name) <= highest:
            problems.append(f"{name} is {getattr(net, name)}, it must be from {lowest} to {highest}")
    return problems


def image_problems(images: ImageSettings) -> list[str]:
    """Say what is wrong with the settings of what a network sees; empty if nothing is."""
    problems = []
    if not 64 <= images.min_size <= images.max_size <= LARGEST_SIDE:
        problems.append(
            f"min_size is {images.min_size} and max_size {images.max_size}, they must be from 64 to {LARGEST_SIDE}, "
            "min_size at most max_size"
        )
    if images.augmentation not in AUGMENTATIONS:
        problems.append(f"augmentation {images.augmentation!r} is not {' or '.join(AUGMENTATIONS)}")
    return problems


def _check_session(session: Session, subsets: int, largest: tuple[int, int], first: bool) -> list[str]:
    problems = []
    short, long = session.size(*largest)
    if not (64 <= short <= long and short <= largest[0] and long <= largest[1]):
        problems.append(
            f"min_size {short} and max_size {long} must be at least 64, min_size at most max_size, and neither above "
            f"the recipe's {largest[0]} and {largest[1]}"
        )
    if session.trainable_layers not in (*LAYER_WORDS, AUTO):
        problems.append(
            f"trainable_layers {session.trainable_layers!r} is not known (there are {', '.join((*LAYER_WORDS, AUTO))})"
        )
    for name in ("epochs", "steps", "batch", "gradient_accumulation_steps", "rois_per_image"):
        if getattr(session, name) < 1:
            problems.append(f"{name} is {getattr(session, name)}, it must be at least 1")
    for name in ("lr", "backbone_lr_factor", "clip_norm"):
        if not 0 < getattr(session, name) < float("inf"):
            problems.append(f"{name} is {getattr(session, name)}, it must be above 0")
    for name in ("momentum", "positive_fraction"):
        if not 0 <= getattr(session, name) <= 1:
            problems.append(f"{name} is {getattr(session, name)}, it must be from 0 to 1")
    if not 0 <= session.weight_decay < 1:
        problems.append(f"weight_decay is {session.weight_decay}, it must be from 0 to below 1")
    if not 0 <= session.warmup_steps <= session.total_steps:
        problems.append(f"warmup_steps is {session.warmup_steps}, it must be from 0 to the session's steps")
    if session.saturation_patience < 0:
        problems.append(f"saturation_patience is {session.saturation_patience}, it must be at least 0")
    if session.optimizer_restart_steps < 0:
        problems.append(f"optimizer_restart_steps is {session.optimizer_restart_steps}, it must be at least 0")
    if session.optimizer not in OPTIMIZERS:
        problems.append(f"optimizer {session.optimizer!r} is not {' or '.join(OPTIMIZERS)}")
    if session.schedule not in ("constant", "cosine"):
        problems.append(f"schedule {session.schedule!r} is not constant or cosine")
    if isinstance(session.subset, str):
        if session.subset not in ("next", "same", "each") or (first and session.subset == "same"):
            problems.append(f"subset {session.subset!r} is not next, same (from session 2 on), each, or a number")
        if session.subset == "each" and session.total_steps < subsets:
            problems.append(f"subset each needs a step for each of the {subsets} subsets, not {session.total_steps}")
    elif not 1 <= session.subset <= subsets:
        problems.append(f"subset {session.subset} is not one of the {subsets} subsets")
    return problems


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
