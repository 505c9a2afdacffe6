"""The engine that runs everywhere: Blender's path tracer with a shader that gives the light of ``drawing``.

Only the box around the hand is rendered. The material emits its shade, so that no shadow rays are needed; a transparent
film gives the coverage of the whole arm, a pass of its own (AOV) that of the hand. Both come from the same samples.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np

from generator.blender.drawing import WRAP, Drawing, box_around, nothing, srgb
from generator.blender.rig import COLOUR, REGION, Posed, Rig
from generator.blender.silence import silence
from generator.camera import SENSOR_MM, Camera
from generator.look import Look

_AOV = "hand"


class Cycles:
    """Renders with Cycles on the processor; see the module's text."""

    name = "cycles"

    def __init__(self, samples: int) -> None:
        self._scene = bpy.context.scene
        self._camera = _camera(self._scene)
        self._material = _material()
        _prepare(self._scene, samples)
        _write_exr(self._scene.render)

    def draw(self, rig: Rig, posed: Posed, camera: Camera, look: Look, frame: int) -> Drawing:
        """Draw one frame; its number seeds the sampling."""
        box = box_around(posed.vertices, camera)
        if box[2] <= box[0] or box[3] <= box[1]:
            return nothing(camera)
        if rig.surface.data.materials[:] != [self._material]:
            rig.surface.data.materials.clear()
            rig.surface.data.materials.append(self._material)
        self._aim(camera, box)
        self._light(look)
        self._scene.cycles.seed = frame % 2**31
        with tempfile.TemporaryDirectory(prefix="handforge-") as folder:
            path = Path(folder) / "frame.exr"
            self._scene.render.filepath = str(path)
            with silence():
                bpy.ops.render.render(write_still=True)
            return _read(path, box, look)

    def _aim(self, camera: Camera, box: tuple[int, int, int, int]) -> None:
        self._camera.location = (0.0, -camera.distance, 0.0)
        self._camera.data.lens = camera.focal_mm
        render = self._scene.render
        render.resolution_x, render.resolution_y = camera.width, camera.height
        render.border_min_x, render.border_max_x = box[0] / camera.width, box[2] / camera.width
        render.border_min_y, render.border_max_y = 1 - box[3] / camera.height, 1 - box[1] / camera.height

    def _light(self, look: Look) -> None:
        nodes = self._material.node_tree.nodes
        for name, value in (("light", look.light), ("light_colour", look.light_colour)):
            for axis, number in zip("XYZ", value.tolist(), strict=True):
                nodes[name].inputs[axis].default_value = number
        nodes["ambient"].outputs[0].default_value = look.ambient


def _camera(scene: bpy.types.Scene) -> bpy.types.Object:
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width, data.clip_start = "HORIZONTAL", SENSOR_MM, 0.01
    thing = bpy.data.objects.new("camera", data)
    thing.rotation_euler = (np.pi / 2, 0.0, 0.0)  # looks along +Y, +Z up
    scene.collection.objects.link(thing)
    scene.camera = thing
    return thing


def _prepare(scene: bpy.types.Scene, samples: int) -> None:
    render, cycles = scene.render, scene.cycles
    render.engine = "CYCLES"
    render.resolution_percentage = 100
    render.use_border = render.use_crop_to_border = True
    render.film_transparent = True
    render.use_persistent_data = True
    render.dither_intensity = 0.0
    render.threads_mode, render.threads = "FIXED", 1  # the workers are the parallel part
    cycles.device = "CPU"
    cycles.samples = samples
    cycles.use_adaptive_sampling = cycles.use_denoising = False
    cycles.max_bounces = 0
    cycles.pixel_filter_type = "BOX"
    cycles.filter_width = 1.0
    scene.view_settings.view_transform = "Standard"
    aov = scene.view_layers[0].aovs.add()
    aov.name, aov.type = _AOV, "VALUE"


