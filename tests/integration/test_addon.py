"""The add-on's hand: sliders, bones and verdict in step, whoever changes one, and what keeps them from it."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from addon_scene import bones, expected, marked, some_pose, turn
from mathutils import Matrix

import blender_addon
from blender_addon import asset_library, hand, sync, verdict
from blender_addon import bones as bones_module
from blender_addon.properties.hand import HandProperties
from blender_addon.properties.preferences import HandforgePreferences
from blender_addon.properties.scene import SceneProperties
from generator.hand import anatomy, finger_sets, fitting, plausibility, pose, pose_sets
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
    assert {thing.name for thing in own.objects} == {second.name, hand.skin_of(second).name}
    bpy.ops.handforge.add_hand(side="left")
    third = hand.active(bpy.context)
    assert (third.location - second.location).length > 0.2 and third.handforge.side == "left"
    third.handforge.tone = 0.9
    dark, fair = (hand.skin_of(one).data.materials[0].diffuse_color[0] for one in (third, armature))
    assert dark < 0.5 * fair, "in solid shading, too"


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
    turn(armature, one)
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
    turn(armature, pose.with_angles(index_pip_flexion=117))
    assert np.degrees(props.index_pip_flexion) == pytest.approx(105, abs=1e-3), "limits hold in pose mode"
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    props.limited = False
    turn(armature, pose.with_angles(index_pip_flexion=117))
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


def test_presets_and_reset(armature):
    armature.handforge.forearm_x = 0.5
    assert bpy.ops.handforge.preset(name="fist") == {"FINISHED"}
    np.testing.assert_allclose(hand.pose(armature)[6:], PRESETS["fist"][6:], atol=2e-6)
    assert armature.handforge.forearm_x == pytest.approx(0.5)
    bpy.ops.handforge.reset(group="L5_4")
    assert not hand.pose(armature)[pose.GROUPS["L5_4"]].any() and hand.pose(armature)[pose.GROUPS["L5_5"]].any()
    bpy.ops.handforge.preset(name="bind")
    assert not hand.pose(armature).any()


# ---------------------------------------------------------------- animation, drivers, constraints


INDEX = pose.NAMES.index("index_mcp_flexion")


def rendered(frame=None):
    """What a render would show of the skin, (V, 3): evaluated in a depsgraph of its own kind."""
    scene, layer = bpy.context.scene, bpy.context.view_layer
    if frame is not None:
        scene.frame_set(frame)
    graph = layer.depsgraph
    graph.update()
    skin = hand.skin_of(hand.active(bpy.context)).evaluated_get(graph)
    return np.array([vertex.co for vertex in skin.data.vertices])


def test_keyed_bones_move_the_sliders(armature):
    turned = armature.pose.bones["index_proximal"]
    sync.put(armature, pose.with_angles(index_mcp_flexion=40))
    turned.keyframe_insert("rotation_quaternion", frame=1)
    sync.put(armature, pose.bind())
    turned.keyframe_insert("rotation_quaternion", frame=20)
    for frame, degrees in ((1, 40), (20, 0)):
        bpy.context.scene.frame_set(frame)
        assert abs(pose.to_degrees(hand.pose(armature))[INDEX] - degrees) < 0.01


def test_keyed_sliders_move_the_bones(armature):
    sync.put(armature, PRESETS["fist"])
    bpy.ops.handforge.key_pose()
    bpy.context.scene.frame_set(20)
    sync.put(armature, PRESETS["open"])
    bpy.ops.handforge.key_pose()
    for frame, name in ((1, "fist"), (20, "open")):
        bpy.context.scene.frame_set(frame)
        np.testing.assert_allclose(hand.pose(armature), PRESETS[name], atol=1e-5)
        np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)
    bpy.context.scene.frame_set(10)
    assert 0.2 < hand.pose(armature)[INDEX] < 1.3, "between its keys"


def test_keyed_sliders_are_rendered(armature, tmp_path):
    """In Blender's own render, whose depsgraph is not the window's."""
    sync.put(armature, pose.bind())
    bpy.ops.handforge.key_pose()
    bpy.context.scene.frame_set(20)
    sync.put(armature, PRESETS["fist"])
    bpy.ops.handforge.key_pose()
    bpy.ops.handforge.add_camera()
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.render.film_transparent = "CYCLES", 1, True
    scene.render.resolution_x, scene.render.resolution_y = 128, 72
    scene.render.filepath, scene.frame_start, scene.frame_end, scene.frame_step = str(tmp_path / "####"), 1, 20, 19
    bpy.ops.render.render(animation=True)
    areas = []
    for frame in (1, 20):
        image = bpy.data.images.load(str(tmp_path / f"{frame:04}.png"))
        areas.append((np.array(image.pixels[:])[3::4].reshape(72, 128)[40:] > 0.5).sum())
    assert areas[0] > 1.4 * areas[1] > 0, "stretched fingers reach higher than a fist"


def test_driven_sliders_move_the_bones(armature):
    curve = armature.driver_add("handforge.index_mcp_flexion")
    curve.driver.expression = "frame / 100"
    for frame in (10, 60):
        bpy.context.scene.frame_set(frame)
        assert hand.pose(armature)[INDEX] == pytest.approx(frame / 100, abs=1e-5)
        np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)


def test_what_a_constraint_does_is_the_pose(armature):
    """As somebody's IK does: the sliders show where the finger is, and the verdict is about that."""
    target = bpy.data.objects.new("target", None)
    bpy.context.scene.collection.objects.link(target)
    target.location = 0.035, -0.06, 0.09
    constraint = armature.pose.bones["index_distal"].constraints.new("IK")
    constraint.target, constraint.chain_count = target, 3
    for _ in range(3):
        bpy.context.view_layer.update()
    reached = hand.pose(armature)
    assert reached[INDEX : INDEX + 4].max() > 0.5, "the finger is bent"
    tip = bones(armature)[BONES.index("index_distal")][:3, :3] @ [0, 0, 1]
    assert tip[1] < -0.3, "towards the target"
    assert armature.handforge.index_mcp_flexion == pytest.approx(reached[INDEX], abs=1e-5)
    before = reached.copy()
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature), before, atol=1e-4, err_msg="it comes to rest")


