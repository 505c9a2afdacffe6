"""The light of a frame: where it comes from, its color, and how much comes from everywhere.

Indoor scenes are lit by an HDR environment besides, which :mod:`generator.frame.room.lamps` draws.
"""

from __future__ import annotations

import numpy as np

_FRONT = np.array([-0.35, -0.75, 0.56])
FRONT = (_FRONT / np.linalg.norm(_FRONT), np.ones(3), 0.45)
"""From above the camera, as in the paper; as :func:`draw` returns it."""


def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Draw a light on the camera's side, harder or softer, warmer or cooler.

    :returns: the unit vector (3,) from the hand to it, its linear RGB (3,), and the fraction of ambient light, 0..1.
    """
    direction = _towards_camera(rng)
    warmth = rng.uniform(-0.3, 1)  # cooler, skin before white turns lilac, which no camera's white balance leaves
    color = np.array([1 + 0.12 * warmth, 1.0, 1 - 0.16 * warmth]) * rng.uniform(0.85, 1.15)
    return direction, color, float(rng.uniform(0.3, 0.75))


def _towards_camera(rng: np.random.Generator) -> np.ndarray:
    """A direction evenly over the half sphere that the camera is in, (3,)."""
    vector = rng.normal(size=3)
    vector[1] = -abs(vector[1]) - 1e-3
    return vector / np.linalg.norm(vector)
