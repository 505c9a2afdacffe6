"""A study: arms of training that differ in a few settings, on the same data, seeds and tests.

A study file::

    question = "Does repetitive training detect hands better than one long session?"
    data = "sweep"                       # folders are relative to the study file
    recipe = "study-small"               # what the arms share; a name or a .toml file beside the study
    seeds = [0, 1, 2, 3, 4]
    claim = { arm = "repetition", against = "one session" }

    [[primary]]                          # measured before all others, decided before the first run
    test = "held-out"
    measure = "f1"
    network = "last"

    [tests.held-out]
    data = "held-out"
    masks = "hand"

    [[arms]]
    name = "one session"
    session.steps = 1000

    [[arms]]
    name = "repetition"
    subsets = 10
    sessions = 10
    session.steps = 100

An arm's further keys are those of a recipe (:mod:`trainer.config.recipe_file`), over the shared recipe's:
``session.steps`` changes one key of ``[session]``, ``sessions`` replaces the list. As in a recipe, a path in
``network.init`` is relative to the working directory.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import DocInfo, Interval, MinLen
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from handforge import validation
from handforge.dataset import CATEGORIES
from trainer.config import named_toml, recipe_file
from trainer.config.recipe import INITS, Recipe
from trainer.errors import RecipeError, StudyError
from trainer.weights import SHIPPED

Name = Annotated[
    str,
    Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9 .+_-]*$", max_length=60),
    DocInfo("up to 60 letters, digits, spaces and . + _ -, the first a letter or digit"),
]
"""What becomes a folder's name."""
MASK_MEASURES = ("f1", "mean_iou", "acc", "ap", "ap50")
"""Measures of masks on a test; of classified images there is ``top1``."""
LOSS_MEASURES = ("validation_loss", "average_loss")
"""Measures of the training itself, the lower the better; without a test."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Test(_Part):
    """A dataset that networks are tested on."""

    data: str
    """Its folder."""
    masks: str | None = None
    """What its masks cover, by the category's name: the one that is scored. Default: what the arms learn."""
    region: Literal["skin", "hand"] = "skin"
    """``hand``: annotated pixels beyond the wrist do not count; for networks of ``hand`` on masks of ``hand+forearm``
    that have wrists or keypoints."""
    networks: Literal["last", "last and best", "all"] = "last and best"
    """Whose detections are made; ``all``: every session's, by which the choice of one of them is judged."""
    score: Annotated[float, Field(strict=False), Interval(ge=0, le=1)] = 0.5
    """Detections below this score do not count, but for AP."""
    iou: Annotated[float, Field(strict=False), Interval(gt=0, le=1)] = 0.5
    """A detection is a true positive from this mask IoU on."""


class Measure(_Part):
    """A figure that is compared."""

    measure: Literal["f1", "mean_iou", "acc", "ap", "ap50", "top1", "validation_loss", "average_loss"]
    test: str | None = None
    """The test it is measured on; none for a loss."""
    network: Literal["last", "best"] = "last"
    """``last``: of the last session. ``best``: of the session with the least average loss, the paper's choice."""


class Claim(_Part):
    """Which arm is said to be better than which."""

    arm: str
    against: str


class Arm(BaseModel):
    """One way to train. Its further keys change the recipe."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, use_attribute_docstrings=True)

    name: Name
    description: str = ""
    recipe: str | None = None
    """A recipe of its own, in place of the study's."""
    one_session: bool = False
    """All steps of its sessions as one session on the whole set, trained like the first."""
    against: str | None = None
    """The arm it is compared with; itself: with none. Default: the claim's ``against``."""
    data: str | None = None
    """Training images of its own, in place of the study's."""
    real: list[str] = Field(default_factory=list)
    """Datasets of real images, put into every subset, each image ``real_repeat_factor`` times."""


