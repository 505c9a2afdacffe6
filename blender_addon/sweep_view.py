"""A sweep as the window shows it: the part that the panel asks for, judged once, with its counts and its map."""

from __future__ import annotations

import functools
from typing import Any

import bpy
import numpy as np

from generator.hand import plausibility, sweep_map
from generator.hand.anatomy import skeleton
from generator.hand.sweep_map import Part

from . import hand, render_settings, verdict, viewport_ui

MAP = "Hand sweep"
"""The image with the map."""


@functools.lru_cache(maxsize=4)
def _part(name: str, step: int, v4: tuple[int, int], v5: tuple[int, int]) -> Part:
    return sweep_map.part(name, step, v4, v5)


def chosen(scene: bpy.types.Scene) -> Part:
    """The part of a sweep that the panel says.

    :raises PoseError: if there is none.
    """
    panel = scene.handforge
    return _part(panel.sweep, panel.step, tuple(panel.v4), tuple(panel.v5))


_judged: dict[tuple[Any, ...], np.ndarray] = {}


def _key(scene: bpy.types.Scene, armature: bpy.types.Object) -> tuple[Any, ...]:
    panel = scene.handforge
    part = panel.sweep, panel.step, tuple(panel.v4), tuple(panel.v5)
    return part, hand.shape(armature), render_settings.judging_camera(scene)


def judge(scene: bpy.types.Scene, armature: bpy.types.Object) -> np.ndarray:
    """Why each pose of the chosen part is dropped from the images that the panel asks for, worked out once."""
    key = _key(scene, armature)
    if key not in _judged:
        _judged[key] = plausibility.judge(chosen(scene).poses, skeleton(key[1]), key[2])
    return _judged[key]


def counts(scene: bpy.types.Scene, armature: bpy.types.Object | None) -> dict[str, int] | None:
    """Kept and dropped poses of the chosen part by reason; None before they are judged."""
    if armature is None or (reasons := _judged.get(_key(scene, armature))) is None:
        return None
    return sweep_map.counts(reasons)


def draw_map(scene: bpy.types.Scene, armature: bpy.types.Object) -> bpy.types.Image:
    """Make or renew the map, with the current pose marked."""
    some = chosen(scene)
    cells = sweep_map.image(some, judge(scene, armature), hand.pose(armature), _scale(some))
    return viewport_ui.image(MAP, sweep_map.with_axes(some, cells))


def _scale(some: Part) -> int:
    """Pixels of a pose on the map."""
    return max(1, 720 // max(some.shape))


def pose_at(scene: bpy.types.Scene, x: float, y: float) -> np.ndarray:
    """The pose (28,) at a place of the map, 0..1 from its lower left corner.

    :raises PoseError: if the panel asks for no part of a sweep.
    """
    some = chosen(scene)
    return sweep_map.pose_at(some, x, y, _scale(some))


def _follow() -> None:
    """Move the mark on the map to the current pose, where the map is there."""
    armature = hand.active(bpy.context)
    if MAP in bpy.data.images and armature is not None and counts(bpy.context.scene, armature):
        draw_map(bpy.context.scene, armature)


def register() -> None:
    """Follow the pose."""
    verdict.after.append(_follow)


def unregister() -> None:
    """Follow it no more."""
    verdict.after.remove(_follow)
    _judged.clear()
    _part.cache_clear()
