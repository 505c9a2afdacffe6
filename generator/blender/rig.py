"""The hand as Blender objects: a skinned mesh and its armature. Posing them, and reading the posed surface back."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from generator.blender import attributes
from generator.frame.elbow import STRAIGHT, Elbow
from generator.hand.anatomy import BONES, Skeleton
from generator.hand.kinematics import PosedSkeleton
from generator.mesh.hand_mesh import HandMesh

COLOR = "colour"
"""Point attribute with the skin's linear RGB."""
_STRAIGHT = "straight"
WRIST_DISTANCE = "wrist_distance"
"""Point attribute, metres: positive on the hand's side of the wrist crease, negative on the forearm."""
GRAIN = "grain"
"""Point attribute: 1 where the skin has bumps, 0 on the nails."""


@dataclass(frozen=True)
class Rig:
    """One hand in the current scene.

    :param armature: the armature object, with the bones of :data:`generator.hand.anatomy.BONES`.
    :param surface: the mesh object that it deforms.
    :param skeleton: where the bones are in the bind pose.
    :param rest: (21, 4, 4), the bones' rest matrices in the armature.
    """

    armature: bpy.types.Object
    surface: bpy.types.Object
    skeleton: Skeleton
    rest: np.ndarray

    @property
    def mirrored(self) -> bool:
        """Whether it is a left hand."""
        return self.armature.scale.x < 0


def build(skeleton: Skeleton, mesh: HandMesh, name: str = "hand") -> Rig:
    """Add a hand in the bind pose to the current scene."""
    armature = _armature(skeleton, name)
    surface = _surface(mesh, name)
    surface.parent = armature
    modifier = surface.modifiers.new("armature", "ARMATURE")
    modifier.object = armature
    modifier.use_deform_preserve_volume = True
    rest = np.array([armature.data.bones[bone].matrix_local for bone in BONES])
    return Rig(armature, surface, skeleton, rest)


def _armature(skeleton: Skeleton, name: str) -> bpy.types.Object:
    data = bpy.data.armatures.new(f"{name}_armature")
    obj = bpy.data.objects.new(f"{name}_armature", data)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    for bone, head, tail in zip(BONES, skeleton.heads, skeleton.tails, strict=True):
        edit = data.edit_bones.new(bone)
        edit.head, edit.tail = head.tolist(), tail.tolist()
    for bone, parent in zip(BONES, skeleton.parents, strict=True):
        if parent >= 0:
            data.edit_bones[bone].parent = data.edit_bones[BONES[parent]]
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in obj.pose.bones:
        bone.rotation_mode = "QUATERNION"
    return obj


def wrist_distance(mesh: bpy.types.Mesh) -> np.ndarray:
    """How far each vertex of a hand's surface is from the wrist, (V,) float32 metres: above 0 on the hand."""
    return attributes.read(mesh, WRIST_DISTANCE)


def _surface(mesh: HandMesh, name: str) -> bpy.types.Object:
    data = bpy.data.meshes.new(name)
    fill(data, mesh.vertices, mesh.faces)
    attributes.write(data, WRIST_DISTANCE, mesh.wrist_distance)
    attributes.write(data, GRAIN, 1 - mesh.nail)
    attributes.write(data, COLOR, np.zeros((len(mesh.vertices), 4)))
    obj = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(obj)
    for index, bone in enumerate(BONES):
        group = obj.vertex_groups.new(name=bone)
        for vertex in np.flatnonzero(mesh.weights[:, index]).tolist():
            group.add([vertex], float(mesh.weights[vertex, index]), "REPLACE")
    return obj


def fill(data: bpy.types.Mesh, vertices: np.ndarray, faces: np.ndarray) -> None:
    """What ``from_pydata`` does, for arrays, in a tenth of its time; shading is smooth by default."""
    data.vertices.add(len(vertices))
    data.vertices.foreach_set("co", np.ascontiguousarray(vertices, np.float32).ravel())
    data.loops.add(faces.size)
    data.loops.foreach_set("vertex_index", np.ascontiguousarray(faces, np.int32).ravel())
    data.polygons.add(len(faces))
    data.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    data.update(calc_edges=True)


