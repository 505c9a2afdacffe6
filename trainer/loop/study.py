"""A study: every arm trained with every seed, its networks tested; continued where it was killed.

::

    DIR/study.json                        the study as decided before the first run: arms, seeds, tests, primary measure
    DIR/ARM/seedN/                        a run folder
    DIR/ARM/seedN/predictions/TEST-03/    what the network of session 3 detects in a test's images
    DIR/report.html, report.json          by ``hand-evaluation study DIR``

Scores and statistics are :mod:`evaluation.study`, which reads these files.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, cast

import torch

from handforge.dataset import Dataset
from handforge.errors import HandforgeError
from handforge.files import DISK_FULL, DiskFullError, dump_json, folder_lock, system_text, write_atomic
from handforge.run_records import RunRecord, StudyRecord
from trainer.config.recipe import Recipe
from trainer.config.study import Study, Test
from trainer.errors import RunFolderError, StudyError
from trainer.inference import predict
from trainer.inference.inputs import open_source
from trainer.loop import launch
from trainer.loop.run_folder import difference, is_leftover
from trainer.models import checkpoint, networks

FORMAT = "handforge-study-1"
FIXED = ("claim", "primary")
"""What no study may change once it has begun: it would be chosen by what came out."""
AMENDABLE = ("question", "seeds", "tests", "arms")

Report = Callable[[str, int], None]
"""Told ``steps``, of the whole run so far, and ``images``, the number just predicted."""


@dataclass(frozen=True)
class Job:
    """One run: an arm with a seed.

    :param tests: by their names.
    :param words: the command line's, for ``run.json``.
    """

    arm: str
    seed: int
    run: Path
    recipe: Recipe
    data: Path
    real: tuple[Path, ...]
    tests: dict[str, Test]
    device: str
    threads: int
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """As messages say it."""
        return f"{self.arm}, seed {self.seed}"

    @property
    def steps(self) -> int:
        """Optimiser steps of the run."""
        return self.recipe.steps_before[-1]

    @property
    def images_seen(self) -> int:
        """Images that all steps draw, each as often as it is drawn."""
        return sum(session.batches * session.batch for session in self.recipe.sessions)

    @property
    def finished(self) -> bool:
        """Whether its training is; predictions may still be missing."""
        try:
            return bool(json.loads((self.run / "run.json").read_bytes()).get("finished"))
        except (OSError, ValueError, AttributeError):
            return False


def jobs(
    study: Study, made: dict[str, Recipe], out: Path, threads: int, device: str, words: Sequence[str]
) -> list[Job]:
    """All runs, seed after seed, so that an unfinished study has pairs."""
    if missing := [arm.name for arm in study.arms if not (arm.data or study.data)]:
        raise StudyError(f"the arm {missing[0]!r} has no data to train on; give --data DIR, or data in the study file")
    return [
        Job(
            arm=arm.name,
            seed=seed,
            run=out / arm.name / f"seed{seed}",
            recipe=made[arm.name],
            data=Path(arm.data or study.data or ""),
            real=tuple(map(Path, arm.real)),
            tests=study.tests,
            device=networks.pick_device(device),
            threads=threads,
            words=tuple(words),
        )
        for seed in study.seeds
        for arm in study.arms
    ]


def plan(study: Study, todo: Sequence[Job]) -> StudyRecord:
    """What ``study.json`` says of a study that begins.

    :raises DatasetError: if a dataset is missing or damaged.
    """
    for folder in dict.fromkeys(folder for job in todo for folder in (job.data, *job.real)):
        Dataset(folder)  # known to be there before the first run
    tests = {}
    for name, test in study.tests.items():
        dataset = Dataset(test.data)
        if test.masks not in (None, *dataset.categories.values()):
            raise StudyError(
                f"test {name}: {test.data} lists no category {test.masks!r}; there are "
                f"{', '.join(dataset.categories.values())}"
            )
        tests[name] = {
            **test.model_dump(),
            "data": str(Path(test.data).resolve()),
            "id": dataset.id,
            "images": len(dataset),
            "classes": todo[0].recipe.network.task == "classification",
        }
    first = {job.arm: job for job in reversed(todo)}
    arms = {
        arm.name: {
            "description": arm.description,
            "against": study.against(arm),
            "sessions": len(first[arm.name].recipe.sessions),
            "steps": first[arm.name].steps,
            "images_seen": first[arm.name].images_seen,
            "real": [str(Path(folder).resolve()) for folder in arm.real],
            "recipe": first[arm.name].recipe.as_dict(),
        }
        for arm in study.arms
    }
    content = study.model_dump(include={"question", "seeds", "claim", "primary"})
    return json.loads(
        json.dumps(
            {"format": FORMAT, **content, "tests": tests, "arms": arms, "amendments": [], "threads": todo[0].threads}
        )
    )


def recorded_threads(out: Path) -> int | None:
    """The threads of each training of a study that has begun: other arms are to be computed alike."""
    try:
        found = json.loads((out / "study.json").read_bytes())["threads"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if type(found) is int and found > 0 else None


def require_networks(todo: Sequence[Job]) -> None:
    """Refuse tests of every session's network that a study has added after such networks were deleted.

    :raises StudyError: naming the test, the run, and what to do; nothing is written.
    """
    for job in todo:
        try:
            record = json.loads((job.run / "run.json").read_bytes())
            sessions, best = len(record["sessions"]), record["best_session"] if record["finished"] else None
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not begun; what is damaged is said where it is continued
        kept = {best, *checkpoint.session_numbers(job.run)}
        for name, test in job.tests.items():
            untested = (n for n in range(1, sessions + 1) if not (_predictions(job, name, n) / predict.MARK).is_file())
            if test.networks == "all" and (lost := [n for n in untested if n not in kept]):
                raise StudyError(
                    f"the test {name} is of every session's network, and {job.run} has deleted those of its sessions "
                    f"{', '.join(map(str, lost))}, as the study's tests so far did not need them any more; give the "
                    'test networks = "last and best", or make the study anew in another folder'
                )


def _predictions(job: Job, test: str, session: int) -> Path:
    return job.run / "predictions" / f"{test}-{session:02d}"


@contextmanager
def begun(out: Path, planned: StudyRecord) -> Iterator[None]:
    """Hold the study's folder, new or continued, with what is planned in ``study.json``.

    :raises StudyError: if the folder holds something else, or a study whose claim or primary measure is another.
    """
    with folder_lock(out):
        path = out / "study.json"
        if not path.exists():
            if others := sorted(entry.name for entry in out.iterdir() if not is_leftover(entry)):
                raise RunFolderError(f"{out} holds {others[0]}, which is no part of a study; give a new folder")
            header = {"handforge": importlib.metadata.version("handforge")}
            write_atomic(path, dump_json({**planned, **header}))
        else:
            write_atomic(path, dump_json(_amended(path, planned)))
        yield


def _amended(path: Path, planned: StudyRecord) -> StudyRecord:
    """The recorded study with what is planned now, and a note of each change."""
    try:
        recorded = json.loads(path.read_bytes())
        if recorded["format"] != FORMAT:
            raise ValueError(recorded["format"])
        fixed: dict[str, Any] = {key: recorded[key] for key in (*FIXED, *AMENDABLE)}
        notes = list(recorded["amendments"])
    except (ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} is damaged or of another version ({error!r}); give a new folder") from None
    now: dict[str, Any] = {**planned}
    for key in FIXED:
        if fixed[key] != now[key]:
            raise StudyError(
                f"{path.parent} was begun with another {key}: {difference(key, fixed[key], now[key])}; what is "
                "judged is decided before the first run, so give a new folder"
            )
    changed = [
        difference(key, before, after)
        for key in AMENDABLE
        if (before := _unplaced(fixed[key])) != (after := _unplaced(now[key]))
    ]
    return {**recorded, **planned, "amendments": notes + [text for text in changed if text not in notes]}


def _unplaced(value: Any) -> Any:
    """A part of the plan without the places of its datasets, which may be moved, and what is only said about it."""
    if isinstance(value, dict):
        return {k: _unplaced(v) for k, v in value.items() if k not in ("data", "real", "description", "init")}
    return value


def run(todo: Sequence[Job], workers: int, on_progress: Callable[[Job, str, int], None]) -> dict[str, str]:
    """Train and test all runs, or what is left of them.

    :param workers: processes; 1: this one.
    :param on_progress: told the job, and as :data:`Report`.
    :returns: what went wrong, by the job's name; the others are done.
    :raises StudyError: at once, if the disk is full: nor could the other runs be written.
    """
    if workers > 1:
        return _in_processes(todo, workers, on_progress)
    failed: dict[str, str] = {}
    for job in todo:
        if problem := _attempt(job, partial(on_progress, job)):
            failed[job.name] = problem
    return failed


def _attempt(job: Job, report: Report) -> str | None:
    """Train and test a run; what went wrong, or None.

    :raises StudyError: if the disk is full.
    """
    try:
        train_and_test(job, report)
    except DiskFullError as error:
        full = str(error)
    except HandforgeError as error:
        return str(error)
    except OSError as error:
        full = system_text(error, job.run)
        if error.errno not in DISK_FULL:
            return full
    except Exception as error:  # whatever it is, the other runs go on
        return f"unexpected {type(error).__name__}: {error}"
    else:
        return None
    raise StudyError(f"{full}; the same command continues the study")


def training_options(job: Job) -> launch.Options:
    """What a run's training is told."""
    everything = any(test.networks == "all" for test in job.tests.values())
    return launch.Options(
        recipe=job.recipe,
        data=(job.data,),
        out=job.run,
        words=list(job.words),
        seed=job.seed,
        device=job.device,
        workers=1,
        resume=(job.run / "run.json").is_file(),
        real=job.real,
        keep=None if everything else 1,
    )


