"""From the command line's words to a run, with progress: what ``handforge train`` and ``repeat`` do."""

from __future__ import annotations

import logging
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from handforge.dataset import CATEGORIES, Dataset
from handforge.files import folder_lock, require_space
from handforge.progress import progress
from handforge.run_records import SessionRecord
from trainer.config import categories
from trainer.config import recipe_file as recipes
from trainer.config.description import MOST_CLASSES
from trainer.config.recipe import INITS, RealSets, Recipe
from trainer.config.tasks import TaskName
from trainer.errors import RecipeError, RunFolderError
from trainer.loop import distributed
from trainer.loop.estimate import STATE_NETWORKS, measure
from trainer.loop.repetition import Plan, Repetition
from trainer.loop.run_folder import RunFolder
from trainer.loop.tensorboard import Board
from trainer.loop.tensorboard import require as require_tensorboard
from trainer.models import checkpoint, networks

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What ``train`` and ``repeat`` are told; None where the recipe's own holds.

    :param recipe: a recipe, or its name or file.
    :param data: dataset folders, learned as one.
    :param real: folders of real images.
    :param real_sets: see :class:`trainer.config.recipe.Recipe`.
    :param categories: names separated by commas; None: the recipe's, or all that the data has.
    :param threads: torch's threads; None: as many as there are cores, or as the run began with.
    :param keep: of so many of the last sessions the network is kept; None: of all.
    :param words: the command line's, for ``run.json``.
    """

    recipe: str | Recipe
    data: tuple[Path, ...]
    out: Path
    words: list[str]
    seed: int
    device: str
    workers: int
    resume: bool = False
    tensorboard: bool = False
    task: TaskName | None = None
    real: tuple[Path, ...] = ()
    categories: str | None = None
    keep: int | None = None
    threads: int | None = None
    replicate: int | None = None
    real_sets: RealSets | None = None
    init: str | None = None
    layers: str | None = None


def plan(command: str, options: Options) -> Plan:
    """A plan from the command's options. Only looks, writes nothing."""
    chosen = _recipe(command, options)
    small = [session.batch for session in chosen.sessions if session.batch % distributed.world()]
    if small:
        raise RecipeError(f"a batch of {small[0]} cannot be shared evenly by {distributed.world()} processes")
    wanted = [name for name in map(str.strip, (options.categories or "").split(",")) if name]
    if doubled := [name for name in wanted if wanted.count(name) > 1]:
        raise RecipeError(f"--categories names {doubled[0]} twice; each category is learned once")
    wanted = wanted or list(chosen.categories)
    outlines = [name for name in wanted if name in CATEGORIES.values()]
    mask = (outlines[0] if len(outlines) == 1 else None) if wanted else chosen.network.category
    data, real = (tuple(Dataset(folder, mask) for folder in given) for given in (options.data, options.real))
    for dataset in (*data, *real):
        if dataset.left_out and distributed.rank() == 0:
            _log.info(
                "%s: %d images have no hand annotated as %s but others; they are left out",
                dataset.folder,
                dataset.left_out,
                mask,
            )
    learned = categories.choose([*data, *real], wanted, mask)
    if len(learned) > MOST_CLASSES:
        raise RecipeError(
            f"{' and '.join(map(str, options.data))} has {len(learned):,} categories, and a network learns "
            f"{MOST_CLASSES:,} at most; choose them with --categories"
        )
    if chosen.network.task == "keypoints":
        categories.common_keypoints(learned, [*data, *real])
    if chosen.network.task == "classification" and len(learned) < 2:
        raise RecipeError(
            f"classification tells two classes or more apart, and {options.data[0]} has one, {learned[0].name}; "
            "handforge dataset import classes makes a dataset of a folder for each class"
        )
    return Plan(
        command=[command, *options.words],
        recipe=chosen,
        data=data,
        real=real,
        categories=learned,
        keep=options.keep,
        replicate=options.replicate or chosen.real_repeat_factor,
        seed=options.seed,
        device=options.device,
        workers=options.workers,
    )


def _recipe(command: str, options: Options) -> Recipe:
    if options.replicate and not options.real:
        raise RecipeError("--replicate is for the images of --real, which was not given")
    if options.real_sets and len(options.real) < 2:
        raise RecipeError("--real-sets is for several --real")
    chosen = options.recipe if isinstance(options.recipe, Recipe) else recipes.load(options.recipe)
    if not chosen.sessions:
        raise RecipeError(
            f"recipe {chosen.name} trains nothing ({chosen.description}); predict with that network's run"
        )
    if chosen.real and not options.real:
        raise RecipeError(f"recipe {chosen.name} needs real images ({chosen.real}); import them and give --real DIR")
    if command == "train":
        chosen = chosen.conventional()
    if options.task:
        chosen = replace(chosen, network=replace(chosen.network, task=options.task))
    if options.real_sets:
        chosen = replace(chosen, real_sets=options.real_sets)
    if options.layers:
        chosen = chosen.with_layers(options.layers)
    if options.init:
        after = "" if options.init in INITS else chosen.init_from
        chosen = replace(chosen, network=replace(chosen.network, init=options.init), init_from=after)
    elif chosen.init_from:
        raise RecipeError(
            f"recipe {chosen.name} starts from the network of {chosen.init_from}; give its run with --init"
        )
    return chosen.checked()


