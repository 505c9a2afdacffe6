"""The add-on's hand: sliders, bones and verdict in step, whoever changes one, and what keeps them from it."""

from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from addon_scene import bones, expected, marked, rotation, some_pose
from mathutils import Matrix

import blender_addon
from blender_addon import bones as bones_module
from blender_addon import hand, sync, verdict, viewport_ui
from blender_addon.operators import add
from blender_addon.properties.hand import HandProperties
from blender_addon.properties.preferences import HandforgePreferences
from blender_addon.properties.scene import SceneProperties
from generator.hand import anatomy, fitting, plausibility, pose
from generator.hand.anatomy import BONES
from generator.hand.pose_presets import PRESETS
from generator.mesh import hand_mesh


def everything():
    """What add-ons may leave behind in Blender."""
    handlers = {n: len(getattr(bpy.app.handlers, n)) for n in dir(bpy.app.handlers) if n.endswith(("_post", "_pre"))}
    properties = [list(owner.bl_rna.properties.keys()) for owner in (bpy.types.Object, bpy.types.Scene)]
    classes = (bpy.types.Operator, bpy.types.Panel, bpy.types.Menu, bpy.types.AddonPreferences)
    subclasses = sorted(c.__name__ for base in classes for c in base.__subclasses__() if c.is_registered)
    drawn = [len(getattr(getattr(bpy.types, n).draw, "_draw_funcs", ())) for n in ("VIEW3D_MT_add", "VIEW3D_HT_header")]
    return handlers, properties, subclasses, drawn, dir(bpy.ops.handforge)


def test_register_and_unregister_leave_no_trace():
    blender_addon.register()
    blender_addon.unregister()  # Blender's menus get a list of what is appended to them with the first
    before = everything()
    blender_addon.register()
    assert everything() != before
    blender_addon.unregister()
    assert everything() == before


def told(kind):
    """Each property of a Blender type that people see, and each of its choices, as (where, name, tooltip)."""
    for prop in kind.properties:
        inherited = prop.identifier in ("rna_type", "name") or prop.identifier.startswith(("bl_", "filter_"))
        if not inherited and not prop.is_hidden:
            yield f"{kind.identifier}.{prop.identifier}", prop.name, prop.description
            for item in getattr(prop, "enum_items_static", None) or getattr(prop, "enum_items", ()):
                yield f"{kind.identifier}.{prop.identifier} {item.identifier}", item.name, item.description


def test_everything_shown_has_a_tooltip_and_a_capital(window):
    operators = [getattr(bpy.ops.handforge, name).get_rna_type() for name in dir(bpy.ops.handforge)]
    shown = [(kind.identifier, kind.name, kind.description) for kind in operators]
    groups = (HandProperties, SceneProperties, HandforgePreferences)
    for kind in [*operators, *(group.bl_rna for group in groups)]:
        shown += told(kind)
    assert len(shown) > 300
    assert not [where for where, _, text in shown if not text]
    assert not [where for where, name, _ in shown if name[:1].islower()]


def test_paths_may_begin_where_the_file_lies(window):
    kinds = (SceneProperties.bl_rna.properties, HandforgePreferences.bl_rna.properties)
    paths = [prop for kind in kinds for prop in kind if getattr(prop, "subtype", "") in ("FILE_PATH", "DIR_PATH")]
    assert len(paths) == 6
    assert all(getattr(prop, "is_path_supports_blend_relative", True) for prop in paths), (
        "or Blender 5 shows //hands in red"
    )


def test_what_nobody_has_set_is_as_the_preferences_say(window, monkeypatch):
    chosen = SimpleNamespace(out="//elsewhere", workers=3, engine="cycles")
    monkeypatch.setattr(add, "preferences", lambda: chosen)
    window.workers = 7
    bpy.ops.handforge.add_hand()
    assert (window.out, window.workers, window.engine) == ("//elsewhere", 7, "cycles")


def test_the_hand_added_is_the_generators(armature):
    made = hand.skin_of(armature).data
    mesh = hand_mesh.build()
    vertices = np.array([vertex.co for vertex in made.vertices])
    np.testing.assert_array_equal(vertices.astype(np.float32), mesh.vertices)
    heads = np.array([armature.data.bones[name].head_local for name in BONES])
    np.testing.assert_allclose(heads, anatomy.skeleton().heads, atol=1e-7)
    assert armature.mode == "POSE" and armature.handforge.verdict == "plausible"
    (material,) = made.materials
    assert any(node.type == "BSDF_PRINCIPLED" for node in material.node_tree.nodes)
    uv = np.array([corner.vector for corner in made.uv_layers[0].uv])
    assert uv.min() >= 0 and uv.max() <= 1 and len(np.unique(uv, axis=0)) > len(mesh.vertices) / 2


