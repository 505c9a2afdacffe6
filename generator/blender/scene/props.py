"""What is around hands as Blender's objects. Made for one frame, then removed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import cast, get_args

import bmesh
import bpy
import numpy as np
from mathutils import Matrix

from generator.blender.posed_frame import Arm
from generator.blender.rig import fill, forearm, rest_vertices
from generator.blender.scene import head_mesh, materials
from generator.blender.scene.own_meshes import OwnMeshes
from generator.frame.room.arm_wear import ArmWear
from generator.frame.room.lamps import Lamps
from generator.frame.room.materials import Everyday, Face, Glass, Glow, Hair, Material, Mirror, OfObject, Plain, Wood
from generator.frame.room.props import Prop
from generator.mesh import hand_mesh, person_mesh, sheet, sleeve
from generator.objects.own_objects import OwnObject
from generator.objects.solids import Lathe
from handforge.rng import resume

MIRROR_PASS = "mirror"
"""The render pass (AOV) that is 1 where a mirror is."""

_TUMBLER = Lathe(
    (
        (0.0, -0.5),
        (0.38, -0.5),
        (0.4, -0.48),
        (0.5, 0.49),
        (0.49, 0.5),
        (0.47, 0.49),
        (0.375, -0.42),
        (0.36, -0.44),
        (0.0, -0.44),
    ),
    sides=64,
)
"""A drinking glass: the outside, the lip, the inside and the thick bottom."""

FILLED: dict[str, Callable[[int], tuple[np.ndarray, np.ndarray]]] = {
    "tumbler": lambda _: _TUMBLER.mesh(),
    "shirt": person_mesh.shirt,
    "hips": person_mesh.hips,
    "neck": lambda _: person_mesh.neck(),
    "long hair": lambda _: person_mesh.long_hair(),
}
"""Functions of a variant that make the vertices (V, 3), metres or of size 1, and triangles (F, 3) of shapes."""


class Props:
    """The props of one frame; :meth:`clear` removes them."""

    def __init__(self) -> None:
        self._made: list[bpy.types.ID] = []
        self._shape = functools.cache(_shape)
        self._own = OwnMeshes()

    def clear(self) -> None:
        """Remove what the last frame had."""
        bpy.data.batch_remove(self._made)
        self._made = []

    def put(self, props: tuple[Prop, ...], made_of: tuple[Material, ...], lamps: Lamps) -> None:
        """Put props into the scene.

        :param made_of: what the numbers of their materials stand for.
        :param lamps: what glass reflects.
        """

        @functools.cache
        def make(number: int) -> bpy.types.Material:
            one = made_of[number]
            return materials.glass(one, lamps) if isinstance(one, Glass) else _material(one)

        for prop in props:
            if prop.folds is not None:
                vertices, faces = sheet.sheet(resume(prop.folds))
                self.add_mesh(vertices, faces, [make(prop.material)], np.array(prop.matrix))
            elif prop.heights is not None:
                vertices, faces = sheet.drape(np.array(prop.heights))
                self.add_mesh(vertices, faces, [make(prop.material)], np.array(prop.matrix))
            elif prop.shape in ("sleeve", *get_args(person_mesh.Part)):  # of its own size, so that cloth is alike
                matrix = np.array(prop.matrix)
                size = np.linalg.norm(matrix[:3, :3], axis=0)
                if prop.shape == "sleeve":
                    vertices, faces = person_mesh.sleeve(size[0] / 2, size[2], prop.variant)
                else:
                    vertices, faces = person_mesh.limb(cast("person_mesh.Part", prop.shape), size[0] / 2, size[2])
                matrix[:3, :3] /= size
                self.add_mesh(vertices, faces, [make(prop.material)], matrix)
            elif prop.shape == "wall":
                painted = made_of[prop.material]
                cover = materials.matte(painted.color) if isinstance(painted, Plain) else make(prop.material)
                wall = self._add(self._shape("wall", 0), cover, np.array(prop.matrix))
                wall.visible_shadow = wall.visible_diffuse = False
            else:
                self._add(self._shape(prop.shape, prop.variant), make(prop.material), np.array(prop.matrix))

    def wear(self, arm_wear: tuple[ArmWear, ...], made_of: tuple[Material, ...], arms: tuple[Arm, ...]) -> None:
        """Put sleeves and watches on posed arms; what an arm would wear that is left out is left out, too."""
        for one in arm_wear:
            if one.arm >= len(arms):
                continue
            arm = arms[one.arm]
            rest = rest_vertices(arm.rig)
            if one.tucked:  # the arm without the cuff
                rest = rest[: len(hand_mesh.build().vertices)]
            vertices, faces = sleeve.tube(rest, one.start, one.loose, one.folds, one.end, tucked=one.tucked)
            moved = forearm(arm.rig)
            mesh = bpy.data.meshes.new("arm wear")
            fill(mesh, arm.elbow.bend(vertices) if one.bends else vertices, faces)
            mesh.materials.append(None)
            self._add(mesh, _material(made_of[one.material]), moved)
            self._made.append(mesh)
            if one.face is not None:
                matrix = moved @ one.face.matrix(vertices)
                self._add(self._shape(one.face.shape, 0), _material(made_of[one.face.material]), matrix)

    def add_mesh(
        self,
        vertices: np.ndarray,
        faces: np.ndarray,
        made_of: list[bpy.types.Material],
        matrix: np.ndarray,
        surfaces: np.ndarray | None = None,
        *,
        keep_materials: bool = False,
        index: int = 0,
    ) -> bpy.types.Mesh:
        """Put a mesh of its own into the scene by a (4, 4) matrix.

        :param surfaces: (F,) int32, which of the materials each triangle has; None for the first.
        :param keep_materials: they are others' and stay when the frame is cleared.
        :param index: of the object in the pass of objects; 0 for what is not annotated.
        """
        mesh = bpy.data.meshes.new("prop")
        fill(mesh, vertices, faces)
        for material in made_of:
            mesh.materials.append(material)
        if surfaces is not None:
            mesh.polygons.foreach_set("material_index", np.ascontiguousarray(surfaces, np.int32))
        obj = bpy.data.objects.new("prop", mesh)
        bpy.context.scene.collection.objects.link(obj)
        obj.matrix_world = Matrix(matrix.tolist())
        obj.pass_index = index
        self._made += [obj, mesh, *([] if keep_materials else made_of)]
        return mesh

    def add_own(self, one: OwnObject, matrix: np.ndarray) -> None:
        """Put one of the user's own objects, in its own materials, into the scene by a (4, 4) matrix."""
        for mesh, within in self._own.of(one):
            obj = bpy.data.objects.new("own", mesh)
            bpy.context.scene.collection.objects.link(obj)
            obj.matrix_world = Matrix((matrix @ within).tolist())
            self._made.append(obj)

    def _add(self, mesh: bpy.types.Mesh, material: bpy.types.Material, matrix: np.ndarray) -> bpy.types.Object:
        obj = bpy.data.objects.new("prop", mesh)
        bpy.context.scene.collection.objects.link(obj)
        obj.matrix_world = Matrix(matrix.tolist())
        obj.material_slots[0].link = "OBJECT"
        obj.material_slots[0].material = material
        self._made += [obj, material]
        return obj