def train(command: str, options: Options) -> None:
    """Train, with progress on the console.

    :param command: ``train`` for one session, ``repeat`` for the recipe's.
    """
    options = replace(options, device=distributed.local_device(networks.pick_device(options.device)))
    with (
        distributed.group(torch.device(options.device)),
        folder_lock(options.out) if distributed.rank() == 0 else nullcontext(),  # one of a run's processes holds it
    ):
        _train(command, options)


def estimate(command: str, options: Options) -> str:
    """Say which steps a training does, how long they take here and what they need on the disk; a few are done.

    :param command: as for :func:`train`.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    decided = plan(command, replace(options, device=networks.pick_device(options.device)))
    with progress(unit="kinds of session") as bar:
        task = bar.add_task("measuring", total=None)
        found = measure(decided, options.out, options.resume, lambda: bar.update(task, advance=1))
    return found.describe(options.out)


def _train(command: str, options: Options) -> None:
    if options.tensorboard:
        require_tensorboard()
    repetition = prepare(command, options)
    if repetition is None:
        _log.info("%s is finished already", options.out)
        return
    needed = repetition.images()
    with progress(unit="images", disable=distributed.rank() > 0) as bar:
        task = bar.add_task("images", total=len(needed))
        repetition.image_pool.decode(needed, options.workers + 1, lambda: bar.update(task, advance=1))
    with closing(Board(repetition)) if options.tensorboard and distributed.rank() == 0 else nullcontext() as board:
        _run(repetition, board)


def prepare(command: str, options: Options) -> Repetition | None:
    """A run that is ready to be trained, but for its images, which are not decoded yet; None if it is finished."""
    if options.threads:
        torch.set_num_threads(options.threads)
    decided = plan(command, options)
    folder = RunFolder(options.out, decided.header(), options.resume)
    first = distributed.rank() == 0
    if options.resume and not folder.continued and first:
        _log.info("%s holds no run yet; this one starts from the beginning", folder.path)
    if _use_recorded_threads(folder, options.threads) and first:
        _log.info("%s goes on with %d threads, as it began", folder.path, torch.get_num_threads())
    distributed.barrier()  # all have looked at the folder before the first process writes
    if folder.header.get("finished"):
        if first:
            (folder.path / checkpoint.STATE).unlink(missing_ok=True)  # of a kill just before it was removed
        return None
    repetition = Repetition(decided, folder)
    if not folder.continued:
        kept = len(decided.recipe.sessions) if decided.keep is None else decided.keep
        bytes_each = sum(tensor.nbytes for tensor in repetition.model.state_dict().values())
        require_space(folder.path, bytes_each * (1 + kept + STATE_NETWORKS), "the run")
    return repetition


def _use_recorded_threads(folder: RunFolder, wanted: int | None) -> bool:
    """Continue a run with the number of threads it began with: another one adds in another order, to other weights.

    :returns: whether that is another number than so far.
    :raises RunFolderError: if another number is asked for.
    """
    recorded, now = folder.header.get("threads"), torch.get_num_threads()
    if not folder.continued or recorded == now or type(recorded) is not int or recorded < 1:
        return False
    if wanted:
        raise RunFolderError(
            f"{folder.path} was begun with {recorded} threads, and another number gives other weights; continue it "
            f"with --threads {recorded}"
        )
    torch.set_num_threads(recorded)
    return True


def _run(repetition: Repetition, board: Board | None) -> None:
    before = repetition.plan.recipe.steps_before
    with progress(unit="steps", disable=distributed.rank() > 0) as bar:
        task = bar.add_task("session 1", total=before[-1])
        average: list[float] = []

        def on_step(number: int, step: int, losses: dict[str, float]) -> None:
            if not average:  # a resumed run's rate is that of the steps done now
                bar.reset(task, completed=before[number - 1] + step - 1)
            loss = losses["loss"]
            average[:] = [loss if step == 1 or not average else 0.95 * average[0] + 0.05 * loss]
            bar.update(
                task,
                completed=before[number - 1] + step,
                description=f"session {number}/{len(before) - 1}",
                note=f"loss {average[0]:.3f}",
            )
            if board:
                board.step(number, step, losses)

        def on_session(entry: SessionRecord) -> None:
            if distributed.rank() == 0:
                _log.info(_summary(entry))
            if board:
                board.session(entry)

        repetition.run(on_step, on_session)
    if distributed.rank() == 0:
        _log.info("%s: the network of session %s is the best", repetition.folder.path, repetition.best)


def _summary(entry: SessionRecord) -> str:
    text = f"session {entry['session']}: subset {entry['subset']}, {entry['images']} images, "
    text += f"layers {entry['layers']}, average loss {entry['average_loss']:.4f}"
    if entry["layers_tried"]:
        text += f" (tried {', '.join(f'{word} {loss:.4f}' for word, loss in entry['layers_tried'].items())})"
    if entry["validation_loss"] is not None:
        text += f", validation {entry['validation_loss']:.4f}"
    if entry["saturation_step"] is not None:
        text += f", saturates at step {entry['saturation_step']} of {entry['steps_done']}"
        text += f" ({entry['saturation_share']:.0%}{', premature' if entry['premature'] else ''})"
    return text
