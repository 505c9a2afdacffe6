"""One session: so many steps on one pool of images. Every draw of a step comes from (seed, session, step)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import nn

from trainer.config.recipe import LAYER_WORDS, LayerWord, Session
from trainer.data import feature_cache
from trainer.data.feature_cache import FeatureCache
from trainer.data.images import Batch, ImagePool
from trainer.errors import TrainingDivergedError
from trainer.loop import distributed
from trainer.models import depthwise_cpu, layer_freezing, networks, roi_sampling
from trainer.models.backbones import fix_statistics

SUBSETS, ORDER, STEP, VALIDATION = range(4)
"""Streams of random numbers, so that no two uses of a seed draw the same."""
TRIAL_STEPS = 20
"""How long ``auto`` tries each layer word."""


@dataclass(frozen=True)
class SessionContext:
    """What a session works on.

    :param number: the session, from 1.
    :param pool: image numbers to train on; one that stands twice is drawn twice as often.
    :param parts: the subsets that the session goes through one after the other; together they are the pool. Empty: it
        draws from the whole pool.
    """

    number: int
    session: Session
    image_pool: ImagePool
    pool: np.ndarray
    seed: int
    device: torch.device
    precision: torch.dtype
    workers: int = 1
    parts: tuple[np.ndarray, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """The largest short and long side of its images."""
        return self.session.size(*self.image_pool.size)


def learning_rate(session: Session, step: int) -> float:
    """The learning rate of a step, counted from 0."""
    if step < session.warmup_steps:
        return session.lr * (step + 1) / session.warmup_steps
    if session.schedule == "constant":
        return session.lr
    share = (step - session.warmup_steps) / max(1, session.total_steps - session.warmup_steps)
    return session.lr * 0.5 * (1 + math.cos(math.pi * share))


def draw_batch(job: SessionContext, batch: int) -> list[int]:
    """The image numbers of a batch, from 0: the pool is gone through whole, in a new order each time.

    Of parts, part k is drawn from as session k draws from that subset, so both see the same images in the same order.
    """
    number, pool, first = job.number, job.pool, 0
    if job.parts:
        batches = job.session.batches
        part = batch * len(job.parts) // batches
        first = -(-part * batches // len(job.parts))  # the part's first batch
        number, pool = part + 1, job.parts[part]
    numbers = []
    for position in range((batch - first) * job.session.batch, (batch - first + 1) * job.session.batch):
        turn, place = divmod(position, len(pool))
        numbers.append(int(pool[_order(job.seed, number, turn, len(pool))[place]]))
    return numbers


@lru_cache(maxsize=8)
def _order(seed: int, session: int, turn: int, images: int) -> np.ndarray:
    return np.random.default_rng([seed, ORDER, session, turn]).permutation(images)


def new_optimizer(model: nn.Module, session: Session) -> torch.optim.Optimizer:
    """A fresh optimiser of the layers that this session trains; call after
    :func:`trainer.models.layer_freezing.train_layers`.
    """
    body: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (body if name.startswith("backbone.body.") else rest).append(parameter)
    groups = [{"params": rest, "lr_factor": 1.0}, {"params": body, "lr_factor": session.backbone_lr_factor}]
    if session.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=session.lr, weight_decay=session.weight_decay, fused=True)
    return torch.optim.SGD(
        groups, lr=session.lr, momentum=session.momentum, weight_decay=session.weight_decay, fused=True
    )


def begin(model: nn.Module, session: Session) -> torch.optim.Optimizer:
    """Make a network ready for a session: layers, ROI sampling, and a fresh optimiser."""
    layer_freezing.train_layers(model, session.trainable_layers)
    roi_sampling.set_sampling(model, session)
    return new_optimizer(model, session)


def run(
    model: nn.Module, job: SessionContext, optimizer: torch.optim.Optimizer, first_step: int = 0
) -> Generator[dict[str, float]]:
    """Train; after each step yield its losses: ``loss``, the task's parts, and ``lr``.

    A step whose session accumulates goes through so many batches; its losses are their mean.

    The optimiser is emptied where the session says so (``optimizer_restart_steps``).

    :param first_step: steps before this one, counted from 0, were done already.
    :raises TrainingDivergedError: if the loss is not finite; the network is then the one before that step.
    """
    fix_statistics(model)
    networks.set_size(model, *job.size)
    parts, restart = job.session.gradient_accumulation_steps, job.session.optimizer_restart_steps
    with (
        closing(_batches(job, first_step * parts)) as batches,
        _reused(model, job) as stages,
        depthwise_cpu.DepthwiseInFloat32(),
    ):
        for step in range(first_step, job.session.total_steps):
            if restart and step % restart == 0:
                optimizer.state.clear()
            for group in optimizer.param_groups:
                group["lr"] = group["lr_factor"] * learning_rate(job.session, step)
            model.zero_grad(set_to_none=True)  # also what an earlier session left in layers that are frozen now
            numbers = range(step * parts, (step + 1) * parts)
            losses = _mean([_backward(model, job, number, next(batches), stages) for number in numbers])
            distributed.average_gradients(model.parameters())
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), job.session.clip_norm)
            if not math.isfinite(losses["loss"] + norm.item()):
                drawn_names = [job.image_pool.name(index) for number in numbers for index in draw_batch(job, number)]
                raise TrainingDivergedError(
                    f"the loss of session {job.number}, step {step + 1} is {losses['loss']}, its gradient "
                    f"{norm.item()}; the images are {', '.join(drawn_names)}; check them, or lower lr"
                )
            optimizer.step()
            yield {**losses, "lr": optimizer.param_groups[0]["lr"]}


def _reused(model: nn.Module, job: SessionContext) -> AbstractContextManager[FeatureCache | None]:
    """Frozen stages that keep what they made of an image, where images come again as they were."""
    same = job.image_pool.settings.augmentation == "none"
    shown = job.session.batches * job.session.batch
    return feature_cache.reused(model) if same and shown > len(np.unique(job.pool)) else nullcontext()


def _backward(
    model: nn.Module, job: SessionContext, number: int, batch: Batch, stages: FeatureCache | None
) -> dict[str, torch.Tensor]:
    """Add a batch's share of the step's gradient; its losses, ``loss`` being their sum."""
    if stages is not None:
        stages.numbers = batch.numbers
    torch.manual_seed(_seed(job, STEP, number, 1))  # torchvision samples anchors and ROIs from torch's generator
    losses = _losses(model, job, batch)
    total = torch.stack(list(losses.values())).sum()
    (total / job.session.gradient_accumulation_steps).backward()
    return {"loss": total.detach(), **{name: value.detach() for name, value in losses.items()}}


def _mean(losses: list[dict[str, torch.Tensor]]) -> dict[str, float]:
    """The mean over the batches of a step, and over all processes."""
    rows = torch.stack([torch.stack(list(part.values())) for part in losses])
    return dict(zip(losses[0], distributed.mean(rows.mean(0)).tolist(), strict=True))


def try_layers(model: nn.Module, job: SessionContext, held_out: np.ndarray) -> dict[LayerWord, float]:
    """The validation loss after :data:`TRIAL_STEPS` steps with each layer word; the network stays as it was.

    Words whose trial diverges are left out.

    :param held_out: the numbers of the validation images.
    :raises TrainingDivergedError: if every trial does.
    """
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tried: dict[LayerWord, float] = {}
    for word in LAYER_WORDS:
        trial = replace(job, session=replace(job.session, trainable_layers=word))
        with suppress(TrainingDivergedError):
            with closing(run(model, trial, begin(model, trial.session))) as steps:
                for _ in islice(steps, TRIAL_STEPS):
                    pass
            tried[word] = validate(model, replace(trial, pool=held_out))
        model.load_state_dict(before)
    if not tried:
        raise TrainingDivergedError(f"session {job.number}: the loss diverges with any of the layers; lower lr")
    return tried


def validate(model: nn.Module, job: SessionContext) -> float:
    """The mean loss over the pool's images as they are, without augmentation; the network stays as it is.

    They have the recipe's size whatever the session's; losses of sessions compare if they have the same
    number of ROIs and fraction of positive ones.

    :raises TrainingDivergedError: if it is no finite number.
    """
    fix_statistics(model)
    networks.set_size(model, *job.image_pool.size)
    total = 0.0
    for start in range(0, len(job.pool), job.session.batch):
        indices = [int(i) for i in job.pool[start : start + job.session.batch]]
        seed = np.random.default_rng([job.seed, VALIDATION, start]).integers(2**63)  # the same in every session
        torch.manual_seed(int(seed))
        with torch.no_grad():
            losses = _losses(model, job, job.image_pool.batch(indices, None))
        total += len(indices) * float(torch.stack(list(losses.values())).sum())
    if not math.isfinite(total):
        raise TrainingDivergedError(f"the validation loss after session {job.number} is {total}; lower lr")
    return total / len(job.pool)


def _losses(model: nn.Module, job: SessionContext, batch: Batch) -> dict[str, torch.Tensor]:
    images = [image.to(job.device) for image in batch.images]
    targets = [{k: v.to(job.device) for k, v in t.items()} for t in batch.targets]
    half = job.precision != torch.float32
    with torch.autocast(job.device.type, job.precision) if half else nullcontext():
        losses = model(images, targets)
    return {name: value.float() for name, value in losses.items()}


def _seed(job: SessionContext, stream: int, step: int, kind: int) -> int:
    return int(np.random.default_rng([job.seed, stream, job.number, step, kind]).integers(2**63))


def _batches(job: SessionContext, first: int) -> Generator[Batch]:
    """The batches from a number, from 0, to the session's end, made some ahead by other threads."""
    mine = slice(distributed.rank(), None, distributed.world())

    def make(number: int) -> Batch:
        return job.image_pool.batch(draw_batch(job, number), [job.seed, STEP, job.number, number, 0], mine, job.size)

    with ThreadPoolExecutor(max(1, job.workers)) as pool:
        ahead: deque[Any] = deque()
        try:
            for number in range(first, job.session.batches):
                ahead.append(pool.submit(make, number))
                if len(ahead) > job.workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
