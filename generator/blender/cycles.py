"""The engine that runs everywhere: Blender's path tracer with the light of ``drawing``.

Only the box around the hand is rendered. The light is worked out at the vertices and emitted, so that no shadow rays
are needed; a transparent film gives the coverage of the whole arm, a pass of its own (AOV) that of the hand. Both come
from the same samples.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy
import numpy as np

from generator.blender import exr, relief
from generator.blender.clothes import BEYOND, Cloth, worn
from generator.blender.drawing import WRAP, Drawing, box_around, nothing
from generator.blender.rig import COLOUR, REGION, Posed, Rig, fill
from generator.camera import SENSOR_MM, Camera
from generator.look import Look
from generator.photo import srgb

_AOV = "hand"
LIGHT = "light"
"""Point attribute with the light that the skin sends to the camera, linear RGB."""


class Cycles:
    """Renders with Cycles on the processor; see the module's text."""

    name = "cycles"

    def __init__(self, samples: int) -> None:
        self._scene = bpy.context.scene
        self._camera = camera_object(self._scene)
        self._material = _material()
        self._leans = relief.Leans()
        prepare(self._scene)
        self._choose(samples)
        exr.prepare(self._scene.render)

    def _choose(self, samples: int) -> None:
        """Make the renderer the scene's."""
        _prepare(self._scene, samples)

    def draw(self, rig: Rig, posed: Posed, camera: Camera, look: Look, frame: int) -> Drawing:
        """Draw one frame; its number seeds the sampling."""
        cloth = worn(rig, look.sleeve)
        box = box_around(posed.vertices if cloth is None else np.vstack([posed.vertices, cloth.vertices]), camera)
        if box[2] <= box[0] or box[3] <= box[1]:
            return nothing(camera)
        if rig.surface.data.materials[:] != [self._material]:
            rig.surface.data.materials.clear()
            rig.surface.data.materials.append(self._material)
        self._aim(camera, box)
        _shine(rig, posed, look)
        relief.lay(rig.surface.data, self._leans.of(rig, posed, camera, look))
        with self._dressed(cloth, look):
            return self._render(box, look, frame)

    def _render(self, box: tuple[int, int, int, int], look: Look, frame: int) -> Drawing:
        self._scene.cycles.seed = frame % 2**31
        return drawing(exr.render(), box, look)

    @contextlib.contextmanager
    def _dressed(self, cloth: Cloth | None, look: Look) -> Iterator[None]:
        """With a sleeve in the scene, if there is one."""
        if cloth is None or look.sleeve is None:
            yield
            return
        data = bpy.data.meshes.new("sleeve")
        fill(data, cloth.vertices, cloth.faces)
        data.materials.append(self._material)
        light = np.ones((len(cloth.vertices), 4), np.float32)
        light[:, :3] = look.sleeve.colour * _light(cloth.normals, look)
        data.attributes.new(LIGHT, "FLOAT_COLOR", "POINT").data.foreach_set("color", light.ravel())
        region = np.full(len(cloth.vertices), BEYOND, np.float32)
        data.attributes.new(REGION, "FLOAT", "POINT").data.foreach_set("value", region)
        thing = bpy.data.objects.new("sleeve", data)
        self._scene.collection.objects.link(thing)
        yield
        bpy.data.batch_remove([thing, data])

    def _aim(self, camera: Camera, box: tuple[int, int, int, int]) -> None:
        self._camera.location = (0.0, -camera.distance, 0.0)
        self._camera.data.lens = camera.focal_mm
        render = self._scene.render
        render.resolution_x, render.resolution_y = camera.width, camera.height
        # Blender rounds these to pixels in one place and cuts them off in another: a quarter more suits both.
        columns, rows = (box[0], box[2]), (camera.height - box[3], camera.height - box[1])
        render.border_min_x, render.border_max_x = ((x + 0.25) / camera.width for x in columns)
        render.border_min_y, render.border_max_y = ((y + 0.25) / camera.height for y in rows)


