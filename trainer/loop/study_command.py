"""From the command line's words to a study, with progress: what ``handforge study`` does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handforge.console import echo
from handforge.dataset.reader import require_dataset
from handforge.files import require_writable
from handforge.machine import processors
from handforge.progress import progress
from handforge.text_table import print_columns
from trainer.config import study as studies
from trainer.config.recipe import INITS
from trainer.errors import StudyError
from trainer.weights import weights_path

if TYPE_CHECKING:
    from trainer.loop.study import Job


def study(
    name: str,
    out: Path,
    workers: int,
    threads: int | None,
    device: str,
    dry_run: bool,
    words: Sequence[str],
    changes: dict[str, Any],
) -> None:
    """Make a study, or what is left of it, and its page.

    :param threads: of each training; None: the cores shared out among the workers, or as the study began.
    :param changes: as :func:`trainer.config.study.load`.
    :raises StudyError: if the study cannot be made or was begun with other ``threads``, or some of its runs failed; the
        others are done and on the page.
    """
    if not dry_run:
        require_writable(out)
    decided, recipes = studies.load(name, **changes)
    named = [folder for arm in decided.arms for folder in (arm.data or decided.data, *arm.real)]
    for folder in filter(None, (*named, *(test.data for test in decided.tests.values()))):
        require_dataset(Path(folder))
    for init in {recipe.network.init for recipe in recipes.values()} - set(INITS):
        weights_path(init)

    from trainer.loop import study as runs  # loads torch, which takes seconds

    recorded = runs.recorded_threads(out)
    if threads and recorded not in (None, threads):
        raise StudyError(
            f"{out} was begun with {recorded} threads a training, and another number gives other weights; continue it "
            f"with --threads {recorded}"
        )
    shared_out = max(1, processors() // workers)
    todo = runs.jobs(decided, recipes, out, recorded or threads or shared_out, device, words)
    planned = runs.plan(decided, todo)
    runs.require_networks(todo)
    if dry_run:
        _estimate(todo, workers)
        return
    with runs.begun(out, planned):
        failed = _run(todo, workers)
    # a program of its own: what is tested crosses to the evaluation as files only
    command = [sys.executable, "-m", "evaluation", "study", str(out)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    echo(done.stdout, nl=False)
    if failed:
        first, reason = next(iter(failed.items()))
        raise StudyError(
            f"{len(failed)} of {len(todo)} runs failed, the first ({first}): {reason}; the same command tries again"
        )
    if done.returncode:
        raise StudyError(f"the runs are done, the page is not; hand-evaluation study {out} says why")


def _run(todo: Sequence[Job], workers: int) -> dict[str, str]:
    from trainer.loop import study as runs

    steps = dict.fromkeys((job.name for job in todo), 0)
    with progress(unit="steps") as bar:
        task = bar.add_task(f"{len(todo)} runs", total=sum(job.steps for job in todo))
        begun = False

        def on_progress(job: Job, what: str, count: int) -> None:
            nonlocal begun
            if what == "images":
                bar.update(task, note=f"{job.name}: testing")
                return
            steps[job.name] = count
            if not begun and count < job.steps:  # the rate is that of the steps done now, not of those done before
                bar.reset(task, completed=sum(steps.values()))
                begun = True
            bar.update(task, completed=sum(steps.values()), note=job.name)

        return runs.run(todo, workers, on_progress)


def _estimate(todo: Sequence[Job], workers: int) -> None:
    from trainer.loop.study_time import arm_times

    with progress(unit="arms") as bar:
        task = bar.add_task("measuring", total=len({job.arm for job in todo}))
        times = arm_times(todo, lambda: bar.update(task, advance=1))
    sessions = {job.arm: len(job.recipe.sessions) for job in todo}
    rows = [
        [t.arm, f"{t.runs}", f"{sessions[t.arm]}", f"{t.steps:,}", f"{t.images_seen:,}", f"{t.seconds / 60:.1f}"]
        for t in times
    ]
    print_columns(("arm", "runs left", "sessions", "steps", "images seen", "minutes a run"), rows)
    hours = sum(time.runs * time.seconds for time in times) / 3600 / workers
    left = sum(time.runs for time in times)
    at_once = f", {workers} at once" if workers > 1 else ""
    echo(f"{left} of {len(todo)} runs left{at_once}: about {hours:.2g} hours on this machine as busy as it is now")
