"""What arms of indoor scenes wear: a sleeve, a watch or a band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.frame.elbow import Elbow
from generator.frame.room import materials
from generator.frame.room.materials import Material
from generator.frame.room.props import SceneProps
from generator.frame.room.shapes import Shape, pick
from generator.frame.room.transforms import rotation_to, transform
from generator.hand.vectors import NotNegative, Sizes
from generator.mesh import sleeve
from generator.mesh.gloves import Glove
from generator.mesh.sleeve import Folds

_SHOULDER = -0.41
"""Where sleeves end in a shirt, metres from the wrist of an arm of the model's length."""


@dataclass(frozen=True)
class WatchFace:
    """What is on a watch's band.

    :param along: where its centre is, metres from the wrist; negative, as it lies on the forearm.
    :param size: (3,) metres.
    :param above: whether it is on the back of the arm.
    :param material: its number among the scene's materials.
    """

    shape: Shape
    along: float
    size: Sizes
    above: bool
    material: int

    def matrix(self, band: np.ndarray) -> np.ndarray:
        """Where it is on its band's vertices (V, 3), as a matrix (4, 4) in the bind pose."""
        low, high = band.min(axis=0), band.max(axis=0)
        center = np.array([(low[0] + high[0]) / 2, high[1] if self.above else low[1], self.along])
        return transform(rotation_to(np.array([0.0, 1.0, 0.0]), 0.0), center, np.array(self.size))


@dataclass(frozen=True)
class ArmWear:
    """A tube around an arm.

    :param arm: the number of the arm.
    :param start: where it begins, metres from the wrist; negative, as it lies on the forearm; ``end``: where it ends,
        None beyond the arm's end.
    :param loose: how far it stands off the skin, metres.
    :param bends: whether it is bent with the elbow.
    :param material: its number among the scene's materials.
    :param face: a watch's; None of all else.
    :param tucked: whether it starts under a glove's cuff.
    """

    arm: int
    start: float
    end: float | None
    loose: NotNegative
    folds: Folds
    bends: bool
    material: int
    face: WatchFace | None = None
    tucked: bool = False


def dress(
    props: SceneProps,
    rng: np.random.Generator,
    arm: int,
    elbow: Elbow,
    glove: Glove | None,
    *,
    short: bool,
    cloth: Material | None = None,
) -> list[ArmWear]:
    """Put a sleeve on most arms and a watch on some bare ones.

    Every second sleeve of a bent arm ends above the elbow; every second one goes under the glove's cuff.

    :param short: whether there is too little of an arm to wear anything.
    :param cloth: of the shirt that sleeves are of; None where there is none, for any.
    """
    arm_wear = []
    if rng.random() < sleeve.SLEEVED and not short:
        arm_wear.append(_sleeve(props, rng, arm, elbow, glove, cloth))
    if rng.random() < 0.3 and glove is None and not short:
        arm_wear.append(_watch(props, rng, arm))
    return arm_wear


def _sleeve(
    props: SceneProps, rng: np.random.Generator, arm: int, elbow: Elbow, glove: Glove | None, cloth: Material | None
) -> ArmWear:
    start, loose = sleeve.cut(rng)
    if elbow.angle and rng.random() < 0.5:
        start = -rng.uniform(0.3, 0.4)
    tucked = glove is not None and rng.random() < sleeve.TUCKED
    if glove is not None and tucked:
        start = 0.003 - glove.cuff - glove.under_cuff
    folds = sleeve.draw_folds(rng)
    any_cloth = materials.everyday(rng)
    number, end = props.number(cloth or any_cloth), None
    if cloth is not None:  # there is a shirt that it ends in
        end = min(_SHOULDER, start - 0.02)
    return ArmWear(arm, float(start), end, float(loose), folds, True, number, tucked=bool(tucked))


def _watch(props: SceneProps, rng: np.random.Generator, arm: int) -> ArmWear:
    """A band around the wrist, of a watch or without one."""
    start, wide, loose = -rng.uniform(0.012, 0.05), rng.uniform(0.008, 0.03), rng.uniform(0.001, 0.004)
    folds = sleeve.draw_folds(rng, even=True)
    dark = np.full(3, np.exp(rng.uniform(-5, -2)))
    band = materials.plain(rng, dark, uneven=0.05) if rng.random() < 0.6 else materials.surface(rng)
    number, face = props.number(band), None
    if rng.random() < 0.6:
        across, along = rng.uniform(0.024, 0.042, 2).tolist()
        above, shape = bool(rng.random() < 0.8), pick(rng, "tube", "block")
        made_of = props.number(materials.surface(rng))
        face = WatchFace(shape, float(start - wide / 2), (across, along, 0.012), above, made_of)
    return ArmWear(arm, float(start), float(start - wide), float(loose), folds, False, number, face)