def test_a_hand_is_added_at_the_cursor_in_the_active_collection_beside_others(armature):
    scene = bpy.context.scene
    own = bpy.data.collections.new("mine")
    scene.collection.children.link(own)
    bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection.children["mine"]
    scene.cursor.location = 0.1, 0.2, 0.3
    bpy.ops.handforge.add_hand()
    second = hand.active(bpy.context)
    np.testing.assert_allclose(second.location, (0.1, 0.2, 0.3), atol=1e-6)
    assert {obj.name for obj in own.objects} == {second.name, hand.skin_of(second).name}
    bpy.ops.handforge.add_hand(side="left")
    third = hand.active(bpy.context)
    assert (third.location - second.location).length > 0.2 and third.handforge.side == "left"
    third.handforge.tone = 0.9
    dark, fair = (hand.skin_of(one).data.materials[0].diffuse_color[0] for one in (third, armature))
    assert dark < 0.5 * fair, "in solid shading, too"


def test_a_hand_is_as_large_as_life_whatever_the_scenes_unit(window):
    scene = window.id_data
    scene.unit_settings.scale_length = 0.01  # a unit is a centimetre
    bpy.ops.handforge.add_hand()
    bpy.ops.handforge.add_hand()
    bpy.context.view_layer.update()
    first, second = hand.in_scene(scene)
    assert hand.skin_of(first).dimensions.z == pytest.approx(100 * np.ptp(hand_mesh.build().vertices[:, 2]), rel=1e-3)
    assert (first.location - second.location).length == pytest.approx(25)
    bpy.ops.handforge.add_camera()
    bpy.context.view_layer.update()
    wrist = scene.camera.matrix_world.normalized().inverted() @ second.matrix_world @ second.pose.bones["hand"].head
    assert tuple(wrist) == pytest.approx((0, 0, -100), abs=1e-3)
    assert (scene.camera.data.clip_start, scene.camera.data.clip_end) == pytest.approx((1, 10000))
    distance = scene.handforge.bl_rna.properties["distance"]
    assert (distance.name, distance.unit) == ("Metres", "NONE"), "Blender would show 1 m as 1 cm"


@pytest.mark.parametrize("seed", range(4))
def test_sliders_move_the_bones(armature, seed):
    one = some_pose(seed)
    armature.handforge.coupled = False
    for name, value in zip(pose.NAMES, one, strict=True):
        setattr(armature.handforge, name, value)
    np.testing.assert_allclose(hand.pose(armature), one, atol=2e-6)
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_rotated_bones_move_the_sliders(armature, seed):
    one = some_pose(seed)
    one[3:6] *= 0.4  # the nearer of two equal answers
    rotation(armature, one)
    np.testing.assert_allclose(hand.pose(armature), one, atol=1e-5)
    assert armature.handforge.thumb_cmc_flexion == pytest.approx(one[24], abs=1e-5)
    assert armature.handforge.translation_x == pytest.approx(one[0], abs=1e-5)


def test_the_last_joint_follows_where_it_is_asked_to(armature):
    props = armature.handforge
    props.index_pip_flexion = 1.0
    assert props.index_dip_flexion == pytest.approx(fitting.DIP_OF_PIP)
    props.coupled, props.index_pip_flexion = False, 0.2
    assert props.index_dip_flexion == pytest.approx(fitting.DIP_OF_PIP)


@pytest.mark.parametrize("coupled", [True, False])
def test_the_last_joint_follows_a_bone_that_is_rotated(armature, coupled):
    armature.handforge.coupled = coupled
    bone = armature.pose.bones["index_middle"]
    bone.matrix_basis = bones_module.local(armature, pose.with_angles(index_pip_flexion=60))["index_middle"]
    bpy.context.view_layer.update()
    follows = 60 * fitting.DIP_OF_PIP if coupled else 0
    wanted = pose.with_angles(index_pip_flexion=60, index_dip_flexion=follows)
    np.testing.assert_allclose(hand.pose(armature), wanted, atol=1e-5)
    bpy.context.view_layer.update()
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)


