"""Blender's window: pose a hand, see what is plausible, render it. It only asks ``generator``.

hand                which objects are a hand, its shape and side, what keeps it from being posed
external_rig        an armature of one's own as the hand, through a map; maps/ has some
bones               bones posed from the 28 numbers, and read back
sync                sliders, bones and verdict in step, whoever changed one
reshape             proportions, side and skin tone
verdict             whether the pose is plausible
animation           poses as keyframes, and back
pose_assets         poses in the asset browser, with thumbnails
asset_library       a folder of them for every file: presets, signs, grasps
fingertips          objects at the fingertips that bend a finger
finger_gizmos       handles in pose mode that curl and spread a finger
camera_object       the generator's camera in the viewport
sweep_view          a sweep's counts and map
render_settings     what the panel asks the generator for
background_process  the processes that render
background_main     what Blender runs as one of these
background_job      how far they are, and what they said
viewport_ui         redrawing, wrapping texts, showing an image
properties/         what fields hold
operators/          what buttons do
panels/             the sidebar, menus and header
command             blender -b --command handforge ...
wheels              the bundled wheels, before others of the same name
"""

from __future__ import annotations

from .wheels import put_first

put_first()

from . import command, finger_gizmos, fingertips, operators, panels, properties, sweep_view, sync, verdict  # noqa: E402

_PARTS = (properties, verdict, sync, fingertips, finger_gizmos, sweep_view, operators, panels, command)


def register() -> None:
    """Add everything to Blender."""
    for part in _PARTS:
        part.register()


def unregister() -> None:
    """Take everything out of Blender again."""
    for part in reversed(_PARTS):
        part.unregister()
