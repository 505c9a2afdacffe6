"""What a training will take, from a few of its steps done here: ``repeat --dry-run``. Nothing is written."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, dataclass, replace
from itertools import islice
from pathlib import Path

from handforge.files import free_bytes
from handforge.text import duration, megabytes
from trainer.config.recipe import AUTO, Session, subset_numbers
from trainer.loop import session
from trainer.loop.repetition import Plan, Repetition
from trainer.loop.run_folder import RunFolder

STATE_NETWORKS = 6
"""The largest state of a run, weights and two moments of each, twice while it is replaced: in sizes of the network."""
STEPS = 2
"""Steps that are timed of each kind of session, after one that is not."""


@dataclass(frozen=True)
class Estimate:
    """What a run does, and what it takes on this machine.

    :param subsets: of each session, its number and its images.
    :param step_seconds: of each session.
    :param network_bytes: of a network's file.
    """

    sessions: tuple[Session, ...]
    subsets: tuple[tuple[int, int], ...]
    step_seconds: tuple[float, ...]
    network_bytes: int
    keep: int | None

    def describe(self, out: Path) -> str:
        """Say it in words, with the space on the disk of ``out``."""
        lines = []
        for number, (one, (subset, images), step) in enumerate(
            zip(self.sessions, self.subsets, self.step_seconds, strict=True), start=1
        ):
            lines.append(
                f"session {number}: {one.total_steps:,} steps of {one.batch * one.gradient_accumulation_steps} images, "
                f"subset {subset} of {images:,} images, layers {one.trainable_layers}, {step:.3g} s a step"
            )
        steps = sum(one.total_steps for one in self.sessions)
        seconds = sum(one.total_steps * step for one, step in zip(self.sessions, self.step_seconds, strict=True))
        kept = len(self.sessions) if self.keep is None else min(self.keep, len(self.sessions))
        state = STATE_NETWORKS * self.network_bytes
        lines += [
            f"{steps:,} steps in about {duration(seconds)}, measured on {STEPS} steps of each kind of session; reading "
            "the images and validation come on top",
            f"{kept + 1} networks of {megabytes(self.network_bytes)}, and while it trains up to "
            f"{megabytes(state)} more; {megabytes(free_bytes(out))} are free",
            "nothing was written",
        ]
        return "\n".join(lines)


def measure(plan: Plan, out: Path, resume: bool, on_kind: Callable[[], None] = lambda: None) -> Estimate:
    """Do a few steps of each kind of session with images of the run.

    :param on_kind: called after each kind.
    :raises HandforgeError: as the training itself would before its first step.
    """
    repetition = Repetition(plan, RunFolder(out, plan.header(), resume))
    recipe = plan.recipe
    measured: dict[tuple[object, ...], float] = {}
    seconds = []
    for number, one in enumerate(recipe.sessions, start=1):
        kind = astuple(replace(one, epochs=1, steps=1, lr=1.0, schedule="constant", warmup_steps=0, subset=1))
        if kind not in measured:
            measured[kind] = _step_seconds(repetition, number)
            on_kind()
        seconds.append(measured[kind])
    size = sum(tensor.nbytes for tensor in repetition.model.state_dict().values())
    subsets = tuple(
        (subset, len(repetition.job(number).pool)) for number, subset in enumerate(subset_numbers(recipe), start=1)
    )
    return Estimate(recipe.sessions, subsets, tuple(seconds), size, plan.keep)


def _step_seconds(repetition: Repetition, number: int) -> float:
    job = repetition.job(number)
    if job.session.trainable_layers == AUTO:  # which is decided when the session begins: the most costly
        job = replace(job, session=replace(job.session, trainable_layers="all"))
    short = replace(job, session=replace(job.session, epochs=1, steps=STEPS + 1, warmup_steps=0))
    with closing(session.run(repetition.model, short, session.begin(repetition.model, short.session))) as steps:
        next(steps)
        begin = time.perf_counter()
        done = sum(1 for _ in islice(steps, STEPS))
    return (time.perf_counter() - begin) / done