def test_keyed_last_joints_stay_where_they_are_keyed(armature):
    for frame, one in ((1, pose.bind()), (11, pose.with_angles(index_pip_flexion=80))):
        for name, matrix in bones_module.local(armature, one).items():
            bone = armature.pose.bones[name]
            bone.matrix_basis = matrix
            bone.keyframe_insert("rotation_quaternion", frame=frame)
    for frame in (2, 6, 7, 11):
        bpy.context.scene.frame_set(frame)
        dip = pose.NAMES.index("index_dip_flexion")
        assert hand.pose(armature)[dip - 1] > 0.01 and abs(hand.pose(armature)[dip]) < 1e-5


def test_a_finger_twisted_snaps_back_to_what_its_joint_can_do(armature):
    bone = armature.pose.bones["ring_distal"]
    bone.matrix_basis = bone.matrix_basis @ Matrix.Rotation(0.4, 4, "Y")  # bones lie along their Y
    bpy.context.view_layer.update()
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature), 0, atol=1e-5)
    np.testing.assert_allclose(np.array(bone.matrix_basis), np.eye(4), atol=1e-5)


def test_sliders_end_where_joints_do_and_bones_beyond_are_told(armature):
    props = armature.handforge
    props.index_pip_flexion = np.radians(170)
    assert np.degrees(props.index_pip_flexion) == pytest.approx(105, abs=1e-3)
    sync.put(armature, pose.bind())
    rotation(armature, pose.with_angles(index_pip_flexion=117))
    assert np.degrees(props.index_pip_flexion) == pytest.approx(105, abs=1e-3), "limits hold in pose mode"
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    props.limited = False
    rotation(armature, pose.with_angles(index_pip_flexion=117))
    assert np.degrees(props.index_pip_flexion) == pytest.approx(117, abs=1e-3)
    assert (props.reason, props.verdict) == ("joint limit", "index_pip_flexion is 12.0° outside its range")
    assert marked(armature) == ["index_middle"]


@pytest.mark.parametrize("seed", range(3))
def test_the_verdict_is_the_generators(armature, seed):
    one = some_pose(seed)
    sync.put(armature, one)
    told = plausibility.explain(hand.pose(armature))
    assert (armature.handforge.reason, armature.handforge.verdict) == (told.reason, told.text)
    assert set(marked(armature)) == set(told.bones)


def test_the_verdict_is_about_the_images_asked_for(armature, window):
    sync.put(armature, pose.with_angles())
    assert armature.handforge.reason == ""
    window.size = 1280, 400
    assert armature.handforge.reason == "cut"
    window.size = 1280, 720
    assert armature.handforge.reason == ""
    window.set_focal_mm, window.focal_mm = "fixed", 120
    assert armature.handforge.reason == "cut"


def test_no_verdict_takes_more_room_than_the_panel_keeps():
    pairs = [f"{BONES[i]} and {BONES[j]}".replace("_", " ") for i, j in plausibility.collision_pairs()]
    collision = max((f"Self-collision: {pair} overlap by 12.3 mm too much" for pair in pairs), key=len)
    told = [plausibility.explain(some_pose(seed)) for seed in range(200)]
    texts = [f"{one.reason}: {one.text}" for one in told if one.reason] + [collision]
    assert {one.reason for one in told} >= {"self-collision", "out of reach"}
    assert max(map(len, texts)) <= len(verdict.LONGEST)


@pytest.mark.parametrize(
    "text, unit",
    [("translation_x", "LENGTH"), ("forearm_x", "ROTATION"), ("focal_mm", "CAMERA")],
)
def test_fields_take_units(window, text, unit):
    """Blender reads "20mm" and "0.5 rad" in fields whose unit it knows."""
    kinds = (HandProperties.bl_rna.properties, SceneProperties.bl_rna.properties)
    (found,) = (properties[text].unit for properties in kinds if text in properties)
    assert found == unit


def test_presets_and_reset(armature):
    armature.handforge.forearm_x = 0.5
    assert bpy.ops.handforge.preset(name="fist") == {"FINISHED"}
    np.testing.assert_allclose(hand.pose(armature)[6:], PRESETS["fist"][6:], atol=2e-6)
    assert armature.handforge.forearm_x == pytest.approx(0.5)
    bpy.ops.handforge.reset(group="L5_4")
    assert not hand.pose(armature)[pose.GROUPS["L5_4"]].any() and hand.pose(armature)[pose.GROUPS["L5_5"]].any()
    bpy.ops.handforge.preset(name="bind")
    assert not hand.pose(armature).any()


# ---------------------------------------------------------------- several hands, libraries