def train_and_test(job: Job, report: Report) -> None:
    """Train a run to its end and make the missing predictions of it.

    :raises HandforgeError: if data or folders cannot be used, or the loss diverges.
    """
    torch.set_num_threads(job.threads)
    with folder_lock(job.run):
        repetition = launch.prepare("study", training_options(job))
        if repetition:
            repetition.image_pool.decode(repetition.images())
            before = job.recipe.steps_before
            repetition.run(lambda number, step, losses: report("steps", before[number - 1] + step))
        report("steps", job.steps)
        _test(job, report)
        for number in checkpoint.session_numbers(job.run)[:-1]:  # tested, and large
            checkpoint.delete_session_network(job.run, number)


def _test(job: Job, report: Report) -> None:
    record: RunRecord = json.loads((job.run / "run.json").read_bytes())
    last, best = len(record["sessions"]), cast("int", record["best_session"])
    for name, test in job.tests.items():
        wanted = {"all": set(range(1, last + 1)), "last and best": {last, best}, "last": {last}}[test.networks]
        for number in sorted(wanted):
            out = _predictions(job, name, number)
            if (out / predict.MARK).is_file():
                continue
            predict.predict(
                job.run,
                open_source([Path(test.data)]),
                out,
                predict.PredictOptions(device=job.device, session="best" if number == best else number, zoom=False),
                on_done=lambda count: report("images", count),
            )


