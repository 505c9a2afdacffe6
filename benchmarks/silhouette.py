"""How well the built-in hand's outline fits photographed hands.

    python benchmarks/silhouette.py DIR [--image FILE]

DIR holds ``masks/*.png`` of hands laid open before a plain background, bright on dark, cut at the image's edge as the
photograph is. For each mask the mesh is posed and shaped within a small range (spread, thumb, wrist, small tilts,
breadth and finger length; left or right, palm or back look alike in outline up to a flip), projected without
perspective, aligned by a similarity transform (size, turn, shift), cut at the image's edge as the photograph is, and
compared by intersection over union. A sleeve in the photograph counts against the fit.
"""

from __future__ import annotations

import argparse
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from generator.hand import pose
from generator.hand.anatomy import HandShape, skeleton
from generator.hand.kinematics import transforms
from generator.mesh.hand_mesh import build, reshape
from generator.mesh.skinning import skin
from handforge.dataset import read_mask

GOAL = 0.85
SIDE_PX = 240
"""About the longer side at which masks are compared."""
ARM = 0.12  # metres of forearm that can be in the image
POSE = ("spread", "thumb_flexion", "thumb_abduction", "wrist", "tilt_x", "tilt_z", "curl", "width", "fingers", "girth")
PLACE = ("turn", "log_size", "x", "y")
# The range each may take and the step of the search. Of the pose: degrees, and logarithms of the factors of the shape.
# Of the place in the image: degrees, the logarithm of the size, and shares of the extent of the mask.
POSE_LOW = np.array([-9, -25, -10, -25, -20, -25, -4, -0.12, -0.08, -0.12])
POSE_HIGH = np.array([14, 45, 30, 20, 20, 25, 25, 0.12, 0.08, 0.12])
POSE_STEP = np.array([4, 10, 8, 6, 8, 10, 5, 0.05, 0.03, 0.05])
PLACE_STEP = np.array([5, 0.06, 0.04, 0.04])


@lru_cache(maxsize=1)
def hand() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, weights and faces of the part of the mean hand that can be in the image."""
    mesh = build()
    kept = mesh.wrist_distance > -ARM
    faces = (np.cumsum(kept) - 1)[mesh.faces[kept[mesh.faces].all(axis=1)]]
    return mesh.vertices[kept].astype(float), mesh.weights[kept].astype(float), faces


def outline(values: np.ndarray, flip: bool, every: int = 2) -> np.ndarray:
    """Every other vertex of the posed mesh seen from the palm, (V, 2) in metres, x to the right and y down."""
    at = dict(zip(POSE, values, strict=True))
    width, fingers, girth = np.round(np.exp([at["width"], at["fingers"], at["girth"]]), 2)
    shape = HandShape(width=float(width), finger_length=float(fingers), finger_thickness=float(girth))
    angles = {
        f"{finger}_mcp_abduction": at["spread"] * fraction
        for finger, fraction in (("little", -1.0), ("ring", -0.4), ("middle", 0.1), ("index", 0.8))
    }
    angles |= {f"{finger}_{joint}_flexion": at["curl"] for finger in pose.FINGERS[:4] for joint in ("mcp", "pip")}
    angles |= {"thumb_cmc_flexion": at["thumb_flexion"], "thumb_cmc_abduction": at["thumb_abduction"]}
    angles |= {"wrist_deviation": at["wrist"], "forearm_x": at["tilt_x"], "forearm_z": at["tilt_z"]}
    vertices, weights, _ = hand()
    shaped = reshape(vertices[::every], weights[::every], shape)
    posed = skin(shaped, weights[::every], transforms(pose.with_angles(**angles), skeleton(shape)))
    return np.stack([-posed[:, 0] if flip else posed[:, 0], -(posed[:, 2] - 0.09)], axis=1)


def place(flat: np.ndarray, at: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """The outline's points in the image, px; ``frame`` is the mask's centre and extent."""
    rotation = np.radians(at[0])
    rotated = flat @ np.array([[np.cos(rotation), np.sin(rotation)], [-np.sin(rotation), np.cos(rotation)]])
    return rotated * (frame[2] / 0.19 * np.exp(at[1])) + frame[:2] + at[2:] * frame[2]


def plot(points: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A bool image with these points (N, 2) set."""
    height, width = like.shape
    image = np.zeros((height + 2, width + 2), bool)  # a border takes what falls outside the image
    x, y = np.clip(points.T + 1, 0, [[width + 1], [height + 1]]).astype(np.intp)
    image.ravel()[y * (width + 2) + x] = True
    return image[1:-1, 1:-1]


def draw(points: np.ndarray, faces: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The outline's triangles as a (H, W) bool mask."""
    corners = points[faces]
    (a, b), (c, d) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    corners = corners[a * d > b * c]  # one side of a closed surface covers the whole outline
    extent = np.ptp(corners, axis=1).max(axis=1)
    parts = []
    for low, high, steps in ((0, 1.5, 2), (1.5, 4, 5), (4, np.inf, 14)):
        some = corners[(extent > low) & (extent <= high)]
        parts.append((_samples(steps) @ some.transpose(1, 0, 2).reshape(3, -1)).reshape(-1, 2))
    return plot(np.concatenate(parts), like)


def _samples(steps: int) -> np.ndarray:
    """Barycentric coordinates of an even grid of points in a triangle, (S, 3)."""
    a, b = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1))
    a, b = a[a + b <= steps], b[a + b <= steps]
    return np.stack([a, b, steps - a - b], axis=1) / steps


