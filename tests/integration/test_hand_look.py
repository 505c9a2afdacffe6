"""Gloves, skin and rings on rendered hands, and what the dataset says of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from render_scenes import POSE, SMALL

pytest.importorskip("bpy", reason="Blender's Python module is not installed")
import bpy

from generator.blender.frame_renderer import FrameRenderer
from generator.frame import camera_effects
from generator.frame import settings as reader
from generator.frame.frame_spec import draw_frame
from generator.frame.hand_look import SOME, draw_hand_look
from generator.frame.settings import RenderSettings, SettingsError, preset
from generator.hand import pose
from generator.hand.anatomy import MEAN
from generator.mesh.gloves import KINDS
from handforge import dataset

PLAIN = replace(SMALL, resolution=(160, 90), engine="cycles", samples=4, distance=0.4)
ROOM = replace(PLAIN, scene="indoor", samples=2)


def test_a_glove_is_in_the_annotation_and_makes_the_hand_larger():
    bare = FrameRenderer(PLAIN).frame(0, POSE, {}).instances[0]
    thick = FrameRenderer(replace(PLAIN, glove="ski")).frame(0, POSE, {}).instances[0]
    assert (bare.glove, thick.glove) == (None, "ski")
    assert thick.mask.sum() > 1.15 * bare.mask.sum()
    assert (bare.mask & ~thick.mask).sum() < 0.02 * bare.mask.sum(), "it covers what the hand does"


def test_a_tight_glove_keeps_the_mask_and_ends_the_hand_at_the_wrist():
    """The cuff is a part of the forearm, not of the hand."""
    both = replace(PLAIN, mask="both", distance=0.6)
    hand, arm = (one.mask for one in FrameRenderer(both).frame(0, POSE, {}).instances)
    gloved_hand, gloved_arm = (
        one.mask for one in FrameRenderer(replace(both, glove="surgical")).frame(0, POSE, {}).instances
    )
    for before, after in ((hand, gloved_hand), (arm, gloved_arm)):
        assert (before & after).sum() / (before | after).sum() > 0.93


def test_a_frame_shows_no_hand_of_an_earlier_one():
    studio = FrameRenderer(replace(PLAIN, glove="some", shape="random"))
    gloves = {}
    for number in range(40):
        kind = studio.frame(number, POSE, {}).instances[0].glove
        gloves[number] = kind
        seen = [obj for obj in bpy.context.scene.collection.objects if obj.type == "MESH"]
        assert len(seen) == 1, f"frame {number}"
    assert None in gloves.values() and len(set(gloves.values())) > 1


def test_a_gloved_frame_is_the_same_whatever_came_before():
    studio = FrameRenderer(replace(ROOM, glove="random", shape="random", adornments="random", elbow="random"))
    first = studio.frame(5, POSE, {})
    studio.frame(6, POSE, {})
    again = studio.frame(5, POSE, {})
    other = FrameRenderer(studio.settings).frame(5, POSE, {})
    for frame in (again, other):
        assert (frame.image == first.image).all()
        assert (frame.instances[0].mask == first.instances[0].mask).all()


def test_nothing_of_an_adorned_hand_is_left_for_the_next():
    studio = FrameRenderer(replace(ROOM, glove="some", adornments="random", resolution=(96, 64)))
    for number in range(12):
        studio.frame(number, POSE, {})
    kept = len(bpy.data.meshes), len(bpy.data.objects)
    for number in range(12):
        studio.frame(number, POSE, {})
        assert (len(bpy.data.meshes), len(bpy.data.objects)) == kept


def test_skin_in_a_room_follows_its_tone():
    """As linear light, beside what is behind it: exposure is metered on both."""
    back = pose.with_angles(forearm_z=180)
    light, dark = (FrameRenderer(replace(ROOM, skin_tone=tone)).frame(1, back, {}) for tone in (0.05, 0.95))
    mask = light.instances[0].mask & dark.instances[0].mask
    behind = ~(light.instances[0].mask | dark.instances[0].mask)
    linear = [camera_effects.linear(frame.image).mean(axis=-1) for frame in (light, dark)]
    ratio = [np.median(values[mask]) / np.median(values[behind]) for values in linear]
    assert ratio[0] > 2 * ratio[1]


def test_as_many_hands_wear_gloves_as_it_says():
    gloves = [draw_hand_look(RenderSettings(glove="some"), frame, 0.5, MEAN).glove for frame in range(1500)]
    assert np.mean([glove is not None for glove in gloves]) == pytest.approx(SOME, abs=0.03)
    assert {glove.kind for glove in gloves if glove} == set(KINDS)


def test_both_hands_of_a_person_wear_the_same_glove():
    settings = RenderSettings(glove="random", scene="indoor", adornments="random")
    for frame in range(20):
        first, own, other = (draw_hand_look(settings, frame, 0.5, MEAN, *hand) for hand in ((0,), (1,), (1, 1)))
        assert replace(own.glove, seed=first.glove.seed) == first.glove != other.glove
        assert own.skin == first.skin != other.skin


def test_hands_of_one_person_among_several_wear_a_pair_of_gloves_and_rings_of_their_own():
    people = RenderSettings(scene="indoor", crowd=1.0, glove="some", adornments="random", resolution=(320, 240))
    gloves, rings = [], []
    for frame in range(80):
        spec = draw_frame(people, frame, POSE)
        persons = [one.person for one in spec.crowd.hands] if spec.crowd else []
        for person in set(persons):
            looks = [hand.look for hand, owner in zip(spec.hands, persons, strict=True) if owner == person]
            assert len({one.skin for one in looks}) == 1
            if len(looks) == 2 and looks[0].glove:
                gloves.append([one.glove for one in looks])
            elif len(looks) == 2:
                rings.append([one.rings for one in looks])
    assert len(gloves) > 5 and any(any(pair) for pair in rings)
    assert all(replace(one, seed=0) == replace(other, seed=0) and one.seed != other.seed for one, other in gloves)
    assert not any(one and one == other for one, other in rings)


def test_rings_are_on_bare_hands_of_rooms():
    settings = RenderSettings(scene="indoor", adornments="random")
    looks = [draw_hand_look(settings, frame, 0.5, MEAN) for frame in range(200)]
    assert any(look.rings for look in looks)
    assert not any(draw_hand_look(replace(settings, glove="leather"), f, 0.5, MEAN).rings for f in range(200))
    assert not any(draw_hand_look(replace(settings, adornments="none"), f, 0.5, MEAN).rings for f in range(200))


def test_every_hand_of_the_preset_wears_one():
    assert preset("varied")["glove"] == "some"
    assert preset("gloves") == preset("varied") | {"glove": "random", "empty": 0.0}


def test_a_glove_that_there_is_not_is_refused():
    with pytest.raises(SettingsError, match=r"glove is none or some or random or nitrile or .*, not 'boxing'"):
        reader.load(None, {"glove": "boxing"})
    with pytest.raises(
        SettingsError, match="glove is of the built-in hand; an external rig is rendered with what it wears"
    ):
        reader.load(None, {"glove": "nitrile", "rig": "a.glb", "map": "a.toml"})


def test_check_knows_the_glove(tmp_path):
    image, mask = np.zeros((20, 30, 3), np.uint8), np.zeros((20, 30), bool)
    mask[5:15, 5:20] = True
    for glove, problems in (("nitrile", []), ("", ["000.png: annotation 1: glove is the name of a kind, not ''"])):
        sample = dataset.Sample("000", image, (dataset.Instance(mask, glove=glove),))
        folder = tmp_path / (glove or "empty")
        for name in ("images", "masks"):
            (folder / name).mkdir(parents=True)
        dataset.assemble(folder, [dataset.write_sample(folder, sample)], {})
        data = dataset.Dataset(folder)
        assert data.annotations(data.images[0])[0]["glove"] == glove
        assert dataset.check_image(data, data.images[0]) == problems
