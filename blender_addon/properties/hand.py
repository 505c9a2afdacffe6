"""Of an armature that is a hand: the 28 sliders by their names, its shape, skin and side, and the verdict."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty

from generator.frame.settings import RenderSettings
from generator.hand import pose

from .. import reshape, sync
from ..hand import SHAPE

GROUP_WORDS = {
    "L1": "Translation",
    "L2": "Forearm",
    "L3": "Wrist",
    **{group: finger.capitalize() for group, finger in zip(list(pose.GROUPS)[3:], pose.FINGERS, strict=True)},
}
"""The paper's groups in words."""

OVERRIDABLE = {"LIBRARY_OVERRIDABLE"}

_MOVES = {
    "translation_x": "Moves the hand to the right of the image",
    "translation_y": "Moves the hand away from the camera",
    "translation_z": "Moves the hand up in the image",
    "forearm_x": "Tilts the forearm away from the camera, about the image's horizontal axis",
    "forearm_z": "Rotates the hand about the image's vertical axis, which shows its sides and its back",
    "forearm_y": "Rotates the hand in the image, about the viewing axis",
    "wrist_flexion": "Bends the wrist: positive towards the palm",
    "wrist_deviation": "Bends the wrist sideways: positive to the thumb's side",
    "mcp_flexion": "Bends the {finger} finger at the knuckle: positive towards the palm",
    "mcp_abduction": "Spreads the {finger} finger at the knuckle: positive to the thumb's side",
    "pip_flexion": "Bends the {finger} finger's middle joint",
    "dip_flexion": "Bends the {finger} finger's last joint, which people bend with the middle one",
    "thumb_cmc_flexion": "Swings the thumb at its base: positive across the palm",
    "thumb_cmc_abduction": "Lifts the thumb at its base: positive away from the palm",
    "thumb_mcp_flexion": "Bends the thumb's middle joint",
    "thumb_ip_flexion": "Bends the thumb's last joint",
}
_LETTERS = {"translation": "Along", "forearm": "About"}


def _describe(name: str) -> str:
    """What one of the 28 numbers does, in a sentence."""
    first, rest = name.split("_", 1)
    return _MOVES.get(name) or _MOVES[rest].format(finger=first)


def _slider(index: int) -> Any:
    """The slider of one of the 28 numbers. Keyframes and bones may leave a joint's range, people's hands may not."""
    name = pose.NAMES[index]
    first, rest = name.split("_", 1)
    if first in _LETTERS:
        label = f"{_LETTERS[first]} {rest.upper()}"
    else:
        joint, motion = rest.split("_") if "_" in rest else ("", rest)
        label = f"{joint.upper()} {motion.capitalize()}".strip()
    low, high = pose.LIMITS[index]

    def changed(props: Any, _context: bpy.types.Context) -> None:
        sync.slider_changed(props, index)

    shown: dict[str, Any] = {"subtype": "DISTANCE", "unit": "LENGTH", "step": 0.1, "precision": 3}
    return FloatProperty(
        name=label,
        description=f"{_describe(name)} (v{index + 1} of the pose)",
        soft_min=low,
        soft_max=high,
        update=changed,
        override=OVERRIDABLE,
        **(shown if index < 3 else {"subtype": "ANGLE", "step": 100, "precision": 1}),
    )


def _changed(props: Any, _context: bpy.types.Context) -> None:
    reshape.changed(props)


def _shape(name: str) -> Any:
    words = f"{name} length" if name in pose.FINGERS else name.replace("_", " ")
    return FloatProperty(
        name=words.title(),
        description="A factor, 1 for the mean hand",
        min=0.5,
        max=2.0,
        soft_min=0.75,
        soft_max=1.3,
        default=1.0,
        update=_changed,
        override=OVERRIDABLE,
    )


class HandProperties(bpy.types.PropertyGroup):
    """Of an armature that is a hand."""

    side: EnumProperty(
        name="Side",
        description="Which hand it is",
        items=[("right", "Right", "A right hand"), ("left", "Left", "Its mirror image, of the same 28 numbers")],
        update=_changed,
        override=OVERRIDABLE,
    )
    tone: FloatProperty(
        name="Skin Tone",
        description="From the fairest, 0, to the darkest, 1",
        min=0,
        max=1,
        default=RenderSettings.skin_tone,
        update=_changed,
        override=OVERRIDABLE,
    )
    reason: StringProperty(
        name="Reason", description="Why the pose is not plausible; empty if it is", override=OVERRIDABLE
    )
    verdict: StringProperty(name="Verdict", description="What is wrong with the pose", override=OVERRIDABLE)
    notice: StringProperty(name="Notice", description="Why the last change was not made", override=OVERRIDABLE)
    coupled: BoolProperty(
        name="Last Joints Follow",
        description="A finger's last joint bends with its middle one, as people's do; by slider, bone or handle",
        default=True,
        override=OVERRIDABLE,
    )
    limited: BoolProperty(
        name="Keep Within Limits",
        description="Bones rotated in pose mode stop where a person's joints do",
        default=True,
        override=OVERRIDABLE,
    )


HandProperties.__annotations__ |= {name: _slider(index) for index, name in enumerate(pose.NAMES)}
HandProperties.__annotations__ |= {name: _shape(name) for name in SHAPE}


def register() -> None:
    """Give objects their properties."""
    bpy.utils.register_class(HandProperties)
    bpy.types.Object.handforge = PointerProperty(type=HandProperties, override=OVERRIDABLE)


def unregister() -> None:
    """Take them away again."""
    del bpy.types.Object.handforge
    bpy.utils.unregister_class(HandProperties)
