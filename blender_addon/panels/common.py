"""What panels share: where they are, and the fold that they start with."""

from __future__ import annotations

import bpy

CLOSED = {"DEFAULT_CLOSED"}


class Sidebar:
    """Common to the panels: the tab "Hand" of the 3D View's sidebar."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Hand"


def split(layout: bpy.types.UILayout) -> bpy.types.UILayout:
    """A column of fields with their names beside them."""
    column = layout.column()
    column.use_property_split, column.use_property_decorate = True, False
    return column