def _material(one: Material) -> bpy.types.Material:
    match one:
        case Everyday():
            return materials.everyday(one)
        case Plain():
            return materials.plain(one).material
        case Wood():
            return materials.wood(one)
        case Glow():
            return materials.glow(one)
        case Face():
            return head_mesh.face(one)
        case Hair():
            return head_mesh.hair_material(one)
        case OfObject():
            return materials.surface(one.surface).material
        case Mirror():
            return materials.mirror(one, MIRROR_PASS)
        case Glass():
            raise TypeError("glass is made for what it reflects, by Props.put")


def _shape(name: str, variant: int) -> bpy.types.Mesh:
    """A mesh with an empty material slot."""
    if name in head_mesh.SHAPES:
        return head_mesh.SHAPES[name]()
    if name in FILLED:
        mesh = bpy.data.meshes.new(name)
        fill(mesh, *FILLED[name](variant))
        mesh.materials.append(None)
        return mesh
    made = bmesh.new()
    if name in ("box", "wall"):
        bmesh.ops.create_cube(made, size=1.0)
    elif name in ("ball", "block"):
        bmesh.ops.create_uvsphere(made, u_segments=32, v_segments=16, radius=0.5)
        for corner in made.verts if name == "block" else ():
            corner.co = [np.sign(x) * abs(2 * x) ** 0.55 / 2 for x in corner.co]
    else:
        bmesh.ops.create_cone(made, cap_ends=True, segments=40, radius1=0.5, radius2=0.5, depth=1.0)
    mesh = bpy.data.meshes.new(name)
    made.to_mesh(mesh)
    made.free()
    # Corners of faces that are shaded smooth.
    smooth = {"box": (), "wall": (), "ball": (3, 4), "block": (3, 4), "tube": (4,)}[name]
    mesh.polygons.foreach_set("use_smooth", [len(face.vertices) in smooth for face in mesh.polygons])
    mesh.materials.append(None)
    return mesh
