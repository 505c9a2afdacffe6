"""The sweep: v4 and v5 by 2 degrees through the full circle, 180 x 180 = 32,400 poses, v4 slow, v5 fast.

``l2`` keeps the fingers in the bind pose. ``l11`` moves them: they walk from one key pose to the next along a closed
tour in which every two key poses follow each other, so that everything between any two occurs, and the last frame joins
the first. Another step has fewer or more frames, in which the fingers walk the same tour.
"""

from __future__ import annotations

import numpy as np

from generator.hand.pose_presets import PRESETS
from generator.maths import smoothstep

STEP_DEGREES = 2
POSES = (360 // STEP_DEGREES) ** 2
"""The smallest rotation from one pose to the next, and the number of poses."""

KEY_POSES = (
    *("open", "fist", "five", "point", "pinch", "four", "relaxed", "thumb_up", "three", "ok", "two", "claw", "flat"),
)
"""What the fingers of ``l11`` walk through. Their number is prime, which makes :func:`tour` a closed one."""

LAPS = 5
"""How often ``l11`` walks the tour: a change from one key pose to the next takes 83 frames, about half a turn of v5,
and each key pose is met from all sides."""


def grid(step: int = STEP_DEGREES) -> np.ndarray:
    """The angles v4 and v5 of the sweep, ((360 / step)**2, 2) radians: -180 to 180 - step degrees, v4 slow, v5 fast."""
    angles = np.radians(np.arange(-180, 180, step))
    return np.stack(np.meshgrid(angles, angles, indexing="ij"), axis=-1).reshape(-1, 2)


def tour(count: int) -> np.ndarray:
    """A closed walk over 0..count-1 in which each two follow each other exactly once, in one order or the other.

    :param count: an odd prime. The walk goes round by steps of 1, then of 2, and so on to (count - 1) / 2; each round
        meets every number once because the step and the prime have no common factor.
    :returns: (count * (count - 1) / 2,) int, starting at 0.
    """
    return np.concatenate([np.arange(count) * stride % count for stride in range(1, (count - 1) // 2 + 1)])


def finger_motion(frames: int = POSES) -> np.ndarray:
    """v9..v28 of ``l11``, (frames, 20) radians: at rest in each key pose, moving smoothly between."""
    keys = np.stack([PRESETS[name][8:] for name in KEY_POSES])[tour(len(KEY_POSES))]
    phase = np.arange(frames) * (len(keys) * LAPS / frames)
    start = phase.astype(int)
    ease = smoothstep(phase - start, 0.0, 1.0)[:, None]
    return (1 - ease) * keys[start % len(keys)] + ease * keys[(start + 1) % len(keys)]
