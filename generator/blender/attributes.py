"""Attributes of a mesh's points as arrays, whatever Blender calls their kinds and fields."""

from __future__ import annotations

import bpy
import numpy as np

_OF_WIDTH = {1: ("FLOAT", "value"), 3: ("FLOAT_VECTOR", "vector"), 4: ("FLOAT_COLOR", "color")}
"""Kind and field of an attribute that has so many numbers at a point."""
_WIDTHS = {kind: (width, field) for width, (kind, field) in _OF_WIDTH.items()}


def write(mesh: bpy.types.Mesh, name: str, values: np.ndarray) -> None:
    """Give the points an attribute, new or anew: numbers (V,), vectors (V, 3) or linear RGBA (V, 4)."""
    kind, field = _OF_WIDTH[1 if values.ndim == 1 else values.shape[1]]
    attribute = mesh.attributes.get(name) or mesh.attributes.new(name, kind, "POINT")
    attribute.data.foreach_set(field, np.ascontiguousarray(values, np.float32).ravel())


def read(mesh: bpy.types.Mesh, name: str) -> np.ndarray:
    """The points' values of an attribute, float32: (V,), (V, 3) or (V, 4)."""
    attribute = mesh.attributes[name]
    width, field = _WIDTHS[attribute.data_type]
    values = np.empty((len(attribute.data), width), np.float32)
    attribute.data.foreach_get(field, values.ravel())
    return values[:, 0] if width == 1 else values


def remove(mesh: bpy.types.Mesh, name: str) -> None:
    """Take an attribute away, if there is one of this name."""
    if attribute := mesh.attributes.get(name):
        mesh.attributes.remove(attribute)


def opaque(colors: np.ndarray) -> np.ndarray:
    """Colors (V, 3) as (V, 4) float32 with an alpha of 1."""
    rgba = np.ones((len(colors), 4), np.float32)
    rgba[:, :3] = colors
    return rgba
