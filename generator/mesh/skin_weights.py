"""How much each bone moves each point of the skin."""

from __future__ import annotations

import numpy as np

from generator.hand.anatomy import BONES, LONG_FINGERS, skeleton
from generator.hand.pose import FINGERS
from generator.mesh.sdf import Skin

# Half of the stretch along a digit over which the skin passes from one bone to the next, mm.
_MCP_HALF, _PIP_HALF, _DIP_HALF, _WRIST_HALF = 10.0, 6.5, 5.5, 17.0


def weights(vertices: np.ndarray, faces: np.ndarray, skin: Skin) -> np.ndarray:
    """Skin weights of the mean hand.

    A digit's own region is found by which limb the point lies on, never by plain distance, so that fingers do not
    drag their neighbours; smoothing then runs along the surface only.

    :param vertices: (V, 3) mm.
    :param faces: (F, 3).
    :returns: (V, 21) float32, rows sum to 1, at most four nonzero in a row.
    """
    result = diffuse(_palm(vertices), faces, 20)
    lies_on = digit(vertices, skin)
    for number, name in enumerate(FINGERS):
        chain = _thumb_chain(vertices) if name == "thumb" else _finger_chain(vertices, name)
        moved = chain.sum(axis=1) * (lies_on == number)
        result = result * (1 - moved[:, None]) + chain * (lies_on == number)[:, None]
    result = diffuse(result, faces, 6)
    return _four(result).astype(np.float32)


def _bone(name: str) -> tuple[np.ndarray, np.ndarray]:
    bones, index = skeleton(), BONES.index(name)
    return bones.heads[index] * 1000, bones.tails[index] * 1000


def _step(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * t * (t * (6 * t - 15) + 10)


def segment_distance(points: np.ndarray, head: np.ndarray, tail: np.ndarray) -> np.ndarray:
    """Distance of points (N, 2 or 3) from the segment head-tail."""
    along = np.clip((points - head) @ (tail - head) / ((tail - head) @ (tail - head)), 0, 1)
    return np.linalg.norm(points - head - along[:, None] * (tail - head), axis=1)


def _palm(vertices: np.ndarray) -> np.ndarray:
    """Weights without the phalanges: forearm, hand, metacarpals."""
    result = np.zeros((len(vertices), len(BONES)))
    hand = _step(vertices[:, 2], -_WRIST_HALF, _WRIST_HALF)
    result[:, BONES.index("forearm")] = 1 - hand
    names = [f"{finger}_metacarpal" for finger in LONG_FINGERS]
    distances = np.stack([segment_distance(vertices, *_bone(name)) for name in names], axis=1)
    fraction = np.exp(-distances / 4.0 + distances.min(axis=1, keepdims=True) / 4.0)
    fraction /= fraction.sum(axis=1, keepdims=True)
    carpus = 1 - _step(vertices[:, 2], 15, 45)
    result[:, BONES.index("hand")] = hand * carpus
    for column, name in enumerate(names):
        result[:, BONES.index(name)] = hand * (1 - carpus) * fraction[:, column]
    thumb = np.maximum(segment_distance(vertices, *_bone("thumb_metacarpal")) - 9, 1.0)
    others = [segment_distance(vertices, *_bone(name)) for name in ("hand", "index_metacarpal", "middle_metacarpal")]
    rest = np.maximum(np.min(others, axis=0) - 9, 1.0)
    pull = hand * _step(rest / (rest + thumb), 0.28, 0.80)  # the thumb moves nothing beyond the wrist
    result *= 1 - pull[:, None]
    result[:, BONES.index("thumb_metacarpal")] = pull
    return result


def digit(vertices: np.ndarray, skin: Skin) -> np.ndarray:
    """Which digit's limb each point lies on or nearest to: 0 little .. 3 index, 4 thumb."""
    fingers = [finger.distance(vertices) for finger in skin.fingers]
    thumb = np.min([part.distance(vertices) for part in skin.thumb], axis=0)
    return np.argmin([*fingers, thumb], axis=0)


def _finger_chain(vertices: np.ndarray, finger: str) -> np.ndarray:
    head, tail = _bone(f"{finger}_proximal")
    along = (vertices - head) @ (tail - head) / np.linalg.norm(tail - head)
    pip = np.linalg.norm(tail - head)
    dip = pip + np.linalg.norm(np.subtract(*_bone(f"{finger}_middle")))
    return _chain(
        along,
        [(0.0, _MCP_HALF), (pip, _PIP_HALF), (dip, _DIP_HALF)],
        [f"{finger}_{part}" for part in ("proximal", "middle", "distal")],
    )


def _thumb_chain(vertices: np.ndarray) -> np.ndarray:
    head, tail = _bone("thumb_proximal")
    along = (vertices - head) @ (tail - head) / np.linalg.norm(tail - head)
    ip = np.linalg.norm(tail - head)
    return _chain(along, [(0.0, 8.0), (ip, 7.0)], ["thumb_proximal", "thumb_distal"])


def _chain(along: np.ndarray, joints: list[tuple[float, float]], names: list[str]) -> np.ndarray:
    """Weights of bones in a row from the position along them; zero where the first joint is not reached."""
    result = np.zeros((len(along), len(BONES)))
    fractions = [_step(along, place - half, place + half) for place, half in joints]
    for number, name in enumerate(names):
        beyond = fractions[number + 1] if number + 1 < len(fractions) else 0.0
        result[:, BONES.index(name)] = fractions[number] - beyond
    return np.maximum(result, 0.0)


def edges(faces: np.ndarray) -> np.ndarray:
    """The undirected edges of a triangle mesh, (E, 2), each once."""
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    return np.unique(pairs, axis=0)


def neighbour_mean(values: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The mean of each vertex's neighbours, (V, C)."""
    a, b = np.concatenate([pairs, pairs[:, ::-1]]).T
    count = np.bincount(a, minlength=len(values))
    sums = np.stack([np.bincount(a, weights=column[b], minlength=len(values)) for column in values.T], axis=1)
    return sums / count[:, None]


def diffuse(values: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """Values at the vertices, (V, C), smoothed along the surface."""
    pairs = edges(faces)
    for _ in range(rounds):
        values = 0.5 * values + 0.5 * neighbour_mean(values, pairs)
    return values


def _four(values: np.ndarray) -> np.ndarray:
    """Only the four greatest of each row, summing to 1."""
    fifth = np.sort(values, axis=1)[:, -5:-4]
    kept = np.where((values > fifth) & (values > 1e-3), values, 0.0)
    return kept / kept.sum(axis=1, keepdims=True)
