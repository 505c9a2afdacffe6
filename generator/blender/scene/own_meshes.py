"""The user's own objects as Blender has them, with their materials. Nothing in a file is executed: neither format holds
anything that Blender would run.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from generator.blender.redirect_output import redirect_output
from generator.objects.own_objects import ObjectsError, OwnObject


class OwnMeshes:
    """Meshes read from files, each once."""

    def __init__(self) -> None:
        self._read: dict[Path, list[tuple[bpy.types.Mesh, np.ndarray]]] = {}

    def of(self, one: OwnObject) -> list[tuple[bpy.types.Mesh, np.ndarray]]:
        """The meshes of an object, each with its (4, 4) matrix to the object's own axes.

        :raises ObjectsError: if Blender cannot read the file.
        """
        if one.path not in self._read:
            self._read[one.path] = [(mesh, one.matrix @ matrix) for mesh, matrix in _read(one.path)]
        return self._read[one.path]


def _read(path: Path) -> list[tuple[bpy.types.Mesh, np.ndarray]]:
    before = set(bpy.data.objects)
    try:
        with redirect_output():
            if path.suffix.lower() == ".glb":
                bpy.ops.import_scene.gltf(filepath=str(path))
            else:
                bpy.ops.wm.obj_import(filepath=str(path))  # Y up, -Z forward, as the format's files are
    except (RuntimeError, OSError) as error:
        raise ObjectsError(f"objects: Blender cannot read {path} ({str(error).strip().splitlines()[-1]})") from None
    bpy.context.view_layer.update()
    made = [obj for obj in bpy.data.objects if obj not in before]
    found = []
    for obj in made:
        if obj.type == "MESH":
            mesh = bpy.data.meshes.new_from_object(obj)
            mesh.use_fake_user = True
            found.append((mesh, np.array(obj.matrix_world)))
    bpy.data.batch_remove(made)
    return found
