"""Settings of a rendering run as options of commands, with what a shell completes them by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from handforge.console import PATH, Complete, complete, complete_list

if TYPE_CHECKING:
    from generator.frame.settings import RenderSettings

SETS_HELP = "l2, l11, fingers, signs, gestures, grasps, several with commas, all (l2,l11), or a file of poses."


STEP = click.option(
    "--step",
    type=click.IntRange(1),
    metavar="DEGREES",
    help="The sweep's step of v4 and v5, a divisor of 360.  [default: 2]",
)
"""Another step of the pose sets; :func:`load_settings` sees to it."""


def _setting_words(setting: str) -> Complete:
    """Complete a setting that is one of a few words."""

    def words() -> tuple[str, ...]:
        from generator.frame.settings import CHOICES

        return CHOICES[setting]

    return complete(words)


def complete_sets(context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Complete, as an option's ``shell_complete``, one or several pose sets, all of them, or else a file."""
    from generator.hand import pose_sets

    names = pose_sets.SETS if "," in start else (*pose_sets.SETS, "all")
    return complete_list(lambda _: names)(context, parameter, start) or [CompletionItem(start, type="file")]


def preset_names() -> tuple[str, ...]:
    """Names of the presets of settings, for completion."""
    from generator.frame.settings import PRESETS

    return PRESETS


def _ground_truth_words(context: click.Context) -> tuple[str, ...]:
    from generator.frame.settings import KEYPOINTS_3D
    from handforge.dataset import GROUND_TRUTH_MAPS

    return (*GROUND_TRUTH_MAPS, KEYPOINTS_3D)


def _object_kinds(context: click.Context) -> tuple[str, ...]:
    from generator.objects.categories import NAMES

    return NAMES


_SETTINGS_OPTIONS = (
    click.option("--set", "pose_set", help=f"{SETS_HELP}  [default: all]", shell_complete=complete_sets),
    STEP,
    click.option("--count", type=int, help="Number of images, spread evenly over the plausible poses.  [default: all]"),
    click.option("--seed", type=int, help="Seed of all random draws.  [default: 0]"),
    click.option("--resolution", metavar="WxH", help="Width and height of the images, pixels.  [default: 1280x720]"),
    click.option(
        "--format",
        "format_",
        help="File format of the images: png, jpg or webp.  [default: png]",
        shell_complete=_setting_words("format"),
    ),
    click.option(
        "--engine",
        shell_complete=_setting_words("engine"),
        help="raster (fastest, Blender 5.2), cycles (runs everywhere), eevee, workbench or auto.  [default: auto]",
    ),
    click.option("--rig", metavar="FILE", help="External rigged hand: .glb, .fbx or .blend, with --bone-map."),
    click.option("--bone-map", metavar="FILE", help="TOML file that says which of the rig's bones is which."),
    click.option(
        "--handedness", help="right, left or random.  [default: right]", shell_complete=_setting_words("handedness")
    ),
    click.option(
        "--mask",
        help="hand (ends at the wrist), hand+forearm, or both.  [default: hand]",
        shell_complete=_setting_words("mask"),
    ),
    click.option("--backgrounds", metavar="DIR", help="Folder of images to put behind the hands, cropped and scaled."),
    click.option(
        "--objects",
        metavar="DIR",
        help="Folder of .glb or .obj objects in metres, held or lying about; indoor scenes only.",
    ),
    click.option(
        "--empty", type=float, help="Fraction of the images without a hand, indoor scenes only.  [default: 0]"
    ),
    click.option(
        "--object-kinds",
        help="cup, bottle, ball ..., separated by commas: what images without a hand show where they show objects.  "
        "[default: all]",
        shell_complete=complete_list(_object_kinds),
    ),
    click.option(
        "--ground-truth",
        help="depth, normals, parts, keypoints3d, separated by commas, beside masks.  [default: none]",
        shell_complete=complete_list(_ground_truth_words),
    ),
    click.option(
        "--settings",
        type=PATH,
        shell_complete=complete(preset_names),
        metavar="NAME|FILE",
        help="Preset or TOML file: paper (default), people (random hands, skin and light before white), studio (the "
        "same from near, as in photographs), varied (indoor scenes), gloves (the same in gloves), objects; see "
        "handforge settings. Options given here override it.",
    ),
    *(click.option(f"--{name}", hidden=True) for name in ("size", "map", "side", "truth")),
)
"""Settings as options; the last have the names of the release before, and the settings' reader says the new ones."""


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that override settings; it takes them as ``settings``, ``format_`` and ``options``."""
    for option in reversed(_SETTINGS_OPTIONS):
        command = option(command)
    return command


def load_settings(settings: Path | None, format_: str | None, options: dict[str, Any]) -> RenderSettings:
    """Read the settings that a command with :func:`settings_options` was given."""
    from generator.frame.settings import load
    from generator.hand import pose_sets

    step = options.pop("step")
    given = {"format": format_, **options}
    chosen = load(settings, given)
    return load(settings, {**given, "pose_set": pose_sets.with_step(chosen.pose_set, step)}) if step else chosen
