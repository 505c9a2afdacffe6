"""Runs inside the Blender that the window test drives: opens the sidebar, and writes down what the window shows.

Reads nothing but its argument, the file to write to; all that happens to the hand comes from mouse and keyboard.
"""

import json
import os
import sys
from pathlib import Path

import bpy

STATE = Path(sys.argv[-1])


drawn = {"now": [], "last": []}
"""The panels that are open, as the sidebar is drawn: now, and when it was last drawn to its end."""


def watch(name, last=False):
    panel = getattr(bpy.types, name)
    draw = panel.draw

    def noted(self, context):
        drawn["now"].append(name)
        if last:
            drawn["last"], drawn["now"] = drawn["now"], []
        draw(self, context)

    panel.draw = noted


def view():
    window = bpy.context.window_manager.windows[0]
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    return window, max(areas, key=lambda area: area.width * area.height)


def state():
    window, area = view()
    sidebar = next(region for region in area.regions if region.type == "UI")
    hands = [thing for thing in bpy.data.objects if "handforge_pose" in thing]
    generating = next(m for name, m in sys.modules.items() if name.endswith("handforge.generating"))
    board, told = generating.Board, {}
    for thing in hands:
        props = thing.handforge
        marked = [bone.name for bone in thing.pose.bones if bone.color.palette != "DEFAULT"]
        told = {"pose": list(thing["handforge_pose"]), "reason": props.reason, "text": props.verdict, "marked": marked}
    return {
        # the screen's origin is at the top, Blender's at the bottom
        "sidebar": [sidebar.x, window.height - sidebar.y - sidebar.height, sidebar.width, sidebar.height],
        "tab": sidebar.active_panel_category,
        "panels": drawn["last"],
        "hands": len(hands),
        "hand": told,
        "job": board.job and [board.job.done, board.job.total],
        "message": board.message,
        "editors": [a.spaces.active.image.name for a in window.screen.areas if a.type == "IMAGE_EDITOR"],
    }


def write():
    temporary = STATE.with_suffix(".tmp")
    temporary.write_text(json.dumps(state()))
    os.replace(temporary, STATE)  # noqa: PTH105
    return 0.1


def prepare():
    watch("HANDFORGE_PT_hand")
    watch("HANDFORGE_PT_generate", last=True)
    bpy.context.preferences.view.show_splash = False
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    _, area = view()
    area.spaces.active.show_region_ui = True
    scene = bpy.context.scene.handforge
    scene.poses, scene.count, scene.size = "l2", 2000, (320, 180)
    scene.workers, scene.out = 1, str(STATE.parent / "pictures")
    return None


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(prepare, first_interval=0.5)
bpy.app.timers.register(write, first_interval=1.0)
