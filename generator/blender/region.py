"""What a point of an arm belongs to: one notion for the engines' passes, codes and layers, and for masks."""

from __future__ import annotations

from enum import IntEnum


class Region(IntEnum):
    """A part of an arm; its number is the channel of a render pass that tells them apart."""

    HAND = 0
    """Up to the wrist crease."""
    FOREARM = 1
    """Bare skin beyond it."""
    CLOTH = 2
    """A sleeve, which is neither."""

    @property
    def label(self) -> str:
        """As passes and layers are named."""
        return self.name.lower()


BESIDE_WRIST = Region.HAND, Region.FOREARM
"""The regions of skin: where the distance from the wrist is above 0, and elsewhere."""

OF_MASK = {"hand": (Region.HAND,), "hand+forearm": BESIDE_WRIST}
"""The regions that masks of each category cover."""
