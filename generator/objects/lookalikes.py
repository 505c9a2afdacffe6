"""What lies about and has fingers, or the shape of some: empty gloves, combs, rakes, scissors, pegs, branches, roots.

Z is an object's long axis, and Y its thickness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from generator.hand import kinematics
from generator.hand.anatomy import skeleton
from generator.maths import Triple, log_uniform, rotation_about
from generator.mesh import glove_mesh, hand_mesh, skinning
from generator.mesh.gloves import Glove
from generator.objects import surfaces
from generator.objects.catalog import ObjectModel
from generator.objects.solids import Box, Mesh, Part, Tube, at
from generator.objects.surfaces import Surface


@dataclass(frozen=True)
class Shell:
    """An open surface: a part of an empty glove.

    :param glove: what it is of.
    :param of: ``hand``, ``patch`` or ``cuff``.
    """

    glove: Glove
    of: str

    def distance(self, points: np.ndarray) -> np.ndarray:
        """From the nearest of its vertices; nothing is inside."""
        from scipy.spatial import cKDTree  # rendering needs none

        return np.asarray(cKDTree(self.mesh()[0]).query(points)[0])

    def mesh(self) -> Mesh:
        """As it lies."""
        vertices, faces, part = _empty_glove(self.glove)
        mine = faces[part == ("hand", "patch", "cuff").index(self.of)]
        used, index = np.unique(mine, return_inverse=True)
        return vertices[used], index.reshape(-1, 3).astype(np.int32)


@lru_cache(maxsize=8)
def _empty_glove(glove: Glove) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An empty glove: vertices (V, 3) m, faces (F, 3), and of which part each face is, (F,): hand, patch, cuff."""
    rng = np.random.default_rng((glove.seed, 0xE))
    gloved = glove_mesh.wear(glove)
    pose = np.zeros(28)
    bends = rng.uniform(-0.1, 0.5) + rng.normal(0, 0.2, (4, 3))
    for finger, first in enumerate((8, 12, 16, 20)):
        pose[first : first + 4] = np.clip(np.insert(bends[finger], 1, rng.normal(0, 0.12)), -0.3, 1.6)
    pose[24:28] = rng.uniform(-0.2, 0.5), rng.uniform(-0.2, 0.4), rng.uniform(0, 0.5), rng.uniform(0, 0.8)
    moved = skinning.skin(gloved.vertices.astype(float), gloved.weights.astype(float),
                          kinematics.transforms(pose, skeleton()))  # fmt: skip
    moved -= moved[gloved.cover > 0].mean(axis=0)
    thick = np.clip(1000 * glove.thickness, 0.2, 5.0)
    flat = float(np.clip(rng.uniform(0.1, 0.4) + 0.1 * thick, 0.15, 0.9))  # what is stiff keeps its shape
    moved[:, 1] *= flat
    for _ in range(14):  # limp cloth lies in waves
        way = rng.normal(size=3) * [1.0, 0.3, 1.0]
        way *= 2 * np.pi / (np.linalg.norm(way) * rng.uniform(0.03, 0.14))
        wave = np.sin(moved @ way + rng.uniform(0, 2 * np.pi))
        moved = moved + 0.0024 * rng.normal(0, 1.0) * wave[:, None] * rng.normal(0, 1.0, 3) * [0.8, 1.0, 0.8]
    kept = (gloved.cover[gloved.faces] > 0).all(axis=1)
    hand = hand_mesh.build().wrist_distance
    beyond = np.concatenate([hand, gloved.vertices[len(hand) :, 2]])
    kept &= gloved.cuff[gloved.faces].any(axis=1) | (beyond[gloved.faces] > -0.001).all(axis=1)
    faces = gloved.faces[kept]
    part = np.where((gloved.patch[faces] > 0).all(axis=1), 1, 0)
    part = np.where(gloved.cuff[faces].all(axis=1) & (gloved.vertices[faces][..., 2].max(axis=1) < -0.012), 2, part)
    return moved, faces, part


def glove(rng: np.random.Generator) -> ObjectModel:
    """An empty glove of any kind, limp."""
    one = Glove.random(rng)
    part_of = _empty_glove(one)[2]
    parts = tuple(Part(Shell(one, name), number) for number, name in enumerate(("hand", "patch", "cuff"))
                  if (part_of == number).any())  # fmt: skip
    made = (
        _finish(one.finish, one.color, one.roughness),
        _finish(one.patch_finish, one.patch_color, one.patch_roughness),
        _finish(one.finish, one.cuff_color, one.roughness),
    )
    if rng.random() < 0.5:  # a left one
        parts = tuple(Part(part.solid, part.surface, at(rotation=rotation_about(2, np.pi))) for part in parts)
    return ObjectModel("glove", parts, made)


