"""Which pattern of four samples, the same in all pixels, shows straight edges best: Cycles' patterns by their seeds.

python benchmarks/samples.py                three thousand seeds, half a minute; the best, and what others are worth
"""

from __future__ import annotations

import argparse
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np

from generator.blender import rig
from generator.blender.engines import cycles, exr

SAMPLES = 4
SIZE = 4
"""Pixels, wide and high, in which the samples' places are read."""


def places(scene: bpy.types.Scene, seed: int) -> np.ndarray:
    """Where in a pixel the samples of a seed are, (SAMPLES, 2) from 0 to 1, from the left and from the top."""
    scene.cycles.seed, scene.cycles.sample_subset_length = seed, 1
    found = []
    for number in range(SAMPLES):
        scene.cycles.sample_offset = number
        seen = exr.render()["Combined"] * SIZE
        across, down = seen[..., 0] - np.arange(SIZE), seen[..., 1] - np.arange(SIZE)[:, None]
        if max(across.std(), down.std()) > 1e-3:
            raise RuntimeError("the samples lie elsewhere in each pixel")
        found.append((across.mean(), down.mean()))
    return np.array(found)


def off(samples: np.ndarray, edges: int = 4000) -> tuple[float, float]:
    """How far coverage (root of the mean square) and the outline at half coverage (mean, pixels outward) are off.

    :param samples: (S, 2), their places in a pixel.
    """
    rng = np.random.default_rng(0)
    rotation = rng.uniform(0, 2 * np.pi, edges)
    across, where = np.stack([np.cos(rotation), np.sin(rotation)]), rng.uniform(-0.7, 0.7, edges)
    grid = (np.stack(np.meshgrid(*[np.arange(24)] * 2), -1).reshape(-1, 2) + 0.5) / 24
    true, seen = (((points - 0.5) @ across < where).mean(axis=0) for points in (grid, samples))
    half = np.sort((samples - 0.5) @ across, axis=0)[(len(samples) + 1) // 2 - 1]
    return float(np.sqrt(((seen - true) ** 2).mean())), float(-half.mean())


def scene() -> bpy.types.Scene:
    """A scene whose image says where in it each sample was taken: red from the left, green from the top."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    engine = cycles.Cycles(SAMPLES)
    corners = np.array([[-1, -1, -1], [1, -1, -1], [1, -1, 1], [-1, -1, 1]], np.float32)
    data = bpy.data.meshes.new("square")
    rig.fill(data, corners, np.array([[0, 1, 2], [0, 2, 3]]))
    light = np.stack([(corners[:, 0] + 1) / 2, (1 - corners[:, 2]) / 2, np.zeros(4), np.ones(4)], axis=1)
    data.attributes.new(cycles.LIGHT, "FLOAT_COLOR", "POINT").data.foreach_set(
        "color", light.astype(np.float32).ravel()
    )
    data.materials.append(engine._cloth)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("square", data))
    camera: Any = SimpleNamespace(width=SIZE, height=SIZE, matrix=np.diag([SIZE / 2, SIZE / 2, 1.0]))
    engine._aim(camera, (0, 0, SIZE, SIZE))
    return bpy.context.scene


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3000)
    made = scene()
    found = {seed: places(made, seed) for seed in range(parser.parse_args().seeds)}
    by_error = sorted(found, key=lambda seed: off(found[seed]))
    rng = np.random.default_rng(1)
    rows = [(f"seed {seed}", *off(found[seed])) for seed in (*by_error[:8], by_error[len(found) // 2])]
    rows.append(("2x2 grid", *off(np.array([[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]]))))
    rows.append(("random", *np.mean([off(rng.random((SAMPLES, 2))) for _ in range(200)], axis=0)))
    for name, coverage, outline in rows:
        print(f"{name:10s} coverage is off by {coverage:.3f}, outlines are {outline:+.3f} pixels wide")
    print("places of", cycles._PATTERN, found.get(cycles._PATTERN, np.zeros(0)).round(2).tolist())


if __name__ == "__main__":
    main()
