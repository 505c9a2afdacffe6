"""The light of an indoor scene: one of Blender's HDR environments, a sun or a lamp, the camera's flash."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from generator.frame.frame_look import FrameLook
from generator.hand.camera import Camera
from generator.hand.vectors import Color, NotNegative
from generator.maths import log_uniform

Environment = Literal["city", "courtyard", "forest", "interior", "night", "studio", "sunrise", "sunset"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)
"""Names of the files that Blender includes."""


@dataclass(frozen=True)
class Sun:
    """A sun, or a lamp far away.

    :param towards: (3,) from the hand to it; of any length.
    :param strength: W/m2.
    :param angle: how large it is seen, radians.
    :param color: linear RGB (3,), 0..1.
    """

    towards: tuple[float, float, float]
    strength: NotNegative
    angle: NotNegative
    color: Color


@dataclass(frozen=True)
class Flash:
    """A flash beside the lens: where it is (3,), metres in scene axes, and its power, W."""

    place: tuple[float, float, float]
    power: NotNegative


@dataclass(frozen=True)
class Lamps:
    """The light of an indoor scene.

    :param environment: a panorama of light.
    :param down: by how much the camera looks down in it, radians; ``rotation``: in which direction.
    :param strength: a factor.
    """

    environment: Environment
    down: float
    rotation: float
    strength: NotNegative
    sun: Sun | None
    flash: Flash | None = None


def draw(rng: np.random.Generator, look: FrameLook) -> Lamps:
    """Draw an environment, and a sun or a lamp in part of the images, from where the look's light comes."""
    environment = ENVIRONMENTS[int(rng.integers(len(ENVIRONMENTS)))]
    down = float(rng.uniform(-0.1, 1.4))  # the camera looks ahead, or down on a table
    rotation, strength = float(rng.uniform(0, 2 * np.pi)), log_uniform(rng, 0.5, 2.0)
    shaded = rng.random() < 0.45
    power = float(rng.uniform(0.5, 4.0))
    angle = float(np.radians(log_uniform(rng, 0.5, 40)))
    towards, color = look.light.tolist(), np.clip(look.light_color, 0, 1).tolist()
    sun = None if shaded else Sun((towards[0], towards[1], towards[2]), power, angle, (color[0], color[1], color[2]))
    return Lamps(environment, down, rotation, strength, sun)


def flash_in_some(rng: np.random.Generator, lamps: Lamps, camera: Camera) -> Lamps:
    """With a flash beside the lens in part of the images, in a room that is darker for it."""
    return lamps if rng.random() < 0.7 else with_flash(rng, lamps, camera, 0.1, 0.6)


def with_flash(rng: np.random.Generator, lamps: Lamps, camera: Camera, darkest: float, lightest: float) -> Lamps:
    """A flash beside the lens, in place of the sun, in a room made darker by a factor between these two."""
    across, along = rng.normal(0, 0.06, 2)
    place = (float(across), float(along - camera.distance), float(rng.uniform(0.0, 0.15)))
    power = float(rng.uniform(2, 7) * max(camera.distance, 0.3) ** 2 * 4)
    strength = float(np.float32(lamps.strength)) * float(rng.uniform(darkest, lightest))
    return replace(lamps, sun=None, flash=Flash(place, power), strength=strength)
