"""Of a scene: which sweep is looked at, and what is rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    IntVectorProperty,
    PointerProperty,
    StringProperty,
)

from generator.frame import settings
from generator.frame.settings import ENGINES, FORMATS, MASKS, PRESETS, RenderSettings
from generator.hand import pose_sets, sweep_map
from handforge import commented_toml
from handforge.machine import processors

from .. import camera_object, verdict
from ..camera_object import FARTHEST, NEAREST
from ..render_settings import AS_PRESET, CHOICES, FIXED, FRACTIONS, GROUND_TRUTH_WORDS, NUMBERS
from ..viewport_ui import show_preview, title
from .choice_texts import CHOICE_TEXTS, explained

_RELATIVE = "is_path_supports_blend_relative" in bpy.types.Property.bl_rna.properties
PATH_OPTIONS = {"PATH_SUPPORTS_BLEND_RELATIVE"} if _RELATIVE else set()
"""Lets // stand for the .blend file's folder; older versions of Blender always did."""

_DEFAULTS = RenderSettings()

_SETS = [
    ("l2", "L2", "The forearm rotates through the full circle, the fingers stay in the bind pose"),
    ("l11", "L11", "The forearm rotates through the full circle while the fingers move from one pose to the next"),
]

_DRAWN_SETS = {
    "fingers": "Plausible fingers, drawn at random",
    "signs": "Letters and digits of manual alphabets",
    "gestures": "Gestures and grasps",
    "grasps": "Hands closed around something",
}

_POSES = [
    (AS_PRESET, "As the Preset", "Both sweeps, or what the preset shows"),
    ("all", "L2 and L11", "Both sweeps"),
    *_SETS,
    *((name, title(name), _DRAWN_SETS.get(name, "")) for name in pose_sets.SETS if name not in pose_sets.SWEPT),
    ("file", "File", "A CSV file of poses, as Save Pose and handforge poses --out write it"),
]

_PRESETS = {name: settings.preset_description(name).rstrip(".") for name in PRESETS}

ENGINE_TEXTS = {
    "auto": "The faster of Raster and Cycles that runs here",
    "raster": "The fastest: the add-on's own shader; needs Blender 5.2",
    "cycles": "Runs everywhere; the only one for indoor scenes",
    "eevee": "Needs Blender 5.2 and a GPU",
    "workbench": "Needs Blender 5.2 and a GPU",
}

_MASKS = {
    "hand": "The hand alone, up to the wrist crease",
    "hand+forearm": "Hand and forearm as one",
    "both": "Each hand annotated twice, with and without its forearm",
}

_FORMATS = {
    "png": "Without loss; the largest files",
    "jpg": "Small files, with the compression that photographs have",
    "webp": "Smaller files than JPG",
}


SETTING_TEXTS = {
    name: text.replace("`", "").rstrip(".") for name, text in commented_toml.field_docs(RenderSettings).items()
}
"""What each setting does: the docstrings of RenderSettings."""


def _images_changed(props: Any, _context: bpy.types.Context) -> None:
    camera_object.follow(props.id_data)
    verdict.all_later(props.id_data)


def _choice(name: str, words: tuple[str, ...]) -> Any:
    as_preset = (AS_PRESET, "As the Preset", "Leave this to the preset")
    texts = {FIXED: "A number of your own"} | CHOICE_TEXTS.get(name, {})
    return EnumProperty(
        name=title(name),
        description=SETTING_TEXTS[name],
        items=[as_preset, *explained(words, texts)],
        update=_images_changed,
    )


def _swept_angle(axis: str) -> Any:
    return IntVectorProperty(
        name=f"About {axis} (°)",
        description=f"From and to which angle the forearm rotates about {axis}, degrees",
        size=2,
        min=sweep_map.FULL[0],
        max=sweep_map.FULL[1],
        default=sweep_map.FULL,
    )


def _even_step(props: SceneProperties, _context: bpy.types.Context) -> None:
    if props.step % 2:
        props.step += 1


def _preset_chosen(props: SceneProperties, context: bpy.types.Context) -> None:
    """Show the size and format that a preset comes in."""
    if props.settings != "file":
        chosen = settings.load(Path(props.settings))
        props.size, props.format = chosen.resolution, chosen.format
    _images_changed(props, context)


def _shows_changed(props: SceneProperties, _context: bpy.types.Context) -> None:
    show_preview(props.id_data)


def _path(name: str, subtype: str, description: str, **more: Any) -> Any:
    return StringProperty(name=name, description=description, subtype=subtype, options=PATH_OPTIONS, **more)


