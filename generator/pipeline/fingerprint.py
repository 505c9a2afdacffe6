"""SHA-256 of the external inputs of a run: backgrounds, objects and rig, which its settings name only."""

from __future__ import annotations

import hashlib
from pathlib import Path

from generator.frame import backgrounds
from generator.frame.settings import RenderSettings
from generator.objects import own_objects
from generator.rigs import bone_map


def sources(settings: RenderSettings) -> dict[str, str]:
    """``backgrounds_sha256``, ``objects_sha256`` and ``rig_sha256``, of those that the settings name.

    :raises HandforgeError: if the folder of backgrounds or of objects or the map cannot be used.
    """
    found = {}
    if (behind := backgrounds.open_backgrounds(settings)) is not None:
        found["backgrounds_sha256"] = behind.digest()
    if (own := own_objects.open_objects(settings.objects)) is not None:
        found["objects_sha256"] = own.digest()
    if settings.rig is not None:
        content = Path(settings.rig).read_bytes()
        if settings.bone_map is not None:
            bone_map.load(Path(settings.bone_map))
            content += Path(settings.bone_map).read_bytes()
        found["rig_sha256"] = hashlib.sha256(content).hexdigest()
    return found
