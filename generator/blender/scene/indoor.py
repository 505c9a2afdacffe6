"""Hands in rooms and on tables, as a camera would have taken them: lit by Blender's own HDR environments.

Cycles with light and shadow, a sleeve, things around, then exposure, blur, noise and JPEG. The masks come from the same
render: the skin writes what it is into a pass of its own, so that whatever stands before the hand cuts the mask too.
"""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from generator.blender.engines import exr
from generator.blender.engines.render_layers import FrameLayers, RenderLayers
from generator.blender.posed_frame import Arm, PosedFrame, Stage
from generator.blender.region import BESIDE_WRIST
from generator.blender.rig import wrist_distance
from generator.blender.scene import bodies, empty, materials, object_meshes, occluders, people, skin_material
from generator.blender.scene.arm_view import View
from generator.blender.scene.hand_material import HandMaterials, put_on
from generator.blender.scene.props import Props
from generator.errors import EngineError
from generator.frame import backgrounds, camera_effects
from generator.frame.crowd import MOST_PEOPLE
from generator.frame.empty_scene import EmptyScene
from generator.frame.frame_look import FrameLook
from generator.frame.frame_spec import FrameSpec
from generator.frame.settings import RenderSettings
from generator.hand.camera import SENSOR_MM, Camera
from handforge.rng import stream


