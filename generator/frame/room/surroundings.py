"""All that an indoor scene has around the hands, or around what an image without a hand shows; and how it is taken.

Drawn from (seed, frame) once the hands are posed, since nothing may touch them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from generator.frame import camera_effects
from generator.frame.camera_effects import Photo
from generator.frame.crowd import Crowd
from generator.frame.elbow import PLACE, Elbow
from generator.frame.empty_scene import EmptyScene
from generator.frame.frame_look import FrameLook
from generator.frame.hand_look import HandLook
from generator.frame.room import (
    arm_wear,
    bodies,
    empty,
    glass,
    lamps,
    materials,
    mirror,
    occluders,
    people,
    pocket,
    rooms,
)
from generator.frame.room.arm_view import View
from generator.frame.room.arm_wear import ArmWear
from generator.frame.room.lamps import Lamps
from generator.frame.room.materials import Glass, Material, Mirror
from generator.frame.room.mirror import Plane
from generator.frame.room.props import Prop, SceneProps
from generator.frame.settings import RenderSettings
from generator.hand.kinematics import PosedSkeleton
from generator.maths import log_uniform
from handforge.rng import stream


@dataclass(frozen=True)
class Surroundings:
    """What is around, in numbers.

    :param arm_wear: what arms wear, on top of their skin.
    :param props: one shape after another; numbers of materials are places in ``materials``.
    :param photo: what the camera makes of it.
    """

    lamps: Lamps
    arm_wear: tuple[ArmWear, ...]
    props: tuple[Prop, ...]
    materials: tuple[Material, ...]
    photo: Photo

    def __post_init__(self) -> None:
        used = [one.material for one in self.props]
        for one in self.arm_wear:
            used += [one.material] if one.face is None else [one.material, one.face.material]
        if missing := [number for number in used if not 0 <= number < len(self.materials)]:
            raise ValueError(f"there is no material {missing[0]}; the {len(self.materials)} are numbered from 0")

    @property
    def mirror(self) -> Plane | None:
        """The plane of the mirror, if there is one."""
        return mirror.plane_of(self.props, self.materials)

    @property
    def clear(self) -> bool:
        """Whether there is glass or a mirror, through which hands may be seen."""
        return any(isinstance(one, Glass | Mirror) for one in self.materials)


@dataclass(frozen=True)
class BareArm:
    """An arm before it is dressed.

    :param bones: in its pose, as if it were a right one.
    :param short: whether there is too little of it to wear anything.
    """

    look: HandLook
    bones: PosedSkeleton
    elbow: Elbow
    short: bool


def draw(
    settings: RenderSettings,
    number: int,
    look: FrameLook,
    view: View,
    arms: Sequence[BareArm],
    crowd: Crowd | None,
    holds: bool,
) -> Surroundings:
    """Draw what is around hands.

    :param number: the frame's.
    :param view: of the posed arms and of what is held.
    :param crowd: whose hands they are; None where one or two are seen from near.
    :param holds: whether the first holds an object.
    """
    own = partial(stream, settings.seed, number)
    rng, props = own("indoor"), SceneProps()
    light = _lamps(settings, number, rng, look, view)
    others = (own("other sleeves", *[n] * (n > 1)) for n in range(1, len(arms)))
    company = own("crowd surroundings")
    clothes = bodies.draw_clothes(company, crowd) if crowd else {}
    persons = [hand.person for hand in crowd.hands] if crowd else [arm.look.tone for arm in arms]
    dressed, sleeved = _dress(props, [rng, *others], arms, persons, clothes)
    alone = settings.backgrounds is not None
    if crowd is not None:
        bones = [arm.bones for arm in arms]
        bodies.fill_scene(props, company, crowd, bones, clothes, sleeved, view, alone=alone)
    elif alone:
        pass  # an image of its own stands for all that is behind the hand
    elif settings.environment == "random" and _mirrored(props, own("mirror"), view):
        pass  # a wall or a table is there, too
    elif settings.environment == "random" and not holds and len(arms) == 1 and _pocketed(props, own("pocket"), view):
        pass  # and whoever has the pocket
    elif settings.environment == "random":
        around = _vary(props, own("environment"), rng, view)
        behind = own("furniture")
        if around and behind.random() < 0.65:
            rooms.fill_room(props, behind, view)
    else:
        props.furnish(rng, view)
    beside = own("distractors")
    if settings.distractors == "random" and beside.random() < 0.4:
        people.distract(props, beside, view)
    if not alone:
        props.floor_below(own("floor"), view)
    before = own("occluders")
    if settings.occluders == "random" and (chance := before.random()) < 0.4:
        full = holds or any(prop.shape == "drape" for prop in props.props)  # nothing else is in a pocket
        (occluders.cover if chance < 0.2 or full else occluders.hold)(props, before, view)
    through = own("glass")
    if settings.occluders == "random" and through.random() < glass.FRACTION:
        glass.put_before(props, through, view)
    photo = _photo(settings, number, rng)
    return Surroundings(light, tuple(dressed), tuple(props.props), props.materials, photo)


def _dress(
    props: SceneProps,
    rngs: Sequence[np.random.Generator],
    arms: Sequence[BareArm],
    persons: Sequence[float],
    clothes: dict[float, Material],
) -> tuple[list[ArmWear], set[float]]:
    """Draw what arms wear, and whose sleeves are long: all of a person's arms have the same.

    :param rngs: one for each arm.
    :param persons: whose each arm is.
    :param clothes: what persons have shirts of; others' sleeves are of any cloth.
    """
    dressed: list[ArmWear] = []
    sleeves: dict[float, list[ArmWear]] = {}
    for index, (rng, arm, person) in enumerate(zip(rngs, arms, persons, strict=True)):
        if person in sleeves:
            dressed += [replace(one, arm=index) for one in sleeves[person]]
            continue
        cloth = clothes.get(person)
        own = arm_wear.dress(props, rng, index, arm.elbow, arm.look.glove, short=arm.short, cloth=cloth)
        sleeves[person] = [one for one in own if one.bends]
        dressed += own
    return dressed, {person for person, own in sleeves.items() if any(one.start > -PLACE for one in own)}


def draw_empty(settings: RenderSettings, number: int, look: FrameLook, scene: EmptyScene) -> Surroundings:
    """Draw what is around the subjects of an image without a hand."""
    rng, props = stream(settings.seed, number, "empty surroundings"), SceneProps()
    points = scene.points()
    view = View(scene.camera, points, np.zeros(len(points), bool), np.zeros(len(points), int))
    light = _lamps(settings, number, rng, look, view)
    if scene.clinic and (own := stream(settings.seed, number, "clinic")).random() < 0.75:
        light = lamps.with_flash(own, light, scene.camera, 0.02, 0.35)
    empty.fill_scene(props, rng, scene, view, alone=settings.backgrounds is not None)
    return Surroundings(light, (), tuple(props.props), props.materials, _photo(settings, number, rng))


def _lamps(settings: RenderSettings, number: int, rng: np.random.Generator, look: FrameLook, view: View) -> Lamps:
    light = lamps.draw(rng, look)
    if settings.light == "mixed":
        return lamps.flash_in_some(stream(settings.seed, number, "flash"), light, view.camera)
    return light


def _photo(settings: RenderSettings, number: int, rng: np.random.Generator) -> Photo:
    cast, shake = None, None
    if settings.exposure == "random":
        cast = camera_effects.draw_cast(stream(settings.seed, number, "exposure"))
        shake = camera_effects.draw_shake(stream(settings.seed, number, "shake"))
    return camera_effects.draw_photo(rng, settings.resolution, cast, shake)


def _mirrored(props: SceneProps, own: np.random.Generator, view: View) -> bool:
    """Put a mirror behind the hands of part of the images."""
    return own.random() < mirror.FRACTION and mirror.put_behind(props, own, view)


def _pocketed(props: SceneProps, own: np.random.Generator, view: View) -> bool:
    """Put the hand into a pocket in part of the images."""
    if own.random() >= pocket.FRACTION or not pocket.put_around(props, own, view):
        return False
    if own.random() < 0.7:
        rooms.fill_room(props, own, view)
    return True


def _vary(props: SceneProps, own: np.random.Generator, rng: np.random.Generator, view: View) -> bool:
    """One of several kinds of surroundings; props are drawn from ``rng`` as where they are the only kind.

    :returns: whether a room could be around them: not where a wall is behind the hand.
    """
    kind = own.random()
    if kind < 0.45:
        return props.furnish(rng, view, more=int(own.integers(5, 40)) if own.random() < 0.4 else 0)
    if kind < 0.6:  # skin-like and strong colours take the mask along in networks that never met them
        made_of = materials.flesh(own, own.uniform(0, 0.7)) if own.random() < 0.5 else materials.strong(own)
        return props.furnish(rng, view, made_of)
    if kind < 0.75:
        props.wall(own, view, materials.cloth(own), log_uniform(own, 0.05, 1.5))
        return False
    if kind < 0.95:
        people.person(props, own, view)
    return True
