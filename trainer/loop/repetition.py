"""Repetitive training: the set shuffled into equal subsets, and a chain of sessions on them.

Session 1 starts from the recipe's network, each next one from the whole network that the last one left, with a fresh
optimiser, on its subset. The network of the session with the least average loss is kept (Dadgar & Brunnett, VISAPP
2023). Where a run stands is one file that is replaced whole, so a run killed anywhere continues and ends with the
weights of an unbroken one.
"""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from handforge.dataset import Category, Dataset, by_group
from handforge.dataset.coco_types import ImageRecord
from handforge.files import dump_json, write_atomic
from handforge.machine import processors
from handforge.run_records import DatasetPart, RecipePart, RunHeader, SessionRecord
from trainer.config import categories
from trainer.config.description import NetworkDescription
from trainer.config.recipe import AUTO, IN_TURN, LayerWord, Recipe, subset_numbers
from trainer.data.images import ImagePool
from trainer.errors import RecipeError, TrainingDivergedError
from trainer.loop import distributed, session
from trainer.loop.run_folder import RunFolder
from trainer.loop.saturation import has_stopped_falling, saturation
from trainer.loop.session import SessionContext
from trainer.models import checkpoint, networks

STATE_EVERY_STEPS = 50
OnStep = Callable[[int, int, dict[str, float]], None]


@dataclass(frozen=True)
class Plan:
    """A whole run, decided before it starts.

    :param data: the datasets whose images, one after the other, are shuffled into subsets.
    :param real: further datasets, each image of which stands ``replicate`` times in every subset; with the recipe's
        ``real_sets = "in-turn"`` a session has those of one of them only.
    :param categories: what is learned; None: the hand's, as the recipe says.
    :param keep: of so many of the last sessions the network is kept beside the best one; None: of all.
    """

    command: list[str]
    recipe: Recipe
    data: tuple[Dataset, ...]
    real: tuple[Dataset, ...] = ()
    replicate: int = 1
    seed: int = 0
    device: str = "cpu"
    workers: int = 1
    categories: tuple[Category, ...] = ()
    keep: int | None = None

    def __post_init__(self) -> None:
        first: dict[str, Dataset] = {}
        for dataset in self.data:
            first.setdefault(dataset.id, dataset)
        for dataset in (*self.data, *self.real):
            if (other := first.get(dataset.id, dataset)) is not dataset:
                raise RecipeError(
                    f"{other.folder} and {dataset.folder} are the same dataset; give each once, so that images held "
                    "out for validation are not trained on"
                )

    @property
    def images(self) -> list[tuple[Dataset, ImageRecord]]:
        """The images that are shuffled into subsets, by their number, each with its dataset."""
        return [(dataset, image) for dataset in self.data for image in dataset]

    @property
    def learned(self) -> tuple[Category, ...]:
        """The categories of the network's classes."""
        return self.categories or (categories.built_in(self.recipe.network.category),)

    def header(self) -> RunHeader:
        """What ``run.json`` says of the run from its start."""
        return {
            "handforge": importlib.metadata.version("handforge"),
            "command": self.command,
            "seed": self.seed,
            "recipe": cast("RecipePart", self.recipe.as_dict()),
            "data": described(self.data),
            "processes": distributed.world(),
            "threads": torch.get_num_threads(),
            "categories": categories.to_json(self.learned),
            "real": described(self.real),
            "replicate": self.replicate if self.real else None,
            "precision": str(networks.best_precision(torch.device(self.device))).removeprefix("torch."),
            "versions": {
                "python": platform.python_version(),
                **{name: importlib.metadata.version(name) for name in ("torch", "torchvision", "numpy")},
            },
            "git": _git_hash(),
            "machine": _machine(self.device),
        }


def described(datasets: Sequence[Dataset]) -> DatasetPart | list[DatasetPart] | None:
    """What ``run.json`` says of datasets: None, one record, or a list of several."""
    records = [_describe(dataset) for dataset in datasets]
    return records if len(records) > 1 else next(iter(records), None)


