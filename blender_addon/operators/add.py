"""Add a hand, or take an armature of one's own as one."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from bpy.props import EnumProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from generator.blender import rig
from generator.blender.scene import skin_material
from generator.hand import anatomy, pose
from generator.hand.anatomy import BONES
from generator.mesh import hand_mesh
from generator.rigs import bone_map
from generator.rigs.guess import guess

from .. import bones, external_rig, fingertips, hand, reshape, sync
from ..properties.preferences import preferences
from ..viewport_ui import title
from .common import OfBuiltInHand, OfHand, Undoable, chosen_file, reported, require

_APART = 0.25
"""Metres between a hand and the next that is added at the same place."""


def _metre(scene: bpy.types.Scene) -> float:
    """How many of the scene's units are a metre: 100 where one unit is a centimetre."""
    return 1 / scene.unit_settings.scale_length


class AddHand(Undoable, bpy.types.Operator):
    """Add a hand with bones, skin and material at the 3D cursor"""

    bl_idname = "handforge.add_hand"
    bl_label = "Add Hand"

    side: EnumProperty(
        name="Side",
        description="Which hand is added",
        items=[("right", "Right", "A right hand"), ("left", "Left", "A left hand")],
    )

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add it and go to pose mode."""
        layer = context.view_layer
        _select_none(layer)
        _start_with_preferences(context.scene)
        armature = _add(context)
        armature.handforge.side = self.side
        armature.select_set(True)
        layer.objects.active = armature
        if len(hand.in_scene(context.scene)) == 1:
            _go_near(context)
        bpy.ops.object.mode_set(mode="POSE")
        return {"FINISHED"}


def _go_near(context: bpy.types.Context) -> None:
    """The 3D View shows what is selected whole: in Blender's first view a hand as large as life is a speck."""
    area = context.area
    if area is None or area.type != "VIEW_3D" or context.region_data.view_perspective == "CAMERA":
        return
    context.view_layer.update()
    region = next(region for region in area.regions if region.type == "WINDOW")
    with context.temp_override(region=region):
        bpy.ops.view3d.view_selected()


def _select_none(layer: bpy.types.ViewLayer) -> None:
    """Go to object mode, with nothing selected."""
    if layer.objects.active and layer.objects.active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for obj in layer.objects:
        obj.select_set(False)


def _start_with_preferences(scene: bpy.types.Scene) -> None:
    """Set the fields that have no value yet to the user's preferences."""
    chosen, panel = preferences(), scene.handforge
    for name in ("out", "workers", "engine") if chosen else ():
        if not panel.is_property_set(name):
            setattr(panel, name, getattr(chosen, name))


def _add(context: bpy.types.Context) -> bpy.types.Object:
    others = [obj.location.copy() for obj in hand.in_scene(context.scene)]
    made = rig.build(anatomy.skeleton(), hand_mesh.build())
    armature, skin = made.armature, made.surface
    _move_into(hand.open_collection([context.collection], context.scene), armature, skin)
    metre = _metre(context.scene)
    armature.location, armature.scale = context.scene.cursor.location, (metre,) * 3
    while any((armature.location - place).length < 0.5 * _APART * metre for place in others):
        armature.location.x += _APART * metre
    armature.show_in_front = True
    armature.data.display_type = "STICK"
    colors = skin.data.color_attributes
    colors.active_color = colors[rig.COLOR]
    skin.data.materials.append(_material())
    _unwrap(skin.data)
    hand.remember(armature, hand.KEY, pose.bind().tolist())
    bones.lock(armature)
    reshape.apply(armature)
    return armature


def _move_into(collection: bpy.types.Collection, *objects: bpy.types.Object) -> None:
    for obj in objects:
        for other in obj.users_collection:
            other.objects.unlink(obj)
        collection.objects.link(obj)


def _material() -> bpy.types.Material:
    """The plain skin of indoor scenes, which shows the hand's tone in solid shading, too."""
    made = skin_material.plain_skin()
    made.name = "hand skin"
    return made


def _unwrap(mesh: bpy.types.Mesh) -> None:
    """Texture coordinates: palm side and back side next to each other, seen from before and from behind."""
    count = len(mesh.loops)
    corners, points = np.empty(count, np.int32), np.empty((len(mesh.vertices), 3), np.float32)
    mesh.loops.foreach_get("vertex_index", corners)
    mesh.vertices.foreach_get("co", points.ravel())
    normals = np.empty((len(mesh.polygons), 3), np.float32)
    mesh.polygons.foreach_get("normal", normals.ravel())
    low, size = points.min(axis=0), np.max(np.ptp(points, axis=0)) * 1.02
    uv = ((points - low) / size)[corners][:, [0, 2]] * [0.5, 1.0]
    uv[:, 0] += np.where(normals[:, 1].repeat(3) > 0, 0.5, 0.0)
    mesh.uv_layers.new(name="UVMap").data.foreach_set("uv", np.ascontiguousarray(uv, np.float32).ravel())


_MAPPED = (*BONES, *bone_map.TIPS)


