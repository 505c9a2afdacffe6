"""Hand poses people have names for, as poses of the fingers with the arm at rest."""

from __future__ import annotations

import numpy as np

from generator.pose import with_angles

_STRAIGHT = (0.0, 0.0, 0.0)
_FOLDED = (82.0, 95.0, 55.0)
_LONG_FINGERS = ("index", "middle", "ring", "little")
_SPREAD = {"index": 12.0, "middle": 2.0, "ring": -8.0, "little": -16.0}


def _hand(
    fingers: dict[str, tuple[float, float, float]],
    thumb: tuple[float, float, float, float],
    spread: float = 0.0,
) -> np.ndarray:
    """A pose from MCP, PIP and DIP flexion of each finger, the thumb's four, and how far the fingers are spread."""
    angles: dict[str, float] = {}
    for finger, (mcp, pip, dip) in fingers.items():
        angles |= {f"{finger}_mcp_flexion": mcp, f"{finger}_pip_flexion": pip, f"{finger}_dip_flexion": dip}
        angles[f"{finger}_mcp_abduction"] = spread * _SPREAD[finger]
    for name, value in zip(("cmc_flexion", "cmc_abduction", "mcp_flexion", "ip_flexion"), thumb, strict=True):
        angles[f"thumb_{name}"] = value
    return with_angles(**angles)


def _raised(*straight: str, thumb: tuple[float, float, float, float], spread: float = 0.0) -> np.ndarray:
    """The named fingers straight, the others folded."""
    return _hand({f: _STRAIGHT if f in straight else _FOLDED for f in _LONG_FINGERS}, thumb, spread)


_THUMB_OUT = (0.0, 0.0, 0.0, 0.0)
_THUMB_OVER = (30.0, 35.0, 40.0, 45.0)

PRESETS: dict[str, np.ndarray] = {
    "bind": with_angles(),
    "open": _raised(*_LONG_FINGERS, thumb=_THUMB_OUT),
    "five": _raised(*_LONG_FINGERS, thumb=(-15.0, 0.0, 0.0, 0.0), spread=1.0),
    "four": _raised(*_LONG_FINGERS, thumb=(40.0, 30.0, 30.0, 40.0), spread=0.5),
    "three": _raised("index", "middle", "ring", thumb=_THUMB_OVER, spread=0.6),
    "two": _raised("index", "middle", thumb=_THUMB_OVER, spread=1.0),
    "point": _raised("index", thumb=_THUMB_OVER),
    "fist": _raised(thumb=_THUMB_OVER),
    "thumb_up": _raised(thumb=(-15.0, 0.0, -5.0, -5.0)),
    "relaxed": _hand({f: (22.0, 28.0, 14.0) for f in _LONG_FINGERS}, (10.0, 10.0, 10.0, 10.0)),
    "claw": _hand({f: (5.0, 60.0, 40.0) for f in _LONG_FINGERS}, (0.0, 15.0, 10.0, 40.0), spread=0.6),
    "flat": _hand({f: (0.0, 0.0, 0.0) for f in _LONG_FINGERS}, (15.0, 0.0, 0.0, 0.0), spread=-0.2),
    "pinch": _hand(
        {"index": (45.0, 50.0, 25.0), **{f: (50.0, 60.0, 30.0) for f in _LONG_FINGERS[1:]}}, (25.0, 40.0, 10.0, 20.0)
    ),
    "ok": _hand(
        {"index": (45.0, 50.0, 25.0), **{f: (5.0, 8.0, 4.0) for f in _LONG_FINGERS[1:]}},
        (25.0, 40.0, 10.0, 20.0),
        spread=0.5,
    ),
}
"""By name, (28,) radians: bind, open, the digit signs, fist, pointing, pinch and what lies around them."""
