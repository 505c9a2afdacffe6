"""The fast engine: the evaluated mesh drawn off screen by Blender's gpu module with our own shader.

Runs without a window since Blender 5.2 (``gpu.init``), also in software, where each pixel counts: the light is worked
out at the vertices, of which there are plenty. The hand is drawn at twice the width and height into square roots of
linear colours (8 bits are enough for those), with the region in the alpha channel; a second pass averages 2 x 2 in
linear light and counts the regions, so that image and masks have the same edges.
"""

from __future__ import annotations

import functools

import bpy
import gpu
import numpy as np
from mathutils import Matrix

from generator.blender import attributes
from generator.blender.engines.bump import GLSL, BumpMapping
from generator.blender.engines.render_layers import WRAP, RenderLayers, box_around, nothing
from generator.blender.region import BESIDE_WRIST, Region
from generator.blender.rig import COLOR, PosedSurface, Rig, triangles, wrist_distance
from generator.blender.scene.sleeve_mesh import Cloth, sleeve_mesh
from generator.frame.camera_effects import srgb
from generator.frame.elbow import STRAIGHT, Elbow
from generator.frame.frame_look import FrameLook
from generator.hand.camera import Camera

_NEAR, _FAR = 0.01, 20.0
_SAMPLES = 4
"""Samples of a pixel."""
_PLACES = [(_SAMPLES + 1) ** region for region in Region]
"""A pixel's samples of all regions are counted in one number, with a digit of the base 5 for each."""

_SURFACE_VERTEX = """
void main() {
  gl_Position = projection * vec4(pos, 1.0);
  float lit = max(0.0, (dot(normal, light.xyz) + WRAP) / (1.0 + WRAP));
  v_light = sqrt(colour * light_colour.rgb * (light.w + (1.0 - light.w) * lit));
  v_distance = distance;
}
"""
_SURFACE_FRAGMENT = "void main() { drawn = vec4(v_light, v_distance > 0.0 ? beside_wrist.x : beside_wrist.y); }"
_BUMP_VERTEX = _SURFACE_VERTEX.replace("v_distance = ", "v_rest = rest; v_weight = weight; v_distance = ")
_BUMP_FRAGMENT = GLSL + _SURFACE_FRAGMENT.replace("v_light", "v_light * sqrt(bump(v_rest, v_weight))")
_AVERAGE_VERTEX = "void main() { gl_Position = vec4(pos, 0.0, 1.0); }"
_AVERAGE_FRAGMENT = """
float srgb(float c) { return c <= 0.0031308 ? 12.92 * c : 1.055 * pow(c, 1.0 / 2.4) - 0.055; }
void main() {
  ivec2 corner = ivec2(gl_FragCoord.xy) * 2;
  vec3 sum = vec3(0.0);
  int counts = 0;
  for (int i = 0; i < 4; i++) {
    vec4 texel = texelFetch(large, corner + ivec2(i & 1, i >> 1), 0);
    sum += texel.rgb * texel.rgb * 0.25;
    int region = int(round(texel.a * REGIONS)) - 1;
    counts += region < 0 ? 0 : PLACES[region];
  }
  vec3 mixed = vec3(srgb(sum.r), srgb(sum.g), srgb(sum.b));
  drawn = vec4(counts > 0 ? mixed : background.rgb, float(counts) / 255.0);
}
"""


