"""Hands in rooms and on tables, as a camera would have taken them: lit by Blender's own HDR environments.

Cycles with light and shadow, a sleeve, things around, then exposure, blur, noise and JPEG. The masks come from the same
render: the skin writes what it is into a pass of its own, so that whatever stands before the hand cuts the mask too.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from generator import photo
from generator.blender import exr, materials
from generator.blender.cycles import camera_object
from generator.blender.drawing import Drawing
from generator.blender.props import Props
from generator.blender.rig import Posed, Rig
from generator.camera import Camera
from generator.look import Look

_TAG = 0x20
"""Tells this engine's random numbers from the look's."""


class Room:
    """Renders with Cycles on the processor; see the module's text."""

    name = "cycles"

    def __init__(self, samples: int, seed: int) -> None:
        self._seed = seed
        self._scene = bpy.context.scene
        self._camera = camera_object(self._scene)
        self._skin = materials.skin()
        self._props = Props()
        self._world = _World(self._scene)
        self._sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
        self._scene.collection.objects.link(self._sun)
        _prepare(self._scene, samples)
        exr.prepare(self._scene.render)

    def draw(self, rig: Rig, posed: Posed, camera: Camera, look: Look, frame: int) -> Drawing:
        """Draw one frame; all around the hand is drawn from (seed, frame)."""
        rng = np.random.default_rng((self._seed, frame, _TAG))
        if rig.surface.data.materials[:] != [self._skin]:
            rig.surface.data.materials.clear()
            rig.surface.data.materials.append(self._skin)
        self._camera.location = (0.0, -camera.distance, 0.0)
        self._camera.data.lens = camera.focal_mm
        self._scene.render.resolution_x, self._scene.render.resolution_y = camera.width, camera.height
        self._world.choose(rng)
        self._shine(rng, look)
        self._props.surround(rng, rig, posed, camera)
        self._scene.cycles.seed = frame % 2**31
        passes = exr.render()
        self._props.clear()
        arm = np.clip(passes[materials.ARM_PASS], 0.0, 1.0)
        picture = photo.develop(passes["Combined"][..., :3], arm.max(axis=-1) > 0.5, rng)
        return Drawing((0, 0, camera.width, camera.height), picture, arm[..., 0], arm[..., 1])

    def _shine(self, rng: np.random.Generator, look: Look) -> None:
        """A sun or a lamp in part of the pictures, from where the look's light comes."""
        from mathutils import Vector

        self._sun.hide_render = bool(rng.random() < 0.45)
        self._sun.rotation_euler = Vector(look.light.tolist()).to_track_quat("Z", "Y").to_euler()
        light = self._sun.data
        light.energy = rng.uniform(0.5, 4.0)
        light.angle = np.radians(np.exp(rng.uniform(np.log(0.5), np.log(40))))
        light.color = np.clip(look.light_colour, 0, 1).tolist()


class _World:
    """One of Blender's HDR environments, turned and dimmed."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        folder = Path(bpy.utils.system_resource("DATAFILES", path="studiolights/world"))
        self._images = [bpy.data.images.load(str(path)) for path in sorted(folder.glob("*.exr"))]
        world = scene.world = bpy.data.worlds.new("room")
        if world.node_tree is None:  # Blender 4; later ones warn when told what they always do
            world.use_nodes = True
        world.cycles.sampling_method = "MANUAL"  # a map of the picture's own size takes seconds a frame
        world.cycles.sample_map_resolution = 256
        tree = world.node_tree
        tree.nodes.clear()
        place, self._turn = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
        self._picture = tree.nodes.new("ShaderNodeTexEnvironment")
        self._light = tree.nodes.new("ShaderNodeBackground")
        tree.links.new(place.outputs["Generated"], self._turn.inputs["Vector"])
        tree.links.new(self._turn.outputs["Vector"], self._picture.inputs["Vector"])
        tree.links.new(self._picture.outputs["Color"], self._light.inputs["Color"])
        tree.links.new(self._light.outputs[0], tree.nodes.new("ShaderNodeOutputWorld").inputs["Surface"])

    def choose(self, rng: np.random.Generator) -> None:
        """Set one."""
        self._picture.image = self._images[int(rng.integers(len(self._images)))]
        down = rng.uniform(-0.1, 1.4)  # radians: the camera looks ahead, or down on a table
        self._turn.inputs["Rotation"].default_value = (-down, 0.0, rng.uniform(0, 2 * np.pi))
        self._light.inputs["Strength"].default_value = float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))


def _prepare(scene: bpy.types.Scene, samples: int) -> None:
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_percentage = 100
    render.use_persistent_data = False  # everything but the skin changes with each frame
    render.dither_intensity = 0.0
    render.threads_mode, render.threads = "FIXED", 1  # the workers are the parallel part
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
    cycles.sample_clamp_indirect = 4.0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_denoising = True
    try:
        cycles.denoiser = "OPENIMAGEDENOISE"
    except TypeError:
        raise RuntimeError(
            "this Blender was built without Open Image Denoise, which rooms are rendered with; use Blender from "
            "blender.org or from pip, or another --settings than varied"
        ) from None
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "FAST"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    scene.view_settings.view_transform = "Standard"
    aov = scene.view_layers[0].aovs.add()
    aov.name, aov.type = materials.ARM_PASS, "COLOR"
