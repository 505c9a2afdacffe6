"""What a frame's first hand holds: drawn from (seed, frame), in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.frame.settings import RenderSettings
from generator.hand.anatomy import Skeleton
from generator.hand.camera import Camera
from generator.hand.kinematics import PosedSkeleton
from generator.maths import transformed
from generator.mesh.hand_mesh import HandMesh
from generator.objects import grasps, own_objects, solids
from generator.objects.catalog import ObjectModel
from generator.objects.grasps import Grasp
from handforge.rng import stream

NEAREST = 0.1
"""Metres between the lens and an object."""

GLOVE = 0.0015
"""Hands in gloves thicker than this hold nothing, metres: grasps are those of bare skin."""


@dataclass(frozen=True)
class HeldObject:
    """An object in a hand of a scene.

    :param matrix: (4, 4), from the object's axes to the scene's, before it is mirrored.
    :param mirrored: whether a left hand holds it: X is turned to -X.
    """

    model: ObjectModel
    matrix: np.ndarray
    mirrored: bool

    def mesh(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Vertices (V, 3) in scene axes, triangles (F, 3), and each triangle's surface (F,)."""
        vertices, faces, surfaces = solids.mesh(self.model.parts)
        vertices = transformed(vertices, self.matrix)
        return (vertices * [-1, 1, 1], faces[:, ::-1], surfaces) if self.mirrored else (vertices, faces, surfaces)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Signed distance of scene points (N, 3), (N,) metres."""
        points = points * [-1, 1, 1] if self.mirrored else points
        return solids.distance(self.model.parts, (points - self.matrix[:3, 3]) @ self.matrix[:3, :3])


def draw_grasp(settings: RenderSettings, frame: int, mesh: HandMesh, hand: Skeleton) -> Grasp | None:
    """Draw the grasp of a frame whose first hand holds an object; None in the others."""
    if not settings.held:
        return None
    rng = stream(settings.seed, frame, "held")
    if rng.random() >= settings.held:
        return None
    own = own_objects.open_objects(settings.objects)
    return grasps.draw(rng, mesh, hand, own=own.held if own else ())


def place(grasp: Grasp, hand: PosedSkeleton, side: str, camera: Camera) -> HeldObject | None:
    """Place the object of a grasp in the scene; None where it would be too near to the camera.

    :param hand: the hand as rendered, as if it were a right one.
    """
    held = HeldObject(grasp.model(), grasp.placed(hand), side == "left")
    depth = camera.to_camera(held.mesh()[0])[:, 2]
    return held if float(np.min(depth)) > NEAREST else None
