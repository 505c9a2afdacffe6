"""The README's image of the hand: views, poses, shapes, skin tones.

python docs/hand.py [docs/hand.webp]      about a minute of one core
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from PIL import Image

from generator.blender import rig
from generator.blender.engines import indoor
from generator.blender.redirect_output import redirect_output
from generator.blender.scene import skin_material
from generator.hand.anatomy import MEAN, HandShape, skeleton
from generator.hand.pose_presets import PRESETS
from generator.mesh import hand_mesh, skin_color

BEHIND = np.array([186, 191, 199])
HEIGHT = 0.275
"""Metres that a tile shows from top to bottom."""
ROWS: list[list[tuple[str, float, HandShape, float]]] = [
    [
        (name, rotation, MEAN, 0.22)
        for name, rotation in (("open", 0), ("open", 180), ("flat", 90), ("fist", 0), ("point", 0))
    ],
    [
        ("open", 0, HandShape(0.92, 0.94, finger_thickness=0.94), 0.0),
        ("open", 180, HandShape(0.95, 0.9, finger_length=1.05, finger_thickness=0.88), 0.2),
        ("open", 0, MEAN, 0.4),
        ("open", 180, HandShape(1.08, 1.02, finger_length=1.04), 0.6),
        ("open", 0, HandShape(0.95, 1.08, 1.08, 0.94, 1.12), 0.8),
        ("open", 180, HandShape(1.0, 0.9, finger_length=1.05, finger_thickness=0.9), 1.0),
    ],
    [
        (name, rotation, MEAN, tone)
        for name, rotation, tone in (
            *(("fist", 180, 0.0), ("point", -30, 0.2), ("pinch", 70, 0.4)),
            *(("two", 0, 0.6), ("relaxed", 150, 0.8), ("ok", 0, 1.0)),
        )
    ],
]
"""Each tile's pose, turn about the arm in degrees (v5), shape and skin tone."""


def studio() -> bpy.types.Scene:
    """An empty scene with a camera, a window's light from the upper left and light from all around."""
    with redirect_output():
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 24, True
    scene.render.film_transparent = True
    scene.render.image_settings.color_mode = "RGBA"
    scene.view_settings.view_transform = "Standard"
    camera = indoor.camera_object(scene)
    camera.location = (0, -1, 0.075)
    scene.world = bpy.data.worlds.new("light")
    if scene.world.node_tree is None:  # Blender 4; later ones warn when told what they always do
        scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.75, 0.78, 0.82, 1)
    window = bpy.data.objects.new("window", bpy.data.lights.new("window", "SUN"))
    window.data.energy, window.data.angle = 2.3, 0.35
    window.rotation_euler = np.radians([38, -32, 0]).tolist()
    scene.collection.objects.link(window)
    return scene


def tile(
    scene: bpy.types.Scene, size: tuple[int, int], name: str, rotation: float, shape: HandShape, tone: float
) -> Image.Image:
    """One hand, before the background."""
    mesh = hand_mesh.build(shape)
    hand = rig.build(skeleton(shape), mesh)
    rig.paint(hand.surface, skin_color.colors(mesh, tone))
    hand.surface.data.materials.append(skin_material.plain_skin())
    pose = PRESETS[name].copy()
    pose[4] = np.radians(rotation)
    rig.set_pose(hand, pose)
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.camera.data.lens = 36 / (HEIGHT * size[0] / size[1])
    with tempfile.TemporaryDirectory() as where:
        scene.render.filepath = str(Path(where, "tile.png"))
        with redirect_output():
            bpy.ops.render.render(write_still=True)
        drawn = np.asarray(Image.open(scene.render.filepath)).astype(float)
    bpy.data.batch_remove([hand.surface, hand.armature])
    fraction = drawn[..., 3:] / 255
    return Image.fromarray(np.round(drawn[..., :3] * fraction + BEHIND * (1 - fraction)).astype(np.uint8))


def main() -> None:
    """Render the tiles and lay them out."""
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("hand.webp"))
    scene, width, parts = studio(), 1440, []
    for row in ROWS:
        size = (width // len(row), 320 if len(row) < 6 else 288)
        parts.append([tile(scene, size, *one) for one in row])
    sheet = Image.new("RGB", (width, sum(row[0].height for row in parts)))
    top = 0
    for tiles in parts:
        for column, image in enumerate(tiles):
            sheet.paste(image, (column * image.width, top))
        top += tiles[0].height
    sheet.save(out, quality=86, method=6)


if __name__ == "__main__":
    main()
