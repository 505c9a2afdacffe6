"""Redrawing what the window shows, and showing a picture in an image editor."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Euler


def redraw() -> None:
    """Draw the sidebars of all 3D Views again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if area.type == "VIEW_3D" and region.type == "UI":
                    region.tag_redraw()


def look_at_hand(context: bpy.types.Context) -> None:
    """Turn a 3D View to where the camera looks from, with the skin's own colours."""
    context.space_data.shading.color_type = "VERTEX"
    view = context.region_data
    view.view_rotation = Euler((np.pi / 2, 0.0, 0.0)).to_quaternion()
    view.view_location = (0.0, 0.0, 0.05)
    view.view_distance = 0.55
    view.view_perspective = "PERSP"


def image(name: str, pixels: np.ndarray) -> bpy.types.Image:
    """A picture of that name in the .blend file, made or changed: (H, W, 3) uint8."""
    height, width = pixels.shape[:2]
    made = bpy.data.images.get(name)
    if made is not None and tuple(made.size) != (width, height):
        bpy.data.images.remove(made)
        made = None
    if made is None:
        made = bpy.data.images.new(name, width, height)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = pixels[::-1] / 255.0  # Blender's first row is the lowest
    made.pixels.foreach_set(rgba.ravel())
    made.update()
    return made


def show(picture: bpy.types.Image) -> None:
    """Show a picture in an image editor of the window: one that is open, or the half of the largest 3D View."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    areas = [area for window in windows for area in window.screen.areas]
    editor = next((area for area in areas if area.type == "IMAGE_EDITOR"), None) or _split(windows[0])
    editor.spaces.active.image = picture
    window = next(window for window in windows if editor in list(window.screen.areas))
    region = next(region for region in editor.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=editor, region=region):
        bpy.ops.image.view_all(fit_view=True)


def _split(window: bpy.types.Window) -> bpy.types.Area:
    views = [area for area in window.screen.areas if area.type == "VIEW_3D"] or list(window.screen.areas)
    largest = max(views, key=lambda area: area.width * area.height)
    before = {area.as_pointer() for area in window.screen.areas}
    with bpy.context.temp_override(window=window, area=largest):
        if bpy.ops.screen.area_split.poll():
            bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
        else:  # one area fills the window
            bpy.ops.wm.window_new()
            window = bpy.context.window_manager.windows[-1]
    made = next(area for area in window.screen.areas if area.as_pointer() not in before)
    made.type = "IMAGE_EDITOR"
    return made
