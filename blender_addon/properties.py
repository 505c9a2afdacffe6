"""What the panel's widgets hold: a hand's sliders, shape and skin; the scene's sweep and rendering."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from generator.frame import settings
from generator.frame.settings import ENGINES, FORMATS, MASKS, PRESETS, RenderSettings
from generator.hand import anatomy, pose, sweep_map

from . import hand

GROUP_WORDS = {
    "L1": "Translation",
    "L2": "Forearm",
    "L3": "Wrist",
    **{group: finger.capitalize() for group, finger in zip(list(pose.GROUPS)[3:], pose.FINGERS, strict=True)},
}
"""The paper's groups in words."""

LETTERS = {"translation": "Along", "forearm": "About"}


def items(*names: str) -> list[tuple[str, str, str]]:
    """Choices of an EnumProperty, written as they are said."""
    return [(name, name.replace("_", " "), "") for name in names]


def _slider(index: int) -> Any:
    """The slider of one of the 28 numbers: degrees on screen, or centimetres for the first three."""
    first, rest = pose.NAMES[index].split("_", 1)
    if first in LETTERS:
        name = f"{LETTERS[first]} {rest.upper()}"
    else:
        joint, motion = rest.split("_") if "_" in rest else ("", rest)
        name = f"{joint.upper()} {motion}" if joint else motion.capitalize()
    low, high = pose.LIMITS[index]
    scale = 100.0 if index < 3 else 1.0

    def read(group: Any) -> float:
        return hand.pose(group.id_data)[index] * scale if hand.is_hand(group.id_data) else 0.0

    def write(group: Any, value: float) -> None:
        values = hand.pose(group.id_data)
        values[index] = min(max(value / scale, low), high)  # Blender clamps what is typed, not what scripts set
        hand.put(group.id_data, values)

    return FloatProperty(
        name=f"{name} (cm)" if index < 3 else name,
        description=f"v{index + 1}, {pose.NAMES[index]}",
        min=low * scale,
        max=high * scale,
        step=10 if index < 3 else 100,
        precision=1,
        subtype="NONE" if index < 3 else "ANGLE",
        get=read,
        set=write,
    )


def _changed(what: Callable[[bpy.types.Object], None]) -> Callable[[Any, Any], None]:
    def update(group: Any, _context: bpy.types.Context) -> None:
        if hand.is_hand(group.id_data):
            what(group.id_data)

    return update


class HandProperties(bpy.types.PropertyGroup):
    """Of an armature that is a hand: the 28 sliders by their names, its shape, skin and side, and the verdict."""

    side: EnumProperty(name="Side", items=items("right", "left"), update=_changed(hand.take_side))
    tone: FloatProperty(
        name="Skin tone",
        description="From the fairest, 0, to the darkest, 1",
        min=0,
        max=1,
        default=RenderSettings.skin,
        update=_changed(hand.paint),
    )
    reason: StringProperty(name="Reason", description="Why the pose is not plausible; empty if it is")
    verdict: StringProperty(name="Verdict")


def _shape(name: str) -> Any:
    words = f"{name} length" if name in pose.FINGERS else name.replace("_", " ")
    return FloatProperty(
        name=words.capitalize(),
        description="A factor, 1 for the mean hand",
        min=0.5,
        max=2.0,
        soft_min=0.75,
        soft_max=1.3,
        default=1.0,
        update=_changed(hand.reshape),
    )


SHAPE = tuple(anatomy.HandShape.__dataclass_fields__)
"""The names of the shape's factors."""

HandProperties.__annotations__ |= {name: _slider(index) for index, name in enumerate(pose.NAMES)}
HandProperties.__annotations__ |= {name: _shape(name) for name in SHAPE}

_DEFAULTS = RenderSettings()

_SETS = [("l2", "l2", "The forearm turns, the fingers rest"), ("l11", "l11", "The forearm turns and the fingers move")]


def _swept_angle(name: str, axis: str) -> Any:
    return bpy.props.IntVectorProperty(
        name=f"{name}, {axis} (°)",
        description=f"From and to which angle the forearm turns about {axis}, degrees",
        size=2,
        min=sweep_map.FULL[0],
        max=sweep_map.FULL[1],
        default=sweep_map.FULL,
    )


