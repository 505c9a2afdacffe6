"""Match a photograph: behind the camera with its focal length, and a pose fitted to the joints seen in it."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from bpy.props import StringProperty
from bpy_extras.io_utils import ImportHelper
from bpy_extras.view3d_utils import location_3d_to_region_2d
from PIL import Image

from generator.frame.settings import SIZE_RANGE
from generator.hand import anatomy, fitting
from generator.hand.fitting import Joints
from handforge.dataset import KEYPOINTS
from handforge.errors import HandforgeError

from .. import camera_object, hand, render_settings, sync, viewport_ui
from .common import OfHand, chosen_file, reported, require

_EXIF, _FOCAL_35MM = 0x8769, 0xA405
"""EXIF's block of camera settings, and in it the focal length on 35 mm film."""


class LoadPhoto(OfHand, ImportHelper, bpy.types.Operator):
    """Put a photograph behind the hand's camera: images get its size, and its focal length if the file tells it"""

    bl_idname = "handforge.load_photo"
    bl_label = "Load Photograph"

    filter_glob: StringProperty(default="*.jpg;*.jpeg;*.png;*.webp", options={"HIDDEN"})

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Load it, fit size and focal length, and look through the camera."""
        path, panel = chosen_file(self), context.scene.handforge
        size, focal = photo_facts(path)
        panel.size = size_for(path, size)
        if focal is not None:
            panel.set_focal_mm, panel.focal_mm = render_settings.FIXED, focal
        camera = camera_object.add(hand.active(context), context.scene).data
        camera.background_images.clear()
        behind = camera.background_images.new()
        behind.image = bpy.data.images.load(str(path), check_existing=True)
        behind.alpha, camera.show_background_images = 0.9, True
        viewport_ui.look_through_camera(context)
        told = f"focal length {focal:.0f} mm" if focal is not None else "it does not tell its focal length: set it"
        self.report({"INFO"}, f"{path.name}, {size[0]} x {size[1]}; {told}")
        return {"FINISHED"}


def photo_facts(path: Path) -> tuple[tuple[int, int], float | None]:
    """A photograph's size, and its focal length for a sensor 36 mm wide if it is told.

    :raises fitting.JointsError: if it is not an image.
    """
    try:
        with Image.open(path) as photo:
            size, film = photo.size, photo.getexif().get_ifd(_EXIF).get(_FOCAL_35MM)
    except (OSError, ValueError) as error:
        raise fitting.JointsError(f"{path} is not an image ({error})") from None
    return size, float(film) * max(size) / size[0] if film else None  # film is 36 mm wide, also held upright


def size_for(path: Path, photo: tuple[int, int]) -> tuple[int, int]:
    """The size of images as a photograph of ``photo`` pixels: the same, or scaled to what images can have.

    :raises fitting.JointsError: if it is too narrow for one.
    """
    least, most = SIZE_RANGE
    scale = max(min(1.0, most / max(photo)), least / min(photo))
    if scale * max(photo) > most:
        raise fitting.JointsError(
            f"{path.name} is {photo[0]} x {photo[1]}; images have {least} to {most} pixels a side, so crop it"
        )
    width, height = (round(scale * side) for side in photo)
    return width, height


def _photo_size(scene: bpy.types.Scene) -> tuple[int, int]:
    """The pixels of the photograph behind the scene's camera; the panel's image where there is none."""
    behind = scene.camera.data.background_images if scene.camera and scene.camera.type == "CAMERA" else ()
    sizes = [tuple(one.image.size) for one in behind if one.image and all(one.image.size)]
    return sizes[0] if sizes else tuple(scene.handforge.size)


def fit(armature: bpy.types.Object, joints: Joints, scene: bpy.types.Scene) -> fitting.Fit:
    """Give the hand the pose that shows these joints in the panel's image, and tell how good it is.

    :raises HandforgeError: if no pose can be fitted.
    """
    camera = render_settings.camera(scene)
    if hand.side(armature) == "left":
        joints = joints.mirrored(camera.width)
    found = fitting.fit(joints, camera, anatomy.skeleton(hand.shape(armature)))
    sync.put(armature, found.pose)
    scene.handforge.fit = found.text
    return found


class FitFile(OfHand, ImportHelper, bpy.types.Operator):
    """Fit the pose to 21 joints of a JSON file: MediaPipe's landmarks or COCO keypoints of the photograph"""

    bl_idname = "handforge.fit_file"
    bl_label = "Fit to Joints of a File"

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the joints, and fit."""
        photo = _photo_size(context.scene)
        joints = fitting.read_joints(chosen_file(self), photo)
        if joints.image is not None:  # of the photograph, which may be larger or smaller than the panel's image
            joints = Joints(joints.image * np.array(context.scene.handforge.size) / photo, joints.space)
        self.report({"INFO"}, fit(hand.active(context), joints, context.scene).text)
        return {"FINISHED"}


_JOINT_WORDS = {
    **{"cmc": "base (CMC)", "mcp": "knuckle (MCP)", "pip": "middle joint (PIP)", "dip": "last joint (DIP)"},
    **{"ip": "last joint (IP)", "tip": "tip"},
}


def joint_words(name: str) -> str:
    """One of :data:`KEYPOINTS` as people say it."""
    digit, _, joint = name.partition("_")
    if not joint:
        return f"the {digit}"
    if name == "thumb_mcp":
        return "the thumb's middle joint (MCP)"
    return f"the {digit}{'' if digit == 'thumb' else ' finger'}'s {_JOINT_WORDS[joint]}"


class ClickJoints(OfHand, bpy.types.Operator):
    """Click the joints in the camera's view one after the other; the pose is fitted to them"""

    bl_idname = "handforge.click_joints"
    bl_label = "Click Joints"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A 3D View that looks through a camera."""
        if not super().poll(context):
            return False
        view = context.region_data
        looking = view is not None and view.view_perspective == "CAMERA"
        return require(cls, looking, "Look through the hand's camera first")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Begin with the wrist."""
        self._points: list[np.ndarray] = []  # as fractions of the image: the view may be zoomed between two clicks
        self._area = context.area
        self._region = next(region for region in context.area.regions if region.type == "WINDOW")
        self._handler = bpy.types.SpaceView3D.draw_handler_add(self._draw, (), "WINDOW", "POST_PIXEL")
        context.window_manager.modal_handler_add(self)
        self._ask(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take a click, take one back, skip a joint that is not seen, or end."""
        if context.scene.camera is None or hand.active(context) is None:  # deleted meanwhile
            return self._end(context, {"CANCELLED"})
        if event.value != "PRESS" or event.type == "MIDDLEMOUSE":
            return {"PASS_THROUGH"}
        x, y = event.mouse_x - self._region.x, event.mouse_y - self._region.y
        if event.type == "LEFTMOUSE" and 0 <= x < self._region.width and 0 <= y < self._region.height:
            if _covered(self._area, event.mouse_x, event.mouse_y):
                return {"RUNNING_MODAL"}
            corner, way = self._frame(context)
            self._points.append((np.array([x, y]) - corner) / way)
        elif event.type == "SPACE":
            self._points.append(np.full(2, np.nan))
        elif event.type == "BACK_SPACE" and self._points:
            self._points.pop()
        elif event.type in {"ESC", "RIGHTMOUSE"}:
            return self._end(context, {"CANCELLED"})
        elif event.type not in {"RET", "NUMPAD_ENTER"}:
            return {"PASS_THROUGH"}
        whole = len(self._points) == len(KEYPOINTS)
        if whole or event.type in {"RET", "NUMPAD_ENTER"}:
            result = self._fit(context)
            if whole or result == {"FINISHED"}:
                return self._end(context, result)
        self._ask(context)
        return {"RUNNING_MODAL"}

    def _ask(self, context: bpy.types.Context) -> None:
        number = len(self._points)
        self._area.header_text_set(f"Click {joint_words(KEYPOINTS[number])}: {number + 1} of {len(KEYPOINTS)}")
        context.workspace.status_text_set("Space skips the joint, Backspace takes one back, Enter fits, Escape ends")
        self._area.tag_redraw()

    def _end(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        bpy.types.SpaceView3D.draw_handler_remove(self._handler, "WINDOW")
        context.workspace.status_text_set(None)
        self._area.header_text_set(None)
        self._area.tag_redraw()
        return result

    def _frame(self, context: bpy.types.Context) -> tuple[np.ndarray, np.ndarray]:
        return _frame(self._region, self._area.spaces.active.region_3d, context.scene)

    def places(self, context: bpy.types.Context) -> list[tuple[float, float]]:
        """Where the joints clicked so far are in the region."""
        corner, way = self._frame(context)
        seen = [point for point in self._points if np.isfinite(point).all()]
        return [tuple((corner + point * way).tolist()) for point in seen]

    def _fit(self, context: bpy.types.Context) -> set[str]:
        points = np.full((len(KEYPOINTS), 2), np.nan)
        points[: len(self._points)] = np.array(self._points).reshape(-1, 2)
        try:
            joints = Joints(points * context.scene.handforge.size)
            self.report({"INFO"}, fit(hand.active(context), joints, context.scene).text)
        except HandforgeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def _draw(self) -> None:
        import gpu
        from gpu_extras.batch import batch_for_shader

        if bpy.context.area != self._area or bpy.context.scene.camera is None:
            return
        shader = gpu.shader.from_builtin("UNIFORM_COLOR")
        gpu.state.point_size_set(8)
        shader.uniform_float("color", (0.0, 0.8, 0.3, 1.0))
        batch_for_shader(shader, "POINTS", {"pos": [(x, y, 0) for x, y in self.places(bpy.context)]}).draw(shader)


def _covered(area: bpy.types.Area, x: int, y: int) -> bool:
    """Whether the sidebar or another region is over the view at a place of the window."""
    return any(
        0 <= x - region.x < region.width and 0 <= y - region.y < region.height
        for region in area.regions
        if region.type != "WINDOW"
    )


def _frame(
    region: bpy.types.Region, view: bpy.types.RegionView3D, scene: bpy.types.Scene
) -> tuple[np.ndarray, np.ndarray]:
    """Where the image's upper left corner is in a region that looks through the scene's camera, (2,) pixels, and the
    way from there to its lower right one.
    """
    obj = scene.camera
    corners = [obj.matrix_world @ corner for corner in obj.data.view_frame(scene=scene)]
    there = np.array([location_3d_to_region_2d(region, view, corner) for corner in corners])
    (left, low), (right, high) = there.min(axis=0), there.max(axis=0)
    return np.array([left, high]), np.array([right - left, low - high])


CLASSES = (LoadPhoto, FitFile, ClickJoints)
