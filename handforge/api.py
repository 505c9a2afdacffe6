"""The public functions: one call for each of the commands ``render``, ``train``, ``repeat`` and ``score``.

Rendering starts processes, which import the calling script again: such a script is a file, and has the call under
``if __name__ == "__main__":``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handforge.dataset import Dataset
from handforge.errors import HandforgeError
from handforge.machine import processors

if TYPE_CHECKING:
    from evaluation.metrics.paper_metrics import DetectionMetrics


def load_dataset(folder: str | Path) -> Dataset:
    """Open a COCO dataset folder (``annotations.json`` and ``images/``) for reading.

    >>> dataset = load_dataset("rooms")
    >>> image = dataset.images[0]
    >>> dataset.read_image(image).shape, len(dataset.masks(image))
    ((360, 640, 3), 2)

    :param folder: of this layout, whoever wrote it.
    :raises DatasetError: if it is missing or damaged.
    """
    return Dataset(folder)


def render_dataset(
    settings: str | Path = "paper",
    out: str | Path = "dataset",
    *,
    workers: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    **overrides: Any,
) -> Dataset:
    """Render a dataset into the folder ``out``, or what is missing of it, and open it.

    >>> dataset = render_dataset("varied", "rooms", count=100, seed=3)

    :param settings: a preset (``paper``, ``people``, ``studio``, ``varied`` ...) or a TOML file of settings.
    :param out: the dataset's folder.
    :param workers: processes; None: one a processor core.
    :param on_progress: called with the number of images done and of all.
    :param overrides: settings by name, as :class:`generator.frame.settings.RenderSettings` has them.
    :raises HandforgeError: if the settings cannot be used, or ``out`` holds something else.
    """
    from generator.frame.settings import load
    from generator.pipeline import run

    _refuse_in_a_started_process("render_dataset")
    run.render(load(Path(settings), overrides), Path(out), workers or processors(), on_progress)
    return Dataset(out)


def train(
    recipe: str | Path,
    data: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    repetitive: bool = True,
    resume: bool = True,
    seed: int = 0,
    device: str = "auto",
    **options: Any,
) -> Path:
    """Train a network by a recipe's sessions and return the run folder, which :class:`handforge.HandDetector` takes.

    >>> run = train("cpu-minutes", "rooms", "run")

    :param recipe: the name of a built-in recipe, or a TOML file.
    :param data: the dataset folder to train on, or several.
    :param out: the run folder.
    :param repetitive: the recipe's sessions, each on its subset; False: one session of as many steps on the whole set.
    :param resume: continue the run in ``out`` where it was interrupted.
    :param seed: of all random draws, 0 or more.
    :param device: ``cpu``, ``cuda``, ``cuda:1`` ...; ``auto`` is the first GPU, or else the CPU.
    :param options: as the command's, None where the recipe's own holds: ``task``, ``init`` (a word, run folder or
        weights file), ``layers`` and ``categories`` (words with commas between), ``real`` (a folder or several),
        ``real_sets``, ``replicate``, ``keep``, ``threads``, ``tensorboard``, ``workers`` (threads that load images, 1).
    :raises HandforgeError: if recipe, data or run folder cannot be used, or the loss diverges.
    :raises TypeError: if there is no such option.
    """
    from trainer.loop import launch

    for name, least in (("seed", 0), ("replicate", 1), ("keep", 0), ("threads", 1), ("workers", 1)):
        number = seed if name == "seed" else options.get(name)
        if number is not None and (not isinstance(number, Integral) or number < least):
            raise HandforgeError(f"{name} is a whole number, {least} or more, not {number!r}")
    command = "repeat" if repetitive else "train"
    sets = _folders(data)
    words = ["--recipe", str(recipe), *(word for folder in sets for word in ("--data", str(folder)))]
    words += ["--out", str(out), "--seed", str(seed)]
    given = {"workers": 1, **options, "real": _folders(options.get("real") or ())}
    if isinstance(given.get("init"), Path):  # as this function returns it
        given["init"] = str(given["init"])
    launch.train(
        command,
        launch.Options(
            recipe=str(recipe),
            data=sets,
            out=Path(out),
            words=words,
            seed=seed,
            device=device,
            resume=resume,
            **given,
        ),
    )
    return Path(out)


def _folders(given: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    """One folder or several as a tuple of them."""
    return tuple(map(Path, (given,) if isinstance(given, str | Path) else given))


def evaluate(
    dataset: str | Path | Dataset, results: str | Path, *, iou: float = 0.5, min_score: float = 0.5
) -> DetectionMetrics:
    """Score a COCO results file, or a folder of predictions, against a dataset.

    >>> evaluate("test", "run/predictions/test").f1
    0.91

    :param dataset: the ground truth.
    :param results: a COCO results file, or the folder that ``predict`` wrote.
    :param iou: a prediction is a true positive from this mask IoU on, above 0 to 1.
    :param min_score: predictions below this score, 0 to 1, count for AP only.
    :raises HandforgeError: if dataset or results are missing, damaged, or do not fit each other, or a threshold is out
        of its range.
    """
    from evaluation.metrics import paper_metrics
    from evaluation.metrics.matching import MatchOptions, load
    from evaluation.metrics.scope import Scope

    options = MatchOptions(iou, min_score)
    opened = dataset if isinstance(dataset, Dataset) else Dataset(dataset)
    return paper_metrics.score(load(opened, Path(results), Scope()).images, options)


def _refuse_in_a_started_process(name: str) -> None:
    """Say what is wrong where a worker imports a script that renders without a ``__main__`` guard.

    :raises HandforgeError: while a started process still imports the script of the one that started it.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # by this multiprocessing itself tells
        raise HandforgeError(
            f"handforge.{name} was called while a worker imported your script; put the call under "
            'if __name__ == "__main__":'
        )
