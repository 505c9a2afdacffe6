"""Names that recipe keys had until version 0.1; files with them are still read, for one release."""

from __future__ import annotations

from typing import Any

_SIZES = {"short_px": "min_size", "long_px": "max_size"}
RECIPE = {"about": "description", "after": "init_from", "replicate": "real_repeat_factor", "pictures": "images"}
IMAGES = _SIZES
NETWORK = {"box_units": "representation_size"}
SESSION = {
    **_SIZES,
    "rois": "rois_per_image",
    "positive_share": "positive_fraction",
    "accumulate": "gradient_accumulation_steps",
    "stop_after": "saturation_patience",
    "layers": "trainable_layers",
}


class OldNameWarning(UserWarning):
    """A name that will be gone in the next release is used."""


def with_new_names(recipe: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A recipe's table or record with today's keys, and which old ones it had, each with its new name."""
    used: dict[str, str] = {}
    table = _renamed(recipe, RECIPE, used)
    for key, names in (("images", IMAGES), ("network", NETWORK), ("session", SESSION)):
        table |= {key: _renamed(table[key], names, used)} if key in table else {}
    if isinstance(table.get("sessions"), list):
        table["sessions"] = [_renamed(session, SESSION, used) for session in table["sessions"]]
    return table, used


def description_with_new_names(description: dict[str, Any]) -> dict[str, Any]:
    """What ``network.json`` says, with today's keys."""
    new = dict(description)
    if "pictures" in new:
        new["images"] = new.pop("pictures")
    new["images"] = _renamed(new.get("images"), IMAGES, {})
    return {**new, "architecture": _renamed(new.get("architecture"), NETWORK, {})}


def _renamed(table: Any, names: dict[str, str], used: dict[str, str]) -> Any:
    if not isinstance(table, dict):
        return table
    used |= {key: names[key] for key in table if key in names}
    return {names.get(key, key): value for key, value in table.items()}
