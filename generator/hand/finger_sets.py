"""The fingers and the wrist of the pose sets ``fingers``, ``signs``, ``gestures`` and ``grasps``: drawn, not swept.

Each is a plausible draw of its own for every frame, from random numbers keyed by the set's name, so a set is the same
poses everywhere. Couplings of the fingers follow Lin, Wu & Huang, Modeling the Constraints of Human Hand Motion (2000):
a DIP joint goes with its PIP joint by about two thirds, neighbours pull each other along, and a bent finger spreads
less. Letters and digits are those of the American Sign Language's manual alphabet and, where they differ, the German
one's (thumb as one, thumb and index finger as two), as far as they are held still.
"""

from __future__ import annotations

import zlib

import numpy as np

from generator.hand import pose
from generator.hand.grasp_poses import GRASPS
from generator.hand.pose_presets import PRESETS

SETS = ("fingers", "signs", "gestures", "grasps")
"""The sets' names."""

WRIST = slice(6, 8)
_FINGERS, _WRIST_AND_FINGERS = slice(8, 28), slice(6, 28)
_LOWEST, _HIGHEST = pose.LIMITS[_WRIST_AND_FINGERS].T

# MCP flexion, PIP, DIP of a long finger, degrees.
_BENDS = {
    "S": (1, 4, 2),  # straight
    "F": (85, 99, 57),  # in the fist
    "H": (4, 92, 50),  # hooked
    "X": (22, 78, 42),  # half hooked
    "C": (30, 42, 22),  # curved
    "O": (50, 55, 27),  # to the thumb's tip
    "B": (78, 8, 4),  # bent at the knuckle
    "D": (62, 66, 34),  # down to the thumb
    "P": (40, 56, 28),  # to the tip of a thumb before it
    "K": (38, 6, 3),  # forward
    "R": (20, 10, 5),  # crossed before its neighbour
    "E": (38, 100, 60),  # folded down
}
# CMC flexion, CMC abduction, MCP, IP of the thumb, degrees.
_THUMBS = {
    "out": (-16, 2, 0, -5),
    "up": (-14, -6, 0, -8),
    "side": (6, -4, 4, 4),
    "front": (27, 16, 2, 52),
    "palm": (57, 6, 25, 75),
    "tip": (28, 17, 2, 15),
    "far": (40, 30, 12, 22),
    "hold": (35, 18, 34, 34),
    "wide": (6, 34, 14, 16),
    "under": (21, 12, 37, 27),
}
_CLOSED, _OPEN, _CROSSED = (6, 2, 0, -4), (-10, -4, 1, 9), (2, 1, 7, -8)
"""Abduction of little to index finger: side by side, spread, index and middle finger towards each other."""