def triangles(data: bpy.types.Mesh) -> np.ndarray:
    """A mesh's triangles, (F, 3) int32, vertex numbers."""
    data.calc_loop_triangles()
    found = np.empty((len(data.loop_triangles), 3), np.int32)
    data.loop_triangles.foreach_get("vertices", found.ravel())
    return found


def set_pose(rig: Rig, pose: np.ndarray) -> PosedSkeleton:
    """Pose the armature.

    :param pose: (28,), metres and radians.
    :returns: where Blender's bones then are.
    """
    posed = PosedSkeleton(pose, rig.skeleton)
    moved = posed.transforms
    parents = rig.skeleton.parents
    above = np.where((parents < 0)[:, None, None], np.eye(4), moved[parents])
    basis = np.linalg.inv(rig.rest) @ np.linalg.inv(above) @ moved @ rig.rest
    bones = rig.armature.pose.bones
    for name, matrix in zip(BONES, basis.tolist(), strict=True):
        bones[name].matrix_basis = Matrix(matrix)
    return posed


def set_side(rig: Rig, side: str) -> None:
    """Show the hand as it is, the ``right``, or its mirror image (X to -X), the ``left``; its pose stays."""
    rig.armature.scale.x = -1.0 if side == "left" else 1.0


def paint(surface: bpy.types.Object, colors: np.ndarray) -> None:
    """Colour the skin: (V, 3) linear RGB."""
    attributes.write(surface.data, COLOR, attributes.opaque(colors))


def set_rest(rig: Rig, vertices: np.ndarray) -> None:
    """Move the surface in the bind pose, its arm straight, to these vertices (V, 3), metres."""
    data = rig.surface.data
    attributes.write(data, "position", vertices)
    if _STRAIGHT in data.attributes:
        attributes.write(data, _STRAIGHT, vertices)
    data.update()


def rest_vertices(rig: Rig) -> np.ndarray:
    """The surface in the bind pose, its arm straight, (V, 3) float32, metres."""
    data = rig.surface.data
    return attributes.read(data, _STRAIGHT if _STRAIGHT in data.attributes else "position")


def bend(rig: Rig, elbow: Elbow) -> None:
    """Bend the arm at the elbow, which the bones know nothing of; any earlier bend is undone."""
    data, rest = rig.surface.data, rest_vertices(rig)
    if elbow == STRAIGHT and _STRAIGHT not in data.attributes:
        return
    if _STRAIGHT not in data.attributes:
        attributes.write(data, _STRAIGHT, rest)
    attributes.write(data, "position", elbow.bend(rest))
    data.update()


def forearm(rig: Rig) -> np.ndarray:
    """How the forearm has moved from the bind pose, (4, 4) in scene axes; once Blender has evaluated the pose."""
    return bone_motion(rig, BONES.index("forearm"))


def bone_motion(rig: Rig, bone: int) -> np.ndarray:
    """How one of :data:`generator.hand.anatomy.BONES` has moved, as :func:`forearm`."""
    moved = rig.armature.matrix_world @ rig.armature.pose.bones[BONES[bone]].matrix
    return np.array(moved) @ np.linalg.inv(rig.rest[bone])


@dataclass(frozen=True)
class PosedSurface:
    """The surface as Blender evaluates it: vertices and smooth normals, each (V, 3) float32 in scene axes, metres."""

    vertices: np.ndarray
    normals: np.ndarray


def posed_surface(rig: Rig) -> PosedSurface:
    """The surface in the armature's present pose."""
    graph = bpy.context.evaluated_depsgraph_get()
    data = rig.surface.evaluated_get(graph).data
    vertices = attributes.read(data, "position")
    normals = np.empty_like(vertices)
    data.vertex_normals.foreach_get("vector", normals.ravel())
    if rig.mirrored:
        vertices[:, 0] *= -1
        normals[:, 0] *= -1
    return PosedSurface(vertices, normals)
