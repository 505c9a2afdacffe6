"""Proportions, side and skin tone of the add-on's hand: changed as a whole, or not at all."""

import bpy
import numpy as np
import pytest
from addon_scene import bones, expected

from blender_addon import hand, sync
from generator.blender import rig
from generator.hand import anatomy
from generator.hand.anatomy import BONES
from generator.hand.pose_presets import PRESETS
from generator.mesh import hand_mesh, skin_color


def vertices(armature):
    return np.array([vertex.co for vertex in hand.skin_of(armature).data.vertices])


def volume(mesh):
    """Signed: positive where the faces look outwards."""
    mesh.calc_loop_triangles()
    corners = np.array([[mesh.vertices[i].co for i in t.vertices] for t in mesh.loop_triangles])
    return np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6


def test_a_left_hand_is_the_mirror_image_without_a_negative_scale(armature):
    sync.put(armature, PRESETS["point"])
    right = volume(hand.skin_of(armature).data)
    armature.handforge.side = "left"
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature), PRESETS["point"], atol=2e-6)
    assert tuple(armature.scale) == (1, 1, 1) and armature.matrix_world.determinant() > 0
    np.testing.assert_allclose(vertices(armature), hand_mesh.build().vertices * [-1, 1, 1], atol=1e-7)
    assert volume(hand.skin_of(armature).data) == pytest.approx(right, rel=1e-4), "its faces look outwards"
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)
    armature.handforge.length = 1.1  # tore the skin off the bones
    bpy.context.view_layer.update()
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    armature.handforge.length, armature.handforge.side = 1.0, "right"
    np.testing.assert_allclose(vertices(armature), hand_mesh.build().vertices, atol=1e-7)


def test_another_shape_is_that_persons_hand(armature):
    sync.put(armature, PRESETS["point"])
    bpy.ops.handforge.random_shape(seed=5)
    shape = anatomy.HandShape.random(np.random.default_rng(5))
    np.testing.assert_allclose(vertices(armature)[100], hand_mesh.build(shape).vertices[100], atol=1e-6)
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    np.testing.assert_allclose(hand.pose(armature), PRESETS["point"], atol=2e-6)
    fresh = rig.build(anatomy.skeleton(hand.shape(armature)), hand_mesh.build(), "fresh")
    rest = [armature.data.bones[name].matrix_local for name in BONES]
    np.testing.assert_allclose(np.array(rest), fresh.rest, atol=1e-5)


@pytest.mark.parametrize("way", ["hidden in viewports", "hidden", "excluded collection"])
def test_an_armature_out_of_sight_takes_another_shape(armature, way):
    skin, layer = hand.skin_of(armature), bpy.context.view_layer
    layer.objects.active = skin
    if way == "hidden in viewports":
        armature.hide_viewport = True
    elif way == "hidden":
        armature.hide_set(True)
    else:
        own = bpy.data.collections.new("own")
        bpy.context.scene.collection.children.link(own)
        own.objects.link(armature)
        bpy.context.scene.collection.objects.unlink(armature)
        layer.layer_collection.children["own"].exclude = True
    bpy.ops.handforge.random_shape(seed=5)
    if way == "excluded collection":
        assert armature.name not in layer.objects and list(armature.users_collection) == [own]
        layer.layer_collection.children["own"].exclude = False
    else:
        assert armature.hide_viewport == (way == "hidden in viewports") and armature.hide_get() == (way == "hidden")
    assert layer.objects.active is skin
    armature.hide_viewport = False
    armature.hide_set(False)
    layer.update()
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)


def test_the_skin_has_the_tone_chosen(armature):
    armature.handforge.tone = 0.9
    colors = hand.skin_of(armature).data.attributes[rig.COLOR].data
    painted = np.array([colors[i].color[:3] for i in range(0, 5000, 500)])
    np.testing.assert_allclose(painted, skin_color.colors(hand_mesh.build(), 0.9)[:5000:500], atol=1e-6)


