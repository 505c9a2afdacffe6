"""What the camera sees of an arm, for those who put props around it: free places, and points behind a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.hand.camera import Camera


@dataclass(frozen=True)
class View:
    """An arm before a camera.

    :param arm: (V, 3) scene points of the whole arm's surface, metres.
    :param hand: (V,) bool, those of the hand.
    :param owner: (V,) int, which arm each belongs to where there are two.
    """

    camera: Camera
    arm: np.ndarray
    hand: np.ndarray
    owner: np.ndarray

    def one_hand(self, rng: np.random.Generator) -> np.ndarray:
        """The points (N, 3) of one of the hands, drawn from ``rng``."""
        owner = self.owner[self.hand]
        return self.arm[self.hand][owner == rng.choice(np.unique(owner))]

    def point(self, across: float, down: float, depth: float) -> np.ndarray:
        """The scene point (3,) at a depth in metres along the viewing axis, seen at fractions of the image's size."""
        width, height = self.camera.width, self.camera.height
        scale = depth / self.camera.matrix[0, 0]
        return np.array([(across - 0.5) * width * scale, depth - self.camera.distance, (0.5 - down) * height * scale])

    def inside(self, margin: float) -> np.ndarray:
        """Which points of the arm are inside the image or near it, by a fraction of its size, (V,) bool."""
        x, y, depth = self.camera.project(self.arm).T
        apart = np.maximum(abs(x / self.camera.width - 0.5), abs(y / self.camera.height - 0.5))
        return np.asarray((apart < 0.5 + margin) & (depth > 0))

    def behind(self, margin: float) -> float:
        """The depth, metres, of the farthest of the points that :meth:`inside` tells, or of all if it tells none."""
        depth, seen = self.camera.to_camera(self.arm)[:, 2], self.inside(margin)
        return float(depth[seen].max() if seen.any() else depth.max())

    def clear(self, center: np.ndarray, radius: float, half: np.ndarray | None = None, gap: float = 0.004) -> bool:
        """Whether a ball, or a limb, touches neither arm nor camera.

        :param center: (3,) scene point; ``radius``: metres.
        :param half: (3,), how far the limb reaches to both sides of its center, metres; None for a ball.
        :param gap: metres that stay free.
        """
        points = np.vstack([self.arm, self.camera.position])
        along = np.zeros(len(points)) if half is None else np.clip((points - center) @ half / (half @ half), -1, 1)
        axis = center + along[:, None] * (np.zeros(3) if half is None else half)
        return bool((np.linalg.norm(points - axis, axis=1) > radius + gap).all())
