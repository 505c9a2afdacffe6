"""One person's skin, nails and what is drawn on them: what is decided of it, and its maps over the hand's vertices.

Tones, and where blood, pigment, veins and spots show, are chosen by eye after photographs of hands. Indoor scenes
are rendered with it; before a plain background the hand has the colors of :mod:`generator.mesh.skin_color`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Annotated

import numpy as np

from generator.hand.pose import FINGERS
from generator.hand.vectors import Color, Fraction, NotNegative, Number, one_of, within
from generator.maths import smoothstep
from generator.mesh import hand_mesh, skin_color, skin_features
from generator.mesh.gloves import linear_rgb
from generator.mesh.hand_chart import hand_chart
from generator.mesh.sdf import HALF_BREADTH
from generator.mesh.skin_weights import segment_distance

SEEDS = 64
"""How many people's irregularities there are: each is worked out once and kept."""

DRAWINGS = ("none", "tattoo", "henna", "dirt", "paint")
BANDS = ("none", "plaster", "tape", "markers")


@dataclass(frozen=True)
class SkinLook:
    """One person's skin, decided; its fields are plain JSON values.

    :param tone: 0 fairest to 1 darkest.
    :param warmth: -1 olive to 1 pink.
    :param blood: how red knuckles, finger ends and the palm are, 0 to 1.
    :param age: 0 child to 1 old: veins, spots, wrinkles.
    :param oil: 0 dry to 1 shining.
    :param crease: how dark the folds are, 0 to 1.
    :param nail: length of the nails' free edge, metres.
    :param polish: linear RGB of nail polish, None without.
    :param drawing: what is drawn on it in ``ink``.
    :param band: what is around fingers or on joints in ``band_color``.
    :param hair: how dense hair is on the arm, 0 to 1; there is less of it on the back of the hand and the fingers.
    :param hair_color: linear RGB.
    :param seed: of all irregularity, 0 to :data:`SEEDS` - 1 where it is drawn.
    """

    tone: Fraction
    warmth: Annotated[float, within(-1, 1)] = 0.0
    blood: Fraction = 0.4
    age: Fraction = 0.3
    oil: Fraction = 0.4
    crease: Fraction = 0.6
    nail: NotNegative = 0.001
    polish: Color | None = None
    drawing: Annotated[str, one_of(DRAWINGS)] = "none"
    ink: Color = (0.02, 0.025, 0.04)
    band: Annotated[str, one_of(BANDS)] = "none"
    band_color: Color = (0.6, 0.4, 0.25)
    hair: Fraction = 0.0
    hair_color: Color = (0.03, 0.02, 0.015)
    seed: Number = 0

    @classmethod
    def random(cls, rng: np.random.Generator, tone: float, adorned: float = 0.25) -> SkinLook:
        """Draw a person's skin of this tone, 0..1.

        :param adorned: 0..1; of this fraction of the hands 0.8 have polish, 0.5 a drawing and 0.5 a band.
        """
        fraction = rng.random(3)
        drawing = DRAWINGS[1 + int(rng.choice(4, p=[0.4, 0.2, 0.25, 0.15]))]
        band = BANDS[1 + int(rng.choice(3, p=[0.5, 0.3, 0.2]))]
        polish, ink, band_color = _polish(rng), _ink(rng, drawing), _band_color(rng, band)
        painted = bool(fraction[0] < 0.8 * adorned)
        return cls(
            tone=float(tone),
            warmth=float(np.clip(rng.normal(0, 0.45), -1, 1)),
            blood=float(rng.beta(2, 2)),
            age=float(rng.beta(1.6, 2.2)),
            oil=float(rng.beta(1.8, 2.2)),
            crease=float(rng.uniform(0.3, 1.0)),
            nail=float(rng.uniform(0.0004, 0.0025) + (rng.exponential(0.0015) if painted else 0.0)),
            polish=polish if painted else None,
            drawing=drawing if fraction[1] < 0.5 * adorned else "none",
            ink=ink,
            band=band if fraction[2] < 0.5 * adorned else "none",
            band_color=band_color,
            seed=int(rng.integers(SEEDS)),
            hair=float(rng.beta(1.2, 1.5)) if rng.random() < 0.5 else 0.0,
            hair_color=skin_color.hair_color(rng, tone),
        )

    def of_child(self) -> SkinLook:
        """The same skin in childhood: smooth, without veins, hair, tattoo or polish."""
        return replace(
            self,
            age=0.1 * self.age,
            blood=0.3 + 0.7 * self.blood,
            crease=0.5 * self.crease,
            nail=min(self.nail, 0.0008),
            polish=None,
            drawing="none" if self.drawing == "tattoo" else self.drawing,
            hair=0.0,
        )