class Study(_Part):
    """A whole study."""

    question: str
    """What is asked, for the page's head."""
    seeds: Annotated[
        list[Annotated[int, Interval(ge=0, lt=2**63)]], MinLen(1), DocInfo("a list of one number at least")
    ]
    """Each arm is trained once with each: seeds draw subsets, order and ROIs; runs of one seed are paired."""
    claim: Claim
    arms: Annotated[list[Arm], MinLen(2), DocInfo("a list of two arms at least")]
    primary: Annotated[list[Measure], MinLen(1), DocInfo("a list of one figure at least")]
    """By what the claim is judged; all else is secondary. Of several, the intervals hold together at 95 %."""
    tests: dict[Name, Test] = Field(default_factory=dict)
    data: str | None = None
    """The dataset to train on; else ``--data`` says."""
    recipe: str = "cpu-study"
    """What all arms share: a recipe's name, or a .toml file."""
    init: str | None = None
    """Where all arms start, in place of the recipe's: ``coco``, ``imagenet``, ``none``, ``shipped``, or a run folder or
    weights file as seen from the study file. (An arm's ``network.init`` is a recipe's: as seen from where it runs.)"""

    def arm(self, name: str) -> Arm:
        """The arm of a name."""
        return next(arm for arm in self.arms if arm.name == name)

    def against(self, arm: Arm) -> str:
        """The name of the arm that this one is compared with."""
        return arm.against or self.claim.against


def shipped() -> list[str]:
    """The names of the built-in studies."""
    return named_toml.names("studies")


def load(name_or_file: str, **changes: Any) -> tuple[Study, dict[str, Recipe]]:
    """A study by its name among the built-in ones, or from a TOML file; and each arm's recipe by its name.

    :param changes: in place of what the file says: ``data``, ``recipe``, ``init``, ``seeds``; None: as it says.
    :raises StudyError: naming all that is wrong, of the study and of its arms' recipes.
    """
    path = None if name_or_file in shipped() else Path(name_or_file)
    table = named_toml.read("study", "studies", name_or_file, StudyError)
    where = f"study {name_or_file}"
    given = {key: value for key, value in changes.items() if value is not None}
    table |= given
    try:
        study = Study.model_validate(table)
    except ValidationError as error:
        raise StudyError(
            f"{where}: {'; '.join(validation.sentence(*one) for one in validation.problems(error, Study).items())}"
        ) from None
    if path:
        study = _with_folders(study, path.parent, set(given))
    problems: list[str] = []
    made: dict[str, Recipe] = {}
    for arm in study.arms:
        try:
            made[arm.name] = arm_recipe(study, arm, path.parent if path else None)
        except RecipeError as error:
            problems.append(f"arm {arm.name!r}: {error}")
    problems += _conflicts(study, made)
    if problems:
        raise StudyError(f"{where}: {'; '.join(dict.fromkeys(problems))}")
    return study, made


def _with_folders(study: Study, folder: Path, given: set[str]) -> Study:
    """The study with its folders as seen from here, not from its file."""

    def seen(name: str | None) -> str | None:
        return None if name is None else str(folder / name)

    is_path = study.init not in (*INITS, SHIPPED, None) and "init" not in given
    return study.model_copy(
        update={
            "data": study.data if "data" in given else seen(study.data),
            "init": seen(study.init) if is_path else study.init,
            "tests": {name: t.model_copy(update={"data": seen(t.data)}) for name, t in study.tests.items()},
            "arms": [
                arm.model_copy(update={"data": seen(arm.data), "real": [str(folder / r) for r in arm.real]})
                for arm in study.arms
            ],
        }
    )


