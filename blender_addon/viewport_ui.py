"""Redrawing what the window shows, names and texts as it shows them, and an image in an image editor."""

from __future__ import annotations

import blf
import bpy
import numpy as np

IMAGE, OVERLAY = "Hand image", "Hand overlay"
"""The images that a rendered pose becomes."""

_REDRAWN = {"UI", "HEADER"}
"""Regions of a 3D View that show something of the add-on's."""


def redraw() -> None:
    """Draw the sidebars and headers of all 3D Views again."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if area.type == "VIEW_3D" and region.type in _REDRAWN:
                    region.tag_redraw()


def redraw_status() -> None:
    """Draw the status bars again, with the text that an operator has put there.

    They are no areas that Python can tag; they draw themselves when a window changes its view layer.
    """
    bpy.msgbus.publish_rna(key=(bpy.types.Window, "view_layer"))


_TITLES = {
    "png": "PNG",
    "jpg": "JPG",
    "webp": "WebP",
    "eevee": "EEVEE",
    "ok": "OK",
    "keypoints3d": "Keypoints 3D",
    "focal_mm": "Focal Length",
    "num_hands": "Hands",
}


def title(name: str) -> str:
    """A name of the generator's as labels show it, in Blender's title case."""
    return _TITLES.get(name) or name.replace("_", " ").title()


def wrapped(layout: bpy.types.UILayout, text: str, icon: str = "NONE", alert: bool = False, room_for: str = "") -> None:
    """A text over as many lines as it needs in its region, or another one would need, so that what follows stays."""
    column = layout.column(align=True)
    column.alert = alert
    column.scale_y = 0.8
    parts, lines = wrap(text, _room()), len(wrap(room_for, _room()))
    for number, line in enumerate(parts + [""] * (lines - len(parts))):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE")


def _room() -> float:
    """Pixels that a label of the region has beside its icon and the margins."""
    region, scale = bpy.context.region, bpy.context.preferences.system.ui_scale
    return (region.width if region else 300) - 105 * scale


def wrap(text: str, width: float) -> list[str]:
    """A text's lines, none wider than ``width`` pixels in the user's interface font unless it is one word."""
    blf.size(0, 11 * bpy.context.preferences.system.ui_scale)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and blf.dimensions(0, longer)[0] > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def image(name: str, pixels: np.ndarray) -> bpy.types.Image:
    """An image of that name in the .blend file, made or changed, and packed into it: (H, W, 3) uint8."""
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
    made.pack()  # or it is black when the file is opened again
    return made


def loaded(name: str, path: str) -> bpy.types.Image:
    """An image of that name from a file, instead of an earlier one; packed, as the file may go."""
    old = bpy.data.images.get(name)
    if old is not None:
        old.name = f"{name} (old)"
    made = bpy.data.images.load(path)
    made.name = name
    made.pack()
    if old is not None:
        old.user_remap(made)
        bpy.data.images.remove(old)
    return made


def text(name: str, content: str) -> bpy.types.Text:
    """A text of that name in the .blend file, made or changed."""
    made = bpy.data.texts.get(name) or bpy.data.texts.new(name)
    made.from_string(content)
    return made


def look_through_camera(context: bpy.types.Context) -> None:
    """Look through the scene's camera in the context's 3D View; elsewhere nothing changes."""
    if context.space_data and context.space_data.type == "VIEW_3D":
        context.region_data.view_perspective = "CAMERA"


def show(image: bpy.types.Image) -> None:
    """Show an image in an image editor of the window: one that is open, or the half of the largest 3D View."""
    windows = bpy.context.window_manager.windows
    if bpy.app.background or not windows:
        return
    areas = [area for window in windows for area in window.screen.areas]
    editor = next((area for area in areas if area.type == "IMAGE_EDITOR"), None) or _split(windows[0])
    editor.spaces.active.image = image
    window = next(window for window in windows if editor in list(window.screen.areas))
    region = next(region for region in editor.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=editor, region=region):
        bpy.ops.image.view_all(fit_view=True)


def show_preview(scene: bpy.types.Scene) -> None:
    """Show the image or the overlay of a rendered pose, as the panel says, where there is one."""
    name = OVERLAY if scene.handforge.preview_shows == "overlay" else IMAGE
    if name in bpy.data.images:
        show(bpy.data.images[name])


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
