"""Objects by kind: the built-in ones, which are drawn from a seed and kept, and the user's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated

import numpy as np
from pydantic import AfterValidator

from generator.objects import catalog, figures, food, lookalikes, own_objects, solids
from generator.objects.catalog import ObjectModel

MAKERS: dict[str, Callable[[np.random.Generator], ObjectModel]] = {
    **catalog.HELD,
    **{maker.__name__: maker for maker in figures.FIGURES},
    "dish": food.dish,
    **{maker.__name__: maker for maker in lookalikes.LOOKALIKES},
}
"""Functions that draw a built-in object, by its kind."""


def _known(kind: str) -> str:
    if kind not in MAKERS and not own_objects.is_own(kind):
        raise ValueError(f"is one of {', '.join(MAKERS)}, or the file of one of the user's own objects, not {kind!r}")
    return kind


Kind = Annotated[str, AfterValidator(_known)]
"""A kind of object: one of :data:`MAKERS`, or the file's name of one of the user's own."""


def make(kind: str, seed: int) -> ObjectModel:
    """The object of a kind that is drawn from this seed; of the user's own there is one of each kind."""
    return own_objects.find(kind).model if own_objects.is_own(kind) else _built_in(kind, seed)


def mesh(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The object's mesh in its own axes, as :func:`generator.objects.solids.mesh` gives it."""
    return solids.mesh(make(kind, seed).parts) if own_objects.is_own(kind) else _built_in_mesh(kind, seed)


@lru_cache(maxsize=64)
def _built_in(kind: str, seed: int) -> ObjectModel:
    return MAKERS[kind](np.random.default_rng((seed, 0x0B)))


@lru_cache(maxsize=64)
def _built_in_mesh(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return solids.mesh(_built_in(kind, seed).parts)