@dataclass(frozen=True)
class SkinMaps:
    """Values at the hand's V vertices, float32."""

    color: np.ndarray
    """(V, 3) linear RGB."""
    roughness: np.ndarray
    """(V,) 0 mirror to 1 matte."""
    bumps: np.ndarray
    """(V,) how strong the skin's fine relief is; 0 on nails."""
    vein: np.ndarray
    """(V,) mm from the nearest vein's axis."""
    nail: np.ndarray
    """(V, 3): across the nail (-1..1 at its edges), along it (-1 root, 1 end), and mm outside it (negative on it)."""
    drawing: np.ndarray
    """(V,) mm inside the area that is drawn on; negative outside."""
    band: np.ndarray
    """(V,) mm inside a plaster, tape or marker; negative outside."""
    hair: np.ndarray
    """(V,) where hair grows on people who have it, 0 to 1."""


@dataclass(frozen=True)
class _Person:
    """What is irregular about one person's skin, (V,) each; independent of tone and age."""

    blotches: np.ndarray
    pigment: np.ndarray
    fine: np.ndarray
    spots: np.ndarray
    vein: np.ndarray


@lru_cache(maxsize=SEEDS)
def _person(seed: int) -> _Person:
    rng = np.random.default_rng(seed)
    blotches, pigment, fine = (_waves(rng, lengths) for lengths in ((10, 45), (4, 14), (6, 18)))
    values = (blotches, pigment, fine, _spots(rng), _veins(rng))
    return _Person(*(np.asarray(value, np.float32) for value in values))


def skin_maps(look: SkinLook) -> SkinMaps:
    """The maps of a look, over the vertices of the built-in hand, which are the same for every shape."""
    fixed, person = _fixed(), _person(look.seed)
    rng = np.random.default_rng((look.seed, 1))
    palmar = smoothstep(fixed.palm + 0.10 * person.fine, 0.25, 0.8)
    color = _base(look)
    color = color + palmar[:, None] * (_palm_tone(look, color) - color)
    warm = look.blood * (0.5 * fixed.knuckle + 0.55 * fixed.finger_end + 0.30 * palmar)
    warm += 0.22 * person.blotches * (0.4 + palmar)
    dark = 0.45 * look.tone * fixed.knuckle * (1 - palmar)
    fold = fixed.crease * (0.75 + 0.35 * person.fine) * look.crease
    old = np.float32(max(look.age - 0.4, 0) / 0.6)
    stained = smoothstep(person.pigment + 0.5 * person.fine, 1.3, 1.9)  # what the sun leaves over decades
    spot = np.maximum(person.spots * (0.25 + 0.75 * old), 0.9 * old * stained) * (1 - palmar)
    factor = [1 + 0.06 * warm, 1 - 0.10 * warm, 1 - 0.08 * warm]
    for channel, (by_dark, by_fold, by_spot) in enumerate(((0.45, 0.22, 0.45), (0.5, 0.36, 0.55), (0.5, 0.38, 0.6))):
        factor[channel] *= (1 - by_dark * dark) * (1 - by_fold * fold) * (1 - by_spot * spot)
    color = color * np.stack(factor, axis=1) * (1 + 0.04 * person.pigment[:, None])
    rough = 0.62 - 0.26 * look.oil + 0.05 * person.fine + 0.04 * palmar + fixed.rough
    bumps = (
        (0.45 + 0.7 * look.age + 0.5 * fixed.knuckle)
        * min(0.35 + 4.0 * look.age, 1.0)
        * (1 - 0.55 * palmar)
        * fixed.no_nail
    )
    return SkinMaps(
        color=np.clip(color, 0.005, 0.95).astype(np.float32),
        roughness=np.clip(rough, 0.2, 0.9).astype(np.float32),
        bumps=bumps.astype(np.float32),
        vein=person.vein,
        nail=_nails(),
        drawing=_drawing(look, rng).astype(np.float32),
        band=_band(look, rng).astype(np.float32),
        hair=_hair(),
    )