class Raster:
    """Draws with our shader; see the module's text."""

    def __init__(self) -> None:
        self._surface = _surface_shader(with_bumps=False)
        self._bumpy = functools.cache(lambda: _surface_shader(with_bumps=True))
        self._bumps = BumpMapping()
        self._average = _average_shader()
        self._size = (0, 0)
        self._triangles = functools.lru_cache(32)(_triangles)
        corners = np.array([[-1, -1], [3, -1], [-1, 3]], np.float32)
        self._screen = _batch({"pos": corners}, None)

    def draw(
        self, rig: Rig, surface: PosedSurface, camera: Camera, look: FrameLook, elbow: Elbow = STRAIGHT
    ) -> RenderLayers:
        """Draw a rig by its present ``surface``, and the sleeve of the look on its arm, bent so."""
        cloth = sleeve_mesh(rig, look.sleeve, elbow)
        box = box_around(surface.vertices if cloth is None else np.vstack([surface.vertices, cloth.vertices]), camera)
        width, height = box[2] - box[0], box[3] - box[1]
        if width <= 0 or height <= 0:
            return nothing()
        self._make_room(camera)
        columns, shader = {"pos": surface.vertices, "normal": surface.normals, **_skin(rig)}, self._surface
        if bumps := self._bumps.of(rig, surface, camera, look):
            columns["rest"], columns["weight"] = bumps
            shader = self._bumpy()
        hand = _batch(columns, self._triangles(rig.surface.data))
        with self._large.bind():
            self._prepare(2 * width, 2 * height, look)
            gpu.state.face_culling_set("FRONT" if rig.mirrored else "BACK")  # a closed mesh's inside is never seen
            _light(shader, _projection(camera, box), look)
            _tell_regions(shader, *BESIDE_WRIST)
            hand.draw(shader)
            if cloth is not None:
                gpu.state.face_culling_set("NONE")
                _light(self._surface, _projection(camera, box), look)
                _tell_regions(self._surface, Region.CLOTH, Region.CLOTH)
                _cloth(cloth, look).draw(self._surface)
        with self._small.bind():
            self._small.viewport_set(0, 0, width, height)
            gpu.state.depth_test_set("NONE")
            gpu.state.face_culling_set("NONE")
            self._average.bind()
            self._average.uniform_sampler("large", self._colours)
            self._average.uniform_float("background", (*(srgb(look.background) / 255).tolist(), 1.0))
            self._screen.draw(self._average)
            pixels = np.asarray(self._small.read_color(0, 0, width, height, 4, 0, "UBYTE"))
        pixels = pixels.reshape(height, width, 4)[::-1]
        parts = [Region.HAND, Region.FOREARM] if cloth is None else list(Region)
        covered = {part.label: _coverage(pixels[..., 3], part) for part in parts}
        return RenderLayers(box, pixels[..., :3], **covered)

    def _make_room(self, camera: Camera) -> None:
        if self._size == (camera.width, camera.height):
            return
        self._size = (camera.width, camera.height)
        large = (2 * camera.width, 2 * camera.height)
        self._colours = gpu.types.GPUTexture(large, format="RGBA8")
        self._depth = gpu.types.GPUTexture(large, format="DEPTH_COMPONENT32F")
        self._result = gpu.types.GPUTexture(self._size, format="RGBA8")
        self._large = gpu.types.GPUFrameBuffer(depth_slot=self._depth, color_slots=(self._colours,))
        self._small = gpu.types.GPUFrameBuffer(color_slots=(self._result,))

    def _prepare(self, width: int, height: int, look: FrameLook) -> None:
        self._large.viewport_set(0, 0, width, height)
        gpu.state.scissor_test_set(True)  # clear only what is drawn on
        gpu.state.scissor_set(0, 0, width, height)
        self._large.clear(color=(*np.sqrt(look.background).tolist(), 0.0), depth=1.0)
        gpu.state.scissor_test_set(False)
        gpu.state.depth_test_set("LESS")
        gpu.state.depth_mask_set(True)


def _light(shader: gpu.types.GPUShader, projection: Matrix, look: FrameLook) -> None:
    shader.bind()
    shader.uniform_float("projection", projection)
    shader.uniform_float("light", (*look.light.tolist(), look.ambient))
    shader.uniform_float("light_colour", (*look.light_color.tolist(), 1.0))


def _tell_regions(shader: gpu.types.GPUShader, on_hand: Region, elsewhere: Region) -> None:
    """Which regions the surface has on the two sides of the wrist."""
    shader.uniform_float("beside_wrist", ((on_hand + 1) / len(Region), (elsewhere + 1) / len(Region)))


def _coverage(counts: np.ndarray, region: Region) -> np.ndarray:
    """How much of each pixel is of a region, by the code (H, W) uint8 of its samples; (H, W) float32."""
    return counts // _PLACES[region] % (_SAMPLES + 1) / np.float32(_SAMPLES)


