"""What the panel asks the generator for, as the generator takes it: settings, camera, command line."""

from __future__ import annotations

import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import bpy

from generator.frame import settings
from generator.frame.settings import RenderSettings
from generator.hand.camera import Camera
from generator.pipeline import run, run_folder
from generator.pipeline.gui_messages import RunTask
from handforge import commented_toml
from handforge.dataset import GROUND_TRUTH_MAPS
from handforge.errors import HandforgeError
from handforge.files import write_atomic

from . import hand

AS_PRESET = "preset"
"""The choice that leaves a setting to the preset."""

FIXED = "fixed"
"""The choice of a number of one's own."""

CHOICES: dict[str, tuple[str, ...]] = {
    name: words
    for name, words in settings.CHOICES.items()
    if name not in ("engine", "format", "mask", "handedness", "framing")
}
"""Settings of a few words that the panel shows under their own names."""

FRACTIONS = tuple(field.name for field in fields(RenderSettings) if type(field.default) is float and not field.default)
"""Settings that are the fraction of the images that show something: none unless they are set."""

NUMBERS: dict[str, tuple[str, ...]] = {
    "distance": ("random", "close"),
    "focal_mm": ("random",),
    **{name: () for name in FRACTIONS},
}
"""Settings that are a number, or one of these words; those of the distance are the setting ``framing``."""

FOLDERS = ("backgrounds", "objects")
"""Settings that are folders of one's own."""

GROUND_TRUTH_WORDS = (*GROUND_TRUTH_MAPS, settings.KEYPOINTS_3D)
"""What the setting ``ground_truth`` lists."""


def overrides(scene: bpy.types.Scene) -> dict[str, Any]:
    """The settings that the panel sets beside the poses; those left to the preset are left out."""
    panel = scene.handforge
    found: dict[str, Any] = {
        "seed": panel.seed,
        "resolution": f"{panel.size[0]}x{panel.size[1]}",
        "engine": panel.engine,
        "format": panel.format,
        "mask": panel.mask,
    }
    for name in CHOICES:
        word = getattr(panel, f"set_{name}")
        if word != AS_PRESET:
            found[name] = int(word) if word.isdecimal() else word
    for name in NUMBERS:
        word = getattr(panel, f"set_{name}")
        if word == FIXED:
            found[name] = round(getattr(panel, name), 6)
        elif word != AS_PRESET:
            found["framing" if name == "distance" else name] = word
    if panel.samples:
        found["samples"] = panel.samples
    if panel.truth:
        found["ground_truth"] = ",".join(word for word in GROUND_TRUTH_WORDS if word in panel.truth)
    for name in FOLDERS:
        if getattr(panel, name):
            found[name] = absolute(getattr(panel, name))
    if panel.object_annotations:
        found["object_annotations"] = True
    return found


def task(scene: bpy.types.Scene, armature: bpy.types.Object | None) -> RunTask:
    """What is set for rendering.

    What the preset leaves open is as the hand has it.
    """
    panel = scene.handforge
    poses = {"pose_set": pose_set(scene), "count": panel.count or None}  # None: as the preset
    above, below = _around_preset(scene)
    return {
        "settings": preset(scene),
        "overrides": poses | above,
        "defaults": (hand.appearance(armature) if armature else {}) | below,
        "out": absolute(panel.out),
        "workers": panel.workers,
    }


def _around_preset(scene: bpy.types.Scene) -> tuple[dict[str, Any], dict[str, Any]]:
    """The panel's settings that go before the preset, and those that a file of settings goes before."""
    return ({}, overrides(scene)) if scene.handforge.settings == "file" else (overrides(scene), {})


def preset(scene: bpy.types.Scene) -> str:
    """The preset's name or the file of settings."""
    panel = scene.handforge
    return absolute(panel.settings_file) if panel.settings == "file" else panel.settings


def pose_set(scene: bpy.types.Scene) -> str | None:
    """The pose set's name or the file of poses; None for the preset's."""
    if scene.handforge.poses == AS_PRESET:
        return None
    return absolute(scene.handforge.file) if scene.handforge.poses == "file" else scene.handforge.poses


def absolute(path: str) -> str:
    """A path of the panel without Blender's // in front."""
    return bpy.path.abspath(path)


def resolved(scene: bpy.types.Scene) -> RenderSettings:
    """The settings of the panel, with the preset's.

    :raises SettingsError: if they cannot be used.
    """
    return settings.load(Path(preset(scene)), *_around_preset(scene))


def camera(scene: bpy.types.Scene) -> Camera:
    """The generator's camera, at the default distance and focal length where each image has its own."""
    try:
        asked = resolved(scene)
    except HandforgeError:  # the panel says beside the fields what is wrong
        return Camera(*scene.handforge.size)
    focal = Camera.focal_mm if isinstance(asked.focal_mm, str) else asked.focal_mm
    return Camera(*asked.resolution, asked.distance, focal)