def own_armature(context: bpy.types.Context) -> bpy.types.Object | None:
    """The active object, if it is an armature that can be taken as a hand; None if it is not."""
    obj = context.view_layer.objects.active
    return obj if obj is not None and obj.type == "ARMATURE" and not hand.is_hand(obj) else None


class OfOwnArmature(Undoable):
    """Common to what makes the active armature a hand."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """An armature that is no hand yet."""
        return require(cls, own_armature(context) is not None, "Select an armature that is not a hand yet")


class GuessBones(OfOwnArmature, bpy.types.Operator):
    """Take the active armature as the hand; which of its bones is which is guessed, and you confirm it"""

    bl_idname = "handforge.guess_bones"
    bl_label = "Use This Armature"

    side: EnumProperty(
        name="Side",
        description="Which hand of a body that has two",
        items=[("right", "Right", "The right hand's bones"), ("left", "Left", "The left hand's bones")],
        update=lambda self, context: self.fill(context),
    )

    def fill(self, context: bpy.types.Context) -> None:
        """Guess."""
        bones = context.view_layer.objects.active.data.bones
        found = guess({bone.name: bone.parent.name if bone.parent else None for bone in bones}, self.side)
        for name in _MAPPED:
            setattr(self, name, found.get(name, ""))

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Show the guess, to be confirmed or corrected."""
        self.fill(context)
        return context.window_manager.invoke_props_dialog(self, width=420)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw a field with a list of the armature's bones for each of the built-in hand's."""
        column = self.layout.column(align=True)
        column.use_property_split = True
        column.prop(self, "side")
        for name in _MAPPED:
            column.prop_search(self, name, context.view_layer.objects.active.data, "bones", text=_words(name))

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it with this map."""
        chosen = {name: getattr(self, name) for name in _MAPPED if getattr(self, name)}
        take(context.view_layer.objects.active, bone_map.checked(chosen, "Map"))
        return {"FINISHED"}


def _words(name: str) -> str:
    return title(name) + (" (optional)" if name in (*bone_map.OPTIONAL, *bone_map.TIPS) else "")


GuessBones.__annotations__ |= {
    name: StringProperty(name=_words(name), description="The armature's bone that is this one of the hand's")
    for name in _MAPPED
}


class UseArmature(OfOwnArmature, ImportHelper, bpy.types.Operator):
    """Take the active armature as the hand; a map file says which of its bones is which"""

    bl_idname = "handforge.use_armature"
    bl_label = "Use Armature With Map File"

    filename_ext = ".toml"
    filter_glob: StringProperty(default="*.toml", options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Begin where the maps are that come with the add-on."""
        self.filepath = str(Path(__file__).parents[1] / "maps" / "webxr_right.toml")
        return super().invoke(context, event)

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read the map and take its bind pose."""
        take(context.view_layer.objects.active, bone_map.load(chosen_file(self)))
        return {"FINISHED"}


def take(armature: bpy.types.Object, map_: dict[str, str]) -> None:
    """Make an armature a hand.

    :raises RigMapError: if the map does not fit it.
    """
    external_rig.take(armature, map_)
    hand.remember(armature, hand.KEY, pose.bind().tolist())
    sync.put(armature, pose.bind())


class MakeSingleUser(OfHand, bpy.types.Operator):
    """Give a linked duplicate (Alt-D) bones and a skin of its own, so that its shape can be changed"""

    bl_idname = "handforge.make_single_user"
    bl_label = "Make Single User"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """A hand that shares something."""
        return super().poll(context) and require(
            cls, bool(hand.sharing(hand.chosen(context))), "This hand shares nothing with another"
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy what is shared."""
        armature = hand.chosen(context)
        skin = hand.skin_of(armature)
        armature.data = armature.data.copy()
        if skin is not None:
            skin.data = skin.data.copy()
        return {"FINISHED"}


class Fingertips(OfBuiltInHand, bpy.types.Operator):
    """Show handles at the fingertips in object mode: drag one, and its finger follows within its joints' limits"""

    bl_idname = "handforge.fingertips"
    bl_label = "Fingertip Handles"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Handles appear where the hand is, so that has to be in the view layer."""
        return super().poll(context) and require(
            cls,
            hand.chosen(context).name in context.view_layer.objects,
            "The hand's collection is excluded from the view layer: tick it in the Outliner",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show them, the index finger's chosen, or hide them."""
        armature, layer = hand.active(context), context.view_layer
        if fingertips.of(armature):
            layer.objects.active = armature
            fingertips.remove(armature)
            return {"FINISHED"}
        _select_none(layer)
        layer.objects.active = fingertips.add(armature)["index"]
        layer.objects.active.select_set(True)
        return {"FINISHED"}


class RestoreBones(OfBuiltInHand, bpy.types.Operator):
    """Put the bones' rest pose back to the hand's; its pose stays"""

    bl_idname = "handforge.restore_bones"
    bl_label = "Restore Bones"

    @reported
    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the bones' ends to where the shape has them."""
        reshape.apply(hand.active(context), restore=True)
        return {"FINISHED"}


CLASSES = (AddHand, GuessBones, UseArmature, MakeSingleUser, Fingertips, RestoreBones)
