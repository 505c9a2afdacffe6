"""The engine that runs everywhere: Blender's path tracer with the light of ``render_layers``.

What costs time is rays, so they are few and cheap. The light is worked out at the vertices and emitted: no ray goes on
to a lamp. The hand is flattened to what the camera sees of it, so that all rays are parallel, which saves Cycles the
square roots of a perspective. What faces away is left out. Only boxes about the hand and the arm are rendered, and one
sample is taken where all would find the same (:mod:`generator.blender.engines.tiles`). A transparent film gives the
coverage of everything, passes of their own (AOVs) that of hand and sleeve, all from the same samples.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import bpy
import numpy as np

from generator.blender import attributes
from generator.blender.engines import bump, exr, tiles
from generator.blender.engines.render_layers import WRAP, Box, RenderLayers, box_around, nothing
from generator.blender.region import BESIDE_WRIST, Region
from generator.blender.rig import COLOR, WRIST_DISTANCE, PosedSurface, Rig, fill, triangles, wrist_distance
from generator.blender.scene import materials
from generator.blender.scene.nodes import NodeGraph
from generator.blender.scene.sleeve_mesh import Cloth, sleeve_mesh
from generator.frame.camera_effects import srgb
from generator.frame.elbow import STRAIGHT, Elbow
from generator.frame.frame_look import FrameLook
from generator.hand.camera import Camera

_WRIST = len(BESIDE_WRIST)
"""The number of the material of triangles at the wrist, where each point has to ask on which side it is; the others'
are the numbers of their regions."""
LIGHT = "light"
"""Point attribute with the light that the skin sends to the camera, linear RGB."""
_NEAREST = 0.01
"""Metres before the camera; what is nearer is drawn as if it were there."""
_FARTHEST = 1 / _NEAREST
"""Where the flattened nearest points lie."""
_PATTERN = 1158
"""The seed of the samples' places in a pixel, the same in all: the middle first, the others well spread around it, as
benchmarks/samples.py finds."""


class Cycles:
    """Renders with Cycles on the processor; see the module's text."""

    culls = True
    """Whether what is seen from its back only is left out: a closed mesh's inside is never seen."""

    def __init__(self, samples: int) -> None:
        self._scene = bpy.context.scene
        self._camera = _camera(self._scene)
        self._plain, self._bumpy = ([_skin(part, bumpy) for part in (*BESIDE_WRIST, _WRIST)] for bumpy in (False, True))
        self._cloth = _cloth()
        self._bumps = bump.BumpMapping()
        self._faces, self._flat, self._borders = (functools.cache(of) for of in (triangles, _flat, _borders))
        self._seen = bpy.data.collections.new("seen")
        self._scene.collection.children.link(self._seen)
        self._hand = bpy.data.objects.new("seen", bpy.data.meshes.new("seen"))
        self._seen.objects.link(self._hand)
        self._samples = samples
        prepare(self._scene)
        self._choose()
        exr.prepare(self._scene.render)

    def _choose(self) -> None:
        """Make Cycles the scene's renderer."""
        _prepare(self._scene, self._samples)

    def draw(
        self, rig: Rig, surface: PosedSurface, camera: Camera, look: FrameLook, elbow: Elbow = STRAIGHT
    ) -> RenderLayers:
        """Draw a rig by its present ``surface``, and the sleeve of the look on its arm, bent so."""
        cloth = sleeve_mesh(rig, look.sleeve, elbow)
        skin = self._faces(rig.surface.data)
        points, faces = surface.vertices, skin
        if cloth is not None:
            faces = np.vstack([faces, cloth.faces + len(points)])
            points = np.vstack([points, cloth.vertices])
        box = box_around(points, camera)
        if box[2] <= box[0] or box[3] <= box[1]:
            return nothing()
        points = flattened(points, camera)
        front = tiles.facing(points, skin) != rig.mirrored
        ends = np.ones(len(faces), bool)
        ends[: len(skin)] = self._ends(rig, front)
        parts = tiles.around(points, faces, ends, camera, box)
        if not parts:
            return nothing()
        rig.surface.hide_render = True
        seen = self._hand.data = self._flat(rig.surface.data)
        points = points[: len(surface.vertices)]
        if self.culls:  # Cycles takes no triangles with a point that is NaN
            points = np.where(tiles.corners(skin[front], len(points))[:, None], points, np.float32(np.nan))
        attributes.write(seen, "position", points)
        attributes.write(seen, LIGHT, _shine(rig, surface, look))
        bumps = self._bumps.of(rig, surface, camera, look)
        bump.store(seen, bumps)
        for slot, material in enumerate(self._plain if bumps is None else self._bumpy):
            seen.materials[slot] = material
        seen.update()
        with self._dressed(cloth, camera, look):
            return self._render(box, parts, camera, look)

    def _ends(self, rig: Rig, front: np.ndarray) -> np.ndarray:
        """The triangles (F,) bool of a rig on which hand or forearm may begin or end, by those seen from the front."""
        rim, wrist = self._borders(rig.surface.data)
        return tiles.outlines(self._faces(rig.surface.data), front, rim) | wrist

    def _render(self, box: Box, parts: list[tuple[Box, bool]], camera: Camera, look: FrameLook) -> RenderLayers:
        """Draw the box, of which nothing is to be seen outside its parts, and all samples are alike in smooth ones."""
        shape = box[3] - box[1], box[2] - box[0]
        image = np.empty((*shape, 3), np.uint8)
        image[:] = srgb(look.background)
        hand, forearm, cloth = np.zeros((3, *shape), np.float32)
        for part, smooth in parts:
            left, top, right, bottom = part
            self._scene.cycles.sample_subset_length = 1 if smooth else self._samples
            self._aim(camera, part)
            drawn = drawing(exr.render(), part, look)
            at = np.s_[top - box[1] : bottom - box[1], left - box[0] : right - box[0]]
            image[at], hand[at], forearm[at], cloth[at] = drawn.image, drawn.hand, drawn.forearm, drawn.cloth
        return RenderLayers(box, image, hand, forearm, cloth)

    @contextlib.contextmanager
    def _dressed(self, cloth: Cloth | None, camera: Camera, look: FrameLook) -> Iterator[None]:
        """With a sleeve in the scene, if there is one."""
        if cloth is None or look.sleeve is None:
            yield
            return
        ask_for(self._scene, Region.CLOTH)
        data = bpy.data.meshes.new("sleeve")
        fill(data, flattened(cloth.vertices, camera), cloth.faces)
        data.materials.append(self._cloth)
        attributes.write(data, LIGHT, attributes.opaque(look.sleeve.color * _light(cloth.normals, look)))
        obj = bpy.data.objects.new("sleeve", data)
        self._seen.objects.link(obj)
        try:
            yield
        finally:
            bpy.data.batch_remove([obj, data])

    def _aim(self, camera: Camera, box: Box) -> None:
        self._camera.data.ortho_scale = camera.width / camera.matrix[0, 0]
        render = self._scene.render
        render.resolution_x, render.resolution_y = camera.width, camera.height
        # Blender rounds these to pixels in one place and cuts them off in another: a quarter more suits both.
        columns, rows = (box[0], box[2]), (camera.height - box[3], camera.height - box[1])
        render.border_min_x, render.border_max_x = ((x + 0.25) / camera.width for x in columns)
        render.border_min_y, render.border_max_y = ((y + 0.25) / camera.height for y in rows)


