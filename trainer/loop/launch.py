"""From the command line's words to a run, with progress: what ``hand-trainer train`` and ``repeat`` do."""

from __future__ import annotations

from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import torch
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from generator.dataset import Dataset, DatasetError
from trainer import model as networks
from trainer import parallel
from trainer import recipe as recipes
from trainer.board import Board
from trainer.board import require as require_tensorboard
from trainer.data import Pictures
from trainer.errors import RecipeError
from trainer.recipe import Recipe
from trainer.repetition import Plan, Repetition, split
from trainer.run_folder import RunFolder

LINE_EVERY = 60.0
"""Seconds between two lines of progress where it is no terminal that they go to."""
RATE_OVER = 300.0
"""Seconds over which the rate is taken, so that steps of half a minute each have one, too."""


def progress() -> Progress:
    """A progress bar with a ``note``, rate and time left; in a log file, a line a minute."""
    return _Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        disable=parallel.rank() > 0,
        speed_estimate_period=RATE_OVER,
    )


class _Progress(Progress):
    def __init__(self, *columns: ProgressColumn, **options: Any) -> None:
        super().__init__(*columns, **options)
        self._told = self.get_time()

    def update(self, task_id: TaskID, **values: Any) -> None:
        super().update(task_id, **values)
        if not (self.console.is_terminal or self.disable) and self.get_time() - self._told > LINE_EVERY:
            self._told = self.get_time()
            self.console.print(self.get_renderable())


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Steps or pictures a second."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.2f}/s" if speed else "-/s")


@dataclass(frozen=True)
class Options:
    """What ``train`` and ``repeat`` are told; None where the recipe's own holds.

    :param words: the command line's, for ``run.json``.
    """

    recipe: str
    data: Path
    out: Path
    words: list[str]
    seed: int
    device: str
    workers: int
    resume: bool = False
    tensorboard: bool = False
    task: str | None = None
    real: Path | None = None
    replicate: int | None = None
    init: str | None = None
    layers: str | None = None


def pick_device(name: str) -> str:
    """A device that is there; ``auto`` is the first GPU, or else the CPU.

    :raises RecipeError: if the named one is not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name).cpu()  # of "meta" nothing comes back
    except (RuntimeError, AssertionError) as error:
        raise RecipeError(
            f"there is no device {name!r} here ({str(error).splitlines()[0]}); try --device cpu"
        ) from None
    return name


def plan(command: str, options: Options) -> Plan:
    """A plan from the command's options. Only looks, writes nothing."""
    chosen = _recipe(command, options)
    small = [session.batch for session in chosen.sessions if session.batch % parallel.world()]
    if small:
        raise RecipeError(f"a batch of {small[0]} cannot be shared evenly by {parallel.world()} processes")
    data = Dataset(options.data, chosen.network.category)
    if not any(data.annotations(image) for image in data):
        raise DatasetError(f"{data.path} has no hand in any picture; there is nothing to learn from it")
    return Plan(
        command=[command, *options.words],
        recipe=chosen,
        data=data,
        real=Dataset(options.real, chosen.network.category) if options.real else None,
        replicate=options.replicate or chosen.replicate,
        seed=options.seed,
        device=options.device,
        workers=options.workers,
    )


def _recipe(command: str, options: Options) -> Recipe:
    if options.replicate and not options.real:
        raise RecipeError("--replicate is for the pictures of --real, which was not given")
    chosen = recipes.load(options.recipe)
    if not chosen.sessions:
        raise RecipeError(f"recipe {chosen.name} trains nothing ({chosen.about}); predict with that network's run")
    if chosen.real and not options.real:
        raise RecipeError(f"recipe {chosen.name} needs real pictures ({chosen.real}); import them and give --real DIR")
    if command == "train":
        chosen = chosen.conventional()
    if options.task:
        chosen = replace(chosen, network=replace(chosen.network, task=options.task))
    if options.layers:
        chosen = chosen.with_layers(options.layers)
    if options.init:
        after = "" if options.init in recipes.INITS else chosen.after
        chosen = replace(chosen, network=replace(chosen.network, init=options.init), after=after)
    elif chosen.after:
        raise RecipeError(f"recipe {chosen.name} starts from the network of {chosen.after}; give its run with --init")
    return chosen.checked()