def _in_processes(todo: Sequence[Job], workers: int, on_progress: Callable[[Job, str, int], None]) -> dict[str, str]:
    """:func:`run` with a process for each run, some at once; a process that is killed fails its run alone."""
    context = get_context("spawn")  # torch's threads do not survive a fork
    waiting, failed = list(todo), dict[str, str]()
    running: dict[Any, tuple[Job, Any]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                incoming, outgoing = context.Pipe(duplex=False)
                process = context.Process(target=_process, args=(job, outgoing), daemon=True)
                process.start()
                outgoing.close()  # so that the end of the process is the end of what it says
                running[incoming] = (job, process)
            for ready in connection.wait(list(running)):
                receiver: Any = ready
                job, process = running[receiver]
                try:
                    what, value = receiver.recv()
                except EOFError:
                    process.join()
                    running.pop(receiver)
                    if process.exitcode and job.name not in failed:
                        failed[job.name] = f"its process ended with exit code {process.exitcode}"
                    continue
                if what == "stopped":
                    raise StudyError(value)
                if what == "failed":
                    failed[job.name] = value
                else:
                    on_progress(job, what, value)
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return failed


def _process(job: Job, sender: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        if problem := _attempt(job, lambda what, count: sender.send((what, count))):
            sender.send(("failed", problem))
    except StudyError as error:
        sender.send(("stopped", str(error)))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)  # a killed study leaves nothing that goes on writing
