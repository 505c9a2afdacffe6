"""Reading a rigged hand from a .blend, .glb or .fbx file, or from the scene. Nothing in the file is executed.

Only the bind pose is used: the armature's bones, the meshes they move, and the weights between them. Animations,
drivers, constraints and materials stay behind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import bmesh
import bpy
import numpy as np

from generator.blender.redirect_output import redirect_output
from generator.hand.anatomy import BONES, Skeleton
from generator.mesh.hand_mesh import HandMesh
from generator.rigs import bone_map, external_rig
from generator.rigs.bone_map import RigMapError


def load(path: Path, map_: Path | None) -> tuple[Skeleton, HandMesh]:
    """The hand in a file, in our bind pose and size. What Blender's scene held before is gone.

    :param map_: says which of its bones is which (:func:`generator.rigs.bone_map.load`); an .npz file needs none.
    :raises RigMapError: if a file cannot be read, or holds no mesh on an armature with these bones.
    """
    if map_ is None:
        return external_rig.read(path)
    bones = bone_map.load(map_)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
    try:
        with redirect_output():
            _open(path)
    except (RuntimeError, OSError) as error:
        raise RigMapError(f"{path} cannot be read ({str(error).strip().splitlines()[-1]})") from None
    return hand(_armature(path, bones), bones)


def hand(armature: bpy.types.Object, bones: dict[str, str]) -> tuple[Skeleton, HandMesh]:
    """The hand of an armature in the scene, whatever its pose, in our bind pose and size.

    :param bones: its bones' names by the built-in hand's.
    :raises RigMapError: if the bones move no mesh, or the map does not fit.
    """
    owners = _owners(armature, bones)
    with _at_rest(armature) as skins:
        parts = [_part(obj, owners, {*armature.data.bones.keys()}) for obj in skins]
    parts = [part for part in parts if len(part[1])]
    if not parts:
        raise RigMapError(f"the bones of {armature.name} that the map names move no mesh")
    starts = np.cumsum([0, *(len(vertices) for vertices, _, _ in parts[:-1])])
    return external_rig.hand(
        bone_map.fit(_heads(armature, bones)),
        np.concatenate([vertices for vertices, _, _ in parts]),
        np.concatenate([faces + start for (_, faces, _), start in zip(parts, starts, strict=True)]),
        np.concatenate([weights for _, _, weights in parts]),
    )


def _open(path: Path) -> None:
    """Have the file's objects in the scene."""
    if path.suffix.lower() == ".blend":
        with bpy.data.libraries.load(str(path), link=False) as (there, here):
            here.objects = there.objects
        for obj in here.objects:
            obj.animation_data_clear()
            bpy.context.scene.collection.objects.link(obj)
    elif path.suffix.lower() == ".glb":
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.import_scene.fbx(filepath=str(path))


def _armature(path: Path, bones: dict[str, str]) -> bpy.types.Object:
    """The armature that has the most of the bones; it has to have all."""
    armatures = [obj for obj in bpy.context.scene.objects if obj.type == "ARMATURE"]
    if not armatures:
        raise RigMapError(f"{path} holds no armature")
    missing = [[name for name in bones.values() if name not in obj.data.bones] for obj in armatures]
    fewest = min(range(len(armatures)), key=lambda index: len(missing[index]))
    if missing[fewest]:
        raise RigMapError(f"{path} has no bone {missing[fewest][0]!r}, which the map names")
    return armatures[fewest]


def _heads(armature: bpy.types.Object, bones: dict[str, str]) -> dict[str, np.ndarray]:
    """Where their bones begin, world axes; of the forearm, where it meets the hand."""
    heads = {ours: np.array(armature.matrix_world @ armature.data.bones[b].head_local) for ours, b in bones.items()}
    return heads | ({"forearm": heads["hand"]} if "forearm" in heads else {})


def _owners(armature: bpy.types.Object, bones: dict[str, str]) -> dict[str, int]:
    """Of each of its bones the mapped one that it is or hangs on, by place in BONES: what it moves is that one's."""
    ours = {theirs: BONES.index(name.replace("_tip", "_distal")) for name, theirs in bones.items()}
    owners = {}
    for bone in armature.data.bones:
        chain = [bone.name, *(parent.name for parent in bone.parent_recursive)]
        if found := [name for name in chain if name in ours]:
            owners[bone.name] = ours[found[0]]
    above = armature.data.bones[bones["hand"]].parent
    if above is not None and "forearm" not in bones:
        owners.setdefault(above.name, BONES.index("forearm"))
    return owners


@contextlib.contextmanager
def _at_rest(armature: bpy.types.Object) -> Iterator[list[bpy.types.Object]]:
    """The mesh objects that the armature moves, while it does not."""
    moved = [
        (obj, modifier, modifier.show_viewport)
        for obj in bpy.context.scene.objects
        if obj.type == "MESH"
        for modifier in obj.modifiers
        if modifier.type == "ARMATURE" and modifier.object == armature
    ]
    for _, modifier, _ in moved:
        modifier.show_viewport = False
    try:
        yield list(dict.fromkeys(obj for obj, _, _ in moved))
    finally:
        for _, modifier, shown in moved:
            modifier.show_viewport = shown


def _part(obj: bpy.types.Object, owners: dict[str, int], bones: set[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) in world axes, triangles (F, 3) and weights (V, 21) of what of a mesh is the hand's.

    Seams that files split are sewn, what other bones move is cut off, and holes are closed.
    """
    graph = bpy.context.evaluated_depsgraph_get()
    # Groups of no bone (masks, selections) move nothing.
    names = [group.name if group.name in bones else None for group in obj.vertex_groups]
    data = bpy.data.meshes.new_from_object(obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    made = bmesh.new()
    made.from_mesh(data)
    made.transform(obj.matrix_world)
    bmesh.ops.remove_doubles(made, verts=made.verts, dist=1e-6 * max(obj.dimensions))
    layer = made.verts.layers.deform.verify()
    weighed = {vertex: _weights(vertex[layer], names, owners) for vertex in made.verts}
    strange = [vertex for vertex, weights in weighed.items() if weights.sum() < 0.5]
    bmesh.ops.delete(made, geom=strange, context="VERTS")
    bmesh.ops.holes_fill(made, edges=made.edges, sides=0)
    bmesh.ops.triangulate(made, faces=made.faces)
    bmesh.ops.recalc_face_normals(made, faces=made.faces)
    made.verts.index_update()
    vertices = np.array([vertex.co for vertex in made.verts], float).reshape(-1, 3)
    faces = np.array([[v.index for v in face.verts] for face in made.faces], np.int32).reshape(-1, 3)
    weights = np.array([weighed[vertex] / weighed[vertex].sum() for vertex in made.verts]).reshape(-1, len(BONES))
    made.free()
    bpy.data.meshes.remove(data)
    return vertices, faces, weights


def _weights(groups: dict[int, float], names: list[str | None], owners: dict[str, int]) -> np.ndarray:
    result, total = np.zeros(len(BONES)), 0.0
    for group, weight in groups.items():
        name = names[group] if group < len(names) else None
        if name is not None:
            total += weight
            if name in owners:
                result[owners[name]] += weight
    return result / max(total, 1e-9)