def camera_object(scene: bpy.types.Scene) -> bpy.types.Object:
    """Blender's camera for :class:`generator.camera.Camera`, which has still to be placed; the scene's from now on."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width, data.clip_start = "HORIZONTAL", SENSOR_MM, 0.01
    thing = bpy.data.objects.new("camera", data)
    thing.rotation_euler = (np.pi / 2, 0.0, 0.0)  # looks along +Y, +Z up
    scene.collection.objects.link(thing)
    scene.camera = thing
    return thing


def prepare(scene: bpy.types.Scene) -> None:
    """What all of Blender's renderers need: a crop, a transparent film, colours as they are."""
    render = scene.render
    render.resolution_percentage = 100
    render.use_border = render.use_crop_to_border = True
    render.film_transparent = True
    render.dither_intensity = 0.0
    scene.view_settings.view_transform = "Standard"
    aov = scene.view_layers[0].aovs.add()
    aov.name, aov.type = _AOV, "COLOR"


def _prepare(scene: bpy.types.Scene, samples: int) -> None:
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.use_persistent_data = True
    render.threads_mode, render.threads = "FIXED", 1  # the workers are the parallel part
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.max_bounces = 0
    cycles.use_light_tree = False
    cycles.pixel_filter_type = "BOX"
    cycles.filter_width = 1.0


def _material() -> bpy.types.Material:
    """Emission of the vertices' light, and an AOV that is red on the hand, green on the whole bare arm.

    Never changed, as that would cost 0.1 s a frame.
    """
    material = bpy.data.materials.new("hand")
    if material.node_tree is None:  # Blender 4; later ones warn when told what they always do
        material.use_nodes = True
    material.cycles.emission_sampling = "NONE"  # it lights nothing: no tree of 29,000 lamps each frame
    tree = material.node_tree
    tree.nodes.clear()
    light, region = (tree.nodes.new("ShaderNodeAttribute") for _ in range(2))
    light.attribute_name, region.attribute_name = LIGHT, REGION
    shader = relief.emission(tree, light.outputs["Color"])
    tree.links.new(shader, tree.nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    both, aov = tree.nodes.new("ShaderNodeCombineXYZ"), tree.nodes.new("ShaderNodeOutputAOV")
    aov.aov_name = _AOV
    for channel, least in (("X", 0.0), ("Y", BEYOND / 2)):
        over = tree.nodes.new("ShaderNodeMath")
        over.operation, over.inputs[1].default_value = "GREATER_THAN", least
        tree.links.new(region.outputs["Fac"], over.inputs[0])
        tree.links.new(over.outputs[0], both.inputs[channel])
    tree.links.new(both.outputs[0], aov.inputs["Color"])
    return material


def _shine(rig: Rig, posed: Posed, look: Look) -> None:
    """Write the light that each vertex sends out into the mesh."""
    attributes = rig.surface.data.attributes
    light = attributes.get(LIGHT) or attributes.new(LIGHT, "FLOAT_COLOR", "POINT")
    rgba = np.empty((len(posed.vertices), 4), np.float32)
    attributes[COLOUR].data.foreach_get("color", rgba.ravel())
    rgba[:, :3] *= _light(posed.normals, look)
    light.data.foreach_set("color", rgba.ravel())


def _light(normals: np.ndarray, look: Look) -> np.ndarray:
    """The light on surfaces of these normals (V, 3), linear RGB (V, 3)."""
    wrapped = np.maximum(0.0, (normals @ look.light.astype(np.float32) + WRAP) / (1 + WRAP))
    return (look.ambient + (1 - look.ambient) * wrapped)[:, None] * look.light_colour


def drawing(passes: dict[str, np.ndarray], box: tuple[int, int, int, int], look: Look) -> Drawing:
    """What was rendered, before the look's background."""
    combined, alpha = passes["Combined"][..., :3], np.clip(passes["Combined"][..., 3], 0.0, 1.0)
    height, width = box[3] - box[1], box[2] - box[0]
    if alpha.shape != (height, width):
        raise RuntimeError(f"Blender rendered {alpha.shape[1]}x{alpha.shape[0]} pixels of {width}x{height}")
    hand, arm = (np.clip(passes[_AOV][..., channel], 0.0, 1.0) for channel in (0, 1))
    picture = np.tile(srgb(look.background), (height, width, 1))
    drawn = alpha > 0  # half of the box is plain
    picture[drawn] = srgb(combined[drawn] + (1.0 - alpha[drawn, None]) * look.background)
    if look.sleeve is None:
        arm = alpha
    return Drawing(box, picture, hand, np.maximum(arm - hand, 0.0), np.maximum(alpha - arm, 0.0))