def train(command: str, options: Options) -> None:
    """Train, with progress on the console.

    :param command: ``train`` for one session, ``repeat`` for the recipe's.
    """
    options = replace(options, device=parallel.local_device(pick_device(options.device)))
    with parallel.group(torch.device(options.device)):
        _train(command, options)


def _train(command: str, options: Options) -> None:
    if options.tensorboard:
        require_tensorboard()
    decided = plan(command, options)
    parts = split(decided)  # now, so that a wrong number of subsets is known before pictures are read
    folder = RunFolder(options.out, decided.header(), options.resume)
    if options.resume and not folder.continued and parallel.rank() == 0:
        click.echo(f"{folder.path} holds no run yet; this one starts from the beginning", err=True)
    parallel.barrier()  # all have looked at the folder before the first process writes
    if folder.header.get("finished"):
        click.echo(f"{folder.path} is finished already")
        return
    model = networks.start(decided.recipe.network, decided.recipe.pictures, decided.seed)
    datasets = [decided.data, *([decided.real] if decided.real else [])]
    with progress() as bar:
        task = bar.add_task("pictures", total=sum(map(len, datasets)), note="")
        joints = decided.recipe.network.task == "keypoints"
        pictures = Pictures(
            datasets, decided.recipe.pictures, decided.workers + 1, lambda: bar.update(task, advance=1), joints
        )
    repetition = Repetition(decided, parts, folder, pictures, model)
    with closing(Board(repetition)) if options.tensorboard and parallel.rank() == 0 else nullcontext() as board:
        _run(repetition, board)


def _run(repetition: Repetition, board: Board | None) -> None:
    sessions = repetition.plan.recipe.sessions
    before = [sum(s.total_steps for s in sessions[:i]) for i in range(len(sessions) + 1)]
    with progress() as bar:
        task = bar.add_task("session 1", total=before[-1], note="")
        average: list[float] = []

        def on_step(number: int, step: int, losses: dict[str, float]) -> None:
            if not average:  # a resumed run's rate is that of the steps done now
                bar.reset(task, completed=before[number - 1] + step - 1)
            loss = losses["loss"]
            average[:] = [loss if step == 1 or not average else 0.95 * average[0] + 0.05 * loss]
            bar.update(
                task,
                completed=before[number - 1] + step,
                description=f"session {number}/{len(sessions)}",
                note=f"loss {average[0]:.3f}",
            )
            if board:
                board.step(number, step, losses)

        def on_session(entry: dict[str, Any]) -> None:
            if parallel.rank() == 0:
                bar.console.print(_summary(entry), soft_wrap=True, highlight=False)
            if board:
                board.session(entry)

        repetition.run(on_step, on_session)
    if parallel.rank() == 0:
        click.echo(f"{repetition.folder.path}: the network of session {repetition.best} is the best")


def _summary(entry: dict[str, Any]) -> str:
    text = f"session {entry['session']}: subset {entry['subset']}, {entry['images']} pictures, "
    text += f"layers {entry['layers']}, average loss {entry['average_loss']:.4f}"
    if entry["layers_tried"]:
        text += f" (tried {', '.join(f'{word} {loss:.4f}' for word, loss in entry['layers_tried'].items())})"
    if entry["validation_loss"] is not None:
        text += f", validation {entry['validation_loss']:.4f}"
    if entry["saturation_step"] is not None:
        text += f", saturates at step {entry['saturation_step']} of {entry['steps_done']}"
        text += f" ({entry['saturation_share']:.0%}{', premature' if entry['premature'] else ''})"
    return text
