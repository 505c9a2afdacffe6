"""Named shapes of the hand: what the sweep passes through and the add-on offers."""

from __future__ import annotations

import numpy as np

from generator.hand import pose

# Degrees for little, ring, middle, index, thumb, each in the pose vector's order: MCP flexion, MCP abduction, PIP
# and DIP flexion; the thumb's CMC flexion, CMC abduction, MCP and IP flexion. A DIP joint cannot be bent alone: it goes
# with its PIP joint, here by about half of that, and so it does on the ways between these poses.
_DEGREES: dict[str, tuple[tuple[int, int, int, int], ...]] = {
    "bind": ((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0)),
    "open": ((0, -10, 0, 0), (0, -5, 0, 0), (0, 1, 0, 0), (0, 9, 0, 0), (-10, 4, 0, 0)),
    "flat": ((4, 7, 4, 2), (2, 3, 4, 2), (0, 0, 4, 2), (2, -3, 4, 2), (20, -8, 5, 5)),
    "relaxed": ((34, 0, 38, 18), (30, 0, 36, 17), (25, 0, 32, 15), (18, 0, 26, 12), (14, 14, 12, 14)),
    "fist": ((85, 2, 98, 58), (86, 1, 100, 58), (86, 0, 100, 58), (82, 0, 98, 55), (27, 16, 2, 52)),
    "point": ((85, 2, 98, 58), (86, 1, 100, 58), (86, 0, 100, 58), (4, 0, 8, 4), (21, 12, 37, 27)),
    "pinch": ((12, 0, 18, 8), (18, 0, 24, 12), (28, 0, 32, 16), (58, 0, 48, 24), (23, 14, 12, 2)),
    "ok": ((-2, -6, 6, 3), (6, -3, 12, 6), (14, 0, 18, 8), (49, 0, 58, 28), (28, 17, 2, 15)),
    "key": ((70, 2, 80, 45), (68, 1, 80, 45), (64, 0, 80, 45), (55, 0, 75, 40), (30, 2, 0, 0)),
    "oppose": ((62, -14, 56, 24), (25, 0, 30, 15), (15, 0, 20, 10), (10, 2, 14, 6), (56, 30, 14, 20)),
    "one": ((85, 2, 98, 58), (86, 1, 100, 58), (86, 0, 100, 58), (0, 2, 4, 2), (21, 12, 37, 27)),
    "two": ((85, 2, 98, 58), (86, 1, 100, 58), (2, -8, 4, 2), (2, 8, 4, 2), (35, 18, 34, 34)),
    "three": ((71, 6, 88, 50), (6, -7, 6, 3), (2, 1, 4, 2), (2, 8, 4, 2), (52, 23, 24, 27)),
    "four": ((2, -8, 4, 2), (2, -3, 4, 2), (0, 2, 4, 2), (0, 7, 4, 2), (57, 6, 25, 75)),
    "five": ((-4, -16, 0, 0), (-3, -8, 0, 0), (-3, 1, 0, 0), (-4, 14, 0, 0), (-18, 8, 0, -5)),
    "thumb_up": ((85, 2, 98, 58), (86, 1, 100, 58), (86, 0, 100, 58), (82, 0, 98, 55), (-14, -6, 0, -8)),
    "horns": ((2, -8, 4, 2), (86, 1, 100, 58), (86, 0, 100, 58), (2, 6, 4, 2), (25, 16, 35, 30)),
    "call": ((0, -14, 4, 2), (86, 1, 100, 58), (86, 0, 100, 58), (82, 0, 98, 55), (-16, 0, 0, 0)),
    "claw": ((-8, -10, 70, 40), (-8, -4, 72, 42), (-8, 1, 72, 42), (-8, 8, 70, 40), (0, 20, 15, 45)),
    "hook": ((4, 0, 92, 50), (4, 0, 95, 52), (4, 0, 96, 52), (4, 0, 92, 50), (10, 4, 8, 10)),
    "grasp": ((52, -2, 52, 28), (48, -1, 50, 28), (44, 0, 48, 26), (38, 2, 44, 24), (12, 38, 16, 22)),
}  # fmt: skip

PRESETS: dict[str, np.ndarray] = {
    name: pose.from_degrees(np.concatenate([np.zeros(8), *digits])) for name, digits in _DEGREES.items()
}
"""Poses (28,) by name, within the joints' limits and free of fingers that pass through one another; forearm and wrist
as in the bind pose."""
