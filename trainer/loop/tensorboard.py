"""A run as TensorBoard shows it: ``tensorboard --logdir RUN``.

Every step's losses and learning rate; after every session its average, validation and saturation, and what the network
then finds in some images, always the same ones. Steps are counted over all sessions.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final

import numpy as np

from handforge.run_records import SessionRecord
from trainer.errors import TrainerError
from trainer.inference.detections import DRAWN_SCORE, detect, overlay
from trainer.models import networks

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from trainer.loop.repetition import Repetition

FOLDER = "tensorboard"
IMAGES = 4
"""So many images are looked at, of the validation part where there is one."""


def require() -> None:
    """Look whether TensorBoard is installed.

    :raises TrainerError: if it is not.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise TrainerError("--tensorboard needs the package tensorboard; pip install 'handforge[tensorboard]'")


SHOWN: Final = ("average_loss", "validation_loss", "saturation_step")
"""What is shown of a finished session."""


class Board:
    """Writes the files of one run. What an interrupted run wrote after the step it continues from is taken back."""

    def __init__(self, repetition: Repetition) -> None:
        self._run = repetition
        self._before = repetition.plan.recipe.steps_before
        self._writer: SummaryWriter | None = None

    def _open(self, step: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        if self._writer is None:
            self._writer = SummaryWriter(str(self._run.folder.path / FOLDER), purge_step=step)
        return self._writer

    def step(self, session: int, step: int, losses: dict[str, float]) -> None:
        """Write a step's losses and learning rate; session and step count from 1."""
        at = self._before[session - 1] + step
        writer = self._open(at)
        for name, value in losses.items():
            writer.add_scalar(f"step/{name}", value, at)

    def session(self, entry: SessionRecord) -> None:
        """Write a finished session's figures, and images of what its network finds."""
        at = self._before[entry["session"] - 1] + entry["steps_done"]
        writer = self._open(at)
        shown = {name: entry[name] for name in SHOWN}
        for name, value in shown.items():
            if value is not None:
                writer.add_scalar(f"session/{name}", value, at)
        for name, image in self._look():
            writer.add_image(f"found/{name}", image, at, dataformats="HWC")
        writer.flush()

    def _look(self) -> list[tuple[str, np.ndarray]]:
        """Images with their names, what the network detects drawn in."""
        run = self._run
        numbers = [*map(int, run.validation), *range(len(run.plan.images))][:IMAGES]
        images = [run.image_pool.sample(number).image for number in numbers]
        run.model.eval()
        learned = run.plan.learned
        found = detect(run.model, images, run.device, networks.best_precision(run.device), categories=learned)
        names = [category.name for category in learned]
        shown = [[hand for hand in hands if hand.score >= DRAWN_SCORE] for hands in found]
        drawn = [overlay(image, hands, names) for image, hands in zip(images, shown, strict=True)]
        return [(run.image_pool.name(number), image) for number, image in zip(numbers, drawn, strict=True)]

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
