"""Runs inside the Blender that the window tests drive: installs the extension, and writes down what the window shows.

Reads nothing but its arguments, the extension's zip and the file to write to. The extension is installed as "Install
from Disk" does it, in a user folder that is new, and neither saved nor started again. What happens to the hand comes
from mouse and keyboard.
"""

import json
import os
import sys
from pathlib import Path

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

ARCHIVE, STATE = sys.argv[-2], Path(sys.argv[-1])


def module(name):
    return next(m for n, m in sys.modules.items() if n.endswith(f"handforge.{name}"))


def view():
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    return window, max(areas, key=lambda area: area.width * area.height)


def joints(armature, window, area):
    """Where on the screen the camera's view shows the joints of a grasp that is rotated and moved a little: 21 x, y."""
    package = module("hand").__package__ + ".generator.hand."
    kinematics, anatomy, presets = (sys.modules[package + n] for n in ("kinematics", "anatomy", "pose_presets"))
    pose = presets.PRESETS["grasp"].copy()
    pose[:6] = 0.03, 0.1, -0.05, 0.2, 0.4, -0.3
    region = next(region for region in area.regions if region.type == "WINDOW")
    points = [armature.matrix_world @ Vector(p) for p in kinematics.keypoints(pose, anatomy.skeleton())]
    places = [location_3d_to_region_2d(region, area.spaces.active.region_3d, p) for p in points]
    return [[region.x + x, window.height - region.y - y] for x, y in places]


def finger_handles(armature, window, area):
    """Where on the screen the handles of the fingers are, and the pixels of their whole motions: x, y, to x, to y."""
    region, view = next(r for r in area.regions if r.type == "WINDOW"), area.spaces.active.region_3d
    found = {}
    for name, handle in module("finger_gizmos").handles(armature, region, view).items():
        x, y = location_3d_to_region_2d(region, view, handle.place)
        found[" ".join(name)] = [region.x + x, window.height - region.y - y, handle.way.x, -handle.way.y]
    return found


def selected(bone):
    return bone.select if hasattr(bone, "select") else bone.bone.select  # as before 5.0


def clicked(window):
    """Where on the screen joints have been clicked so far."""
    found = []
    for running in window.modal_operators:
        for x, y in running.places(bpy.context) if hasattr(running, "places") else ():
            found.append([running._region.x + x, window.height - running._region.y - y])
    return found


def state():
    window, area = view()
    sidebar = next(region for region in area.regions if region.type == "UI")
    hands = [obj for obj in bpy.data.objects if "handforge_pose" in obj]
    scene, jobs, told = bpy.context.scene, module("background_job"), {}
    board = jobs.Board
    for obj in hands:
        props = obj.handforge
        marked = [bone.name for bone in obj.pose.bones if bone.color.palette != "DEFAULT"]
        told = {"pose": list(obj["handforge_pose"]), "reason": props.reason, "text": props.verdict, "marked": marked}
        told["selected"] = [bone.name for bone in obj.pose.bones if selected(bone)]
        told["fingers"] = finger_handles(obj, window, area)
        told["handles"] = [child.name for child in obj.children if "handforge_tip" in child]
        if area.spaces.active.region_3d.view_perspective == "CAMERA":
            told["joints"] = joints(obj, window, area)
    return {
        # the screen's origin is at the top, Blender's at the bottom
        "sidebar": [sidebar.x, window.height - sidebar.y - sidebar.height, sidebar.width, sidebar.height],
        "tab": sidebar.active_panel_category,
        "hands": len(hands),
        "hand": told,
        "frame": scene.frame_current,
        "keys": sum(len(a.frame_range) for a in bpy.data.actions),
        "fit": scene.handforge.fit,
        "modal": [running.bl_idname for running in window.modal_operators],
        "clicked": clicked(window),
        "photos": [b.image.name for b in scene.camera.data.background_images] if scene.camera else [],
        "seen_by": [round(scene.handforge.focal_mm, 2), *scene.handforge.size],
        "browser": any(
            area.type == "FILE_BROWSER" for w in bpy.context.window_manager.windows for area in w.screen.areas
        ),
        "job": board.job and [board.job.done, board.job.total],
        "message": board.message,
        "preview": jobs.Preview.message,
        "rendering": jobs.Preview.waiting,
        "rendered_at": max((path.stat().st_mtime_ns for path in PREVIEW.rglob("*")), default=0),
        "editors": {
            a.spaces.active.image.name: [a.x + a.width / 2, window.height - a.y - a.height / 2]
            for a in window.screen.areas
            if a.type == "IMAGE_EDITOR" and a.spaces.active.image
        },
    }


def write():
    temporary = STATE.with_suffix(".tmp")
    temporary.write_text(json.dumps(state()))
    os.replace(temporary, STATE)  # noqa: PTH105
    return 0.1


def prepare():
    bpy.ops.extensions.package_install_files(filepath=ARCHIVE, repo="user_default", enable_on_install=True)
    for obj in list(bpy.data.objects):
        bpy.data.objects.remove(obj)
    _, area = view()
    area.spaces.active.show_region_ui = True
    scene = bpy.context.scene
    panel = scene.handforge
    panel.poses, panel.count, panel.size, panel.engine = "l2", 2000, (320, 180), "cycles"
    panel.workers, panel.out = 1, str(STATE.parent / "images")
    scene.render.engine, scene.cycles.samples, scene.frame_end = "CYCLES", 1, 2
    scene.cycles.use_denoising = False  # which distributions build Blender without
    scene.render.resolution_x, scene.render.resolution_y = 160, 90
    scene.render.filepath = str(STATE.parent / "frame_#")
    last = bpy.context.window_manager.operator_properties_last("handforge.load_photo")
    last.filepath = str(STATE.parent / "photographs") + os.sep  # where the file browser begins
    bpy.app.timers.register(write)


PREVIEW = Path(bpy.app.tempdir, "hand_preview")
preferences = bpy.context.preferences
preferences.view.show_splash = False
preferences.view.smooth_view, preferences.system.viewport_aa = 0, "OFF"  # drawn in software, and less often
bpy.app.timers.register(prepare, first_interval=1.0)
