"""What stands around a hand: a table or a wall, boxes and balls on it, a sleeve. Made for one frame, then removed."""

from __future__ import annotations

import functools

import bmesh
import bpy
import numpy as np
from mathutils import Matrix

from generator.blender.rig import Rig, fill, forearm, rest_vertices
from generator.blender.scene import furniture, head_mesh, materials
from generator.blender.scene.arm_view import View
from generator.blender.scene.own_meshes import OwnMeshes
from generator.blender.scene.transforms import rotation_to, transform
from generator.frame.elbow import Elbow
from generator.maths import rotation_about
from generator.mesh import hand_mesh, sheet, sleeve
from generator.mesh.gloves import Glove
from generator.objects.own_objects import OwnObject

PLANE_SIZE = 8.0
"""Metres: to the horizon, as far as an image can tell."""


class Props:
    """The things of one frame; :meth:`clear` removes them."""

    def __init__(self) -> None:
        self._made: list[bpy.types.ID] = []
        self._shape = functools.cache(_shape)
        self._own = OwnMeshes()

    def clear(self) -> None:
        """Remove what the last frame had."""
        bpy.data.batch_remove(self._made)
        self._made = []

    def dress(self, rng: np.random.Generator, rig: Rig, elbow: Elbow, glove: Glove | None = None) -> None:
        """Put a sleeve on most arms and a watch on some bare ones.

        Every second sleeve of a bent arm ends above the elbow; every second one goes under the glove's cuff.
        """
        if rng.random() < sleeve.WORN:
            self._sleeve(rng, rig, elbow, glove)
        if rng.random() < 0.3 and glove is None:
            self._watch(rng, rig)

    def furnish(
        self, rng: np.random.Generator, view: View, material: bpy.types.Material | None = None, more: int = 0
    ) -> None:
        """Put a table or wall behind the hand, of this material or of any, and up to 10 things and ``more`` on it.

        Or nothing at all.
        """
        if rng.random() < 0.12:
            return  # the hand in front of the world's image alone
        normal = _facing(rng)
        offset = float((view.arm @ normal).min() - np.exp(rng.uniform(np.log(0.002), np.log(0.4))))
        rotation = rotation_to(normal, rng.uniform(0, 2 * np.pi))
        self._plane(rng, rotation, normal * offset, material)
        for _ in range(int(rng.integers(0, 11)) + more):
            self._object(rng, rotation, normal, offset, view)

    def add(self, shape: str, material: bpy.types.Material, matrix: np.ndarray) -> None:
        """Put a shape into the scene by a (4, 4) matrix.

        :param shape: box, ball, tube (along Z) or block (a rounded box), of size 1; or one of :data:`heads.SHAPES`.
        """
        self._add(self._shape(shape), material, matrix)

    def assemble(self, parts: list[furniture.Part], matrix: np.ndarray) -> None:
        """Put a piece of furniture into the scene by a (4, 4) matrix."""
        for part in parts:
            self.add(part.shape, part.material, matrix @ part.matrix)

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
        mesh = bpy.data.meshes.new("thing")
        fill(mesh, vertices, faces)
        for material in made_of:
            mesh.materials.append(material)
        if surfaces is not None:
            mesh.polygons.foreach_set("material_index", np.ascontiguousarray(surfaces, np.int32))
        obj = bpy.data.objects.new("thing", mesh)
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

    def sheet(self, rng: np.random.Generator, normal: np.ndarray, point: np.ndarray) -> None:
        """A bed's sheet about a point of a plane with this unit normal."""
        vertices, faces = sheet.sheet(rng)
        turn = rotation_to(normal, rng.uniform(0, 2 * np.pi))
        self.add_mesh(vertices, faces, [materials.sheet(rng)], transform(turn, point, np.ones(3)))

    def floor(
        self,
        rng: np.random.Generator,
        normal: np.ndarray,
        point: np.ndarray,
        material: bpy.types.Material | None = None,
    ) -> None:
        """A plane through a point with this unit normal, of this material or of any."""
        self._plane(rng, rotation_to(normal, rng.uniform(0, 2 * np.pi)), point, material)

    def table(self, rng: np.random.Generator, view: View, normal: np.ndarray, point: np.ndarray, count: int) -> None:
        """A plane through a point with this unit normal, and up to so many things on it where no arm is."""
        rotation = rotation_to(normal, rng.uniform(0, 2 * np.pi))
        self._plane(rng, rotation, point)
        for _ in range(count):
            self._object(rng, rotation, normal, float(point @ normal), view)

    def wall(self, rng: np.random.Generator, view: View, material: bpy.types.Material, gap: float) -> None:
        """A plane ``gap`` metres behind the arm, turned a little: it fills the image, or is a board there."""
        normal = np.array([np.sin(a := rng.normal(0, 0.2)), -np.cos(a), 0.0])
        depth = view.behind(0.1) + gap
        center = np.array([0.0, depth - view.camera.distance, 0.0])
        self._plane(rng, rotation_to(normal, rng.uniform(0, 2 * np.pi)), center, material)

    def fill_room(self, rng: np.random.Generator, view: View) -> None:
        """Furniture behind the hand, near or far, and often a wall behind that."""
        back = view.behind(0.1)
        far = float(np.exp(rng.uniform(np.log(0.5), np.log(4.0))))
        if rng.random() < 0.7:
            self.wall(rng, view, materials.surface(rng), far)
        roll = rng.normal(0, 0.15)
        for _ in range(int(rng.integers(2, 12))):
            depth = back + far * rng.uniform(0.1, 0.9)
            across = depth / view.camera.matrix[0, 0] * view.camera.width  # of the image, metres
            size = across * np.exp(rng.uniform(np.log(0.12), np.log(0.9)))
            center = view.point(rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), depth)
            if view.clear(center, size / 2):
                lean = np.array([np.sin(roll), rng.normal(0, 0.2), np.cos(roll)])
                facing = rotation_to(lean / np.linalg.norm(lean), np.pi / 2 + rng.normal(0, 0.6))  # us
                self.assemble(furniture.piece(rng), transform(facing, center, size))

    def _add(self, mesh: bpy.types.Mesh, material: bpy.types.Material, matrix: np.ndarray) -> None:
        obj = bpy.data.objects.new("prop", mesh)
        bpy.context.scene.collection.objects.link(obj)
        obj.matrix_world = Matrix(matrix.tolist())
        obj.material_slots[0].link = "OBJECT"
        obj.material_slots[0].material = material
        self._made += [obj, material]

    def _plane(
        self,
        rng: np.random.Generator,
        rotation: np.ndarray,
        center: np.ndarray,
        material: bpy.types.Material | None = None,
    ) -> None:
        """A table top or a wall: a box whose front is the plane; in part of the images its edge is in sight."""
        size = np.array([PLANE_SIZE, PLANE_SIZE, 0.04])
        shift = np.zeros(3)
        if rng.random() < 0.6:
            size[:2] = rng.uniform(0.5, 1.6, 2)
            shift[:2] = rng.uniform(-0.35, 0.35, 2) * size[:2]
        self.add(
            "box",
            material or self._top(rng),
            transform(rotation, center + rotation @ (shift - [0, 0, size[2] / 2]), size),
        )

    @staticmethod
    def _top(rng: np.random.Generator) -> bpy.types.Material:
        return materials.wood(rng, PLANE_SIZE) if rng.random() < 0.3 else materials.everyday(rng)

    def _object(
        self,
        rng: np.random.Generator,
        rotation: np.ndarray,
        normal: np.ndarray,
        offset: float,
        view: View,
    ) -> None:
        """A box, ball, tube or piece that stands on the plane somewhere in the image, where the arm is not."""
        composed = rng.random() < 0.35
        size = np.exp(rng.uniform(np.log(0.015), np.log(0.22), 3))
        if composed:
            size[:] = np.exp(rng.uniform(np.log(0.08), np.log(0.5)))
        shape = str(rng.choice(["box", "box", "ball", "tube"]))
        if shape == "ball":
            size[:] = size[0]
        angle = rng.uniform(0, 2 * np.pi)
        pixel = rng.uniform(size=2) * [view.camera.width, view.camera.height]
        ray = np.array(
            [(pixel[0] - view.camera.width / 2), view.camera.matrix[0, 0], (view.camera.height / 2 - pixel[1])]
        )
        eye = np.array([0.0, -view.camera.distance, 0.0])
        reach = (offset - eye @ normal) / (ray @ normal)
        foot = eye + reach * ray
        center = foot + normal * size[2] / 2
        radius = np.linalg.norm(size) / 2
        if reach <= 0 or reach * view.camera.matrix[0, 0] > 4 or (center - eye) @ [0, 1, 0] < 2 * radius:
            return
        if np.linalg.norm(view.arm - center, axis=1).min() < radius + 0.004:
            return
        matrix = transform(rotation @ rotation_about(2, angle), center, size)
        if composed:
            self.assemble(furniture.piece(rng), matrix)
        else:
            self.add(shape, materials.everyday(rng), matrix)

    def _watch(self, rng: np.random.Generator, rig: Rig) -> None:
        """A band around the wrist, of a watch or without one."""
        rest = rest_vertices(rig)
        if not sleeve.has_arm(rest):
            return
        start, wide, loose = -rng.uniform(0.012, 0.05), rng.uniform(0.008, 0.03), rng.uniform(0.001, 0.004)
        vertices, faces = sleeve.tube(rest, start, loose, rng, end=start - wide)
        dark = np.full(3, np.exp(rng.uniform(-5, -2)))
        band = materials.plain(rng, dark, uneven=0.05) if rng.random() < 0.6 else materials.surface(rng)
        moved = forearm(rig)
        self._wear(vertices, faces, band, moved)
        if rng.random() < 0.6:
            low, high = vertices.min(axis=0), vertices.max(axis=0)
            size = np.array([*rng.uniform(0.024, 0.042, 2), 0.012])
            center = np.array([(low[0] + high[0]) / 2, high[1] if rng.random() < 0.8 else low[1], start - wide / 2])
            face = transform(rotation_to(np.array([0.0, 1.0, 0.0]), 0.0), center, size)
            self.add(str(rng.choice(["tube", "block"])), materials.surface(rng), moved @ face)

    def _sleeve(self, rng: np.random.Generator, rig: Rig, elbow: Elbow, glove: Glove | None) -> None:
        """A tube around the forearm, if there is one."""
        rest = rest_vertices(rig)
        if not sleeve.has_arm(rest):
            return
        start, loose = sleeve.cut(rng)
        if elbow.angle and rng.random() < 0.5:
            start = -rng.uniform(0.3, 0.4)
        if tucked := glove is not None and rng.random() < sleeve.TUCKED:
            assert glove is not None
            rest, start = rest[: len(hand_mesh.build().vertices)], 0.003 - glove.cuff  # the arm without the cuff
        vertices, faces = sleeve.tube(rest, start, loose, rng, tucked=tucked)
        self._wear(elbow.bend(vertices), faces, materials.everyday(rng), forearm(rig))

    def _wear(self, vertices: np.ndarray, faces: np.ndarray, material: bpy.types.Material, moved: np.ndarray) -> None:
        mesh = bpy.data.meshes.new("worn")
        fill(mesh, vertices, faces)
        mesh.materials.append(None)
        self._add(mesh, material, moved)
        self._made.append(mesh)


def _facing(rng: np.random.Generator) -> np.ndarray:
    """The normal of a plane behind the hand, (3,): a table seen from above or at a slant, or a wall."""
    slant = np.radians(rng.uniform(0, 68) if rng.random() < 0.7 else rng.uniform(-15, 15))
    side = np.radians(rng.normal(0, 12))
    return np.array([np.sin(side) * np.cos(slant), -np.cos(side) * np.cos(slant), np.sin(slant)])


def _shape(name: str) -> bpy.types.Mesh:
    """A mesh with an empty material slot."""
    if name in head_mesh.SHAPES:
        return head_mesh.SHAPES[name]()
    made = bmesh.new()
    if name == "box":
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
    smooth = {"box": (), "ball": (3, 4), "block": (3, 4), "tube": (4,)}[name]  # corners of faces that are so shaded
    mesh.polygons.foreach_set("use_smooth", [len(face.vertices) in smooth for face in mesh.polygons])
    mesh.materials.append(None)
    return mesh
