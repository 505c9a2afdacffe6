"""A sleeve on a posed arm, for the engines that draw hands before a plain background."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.blender.rig import Rig, forearm, rest_vertices
from generator.frame.elbow import Elbow
from generator.maths import transformed
from generator.mesh import sleeve
from generator.mesh.hand_mesh import vertex_normals
from generator.mesh.sleeve import Sleeve


@dataclass(frozen=True)
class Cloth:
    """Vertices and normals, each (V, 3) float32 in scene axes, metres; triangles (F, 3) int32."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray


def sleeve_mesh(rig: Rig, which: Sleeve | None, elbow: Elbow) -> Cloth | None:
    """The sleeve in the rig's present pose, on an arm so bent; None without one, or without a forearm."""
    if which is None:
        return None
    rest = rest_vertices(rig)
    if not sleeve.has_arm(rest):
        return None
    vertices, faces = sleeve.tube(rest, which.start, which.loose, sleeve.draw_folds(np.random.default_rng(which.folds)))
    vertices = transformed(elbow.bend(vertices), forearm(rig))
    normals = (-1 if rig.mirrored else 1) * vertex_normals(vertices, faces)
    return Cloth(vertices.astype(np.float32), normals.astype(np.float32), faces.astype(np.int32))
