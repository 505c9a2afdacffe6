"""What the tests of the engines draw."""

from __future__ import annotations

import numpy as np

from generator import pose
from generator.blender.silence import load_bpy
from generator.look import Look
from generator.settings import RenderSettings

SMALL = RenderSettings(size=(640, 360))
POSE = pose.with_angles(
    forearm_x=20, forearm_z=40, wrist_flexion=15, index_pip_flexion=60, middle_mcp_flexion=70, thumb_cmc_flexion=20
)
PLAIN = Look(None, 0.5, np.array([0.0, -1.0, 0.0]), np.ones(3), 0.4, np.ones(3))


def with_relief_and_without(engine):
    """The two frames of an open hand from near, for a process of its own."""
    load_bpy()
    from generator.blender import relief
    from generator.blender.render import Studio

    studio = Studio(RenderSettings(engine=engine, samples=4, size=(640, 360), distance=0.15))
    with_it = studio.frame(0, pose.bind(), {})
    relief.strength = lambda camera: 0
    return with_it, studio.frame(0, pose.bind(), {})
