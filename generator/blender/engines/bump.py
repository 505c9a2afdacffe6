"""Bump mapping of the skin before plain backgrounds: how it changes the light of ``render_layers``.

The bump height is a noise of the skin's points in the bind pose, so that it moves with the skin. Its gradient tilts
the normal, and to first order that multiplies the light by 1 + gradient . weight. The weight is computed here, at the
vertices: the light's direction along the skin, brought back into the bind pose, times how much the light there depends
on it. The engines evaluate the noise.
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
"""Bump height in metres, of a noise from 0 to 1."""
_BLENDERS_HEIGHT = 0.00038
"""The same for Blender's noise, which is less steep."""
FULL, NONE = 0.00025, 0.00045
"""Metres that a pixel shows: bumps have their full height up to the first, none from the second on."""

_ROTATION = np.array([[2, -1, 2], [2, 2, -1], [-1, 2, 2]], np.float32) / 3
"""A rotation, so that the noise's lattice does not lie along the arm."""

_WEIGHT, _REST = "bump_weight", "bump_rest"
"""Point attributes that :func:`emission` reads."""
_STEP = 0.0001
"""Metres between the two points whose difference is the gradient of Blender's noise."""

GLSL = f"""
float corner(uvec3 at) {{
  uint h = at.x * 1597334677u ^ at.y * 3812015801u ^ at.z * 2798796415u;
  h = (h ^ (h >> 15)) * 2246822519u;
  return float((h ^ (h >> 13)) >> 8) / 16777216.0;
}}
vec3 noise_gradient(vec3 at) {{
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
float bump(vec3 rest, vec3 weight) {{
  vec3 at = rest * {1 / SIZE:.2f};
  return max(0.0, 1.0 + {HEIGHT / SIZE:.4f} * dot(noise_gradient(at), weight));
}}
"""
"""``bump(rest, weight)`` is the factor that multiplies the light."""


def strength(camera: Camera) -> float:
    """The fraction of the bumps that the camera can show, 0 to 1; 0 in the paper's framing."""
    pixel = camera.distance / camera.matrix[0, 0]
    return float(np.clip((NONE - pixel) / (NONE - FULL), 0.0, 1.0))


class BumpMapping:
    """Compute the gradient weights of a frame; keeps a neighbour of each vertex for every mesh."""

    def __init__(self) -> None:
        self._neighbors = functools.lru_cache(32)(_neighbors)

    def of(
        self, rig: Rig, surface: PosedSurface, camera: Camera, look: FrameLook
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Bind pose and gradient weight at the vertices in the noise's axes, each (V, 3) float32.

        None where the camera shows no bumps.
        """
        fraction = strength(camera)
        if fraction == 0:
            return None
        data = rig.surface.data
        neighbors, rest = self._neighbors(data), attributes.read(data, "position")
        rest_normals = np.empty_like(rest)
        data.vertex_normals.foreach_get("vector", rest_normals.ravel())
        flip = np.array([-1 if rig.mirrored else 1, 1, 1], np.float32)
        light, normals = (look.light * flip).astype(np.float32), surface.normals * flip
        facing = normals @ light + WRAP
        direct = (1 - look.ambient) / (1 + WRAP)
        part = -fraction * direct * (facing > 0) / (look.ambient + direct * np.maximum(0, facing))
        part = part * attributes.read(data, GRAIN)
        along, across = _axes(surface.vertices * flip, normals, neighbors)
        rest_along, rest_across = _axes(rest, rest_normals, neighbors)
        towards = rest_along * (along @ light)[:, None] + rest_across * (across @ light)[:, None]
        return rest @ _ROTATION, (part[:, None] * towards).astype(np.float32) @ _ROTATION


def _neighbors(data: bpy.types.Mesh) -> np.ndarray:
    """For each vertex of a mesh one that an edge joins it to, (V,) int32."""
    edges = np.empty((len(data.edges), 2), np.int32)
    data.edges.foreach_get("vertices", edges.ravel())
    found = np.zeros(len(data.vertices), np.int32)
    found[edges[:, 0]], found[edges[:, 1]] = edges[:, 1], edges[:, 0]
    return found


def _axes(vertices: np.ndarray, normals: np.ndarray, neighbors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors along the surface, each (V, 3): towards each vertex's neighbour, and at right angles to that."""
    along = vertices[neighbors] - vertices
    along -= (along * normals).sum(axis=1, keepdims=True) * normals
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    return along, np.cross(normals, along)


def store(data: bpy.types.Mesh, bumps: tuple[np.ndarray, np.ndarray] | None) -> None:
    """Store on the mesh the attributes that :func:`emission` reads, or remove them where there are no bumps."""
    for name, values in zip((_REST, _WEIGHT), bumps or (None, None), strict=True):
        if values is None:
            attributes.remove(data, name)
        else:
            attributes.write(data, name, values)


def emission(graph: NodeGraph, light: Socket) -> Socket:
    """A shader that emits the light, with bumps of Blender's noise where their weight is not 0.

    Elsewhere Cycles skips the noise, which saves time.
    """
    rest, weight = (graph.attribute(name, "Vector") for name in (_REST, _WEIGHT))
    moved = graph.vector_math("MULTIPLY_ADD", weight, (_STEP,) * 3, rest)
    here, there = (graph.noise(at, 1 / SIZE, 0.0) for at in (rest, moved))
    rise = graph.math("SUBTRACT", there, here)
    fraction = graph.math("MAXIMUM", graph.math("MULTIPLY_ADD", rise, _BLENDERS_HEIGHT / _STEP, 1.0), 0.0)
    smooth, bumpy = (graph.add("Emission", Color=color).outputs[0] for color in (light, graph.scaled(light, fraction)))
    has_bumps = graph.math("GREATER_THAN", graph.vector_math("LENGTH", weight), 0.0)
    return graph.mix_shaders(has_bumps, smooth, bumpy)
