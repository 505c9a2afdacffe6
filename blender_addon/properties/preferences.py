"""Of a user: what every new file starts with, shown in Blender's preferences below the add-on."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from generator.frame.settings import ENGINES
from handforge.machine import processors

from .choice_texts import explained
from .scene import ENGINE_TEXTS, PATH_OPTIONS

PACKAGE = __package__.removesuffix(".properties")
"""The add-on's name among Blender's."""


class HandforgePreferences(bpy.types.AddonPreferences):
    """What Generate starts with in a new file."""

    bl_idname = PACKAGE

    out: StringProperty(
        name="Folder",
        description="Where images go unless a file says otherwise; // is the .blend file's folder",
        subtype="DIR_PATH",
        options=PATH_OPTIONS,
        default="//hands",
    )
    workers: IntProperty(name="Workers", description="Processes that render", min=1, max=256, default=processors())
    engine: EnumProperty(name="Engine", description="What renders", items=explained(ENGINES, ENGINE_TEXTS))

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw them."""
        layout = self.layout
        layout.use_property_split = True
        layout.label(text="What Generate starts with in a new file:")
        for name in ("out", "workers", "engine"):
            layout.prop(self, name)
        layout.operator("handforge.guide", icon="HELP")


def preferences() -> Any:
    """The user's preferences; None where the add-on is not installed as one, as in tests."""
    addon = bpy.context.preferences.addons.get(PACKAGE)
    return addon.preferences if addon else None


def register() -> None:
    """Add them."""
    bpy.utils.register_class(HandforgePreferences)


def unregister() -> None:
    """Take them away."""
    bpy.utils.unregister_class(HandforgePreferences)
