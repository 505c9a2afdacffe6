"""Poses in the asset browser: actions of the hand's bones with thumbnails, which Blender's own pose library applies."""

from __future__ import annotations

import bpy
import numpy as np

from generator.hand import anatomy, kinematics
from generator.hand.anatomy import BONES
from generator.mesh import skin_color

from . import animation, bones, hand

CATALOG = "Hands"
"""The assets' tag, and the name of a library of them and of its catalogs' parent."""

_SIZE = 128
_SEEN = 0.26
"""Metres that a thumbnail shows, from a little below the wrist upwards."""


def make(armature: bpy.types.Object, name: str, pose: np.ndarray, text: str) -> bpy.types.Action:
    """An action asset of wrist and fingers in a pose (28,); a hand pose's that has its name is replaced.

    :param text: what the asset browser says of it.
    """
    old = bpy.data.actions.get((name, None))  # of this file
    if old is not None and old.asset_data and CATALOG in old.asset_data.tags:
        bpy.data.actions.remove(old)
    action = bpy.data.actions.new(name)
    data = armature.animation_data or armature.animation_data_create()
    before = data.action
    data.action = action
    try:
        for bone, basis in bones.local(armature, pose).items():
            if bone != "forearm":
                for index, value in enumerate(basis.to_quaternion()):
                    path = f'pose.bones["{bone}"].rotation_quaternion'
                    animation.curve(action, armature, path, index, bone).keyframe_points.insert(1, value)
    finally:
        data.action = before
    action.asset_mark()
    action.asset_data.description = text
    action.asset_data.tags.new(CATALOG)
    preview = action.preview_ensure()
    preview.image_size = _SIZE, _SIZE
    preview.image_pixels_float.foreach_set(_thumbnail(pose, hand.side(armature)).ravel())
    return action


def _thumbnail(pose: np.ndarray, side: str) -> np.ndarray:
    """A drawing of a hand's bones in their thickness, seen from the palm: (128, 128, 4) float32, lowest row first."""
    skeleton = anatomy.skeleton()
    upright = np.concatenate([np.zeros(6), pose[6:]])
    heads, tails = kinematics.capsules(upright, skeleton)
    if side == "left":
        heads, tails = heads * [-1, 1, 1], tails * [-1, 1, 1]
    axis = (np.arange(_SIZE) + 0.5) / _SIZE * _SEEN
    across, up = np.meshgrid(axis - _SEEN / 2, axis - 0.05)
    image, nearest = np.zeros((_SIZE, _SIZE, 4), np.float32), np.full((_SIZE, _SIZE), np.inf)
    color = skin_color.base(0.35) ** (1 / 2.2)
    for index in range(len(BONES)):
        start, along = heads[index], tails[index] - heads[index]
        flat = max(along[0] ** 2 + along[2] ** 2, 1e-9)
        part = np.clip(((across - start[0]) * along[0] + (up - start[2]) * along[2]) / flat, 0, 1)
        radius = skeleton.radii[index, 0] + part * (skeleton.radii[index, 1] - skeleton.radii[index, 0])
        off = np.hypot(across - start[0] - part * along[0], up - start[2] - part * along[2])
        bulge = np.sqrt(np.maximum(radius**2 - off**2, 0))
        depth = start[1] + part * along[1] - bulge
        front = (off < radius) & (depth < nearest)
        nearest[front] = depth[front]
        shade = 0.45 + 0.55 * bulge / radius
        image[front, :3] = (shade[..., None] * color)[front]
        image[front, 3] = 1.0
    return image