# Little, ring, middle, index finger; thumb; spread (closed "c", open "o", crossed "x"); wrist flexion and deviation.
_SIGNS: dict[str, tuple[str, str, str, tuple[float, float]]] = {
    "a": ("FFFF", "side", "c", (0, 0)),
    "b": ("SSSS", "palm", "c", (-8, 0)),
    "c": ("CCCC", "wide", "c", (0, 5)),
    "d": ("DDDS", "tip", "c", (0, 0)),
    "e": ("EEEE", "far", "c", (0, 0)),
    "f": ("SSSP", "tip", "o", (0, 0)),
    "g": ("FFFB", "side", "c", (10, 0)),
    "h": ("FFSS", "hold", "c", (15, 0)),
    "i": ("SFFF", "front", "c", (0, 0)),
    "k": ("FFKS", "side", "o", (0, 0)),
    "l": ("FFFS", "out", "c", (0, 0)),
    "m": ("FBBB", "far", "c", (0, 0)),
    "n": ("FFBB", "under", "c", (0, 0)),
    "o": ("OOOO", "tip", "c", (0, 0)),
    "p": ("FFKS", "side", "o", (55, 0)),
    "q": ("FFFB", "side", "c", (50, 0)),
    "r": ("FFRS", "hold", "x", (0, 0)),
    "s": ("FFFF", "front", "c", (0, 0)),
    "t": ("FFFX", "under", "c", (0, 0)),
    "u": ("FFSS", "hold", "c", (0, 0)),
    "v": ("FFSS", "hold", "o", (0, 0)),
    "w": ("DSSS", "far", "o", (0, 0)),
    "x": ("FFFX", "front", "c", (0, 0)),
    "y": ("SFFF", "out", "o", (0, -5)),
    "1": ("FFFS", "under", "c", (0, 0)),
    "3": ("FFSS", "out", "o", (0, 0)),
    "4": ("SSSS", "palm", "o", (0, 0)),
    "5": ("SSSS", "out", "o", (0, 0)),
    "7": ("SDSS", "far", "o", (0, 0)),
    "8": ("SSDS", "tip", "o", (0, 0)),
    "10": ("FFFF", "up", "c", (0, -8)),
    "flat o": ("BBBB", "tip", "c", (0, 0)),
    "bent v": ("FFXX", "hold", "o", (0, 0)),
    "bent 5": ("XXXX", "wide", "o", (0, 0)),
    "i love you": ("SFFS", "out", "o", (0, 0)),
    "open 8": ("SSKS", "out", "o", (0, 0)),
}  # fmt: skip

_GESTURES: dict[str, tuple[float, float, float]] = {
    # Preset: how often relative to the others, wrist flexion, deviation.
    "open": (3, -15, 0), "five": (3, -20, 0), "flat": (3, -10, 0), "relaxed": (3, 10, -5), "fist": (3, -15, 0),
    "point": (3, 0, -5), "one": (1, 0, 0), "two": (2, 0, 0), "three": (1, 0, 0), "four": (1, 0, 0), "ok": (2, -5, 0),
    "thumb_up": (3, -5, 5), "horns": (1, 0, 0), "call": (1, 0, 0), "pinch": (2, 10, 0), "key": (1, 0, 0),
    "claw": (1, -15, 0), "hook": (1, 0, 0), "grasp": (2, -15, 0), "oppose": (1, 0, 0),
}  # fmt: skip


