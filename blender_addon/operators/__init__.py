"""What buttons do: each translates the panel into one call of the library, and its errors into messages.

common       when an operator can be called, and how its errors reach the user
add          a hand is added, or an armature becomes one
pose         reset, presets, proportions, files of poses
animation    keyframes, and files of poses as keyframes
assets       poses in the asset browser
camera       the generator's camera
photo        a photograph behind the camera, a pose fitted to it
render_pose  this pose, at once
sweep        counts, map and action of a sweep
generate     images in the background
"""

from __future__ import annotations

import bpy

from . import add, animation, assets, camera, generate, photo, pose, render_pose, sweep

_PARTS = (add, pose, animation, assets, camera, photo, render_pose, sweep, generate)
_CLASSES = [cls for part in _PARTS for cls in part.CLASSES]


def register() -> None:
    """Add the operators."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    generate.register()


def unregister() -> None:
    """Take them away, and end what they have started."""
    for part in (generate, render_pose):
        part.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
