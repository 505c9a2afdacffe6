"""Depth, normals and parts of an image, on request: from the posed mesh, as not every engine of Blender gives them.

A pixel has the values of the surface that is nearest to the camera on the line through the pixel's centre; where a mask
covers a pixel by its edge alone, those of the pixel beside it. Camera axes: x right, y down, z away from the camera.
"""

from __future__ import annotations

import numpy as np

from generator.hand.anatomy import BONES
from generator.hand.camera import Camera
from handforge.dataset import PARTS

NEAR = 0.01
"""Triangles nearer to the camera than this are not seen, metres."""

CHUNK = 2_000_000
"""Pixels of triangles looked at together, which bounds the memory."""


def parts_of(weights: np.ndarray) -> np.ndarray:
    """How much of each vertex belongs to which of :data:`handforge.dataset.PARTS`, (V, 7), from its bones' (V, 21).

    Fingers and thumb begin where their first phalanx does; the metacarpals, the thumb's too, are the palm's.
    """
    part = np.zeros(len(BONES), int)
    for index, bone in enumerate(BONES):
        finger, _, segment = bone.partition("_")
        name = "forearm" if finger == "forearm" else finger if segment in ("proximal", "middle", "distal") else "palm"
        part[index] = PARTS.index(name)
    return weights @ np.eye(len(PARTS))[part]


def measure(
    vertices: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    parts: np.ndarray,
    camera: Camera,
    hand: np.ndarray,
    covered: np.ndarray,
) -> dict[str, np.ndarray]:
    """Measure the ground-truth maps of one image.

    :param vertices: (V, 3) of the posed mesh, scene axes, metres; ``normals`` (V, 3) unit vectors.
    :param faces: (F, 3) indices of vertices.
    :param parts: (V, 7) as :func:`parts_of` gives them.
    :param hand: (H, W) bool, the pixels of the hand without its forearm.
    :param covered: (H, W) bool, the pixels that have values; the others are 0.
    :returns: ``depth`` (H, W) float32, metres along the camera's axis; ``normals`` (H, W, 3) float32, unit vectors in
        camera axes that never look away from the camera; ``parts`` (H, W) uint8, 1 + the index into ``PARTS``.
    """
    depth, direction = np.zeros(covered.shape, np.float32), np.zeros((*covered.shape, 3), np.float32)
    part = np.zeros(covered.shape, np.uint8)
    points = camera.to_camera(vertices)
    where, corners, fractions = visible(points, faces, camera, covered)
    if len(corners):
        place = np.einsum("pc,pci->pi", fractions, points[corners])
        depth[where] = place[:, 2]
        direction[where] = _towards(
            place, np.einsum("pc,pci->pi", fractions, normals[corners])[:, [0, 2, 1]] * [1, -1, 1]
        )
        by_part = np.einsum("pc,pci->pi", fractions, parts[corners])
        of_hand = by_part[:, : PARTS.index("forearm")].argmax(axis=1)
        part[where] = 1 + np.where(hand[where], of_hand, PARTS.index("forearm"))
    return {"depth": depth, "normals": direction, "parts": part}


def nothing(width: int, height: int) -> dict[str, np.ndarray]:
    """Ground-truth maps of an image without a hand, as :func:`measure` returns them: all 0."""
    return {
        "depth": np.zeros((height, width), np.float32),
        "normals": np.zeros((height, width, 3), np.float32),
        "parts": np.zeros((height, width), np.uint8),
    }


