"""Gloves: what they do to the hand's surface, in millimetres that can be worked out."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from generator.mesh import glove_mesh, hand_mesh
from generator.mesh.gloves import DOUBLED, FINISHES, KINDS, Glove, linear_rgb, over_another
from generator.mesh.hand_chart import hand_chart

PLAIN = Glove("leather", "leather", (0.3, 0.2, 0.1), thickness=0.002, smoothing=8, cuff=0.07, wrinkle=0.0)
MIDDLE = 2


def _breadth(vertices: np.ndarray, place: float) -> float:
    """Breadth of the middle finger, mm, at a place along it."""
    chart = hand_chart()
    near = (chart.digit == MIDDLE) & (np.abs(chart.along - place) < 1.5)
    side = 1000 * vertices[: len(near)][near][:, 0]
    return float(np.ptp(side))


def test_a_glove_makes_a_finger_twice_its_thickness_broader() -> None:
    place = 0.5 * hand_chart().joints[MIDDLE][0]
    bare = _breadth(glove_mesh.wear(replace(PLAIN, thickness=0.0)).vertices, place)
    for thickness in (0.001, 0.003):
        gloved = _breadth(glove_mesh.wear(replace(PLAIN, thickness=thickness)).vertices, place)
        assert gloved - bare == pytest.approx(2000 * thickness, rel=0.15)


def test_a_glove_without_thickness_or_smoothing_is_the_hand() -> None:
    gloved = glove_mesh.wear(replace(PLAIN, thickness=0.0, smoothing=0, seam=False))
    hand = hand_mesh.build()
    assert np.abs(gloved.vertices[: len(hand.vertices)] - hand.vertices).max() < 1e-6


def test_the_tips_are_longer_by_what_it_says() -> None:
    short, long_ = (glove_mesh.wear(replace(PLAIN, tip=tip)).vertices[:, 2].max() for tip in (0.0, 0.005))
    assert long_ - short == pytest.approx(0.005, abs=0.0005)


def test_a_thick_glove_hides_the_creases() -> None:
    hand = hand_mesh.build()
    pairs = glove_mesh.skin_weights.edges(hand.faces)
    creased = hand.crease > 0.5

    def unevenness(vertices: np.ndarray) -> float:
        mean = glove_mesh.skin_weights.neighbour_mean(vertices.astype(float), pairs)
        return float(np.linalg.norm(vertices - mean, axis=1)[creased].mean())

    gloved = glove_mesh.wear(PLAIN).vertices[: len(hand.vertices)]
    assert unevenness(gloved) < 0.5 * unevenness(hand.vertices)


def test_without_fingers_these_are_bare_beyond_the_cut() -> None:
    gloved = glove_mesh.wear(replace(PLAIN, fingers=0.5))
    chart, hand = hand_chart(), hand_mesh.build()
    cut = 0.5 * chart.joints[MIDDLE][-1]
    on = chart.digit == MIDDLE
    bare, covered = on & (chart.along > cut + 6), on & (chart.along < cut - 6)
    assert (gloved.cover[: len(on)][bare] < 0).all()
    assert (gloved.cover[: len(on)][covered] > 0).all()
    assert np.array_equal(gloved.vertices[: len(on)][bare], hand.vertices[bare])


@pytest.mark.parametrize("cuff", [0.02, 0.06, 0.15])
def test_the_cuff_ends_where_it_says(cuff: float) -> None:
    gloved = glove_mesh.wear(replace(PLAIN, cuff=cuff))
    assert 1000 * gloved.vertices[gloved.cuff, 2].min() == pytest.approx(-1000 * cuff, abs=4.5)


def test_a_flared_cuff_is_wider_at_its_end() -> None:
    def width(flare: float) -> float:
        gloved = glove_mesh.wear(replace(PLAIN, cuff=0.1, flare=flare))
        end = gloved.cuff & (gloved.vertices[:, 2] < -0.09)
        return float(np.ptp(gloved.vertices[end, 0]))

    assert width(0.5) > 1.35 * width(0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_sound_mesh(kind: str) -> None:
    glove = Glove.random(np.random.default_rng(3), kind)
    gloved, hand = glove_mesh.wear(glove), hand_mesh.build()
    assert glove.finish in FINISHES
    assert np.isfinite(gloved.vertices).all()
    assert len(gloved.vertices) == len(gloved.weights) == len(gloved.cover) == len(gloved.patch) == len(gloved.shade)
    assert np.abs(gloved.weights.sum(axis=1) - 1).max() < 1e-5
    assert (gloved.weights > 0).sum(axis=1).max() <= 4
    assert gloved.faces.max() == len(gloved.vertices) - 1
    a, b, c = (gloved.vertices[hand.faces[:, corner]].astype(float) for corner in range(3))
    x, y, z = (hand.vertices[hand.faces[:, corner]].astype(float) for corner in range(3))
    volume, before = (np.einsum("ij,ij->", p, np.cross(q, r)) / 6 for p, q, r in ((a, b, c), (x, y, z)))
    assert volume > before  # nothing of the hand stands out of the glove on the whole
    for color in (glove.color, glove.patch_color, glove.cuff_color):
        assert all(0 <= value <= 1 for value in color)


def test_the_same_numbers_draw_the_same_glove() -> None:
    first, again, other = (Glove.random(np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first == again != other
    assert np.array_equal(glove_mesh.wear(first).vertices, glove_mesh.wear(again).vertices)


def test_some_gloves_are_printed_and_none_that_is_thrown_away():
    rng = np.random.default_rng(2)
    drawn = [Glove.random(rng) for _ in range(600)]
    printed = {glove.kind for glove in drawn if glove.print_color is not None}
    assert {"dipped", "leather"} <= printed
    assert not printed & {"nitrile", "latex", "vinyl", "surgical"}


def test_a_cuff_lies_over_the_hand_where_it_begins():
    """Nothing of the hand's surface stands out of a cloth cuff at the wrist, measured along the arm's radius."""
    for seed in range(6):
        gloved = glove_mesh.wear(Glove.random(np.random.default_rng(seed), "dipped"))
        first = np.flatnonzero(gloved.cuff)[3 * glove_mesh.AROUND : 4 * glove_mesh.AROUND]
        ring = 1000 * gloved.vertices[first]
        center = ring.mean(axis=0)
        near = ~gloved.cuff & (np.abs(1000 * gloved.vertices[:, 2] - ring[:, 2].mean()) < 1.5)
        points = 1000 * gloved.vertices[near] - center
        angle = np.arctan2(points[:, 1], points[:, 0])
        around = np.arctan2(*(ring - center)[:, [1, 0]].T)
        order = np.argsort(around)
        reach = np.interp(angle, around[order], np.linalg.norm((ring - center)[order, :2], axis=1), period=2 * np.pi)
        assert (np.linalg.norm(points[:, :2], axis=1) < reach + 0.3).all(), seed


def test_all_kinds_are_drawn() -> None:
    rng = np.random.default_rng(0)
    assert {Glove.random(rng).kind for _ in range(400)} == set(KINDS)


def test_a_glove_is_json() -> None:
    glove = Glove.random(np.random.default_rng(1), "ski")
    assert json.loads(json.dumps(asdict(glove)))["seed"] >= 0


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(ValueError, match=r"there is no glove 'boxing'; the kinds are nitrile, latex"):
        Glove.random(np.random.default_rng(0), "boxing")


def test_hexadecimal_colors_are_linear_light() -> None:
    assert linear_rgb("ffffff") == (1.0, 1.0, 1.0)
    assert linear_rgb("808080") == pytest.approx((0.2159, 0.2159, 0.2159), abs=1e-4)  # IEC 61966-2-1


def test_a_glove_over_another_shows_that_ones_cuff_tight_on_the_arm_beyond_its_own() -> None:
    single = replace(PLAIN, finish="rubber", thickness=0.0003, slack=0.003, cuff=0.06)
    double = replace(single, under=(0.1, 0.5, 0.2), under_cuff=0.02)
    alone, gloved = glove_mesh.wear(single), glove_mesh.wear(double)
    assert not alone.under.any() and (gloved.faces == alone.faces).all() and (gloved.weights == alone.weights).all()
    hand = ~gloved.cuff
    assert (gloved.vertices[hand] == alone.vertices[hand]).all()
    own, under = gloved.vertices[gloved.cuff & ~gloved.under], gloved.vertices[gloved.under]
    assert own[:, 2].min() == pytest.approx(-0.06, abs=0.005)
    assert under[:, 2].min() == pytest.approx(-0.08, abs=0.005)
    rows = [gloved.vertices[gloved.cuff].reshape(-1, glove_mesh.AROUND, 3)[row] for row in (16, 17)]
    step = [np.linalg.norm(row[:, :2] - row[:, :2].mean(axis=0), axis=1) for row in rows]
    assert (step[0] > step[1] + 0.0003).all(), "the outer edge stands off all around"
    assert gloved.under[gloved.cuff].reshape(-1, glove_mesh.AROUND)[:, 0].tolist() == [False] * 17 + [True] * 8


def test_some_disposable_gloves_are_worn_over_others_of_another_color() -> None:
    drawn = [Glove.random(np.random.default_rng(seed)) for seed in range(1500)]
    gloved = [over_another(np.random.default_rng((seed, 1)), one) for seed, one in enumerate(drawn)]
    disposable = [one for one in gloved if one.kind in ("nitrile", "latex", "vinyl", "surgical")]
    double = [one for one in disposable if one.under is not None]
    assert len(double) / len(disposable) == pytest.approx(DOUBLED, abs=0.04)
    assert sum(one.under is not None for one in gloved) == len(double)
    for one in double:
        assert max(abs(a - b) for a, b in zip(one.under or (), one.color, strict=True)) > 0.25
        assert 0.005 < one.under_cuff < 0.04
        assert replace(one, under=None, under_cuff=0.0) in drawn