class IndoorScene:
    """Renders with Cycles on the processor; see the module's text."""

    name = "cycles"

    def __init__(self, settings: RenderSettings, stage: Stage) -> None:
        self._settings, self._stage = settings, stage
        self._backgrounds = backgrounds.open_backgrounds(settings)
        self._scene = bpy.context.scene
        self._camera = camera_object(self._scene)
        most = 2 * MOST_PEOPLE if settings.crowd or settings.egocentric else 1 if settings.num_hands == 1 else 2
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
        layer = self._scene.view_layers[0]
        layer.use_pass_object_index = settings.object_annotations
        if settings.object_annotations:
            layer.pass_alpha_threshold = 0.0  # glass is an object, too
        self._scene.render.film_transparent = settings.backgrounds is not None
        exr.prepare(self._scene.render)

    def render(self, frame: PosedFrame) -> FrameLayers:
        """Render a frame; all around the hands is drawn from (seed, frame)."""
        spec = frame.spec
        rng = self._stream(spec.number, "indoor" if spec.empty is None else "empty surroundings")
        self._stage.show(*(arm.rig for arm in frame.arms))
        self._set_up(rng, spec)
        if spec.empty is None:
            self._dress_hands(frame.arms)
            self._use_passes(max(len(frame.arms), min(len(self._skins), 2)))
            self._surround(rng, frame)
        else:
            self._fill_empty(rng, spec, spec.empty)
        image, passes = self._take(rng, spec)
        box = (0, 0, spec.camera.width, spec.camera.height)
        covered = [passes[name] for name in self._skins if name in passes][: len(frame.arms)]
        layers = (RenderLayers(box, image, *np.moveaxis(arm, 2, 0)[: len(BESIDE_WRIST)]) for arm in covered)
        return FrameLayers(image, tuple(layers), self._objects(passes))

    def _dress_hands(self, arms: tuple[Arm, ...]) -> None:
        """Skin or gloves, and rings."""
        for arm, made in zip(arms, self._skins.values(), strict=False):  # there may be one hand
            material = made.material(arm.look)
            if arm.rig.surface.data.materials[:] != [material]:
                arm.rig.surface.data.materials.clear()
                arm.rig.surface.data.materials.append(material)
            for ring in arm.look.rings:
                put_on(self._props, arm.rig, ring, arm.look.shape, made.name)

    def _fill_empty(self, rng: np.random.Generator, spec: FrameSpec, scene: EmptyScene) -> None:
        """What an image without a hand shows."""
        if scene.clinic and (own := self._stream(spec.number, "clinic")).random() < 0.75:
            self._use_flash(own, spec.camera, 0.02, 0.35)
        empty.fill_scene(self._props, rng, scene, self._bare_skin, alone=self._backgrounds is not None)

    def _set_up(self, rng: np.random.Generator, spec: FrameSpec) -> None:
        """Camera and light."""
        camera = spec.camera
        self._camera.location = (0.0, -camera.distance, 0.0)
        _use_lens(self._camera.data, camera)
        self._scene.render.resolution_x, self._scene.render.resolution_y = camera.width, camera.height
        self._world.choose(rng)
        self._shine(rng, spec.look)
        self._flash.hide_render = True
        if self._settings.light == "mixed":
            self._flash_in_some(self._stream(spec.number, "flash"), camera)

    def _use_passes(self, count: int) -> None:
        """Have a pass of its own rendered for so many arms; each costs time."""
        aovs = self._scene.view_layers[0].aovs
        while len(aovs) > count:
            aovs.remove(aovs[-1])
        for name in skin_material.ARM_PASSES[len(aovs) : count]:
            aov = aovs.add()
            aov.name, aov.type = name, "COLOR"

    def _take(self, rng: np.random.Generator, spec: FrameSpec) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Render what is set up: the image (H, W, 3) uint8, and all passes, those of arms from 0 to 1."""
        camera, number = spec.camera, spec.number
        self._scene.cycles.seed = number % 2**31
        passes = exr.render()
        self._props.clear()
        passes |= {name: np.clip(passes[name], 0.0, 1.0) for name in self._skins if name in passes}
        linear = passes["Combined"][..., :3]
        if self._backgrounds is not None:
            linear = self._before(passes["Combined"], self._backgrounds.draw(number, camera.width, camera.height))
        cast: np.ndarray | float = 1.0
        if self._settings.exposure == "random":
            cast = camera_effects.draw_cast(self._stream(number, "exposure"))
            if (way := camera_effects.draw_shake(self._stream(number, "shake"))) is not None:
                linear = camera_effects.shaken(linear, way)
        subject = np.max([passes[name] for name in self._skins if name in passes], axis=(0, -1)) > 0.5
        return camera_effects.develop(linear, subject, rng, cast), passes

    def _objects(self, passes: dict[str, np.ndarray]) -> np.ndarray | None:
        """Which annotated object each pixel shows, (H, W) int from 1, where they are asked for."""
        if not self._settings.object_annotations:
            return None
        number = next(name for name in ("Object Index", "IndexOB") if name in passes)  # Blender 5 and older
        return np.round(passes[number][..., 0]).astype(int)

    def _stream(self, frame: int, name: str, *index: int) -> np.random.Generator:
        return stream(self._settings.seed, frame, name, *index)

    @staticmethod
    def _before(drawn: np.ndarray, behind: np.ndarray) -> np.ndarray:
        """What was drawn, (H, W, 4) linear light, before an image that is made as light as it."""
        alpha = np.clip(drawn[..., 3], 0.0, 1.0)
        light = drawn[..., :3].mean() / max(alpha.mean(), 1e-3) if alpha.any() else 0.2
        return camera_effects.composite(drawn[..., :3] / light * 0.2, alpha, behind)

    def _surround(self, rng: np.random.Generator, frame: PosedFrame) -> None:
        """Clothes, what is behind the hand, what looks like skin beside it, what stands before it."""
        settings, props, held = self._settings, self._props, frame.held
        number, crowd = frame.spec.number, frame.spec.crowd
        others = (self._stream(number, "other sleeves", *[n] * (n > 1)) for n in range(1, len(frame.arms)))
        for own, arm in zip([rng, *others], frame.arms, strict=True):
            props.dress(own, arm.rig, arm.bent, arm.look.glove)
        view = _view(frame)
        if held is not None:
            object_meshes.put_held(props, held, 1)
        if crowd is not None:
            bodies.fill_scene(
                props, self._stream(number, "crowd surroundings"), crowd, view, alone=self._backgrounds is not None
            )
        elif self._backgrounds is not None:
            pass  # an image of its own stands for all that is behind the hand
        elif settings.environment == "random":
            self._vary(self._stream(number, "environment"), rng, view)
            own = self._stream(number, "furniture")
            if own.random() < 0.65:
                props.fill_room(own, view)
        else:
            props.furnish(rng, view)
        own = self._stream(number, "distractors")
        if settings.distractors == "random" and own.random() < 0.4:
            people.distract(props, own, view)
        own = self._stream(number, "occluders")
        if settings.occluders == "random" and (chance := own.random()) < 0.4:
            (occluders.cover if chance < 0.2 or held is not None else occluders.hold)(props, own, view)

    def _vary(self, own: np.random.Generator, rng: np.random.Generator, view: View) -> None:
        """One of several kinds of surroundings; things are drawn from ``rng`` as where they are the only kind."""
        kind, props = own.random(), self._props
        if kind < 0.45:
            props.furnish(rng, view, more=int(own.integers(5, 40)) if own.random() < 0.4 else 0)
        elif kind < 0.6:  # skin-like and strong colours take the mask along in networks that never met them
            colour = people.flesh(own, own.uniform(0, 0.7)) if own.random() < 0.5 else materials.strong(own)
            props.furnish(rng, view, colour)
        elif kind < 0.75:
            props.wall(own, view, people.cloth(own), np.exp(own.uniform(np.log(0.05), np.log(1.5))))
        elif kind < 0.95:
            people.person(props, own, view)
            if own.random() < 0.7:
                material = people.cloth(own) if own.random() < 0.5 else materials.everyday(own)
                props.wall(own, view, material, own.uniform(0.8, 2.5))

    def _flash_in_some(self, rng: np.random.Generator, camera: Camera) -> None:
        """A flash beside the lens in part of the images, in a room that is darker for it."""
        if rng.random() >= 0.7:
            self._use_flash(rng, camera, 0.1, 0.6)

    def _use_flash(self, rng: np.random.Generator, camera: Camera, darkest: float, lightest: float) -> None:
        """A flash beside the lens, in place of the sun, in a room made darker by a factor between these two."""
        self._flash.hide_render, self._sun.hide_render = False, True
        across, along = rng.normal(0, 0.06, 2)
        self._flash.location = (across, along - camera.distance, rng.uniform(0.0, 0.15))
        self._flash.data.energy = rng.uniform(2, 7) * max(camera.distance, 0.3) ** 2 * 4
        self._world.dim(rng.uniform(darkest, lightest))

    def _shine(self, rng: np.random.Generator, look: FrameLook) -> None:
        """A sun or a lamp in part of the images, from where the look's light comes."""
        from mathutils import Vector

        self._sun.hide_render = bool(rng.random() < 0.45)
        self._sun.rotation_euler = Vector(look.light.tolist()).to_track_quat("Z", "Y").to_euler()
        light = self._sun.data
        light.energy = rng.uniform(0.5, 4.0)
        light.angle = np.radians(np.exp(rng.uniform(np.log(0.5), np.log(40))))
        light.color = np.clip(look.light_colour, 0, 1).tolist()


