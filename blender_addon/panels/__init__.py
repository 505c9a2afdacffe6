"""What the window shows, in the order people work.

common  where the panels are
hand    the hand: verdict, presets, sliders, shape, files
render  camera, this pose, images, sweep
menus   menus, the 3D View's header and the status bar
"""

from __future__ import annotations

import bpy

from . import hand, menus, render

_CLASSES = (*hand.CLASSES, *render.CLASSES, *menus.CLASSES)


def register() -> None:
    """Add them."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    menus.register()


def unregister() -> None:
    """Take them away."""
    menus.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
