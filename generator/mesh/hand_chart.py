"""Where each point of the mean hand's skin is, in the terms of a hand: which digit, how far along it, side or back.

What is drawn on a hand or worn on it is placed by these coordinates, which every built-in hand shape shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from generator.hand.anatomy import BONES, skeleton
from generator.hand.pose import FINGERS
from generator.mesh import hand_mesh, skin_features, skin_weights
from generator.mesh.sdf import HALF_BREADTH, Skin


@dataclass(frozen=True)
class HandChart:
    """Coordinates of the mean hand's vertices, millimetres; V is their number."""

    digit: np.ndarray
    """(V,) int, place in :data:`generator.hand.pose.FINGERS`; -1 on palm, wrist and forearm."""
    along: np.ndarray
    """(V,) from the digit's MCP joint towards its tip; -100 off the digits."""
    side: np.ndarray
    """(V,) across the digit, + to the radial side; across the palm (x) off the digits."""
    back: np.ndarray
    """(V,) + to the back of the digit, - to its pad; through the palm (y) off the digits."""
    to_tip: np.ndarray
    """(V,) how far the digit's tip is, along it; 1000 off the digits."""
    joints: tuple[tuple[float, ...], ...]
    """Per digit: where PIP, DIP (thumb: IP) and the tip are along it."""
    rest: np.ndarray
    """(V, 3) the mean hand's vertices."""


@lru_cache(maxsize=1)
def hand_chart() -> HandChart:
    """The chart of the built-in hand, measured once."""
    rest = hand_mesh.build().vertices.astype(float) * 1000
    nearest = skin_weights.digit(rest, Skin())
    count = len(rest)
    digit, along, to_tip = np.full(count, -1), np.full(count, -100.0), np.full(count, 1000.0)
    side, back = rest[:, 0].copy(), rest[:, 1].copy()
    joints = []
    for number, finger in enumerate(FINGERS):
        ray = skin_features.digit_ray(rest, finger, HALF_BREADTH[finger])
        joints.append(tuple(float(place) for place in ray.joints))
        on = (nearest == number) & (ray.along > -2) & (np.abs(ray.side) < 1.7 * HALF_BREADTH[finger])
        digit[on] = number
        along[on], side[on], back[on] = ray.along[on], ray.side[on], ray.back[on]
        to_tip[on] = ray.joints[-1] - ray.along[on]
    return HandChart(digit, along, side, back, to_tip, tuple(joints), rest)


@lru_cache(maxsize=1)
def knuckles() -> np.ndarray:
    """The MCP joints of little to index finger in the bind pose of the mean hand, (4, 3) mm."""
    bones = skeleton()
    return np.array([bones.heads[BONES.index(f"{finger}_proximal")] * 1000 for finger in FINGERS[:4]])
