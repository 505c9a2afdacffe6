"""How well the built-in hand's outline fits photographed hands.

    python benchmarks/silhouette.py DIR [--picture FILE]

DIR holds ``masks/*.png`` of hands laid open before a plain background, bright on dark, cut at the picture's edge as the
photograph is. For each mask the mesh is posed and shaped within a small range (spread, thumb, wrist, small tilts,
breadth and finger length; left or right, palm or back look alike in outline up to a flip), projected without
perspective, aligned by a similarity transform (size, turn, shift), cut at the picture's edge as the photograph is, and
compared by intersection over union. A sleeve in the photograph counts against the fit.
"""

from __future__ import annotations

import argparse
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from generator import pose
from generator.anatomy import HandShape, Skeleton, skeleton
from generator.dataset import read_mask
from generator.kinematics import transforms
from generator.skinning import skin
from generator.surface import build

GOAL = 0.85
ARM = 0.12  # metres of forearm that can be in the picture
NAMES = (
    "spread", "thumb_flexion", "thumb_abduction", "wrist", "tilt_x", "tilt_z", "curl", "width", "fingers", "girth",
    "turn", "log_size", "x", "y",
)  # fmt: skip
# The range each parameter may take: angles in degrees, shapes as factors' logarithms, the last four in picture units.
LOW = np.array([-9, -25, -10, -25, -20, -25, -4, -0.12, -0.08, -0.12, -80, -0.7, -1, -1], float)
HIGH = np.array([14, 45, 30, 20, 20, 25, 25, 0.12, 0.08, 0.12, 80, 0.9, 1, 1], float)
SHAPE = slice(NAMES.index("width"), NAMES.index("girth") + 1)
STEP = np.array([4, 10, 8, 6, 8, 10, 5, 0.05, 0.03, 0.05, 8, 0.08, 0.06, 0.06])


@lru_cache(maxsize=8)
def hand(shape: HandShape) -> tuple[np.ndarray, np.ndarray, np.ndarray, Skeleton]:
    """Vertices, weights and faces of the part that can be in the picture, and the skeleton."""
    mesh = build(shape)
    kept = mesh.wrist_distance > -ARM
    faces = (np.cumsum(kept) - 1)[mesh.faces[kept[mesh.faces].all(axis=1)]]
    return mesh.vertices[kept].astype(float), mesh.weights[kept], faces, skeleton(shape)


def outline(values: np.ndarray, flip: bool) -> tuple[np.ndarray, np.ndarray]:
    """The posed mesh seen from the palm, (V, 2) in metres, x to the right and y down, and its faces."""
    at = dict(zip(NAMES, values, strict=True))
    width, fingers, girth = np.round(np.exp([at["width"], at["fingers"], at["girth"]]), 2)
    shape = HandShape(width=float(width), finger_length=float(fingers), finger_thickness=float(girth))
    angles = {
        f"{finger}_mcp_abduction": at["spread"] * share
        for finger, share in (("little", -1.0), ("ring", -0.4), ("middle", 0.1), ("index", 0.8))
    }
    angles |= {f"{finger}_{joint}_flexion": at["curl"] for finger in pose.FINGERS[:4] for joint in ("mcp", "pip")}
    angles |= {"thumb_cmc_flexion": at["thumb_flexion"], "thumb_cmc_abduction": at["thumb_abduction"]}
    angles |= {"wrist_deviation": at["wrist"], "forearm_x": at["tilt_x"], "forearm_z": at["tilt_z"]}
    vertices, weights, faces, bones = hand(shape)
    posed = skin(vertices, weights, transforms(pose.with_angles(**angles), bones))
    flat = np.stack([-posed[:, 0] if flip else posed[:, 0], -(posed[:, 2] - 0.09)], axis=1)
    turn = np.radians(at["turn"])
    return flat @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]).T, faces


def draw(values: np.ndarray, flip: bool, size: tuple[int, int], frame: np.ndarray) -> np.ndarray:
    """The outline as a (H, W) bool mask; ``frame`` is the truth's centre and size, px, which the shift counts in."""
    flat, faces = outline(values, flip)
    scale = frame[2] / 0.19 * np.exp(values[NAMES.index("log_size")])
    points = flat * scale + frame[:2] + values[-2:] * frame[2] / 2
    image = np.zeros((size[1] + 2, size[0] + 2), bool)  # a border takes what falls outside the picture
    extent = np.ptp(points[faces], axis=1).max(axis=1)
    for low, high, steps in ((0, 0.7, 0), (0.7, 1.4, 1), (1.4, 3, 3), (3, np.inf, 14)):
        some = faces[(extent > low) & (extent <= high)]
        covered = np.einsum("sc,fcd->sfd", _samples(steps), points[some]) if steps else points[some[:, 0]]
        x, y = np.floor(covered.reshape(-1, 2).T).astype(int) + 1
        image[np.clip(y, 0, size[1] + 1), np.clip(x, 0, size[0] + 1)] = True
    return image[1:-1, 1:-1]


