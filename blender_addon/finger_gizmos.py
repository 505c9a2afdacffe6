"""Handles on the fingers in pose mode: drag a tip's to curl the finger, the one below it to spread it."""

from __future__ import annotations

from typing import Any, NamedTuple

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Matrix, Vector

from generator.hand import anatomy, finger_motions, kinematics
from generator.hand import pose as poses
from handforge.dataset import KEYPOINTS

from . import external_rig, hand, sync

_COLORS = {"curl": (1.0, 0.5, 0.05), "spread": (0.15, 0.7, 1.0)}
_HEAD = [(0.22, 0.0), (0.06, 0.13), (0.06, -0.13)]


def _bar(left: float, right: float) -> list[tuple[float, float]]:
    return [(right, 0.05), (left, 0.05), (left, -0.05), (right, 0.05), (left, -0.05), (right, -0.05)]


_SHAPES = {
    "curl": [*_HEAD, *_bar(-0.16, 0.06)],
    "spread": [*_HEAD, *[(-x, y) for x, y in _HEAD], *_bar(-0.06, 0.06)],
}
"""Triangles of an arrow, and of one with two heads; their unit is Blender's size of a gizmo."""
_SHORTEST = 80
"""Pixels of the screen that the whole of a motion takes at least, however it is seen."""
_SMALLEST = 150
"""Pixels of the screen below which a hand is too small for handles: they would hide it, and its bones."""
_PRECISE = 0.1
_KEYPOINT = {"curl": 0, "spread": -2}
"""Which joint has the handle, counted from the tip."""


class Handle(NamedTuple):
    """Where a handle is in the scene, and which way on the screen its motion goes."""

    place: Vector
    way: Vector


def handles(
    armature: bpy.types.Object, region: bpy.types.Region, view: bpy.types.RegionView3D
) -> dict[tuple[str, str], Handle]:
    """The handles of a built-in hand by finger and motion: places in the scene, ways in pixels for the whole motion.

    Those that the view does not show are left out, and all of them where the hand is small.
    """
    if _length(armature, region, view) < _SMALLEST:
        return {}
    one, skeleton = hand.pose(armature), anatomy.skeleton(hand.shape(armature))
    names = [(finger, motion) for finger in poses.FINGERS for motion in finger_motions.MOTIONS]
    wanted = [one] + [finger_motions.moved(one, *name, end) for name in names for end in (0.0, 1.0)]
    points = kinematics.keypoints(np.array(wanted), skeleton) @ hand.mirror(hand.side(armature))[:3, :3]
    found = {}
    for number, (finger, motion) in enumerate(names):
        joint = KEYPOINTS.index(f"{finger}_tip") + _KEYPOINT[motion]
        world = [armature.matrix_world @ Vector(points[i, joint]) for i in (0, 2 * number + 1, 2 * number + 2)]
        start, end = (location_3d_to_region_2d(region, view, point) for point in world[1:])
        if start is not None and end is not None:
            found[finger, motion] = Handle(world[0], _long_enough(end - start))
    return found


def _length(armature: bpy.types.Object, region: bpy.types.Region, view: bpy.types.RegionView3D) -> float:
    """Pixels that a hand of 19 cm would have where the wrist is, seen from its side."""
    wrist = armature.matrix_world @ armature.pose.bones["hand"].head
    length = 0.19 * max(armature.matrix_world.to_scale())
    across = view.view_matrix.to_3x3().inverted() @ Vector((length, 0, 0))
    ends = [location_3d_to_region_2d(region, view, point) for point in (wrist, wrist + across)]
    return 0.0 if None in ends else (ends[1] - ends[0]).length


def _long_enough(way: Vector) -> Vector:
    """A way of pixels along which a mouse can be dragged; downwards if it is seen from its end."""
    if way.length < 1:
        return Vector((0, -_SHORTEST))
    return way * max(1.0, _SHORTEST / way.length)


