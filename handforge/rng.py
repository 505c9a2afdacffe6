"""Named streams of random numbers: what is drawn for one purpose changes nothing that is drawn for another.

A stream depends on the run's seed, the frame's number and the stream's name alone, so that any frame can be drawn by
itself and comes out the same with any number of workers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STREAMS: dict[str, tuple[int, ...]] = {
    "look": (),  # skin tone, light, background, and which of the run's hand shapes
    "handedness": (0x1F,),
    "indoor": (0x20,),  # world, sun, table and objects, the camera's tone and noise
    "environment": (0x21,),
    "distractors": (0x22,),
    "occluders": (0x23,),
    "flash": (0x24,),
    "exposure": (0x25,),
    "shake": (0x25, 1),
    "other sleeves": (0x26,),
    "furniture": (0x27,),
    "empty surroundings": (0x28,),
    "clinic": (0x28, 1),  # the flash over a bed
    "floor": (0x27, 1),
    "crowd surroundings": (0x29,),
    "second hand": (0x2B,),
    "glass": (0x2C,),
    "mirror": (0x2D,),
    "pocket": (0x2E,),
    "sleeve": (0x51,),
    "shape": (0x5A,),
    "glove": (0x61,),
    "skin": (0x62,),
    "rings": (0x63,),
    "child": (0x64,),
    "held": (0x6A,),
    "background image": (0xBA,),
    "crowd": (0xC0,),
    "framing": (0xCA,),
    "close framing": (0xCB,),
    "sensor": (0xCE,),
    "focal length": (0xCF,),
    "empty": (0xE0,),
    "empty scene": (0xE0, 1),
    "elbow": (0xEB,),
}
"""The numbers that each stream's key ends with. Never change one: each image ever rendered would change with it."""


def stream(seed: int, frame: int, name: str, *index: int) -> np.random.Generator:
    """Make the generator of one stream, at its start.

    :param frame: the frame's number in the run; for ``shape`` the number of the hand shape.
    :param name: one of :data:`STREAMS`.
    :param index: of one of several hands or people, each with a stream of its own.
    """
    return np.random.default_rng((seed, frame, *STREAMS[name], *index))


@dataclass(frozen=True)
class StreamState:
    """Where a stream of random numbers stands, for :func:`resume`: as numpy's PCG64 tells it."""

    state: int
    inc: int
    has_uint32: int
    uinteger: int

    def __post_init__(self) -> None:
        bits = {"state": 128, "inc": 128, "has_uint32": 1, "uinteger": 32}
        if wrong := [name for name, most in bits.items() if not 0 <= getattr(self, name) < 2**most]:
            raise ValueError(f"{wrong[0]} is a whole number of up to {bits[wrong[0]]} bits")


def state_of(rng: np.random.Generator) -> StreamState:
    """Where a stream stands now."""
    told = rng.bit_generator.state
    return StreamState(told["state"]["state"], told["state"]["inc"], told["has_uint32"], told["uinteger"])


def resume(state: StreamState) -> np.random.Generator:
    """A stream that goes on where another stood."""
    bits = np.random.PCG64()
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": state.state, "inc": state.inc},
        "has_uint32": state.has_uint32,
        "uinteger": state.uinteger,
    }
    return np.random.Generator(bits)
