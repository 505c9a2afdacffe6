"""Types of the fields of records that are written to JSON and read again: small arrays, ranges of numbers, words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, PlainSerializer, PlainValidator


def _vector(value: Any) -> np.ndarray:
    try:
        vector = np.array(value, float)
    except TypeError:  # of which pydantic makes no error of its own
        raise ValueError("must be a list of numbers") from None
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError("must be a list of numbers")
    return vector


Vector = Annotated[np.ndarray, PlainValidator(_vector), PlainSerializer(lambda vector: vector.tolist())]
"""A (N,) float array; a list of numbers in JSON."""


def one_of(words: Iterable[str]) -> AfterValidator:
    """Check that a text is one of some words, as the second part of ``Annotated[str, ...]``."""
    known = tuple(words)

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"is one of {', '.join(known)}, not {value!r}")
        return value

    return AfterValidator(check)


def within(low: float, high: float) -> AfterValidator:
    """Check that a number is in a range, as the second part of ``Annotated[float, ...]``.

    :param high: infinite where there is no bound.
    """

    def check(value: float) -> float:
        if not low <= value <= high:
            said = f"from {low:g} to {high:g}" if np.isfinite(high) else f"{low:g} or more"
            raise ValueError(f"is {said}, not {value!r:.80}")
        return value

    return AfterValidator(check)


NotNegative = Annotated[float, within(0, np.inf)]
"""As a length in metres."""
Sizes = tuple[NotNegative, NotNegative, NotNegative]
"""By axis or by colour channel."""
Fraction = Annotated[float, within(0, 1)]
Color = tuple[Fraction, Fraction, Fraction]
"""Linear RGB."""
Number = Annotated[int, within(0, np.inf)]
"""Of one of several, or a seed."""
Side = Annotated[str, one_of(("right", "left"))]
"""Which hand or foot of a person."""
