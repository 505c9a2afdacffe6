"""The 28 numbers that pose one hand: names, order, units, limits.

A pose is a float64 array of shape (28,), many poses one of shape (N, 28), in the order v1..v28 of Dadgar & Brunnett
(VISAPP 2023). Translations are metres, angles radians; degrees and centimetres appear only where a person reads or
types (:func:`from_degrees`, :func:`to_degrees`).

Axes. The image lies in the X-Z plane: +X to its right, +Z to its top; the camera looks along +Y. In the bind pose
(all 28 zero) a right hand stands with its wrist in the origin, fingers up (+Z), the palm to the camera (-Y), the
thumb to the right (+X); so +X is radial, +Y dorsal, +Z distal.
A left hand of the same 28 numbers is the mirror image of the right one, X to -X.

==========  =====================================================================================================
v1..v3      translation of the wrist along X, Y, Z
v4, v5, v6  rotation of the forearm, with the whole hand, about the wrist: v4 about X and v5 about Z (the two axes in
            the image's plane), v6 about Y (the viewing axis). The hand turns by v5 about its own length first, then
            by v4, then by v6: ``R = Ry(v6) @ Rx(v4) @ Rz(v5)``.
v7, v8      wrist: flexion (+ towards the palm), deviation (+ to the thumb's side)
v9..v12     little finger: MCP flexion, MCP abduction (+ to the thumb's side), PIP flexion, DIP flexion
v13..v16    ring finger, likewise
v17..v20    middle finger, likewise
v21..v24    index finger, likewise
v25..v28    thumb: CMC flexion (+ across the palm), CMC abduction (+ away from the palm, to its front), MCP flexion,
            IP flexion
==========  =====================================================================================================
"""

from __future__ import annotations

import numpy as np

SIZE = 28
"""How many numbers a pose has."""

FINGERS = ("little", "ring", "middle", "index", "thumb")
"""The five fingers in the order of the pose vector."""

_FINGER_JOINTS = ("mcp_flexion", "mcp_abduction", "pip_flexion", "dip_flexion")
_THUMB_JOINTS = ("cmc_flexion", "cmc_abduction", "mcp_flexion", "ip_flexion")

NAMES: tuple[str, ...] = (
    "translation_x",
    "translation_y",
    "translation_z",
    "forearm_x",
    "forearm_z",
    "forearm_y",
    "wrist_flexion",
    "wrist_deviation",
    *(f"{finger}_{joint}" for finger in FINGERS[:4] for joint in _FINGER_JOINTS),
    *(f"thumb_{joint}" for joint in _THUMB_JOINTS),
)
"""The names of v1..v28."""

GROUPS: dict[str, slice] = {
    "L1": slice(0, 3),
    "L2": slice(3, 6),
    "L3": slice(6, 8),
    "L5_1": slice(8, 12),
    "L5_2": slice(12, 16),
    "L5_3": slice(16, 20),
    "L5_4": slice(20, 24),
    "L5_5": slice(24, 28),
}
"""The paper's groups: translation, forearm, wrist, then little finger to thumb."""

FINGER_SLICE: dict[str, slice] = dict(zip(FINGERS, list(GROUPS.values())[3:], strict=True))
"""Where each finger's four angles stand in a pose."""

TRANSLATION = GROUPS["L1"]
V4, V5 = 3, 4
"""Indices of the two swept angles."""


def _limits() -> np.ndarray:
    degrees = [
        *[(-180, 180)] * 3,  # forearm: a hand may be seen from anywhere
        (-70, 80),  # wrist extension 70, flexion 80 (AAOS)
        (-30, 20),  # ulnar deviation 30, radial deviation 20 (AAOS)
        # MCP flexion 90 and PIP 100 (AAOS; 5 more here), DIP 80 of its 90; MCP extension and abduction 20 approximate
        *[(-20, 90), (-20, 20), (-5, 105), (-5, 80)] * 4,
        # Thumb: CMC flexion counts from the open bind pose, 44 short of the palm, and goes 15 beyond it (AAOS) to about
        # 60; IP flexion 80 (AAOS); the other limits are approximate
        *[(-25, 60), (-10, 60), (-10, 60), (-15, 80)],
    ]
    metres = [(-1.0, 1.0)] * 3
    return np.concatenate([np.array(metres, float), np.radians(degrees)])


LIMITS: np.ndarray = _limits()
"""Lower and upper limit of each number, shape (28, 2): metres for v1..v3, radians after."""


def bind() -> np.ndarray:
    """The bind pose: 28 zeros."""
    return np.zeros(SIZE)


def from_degrees(values: np.ndarray | list[float]) -> np.ndarray:
    """A pose, or poses, from what people type: centimetres for v1..v3, degrees for v4..v28.

    :param values: shape (..., 28).
    :raises ValueError: if the last axis is not 28 long or a value is not finite.
    """
    pose = np.array(values, float)
    if pose.ndim == 0 or pose.shape[-1] != SIZE:
        raise ValueError(f"a pose has {SIZE} numbers, this one has {pose.shape[-1] if pose.ndim else 1}")
    if not np.isfinite(pose).all():
        first = NAMES[int(np.argwhere(~np.isfinite(pose))[0][-1])]
        raise ValueError(f"{first} is not a finite number")
    pose[..., TRANSLATION] /= 100.0
    pose[..., 3:] = np.radians(pose[..., 3:])
    return pose


def to_degrees(pose: np.ndarray) -> np.ndarray:
    """The inverse of :func:`from_degrees`: centimetres for v1..v3, degrees for v4..v28."""
    values = np.array(pose, float)
    values[..., TRANSLATION] *= 100.0
    values[..., 3:] = np.degrees(values[..., 3:])
    return values


def with_angles(**degrees: float) -> np.ndarray:
    """The bind pose with some angles set, in degrees by name: ``with_angles(index_pip_flexion=40)``."""
    pose = bind()
    for name, value in degrees.items():
        if name not in NAMES[3:]:
            raise ValueError(f"no angle is called {name!r}; the names are in generator.hand.pose.NAMES")
        pose[NAMES.index(name)] = np.radians(value)
    return pose