class SceneProperties(bpy.types.PropertyGroup):
    """Of a scene: which sweep is looked at, and what is rendered."""

    sweep: EnumProperty(name="Sweep", description="Which of the paper's sets of poses is looked at", items=_SETS)
    step: IntProperty(
        name="Step (°)",
        description="Degrees from pose to pose, an even number",
        min=2,
        max=90,
        step=2,
        default=10,
        update=_even_step,
    )
    v4: _swept_angle("X")
    v5: _swept_angle("Z")
    fit: StringProperty(name="Fit", description="How good the last fit to joints is", options={"HIDDEN"})
    before: IntVectorProperty(
        name="Before the sweep",
        description="First, last and current frame; no frames if no sweep is on the timeline",
        size=3,
        options={"HIDDEN"},
    )

    poses: EnumProperty(
        name="Poses",
        description="Which poses the images show",
        items=_POSES,
    )
    file: _path("Pose File", "FILE_PATH", "A CSV file of poses")
    settings: EnumProperty(
        name="Preset",
        description="What it does not randomize is as the hand in the scene: shape, skin tone and side, or the rig",
        items=[
            *explained(PRESETS, _PRESETS),
            ("file", "File", "A TOML file, as handforge render --settings takes it; it goes before this panel"),
        ],
        update=_preset_chosen,
    )
    settings_file: _path("Settings File", "FILE_PATH", "A TOML file of settings", update=_images_changed)
    count: IntProperty(name="Images", description="0 for every plausible pose", min=0, default=100)
    seed: IntProperty(name="Seed", description="Another seed draws other random hands, light and scenes", min=0)
    size: IntVectorProperty(
        name="Size (px)",
        description="Width and height in pixels",
        size=2,
        min=settings.SIZE_RANGE[0],
        max=settings.SIZE_RANGE[1],
        default=_DEFAULTS.resolution,
        update=_images_changed,
    )
    engine: EnumProperty(name="Engine", description="What renders", items=explained(ENGINES, ENGINE_TEXTS))
    format: EnumProperty(name="Format", description="File format of the images", items=explained(FORMATS, _FORMATS))
    mask: EnumProperty(name="Mask", description="What belongs to the hand", items=explained(MASKS, _MASKS))
    samples: IntProperty(
        name="Samples", description="Samples a pixel of Cycles and EEVEE; 0 leaves them to the preset", min=0, max=4096
    )
    truth: EnumProperty(
        name="Ground Truth",
        description=SETTING_TEXTS["ground_truth"],
        items=[(*told, 1 << bit) for bit, told in enumerate(explained(GROUND_TRUTH_WORDS, CHOICE_TEXTS["truth"]))],
        options={"ENUM_FLAG"},
    )
    backgrounds: _path("Backgrounds", "DIR_PATH", "A folder of images to put behind the hands; empty for none")
    objects: _path("Objects", "DIR_PATH", "A folder of .glb or .obj files, in metres, to be held; empty for none")
    object_annotations: BoolProperty(name="Annotate Objects", description=SETTING_TEXTS["object_annotations"])
    distance: FloatProperty(
        name="Metres",
        description="From the camera to the wrist, whatever the scene's unit is",
        min=NEAREST,
        max=FARTHEST,
        default=1.0,
        update=_images_changed,
    )
    focal_mm: FloatProperty(
        name="Millimetres",
        description="Focal length for a sensor 36 mm wide",
        subtype="DISTANCE_CAMERA",
        unit="CAMERA",
        min=10,
        max=300,
        default=45.0,
        update=_images_changed,
    )
    preview_number: IntProperty(
        name="Preview Draw",
        description="Which of the run's random draws Render This Pose shows: light, background, distractors",
        min=0,
    )
    preview_shows: EnumProperty(
        name="Preview Shows",
        description="What the image editor shows of Render This Pose",
        items=[("overlay", "Overlay", "The image with its mask tinted"), ("image", "Image", "The image alone")],
        update=_shows_changed,
    )
    workers: IntProperty(
        name="Workers",
        description="Processes that render; more need more memory",
        min=1,
        max=256,
        default=processors(),
    )
    out: _path("Folder", "DIR_PATH", "A new or empty one, or an unfinished run's to be continued", default="//hands")


SceneProperties.__annotations__ |= {
    name: FloatProperty(name="Fraction", description=SETTING_TEXTS[name], min=0, max=1, update=_images_changed)
    for name in FRACTIONS
}
SceneProperties.__annotations__ |= {f"set_{name}": _choice(name, words) for name, words in CHOICES.items()}
SceneProperties.__annotations__ |= {f"set_{name}": _choice(name, (FIXED, *words)) for name, words in NUMBERS.items()}


def register() -> None:
    """Give scenes their properties."""
    bpy.utils.register_class(SceneProperties)
    bpy.types.Scene.handforge = PointerProperty(type=SceneProperties)


def unregister() -> None:
    """Take them away again."""
    del bpy.types.Scene.handforge
    bpy.utils.unregister_class(SceneProperties)