def test_without_a_hand_the_buttons_say_so(window):
    with pytest.raises(RuntimeError, match="Add a hand first"):
        bpy.ops.handforge.preset(name="fist")
    for _ in range(2):
        bpy.ops.handforge.add_hand()
    bpy.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match="Select one of the hands"):
        bpy.ops.handforge.preset(name="fist")


@pytest.mark.parametrize(
    "name, message",
    [
        ("guess_bones", "Select an armature that is not a hand yet"),
        ("use_armature", "Select an armature that is not a hand yet"),
        ("make_single_user", "This hand shares nothing with another"),
        ("take_over_camera", "Add the hand's camera first"),
        ("take_over_view", "Do this in a 3D View"),
        ("click_joints", "Look through the hand's camera first"),
        ("sweep_off", "No sweep is on the timeline"),
        ("pose_from_map", "Press Count and Map first"),
        ("cancel", "No images are being rendered"),
        ("show_log", "Rendering has not failed"),
    ],
)
def test_a_grey_button_says_what_it_needs(armature, name, message):
    with pytest.raises(RuntimeError, match=message):
        getattr(bpy.ops.handforge, name)()


def test_progress_in_the_status_bar_leaves_an_operators_text_there(window):
    """As that of Click Joints, while images are rendered."""
    bpy.context.workspace.status_text_set(lambda *_: None)
    shown = bpy.types.STATUSBAR_HT_header.draw
    viewport_ui.redraw_status()
    kept = bpy.types.STATUSBAR_HT_header.draw
    bpy.context.workspace.status_text_set(None)
    assert kept is shown is not bpy.types.STATUSBAR_HT_header.draw


@pytest.fixture
def library(armature, tmp_path):
    """A file with a hand that makes a fist, and an empty scene."""
    sync.put(armature, PRESETS["fist"])
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    return path


def test_a_linked_hand_is_left_alone_and_a_library_override_is_posed(library):
    scene = bpy.context.scene
    with bpy.data.libraries.load(library, link=True) as (_, here):
        here.objects = ["hand_armature"]
    linked = here.objects[0]
    scene.collection.objects.link(linked)
    bpy.context.view_layer.objects.active = linked
    bpy.context.view_layer.update()
    with pytest.raises(RuntimeError, match="make a library override"):
        bpy.ops.handforge.preset(name="open")
    with pytest.raises(RuntimeError, match="make a library override"):
        bpy.ops.handforge.make_single_user()
    own = linked.override_hierarchy_create(scene, bpy.context.view_layer)
    bpy.context.view_layer.objects.active = own
    assert bpy.ops.handforge.preset(name="open") == {"FINISHED"}
    own.handforge.wrist_flexion = 0.3
    bpy.context.view_layer.update()
    found = hand.pose(own)
    np.testing.assert_allclose(found[8:], PRESETS["open"][8:], atol=2e-6)
    assert found[6] == pytest.approx(0.3, abs=1e-5)
    assert own.handforge.is_property_overridable_library("wrist_flexion"), "or the panel shows it grey"
    with pytest.raises(RuntimeError, match="belong to the file that the hand is linked from"):
        bpy.ops.handforge.random_shape(seed=5)
    path = library.replace("library", "shot")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    own = next(obj for obj in bpy.data.objects if hand.is_hand(obj) and obj.library is None)
    np.testing.assert_allclose(hand.pose(own), found, atol=1e-6)


def test_what_is_added_to_a_hand_of_an_overridden_collection_comes_into_the_scenes_own(armature, tmp_path):
    bpy.ops.object.mode_set(mode="OBJECT")
    hands = bpy.data.collections.new("Hands")
    hands.objects.link(armature)
    bpy.data.libraries.write(str(tmp_path / "hands.blend"), {hands}, fake_user=True)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene, layer = bpy.context.scene, bpy.context.view_layer
    with bpy.data.libraries.load(str(tmp_path / "hands.blend"), link=True) as (_, here):
        here.collections = ["Hands"]
    scene.collection.children.link(here.collections[0])
    here.collections[0].override_hierarchy_create(scene, layer)
    layer.objects.active = next(one for one in bpy.data.objects if hand.is_hand(one) and one.library is None)
    layer.active_layer_collection = layer.layer_collection.children["Hands"]
    for name in ("add_camera", "fingertips", "add_hand"):
        before = {*scene.collection.objects}
        assert getattr(bpy.ops.handforge, name)() == {"FINISHED"}
        assert {*scene.collection.objects} - before, name
