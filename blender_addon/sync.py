"""Keeps a hand's sliders, bones and verdict in step, whoever changed one: mouse, script, keyframe, driver, constraint.

The pose is kept in the armature as 28 numbers, so that it is saved, copied and undone with it. Sliders and bones that
differ from it once Blender has evaluated them have been changed, and change it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
from bpy.app.handlers import persistent

from generator.hand import fitting
from generator.hand import pose as poses

from . import bones, hand, verdict

_SAME = 1e-5
"""Sliders that differ by less than this, radians or metres, show the pose: they have 32 bits."""

_AFTER = 0.1
"""Seconds until the window is looked at again while Blender renders."""

after_pose: list[Callable[[bpy.types.Object], None]] = []
"""Called with a hand whose pose has changed."""


def put(armature: bpy.types.Object, values: np.ndarray) -> None:
    """Take a pose (28,): in sliders and bones, with a verdict soon after.

    :raises HandError: if the hand is linked or its bones are not what they were; nothing is changed then.
    """
    if trouble := hand.locked(armature) or hand.problem(armature):
        raise hand.HandError(trouble)
    _adopt(armature, values)
    bones.set_pose(armature, hand.pose(armature))


def _adopt(armature: bpy.types.Object, values: np.ndarray) -> None:
    hand.remember(armature, hand.KEY, _tidy(values).tolist())
    show(armature)
    verdict.notice(armature, "")
    verdict.later(armature)
    for call in after_pose:
        call(armature)


def _tidy(values: np.ndarray) -> np.ndarray:
    """To a ten-thousandth of a degree or centimetre: Blender's own numbers are no finer."""
    return poses.from_degrees(np.round(poses.to_degrees(values), 4))


def show(armature: bpy.types.Object) -> None:
    """Set the sliders to the hand's pose."""
    with hand.quietly(armature):
        for name, value in zip(poses.NAMES, hand.pose(armature).tolist(), strict=True):
            if getattr(armature.handforge, name) != np.float32(value):
                setattr(armature.handforge, name, value)


def slider_changed(props: Any, index: int) -> None:
    """What a slider does that a person or a script has set: it stays within its joint's range."""
    armature = props.id_data
    if not hand.is_hand(armature) or hand.is_busy(armature):
        return
    before, (low, high) = hand.pose(armature), poses.LIMITS[index]
    values = before.copy()
    values[index] = min(max(getattr(props, poses.NAMES[index]), low), high)
    try:
        put(armature, _coupled(values, before) if props.coupled else values)
    except hand.HandError as error:
        show(armature)
        verdict.trouble(armature, str(error))


def follow(armature: bpy.types.Object, graph: bpy.types.Depsgraph, by_hand: bool = True) -> None:
    """Take the pose from sliders or bones, whichever Blender has evaluated to something else.

    :param by_hand: whether somebody rotates the bones; otherwise an animation does, which keys last joints itself.
    """
    if hand.locked(armature) or hand.is_busy(armature) or armature.mode == "EDIT":
        return
    if trouble := hand.problem(armature):
        verdict.trouble(armature, trouble)
        return
    evaluated = armature.evaluated_get(graph).handforge
    shown = np.array([getattr(evaluated, name) for name in poses.NAMES])
    if np.abs(shown - hand.pose(armature)).max() > _SAME:
        put(armature, shown)
        return
    found = bones.read(armature, graph)
    if found is None:
        if armature.handforge.reason == verdict.TROUBLE:
            verdict.later(armature)
    elif not bones.held(armature):
        if armature.handforge.limited:
            found = np.clip(found, *poses.LIMITS.T)
        put(armature, _coupled(found, hand.pose(armature)) if by_hand and armature.handforge.coupled else found)
    elif np.abs(found - hand.pose(armature)).max() > _SAME:
        _adopt(armature, found)  # a constraint has the bones; written to, they would not stay


def _coupled(found: np.ndarray, before: np.ndarray) -> np.ndarray:
    """A pose in which the last joints have followed middle joints that were bent alone."""
    bent, result = np.abs(found - before) > _SAME, found.copy()
    for pip in (index for index, name in enumerate(poses.NAMES) if name.endswith("pip_flexion")):
        if bent[pip] and not bent[pip + 1]:
            result[pip + 1] = fitting.DIP_OF_PIP * max(result[pip], 0.0)
    return np.asarray(result)


def _left_to_render(graph: bpy.types.Depsgraph) -> bool:
    """Whether the bones are left to a render that runs beside the window and is at another frame than this graph."""
    return bpy.app.is_job_running("RENDER") and graph.mode != "RENDER"


@persistent
def _updated(_scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    if _left_to_render(graph):
        return
    changed = {update.id.original for update in graph.updates}
    hands = {obj for obj in changed if hand.is_hand(obj)}
    if armatures := {obj for obj in changed if isinstance(obj, bpy.types.Armature)}:
        hands |= {obj for obj in bpy.data.objects if hand.is_hand(obj) and obj.data in armatures}
    for obj in hands:
        follow(obj, graph)


@persistent
def _frame_changed(scene: bpy.types.Scene, graph: bpy.types.Depsgraph) -> None:
    """Animation changes objects without an update of theirs. A render has a graph of its own."""
    if _left_to_render(graph):
        return
    for obj in hand.in_scene(scene):
        follow(obj, graph, by_hand=False)


@persistent
def _rendered(*_: object) -> None:
    """Blender renders in a thread of its own; the window's frame is taken when that has ended."""
    if not bpy.app.background and not bpy.app.timers.is_registered(_follow_window):
        bpy.app.timers.register(_follow_window, first_interval=_AFTER)


def _follow_window() -> float | None:
    if bpy.app.is_job_running("RENDER"):
        return _AFTER
    graph = bpy.context.evaluated_depsgraph_get()
    for obj in hand.in_scene(bpy.context.scene):
        follow(obj, graph, by_hand=False)
    return None


@persistent
def _went_back(*_: object) -> None:
    """Undo, redo and opening a file bring back a pose, with the verdict of whenever they were stored."""
    for obj in bpy.data.objects:
        if hand.is_hand(obj) and not hand.locked(obj):
            verdict.later(obj)


def _handlers() -> tuple[tuple[list[Any], Callable[..., None]], ...]:
    watched = bpy.app.handlers
    back = [(event, _went_back) for event in (watched.undo_post, watched.redo_post, watched.load_post)]
    rendered = [(event, _rendered) for event in (watched.render_complete, watched.render_cancel)]
    return (
        (watched.depsgraph_update_post, _updated),
        (watched.frame_change_post, _frame_changed),
        *back,
        *rendered,
    )


def register() -> None:
    """Watch sliders and bones."""
    for event, call in _handlers():
        event.append(call)


def unregister() -> None:
    """Stop watching."""
    for event, call in _handlers():
        event.remove(call)
    if bpy.app.timers.is_registered(_follow_window):
        bpy.app.timers.unregister(_follow_window)
