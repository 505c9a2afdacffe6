"""The shapes that props are put together from."""

from __future__ import annotations

from typing import Literal

import numpy as np

Shape = Literal[
    "box",
    "wall",
    "ball",
    "tube",
    "block",
    "tumbler",
    "sheet",
    "drape",
    "head",
    "hair",
    "long hair",
    "ear",
    "neck",
    "shirt",
    "hips",
    "sleeve",
    "upper arm",
    "forearm",
    "thigh",
    "shank",
]
"""A box, a wall (a box that keeps no light out), ball, tube (along Z), block (a rounded box) and tumbler (open to +Z)
are of size 1."""

OF_SIZE_1: frozenset[Shape] = frozenset(("box", "wall", "ball", "tube", "block", "tumbler"))


def pick(rng: np.random.Generator, *shapes: Shape) -> Shape:
    """One of some shapes; one that is named twice is drawn twice as often."""
    return shapes[int(rng.integers(len(shapes)))]
