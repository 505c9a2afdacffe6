"""An asset library of poses, for every file: a folder with a .blend file, and catalogs that the asset browser shows."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import bpy
import numpy as np

from generator.hand import finger_sets, pose
from generator.hand.grasp_poses import GRASPS
from generator.hand.pose_presets import PRESETS
from handforge.files import write_atomic

from . import hand, pose_assets
from .viewport_ui import title

CATALOGS = "blender_assets.cats.txt"
"""The file in which Blender looks for a library's catalogs."""


def poses() -> dict[str, dict[str, np.ndarray]]:
    """The library's poses (28,), by catalog and by name."""
    grasps = {
        f"{held} {kind}": pose.from_degrees(np.concatenate([np.zeros(8), *digits]))
        for (held, kind), digits in GRASPS.items()
    }
    some = {
        "Presets": PRESETS,
        "Signs": {f"sign {name}": one for name, one in finger_sets.signs().items()},
        "Grasps": grasps,
    }
    return {catalog: {title(name): one for name, one in of.items()} for catalog, of in some.items()}


def write(armature: bpy.types.Object, folder: Path) -> Path:
    """Write the library of a built-in hand's side into a folder that is there, and tell Blender of it.

    :returns: the .blend file.
    :raises HandError: if there is one already.
    """
    path = folder / f"{hand.side(armature)} hand poses.blend"
    if path.exists():
        raise hand.HandError(f"{path} is there already: delete it first, or choose another folder")
    some = poses()
    _add_catalogs(folder / CATALOGS, some)
    made: set[bpy.types.ID] = set()
    with _names_free(name for catalog in some.values() for name in catalog):
        try:
            for catalog, named in some.items():
                for name, one in named.items():
                    action = pose_assets.make(armature, name, one, "")
                    action.asset_data.catalog_id = _identifier(catalog)
                    made.add(action)
            bpy.data.libraries.write(str(path), made, fake_user=True)
        finally:
            for action in made:
                bpy.data.actions.remove(action)
    libraries = bpy.context.preferences.filepaths.asset_libraries
    if not any(library.path and Path(library.path) == folder for library in libraries):
        libraries.new(name=pose_assets.CATALOG, directory=str(folder))
    return path


def _identifier(catalog: str) -> str:
    """A catalog's UUID: the same in every library, so that both sides share it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"handforge/{catalog}"))


def _add_catalogs(path: Path, catalogs: Iterable[str]) -> None:
    """Add the catalogs to a library's, which may have others."""
    text = path.read_text("utf-8") if path.exists() else "VERSION 1\n"
    parent = pose_assets.CATALOG
    entries = [(parent, parent), *((f"{parent}/{name}", name) for name in catalogs)]
    new = [f"{_identifier(name)}:{where}:{name}\n" for where, name in entries if _identifier(name) not in text]
    write_atomic(path, (text.rstrip("\n") + "\n" + "".join(new)).encode())


@contextlib.contextmanager
def _names_free(names: Iterable[str]) -> Iterator[None]:
    """Have the file's own actions of these names called otherwise meanwhile."""
    found = {name: action for name in names if (action := bpy.data.actions.get((name, None))) is not None}
    for name, action in found.items():
        action.name = f"{name} (aside)"
    try:
        yield
    finally:
        for name, action in found.items():
            action.name = name