class HANDFORGE_GT_finger(bpy.types.Gizmo):
    """One handle."""

    bl_idname = "HANDFORGE_GT_finger"

    def dress(self, finger: str, motion: str) -> None:
        """Make it the handle of a finger's motion."""
        self.finger, self.motion = finger, motion
        self.title = f"{motion.capitalize()} {finger} finger" if finger != "thumb" else f"{motion.capitalize()} thumb"
        self._shape = self.new_custom_shape("TRIS", _SHAPES[motion])
        self.scale_basis = 0.8
        self.color, self.alpha = _COLORS[motion], 0.75
        self.color_highlight, self.alpha_highlight = (1.0, 1.0, 1.0), 1.0

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw it."""
        self.draw_custom_shape(self._shape)

    def draw_select(self, _context: bpy.types.Context, select_id: int) -> None:
        """Draw where it can be clicked."""
        self.draw_custom_shape(self._shape, select_id=select_id)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin from the pose that there is."""
        armature = hand.chosen(context)
        self._start = hand.pose(armature)
        self._fraction = finger_motions.fraction(self._start, self.finger, self.motion)
        self._way = handles(armature, context.region, context.region_data)[self.finger, self.motion].way
        self._from = Vector((event.mouse_region_x, event.mouse_region_y))
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event, tweak: set[str]) -> set[str]:
        """Move the finger with the mouse; Shift makes it slow."""
        here = Vector((event.mouse_region_x, event.mouse_region_y))
        step = (here - self._from).dot(self._way) / self._way.length_squared
        self._from = here
        self._fraction = min(max(self._fraction + step * (_PRECISE if "PRECISE" in tweak else 1.0), 0.0), 1.0)
        armature = hand.chosen(context)
        values = finger_motions.moved(
            self._start, self.finger, self.motion, self._fraction, coupled=armature.handforge.coupled
        )
        if self._put(armature, values):
            context.area.header_text_set(f"{self.title}: {self._fraction:.0%}")
        return {"RUNNING_MODAL"}

    def exit(self, context: bpy.types.Context, cancel: bool) -> None:
        """Keep it, as a step that can be undone; or take it back."""
        context.area.header_text_set(None)
        if cancel:
            self._put(hand.chosen(context), self._start)
            return
        if context.scene.tool_settings.use_keyframe_insert_auto:
            bpy.ops.handforge.key_pose()
        bpy.ops.ed.undo_push(message=self.title)

    def _put(self, armature: bpy.types.Object, values: np.ndarray) -> bool:
        try:
            sync.put(armature, values)
        except hand.HandError:  # the verdict says it
            return False
        return True


class HANDFORGE_GGT_fingers(bpy.types.GizmoGroup):
    """The handles of the hand that is posed."""

    bl_label = "Finger Handles"
    bl_space_type = "VIEW_3D"
    bl_region_type = "WINDOW"
    bl_options = {"3D", "PERSISTENT"}  # noqa: RUF012  Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A built-in hand in pose mode, unless the viewport hides gizmos of the active object."""
        armature = hand.active(context) if context.mode == "POSE" and context.space_data.show_gizmo_context else None
        return armature is not None and external_rig.names(armature) is None and not hand.locked(armature)

    def setup(self, _context: bpy.types.Context) -> None:
        """Make them."""
        for finger in poses.FINGERS:
            for motion in finger_motions.MOTIONS:
                self.gizmos.new(HANDFORGE_GT_finger.bl_idname).dress(finger, motion)

    def draw_prepare(self, context: bpy.types.Context) -> None:
        """Put them to their fingers, turned to the viewer."""
        there = handles(hand.chosen(context), context.region, context.region_data)
        facing = context.region_data.view_matrix.to_3x3().inverted()
        gizmo: Any
        for gizmo in self.gizmos:
            handle = there.get((gizmo.finger, gizmo.motion))
            gizmo.hide = handle is None
            if handle is not None:
                rotated = facing @ Matrix.Rotation(np.arctan2(handle.way.y, handle.way.x), 3, "Z")
                gizmo.matrix_basis = Matrix.Translation(handle.place) @ rotated.to_4x4()


def register() -> None:
    """Add them."""
    bpy.utils.register_class(HANDFORGE_GT_finger)
    bpy.utils.register_class(HANDFORGE_GGT_fingers)


def unregister() -> None:
    """Take them away."""
    bpy.utils.unregister_class(HANDFORGE_GGT_fingers)
    bpy.utils.unregister_class(HANDFORGE_GT_finger)
