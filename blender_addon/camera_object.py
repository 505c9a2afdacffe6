"""The generator's camera as an object in the viewport: looked through, and taken over once it is moved.

The generator's own stands at (0, -distance, 0) of the hand's axes and looks along +Y. What another camera sees of the
hand, that one sees of a hand that is moved and rotated as a whole.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from generator.hand import anatomy, inverse_kinematics, kinematics
from generator.hand.anatomy import BONES
from generator.hand.camera import SENSOR_MM

from . import bones, external_rig, hand, render_settings, sync

KEY = "handforge_camera"
"""Custom property of the camera that is the generator's."""

PLACED = "handforge_placed"
"""Its custom property with the distance and the focal length that it was placed with; another means it was moved."""

NEAREST, FARTHEST = 0.3, 10.0
"""Range of the distance between camera and wrist, metres."""

_SAME = 1e-4


def of(armature: bpy.types.Object) -> bpy.types.Object | None:
    """The hand's camera object; None if it has none."""
    return next((child for child in armature.children if child.type == "CAMERA" and KEY in child), None)


def add(armature: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Object:
    """Give the hand its camera, make it the scene's, and the scene's images as large as the panel's."""
    made = of(armature)
    if made is None:
        made = bpy.data.objects.new("Hand Camera", bpy.data.cameras.new("Hand Camera"))
        made[KEY] = True
        made.parent = armature
        hand.open_collection(armature.users_collection, scene).objects.link(made)
    scene.camera = made
    place(made, scene)
    return made


def place(obj: bpy.types.Object, scene: bpy.types.Scene) -> None:
    """Put a hand's camera where the generator's is, with its frame if it is the scene's."""
    camera = render_settings.camera(scene)
    obj[PLACED] = camera.distance, camera.focal_mm
    obj.matrix_local = _standard(camera.distance, obj.parent)
    obj.data.sensor_fit, obj.data.sensor_width = "HORIZONTAL", SENSOR_MM
    obj.data.lens = camera.focal_mm
    metre = max((obj.parent.matrix_world @ Matrix(_axes(obj.parent))).to_scale())
    obj.data.clip_start, obj.data.clip_end = 0.01 * metre, 100 * metre
    if scene.camera != obj:
        return
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = camera.width, camera.height, 100


def is_moved(obj: bpy.types.Object) -> bool:
    """Whether a hand's camera is not where it was placed."""
    return _differs(obj, obj.matrix_local)


def _differs(obj: bpy.types.Object, local: Matrix) -> bool:
    if PLACED not in obj:
        return True
    distance, focal_mm = obj[PLACED]
    apart = np.abs(np.array(local) - np.array(_standard(distance, obj.parent))).max()
    return bool(apart > _SAME or abs(obj.data.lens - focal_mm) > 1e-3)


def follow(scene: bpy.types.Scene) -> None:
    """Place the cameras of a scene's hands anew, as the panel's fields have changed; not those that were moved."""
    for armature in hand.in_scene(scene):
        camera = of(armature)
        if camera is None or camera.library or camera.data.library:
            continue
        if not _differs(camera, camera.matrix_parent_inverse @ camera.matrix_basis):  # its local one may be of before
            place(camera, scene)


def take_over(armature: bpy.types.Object, view: Matrix, lens: float | None, scene: bpy.types.Scene) -> None:
    """Have the generator see the hand as another camera does: the hand moves, and distance and focal length fit.

    :param view: of the camera, in the armature's axes.
    :param lens: its focal length for a sensor 36 mm wide; None keeps the panel's.
    :raises HandError: if the hand is behind that camera.
    """
    view = (Matrix(_axes(armature)).inverted() @ view).normalized()
    moved = np.array(view.inverted()) @ _forearm(armature)
    depth = -float(moved[2, 3])
    if depth <= 0:
        raise hand.HandError("The hand is behind that camera")
    panel = scene.handforge
    panel.set_distance, panel.distance = render_settings.FIXED, min(max(depth, NEAREST), FARTHEST)
    if lens is not None:
        panel.set_focal_mm, panel.focal_mm = render_settings.FIXED, lens
    moved = np.array(_facing(render_settings.camera(scene).distance)) @ moved
    moved = hand.sided(moved, armature)
    sync.put(armature, _with_forearm(hand.pose(armature), moved, anatomy.skeleton(hand.shape(armature))))
    if (own := of(armature)) is not None:
        place(own, scene)


def _facing(distance: float) -> Matrix:
    """Where the generator's camera stands in the hand's axes: Blender's look along their -Z, with +Y up."""
    return Matrix.Translation((0, -distance, 0)) @ Matrix.Rotation(np.pi / 2, 4, "X")


def _standard(distance: float, armature: bpy.types.Object) -> Matrix:
    """Where it stands in the armature's axes."""
    return (Matrix(_axes(armature)) @ _facing(distance)).normalized()


def _axes(armature: bpy.types.Object) -> np.ndarray:
    """From the hand's axes to the armature's, (4, 4): a built-in hand has the same."""
    bones = external_rig.names(armature)
    return np.eye(4) if bones is None else external_rig.axes(armature, bones)


def _forearm(armature: bpy.types.Object) -> np.ndarray:
    """How the forearm has moved from the bind pose, (4, 4) in the armature's axes."""
    moved = kinematics.transforms(hand.pose(armature), anatomy.skeleton(hand.shape(armature)))
    return hand.sided(moved[BONES.index("forearm")], armature)


def _with_forearm(pose: np.ndarray, moved: np.ndarray, skeleton: anatomy.Skeleton) -> np.ndarray:
    rotations = bones.relative(kinematics.transforms(pose, skeleton), skeleton.parents)
    rotations[BONES.index("forearm")] = moved[:3, :3]
    return np.concatenate([inverse_kinematics.pose(rotations, moved[:3, 3], skeleton, pose)[:6], pose[6:]])
