"""A sweep: its counts and its map, and an action of it."""

from __future__ import annotations

import bpy

from handforge.errors import HandforgeError

from .. import animation, hand, sweep_view, sync, viewport_ui
from .common import OfHand, Undoable, reported, require

ACTION = "Hand sweep"
"""What the actions of sweeps are called."""


def _is_sweep(action: bpy.types.Action) -> bool:
    """Whether an action is a sweep's: one that was given another name is its author's, and stays."""
    return action.name.partition(".")[0] == ACTION


class JudgeSweep(OfHand, bpy.types.Operator):
    """Count the poses that are kept and dropped, and show the map with the current pose"""

    bl_idname = "handforge.judge_sweep"
    bl_label = "Count and Map"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Judge, draw the map, show it."""
        viewport_ui.show(sweep_view.draw_map(context.scene, hand.active(context)))
        return {"FINISHED"}


class SweepToTimeline(OfHand, bpy.types.Operator):
    """Make an action of the sweep, one pose a frame: scrub through it, edit it, save it as a CSV file of poses"""

    bl_idname = "handforge.sweep_to_timeline"
    bl_label = "Sweep to Keyframes"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the action, and fit the scene's range to it."""
        scene, armature, some = context.scene, hand.chosen(context), sweep_view.chosen(context.scene)
        panel = scene.handforge
        if not panel.before[1]:
            panel.before = scene.frame_start, scene.frame_end, scene.frame_current
        old = armature.animation_data and armature.animation_data.action
        animation.write(armature, ACTION, some.poses)
        if old and _is_sweep(old):
            old.use_fake_user = False
            if not old.users:
                bpy.data.actions.remove(old)
        scene.frame_start, scene.frame_end = 1, len(some.poses)
        scene.frame_set(1)
        return {"FINISHED"}


class SweepOff(Undoable, bpy.types.Operator):
    """Take the sweep off the timeline: its action goes, and the scene's range is as it was"""

    bl_idname = "handforge.sweep_off"
    bl_label = "Take Sweep Off"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A sweep that is on, whether its hand is still there or not."""
        return require(cls, bool(context.scene.handforge.before[1]), "No sweep is on the timeline")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it off."""
        scene = context.scene
        for armature in hand.in_scene(scene):
            data = armature.animation_data
            if data and data.action and _is_sweep(data.action) and not hand.locked(armature):
                kept = hand.pose(armature)
                bpy.data.actions.remove(data.action)
                if not hand.problem(armature):
                    sync.put(armature, kept)
        scene.frame_start, scene.frame_end, scene.frame_current = scene.handforge.before
        scene.handforge.before = 0, 0, 0
        return {"FINISHED"}


class PoseFromMap(OfHand, bpy.types.Operator):
    """Click the map of the sweep in an image editor: the hand takes the pose that is there"""

    bl_idname = "handforge.pose_from_map"
    bl_label = "Pick From Map"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A hand, and a map to click."""
        return super().poll(context) and require(cls, sweep_view.MAP in bpy.data.images, "Press Count and Map first")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Wait for clicks."""
        context.window_manager.modal_handler_add(self)
        context.workspace.status_text_set("Click the map to pose the hand; right-click or Escape ends it")
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Take the pose below the mouse."""
        armature = hand.active(context)
        if armature is None or event.type in {"RIGHTMOUSE", "ESC"}:
            context.workspace.status_text_set(None)
            return {"FINISHED"}
        if event.type == "LEFTMOUSE" and event.value == "PRESS" and (place := _on_map(context, event)):
            try:
                sync.put(armature, sweep_view.pose_at(context.scene, *place))
            except HandforgeError as error:
                self.report({"ERROR"}, str(error))
            return {"RUNNING_MODAL"}
        return {"PASS_THROUGH"}


def _on_map(context: bpy.types.Context, event: bpy.types.Event) -> tuple[float, float] | None:
    """Where on the map the mouse is, 0..1 from its lower left corner; None if it is elsewhere."""
    for area in context.screen.areas:
        shown = area.spaces.active.image if area.type == "IMAGE_EDITOR" else None
        if shown is None or shown.name != sweep_view.MAP:
            continue
        region = next(region for region in area.regions if region.type == "WINDOW")
        x, y = region.view2d.region_to_view(event.mouse_x - region.x, event.mouse_y - region.y)
        if 0 <= x < 1 and 0 <= y < 1:
            return x, y
    return None


CLASSES = (PoseFromMap, JudgeSweep, SweepToTimeline, SweepOff)