def test_a_rest_pose_applied_is_told_and_restored(armature):
    sync.put(armature, PRESETS["fist"])
    bpy.context.view_layer.update()
    bpy.ops.pose.armature_apply()
    bpy.context.view_layer.update()
    props = armature.handforge
    assert props.reason == verdict.TROUBLE and "rest pose" in props.verdict
    with pytest.raises(RuntimeError, match="rest pose"):
        bpy.ops.handforge.preset(name="open")
    assert bpy.ops.handforge.restore_bones() == {"FINISHED"}
    bpy.context.view_layer.update()
    assert props.reason == ""
    np.testing.assert_allclose(bones(armature), expected(armature), atol=1e-5)


def test_a_renamed_bone_is_told_and_nothing_moves(armature):
    armature.data.bones["index_middle"].name = "other"
    bpy.context.view_layer.update()
    props, before = armature.handforge, hand.pose(armature)
    assert props.reason == verdict.TROUBLE and "no bone index_middle" in props.verdict
    props.index_mcp_flexion = 0.7
    assert props.index_mcp_flexion == 0 and (hand.pose(armature) == before).all()
    with pytest.raises(RuntimeError, match="no bone index_middle"):
        bpy.ops.handforge.preset(name="fist")
    armature.data.bones["other"].name = "index_middle"
    bpy.context.view_layer.update()
    props.index_mcp_flexion = 0.7
    assert props.reason == "" and hand.pose(armature)[INDEX] == pytest.approx(0.7, abs=1e-5)


# ---------------------------------------------------------------- several hands, libraries, files of version 0.1.0


def test_without_a_hand_the_buttons_say_so(window):
    with pytest.raises(RuntimeError, match="Add a hand first"):
        bpy.ops.handforge.preset(name="fist")
    for _ in range(2):
        bpy.ops.handforge.add_hand()
    bpy.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match="Select one of the hands"):
        bpy.ops.handforge.preset(name="fist")


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
    own = next(thing for thing in bpy.data.objects if hand.is_hand(thing) and thing.library is None)
    np.testing.assert_allclose(hand.pose(own), found, atol=1e-6)