def judging_camera(scene: bpy.types.Scene) -> Camera:
    """The camera that poses are judged by, which sees all before it where each image is framed by itself."""
    try:
        return run.judging_camera(resolved(scene))
    except HandforgeError:
        return Camera(*scene.handforge.size)


def problems(scene: bpy.types.Scene) -> list[str]:
    """What is wrong with the panel's fields, in their own words."""
    panel, found = scene.handforge, []
    if panel.settings == "file":
        found += _file("Settings File", panel.settings_file)
    if panel.poses == "file":
        found += _file("Pose File", panel.file)
    for name in FOLDERS:
        folder = absolute(getattr(panel, name)) if getattr(panel, name) else ""
        if folder and not Path(folder).is_dir():
            found.append(f"{name.capitalize()}: {folder} is not a folder")
    out = absolute(panel.out)
    if not panel.out:
        found.append("Folder: choose one")
    elif not Path(out).is_absolute():
        found.append("Folder: save the .blend file first, or give a full path")
    elif Path(out).exists() and not Path(out).is_dir():
        found.append(f"Folder: {out} is a file")
    if not found:
        try:
            resolved(scene)
        except HandforgeError as error:
            found.append(in_words_of_the_panel(str(error)))
    return found


def unfinished(scene: bpy.types.Scene) -> str:
    """What to do with a run in the panel's folder that was stopped, as by quitting Blender; empty if there is none."""
    out = Path(absolute(scene.handforge.out))
    if not out.is_absolute() or not run_folder.is_unfinished(out):
        return ""
    return f"The run in {out.name} was stopped before it was complete: Generate with the same settings continues it"


def _file(field: str, path: str) -> list[str]:
    if not path:
        return [f"{field}: choose a file"]
    where = absolute(path)
    return [] if Path(where).is_file() else [f"{field}: {where} is not a file"]


_WORDS = {
    "give another --out": "choose another Folder",
    "give another folder for --out": "choose another Folder",
    "give a new or empty folder for --out": "choose a new or empty Folder",
    "give a folder for --out": "choose another Folder",
    "--out": "Folder",
    "lower --count": "lower Images",
    "--count": "Images",
    "--step": "Step",
    "--engine": "Engine",
    "another --settings": "another Preset",
    "the same handforge render command again, or the missing --shard, and merge": "press Generate again to complete",
    "fewer --workers": "fewer Workers",
    "--workers": "Workers",
    "run the same command again": "press Generate again",
    "handforge poses says why": "Count and Map says why",
}


def in_words_of_the_panel(text: str) -> str:
    """A message of the generator's as a sentence, with the panel's fields instead of the command's options."""
    for command, panel in _WORDS.items():
        text = text.replace(command, panel)
    return text[:1].upper() + text[1:]


# ---------------------------------------------------------------- the same as a command

_OPTIONS = (
    *("seed", "resolution", "format", "engine", "mask", "backgrounds", "ground_truth", "rig", "handedness"),
    *("objects", "object_kinds", "empty"),
)
"""Settings that handforge render has options for; the others need a file of settings."""


def beside(out: str, ending: str) -> Path:
    """The path beside the folder of images that has its name and this ending."""
    folder = Path(out)  # without the slash that a chosen folder ends with
    return folder.with_name(folder.name + ending)


def as_command(scene: bpy.types.Scene, armature: bpy.types.Object | None) -> tuple[str, str]:
    """The command line that renders what Generate does, and the TOML file it names; that is empty if none is needed.

    An external armature's hand is written into a folder beside that of the images.
    """
    asked = task(scene, armature)
    chosen = settings.load(Path(asked["settings"]), asked["overrides"], asked["defaults"])
    if chosen.rig is not None and chosen.rig.endswith(settings.READY_RIG):  # it lies where Blender removes it
        kept = beside(asked["out"], ".rig") / Path(chosen.rig).name  # by its name it is the same run
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(kept, Path(chosen.rig).read_bytes())
        chosen = replace(chosen, rig=str(kept))
    plain = settings.load(Path(asked["settings"])) if scene.handforge.settings != "file" else RenderSettings()
    differs = {name: value for name, value in chosen.to_json().items() if value != plain.to_json()[name]}
    where = asked["settings"]
    text = ""
    if scene.handforge.settings == "file" or any(name not in (*_OPTIONS, "pose_set", "count") for name in differs):
        default = RenderSettings().to_json()
        text = _toml({n: v for n, v in chosen.to_json().items() if v != default[n] and n not in ("pose_set", "count")})
        where, differs = str(beside(asked["out"], ".toml")), {}
    words = ["handforge", "render", "--set", chosen.pose_set, "--out", asked["out"]]
    if chosen.count is not None:
        words += ["--count", str(chosen.count)]
    for name in _OPTIONS:
        if name in differs and differs[name] is not None:
            words += [f"--{name.replace('_', '-')}", str(differs[name])]
    words += ["--settings", where, "--workers", str(asked["workers"])]
    return shlex.join(words), text


def _toml(values: dict[str, Any]) -> str:
    return "".join(f"{name} = {commented_toml.value(value)}\n" for name, value in values.items() if value is not None)
