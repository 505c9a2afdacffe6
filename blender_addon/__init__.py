"""Blender's window: tune a hand's pose, see what is plausible, sweep, generate. It only asks ``generator``.

hand.py        the hand in the scene: sliders and bones in step, the verdict
foreign.py     somebody's own armature as the hand, through a map; maps/ has one for the WebXR hand
properties.py  what the panel's widgets hold
operators.py   add, reset, presets, shapes, files of poses
sweeping.py    a sweep on the timeline, its counts and its map
generating.py  pictures, rendered by a process in the background
screen.py      redrawing, and showing a picture in an image editor
panels.py      the panel "Hand" in the 3D View's sidebar
hosting.py     Blender's own program as the process that renders
command.py     blender -b --command hand_generator ...
"""

from __future__ import annotations

from . import command, generating, hand, operators, panels, properties, sweeping

_ROOMS = (properties, hand, operators, sweeping, generating, panels, command)


def register() -> None:
    """Add everything to Blender."""
    for room in _ROOMS:
        room.register()


def unregister() -> None:
    """Take everything out of Blender again."""
    for room in reversed(_ROOMS):
        room.unregister()