def test_a_hand_of_version_0_1_0_is_brought_up_to_date(armature, tmp_path):
    """Its sliders had no values of their own, and a left hand was scaled by -1."""
    sync.put(armature, PRESETS["fist"])
    with hand.quietly(armature):
        for name in pose.NAMES:
            armature.handforge.property_unset(name)
        armature.handforge.in_step = False
        armature.handforge.side, armature.scale.x = "left", -1
        bpy.context.view_layer.update()
    path = str(tmp_path / "old.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    old = bpy.data.objects["hand_armature"]
    bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(old), PRESETS["fist"], atol=2e-6)
    assert old.scale.x == 1 and old.handforge.index_mcp_flexion == pytest.approx(PRESETS["fist"][INDEX], abs=1e-5)
    np.testing.assert_allclose(bones(old), expected(old), atol=1e-5)
    assert hand.skin_of(old).data.vertices[0].co.x == pytest.approx(-hand_mesh.build().vertices[0, 0], abs=1e-6)


# ---------------------------------------------------------------- files of poses


def test_poses_are_saved_and_loaded_as_the_generator_does(armature, tmp_path):
    path = tmp_path / "poses.csv"
    for index, name in enumerate(("fist", "open")):
        bpy.ops.handforge.preset(name=name)
        bpy.ops.handforge.save_pose(filepath=str(path), append=bool(index))
    saved = pose_sets.load(path)
    np.testing.assert_allclose(saved.poses, [PRESETS["fist"], PRESETS["open"]], atol=2e-6)
    bpy.ops.handforge.load_pose(filepath=str(path), number=1)
    np.testing.assert_allclose(hand.pose(armature), PRESETS["fist"], atol=2e-6)


def test_a_pose_added_to_a_file_leaves_the_others_their_names(armature, tmp_path):
    path = tmp_path / "mine.csv"
    two = np.array([PRESETS["fist"], PRESETS["open"]])
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("l2", "l11"), np.array([17000, 5000]), two)))
    for _ in range(2):
        bpy.ops.handforge.save_pose(filepath=str(path), append=True)
    saved = pose_sets.load(path)
    assert saved.names == ("l2", "l11", "mine", "mine") and saved.frames.tolist() == [17000, 5000, 0, 1]


def test_poses_become_keyframes_and_keyframes_poses(armature, tmp_path):
    given, made = tmp_path / "given.csv", tmp_path / "made.csv"
    three = np.array([PRESETS["fist"], PRESETS["open"], PRESETS["point"]])
    given.write_bytes(pose_sets.dump(pose_sets.PoseSet(("x",) * 3, np.arange(3), three)))
    bpy.context.scene.frame_set(5)
    assert bpy.ops.handforge.poses_to_keyframes(filepath=str(given), step=10) == {"FINISHED"}
    for frame, one in zip((5, 15, 25), three, strict=True):
        bpy.context.scene.frame_set(frame)
        np.testing.assert_allclose(hand.pose(armature), one, atol=1e-5)
    bpy.context.scene.frame_set(7)
    assert bpy.ops.handforge.keyframes_to_poses(filepath=str(made)) == {"FINISHED"}
    saved = pose_sets.load(made)
    np.testing.assert_allclose(saved.poses, three, atol=1e-5)
    assert saved.frames.tolist() == [5, 15, 25] and bpy.context.scene.frame_current == 7


def test_poses_become_assets_that_the_pose_library_applies(armature):
    assert bpy.ops.handforge.presets_to_assets() == {"FINISHED"}
    assets = {action.name: action for action in bpy.data.actions if action.asset_data}
    assert len(assets) == len(PRESETS) and assets["Thumb Up"].asset_data.description
    pixels = np.array(assets["Fist"].preview.image_pixels_float).reshape(128, 128, 4)
    stretched = np.array(assets["Five"].preview.image_pixels_float).reshape(128, 128, 4)
    assert stretched[..., 3].sum() > 1.1 * pixels[..., 3].sum() > 1000
    assert stretched[90:, :, 3].any() and not pixels[90:, :, 3].any(), "stretched fingers reach higher"
    armature.handforge.forearm_z = 0.4
    armature.pose.apply_pose_from_action(assets["Point"], evaluation_time=1)
    for _ in range(2):
        bpy.context.view_layer.update()
    np.testing.assert_allclose(hand.pose(armature)[6:], PRESETS["point"][6:], atol=1e-4)
    assert hand.pose(armature)[4] == pytest.approx(0.4, abs=1e-5)
    bpy.ops.handforge.save_asset(name="Mine")
    assert bpy.data.actions["Mine"].asset_data


