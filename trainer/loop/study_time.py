"""How long a study takes: a few steps of each arm, by :mod:`trainer.loop.estimate`, and a few detections on noise."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from handforge.dataset import Dataset
from trainer.config.recipe import AUTO, LAYER_WORDS, ImageSettings, Network
from trainer.inference.detections import detect
from trainer.loop import launch
from trainer.loop.estimate import measure
from trainer.loop.session import TRIAL_STEPS
from trainer.loop.study import Job, training_options
from trainer.models import networks

TIMED = 2
"""Detections that are timed, after one that is not."""


@dataclass(frozen=True)
class ArmTime:
    """What the runs of one arm take.

    :param runs: that are not trained yet.
    :param seconds: of one run: reading, training, testing.
    """

    arm: str
    runs: int
    steps: int
    images_seen: int
    seconds: float


def arm_times(todo: Sequence[Job], on_arm: Callable[[], None] = lambda: None) -> list[ArmTime]:
    """Time each arm's steps, reading and predictions here, on what this machine does now.

    :param on_arm: called after each arm.
    """
    detection: dict[tuple[Network, ImageSettings], float] = {}
    found = []
    for arm in dict.fromkeys(job.arm for job in todo):
        mine = [job for job in todo if job.arm == arm]
        job = mine[0]
        torch.set_num_threads(job.threads)
        kind = (job.recipe.network, job.recipe.images)
        if kind not in detection:
            detection[kind] = _detection_seconds(*kind, job.device)
        seconds = _reading(job) + _training(job) + _images_tested(job) * detection[kind]
        runs = sum(not each.finished for each in mine)
        found.append(ArmTime(arm, runs, job.steps, job.images_seen, seconds))
        on_arm()
    return found


def _training(job: Job) -> float:
    found = measure(launch.plan("study", training_options(job)), job.run, resume=(job.run / "run.json").is_file())
    trial = len(LAYER_WORDS) * TRIAL_STEPS
    steps = [one.total_steps + trial * (one.trainable_layers == AUTO) for one in found.sessions]
    return sum(count * seconds for count, seconds in zip(steps, found.step_seconds, strict=True))


def _images_tested(job: Job) -> int:
    sessions = len(job.recipe.sessions)
    networks_of = {"all": sessions, "last": 1, "last and best": min(2, sessions)}
    return sum(networks_of[test.networks] * len(Dataset(test.data)) for test in job.tests.values())


def _detection_seconds(network: Network, images: ImageSettings, device_name: str) -> float:
    device = torch.device(device_name)
    model = networks.for_training(networks.start(network, images, 0), device).eval()
    image = np.random.default_rng(0).integers(0, 256, (images.min_size, images.max_size, 3), np.uint8)
    precision = networks.best_precision(device)
    detect(model, [image], device, precision)
    begin = time.perf_counter()
    detect(model, [image] * TIMED, device, precision)
    return (time.perf_counter() - begin) / TIMED


def _reading(job: Job) -> float:
    """Seconds that reading a run's images takes."""
    dataset = Dataset(job.data)
    some = [dataset.images[i] for i in np.linspace(0, len(dataset) - 1, min(5, len(dataset))).astype(int)]
    begin = time.perf_counter()
    for image in some:
        dataset.read_image(image)
        dataset.masks(image)
    return (time.perf_counter() - begin) / max(1, len(some)) * min(len(dataset), job.images_seen)