def test_another_tone_leaves_the_hand_that_it_was_duplicated_from_as_it_was(armature):
    """Shift-D copies armature and skin, but not the material."""
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.object.duplicate()
    second = hand.active(bpy.context)
    ours, theirs = (hand.skin_of(each).material_slots[0] for each in (armature, second))
    assert second is not armature and ours.material is theirs.material
    before = list(ours.material.diffuse_color)
    second.handforge.length = 1.1
    assert ours.material is theirs.material, "of the same look"
    second.handforge.tone = 0.9
    assert list(ours.material.diffuse_color) == before != list(theirs.material.diffuse_color)
    its_own = theirs.material
    its_own.use_fake_user = True
    second.handforge.tone = 0.2
    assert theirs.material is its_own


def test_a_mesh_that_hangs_on_the_armature_is_not_its_skin(armature):
    cube = bpy.data.objects.new("Bracelet", bpy.data.meshes.new("Bracelet"))
    cube.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    bpy.context.scene.collection.objects.link(cube)
    cube.parent = armature
    cube.modifiers.new("armature", "ARMATURE").object = armature
    assert armature.children[0] is cube, "by name it comes first"
    armature.handforge.tone = 0.9
    bpy.ops.handforge.random_shape(seed=5)
    assert len(cube.data.vertices) == 3 and hand.skin_of(armature).name == "hand"
    bpy.context.view_layer.objects.active = cube
    assert hand.active(bpy.context) is armature


def edited(armature):
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.objects.active = hand.skin_of(armature)
    bpy.ops.object.mode_set(mode="EDIT")


def subdivided(armature):
    edited(armature)
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.object.mode_set(mode="OBJECT")


def duplicated(armature):
    other = armature.copy()
    bpy.context.scene.collection.objects.link(other)


@pytest.mark.parametrize(
    "spoil, message",
    [
        (edited, "Leave Edit mode of hand first"),
        (subdivided, "vertices instead of"),
        (duplicated, "press Make Single User first"),
    ],
)
def test_what_cannot_be_reshaped_is_told_and_stays(armature, spoil, message):
    spoil(armature)
    before, props = bones(armature), armature.handforge
    props.length = 1.2
    assert props.length == 1 and message in props.notice
    bpy.context.view_layer.update()
    assert message in props.notice, "it stays to be read"
    if spoil is not duplicated:
        props.tone = 0.9
        assert props.tone == 0.5 and message in props.notice
    with pytest.raises(RuntimeError, match=message):
        bpy.ops.handforge.random_shape(seed=5)
    assert props.length == 1
    np.testing.assert_array_equal(bones(armature), before)
    sync.put(armature, PRESETS["fist"])
    assert props.notice == ""


def test_a_linked_duplicate_is_made_a_hand_of_its_own(armature):
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.object.duplicate(linked=True)
    second = hand.active(bpy.context)
    assert second is not armature and hand.sharing(second)
    assert bpy.ops.handforge.make_single_user() == {"FINISHED"}
    assert not hand.sharing(second) and not hand.sharing(armature)
    before = vertices(armature)
    second.handforge.length = 1.2
    np.testing.assert_array_equal(vertices(armature), before)
    assert np.ptp(vertices(second)[:, 1]) > 0 and second.handforge.reason == ""


def test_who_edits_another_object_goes_on_editing_it(armature):
    bpy.ops.object.mode_set(mode="OBJECT")
    other = bpy.data.objects.new("other", bpy.data.meshes.new("other"))
    bpy.context.collection.objects.link(other)
    bpy.context.view_layer.objects.active = other
    bpy.ops.object.mode_set(mode="EDIT")
    armature.handforge.length = 1.1
    assert armature.data.bones["hand"].tail_local.z > 0 and hand.problem(armature) == ""
    assert bpy.context.view_layer.objects.active == other and other.mode == "EDIT"