def _view(frame: PosedFrame) -> View:
    """What the camera sees of the arms; what a hand holds is kept clear as an arm is, but is no hand."""
    arms, held = frame.arms, frame.held
    points = np.concatenate([arm.posed.vertices for arm in arms])
    on_hand = np.concatenate([wrist_distance(arm.rig.surface.data) for arm in arms]) > 0
    owner = np.repeat(np.arange(len(arms)), [len(arm.posed.vertices) for arm in arms])
    view = View(frame.spec.camera, points, on_hand, owner)
    if held is None:
        return view
    points = held.mesh()[0]
    none = np.zeros(len(points), int)
    return View(view.camera, np.vstack([view.arm, points]), np.append(view.hand, none > 0), np.append(owner, none))


class _World:
    """One of Blender's HDR environments, turned and dimmed."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        folder = Path(bpy.utils.system_resource("DATAFILES", path="studiolights/world"))
        self._images = [bpy.data.images.load(str(path)) for path in sorted(folder.glob("*.exr"))]
        world = scene.world = bpy.data.worlds.new("room")
        if world.node_tree is None:  # Blender 4; later ones warn when told what they always do
            world.use_nodes = True
        world.cycles.sampling_method = "MANUAL"  # a map of the image's own size takes seconds a frame
        world.cycles.sample_map_resolution = 256
        tree = world.node_tree
        tree.nodes.clear()
        place, self._turn = tree.nodes.new("ShaderNodeTexCoord"), tree.nodes.new("ShaderNodeMapping")
        self._environment_image = tree.nodes.new("ShaderNodeTexEnvironment")
        self._light = tree.nodes.new("ShaderNodeBackground")
        tree.links.new(place.outputs["Generated"], self._turn.inputs["Vector"])
        tree.links.new(self._turn.outputs["Vector"], self._environment_image.inputs["Vector"])
        tree.links.new(self._environment_image.outputs["Color"], self._light.inputs["Color"])
        tree.links.new(self._light.outputs[0], tree.nodes.new("ShaderNodeOutputWorld").inputs["Surface"])

    def choose(self, rng: np.random.Generator) -> None:
        """Set one."""
        self._environment_image.image = self._images[int(rng.integers(len(self._images)))]
        down = rng.uniform(-0.1, 1.4)  # radians: the camera looks ahead, or down on a table
        self._turn.inputs["Rotation"].default_value = (-down, 0.0, rng.uniform(0, 2 * np.pi))
        self._light.inputs["Strength"].default_value = float(np.exp(rng.uniform(np.log(0.5), np.log(2.0))))

    def dim(self, factor: float) -> None:
        """Make the chosen one darker."""
        self._light.inputs["Strength"].default_value *= factor


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
    """Give Blender's camera the lens of ours."""
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
            "this Blender was built without Open Image Denoise, which rooms are rendered with; use Blender from "
            "blender.org or from pip, or another --settings than varied"
        ) from None
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "FAST"
    cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
    scene.view_settings.view_transform = "Standard"
