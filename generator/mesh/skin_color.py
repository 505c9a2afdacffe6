"""The colour of skin: tones over the human range, and what palm, creases and nails do to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from generator.hand.vectors import Color, Fraction, NotNegative
from generator.mesh.foot import FootMesh
from generator.mesh.hand_mesh import HandMesh

TONES: np.ndarray = np.array(
    [
        (0.71, 0.47, 0.365), (0.63, 0.385, 0.28), (0.545, 0.315, 0.215), (0.445, 0.24, 0.15),
        (0.335, 0.17, 0.10), (0.235, 0.115, 0.066), (0.155, 0.075, 0.044), (0.09, 0.045, 0.029),
    ]
)  # fmt: skip
"""Linear RGB albedo of the back of the hand from the fairest to the darkest, (8, 3). Chosen by eye, red to green 1.5 to
2.1 and red to blue 1.9 to 3.6; hands in photographs of the 11K Hands and HGR sets have medians of 1.7 to 2.0 and 2.9 to
3.2."""


@dataclass(frozen=True)
class Patch:
    """A round patch of another color on the skin, with an uneven edge.

    :param place: its centre in the bind pose (3,), metres.
    :param radius: metres.
    :param color: linear RGB.
    :param strength: how much it covers the skin, 0..1.
    :param wet: whether it is raw flesh, which glistens.
    """

    place: tuple[float, float, float]
    radius: NotNegative
    color: Color
    strength: Fraction
    wet: bool = False

    def cover(self, points: np.ndarray) -> np.ndarray:
        """How much of it there is at points (N, 3), 0..1, (N,)."""
        away = points - np.array(self.place, np.float32)
        uneven = np.sin(away @ np.array([1.9, 1.3, 0.7]) * 2 / self.radius) * np.sin(away[:, 1] * 3 / self.radius)
        inside = (1.15 - np.linalg.norm(away, axis=1) / self.radius - 0.15 * uneven) / 0.3
        return np.asarray(np.clip(inside, 0, 1))


def patched(points: np.ndarray, colors: np.ndarray, patches: tuple[Patch, ...]) -> np.ndarray:
    """Colors (V, 3) of points (V, 3) under patches, which cover each other in their order; float32 linear RGB."""
    for patch in patches:
        covered = patch.strength * patch.cover(points)[:, None]
        colors = colors + covered * (np.array(patch.color) - colors)
    return np.asarray(colors, np.float32)


def base(tone: float) -> np.ndarray:
    """The linear RGB (3,) of a tone from 0, the fairest, to 1; between the rows of :data:`TONES` they are mixed."""
    return np.array([np.interp(tone * (len(TONES) - 1), np.arange(len(TONES)), column) for column in TONES.T])


def hair_color(rng: np.random.Generator, tone: float) -> tuple[float, float, float]:
    """Linear RGB of the hair of somebody with skin of a tone: black to blond, or grey; blond on fair skin alone."""
    light = float(rng.uniform(0.0, 0.25) * max(0.0, 1 - 2 * tone)) + 0.012
    green, blue = (0.97, 0.93) if rng.random() < 0.2 else (0.72, 0.45)
    return light, green * light, blue * light


def colors(mesh: HandMesh | FootMesh, tone: float) -> np.ndarray:
    """The skin's colour at every vertex.

    :param tone: as :func:`base`.
    :returns: (V, 3) float32 linear RGB.
    :raises ValueError: if ``tone`` is outside 0..1.
    """
    if not 0 <= tone <= 1:
        raise ValueError(f"the skin tone is {tone}; it goes from 0 (fairest) to 1 (darkest)")
    plain = base(tone)
    palm, crease, nail = mesh.palm[:, None], mesh.crease[:, None], mesh.nail[:, None]
    color = plain + palm * (_palm_tone(plain) - plain)
    blood, pigment = (_mottling(mesh.vertices.tobytes(), seed) for seed in (0, 1))
    color = color * (1 + 0.07 * pigment[:, None]) * (1 + (0.4 + palm) * blood[:, None] * [0.015, -0.045, -0.04])
    color = color * (1 - crease * np.array([0.32, 0.42, 0.44]))
    color = color + nail * (_nail_tone(plain) - color)
    return np.clip(color, 0, 1).astype(np.float32)


def _palm_tone(base: np.ndarray) -> np.ndarray:
    """The palm has little pigment whatever the tone, so the darker the hand the more it differs."""
    pink = np.array([0.66, 0.37, 0.27])
    fraction = 0.32 + 0.16 * (1 - base[0] / TONES[0, 0])
    return np.maximum(base + fraction * (pink - base), base * [1.06, 1.0, 1.03])


def _nail_tone(base: np.ndarray) -> np.ndarray:
    pink = np.array([0.72, 0.45, 0.39])
    return base + 0.5 * (pink - base)


@lru_cache(maxsize=64)
def _mottling(points: bytes, seed: int) -> np.ndarray:
    """Smooth irregularity in -1..1, (V,): a few waves in fixed directions, 8 to 40 mm long; kept for every hand shape.

    :param points: (V, 3) float32, as bytes.
    """
    rng = np.random.default_rng(seed)
    vertices = np.frombuffer(points, np.float32).reshape(-1, 3)
    total = np.zeros(len(vertices))
    for _ in range(24):
        direction = rng.normal(size=3)
        wave = direction / np.linalg.norm(direction) * 2 * np.pi / rng.uniform(0.008, 0.04)
        total += np.sin(vertices @ wave + rng.uniform(0, 2 * np.pi))
    return np.clip(total / np.sqrt(24), -1.5, 1.5) / 1.5
