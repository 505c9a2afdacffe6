"""Whether a hand's pose is plausible in the images that the panel asks for; the bones to look at are marked."""

from __future__ import annotations

from collections.abc import Callable

import bpy

from generator.hand import anatomy, plausibility
from generator.hand.anatomy import BONES

from . import external_rig, hand, render_settings, viewport_ui

OFFENDING = "THEME01"
"""The red of Blender's bone colours."""

TROUBLE = "cannot follow"
"""The reason of a hand whose sliders and bones cannot agree; the verdict then says why."""

LONGEST = "Self-collision: middle metacarpal and thumb proximal overlap by 12.3 mm too much"
"""As long as a verdict with its reason gets: the panel keeps room for it, so that what is below does not jump."""

_DELAY = 0.05
"""Seconds from a change to its verdict, so that dragging stays smooth."""

_waiting: set[str] = set()

after: list[Callable[[], None]] = []
"""Called when verdicts were renewed."""


def later(armature: bpy.types.Object) -> None:
    """Have the verdict renewed: soon in a window, at once without one."""
    _waiting.add(armature.name)
    if bpy.app.background:
        _renew_waiting()
    elif not bpy.app.timers.is_registered(_renew_waiting):
        bpy.app.timers.register(_renew_waiting, first_interval=_DELAY)


def all_later(scene: bpy.types.Scene) -> None:
    """Renew the verdicts of a scene's hands, as its images' size or framing has changed."""
    for armature in hand.in_scene(scene):
        later(armature)


def _renew_waiting() -> None:
    while _waiting:
        armature = bpy.data.objects.get(_waiting.pop())
        if hand.is_hand(armature) and not hand.locked(armature):
            renew(armature)
    for call in after:
        call()
    viewport_ui.redraw()


def renew(armature: bpy.types.Object) -> None:
    """Judge the pose now, and mark the bones that the verdict names."""
    if problem := hand.problem(armature):
        trouble(armature, problem)
        return
    camera = render_settings.judging_camera(bpy.context.scene)
    verdict = plausibility.explain(hand.pose(armature), anatomy.skeleton(hand.shape(armature)), camera)
    _tell(armature, verdict.reason, verdict.text)
    names = external_rig.names(armature) or dict(zip(BONES, BONES, strict=True))
    for built_in, external in names.items():
        palette = OFFENDING if built_in in verdict.bones else "DEFAULT"
        if armature.pose.bones[external].color.palette != palette:
            armature.pose.bones[external].color.palette = palette


def trouble(armature: bpy.types.Object, text: str) -> None:
    """Say in place of a verdict why sliders and bones cannot agree."""
    _tell(armature, TROUBLE, text)
    viewport_ui.redraw()


def notice(armature: bpy.types.Object, text: str) -> None:
    """Say in the panel why a change was not made; until the next one that is, whose notice is empty."""
    if armature.handforge.notice != text:
        armature.handforge.notice = text
        viewport_ui.redraw()


def _tell(armature: bpy.types.Object, reason: str, text: str) -> None:
    props = armature.handforge
    if (props.reason, props.verdict) != (reason, text):
        props.reason, props.verdict = reason, text


def register() -> None:
    """Nothing to add: verdicts are renewed on demand."""


def unregister() -> None:
    """Forget whose verdict was due."""
    if bpy.app.timers.is_registered(_renew_waiting):
        bpy.app.timers.unregister(_renew_waiting)
    _waiting.clear()
