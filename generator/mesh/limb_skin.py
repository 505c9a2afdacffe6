"""What feet and bare arms of one person have on and under their skin, beyond its color."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.hand.vectors import Fraction


@dataclass(frozen=True)
class LimbSkin:
    """One person's skin of legs and arms; its patterns lie in the bind pose.

    :param age: 0..1, how deep folds are and how far veins stand out.
    :param blood: 0..1, how red it is in blotches and specks.
    :param place: (3,) metres, where in the patterns the limb lies, so that no two persons' are alike.
    :param hair: 0..1, how much grows on the legs.
    :param callus: 0..1, how thick and yellow the skin is where the foot rubs.
    """

    age: Fraction
    blood: Fraction
    place: tuple[float, float, float]
    hair: Fraction = 0.0
    callus: Fraction = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator, aged: bool = False) -> LimbSkin:
        """Draw a person's skin; ``aged``: older and redder, as in a clinic."""
        age, blood = rng.beta(2.5, 1.5, 2) if aged else rng.beta(1.5, 2.2, 2)
        x, y, z = rng.uniform(0.0, 10.0, 3).round(4).tolist()
        hair = float(rng.beta(1.2, 1.5)) if rng.random() < 0.5 else 0.0
        return cls(float(age), float(blood), (x, y, z), hair, float(rng.beta(1.0, 1.6)))

    def rest(self, vertices: np.ndarray) -> np.ndarray:
        """Where vertices (V, 3) of the bind pose lie in the patterns, (V, 3) float32 metres."""
        return np.asarray(vertices + self.place, np.float32)

    def marks(self, sole: np.ndarray) -> np.ndarray:
        """What the material reads at the vertices, (V, 3) float32: sole (V,) 0..1, age and blood."""
        return np.stack([sole, np.full(len(sole), self.age), np.full(len(sole), self.blood)], 1).astype(np.float32)
