"""A sweep in the window: on the timeline, its counts, and its map over v4 and v5."""

from __future__ import annotations

import functools

import bpy
import numpy as np
from bpy.app.handlers import persistent

from generator.hand import plausibility, sweep_map
from generator.hand.anatomy import HandShape, skeleton
from generator.hand.sweep_map import Part
from handforge.errors import HandforgeError

from . import hand, screen
from .operators import OfHand

MAP = "Hand sweep"
"""The picture with the map."""


@functools.lru_cache(maxsize=4)
def _part(name: str, step: int, v4: tuple[int, int], v5: tuple[int, int]) -> Part:
    return sweep_map.part(name, step, v4, v5)


def chosen(scene: bpy.types.Scene) -> Part:
    """The part of a sweep that the panel says.

    :raises PoseError: if there is none.
    """
    panel = scene.handforge
    return _part(panel.sweep, panel.step, tuple(panel.v4), tuple(panel.v5))


_judged: dict[tuple, np.ndarray] = {}


def _key(scene: bpy.types.Scene, armature: bpy.types.Object) -> tuple:
    panel = scene.handforge
    return panel.sweep, panel.step, tuple(panel.v4), tuple(panel.v5), hand.shape(armature)


def judge(scene: bpy.types.Scene, armature: bpy.types.Object) -> np.ndarray:
    """Why each pose of the chosen part is dropped, worked out once."""
    key = _key(scene, armature)
    if key not in _judged:
        shape: HandShape = key[-1]
        _judged[key] = plausibility.judge(chosen(scene).poses, skeleton(shape))
    return _judged[key]


def counts(scene: bpy.types.Scene, armature: bpy.types.Object | None) -> dict[str, int] | None:
    """Kept and dropped poses of the chosen part by reason; None before they are judged."""
    if armature is None or (reasons := _judged.get(_key(scene, armature))) is None:
        return None
    return sweep_map.counts(reasons)


def draw_map(scene: bpy.types.Scene, armature: bpy.types.Object) -> bpy.types.Image:
    """Make or renew the map, with the current pose marked."""
    some = chosen(scene)
    scale = max(1, 720 // max(some.shape))
    return screen.image(MAP, sweep_map.image(some, judge(scene, armature), hand.pose(armature), scale))


class JudgeSweep(OfHand, bpy.types.Operator):
    """Count the poses that are kept and dropped, and show the map with the current pose."""

    bl_idname = "handforge.judge_sweep"
    bl_label = "Count and map"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Judge, draw the map, show it."""
        try:
            picture = draw_map(context.scene, hand.active(context))
        except HandforgeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        screen.show(picture)
        return {"FINISHED"}


class ToTimeline(OfHand, bpy.types.Operator):
    """Put the sweep on the timeline: one pose a frame. Scrub to see them; press again to take it off."""

    bl_idname = "handforge.sweep_to_timeline"
    bl_label = "On the timeline"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Put it on, or take it off."""
        scene = context.scene
        panel = scene.handforge
        if panel.scrub:
            panel.scrub = False
            scene.frame_start, scene.frame_end, scene.frame_current = panel.before
            if hand.is_hand(panel.swept):
                hand.put(panel.swept, np.array(panel.pose_before))
            panel.swept = None
            return {"FINISHED"}
        try:
            some = chosen(scene)
        except HandforgeError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        panel.scrub, panel.swept = True, hand.active(context)
        panel.before = scene.frame_start, scene.frame_end, scene.frame_current
        panel.pose_before = hand.pose(panel.swept)
        scene.frame_start, scene.frame_end = 1, len(some.poses)
        scene.frame_set(1)
        return {"FINISHED"}


@persistent
def _frame_changed(scene: bpy.types.Scene, _graph: bpy.types.Depsgraph | None = None) -> None:
    panel = scene.handforge
    if not panel.scrub or not hand.is_hand(panel.swept):
        return
    try:
        some = chosen(scene)
    except HandforgeError:
        return  # the panel says it beside the ranges
    scene.frame_end = len(some.poses)  # the ranges may have changed
    number = min(max(scene.frame_current, 1), len(some.poses)) - 1
    hand.put(panel.swept, some.poses[number])


def follow_map() -> None:
    """Move the mark on the map to the current pose, where the map is there."""
    armature = hand.active(bpy.context)
    if MAP in bpy.data.images and armature is not None and counts(bpy.context.scene, armature):
        draw_map(bpy.context.scene, armature)


_CLASSES = (JudgeSweep, ToTimeline)


def register() -> None:
    """Add the buttons, and watch the timeline."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    bpy.app.handlers.frame_change_pre.append(_frame_changed)
    hand.after_verdict.append(follow_map)


def unregister() -> None:
    """The reverse."""
    hand.after_verdict.remove(follow_map)
    bpy.app.handlers.frame_change_pre.remove(_frame_changed)
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    _judged.clear()
    _part.cache_clear()
