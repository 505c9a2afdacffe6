"""The generator's camera in the viewport."""

from __future__ import annotations

import bpy

from .. import camera_object, hand, viewport_ui
from .common import OfHand, reported, require


class AddCamera(OfHand, bpy.types.Operator):
    """Show the generator's camera and frame, and look through it"""

    bl_idname = "handforge.add_camera"
    bl_label = "Hand Camera"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it, or put it back, and look through it."""
        camera_object.add(hand.active(context), context.scene)
        viewport_ui.look_through_camera(context)
        return {"FINISHED"}


class TakeOverCamera(OfHand, bpy.types.Operator):
    """Render the hand as the moved camera sees it: sliders, distance and focal length change to that view"""

    bl_idname = "handforge.take_over_camera"
    bl_label = "Take Over Camera"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A hand with a camera."""
        return super().poll(context) and require(
            cls, camera_object.of(hand.chosen(context)) is not None, "Add the hand's camera first"
        )

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the hand so that the generator's camera sees what this one does."""
        armature = hand.chosen(context)
        camera = camera_object.of(armature)
        assert camera is not None
        camera_object.take_over(armature, camera.matrix_local, camera.data.lens, context.scene)
        return {"FINISHED"}


class TakeOverView(OfHand, bpy.types.Operator):
    """Render the hand as this viewport shows it: sliders and distance change to that view"""

    bl_idname = "handforge.take_over_view"
    bl_label = "Take Over View"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A hand, seen in a 3D View."""
        if not super().poll(context):
            return False
        in_view = context.space_data is not None and context.space_data.type == "VIEW_3D"
        return require(cls, in_view, "Do this in a 3D View")

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the hand so that the generator's camera sees it from where the viewport does."""
        armature = hand.chosen(context)
        view = armature.matrix_world.inverted() @ context.region_data.view_matrix.inverted()
        camera_object.take_over(armature, view, None, context.scene)
        if camera_object.of(armature) is not None:
            context.region_data.view_perspective = "CAMERA"
        return {"FINISHED"}


CLASSES = (AddCamera, TakeOverCamera, TakeOverView)