def _look_chosen(scene: SceneProperties, _context: bpy.types.Context) -> None:
    """Show the size and format that a look comes in."""
    if scene.settings != "file":
        look = settings.load(Path(scene.settings))
        scene.size, scene.format = look.size, look.format


class SceneProperties(bpy.types.PropertyGroup):
    """Of a scene: which sweep is looked at, and what is rendered."""

    sweep: EnumProperty(name="Sweep", items=_SETS)
    step: IntProperty(
        name="Step (°)", description="Degrees from pose to pose, a multiple of 2", min=2, max=90, step=2, default=10
    )
    v4: _swept_angle("v4", "X")
    v5: _swept_angle("v5", "Z")
    scrub: BoolProperty(name="Sweep on the timeline", options={"HIDDEN"})
    swept: PointerProperty(type=bpy.types.Object, name="Hand on the timeline")
    before: bpy.props.IntVectorProperty(
        name="Before the sweep", description="First, last and current frame", size=3, options={"HIDDEN"}
    )
    pose_before: bpy.props.FloatVectorProperty(
        name="Pose before the sweep", description="Radians", size=len(pose.NAMES), options={"HIDDEN"}
    )

    poses: EnumProperty(name="Poses", items=[("all", "all", "Both sets"), *_SETS, ("file", "file", "A file of poses")])
    file: StringProperty(name="File of poses", subtype="FILE_PATH")
    settings: EnumProperty(
        name="Look",
        description="What it does not vary or set is as the hand in the scene: shape, skin tone and side, or the rig",
        items=[
            *items(*PRESETS),
            (
                "file",
                "file",
                "A TOML file, as hand-generator render --settings takes it; what it sets goes before this "
                "panel, but for poses and pictures",
            ),
        ],
        update=_look_chosen,
    )
    settings_file: StringProperty(name="File of settings", subtype="FILE_PATH")
    count: IntProperty(name="Pictures", description="0 for every plausible pose", min=0, default=100)
    seed: IntProperty(name="Seed", min=0)
    size: bpy.props.IntVectorProperty(
        name="Size (px)", description="Width and height in pixels", size=2, min=64, max=4096, default=_DEFAULTS.size
    )
    engine: EnumProperty(name="Engine", items=items(*ENGINES))
    format: EnumProperty(name="Format", items=items(*FORMATS))
    mask: EnumProperty(name="Mask", items=items(*MASKS))
    workers: IntProperty(name="Workers", description="Processes", min=1, max=256, default=os.cpu_count() or 1)
    out: StringProperty(
        name="Folder", description="New, empty, or an unfinished run's", subtype="DIR_PATH", default="//hands"
    )


def task(scene: SceneProperties, armature: bpy.types.Object | None) -> dict[str, Any]:
    """What is set for rendering, as :mod:`generator.pipeline.gui_job` takes it: what the look leaves open is as the
    hand has it.
    """
    of_file = scene.settings == "file"
    poses = {
        "set": bpy.path.abspath(scene.file) if scene.poses == "file" else scene.poses,
        "count": scene.count or None,
    }
    pictures = {
        "seed": scene.seed,
        "size": f"{scene.size[0]}x{scene.size[1]}",
        "engine": scene.engine,
        "format": scene.format,
        "mask": scene.mask,
    }
    return {
        "settings": bpy.path.abspath(scene.settings_file) if of_file else scene.settings,
        "overrides": poses if of_file else poses | pictures,
        "defaults": (hand.appearance(armature) if armature else {}) | (pictures if of_file else {}),
        "out": bpy.path.abspath(scene.out),
        "workers": scene.workers,
    }


def register() -> None:
    """Give objects and scenes their properties."""
    bpy.utils.register_class(HandProperties)
    bpy.utils.register_class(SceneProperties)
    bpy.types.Object.handforge = PointerProperty(type=HandProperties)
    bpy.types.Scene.handforge = PointerProperty(type=SceneProperties)


def unregister() -> None:
    """Take them away again."""
    del bpy.types.Scene.handforge
    del bpy.types.Object.handforge
    bpy.utils.unregister_class(SceneProperties)
    bpy.utils.unregister_class(HandProperties)
