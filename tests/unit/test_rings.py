"""Rings: around the finger they are on, off its skin, and closed."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from generator.hand.anatomy import FINGERS, MEAN, HandShape, skeleton
from generator.mesh.hand_chart import hand_chart
from generator.mesh.rings import Ring, draw_rings, ring_mesh

PLAIN = Ring("ring", 0.5, 0.004, 0.0015, (0.8, 0.6, 0.2), 0.2, 0.0, (1.0, 1.0, 1.0))


@pytest.mark.parametrize("finger", FINGERS)
def test_a_ring_goes_around_its_finger(finger: str) -> None:
    ring = replace(PLAIN, finger=finger)
    vertices, _, _ = ring_mesh(ring, MEAN)
    bones = skeleton()
    head, tail = bones.heads[ring.bone], bones.tails[ring.bone]
    center = vertices.mean(axis=0)
    axis = (tail - head) / np.linalg.norm(tail - head)
    assert np.linalg.norm(np.cross(center - head, axis)) < 0.004  # the bone runs through it
    assert (center - head) @ axis == pytest.approx(0.5 * np.linalg.norm(tail - head), abs=0.0005)


def test_its_outside_is_off_the_skin_by_its_thickness() -> None:
    vertices, _, _ = ring_mesh(PLAIN, MEAN)
    chart, digit = hand_chart(), FINGERS.index("ring")
    near = (chart.digit == digit) & (np.abs(chart.along - 0.5 * chart.joints[digit][0]) < 3)
    frame = skeleton().frames[PLAIN.bone]
    across = 1000 * (vertices @ frame)[:, 0]
    assert np.ptp(across) - np.ptp(chart.side[near]) == pytest.approx(2 * 1.5, abs=0.3)


@pytest.mark.parametrize("stone", [0.0, 0.003])
def test_a_ring_is_closed_and_faces_outwards(stone: float) -> None:
    vertices, faces, of_stone = ring_mesh(replace(PLAIN, stone=stone), MEAN)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    assert len(np.unique(edges, axis=0)) == len(edges)  # every edge once each way
    assert {tuple(e) for e in edges.tolist()} == {tuple(e) for e in edges[:, ::-1].tolist()}
    for some in (faces[~of_stone], faces[of_stone]):
        a, b, c = (vertices[some[:, corner]] for corner in range(3))
        assert np.einsum("ij,ij->", a, np.cross(b, c)) >= 0


def test_a_ring_grows_with_the_finger() -> None:
    small, large = (np.ptp(ring_mesh(PLAIN, HandShape(finger_thickness=f))[0][:, 0]) for f in (0.9, 1.2))
    assert large / small == pytest.approx(1.2 / 0.9, rel=0.02)


def test_rings_are_drawn_for_a_fraction_of_the_hands() -> None:
    hands = [draw_rings(np.random.default_rng(seed)) for seed in range(800)]
    assert np.mean([bool(rings) for rings in hands]) == pytest.approx(0.22, abs=0.05)
    assert all(len({ring.finger for ring in rings}) == len(rings) for rings in hands)
    assert draw_rings(np.random.default_rng(4)) == draw_rings(np.random.default_rng(4))


def test_a_ring_is_json() -> None:
    ring = Ring.random(np.random.default_rng(0))
    assert json.loads(json.dumps(asdict(ring)))["finger"]