def iou(drawn: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((drawn & truth).sum() / (drawn | truth).sum())


def frame_of(truth: np.ndarray) -> np.ndarray:
    """Centre x, y and greater extent of a mask, px."""
    rows, columns = np.nonzero(truth)
    return np.array([columns.mean(), rows.mean(), max(np.ptp(rows), np.ptp(columns)) + 1.0])


def settle(
    flat: np.ndarray, truth: np.ndarray, at: np.ndarray, rng: np.random.Generator, tries: int, reach: float
) -> tuple[float, np.ndarray]:
    """The best place of an outline near ``at``: its IoU, by points alone, and the place."""
    frame = frame_of(truth)
    best = iou(plot(place(flat, at, frame), truth), truth), at
    for _ in range(tries):
        tried = best[1] + reach * PLACE_STEP * rng.standard_normal(4)
        found = iou(plot(place(flat, tried, frame), truth), truth)
        if found > best[0]:
            best = found, tried
    return best


def fit(truth: np.ndarray, seed: int, rounds: int) -> tuple[float, np.ndarray, np.ndarray]:
    """The best IoU, what was found, and the mask drawn: a narrowing random search at a third of the size."""
    rng = np.random.default_rng(seed)
    small = truth[1::3, 1::3]
    starts = []
    for flip in (False, True):
        flat = outline(np.zeros(len(POSE)), flip)
        for rotation in (-50, -25, 0, 25, 50):
            for size in (0.0, 0.25):
                starts.append(
                    (*settle(flat, small, np.array([rotation, size, 0, 0]), rng, 25, 1.0), np.zeros(len(POSE)), flip)
                )
    best = sorted(starts, key=lambda found: -found[0])[:3]
    for step in range(rounds):
        wide = 1.5 * (1 - step / rounds) + 0.2
        best = best[: 3 if step < rounds // 4 else 1]
        for number, (score, at, values, flip) in enumerate(best):
            some = rng.random(len(POSE)) < 0.35
            tried = np.clip(values + some * wide * POSE_STEP * rng.standard_normal(len(POSE)), POSE_LOW, POSE_HIGH)
            found, there = settle(outline(tried, flip), small, at, rng, 8, 0.4 * wide)
            if found > score:
                best[number] = (found, there, tried, flip)
        best.sort(key=lambda found: -found[0])
    _, at, values, flip = best[0]
    flat, faces = outline(values, flip, every=1), hand()[2]
    frame, final = frame_of(truth), (-1.0, at, truth)
    for attempt in range(25):  # points alone draw the outline a little too large: settle again with its triangles
        tried = at if attempt == 0 else final[1] + 0.4 * PLACE_STEP * rng.standard_normal(4)
        drawn = draw(place(flat, tried, frame), faces, truth)
        if iou(drawn, truth) > final[0]:
            final = iou(drawn, truth), tried, drawn
    return final[0], np.concatenate([values, final[1]]), final[2]


def main() -> int:
    """Print the fit of every mask and the median; 1 if it stays below the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds masks/*.png")
    parser.add_argument("--count", type=int, default=None, help="only the first so many masks")
    parser.add_argument("--rounds", type=int, default=80, help="steps of the search")
    parser.add_argument("--sheet", type=Path, help="write a sheet of all overlays")
    arguments = parser.parse_args()
    paths = sorted((arguments.folder / "masks").glob("*.png"))[: arguments.count]
    if not paths:
        print(f"{arguments.folder} holds no masks/*.png; nothing measured")
        return 0
    scores, tiles = [], []
    for number, path in enumerate(paths):
        truth = read_mask(path)
        every = max(1, round(max(truth.shape) / SIDE_PX))
        truth = truth[::every, ::every]
        score, values, drawn = fit(truth, number, arguments.rounds)
        scores.append(score)
        found = " ".join(f"{name}={value:.2f}" for name, value in zip(POSE + PLACE, values, strict=True))
        print(f"{path.stem}  {score:.3f}  {found}", flush=True)
        tiles.append(np.stack([truth & ~drawn, truth & drawn, drawn & ~truth], axis=-1).astype(np.uint8) * 255)
    lowest, lower, median, upper = np.quantile(scores, [0, 0.25, 0.5, 0.75])
    print(f"{len(scores)} masks: median IoU {median:.3f} ({lower:.3f} to {upper:.3f} the middle half), ", end="")
    print(f"lowest {lowest:.3f}; the goal is {GOAL}")
    if arguments.sheet:
        blank = [np.zeros_like(tiles[0])] * (-len(tiles) % 10)
        rows_ = [np.concatenate((tiles + blank)[i : i + 10], axis=1) for i in range(0, len(tiles), 10)]
        Image.fromarray(np.concatenate(rows_)).save(arguments.sheet)
    return 0 if median >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
