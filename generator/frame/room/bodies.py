"""The people whose hands are seen: trunk, head and clothed upper arms, a table, and what is behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from generator.frame.crowd import Crowd, SeenHand
from generator.frame.elbow import PLACE
from generator.frame.room import materials, people
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Material
from generator.frame.room.things import Things
from generator.hand.anatomy import BONES
from generator.hand.kinematics import PosedSkeleton

_FOREARM = BONES.index("forearm")


def fill_scene(
    things: Things, rng: np.random.Generator, crowd: Crowd, hands: Sequence[PosedSkeleton], view: View, *, alone: bool
) -> None:
    """Put all but the hands into the scene.

    :param hands: those of the crowd, as if all were right ones.
    :param alone: without walls and furniture, as an image of its own stands for what is behind the people.
    """
    clothes = {number: materials.cloth(rng) for number in range(max(hand.person for hand in crowd.hands) + 1)}
    for number, person in enumerate(crowd.persons, start=int(crowd.kind == "egocentric")):
        cloth = clothes.get(number) or materials.cloth(rng)
        people.trunk(things, rng, cloth, np.array(person.axes), np.array(person.middle), person.tone)
    for hand, posed in zip(crowd.hands, hands, strict=True):
        _upper_arm(things, rng, hand, posed, clothes[hand.person])
    if crowd.table is not None:
        normal, point = (np.array(part) for part in crowd.table)
        things.table(rng, view, normal, point, int(rng.integers(0, 9)))
    if alone:
        return
    if rng.random() < 0.8:
        cover = materials.cloth(rng) if rng.random() < 0.3 else materials.surface(rng)
        things.wall(rng, view, cover, float(rng.uniform(0.6, 3.0)))
    if rng.random() < 0.6:
        things.fill_room(rng, view)


def _upper_arm(things: Things, rng: np.random.Generator, hand: SeenHand, posed: PosedSkeleton, cloth: Material) -> None:
    """A sleeve from the shoulder to somewhere on the upper arm, or as far as the elbow."""
    mirror = np.array([-1, 1, 1] if hand.side == "left" else [1, 1, 1])
    moved = posed.transforms[_FOREARM]
    elbow = (moved[:3, :3] @ [0.0, 0.0, -PLACE] + moved[:3, 3]) * mirror
    shoulder = np.array(hand.shoulder)
    fraction = rng.uniform(0.35, 0.7) if rng.random() < 0.5 else 0.97
    people.limb(things, cloth, shoulder, shoulder + fraction * (elbow - shoulder), 0.062)