def _surface_shader(with_bumps: bool) -> gpu.types.GPUShader:
    """The shader of skin or cloth; the skin's bumps cost time at every pixel, so skin has its own."""
    passed = gpu.types.GPUStageInterfaceInfo("hand_bumps" if with_bumps else "hand_surface")
    passed.smooth("VEC3", "v_light")
    passed.smooth("FLOAT", "v_distance")
    columns = [("VEC3", "pos"), ("VEC3", "normal"), ("VEC3", "colour"), ("FLOAT", "distance")]
    if with_bumps:
        columns += [("VEC3", "rest"), ("VEC3", "weight")]
        passed.smooth("VEC3", "v_rest")
        passed.smooth("VEC3", "v_weight")
    info = gpu.types.GPUShaderCreateInfo()
    info.define("WRAP", str(WRAP))
    info.push_constant("MAT4", "projection")
    info.push_constant("VEC2", "beside_wrist")
    info.push_constant("VEC4", "light")
    info.push_constant("VEC4", "light_colour")
    for slot, (kind, name) in enumerate(columns):
        info.vertex_in(slot, kind, name)
    info.vertex_out(passed)
    info.fragment_out(0, "VEC4", "drawn")
    info.vertex_source(_BUMP_VERTEX if with_bumps else _SURFACE_VERTEX)
    info.fragment_source(_BUMP_FRAGMENT if with_bumps else _SURFACE_FRAGMENT)
    return gpu.shader.create_from_info(info)


def _average_shader() -> gpu.types.GPUShader:
    info = gpu.types.GPUShaderCreateInfo()
    info.define("REGIONS", f"{len(Region)}.0")
    info.define("PLACES", f"int[]({', '.join(map(str, _PLACES))})")
    info.push_constant("VEC4", "background")
    info.sampler(0, "FLOAT_2D", "large")
    info.vertex_in(0, "VEC2", "pos")
    info.fragment_out(0, "VEC4", "drawn")
    info.vertex_source(_AVERAGE_VERTEX)
    info.fragment_source(_AVERAGE_FRAGMENT)
    return gpu.shader.create_from_info(info)


def _batch(columns: dict[str, np.ndarray], triangles: gpu.types.GPUIndexBuf | None) -> gpu.types.GPUBatch:
    layout = gpu.types.GPUVertFormat()
    for name, values in columns.items():
        layout.attr_add(id=name, comp_type="F32", len=1 if values.ndim == 1 else values.shape[1], fetch_mode="FLOAT")
    buffer = gpu.types.GPUVertBuf(layout, len(next(iter(columns.values()))))
    for name, values in columns.items():
        buffer.attr_fill(name, np.ascontiguousarray(values, np.float32))
    if triangles is None:
        return gpu.types.GPUBatch(type="TRIS", buf=buffer)
    return gpu.types.GPUBatch(type="TRIS", buf=buffer, elem=triangles)


def _cloth(cloth: Cloth, look: FrameLook) -> gpu.types.GPUBatch:
    assert look.sleeve is not None
    color, distance = np.tile(look.sleeve.color, (len(cloth.vertices), 1)), np.zeros(len(cloth.vertices))
    columns = {"pos": cloth.vertices, "normal": cloth.normals, "colour": color, "distance": distance}
    return _batch(columns, gpu.types.GPUIndexBuf(type="TRIS", seq=cloth.faces))


def _skin(rig: Rig) -> dict[str, np.ndarray]:
    data = rig.surface.data
    return {"colour": attributes.read(data, COLOR)[:, :3], "distance": wrist_distance(data)}


def _triangles(data: bpy.types.Mesh) -> gpu.types.GPUIndexBuf:
    return gpu.types.GPUIndexBuf(type="TRIS", seq=triangles(data))


def _projection(camera: Camera, box: tuple[int, int, int, int]) -> Matrix:
    """From scene axes to clip space, so that the box fills the viewport."""
    x0, y0, x1, y1 = box
    (focal, _, centre_x), (_, _, centre_y), _ = camera.matrix
    a = (2 * centre_x - x0 - x1) / (x1 - x0)
    b = (y0 + y1 - 2 * centre_y) / (y1 - y0)
    c = (_FAR + _NEAR) / (_FAR - _NEAR)
    view = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, camera.distance], [0, 0, 0, 1]])  # x right, z up, y away
    clip = np.array(
        [
            [2 * focal / (x1 - x0), 0, a, 0],
            [0, 2 * focal / (y1 - y0), b, 0],
            [0, 0, c, -c * _NEAR - _NEAR],
            [0, 0, 1, 0],
        ]
    )
    return Matrix((clip @ view).tolist())
