"""What the tests of the engines draw."""

from __future__ import annotations

import numpy as np

from generator.blender.redirect_output import load_bpy
from generator.frame.frame_look import FrameLook
from generator.frame.settings import RenderSettings
from generator.hand import pose
from generator.hand.pose_presets import PRESETS

SMALL = RenderSettings(resolution=(640, 360))
POSE = pose.with_angles(
    forearm_x=20, forearm_z=40, wrist_flexion=15, index_pip_flexion=60, middle_mcp_flexion=70, thumb_cmc_flexion=20
)
PLAIN = FrameLook(None, 0.5, np.array([0.0, -1.0, 0.0]), np.ones(3), 0.4, np.ones(3))


def with_bumps_and_without(engine):
    """The two frames of an open hand from near, for a process of its own."""
    load_bpy()
    from generator.blender.engines import bump
    from generator.blender.frame_renderer import FrameRenderer

    studio = FrameRenderer(RenderSettings(engine=engine, samples=4, resolution=(640, 360), distance=0.15))
    with_it = studio.frame(0, pose.bind(), {})
    bump.strength = lambda camera: 0
    return with_it, studio.frame(0, pose.bind(), {})


def near_frame_alone_and_after_another(engine, glove):
    """The image of fingers from near, rendered first and after another pose, for a process of its own."""
    load_bpy()
    from generator.blender.frame_renderer import FrameRenderer

    near = RenderSettings(engine=engine, resolution=(320, 180), distance=0.3, focal_mm=150.0, samples=1, glove=glove)
    fingers, other = PRESETS["open"].copy(), PRESETS["relaxed"].copy()
    fingers[2] = other[2] = -0.15
    alone = FrameRenderer(near).frame(0, fingers, {}).image
    studio = FrameRenderer(near)
    studio.frame(1, other, {})
    return alone, studio.frame(0, fingers, {}).image
