"""One person's skin: where its colors lie on the hand, and what is drawn on it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from generator.mesh import hand_mesh
from generator.mesh.hand_chart import hand_chart
from generator.mesh.skin_look import BANDS, DRAWINGS, SkinLook, skin_maps

PLAIN = SkinLook(tone=0.5, seed=3)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # ITU-R BT.709


def _back_and_palm(look: SkinLook) -> tuple[float, float]:
    hand, color = hand_mesh.build(), skin_maps(look).color @ LUMINANCE
    return float(np.median(color[hand.palm < 0.1])), float(np.median(color[hand.palm > 0.9]))


def test_darker_tones_are_darker_and_keep_a_light_palm() -> None:
    pairs = [_back_and_palm(replace(PLAIN, tone=tone)) for tone in np.linspace(0, 1, 6)]
    backs, palms = zip(*pairs, strict=True)
    assert list(backs) == sorted(backs, reverse=True)
    assert backs[0] > 5 * backs[-1]
    assert palms[-1] > 2 * backs[-1]
    assert palms[0] == pytest.approx(backs[0], rel=0.25)


def test_folds_are_darker_by_as_much_as_it_says() -> None:
    hand = hand_mesh.build()
    deep, beside = (hand.crease > 0.8) & (hand.palm > 0.5), (hand.crease < 0.05) & (hand.palm > 0.5)

    def contrast(crease: float) -> float:
        color = skin_maps(replace(PLAIN, crease=crease)).color @ LUMINANCE
        return float(color[deep].mean() / color[beside].mean())

    assert contrast(0.0) == pytest.approx(1.0, abs=0.08)
    assert contrast(1.0) < 0.8 * contrast(0.0)


def test_the_nail_map_is_where_the_nails_are() -> None:
    nail, hand = skin_maps(PLAIN).nail, hand_mesh.build()
    assert (nail[hand.nail > 0.9, 2] < 0).all()
    assert (nail[hand.nail < 0.05, 2] > 0).all()
    on = nail[nail[:, 2] < 0]
    assert (np.abs(on[:, :2]) < 1.05).all()


def test_veins_are_on_the_back_alone() -> None:
    vein, chart = skin_maps(PLAIN).vein, hand_chart()
    near = vein < 2
    assert near.sum() > 100
    assert (chart.rest[near, 1] > 0).all()
    assert (chart.digit[near] < 0).all()


@pytest.mark.parametrize("drawing", DRAWINGS)
@pytest.mark.parametrize("seed", range(4))
def test_a_drawing_covers_a_part_of_the_hand(drawing: str, seed: int) -> None:
    on = (skin_maps(replace(PLAIN, drawing=drawing, seed=seed)).drawing > 0).mean()
    assert on == 0 if drawing == "none" else 0.002 < on < 0.9


@pytest.mark.parametrize("band", BANDS)
def test_plasters_and_markers_are_on_fingers(band: str) -> None:
    on = skin_maps(replace(PLAIN, band=band)).band > 0
    assert on.any() == (band != "none")
    assert (hand_chart().digit[on] >= 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_any_look_gives_sound_maps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = skin_maps(SkinLook.random(rng, rng.uniform(), adorned=1.0))
    for name, values in vars(maps).items():
        assert np.isfinite(values).all(), name
        assert values.dtype == np.float32, name
        assert len(values) == len(hand_mesh.build().vertices), name
    assert maps.color.min() >= 0
    assert maps.color.max() <= 1
    assert (maps.roughness > 0).all()
    assert (maps.bumps >= 0).all()


def test_the_same_numbers_draw_the_same_skin_and_it_is_json() -> None:
    looks = [SkinLook.random(np.random.default_rng(seed), 0.4) for seed in (1, 1, 2)]
    assert looks[0] == looks[1] != looks[2]
    assert np.array_equal(skin_maps(looks[0]).color, skin_maps(looks[1]).color)
    adorned = SkinLook.random(np.random.default_rng(9), 0.4, adorned=1.0)
    assert json.loads(json.dumps(asdict(adorned)))["seed"] >= 0


def test_nothing_is_drawn_on_a_hand_that_is_not_adorned() -> None:
    for seed in range(50):
        look = SkinLook.random(np.random.default_rng(seed), 0.5, adorned=0.0)
        assert (look.drawing, look.band, look.polish) == ("none", "none", None)


def test_hair_is_on_the_arms_back_and_less_on_the_hand_and_not_in_the_palm():
    hand, hair = hand_mesh.build(), skin_maps(PLAIN).hair
    assert hair.min() >= 0 and hair.max() <= 1
    back = hand.palm < 0.1
    assert hair[hand.palm > 0.9].max() < 0.1 and hair[hand.nail > 0.5].max() < 0.05
    arm, dorsum = back & (hand.wrist_distance < -0.1), back & (np.abs(hand.wrist_distance - 0.04) < 0.02)
    assert hair[arm].max() > 0.95 and 0.2 < hair[dorsum].max() < 0.6


def test_half_of_all_people_are_hairy_and_the_dark_have_dark_hair():
    drawn = [SkinLook.random(np.random.default_rng(seed), 0.9) for seed in range(200)]
    assert sum(one.hair > 0 for one in drawn) / 200 == pytest.approx(0.5, abs=0.1)
    assert max(max(one.hair_color) for one in drawn) < 0.05
    fair = [SkinLook.random(np.random.default_rng(seed), 0.0) for seed in range(50)]
    assert max(one.hair_color[0] for one in fair) > 0.15
    for red, green, blue in (one.hair_color for one in drawn + fair):
        assert red > green > blue, "black, brown, blond or grey, never violet"


def test_old_skin_has_more_spots_on_the_back_and_more_relief_and_childrens_is_smooth() -> None:
    back = (hand_mesh.build().palm < 0.1) & (hand_chart().rest[:, 2] > 0)
    for seed in range(5):
        old, adult = (SkinLook(0.3, age=age, seed=seed) for age in (0.95, 0.3))
        child = adult.of_child()
        dark = []
        for look in (old, adult):
            color = skin_maps(look).color.mean(axis=1)[back]
            dark.append((color < 0.85 * np.median(color)).mean())
        assert dark[0] > dark[1]
        bumps = [skin_maps(look).bumps[back].mean() for look in (child, adult, old)]
        assert bumps[0] < 0.6 * bumps[1] and bumps[1] < 0.8 * bumps[2]
    grown = SkinLook(0.3, age=0.6, hair=0.9, drawing="tattoo", polish=(0.5, 0.0, 0.0)).of_child()
    assert (grown.hair, grown.drawing, grown.polish) == (0.0, "none", None) and grown.age < 0.1
