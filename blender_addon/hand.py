"""Which objects of the scene are a hand, what it looks like, and what keeps it from being posed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import bpy
import numpy as np

from generator.blender import rig
from generator.hand import anatomy
from generator.hand.anatomy import BONES
from handforge.errors import HandforgeError

from . import external_rig

KEY = "handforge_pose"
"""The armature's custom property with the 28 numbers that bones and sliders agree on."""

SHAPE = tuple(anatomy.HandShape.__dataclass_fields__)
"""The names of the factors of a hand's shape."""

_MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])

_NEAR = 1e-4
"""Metres by which a bone's rest position may differ from the skeleton's."""


_busy: set[str] = set()


@contextlib.contextmanager
def quietly(armature: bpy.types.Object) -> Iterator[None]:
    """Change sliders, properties and bones without what else follows when one of them changes."""
    already = armature.name in _busy
    _busy.add(armature.name)
    try:
        yield
    finally:
        if not already:
            _busy.discard(armature.name)


def is_busy(armature: bpy.types.Object) -> bool:
    """Whether it is being changed by :func:`quietly`."""
    return armature.name in _busy


class HandError(HandforgeError):
    """Something in the scene keeps a hand from being changed; the text says what it is and what to do."""


def is_hand(obj: bpy.types.ID | None) -> bool:
    """Whether this is the armature of a hand."""
    return isinstance(obj, bpy.types.Object) and obj.type == "ARMATURE" and KEY in obj


def in_scene(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """The armatures of the scene's hands."""
    return [obj for obj in scene.objects if is_hand(obj)]


def open_collection(collections: Iterable[bpy.types.Collection], scene: bpy.types.Scene) -> bpy.types.Collection:
    """The first of some collections that objects can be added to, which are not of another file; or the scene's own."""
    own = (one for one in collections if one.library is None and one.override_library is None)
    return next(own, scene.collection)


def active(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature of the active object, whether that is it or belongs to it; otherwise the scene's only hand."""
    obj = context.view_layer.objects.active
    while obj is not None:
        if is_hand(obj):
            return obj
        obj = obj.parent
    hands = in_scene(context.scene)
    return hands[0] if len(hands) == 1 else None


def chosen(context: bpy.types.Context) -> bpy.types.Object:
    """What :func:`active` gives, where a poll has seen to it that there is one."""
    armature = active(context)
    assert armature is not None
    return armature


def why_none(context: bpy.types.Context) -> str:
    """Why :func:`active` gives no hand that can be changed; empty if it does."""
    armature = active(context)
    if armature is None:
        return "Select one of the hands" if in_scene(context.scene) else "Add a hand first"
    return locked(armature)


def locked(armature: bpy.types.Object) -> str:
    """Why a hand cannot be changed at all; empty if it can."""
    if armature.library is not None:
        return f"{armature.name} is linked from {armature.library.filepath}: make a library override to pose it"
    return ""


def problem(armature: bpy.types.Object) -> str:
    """Why sliders and bones cannot agree; empty if they can."""
    if (missing := missing_bone(armature)) or external_rig.names(armature):
        return missing
    bones, skeleton = armature.data.bones, anatomy.skeleton(shape(armature))
    across = mirror(side(armature))[:3, :3]
    for ends, attribute in ((skeleton.heads, "head_local"), (skeleton.tails, "tail_local")):
        found = np.array([getattr(bones[name], attribute) for name in BONES])
        far = np.abs(found - ends @ across).max(axis=1)
        if far.max() > _NEAR:
            return (
                f"The rest pose of {BONES[int(far.argmax())]} was changed (Apply Pose as Rest Pose, or Edit mode): "
                "press Restore Bones"
            )
    return ""


def missing_bone(armature: bpy.types.Object) -> str:
    """Which bone of the hand is not there; empty if all are."""
    names = external_rig.names(armature)
    for name in names.values() if names else BONES:
        if name not in armature.data.bones or name not in armature.pose.bones:
            return f"There is no bone {name} any more: give it its name back"
    return ""


def skin_of(armature: bpy.types.Object) -> bpy.types.Object | None:
    """The built-in hand's mesh; None if it was deleted, the bones were copied alone, or the armature is external."""
    if external_rig.names(armature):
        return None
    return next((child for child in armature.children if _is_skin(child, armature)), None)


def _is_skin(obj: bpy.types.Object, armature: bpy.types.Object) -> bool:
    """Whether a mesh is the built-in hand's, not another that hangs on the armature."""
    return (
        obj.type == "MESH"
        and rig.WRIST_DISTANCE in obj.data.attributes
        and any(m.type == "ARMATURE" and m.object == armature for m in obj.modifiers)
    )


def sharing(armature: bpy.types.Object) -> str:
    """What a linked duplicate (Alt-D) shares with another hand; empty if nothing."""
    skin = skin_of(armature)
    if skin is not None and skin.data.users > 1:
        return "its skin"
    return "its bones" if armature.data.users > 1 else ""


def shape(armature: bpy.types.Object) -> anatomy.HandShape:
    """The proportions chosen in the panel."""
    chosen = armature.handforge
    return anatomy.HandShape(**{name: getattr(chosen, name) for name in SHAPE})


def side(armature: bpy.types.Object) -> str:
    """``right`` or ``left``."""
    if bones := external_rig.names(armature):
        return external_rig.side(armature, bones)
    return armature.handforge.side


def mirror(side: str) -> np.ndarray:
    """From a right hand's axes to those of a hand of this side, and back, (4, 4): X to -X for a left one."""
    return _MIRROR if side == "left" else np.eye(4)


def sided(moved: np.ndarray, armature: bpy.types.Object) -> np.ndarray:
    """Transforms (..., 4, 4) of a right hand as those of the armature's, and back."""
    across = mirror(side(armature))
    return across @ moved @ across


def appearance(armature: bpy.types.Object) -> dict[str, Any]:
    """The hand as settings of :mod:`generator.frame.settings`: shape, skin and side, or the external rig.

    :raises RigMapError: if the rig has no mesh.
    """
    chosen = armature.handforge
    if external_rig.names(armature):
        look = {"skin_tone": round(chosen.tone, 4), "handedness": side(armature)}
        return {"rig": str(external_rig.hand_over(armature)), **look}
    factors = {name: round(value, 4) for name, value in asdict(shape(armature)).items()}  # Blender's are of 32 bits
    mean = all(value == 1 for value in factors.values())
    return {"shape": "average" if mean else factors, "skin_tone": round(chosen.tone, 4), "handedness": chosen.side}


def pose(armature: bpy.types.Object) -> np.ndarray:
    """The pose, (28,), metres and radians."""
    return np.array(armature[KEY], float)


def remember(armature: bpy.types.Object, name: str, value: Any) -> None:
    """Keep a value in the armature, in library overrides, too."""
    new = name not in armature
    armature[name] = json.dumps(value) if isinstance(value, dict) else value
    if new and armature.override_library is None:
        armature.property_overridable_library_set(f'["{name}"]', True)