def _describe(dataset: Dataset) -> DatasetPart:
    return {"path": str(dataset.folder.resolve()), "id": dataset.id, "images": len(dataset)}


def _machine(device: str) -> str:
    """What a training's time depends on: the GPU's name, or the processor's with the number of its cores."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(torch.device(device))
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):  # not Linux, or a processor that has no name there
        name = platform.processor() or platform.machine()
    return f"{processors()} cores, {name}"


def _git_hash() -> str | None:
    """The commit of the checkout that this file runs from, None where it is no checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def split(plan: Plan) -> tuple[list[np.ndarray], np.ndarray]:
    """The subsets, as sorted image numbers of ``plan.images``, and the numbers held out for validation.

    Images whose records name the same ``group`` (a person, a video) are held out together or not at all, also those
    of different datasets; a group that real images are of is not, as all of these are trained on.

    :raises RecipeError: if there are fewer images than subsets, or none can be held out and the recipe wants some.
    """
    rng = np.random.default_rng([plan.seed, session.SUBSETS])
    images, where = plan.images, " and ".join(str(dataset.folder) for dataset in plan.data)
    groups = by_group(image for _, image in images)
    trained = {image.get("group") for dataset in plan.real for image in dataset} - {None}
    wanted = round(plan.recipe.validation * len(images))
    held_out: list[int] = []
    keys = list(groups)
    for place in rng.permutation(len(keys)):
        if keys[place] not in trained and len(held_out) + len(groups[keys[place]]) <= wanted:
            held_out += groups[keys[place]]
    if plan.recipe.validation and not held_out:
        least = min(map(len, groups.values()))
        raise RecipeError(
            f"validation {plan.recipe.validation:g} means {wanted} of the {len(images)} images of "
            f"{where}, and {least} at least belong together (of one person or video); raise validation, or "
            "add images"
        )
    rest = np.setdiff1d(np.arange(len(images)), held_out)
    if len(rest) < plan.recipe.subsets:
        raise RecipeError(
            f"{plan.recipe.subsets} subsets cannot be made of the {len(rest)} training images of "
            f"{where}; lower subsets in the recipe"
        )
    parts = np.array_split(rng.permutation(rest), plan.recipe.subsets)
    return [np.sort(part) for part in parts], np.sort(np.array(held_out, int))


