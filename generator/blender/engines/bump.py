"""Bump mapping of the skin before plain backgrounds: how it changes the light of ``render_layers``.

A noise of the points of the bind pose lies on the skin as a height, so that it stays with the skin. It turns the
surface by its slope, and to first order that multiplies the light by 1 + slope . lean. The lean is worked out here, at
the vertices: the light's direction along the skin, brought back into the bind pose, by how much the light there depends
on it. The engines draw the noise.
"""

from __future__ import annotations

import functools

import bpy
import numpy as np

from generator.blender import attributes
from generator.blender.engines.render_layers import WRAP
from generator.blender.rig import GRAIN, PosedSurface, Rig
from generator.blender.scene.nodes import NodeGraph, Socket
from generator.frame.frame_look import FrameLook
from generator.hand.camera import Camera

SIZE = 0.0008
"""Metres between two bumps."""
HEIGHT = 0.00033
"""Metres, of a noise from 0 to 1."""
_BLENDERS_HEIGHT = 0.00038
"""The same of Blender's noise, which is less steep."""
FULL, NONE = 0.00025, 0.00045
"""Metres that a pixel shows: the relief is all there up to the first, and too fine to be seen from the second on."""

_ROTATION = np.array([[2, -1, 2], [2, 2, -1], [-1, 2, 2]], np.float32) / 3
"""A rotation, so that the noise's lattice does not lie along the arm."""

_LEAN, _REST = "relief_lean", "relief_rest"
"""Point attributes that :func:`emission` reads."""
_STEP = 0.0001
"""Metres between the points of which Blender's noise is compared."""

GLSL = f"""
float corner(uvec3 at) {{
  uint h = at.x * 1597334677u ^ at.y * 3812015801u ^ at.z * 2798796415u;
  h = (h ^ (h >> 15)) * 2246822519u;
  return float((h ^ (h >> 13)) >> 8) / 16777216.0;
}}
vec3 slope(vec3 at) {{
  vec3 cell = floor(at), f = at - cell;
  vec3 u = f * f * f * (f * (f * 6.0 - 15.0) + 10.0), d = 30.0 * f * f * (f * (f - 2.0) + 1.0);
  uvec3 low = uvec3(ivec3(cell)), high = low + 1u;
  vec4 near = vec4(corner(low), corner(uvec3(high.x, low.yz)), corner(uvec3(low.x, high.y, low.z)),
                   corner(uvec3(high.xy, low.z)));
  vec4 far = vec4(corner(uvec3(low.xy, high.z)), corner(uvec3(high.x, low.y, high.z)), corner(uvec3(low.x, high.yz)),
                  corner(high));
  vec4 plane = mix(near, far, u.z), rise = far - near;
  vec2 row = mix(plane.xz, plane.yw, u.x), climb = plane.yw - plane.xz;
  vec2 depth = mix(rise.xz, rise.yw, u.x);
  return d * vec3(mix(climb.x, climb.y, u.y), row.y - row.x, mix(depth.x, depth.y, u.y));
}}
float relief(vec3 rest, vec3 lean) {{
  vec3 at = rest * {1 / SIZE:.2f};
  return max(0.0, 1.0 + {HEIGHT / SIZE:.4f} * dot(slope(at), lean));
}}
"""
"""``relief(rest, lean)`` is what multiplies the light."""


def strength(camera: Camera) -> float:
    """The fraction of the bumps that the camera can show, 0 to 1; 0 in the paper's framing."""
    pixel = camera.distance / camera.matrix[0, 0]
    return float(np.clip((NONE - pixel) / (NONE - FULL), 0.0, 1.0))


class BumpMapping:
    """Compute the leans of a frame; keeps of each mesh which vertices are beside each other."""

    def __init__(self) -> None:
        self._beside = functools.lru_cache(32)(_beside)

    def of(
        self, rig: Rig, surface: PosedSurface, camera: Camera, look: FrameLook
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Bind pose and lean at the vertices, turned, each (V, 3) float32; None where no relief can be seen."""
        fraction = strength(camera)
        if fraction == 0:
            return None
        data = rig.surface.data
        beside, rest = self._beside(data), attributes.read(data, "position")
        rest_normals = np.empty_like(rest)
        data.vertex_normals.foreach_get("vector", rest_normals.ravel())
        flip = np.array([-1 if rig.mirrored else 1, 1, 1], np.float32)
        light, normals = (look.light * flip).astype(np.float32), surface.normals * flip
        facing = normals @ light + WRAP
        direct = (1 - look.ambient) / (1 + WRAP)
        part = -fraction * direct * (facing > 0) / (look.ambient + direct * np.maximum(0, facing))
        part = part * attributes.read(data, GRAIN)
        along, across = _axes(surface.vertices * flip, normals, beside)
        rest_along, rest_across = _axes(rest, rest_normals, beside)
        towards = rest_along * (along @ light)[:, None] + rest_across * (across @ light)[:, None]
        return rest @ _ROTATION, (part[:, None] * towards).astype(np.float32) @ _ROTATION


def _beside(data: bpy.types.Mesh) -> np.ndarray:
    """For each vertex of a mesh one that an edge joins it to, (V,) int32."""
    edges = np.empty((len(data.edges), 2), np.int32)
    data.edges.foreach_get("vertices", edges.ravel())
    beside = np.zeros(len(data.vertices), np.int32)
    beside[edges[:, 0]], beside[edges[:, 1]] = edges[:, 1], edges[:, 0]
    return beside


def _axes(vertices: np.ndarray, normals: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the surface, each (V, 3): towards the vertex ``beside`` each, and at right angles to that."""
    along = vertices[beside] - vertices
    along -= (along * normals).sum(axis=1, keepdims=True) * normals
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    return along, np.cross(normals, along)


def lay(data: bpy.types.Mesh, bumps: tuple[np.ndarray, np.ndarray] | None) -> None:
    """Store on the mesh the attributes that :func:`emission` reads; none where there are no bumps."""
    for name, values in zip((_REST, _LEAN), bumps or (None, None), strict=True):
        if values is None:
            attributes.remove(data, name)
        else:
            attributes.write(data, name, values)


def emission(graph: NodeGraph, light: Socket) -> Socket:
    """A shader that emits the light, with bumps of Blender's noise where there is a lean.

    Where there is none, Cycles skips the noise, which saves time.
    """
    rest, lean = (graph.attribute(name, "Vector") for name in (_REST, _LEAN))
    moved = graph.vector_math("MULTIPLY_ADD", lean, (_STEP,) * 3, rest)
    here, there = (graph.noise(at, 1 / SIZE, 0.0) for at in (rest, moved))
    rise = graph.math("SUBTRACT", there, here)
    fraction = graph.math("MAXIMUM", graph.math("MULTIPLY_ADD", rise, _BLENDERS_HEIGHT / _STEP, 1.0), 0.0)
    smooth, bumpy = (graph.add("Emission", Color=color).outputs[0] for color in (light, graph.scaled(light, fraction)))
    leans = graph.math("GREATER_THAN", graph.vector_math("LENGTH", lean), 0.0)
    return graph.mix_shaders(leans, smooth, bumpy)