def arm_recipe(study: Study, arm: Arm, folder: Path | None = None) -> Recipe:
    """The recipe of an arm: the shared one with the arm's keys over it, table by table.

    :param folder: where files of recipes are looked for first.
    :raises RecipeError: if the recipe cannot be followed.
    """
    named = arm.recipe or study.recipe
    beside = folder / named if folder and named.endswith(".toml") and (folder / named).is_file() else named
    table = recipe_file.read_table(str(beside))
    for key, value in (arm.model_extra or {}).items():
        merged = isinstance(value, dict) and isinstance(table.get(key), dict)
        table[key] = {**table[key], **value} if merged else value
    recipe = recipe_file.from_table(arm.name, {**table, "description": arm.description or table.get("description", "")})
    if arm.one_session and recipe.sessions:
        recipe = recipe.conventional()
    if study.init:
        recipe = replace(recipe, network=replace(recipe.network, init=study.init), init_from="")
    return recipe.checked()


def _conflicts(study: Study, made: dict[str, Recipe]) -> list[str]:
    """What is wrong with names, and with recipes beside tests."""
    problems: list[str] = []
    names = [arm.name for arm in study.arms]
    folded = [name.casefold() for name in names]
    problems += [f"two arms are called {name!r}" for name in names if folded.count(name.casefold()) > 1]
    if len(set(study.seeds)) < len(study.seeds):
        problems.append("a seed is given twice")
    compared = [("claim arm", study.claim.arm), ("claim against", study.claim.against)]
    compared += [(f"arm {arm.name!r} against", arm.against) for arm in study.arms if arm.against]
    for where, name in compared:
        problems += _unknown(where, name, names)
    if study.claim.arm == study.claim.against:
        problems.append("claim compares an arm with itself")
    for number, primary in enumerate(study.primary, start=1):
        of_loss = primary.measure in LOSS_MEASURES
        if of_loss and primary.test:
            problems.append(f"primary {number}: {primary.measure} is of the training, leave test out")
        elif not of_loss and primary.test is None:
            problems.append(f"primary {number}: {primary.measure} needs a test")
        elif primary.test:
            problems += _unknown(f"primary {number} test", primary.test, list(study.tests))
        tested = study.tests.get(primary.test or "")
        if primary.network == "best" and tested and tested.networks == "last":
            problems.append(f'primary {number} is of the best network, but test {primary.test} has networks = "last"')
    for arm in study.arms:
        if recipe := made.get(arm.name):
            problems += _arm_conflicts(study, arm, recipe)
    if study.tests and len({recipe.network.task == "classification" for recipe in made.values()}) > 1:
        problems.append("some arms classify images and some do not; no test compares them")
    return problems


def _unknown(where: str, name: str, known: list[str]) -> list[str]:
    if name in known:
        return []
    near = difflib.get_close_matches(name, known, 1)
    return [f"{where}: there is no {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {known}")]


def _arm_conflicts(study: Study, arm: Arm, recipe: Recipe) -> list[str]:
    where, problems = f"arm {arm.name!r}", []
    if recipe.patience or any(session.saturation_patience for session in recipe.sessions):
        problems.append(
            f"{where} may end early (patience, saturation_patience); a study compares as many steps of each seed"
        )
    if recipe.real and not arm.real:
        problems.append(f"{where} needs real images ({recipe.real}); name their folders in real")
    if recipe.init_from:
        problems.append(f"{where} starts from the network of {recipe.init_from}; give its run as init")
    if any(p.measure == "validation_loss" for p in study.primary) and not recipe.validation:
        problems.append(f"{where} holds no images out, so it has no validation_loss; set validation")
    task = recipe.network.task
    if study.tests and task not in ("segmentation", "semantic", "classification"):
        problems.append(f"{where} has the task {task}, which has no masks to test; leave tests out")
    for measure in dict.fromkeys(p.measure for p in study.primary):
        if (measure in MASK_MEASURES and task == "classification") or (measure == "top1" and task != "classification"):
            problems.append(f"{where} has the task {task}, whose tests have no {measure}")
    both = set(CATEGORIES.values())
    for name, test in study.tests.items() if task != "classification" else ():
        learned = recipe.network.category
        same = test.region == "hand" or test.masks in (learned, None) or test.masks not in both
        if not same:
            problems.append(
                f"test {name!r} has masks of {test.masks}, {where} learns {learned}; their IoU says nothing"
            )
    return problems