class Repetition:
    """A run: its network, images and folder. Nothing is written before :meth:`run`, nor an image decoded.

    :raises HandforgeError: if there are too few images, annotations are wrong, or weights cannot be had or do not fit.
    """

    def __init__(self, plan: Plan, folder: RunFolder) -> None:
        self.plan, self.folder = plan, folder
        self.subsets, self.validation = split(plan)
        recipe = plan.recipe
        model = networks.start(recipe.network, recipe.images, plan.seed, plan.learned)
        self.image_pool = ImagePool(
            [*plan.data, *plan.real],
            recipe.images,
            keypoints=recipe.network.task == "keypoints",
            classes=plan.learned,
            whole=recipe.network.task == "classification",
        )
        self.architecture = networks.architecture(recipe.network, plan.learned)
        mixed = any(settings.imagenet_share for settings in recipe.sessions)
        self.imagenet = networks.imagenet_body(self.architecture) if mixed else {}
        self.device = torch.device(plan.device)
        self.model = networks.for_training(model, self.device)
        self.sessions: list[SessionRecord] = []
        self.best: int | None = None
        self.tried: dict[LayerWord, float] | None = None
        self.writes = distributed.rank() == 0
        self.rows: list[dict[str, float]] = []

    def run(
        self,
        on_step: OnStep = lambda number, step, losses: None,
        on_session: Callable[[SessionRecord], None] = lambda entry: None,
    ) -> None:
        """Train all sessions, or those that are left.

        :param on_step: called with session, step (both from 1) and losses; on_session: with the session's entry.
        :raises TrainingDivergedError: if a loss or weight is not finite; the networks of earlier sessions are kept.
        """
        if self.writes:
            self.folder.create()
        state = self.folder.path / checkpoint.STATE
        number, step = 1, 0
        kept: dict[str, torch.Tensor] = {}
        if state.exists():
            position, weights, kept = checkpoint.read_state(state)
            self.model.load_state_dict(weights)
            number, step = position["session"], position["step"]
            self.sessions, self.best, self.tried = position["sessions"], position["best_session"], position["tried"]
        distributed.barrier()  # all have read the state before the first process writes another
        self.rows = self.folder.rows_until(number, step, cut=self.writes)
        if self.writes:
            self._write_subsets()
        try:
            for current in range(number, len(self.plan.recipe.sessions) + 1):
                if self._out_of_patience():
                    break
                self._session(current, step, kept, on_step)
                on_session(self.sessions[-1])
                step, kept = 0, {}
            self.folder.header["finished"] = True
            if self.writes:
                self.folder.write(self.sessions, self.best)
                state.unlink()
        finally:
            self.folder.close()

    def _session(self, number: int, first: int, kept: dict[str, torch.Tensor], on_step: OnStep) -> None:
        job = self._with_layers(self.job(number), first)
        optimizer = session.begin(self.model, job.session)
        checkpoint.set_optimizer(self.model, optimizer, kept)
        with closing(session.run(self.model, job, optimizer, first)) as steps:
            for step, losses in enumerate(steps, start=first + 1):
                self.rows.append({"session": number, "step": step, **losses})
                if self.writes:
                    self.folder.add_row(self.rows[-1])
                on_step(number, step, losses)
                if self._saturated(job):
                    break
                if step % STATE_EVERY_STEPS == 0 and step < job.session.total_steps:
                    self._save(number, step, optimizer)
        self._finish(number, job)
        self.tried = None
        self._save(number + 1, 0, session.new_optimizer(self.model, job.session))
        if self.writes:
            self.folder.write(self.sessions, self.best)

    def images(self) -> list[int]:
        """The numbers of the images that the sessions draw or validate on, in ascending order."""
        found = set(self.validation.tolist())
        for number, settings in enumerate(self.plan.recipe.sessions, start=1):
            job = self.job(number)
            whole = settings.batches * settings.batch >= len(job.pool) and not job.parts
            batches = [job.pool] if whole else [session.draw_batch(job, batch) for batch in range(settings.batches)]
            found.update(int(image) for images in batches for image in images)
        return sorted(found)

    def _losses(self, number: int) -> list[float]:
        return [row["loss"] for row in self.rows if row["session"] == number]

    def _saturated(self, job: SessionContext) -> bool:
        """Whether the recipe ends the session here; told from its losses alone, so a resumed run decides alike."""
        patience = job.session.saturation_patience
        return patience > 0 and has_stopped_falling(self._losses(job.number), patience)

    def _out_of_patience(self) -> bool:
        """Whether the recipe ends the run after the sessions so far."""
        patience = self.plan.recipe.patience
        losses = cast("list[float]", [entry["validation_loss"] for entry in self.sessions])  # patience asks for them
        return 0 < patience < len(losses) and min(losses[-patience:]) >= min(losses[:-patience])

    def job(self, number: int) -> SessionContext:
        """What session ``number``, from 1, works on: its subset, or all of them, with the real images in each."""
        plan = self.plan
        settings = plan.recipe.sessions[number - 1]
        each = settings.subset == "each"
        chosen = self.subsets if each else [self.subsets[subset_numbers(plan.recipe)[number - 1] - 1]]
        real = np.repeat(self._real(number), plan.replicate) if plan.real else np.array([], int)
        pools = tuple(np.concatenate([subset, real]) for subset in chosen)
        precision = networks.best_precision(self.device)
        return SessionContext(
            number,
            settings,
            self.image_pool,
            np.concatenate(pools),
            plan.seed,
            self.device,
            precision,
            plan.workers,
            pools if each else (),
        )

    def _real(self, number: int) -> np.ndarray:
        """The numbers of a session's real images."""
        sizes = [len(self.plan.images), *map(len, self.plan.real)]
        parts = [np.arange(size) + sum(sizes[:place]) for place, size in enumerate(sizes)][1:]
        return parts[(number - 1) % len(parts)] if self.plan.recipe.real_sets == IN_TURN else np.concatenate(parts)

    def _with_layers(self, job: SessionContext, first: int) -> SessionContext:
        """The job with its layer word; ``auto`` is settled at the session's first step."""
        if job.session.trainable_layers != AUTO:
            return job
        if first == 0 or self.tried is None:
            self.tried = session.try_layers(self.model, job, self.validation)
        best = min(self.tried, key=self.tried.__getitem__)
        return replace(job, session=replace(job.session, trainable_layers=best))

    def _finish(self, number: int, job: SessionContext) -> None:
        """Note a finished session, and keep its network, of whose backbone the session's share is of ImageNet.

        :raises TrainingDivergedError: if its steps left a weight that is not finite, or absurdly large.
        """
        if job.session.imagenet_share:
            networks.mix(self.model, self.imagenet, job.session.imagenet_share)
        if problem := checkpoint.implausible(self.model.state_dict()):
            raise TrainingDivergedError(f"the weights after session {number} have {problem}; lower lr")
        losses = self._losses(number)
        validation = None
        if len(self.validation):
            validation = session.validate(self.model, replace(job, pool=self.validation))
        settings = asdict(job.session)
        layers = settings.pop("trainable_layers")  # as run.json has always called them
        noted = {
            "session": number,
            "subset": "each" if job.parts else subset_numbers(self.plan.recipe)[number - 1],
            "images": len(job.pool),
            "steps_done": len(losses),
            "average_loss": float(np.mean(losses)),
            "validation_loss": validation,
            **saturation(losses),
            "layers_tried": self.tried,
        }
        entry = cast("SessionRecord", {"layers": layers, **settings, **noted})
        self.sessions.append(entry)
        best = self.best is None or entry["average_loss"] < self.sessions[self.best - 1]["average_loss"]
        self.best = number if best else self.best
        self._keep_network(number, best)

    def _keep_network(self, number: int, best: bool) -> None:
        """Write the network of a session that is the best, or one of the last; remove those before them."""
        if not self.writes:
            return
        description: NetworkDescription = {
            "task": self.plan.recipe.network.task,
            "architecture": self.architecture.to_json(),
            "categories": categories.to_json(self.plan.learned),
            "images": self.plan.recipe.as_dict()["images"],
            "recipe": self.plan.recipe.name,
            "seed": self.plan.seed,
            "sessions": self.sessions,
        }
        run, keep = self.folder.path, self.plan.keep
        if keep != 0:
            checkpoint.write_network(checkpoint.session_network(run, number), self.model.state_dict(), description)
        if best:
            checkpoint.write_network(run / checkpoint.NETWORK, self.model.state_dict(), description)
        for old in checkpoint.session_numbers(run)[: -keep or None] if keep is not None else []:
            checkpoint.delete_session_network(run, old)

    def _save(self, number: int, step: int, optimizer: torch.optim.Optimizer) -> None:
        if not self.writes:
            return
        self.folder.sync()
        position: checkpoint.Position = {
            "session": number,
            "step": step,
            "sessions": self.sessions,
            "best_session": self.best,
            "tried": self.tried,
        }
        checkpoint.write_state(self.folder.path / checkpoint.STATE, self.model, optimizer, position)

    def _write_subsets(self) -> None:
        images, several = self.plan.images, len(self.plan.data) > 1

        def names(numbers: np.ndarray) -> list[str]:
            chosen = [images[int(number)] for number in numbers]
            return [f"{data.folder}/{image['file_name']}" if several else image["file_name"] for data, image in chosen]

        value = {"subsets": [names(part) for part in self.subsets], "validation": names(self.validation)}
        write_atomic(self.folder.path / "subsets.json", dump_json(value))
