"""What operators share: when they can be called, and how errors reach the user."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import bpy

from generator.pipeline.gui_messages import reason
from handforge.errors import HandforgeError

from .. import external_rig, hand


class Undoable:
    """Common to what changes the scene."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender reads a plain set


class OfHand(Undoable):
    """Common to what changes a hand: there has to be one."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a hand to work on."""
        if reason := hand.why_none(context):
            cls.poll_message_set(reason)  # type: ignore[attr-defined]  # Operator's
        return not reason


class OfBuiltInHand(OfHand):
    """Common to what changes the proportions, which an external armature keeps."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a built-in hand to work on."""
        if not super().poll(context):
            return False
        if external_rig.names(hand.active(context)) is None:
            return True
        cls.poll_message_set("An armature of your own keeps its proportions")  # type: ignore[attr-defined]  # Operator's
        return False


def reported(execute: Callable[[Any, bpy.types.Context], set[str]]) -> Callable[[Any, bpy.types.Context], set[str]]:
    """Have an operator's expected errors reported instead of a traceback on the console."""

    @functools.wraps(execute)
    def reporting(self: Any, context: bpy.types.Context) -> set[str]:
        try:
            return execute(self, context)
        except (HandforgeError, OSError) as error:
            self.report({"ERROR"}, reason(error))
        return {"CANCELLED"}

    return reporting
