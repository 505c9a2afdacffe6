"""What operators share: when they can be called, the file they are given, and how errors reach the user."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from generator.pipeline.gui_messages import reason
from handforge.errors import HandforgeError

from .. import external_rig, hand


def require(operator: Any, met: bool, otherwise: str) -> bool:
    """Whether a condition of an operator's poll is met; where it is not, the greyed button's tooltip says so."""
    if not met:
        operator.poll_message_set(otherwise)
    return met


class Undoable:
    """Common to what changes the scene."""

    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012  Blender reads a plain set


class OfHand(Undoable):
    """Common to what changes a hand: there has to be one."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a hand to work on."""
        problem = hand.why_none(context)
        return require(cls, not problem, problem)


class OfBuiltInHand(OfHand):
    """Common to what an external armature cannot have: proportions, handles at its fingers, assets of its poses."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a built-in hand to work on."""
        return super().poll(context) and require(
            cls,
            external_rig.names(hand.chosen(context)) is None,
            "This is for built-in hands; the active one is an armature of your own",
        )


class FileError(HandforgeError):
    """A file or folder that cannot be what is asked for; the text says which."""


def chosen_file(operator: Any) -> Path:
    """The file that an operator's file browser was left with.

    :raises FileError: if it was left without a name, or with nothing but the extension of the operator's files.
    """
    path, extension = operator.filepath, getattr(operator, "filename_ext", "")
    where = Path(bpy.path.abspath(path))
    if not path or where.name in ("", extension) or where.is_dir():
        raise FileError("Choose a file, or type its name")
    return where


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
