"""Gloves as they are sold: kinds, colours and sizes. What one does to the hand's surface is :mod:`glove_mesh`'s.

Thicknesses, cuffs and colours are chosen by eye after photographs and shops' descriptions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from generator.hand.vectors import Color, Fraction, NotNegative, Number, one_of, within
from generator.maths import srgb_to_linear, triple

FINISHES = ("rubber", "knit", "leather", "fabric", "wool")
"""Materials of gloves. Rubber stands for nitrile, latex, vinyl and coatings."""

PATCHES = ("none", "palm", "dip", "back", "knuckles")
"""Parts of gloves that differ: ``palm`` is palm and pads, ``dip`` the palmar half and all fingertips, ``knuckles`` a
guard that stands out."""


@dataclass(frozen=True)
class Glove:
    """One glove, decided; its fields are plain JSON values.

    :param finish: material of its larger part; ``patch_finish`` that of its patch.
    :param color: linear RGB of the larger part; ``patch_color`` of the patch, ``cuff_color`` of the cuff.
    :param patch: which part differs.
    :param thickness: how far it stands off the skin, metres.
    :param smoothing: rounds of smoothing of the skin underneath: what a thick glove hides.
    :param tip: how much longer than the fingers it is, metres.
    :param cuff: how far it reaches below the wrist crease, metres.
    :param flare: how much wider than the arm the cuff's end is, as a fraction of the arm's girth; below 0 narrower.
    :param slack: how far the cuff stands off the arm, metres.
    :param fingers: fraction of each finger that is covered, 1 is all of it.
    :param wrinkle: height of its folds, metres.
    :param opacity: 1 hides the skin; less lets its colour through.
    :param roughness: of the finish, 0 mirror to 1 matte; ``patch_roughness`` of the patch.
    :param dirt: 0 clean to 1.
    :param print_color: linear RGB of what is printed on the back, None where nothing is.
    :param seam: whether seams run along the fingers.
    :param seed: of folds, dirt and texture.
    :param under: linear RGB of another glove under it, None without one.
    :param under_cuff: how far that one's cuff reaches beyond, metres.
    """

    kind: Annotated[str, one_of(KINDS)]
    finish: Annotated[str, one_of(FINISHES)]
    color: Color
    patch: Annotated[str, one_of(PATCHES)] = "none"
    patch_finish: Annotated[str, one_of(FINISHES)] = "rubber"
    patch_color: Color = (0.1, 0.1, 0.1)
    cuff_color: Color = (0.5, 0.5, 0.5)
    thickness: NotNegative = 0.0003
    smoothing: Annotated[int, within(0, 100)] = 2
    tip: NotNegative = 0.0
    cuff: NotNegative = 0.06
    flare: Annotated[float, within(-1, np.inf)] = 0.0
    slack: NotNegative = 0.001
    fingers: Fraction = 1.0
    wrinkle: NotNegative = 0.0
    opacity: Fraction = 1.0
    roughness: Fraction = 0.5
    patch_roughness: Fraction = 0.5
    dirt: Fraction = 0.0
    print_color: Color | None = None
    seam: bool = False
    seed: Number = 0
    under: Color | None = None
    under_cuff: NotNegative = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator, kind: str = "random") -> Glove:
        """Draw a glove of a kind, or of any kind as often as people are photographed in it.

        :raises ValueError: if there is no such kind.
        """
        if kind == "random":
            kind = str(rng.choice(list(KINDS), p=_FREQUENCY))
        if kind not in KINDS:
            raise ValueError(f"there is no glove {kind!r}; the kinds are {', '.join(KINDS)}")
        return _draw(kind, KINDS[kind], rng)


@dataclass(frozen=True)
class Kind:
    """What gloves of a kind have in common; pairs are ranges, lengths in millimetres.

    :param frequency: how often it is drawn, relative to the others.
    :param colors: hexadecimal sRGB, each as likely as the others; ``patches`` those of the patch and of the cuff.
    :param patch: the patches it may have.
    """

    frequency: float
    finish: str
    colors: tuple[str, ...]
    thickness: tuple[float, float]
    smoothing: int
    cuff: tuple[float, float]
    tip: tuple[float, float] = (0.0, 0.5)
    flare: tuple[float, float] = (0.0, 0.05)
    slack: tuple[float, float] = (0.3, 1.5)
    wrinkle: tuple[float, float] = (0.1, 0.35)
    roughness: tuple[float, float] = (0.3, 0.6)
    opacity: tuple[float, float] = (1.0, 1.0)
    patch: tuple[str, ...] = ("none",)
    patches: tuple[str, ...] = ("20201f",)
    patch_finish: str = "rubber"
    fingers: tuple[float, float] = (1.0, 1.0)
    seam: bool = False


_BLUES = ("2f7fd6", "2a62c4", "3c53b0", "5a6fd0", "7db7e8", "4aa3df", "2f7fd6", "6577c9")
_MUTED = ("1b1b1d", "3a3a3d", "6e6f72", "b9b7b1", "e6e3dc", "23304a", "5a3b2a", "7a2530", "31503a", "8b6f4a")
_BRIGHT = ("f0c419", "e94f37", "ef7d22", "2f8f4e", "1f6fb2", "d23b7b", "c9e62c", "7b3fa0", "f29bb7", "29b6c6")

KINDS: dict[str, Kind] = {
    "nitrile": Kind(
        5.0, "rubber",
        (*_BLUES, "17181b", "17181b", "7a54a8", "6b4fa0", "3f9f80", "f07f2e", "e79ab9", "eceff0", "8a8f96"),
        (0.15, 0.45), 3, (40, 95), wrinkle=(0.15, 0.5), roughness=(0.38, 0.7), opacity=(0.93, 1.0),
    ),
    "latex": Kind(
        1.6, "rubber", ("efe3c6", "e9d8b4", "f3ead8", "eadfca", "f1ede3"),
        (0.15, 0.4), 3, (40, 90), wrinkle=(0.15, 0.5), roughness=(0.4, 0.7), opacity=(0.72, 0.95),
    ),
    "vinyl": Kind(
        0.8, "rubber", ("eef0ee", "e3eaf0", "cfe0f2"),
        (0.5, 1.4), 5, (35, 80), wrinkle=(0.5, 1.1), roughness=(0.12, 0.3), opacity=(0.3, 0.6), slack=(3, 8),
    ),
    "surgical": Kind(
        0.8, "rubber", ("e8d9bd", "b89b70", "8a6a4a", "6f9c7e", "efe9dc"),
        (0.2, 0.4), 3, (80, 140), wrinkle=(0.15, 0.4), roughness=(0.4, 0.65), opacity=(0.88, 1.0),
    ),
    "household": Kind(
        1.6, "rubber", ("f4c61f", "f4c61f", "f2d13c", "e86c90", "2f9c62", "2f72c2", "ef8232", "d8413a", "1d1d1f"),
        (0.8, 1.6), 10, (70, 150), (1, 4), (0.15, 0.5), (2, 7), (0.3, 0.9), (0.22, 0.5),
    ),
    "dipped": Kind(
        2.6, "knit", ("e9e7e0", "e9e7e0", "b8b9b9", "5c5e61", "1e1f21", "d7e532", "f08a28", "2d6fb7", "4d8b50"),
        (0.9, 1.8), 10, (30, 65), (0.5, 2.5), (-0.02, 0.1), (0.3, 1.5), (0.2, 0.6), (0.7, 0.95),
        patch=("dip", "dip", "palm"), patches=("5d6165", "1b1c1e", "2466b0", "e2702a", "3c8f4b", "c2342c", "e9e2cf"),
    ),
    "leather": Kind(
        2.4, "leather",
        ("d9b36c", "c99a58", "b07a42", "7a4a2a", "5a3620", "a7a49b", "cfc9bb", "1f1c1a", "e3c777", "8f887c"),
        (1.4, 2.6), 16, (35, 90), (2, 6), (0.05, 0.4), (2, 8), (0.4, 1.1), (0.55, 0.85),
        patch=("none", "none", "palm", "back"), patches=(*_MUTED, "f0c419", "2a5fae", "c2342c"),
        patch_finish="fabric", seam=True,
    ),
    "welding": Kind(
        0.7, "leather", ("c38a3f", "8a4f26", "b5402c", "2f4f8a", "d9b36c", "6f6a60"),
        (2.2, 3.6), 24, (110, 180), (4, 9), (0.3, 0.7), (6, 16), (0.6, 1.4), (0.7, 0.95), seam=True,
    ),
    "knitted": Kind(
        1.4, "wool", (*_MUTED, *_BRIGHT),
        (1.4, 2.6), 16, (40, 90), (1, 4), (-0.02, 0.1), (0.5, 2), (0.2, 0.6), (0.9, 1.0),
    ),
    "cotton": Kind(
        1.0, "fabric", ("f2f1ec", "f2f1ec", "e9e6dc", "1c1c1e", "d8d4c8"),
        (0.5, 1.0), 6, (15, 60), (0.5, 3), (0.0, 0.15), (0.5, 3), (0.3, 0.8), (0.8, 0.95), seam=True,
    ),
    "ski": Kind(
        0.7, "fabric", (*_MUTED, "17181b", "17181b", *_BRIGHT),
        (3.5, 6.0), 40, (50, 110), (4, 10), (0.15, 0.45), (4, 10), (0.8, 1.8), (0.45, 0.8),
        patch=("palm", "palm", "back"), patches=("17181b", "3a3a3d", "8a8f96", "b07a42", *_BRIGHT[:4]),
        patch_finish="leather", seam=True,
    ),
    "motorcycle": Kind(
        0.7, "leather", ("17181b", "17181b", "1d1d20", "3a2a20", "e8e6e0", "8c2020"),
        (1.6, 2.8), 18, (20, 90), (2, 5), (0.05, 0.4), (2, 7), (0.3, 0.8), (0.4, 0.75),
        patch=("knuckles",), patches=("101012", "2a2a2d", "7c8086", "c22a26", "e8e6e0", "2a5fae"), seam=True,
    ),
    "gardening": Kind(
        1.0, "fabric", (*_BRIGHT, "e9e7e0", "6b8f5a", "a9c48a", "c7a0c0"),
        (0.9, 1.8), 10, (30, 80), (1, 4), (0.0, 0.2), (1, 4), (0.3, 0.9), (0.7, 0.95),
        patch=("dip", "palm", "palm", "none"), patches=("3c6f4b", "2a5fae", "1b1c1e", "7a7f6a", "d9b36c", "c97a94"),
        seam=True,
    ),
    "fingerless": Kind(
        0.9, "wool", (*_MUTED, *_MUTED, *_BRIGHT),
        (1.2, 2.4), 14, (10, 80), (0, 0), (0.0, 0.1), (0.5, 2), (0.2, 0.6), (0.6, 1.0),
        patch=("none", "palm"), patches=_MUTED, patch_finish="leather", fingers=(0.22, 0.62), seam=True,
    ),
}  # fmt: skip
"""Kinds of gloves by name."""

_TOTAL = np.array([kind.frequency for kind in KINDS.values()])
_FREQUENCY = _TOTAL / _TOTAL.sum()

_DISPOSABLE = ("nitrile", "latex", "vinyl", "surgical")


DOUBLED = 0.15
"""Fraction of disposable gloves that are worn over another, as surgeons do: the one under it shows a hole."""


def over_another(rng: np.random.Generator, glove: Glove) -> Glove:
    """The glove, if it is disposable and chance wants it, over another of a color that differs."""
    if glove.kind not in _DISPOSABLE or rng.random() >= DOUBLED:
        return glove
    codes = [code for kind in _DISPOSABLE for code in KINDS[kind].colors]
    others = [color for color in map(linear_rgb, codes) if np.abs(np.subtract(color, glove.color)).max() > 0.25]
    return replace(glove, under=others[int(rng.integers(len(others)))], under_cuff=float(rng.uniform(0.006, 0.035)))


WET, PRINTED = 0.08, 0.25
"""Fractions of gloves that are wet, and of those for work and for winter that have something printed on them."""


def _soaked(color: Color) -> Color:
    """Cloth and leather are darker when they are wet."""
    return color[0] * 0.6, color[1] * 0.6, color[2] * 0.6


def linear_rgb(code: str) -> Color:
    """``"f4c61f"`` as linear RGB, each 0..1."""
    return triple(srgb_to_linear(np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)]) / 255))


def _draw(name: str, kind: Kind, rng: np.random.Generator) -> Glove:
    def within(pair: tuple[float, float], scale: float = 1.0) -> float:
        return float(rng.uniform(*pair)) * scale

    def color(codes: tuple[str, ...]) -> Color:
        tint = np.array(linear_rgb(codes[int(rng.integers(len(codes)))]))
        red, green, blue = np.clip(tint * np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.04, 3)), 0.004, 0.92).tolist()
        return red, green, blue

    main, other = color(kind.colors), color(kind.patches)
    disposable = name in _DISPOSABLE
    wet = rng.random() < WET
    printed = not disposable and rng.random() < PRINTED
    same_cuff = disposable or rng.random() < 0.5
    return Glove(
        kind=name,
        finish=kind.finish,
        color=_soaked(main) if wet and kind.finish != "rubber" else main,
        patch=str(rng.choice(kind.patch)),
        patch_finish=kind.patch_finish,
        patch_color=other,
        cuff_color=main if same_cuff else color((*kind.patches, *kind.colors)),
        thickness=within(kind.thickness, 1e-3),
        smoothing=kind.smoothing,
        tip=within(kind.tip, 1e-3),
        cuff=within(kind.cuff, 1e-3),
        flare=within(kind.flare),
        slack=within(kind.slack, 1e-3),
        fingers=within(kind.fingers),
        wrinkle=within(kind.wrinkle, 1e-3),
        opacity=within(kind.opacity),
        roughness=within(kind.roughness) * (0.35 if wet else 1.0),
        patch_roughness=float(rng.uniform(0.3, 0.85)),
        dirt=float(rng.beta(0.3, 6.0) if disposable else rng.beta(0.5, 2.0)),
        print_color=color((*_MUTED[:2], "e8e6e0", "c2342c", "1f6fb2")) if printed else None,
        seam=kind.seam,
        seed=int(rng.integers(2**31)),
    )