def _finish(finish: str, color: Triple, roughness: float) -> Surface:
    kind = {"rubber": "peel", "leather": "leather", "fabric": "mottled"}.get(finish, "knit")
    red, green, blue = (float(round(0.85 * part, 5)) for part in color)
    scale = {"peel": 25.0, "leather": 250.0, "mottled": 120.0}.get(kind, 500.0)
    return Surface(kind, color, (red, green, blue), float(np.clip(roughness, 0, 1)), scale)


def comb(rng: np.random.Generator) -> ObjectModel:
    """A comb, or an afro pick with long teeth."""
    count, wide = int(rng.integers(5, 30)), float(rng.uniform(0.05, 0.17))
    tooth, thick = float(rng.uniform(0.02, 0.09)), float(np.clip(0.3 * wide / count, 0.0006, 0.003))
    parts = [Part(Box((wide + 0.01, 0.004, 0.016), 0.0019))]
    for x in np.linspace(-wide / 2, wide / 2, count):
        parts.append(Part(Tube(((x, 0, 0.0), (x, 0, -tooth)), (thick, 0.5 * thick), sides=8)))
    if rng.random() < 0.5:
        parts.append(Part(Tube(((wide / 2, 0, 0.0), (wide / 2 + 0.1, 0, 0.004)), (0.007, 0.006), 0.4)))
    return ObjectModel("comb", tuple(parts), (surfaces.plastic(rng) if rng.random() < 0.7 else surfaces.wood(rng),))


def rake(rng: np.random.Generator) -> ObjectModel:
    """A hand rake, garden fork, back scratcher or serving claw: three to six tines that curve, on a handle."""
    count, reach = int(rng.integers(3, 7)), float(rng.uniform(0.04, 0.11))
    spread, curve = float(rng.uniform(0.15, 0.5)), float(rng.uniform(0.0, 0.8))
    thick = float(rng.uniform(0.002, 0.007))
    parts = [
        Part(Tube(((0, 0, -0.16), (0, 0, -0.03)), (0.014, 0.011)), 1),
        Part(Tube(((0, 0, -0.04), (0, 0, 0.0)), (0.006, 0.006))),
    ]
    for angle in np.linspace(-spread, spread, count):
        fraction = np.linspace(0, 1, 6)
        along, away = reach * fraction, -curve * reach * fraction**2
        line = np.stack([np.sin(2 * angle * (0.4 + 0.6 * fraction)) * along, away, np.cos(angle) * along], axis=1)
        radii = thick * np.linspace(1, 0.55, 6)
        parts.append(Part(Tube(tuple(map(tuple, line.tolist())), tuple(radii.tolist()), sides=10)))
    tines = (surfaces.metal(rng), surfaces.plastic(rng), surfaces.wood(rng))[rng.integers(3)]
    return ObjectModel(
        "rake", tuple(parts), (tines, surfaces.wood(rng) if rng.random() < 0.5 else surfaces.plastic(rng))
    )


def scissors(rng: np.random.Generator) -> ObjectModel:
    """Scissors or tongs, open by some degrees."""
    parts: list[Part] = []
    long, ring, rotated = (
        float(rng.uniform(0.05, 0.13)),
        float(rng.uniform(0.014, 0.022)),
        float(rng.uniform(0.02, 0.4)),
    )
    for side in (-1, 1):
        rotation = rotation_about(1, side * rotated)
        parts.append(
            Part(
                Tube(((0, 0, -0.02), (0, 0, 0.4 * long), (-side * 0.003, 0, long)), (0.006, 0.007, 0.001), 0.25),
                0,
                at(y=side * 0.0018, rotation=rotation),
            )
        )
        parts.append(
            Part(
                Tube(((0, 0, -0.015), (-side * 0.006, 0, -0.05)), (0.0045, 0.004), 0.7),
                1,
                at(y=side * 0.0018, rotation=rotation),
            )
        )
        angle = np.linspace(0.0, 2 * np.pi, 17)
        loop = np.stack(
            [
                -side * 0.006 + side * 0.004 + ring * np.sin(angle),
                0 * angle,
                -0.05 - 1.3 * ring + 1.3 * ring * np.cos(angle),
            ],
            axis=1,
        )
        parts.append(
            Part(
                Tube(tuple(map(tuple, loop.tolist())), (0.004,) * 17, sides=10),
                1,
                at(y=side * 0.0018, rotation=rotation),
            )
        )
    return ObjectModel(
        "scissors",
        tuple(parts),
        (surfaces.metal(rng), surfaces.plastic(rng) if rng.random() < 0.7 else surfaces.metal(rng)),
    )


