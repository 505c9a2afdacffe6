"""What a session draws and how fast it learns, step by step, on networks of one weight."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from trainer.config.recipe import ImageSettings, Session
from trainer.data.images import Batch
from trainer.loop import session as sessions
from trainer.loop.session import SessionContext, draw_batch, learning_rate


class Slope(nn.Module):
    """A weight whose loss falls by 1 with each unit of it."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.transform = nn.Identity()

    def forward(self, images, targets):
        return {"loss": -self.weight.sum()}


class Brightness(Slope):
    """Its losses are a batch's mean value and twice that."""

    def forward(self, images, targets):
        mean = torch.stack(images).mean()
        return {"one": mean, "two": 2 * mean}


class Numbers:
    """Images of one pixel, each of its number's value."""

    settings = ImageSettings(augmentation="photo")
    size = (64, 64)

    def batch(self, numbers, *args):
        return Batch([torch.full((1,), float(number)) for number in numbers], [{} for _ in numbers], numbers)


def context(settings, pool, number=1, seed=0, parts=()):
    return SessionContext(
        number, settings, Numbers(), np.asarray(pool), seed, torch.device("cpu"), torch.float32, parts=parts
    )


@pytest.mark.parametrize(
    "schedule, after_warmup",
    [("cosine", {2: 1, 6: 0.5, 9: (1 - math.cos(math.pi / 8)) / 2}), ("constant", {2: 1, 6: 1, 9: 1})],
)
def test_the_learning_rate_rises_in_a_line_and_falls_as_the_schedule_says(schedule, after_warmup):
    settings = Session(steps=10, lr=0.2, warmup_steps=2, schedule=schedule)
    for step, share in {0: 0.5, 1: 1, **after_warmup}.items():
        assert learning_rate(settings, step) == pytest.approx(0.2 * share), step


def test_a_session_goes_through_its_pool_whole_in_another_order_each_time():
    """Also where a batch holds the end of one turn and the start of the next."""
    settings, pool = Session(steps=9, batch=5), [3, 5, 8, 13, 21, 34, 55, 64, 89, 144, 233, 8, 7, 1, 2]

    def turns(**words):
        drawn = np.concatenate([draw_batch(context(settings, pool, **words), batch) for batch in range(9)])
        return drawn.reshape(3, len(pool)).tolist()

    first = turns()
    assert all(sorted(turn) == sorted(pool) for turn in first)
    orders = [*first, *turns(seed=1), *turns(number=2)]
    assert len({tuple(order) for order in orders}) == 9
    assert turns() == first


def test_a_session_through_all_subsets_draws_as_sessions_on_each_do():
    rng = np.random.default_rng(0)
    parts = tuple(np.sort(part) for part in np.array_split(rng.permutation(50), 5))
    one = context(Session(steps=20, batch=2, subset="each"), np.concatenate(parts), seed=3, parts=parts)
    chain = [
        draw_batch(context(Session(steps=4, batch=2), part, number, seed=3), batch)
        for number, part in enumerate(parts, start=1)
        for batch in range(4)
    ]
    assert [draw_batch(one, batch) for batch in range(20)] == chain


def test_the_validation_loss_is_the_mean_over_images_also_of_a_last_batch_that_is_smaller():
    """Of the images 1, 3 and 8: (2 * 2 + 1 * 8) / 3 = 4, and twice that of the other loss."""
    assert sessions.validate(Brightness(), context(Session(batch=2), [1, 3, 8])) == pytest.approx(4 + 2 * 4)


@pytest.mark.parametrize(
    "restart, moves", [(0, [1, 1.9, 2.71, 3.439]), (2, [1, 1.9, 1, 1.9]), (1, [1, 1, 1, 1]), (4, [1, 1.9, 2.71, 3.439])]
)
def test_a_restart_of_the_optimizer_loses_its_momentum_and_nothing_else(restart, moves):
    """SGD with momentum 0.9 on a slope of 1: the moves are 1, 1 + 0.9, 1 + 0.9 + 0.81 ..."""
    settings = Session(steps=4, batch=1, lr=1.0, weight_decay=0.0, optimizer_restart_steps=restart)
    model = Slope()
    places = [0.0]
    for _ in sessions.run(model, context(settings, [0, 1]), sessions.new_optimizer(model, settings)):
        places.append(model.weight.item())
    assert np.diff(places) == pytest.approx(moves)
