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
from mathutils import Matrix

from generator.blender.redirect_output import redirect_output
from generator.hand.anatomy import BONES, Skeleton
from generator.mesh.hand_mesh import HandMesh
from generator.rigs import bone_map, external_rig
from generator.rigs.bone_map import RigMapError
from handforge.parse import nothing_in


def load(path: Path, map_: Path | None) -> tuple[Skeleton, HandMesh]:
    """The hand in a file, in our bind pose and size. What Blender's scene held before is gone.

    :param map_: says which of its bones is which (:func:`generator.rigs.bone_map.load`); an .npz file needs none.
    :raises RigMapError: if a file cannot be read, or holds no mesh on an armature with these bones.
    """
    if map_ is None:
        return external_rig.read(path)
    bones = bone_map.load(map_)
    if said := nothing_in(path):
        raise RigMapError(said)
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
    with _skins_at_rest(armature) as skins:
        vertices, faces, weights = _skin(skins, _owners(armature, bones), {*armature.data.bones.keys()})
    if not faces.size:
        raise RigMapError(f"the bones of {armature.name} that the map names move no mesh")
    return external_rig.hand(bone_map.fit(_heads(armature, bones)), vertices, faces, weights)


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
        raise bone_map.no_bone(str(path), missing[fewest][0], armatures[fewest].data.bones.keys())
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
def _skins_at_rest(armature: bpy.types.Object) -> Iterator[dict[bpy.types.Object, bpy.types.PoseBone | None]]:
    """The mesh objects that the armature deforms, while it does not, and those that a bone carries, with that bone."""
    meshes = [obj for obj in bpy.context.scene.objects if obj.type == "MESH"]
    modifiers = {
        modifier: obj
        for obj in meshes
        for modifier in obj.modifiers
        if modifier.type == "ARMATURE" and modifier.object == armature
    }
    children = [obj for obj in meshes if obj.parent == armature and obj.parent_type == "ARMATURE"]
    shown = [modifier.show_viewport for modifier in modifiers]
    for modifier in modifiers:
        modifier.show_viewport = False
    for obj in children:
        obj.parent_type = "OBJECT"  # as an "ARMATURE", a parent deforms without any modifier
    try:
        carried = {obj: bone for obj in meshes if (bone := _carrier(obj, armature))}
        yield carried | dict.fromkeys([*modifiers.values(), *children])
    finally:
        for modifier, before in zip(modifiers, shown, strict=True):
            modifier.show_viewport = before
        for obj in children:
            obj.parent_type = "ARMATURE"


def _carrier(obj: bpy.types.Object, armature: bpy.types.Object) -> bpy.types.PoseBone | None:
    """The bone that an object is a child of, or a child's child; None where it is not."""
    while obj.parent not in (None, armature):
        obj = obj.parent
    return armature.pose.bones.get(obj.parent_bone) if obj.parent and obj.parent_type == "BONE" else None


def _back(bone: bpy.types.PoseBone) -> Matrix:
    """The matrix, world axes, that takes what a bone carries to where the bone's rest position has it."""
    world = bone.id_data.matrix_world
    return world @ bone.bone.matrix_local @ bone.matrix.inverted() @ world.inverted()


def _skin(
    skins: dict[bpy.types.Object, bpy.types.PoseBone | None], owners: dict[str, int], bones: set[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) in world axes, triangles (F, 3) and weights (V, 21) of what of some meshes is the hand's.

    Seams that files split are sewn, also those between meshes; what other bones move is cut off, and holes are closed.
    """
    made, weights = bmesh.new(), list[np.ndarray]()
    graph = bpy.context.evaluated_depsgraph_get()
    for obj, carrier in skins.items():
        data = bpy.data.meshes.new_from_object(obj.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
        data.transform(obj.matrix_world if carrier is None else _back(carrier) @ obj.matrix_world)
        made.from_mesh(data)
        # Groups of no bone (masks, selections) move nothing.
        names = {group.index: group.name for group in obj.vertex_groups if group.name in bones}
        for vertex in data.vertices:
            moved = {names[group.group]: group.weight for group in vertex.groups if group.group in names}
            weights.append(_weights({carrier.name: 1.0} if carrier else moved, owners))
        bpy.data.meshes.remove(data)
    rows = made.verts.layers.int.new("row")
    for row, vertex in enumerate(made.verts):
        vertex[rows] = row
    extent = float(np.ptp([vertex.co for vertex in made.verts] or [(0.0, 0.0, 0.0)], axis=0).max())
    bmesh.ops.remove_doubles(made, verts=made.verts, dist=1e-6 * extent)
    strange = [vertex for vertex in made.verts if weights[vertex[rows]].sum() < 0.5]
    bmesh.ops.delete(made, geom=strange, context="VERTS")
    bmesh.ops.holes_fill(made, edges=made.edges, sides=0)
    bmesh.ops.triangulate(made, faces=made.faces)
    bmesh.ops.recalc_face_normals(made, faces=made.faces)
    made.verts.index_update()
    vertices = np.array([vertex.co for vertex in made.verts], float).reshape(-1, 3)
    faces = np.array([[v.index for v in face.verts] for face in made.faces], np.int32).reshape(-1, 3)
    kept = np.array([weights[vertex[rows]] for vertex in made.verts]).reshape(-1, len(BONES))
    made.free()
    return vertices, faces, kept / kept.sum(axis=1, keepdims=True)


def _weights(moved: dict[str, float], owners: dict[str, int]) -> np.ndarray:
    """The weights (21,) of a vertex from those of all bones; their sum is the fraction that is the hand's."""
    result = np.zeros(len(BONES))
    for name, weight in moved.items():
        if name in owners:
            result[owners[name]] += weight
    return result / max(sum(moved.values()), 1e-9)