def _samples(steps: int) -> np.ndarray:
    """Barycentric coordinates of an even grid of points in a triangle, (S, 3)."""
    a, b = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1))
    a, b = a[a + b <= steps], b[a + b <= steps]
    return np.stack([a, b, steps - a - b], axis=1) / steps


def score(values: np.ndarray, flip: bool, truth: np.ndarray, frame: np.ndarray) -> float:
    """Intersection over union of the drawn outline and the photograph's mask."""
    drawn = draw(values, flip, truth.shape[::-1], frame)
    return float((drawn & truth).sum() / (drawn | truth).sum())


def frame_of(truth: np.ndarray) -> np.ndarray:
    """Centre x, y and greater extent of a mask, px."""
    rows, columns = np.nonzero(truth)
    return np.array([columns.mean(), rows.mean(), max(np.ptp(rows), np.ptp(columns)) + 1.0])


def fit(truth: np.ndarray, seed: int, rounds: int) -> tuple[float, np.ndarray, bool]:
    """The best IoU, its parameters and flip: a random search at a third of the size, from several starts."""
    rng = np.random.default_rng(seed)
    small = truth[1::3, 1::3]
    frame = frame_of(small)
    best: list[tuple[float, np.ndarray, bool]] = []
    for flip in (False, True):
        for turn in (-40, -20, 0, 20, 40):
            for size in (0.0, 0.25):
                values = np.zeros(len(NAMES))
                values[NAMES.index("turn")], values[NAMES.index("log_size")] = turn, size
                best.append((score(values, flip, small, frame), values, flip))
    best = sorted(best, key=lambda found: -found[0])[:4]
    for step in range(rounds):
        width = STEP * (1.6 * (1 - step / rounds) + 0.15)
        if step == rounds // 4:
            best = sorted(best, key=lambda found: -found[0])[:2]
        for number, (iou, values, flip) in enumerate(best):
            some = rng.random(len(NAMES)) < 0.4
            if step % 3:
                some[SHAPE] = False  # another shape costs more to try than another pose
            tried = np.clip(values + some * width * rng.standard_normal(len(NAMES)), LOW, HIGH)
            found = score(tried, flip, small, frame)
            if found > iou:
                best[number] = (found, tried, flip)
    _, values, flip = max(best, key=lambda found: found[0])
    return score(values, flip, truth, frame_of(truth)), values, flip


def main() -> int:
    """Print the fit of every mask and the median; 1 if it stays below the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds masks/*.png")
    parser.add_argument("--count", type=int, default=None, help="only the first so many masks")
    parser.add_argument("--rounds", type=int, default=250, help="steps of the search")
    parser.add_argument("--picture", type=Path, help="write a sheet of all overlays")
    arguments = parser.parse_args()
    paths = sorted((arguments.folder / "masks").glob("*.png"))[: arguments.count]
    if not paths:
        print(f"{arguments.folder} holds no masks/*.png; nothing measured")
        return 0
    scores, tiles = [], []
    for number, path in enumerate(paths):
        truth = read_mask(path)
        iou, values, flip = fit(truth, number, arguments.rounds)
        scores.append(iou)
        print(
            f"{path.stem}  {iou:.3f}  " + " ".join(f"{n}={v:.2f}" for n, v in zip(NAMES, values, strict=True)),
            flush=True,
        )
        drawn = draw(values, flip, truth.shape[::-1], frame_of(truth))
        tiles.append(np.stack([truth & ~drawn, truth & drawn, drawn & ~truth], axis=-1).astype(np.uint8) * 255)
    print(f"{len(scores)} masks: median IoU {np.median(scores):.3f}, lowest {min(scores):.3f}; the goal is {GOAL}")
    if arguments.picture:
        blank = [np.zeros_like(tiles[0])] * (-len(tiles) % 10)
        rows_ = [np.concatenate((tiles + blank)[i : i + 10], axis=1) for i in range(0, len(tiles), 10)]
        Image.fromarray(np.concatenate(rows_)).save(arguments.picture)
    return 0 if np.median(scores) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
