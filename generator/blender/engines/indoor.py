"""Indoor scenes as a camera would have taken them: hands lit by one of Blender's own HDR environments.

Cycles with light and shadow, sleeves, props around, then exposure, blur, noise and JPEG. The masks come from the same
render: the skin writes what it is into a pass of its own, so that whatever stands before the hand cuts the mask too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from generator.blender.engines import exr
from generator.blender.engines.render_layers import FrameLayers, RenderLayers
from generator.blender.posed_frame import Arm, PosedFrame, Stage
from generator.blender.region import BESIDE_WRIST
from generator.blender.rig import rest_vertices, wrist_distance
from generator.blender.scene import object_meshes, skin_material
from generator.blender.scene.hand_material import HandMaterials, put_on
from generator.blender.scene.nodes import NodeGraph
from generator.blender.scene.object_meshes import HELD_PASS
from generator.blender.scene.props import MIRROR_PASS, Props
from generator.errors import EngineError
from generator.frame import camera_effects
from generator.frame.camera_effects import Photo
from generator.frame.frame_spec import FrameSpec, most_hands
from generator.frame.room import surroundings
from generator.frame.room.arm_view import View
from generator.frame.room.lamps import ENVIRONMENTS, Lamps
from generator.frame.room.surroundings import BareArm, Surroundings
from generator.frame.settings import RenderSettings
from generator.hand.camera import SENSOR_MM, Camera
from generator.mesh import sleeve


class IndoorScene:
    """Renders with Cycles on the processor; see the module's text."""

    def __init__(self, settings: RenderSettings, stage: Stage) -> None:
        self._settings, self._stage = settings, stage
        self._backgrounds = Path(settings.backgrounds or "")
        self._scene = bpy.context.scene
        self._camera = camera_object(self._scene)
        most = most_hands(settings)
        self._skins = {name: HandMaterials(name) for name in skin_material.ARM_PASSES[:most]}
        self._bare_skin = skin_material.limb_skin()
        self._props = Props()
        self._world = _World(self._scene)
        self._sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
        self._flash = bpy.data.objects.new("flash", bpy.data.lights.new("flash", "POINT"))
        self._flash.data.shadow_soft_size = 0.01
        self._flash.hide_render = True
        for lamp in (self._sun, self._flash):
            self._scene.collection.objects.link(lamp)
        _prepare(self._scene, settings.samples)
        self._use_passes(min(most, 2))
        exr.prepare(self._scene.render)

    def decide(self, frame: PosedFrame) -> FrameSpec:
        """The frame with what is around the hands, drawn from (seed, frame) where it is not decided yet."""
        spec = frame.spec
        if spec.around is not None:
            return spec
        if spec.empty is not None:
            return replace(spec, around=surroundings.draw_empty(self._settings, spec.number, spec.look, spec.empty))
        arms = [
            BareArm(arm.look, arm.bones, arm.elbow, not sleeve.has_arm(rest_vertices(arm.rig))) for arm in frame.arms
        ]
        held = frame.held is not None
        around = surroundings.draw(self._settings, spec.number, spec.look, _view(frame), arms, spec.crowd, held)
        return replace(spec, around=around)

    def render(self, frame: PosedFrame) -> FrameLayers:
        """Render a frame."""
        self._stage.show(*(arm.rig for arm in frame.arms))
        spec = self.decide(frame)
        assert spec.around is not None
        self._aim(spec.camera)
        self._light(spec.around.lamps)
        mirrored = bool(frame.arms) and spec.around.mirror is not None
        annotated = self._settings.object_annotations
        others = [*[MIRROR_PASS] * mirrored, *[HELD_PASS] * (annotated and frame.held is not None)]
        self._use_passes(max(len(frame.arms), min(len(self._skins), 2)), others)
        layer = self._scene.view_layers[0]
        layer.use_pass_object_index = annotated and not frame.arms
        layer.pass_alpha_threshold = 0.0 if layer.use_pass_object_index else 0.5  # there glass is an object, too
        # What is clear lets every ray pass; without it, other glass is drawn as it always was.
        self._scene.cycles.min_transparent_bounces = 8 if spec.around.clear else 0
        try:
            self._dress_hands(frame.arms)
            self._put(frame, spec.around)
            image, passes = self._take(spec, spec.around.photo)
        finally:  # or the next frame would show what this one had
            self._props.clear()
        box = (0, 0, spec.camera.width, spec.camera.height)
        covered = [passes[name] for name in self._skins if name in passes][: len(frame.arms)]
        reflecting = passes[MIRROR_PASS][..., :1] >= 0.5 if mirrored else np.zeros((1, 1, 1), bool)

        def layers(arms: list[np.ndarray]) -> tuple[RenderLayers, ...]:
            return tuple(RenderLayers(box, image, *np.moveaxis(arm, 2, 0)[: len(BESIDE_WRIST)]) for arm in arms)

        reflections = layers([arm * reflecting for arm in covered]) if mirrored else ()
        objects = _objects(passes, reflecting[..., 0]) if annotated else None
        return FrameLayers(image, layers([arm * ~reflecting for arm in covered]), reflections, objects)

    def _dress_hands(self, arms: tuple[Arm, ...]) -> None:
        """Skin or gloves, and rings."""
        for arm, made in zip(arms, self._skins.values(), strict=False):  # there may be one hand
            material = made.material(arm.look)
            if arm.rig.surface.data.materials[:] != [material]:
                arm.rig.surface.data.materials.clear()
                arm.rig.surface.data.materials.append(material)
            for ring in arm.look.rings:
                put_on(self._props, arm.rig, ring, arm.look.shape, made.name)

    def _put(self, frame: PosedFrame, around: Surroundings) -> None:
        """All but the hands."""
        props, empty = self._props, frame.spec.empty
        props.wear(around.arm_wear, around.materials, frame.arms)
        if frame.held is not None:
            object_meshes.put_held(props, frame.held)
        if empty is not None:
            object_meshes.put_subjects(props, empty, self._bare_skin)
        props.put(around.props, around.materials, around.lamps)

    def _aim(self, camera: Camera) -> None:
        self._camera.location = camera.position
        _use_lens(self._camera.data, camera)
        self._scene.render.resolution_x, self._scene.render.resolution_y = camera.width, camera.height

    def _light(self, lamps: Lamps) -> None:
        self._world.show(lamps)
        self._sun.hide_render, self._flash.hide_render = lamps.sun is None, lamps.flash is None
        if lamps.sun is not None:
            self._sun.rotation_euler = Vector(lamps.sun.towards).to_track_quat("Z", "Y").to_euler()
            self._sun.data.energy, self._sun.data.angle = lamps.sun.strength, lamps.sun.angle
            self._sun.data.color = lamps.sun.color
        if lamps.flash is not None:
            self._flash.location, self._flash.data.energy = lamps.flash.place, lamps.flash.power

    def _use_passes(self, count: int, others: Sequence[str] = ()) -> None:
        """Have a pass of its own rendered for so many arms, and others of these names; each costs time."""
        aovs = self._scene.view_layers[0].aovs
        wanted = [*skin_material.ARM_PASSES[:count], *others]
        while len(aovs) and [aov.name for aov in aovs] != wanted[: len(aovs)]:
            aovs.remove(aovs[-1])
        for name in wanted[len(aovs) :]:
            aov = aovs.add()
            aov.name, aov.type = name, "VALUE" if name in others else "COLOR"

    def _take(self, spec: FrameSpec, photo: Photo) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Render what is set up: the image (H, W, 3) uint8, and all passes, those of arms from 0 to 1."""
        self._scene.cycles.seed = spec.number % 2**31
        self._scene.render.film_transparent = spec.backdrop is not None
        passes = exr.render()
        passes |= {name: np.clip(passes[name], 0.0, 1.0) for name in self._skins if name in passes}
        linear = passes["Combined"][..., :3]
        if spec.backdrop is not None:
            behind = spec.backdrop.read(self._backgrounds, (spec.camera.width, spec.camera.height))
            linear = self._before(passes["Combined"], behind)
        subject = np.max([passes[name] for name in self._skins if name in passes], axis=(0, -1)) > 0.5
        return camera_effects.develop(linear, subject, photo), passes

    @staticmethod
    def _before(drawn: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """What was drawn, (H, W, 4) linear light, before an image that is made as light as it."""
        alpha = np.clip(drawn[..., 3], 0.0, 1.0)
        light = drawn[..., :3].mean() / max(alpha.mean(), 1e-3) if alpha.any() else 0.2
        return camera_effects.composite(drawn[..., :3] / light * 0.2, alpha, behind)


def _objects(passes: dict[str, np.ndarray], reflecting: np.ndarray) -> np.ndarray:
    """Which annotated object each pixel shows, (H, W) int from 1: what a hand holds, or one of those without a hand.

    :param reflecting: bool, what is seen in a mirror; of any shape that fits.
    """
    if HELD_PASS in passes:
        return ((passes[HELD_PASS][..., 0] >= 0.5) & ~reflecting).astype(int)
    for name in ("Object Index", "IndexOB"):  # Blender 5 and older
        if name in passes:
            return np.round(passes[name][..., 0]).astype(int)
    return np.zeros(passes["Combined"].shape[:2], int)


def _view(frame: PosedFrame) -> View:
    """What the camera sees of the arms; what a hand holds is kept clear as an arm is, but is no hand."""
    arms, held = frame.arms, frame.held
    points = np.concatenate([arm.surface.vertices for arm in arms])
    on_hand = np.concatenate([wrist_distance(arm.rig.surface.data) for arm in arms]) > 0
    owner = np.repeat(np.arange(len(arms)), [len(arm.surface.vertices) for arm in arms])
    view = View(frame.spec.camera, points, on_hand, owner)
    if held is None:
        return view
    points = held.mesh()[0]
    none = np.zeros(len(points), int)
    return View(view.camera, np.vstack([view.arm, points]), np.append(view.hand, none > 0), np.append(owner, none))


class _World:
    """Blender's HDR environments, turned and dimmed."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        folder = Path(bpy.utils.system_resource("DATAFILES", path="studiolights/world"))
        self._images = {name: bpy.data.images.load(str(folder / f"{name}.exr")) for name in ENVIRONMENTS}
        world = scene.world = bpy.data.worlds.new("room")
        if world.node_tree is None:  # Blender 4; later ones warn when told what they always do
            world.use_nodes = True
        world.cycles.sampling_method = "MANUAL"  # a map of the image's own size takes seconds a frame
        world.cycles.sample_map_resolution = 256
        world.node_tree.nodes.clear()
        graph = NodeGraph(world)
        self._environment_image = graph.add("TexEnvironment")
        self._strength = graph.add("Background", Color=self._environment_image.outputs["Color"])
        graph.add("OutputWorld", Surface=self._strength.outputs[0])

    def show(self, lamps: Lamps) -> None:
        """Show the environment of some lamps."""
        self._environment_image.image = self._images[lamps.environment]
        # A mapping of the node's own is worked out once a frame, one before it for every ray.
        self._environment_image.texture_mapping.rotation = (-lamps.down, 0.0, lamps.rotation)
        self._strength.inputs["Strength"].default_value = lamps.strength


