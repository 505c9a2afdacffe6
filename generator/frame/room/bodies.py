"""The people whose hands are seen: their bodies, sleeves on their upper arms, a table, and what is behind."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from generator.frame.crowd import Crowd, SeenHand
from generator.frame.elbow import PLACE
from generator.frame.room import materials, people, rooms
from generator.frame.room.arm_view import View
from generator.frame.room.materials import Material
from generator.frame.room.props import SceneProps
from generator.hand.anatomy import BONES
from generator.hand.kinematics import PosedSkeleton

_FOREARM = BONES.index("forearm")
_OWN = -0.2
"""How high one's own shoulders are in an egocentric view, metres from the eye."""
_SUNK, _SHORT = 0.02, 0.45
"""Where short sleeves begin in the shirt, and end, as fractions of the upper arm."""


def draw_clothes(rng: np.random.Generator, crowd: Crowd) -> dict[float, Material]:
    """What each person with a hand wears on trunk and arms, by the person's number."""
    return {number: materials.cloth(rng) for number in sorted({hand.person for hand in crowd.hands})}


def fill_scene(
    props: SceneProps,
    rng: np.random.Generator,
    crowd: Crowd,
    hands: Sequence[PosedSkeleton],
    clothes: dict[float, Material],
    sleeved: Collection[float],
    view: View,
    *,
    alone: bool,
) -> None:
    """Put all but the hands into the scene.

    :param hands: those of the crowd, as if all were right ones.
    :param clothes: what the persons with hands wear; ``sleeved``: whose sleeves are long.
    :param alone: without walls and furniture, as an image of its own stands for what is behind the people.
    """
    up = _up(crowd)
    sits = _sit(rng, crowd)
    own = float(-view.camera.distance * up[1]) + _OWN
    level = min((float(up @ person.center) for person in crowd.persons), default=own) - people.TALL[sits]
    props.up, props.ground = up, level
    for number, person in enumerate(crowd.persons, start=int(crowd.kind == "egocentric")):
        cloth = clothes.get(number) or materials.cloth(rng)
        axes, center = np.array(person.axes), np.array(person.center)
        reaching = {-1 if hand.side == "right" else 1 for hand in crowd.hands if hand.person == number}
        pocketed = tuple(side for side in (-1, 1) if side not in reaching)
        bare, tall = number not in sleeved if reaching else None, float(up @ center - level)
        people.dressed(props, rng, cloth, axes, center, person.tone, sits=sits, pocketed=pocketed, bare=bare, tall=tall)
    for hand, posed in zip(crowd.hands, hands, strict=True):
        _upper_arm(props, rng, hand, posed, clothes[hand.person])
    _table(props, rng, crowd, view)
    if alone:
        return
    if rng.random() < 0.9:
        rooms.fill_room(props, rng, view)
    props.floor_below(rng, view)


def _up(crowd: Crowd) -> np.ndarray:
    """The vertical (3,) of the people, or of their table."""
    if crowd.persons:
        return np.array(crowd.persons[0].axes)[:, 2]
    return np.array([0.0, 0.0, 1.0] if crowd.table is None else crowd.table[0])


def _sit(rng: np.random.Generator, crowd: Crowd) -> bool:
    """Whether all sit: at a table that is higher than their laps, and now and then without one."""
    chance = bool(rng.random() < 0.3)
    if crowd.table is None or not crowd.persons:
        return chance
    normal, point = (np.array(part) for part in crowd.table)
    return bool((point @ normal - min(normal @ person.center for person in crowd.persons)) > people.LAP + 0.05)


def _table(props: SceneProps, rng: np.random.Generator, crowd: Crowd, view: View) -> None:
    """A table before the people, from one's own body on where they are seen through somebody's eyes."""
    count, (deep, wide, aside) = int(rng.integers(0, 9)), rng.uniform([0.45, 0.8, -0.2], [1.1, 1.8, 0.2])
    eye = view.camera.position
    if crowd.table is None:
        return
    normal, point = (np.array(part) for part in crowd.table)
    if (eye - point) @ normal < 0.1:  # its edge alone would be seen
        return
    back = np.array([0.0, 1.0, 0.0]) - normal[1] * normal
    back /= np.linalg.norm(back)
    rotation = np.stack([np.cross(back, normal), back, normal], axis=1)
    own = float(eye @ back) + 0.12
    far = own + deep
    if props.bodies:
        local = np.concatenate(props.bodies)
        height, front = (local[:, :3] - point) @ normal, local[:, :3] @ back - local[:, 3]
        far = float(front[np.abs(height) < local[:, 3]].min(initial=far if crowd.kind == "egocentric" else np.inf))
        far = far if np.isfinite(far) else float(front.min())
    near = own if crowd.kind == "egocentric" else far - deep
    seen = np.array([hand.pose[0] * (-1 if hand.side == "left" else 1) for hand in crowd.hands])
    if crowd.kind == "people":
        wide, aside = max(wide, np.ptp(seen) + 0.5), aside + (seen.min() + seen.max()) / 2
    center = rotation[:, 0] * aside + back * (near + far) / 2 + normal * (point @ normal)
    props.desk(rng, view, rotation, center, np.array([wide, max(far - near, 0.25)]), count)


def _upper_arm(
    props: SceneProps, rng: np.random.Generator, hand: SeenHand, posed: PosedSkeleton, cloth: Material
) -> None:
    """A sleeve from the shoulder to the middle of the upper arm."""
    mirror = np.array([-1, 1, 1] if hand.side == "left" else [1, 1, 1])
    moved = posed.transforms[_FOREARM]
    elbow = (moved[:3, :3] @ [0.0, 0.0, -PLACE] + moved[:3, 3]) * mirror
    shoulder = np.array(hand.shoulder)
    start, end = (shoulder + fraction * (elbow - shoulder) for fraction in (_SUNK, _SHORT))
    people.sleeve(props, rng, cloth, start, end, 0.065)