def _camera(scene: bpy.types.Scene) -> bpy.types.Object:
    """The scene's camera from now on, which sees what :func:`flattened` gives."""
    data = bpy.data.cameras.new("camera")
    data.type, data.sensor_fit, data.clip_start, data.clip_end = "ORTHO", "HORIZONTAL", 0.0, _FARTHEST + 1
    obj = bpy.data.objects.new("camera", data)
    obj.rotation_euler, obj.location = (np.pi / 2, 0.0, 0.0), (0.0, -_FARTHEST, 0.0)  # looks along +Y, +Z up
    scene.collection.objects.link(obj)
    scene.camera = obj
    return obj


def prepare(scene: bpy.types.Scene) -> None:
    """What all of Blender's renderers need: a crop, a transparent film, colours as they are."""
    render = scene.render
    render.resolution_percentage = 100
    render.use_border = render.use_crop_to_border = True
    render.film_transparent = True
    render.dither_intensity = 0.0
    scene.view_settings.view_transform = "Standard"
    ask_for(scene, Region.HAND)


def ask_for(scene: bpy.types.Scene, region: Region) -> None:
    """Have a pass (AOV) rendered from now on with how much of a pixel is the region's; it costs time, but no rays."""
    aovs = scene.view_layers[0].aovs
    if region.label not in aovs:
        aov = aovs.add()
        aov.name, aov.type = region.label, "VALUE"


def _prepare(scene: bpy.types.Scene, samples: int) -> None:
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.use_persistent_data = True
    render.threads_mode, render.threads = "FIXED", 1  # the workers are the parallel part
    cycles.device = "CPU"
    cycles.samples, cycles.use_sample_subset = samples, True  # to change only that length is quick
    cycles.sampling_pattern = "TABULATED_SOBOL"  # by a tenth faster than what Blender takes by itself
    cycles.scrambling_distance, cycles.seed = 0.0, _PATTERN
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.max_bounces = 0
    cycles.use_light_tree = False
    cycles.pixel_filter_type = "BOX"
    cycles.filter_width = 1.0