@dataclass(frozen=True)
class _Fixed:
    """What all hands have at the same place, (V,) float32 each."""

    palm: np.ndarray
    crease: np.ndarray
    no_nail: np.ndarray
    knuckle: np.ndarray
    finger_end: np.ndarray
    rough: np.ndarray
    inner_arm: np.ndarray


@lru_cache(maxsize=1)
def _fixed() -> _Fixed:
    hand, chart = hand_mesh.build(), hand_chart()
    y, z = chart.rest[:, 1], chart.rest[:, 2]
    values = (
        *(hand.palm, hand.crease, 1 - hand.nail, _knuckles(), smoothstep(chart.to_tip, 22.0, 4.0)),
        *(0.1 * (z < -40), smoothstep(y, 8.0, -12.0) * smoothstep(z, 0, -60)),
    )
    return _Fixed(*(np.asarray(value, np.float32) for value in values))


def _base(look: SkinLook) -> np.ndarray:
    tint = np.array([1 + 0.02 * look.warmth, 1 - 0.05 * look.warmth, 1 + 0.04 * look.warmth])
    return (skin_color.base(look.tone) * tint).astype(np.float32) * (1 + 0.12 * _fixed().inner_arm[:, None])


def _palm_tone(look: SkinLook, color: np.ndarray) -> np.ndarray:
    """The palm has little pigment whatever the tone, so the darker the hand the more it differs."""
    pink = np.array([0.66, 0.37, 0.27], np.float32) * (1 + np.float32(look.warmth) * np.array([0.02, -0.04, 0.02], "f"))
    return color + np.float32(0.35 + 0.14 * look.tone) * (pink - color)


def _knuckles() -> np.ndarray:
    """1 over the joints of the backs of the fingers, (V,)."""
    chart, result = hand_chart(), np.zeros(len(hand_chart().rest))
    for digit, places in enumerate(chart.joints):
        half = HALF_BREADTH[FINGERS[digit]]
        for strength, place in zip((0.8, 1.0, 0.7), (0.0, *places[:-1]), strict=False):
            patch = np.exp(-(((chart.along - place) / 6.5) ** 2) - (chart.side / (0.9 * half)) ** 2)
            result = np.maximum(result, (chart.digit == digit) * strength * patch * smoothstep(chart.back, 0.0, 4.0))
    return result


def _spots(rng: np.random.Generator) -> np.ndarray:
    """Moles, freckles and the spots of age on the back, 0..1."""
    rest = hand_chart().rest
    count = int(rng.integers(2, 26))
    result = np.zeros(len(rest))
    about = rest[rng.choice(np.flatnonzero((_fixed().palm < 0.2) & (rest[:, 2] > -150)), count)]
    size, strength = rng.uniform(0.9, 2.6, count), rng.uniform(0.15, 0.7, count)
    for place, radius, dark in zip(about, size, strength, strict=True):
        far = ((rest - place) ** 2).sum(axis=1)
        result = np.maximum(result, dark * np.exp(-far / radius**2))
    return result