def _write_exr(render: bpy.types.RenderSettings) -> None:
    output = render.image_settings
    if hasattr(output, "media_type"):  # Blender 5.0 and newer
        output.media_type = "MULTI_LAYER_IMAGE"
    output.file_format = "OPEN_EXR_MULTILAYER"
    output.color_depth, output.exr_codec = "32", "NONE"
    if hasattr(output, "use_exr_interleave"):  # Blender 5: all passes in one part, as before
        output.use_exr_interleave = True
    render.use_file_extension = False


def _material() -> bpy.types.Material:
    """Emission of colour * light * (ambient + (1 - ambient) * wrapped), and the region for the AOV."""
    material = bpy.data.materials.new("hand")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()

    def node(kind: str, **settings) -> bpy.types.Node:
        made = tree.nodes.new(kind)
        for key, value in settings.items():
            setattr(made, key, value)
        return made

    def math(operation: str, first, second=None) -> bpy.types.NodeSocket:
        made = node("ShaderNodeMath", operation=operation)
        for socket, value in zip(made.inputs, (first, second), strict=False):
            if isinstance(value, float):
                socket.default_value = value
            elif value is not None:
                tree.links.new(value, socket)
        return made.outputs[0]

    def multiply(first, second) -> bpy.types.NodeSocket:
        made = node("ShaderNodeVectorMath", operation="MULTIPLY")
        tree.links.new(first, made.inputs[0])
        tree.links.new(second, made.inputs[1])
        return made.outputs[0]

    dot = node("ShaderNodeVectorMath", operation="DOT_PRODUCT")
    tree.links.new(node("ShaderNodeNewGeometry").outputs["Normal"], dot.inputs[0])
    tree.links.new(node("ShaderNodeCombineXYZ", name="light").outputs[0], dot.inputs[1])
    wrapped = math("MAXIMUM", math("DIVIDE", math("ADD", dot.outputs["Value"], WRAP), 1.0 + WRAP), 0.0)
    ambient = node("ShaderNodeValue", name="ambient").outputs[0]
    shade = math("ADD", ambient, math("MULTIPLY", math("SUBTRACT", 1.0, ambient), wrapped))
    skin = node("ShaderNodeAttribute", attribute_name=COLOUR).outputs["Color"]
    lit = multiply(multiply(skin, node("ShaderNodeCombineXYZ", name="light_colour").outputs[0]), shade)
    emission = node("ShaderNodeEmission")
    tree.links.new(lit, emission.inputs["Color"])
    tree.links.new(emission.outputs[0], node("ShaderNodeOutputMaterial").inputs["Surface"])
    region = node("ShaderNodeAttribute", attribute_name=REGION).outputs["Fac"]
    tree.links.new(math("GREATER_THAN", region, 0.0), node("ShaderNodeOutputAOV", aov_name=_AOV).inputs["Value"])
    return material


def _read(path: Path, box: tuple[int, int, int, int], look: Look) -> Drawing:
    oiio = _open_image_io()
    image = oiio.ImageInput.open(str(path))
    names = list(image.spec().channelnames)
    pixels = image.read_image("float")
    image.close()
    height, width = box[3] - box[1], box[2] - box[0]
    if pixels.shape[:2] != (height, width):
        raise RuntimeError(f"Cycles rendered {pixels.shape[1]}x{pixels.shape[0]} pixels of {width}x{height}")
    layer = next(n for n in names if n.endswith("Combined.R")).removesuffix("R")
    rgb = pixels[..., [names.index(layer + c) for c in "RGB"]]
    alpha = np.clip(pixels[..., names.index(layer + "A")], 0.0, 1.0)
    hand = np.clip(pixels[..., next(i for i, n in enumerate(names) if f".{_AOV}." in n)], 0.0, 1.0)
    picture = srgb(rgb + (1.0 - alpha[..., None]) * look.background)
    return Drawing(box, picture, hand, np.clip(alpha - hand, 0.0, 1.0))


def _open_image_io():
    """Blender's own OpenImageIO, which a pip-installed bpy keeps off Python's path."""
    try:
        import OpenImageIO
    except ModuleNotFoundError:
        lib = Path(bpy.utils.resource_path("LOCAL")) / "python" / "lib"
        sys.path.append(str(lib / f"python3.{sys.version_info.minor}" / "site-packages"))
        import OpenImageIO
    return OpenImageIO