def _skin(part: int, bumpy: bool) -> bpy.types.Material:
    """Emission of the vertices' light, and where the hand is in a pass of its own.

    Never changed, as that would cost 0.1 s a frame.
    """
    graph = _emission("hand", bumpy)
    if part == Region.HAND:
        graph.write_pass(Region.HAND.label, Value=1.0)
    if part == _WRIST:
        beyond_wrist = graph.math("GREATER_THAN", graph.attribute(WRIST_DISTANCE), 0.0)
        graph.write_pass(Region.HAND.label, Value=beyond_wrist)
    return graph.material


def _cloth() -> bpy.types.Material:
    """The same for a sleeve: emission of the vertices' light, and where it is in a pass."""
    graph = _emission("sleeve", bumpy=False)
    graph.write_pass(Region.CLOTH.label, Value=1.0)
    return graph.material


def _emission(name: str, bumpy: bool) -> NodeGraph:
    """A new material that sends out the vertices' light."""
    graph = NodeGraph(materials.new(name))
    graph.material.cycles.emission_sampling = "NONE"  # it lights nothing: no tree of 29,000 lamps each frame
    light = graph.attribute(LIGHT, "Color")
    shader = bump.emission(graph, light) if bumpy else graph.add("Emission", Color=light).outputs[0]
    graph.add("OutputMaterial", Surface=shader)
    return graph


def flattened(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Scene points (V, 3) where parallel rays along +Y find what the camera sees, (V, 3) float32.

    X and Z are how far right and up a point is a metre before the camera, Y is -1 / depth. Such a map keeps planes
    planes, so that triangles still cover each other as they did.
    """
    x, y, depth = camera.to_camera(points).T
    depth = np.maximum(depth, _NEAREST)
    return np.stack([x / depth, -1 / depth, -y / depth], axis=1).astype(np.float32)


def _flat(surface: bpy.types.Mesh) -> bpy.types.Mesh:
    """A mesh like a rig's surface, whose points have still to be placed and lit."""
    data = bpy.data.meshes.new("seen")
    fill(data, np.zeros((len(surface.vertices), 3)), triangles(surface))
    data.shade_flat()  # its light is in the vertices, so Cycles needs no normals
    attributes.write(data, WRIST_DISTANCE, wrist_distance(surface))
    attributes.write(data, LIGHT, np.zeros((len(surface.vertices), 4)))
    for _ in (*BESIDE_WRIST, _WRIST):
        data.materials.append(None)
    data.polygons.foreach_set("material_index", _parts(surface))
    return data


def _parts(surface: bpy.types.Mesh) -> np.ndarray:
    """Whether a triangle of a rig's surface is the forearm's, the hand's, or at the wrist, (F,) int32."""
    on_hand = (wrist_distance(surface) > 0)[triangles(surface)]
    return np.select([on_hand.all(1), on_hand.any(1)], [Region.HAND, _WRIST], Region.FOREARM).astype(np.int32)


def _borders(surface: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Which points (V,) bool are at the rim of a mesh that is not closed, which triangles (F,) bool at the wrist."""
    return tiles.rim(triangles(surface), len(surface.vertices)), _parts(surface) == _WRIST


def _shine(rig: Rig, surface: PosedSurface, look: FrameLook) -> np.ndarray:
    """The light that each vertex sends out, (V, 4) float32, linear."""
    rgba = attributes.read(rig.surface.data, COLOR)
    rgba[:, :3] *= _light(surface.normals, look)
    return rgba


def _light(normals: np.ndarray, look: FrameLook) -> np.ndarray:
    """The light on surfaces of these normals (V, 3), linear RGB (V, 3)."""
    wrapped = np.maximum(0.0, (normals @ look.light.astype(np.float32) + WRAP) / (1 + WRAP))
    return (look.ambient + (1 - look.ambient) * wrapped)[:, None] * look.light_color


def drawing(passes: dict[str, np.ndarray], box: Box, look: FrameLook) -> RenderLayers:
    """What was rendered in a box, before the look's background."""
    *rgb, coverage = np.moveaxis(passes["Combined"], 2, 0)
    height, width = box[3] - box[1], box[2] - box[0]
    if coverage.shape != (height, width):
        raise RuntimeError(f"Blender rendered {coverage.shape[1]}x{coverage.shape[0]} pixels of {width}x{height}")
    alpha = np.clip(coverage, 0.0, 1.0)
    image = np.empty((height, width, 3), np.uint8)
    for channel, (light, behind) in enumerate(zip(rgb, look.background.astype(np.float32), strict=True)):
        image[..., channel] = srgb(light + (1.0 - alpha) * behind)
    hand = np.clip(passes[Region.HAND.label][..., 0], 0.0, 1.0)
    sleeve = passes.get(Region.CLOTH.label)
    cloth: np.ndarray | float = 0.0 if sleeve is None else np.clip(sleeve[..., 0], 0.0, 1.0)
    return RenderLayers(box, image, hand, np.maximum(alpha - hand - cloth, 0.0), cloth)