def test_poses_become_an_asset_library_that_every_file_has(armature, tmp_path):
    own = bpy.data.actions.new("Fist")
    (tmp_path / asset_library.CATALOGS).write_text("VERSION 1\n\n6c4e2a0e-0d53-4f8e-9a51-3f0f5b1f0c11:Mine:Mine\n")
    sync.put(armature, some_pose(3))
    before = hand.pose(armature)
    assert bpy.ops.handforge.poses_to_library(directory=str(tmp_path)) == {"FINISHED"}
    assert list(bpy.data.actions) == [own] and own.name == "Fist", "the file is as it was"
    np.testing.assert_array_equal(hand.pose(armature), before)
    libraries = bpy.context.preferences.filepaths.asset_libraries
    assert [lib.name for lib in libraries if lib.path and Path(lib.path) == tmp_path] == ["Hands"]
    path = tmp_path / "right hand poses.blend"
    with bpy.data.libraries.load(str(path), link=True, assets_only=True) as (there, taken):
        names = set(there.actions)
        taken.actions = ["Point", "Sign I Love You", "Cup Medium Wrap"]
    assert names == {name for catalog in asset_library.poses().values() for name in catalog} and len(names) > 70
    lines = [line.split(":") for line in (tmp_path / asset_library.CATALOGS).read_text().splitlines()[2:]]
    catalogs = {identifier: where for identifier, where, _ in lines}
    point, sign, _ = taken.actions
    assert [catalogs[action.asset_data.catalog_id] for action in taken.actions] == [
        "Hands/Presets",
        "Hands/Signs",
        "Hands/Grasps",
    ]
    assert "Mine" in catalogs.values()
    assert all(np.array(action.preview.image_pixels_float)[3::4].sum() > 1000 for action in taken.actions)
    for action, wanted in ((sign, finger_sets.signs()["i love you"]), (point, PRESETS["point"])):
        armature.pose.apply_pose_from_action(action, evaluation_time=1)
        for _ in range(2):
            bpy.context.view_layer.update()
        np.testing.assert_allclose(hand.pose(armature)[6:], wanted[6:], atol=1e-4)
    with pytest.raises(RuntimeError, match="is there already: delete it first"):
        bpy.ops.handforge.poses_to_library(directory=str(tmp_path))
    with pytest.raises(RuntimeError, match="is not a folder"):
        bpy.ops.handforge.poses_to_library(directory=str(tmp_path / "none"))


def test_files_that_are_no_poses_are_refused(armature, tmp_path):
    path = tmp_path / "poses.csv"
    path.write_text("a,b\n")
    with pytest.raises(RuntimeError, match=r"poses\.csv does not start with the header of a file of poses"):
        bpy.ops.handforge.load_pose(filepath=str(path))
    with pytest.raises(RuntimeError, match=r"none\.csv: No such file or directory"):
        bpy.ops.handforge.load_pose(filepath=str(tmp_path / "none.csv"))
    path.write_bytes(pose_sets.dump(pose_sets.PoseSet(("x",), np.array([0]), pose.bind()[None])))
    with pytest.raises(RuntimeError, match="holds 1 poses, there is no number 2"):
        bpy.ops.handforge.load_pose(filepath=str(path), number=2)
    for name in ("load_pose", "poses_to_keyframes", "save_pose"):
        with pytest.raises(RuntimeError, match="Give the file a name"):
            getattr(bpy.ops.handforge, name)(filepath="")
    with pytest.raises(RuntimeError, match="The hand has no keyframes"):
        bpy.ops.handforge.keyframes_to_poses(filepath=str(tmp_path / "made.csv"))
