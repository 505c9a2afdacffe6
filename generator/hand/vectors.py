"""Small arrays as fields of records that are written to JSON and read again."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from pydantic import PlainSerializer, PlainValidator


def _vector(value: Any) -> np.ndarray:
    vector = np.array(value, float)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError("must be a list of numbers")
    return vector


Vector = Annotated[np.ndarray, PlainValidator(_vector), PlainSerializer(lambda vector: vector.tolist())]
"""A (N,) float array; a list of numbers in JSON."""