def peg(rng: np.random.Generator) -> ObjectModel:
    """A clothes peg of wood or plastic."""
    parts, open_by = [], float(rng.uniform(0.05, 0.2))
    for side in (-1, 1):
        rotation = rotation_about(1, side * open_by)
        parts.append(Part(Box((0.006, 0.01, 0.075), 0.0015), 0, at(side * 0.006, rotation=rotation)))
    parts.append(Part(Tube(((-0.01, 0, 0), (0.01, 0, 0)), (0.004, 0.004), sides=10), 1))
    return ObjectModel(
        "peg", tuple(parts), (surfaces.wood(rng) if rng.random() < 0.6 else surfaces.plastic(rng), surfaces.metal(rng))
    )


def branch(rng: np.random.Generator) -> ObjectModel:
    """A branch with twigs, a root of ginger, or a piece of coral: rods that fork as fingers do."""
    thick, long = log_uniform(rng, 0.004, 0.018), float(rng.uniform(0.1, 0.22))
    parts: list[Part] = []

    def grow(start: np.ndarray, way: np.ndarray, length: float, radius: float, left: int) -> None:
        fraction = np.linspace(0, 1, 5)[:, None]
        bow = rng.normal(0, 0.15, 3) * [1.0, 0.4, 1.0]
        line = start + length * fraction * way + length * fraction * (1 - fraction) * bow
        radii = radius * np.linspace(1.0, 0.75, 5)
        parts.append(Part(Tube(tuple(map(tuple, line.tolist())), tuple(radii.tolist()), sides=12)))
        for _ in range(int(rng.integers(2, 5)) if left else 0):
            aside = way + rng.normal(0, 0.6, 3) * [1.0, 0.4, 1.0]
            grow(
                line[int(rng.integers(2, 5))],
                aside / np.linalg.norm(aside),
                length * rng.uniform(0.35, 0.7),
                0.7 * radius,
                left - 1,
            )

    grow(np.array([0.0, 0.0, -long / 2]), np.array([0.0, 0.0, 1.0]), 0.6 * long, thick, int(rng.integers(1, 3)))
    bark = surfaces.of_hues(rng, "mottled", (0.04, 0.13), (0.2, 0.6), (0.2, 0.85), (0.6, 1.0), (100, 400))
    return ObjectModel("branch", tuple(parts), (bark,))


def carrots(rng: np.random.Generator) -> ObjectModel:
    """A bunch of carrots, parsnips, asparagus, beans or candles: rods that taper, side by side."""
    count, long = int(rng.integers(3, 7)), float(rng.uniform(0.08, 0.19))
    thick = float(rng.uniform(0.006, 0.017))
    parts = []
    for number in range(count):
        x, lean = (number - (count - 1) / 2) * 1.9 * thick, rng.normal(0, 0.12)
        size, bow = long * rng.uniform(0.8, 1.15), rng.normal(0, 0.008)
        fraction = np.linspace(0, 1, 8)
        line = np.stack(
            [
                x + size * lean * fraction + bow * np.sin(np.pi * fraction),
                0 * fraction + rng.normal(0, 0.002),
                size * (fraction - 0.5),
            ],
            axis=1,
        )
        radii = thick * rng.uniform(0.8, 1.1) * np.interp(fraction, [0, 0.1, 0.8, 1], [0.8, 1.0, 0.7, 0.35])
        parts.append(Part(Tube(tuple(map(tuple, line.tolist())), tuple(radii.tolist()), sides=14)))
    hue = ((0.03, 0.09), (0.08, 0.14), (0.2, 0.35), (0.0, 0.06))[rng.integers(4)]
    return ObjectModel(
        "carrots", tuple(parts), (surfaces.of_hues(rng, "mottled", hue, (0.3, 0.9), (0.4, 0.95), (0.3, 0.7)),)
    )


def glove_box(rng: np.random.Generator) -> ObjectModel:
    """A box of paper gloves or tissues, with what comes out of its slit."""
    wide, deep, high = rng.uniform(0.1, 0.14), rng.uniform(0.05, 0.09), rng.uniform(0.2, 0.25)
    parts = [Part(Box((wide, deep, high), 0.002))]
    for _ in range(int(rng.integers(1, 4))):
        x, z, tip = rng.normal(0, 0.012), rng.normal(0, 0.04), rng.uniform(0.02, 0.06)
        parts.append(
            Part(
                Tube(
                    ((x, -0.4 * deep, z), (x + rng.normal(0, 0.01), -0.5 * deep - tip, z + rng.normal(0, 0.03))),
                    (0.018, 0.009),
                    0.6,
                ),
                1,
            )
        )
    one = Glove.random(rng, "nitrile")
    return ObjectModel("glove_box", tuple(parts), (surfaces.label(rng), _finish(one.finish, one.color, one.roughness)))


LOOKALIKES: tuple[Callable[[np.random.Generator], ObjectModel], ...] = (
    glove, comb, rake, scissors, peg, branch, carrots, glove_box,
)  # fmt: skip
"""Functions that draw an object of each kind."""