def camera_object(scene: bpy.types.Scene) -> bpy.types.Object:
    """Blender's camera for :class:`generator.hand.camera.Camera`, which has still to be placed; the scene's from now
    on.
    """
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width, data.clip_start = "HORIZONTAL", SENSOR_MM, 0.01
    obj = bpy.data.objects.new("camera", data)
    obj.rotation_euler = (np.pi / 2, 0.0, 0.0)  # looks along +Y, +Z up
    scene.collection.objects.link(obj)
    scene.camera = obj
    return obj


def _use_lens(data: bpy.types.Camera, camera: Camera) -> None:
    """Give Blender's camera the lens of a :class:`~generator.hand.camera.Camera`."""
    data.lens, data.type = camera.focal_mm, "PANO" if camera.fisheye else "PERSP"
    if camera.fisheye:  # the angle to the axis, radians, as a polynomial of the distance on the sensor, mm
        lens = data if hasattr(data, "panorama_type") else data.cycles  # Blender 4
        lens.panorama_type = "FISHEYE_LENS_POLYNOMIAL"
        for power in range(5):
            setattr(lens, f"fisheye_polynomial_k{power}", -1.0 / camera.focal_mm if power == 1 else 0.0)


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
        raise EngineError(
            "this Blender was built without Open Image Denoise, which indoor scenes are rendered with; use Blender "
            "from blender.org or from pip, or another --settings with scene plain"
        ) from None
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "FAST"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    scene.view_settings.view_transform = "Standard"