def draw(name: str, count: int) -> np.ndarray:
    """v7..v28 of a set's frames, (count, 22) radians: wrist flexion and deviation, then little finger to thumb.

    :param name: one of :data:`SETS`.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = {"fingers": _free, "signs": _signs, "gestures": _gestures, "grasps": _grasps}[name](rng, count)
    return np.clip(drawn, _LOWEST + 1e-6, _HIGHEST - 1e-6)


def signs() -> dict[str, np.ndarray]:
    """The poses (28,) of the letters and digits, as they are taught."""
    return {name: _sign(name) for name in _SIGNS}


def _sign(name: str) -> np.ndarray:
    bends, thumb, spread, wrist = _SIGNS[name]
    abduction = {"c": _CLOSED, "o": _OPEN, "x": _CROSSED}[spread]
    digits = []
    for letter, aside in zip(bends, abduction, strict=True):
        mcp, pip, dip = _BENDS[letter]
        digits.append((mcp, aside * (1 - mcp / 100), pip, dip))
    return pose.from_degrees(np.concatenate([np.zeros(6), wrist, *digits, _THUMBS[thumb]]))


def _signs(rng: np.random.Generator, count: int) -> np.ndarray:
    keys = np.stack([_sign(name)[_WRIST_AND_FINGERS] for name in _SIGNS])
    return _shown(rng, keys, np.full(len(keys), 1 / len(keys)), count)


def _gestures(rng: np.random.Generator, count: int) -> np.ndarray:
    keys, often = [], []
    for name, (fraction, flexion, deviation) in _GESTURES.items():
        one = PRESETS[name].copy()
        one[WRIST] = np.radians([flexion, deviation])
        keys.append(one[_WRIST_AND_FINGERS])
        often.append(fraction)
    return _shown(rng, np.stack(keys), np.array(often) / np.sum(often), count)


def _grasps(rng: np.random.Generator, count: int) -> np.ndarray:
    keys = [pose.from_degrees(np.concatenate([np.zeros(8), *digits])) for digits in GRASPS.values()]
    return _shown(rng, np.stack(keys)[:, _WRIST_AND_FINGERS], np.full(len(keys), 1 / len(keys)), count)


_BETWEEN = 0.3
"""Fraction of the frames that are on the way from one sign, gesture or grasp to another."""


def _shown(rng: np.random.Generator, keys: np.ndarray, often: np.ndarray, count: int) -> np.ndarray:
    """Key poses (K, 22) as different people show them: some on the way to another, none exactly."""
    start, end = (keys[rng.choice(len(keys), count, p=often)] for _ in range(2))
    way = np.where(rng.random(count) < _BETWEEN, rng.uniform(size=count), 0.0)[:, None]
    shown = start + way * (end - start)
    own = np.radians(np.abs(rng.normal(0, 1.0, (count, 1))))  # how much one's own way differs
    noise = rng.normal(size=(count, 22)) * own
    noise[:, :2] = rng.normal(size=(count, 2)) * np.radians([14.0, 6.0])
    bent = noise[:, 2:18].reshape(count, 4, 4)
    bent *= [4.0, 2.0, 6.0, 2.0]
    bent[..., 3] += 0.5 * bent[..., 2]
    noise[:, 18:] *= [2.5, 2.5, 3.0, 5.0]
    return shown + noise


def _free(rng: np.random.Generator, count: int) -> np.ndarray:
    """Any plausible fingers: one hand's curl and spread, every finger's own, the thumb somewhere before or beside."""
    curl = rng.beta(0.8, 1.1, (count, 1))
    own = curl + rng.normal(size=(count, 4)) * np.exp(rng.uniform(np.log(0.03), np.log(0.45), (count, 1)))
    pulled = 0.5 * own + 0.25 * (np.roll(own, 1, 1) + np.roll(own, -1, 1))
    pulled[:, [0, 3]] = 0.75 * own[:, [0, 3]] + 0.25 * own[:, [1, 2]]  # little and index finger have one neighbour
    alone = rng.random((count, 4)) < [0.12, 0.04, 0.06, 0.2]  # index and little finger have extensors of their own
    own = np.clip(np.where(alone, rng.random((count, 4)) < 0.7, 1 - np.clip(pulled, 0, 1)), 0, 1)
    closed = 1 - own
    lean = rng.normal(0, 0.22, (count, 1)) + rng.normal(0, 0.08, (count, 4))
    mcp = np.radians(-12 + 100 * np.clip(closed + lean, 0, 1))
    pip = np.radians(-2 + 104 * np.clip(closed - lean, 0, 1))
    dip = (0.6 + rng.normal(0, 0.06, (count, 4))) * pip
    spread = np.array(_CLOSED) + rng.uniform(0, 1.2, (count, 1)) * (np.array(_OPEN) - _CLOSED)
    spread = np.radians(spread + rng.normal(0, 2.0, (count, 4))) * (1 - 0.85 * np.clip(mcp / np.radians(90), 0, 1))
    long_ = np.stack([mcp, spread, pip, dip], axis=-1).reshape(count, 16)
    mix = rng.dirichlet(np.full(len(_THUMBS), 0.35), count) @ np.radians(list(_THUMBS.values()))
    thumb = mix + rng.normal(size=(count, 4)) * np.radians([4, 4, 5, 8])
    extended = np.radians(-20) * curl[:, 0]  # tenodesis: a wrist goes back as the fist closes
    wrist = np.stack([extended + np.radians(rng.normal(5, 22, count)), np.radians(rng.normal(-4, 9, count))], axis=-1)
    return np.concatenate([wrist, long_, thumb], axis=1)