_VEINS = (
    ((-26, 70), (-22, 52), (-14, 38), (-12, 20), (-16, 0), (-14, -40), (-10, -90)),
    ((-6, 76), (-8, 58), (-14, 38)),
    ((14, 76), (10, 60), (2, 46), (-4, 32), (-12, 20)),
    ((26, 60), (22, 40), (20, 22), (24, 4), (22, -30), (14, -80), (10, -140)),
    ((2, 46), (12, 34), (20, 22)),
)
"""Axes of the veins on the back, (x, z) mm."""


def _veins(rng: np.random.Generator) -> np.ndarray:
    rest = hand_chart().rest
    seen = np.flatnonzero((rest[:, 1] > 3) & (rest[:, 2] < 82) & (rest[:, 2] > -150) & (hand_chart().digit < 0))
    points, nearest = rest[seen][:, [0, 2]], np.full(len(seen), 100.0)
    shift = rng.normal(0, 3.5, (9, 9, 2))
    bend = 1.8 * np.sin(points[:, ::-1] / rng.uniform(5, 9, 2) + rng.uniform(0, 6.3, 2))
    for line in _VEINS:
        # Where two lines meet they are moved alike: the shift belongs to the place.
        moved = [np.array(p) + shift[int(p[0] // 12) % 9, int(p[1] // 24) % 9] for p in line]
        for a, b in pairwise(moved):
            nearest = np.minimum(nearest, segment_distance(points + bend, a, b))
    result = np.full(len(rest), 100.0)
    result[seen] = np.minimum(nearest + 1.5 * smoothstep(rest[seen, 1], 9, 3), 100.0)
    return result


@lru_cache(maxsize=1)
def _nails() -> np.ndarray:
    chart = hand_chart()
    result = np.full((len(chart.rest), 3), 10.0)
    for digit, finger in enumerate(FINGERS):
        ray = skin_features.digit_ray(chart.rest, finger, HALF_BREADTH[finger])
        half_width, half_length, center = ray.nail
        on = (chart.digit == digit) & (chart.along > ray.joints[-2] - 3)
        outside = skin_features.nail_distance(ray) + 8.0 * smoothstep(ray.back, 2.0, -1.0)
        result[on] = np.stack([ray.side / half_width, (ray.along - center) / half_length, outside], axis=1)[on]
    return result.astype(np.float32)


@lru_cache(maxsize=1)
def _hair() -> np.ndarray:
    """On the back of the arm, on the hand's outer half, and before the first joints of the fingers."""
    chart, fixed = hand_chart(), _fixed()
    z = chart.rest[:, 2]
    arm = smoothstep(z, 5.0, -40.0) * (1 - 0.7 * fixed.inner_arm)
    hand = 0.45 * smoothstep(chart.rest[:, 1], 0.0, 8.0) * (chart.digit < 0) * smoothstep(z, 75.0, 40.0)
    fingers = np.zeros(len(z))
    for digit, places in enumerate(chart.joints[:4]):
        center = 0.55 * places[0]
        on = (chart.digit == digit) & (chart.back > 2)
        fingers[on] = 0.5 * np.exp(-(((chart.along[on] - center) / 7.0) ** 2))
    return np.asarray(np.maximum(np.maximum(arm, hand), fingers) * (1 - fixed.palm), np.float32)


def _drawing(look: SkinLook, rng: np.random.Generator) -> np.ndarray:
    """Where it is drawn on: a part of the back, the arm or the fingers; anywhere for dirt and paint."""
    rest, chart = hand_chart().rest, hand_chart()
    if look.drawing == "none":
        return np.full(len(rest), -10.0)
    if look.drawing in ("dirt", "paint"):
        used = np.where(chart.digit >= 0, -chart.back / 8, -rest[:, 1] / 15) + smoothstep(chart.to_tip, 30, 0)
        bias = 0.0 if look.drawing == "dirt" else -1.5
        return 2.5 * _waves(rng, (12, 50)) + 1.5 * np.clip(used, -1, 1) + bias - smoothstep(rest[:, 2], -20, -80) * 6
    back = np.where(chart.digit >= 0, chart.back, rest[:, 1] - 2)
    kind = rng.random()
    if look.drawing == "henna" or kind < 0.35:
        where = np.minimum(back, np.minimum(rest[:, 2] + rng.uniform(0, 120), 200))
        if look.drawing == "tattoo":
            where = np.where(chart.digit >= 0, -5.0, where)
    elif kind < 0.65:
        center = np.array([rng.uniform(-20, 15), rng.uniform(25, 65)])
        where = np.minimum(back, rng.uniform(12, 25) - np.linalg.norm(rest[:, [0, 2]] - center, axis=1))
    elif kind < 0.85:
        start = -rng.uniform(15, 60)
        where = np.minimum(start - rest[:, 2], rest[:, 2] - start + rng.uniform(20, 200))
    else:
        on = np.isin(chart.digit, rng.choice(5, int(rng.integers(1, 4)), replace=False))
        where = np.where(on, np.minimum(chart.back, 6 - np.abs(chart.along - rng.uniform(14, 22))), -5.0)
    return where + 0.8 * _waves(rng, (8, 30))


def _band(look: SkinLook, rng: np.random.Generator) -> np.ndarray:
    """Plasters and tape around fingers, or round markers on the joints' backs."""
    chart = hand_chart()
    result = np.full(len(chart.rest), -10.0)
    if look.band == "none":
        return result
    count = 1 if look.band == "plaster" else int(rng.integers(1, 6))
    for digit in rng.choice(5, count, replace=False).tolist():
        on, places = chart.digit == digit, chart.joints[digit]
        if look.band == "markers":
            for place in (0.0, *places[:-1], places[-1] - 6):
                far = np.hypot(chart.along - place, chart.side)
                result = np.where(on & (chart.back > 0), np.maximum(result, 3.2 - far), result)
            continue
        width = rng.uniform(7, 10) if look.band == "plaster" else rng.uniform(3, 7)
        center = rng.uniform(0.25, 0.9) * places[-1]
        result = np.where(on, np.maximum(result, width - np.abs(chart.along - center)), result)
    return result


def _polish(rng: np.random.Generator) -> Color:
    codes = (
        "c0142c",
        "8f1020",
        "e33a6e",
        "f2a7b8",
        "f6d9d0",
        "141414",
        "5b2a6e",
        "2b4fa8",
        "3aa6a0",
        "e8e4dc",
        "d9b45a",
    )
    return linear_rgb(codes[int(rng.integers(len(codes)))])


def _ink(rng: np.random.Generator, drawing: str) -> Color:
    codes = {
        "tattoo": ("15181d", "1b2430", "202020", "1d2b2a"),
        "henna": ("6b2a12", "8a3b16", "4f1f10"),
        "dirt": ("2b2118", "17130f", "4a3826", "5b4a38"),
        "paint": ("2f72c2", "e9e6dc", "c8322c", "f0c419", "2f8f4e", "17181b"),
    }[drawing]
    return linear_rgb(codes[int(rng.integers(len(codes)))])


def _band_color(rng: np.random.Generator, band: str) -> Color:
    codes = {
        "plaster": ("d9a878", "e3bd98", "b98a62", "2f72c2", "e8e4dc"),
        "tape": ("e8e4dc", "17181b", "c8322c", "2f72c2", "f0c419", "2f8f4e", "e0d0a8"),
        "markers": ("e8322c", "2fae4e", "2f72f2", "f0e419", "f4f4f4", "e83ac2"),
    }[band]
    return linear_rgb(codes[int(rng.integers(len(codes)))])


def _waves(rng: np.random.Generator, lengths: tuple[float, float], count: int = 10) -> np.ndarray:
    """Smooth irregularity about -1..1, (V,), of these wavelengths in mm."""
    directions = rng.normal(size=(3, count))
    directions *= 2 * np.pi / (np.linalg.norm(directions, axis=0) * rng.uniform(*lengths, count))
    points = hand_chart().rest.astype(np.float32) @ directions.astype(np.float32)
    return np.sin(points + rng.uniform(0, 2 * np.pi, count).astype(np.float32)).sum(axis=1) / np.sqrt(count)
