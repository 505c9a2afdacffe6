"""Rooms around hands: nothing floats, walls are around all that is seen, and nothing hides it."""

import numpy as np
import pytest

from generator.frame.room import furniture, people, rooms
from generator.frame.room.arm_view import View
from generator.frame.room.props import PLANE_SIZE, SceneProps
from generator.hand.camera import Camera

TUBE = np.linspace(-0.3, 0.18, 400)[:, None] * [0.0, 0.0, 1.0]
"""Points of an upright arm, its hand above the origin."""
VIEW = View(Camera(480, 360, 0.6), TUBE, TUBE[:, 2] > 0, np.zeros(400, int))
EYE = np.array([0.0, -0.6, 0.0])
CORNERS = np.array([[x, y, z, 2] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2


class Recorded(SceneProps):
    """Keeps the corners (N, 3) of each piece of furniture apart."""

    def __init__(self):
        super().__init__()
        self.pieces = []

    def assemble(self, parts, matrix):
        corners = [(matrix @ part.matrix @ CORNERS.T).T[:, :3] for part in parts]
        self.pieces.append(np.concatenate(corners))
        super().assemble(parts, matrix)


def room(seed, slant=None):
    props, rng = Recorded(), np.random.default_rng(seed)
    if slant is not None:
        props.up = np.array([0.0, -np.cos(slant), np.sin(slant)])
    rooms.fill_room(props, rng, VIEW)
    return props


def floors(props):
    """The levels of all planes without an end whose normal is up."""
    matrices = [np.array(prop.matrix) for prop in props.props if prop.shape == "box"]
    flat = [
        one for one in matrices if np.linalg.norm(one[:3, 0]) > 0.99 * PLANE_SIZE and one[:3, 2] @ props.up > 0.0399
    ]
    return [float((one[:3, 3] + one[:3, 2] / 2) @ props.up) for one in flat]


@pytest.mark.parametrize("slant", [None, 0.9, 1.3])
def test_no_furniture_is_without_a_floor_under_it(slant):
    stood = hung = on_top = 0
    for seed in range(40):
        props = room(seed, slant)
        assert floors(props) == pytest.approx([props.ground]) and props.floored
        tops = [float((piece @ props.up).max()) for piece in props.pieces]
        walls = [np.array(prop.matrix) for prop in props.props if prop.shape == "wall"]
        for piece in props.pieces:
            lowest = float((piece @ props.up).min())
            if lowest == pytest.approx(props.ground, abs=1e-6):
                stood += 1
            elif any(lowest == pytest.approx(top, abs=1e-6) for top in tops):
                on_top += 1
            else:
                hung += 1
                local = np.column_stack([piece, np.ones(len(piece))]) @ np.linalg.inv(walls[0]).T
                assert local[:, 1].max() == pytest.approx(-0.5, abs=1e-6), "it hangs on the wall behind"
    assert stood > 20 and hung > 10 and on_top > 3


def test_walls_and_ceiling_are_around_the_camera_arms_and_people_and_furniture():
    closed = 0
    for seed in range(40):
        props, rng = Recorded(), np.random.default_rng(seed)
        if seed % 2:
            people.person(props, rng, VIEW)
        rooms.fill_room(props, rng, VIEW)
        walls = [np.array(prop.matrix) for prop in props.props if prop.shape == "wall"]
        if not walls:
            continue
        closed += 1
        balls = np.concatenate([np.column_stack([[*TUBE, EYE], np.zeros(len(TUBE) + 1)]), *props.bodies])
        inside = np.concatenate([balls[:, :3], *props.pieces])
        behind, left, right = walls[:3]
        for wall, axis, side in ((behind, 1, -1), (left, 0, 1), (right, 0, -1)):
            along = (inside - wall[:3, 3]) @ (wall[:3, axis] / np.linalg.norm(wall[:3, axis])) * side
            assert along.min() > np.linalg.norm(wall[:3, axis]) / 2 - 1e-6
    assert closed > 25


def test_furniture_hides_nothing_of_hands():
    for seed in range(40):
        for piece in room(seed).pieces:
            assert VIEW.camera.to_camera(piece)[:, 2].min() > VIEW.behind(0.1) - 0.03


def test_tables_stand_on_floors_and_walls_end_nowhere():
    tables = 0
    for seed in range(60):
        props, rng = SceneProps(), np.random.default_rng(seed)
        props.furnish(rng, VIEW)
        legs = [np.array(one.matrix) for one in props.props if one.shape == "box"]
        legs = [one for one in legs if np.linalg.norm(one[:3, :2], axis=0) == pytest.approx([0.05, 0.05])]
        legs = [one for one in legs if np.linalg.norm(one[:3, 2]) >= 0.68 - 1e-9]
        if not props.props:
            continue
        top = np.array(props.props[0].matrix)
        if np.linalg.norm(top[:3, 0]) > 0.99 * PLANE_SIZE:
            assert not legs
            continue
        tables += 1
        assert top[2, 2] > 0 and len(legs) == 4, "what has an edge is a table"
        lowest = [(one[:3, 3] - one[:3, 2] / 2) @ props.up for one in legs]
        assert lowest == pytest.approx([props.ground] * 4) and floors(props) == pytest.approx([props.ground])
        assert props.ground < (TUBE @ props.up).min(), "no arm is cut by the floor"
    assert tables > 10


def test_everybody_stands_on_one_floor():
    for seed in range(30):
        props, rng = SceneProps(), np.random.default_rng(seed)
        people.distract(props, rng, VIEW)
        props.floor_below(rng, VIEW)
        if props.bodies:
            assert props.floored and floors(props) == pytest.approx([props.ground])
        shoes = [np.array(one.matrix) for one in props.props if one.shape == "block"]
        soles = np.array([one[:3, 3] @ props.up - np.linalg.norm(one[:3, 2]) / 2 for one in shoes])
        assert np.abs(soles - (props.ground or 0.0)).max(initial=0.0) < 0.03, "people lean by little"


def test_furniture_is_as_high_as_it_is_in_rooms():
    rng = np.random.default_rng(1)
    for draw, low, high in ((furniture.draw_large, 0.3, 2.1), (furniture.draw_small, 0.1, 0.35)):
        made = [draw(rng) for _ in range(40)]
        for one in made:
            corners = furniture.extent(one.parts)
            assert corners == (pytest.approx(one.low), pytest.approx(one.high))
            assert low - 1e-9 <= (one.high - one.low)[2] <= high + 1e-9
