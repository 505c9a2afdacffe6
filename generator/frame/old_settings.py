"""Names and values that settings had in the release before: still read, with a notice, for one release."""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection, Mapping
from typing import Any

NAMES = {
    "set": "pose_set",
    "map": "bone_map",
    "side": "handedness",
    "size": "resolution",
    "camera": "sensor",
    "surroundings": "environment",
    "hands": "num_hands",
    "skin": "skin_tone",
    "truth": "ground_truth",
}
"""Old name to present name."""

VALUES = {("scene", "room"): "indoor", ("environment", "things"): "objects"}
"""(Present name, old value) to present value; beside these, ``"varied"`` is ``"random"`` wherever that is a value."""


def upgrade(values: Mapping[str, Any], randomized: Collection[str], where: str | None = None) -> dict[str, Any]:
    """Convert settings to their present names and values.

    :param randomized: names of the settings that may be ``"random"``.
    :param where: the file that they are of, to be named in notices; None to give no notice.
    """
    upgraded: dict[str, Any] = {}
    for old, value in values.items():
        name = NAMES.get(old, old)
        if name == "distance" and value in ("varied", "close"):
            name = "framing"
        present = "random" if value == "varied" and name in randomized else value
        if isinstance(value, str):
            present = VALUES.get((name, value), present)
        if where is not None and (name, present) != (old, value):
            before, now = (old, name) if present == value else (f'{old} = "{value}"', f'{name} = "{present}"')
            _notify(f"{where}: {before} is now called {now}; the old name is read until the next release")
        upgraded[name] = present
    return upgraded


@functools.cache
def _notify(text: str) -> None:
    """Say it once."""
    logging.getLogger(__name__).warning(text)