def _towards(places: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Unit normals (P, 3) at places (P, 3); interpolated ones that look away are turned until they no longer do."""
    sight = places / np.linalg.norm(places, axis=1, keepdims=True)
    away = np.maximum((normals * sight).sum(axis=1, keepdims=True), 0.0)
    normals = normals - away * sight
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def visible(
    points: np.ndarray, faces: np.ndarray, camera: Camera, covered: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """What is seen in the covered pixels.

    :param points: (V, 3) in camera axes.
    :returns: rows and columns of P pixels, the vertices of the triangle in each (P, 3), and their weights in the place
        that is seen (P, 3), which add up to 1. P is the number of covered pixels, or 0 if no triangle is in them.
    """
    rows, columns = np.nonzero(covered)
    unseen = (rows[:0], columns[:0]), np.zeros((0, 3), int), np.zeros((0, 3))
    if not len(rows):
        return unseen
    corner = np.array([columns.min(), rows.min()])
    size = np.array([columns.max(), rows.max()]) + 1 - corner
    faces = faces[(points[faces, 2] > NEAR).all(axis=1)]
    flat = camera.pixels(np.column_stack([points[:, :2], np.maximum(points[:, 2], NEAR)])) - corner
    index, fractions = _nearest(flat, points[:, 2], faces, size)
    if (index < 0).all():
        return unseen
    inside = rows - corner[1], columns - corner[0]
    seen = _spread(index, covered[corner[1] :, corner[0] :][: size[1], : size[0]])[inside]
    # The pixel whose values these are; most often it is the pixel itself.
    faces_seen, weights_seen = index.ravel()[seen], fractions.reshape(-1, 3)[seen]
    return (rows, columns), faces[faces_seen], weights_seen


def _nearest(flat: np.ndarray, depth: np.ndarray, faces: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest triangle at the centre of each pixel, (H, W), -1 where none is, and its corners' weights (H, W, 3).

    :param flat: (V, 2), where the vertices fall, pixels; ``depth`` (V,), ``size`` width and height.
    """
    index, fractions = np.full(size[::-1], -1), np.zeros((*size[::-1], 3))
    closest = np.full(size[::-1], np.inf)
    corners = flat[faces]
    first = np.clip(np.ceil(corners.min(axis=1) - 0.5), 0, size).astype(int)
    extent = np.maximum(np.clip(np.floor(corners.max(axis=1) - 0.5) + 1, 0, size).astype(int) - first, 0)
    count = extent.prod(axis=1)
    chunks = np.flatnonzero(np.diff(np.cumsum(count) // CHUNK, prepend=0))
    for some in np.split(np.arange(len(faces)), chunks):
        which = np.repeat(some, count[some])
        step = np.arange(len(which)) - np.repeat(np.cumsum(count[some]) - count[some], count[some])
        across = np.maximum(extent[which, 0], 1)
        pixel = first[which] + np.stack([step % across, step // across], axis=1)
        fraction, inverse = _barycentric(corners[which], 1.0 / depth[faces[which]], pixel + 0.5)
        kept = np.flatnonzero((fraction >= 0).all(axis=1))
        kept = kept[np.argsort(inverse[kept], kind="stable")]  # the nearest last, which is what stays
        kept = kept[1.0 / inverse[kept] < closest[pixel[kept, 1], pixel[kept, 0]]]
        at = pixel[kept, 1], pixel[kept, 0]
        index[at], fractions[at], closest[at] = which[kept], fraction[kept], 1.0 / inverse[kept]
    return index, fractions


def _barycentric(corners: np.ndarray, inverse: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each corner's weight (P, 3) in what is seen of a triangle (P, 3, 2) at a point (P, 2), and 1 / depth there (P,).

    Perspective-correct: 1 / depth is linear in the image. Negative weights are outside the triangle.
    """
    a, b, c = corners.transpose(1, 2, 0)
    x, y = points.T

    def area(p: np.ndarray, q: np.ndarray) -> np.ndarray:
        return (p[0] - x) * (q[1] - y) - (p[1] - y) * (q[0] - x)

    areas = np.stack([area(b, c), area(c, a), area(a, b)], axis=1)
    total = areas.sum(axis=1, keepdims=True)
    flat = areas / np.where(total == 0, np.nan, total)  # a triangle seen from its side covers nothing
    fraction = np.nan_to_num(flat, nan=-1.0) * inverse
    depth = fraction.sum(axis=1)
    return fraction / np.where(depth == 0, 1.0, depth)[:, None], depth


def _spread(index: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """The flat number of the pixel whose values each has, (H, W): itself, or one of the nearest with a triangle."""
    own = np.where(index >= 0, np.arange(index.size).reshape(index.shape), -1)
    while (covered & (own < 0)).any():
        rim = np.pad(own, 1, constant_values=-1)
        height, width = own.shape
        beside = [rim[i : i + height, j : j + width] for i in range(3) for j in range(3)]
        own = np.where(own < 0, np.max(beside, axis=0), own)
    return own
