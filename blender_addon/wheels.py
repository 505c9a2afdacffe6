"""The bundled wheels, found before others of the same name that a Linux distribution has.

Blender puts the folder of extensions' wheels there by itself when it starts, but last when an extension is installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from site import getsitepackages

import bpy

_LOADED = "typing_extensions"
"""What Blender 5.2 imports for itself as it starts; pydantic needs a newer one than some Blenders have."""


def put_first() -> None:
    """Have this process import the wheels' libraries, also where it has imported another version already."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folder = Path(bpy.utils.user_resource("EXTENSIONS")) / ".local" / "lib" / version / "site-packages"
    if not folder.is_dir():
        return  # not installed as an extension, as in tests
    sys.path[:] = ahead(str(folder), sys.path, getsitepackages())
    loaded = sys.modules.get(_LOADED)
    if loaded is not None and (folder / f"{_LOADED}.py").exists() and not str(loaded.__file__).startswith(str(folder)):
        del sys.modules[_LOADED]


def ahead(folder: str, paths: list[str], others: list[str]) -> list[str]:
    """Paths of modules with one folder ahead of the first of others: after Python's own library."""
    kept = [path for path in paths if path != folder]
    place = next((index for index, path in enumerate(kept) if path in others), len(kept))
    return [*kept[:place], folder, *kept[place:]]
